/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test-script.h"

/* Allocators whose functions are called by an engine: it may fail to call what is written in its
 * language, and it may have something to do first. */

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
  script_run_loop ();
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
  g_autoptr (ScriptAllocator) allocator = script_allocator_new_at_home ();
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

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/script-engine/answers", test_answers);
  g_test_add_func ("/script-engine/prelude", test_prelude);

  return g_test_run ();
}
