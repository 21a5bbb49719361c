/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test.h"

/*
 * Threads that take blocks of one pool. Each writes plain data to what it got: if two get
 * the same block, ThreadSanitizer sees it, and so does who looks at the data again.
 */
#define SIZE      64
#define MOMENT    (300 * G_TIME_SPAN_MILLISECOND)
#define N_THREADS 4

typedef struct
{
  QuirePoolAllocator *pool;
  gint64              deadline;
  guint               max_blocks;
  gint64              max_wait;
  GCancellable       *cancellable;

  /* Atomic. */
  guint               out;
  guint               got;
  guint               refused;
  guint               done;
} Race;

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

/* Waits until so many threads wait. */
static void
await_waiting (QuirePoolAllocator *pool,
               guint               n_waiting)
{
  QuirePoolStats stats;

  do
    {
      g_thread_yield ();
      quire_pool_allocator_get_stats (pool, &stats);
    }
  while (stats.n_waiting != n_waiting);
}

/* Writes a block that is ours alone, and gives it back. */
static void
use_block (Race        *race,
           QuireMemory *memory,
           guint        mark)
{
  QuireMapInfo info;
  guint *words;

  if (race->max_blocks != 0)
    g_assert_cmpuint (add (&race->out, 1), <=, race->max_blocks);
  add (&race->got, 1);

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
    add (&race->out, G_MAXUINT);
  quire_memory_unref (memory);
}

static gboolean
go_on (Race *race)
{
  return g_get_monotonic_time () < race->deadline;
}

static gpointer
take_blocks (gpointer data)
{
  Race *race = data;
  const guint id = add (&race->done, 1) << 20;
  guint i = 0;

  do
    {
      g_autoptr (GError) error = NULL;
      QuireMemory *memory = quire_pool_allocator_try_acquire (race->pool, race->max_wait, race->cancellable, &error);

      if (memory != NULL)
        {
          use_block (race, memory, id + i++);
        }
      else
        {
          g_assert_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_BUSY);
          add (&race->refused, 1);
        }
    }
  while (go_on (race));

  return NULL;
}

/* Takes some, and gives them back in another order. */
static gpointer
take_several (gpointer data)
{
  Race *race = data;

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
      add (&race->got, 3);
    }

  return NULL;
}

static gpointer
trim (gpointer data)
{
  Race *race = data;

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
  Race *race = data;
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
run (Race              *race,
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
check_whole (Race *race)
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
  Race race = { .pool = pool, .max_blocks = 3 };

  g_test_summary ("Threads that are refused what is not there never get what another one has");

  run (&race, funcs, G_N_ELEMENTS (funcs));
  check_whole (&race);
}

static void
test_wait (void)
{
  static const GThreadFunc funcs[] = { take_blocks, take_blocks, take_blocks, take_blocks, trim, look };
  g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (NULL, SIZE, NULL, 2);
  Race race = { .pool = pool, .max_blocks = 2, .max_wait = -1 };

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
  Race race = { .pool = pool, .max_blocks = 1, .max_wait = -1 };

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
  Race race = { .pool = pool, .max_blocks = 2, .max_wait = 5 };

  g_test_summary ("Nor is one lost with who has waited enough");

  run (&race, funcs, G_N_ELEMENTS (funcs));
  check_whole (&race);
}

static void
test_unbounded (void)
{
  static const GThreadFunc funcs[] = { take_several, take_several, take_several, take_several, trim, look };
  g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (NULL, SIZE, NULL, 0);
  Race race = { .pool = pool };

  g_test_summary ("The order in which blocks come back does not matter");

  run (&race, funcs, G_N_ELEMENTS (funcs));
  check_whole (&race);
}

static gpointer
get_one (gpointer data)
{
  Race *race = data;
  g_autoptr (GError) error = NULL;
  QuireMemory *memory = quire_pool_allocator_try_acquire (race->pool, race->max_wait, race->cancellable, &error);

  if (memory == NULL)
    return g_steal_pointer (&error);

  add (&race->got, 1);
  quire_memory_unref (memory);
  return NULL;
}

static void
test_timeout (void)
{
  g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (NULL, SIZE, NULL, 1);
  g_autoptr (QuireMemory) memory = quire_pool_allocator_acquire (pool, 0, NULL);
  const gint64 start = g_get_monotonic_time ();

  g_test_summary ("Who waits does so as long as he said, and the error says how long that was");

  g_assert_nonnull (memory);
  quire_assert_refused (quire_pool_allocator_try_acquire (pool, 30000, NULL, &error),
                        BUSY, "1 blocks of 64 bytes", "30000");
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 30000);

  quire_pool_allocator_set_max_wait (pool, 20000);
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (pool), 1, NULL, &error), BUSY, "20000");
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 50000);
  quire_pool_allocator_set_max_wait (pool, 0);
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (pool), 1, NULL, &error), BUSY);
}

static void
test_handed_on (void)
{
  static const gint64 waits[] = { -1, G_MAXINT64, 3600 * G_TIME_SPAN_SECOND };

  g_test_summary ("A block that comes back wakes who waits for it, however long he would have");

  for (gsize i = 0; i < G_N_ELEMENTS (waits); i++)
    {
      g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (NULL, SIZE, NULL, 1);
      QuireMemory *memory = quire_pool_allocator_acquire (pool, 0, NULL);
      Race race = { .pool = pool, .max_wait = waits[i] };
      GThread *threads[2];

      for (guint k = 0; k < G_N_ELEMENTS (threads); k++)
        threads[k] = g_thread_new ("get", get_one, &race);
      await_waiting (pool, 2);
      quire_memory_unref (memory);
      for (guint k = 0; k < G_N_ELEMENTS (threads); k++)
        g_assert_null (g_thread_join (threads[k]));
      g_assert_cmpuint (race.got, ==, 2);
    }
}

static void
test_cancel (void)
{
  g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (NULL, SIZE, NULL, 1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  QuireMemory *memory = quire_pool_allocator_acquire (pool, 0, NULL);
  Race cancelled = { .pool = pool, .max_wait = -1, .cancellable = cancellable };
  Race patient = { .pool = pool, .max_wait = -1 };
  GThread *first = g_thread_new ("cancelled", get_one, &cancelled);
  GThread *second = g_thread_new ("patient", get_one, &patient);
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) at_once = NULL;

  g_test_summary ("A wait can be cancelled, and the others wait on");

  await_waiting (pool, 2);
  g_cancellable_cancel (cancellable);
  error = g_thread_join (first);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_nonnull (strstr (error->message, "1 blocks of 64 bytes"));
  await_waiting (pool, 1);
  g_assert_cmpuint (load (&patient.got), ==, 0);
  quire_memory_unref (memory);
  g_assert_null (g_thread_join (second));
  g_assert_cmpuint (patient.got, ==, 1);

  /* One that was cancelled before gets nothing, though there is a block. */
  g_assert_null (quire_pool_allocator_try_acquire (pool, -1, cancellable, &at_once));
  g_assert_error (at_once, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_cancel_races (void)
{
  const gint64 deadline = g_get_monotonic_time () + MOMENT;

  g_test_summary ("A block that comes back to one who is just being cancelled goes to the next");

  do
    {
      g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (NULL, SIZE, NULL, 1);
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      QuireMemory *memory = quire_pool_allocator_acquire (pool, 0, NULL);
      Race cancelled = { .pool = pool, .max_wait = -1, .cancellable = cancellable };
      Race patient = { .pool = pool, .max_wait = -1 };
      GThread *first = g_thread_new ("cancelled", get_one, &cancelled);
      GThread *second = g_thread_new ("patient", get_one, &patient);
      GError *error;

      await_waiting (pool, 2);
      quire_memory_unref (memory);
      g_cancellable_cancel (cancellable);
      g_assert_null (g_thread_join (second));
      error = g_thread_join (first);
      if (error != NULL)
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_clear_error (&error);
      g_assert_cmpuint (patient.got, ==, 1);
    }
  while (g_get_monotonic_time () < deadline);
}

static void
test_close (void)
{
  g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (NULL, SIZE, NULL, 1);
  g_autoptr (QuireMemory) memory = quire_pool_allocator_acquire (pool, 0, NULL);
  Race race = { .pool = pool, .max_wait = -1 };
  GThread *threads[N_THREADS];

  g_test_summary ("Who waits for a block of a pool that is closed is told so");

  g_assert_nonnull (memory);
  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("get", get_one, &race);
  await_waiting (pool, N_THREADS);
  quire_pool_allocator_close (pool);
  for (guint i = 0; i < N_THREADS; i++)
    {
      g_autoptr (GError) error = g_thread_join (threads[i]);

      quire_test_check_error (G_STRLOC, error, QUIRE_MEMORY_ERROR_CLOSED, NULL);
    }
}

static gpointer
take_until_closed (gpointer data)
{
  Race *race = data;

  while (TRUE)
    {
      g_autoptr (GError) error = NULL;
      QuireMemory *memory = quire_pool_allocator_try_acquire (race->pool, -1, NULL, &error);

      if (memory == NULL)
        {
          quire_test_check_error (G_STRLOC, error, QUIRE_MEMORY_ERROR_CLOSED, NULL);
          return NULL;
        }
      use_block (race, memory, add (&race->done, 1));
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
      Race race = { .pool = pool };
      GThread *threads[N_THREADS];
      QuirePoolStats stats;

      for (guint i = 0; i < N_THREADS; i++)
        threads[i] = g_thread_new ("take", take_until_closed, &race);
      while (load (&race.got) < 10)
        g_thread_yield ();
      quire_pool_allocator_close (pool);
      for (guint i = 0; i < N_THREADS; i++)
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
  if (add (&((MoodyAllocator *) allocator)->asked, 1) % 2 == 0)
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
  Race race = { .pool = pool, .max_wait = -1 };
  const gint64 deadline = g_get_monotonic_time () + MOMENT;
  QuirePoolStats stats;

  g_test_summary ("A block that could not be made is no block that the others wait for in vain");

  do
    {
      GThread *threads[N_THREADS];

      quire_pool_allocator_flush (pool);
      race.deadline = g_get_monotonic_time () + 1000;
      for (guint i = 0; i < N_THREADS; i++)
        threads[i] = g_thread_new ("take", funcs[i], &race);
      for (guint i = 0; i < N_THREADS; i++)
        g_thread_join (threads[i]);
    }
  while (g_get_monotonic_time () < deadline);

  quire_pool_allocator_get_stats (pool, &stats);
  g_assert_cmpuint (stats.n_out, ==, 0);
  g_assert_cmpuint (race.refused, >, 0);
  g_assert_cmpuint (race.got, >, 0);
}

/* An allocator whose threads stop at a gate, on their way to a new block or with an old
 * one. */
typedef struct
{
  QuireAllocator parent_instance;

  /* Atomic. */
  guint          stops;
  guint          at_gate;
  guint          open;
  guint          fails;
} GateAllocator;

typedef QuireAllocatorClass GateAllocatorClass;

typedef struct
{
  QuireMemory memory;
  guint8      data[SIZE];
} GateMemory;

static GType gate_allocator_get_type (void);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GateAllocator, g_object_unref)
G_DEFINE_FINAL_TYPE (GateAllocator, gate_allocator, QUIRE_TYPE_ALLOCATOR)

static void
pass_gate (GateAllocator *self)
{
  if (load (&self->stops) == 0)
    return;

  add (&self->at_gate, 1);
  while (load (&self->open) == 0)
    g_thread_yield ();
}

static QuireMemory *
gate_allocator_alloc (QuireAllocator              *allocator,
                      gsize                        size,
                      const QuireAllocationParams *params,
                      GError                     **error)
{
  GateAllocator *self = (GateAllocator *) allocator;
  const guint fails = load (&self->fails);
  GateMemory *gate;

  pass_gate (self);
  if (fails != 0)
    {
      __atomic_store_n (&self->fails, 0, __ATOMIC_RELEASE);
      return NULL;
    }

  gate = g_new (GateMemory, 1);
  quire_memory_init (&gate->memory, params->flags, allocator, NULL, size, 0, 0, size);
  return &gate->memory;
}

static void
gate_allocator_free (QuireAllocator *allocator,
                     QuireMemory    *memory)
{
  pass_gate ((GateAllocator *) allocator);
  g_free (memory);
}

static gpointer
gate_allocator_map (QuireMemory  *memory,
                    gsize         maxsize,
                    QuireMapFlags flags)
{
  return ((GateMemory *) memory)->data;
}

static void
gate_allocator_class_init (GateAllocatorClass *klass)
{
  klass->alloc = gate_allocator_alloc;
  klass->free = gate_allocator_free;
  klass->mem_map = gate_allocator_map;
}

static void
gate_allocator_init (GateAllocator *self)
{
}

static gpointer
flush_all (gpointer data)
{
  quire_pool_allocator_flush (((Race *) data)->pool);
  return NULL;
}

static void
test_room_again (void)
{
  g_test_summary ("Who waits is woken too when there is room for a block that is not there");

  for (guint fails = 0; fails < 2; fails++)
    {
      g_autoptr (GateAllocator) gate = g_object_new (gate_allocator_get_type (), NULL);
      g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (QUIRE_ALLOCATOR (gate), SIZE, NULL, 1);
      Race race = { .pool = pool, .max_wait = -1 };
      GThread *busy, *waiting;
      g_autoptr (GError) failure = NULL;

      /* One thread has the only block, on its way from nowhere or to nowhere. */
      gate->fails = fails;
      if (!fails)
        g_assert_true (quire_pool_allocator_prealloc (pool, 1));
      __atomic_store_n (&gate->stops, 1, __ATOMIC_RELEASE);
      busy = g_thread_new ("busy", fails ? get_one : flush_all, &race);
      while (load (&gate->at_gate) == 0)
        g_thread_yield ();

      waiting = g_thread_new ("waiting", get_one, &race);
      await_waiting (pool, 1);
      quire_assert_refused (quire_pool_allocator_try_acquire (pool, 0, NULL, &error), BUSY);
      __atomic_store_n (&gate->open, 1, __ATOMIC_RELEASE);

      failure = g_thread_join (busy);
      if (fails)
        quire_test_check_error (G_STRLOC, failure, QUIRE_MEMORY_ERROR_FAILED, NULL);
      else
        g_assert_no_error (failure);
      g_assert_null (g_thread_join (waiting));
      g_assert_cmpuint (race.got, ==, 1);
    }
}

#ifndef QUIRE_TEST_TSAN
static void
store_result (GObject      *source,
              GAsyncResult *result,
              gpointer      data)
{
  GAsyncResult **where = data;

  *where = g_object_ref (result);
}

static void
iterate_until (GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_async (void)
{
  g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (NULL, SIZE, NULL, 1);
  g_autoptr (QuirePoolAllocator) other = quire_pool_allocator_new (NULL, SIZE, NULL, 1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GTask) foreign = g_task_new (pool, NULL, NULL, NULL);
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GAsyncResult) second = NULL;
  g_autoptr (GAsyncResult) third = NULL;
  g_autoptr (GAsyncResult) fourth = NULL;
  g_autoptr (GError) cancelled = NULL;
  QuireMemory *memory, *next;

  g_test_summary ("The main loop goes on while a block is awaited, and gives it back");

  quire_pool_allocator_acquire_async (pool, -1, NULL, store_result, &first);
  g_assert_null (first);
  iterate_until (&first);
  quire_assert_refused (quire_pool_allocator_acquire_finish (other, first, &error), NOT_SUPPORTED);
  quire_assert_granted ((memory = quire_pool_allocator_acquire_finish (pool, first, &error)));
  quire_assert_refused (quire_pool_allocator_acquire_finish (pool, first, &error), CLOSED);
  quire_assert_sizes (memory, 0, SIZE, SIZE);

  quire_assert_refused (quire_pool_allocator_acquire_finish (pool, G_ASYNC_RESULT (foreign), &error), NOT_SUPPORTED);

  quire_pool_allocator_acquire_async (pool, 0, NULL, store_result, &second);
  iterate_until (&second);
  quire_assert_refused (quire_pool_allocator_acquire_finish (pool, second, &error), BUSY, "64");

  quire_pool_allocator_acquire_async (pool, -1, NULL, store_result, &third);
  await_waiting (pool, 1);
  g_assert_false (g_main_context_iteration (NULL, FALSE));
  quire_memory_unref (memory);
  iterate_until (&third);
  quire_assert_granted ((next = quire_pool_allocator_acquire_finish (pool, third, &error)));
  g_assert_true (next == memory);

  quire_pool_allocator_acquire_async (pool, -1, cancellable, store_result, &fourth);
  await_waiting (pool, 1);
  g_cancellable_cancel (cancellable);
  iterate_until (&fourth);
  g_assert_null (quire_pool_allocator_acquire_finish (pool, fourth, &cancelled));
  g_assert_error (cancelled, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  quire_memory_unref (next);
  await_waiting (pool, 0);
}

#endif /* QUIRE_TEST_TSAN */

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
  g_test_add_func ("/pool-threads/timeout", test_timeout);
  g_test_add_func ("/pool-threads/handed-on", test_handed_on);
  g_test_add_func ("/pool-threads/cancel", test_cancel);
  g_test_add_func ("/pool-threads/cancel-races", test_cancel_races);
  g_test_add_func ("/pool-threads/close", test_close);
  g_test_add_func ("/pool-threads/close-races", test_close_races);
  g_test_add_func ("/pool-threads/below-fails", test_below_fails);
  g_test_add_func ("/pool-threads/room-again", test_room_again);
#ifndef QUIRE_TEST_TSAN
  /* This is done by threads of GLib, whose locks the thread sanitizer does not see. */
  g_test_add_func ("/pool-threads/async", test_async);
#endif

  return g_test_run ();
}
