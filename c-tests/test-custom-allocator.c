/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test-allocator.h"
#include "quire-unmapping-allocator.h"

/* Maps with user_data and errors; the plain functions must not be called. */
typedef TestAllocator FullAllocator;
typedef TestAllocatorClass FullAllocatorClass;

static GType full_allocator_get_type (void);

G_DEFINE_TYPE (FullAllocator, full_allocator, maps_allocator_get_type ())

static gpointer
full_allocator_map (QuireMemory  *memory,
                    QuireMapInfo *info,
                    gsize         maxsize,
                    GError      **error)
{
  TestAllocator *self = TEST_ALLOCATOR (memory->allocator);

  self->maps += 1000;
  self->last_flags = info->flags;
  self->last_maxsize = maxsize;
  for (guint i = 0; i < G_N_ELEMENTS (info->user_data); i++)
    info->user_data[i] = &self->parent_instance;
  if (test_allocator_fail (self, error))
    return NULL;

  return TEST_MEMORY (memory)->data;
}

static void
full_allocator_unmap (QuireMemory  *memory,
                      QuireMapInfo *info)
{
  for (guint i = 0; i < G_N_ELEMENTS (info->user_data); i++)
    g_assert_true (info->user_data[i] == memory->allocator);
  TEST_ALLOCATOR (memory->allocator)->unmaps += 1000;
}

static void
full_allocator_class_init (FullAllocatorClass *klass)
{
  klass->mem_map_full = full_allocator_map;
  klass->mem_unmap_full = full_allocator_unmap;
}

static void
full_allocator_init (FullAllocator *self)
{
}

static void
test_map (void)
{
  g_autoptr (TestAllocator) allocator = g_object_new (maps_allocator_get_type (), NULL);
  g_autoptr (QuireMemory) memory = test_allocator_block (allocator, 8, 32, 8);
  const guint flags = QUIRE_MAP_WRITE | QUIRE_MAP_LAST << 1;
  QuireMapInfo info;

  g_test_summary ("The allocator gives the start of the block, the library finds the data in it");

  g_assert_true (quire_memory_is_type (memory, "test"));
  g_assert_true (quire_memory_map (memory, &info, (QuireMapFlags) flags));
  g_assert_true (info.data == TEST_MEMORY (memory)->data + 8);
  g_assert_cmpuint (info.size, ==, 32);
  g_assert_cmpuint (info.maxsize, ==, 40);
  g_assert_cmpuint (allocator->last_maxsize, ==, 48);
  g_assert_cmpuint (allocator->last_flags, ==, flags);
  g_assert_cmpuint (allocator->maps, ==, 1);
  g_assert_cmpuint (allocator->unmaps, ==, 0);
  quire_memory_unmap (memory, &info);
  g_assert_cmpuint (allocator->unmaps, ==, 1);
  quire_assert_state (memory, "free");

  g_assert_true (quire_memory_is_aligned (memory, 0));
  g_assert_cmpuint (allocator->maps, ==, allocator->unmaps);
}

static void
test_lock_before_map (void)
{
  g_autoptr (TestAllocator) allocator = g_object_new (maps_allocator_get_type (), NULL);
  g_autoptr (QuireMemory) memory = test_allocator_block (allocator, 8, 32, 8);
  QuireMapInfo info;

  g_test_summary ("No allocator is asked for a map that the lock refuses");

  g_assert_true (quire_memory_lock (memory, QUIRE_MAP_READ));
  quire_assert_refused (quire_memory_map_full (memory, &info, QUIRE_MAP_WRITE, &error), BUSY);
  quire_assert_refused (quire_memory_map_full (memory, &info, QUIRE_MAP_NONE, &error), NOT_SUPPORTED);
  g_assert_cmpuint (allocator->maps, ==, 0);
  quire_memory_unlock (memory, QUIRE_MAP_READ);
}

static void
test_map_fails (void)
{
  g_autoptr (TestAllocator) allocator = g_object_new (maps_allocator_get_type (), NULL);
  g_autoptr (QuireMemory) memory = test_allocator_block (allocator, 8, 32, 8);
  g_autoptr (QuireMemory) share = quire_memory_share (memory, 0, 8);
  QuireMapInfo info;

  g_test_summary ("An allocator that never maps: an error, the info cleared, the lock free, no unmap");

  allocator->fault = GIVES_NULL;
  quire_assert_refused (quire_memory_map_full (memory, &info, QUIRE_MAP_READ, &error),
                        FAILED, "allocator test", "48 bytes");
  quire_test_assert_cleared (&info);
  quire_assert_state (memory, "1 share alive");
  quire_assert_refused (quire_memory_map_full (share, &info, QUIRE_MAP_READ, &error), FAILED);
  quire_assert_state (share, "free");
  quire_assert_refused (quire_memory_try_map (memory, QUIRE_MAP_READ, &error), FAILED);
  quire_assert_refused (quire_memory_try_copy (memory, 0, -1, &error), FAILED);
  quire_assert_refused (quire_memory_try_to_bytes (memory, &error), FAILED);
  g_assert_false (quire_memory_is_aligned (memory, 0));
  g_clear_pointer (&share, quire_memory_unref);
  quire_assert_refused (quire_memory_try_fill (memory, 0, -1, 0, &error), FAILED);
  quire_assert_state (memory, "free");
  g_assert_cmpuint (allocator->unmaps, ==, 0);

  allocator->fault = RIGHT;
  quire_assert_granted (quire_memory_try_fill (memory, 0, -1, 0, &error));
}

static void
test_no_map (void)
{
  g_autoptr (TestAllocator) allocator = g_object_new (test_allocator_get_type (), NULL);
  g_autoptr (QuireMemory) memory = test_allocator_block (allocator, 8, 32, 8);
  g_autoptr (QuireMemory) share = NULL;
  QuireMapInfo info;

  g_test_summary ("An allocator with alloc and free only can be shared, and says that it can't be mapped");

  quire_assert_refused (quire_memory_map_full (memory, &info, QUIRE_MAP_READ, &error),
                        FAILED, "allocator test");
  quire_assert_state (memory, "free");
  share = quire_memory_share (memory, 0, -1);
  g_assert_nonnull (share);
}

static void
test_map_full (void)
{
  g_autoptr (TestAllocator) allocator = g_object_new (full_allocator_get_type (), NULL);
  g_autoptr (QuireMemory) memory = test_allocator_block (allocator, 8, 32, 8);
  QuireMapping *mapping;
  QuireMapInfo info;

  g_test_summary ("map_full() wins over map(), and what it keeps in user_data comes back at the unmap");

  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READWRITE));
  g_assert_true (info.user_data[3] == allocator);
  g_assert_cmpint (allocator->last_flags, ==, QUIRE_MAP_READWRITE);
  g_assert_cmpuint (allocator->last_maxsize, ==, 48);
  g_assert_true (info.data == TEST_MEMORY (memory)->data + 8);
  quire_memory_unmap (memory, &info);
  quire_test_assert_cleared (&info);
  g_assert_cmpuint (allocator->maps, ==, 1000);
  g_assert_cmpuint (allocator->unmaps, ==, 1000);

  /* A mapping unmaps when nobody can have its address any more. */
  mapping = quire_memory_try_map (memory, QUIRE_MAP_READ, NULL);
  quire_mapping_release (mapping);
  g_assert_cmpuint (allocator->unmaps, ==, 1000);
  quire_mapping_unref (mapping);
  g_assert_cmpuint (allocator->unmaps, ==, 2000);
}

static void
test_map_full_fails (void)
{
  g_autoptr (TestAllocator) allocator = g_object_new (full_allocator_get_type (), NULL);
  g_autoptr (QuireMemory) memory = test_allocator_block (allocator, 8, 32, 8);
  g_autoptr (GError) reason = NULL;
  QuireMapInfo info;

  g_test_summary ("The allocator's reason comes through; without one there is FAILED; user_data is cleared");

  allocator->fault = GIVES_ERROR;
  g_assert_false (quire_memory_map_full (memory, &info, QUIRE_MAP_READ, &reason));
  g_assert_error (reason, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  quire_test_assert_cleared (&info);
  quire_assert_state (memory, "free");
  g_assert_false (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  g_clear_error (&reason);

  g_assert_null (quire_memory_try_map (memory, QUIRE_MAP_READ, &reason));
  g_assert_error (reason, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  quire_assert_state (memory, "free");

  /* An address and an error: never both. */
  g_clear_error (&reason);
  allocator->fault = GIVES_BOTH;
  g_assert_true (quire_memory_map_full (memory, &info, QUIRE_MAP_READ, &reason) == (reason == NULL));
  quire_map_info_clear (&info);
  quire_assert_state (memory, "free");
  allocator->unmaps = 0;

  allocator->fault = GIVES_NULL;
  quire_assert_refused (quire_memory_map_full (memory, &info, QUIRE_MAP_READ, &error),
                        FAILED, "allocator test");
  g_assert_cmpuint (allocator->unmaps, ==, 0);
}

static void
test_window (void)
{
  g_autoptr (TestAllocator) allocator = g_object_new (full_allocator_get_type (), NULL);
  QuireMemory *memory = test_allocator_block (allocator, 8, 32, 8);
  QuireMemory *share = quire_memory_share (memory, -4, 20);
  QuireMemory *inner = quire_memory_share (share, 4, 8);
  g_autoptr (QuireMemory) merged = NULL;
  QuireMapInfo info;
  gsize copied = 99;

  g_test_summary ("Without mem_share() a share is a window of the library, mapped as its root is");

  g_assert_true (quire_memory_get_allocator (share) == quire_memory_get_allocator (memory));
  g_assert_true (quire_memory_get_parent (inner) == memory);
  quire_test_assert_shows (share, 4, 20);
  quire_test_assert_shows (inner, 8, 8);
  g_assert_true (quire_memory_map (inner, &info, QUIRE_MAP_READ));
  g_assert_true (info.memory == inner);
  g_assert_true (info.data == TEST_MEMORY (memory)->data + 8);
  quire_memory_unmap (inner, &info);
  g_assert_cmpuint (allocator->maps, ==, allocator->unmaps);

  quire_memory_unref (memory);
  g_assert_cmpuint (allocator->frees, ==, 0);
  {
    g_autoptr (QuireMemory) next = quire_memory_share (share, 12, 8);

    quire_assert_granted ((merged = quire_memory_try_merge (inner, next, &copied, &error)));
    g_assert_cmpuint (copied, ==, 0);
  }
  quire_test_assert_shows (merged, 8, 16);
  quire_memory_unref (share);
  quire_memory_unref (inner);
  g_assert_cmpuint (allocator->frees, ==, 0);
  g_clear_pointer (&merged, quire_memory_unref);
  g_assert_cmpuint (allocator->frees, ==, 1);
}

static void
test_window_closed (void)
{
  g_autoptr (TestAllocator) allocator = g_object_new (full_allocator_get_type (), NULL);
  QuireMemory *memory = test_allocator_block (allocator, 8, 32, 8);
  QuireMemory *share = quire_memory_share (memory, 0, 8);
  QuireMapping *mapping = quire_memory_try_map (share, QUIRE_MAP_READ, NULL);
  QuireMemory *stand_in;
  guint8 *data;

  g_test_summary ("A window that was closed under a released mapping keeps the allocator's block in place");

  g_assert_true (quire_mapping_acquire_view (mapping, &data, NULL));
  quire_mapping_release_view (mapping);
  quire_mapping_release (mapping);
  stand_in = quire_memory_close (share);
  quire_memory_unref (memory);
  quire_memory_unref (stand_in);
  g_assert_cmpuint (allocator->frees, ==, 0);
  g_assert_cmpuint (allocator->unmaps, ==, 0);
  quire_test_assert_pattern (data, 8, 8);
  quire_mapping_unref (mapping);
  g_assert_cmpuint (allocator->unmaps, ==, 1000);
  g_assert_cmpuint (allocator->frees, ==, 1);
}

static void
test_window_copy (void)
{
  g_autoptr (TestAllocator) allocator = g_object_new (maps_allocator_get_type (), NULL);
  g_autoptr (QuireMemory) memory = test_allocator_block (allocator, 8, 32, 8);
  g_autoptr (QuireMemory) share = quire_memory_share (memory, 4, 8);
  g_autoptr (QuireMemory) copy = NULL;

  g_test_summary ("Without mem_copy() the bytes are copied under a map, into the default allocator");

  quire_assert_granted ((copy = quire_memory_try_copy (share, -12, -1, &error)));
  g_assert_true (quire_memory_is_type (copy, "system"));
  quire_test_assert_shows (copy, 0, 20);
  g_assert_cmpuint (allocator->maps, ==, allocator->unmaps);
}

/* What a script does that keeps an address and no view. */
static guint8 *
look_at (QuireMemory  *memory,
         QuireMapFlags flags)
{
  QuireMapping *mapping = quire_memory_try_map (memory, flags, NULL);
  guint8 *data, *again;

  g_assert_nonnull (mapping);
  g_assert_true (quire_mapping_acquire_view (mapping, &data, NULL));
  g_assert_true (quire_mapping_acquire_view (mapping, &again, NULL));
  g_assert_true (again == data);
  quire_mapping_release_view (mapping);
  quire_mapping_release_view (mapping);
  quire_mapping_unref (mapping);

  return data;
}

static void
test_kept_addresses (gconstpointer data)
{
  g_autoptr (QuireAllocator) allocator = unmapping_allocator_new (GPOINTER_TO_INT (data));
  QuireAllocationParams params;
  QuireMemory *memory, *share;
  guint8 *reading, *writing, *both, *sharing;

  g_test_summary ("An address that a script had is good until the block is freed, with its protection");

  quire_allocation_params_init (&params);
  params.prefix = 16;
  memory = quire_allocator_alloc (allocator, 4096, &params);

  reading = look_at (memory, QUIRE_MAP_READ);
  writing = look_at (memory, QUIRE_MAP_WRITE);
  both = look_at (memory, QUIRE_MAP_READWRITE);
  g_assert_true (quire_memory_fill (memory, 0, -1, 1));
  writing[0] = 2;
  both[1] = 3;
  g_assert_cmpuint (reading[0] + reading[1] + reading[2], ==, 2 + 3 + 1);

  /* However often it is looked at, there are no more of them. */
  for (guint i = 0; i < 100; i++)
    {
      g_assert_true (look_at (memory, QUIRE_MAP_READ) == reading);
      g_assert_true (look_at (memory, QUIRE_MAP_READ | QUIRE_MAP_UNIQUE) == reading);
      g_assert_true (look_at (memory, QUIRE_MAP_WRITE) == writing);
      g_assert_true (look_at (memory, QUIRE_MAP_READWRITE) == both);
    }
  g_assert_cmpuint (unmapping_allocator_counts ().standing, ==, 3);
  quire_assert_state (memory, "free");

  /* The window of a share is at the address of its parent. */
  g_assert_true (quire_memory_resize (memory, 8, 100));
  g_assert_true (look_at (memory, QUIRE_MAP_READ) == reading + 8);
  share = quire_memory_share (memory, 10, 20);
  sharing = look_at (share, QUIRE_MAP_READ);
  g_assert_true (sharing == reading + 18);
  quire_memory_unref (memory);
  g_assert_cmpuint (sharing[0], ==, 1);
  quire_memory_unref (share);
  g_assert_cmpuint (unmapping_allocator_counts ().standing, ==, 0);
}

static void
test_kept_for_a_closed_handle (gconstpointer data)
{
  g_autoptr (QuireAllocator) allocator = unmapping_allocator_new (GPOINTER_TO_INT (data));
  QuireMemory *memory = quire_allocator_alloc (allocator, 4096, NULL);
  guint8 *address = look_at (memory, QUIRE_MAP_READWRITE);
  QuireMemory *stand_in = quire_memory_close (memory);

  g_test_summary ("An address stays good while the stand-in of a closed handle is there");

  address[0] = 5;
  g_assert_cmpuint (address[0], ==, 5);
  quire_memory_unref (stand_in);
  g_assert_cmpuint (unmapping_allocator_counts ().standing, ==, 0);
}

static void
test_nothing_kept_without_a_view (void)
{
  g_autoptr (QuireAllocator) allocator = unmapping_allocator_new (UNMAPPING_EACH);
  g_autoptr (QuireMemory) memory = quire_allocator_alloc (allocator, 4096, NULL);
  g_autoptr (QuireMapping) mapping = quire_memory_try_map (memory, QUIRE_MAP_READ, NULL);

  g_test_summary ("A map that nobody has had a view of is unmapped when it ends");

  g_assert_cmpuint (unmapping_allocator_counts ().standing, ==, 1);
  g_clear_pointer (&mapping, quire_mapping_unref);
  g_assert_true (quire_memory_fill (memory, 0, -1, 1));
  g_assert_cmpuint (unmapping_allocator_counts ().standing, ==, 0);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/custom-allocator/map", test_map);
  g_test_add_data_func ("/custom-allocator/kept/each", GINT_TO_POINTER (UNMAPPING_EACH), test_kept_addresses);
  g_test_add_data_func ("/custom-allocator/kept/together", GINT_TO_POINTER (UNMAPPING_TOGETHER), test_kept_addresses);
  g_test_add_data_func ("/custom-allocator/kept/closed", GINT_TO_POINTER (UNMAPPING_EACH), test_kept_for_a_closed_handle);
  g_test_add_func ("/custom-allocator/kept/no-view", test_nothing_kept_without_a_view);
  g_test_add_func ("/custom-allocator/lock-before-map", test_lock_before_map);
  g_test_add_func ("/custom-allocator/map-fails", test_map_fails);
  g_test_add_func ("/custom-allocator/no-map", test_no_map);
  g_test_add_func ("/custom-allocator/map-full", test_map_full);
  g_test_add_func ("/custom-allocator/map-full-fails", test_map_full_fails);
  g_test_add_func ("/custom-allocator/window", test_window);
  g_test_add_func ("/custom-allocator/window-closed", test_window_closed);
  g_test_add_func ("/custom-allocator/window-copy", test_window_copy);

  return g_test_run ();
}
