/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test.h"

static void
test_copy (void)
{
  g_autoptr (QuireMemory) memory = quire_test_new (16, 32, 16);
  g_autoptr (QuireMemory) copy = quire_memory_copy (memory, 0, -1);

  g_test_summary ("A copy has data of its own, and nothing to do with the block any more");

  quire_assert_sizes (copy, 0, 32, 32);
  g_assert_null (quire_memory_get_parent (copy));
  quire_test_assert_shows (copy, 16, 32);
  quire_assert_state (memory, "free");
  quire_assert_granted (quire_memory_try_fill (copy, 0, -1, 0, &error));
  quire_test_assert_shows (memory, 16, 32);
  g_clear_pointer (&memory, quire_memory_unref);
  quire_assert_granted (quire_memory_try_fill (copy, 0, -1, 1, &error));
}

static void
test_edges (void)
{
  g_test_summary ("A copy takes what is in the valid range or before it, or is refused");

  for (gsize i = 0; i < G_N_ELEMENTS (quire_test_ranges); i++)
    {
      const QuireTestRange *range = &quire_test_ranges[i];
      g_autoptr (QuireMemory) memory = quire_test_new (16, 32, 16);
      g_autoptr (QuireMemory) copy = NULL;

      g_test_message ("offset %" G_GSSIZE_FORMAT ", size %" G_GSSIZE_FORMAT, range->offset, range->size);
      if (range->fits)
        {
          const gsize start = (gsize) (16 + range->offset);
          const gsize size = range->size == -1 ? 48 - start : (gsize) range->size;

          quire_assert_granted ((copy = quire_memory_try_copy (memory, range->offset, range->size, &error)));
          quire_assert_sizes (copy, 0, size, size);
          quire_test_assert_shows (copy, start, size);
        }
      else
        {
          g_autofree char *words = quire_test_describe_signed_range ("copy", range->offset, range->size);

          quire_assert_refused (quire_memory_try_copy (memory, range->offset, range->size, &error),
                                OUT_OF_RANGE, words, "16 before");
          g_assert_null (quire_memory_copy (memory, range->offset, range->size));
        }
      quire_assert_state (memory, "free");
      quire_test_assert_shows (memory, 16, 32);
    }
}

static void
test_always_writable (void)
{
  static guint8 data[16];
  static const guint flags[] = {
    QUIRE_MEMORY_FLAG_READONLY,
    QUIRE_MEMORY_FLAG_NO_SHARE,
    QUIRE_MEMORY_FLAG_READONLY | QUIRE_MEMORY_FLAG_NO_SHARE | QUIRE_MEMORY_FLAG_LAST,
    QUIRE_MEMORY_FLAG_ZERO_PREFIXED | QUIRE_MEMORY_FLAG_ZERO_PADDED,
  };

  g_test_summary ("A copy is writable, whatever the block is");

  for (gsize i = 0; i < G_N_ELEMENTS (flags); i++)
    {
      g_autoptr (QuireMemory) memory = NULL;
      g_autoptr (QuireMemory) copy = NULL;

      memory = quire_memory_new_wrapped ((QuireMemoryFlags) flags[i], data, 16, 4, 8, NULL, NULL);
      copy = quire_memory_copy (memory, 0, -1);
      g_assert_cmpuint (quire_memory_get_flags (copy), ==, QUIRE_MEMORY_FLAG_NONE);
      g_assert_true (quire_memory_is_writable (copy));
      quire_assert_granted (quire_memory_try_fill (copy, 0, -1, 1, &error));
    }
}

static void
test_of_share (void)
{
  g_autoptr (QuireMemory) memory = quire_test_new (16, 32, 16);
  g_autoptr (QuireMemory) share = quire_memory_share (memory, 8, 8);
  g_autoptr (QuireMemory) copy = quire_memory_copy (share, 2, 4);
  g_autoptr (QuireMemory) back = quire_memory_copy (share, -24, -1);

  g_test_summary ("The copy of a share counts from the share, is writable, and is no share");

  quire_test_assert_shows (copy, 26, 4);
  g_assert_true (quire_memory_is_writable (copy));
  quire_assert_state (memory, "1 share alive");
  quire_test_assert_shows (back, 0, 32);
  quire_assert_refused (quire_memory_try_copy (share, 0, 9, &error), OUT_OF_RANGE, "of 8");
}

static void
test_of_resized (void)
{
  g_autoptr (QuireMemory) memory = quire_test_new (16, 32, 16);
  g_autoptr (QuireMemory) copy = NULL;

  g_test_summary ("A copy counts from where the data is by now");

  g_assert_true (quire_memory_resize (memory, 8, 40));
  copy = quire_memory_copy (memory, -24, -1);
  quire_test_assert_shows (copy, 0, 64);
}

static void
test_aligned (void)
{
  QuireAllocationParams params;
  g_autoptr (QuireMemory) memory = NULL;

  g_test_summary ("A copy is aligned as the block");

  quire_allocation_params_init (&params);
  params.align = 4095;
  params.prefix = 16;
  memory = quire_memory_new_with_params (32, &params);
  for (guint i = 0; i < 8; i++)
    {
      g_autoptr (QuireMemory) copy = quire_memory_copy (memory, 0, -1);

      g_assert_true (quire_memory_is_aligned (copy, 4095));
      g_assert_cmpuint (quire_memory_get_align (copy), ==, 4095);
    }
}

static void
test_refused (void)
{
  static guint8 data[8];
  g_autoptr (QuireMemory) memory = quire_memory_new (32);
  g_autoptr (QuireMemory) not_mappable = NULL;

  g_test_summary ("What can't be read can't be copied; the reason is that of the map");

  not_mappable = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NOT_MAPPABLE, data, 8, 0, 8, NULL, NULL);
  quire_assert_refused (quire_memory_try_copy (not_mappable, 0, -1, &error), NOT_MAPPABLE, "8 bytes");

  g_assert_true (quire_memory_lock (memory, QUIRE_MAP_WRITE));
  quire_assert_refused (quire_memory_try_copy (memory, 0, -1, &error), BUSY, "1 WRITE map");
  quire_memory_unlock (memory, QUIRE_MAP_WRITE);
  g_assert_true (quire_memory_lock (memory, QUIRE_MAP_READWRITE));
  {
    g_autoptr (QuireMemory) copy = NULL;

    quire_assert_granted ((copy = quire_memory_try_copy (memory, 0, -1, &error)));
  }
  quire_memory_unlock (memory, QUIRE_MAP_READWRITE);
}

static void
test_make_writable (void)
{
  guint gone = 0;
  QuireMemory *memory = quire_test_new (0, 32, 0);
  QuireMemory *share, *writable;

  g_test_summary ("make_writable() copies only what may not be written, however many references it has");

  quire_memory_weak_ref (memory, quire_test_count_weak, &gone);
  quire_memory_ref (memory);
  writable = quire_memory_make_writable (memory);
  g_assert_true (writable == memory);
  quire_assert_granted ((writable = quire_memory_try_make_writable (memory, &error)));
  g_assert_true (writable == memory);
  quire_memory_unref (memory);

  /* A share makes it a copy, and the caller's reference on the block goes. */
  share = quire_memory_share (memory, 0, 8);
  writable = quire_memory_make_writable (memory);
  g_assert_true (writable != memory);
  g_assert_true (quire_memory_is_writable (writable));
  quire_test_assert_shows (writable, 0, 32);
  quire_memory_unref (writable);
  g_assert_cmpuint (gone, ==, 0);

  /* Of the share: the window only. */
  writable = quire_memory_make_writable (share);
  g_assert_cmpuint (gone, ==, 1);
  quire_assert_sizes (writable, 0, 8, 8);
  g_assert_true (quire_memory_fill (writable, 0, -1, 0));
  quire_memory_unref (writable);
}

static void
test_make_writable_fails (void)
{
  static guint8 data[8];
  guint gone = 0;
  QuireMemory *memory;

  g_test_summary ("make_writable() drops the block when it can't be copied, and says why");

  memory = quire_memory_new_wrapped ((QuireMemoryFlags) (QUIRE_MEMORY_FLAG_NOT_MAPPABLE |
                                                         QUIRE_MEMORY_FLAG_READONLY),
                                     data, 8, 0, 8, &gone, quire_test_count);
  quire_assert_refused (quire_memory_try_make_writable (memory, &error), NOT_MAPPABLE, "8 bytes");
  g_assert_cmpuint (gone, ==, 1);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/copy/copy", test_copy);
  g_test_add_func ("/copy/edges", test_edges);
  g_test_add_func ("/copy/always-writable", test_always_writable);
  g_test_add_func ("/copy/of-share", test_of_share);
  g_test_add_func ("/copy/of-resized", test_of_resized);
  g_test_add_func ("/copy/aligned", test_aligned);
  g_test_add_func ("/copy/refused", test_refused);
  g_test_add_func ("/copy/make-writable", test_make_writable);
  g_test_add_func ("/copy/make-writable-fails", test_make_writable_fails);

  return g_test_run ();
}
