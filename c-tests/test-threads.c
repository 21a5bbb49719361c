/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test-threads.h"

static gpointer
write_with_another (Race *race)
{
  QuireMapInfo info;

  while (!quire_memory_map (race->memory, &info, QUIRE_MAP_WRITE))
    g_thread_yield ();

  /* Nobody unmaps before both are here. */
  memset (info.data + (race_add (&race->inside, 1) - 1) * RACE_SIZE / 2, 0x5a, RACE_SIZE / 2);
  while (race_load (&race->inside) < 2)
    g_thread_yield ();
  quire_memory_unmap (race->memory, &info);

  return NULL;
}

static void
test_both_write (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (RACE_SIZE);
  Race race = { .memory = memory };

  g_test_summary ("Two threads both hold a WRITE map at the same time");

  RACE_RUN (&race, write_with_another, write_with_another);
  quire_assert_state (memory, "free");
}

/* Every kind of UNIQUE: whoever is in is alone. */
static gpointer
be_unique (Race *race)
{
  static const guint kinds[] = {
    QUIRE_MAP_WRITE, QUIRE_MAP_READWRITE, QUIRE_MAP_READ, QUIRE_MAP_WRITE | QUIRE_MAP_EXCLUSIVE
  };

  for (guint i = 0, granted = 0; race_go_on (race, granted); i++)
    {
      const QuireMapFlags flags = FLAGS (kinds[i % G_N_ELEMENTS (kinds)] | QUIRE_MAP_UNIQUE);

      if (!quire_memory_lock (race->memory, flags))
        {
          g_thread_yield ();
          continue;
        }
      granted++;
      g_assert_cmpuint (race_add (&race->inside, 1), ==, 1);
      race->guarded++;
      g_assert_cmpuint (race_add (&race->inside, -1), ==, 0);
      quire_memory_unlock (race->memory, flags);
      race_add (&race->total, 1);
    }

  return NULL;
}

static gpointer
be_plain (Race *race)
{
  static const guint kinds[] = { QUIRE_MAP_WRITE, QUIRE_MAP_READ, QUIRE_MAP_READWRITE };

  for (guint i = 0, granted = 0; race_go_on (race, granted); i++)
    {
      const QuireMapFlags flags = FLAGS (kinds[i % G_N_ELEMENTS (kinds)]);

      if (quire_memory_lock (race->memory, flags))
        {
          granted++;
          g_assert_cmpuint (race_load (&race->inside), ==, 0);
          quire_memory_unlock (race->memory, flags);
        }
      g_thread_yield ();
    }

  return NULL;
}

static void
test_unique (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (RACE_SIZE);
  Race race = { .memory = memory };

  g_test_summary ("Of all who ask for UNIQUE one is in at a time, and nobody else of any kind");

  RACE_RUN (&race, be_unique, be_unique, be_unique, be_plain);
  g_assert_cmpuint (race.guarded, ==, race.total);
  g_assert_cmpuint (race.total, >, 0);
  quire_assert_state (memory, "free");
}

static void
check_all_equal (const guint8 *data,
                 gsize         size)
{
  for (gsize i = 1; i < size; i++)
    g_assert_cmpuint (data[i], ==, data[0]);
}

/* Readers nest, and would leave a writer no gap: so each lets one write come after
 * each look. */
static void
let_write (Race *race)
{
  const guint writes = race_load (&race->total);

  for (guint i = 0; i < 100 && race_load (&race->total) == writes; i++)
    g_thread_yield ();
}

static gpointer
read_invariant (Race *race)
{
  for (guint granted = 0; race_go_on (race, granted);)
    {
      QuireMapInfo info;

      if (quire_memory_map (race->memory, &info, QUIRE_MAP_READ))
        {
          granted++;
          check_all_equal (info.data, info.size);
          quire_memory_unmap (race->memory, &info);
        }
      let_write (race);
    }

  return NULL;
}

static void
write_invariant (Race         *race,
                 QuireMapFlags flags)
{
  for (guint granted = 0; race_go_on (race, granted);)
    {
      QuireMapInfo info;

      if (quire_memory_map (race->memory, &info, flags))
        {
          granted++;
          for (gsize i = 0; i < info.size; i++)
            info.data[i]++;
          quire_memory_unmap (race->memory, &info);
          /* Relaxed: it tells that there was a write, and makes nothing of it seen. */
          __atomic_fetch_add (&race->total, 1, __ATOMIC_RELAXED);
        }
      g_thread_yield ();
    }
}

static gpointer
write_plain (Race *race)
{
  write_invariant (race, QUIRE_MAP_WRITE);
  return NULL;
}

static gpointer
write_unique (Race *race)
{
  write_invariant (race, FLAGS (QUIRE_MAP_READWRITE | QUIRE_MAP_UNIQUE));
  return NULL;
}

static void
test_readers_writers (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (RACE_SIZE);
  Race race = { .memory = memory };

  g_test_summary ("No reader ever sees what a writer has half done");

  g_assert_true (quire_memory_fill (memory, 0, -1, 0));
  RACE_RUN (&race, read_invariant, write_plain, read_invariant, write_unique);
  quire_assert_state (memory, "free");
}

static gpointer
look_through_share (Race *race)
{
  for (guint granted = 0; race_go_on (race, granted);)
    {
      g_autoptr (QuireMemory) share = quire_memory_share (race->memory, 8, -1);

      if (share != NULL)
        {
          g_autoptr (QuireMemory) inner = quire_memory_share (share, 8, 64);
          QuireMapInfo info;
          guint8 before;

          granted++;
          /* One more may be refused while a writer tries its luck. */
          g_assert_true (inner == NULL || quire_memory_get_parent (inner) == race->memory);
          g_assert_false (quire_memory_is_writable (race->memory));
          g_assert_true (quire_memory_map (share, &info, QUIRE_MAP_READ));
          check_all_equal (info.data, info.size);
          before = info.data[0];
          g_thread_yield ();
          check_all_equal (info.data, info.size);
          g_assert_cmpuint (info.data[0], ==, before);
          quire_memory_unmap (share, &info);
        }
      g_clear_pointer (&share, quire_memory_unref);
      let_write (race);
    }

  return NULL;
}

static gpointer
look_through_bytes (Race *race)
{
  for (guint granted = 0; race_go_on (race, granted);)
    {
      g_autoptr (GBytes) bytes = quire_memory_to_bytes (race->memory);

      if (bytes != NULL)
        {
          granted++;
          check_all_equal (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
        }
      g_clear_pointer (&bytes, g_bytes_unref);
      let_write (race);
    }

  return NULL;
}

static void
test_shares_writers (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (RACE_SIZE);
  Race race = { .memory = memory };

  g_test_summary ("What a share shows does not change, whoever would like to write");

  g_assert_true (quire_memory_fill (memory, 0, -1, 0));
  RACE_RUN (&race, look_through_share, write_plain, look_through_bytes, write_unique);
  quire_assert_state (memory, "free");
  g_assert_true (quire_memory_is_writable (memory));
}

/* Asks for all kinds in vain. */
static gpointer
ask_in_vain (Race *race)
{
  static const guint kinds[] = {
    QUIRE_MAP_READ,
    QUIRE_MAP_WRITE,
    QUIRE_MAP_READWRITE,
    QUIRE_MAP_READ | QUIRE_MAP_UNIQUE,
    QUIRE_MAP_WRITE | QUIRE_MAP_UNIQUE,
    QUIRE_MAP_READWRITE | QUIRE_MAP_UNIQUE,
    QUIRE_MAP_READWRITE | QUIRE_MAP_EXCLUSIVE,
  };

  for (guint i = 0, asked = 0; race_go_on (race, asked); i++)
    {
      const guint flags = kinds[i % G_N_ELEMENTS (kinds)];

      /* What is granted lawfully is in race->flags. */
      if (flags == race->flags)
        continue;
      g_assert_false (quire_memory_lock (race->memory, FLAGS (flags)));
      asked++;
    }

  return NULL;
}

static gpointer
ask_readwrite_in_vain (Race *race)
{
  for (guint asked = 0; race_go_on (race, asked); asked++)
    g_assert_false (quire_memory_lock (race->memory, QUIRE_MAP_READWRITE));

  return NULL;
}

static gpointer
ask_read_in_vain (Race *race)
{
  for (guint asked = 0; race_go_on (race, asked); asked++)
    g_assert_false (quire_memory_lock (race->memory, QUIRE_MAP_READ));

  return NULL;
}

static gpointer
ask_write_in_vain (Race *race)
{
  for (guint asked = 0; race_go_on (race, asked); asked++)
    g_assert_false (quire_memory_lock (race->memory, QUIRE_MAP_WRITE));

  return NULL;
}

static void
test_refused_grants_nothing (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (RACE_SIZE);
  Race race = { .memory = memory };
  QuireMemory *share;

  g_test_summary ("A request that is refused lets nobody else in, not for an instant");

  g_assert_true (quire_memory_lock (memory, QUIRE_MAP_WRITE));
  RACE_RUN (&race, ask_readwrite_in_vain, ask_read_in_vain);
  race.flags = QUIRE_MAP_WRITE;
  RACE_RUN (&race, ask_in_vain, ask_in_vain, ask_read_in_vain);
  quire_memory_unlock (memory, QUIRE_MAP_WRITE);
  quire_assert_state (memory, "free");

  g_assert_true (quire_memory_lock (memory, QUIRE_MAP_READ));
  RACE_RUN (&race, ask_readwrite_in_vain, ask_write_in_vain);
  race.flags = QUIRE_MAP_READ;
  RACE_RUN (&race, ask_in_vain, ask_in_vain, ask_write_in_vain);
  quire_memory_unlock (memory, QUIRE_MAP_READ);
  quire_assert_state (memory, "free");

  race.flags = QUIRE_MAP_NONE;
  g_assert_true (quire_memory_lock (memory, FLAGS (QUIRE_MAP_READWRITE | QUIRE_MAP_UNIQUE)));
  RACE_RUN (&race, ask_in_vain, ask_in_vain, ask_read_in_vain);
  quire_memory_unlock (memory, FLAGS (QUIRE_MAP_READWRITE | QUIRE_MAP_UNIQUE));
  quire_assert_state (memory, "free");

  share = quire_memory_share (memory, 0, -1);
  RACE_RUN (&race, ask_readwrite_in_vain, ask_write_in_vain, ask_write_in_vain);
  quire_memory_unref (share);
  quire_assert_state (memory, "free");
}

static gpointer
own (Race *race)
{
  for (guint granted = 0; race_go_on (race, granted);)
    {
      if (quire_memory_lock (race->memory, QUIRE_MAP_EXCLUSIVE))
        {
          granted++;
          race_add (&race->held, 1);
          g_thread_yield ();
          race_add (&race->held, -1);
          quire_memory_unlock (race->memory, QUIRE_MAP_EXCLUSIVE);
        }
      g_thread_yield ();
    }

  return NULL;
}

static gpointer
write_among_owners (Race *race)
{
  static const guint kinds[] = { QUIRE_MAP_WRITE, QUIRE_MAP_READWRITE, QUIRE_MAP_WRITE | QUIRE_MAP_UNIQUE };

  for (guint i = 0, granted = 0; race_go_on (race, granted); i++)
    {
      const QuireMapFlags flags = FLAGS (kinds[i % G_N_ELEMENTS (kinds)]);

      if (quire_memory_lock (race->memory, flags))
        {
          granted++;
          g_assert_cmpuint (race_load (&race->held), <=, 1);
          g_thread_yield ();
          g_assert_cmpuint (race_load (&race->held), <=, 1);
          quire_memory_unlock (race->memory, flags);
        }
    }

  return NULL;
}

static void
test_owners (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (RACE_SIZE);
  Race race = { .memory = memory };

  g_test_summary ("Nobody ever writes while two own the block");

  RACE_RUN (&race, own, own, own, write_among_owners);
  quire_assert_state (memory, "free");
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Before there are threads: GLib sets such a number without a lock. */
  quire_memory_error_quark ();

  g_test_add_func ("/threads/both-write", test_both_write);
  g_test_add_func ("/threads/unique", test_unique);
  g_test_add_func ("/threads/readers-writers", test_readers_writers);
  g_test_add_func ("/threads/shares-writers", test_shares_writers);
  g_test_add_func ("/threads/refused-grants-nothing", test_refused_grants_nothing);
  g_test_add_func ("/threads/owners", test_owners);

  return g_test_run ();
}
