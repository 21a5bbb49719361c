/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test.h"

/* What fill(), read() and write() say of a range outside the block. */
static char *
refusal (const char               *verb,
         const QuireTestDataRange *range)
{
  return quire_test_describe_unsigned_range (verb, range->offset, range->size);
}

/* Checks that 64 bytes are as quire_test_new() made them, but for @size at
 * @start, which are all @value. */
static void
check_all_but (const guint8 *block,
               gsize         start,
               gsize         size,
               guint8        value)
{
  quire_test_assert_pattern (block, start, 0);
  for (gsize i = 0; i < size; i++)
    g_assert_cmpuint (block[start + i], ==, value);
  quire_test_assert_pattern (block + start + size, 64 - start - size, start + size);
}

static void
test_fill (void)
{
  g_test_summary ("A fill sets the bytes it was told, and no other; out of range it sets none");

  for (gsize i = 0; i < G_N_ELEMENTS (quire_test_data_ranges); i++)
    {
      const QuireTestDataRange *range = &quire_test_data_ranges[i];
      const gsize offset = range->offset;
      const gssize count = range->size;
      g_autoptr (QuireMemory) memory = quire_test_new (16, 32, 16);
      gsize filled = 0;
      QuireMapInfo info;

      g_test_message ("offset %" G_GSIZE_FORMAT ", size %" G_GSSIZE_FORMAT, offset, count);
      if (range->fits)
        {
          quire_assert_granted (quire_memory_try_fill (memory, offset, count, 0xe7, &error));
          filled = quire_test_resolve (range);
        }
      else
        {
          g_autofree char *words = refusal ("fill", range);

          quire_assert_refused (quire_memory_try_fill (memory, offset, count, 0xe7, &error),
                                OUT_OF_RANGE, words);
          g_assert_false (quire_memory_fill (memory, offset, count, 0xe7));
        }

      quire_assert_state (memory, "free");
      g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
      check_all_but (info.data - 16, filled > 0 ? 16 + offset : 0, filled, 0xe7);
      quire_memory_unmap (memory, &info);
    }
}

static void
test_read (void)
{
  g_test_summary ("A read gives the bytes it was asked for, all or none");

  for (gsize i = 0; i < G_N_ELEMENTS (quire_test_data_ranges); i++)
    {
      const QuireTestDataRange *range = &quire_test_data_ranges[i];
      const gsize offset = range->offset;
      const gssize count = range->size;
      g_autoptr (QuireMemory) memory = quire_test_new (16, 32, 16);
      guint8 buffer[64];

      memset (buffer, 0xe7, sizeof buffer);
      g_test_message ("offset %" G_GSIZE_FORMAT ", size %" G_GSSIZE_FORMAT, offset, count);
      if (range->fits)
        {
          const gsize size = quire_test_resolve (range);
          g_autoptr (GBytes) bytes = NULL;

          quire_assert_granted (quire_memory_try_read (memory, offset, buffer, size, &error));
          quire_test_assert_pattern (buffer, size, 16 + offset);
          for (gsize n = size; n < sizeof buffer; n++)
            g_assert_cmpuint (buffer[n], ==, 0xe7);

          quire_assert_granted ((bytes = quire_memory_try_read_bytes (memory, offset, count, &error)));
          g_assert_cmpuint (g_bytes_get_size (bytes), ==, size);
          if (size > 0)
            quire_test_assert_pattern (g_bytes_get_data (bytes, NULL), size, 16 + offset);
        }
      else
        {
          g_autofree char *words = refusal ("read", range);

          quire_assert_refused (quire_memory_try_read_bytes (memory, offset, count, &error),
                                OUT_OF_RANGE, words);
          quire_assert_refused (quire_memory_try_read (memory, offset, buffer, (gsize) count, &error),
                                OUT_OF_RANGE, "read", "of 32");
          g_assert_false (quire_memory_read (memory, offset, buffer, (gsize) count));
          for (gsize n = 0; n < sizeof buffer; n++)
            g_assert_cmpuint (buffer[n], ==, 0xe7);
        }
      quire_assert_state (memory, "free");
    }
}

static void
test_write (void)
{
  guint8 buffer[64];

  g_test_summary ("A write puts its bytes where it was told, all or none");

  memset (buffer, 0xe7, sizeof buffer);
  for (gsize i = 0; i < G_N_ELEMENTS (quire_test_data_ranges); i++)
    {
      const QuireTestDataRange *range = &quire_test_data_ranges[i];
      const gsize offset = range->offset;
      const gssize count = range->size;
      g_autoptr (QuireMemory) memory = quire_test_new (16, 32, 16);
      gsize written = 0;
      QuireMapInfo info;

      g_test_message ("offset %" G_GSIZE_FORMAT ", size %" G_GSSIZE_FORMAT, offset, count);
      if (range->fits)
        {
          written = quire_test_resolve (range);
          quire_assert_granted (quire_memory_try_write (memory, offset, buffer, written, &error));
        }
      else
        {
          quire_assert_refused (quire_memory_try_write (memory, offset, buffer, (gsize) count, &error),
                                OUT_OF_RANGE, "write", "of 32");
          g_assert_false (quire_memory_write (memory, offset, buffer, (gsize) count));
        }

      quire_assert_state (memory, "free");
      g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
      check_all_but (info.data - 16, written > 0 ? 16 + offset : 0, written, 0xe7);
      quire_memory_unmap (memory, &info);
    }
}

static void
test_counts (void)
{
  g_autoptr (QuireMemory) memory = quire_test_new (0, 32, 0);
  guint8 buffer[32];

  g_test_summary ("A count that C gives as gsize has no -1 for the end: the largest are out of range");

  quire_assert_refused (quire_memory_try_read (memory, 0, buffer, G_MAXSIZE, &error), OUT_OF_RANGE, "of 32");
  quire_assert_refused (quire_memory_try_write (memory, 0, buffer, G_MAXSIZE, &error), OUT_OF_RANGE, "of 32");
  quire_assert_refused (quire_memory_try_read (memory, 32, buffer, G_MAXSIZE, &error), OUT_OF_RANGE);
  quire_assert_refused (quire_memory_try_write (memory, 32, buffer, G_MAXSIZE, &error), OUT_OF_RANGE);
  quire_assert_refused (quire_memory_try_read (memory, 0, buffer, (gsize) G_MAXSSIZE + 1, &error),
                        OUT_OF_RANGE);
  quire_test_assert_shows (memory, 0, 32);

  quire_assert_granted (quire_memory_try_read (memory, 32, NULL, 0, &error));
  quire_assert_granted (quire_memory_try_write (memory, 32, NULL, 0, &error));
}

static void
test_write_own_piece (void)
{
  g_autoptr (QuireMemory) memory = quire_test_new (0, 64, 0);
  QuireMapInfo info;

  g_test_summary ("Bytes of a block may be written into the same block, overlap and all");

  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READWRITE));
  quire_assert_granted (quire_memory_try_write (memory, 8, info.data, 56, &error));
  quire_test_assert_pattern (info.data + 8, 56, 0);
  quire_memory_unmap (memory, &info);
}

static void
test_locks (void)
{
  g_autoptr (QuireMemory) memory = quire_test_new (0, 32, 0);
  guint8 byte = 0;
  int order;

  g_test_summary ("Content is read and written under the same locks as by maps");

  g_assert_true (quire_memory_lock (memory, QUIRE_MAP_READ));
  quire_assert_refused (quire_memory_try_fill (memory, 0, -1, 0, &error), BUSY, "WRITE: 1 READ map");
  quire_assert_refused (quire_memory_try_write (memory, 0, &byte, 1, &error), BUSY, "WRITE: 1 READ map");
  quire_assert_granted (quire_memory_try_read (memory, 0, &byte, 1, &error));
  quire_memory_unlock (memory, QUIRE_MAP_READ);

  g_assert_true (quire_memory_lock (memory, QUIRE_MAP_WRITE));
  quire_assert_refused (quire_memory_try_read (memory, 0, &byte, 1, &error), BUSY, "READ: 1 WRITE map");
  quire_assert_refused (quire_memory_try_read_bytes (memory, 0, -1, &error), BUSY, "READ: 1 WRITE map");
  quire_assert_refused (quire_memory_try_compare (memory, memory, &order, &error), BUSY, "READ: 1 WRITE map");
  quire_assert_granted (quire_memory_try_write (memory, 0, &byte, 1, &error));
  quire_memory_unlock (memory, QUIRE_MAP_WRITE);
  quire_assert_state (memory, "free");
}

static QuireMemory *
wrap (const char *text,
      gsize       size)
{
  return quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_READONLY, (gpointer) text, size, 0, size, NULL, NULL);
}

static void
test_compare (void)
{
  static const struct
  {
    const char *first;
    gsize       first_size;
    const char *second;
    gsize       second_size;
    int         order;
  } pairs[] = {
    { "abc", 3, "abc", 3, 0 },
    { "abc", 3, "abd", 3, -1 },
    { "abd", 3, "abc", 3, 1 },
    { "abc", 3, "abcd", 4, -1 },
    { "abcd", 4, "abc", 3, 1 },
    { "b", 1, "abc", 3, 1 },
    { "\xff", 1, "\x01", 1, 1 },
    { "a\0b", 3, "a\0c", 3, -1 },
    { "", 0, "", 0, 0 },
    { "", 0, "a", 1, -1 },
    { "a", 1, "", 0, 1 },
  };

  g_test_summary ("Data is compared byte by byte, unsigned, and the shorter comes first");

  for (gsize i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      g_autoptr (QuireMemory) first = wrap (pairs[i].first, pairs[i].first_size);
      g_autoptr (QuireMemory) second = wrap (pairs[i].second, pairs[i].second_size);
      int order = 99;

      quire_assert_granted (quire_memory_try_compare (first, second, &order, &error));
      g_assert_cmpint ((order > 0) - (order < 0), ==, pairs[i].order);
      g_assert_true (quire_memory_compare (first, first, &order));
      g_assert_cmpint (order, ==, 0);
      quire_assert_state (first, "free");
      quire_assert_state (second, "free");
    }
}

static void
test_compare_refused (void)
{
  g_autoptr (QuireMemory) first = quire_memory_new (8);
  g_autoptr (QuireMemory) second = quire_memory_new (9);
  int order = 99;

  g_test_summary ("If one of the two can't be read, the other is not left locked, nor an order given");

  g_assert_true (quire_memory_lock (second, QUIRE_MAP_WRITE));
  quire_assert_refused (quire_memory_try_compare (first, second, &order, &error), BUSY, "9 bytes");
  quire_assert_refused (quire_memory_try_compare (second, first, &order, &error), BUSY, "9 bytes");
  g_assert_false (quire_memory_compare (first, second, &order));
  g_assert_cmpint (order, ==, 99);
  quire_assert_state (first, "free");
  quire_memory_unlock (second, QUIRE_MAP_WRITE);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/content/fill", test_fill);
  g_test_add_func ("/content/read", test_read);
  g_test_add_func ("/content/write", test_write);
  g_test_add_func ("/content/counts", test_counts);
  g_test_add_func ("/content/write-own-piece", test_write_own_piece);
  g_test_add_func ("/content/locks", test_locks);
  g_test_add_func ("/content/compare", test_compare);
  g_test_add_func ("/content/compare-refused", test_compare_refused);

  return g_test_run ();
}
