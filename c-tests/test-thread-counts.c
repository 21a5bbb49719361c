/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test-threads.h"

static gpointer
take_all (Race *race)
{
  const QuireMapFlags flags = FLAGS (race->flags);
  guint taken = 0, refused = 0;

  /* Until it is full; from then on by turns. */
  while (refused < 200)
    {
      if (quire_memory_lock (race->memory, flags))
        {
          taken++;
          g_assert_cmpuint (race_add (&race->held, 1), <=, race->limit);
        }
      else
        {
          refused++;
          if (taken > 0)
            {
              race_add (&race->held, -1);
              quire_memory_unlock (race->memory, flags);
              taken--;
            }
          g_thread_yield ();
        }
    }

  race_add (&race->total, 1);
  while (race_load (&race->total) < RACE_N_THREADS)
    g_thread_yield ();

  for (; taken > 0; taken--)
    {
      race_add (&race->held, -1);
      quire_memory_unlock (race->memory, flags);
    }

  return NULL;
}

static void
test_limits (void)
{
  static const struct
  {
    guint flags;
    guint limit;
  } limits[] = {
    { QUIRE_MAP_READ, 4096 },
    { QUIRE_MAP_WRITE, 4096 },
    { QUIRE_MAP_READWRITE, 4095 },
    { QUIRE_MAP_EXCLUSIVE, 127 },
  };
  g_autoptr (QuireMemory) memory = quire_memory_new (RACE_SIZE);

  g_test_summary ("No crowd gets a count over its limit, and nothing of it stays");

  for (gsize i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      Race race = { .memory = memory, .flags = limits[i].flags, .limit = limits[i].limit };

      RACE_RUN (&race, take_all, take_all, take_all, take_all);
      g_assert_cmpuint (race.held, ==, 0);
      quire_assert_state (memory, "free");
      g_assert_true (quire_memory_fill (memory, 0, -1, 0));
    }
}

static gpointer
storm (Race *race)
{
  QuireMemory *memory = race->memory;

  /* Each thread has a reference of its own. */
  for (guint i = 0; race_go_on (race, i); i++)
    {
      QuireMemory *more[8];

      for (gsize n = 0; n < G_N_ELEMENTS (more); n++)
        more[n] = quire_memory_ref (memory);
      for (gsize n = 0; n < G_N_ELEMENTS (more); n++)
        quire_memory_unref (more[n]);
    }
  quire_memory_unref (memory);

  return NULL;
}

static gpointer
drop_when_told (Race *race)
{
  while (race_load (&race->started) == 0)
    ;
  quire_memory_unref (race->memory);

  return NULL;
}

static void
test_references (void)
{
  Race race = { .memory = quire_memory_new (RACE_SIZE) };
  guint dead = 0;

  g_test_summary ("References come and go on all threads, and the block dies once");

  quire_memory_weak_ref (race.memory, quire_test_count_weak, &dead);
  for (guint i = 0; i < RACE_N_THREADS; i++)
    quire_memory_ref (race.memory);
  quire_memory_unref (race.memory);
  RACE_RUN (&race, storm, storm, storm, storm);
  g_assert_cmpuint (dead, ==, 1);

  /* The last two at the same moment, many times. */
  for (guint i = 0; i < 300; i++)
    {
      guint8 data[1];
      guint gone = 0;
      GThread *thread;

      race.started = 0;
      race.memory = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NONE, data, 1, 0, 1, &gone, quire_test_count);
      quire_memory_ref (race.memory);
      thread = g_thread_new ("drop", (GThreadFunc) drop_when_told, &race);
      race_add (&race.started, 1);
      quire_memory_unref (race.memory);
      g_thread_join (thread);
      g_assert_cmpuint (gone, ==, 1);
    }
}

static gpointer
compete (Race *race)
{
  for (guint i = 0; race_go_on (race, i); i++)
    {
      QuireMemory *mine = quire_memory_new (8);

      quire_memory_weak_ref (mine, quire_test_count_weak, &race->total);
      race_add (&race->started, 1);
      switch (i % 3)
        {
        case 0:
          quire_memory_replace (&race->memory, mine);
          quire_memory_unref (mine);
          break;
        case 1:
          quire_memory_take (&race->memory, mine);
          break;
        default:
          quire_memory_unref (mine);
          mine = quire_memory_steal (&race->memory);
          if (mine != NULL)
            quire_memory_unref (mine);
          break;
        }
    }

  return NULL;
}

static void
test_place (void)
{
  Race race = { .memory = NULL };

  g_test_summary ("Threads compete for a place, and no block is lost or freed twice");

  RACE_RUN (&race, compete, compete, compete);
  quire_memory_replace (&race.memory, NULL);
  g_assert_cmpuint (race.started, ==, race.total);
}

static gpointer
share_storm (Race *race)
{
  for (guint i = 0; race_go_on (race, i); i++)
    {
      QuireMemory *share = quire_memory_share (race->memory, 0, -1);

      g_assert_nonnull (share);
      quire_memory_unref (share);
    }
  quire_memory_unref (race->memory);

  return NULL;
}

static void
test_shares (void)
{
  guint dead = 0;
  Race race = { .memory = quire_memory_new (RACE_SIZE) };

  g_test_summary ("Shares are counted right on all threads, and the last one lets the root go");

  quire_memory_weak_ref (race.memory, quire_test_count_weak, &dead);
  for (guint i = 0; i < RACE_N_THREADS - 1; i++)
    quire_memory_ref (race.memory);
  quire_memory_ref (race.memory);
  RACE_RUN (&race, share_storm, share_storm, share_storm, share_storm);
  quire_assert_state (race.memory, "free");
  g_assert_cmpuint (dead, ==, 0);
  quire_memory_unref (race.memory);
  g_assert_cmpuint (dead, ==, 1);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Before there are threads: GLib sets such a number without a lock. */
  quire_memory_error_quark ();

  g_test_add_func ("/thread-counts/limits", test_limits);
  g_test_add_func ("/thread-counts/references", test_references);
  g_test_add_func ("/thread-counts/place", test_place);
  g_test_add_func ("/thread-counts/shares", test_shares);

  return g_test_run ();
}
