/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test.h"

static void
test_new (void)
{
  static const gsize sizes[] = { 0, 1, 7, 8, 100, 4096, 1 << 20 };

  g_test_summary ("A new block is writable from its first byte to its last");

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (QuireMemory) memory = quire_memory_new (sizes[i]);
      g_autoptr (QuireMemory) tried = NULL;
      QuireMapInfo info;

      quire_assert_sizes (memory, 0, sizes[i], sizes[i]);
      g_assert_cmpuint (quire_memory_get_flags (memory), ==, QUIRE_MEMORY_FLAG_NONE);
      g_assert_true (quire_memory_is_writable (memory));
      g_assert_true (quire_memory_is_type (memory, "system"));
      quire_assert_state (memory, "free");
      g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_WRITE));
      memset (info.data, 0x5a, info.size);
      quire_memory_unmap (memory, &info);

      quire_assert_granted ((tried = quire_memory_try_new (sizes[i], &error)));
      quire_assert_sizes (tried, 0, sizes[i], sizes[i]);
    }
}

static void
test_distinct (void)
{
  g_autoptr (QuireMemory) first = quire_test_new (0, 64, 0);
  g_autoptr (QuireMemory) second = quire_memory_new (64);

  g_test_summary ("Two blocks have nothing in common");

  g_assert_true (quire_memory_fill (second, 0, -1, 0));
  quire_test_assert_shows (first, 0, 64);
}

static void
test_params (void)
{
  g_autoptr (QuireMemory) memory = NULL;
  g_autoptr (QuireMemory) plain = NULL;
  QuireAllocationParams params;

  g_test_summary ("Parameters give flags, prefix and padding; NULL is nothing special");

  quire_allocation_params_init (&params);
  params.flags = QUIRE_MEMORY_FLAG_NO_SHARE;
  params.prefix = 3;
  params.padding = 5;
  quire_assert_granted ((memory = quire_memory_try_new_with_params (8, &params, &error)));
  quire_assert_sizes (memory, 3, 8, 16);
  g_assert_cmpuint (quire_memory_get_flags (memory), ==, QUIRE_MEMORY_FLAG_NO_SHARE);

  quire_assert_granted ((plain = quire_memory_try_new_with_params (8, NULL, &error)));
  quire_assert_sizes (plain, 0, 8, 8);
}

static void
test_too_much (void)
{
  QuireAllocationParams params;

  g_test_summary ("What no system has is refused with a reason, and never wraps around");

  g_assert_null (quire_memory_new (G_MAXSIZE));
  g_assert_null (quire_memory_new (G_MAXSSIZE));
  quire_assert_refused (quire_memory_try_new (G_MAXSIZE, &error), TOO_LARGE, "18446744073709551615 bytes");
  quire_assert_refused (quire_memory_try_new ((gsize) G_MAXSSIZE + 1, &error), TOO_LARGE,
                        "9223372036854775808 bytes");
  quire_assert_refused (quire_memory_try_new (G_MAXSSIZE, &error), NO_SPACE, "9223372036854775807 bytes");

  g_assert_null (quire_memory_new ((gsize) 1 << 62));
  quire_assert_refused (quire_memory_try_new ((gsize) 1 << 62, &error), NO_SPACE,
                        "4611686018427387904 bytes");

  quire_allocation_params_init (&params);
  params.prefix = G_MAXSIZE;
  quire_assert_refused (quire_memory_try_new_with_params (1, &params, &error), TOO_LARGE, " 1 bytes",
                        "prefix of 18446744073709551615");
  params.prefix = 1;
  params.padding = G_MAXSIZE - 1;
  quire_assert_refused (quire_memory_try_new_with_params (1, &params, &error), TOO_LARGE,
                        "padding of 18446744073709551614");
  params.prefix = G_MAXSSIZE;
  params.padding = 1;
  quire_assert_refused (quire_memory_try_new_with_params (0, &params, &error), TOO_LARGE);
  params.prefix = G_MAXSIZE / 2 + 1;
  params.padding = G_MAXSIZE / 2 + 1;
  quire_assert_refused (quire_memory_try_new_with_params (8, &params, &error), TOO_LARGE);
}

static void
test_wrapped (void)
{
  guint8 data[64];
  guint gone = 0;
  QuireMemory *memory, *other;
  QuireMapInfo info;

  g_test_summary ("A wrapped block is the data that was there, and gives it up exactly once");

  memory = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NONE, data, 64, 8, 32, &gone, quire_test_count);
  quire_assert_sizes (memory, 8, 32, 64);
  g_assert_true (quire_memory_is_type (memory, "system"));
  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_WRITE));
  g_assert_true (info.data == data + 8);
  g_assert_cmpuint (info.maxsize, ==, 56);
  quire_memory_unmap (memory, &info);

  other = quire_memory_ref (memory);
  quire_memory_unref (memory);
  g_assert_cmpuint (gone, ==, 0);
  memory = quire_memory_share (other, 0, 4);
  quire_memory_unref (other);
  g_assert_cmpuint (gone, ==, 0);
  quire_memory_unref (memory);
  g_assert_cmpuint (gone, ==, 1);

  quire_memory_unref (quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NONE, data, 64, 0, 64, NULL, NULL));
  quire_memory_unref (quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NONE, NULL, 0, 0, 0,
                                                &gone, quire_test_count));
  g_assert_cmpuint (gone, ==, 2);
}

/* Of 64 bytes of data. */
static const struct
{
  gsize    maxsize;
  gsize    offset;
  gsize    size;
  gboolean fits;
} wraps[] = {
  { 64, 0, 64, TRUE },
  { 64, 0, 65, FALSE },
  { 64, 64, 0, TRUE },
  { 64, 64, 1, FALSE },
  { 64, 65, 0, FALSE },
  { 64, 1, 63, TRUE },
  { 64, 1, 64, FALSE },
  { 64, G_MAXSIZE, 0, FALSE },
  { 64, G_MAXSIZE, 1, FALSE },
  { 64, 1, G_MAXSIZE, FALSE },
  { 64, 64, G_MAXSIZE - 63, FALSE },
  { 64, G_MAXSSIZE, 0, FALSE },
  { 64, 0, G_MAXSIZE, FALSE },
  { 64, (gsize) G_MAXSSIZE + 1, (gsize) G_MAXSSIZE + 1, FALSE },
};

static void
test_wrapped_edges (void)
{
  static guint8 data[64];

  g_test_summary ("A range outside the data is refused, and the data stays the caller's");

  for (gsize i = 0; i < G_N_ELEMENTS (wraps); i++)
    {
      guint gone = 0;
      const gsize maxsize = wraps[i].maxsize, offset = wraps[i].offset, size = wraps[i].size;

      g_test_message ("%" G_GSIZE_FORMAT " bytes at %" G_GSIZE_FORMAT, size, offset);
      if (wraps[i].fits)
        {
          g_autoptr (QuireMemory) memory = NULL;

          quire_assert_granted ((memory = quire_memory_try_new_wrapped (QUIRE_MEMORY_FLAG_NONE, data, maxsize,
                                                                        offset, size, &gone,
                                                                        quire_test_count, &error)));
          quire_assert_sizes (memory, offset, size, maxsize);
          g_clear_pointer (&memory, quire_memory_unref);
          g_assert_cmpuint (gone, ==, 1);
        }
      else
        {
          g_autofree char *words = g_strdup_printf ("%" G_GSIZE_FORMAT " bytes at offset %" G_GSIZE_FORMAT
                                                    " of 64", size, offset);

          quire_assert_refused (quire_memory_try_new_wrapped (QUIRE_MEMORY_FLAG_NONE, data, maxsize,
                                                              offset, size, &gone, quire_test_count, &error),
                                OUT_OF_RANGE, words);
          g_assert_null (quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NONE, data, maxsize,
                                                   offset, size, &gone, quire_test_count));
          g_assert_cmpuint (gone, ==, 0);
        }
    }
}

static void
test_wrapped_refused (void)
{
  static guint8 data[64];
  guint gone = 0;

  g_test_summary ("More bytes than there can be are refused, and no data at all; the notify is not called");

  quire_assert_refused (quire_memory_try_new_wrapped (QUIRE_MEMORY_FLAG_NONE, data, G_MAXSIZE, 0, 64,
                                                      &gone, quire_test_count, &error),
                        TOO_LARGE, "18446744073709551615 bytes");
  quire_assert_refused (quire_memory_try_new_wrapped (QUIRE_MEMORY_FLAG_NONE, data,
                                                      (gsize) G_MAXSSIZE + 1, 0, 0,
                                                      &gone, quire_test_count, &error),
                        TOO_LARGE, "9223372036854775808 bytes");
  quire_assert_refused (quire_memory_try_new_wrapped (QUIRE_MEMORY_FLAG_NONE, NULL, 0, 1, 0,
                                                      &gone, quire_test_count, &error),
                        OUT_OF_RANGE, "offset 1 of 0");
  quire_assert_refused (quire_memory_try_new_wrapped (QUIRE_MEMORY_FLAG_NONE, NULL, 0, 0, 1,
                                                      &gone, quire_test_count, &error),
                        OUT_OF_RANGE, "1 bytes");

  quire_test_expect_critical ("*data != NULL*");
  g_assert_null (quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NONE, NULL, 64, 0, 64,
                                           &gone, quire_test_count));
  g_test_assert_expected_messages ();
  g_assert_cmpuint (gone, ==, 0);
}

static void
test_wrapped_read_only (void)
{
  static const guint8 constant[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
  g_autoptr (QuireMemory) memory = NULL;
  g_autoptr (QuireMemory) copy = NULL;

  g_test_summary ("What was wrapped read-only is never written, and its copy may be");

  memory = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_READONLY, (gpointer) constant, 8, 0, 8, NULL, NULL);
  g_assert_false (quire_memory_is_writable (memory));
  quire_assert_refused (quire_memory_try_fill (memory, 0, -1, 0, &error), READ_ONLY, "8 bytes");
  quire_assert_refused (quire_memory_try_write (memory, 0, constant, 8, &error), READ_ONLY);
  copy = quire_memory_copy (memory, 0, -1);
  g_assert_true (quire_memory_is_writable (copy));
  quire_assert_granted (quire_memory_try_fill (copy, 0, -1, 0, &error));
}

static void
test_reserved_flags (void)
{
  static guint8 data[8];

  g_test_summary ("Flags that mean nothing to a caller, the library's own among them, are refused");

  for (guint bit = 6; bit < 16; bit++)
    {
      const QuireMemoryFlags flags = (QuireMemoryFlags) (1 << bit | QUIRE_MEMORY_FLAG_READONLY);
      g_autofree char *words = g_strdup_printf ("0x%x", (guint) flags);
      QuireAllocationParams params;
      guint gone = 0;

      quire_assert_refused (quire_memory_try_new_wrapped (flags, data, 8, 0, 8,
                                                          &gone, quire_test_count, &error),
                            NOT_SUPPORTED, words);
      g_assert_null (quire_memory_new_wrapped (flags, data, 8, 0, 8, &gone, quire_test_count));
      g_assert_cmpuint (gone, ==, 0);

      quire_allocation_params_init (&params);
      params.flags = flags;
      quire_assert_refused (quire_memory_try_new_with_params (8, &params, &error), NOT_SUPPORTED, words);
    }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/create/new", test_new);
  g_test_add_func ("/create/distinct", test_distinct);
  g_test_add_func ("/create/params", test_params);
  g_test_add_func ("/create/too-much", test_too_much);
  g_test_add_func ("/create/wrapped", test_wrapped);
  g_test_add_func ("/create/wrapped-edges", test_wrapped_edges);
  g_test_add_func ("/create/wrapped-refused", test_wrapped_refused);
  g_test_add_func ("/create/wrapped-read-only", test_wrapped_read_only);
  g_test_add_func ("/create/reserved-flags", test_reserved_flags);

  return g_test_run ();
}
