/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <pthread.h>

#include "quire-test-script.h"
#include "quire-test-threads.h"

/* Allocators whose blocks many threads use, with a home and without. */

/* Many threads drop what the home gives them. The lock is one that ThreadSanitizer sees,
 * which those of GLib are not. */

static pthread_mutex_t to_drop_lock = PTHREAD_MUTEX_INITIALIZER;
static GQueue to_drop = G_QUEUE_INIT;

static void
give_away (gpointer item)
{
  pthread_mutex_lock (&to_drop_lock);
  g_queue_push_tail (&to_drop, item);
  pthread_mutex_unlock (&to_drop_lock);
}

static gpointer
drop_all (Race *race)
{
  gpointer item;

  do
    {
      pthread_mutex_lock (&to_drop_lock);
      item = g_queue_pop_head (&to_drop);
      pthread_mutex_unlock (&to_drop_lock);

      if (item == NULL)
        g_thread_yield ();
      else if (item != race)
        g_bytes_unref (item);
    }
  while (item != race);

  return NULL;
}

static void
check_thread (ScriptAllocator *self,
              QuireMemory     *memory)
{
  g_assert_true (self->data == g_thread_self ());
}

static gpointer
give (Race *race)
{
  g_autoptr (ScriptAllocator) allocator = script_allocator_new_at_home ();
  guint rounds = 0;

  allocator->on_unmapped = check_thread;
  allocator->data = g_thread_self ();
  while (race_go_on (race, rounds))
    {
      g_autoptr (QuireMemory) memory = script_alloc (allocator, 64);

      for (guint i = 0; i < 8; i++)
        give_away (quire_memory_to_bytes (memory));
      rounds++;
    }
  for (guint i = 0; i < RACE_N_THREADS; i++)
    give_away (race);

  while (allocator->releases < rounds)
    {
      quire_allocator_dispatch ();
      g_thread_yield ();
    }
  g_assert_cmpuint (allocator->maps, ==, 8 * rounds);
  g_assert_cmpuint (allocator->unmaps, ==, 8 * rounds);
  g_assert_cmpuint (G_OBJECT (allocator)->ref_count, ==, 1);
  return NULL;
}

static void
test_many_threads (void)
{
  Race race = { NULL, };

  g_test_summary ("However many threads drop maps and blocks, each is told once, at home");

  RACE_RUN (&race, give, drop_all, drop_all, drop_all, drop_all);
}

/* Without a home, the threads call it at once. */

static gpointer
alloc_and_map (Race *race)
{
  ScriptAllocator *allocator = (gpointer) race->memory;
  guint rounds = 0;

  while (race_go_on (race, rounds))
    {
      g_autoptr (QuireMemory) memory = quire_allocator_alloc (QUIRE_ALLOCATOR (allocator), 64, NULL);
      g_autoptr (QuireMemory) share = NULL;

      g_assert_true (quire_memory_fill (memory, 0, -1, 0x51));
      share = quire_memory_share (memory, 0, 8);
      g_assert_true (quire_memory_fill (memory, 0, -1, 0x51) == FALSE);
      rounds++;
    }
  race_add (&race->total, rounds);
  return NULL;
}

typedef ScriptAllocator      CountAllocator;
typedef ScriptAllocatorClass CountAllocatorClass;

static GType count_allocator_get_type (void);

G_DEFINE_TYPE (CountAllocator, count_allocator, quiet_allocator_get_type ())

static QuireMemory *
count_alloc (QuireAllocator *allocator, gsize size, const QuireAllocationParams *params, GError **error)
{
  g_autoptr (QuireMemory) backing = quire_memory_new (size);

  return quire_allocator_try_bind (allocator, backing, G_OBJECT (allocator), error);
}

static void
count_mapped (QuireAllocator *allocator, QuireMemory *memory, QuireMapFlags flags, GError **error)
{
  g_assert_true (quire_allocator_get_state (allocator, memory) == G_OBJECT (allocator));
  race_add (&SCRIPT_ALLOCATOR (allocator)->maps, 1);
}

static void
count_unmapped (QuireAllocator *allocator, QuireMemory *memory)
{
  race_add (&SCRIPT_ALLOCATOR (allocator)->unmaps, 1);
}

static void
count_released (QuireAllocator *allocator, GObject *state)
{
  g_assert_true (state == G_OBJECT (allocator));
  race_add (&SCRIPT_ALLOCATOR (allocator)->releases, 1);
}

static void
count_allocator_class_init (CountAllocatorClass *klass)
{
  klass->alloc = count_alloc;
  klass->mapped = count_mapped;
  klass->unmapped = count_unmapped;
  klass->released = count_released;
}

static void
count_allocator_init (CountAllocator *self)
{
}

static void
test_no_home (void)
{
  g_autoptr (ScriptAllocator) allocator = g_object_new (count_allocator_get_type (), NULL);
  Race race = { (gpointer) allocator, };

  g_test_summary ("Without a home, each thread makes its calls itself");

  RACE_RUN (&race, alloc_and_map, alloc_and_map, alloc_and_map, alloc_and_map);
  g_assert_cmpuint (allocator->maps, ==, race.total);
  g_assert_cmpuint (allocator->unmaps, ==, race.total);
  g_assert_cmpuint (allocator->releases, ==, race.total);
  g_assert_cmpuint (G_OBJECT (allocator)->ref_count, ==, 1);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/script-threads/many-threads", test_many_threads);
  g_test_add_func ("/script-threads/no-home", test_no_home);

  return g_test_run ();
}
