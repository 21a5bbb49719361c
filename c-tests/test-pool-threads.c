/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test-threads.h"

/*
 * Threads that take blocks of one pool. Each writes plain data to what it got: if two get
 * the same block, ThreadSanitizer sees it, and so does who looks at the data again.
 */
#define SIZE   64
#define MOMENT (300 * G_TIME_SPAN_MILLISECOND)

typedef struct
{
  QuirePoolAllocator *pool;
  gint64              deadline;
  guint               max_blocks;
  gint64              max_wait;

  /* Atomic. */
  guint               out;
  guint               got;
  guint               refused;
  guint               done;
} PoolRace;

/* Writes a block that is ours alone, and gives it back. */
static void
use_block (PoolRace    *race,
           QuireMemory *memory,
           guint        mark)
{
  QuireMapInfo info;
  guint *words;

  if (race->max_blocks != 0)
    g_assert_cmpuint (race_add (&race->out, 1), <=, race->max_blocks);
  race_add (&race->got, 1);

  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READWRITE | QUIRE_MAP_UNIQUE));
  words = (guint *) (gpointer) info.data;
  for (guint i = 0; i < SIZE / sizeof (guint); i++)
    words[i] = mark;
  if (mark % 16 == 0)
    g_thread_yield ();
  for (guint i = 0; i < SIZE / sizeof (guint); i++)
    g_assert_cmpuint (words[i], ==, mark);
  quire_memory_unmap (memory, &info);

  if (race->max_blocks != 0)
    race_add (&race->out, G_MAXUINT);
  quire_memory_unref (memory);
}

static gboolean
go_on (PoolRace *race)
{
  return g_get_monotonic_time () < race->deadline;
}

static gpointer
take_blocks (gpointer data)
{
  PoolRace *race = data;
  const guint id = race_add (&race->done, 1) << 20;
  guint i = 0;

  do
    {
      g_autoptr (GError) error = NULL;
      QuireMemory *memory = quire_pool_allocator_try_acquire (race->pool, race->max_wait, NULL, &error);

      if (memory != NULL)
        {
          use_block (race, memory, id + i++);
        }
      else
        {
          g_assert_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_BUSY);
          race_add (&race->refused, 1);
        }
    }
  while (go_on (race));

  return NULL;
}

/* Takes some, and gives them back in another order. */
static gpointer
take_several (gpointer data)
{
  PoolRace *race = data;

  for (guint i = 0; go_on (race); i++)
    {
      QuireMemory *blocks[3];

      for (guint k = 0; k < G_N_ELEMENTS (blocks); k++)
        {
          blocks[k] = quire_allocator_alloc (QUIRE_ALLOCATOR (race->pool), SIZE - k, NULL);
          g_assert_nonnull (blocks[k]);
          g_assert_true (quire_memory_fill (blocks[k], 0, -1, (guint8) k));
        }
      for (guint k = 0; k < G_N_ELEMENTS (blocks); k++)
        {
          const guint which = (k + i) % G_N_ELEMENTS (blocks);
          guint8 value;

          g_assert_true (quire_memory_read (blocks[which], 5, &value, 1));
          g_assert_cmpuint (value, ==, which);
          quire_memory_unref (blocks[which]);
        }
      race_add (&race->got, 3);
    }

  return NULL;
}

static gpointer
trim (gpointer data)
{
  PoolRace *race = data;

  while (go_on (race))
    {
      quire_pool_allocator_trim (race->pool, 1);
      g_thread_yield ();
      quire_pool_allocator_flush (race->pool);
      g_thread_yield ();
      if (race->max_blocks != 0)
        g_assert_true (quire_pool_allocator_prealloc (race->pool, race->max_blocks - 1));
    }

  return NULL;
}

static gpointer
look (gpointer data)
{
  PoolRace *race = data;
  QuirePoolStats before = { 0, };

  while (go_on (race))
    {
      QuirePoolStats stats;

      quire_pool_allocator_get_stats (race->pool, &stats);
      g_assert_cmpuint (stats.n_free, <=, stats.n_blocks);
      g_assert_cmpuint (stats.n_out, ==, stats.n_blocks - stats.n_free);
      g_assert_cmpuint (stats.max_out, >=, stats.n_out);
      g_assert_cmpuint (stats.n_made, >=, before.n_made);
      g_assert_cmpuint (stats.max_out, >=, before.max_out);
      g_assert_cmpuint (stats.n_recycled + 1, >=, before.n_recycled);
      if (race->max_blocks != 0)
        {
          g_assert_cmpuint (stats.n_blocks, <=, race->max_blocks);
          g_assert_cmpuint (stats.max_out, <=, race->max_blocks);
        }
      before = stats;
      g_thread_yield ();
    }

  return NULL;
}

static void
run (PoolRace          *race,
     const GThreadFunc *funcs,
     gsize              n_funcs)
{
  GThread *threads[8];

  race->deadline = g_get_monotonic_time () + MOMENT;
  for (gsize i = 0; i < n_funcs; i++)
    threads[i] = g_thread_new ("race", funcs[i], race);
  for (gsize i = 0; i < n_funcs; i++)
    g_thread_join (threads[i]);
}

/* All blocks have come back, and each of them can be had. */
static void
check_whole (PoolRace *race)
{
  QuireMemory *blocks[8];
  QuirePoolStats stats;

  quire_pool_allocator_get_stats (race->pool, &stats);
  g_assert_cmpuint (stats.n_out, ==, 0);
  g_assert_cmpuint (stats.n_free, ==, stats.n_blocks);
  g_assert_cmpuint (stats.n_waiting, ==, 0);
  g_assert_cmpuint (race->got, >, 0);
  if (race->max_blocks == 0)
    return;

  for (guint i = 0; i < race->max_blocks; i++)
    {
      blocks[i] = quire_pool_allocator_acquire (race->pool, 0, NULL);
      g_assert_nonnull (blocks[i]);
    }
  quire_assert_refused (quire_pool_allocator_try_acquire (race->pool, 0, NULL, &error), BUSY);
  for (guint i = 0; i < race->max_blocks; i++)
    quire_memory_unref (blocks[i]);
}

static void
test_fail (void)
{
  static const GThreadFunc funcs[] = { take_blocks, take_blocks, take_blocks, take_blocks, trim, look };
  g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (NULL, SIZE, NULL, 3);
  PoolRace race = { .pool = pool, .max_blocks = 3 };

  g_test_summary ("Threads that are refused what is not there never get what another one has");

  run (&race, funcs, G_N_ELEMENTS (funcs));
  check_whole (&race);
}

static void
test_wait (void)
{
  static const GThreadFunc funcs[] = { take_blocks, take_blocks, take_blocks, take_blocks, trim, look };
  g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (NULL, SIZE, NULL, 2);
  PoolRace race = { .pool = pool, .max_blocks = 2, .max_wait = -1 };

  g_test_summary ("Threads that wait all get a block in the end, trimmed or not");

  run (&race, funcs, G_N_ELEMENTS (funcs));
  g_assert_cmpuint (race.refused, ==, 0);
  check_whole (&race);
}

static void
test_one (void)
{
  static const GThreadFunc funcs[] = { take_blocks, take_blocks, take_blocks, take_blocks };
  g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (NULL, SIZE, NULL, 1);
  PoolRace race = { .pool = pool, .max_blocks = 1, .max_wait = -1 };

  g_test_summary ("One block goes from hand to hand, and no wake-up is lost");

  run (&race, funcs, G_N_ELEMENTS (funcs));
  g_assert_cmpuint (race.refused, ==, 0);
  check_whole (&race);
}

static void
test_wait_a_little (void)
{
  static const GThreadFunc funcs[] = { take_blocks, take_blocks, take_blocks, take_blocks, trim };
  g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (NULL, SIZE, NULL, 2);
  PoolRace race = { .pool = pool, .max_blocks = 2, .max_wait = 5 };

  g_test_summary ("Nor is one lost with who has waited enough");

  run (&race, funcs, G_N_ELEMENTS (funcs));
  check_whole (&race);
}

static void
test_unbounded (void)
{
  static const GThreadFunc funcs[] = { take_several, take_several, take_several, take_several, trim, look };
  g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (NULL, SIZE, NULL, 0);
  PoolRace race = { .pool = pool };

  g_test_summary ("The order in which blocks come back does not matter");

  run (&race, funcs, G_N_ELEMENTS (funcs));
  check_whole (&race);
}

static gpointer
take_until_closed (gpointer data)
{
  PoolRace *race = data;

  while (TRUE)
    {
      g_autoptr (GError) error = NULL;
      QuireMemory *memory = quire_pool_allocator_try_acquire (race->pool, -1, NULL, &error);

      if (memory == NULL)
        {
          quire_test_check_error (G_STRLOC, error, QUIRE_MEMORY_ERROR_CLOSED, NULL);
          return NULL;
        }
      use_block (race, memory, race_add (&race->done, 1));
    }
}

static void
test_close_races (void)
{
  const gint64 deadline = g_get_monotonic_time () + MOMENT;

  g_test_summary ("A pool may be closed while threads are busy with it, and then has no block any more");

  do
    {
      g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (NULL, SIZE, NULL, 3);
      PoolRace race = { .pool = pool };
      GThread *threads[RACE_N_THREADS];
      QuirePoolStats stats;

      for (guint i = 0; i < RACE_N_THREADS; i++)
        threads[i] = g_thread_new ("take", take_until_closed, &race);
      while (race_load (&race.got) < 10)
        g_thread_yield ();
      quire_pool_allocator_close (pool);
      for (guint i = 0; i < RACE_N_THREADS; i++)
        g_thread_join (threads[i]);
      quire_pool_allocator_get_stats (pool, &stats);
      g_assert_cmpuint (stats.n_blocks, ==, 0);
      g_assert_cmpuint (stats.n_free, ==, 0);
    }
  while (g_get_monotonic_time () < deadline);
}

/* An allocator that fails every other time. */
typedef struct
{
  QuireAllocator parent_instance;
  guint          asked;
} MoodyAllocator;

typedef QuireAllocatorClass MoodyAllocatorClass;

static GType moody_allocator_get_type (void);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MoodyAllocator, g_object_unref)
G_DEFINE_FINAL_TYPE (MoodyAllocator, moody_allocator, QUIRE_TYPE_ALLOCATOR)

static QuireMemory *
moody_allocator_alloc (QuireAllocator              *allocator,
                       gsize                        size,
                       const QuireAllocationParams *params,
                       GError                     **error)
{
  if (race_add (&((MoodyAllocator *) allocator)->asked, 1) % 2 == 0)
    return quire_memory_try_new (size, error);

  g_set_error_literal (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_BUSY, "Not in the mood");
  return NULL;
}

static void
moody_allocator_free (QuireAllocator *allocator,
                      QuireMemory    *memory)
{
  g_assert_not_reached ();
}

static void
moody_allocator_class_init (MoodyAllocatorClass *klass)
{
  klass->alloc = moody_allocator_alloc;
  klass->free = moody_allocator_free;
}

static void
moody_allocator_init (MoodyAllocator *self)
{
}

static void
test_below_fails (void)
{
  static const GThreadFunc funcs[] = { take_blocks, take_blocks, take_blocks, take_blocks };
  g_autoptr (MoodyAllocator) moody = g_object_new (moody_allocator_get_type (), NULL);
  g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (QUIRE_ALLOCATOR (moody), SIZE, NULL, 1);
  PoolRace race = { .pool = pool, .max_wait = -1 };
  const gint64 deadline = g_get_monotonic_time () + MOMENT;
  QuirePoolStats stats;

  g_test_summary ("A block that could not be made is no block that the others wait for in vain");

  do
    {
      GThread *threads[RACE_N_THREADS];

      quire_pool_allocator_flush (pool);
      race.deadline = g_get_monotonic_time () + 1000;
      for (guint i = 0; i < RACE_N_THREADS; i++)
        threads[i] = g_thread_new ("take", funcs[i], &race);
      for (guint i = 0; i < RACE_N_THREADS; i++)
        g_thread_join (threads[i]);
    }
  while (g_get_monotonic_time () < deadline);

  quire_pool_allocator_get_stats (pool, &stats);
  g_assert_cmpuint (stats.n_out, ==, 0);
  g_assert_cmpuint (race.refused, >, 0);
  g_assert_cmpuint (race.got, >, 0);
}

int
main (int    argc,
      char **argv)
{
  g_autoptr (GError) first = NULL;

  g_test_init (&argc, &argv, NULL);

  /* What GLib sets up for the first error, it does under locks that the thread sanitizer
   * does not see. */
  g_set_error_literal (&first, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED, "");

  g_test_add_func ("/pool-threads/fail", test_fail);
  g_test_add_func ("/pool-threads/wait", test_wait);
  g_test_add_func ("/pool-threads/one", test_one);
  g_test_add_func ("/pool-threads/wait-a-little", test_wait_a_little);
  g_test_add_func ("/pool-threads/unbounded", test_unbounded);
  g_test_add_func ("/pool-threads/close-races", test_close_races);
  g_test_add_func ("/pool-threads/below-fails", test_below_fails);

  return g_test_run ();
}
