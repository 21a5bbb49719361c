/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test.h"

/*
 * Each test runs threads for a moment, and each thread until it has got what it
 * came for at least once. Plain data is written only where a lock of Quire guards
 * it, so that ThreadSanitizer sees what a wrong grant would let through.
 */
#define MOMENT   (150 * G_TIME_SPAN_MILLISECOND)
#define SIZE     4096
#define N_THREADS 4

#define FLAGS(flags) ((QuireMapFlags) (flags))

typedef struct
{
  QuireMemory *memory;
  gint64       deadline;

  /* Atomic. */
  guint        inside;
  guint        held;
  guint        total;
  guint        started;

  /* Guarded by the lock of the block. */
  guint        guarded;

  guint        flags;
  guint        limit;
} Race;

typedef gpointer (*RaceFunc) (Race *race);

static guint
load (guint *counter)
{
  return __atomic_load_n (counter, __ATOMIC_ACQUIRE);
}

static guint
add (guint *counter,
     guint  n)
{
  return __atomic_add_fetch (counter, n, __ATOMIC_ACQ_REL);
}

static gboolean
go_on (Race *race,
       guint granted)
{
  return granted == 0 || g_get_monotonic_time () < race->deadline;
}

static void
run (Race           *race,
     const RaceFunc *funcs,
     gsize           n_funcs)
{
  GThread *threads[8];

  g_assert_cmpuint (n_funcs, <=, G_N_ELEMENTS (threads));
  race->deadline = g_get_monotonic_time () + MOMENT;
  for (gsize i = 0; i < n_funcs; i++)
    threads[i] = g_thread_new ("race", (GThreadFunc) funcs[i], race);
  for (gsize i = 0; i < n_funcs; i++)
    g_thread_join (threads[i]);
}

#define RUN(race, ...) \
  G_STMT_START \
    { \
      const RaceFunc funcs_[] = { __VA_ARGS__ }; \
 \
      run (race, funcs_, G_N_ELEMENTS (funcs_)); \
    } \
  G_STMT_END

static gpointer
write_with_another (Race *race)
{
  QuireMapInfo info;

  while (!quire_memory_map (race->memory, &info, QUIRE_MAP_WRITE))
    g_thread_yield ();

  /* Nobody unmaps before both are here. */
  memset (info.data + (add (&race->inside, 1) - 1) * SIZE / 2, 0x5a, SIZE / 2);
  while (load (&race->inside) < 2)
    g_thread_yield ();
  quire_memory_unmap (race->memory, &info);

  return NULL;
}

static void
test_both_write (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (SIZE);
  Race race = { .memory = memory };

  g_test_summary ("Two threads both hold a WRITE map at the same time");

  RUN (&race, write_with_another, write_with_another);
  quire_assert_state (memory, "free");
}

/* Every kind of UNIQUE: whoever is in is alone. */
static gpointer
be_unique (Race *race)
{
  static const guint kinds[] = {
    QUIRE_MAP_WRITE, QUIRE_MAP_READWRITE, QUIRE_MAP_READ, QUIRE_MAP_WRITE | QUIRE_MAP_EXCLUSIVE
  };

  for (guint i = 0, granted = 0; go_on (race, granted); i++)
    {
      const QuireMapFlags flags = FLAGS (kinds[i % G_N_ELEMENTS (kinds)] | QUIRE_MAP_UNIQUE);

      if (!quire_memory_lock (race->memory, flags))
        {
          g_thread_yield ();
          continue;
        }
      granted++;
      g_assert_cmpuint (add (&race->inside, 1), ==, 1);
      race->guarded++;
      g_assert_cmpuint (add (&race->inside, -1), ==, 0);
      quire_memory_unlock (race->memory, flags);
      add (&race->total, 1);
    }

  return NULL;
}

static gpointer
be_plain (Race *race)
{
  static const guint kinds[] = { QUIRE_MAP_WRITE, QUIRE_MAP_READ, QUIRE_MAP_READWRITE };

  for (guint i = 0, granted = 0; go_on (race, granted); i++)
    {
      const QuireMapFlags flags = FLAGS (kinds[i % G_N_ELEMENTS (kinds)]);

      if (quire_memory_lock (race->memory, flags))
        {
          granted++;
          g_assert_cmpuint (load (&race->inside), ==, 0);
          quire_memory_unlock (race->memory, flags);
        }
      g_thread_yield ();
    }

  return NULL;
}

static void
test_unique (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (SIZE);
  Race race = { .memory = memory };

  g_test_summary ("Of all who ask for UNIQUE one is in at a time, and nobody else of any kind");

  RUN (&race, be_unique, be_unique, be_unique, be_plain);
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

static gpointer
read_invariant (Race *race)
{
  for (guint granted = 0; go_on (race, granted);)
    {
      QuireMapInfo info;

      if (quire_memory_map (race->memory, &info, QUIRE_MAP_READ))
        {
          granted++;
          check_all_equal (info.data, info.size);
          quire_memory_unmap (race->memory, &info);
        }
      g_thread_yield ();
    }

  return NULL;
}

static void
write_invariant (Race         *race,
                 QuireMapFlags flags)
{
  for (guint granted = 0; go_on (race, granted);)
    {
      QuireMapInfo info;

      if (quire_memory_map (race->memory, &info, flags))
        {
          granted++;
          for (gsize i = 0; i < info.size; i++)
            info.data[i] = (guint8) granted;
          quire_memory_unmap (race->memory, &info);
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
  g_autoptr (QuireMemory) memory = quire_memory_new (SIZE);
  Race race = { .memory = memory };

  g_test_summary ("No reader ever sees what a writer has half done");

  g_assert_true (quire_memory_fill (memory, 0, -1, 0));
  RUN (&race, read_invariant, write_plain, read_invariant, write_unique);
  quire_assert_state (memory, "free");
}

static gpointer
look_through_share (Race *race)
{
  for (guint granted = 0; go_on (race, granted);)
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
      g_thread_yield ();
    }

  return NULL;
}

static gpointer
look_through_bytes (Race *race)
{
  for (guint granted = 0; go_on (race, granted);)
    {
      g_autoptr (GBytes) bytes = quire_memory_to_bytes (race->memory);

      if (bytes != NULL)
        {
          granted++;
          check_all_equal (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
        }
      g_thread_yield ();
    }

  return NULL;
}

static void
test_shares_writers (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (SIZE);
  Race race = { .memory = memory };

  g_test_summary ("What a share shows does not change, whoever would like to write");

  g_assert_true (quire_memory_fill (memory, 0, -1, 0));
  RUN (&race, look_through_share, write_plain, look_through_bytes, write_unique);
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

  for (guint i = 0, asked = 0; go_on (race, asked); i++)
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
  for (guint asked = 0; go_on (race, asked); asked++)
    g_assert_false (quire_memory_lock (race->memory, QUIRE_MAP_READWRITE));

  return NULL;
}

static gpointer
ask_read_in_vain (Race *race)
{
  for (guint asked = 0; go_on (race, asked); asked++)
    g_assert_false (quire_memory_lock (race->memory, QUIRE_MAP_READ));

  return NULL;
}

static gpointer
ask_write_in_vain (Race *race)
{
  for (guint asked = 0; go_on (race, asked); asked++)
    g_assert_false (quire_memory_lock (race->memory, QUIRE_MAP_WRITE));

  return NULL;
}

static void
test_refused_grants_nothing (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (SIZE);
  Race race = { .memory = memory };
  QuireMemory *share;

  g_test_summary ("A request that is refused lets nobody else in, not for an instant");

  g_assert_true (quire_memory_lock (memory, QUIRE_MAP_WRITE));
  RUN (&race, ask_readwrite_in_vain, ask_read_in_vain);
  race.flags = QUIRE_MAP_WRITE;
  RUN (&race, ask_in_vain, ask_in_vain, ask_read_in_vain);
  quire_memory_unlock (memory, QUIRE_MAP_WRITE);
  quire_assert_state (memory, "free");

  g_assert_true (quire_memory_lock (memory, QUIRE_MAP_READ));
  RUN (&race, ask_readwrite_in_vain, ask_write_in_vain);
  race.flags = QUIRE_MAP_READ;
  RUN (&race, ask_in_vain, ask_in_vain, ask_write_in_vain);
  quire_memory_unlock (memory, QUIRE_MAP_READ);
  quire_assert_state (memory, "free");

  race.flags = QUIRE_MAP_NONE;
  g_assert_true (quire_memory_lock (memory, FLAGS (QUIRE_MAP_READWRITE | QUIRE_MAP_UNIQUE)));
  RUN (&race, ask_in_vain, ask_in_vain, ask_read_in_vain);
  quire_memory_unlock (memory, FLAGS (QUIRE_MAP_READWRITE | QUIRE_MAP_UNIQUE));
  quire_assert_state (memory, "free");

  share = quire_memory_share (memory, 0, -1);
  RUN (&race, ask_readwrite_in_vain, ask_write_in_vain, ask_write_in_vain);
  quire_memory_unref (share);
  quire_assert_state (memory, "free");
}

static gpointer
own (Race *race)
{
  for (guint granted = 0; go_on (race, granted);)
    {
      if (quire_memory_lock (race->memory, QUIRE_MAP_EXCLUSIVE))
        {
          granted++;
          add (&race->held, 1);
          g_thread_yield ();
          add (&race->held, -1);
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

  for (guint i = 0, granted = 0; go_on (race, granted); i++)
    {
      const QuireMapFlags flags = FLAGS (kinds[i % G_N_ELEMENTS (kinds)]);

      if (quire_memory_lock (race->memory, flags))
        {
          granted++;
          g_assert_cmpuint (load (&race->held), <=, 1);
          g_thread_yield ();
          g_assert_cmpuint (load (&race->held), <=, 1);
          quire_memory_unlock (race->memory, flags);
        }
    }

  return NULL;
}

static void
test_owners (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (SIZE);
  Race race = { .memory = memory };

  g_test_summary ("Nobody ever writes while two own the block");

  RUN (&race, own, own, own, write_among_owners);
  quire_assert_state (memory, "free");
}

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
          g_assert_cmpuint (add (&race->held, 1), <=, race->limit);
        }
      else
        {
          refused++;
          if (taken > 0)
            {
              add (&race->held, -1);
              quire_memory_unlock (race->memory, flags);
              taken--;
            }
          g_thread_yield ();
        }
    }

  add (&race->total, 1);
  while (load (&race->total) < N_THREADS)
    g_thread_yield ();

  for (; taken > 0; taken--)
    {
      add (&race->held, -1);
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
  g_autoptr (QuireMemory) memory = quire_memory_new (SIZE);

  g_test_summary ("No crowd gets a count over its limit, and nothing of it stays");

  for (gsize i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      Race race = { .memory = memory, .flags = limits[i].flags, .limit = limits[i].limit };

      RUN (&race, take_all, take_all, take_all, take_all);
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
  for (guint i = 0; go_on (race, i); i++)
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
  while (load (&race->started) == 0)
    ;
  quire_memory_unref (race->memory);

  return NULL;
}

static void
test_references (void)
{
  Race race = { .memory = quire_memory_new (SIZE) };
  guint dead = 0;

  g_test_summary ("References come and go on all threads, and the block dies once");

  quire_memory_weak_ref (race.memory, quire_test_count_weak, &dead);
  for (guint i = 0; i < N_THREADS; i++)
    quire_memory_ref (race.memory);
  quire_memory_unref (race.memory);
  RUN (&race, storm, storm, storm, storm);
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
      add (&race.started, 1);
      quire_memory_unref (race.memory);
      g_thread_join (thread);
      g_assert_cmpuint (gone, ==, 1);
    }
}

static gpointer
compete (Race *race)
{
  for (guint i = 0; go_on (race, i); i++)
    {
      QuireMemory *mine = quire_memory_new (8);

      quire_memory_weak_ref (mine, quire_test_count_weak, &race->total);
      add (&race->started, 1);
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

  RUN (&race, compete, compete, compete);
  quire_memory_replace (&race.memory, NULL);
  g_assert_cmpuint (race.started, ==, race.total);
}

static gpointer
share_storm (Race *race)
{
  for (guint i = 0; go_on (race, i); i++)
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
  Race race = { .memory = quire_memory_new (SIZE) };

  g_test_summary ("Shares are counted right on all threads, and the last one lets the root go");

  quire_memory_weak_ref (race.memory, quire_test_count_weak, &dead);
  for (guint i = 0; i < N_THREADS - 1; i++)
    quire_memory_ref (race.memory);
  quire_memory_ref (race.memory);
  RUN (&race, share_storm, share_storm, share_storm, share_storm);
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

  g_test_add_func ("/threads/both-write", test_both_write);
  g_test_add_func ("/threads/unique", test_unique);
  g_test_add_func ("/threads/readers-writers", test_readers_writers);
  g_test_add_func ("/threads/shares-writers", test_shares_writers);
  g_test_add_func ("/threads/refused-grants-nothing", test_refused_grants_nothing);
  g_test_add_func ("/threads/owners", test_owners);
  g_test_add_func ("/threads/limits", test_limits);
  g_test_add_func ("/threads/references", test_references);
  g_test_add_func ("/threads/place", test_place);
  g_test_add_func ("/threads/shares", test_shares);

  return g_test_run ();
}
