/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test.h"

/* The address of a block's data, which C must not use after the unmap, but a
 * script may still have. */
static guint8 *
address_of (QuireMemory *memory)
{
  QuireMapInfo info;
  guint8 *address;

  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  address = info.data;
  quire_memory_unmap (memory, &info);

  return address;
}

static void
test_close (void)
{
  guint dead = 0;
  QuireMemory *memory = quire_test_new (8, 64, 8);
  guint8 *address = address_of (memory);
  QuireMemory *stand_in;

  g_test_summary ("To close the last handle ends the block at once, and leaves its bytes in place");

  quire_memory_weak_ref (memory, quire_test_count_weak, &dead);
  g_assert_false (quire_memory_is_closed (memory));
  stand_in = quire_memory_close (memory);
  g_assert_cmpuint (dead, ==, 1);
  g_assert_true (quire_memory_is_closed (stand_in));
  quire_assert_sizes (stand_in, 0, 0, 0);
  g_assert_false (quire_memory_is_writable (stand_in));
  g_assert_null (quire_memory_get_parent (stand_in));

  quire_test_assert_pattern (address - 8, 80, 0);
  quire_memory_unref (stand_in);
}

static void
test_storage_goes (void)
{
  guint8 data[8];
  guint gone = 0;
  QuireMemory *memory, *stand_in, *second;

  g_test_summary ("The bytes go exactly once, with the stand-in or with the last other handle");

  memory = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NONE, data, 8, 0, 8, &gone, quire_test_count);
  stand_in = quire_memory_close (memory);
  g_assert_cmpuint (gone, ==, 0);
  quire_memory_unref (stand_in);
  g_assert_cmpuint (gone, ==, 1);

  memory = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NONE, data, 8, 0, 8, &gone, quire_test_count);
  stand_in = quire_memory_close (quire_memory_ref (memory));
  g_assert_false (quire_memory_is_closed (memory));
  quire_assert_granted (quire_memory_try_fill (memory, 0, -1, 1, &error));
  quire_memory_unref (stand_in);
  g_assert_cmpuint (gone, ==, 1);
  quire_memory_unref (memory);
  g_assert_cmpuint (gone, ==, 2);

  /* A stand-in is a block, and can be closed itself. */
  memory = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NONE, data, 8, 0, 8, &gone, quire_test_count);
  stand_in = quire_memory_close (memory);
  second = quire_memory_close (stand_in);
  g_assert_true (quire_memory_is_closed (second));
  g_assert_cmpuint (gone, ==, 2);
  quire_memory_unref (second);
  g_assert_cmpuint (gone, ==, 3);
}

static void
test_share (void)
{
  guint dead = 0;
  QuireMemory *root = quire_test_new (0, 64, 0);
  QuireMemory *share = quire_memory_share (root, 16, 16);
  guint8 *address = address_of (share);
  QuireMemory *stand_in;

  g_test_summary ("After the close of a share its root may be written, though the stand-in lives");

  quire_memory_weak_ref (share, quire_test_count_weak, &dead);
  g_assert_false (quire_memory_is_writable (root));
  stand_in = quire_memory_close (share);
  g_assert_cmpuint (dead, ==, 1);
  quire_assert_state (root, "free");
  g_assert_true (quire_memory_is_writable (root));
  quire_assert_granted (quire_memory_try_fill (root, 0, 16, 0, &error));

  quire_test_assert_pattern (address, 16, 16);
  quire_memory_unref (stand_in);
  quire_test_assert_pattern (address, 16, 16);
  quire_memory_unref (root);
}

static void
test_share_outlives_root (void)
{
  guint8 data[64];
  guint gone = 0;
  QuireMemory *root, *share, *stand_in;
  guint8 *address;

  g_test_summary ("The stand-in of a share keeps the root's bytes when all handles of both are gone");

  for (gsize i = 0; i < sizeof data; i++)
    data[i] = quire_test_byte (i);

  root = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NONE, data, 64, 0, 64, &gone, quire_test_count);
  share = quire_memory_share (root, 16, 16);
  stand_in = quire_memory_close (share);
  quire_memory_unref (root);
  g_assert_cmpuint (gone, ==, 0);
  quire_memory_unref (stand_in);
  g_assert_cmpuint (gone, ==, 1);

  /* The other way round: the root's handle goes first. */
  root = quire_test_new (0, 64, 0);
  share = quire_memory_share (root, 16, 16);
  address = address_of (share);
  quire_memory_unref (root);
  stand_in = quire_memory_close (share);
  quire_test_assert_pattern (address, 16, 16);
  quire_memory_unref (stand_in);
}

static void
test_closed_refuses (void)
{
  g_autoptr (QuireMemory) stand_in = quire_memory_close (quire_memory_new (64));
  g_autoptr (QuireMemory) other = quire_test_new (0, 8, 0);
  g_autoptr (QuireMapping) mapping = quire_memory_try_map (other, QUIRE_MAP_READ, NULL);
  g_autoptr (GInputStream) stream = g_memory_input_stream_new_from_data ("12345678", 8, NULL);
  QuireMemory *pair[] = { stand_in, other };
  QuireMapInfo info;
  guint8 byte = 0;
  gsize count;
  int order;

  g_test_summary ("Everything that can fail fails on a closed handle, and says that it was closed");

  quire_assert_refused (quire_memory_map_full (stand_in, &info, QUIRE_MAP_READ, &error), CLOSED);
  quire_assert_refused (quire_memory_map_full (stand_in, &info, QUIRE_MAP_WRITE, &error), CLOSED);
  quire_assert_refused (quire_memory_try_map (stand_in, QUIRE_MAP_READ, &error), CLOSED);
  quire_assert_refused (quire_memory_try_make_mapped (stand_in, QUIRE_MAP_WRITE, &error), CLOSED);
  quire_assert_refused (quire_memory_try_unmap (stand_in, mapping, &error), CLOSED);
  quire_assert_refused (quire_memory_try_lock (stand_in, QUIRE_MAP_READ, &error), CLOSED);
  quire_assert_refused (quire_memory_try_lock (stand_in, QUIRE_MAP_WRITE, &error), CLOSED);
  quire_assert_refused (quire_memory_try_lock (stand_in, QUIRE_MAP_EXCLUSIVE, &error), CLOSED);
  quire_assert_refused (quire_memory_try_resize (stand_in, 0, 0, &error), CLOSED);
  quire_assert_refused (quire_memory_try_share (stand_in, 0, -1, &error), CLOSED);
  quire_assert_refused (quire_memory_try_share (stand_in, 5, -1, &error), CLOSED);
  quire_assert_refused (quire_memory_try_copy (stand_in, 0, -1, &error), CLOSED);
  quire_assert_refused (quire_memory_try_make_writable (quire_memory_ref (stand_in), &error), CLOSED);
  quire_assert_refused (quire_memory_try_to_bytes (stand_in, &error), CLOSED);
  quire_assert_refused (quire_memory_try_fill (stand_in, 0, -1, 0, &error), CLOSED);
  quire_assert_refused (quire_memory_try_read (stand_in, 0, &byte, 0, &error), CLOSED);
  quire_assert_refused (quire_memory_try_read_bytes (stand_in, 0, -1, &error), CLOSED);
  quire_assert_refused (quire_memory_try_write (stand_in, 0, &byte, 0, &error), CLOSED);
  quire_assert_refused (quire_memory_try_compare (stand_in, other, &order, &error), CLOSED);
  quire_assert_refused (quire_memory_try_compare (other, stand_in, &order, &error), CLOSED);
  quire_assert_refused (quire_memory_try_merge (stand_in, other, &count, &error), CLOSED);
  quire_assert_refused (quire_memory_try_merge (other, stand_in, &count, &error), CLOSED);
  quire_assert_refused (quire_memory_try_merge (stand_in, stand_in, &count, &error), CLOSED);
  quire_assert_refused (quire_memory_merge_list (pair, 1, &count, &error), CLOSED);
  quire_assert_refused (quire_memory_merge_list (pair, 2, &count, &error), CLOSED);
  quire_assert_refused (quire_memory_read_from_stream (stand_in, 0, -1, stream, &count, NULL, &error),
                        CLOSED);

  g_assert_false (quire_memory_is_span (stand_in, stand_in, &count));
  quire_assert_state (stand_in, "free");
}

static void
test_closed_unlock (void)
{
  g_autoptr (QuireMemory) stand_in = quire_memory_close (quire_memory_new (64));

  g_test_summary ("Nor is there a lock to drop on a closed handle, for the same reason");

  quire_assert_refused (quire_memory_try_unlock (stand_in, QUIRE_MAP_READ, &error), CLOSED);
  quire_assert_refused (quire_memory_try_unlock (stand_in, QUIRE_MAP_EXCLUSIVE, &error), CLOSED);
  quire_assert_state (stand_in, "free");
}

static void
test_mapping_goes_on (void)
{
  guint8 *view;
  QuireMemory *memory = quire_test_new (0, 64, 0);
  QuireMapping *mapping = quire_memory_try_map (memory, QUIRE_MAP_READ, NULL);
  QuireMemory *stand_in;

  g_test_summary ("A mapping has a reference of its own, so a close does not end it");

  stand_in = quire_memory_close (memory);
  g_assert_true (quire_mapping_acquire_view (mapping, &view, NULL));
  quire_test_assert_pattern (view, 64, 0);
  quire_memory_unref (stand_in);
  quire_test_assert_pattern (view, 64, 0);
  quire_mapping_release_view (mapping);
  quire_mapping_release (mapping);
  quire_mapping_unref (mapping);
}

static void
test_late_call (void)
{
  guint8 data[64];
  guint gone = 0;
  QuireMemory *memory, *stand_in, *share, *merged;
  GBytes *bytes;

  g_test_summary ("A call that was given the block before its close brings it back to life in no way");

  memory = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NONE, data, 64, 0, 64, &gone, quire_test_count);
  stand_in = quire_memory_close (memory);

  /* As calls on another thread that have not come back: the block is dead, its
   * storage in place. What they return must not need the stand-in. */
  quire_assert_refused (quire_memory_try_map (memory, QUIRE_MAP_READ, &error), CLOSED);

  share = quire_memory_share (memory, 0, -1);
  bytes = quire_memory_to_bytes (memory);
  merged = quire_memory_merge_list (&memory, 1, NULL, NULL);

  quire_memory_unref (stand_in);
  if (share == NULL && bytes == NULL && merged == NULL)
    g_assert_cmpuint (gone, ==, 1);
  else
    g_assert_cmpuint (gone, ==, 0);
  g_clear_pointer (&share, quire_memory_unref);
  g_clear_pointer (&bytes, g_bytes_unref);
  g_clear_pointer (&merged, quire_memory_unref);
  g_assert_cmpuint (gone, ==, 1);
}

static void
test_has_only (void)
{
  QuireMemory *memory = quire_test_new (0, 64, 0);
  QuireMemory *share, *stand_in;
  QuireMapping *mapping;
  GBytes *bytes;

  g_test_summary ("A block that others refer to, in whatever way, has more than its handle");

  g_assert_true (quire_memory_has_only (memory, 1));
  g_assert_false (quire_memory_has_only (memory, 2));

  quire_memory_ref (memory);
  g_assert_false (quire_memory_has_only (memory, 1));
  g_assert_true (quire_memory_has_only (memory, 2));
  stand_in = quire_memory_close (memory);
  g_assert_false (quire_memory_has_only (memory, 1));
  quire_memory_unref (stand_in);
  g_assert_true (quire_memory_has_only (memory, 1));

  share = quire_memory_share (memory, 0, 1);
  g_assert_false (quire_memory_has_only (memory, 1));
  quire_memory_unref (share);

  bytes = quire_memory_to_bytes (memory);
  g_assert_false (quire_memory_has_only (memory, 1));
  g_bytes_unref (bytes);

  mapping = quire_memory_try_map (memory, QUIRE_MAP_READ, NULL);
  g_assert_false (quire_memory_has_only (memory, 1));
  quire_mapping_release (mapping);
  g_assert_false (quire_memory_has_only (memory, 1));
  quire_mapping_unref (mapping);
  g_assert_true (quire_memory_has_only (memory, 1));
  quire_memory_unref (memory);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/binding/has-only", test_has_only);
  g_test_add_func ("/binding/close", test_close);
  g_test_add_func ("/binding/storage-goes", test_storage_goes);
  g_test_add_func ("/binding/share", test_share);
  g_test_add_func ("/binding/share-outlives-root", test_share_outlives_root);
  g_test_add_func ("/binding/closed-refuses", test_closed_refuses);
  g_test_add_func ("/binding/closed-unlock", test_closed_unlock);
  g_test_add_func ("/binding/mapping-goes-on", test_mapping_goes_on);
  g_test_add_func ("/binding/late-call", test_late_call);

  return g_test_run ();
}
