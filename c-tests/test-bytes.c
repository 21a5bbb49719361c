/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test.h"

static void
test_new_from_bytes (void)
{
  guint8 data[16] = { 1, 2, 3, };
  guint gone = 0;
  GBytes *bytes = g_bytes_new_with_free_func (data, 16, quire_test_count, &gone);
  QuireMemory *memory = quire_memory_new_from_bytes (bytes);
  QuireMapInfo info;

  g_test_summary ("A block over bytes is these bytes, read-only, and holds them");

  g_bytes_unref (bytes);
  g_assert_cmpuint (gone, ==, 0);
  quire_assert_sizes (memory, 0, 16, 16);
  g_assert_cmpuint (quire_memory_get_flags (memory), ==, QUIRE_MEMORY_FLAG_READONLY);
  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  g_assert_true (info.data == data);
  quire_memory_unmap (memory, &info);
  quire_assert_refused (quire_memory_try_fill (memory, 0, -1, 0, &error), READ_ONLY, "16 bytes");

  quire_memory_unref (memory);
  g_assert_cmpuint (gone, ==, 1);
}

static void
test_new_from_empty (void)
{
  g_autoptr (GBytes) bytes = g_bytes_new (NULL, 0);
  g_autoptr (QuireMemory) memory = quire_memory_new_from_bytes (bytes);
  g_autoptr (GBytes) back = NULL;

  g_test_summary ("No bytes make an empty block, and that makes no bytes");

  g_assert_nonnull (memory);
  quire_assert_sizes (memory, 0, 0, 0);
  quire_assert_granted ((back = quire_memory_try_to_bytes (memory, &error)));
  g_assert_cmpuint (g_bytes_get_size (back), ==, 0);
}

static void
test_to_bytes (void)
{
  g_autoptr (QuireMemory) memory = quire_test_new (16, 32, 8);
  g_autoptr (GBytes) part = NULL;
  GBytes *bytes = quire_memory_to_bytes (memory);
  QuireMapInfo info;
  gsize size;

  g_test_summary ("Bytes of a block are the valid range itself, and count as a share");

  g_assert_nonnull (bytes);
  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  g_assert_true (g_bytes_get_data (bytes, &size) == info.data);
  g_assert_cmpuint (size, ==, 32);
  quire_memory_unmap (memory, &info);

  quire_assert_state (memory, "1 share alive");
  g_assert_false (quire_memory_is_writable (memory));
  quire_assert_refused (quire_memory_try_fill (memory, 0, -1, 0, &error), BUSY, "1 share alive");

  /* Bytes of the bytes keep it so. */
  part = g_bytes_new_from_bytes (bytes, 4, 4);
  g_bytes_unref (bytes);
  quire_assert_state (memory, "1 share alive");
  quire_test_assert_pattern (g_bytes_get_data (part, NULL), 4, 20);
  g_clear_pointer (&part, g_bytes_unref);
  quire_assert_state (memory, "free");
  quire_assert_granted (quire_memory_try_fill (memory, 0, -1, 0, &error));
}

static void
test_refused (void)
{
  static guint8 data[8];
  g_autoptr (QuireMemory) memory = quire_memory_new (32);
  g_autoptr (QuireMemory) not_mappable = NULL;

  g_test_summary ("Who may write keeps bytes from being had, and a refusal leaves no share behind");

  g_assert_true (quire_memory_lock (memory, QUIRE_MAP_WRITE));
  quire_assert_refused (quire_memory_try_to_bytes (memory, &error), BUSY, "32 bytes", "1 WRITE map");
  g_assert_null (quire_memory_to_bytes (memory));
  quire_memory_unlock (memory, QUIRE_MAP_WRITE);
  quire_assert_state (memory, "free");

  not_mappable = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NOT_MAPPABLE, data, 8, 0, 8, NULL, NULL);
  quire_assert_refused (quire_memory_try_to_bytes (not_mappable, &error), NOT_MAPPABLE, "8 bytes");
  quire_assert_state (not_mappable, "free");
}

static void
test_outlives (void)
{
  guint dead = 0;
  QuireMemory *memory = quire_test_new (0, 4096, 0);
  GBytes *bytes = quire_memory_to_bytes (memory);

  g_test_summary ("Bytes keep the block alive");

  quire_memory_weak_ref (memory, quire_test_count_weak, &dead);
  quire_memory_unref (memory);
  g_assert_cmpuint (dead, ==, 0);
  quire_test_assert_pattern (g_bytes_get_data (bytes, NULL), 4096, 0);
  g_bytes_unref (bytes);
  g_assert_cmpuint (dead, ==, 1);
}

static void
test_there_and_back (void)
{
  g_autoptr (QuireMemory) memory = quire_test_new (0, 32, 0);
  g_autoptr (QuireMemory) share = quire_memory_share (memory, 8, 16);
  g_autoptr (GBytes) bytes = quire_memory_to_bytes (share);
  g_autoptr (QuireMemory) back = quire_memory_new_from_bytes (bytes);
  g_autoptr (GBytes) again = quire_memory_to_bytes (back);

  g_test_summary ("From block to bytes and back nothing is copied, of a share neither");

  g_assert_true (g_bytes_get_data (bytes, NULL) == g_bytes_get_data (again, NULL));
  quire_assert_state (memory, "2 shares alive");
  quire_test_assert_shows (back, 8, 16);
}

static void
test_not_the_bytes (void)
{
  guint8 data[32];
  GBytes *bytes;
  g_autoptr (QuireMemory) piece = NULL;
  g_autoptr (QuireMemory) writable = NULL;
  g_autoptr (QuireMemory) not_shareable = NULL;
  g_autoptr (GBytes) of_piece = NULL;
  g_autoptr (GBytes) of_writable = NULL;

  g_test_summary ("A block that a caller wrapped, with bytes to hold, is not taken for these bytes");

  for (gsize i = 0; i < sizeof data; i++)
    data[i] = quire_test_byte (i);
  bytes = g_bytes_new_static (data, sizeof data);

  /* The data lies within the bytes, but they are not the same. */
  piece = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_READONLY, data + 8, 16, 4, 8,
                                    g_bytes_ref (bytes), (GDestroyNotify) g_bytes_unref);
  of_piece = quire_memory_to_bytes (piece);
  g_assert_nonnull (of_piece);
  g_assert_true (g_bytes_get_data (of_piece, NULL) == data + 12);
  g_assert_cmpuint (g_bytes_get_size (of_piece), ==, 8);

  /* They are the same, but the block may be written. */
  writable = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NONE, data, 32, 0, 32,
                                       g_bytes_ref (bytes), (GDestroyNotify) g_bytes_unref);
  of_writable = quire_memory_to_bytes (writable);
  g_assert_nonnull (of_writable);
  quire_assert_state (writable, "1 share alive");
  quire_assert_refused (quire_memory_try_fill (writable, 0, -1, 0, &error), BUSY, "1 share alive");

  not_shareable = quire_memory_new_wrapped ((QuireMemoryFlags) (QUIRE_MEMORY_FLAG_READONLY |
                                                                QUIRE_MEMORY_FLAG_NO_SHARE),
                                            data, 32, 0, 32, bytes, (GDestroyNotify) g_bytes_unref);
  quire_assert_refused (quire_memory_try_to_bytes (not_shareable, &error), NOT_SHAREABLE, "32 bytes");
}

static void
test_original (void)
{
  guint gone = 0;
  guint8 data[32] = { 0, };
  GBytes *bytes = g_bytes_new_with_free_func (data, 32, quire_test_count, &gone);
  QuireMemory *memory = quire_memory_new_from_bytes (bytes);
  QuireMemory *share = quire_memory_share (memory, 8, 8);
  g_autoptr (GBytes) back = quire_memory_to_bytes (memory);
  g_autoptr (GBytes) slice = quire_memory_to_bytes (share);

  g_test_summary ("Bytes of a block over bytes are these bytes, or a slice, and need no block");

  g_assert_true (g_bytes_get_data (back, NULL) == data);
  g_assert_cmpuint (g_bytes_get_size (back), ==, 32);
  g_assert_true (g_bytes_get_data (slice, NULL) == data + 8);
  g_assert_cmpuint (g_bytes_get_size (slice), ==, 8);
  quire_memory_unref (share);
  quire_memory_unref (memory);
  g_bytes_unref (bytes);
  g_clear_pointer (&back, g_bytes_unref);
  g_assert_cmpuint (gone, ==, 0);
  g_clear_pointer (&slice, g_bytes_unref);
  g_assert_cmpuint (gone, ==, 1);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/bytes/new-from-bytes", test_new_from_bytes);
  g_test_add_func ("/bytes/new-from-empty", test_new_from_empty);
  g_test_add_func ("/bytes/to-bytes", test_to_bytes);
  g_test_add_func ("/bytes/refused", test_refused);
  g_test_add_func ("/bytes/outlives", test_outlives);
  g_test_add_func ("/bytes/there-and-back", test_there_and_back);
  g_test_add_func ("/bytes/original", test_original);
  g_test_add_func ("/bytes/not-the-bytes", test_not_the_bytes);

  return g_test_run ();
}
