/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test-pool.h"

/* What may be asked of a pool, when it is made and for each block. */

static void
test_sizes (void)
{
  static const gsize sizes[] = { POOL_SIZE, 0, 1, POOL_SIZE - 1, 17 };
  g_autoptr (QuirePoolAllocator) pool = pool_new (1);

  g_test_summary ("A block has the size that was asked for, the rest is padding; more is refused");

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (QuireMemory) memory = pool_get (pool, sizes[i]);

      quire_assert_sizes (memory, 0, sizes[i], POOL_SIZE);
      g_assert_true (quire_memory_resize (memory, 0, POOL_SIZE));
    }

  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (pool), POOL_SIZE + 1, NULL, &error),
                        OUT_OF_RANGE, "4097", "4096");
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (pool), G_MAXSSIZE, NULL, &error),
                        OUT_OF_RANGE, "4096");
  pool_assert_stats (pool, 1, 1, 0, 1, 1, G_N_ELEMENTS (sizes) - 1);
}

/* Of a pool of blocks of 100 bytes with 16 before and 8 after, aligned to 64. */
static const struct
{
  gsize    size, align, prefix, padding;
  gboolean fits;
} requests[] = {
  { 100, 0, 0, 0, TRUE },
  { 100, 63, 16, 8, TRUE },
  { 100, 15, 15, 7, TRUE },
  { 100, 127, 0, 0, FALSE },
  { 100, 4095, 0, 0, FALSE },
  { 100, 0, 17, 0, FALSE },
  { 0, 0, 17, 0, FALSE },
  { 100, 0, 0, 9, FALSE },
  { 99, 0, 0, 9, TRUE },
  { 99, 0, 0, 10, FALSE },
  { 0, 0, 16, 108, TRUE },
  { 0, 0, 16, 109, FALSE },
  { 1, 0, 0, G_MAXSSIZE / 2, FALSE },
  { 1, 0, G_MAXSSIZE / 2, 0, FALSE },
};

static void
test_params (void)
{
  g_autoptr (QuirePoolAllocator) pool = NULL;
  QuireAllocationParams params;

  g_test_summary ("What the blocks of the pool have may be asked for, and nothing more");

  quire_allocation_params_init (&params);
  params.align = 63;
  params.prefix = 16;
  params.padding = 8;
  params.flags = QUIRE_MEMORY_FLAG_NO_SHARE;
  pool = quire_pool_allocator_new (NULL, 100, &params, 0);

  for (gsize i = 0; i < G_N_ELEMENTS (requests); i++)
    {
      g_autoptr (QuireMemory) memory = NULL;

      g_test_message ("%" G_GSIZE_FORMAT " bytes, align %" G_GSIZE_FORMAT ", %" G_GSIZE_FORMAT
                      " before and %" G_GSIZE_FORMAT " after", requests[i].size, requests[i].align,
                      requests[i].prefix, requests[i].padding);
      quire_allocation_params_init (&params);
      params.align = requests[i].align;
      params.prefix = requests[i].prefix;
      params.padding = requests[i].padding;
      if (requests[i].fits)
        {
          quire_assert_granted ((memory = quire_allocator_try_alloc (QUIRE_ALLOCATOR (pool), requests[i].size,
                                                                     &params, &error)));
          quire_assert_sizes (memory, 16, requests[i].size, 124);
          g_assert_true (quire_memory_is_aligned (memory, 63));
          g_assert_cmpuint (quire_memory_get_align (memory) & 63, ==, 63);
          g_assert_cmpint (quire_memory_get_flags (memory), ==, QUIRE_MEMORY_FLAG_NO_SHARE);
        }
      else
        {
          quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (pool), requests[i].size,
                                                           &params, &error),
                                NOT_SUPPORTED);
        }
    }

  params.align = 127;
  params.prefix = params.padding = 0;
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (pool), 1, &params, &error),
                        NOT_SUPPORTED, "63", "127");
  params.align = 0;
  params.prefix = 17;
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (pool), 90, &params, &error),
                        NOT_SUPPORTED, "16 bytes before and 18 after 90 bytes", "17 and 0");
}

static void
test_zero (void)
{
  g_autoptr (QuirePoolAllocator) pool = NULL;
  QuireAllocationParams params;

  g_test_summary ("Prefix and padding are zero each time that this is asked for");

  quire_allocation_params_init (&params);
  params.prefix = params.padding = 32;
  pool = quire_pool_allocator_new (NULL, 64, &params, 1);

  for (guint flags = 0; flags < 16; flags++)
    {
      QuireMapInfo info;
      QuireMemory *memory;

      params.flags = (QuireMemoryFlags) (flags & (QUIRE_MEMORY_FLAG_ZERO_PREFIXED | QUIRE_MEMORY_FLAG_ZERO_PADDED));
      memory = quire_allocator_alloc (QUIRE_ALLOCATOR (pool), 40, &params);
      g_assert_cmpint (quire_memory_get_flags (memory), ==, params.flags);
      g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_WRITE));
      for (guint i = 0; i < 128; i++)
        {
          const gboolean zero = i < 32 ? (params.flags & QUIRE_MEMORY_FLAG_ZERO_PREFIXED) != 0
                                       : i >= 72 && (params.flags & QUIRE_MEMORY_FLAG_ZERO_PADDED);

          if (zero)
            g_assert_cmpuint ((info.data - 32)[i], ==, 0);
          else if (flags != 0)
            g_assert_cmpuint ((info.data - 32)[i], ==, 0x77);
        }
      memset (info.data - 32, 0x77, 128);
      quire_memory_unmap (memory, &info);
      quire_memory_unref (memory);
    }
}

static void
test_new (void)
{
  g_autoptr (QuirePoolAllocator) pool = NULL;
  QuireAllocationParams params;

  g_test_summary ("A pool that makes no sense is refused");

  quire_allocation_params_init (&params);
  quire_assert_refused (quire_pool_allocator_try_new (NULL, (gsize) G_MAXSSIZE + 1, NULL, 0, &error),
                        TOO_LARGE, "9223372036854775808");
  params.prefix = G_MAXSSIZE;
  quire_assert_refused (quire_pool_allocator_try_new (NULL, 1, &params, 0, &error), TOO_LARGE);
  params.prefix = 0;
  params.align = 2;
  quire_assert_refused (quire_pool_allocator_try_new (NULL, 1, &params, 0, &error), NOT_SUPPORTED, "2");
  params.align = 0;
  params.flags = (QuireMemoryFlags) (1 << 12);
  quire_assert_refused (quire_pool_allocator_try_new (NULL, 1, &params, 0, &error), NOT_SUPPORTED, "0x1000");
  quire_assert_refused (quire_pool_allocator_try_new (NULL, 1, NULL, 1 << 24, &error), OUT_OF_RANGE, "16777216");
  g_assert_null (quire_pool_allocator_new (NULL, 1, NULL, G_MAXUINT));

  /* As properties they are told of later. */
  pool = g_object_new (QUIRE_TYPE_POOL_ALLOCATOR, "params", &params, "initial-blocks", 3, NULL);
  pool_assert_stats (pool, 0, 0, 0, 0, 0, 0);
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (pool), 0, NULL, &error),
                        NOT_SUPPORTED, "0x1000");
}

static void
test_properties (void)
{
  g_autoptr (QuirePoolAllocator) pool = NULL;
  g_autoptr (QuireAllocator) allocator = NULL;
  g_autoptr (QuireAllocator) system = quire_allocator_find ("system");
  QuireAllocationParams params;
  QuireAllocationParams *got = NULL;
  guint64 block_size;
  gint64 max_wait;
  guint max_blocks, notified = 0;

  g_test_summary ("Properties say what the functions say");

  quire_allocation_params_init (&params);
  params.align = 255;
  params.padding = 7;
  pool = g_object_new (QUIRE_TYPE_POOL_ALLOCATOR,
                       "block-size", (guint64) 100,
                       "params", &params,
                       "max-blocks", 9,
                       "max-wait", (gint64) 1000,
                       "initial-blocks", 20,
                       NULL);
  pool_assert_stats (pool, 9, 9, 0, 0, 9, 0);
  g_object_get (pool,
                "allocator", &allocator,
                "block-size", &block_size,
                "params", &got,
                "max-blocks", &max_blocks,
                "max-wait", &max_wait,
                NULL);
  g_assert_true (allocator == system);
  g_assert_cmpuint (block_size, ==, 100);
  g_assert_cmpuint (quire_pool_allocator_get_block_size (pool), ==, 100);
  g_assert_cmpuint (got->align, ==, 255);
  g_assert_cmpuint (got->padding, ==, 7);
  quire_allocation_params_free (got);
  g_assert_cmpuint (max_blocks, ==, 9);
  g_assert_cmpint (max_wait, ==, 1000);

  g_signal_connect_swapped (pool, "notify::max-wait", G_CALLBACK (quire_test_count), &notified);
  quire_pool_allocator_set_max_wait (pool, 1000);
  g_assert_cmpuint (notified, ==, 0);
  g_object_set (pool, "max-wait", (gint64) -1, NULL);
  g_assert_cmpuint (notified, ==, 1);
  g_assert_cmpint (quire_pool_allocator_get_max_wait (pool), ==, -1);

  quire_pool_allocator_set_max_wait (pool, -2);
  g_assert_cmpint (quire_pool_allocator_get_max_wait (pool), ==, -1);
  g_assert_cmpuint (notified, ==, 1);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/pool-params/sizes", test_sizes);
  g_test_add_func ("/pool-params/params", test_params);
  g_test_add_func ("/pool-params/zero", test_zero);
  g_test_add_func ("/pool-params/new", test_new);
  g_test_add_func ("/pool-params/properties", test_properties);

  return g_test_run ();
}
