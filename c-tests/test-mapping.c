/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test.h"

/* Wraps bytes; @gone counts when they are given up. */
static QuireMemory *
wrap (guint8 *data,
      gsize   size,
      guint  *gone)
{
  return quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NONE, data, size, 0, size,
                                   gone, quire_test_count);
}

static QuireMapping *
map (QuireMemory *memory,
     guint        flags)
{
  QuireMapping *mapping = quire_memory_try_map (memory, (QuireMapFlags) flags, NULL);

  g_assert_nonnull (mapping);
  return mapping;
}

static void
test_map (void)
{
  g_autoptr (QuireMemory) memory = quire_test_new (16, 32, 8);
  g_autoptr (QuireMapping) mapping = NULL;

  g_test_summary ("A mapping tells what it maps, and ends once");

  mapping = map (memory, QUIRE_MAP_READWRITE);
  g_assert_true (quire_mapping_get_memory (mapping) == memory);
  g_assert_cmpint (quire_mapping_get_flags (mapping), ==, QUIRE_MAP_READWRITE);
  g_assert_cmpuint (quire_mapping_get_size (mapping), ==, 32);
  g_assert_cmpuint (quire_mapping_get_maxsize (mapping), ==, 40);
  g_assert_false (quire_mapping_is_released (mapping));
  quire_assert_state (memory, "1 READ+WRITE map");

  quire_assert_granted (quire_memory_try_unmap (memory, mapping, &error));
  g_assert_true (quire_mapping_is_released (mapping));
  quire_assert_state (memory, "free");

  quire_assert_refused (quire_memory_try_unmap (memory, mapping, &error), CLOSED, "32 bytes");
  quire_mapping_release (mapping);
  quire_assert_state (memory, "free");
}

static void
test_unmap_wrong (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (32);
  g_autoptr (QuireMemory) other = quire_memory_new (32);
  g_autoptr (QuireMapping) mapping = map (memory, QUIRE_MAP_READ);
  g_autoptr (QuireMapping) others = map (other, QUIRE_MAP_READ);

  g_test_summary ("A script that unmaps the wrong thing, or twice, gets an error and nothing else");

  quire_assert_refused (quire_memory_try_unmap (other, mapping, &error), FAILED, "32 bytes", "another block");
  quire_assert_state (memory, "1 READ map");
  quire_assert_state (other, "1 READ map");
  g_assert_false (quire_mapping_is_released (mapping));
  g_assert_false (quire_mapping_is_released (others));

  quire_assert_granted (quire_memory_try_unmap (memory, mapping, &error));
  g_assert_true (quire_memory_lock (memory, QUIRE_MAP_READ));
  for (guint i = 0; i < 3; i++)
    quire_assert_refused (quire_memory_try_unmap (memory, mapping, &error), CLOSED);
  quire_assert_state (memory, "1 READ map");
  quire_memory_unlock (memory, QUIRE_MAP_READ);
}

static void
test_references (void)
{
  guint8 data[8];
  guint gone = 0;
  QuireMemory *memory = wrap (data, 8, &gone);
  QuireMapping *mapping = map (memory, QUIRE_MAP_WRITE);
  QuireMapping *copy;

  g_test_summary ("A copy is a reference; the last one ends the mapping, which has kept the block");

  copy = g_boxed_copy (QUIRE_TYPE_MAPPING, mapping);
  g_assert_true (copy == mapping);
  g_boxed_free (QUIRE_TYPE_MAPPING, copy);
  g_assert_true (quire_mapping_ref (mapping) == mapping);
  quire_mapping_unref (mapping);
  quire_assert_state (memory, "1 WRITE map");
  quire_mapping_unref (mapping);
  quire_assert_state (memory, "free");

  mapping = map (memory, QUIRE_MAP_WRITE);
  quire_memory_unref (memory);
  g_assert_cmpuint (gone, ==, 0);
  memset (data, 1, sizeof data);
  quire_mapping_unref (mapping);
  g_assert_cmpuint (gone, ==, 1);
}

static void
test_refused (void)
{
  guint gone = 0;
  QuireMemory *memory = quire_memory_new (32);

  g_test_summary ("A refused mapping leaves neither lock nor reference");

  quire_memory_weak_ref (memory, quire_test_count_weak, &gone);
  g_assert_true (quire_memory_lock (memory, QUIRE_MAP_WRITE));
  quire_assert_refused (quire_memory_try_map (memory, QUIRE_MAP_READ, &error), BUSY, "1 WRITE map");
  quire_assert_refused (quire_memory_try_map (memory, QUIRE_MAP_NONE, &error), NOT_SUPPORTED, "0x0");
  quire_assert_state (memory, "1 WRITE map");
  quire_memory_unlock (memory, QUIRE_MAP_WRITE);
  quire_memory_unref (memory);
  g_assert_cmpuint (gone, ==, 1);
}

static void
test_views (void)
{
  g_autoptr (QuireMemory) memory = quire_test_new (16, 32, 0);
  g_autoptr (QuireMapping) mapping = map (memory, QUIRE_MAP_READ);
  guint8 *one, *two;

  g_test_summary ("While there are views nobody unmaps, and the message counts them");

  quire_assert_granted (quire_mapping_acquire_view (mapping, &one, &error));
  quire_assert_granted (quire_mapping_acquire_view (mapping, &two, &error));
  g_assert_true (one == two);
  quire_test_assert_pattern (one, 32, 16);

  quire_assert_refused (quire_memory_try_unmap (memory, mapping, &error), BUSY, "32 bytes", "2 views");
  quire_mapping_release_view (mapping);
  quire_assert_refused (quire_memory_try_unmap (memory, mapping, &error), BUSY, "1 view");
  quire_assert_state (memory, "1 READ map");
  g_assert_false (quire_mapping_is_released (mapping));

  quire_mapping_release_view (mapping);
  quire_assert_state (memory, "1 READ map");
  quire_assert_granted (quire_memory_try_unmap (memory, mapping, &error));
  quire_assert_state (memory, "free");

  one = NULL;
  quire_assert_refused (quire_mapping_acquire_view (mapping, &one, &error), CLOSED, "32 bytes");
}

static void
test_deferred_release (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (32);
  g_autoptr (QuireMapping) mapping = map (memory, QUIRE_MAP_READ);
  guint8 *data;

  g_test_summary ("A release under views takes place with the last of them");

  g_assert_true (quire_mapping_acquire_view (mapping, &data, NULL));
  g_assert_true (quire_mapping_acquire_view (mapping, &data, NULL));
  quire_mapping_release (mapping);
  quire_mapping_release (mapping);
  g_assert_true (quire_mapping_is_released (mapping));
  quire_assert_state (memory, "1 READ map");

  quire_assert_refused (quire_mapping_acquire_view (mapping, &data, &error), CLOSED);
  quire_assert_refused (quire_mapping_view_bytes (mapping, &error), CLOSED);
  quire_assert_refused (quire_memory_try_unmap (memory, mapping, &error), BUSY, "2 views");

  quire_mapping_release_view (mapping);
  quire_assert_state (memory, "1 READ map");
  quire_mapping_release_view (mapping);
  quire_assert_state (memory, "free");
  quire_assert_refused (quire_memory_try_unmap (memory, mapping, &error), CLOSED);
}

static void
test_view_keeps_mapping (void)
{
  guint8 bytes[8] = { 5, };
  guint gone = 0;
  QuireMemory *memory = wrap (bytes, 8, &gone);
  QuireMapping *mapping = map (memory, QUIRE_MAP_READ);
  guint8 *data;

  g_test_summary ("A view outlives every other reference on mapping and block");

  g_assert_true (quire_mapping_acquire_view (mapping, &data, NULL));
  quire_mapping_unref (mapping);
  quire_assert_state (memory, "1 READ map");
  quire_memory_unref (memory);
  g_assert_cmpuint (gone, ==, 0);
  g_assert_true (data == bytes);
  quire_mapping_release_view (mapping);
  g_assert_cmpuint (gone, ==, 1);
}

static void
test_unlock_too_many (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (32);
  QuireMapping *mapping;

  g_test_summary ("A script can't drop the lock of a mapping: an unlock too many is refused");

  for (guint i = 0; i < 2; i++)
    {
      mapping = map (memory, QUIRE_MAP_READ);
      quire_assert_refused (quire_memory_try_unlock (memory, QUIRE_MAP_READ, &error), FAILED);
      quire_assert_state (memory, "1 READ map");
      if (i == 0)
        quire_mapping_release (mapping);
      quire_mapping_unref (mapping);
      quire_assert_state (memory, "free");
    }
  quire_assert_granted (quire_memory_try_fill (memory, 0, -1, 1, &error));
}

static void
test_no_view_to_release (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (32);
  g_autoptr (QuireMapping) mapping = map (memory, QUIRE_MAP_READ);

  g_test_summary ("To end a view that isn't there is reported, and changes nothing");

  quire_test_expect_critical ("*STATE_VIEWS*");
  quire_mapping_release_view (mapping);
  g_test_assert_expected_messages ();
  quire_assert_state (memory, "1 READ map");
  g_assert_false (quire_mapping_is_released (mapping));
}

static void
test_released_keeps_storage (void)
{
  guint8 *address;
  guint dead = 0;
  QuireMemory *memory = quire_test_new (0, 4096, 0);
  QuireMapping *mapping = map (memory, QUIRE_MAP_READ);

  g_test_summary ("A released mapping keeps the bytes in place, but not the block alive");

  g_assert_true (quire_mapping_acquire_view (mapping, &address, NULL));
  quire_mapping_release_view (mapping);
  quire_memory_weak_ref (memory, quire_test_count_weak, &dead);

  quire_mapping_release (mapping);
  g_assert_true (quire_mapping_dup_memory (mapping) == memory);
  quire_memory_unref (memory);
  quire_assert_state (memory, "free");
  g_assert_cmpuint (dead, ==, 0);

  quire_memory_unref (memory);
  g_assert_cmpuint (dead, ==, 1);
  quire_test_assert_pattern (address, 4096, 0);
  g_assert_null (quire_mapping_dup_memory (mapping));
  g_assert_cmpuint (quire_mapping_get_size (mapping), ==, 4096);
  quire_mapping_unref (mapping);
}

static void
test_released_storage_goes (void)
{
  guint8 bytes[8];
  guint gone = 0;
  QuireMemory *memory = wrap (bytes, 8, &gone);
  QuireMapping *mapping = map (memory, QUIRE_MAP_WRITE);
  QuireMapping *second = map (memory, QUIRE_MAP_WRITE);

  g_test_summary ("The bytes go exactly once, with the last of block and released mappings");

  quire_mapping_release (mapping);
  g_assert_true (quire_memory_try_unmap (memory, second, NULL));
  quire_memory_unref (memory);
  g_assert_cmpuint (gone, ==, 0);
  quire_mapping_unref (mapping);
  g_assert_cmpuint (gone, ==, 0);
  quire_mapping_unref (second);
  g_assert_cmpuint (gone, ==, 1);

  memory = wrap (bytes, 8, &gone);
  mapping = map (memory, QUIRE_MAP_WRITE);
  quire_mapping_release (mapping);
  quire_mapping_unref (mapping);
  g_assert_cmpuint (gone, ==, 1);
  quire_memory_unref (memory);
  g_assert_cmpuint (gone, ==, 2);
}

static void
test_released_share (void)
{
  guint8 *address;
  guint dead = 0;
  QuireMemory *root = quire_test_new (0, 64, 0);
  QuireMemory *share = quire_memory_share (root, 16, 16);
  QuireMapping *mapping = map (share, QUIRE_MAP_READ);

  g_test_summary ("A released mapping of a share keeps the root's bytes, and no share alive");

  g_assert_true (quire_mapping_acquire_view (mapping, &address, NULL));
  quire_mapping_release_view (mapping);
  quire_memory_weak_ref (root, quire_test_count_weak, &dead);

  quire_mapping_release (mapping);
  quire_memory_unref (share);
  quire_assert_state (root, "free");
  quire_assert_granted (quire_memory_try_fill (root, 0, 16, 0, &error));
  quire_memory_unref (root);
  g_assert_cmpuint (dead, ==, 1);
  quire_test_assert_pattern (address, 16, 16);
  quire_mapping_unref (mapping);
}

static void
test_view_bytes (void)
{
  guint8 data[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
  guint gone = 0;
  QuireMemory *memory = wrap (data, 8, &gone);
  QuireMapping *mapping = map (memory, QUIRE_MAP_READWRITE);
  GBytes *bytes;
  gsize size;

  g_test_summary ("Bytes of a mapping are the data itself; they keep it, and take no lock");

  bytes = quire_mapping_view_bytes (mapping, NULL);
  g_assert_nonnull (bytes);
  g_assert_true (g_bytes_get_data (bytes, &size) == data);
  g_assert_cmpuint (size, ==, 8);

  quire_assert_granted (quire_memory_try_unmap (memory, mapping, &error));
  quire_assert_state (memory, "free");
  quire_assert_refused (quire_mapping_view_bytes (mapping, &error), CLOSED, "8 bytes");
  quire_assert_granted (quire_memory_try_fill (memory, 0, 1, 99, &error));
  g_assert_cmpuint (((const guint8 *) g_bytes_get_data (bytes, NULL))[0], ==, 99);

  quire_mapping_unref (mapping);
  quire_memory_unref (memory);
  g_assert_cmpuint (gone, ==, 0);
  g_bytes_unref (bytes);
  g_assert_cmpuint (gone, ==, 1);
}

static void
test_make_mapped (void)
{
  g_autoptr (QuireMemory) memory = quire_test_new (0, 32, 0);
  g_autoptr (QuireMapping) direct = NULL;
  g_autoptr (QuireMapping) copied = NULL;
  g_autoptr (QuireMemory) share = NULL;
  g_autoptr (QuireMemory) mapped = NULL;
  guint8 *data;

  g_test_summary ("make_mapped() copies only if the direct map is refused, and says why both fail");

  direct = quire_memory_try_make_mapped (memory, QUIRE_MAP_READ, NULL);
  g_assert_nonnull (direct);
  g_assert_true (quire_mapping_get_memory (direct) == memory);
  quire_mapping_release (direct);

  share = quire_memory_share (memory, 8, 8);
  copied = quire_memory_try_make_mapped (share, QUIRE_MAP_WRITE, NULL);
  g_assert_nonnull (copied);
  mapped = quire_mapping_dup_memory (copied);
  g_assert_true (mapped != share && mapped != memory);
  g_assert_true (quire_mapping_acquire_view (copied, &data, NULL));
  quire_test_assert_pattern (data, 8, 8);
  memset (data, 0, 8);
  quire_mapping_release_view (copied);
  quire_test_assert_shows (share, 8, 8);

  g_clear_pointer (&share, quire_memory_unref);
  g_assert_true (quire_memory_lock (memory, QUIRE_MAP_WRITE));
  quire_assert_refused (quire_memory_try_make_mapped (memory, QUIRE_MAP_READ, &error),
                        BUSY, "1 WRITE map");
  quire_memory_unlock (memory, QUIRE_MAP_WRITE);
  quire_assert_refused (quire_memory_try_make_mapped (memory, QUIRE_MAP_NONE, &error),
                        NOT_SUPPORTED, "0x0");
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/mapping/map", test_map);
  g_test_add_func ("/mapping/unmap-wrong", test_unmap_wrong);
  g_test_add_func ("/mapping/references", test_references);
  g_test_add_func ("/mapping/refused", test_refused);
  g_test_add_func ("/mapping/views", test_views);
  g_test_add_func ("/mapping/deferred-release", test_deferred_release);
  g_test_add_func ("/mapping/view-keeps-mapping", test_view_keeps_mapping);
  g_test_add_func ("/mapping/unlock-too-many", test_unlock_too_many);
  g_test_add_func ("/mapping/no-view-to-release", test_no_view_to_release);
  g_test_add_func ("/mapping/released-keeps-storage", test_released_keeps_storage);
  g_test_add_func ("/mapping/released-storage-goes", test_released_storage_goes);
  g_test_add_func ("/mapping/released-share", test_released_share);
  g_test_add_func ("/mapping/view-bytes", test_view_bytes);
  g_test_add_func ("/mapping/make-mapped", test_make_mapped);

  return g_test_run ();
}
