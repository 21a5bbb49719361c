/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test.h"

static const gsize masks[] = { 0, 1, 3, 7, 15, 31, 63, 255, 4095, 65535 };
static const gsize prefixes[] = { 0, 1, 7, 15, 16, 17, 63, 64, 4095, 4096, 4097 };

static QuireMemory *
new_aligned (gsize align,
             gsize prefix,
             gsize size,
             gsize padding,
             guint flags)
{
  QuireAllocationParams params;
  QuireMemory *memory;

  quire_allocation_params_init (&params);
  params.flags = (QuireMemoryFlags) flags;
  params.align = align;
  params.prefix = prefix;
  params.padding = padding;
  memory = quire_memory_new_with_params (size, &params);
  g_assert_nonnull (memory);

  return memory;
}

static void
test_params (void)
{
  QuireAllocationParams *copy, params;
  g_autoptr (QuireAllocationParams) fresh = quire_allocation_params_new ();

  g_test_summary ("Parameters begin with nothing special, and a copy is one");

  g_assert_cmpint (fresh->flags, ==, QUIRE_MEMORY_FLAG_NONE);
  g_assert_cmpuint (fresh->align, ==, 0);
  g_assert_cmpuint (fresh->prefix, ==, 0);
  g_assert_cmpuint (fresh->padding, ==, 0);

  memset (&params, 0xaa, sizeof params);
  quire_allocation_params_init (&params);
  g_assert_cmpint (params.flags, ==, QUIRE_MEMORY_FLAG_NONE);
  g_assert_cmpuint (params.align, ==, 0);
  g_assert_cmpuint (params.prefix, ==, 0);
  g_assert_cmpuint (params.padding, ==, 0);

  params.flags = QUIRE_MEMORY_FLAG_NO_SHARE;
  params.align = 63;
  params.prefix = 3;
  params.padding = 5;
  copy = g_boxed_copy (QUIRE_TYPE_ALLOCATION_PARAMS, &params);
  g_assert_true (copy != &params);
  params.align = 1;
  g_assert_cmpint (copy->flags, ==, QUIRE_MEMORY_FLAG_NO_SHARE);
  g_assert_cmpuint (copy->align, ==, 63);
  g_assert_cmpuint (copy->prefix, ==, 3);
  g_assert_cmpuint (copy->padding, ==, 5);
  quire_allocation_params_free (copy);
  quire_allocation_params_free (NULL);
}

static void
test_data (void)
{
  g_test_summary ("The data is aligned whatever the prefix; all of the block can be written");

  for (gsize m = 0; m < G_N_ELEMENTS (masks); m++)
    {
      for (gsize p = 0; p < G_N_ELEMENTS (prefixes); p++)
        {
          /* Several at once, so that chance can't align them all. */
          QuireMemory *blocks[4];

          for (gsize i = 0; i < G_N_ELEMENTS (blocks); i++)
            {
              QuireMapInfo info;
              QuireMemory *memory = new_aligned (masks[m], prefixes[p], 33, 7 + i, 0);

              blocks[i] = memory;
              quire_assert_sizes (memory, prefixes[p], 33, prefixes[p] + 33 + 7 + i);
              g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_WRITE));
              g_assert_cmpuint ((guintptr) info.data & masks[m], ==, 0);
              g_assert_cmpuint ((guintptr) info.data & quire_allocator_get_default_align (), ==, 0);
              memset (info.data - prefixes[p], 0x5a, prefixes[p] + 33 + 7 + i);
              quire_memory_unmap (memory, &info);

              g_assert_true (quire_memory_is_aligned (memory, masks[m]));
              g_assert_cmpuint (quire_memory_get_align (memory) & masks[m], ==, masks[m]);
            }

          for (gsize i = 0; i < G_N_ELEMENTS (blocks); i++)
            quire_memory_unref (blocks[i]);
        }
    }
}

static void
test_default (void)
{
  const gsize align = quire_allocator_get_default_align ();

  g_test_summary ("Without a wish the data is aligned as malloc() does it");

  g_assert_cmpuint (align, >=, G_ALIGNOF (max_align_t) - 1);
  g_assert_cmpuint (align, >=, 2 * sizeof (gsize) - 1);
  g_assert_cmpuint (align & (align + 1), ==, 0);

  for (gsize size = 0; size < 70; size++)
    {
      g_autoptr (QuireMemory) memory = quire_memory_new (size);

      g_assert_cmpuint (quire_memory_get_align (memory), ==, align);
      g_assert_true (quire_memory_is_aligned (memory, align));
    }
}

static void
test_lines (void)
{
  static const gsize sizes[] = { 1024, 1025, 4096, 65537, 1048576, 1048577, 4194304 };

  g_test_summary ("Larger data begins at a cache line, though nobody asked; all of it can be written");

  for (gsize s = 0; s < G_N_ELEMENTS (sizes); s++)
    {
      for (gsize p = 0; p <= G_N_ELEMENTS (prefixes); p++)
        {
          /* Beside those with a prefix, the plain ones. */
          const gsize prefix = p < G_N_ELEMENTS (prefixes) ? prefixes[p] : 0;
          QuireMemory *blocks[4];

          for (gsize i = 0; i < G_N_ELEMENTS (blocks); i++)
            {
              QuireMapInfo info;
              QuireMemory *memory = p < G_N_ELEMENTS (prefixes)
                                      ? new_aligned (0, prefix, sizes[s], i, 0)
                                      : quire_memory_new (sizes[s]);

              blocks[i] = memory;
              g_assert_true (quire_memory_is_aligned (memory, 63));
              g_assert_cmpuint (quire_memory_get_align (memory), ==, quire_allocator_get_default_align ());
              g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_WRITE));
              memset (info.data - prefix, 0x5a, prefix + info.maxsize);
              quire_memory_unmap (memory, &info);
            }

          for (gsize i = 0; i < G_N_ELEMENTS (blocks); i++)
            quire_memory_unref (blocks[i]);
        }
    }
}

static void
test_no_mask (void)
{
  static const gsize wrong[] = {
    2, 4, 5, 6, 8, 16, 64, 100, 4094, 4096, G_MAXSIZE - 1, (gsize) 1 << (GLIB_SIZEOF_SIZE_T * 8 - 1)
  };
  g_autoptr (QuireMemory) memory = quire_memory_new (8);

  g_test_summary ("An alignment that is no power of two less 1 is refused, and asked in vain");

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autofree char *mask = g_strdup_printf ("mask %" G_GSIZE_FORMAT " ", wrong[i]);
      QuireAllocationParams params;

      quire_allocation_params_init (&params);
      params.align = wrong[i];
      quire_assert_refused (quire_memory_try_new_with_params (8, &params, &error), NOT_SUPPORTED, mask);
      g_assert_null (quire_memory_new_with_params (8, &params));
      g_assert_false (quire_memory_is_aligned (memory, wrong[i]));
    }
}

static void
test_huge_mask (void)
{
  QuireAllocationParams params;

  g_test_summary ("A mask beyond all memory is refused, not wrapped around");

  quire_allocation_params_init (&params);
  params.align = G_MAXSIZE;
  quire_assert_refused (quire_memory_try_new_with_params (8, &params, &error), NO_SPACE, "8 bytes");
  params.align = G_MAXSSIZE;
  quire_assert_refused (quire_memory_try_new_with_params (8, &params, &error), NO_SPACE, "8 bytes");
  params.prefix = 24;
  quire_assert_refused (quire_memory_try_new_with_params (8, &params, &error), NO_SPACE, "32 bytes");
}

static void
test_is_aligned (void)
{
  g_autoptr (QuireMemory) memory = new_aligned (4095, 64, 256, 0, 0);
  g_autoptr (QuireMemory) odd = NULL;

  g_test_summary ("is_aligned() looks at where the data is by now");

  g_assert_true (quire_memory_is_aligned (memory, 4095));
  g_assert_true (quire_memory_resize (memory, 64, 192));
  g_assert_true (quire_memory_is_aligned (memory, 63));
  g_assert_false (quire_memory_is_aligned (memory, 127));
  g_assert_false (quire_memory_is_aligned (memory, G_MAXSIZE));
  g_assert_true (quire_memory_is_aligned (memory, 0));

  odd = quire_memory_share (memory, 1, -1);
  g_assert_true (quire_memory_is_aligned (odd, 0));
  g_assert_false (quire_memory_is_aligned (odd, 1));
  g_assert_cmpuint (quire_memory_get_align (odd), ==, 4095);
}

/* Leaves what is not zero where the next blocks may come to lie. */
static void
soil_heap (gsize size)
{
  gpointer chunks[8];

  for (gsize i = 0; i < G_N_ELEMENTS (chunks); i++)
    {
      chunks[i] = g_malloc (size);
      memset (chunks[i], 0xee, size);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (chunks); i++)
    g_free (chunks[i]);
}

static gsize
count_nonzero (const guint8 *bytes,
               gsize         size)
{
  gsize count = 0;

  for (gsize i = 0; i < size; i++)
    count += bytes[i] != 0;

  return count;
}

static void
test_zero (void)
{
  g_test_summary ("Prefix and padding are zero if that was asked for, all of them and nothing else");

  for (gsize m = 0; m < G_N_ELEMENTS (masks); m++)
    {
      for (gsize p = 0; p < G_N_ELEMENTS (prefixes); p++)
        {
          const gsize prefix = prefixes[p];
          const gsize padding = prefixes[G_N_ELEMENTS (prefixes) - 1 - p];
          const guint both = QUIRE_MEMORY_FLAG_ZERO_PREFIXED | QUIRE_MEMORY_FLAG_ZERO_PADDED;
          g_autoptr (QuireMemory) memory = NULL;
          QuireMapInfo info;

          soil_heap (prefix + 100 + padding + masks[m] + 200);
          memory = new_aligned (masks[m], prefix, 100, padding, both);
          g_assert_cmpuint (quire_memory_get_flags (memory), ==, both);
          g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_WRITE));
          g_assert_cmpuint (count_nonzero (info.data - prefix, prefix), ==, 0);
          g_assert_cmpuint (count_nonzero (info.data + 100, padding), ==, 0);
          quire_memory_unmap (memory, &info);
        }
    }
}

static void
test_zero_one_side (void)
{
  g_autoptr (QuireMemory) front = NULL;
  g_autoptr (QuireMemory) back = NULL;
  QuireMapInfo info;

  g_test_summary ("Each side is zeroed by a flag of its own");

  soil_heap (500);
  front = new_aligned (0, 64, 64, 64, QUIRE_MEMORY_FLAG_ZERO_PREFIXED);
  g_assert_cmpuint (quire_memory_get_flags (front), ==, QUIRE_MEMORY_FLAG_ZERO_PREFIXED);
  g_assert_true (quire_memory_map (front, &info, QUIRE_MAP_READ));
  g_assert_cmpuint (count_nonzero (info.data - 64, 64), ==, 0);
  quire_memory_unmap (front, &info);

  soil_heap (500);
  back = new_aligned (0, 64, 64, 64, QUIRE_MEMORY_FLAG_ZERO_PADDED);
  g_assert_cmpuint (quire_memory_get_flags (back), ==, QUIRE_MEMORY_FLAG_ZERO_PADDED);
  g_assert_true (quire_memory_map (back, &info, QUIRE_MAP_READ));
  g_assert_cmpuint (count_nonzero (info.data + 64, 64), ==, 0);
  quire_memory_unmap (back, &info);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/align/params", test_params);
  g_test_add_func ("/align/data", test_data);
  g_test_add_func ("/align/default", test_default);
  g_test_add_func ("/align/lines", test_lines);
  g_test_add_func ("/align/no-mask", test_no_mask);
  g_test_add_func ("/align/huge-mask", test_huge_mask);
  g_test_add_func ("/align/is-aligned", test_is_aligned);
  g_test_add_func ("/align/zero", test_zero);
  g_test_add_func ("/align/zero-one-side", test_zero_one_side);

  return g_test_run ();
}
