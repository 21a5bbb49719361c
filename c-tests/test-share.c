/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test.h"

static void
test_share (void)
{
  g_autoptr (QuireMemory) memory = quire_test_new (16, 32, 16);
  g_autoptr (QuireMemory) share = quire_memory_share (memory, 4, 8);
  QuireMapInfo whole, window, refused;

  g_test_summary ("A share is the bytes of its root, without a copy, and read-only");

  quire_assert_sizes (share, 20, 8, 64);
  g_assert_true (quire_memory_get_parent (share) == memory);
  g_assert_cmpuint (quire_memory_get_flags (share), ==, QUIRE_MEMORY_FLAG_READONLY);
  g_assert_false (quire_memory_is_writable (share));
  quire_assert_state (memory, "1 share alive");

  g_assert_true (quire_memory_map (memory, &whole, QUIRE_MAP_READ));
  g_assert_true (quire_memory_map (share, &window, QUIRE_MAP_READ));
  g_assert_true (window.data == whole.data + 4);
  g_assert_cmpuint (window.size, ==, 8);
  g_assert_cmpuint (window.maxsize, ==, 44);
  quire_assert_refused (quire_memory_map_full (share, &refused, QUIRE_MAP_WRITE, &error),
                        READ_ONLY, "8 bytes");
  quire_memory_unmap (share, &window);
  quire_memory_unmap (memory, &whole);
}

static void
test_edges (void)
{
  g_test_summary ("A share lies within the valid range or reaches back into the prefix, or is refused");

  for (gsize i = 0; i < G_N_ELEMENTS (quire_test_ranges); i++)
    {
      const QuireTestRange *range = &quire_test_ranges[i];
      g_autoptr (QuireMemory) memory = quire_test_new (16, 32, 16);
      g_autoptr (QuireMemory) share = NULL;

      g_test_message ("offset %" G_GSSIZE_FORMAT ", size %" G_GSSIZE_FORMAT, range->offset, range->size);
      if (range->fits)
        {
          const gsize start = (gsize) (16 + range->offset);
          const gsize size = range->size == -1 ? 48 - start : (gsize) range->size;

          quire_assert_granted ((share = quire_memory_try_share (memory, range->offset,
                                                                range->size, &error)));
          quire_assert_sizes (share, start, size, 64);
          quire_test_assert_shows (share, start, size);
          quire_assert_state (memory, "1 share alive");
        }
      else
        {
          g_autofree char *words = quire_test_describe_signed_range ("share", range->offset, range->size);

          quire_assert_refused (quire_memory_try_share (memory, range->offset, range->size, &error),
                                OUT_OF_RANGE, words, "16 before");
          g_assert_null (quire_memory_share (memory, range->offset, range->size));
          quire_assert_state (memory, "free");
          quire_assert_sizes (memory, 16, 32, 64);
        }
    }
}

static void
test_no_write_under_share (void)
{
  static const guint writes[] = {
    QUIRE_MAP_WRITE,
    QUIRE_MAP_READ | QUIRE_MAP_WRITE,
    QUIRE_MAP_WRITE | QUIRE_MAP_UNIQUE,
    QUIRE_MAP_WRITE | QUIRE_MAP_EXCLUSIVE,
  };
  g_autoptr (QuireMemory) memory = quire_test_new (0, 32, 0);
  QuireMemory *one = quire_memory_share (memory, 0, 8);
  QuireMemory *two = quire_memory_share (memory, 24, 8);
  QuireMapInfo info;

  g_test_summary ("While a share lives nobody writes the root, and the message counts the shares");

  g_assert_false (quire_memory_is_writable (memory));
  for (gsize i = 0; i < G_N_ELEMENTS (writes); i++)
    quire_assert_refused (quire_memory_map_full (memory, &info, (QuireMapFlags) writes[i], &error),
                          BUSY, "32 bytes", "2 shares alive");
  quire_assert_refused (quire_memory_try_fill (memory, 0, -1, 0, &error), BUSY, "2 shares alive");
  quire_memory_unref (one);
  quire_assert_refused (quire_memory_try_write (memory, 0, (const guint8 *) "x", 1, &error),
                        BUSY, "1 share alive");
  quire_assert_refused (quire_memory_try_map (memory, QUIRE_MAP_WRITE, &error), BUSY, "1 share alive");
  quire_test_assert_shows (memory, 0, 32);
  quire_memory_unref (two);

  g_assert_true (quire_memory_is_writable (memory));
  quire_assert_granted (quire_memory_try_fill (memory, 0, -1, 0, &error));
}

static void
test_no_share_under_write (void)
{
  static const struct
  {
    guint       flags;
    const char *words;
  } writes[] = {
    { QUIRE_MAP_WRITE, "a share: 1 WRITE map" },
    { QUIRE_MAP_READ | QUIRE_MAP_WRITE, "a share: 1 READ+WRITE map" },
    { QUIRE_MAP_WRITE | QUIRE_MAP_UNIQUE, "a share: 1 WRITE map (UNIQUE)" },
    { QUIRE_MAP_WRITE | QUIRE_MAP_EXCLUSIVE, "a share: 1 WRITE map, 1 owner" },
  };
  g_autoptr (QuireMemory) memory = quire_memory_new (32);

  g_test_summary ("While a map to write stands nobody shares, and the message says what stands");

  for (gsize i = 0; i < G_N_ELEMENTS (writes); i++)
    {
      g_autofree char *state = NULL;
      QuireMapInfo info;

      g_assert_true (quire_memory_map (memory, &info, (QuireMapFlags) writes[i].flags));
      state = quire_memory_describe_lock (memory);
      quire_assert_refused (quire_memory_try_share (memory, 0, -1, &error),
                            BUSY, "32 bytes", writes[i].words);
      quire_assert_refused (quire_memory_try_to_bytes (memory, &error), BUSY, writes[i].words);
      quire_assert_state (memory, state);
      quire_memory_unmap (memory, &info);
      quire_assert_state (memory, "free");
    }

  {
    g_autoptr (QuireMemory) share = NULL;
    QuireMapInfo info;

    g_assert_true (quire_memory_map (memory, &info, (QuireMapFlags) (QUIRE_MAP_READ | QUIRE_MAP_UNIQUE)));
    quire_assert_granted ((share = quire_memory_try_share (memory, 0, -1, &error)));
    quire_memory_unmap (memory, &info);
  }
}

static void
test_share_of_share (void)
{
  guint root_gone = 0, middle_gone = 0;
  QuireMemory *root = quire_test_new (8, 64, 0);
  QuireMemory *middle = quire_memory_share (root, 16, 32);
  QuireMemory *inner = quire_memory_share (middle, 8, 8);
  QuireMemory *back;

  g_test_summary ("A share of a share is one of the root: counted there, and independent of the other");

  quire_memory_weak_ref (root, quire_test_count_weak, &root_gone);
  quire_memory_weak_ref (middle, quire_test_count_weak, &middle_gone);

  g_assert_true (quire_memory_get_parent (inner) == root);
  quire_assert_sizes (inner, 32, 8, 72);
  quire_test_assert_shows (inner, 32, 8);
  quire_assert_state (root, "2 shares alive");
  quire_assert_state (middle, "free");

  quire_memory_unref (middle);
  g_assert_cmpuint (middle_gone, ==, 1);
  quire_assert_state (root, "1 share alive");

  /* Back into what is before it in the root. */
  quire_assert_granted ((back = quire_memory_try_share (inner, -32, 40, &error)));
  quire_test_assert_shows (back, 0, 40);
  quire_assert_refused (quire_memory_try_share (inner, -33, 1, &error), OUT_OF_RANGE, "32 before");
  quire_assert_refused (quire_memory_try_share (inner, 0, 9, &error), OUT_OF_RANGE, "of 8");
  quire_memory_unref (back);

  quire_memory_unref (root);
  g_assert_cmpuint (root_gone, ==, 0);
  quire_test_assert_shows (inner, 32, 8);
  quire_memory_unref (inner);
  g_assert_cmpuint (root_gone, ==, 1);
}

static void
test_flags (void)
{
  static guint8 data[32];
  const guint custom = QUIRE_MEMORY_FLAG_LAST << 1;
  g_autoptr (QuireMemory) memory = NULL;
  g_autoptr (QuireMemory) share = NULL;
  g_autoptr (QuireMemory) inner = NULL;

  g_test_summary ("A share has its root's flags and READONLY, but knows of no zeroes");

  memory = quire_memory_new_wrapped ((QuireMemoryFlags) (custom | QUIRE_MEMORY_FLAG_PHYSICALLY_CONTIGUOUS |
                                                         QUIRE_MEMORY_FLAG_ZERO_PREFIXED |
                                                         QUIRE_MEMORY_FLAG_ZERO_PADDED),
                                     data, 32, 8, 16, NULL, NULL);
  share = quire_memory_share (memory, 0, 8);
  g_assert_cmpuint (quire_memory_get_flags (share), ==,
                    custom | QUIRE_MEMORY_FLAG_PHYSICALLY_CONTIGUOUS | QUIRE_MEMORY_FLAG_READONLY);
  inner = quire_memory_share (share, 0, 8);
  g_assert_cmpuint (quire_memory_get_flags (inner), ==, quire_memory_get_flags (share));
}

static void
test_not_shareable (void)
{
  static guint8 data[32];
  g_autoptr (QuireMemory) memory = NULL;

  g_test_summary ("What can't be shared can be copied");

  memory = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NO_SHARE, data, 32, 0, 32, NULL, NULL);
  quire_assert_refused (quire_memory_try_share (memory, 0, -1, &error), NOT_SHAREABLE, "32 bytes");
  quire_assert_refused (quire_memory_try_to_bytes (memory, &error), NOT_SHAREABLE, "32 bytes");
  quire_assert_state (memory, "free");
  quire_assert_granted (quire_memory_try_fill (memory, 0, -1, 7, &error));
  {
    g_autoptr (QuireMemory) copy = quire_memory_copy (memory, 0, -1);

    g_assert_nonnull (copy);
    g_assert_cmpuint (quire_memory_get_flags (copy), ==, QUIRE_MEMORY_FLAG_NONE);
  }
}

static void
test_not_mappable (void)
{
  static guint8 data[32];
  g_autoptr (QuireMemory) memory = NULL;
  g_autoptr (QuireMemory) share = NULL;
  QuireMapInfo info;

  g_test_summary ("What can't be mapped can't be mapped through a share either");

  memory = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NOT_MAPPABLE, data, 32, 0, 32, NULL, NULL);
  share = quire_memory_share (memory, 0, 8);
  g_assert_nonnull (share);
  quire_assert_refused (quire_memory_map_full (share, &info, QUIRE_MAP_READ, &error),
                        NOT_MAPPABLE, "8 bytes");
}

static void
test_resized_root (void)
{
  g_autoptr (QuireMemory) memory = quire_test_new (16, 32, 16);
  g_autoptr (QuireMemory) before = quire_memory_share (memory, 0, -1);
  g_autoptr (QuireMemory) after = NULL;

  g_test_summary ("A share keeps its range when the root is resized; the next counts from the new one");

  g_assert_true (quire_memory_resize (memory, -16, 8));
  quire_test_assert_shows (before, 16, 32);
  quire_assert_granted ((after = quire_memory_try_share (memory, 1, -1, &error)));
  quire_test_assert_shows (after, 1, 7);
  quire_assert_refused (quire_memory_try_share (memory, -1, 1, &error), OUT_OF_RANGE, "0 before");
}

static void
test_is_span (void)
{
  g_autoptr (QuireMemory) root = quire_test_new (8, 64, 0);
  g_autoptr (QuireMemory) other = quire_test_new (8, 64, 0);
  g_autoptr (QuireMemory) a = quire_memory_share (root, 0, 16);
  g_autoptr (QuireMemory) b = quire_memory_share (root, 16, 16);
  g_autoptr (QuireMemory) next = quire_memory_share (root, 32, 1);
  g_autoptr (QuireMemory) c = quire_memory_share (root, 33, 16);
  g_autoptr (QuireMemory) overlap = quire_memory_share (root, 15, 16);
  g_autoptr (QuireMemory) nothing = quire_memory_share (root, 16, 0);
  g_autoptr (QuireMemory) before = quire_memory_share (root, -8, 8);
  g_autoptr (QuireMemory) foreign = quire_memory_share (other, 16, 16);
  gssize found = 99;
  gsize offset;

  g_test_summary ("Side by side in the same parent, in this order, without a gap: that is a span");

  offset = 99;
  g_assert_true (quire_memory_is_span (a, b, &offset));
  g_assert_cmpuint (offset, ==, 0);
  g_assert_true (quire_memory_is_span (a, b, NULL));
  g_assert_true (quire_memory_is_span (b, next, &offset));
  g_assert_cmpuint (offset, ==, 16);
  g_assert_true (quire_memory_is_span (before, a, &offset));
  g_assert_cmpint ((gssize) offset, ==, -8);
  g_assert_true (quire_memory_find_span (before, a, &found));
  g_assert_cmpint (found, ==, -8);
  g_assert_true (quire_memory_find_span (before, a, NULL));
  g_assert_false (quire_memory_find_span (a, before, &found));
  g_assert_cmpint (found, ==, 0);
  g_assert_true (quire_memory_is_span (a, nothing, NULL));
  g_assert_true (quire_memory_is_span (nothing, b, NULL));

  offset = 99;
  g_assert_false (quire_memory_is_span (b, a, &offset));
  g_assert_cmpuint (offset, ==, 0);
  offset = 99;
  g_assert_false (quire_memory_is_span (root, b, &offset));
  g_assert_cmpuint (offset, ==, 0);
  g_assert_false (quire_memory_is_span (a, root, NULL));
  g_assert_false (quire_memory_is_span (root, root, NULL));
  g_assert_false (quire_memory_is_span (a, a, NULL));
  g_assert_false (quire_memory_is_span (b, c, NULL));
  g_assert_false (quire_memory_is_span (a, overlap, NULL));
  g_assert_false (quire_memory_is_span (a, foreign, NULL));

  /* It looks at the windows of now. */
  g_assert_true (quire_memory_resize (a, 0, 15));
  g_assert_false (quire_memory_is_span (a, b, NULL));
  g_assert_true (quire_memory_is_span (a, overlap, NULL));
}

static void
test_many (void)
{
  enum { N = 1000 };
  g_autoptr (QuireMemory) memory = quire_test_new (0, N, 0);
  QuireMemory *shares[N];

  g_test_summary ("Shares go in any order, and then the root is writable again");

  for (gsize i = 0; i < N; i++)
    shares[i] = quire_memory_share (i % 2 == 0 ? memory : shares[i - 1], 0,
                                    i % 2 == 0 ? (gssize) (i + 1) : 1);
  quire_assert_state (memory, "1000 shares alive");
  for (gsize i = 0; i < N; i += 2)
    quire_memory_unref (shares[i]);
  quire_assert_state (memory, "500 shares alive");
  for (gsize i = N; i > 0; i -= 2)
    quire_memory_unref (shares[i - 1]);
  quire_assert_state (memory, "free");
  g_assert_true (quire_memory_is_writable (memory));
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/share/share", test_share);
  g_test_add_func ("/share/edges", test_edges);
  g_test_add_func ("/share/no-write-under-share", test_no_write_under_share);
  g_test_add_func ("/share/no-share-under-write", test_no_share_under_write);
  g_test_add_func ("/share/share-of-share", test_share_of_share);
  g_test_add_func ("/share/flags", test_flags);
  g_test_add_func ("/share/not-shareable", test_not_shareable);
  g_test_add_func ("/share/not-mappable", test_not_mappable);
  g_test_add_func ("/share/resized-root", test_resized_root);
  g_test_add_func ("/share/is-span", test_is_span);
  g_test_add_func ("/share/many", test_many);

  return g_test_run ();
}
