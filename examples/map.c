/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Which maps of a block go together, and what two threads may do at once. */

#include <string.h>

#include <quire/quire.h>

#include "check.h"

#define READ   QUIRE_MAP_READ
#define WRITE  QUIRE_MAP_WRITE
#define UNIQUE QUIRE_MAP_UNIQUE

#define SIZE     1000
#define N_ROUNDS 200

static const struct
{
  const char   *name;
  QuireMapFlags flags;
} asked[] = {
  { "READ", READ },
  { "WRITE", WRITE },
  { "READ+WRITE", READ | WRITE },
  { "READ+UNIQUE", READ | UNIQUE },
};

static const struct
{
  const char   *name;
  QuireMapFlags flags;
  gboolean      granted[G_N_ELEMENTS (asked)];
} held[] = {
  { "nothing", QUIRE_MAP_NONE, { TRUE, TRUE, TRUE, TRUE } },
  { "READ", READ, { TRUE, FALSE, FALSE, FALSE } },
  { "WRITE", WRITE, { FALSE, TRUE, FALSE, FALSE } },
  { "READ+WRITE", READ | WRITE, { TRUE, TRUE, TRUE, FALSE } },
  { "READ+UNIQUE", READ | UNIQUE, { FALSE, FALSE, FALSE, FALSE } },
  { "WRITE+UNIQUE", WRITE | UNIQUE, { FALSE, FALSE, FALSE, FALSE } },
};

/* Tries each map over each other one. */
static void
show_table (void)
{
  g_autofree char *refusal = NULL;

  g_print ("Which maps go together\n\n  %-12s", "held / asked");
  for (gsize i = 0; i < G_N_ELEMENTS (asked); i++)
    g_print ("  %-11s", asked[i].name);
  g_print ("\n");

  for (gsize i = 0; i < G_N_ELEMENTS (held); i++)
    {
      g_autoptr (QuireMemory) memory = quire_memory_new (SIZE);
      g_auto (QuireMapInfo) first = QUIRE_MAP_INFO_INIT;

      if (held[i].flags != QUIRE_MAP_NONE)
        check (quire_memory_map (memory, &first, held[i].flags), "a free block is mapped");

      g_print ("  %-12s", held[i].name);
      for (gsize j = 0; j < G_N_ELEMENTS (asked); j++)
        {
          g_autoptr (GError) error = NULL;
          g_auto (QuireMapInfo) second = QUIRE_MAP_INFO_INIT;
          const gboolean granted = quire_memory_map_full (memory, &second, asked[j].flags, &error);

          g_print ("  %-*s", j + 1 < G_N_ELEMENTS (asked) ? 11 : 0, granted ? "yes" : "busy");
          check (granted == held[i].granted[j], "this is what the rules say");
          check (granted || g_error_matches (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_BUSY),
                 "a map is refused because of another one");

          if (!granted && refusal == NULL)
            refusal = g_strdup (error->message);
        }
      g_print ("\n");
    }

  g_print ("\n  A refusal says why: %s\n\n", refusal);
}

typedef struct
{
  QuireMemory  *memory;
  QuireMapFlags flags;
  gint          granted;
  gint          tried;
} Race;

/* Maps, and keeps the map until the other thread has tried too. */
static gpointer
enter (gpointer data)
{
  Race *race = data;
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;
  const gboolean granted = quire_memory_map (race->memory, &info, race->flags);
  gint self;

  g_atomic_int_add (&race->granted, granted);
  self = g_atomic_int_add (&race->tried, 1);
  while (g_atomic_int_get (&race->tried) < 2)
    g_thread_yield ();

  /* Who is in fills a half of its own. */
  if (granted)
    memset (info.data + self * SIZE / 2, 'a' + self, SIZE / 2);

  return NULL;
}

/* Tells how many of two threads got in, at least and at most. */
static void
show_race (const char   *what,
           QuireMapFlags flags,
           gint          expected)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (SIZE);
  gint least = 2, most = 0;

  for (gsize i = 0; i < N_ROUNDS; i++)
    {
      Race race = { memory, flags, 0, 0 };
      GThread *other = g_thread_new ("other", enter, &race);

      enter (&race);
      g_thread_join (other);

      least = MIN (least, race.granted);
      most = MAX (most, race.granted);
    }

  g_print ("  %-12s  %d of 2 got in, in each of %d rounds\n", what, least, N_ROUNDS);
  check (least == expected && most == expected, "so many get in, always");

  if (expected == 2)
    {
      g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;

      check (quire_memory_map (memory, &info, READ) &&
             info.data[0] == 'a' && info.data[SIZE - 1] == 'b',
             "both wrote their half");
    }
}

int
main (void)
{
  show_table ();

  g_print ("Two threads that map at the same time\n\n");
  show_race ("WRITE", WRITE, 2);
  show_race ("WRITE+UNIQUE", WRITE | UNIQUE, 1);
  g_print ("\n");

  return finish ();
}
