/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test.h"

/*
 * What is no programmer's error in a script: to resize a block that another
 * thread uses, and to close a handle that another thread was just given.
 */
#define MOMENT (400 * G_TIME_SPAN_MILLISECOND)
#define SIZE   64

typedef struct
{
  QuireMemory *memory;

  /* Atomic. */
  guint        stop;
  guint        turn;
  guint        done;

  guint        kind;
  gpointer     result;
} Race;

static guint
load (guint *counter)
{
  return __atomic_load_n (counter, __ATOMIC_ACQUIRE);
}

static void
store (guint *counter,
       guint  value)
{
  __atomic_store_n (counter, value, __ATOMIC_RELEASE);
}

/* Makes the valid range now the whole block, now its last quarter. Whoever reads
 * the new offset with the old size is outside. */
static gpointer
resize_for_ever (gpointer data)
{
  Race *race = data;

  while (load (&race->stop) == 0)
    {
      g_assert_true (quire_memory_resize (race->memory, SIZE * 3 / 4, SIZE / 4));
      g_assert_true (quire_memory_resize (race->memory, -SIZE * 3 / 4, SIZE));
    }

  return NULL;
}

static void
test_map (void)
{
  guint8 data[SIZE];
  g_autoptr (QuireMemory) memory = NULL;
  Race race = { .memory = NULL };
  const gint64 deadline = g_get_monotonic_time () + MOMENT;
  GThread *thread;

  g_test_summary ("Who maps, copies, shares or asks while another resizes never gets more than the block");

  memory = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NONE, data, SIZE, 0, SIZE, NULL, NULL);
  race.memory = memory;
  g_assert_true (quire_memory_fill (memory, 0, -1, 0));
  thread = g_thread_new ("resize", resize_for_ever, &race);

  do
    {
      g_autoptr (QuireMemory) share = NULL;
      g_autoptr (QuireMemory) copy = NULL;
      QuireMapInfo info;
      gsize offset, size, maxsize;

      size = quire_memory_get_sizes (memory, &offset, &maxsize);
      g_assert_cmpuint (offset, <=, maxsize);
      g_assert_cmpuint (size, <=, maxsize - offset);

      g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
      g_assert_cmpuint ((gsize) (info.data - data) + info.size, <=, SIZE);
      g_assert_cmpuint ((gsize) (info.data - data) + info.maxsize, ==, SIZE);
      quire_memory_unmap (memory, &info);

      share = quire_memory_share (memory, 0, -1);
      g_assert_nonnull (share);
      size = quire_memory_get_sizes (share, &offset, &maxsize);
      g_assert_cmpuint (offset + size, <=, maxsize);
      g_clear_pointer (&share, quire_memory_unref);

      copy = quire_memory_copy (memory, 0, -1);
      g_assert_nonnull (copy);
      g_assert_cmpuint (quire_memory_get_sizes (copy, NULL, NULL), <=, SIZE);
    }
  while (g_get_monotonic_time () < deadline);

  store (&race.stop, 1);
  g_thread_join (thread);
}

static void
test_merge (void)
{
  g_autoptr (QuireMemory) root = quire_test_new (0, 2 * SIZE, 0);
  g_autoptr (QuireMemory) first = quire_memory_share (root, 0, SIZE);
  g_autoptr (QuireMemory) second = quire_memory_share (root, SIZE, SIZE);
  Race race = { .memory = first };
  const gint64 deadline = g_get_monotonic_time () + MOMENT;
  GThread *thread = g_thread_new ("resize", resize_for_ever, &race);

  g_test_summary ("Who merges while another resizes never gets more than the block");

  /* Both ranges of the first end where the second begins: always a span. */
  do
    {
      g_autoptr (QuireMemory) merged = quire_memory_merge (first, second);

      if (merged != NULL)
        {
          gsize offset, maxsize;
          const gsize size = quire_memory_get_sizes (merged, &offset, &maxsize);

          g_assert_cmpuint (size, <=, 2 * SIZE);
          g_assert_cmpuint (offset + size, <=, maxsize);
        }
    }
  while (g_get_monotonic_time () < deadline);

  store (&race.stop, 1);
  g_thread_join (thread);
}

/* What a late caller does with the handle; what he gets he keeps. */
static gpointer
be_late (gpointer data)
{
  Race *race = data;
  guint turn = 0;

  while (TRUE)
    {
      while (load (&race->turn) == turn)
        g_thread_yield ();
      turn++;
      if (load (&race->stop) != 0)
        return NULL;

      switch (race->kind)
        {
        case 0:
          race->result = quire_memory_try_map (race->memory, QUIRE_MAP_READ, NULL);
          break;
        case 1:
          race->result = quire_memory_share (race->memory, 0, -1);
          break;
        default:
          race->result = quire_memory_to_bytes (race->memory);
          break;
        }
      store (&race->done, turn);
    }
}

static void
late_call (guint          kind,
           GDestroyNotify unref)
{
  Race race = { .kind = kind };
  GThread *thread = g_thread_new ("late", be_late, &race);
  const gint64 deadline = g_get_monotonic_time () + MOMENT;
  guint turn = 0;

  do
    {
      guint8 data[8];
      guint gone = 0;
      QuireMemory *stand_in;

      race.memory = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NONE, data, 8, 0, 8, &gone, quire_test_count);
      store (&race.turn, ++turn);
      /* So that now this thread is first, now the other. */
      for (guint i = 0; i < turn % 64; i++)
        load (&race.done);
      stand_in = quire_memory_close (race.memory);
      while (load (&race.done) != turn)
        g_thread_yield ();

      /* The other call has come back: nobody needs the stand-in any more. */
      quire_memory_unref (stand_in);
      if (race.result != NULL)
        {
          g_assert_cmpuint (load (&gone), ==, 0);
          unref (race.result);
        }
      g_assert_cmpuint (load (&gone), ==, 1);
    }
  while (g_get_monotonic_time () < deadline);

  store (&race.stop, 1);
  store (&race.turn, turn + 1);
  g_thread_join (thread);
}

static void
test_close_map (void)
{
  g_test_summary ("A mapping that is had while another thread closes the handle keeps the bytes");
  late_call (0, (GDestroyNotify) quire_mapping_unref);
}

static void
test_close_share (void)
{
  g_test_summary ("A share that is had while another thread closes the handle keeps the bytes");
  late_call (1, (GDestroyNotify) quire_memory_unref);
}

static void
test_close_bytes (void)
{
  g_test_summary ("Bytes that are had while another thread closes the handle keep the bytes");
  late_call (2, (GDestroyNotify) g_bytes_unref);
}

static gpointer
view_for_ever (gpointer data)
{
  Race *race = data;
  QuireMapping *mapping = race->result;
  guint8 *view;

  while (quire_mapping_acquire_view (mapping, &view, NULL))
    {
      g_assert_cmpuint (view[SIZE - 1], ==, 0x5a);
      quire_mapping_release_view (mapping);
      g_thread_yield ();
    }
  quire_mapping_unref (mapping);

  return NULL;
}

static void
test_views (void)
{
  g_test_summary ("Views come and go while others end the mapping: it ends once, and then there is no view");

  for (guint i = 0; i < 50; i++)
    {
      g_autoptr (QuireMemory) memory = quire_memory_new (SIZE);
      g_autoptr (QuireMapping) mapping = NULL;
      Race race = { .memory = memory };
      GThread *threads[2];

      g_assert_true (quire_memory_fill (memory, 0, -1, 0x5a));
      mapping = quire_memory_try_map (memory, QUIRE_MAP_READ, NULL);
      race.result = mapping;
      for (gsize n = 0; n < G_N_ELEMENTS (threads); n++)
        {
          quire_mapping_ref (mapping);
          threads[n] = g_thread_new ("view", view_for_ever, &race);
        }
      g_thread_yield ();
      /* An unmap needs a moment without views; a release does not. */
      for (guint n = 0; n < 1000 && i % 2 == 0; n++)
        {
          if (quire_memory_try_unmap (memory, mapping, NULL))
            {
              quire_assert_state (memory, "free");
              break;
            }
          g_thread_yield ();
        }
      quire_mapping_release (mapping);
      for (gsize n = 0; n < G_N_ELEMENTS (threads); n++)
        g_thread_join (threads[n]);
      g_assert_true (quire_mapping_is_released (mapping));
      quire_assert_state (memory, "free");
    }
}

static gpointer
ask_for_the_block (gpointer data)
{
  Race *race = data;

  while (load (&race->stop) == 0)
    {
      g_autoptr (QuireMemory) memory = quire_mapping_dup_memory (race->result);

      if (memory != NULL)
        store (&race->done, 1);
    }

  return NULL;
}

static void
ask_while_it_dies (gpointer     user_data,
                   QuireMemory *where_the_memory_was)
{
  Race *race = user_data;
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("late", ask_for_the_block, race);
  g_usleep (MOMENT / 4);
  store (&race->stop, 1);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

static void
test_dying (void)
{
  Race race = { 0, };
  QuireMemory *memory = quire_memory_new (SIZE);
  QuireMapping *mapping = quire_memory_try_map (memory, QUIRE_MAP_READ, NULL);

  g_test_summary ("However many ask for it at once, a block that is dying gives no reference");

  race.result = mapping;
  quire_memory_weak_ref (memory, ask_while_it_dies, &race);
  quire_mapping_release (mapping);
  quire_memory_unref (memory);
  g_assert_cmpuint (load (&race.done), ==, 0);
  quire_mapping_unref (mapping);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Before there are threads: GLib sets such a number without a lock. */
  quire_memory_error_quark ();

  g_test_add_func ("/thread-races/map", test_map);
  g_test_add_func ("/thread-races/views", test_views);
  g_test_add_func ("/thread-races/close-map", test_close_map);
  g_test_add_func ("/thread-races/close-share", test_close_share);
  g_test_add_func ("/thread-races/close-bytes", test_close_bytes);
  g_test_add_func ("/thread-races/merge", test_merge);
  g_test_add_func ("/thread-races/dying", test_dying);

  return g_test_run ();
}
