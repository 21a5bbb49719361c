/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <pthread.h>

#include "quire-test-script.h"
#include "quire-test-threads.h"

/* Allocators that are called on one thread only, whoever uses their blocks. */

/* A thread that does something, and has ended when this returns. */
static void
elsewhere (GThreadFunc func,
           gpointer    data)
{
  g_thread_join (g_thread_new ("elsewhere", func, data));
}

static ScriptAllocator *
new_at_home (void)
{
  ScriptAllocator *allocator = script_allocator_new ();

  g_assert_true (quire_allocator_set_home (QUIRE_ALLOCATOR (allocator)));
  return allocator;
}

/* Runs what is ready of the main context. */
static void
run_loop (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    continue;
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
  g_autoptr (ScriptAllocator) allocator = new_at_home ();
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
  run_loop ();
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
  g_autoptr (ScriptAllocator) allocator = new_at_home ();
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
  run_loop ();
  quire_allocator_dispatch ();
  g_string_truncate (allocator->log, 0);
  run_loop ();
  script_assert_log (allocator, "");
}

static void
test_wait_at_home (void)
{
  g_autoptr (ScriptAllocator) allocator = new_at_home ();
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
  run_loop ();
  script_assert_log (allocator, "unmapped released");
}

static void
test_share_waits (void)
{
  g_autoptr (ScriptAllocator) allocator = new_at_home ();
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
  g_autoptr (ScriptAllocator) allocator = new_at_home ();

  g_test_summary ("What is so called calls nothing else that waits, and what it adds waits");

  allocator->on_released = dispatch_again;
  quire_memory_unref (script_alloc (allocator, 8));
  quire_memory_unref (script_alloc (allocator, 8));
  script_assert_log (allocator, "alloc released alloc alloc");
  g_assert_cmpuint (quire_allocator_dispatch (), ==, 2);
  script_assert_log (allocator, "released alloc released alloc");
  allocator->on_released = NULL;
  run_loop ();
  script_assert_log (allocator, "released released");
}

static gpointer
own_thread (gpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (ScriptAllocator) allocator = NULL;
  QuireMemory *memory;

  g_main_context_push_thread_default (context);
  allocator = new_at_home ();
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
  run_loop ();
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
  g_autoptr (ScriptAllocator) allocator = new_at_home ();

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
  allocator = new_at_home ();
  quire_memory_unref (script_alloc (allocator, 8));
  run_loop ();
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
  g_autoptr (ScriptAllocator) allocator = new_at_home ();

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
  run_loop ();
  script_assert_log (self, "released");
}

static void
test_loop_in_call (void)
{
  static void (*const outer[]) (ScriptAllocator *allocator) = { by_once, by_loop };
  g_autoptr (ScriptAllocator) allocator = new_at_home ();

  g_test_summary ("A loop within a call calls nothing else, and what it came for is called by the next one");

  allocator->on_released = run_loop_within;
  for (gsize i = 0; i < G_N_ELEMENTS (outer); i++)
    {
      QuireMemory *memory = script_alloc (allocator, 8);

      allocator->data = script_alloc (allocator, 8);
      script_assert_log (allocator, "alloc alloc");
      quire_memory_unref (memory);
      outer[i] (allocator);
      run_loop ();
      script_assert_log (allocator, "released");
      g_assert_cmpuint (quire_allocator_dispatch (), ==, 0);
    }
}

/* An engine that may fail to call what is written in its language, and one that has
 * something to do first. */

typedef ScriptAllocator      EngineAllocator;
typedef ScriptAllocatorClass EngineAllocatorClass;

static GType engine_allocator_get_type (void);

G_DEFINE_TYPE (EngineAllocator, engine_allocator, script_allocator_get_type ())

static gboolean engine_is_busy;
static guint n_preludes;

static QuireMemory *
engine_alloc (QuireAllocator *allocator, gsize size, const QuireAllocationParams *params, GError **error)
{
  /* What a call leaves that was none is not looked at. */
  if (engine_is_busy)
    return GSIZE_TO_POINTER (1);

  quire_binding_answer ();
  return QUIRE_ALLOCATOR_CLASS (engine_allocator_parent_class)->alloc (allocator, size, params, error);
}

static void
engine_mapped (QuireAllocator *allocator, QuireMemory *memory, QuireMapFlags flags, GError **error)
{
  if (engine_is_busy)
    return;

  quire_binding_answer ();
  QUIRE_ALLOCATOR_CLASS (engine_allocator_parent_class)->mapped (allocator, memory, flags, error);
}

static void
engine_unmapped (QuireAllocator *allocator, QuireMemory *memory)
{
  if (engine_is_busy)
    return;

  quire_binding_answer ();
  QUIRE_ALLOCATOR_CLASS (engine_allocator_parent_class)->unmapped (allocator, memory);
}

static void
engine_released (QuireAllocator *allocator, GObject *state)
{
  if (engine_is_busy)
    return;

  quire_binding_answer ();
  QUIRE_ALLOCATOR_CLASS (engine_allocator_parent_class)->released (allocator, state);
}

static void
engine_allocator_class_init (EngineAllocatorClass *klass)
{
  klass->alloc = engine_alloc;
  klass->mapped = engine_mapped;
  klass->unmapped = engine_unmapped;
  klass->released = engine_released;
}

static void
engine_allocator_init (EngineAllocator *self)
{
}

static void
test_answers (void)
{
  g_autoptr (ScriptAllocator) allocator = g_object_new (engine_allocator_get_type (), NULL);
  g_autoptr (ScriptAllocator) homeless = NULL;
  QuireMemory *memory;
  QuireMapInfo info;

  g_test_summary ("A function that was not called refuses, or is called another time");

  quire_binding_expect_answers (QUIRE_TYPE_ALLOCATOR, 1 | 2 | 4 | 8);
  quire_binding_expect_answers (G_TYPE_INT, 1);
  quire_binding_answer ();
  homeless = script_allocator_new ();
  quire_memory_unref (script_alloc (homeless, 8));

  quire_binding_expect_answers (engine_allocator_get_type (), 1 | 2 | 4 | 8);
  g_assert_true (quire_allocator_set_home (QUIRE_ALLOCATOR (allocator)));
  memory = script_alloc (allocator, 8);
  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  script_assert_log (allocator, "alloc mapped");

  engine_is_busy = TRUE;
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (allocator), 8, NULL, &error), BUSY,
                        "script is not called");
  quire_assert_refused (quire_memory_try_map (memory, QUIRE_MAP_READ, &error), BUSY, "script is not called");
  quire_assert_state (memory, "1 READ map");
  quire_memory_unmap (memory, &info);
  quire_memory_unref (memory);
  g_assert_cmpuint (quire_allocator_dispatch (), ==, 1);
  g_assert_cmpuint (quire_allocator_dispatch (), ==, 1);
  script_assert_log (allocator, "");

  engine_is_busy = FALSE;
  g_assert_cmpuint (quire_allocator_dispatch (), ==, 1);
  script_assert_log (allocator, "unmapped");
  engine_is_busy = TRUE;
  g_assert_cmpuint (quire_allocator_dispatch (), ==, 1);
  script_assert_log (allocator, "");
  engine_is_busy = FALSE;
  run_loop ();
  script_assert_log (allocator, "released");
  g_assert_cmpuint (G_OBJECT (allocator)->ref_count, ==, 1);
}

static void
prelude (void)
{
  n_preludes++;
}

static void
test_prelude (void)
{
  g_autoptr (ScriptAllocator) allocator = new_at_home ();
  g_autoptr (ScriptAllocator) homeless = script_allocator_new ();

  g_test_summary ("What the engine has to do first it does before each call, and no other");

  quire_binding_set_prelude (prelude);
  quire_memory_unref (script_alloc (homeless, 8));
  g_assert_cmpuint (n_preludes, ==, 0);
  {
    g_autoptr (QuireMemory) memory = script_alloc (allocator, 8);

    g_assert_cmpuint (n_preludes, ==, 1);
    g_assert_true (quire_memory_fill (memory, 0, -1, 0));
    g_assert_cmpuint (n_preludes, ==, 2);
  }
  g_assert_cmpuint (quire_allocator_dispatch (), ==, 1);
  g_assert_cmpuint (quire_allocator_dispatch (), ==, 1);
  g_assert_cmpuint (n_preludes, ==, 4);
  quire_binding_set_prelude (NULL);
}

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
  g_autoptr (ScriptAllocator) allocator = new_at_home ();
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
  g_test_add_func ("/script-home/answers", test_answers);
  g_test_add_func ("/script-home/prelude", test_prelude);
  g_test_add_func ("/script-home/many-threads", test_many_threads);
  g_test_add_func ("/script-home/no-home", test_no_home);

  return g_test_run ();
}
