/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <quire/quire.h>

static void
test_use (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (64);
  g_autoptr (QuireMemory) share = nullptr;
  g_autoptr (QuireMapping) mapping = nullptr;
  g_autoptr (GError) error = nullptr;

  g_test_summary ("C++ compiles the headers, links what they declare, and cleans up as C does");

  {
    g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;

    g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READWRITE));
    info.data[63] = 7;
  }

  share = quire_memory_share (memory, 60, 4);
  mapping = quire_memory_try_map (share, QUIRE_MAP_READ, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (quire_mapping_get_size (mapping), ==, 4);
  g_assert_false (quire_memory_try_fill (memory, 0, -1, 0, &error));
  g_assert_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_BUSY);
}

static void
test_types (void)
{
  g_autoptr (QuireAllocator) allocator = quire_allocator_find ("system");
  g_autoptr (QuireAllocationParams) params = quire_allocation_params_new ();
  g_autoptr (QuireMemory) memory = nullptr;

  g_test_summary ("The macros of the types, and the embedded struct, are good C++ too");

  params->align = 63;
  params->prefix = 3;
  memory = quire_allocator_alloc (allocator, 16, params);
  g_assert_true (QUIRE_IS_ALLOCATOR (memory->allocator));
  g_assert_true (QUIRE_ALLOCATOR_GET_CLASS (allocator)->alloc != nullptr);
  g_assert_cmpuint (memory->offset, ==, 3);
  g_assert_true (g_type_is_a (QUIRE_TYPE_MEMORY, G_TYPE_BOXED));
  static_assert (QUIRE_CHECK_VERSION (1, 0, 0), "the headers are of 1.0 or later");
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, nullptr);

  g_test_add_func ("/cplusplus/use", test_use);
  g_test_add_func ("/cplusplus/types", test_types);

  return g_test_run ();
}
