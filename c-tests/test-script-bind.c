/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test-allocator.h"
#include "quire-test-script.h"

/* Blocks that an allocator binds to itself: over what they are, what belongs to them, and when
 * it is told that they are gone. */

static void
test_life (void)
{
  ScriptAllocator *allocator = script_allocator_new ();
  QuireMemory *memory, *share;
  gpointer weak = allocator;
  QuireMapInfo info;

  g_test_summary ("A block is the allocator's own, maps and dies as any other, and keeps the allocator");

  g_object_add_weak_pointer (G_OBJECT (allocator), &weak);
  memory = script_alloc (allocator, 100);
  script_assert_log (allocator, "alloc");
  g_assert_true (quire_memory_get_allocator (memory) == QUIRE_ALLOCATOR (allocator));
  g_assert_true (quire_memory_is_type (memory, "script"));
  g_assert_null (quire_memory_get_parent (memory));
  quire_assert_sizes (memory, 0, 100, 100);

  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_WRITE));
  script_assert_log (allocator, "mapped-to-write");
  g_assert_cmpuint (info.size, ==, 100);
  memset (info.data, 0x51, info.size);
  quire_memory_unmap (memory, &info);
  script_assert_log (allocator, "unmapped");
  quire_test_assert_cleared (&info);
  quire_assert_state (memory, "free");

  share = quire_memory_share (memory, 10, 20);
  g_assert_true (quire_memory_get_allocator (share) == QUIRE_ALLOCATOR (allocator));
  quire_memory_unref (memory);
  script_assert_log (allocator, "");
  g_object_unref (allocator);
  g_assert_nonnull (weak);

  g_assert_true (quire_memory_map (share, &info, QUIRE_MAP_READ));
  g_assert_cmpuint (info.data[19], ==, 0x51);
  quire_memory_unmap (share, &info);
  script_assert_log (allocator, "mapped-share unmapped-share");

  g_object_ref (allocator);
  quire_memory_unref (share);
  script_assert_log (allocator, "released");
  g_object_unref (allocator);
  g_assert_null (weak);
}

static void
test_bind_refused (void)
{
  g_autoptr (ScriptAllocator) allocator = script_allocator_new ();
  g_autoptr (TestAllocator) own = g_object_new (maps_allocator_get_type (), NULL);
  g_autoptr (QuireAllocator) system = quire_allocator_find ("system");
  g_autoptr (QuireMemory) backing = quire_memory_new (32);
  g_autoptr (QuireMemory) other = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NOT_MAPPABLE, &allocator, 1, 0, 1,
                                                            NULL, NULL);
  g_autoptr (QuireMemory) closed = quire_memory_close (quire_memory_new (32));
  g_autoptr (QuireMemory) memory = NULL;
  g_autoptr (QuireMemory) share = NULL;
  g_autoptr (GObject) state = g_object_new (G_TYPE_OBJECT, NULL);
  QuireMapInfo info;

  g_test_summary ("Nothing is bound that others use, that can't be mapped, or by who frees himself");

#define TRY(allocator, backing) quire_allocator_try_bind (QUIRE_ALLOCATOR (allocator), backing, state, &error)
  g_assert_true (quire_memory_map (backing, &info, QUIRE_MAP_READ));
  quire_assert_refused (TRY (allocator, backing), BUSY, "1 READ map");
  quire_memory_unmap (backing, &info);

  share = quire_memory_share (backing, 0, 16);
  quire_assert_refused (TRY (allocator, backing), BUSY, "1 share alive");
  g_clear_pointer (&share, quire_memory_unref);

  quire_assert_refused (TRY (allocator, other), NOT_MAPPABLE);
  quire_assert_refused (TRY (allocator, closed), CLOSED);
  quire_assert_refused (TRY (own, backing), NOT_SUPPORTED, "test", "makes its blocks itself");
  quire_assert_refused (TRY (system, backing), NOT_SUPPORTED, "system");
  g_assert_null (quire_allocator_bind (system, backing, NULL));
  quire_assert_state (backing, "free");
  g_assert_cmpuint (state->ref_count, ==, 1);

  quire_assert_granted ((memory = TRY (allocator, backing)));
  quire_assert_refused (TRY (allocator, backing), BUSY, "UNIQUE");
  quire_assert_refused (quire_memory_try_map (backing, QUIRE_MAP_READ, &error), BUSY);
  quire_assert_refused (quire_memory_try_share (backing, 0, -1, &error), BUSY);
  g_assert_cmpuint (state->ref_count, ==, 2);
  g_clear_pointer (&memory, quire_memory_unref);
  g_assert_cmpuint (state->ref_count, ==, 1);
  quire_assert_state (backing, "free");
#undef TRY
}

static void
expect_state (ScriptAllocator *self,
              GObject         *state)
{
  /* What was below is free by now, and the state is still there. */
  quire_assert_state ((QuireMemory *) self->data, "free");
  if (state != NULL)
    g_assert_cmpuint (state->ref_count, ==, 1);
}

static void
test_state (void)
{
  g_autoptr (ScriptAllocator) allocator = script_allocator_new ();
  g_autoptr (ScriptAllocator) other = script_allocator_new ();
  g_autoptr (QuireMemory) backing = quire_memory_new (32);
  GObject *state = g_object_new (G_TYPE_OBJECT, NULL);
  gpointer weak = state;
  QuireMemory *memory, *share;

  g_test_summary ("The state goes with the block, is told of a share too, and then to released()");

  g_object_add_weak_pointer (state, &weak);
  memory = quire_allocator_bind (QUIRE_ALLOCATOR (allocator), backing, state);
  g_object_unref (state);
  share = quire_memory_share (memory, 3, 5);
  g_assert_true (quire_allocator_get_state (QUIRE_ALLOCATOR (allocator), memory) == weak);
  g_assert_true (quire_allocator_get_state (QUIRE_ALLOCATOR (allocator), share) == weak);
  g_assert_null (quire_allocator_get_state (QUIRE_ALLOCATOR (other), memory));
  g_assert_null (quire_allocator_get_state (QUIRE_ALLOCATOR (allocator), backing));

  allocator->on_released = expect_state;
  allocator->data = backing;
  quire_memory_unref (memory);
  g_assert_nonnull (weak);
  quire_memory_unref (share);
  g_assert_cmpuint (allocator->releases, ==, 1);
  g_assert_null (weak);

  memory = quire_allocator_bind (QUIRE_ALLOCATOR (allocator), backing, NULL);
  g_assert_null (quire_allocator_get_state (QUIRE_ALLOCATOR (allocator), memory));
  quire_memory_unref (memory);
  g_assert_cmpuint (allocator->releases, ==, 2);
}

static void
test_over_share (void)
{
  g_autoptr (ScriptAllocator) allocator = script_allocator_new ();
  g_autoptr (QuireMemory) backing = quire_test_new (8, 32, 8);
  g_autoptr (QuireMemory) share = quire_memory_share (backing, 4, 16);
  g_autoptr (QuireMemory) memory = NULL;

  g_test_summary ("A block over a share shows what it shows, and is read-only as it is");

  memory = quire_allocator_bind (QUIRE_ALLOCATOR (allocator), share, NULL);
  quire_assert_sizes (memory, 0, 16, 16);
  quire_test_assert_shows (memory, 12, 16);
  quire_assert_refused (quire_memory_try_fill (memory, 0, -1, 0, &error), READ_ONLY);
  quire_assert_refused (quire_memory_try_fill (backing, 0, -1, 0, &error), BUSY, "1 share alive");
}

static QuireMemory *
make_over_other (ScriptAllocator *self, gsize size, const QuireAllocationParams *params, GError **error)
{
  g_autoptr (QuireMemory) below = quire_allocator_try_alloc (self->data, size, NULL, error);

  return quire_allocator_try_bind (QUIRE_ALLOCATOR (self), below, NULL, error);
}

static void
test_nested (void)
{
  g_autoptr (ScriptAllocator) below = script_allocator_new ();
  g_autoptr (ScriptAllocator) above = script_allocator_new ();
  QuireMemory *memory;

  g_test_summary ("A block over a block of another such allocator: that is mapped once, and told all");

  above->make = make_over_other;
  above->data = below;
  memory = script_alloc (above, 32);
  script_assert_log (above, "alloc");
  script_assert_log (below, "alloc mapped-to-write");
  g_assert_true (quire_memory_fill (memory, 0, -1, 1));
  script_assert_log (above, "mapped-to-write unmapped");
  script_assert_log (below, "");
  quire_memory_unref (memory);
  script_assert_log (below, "unmapped released");
  script_assert_log (above, "released");
}

static void
note_depth (ScriptAllocator *self,
            GObject         *state)
{
  /* From the inside out: of each the one below is gone. */
  g_assert_true (GPOINTER_TO_UINT (g_object_get_data (state, "depth")) == self->releases);
}

static void
test_deep (void)
{
  g_autoptr (ScriptAllocator) allocator = script_allocator_new ();
  QuireMemory *memory = quire_memory_new (8);

  g_test_summary ("Blocks over blocks over blocks go without a deep stack, the innermost first");

  allocator->on_released = note_depth;
  for (guint i = 0; i < 100000; i++)
    {
      g_autoptr (QuireMemory) below = memory;
      g_autoptr (GObject) state = g_object_new (G_TYPE_OBJECT, NULL);

      g_object_set_data (state, "depth", GUINT_TO_POINTER (i));
      memory = quire_allocator_bind (QUIRE_ALLOCATOR (allocator), below, state);
      g_assert_nonnull (memory);
      g_string_truncate (allocator->log, 0);
    }
  quire_memory_unref (memory);
  g_assert_cmpuint (allocator->releases, ==, 100000);
  g_assert_cmpuint (allocator->unmaps, ==, 99999);
}

/* One that has functions for structs of its own, but none to free them. */

typedef ScriptAllocator      OddAllocator;
typedef ScriptAllocatorClass OddAllocatorClass;

static GType odd_allocator_get_type (void);

G_DEFINE_TYPE (OddAllocator, odd_allocator, script_allocator_get_type ())

static gpointer
odd_map (QuireMemory *memory, QuireMapInfo *info, gsize maxsize, GError **error)
{
  g_assert_not_reached ();
}

static void
odd_unmap (QuireMemory *memory, QuireMapInfo *info)
{
  g_assert_not_reached ();
}

static QuireMemory *
odd_copy (QuireMemory *memory, gssize offset, gsize size, GError **error)
{
  g_assert_not_reached ();
}

static QuireMemory *
odd_share (QuireMemory *root, gsize offset, gsize size, GError **error)
{
  g_assert_not_reached ();
}

static gboolean
odd_is_span (QuireMemory *first, QuireMemory *second)
{
  g_assert_not_reached ();
}

static void
odd_allocator_class_init (OddAllocatorClass *klass)
{
  klass->mem_map_full = odd_map;
  klass->mem_unmap_full = odd_unmap;
  klass->mem_copy = odd_copy;
  klass->mem_share = odd_share;
  klass->mem_is_span = odd_is_span;
}

static void
odd_allocator_init (OddAllocator *self)
{
}

static void
test_odd (void)
{
  g_autoptr (ScriptAllocator) allocator = g_object_new (odd_allocator_get_type (), NULL);
  g_autoptr (QuireMemory) memory = script_alloc (allocator, 32);
  g_autoptr (QuireMemory) first = NULL;
  g_autoptr (QuireMemory) second = NULL;
  g_autoptr (QuireMemory) merged = NULL;
  g_autoptr (QuireMemory) copy = NULL;
  gsize copied;

  g_test_summary ("For a block that is bound no function is called that knows only its allocator's own");

  g_assert_true (quire_memory_fill (memory, 0, -1, 7));
  first = quire_memory_share (memory, 0, 16);
  second = quire_memory_share (memory, 16, 16);
  merged = quire_memory_try_merge (first, second, &copied, NULL);
  g_assert_nonnull (merged);
  g_assert_cmpuint (copied, ==, 0);
  copy = quire_memory_copy (merged, 0, -1);
  g_assert_true (quire_memory_is_type (copy, "system"));
  g_clear_pointer (&copy, quire_memory_unref);
  copy = quire_memory_copy (memory, 0, -1);
  g_assert_true (quire_memory_is_type (copy, "system"));
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/script-bind/life", test_life);
  g_test_add_func ("/script-bind/refused", test_bind_refused);
  g_test_add_func ("/script-bind/state", test_state);
  g_test_add_func ("/script-bind/over-share", test_over_share);
  g_test_add_func ("/script-bind/nested", test_nested);
  g_test_add_func ("/script-bind/deep", test_deep);
  g_test_add_func ("/script-bind/odd", test_odd);

  return g_test_run ();
}
