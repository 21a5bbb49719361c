/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test-allocator.h"
#include "quire-test-pool.h"

static void
test_recycle (void)
{
  g_autoptr (QuirePoolAllocator) pool = pool_new (0);
  QuireMemory *first, *second, *third;
  guint8 *where, *other;

  g_test_summary ("What comes back is given out again, the last one first, with what is in it");

  pool_assert_stats (pool, 0, 0, 0, 0, 0, 0);
  first = pool_get (pool, POOL_SIZE);
  second = pool_get (pool, POOL_SIZE);
  g_assert_true (quire_memory_is_type (first, "pool"));
  g_assert_true (quire_memory_get_allocator (first) == QUIRE_ALLOCATOR (pool));
  pool_assert_stats (pool, 2, 0, 2, 2, 2, 0);

  g_assert_true (quire_memory_fill (first, 0, -1, 0x51));
  where = pool_address (first);
  other = pool_address (second);
  g_assert_true (where != other);
  quire_memory_unref (second);
  quire_memory_unref (first);
  pool_assert_stats (pool, 2, 2, 0, 2, 2, 0);

  first = pool_get (pool, POOL_SIZE);
  g_assert_true (pool_address (first) == where);
  g_assert_cmpuint (where[0], ==, 0x51);
  g_assert_cmpuint (where[POOL_SIZE - 1], ==, 0x51);
  second = pool_get (pool, POOL_SIZE);
  g_assert_true (pool_address (second) == other);
  third = pool_get (pool, POOL_SIZE);
  pool_assert_stats (pool, 3, 0, 3, 3, 3, 2);

  quire_memory_unref (first);
  quire_memory_unref (second);
  quire_memory_unref (third);
  pool_assert_stats (pool, 3, 3, 0, 3, 3, 2);
}

static void
test_renewed (void)
{
  g_autoptr (QuirePoolAllocator) pool = pool_new (1);
  g_autoptr (QuireMemory) memory = NULL;
  const GQuark quark = g_quark_from_static_string ("quire-test");
  QuireAllocationParams params;
  QuireMemory *before;
  guint gone = 0, dead = 0;

  g_test_summary ("A block that was used is as a new one but for its bytes");

  quire_allocation_params_init (&params);
  params.flags = QUIRE_MEMORY_FLAG_READONLY | QUIRE_MEMORY_FLAG_NO_SHARE;
  before = memory = quire_allocator_alloc (QUIRE_ALLOCATOR (pool), 100, &params);
  g_assert_cmpint (quire_memory_get_flags (memory), ==, params.flags);
  g_assert_false (quire_memory_is_writable (memory));
  quire_memory_set_qdata (memory, quark, &gone, quire_test_count);
  quire_memory_weak_ref (memory, quire_test_count_weak, &dead);
  g_assert_true (quire_memory_resize (memory, 10, 20));
  g_assert_true (quire_memory_lock (memory, QUIRE_MAP_EXCLUSIVE));
  g_assert_true (quire_memory_lock (memory, QUIRE_MAP_READ));
  g_clear_pointer (&memory, quire_memory_unref);
  g_assert_cmpuint (gone, ==, 1);
  g_assert_cmpuint (dead, ==, 1);

  memory = pool_get (pool, POOL_SIZE);
  g_assert_true (memory == before);
  g_assert_cmpint (quire_memory_get_flags (memory), ==, QUIRE_MEMORY_FLAG_NONE);
  g_assert_true (quire_memory_is_writable (memory));
  g_assert_null (quire_memory_get_qdata (memory, quark));
  quire_assert_sizes (memory, 0, POOL_SIZE, POOL_SIZE);
  quire_assert_state (memory, "free");
  quire_assert_refused (quire_memory_try_unlock (memory, QUIRE_MAP_READ, &error), FAILED);
  quire_assert_granted (quire_memory_try_fill (memory, 0, -1, 1, &error));
  g_clear_pointer (&memory, quire_memory_unref);
  g_assert_cmpuint (gone, ==, 1);
  g_assert_cmpuint (dead, ==, 1);
}

static void
test_bounded (void)
{
  g_autoptr (QuirePoolAllocator) pool = pool_new (3);
  QuireMemory *blocks[3];

  g_test_summary ("When all blocks are out another one is refused, until one is back");

  g_assert_cmpuint (quire_pool_allocator_get_max_blocks (pool), ==, 3);
  for (guint i = 0; i < 3; i++)
    blocks[i] = pool_get (pool, 1);
  for (guint i = 0; i < 3; i++)
    {
      quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (pool), 1, NULL, &error),
                            BUSY, "All 3 blocks of 4096 bytes");
      quire_memory_unref (blocks[i]);
      blocks[i] = pool_get (pool, 1);
    }
  pool_assert_stats (pool, 3, 0, 3, 3, 3, 3);
  for (guint i = 0; i < 3; i++)
    quire_memory_unref (blocks[i]);
}

static void
test_shares_and_maps (void)
{
  g_autoptr (QuirePoolAllocator) pool = pool_new (1);
  QuireMemory *memory = pool_get (pool, POOL_SIZE);
  QuireMemory *share = quire_memory_share (memory, 1, 10);
  QuireMapping *mapping = quire_memory_try_map (share, QUIRE_MAP_READ, NULL);
  QuireMemory *stand_in;

  g_test_summary ("A block comes back when nobody can reach it any more, by whatever way");

  g_assert_nonnull (mapping);
  quire_memory_unref (memory);
  quire_assert_refused (quire_pool_allocator_try_acquire (pool, 0, NULL, &error), BUSY);
  quire_memory_unref (share);
  quire_assert_refused (quire_pool_allocator_try_acquire (pool, 0, NULL, &error), BUSY);
  /* Released, it has no lock, but whoever has it has the address. */
  quire_mapping_release (mapping);
  quire_assert_refused (quire_pool_allocator_try_acquire (pool, 0, NULL, &error), BUSY);
  quire_mapping_unref (mapping);
  memory = pool_get (pool, POOL_SIZE);

  stand_in = quire_memory_close (memory);
  quire_assert_refused (quire_pool_allocator_try_acquire (pool, 0, NULL, &error), BUSY);
  quire_memory_unref (stand_in);
  memory = pool_get (pool, POOL_SIZE);

  quire_memory_ref (memory);
  g_assert_true (quire_memory_close_wrapper (memory));
  quire_assert_refused (quire_pool_allocator_try_acquire (pool, 0, NULL, &error), BUSY);
  quire_memory_unref (memory);
  pool_assert_stats (pool, 1, 1, 0, 1, 1, 2);

  memory = pool_get (pool, POOL_SIZE);
  quire_assert_state (memory, "free");
  quire_assert_granted (quire_memory_try_fill (memory, 0, -1, 1, &error));
  quire_memory_unref (memory);
}

static void
test_prealloc_and_trim (void)
{
  g_autoptr (TestAllocator) below = g_object_new (maps_allocator_get_type (), NULL);
  g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (QUIRE_ALLOCATOR (below), POOL_SIZE, NULL, 80);
  QuireMemory *memory;

  g_test_summary ("Blocks are made ahead, and given back, as is said");

  g_assert_true (quire_pool_allocator_prealloc (pool, 5));
  pool_assert_stats (pool, 5, 5, 0, 0, 5, 0);
  memory = pool_get (pool, POOL_SIZE);
  pool_assert_stats (pool, 5, 4, 1, 1, 5, 1);
  quire_assert_granted (quire_pool_allocator_try_prealloc (pool, 5, &error));
  quire_assert_granted (quire_pool_allocator_try_prealloc (pool, 0, &error));
  pool_assert_stats (pool, 5, 4, 1, 1, 5, 1);
  quire_assert_granted (quire_pool_allocator_try_prealloc (pool, 80, &error));
  pool_assert_stats (pool, 80, 79, 1, 1, 80, 1);
  quire_assert_refused (quire_pool_allocator_try_prealloc (pool, 81, &error), OUT_OF_RANGE, "81", "80");
  g_assert_cmpuint (below->frees, ==, 0);
  g_assert_cmpuint (below->maps, ==, 80);

  g_assert_cmpuint (quire_pool_allocator_trim (pool, 100), ==, 0);
  g_assert_cmpuint (quire_pool_allocator_trim (pool, 79), ==, 0);
  g_assert_cmpuint (quire_pool_allocator_trim (pool, 10), ==, 69);
  pool_assert_stats (pool, 11, 10, 1, 1, 80, 1);
  g_assert_cmpuint (below->frees, ==, 69);
  g_assert_cmpuint (below->unmaps, ==, 69);
  g_assert_cmpuint (quire_pool_allocator_flush (pool), ==, 10);
  g_assert_cmpuint (quire_pool_allocator_flush (pool), ==, 0);
  pool_assert_stats (pool, 1, 0, 1, 1, 80, 1);

  quire_memory_unref (memory);
  pool_assert_stats (pool, 1, 1, 0, 1, 80, 1);
  quire_assert_granted (quire_pool_allocator_try_prealloc (pool, 40, &error));
  pool_assert_stats (pool, 40, 40, 0, 1, 119, 1);
  g_clear_object (&pool);
  g_assert_cmpuint (below->frees, ==, 119);
  g_assert_cmpuint (below->unmaps, ==, 119);
}

static void
test_many (void)
{
  g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (NULL, 8, NULL, 0);
  g_autoptr (GPtrArray) blocks = g_ptr_array_new ();
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);

  g_test_summary ("There are as many blocks as are asked for, each one with bytes of its own");

  for (guint round = 0; round < 2; round++)
    {
      for (guint i = 0; i < 5000; i++)
        {
          QuireMemory *memory = pool_get (pool, 8);

          g_assert_true (quire_memory_write (memory, 0, (const guint8 *) &(guint64) { i }, 8));
          g_ptr_array_add (blocks, memory);
          g_hash_table_add (seen, memory);
        }
      for (guint i = 0; i < 5000; i++)
        {
          guint64 value;

          g_assert_true (quire_memory_read (blocks->pdata[i], 0, &value, 8));
          g_assert_cmpuint (value, ==, i);
          quire_memory_unref (blocks->pdata[i]);
        }
      g_ptr_array_set_size (blocks, 0);
      g_assert_cmpuint (g_hash_table_size (seen), ==, 5000);
      pool_assert_stats (pool, 5000, 5000, 0, 5000, 5000, round * 5000);
    }
}

static void
test_close (void)
{
  g_autoptr (TestAllocator) below = g_object_new (maps_allocator_get_type (), NULL);
  g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (QUIRE_ALLOCATOR (below), POOL_SIZE, NULL, 0);
  QuireMemory *memory = pool_get (pool, POOL_SIZE);

  g_test_summary ("A pool that is closed gives nothing, and keeps nothing; what is out is good");

  g_assert_true (quire_pool_allocator_prealloc (pool, 4));
  g_assert_false (quire_pool_allocator_is_closed (pool));
  quire_pool_allocator_close (pool);
  quire_pool_allocator_close (pool);
  g_assert_true (quire_pool_allocator_is_closed (pool));
  g_assert_cmpuint (below->frees, ==, 3);
  pool_assert_stats (pool, 1, 0, 1, 1, 4, 0);

  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (pool), 1, NULL, &error), CLOSED, "4096");
  quire_assert_refused (quire_pool_allocator_try_acquire (pool, -1, NULL, &error), CLOSED);
  quire_assert_refused (quire_pool_allocator_try_prealloc (pool, 2, &error), CLOSED);
  g_assert_cmpuint (quire_pool_allocator_trim (pool, 0), ==, 0);

  quire_assert_granted (quire_memory_try_fill (memory, 0, -1, 1, &error));
  quire_memory_unref (memory);
  g_assert_cmpuint (below->frees, ==, 4);
  pool_assert_stats (pool, 0, 0, 0, 1, 4, 0);
}

static void
test_dispose (void)
{
  g_autoptr (QuirePoolAllocator) pool = pool_new (0);
  QuireMemory *memory = pool_get (pool, POOL_SIZE);
  QuirePoolAllocator *weak = pool;

  g_test_summary ("Blocks keep their pool, even one that was disposed of");

  g_object_add_weak_pointer (G_OBJECT (pool), (gpointer *) &weak);
  g_object_unref (g_steal_pointer (&pool));
  g_assert_nonnull (weak);
  quire_assert_granted (quire_memory_try_fill (memory, 0, -1, 1, &error));
  quire_memory_unref (memory);
  g_assert_null (weak);

  pool = pool_new (0);
  memory = pool_get (pool, POOL_SIZE);
  g_object_run_dispose (G_OBJECT (pool));
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (pool), 1, NULL, &error), CLOSED);
  quire_assert_granted (quire_memory_try_fill (memory, 0, -1, 1, &error));
  quire_memory_unref (memory);
  pool_assert_stats (pool, 0, 0, 0, 1, 1, 0);
}

static void
test_stats_copy (void)
{
  QuirePoolStats stats = { .n_blocks = 1, .n_free = 2, .n_recycled = 3 };
  g_autoptr (QuirePoolStats) copy = g_boxed_copy (QUIRE_TYPE_POOL_STATS, &stats);

  g_test_summary ("Statistics are a box");

  g_assert_true (copy != &stats);
  g_assert_cmpuint (copy->n_blocks, ==, 1);
  g_assert_cmpuint (copy->n_free, ==, 2);
  g_assert_cmpuint (copy->n_recycled, ==, 3);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/pool/recycle", test_recycle);
  g_test_add_func ("/pool/renewed", test_renewed);
  g_test_add_func ("/pool/bounded", test_bounded);
  g_test_add_func ("/pool/shares-and-maps", test_shares_and_maps);
  g_test_add_func ("/pool/prealloc-and-trim", test_prealloc_and_trim);
  g_test_add_func ("/pool/many", test_many);
  g_test_add_func ("/pool/close", test_close);
  g_test_add_func ("/pool/dispose", test_dispose);
  g_test_add_func ("/pool/stats-copy", test_stats_copy);

  return g_test_run ();
}
