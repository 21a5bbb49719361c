/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test-threads.h"

/* Threads that wait for a block of a pool, and what ends the wait. */

#define SIZE   64
#define MOMENT (300 * G_TIME_SPAN_MILLISECOND)

typedef struct
{
  QuirePoolAllocator *pool;
  gint64              max_wait;
  GCancellable       *cancellable;

  /* Atomic. */
  guint               got;
} Wait;

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

static gpointer
get_one (gpointer data)
{
  Wait *wait = data;
  g_autoptr (GError) error = NULL;
  QuireMemory *memory = quire_pool_allocator_try_acquire (wait->pool, wait->max_wait, wait->cancellable, &error);

  if (memory == NULL)
    return g_steal_pointer (&error);

  race_add (&wait->got, 1);
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

/* Atomic. */
static guint n_asked;
static guint n_to_go_on;

static gboolean
interrupt (GError **error)
{
  if (race_add (&n_asked, 1) <= n_to_go_on)
    return FALSE;

  g_set_error_literal (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED, "Interrupted");
  return TRUE;
}

static void
test_interrupted (void)
{
  g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (NULL, SIZE, NULL, 1);
  QuireMemory *memory = quire_pool_allocator_acquire (pool, 0, NULL);
  const gint64 start = g_get_monotonic_time ();
  QuirePoolStats stats;

  g_test_summary ("A binding is asked now and then whether a wait shall go on, and ends it");

  g_assert_nonnull (memory);
  quire_binding_set_interruption (interrupt);

  /* Who does not wait, or not long, is not asked. */
  quire_assert_refused (quire_pool_allocator_try_acquire (pool, 0, NULL, &error), BUSY);
  quire_assert_refused (quire_pool_allocator_try_acquire (pool, 1, NULL, &error), BUSY, "1 µs");
  g_assert_cmpuint (n_asked, ==, 0);

  n_to_go_on = 2;
  quire_assert_refused (quire_pool_allocator_try_acquire (pool, -1, NULL, &error), FAILED, "Interrupted");
  g_assert_cmpuint (n_asked, ==, 3);
  g_assert_null (quire_pool_allocator_acquire (pool, G_MAXINT64, NULL));
  g_assert_cmpuint (n_asked, ==, 4);

  /* Being asked does not make the wait shorter, or another one in the error. */
  n_to_go_on = G_MAXUINT;
  quire_assert_refused (quire_pool_allocator_try_acquire (pool, 130000, NULL, &error), BUSY, "130000");
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 130000);
  g_assert_cmpuint (n_asked, >, 4);

  quire_pool_allocator_get_stats (pool, &stats);
  g_assert_cmpuint (stats.n_waiting, ==, 0);
  g_assert_cmpuint (stats.n_out, ==, 1);
  quire_memory_unref (memory);
  memory = quire_pool_allocator_acquire (pool, -1, NULL);
  g_assert_nonnull (memory);
  quire_memory_unref (memory);

  quire_binding_set_interruption (NULL);
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
      Wait wait = { .pool = pool, .max_wait = waits[i] };
      GThread *threads[2];

      for (guint k = 0; k < G_N_ELEMENTS (threads); k++)
        threads[k] = g_thread_new ("get", get_one, &wait);
      await_waiting (pool, 2);
      quire_memory_unref (memory);
      for (guint k = 0; k < G_N_ELEMENTS (threads); k++)
        g_assert_null (g_thread_join (threads[k]));
      g_assert_cmpuint (wait.got, ==, 2);
    }
}

static void
test_cancel (void)
{
  g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (NULL, SIZE, NULL, 1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  QuireMemory *memory = quire_pool_allocator_acquire (pool, 0, NULL);
  Wait cancelled = { .pool = pool, .max_wait = -1, .cancellable = cancellable };
  Wait patient = { .pool = pool, .max_wait = -1 };
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
  g_assert_cmpuint (race_load (&patient.got), ==, 0);
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
      Wait cancelled = { .pool = pool, .max_wait = -1, .cancellable = cancellable };
      Wait patient = { .pool = pool, .max_wait = -1 };
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
  Wait wait = { .pool = pool, .max_wait = -1 };
  GThread *threads[RACE_N_THREADS];

  g_test_summary ("Who waits for a block of a pool that is closed is told so");

  g_assert_nonnull (memory);
  for (guint i = 0; i < RACE_N_THREADS; i++)
    threads[i] = g_thread_new ("get", get_one, &wait);
  await_waiting (pool, RACE_N_THREADS);
  quire_pool_allocator_close (pool);
  for (guint i = 0; i < RACE_N_THREADS; i++)
    {
      g_autoptr (GError) error = g_thread_join (threads[i]);

      quire_test_check_error (G_STRLOC, error, QUIRE_MEMORY_ERROR_CLOSED, NULL);
    }
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
  if (race_load (&self->stops) == 0)
    return;

  race_add (&self->at_gate, 1);
  while (race_load (&self->open) == 0)
    g_thread_yield ();
}

static QuireMemory *
gate_allocator_alloc (QuireAllocator              *allocator,
                      gsize                        size,
                      const QuireAllocationParams *params,
                      GError                     **error)
{
  GateAllocator *self = (GateAllocator *) allocator;
  const guint fails = race_load (&self->fails);
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
  quire_pool_allocator_flush (((Wait *) data)->pool);
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
      Wait wait = { .pool = pool, .max_wait = -1 };
      GThread *busy, *waiting;
      g_autoptr (GError) failure = NULL;

      /* One thread has the only block, on its way from nowhere or to nowhere. */
      gate->fails = fails;
      if (!fails)
        g_assert_true (quire_pool_allocator_prealloc (pool, 1));
      __atomic_store_n (&gate->stops, 1, __ATOMIC_RELEASE);
      busy = g_thread_new ("busy", fails ? get_one : flush_all, &wait);
      while (race_load (&gate->at_gate) == 0)
        g_thread_yield ();

      waiting = g_thread_new ("waiting", get_one, &wait);
      await_waiting (pool, 1);
      quire_assert_refused (quire_pool_allocator_try_acquire (pool, 0, NULL, &error), BUSY);
      __atomic_store_n (&gate->open, 1, __ATOMIC_RELEASE);

      failure = g_thread_join (busy);
      if (fails)
        quire_test_check_error (G_STRLOC, failure, QUIRE_MEMORY_ERROR_FAILED, NULL);
      else
        g_assert_no_error (failure);
      g_assert_null (g_thread_join (waiting));
      g_assert_cmpuint (wait.got, ==, 1);
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

  g_test_add_func ("/pool-wait/timeout", test_timeout);
  g_test_add_func ("/pool-wait/interrupted", test_interrupted);
  g_test_add_func ("/pool-wait/handed-on", test_handed_on);
  g_test_add_func ("/pool-wait/cancel", test_cancel);
  g_test_add_func ("/pool-wait/cancel-races", test_cancel_races);
  g_test_add_func ("/pool-wait/close", test_close);
  g_test_add_func ("/pool-wait/room-again", test_room_again);
#ifndef QUIRE_TEST_TSAN
  /* This is done by threads of GLib, whose locks the thread sanitizer does not see. */
  g_test_add_func ("/pool-wait/async", test_async);
#endif

  return g_test_run ();
}
