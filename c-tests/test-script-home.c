/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test-script.h"

/* Allocators that are called on one thread only, whoever uses their blocks. */

/* A thread that does something, and has ended when this returns. */
static void
elsewhere (GThreadFunc func,
           gpointer    data)
{
  g_thread_join (g_thread_new ("elsewhere", func, data));
}

static gpointer
set_home_elsewhere (gpointer allocator)
{
  g_assert_false (quire_allocator_set_home (allocator));
  return NULL;
}

static gpointer
use_elsewhere (gpointer data)
{
  QuireMemory *memory = data;
  QuireAllocator *allocator = quire_memory_get_allocator (memory);
  QuireMapInfo info;

  quire_assert_refused (quire_allocator_try_alloc (allocator, 8, NULL, &error), NOT_SUPPORTED,
                        "script can allocate on the thread only that is its home");
  g_assert_null (quire_allocator_alloc (allocator, 8, NULL));
  quire_assert_refused (quire_memory_map_full (memory, &info, QUIRE_MAP_READ, &error), NOT_SUPPORTED,
                        "script can be told of maps on the thread only");
  quire_test_assert_cleared (&info);
  quire_assert_refused (quire_memory_try_map (memory, QUIRE_MAP_WRITE, &error), NOT_SUPPORTED);
  quire_assert_refused (quire_memory_try_fill (memory, 0, -1, 0, &error), NOT_SUPPORTED);
  quire_assert_state (memory, "free");
  return NULL;
}

static void
test_refused_elsewhere (void)
{
  g_autoptr (ScriptAllocator) allocator = script_allocator_new_at_home ();
  g_autoptr (QuireMemory) memory = script_alloc (allocator, 8);

  g_test_summary ("On another thread there is an error, and no call; the first home stays");

  script_assert_log (allocator, "alloc");
  elsewhere (use_elsewhere, memory);
  elsewhere (set_home_elsewhere, allocator);
  script_assert_log (allocator, "");
  g_assert_true (quire_allocator_set_home (QUIRE_ALLOCATOR (allocator)));
  g_assert_true (quire_memory_fill (memory, 0, -1, 0));
  quire_allocator_dispatch ();
  script_assert_log (allocator, "mapped-to-write unmapped");
}

static gpointer
quiet_elsewhere (gpointer data)
{
  g_assert_true (quire_memory_fill (data, 0, -1, 0x51));
  quire_memory_unref (data);
  return NULL;
}

static void
test_quiet_elsewhere (void)
{
  g_autoptr (ScriptAllocator) allocator = quiet_allocator_new ();

  g_test_summary ("An allocator that wants to know of nothing refuses nothing but to allocate elsewhere");

  g_assert_true (quire_allocator_set_home (QUIRE_ALLOCATOR (allocator)));
  elsewhere (quiet_elsewhere, script_alloc (allocator, 8));
  g_assert_cmpuint (quire_allocator_dispatch (), ==, 0);
  g_assert_cmpuint (G_OBJECT (allocator)->ref_count, ==, 1);
}

static gpointer
unref_elsewhere (gpointer memory)
{
  quire_memory_unref (memory);
  return NULL;
}

static gpointer
unref_mapping_elsewhere (gpointer mapping)
{
  quire_mapping_unref (mapping);
  return NULL;
}

/* The ways in which what waits gets done. */

static void
by_loop (ScriptAllocator *allocator)
{
  script_run_loop ();
}

static void
by_once (ScriptAllocator *allocator)
{
  g_assert_cmpuint (quire_allocator_dispatch (), ==, 1);
}

static void
by_dispatch (ScriptAllocator *allocator)
{
  /* What one call makes wait, the next one does. */
  while (quire_allocator_dispatch () > 0)
    continue;
}

static void
by_alloc (ScriptAllocator *allocator)
{
  g_autoptr (QuireMemory) first = script_alloc (allocator, 8);
  g_autoptr (QuireMemory) second = script_alloc (allocator, 8);

  g_assert_true (first != second);
}

static const struct
{
  const char *name;
  void      (*done) (ScriptAllocator *allocator);
  const char *log;
} ways[] = {
  { "loop", by_loop, "unmapped released" },
  { "dispatch", by_dispatch, "unmapped released" },
  { "alloc", by_alloc, "unmapped alloc released alloc" },
};

static void
test_wait (gconstpointer data)
{
  const gsize i = GPOINTER_TO_SIZE (data);
  g_autoptr (ScriptAllocator) allocator = script_allocator_new_at_home ();
  QuireMemory *memory = script_alloc (allocator, 8);
  QuireMapping *mapping = quire_memory_try_map (memory, QUIRE_MAP_READ, NULL);

  g_test_summary ("What ends elsewhere is told at home, in its order, and from whence it was");

  script_assert_log (allocator, "alloc mapped");
  elsewhere (unref_elsewhere, memory);
  elsewhere (unref_mapping_elsewhere, mapping);
  script_assert_log (allocator, "");
  allocator->thread = NULL;
  ways[i].done (allocator);
  script_assert_log (allocator, ways[i].log);
  g_assert_true (allocator->thread == g_thread_self ());

  /* Nothing is left. */
  script_run_loop ();
  quire_allocator_dispatch ();
  g_string_truncate (allocator->log, 0);
  script_run_loop ();
  script_assert_log (allocator, "");
}

static void
test_wait_at_home (void)
{
  g_autoptr (ScriptAllocator) allocator = script_allocator_new_at_home ();
  QuireMemory *memory = script_alloc (allocator, 8);
  QuireMapInfo info;

  g_test_summary ("At home, too, it waits: a collector may be at work");

  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  quire_memory_unmap (memory, &info);
  script_assert_log (allocator, "alloc mapped");
  /* The next map comes after the end of the one before. */
  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  script_assert_log (allocator, "unmapped mapped");
  quire_memory_unmap (memory, &info);
  quire_memory_unref (memory);
  script_assert_log (allocator, "");
  script_run_loop ();
  script_assert_log (allocator, "unmapped released");
}

static void
test_share_waits (void)
{
  g_autoptr (ScriptAllocator) allocator = script_allocator_new_at_home ();
  g_autoptr (QuireMemory) memory = script_alloc (allocator, 8);
  GBytes *bytes = quire_memory_to_bytes (memory);
  QuireMapInfo info;

  g_test_summary ("A share that is gone but for what waits does not keep the home from writing");

  elsewhere ((GThreadFunc) (void (*) (void)) g_bytes_unref, bytes);
  quire_assert_state (memory, "1 share alive");
  quire_assert_granted (quire_memory_map_full (memory, &info, QUIRE_MAP_WRITE, &error));
  quire_memory_unmap (memory, &info);
  script_assert_log (allocator, "alloc mapped-share unmapped-share mapped-to-write");
  quire_allocator_dispatch ();
}

static void
dispatch_again (ScriptAllocator *self,
                GObject         *state)
{
  g_assert_cmpuint (quire_allocator_dispatch (), ==, 0);
  quire_memory_unref (script_alloc (self, 8));
}

static void
test_dispatch_in_call (void)
{
  g_autoptr (ScriptAllocator) allocator = script_allocator_new_at_home ();

  g_test_summary ("What is so called calls nothing else that waits, and what it adds waits");

  allocator->on_released = dispatch_again;
  quire_memory_unref (script_alloc (allocator, 8));
  quire_memory_unref (script_alloc (allocator, 8));
  script_assert_log (allocator, "alloc released alloc alloc");
  g_assert_cmpuint (quire_allocator_dispatch (), ==, 2);
  script_assert_log (allocator, "released alloc released alloc");
  allocator->on_released = NULL;
  script_run_loop ();
  script_assert_log (allocator, "released released");
}

static gpointer
own_thread (gpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (ScriptAllocator) allocator = NULL;
  QuireMemory *memory;

  g_main_context_push_thread_default (context);
  allocator = script_allocator_new_at_home ();
  elsewhere (unref_elsewhere, script_alloc (allocator, 8));
  script_assert_log (allocator, "alloc");
  while (g_main_context_iteration (context, FALSE))
    continue;
  script_assert_log (allocator, "released");

  /* These are told to nobody. */
  memory = script_alloc (allocator, 8);
  *(QuireMemory **) data = script_alloc (allocator, 8);
  elsewhere (unref_elsewhere, memory);
  g_main_context_pop_thread_default (context);
  return g_steal_pointer (&allocator);
}

static void
test_own_thread (void)
{
  QuireMemory *memory;
  g_autoptr (ScriptAllocator) allocator = g_thread_join (g_thread_new ("home", own_thread, &memory));

  g_test_summary ("A home may be any thread; when it has ended, nothing is told and nothing kept");

  script_assert_log (allocator, "alloc alloc");
  quire_assert_refused (quire_memory_try_map (memory, QUIRE_MAP_READ, &error), NOT_SUPPORTED);
  quire_memory_unref (memory);
  script_run_loop ();
  script_assert_log (allocator, "");
  g_assert_cmpuint (G_OBJECT (allocator)->ref_count, ==, 1);
}

static gpointer
run_context (gpointer data)
{
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  return NULL;
}

static void
test_foreign_loop (void)
{
  g_autoptr (ScriptAllocator) allocator = script_allocator_new_at_home ();

  g_test_summary ("Another thread that runs the context of the home for once makes no call");

  quire_memory_unref (script_alloc (allocator, 8));
  elsewhere (run_context, NULL);
  script_assert_log (allocator, "alloc");
  g_assert_cmpuint (quire_allocator_dispatch (), ==, 1);
  script_assert_log (allocator, "released");
}

static gpointer
run_context_at_home (gpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (ScriptAllocator) allocator = NULL;

  g_main_context_push_thread_default (context);
  allocator = script_allocator_new_at_home ();
  quire_memory_unref (script_alloc (allocator, 8));
  script_run_loop ();
  script_assert_log (allocator, "alloc");
  while (g_main_context_iteration (context, FALSE))
    continue;
  script_assert_log (allocator, "released");
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
test_foreign_loop_at_home (void)
{
  g_autoptr (ScriptAllocator) allocator = script_allocator_new_at_home ();

  g_test_summary ("Nor does such a thread call what waits for its own context");

  quire_memory_unref (script_alloc (allocator, 8));
  elsewhere (run_context_at_home, NULL);
  script_assert_log (allocator, "alloc");
  g_assert_cmpuint (quire_allocator_dispatch (), ==, 1);
  script_assert_log (allocator, "released");
}

static void
run_loop_within (ScriptAllocator *self,
                 GObject         *state)
{
  QuireMemory *last = g_steal_pointer ((QuireMemory **) &self->data);

  if (last == NULL)
    return;
  quire_memory_unref (last);
  script_run_loop ();
  script_assert_log (self, "released");
}

static void
test_loop_in_call (void)
{
  static void (*const outer[]) (ScriptAllocator *allocator) = { by_once, by_loop };
  g_autoptr (ScriptAllocator) allocator = script_allocator_new_at_home ();

  g_test_summary ("A loop within a call calls nothing else, and what it came for is called by the next one");

  allocator->on_released = run_loop_within;
  for (gsize i = 0; i < G_N_ELEMENTS (outer); i++)
    {
      QuireMemory *memory = script_alloc (allocator, 8);

      allocator->data = script_alloc (allocator, 8);
      script_assert_log (allocator, "alloc alloc");
      quire_memory_unref (memory);
      outer[i] (allocator);
      script_run_loop ();
      script_assert_log (allocator, "released");
      g_assert_cmpuint (quire_allocator_dispatch (), ==, 0);
    }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/script-home/refused-elsewhere", test_refused_elsewhere);
  g_test_add_func ("/script-home/quiet-elsewhere", test_quiet_elsewhere);
  for (gsize i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autofree char *path = g_strdup_printf ("/script-home/wait/%s", ways[i].name);

      g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_wait);
    }
  g_test_add_func ("/script-home/wait-at-home", test_wait_at_home);
  g_test_add_func ("/script-home/share-waits", test_share_waits);
  g_test_add_func ("/script-home/dispatch-in-call", test_dispatch_in_call);
  g_test_add_func ("/script-home/own-thread", test_own_thread);
  g_test_add_func ("/script-home/foreign-loop", test_foreign_loop);
  g_test_add_func ("/script-home/foreign-loop-at-home", test_foreign_loop_at_home);
  g_test_add_func ("/script-home/loop-in-call", test_loop_in_call);

  return g_test_run ();
}
