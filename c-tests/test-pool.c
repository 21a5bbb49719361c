/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test-allocator.h"

#define SIZE 4096

/* An allocator below a pool that goes wrong as it is told. */
typedef enum
{
  GOOD,
  TOO_SMALL,
  MISALIGNED,
  READ_ONLY,
  NOT_MAPPABLE,
  IN_USE,
} Below;

typedef struct
{
  QuireAllocator        parent_instance;

  Below                 kind;
  guint                 fail_after;
  guint                 asked;
  QuireAllocationParams params;
  QuireMapInfo          map;
} BelowAllocator;

typedef QuireAllocatorClass BelowAllocatorClass;

static GType below_allocator_get_type (void);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BelowAllocator, g_object_unref)
G_DEFINE_FINAL_TYPE (BelowAllocator, below_allocator, QUIRE_TYPE_ALLOCATOR)

static QuireMemory *
below_allocator_alloc (QuireAllocator              *allocator,
                       gsize                        size,
                       const QuireAllocationParams *params,
                       GError                     **error)
{
  BelowAllocator *self = (BelowAllocator *) allocator;
  const gsize maxsize = params->prefix + size + params->padding;
  const gsize bytes = self->kind == TOO_SMALL ? maxsize - 1 : maxsize;
  QuireMemoryFlags flags = params->flags;
  QuireMemory *memory;
  guint8 *data;

  self->params = *params;
  if (++self->asked > self->fail_after)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "The test wants it so");
      return NULL;
    }

  if (self->kind == READ_ONLY)
    flags |= QUIRE_MEMORY_FLAG_READONLY;
  if (self->kind == NOT_MAPPABLE)
    flags |= QUIRE_MEMORY_FLAG_NOT_MAPPABLE;

  data = g_malloc (bytes + 64);
  memory = quire_memory_new_wrapped (flags, self->kind == MISALIGNED ? data + 1 : data, bytes,
                                     0, bytes - params->padding, data, g_free);
  if (self->kind == IN_USE)
    g_assert_true (quire_memory_map (memory, &self->map, QUIRE_MAP_READ));

  return memory;
}

static void
below_allocator_free (QuireAllocator *allocator,
                      QuireMemory    *memory)
{
  g_assert_not_reached ();
}

static void
below_allocator_class_init (BelowAllocatorClass *klass)
{
  klass->mem_type = "below";
  klass->alloc = below_allocator_alloc;
  klass->free = below_allocator_free;
}

static void
below_allocator_init (BelowAllocator *self)
{
  self->fail_after = G_MAXUINT;
}

static QuirePoolAllocator *
new_pool (guint max_blocks)
{
  return quire_pool_allocator_new (NULL, SIZE, NULL, max_blocks);
}

static QuireMemory *
get (QuirePoolAllocator *pool,
     gsize               size)
{
  QuireMemory *memory = quire_allocator_alloc (QUIRE_ALLOCATOR (pool), size, NULL);

  g_assert_nonnull (memory);
  return memory;
}

static guint8 *
address (QuireMemory *memory)
{
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;

  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  return info.data;
}

#define assert_stats(pool, blocks, unused, out, most, made, recycled) \
  G_STMT_START \
    { \
      QuirePoolStats stats_; \
 \
      memset (&stats_, 0xaa, sizeof stats_); \
      quire_pool_allocator_get_stats (pool, &stats_); \
      g_assert_cmpuint (stats_.n_blocks, ==, blocks); \
      g_assert_cmpuint (stats_.n_free, ==, unused); \
      g_assert_cmpuint (stats_.n_out, ==, out); \
      g_assert_cmpuint (stats_.max_out, ==, most); \
      g_assert_cmpuint (stats_.n_waiting, ==, 0); \
      g_assert_cmpuint (stats_.n_made, ==, made); \
      g_assert_cmpuint (stats_.n_recycled, ==, recycled); \
    } \
  G_STMT_END

static void
test_recycle (void)
{
  g_autoptr (QuirePoolAllocator) pool = new_pool (0);
  QuireMemory *first, *second, *third;
  guint8 *where, *other;

  g_test_summary ("What comes back is given out again, the last one first, with what is in it");

  assert_stats (pool, 0, 0, 0, 0, 0, 0);
  first = get (pool, SIZE);
  second = get (pool, SIZE);
  g_assert_true (quire_memory_is_type (first, "pool"));
  g_assert_true (quire_memory_get_allocator (first) == QUIRE_ALLOCATOR (pool));
  assert_stats (pool, 2, 0, 2, 2, 2, 0);

  g_assert_true (quire_memory_fill (first, 0, -1, 0x51));
  where = address (first);
  other = address (second);
  g_assert_true (where != other);
  quire_memory_unref (second);
  quire_memory_unref (first);
  assert_stats (pool, 2, 2, 0, 2, 2, 0);

  first = get (pool, SIZE);
  g_assert_true (address (first) == where);
  g_assert_cmpuint (where[0], ==, 0x51);
  g_assert_cmpuint (where[SIZE - 1], ==, 0x51);
  second = get (pool, SIZE);
  g_assert_true (address (second) == other);
  third = get (pool, SIZE);
  assert_stats (pool, 3, 0, 3, 3, 3, 2);

  quire_memory_unref (first);
  quire_memory_unref (second);
  quire_memory_unref (third);
  assert_stats (pool, 3, 3, 0, 3, 3, 2);
}

static void
test_renewed (void)
{
  g_autoptr (QuirePoolAllocator) pool = new_pool (1);
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

  memory = get (pool, SIZE);
  g_assert_true (memory == before);
  g_assert_cmpint (quire_memory_get_flags (memory), ==, QUIRE_MEMORY_FLAG_NONE);
  g_assert_true (quire_memory_is_writable (memory));
  g_assert_null (quire_memory_get_qdata (memory, quark));
  quire_assert_sizes (memory, 0, SIZE, SIZE);
  quire_assert_state (memory, "free");
  quire_assert_refused (quire_memory_try_unlock (memory, QUIRE_MAP_READ, &error), FAILED);
  quire_assert_granted (quire_memory_try_fill (memory, 0, -1, 1, &error));
  g_clear_pointer (&memory, quire_memory_unref);
  g_assert_cmpuint (gone, ==, 1);
  g_assert_cmpuint (dead, ==, 1);
}

static void
test_sizes (void)
{
  static const gsize sizes[] = { SIZE, 0, 1, SIZE - 1, 17 };
  g_autoptr (QuirePoolAllocator) pool = new_pool (1);

  g_test_summary ("A block has the size that was asked for, the rest is padding; more is refused");

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (QuireMemory) memory = get (pool, sizes[i]);

      quire_assert_sizes (memory, 0, sizes[i], SIZE);
      g_assert_true (quire_memory_resize (memory, 0, SIZE));
    }

  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (pool), SIZE + 1, NULL, &error),
                        OUT_OF_RANGE, "4097", "4096");
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (pool), G_MAXSSIZE, NULL, &error),
                        OUT_OF_RANGE, "4096");
  assert_stats (pool, 1, 1, 0, 1, 1, G_N_ELEMENTS (sizes) - 1);
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
test_bounded (void)
{
  g_autoptr (QuirePoolAllocator) pool = new_pool (3);
  QuireMemory *blocks[3];

  g_test_summary ("When all blocks are out another one is refused, until one is back");

  g_assert_cmpuint (quire_pool_allocator_get_max_blocks (pool), ==, 3);
  for (guint i = 0; i < 3; i++)
    blocks[i] = get (pool, 1);
  for (guint i = 0; i < 3; i++)
    {
      quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (pool), 1, NULL, &error),
                            BUSY, "All 3 blocks of 4096 bytes");
      quire_memory_unref (blocks[i]);
      blocks[i] = get (pool, 1);
    }
  assert_stats (pool, 3, 0, 3, 3, 3, 3);
  for (guint i = 0; i < 3; i++)
    quire_memory_unref (blocks[i]);
}

static void
test_shares_and_maps (void)
{
  g_autoptr (QuirePoolAllocator) pool = new_pool (1);
  QuireMemory *memory = get (pool, SIZE);
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
  memory = get (pool, SIZE);

  stand_in = quire_memory_close (memory);
  quire_assert_refused (quire_pool_allocator_try_acquire (pool, 0, NULL, &error), BUSY);
  quire_memory_unref (stand_in);
  memory = get (pool, SIZE);

  quire_memory_ref (memory);
  g_assert_true (quire_memory_close_wrapper (memory));
  quire_assert_refused (quire_pool_allocator_try_acquire (pool, 0, NULL, &error), BUSY);
  quire_memory_unref (memory);
  assert_stats (pool, 1, 1, 0, 1, 1, 2);

  memory = get (pool, SIZE);
  quire_assert_state (memory, "free");
  quire_assert_granted (quire_memory_try_fill (memory, 0, -1, 1, &error));
  quire_memory_unref (memory);
}

static void
test_prealloc_and_trim (void)
{
  g_autoptr (TestAllocator) below = g_object_new (maps_allocator_get_type (), NULL);
  g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (QUIRE_ALLOCATOR (below), SIZE, NULL, 80);
  QuireMemory *memory;

  g_test_summary ("Blocks are made ahead, and given back, as is said");

  g_assert_true (quire_pool_allocator_prealloc (pool, 5));
  assert_stats (pool, 5, 5, 0, 0, 5, 0);
  memory = get (pool, SIZE);
  assert_stats (pool, 5, 4, 1, 1, 5, 1);
  quire_assert_granted (quire_pool_allocator_try_prealloc (pool, 5, &error));
  quire_assert_granted (quire_pool_allocator_try_prealloc (pool, 0, &error));
  assert_stats (pool, 5, 4, 1, 1, 5, 1);
  quire_assert_granted (quire_pool_allocator_try_prealloc (pool, 80, &error));
  assert_stats (pool, 80, 79, 1, 1, 80, 1);
  quire_assert_refused (quire_pool_allocator_try_prealloc (pool, 81, &error), OUT_OF_RANGE, "81", "80");
  g_assert_cmpuint (below->frees, ==, 0);
  g_assert_cmpuint (below->maps, ==, 80);

  g_assert_cmpuint (quire_pool_allocator_trim (pool, 100), ==, 0);
  g_assert_cmpuint (quire_pool_allocator_trim (pool, 79), ==, 0);
  g_assert_cmpuint (quire_pool_allocator_trim (pool, 10), ==, 69);
  assert_stats (pool, 11, 10, 1, 1, 80, 1);
  g_assert_cmpuint (below->frees, ==, 69);
  g_assert_cmpuint (below->unmaps, ==, 69);
  g_assert_cmpuint (quire_pool_allocator_flush (pool), ==, 10);
  g_assert_cmpuint (quire_pool_allocator_flush (pool), ==, 0);
  assert_stats (pool, 1, 0, 1, 1, 80, 1);

  quire_memory_unref (memory);
  assert_stats (pool, 1, 1, 0, 1, 80, 1);
  quire_assert_granted (quire_pool_allocator_try_prealloc (pool, 40, &error));
  assert_stats (pool, 40, 40, 0, 1, 119, 1);
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
          QuireMemory *memory = get (pool, 8);

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
      assert_stats (pool, 5000, 5000, 0, 5000, 5000, round * 5000);
    }
}

static void
test_close (void)
{
  g_autoptr (TestAllocator) below = g_object_new (maps_allocator_get_type (), NULL);
  g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (QUIRE_ALLOCATOR (below), SIZE, NULL, 0);
  QuireMemory *memory = get (pool, SIZE);

  g_test_summary ("A pool that is closed gives nothing, and keeps nothing; what is out is good");

  g_assert_true (quire_pool_allocator_prealloc (pool, 4));
  g_assert_false (quire_pool_allocator_is_closed (pool));
  quire_pool_allocator_close (pool);
  quire_pool_allocator_close (pool);
  g_assert_true (quire_pool_allocator_is_closed (pool));
  g_assert_cmpuint (below->frees, ==, 3);
  assert_stats (pool, 1, 0, 1, 1, 4, 0);

  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (pool), 1, NULL, &error), CLOSED, "4096");
  quire_assert_refused (quire_pool_allocator_try_acquire (pool, -1, NULL, &error), CLOSED);
  quire_assert_refused (quire_pool_allocator_try_prealloc (pool, 2, &error), CLOSED);
  g_assert_cmpuint (quire_pool_allocator_trim (pool, 0), ==, 0);

  quire_assert_granted (quire_memory_try_fill (memory, 0, -1, 1, &error));
  quire_memory_unref (memory);
  g_assert_cmpuint (below->frees, ==, 4);
  assert_stats (pool, 0, 0, 0, 1, 4, 0);
}

static void
test_dispose (void)
{
  g_autoptr (QuirePoolAllocator) pool = new_pool (0);
  QuireMemory *memory = get (pool, SIZE);
  QuirePoolAllocator *weak = pool;

  g_test_summary ("Blocks keep their pool, even one that was disposed of");

  g_object_add_weak_pointer (G_OBJECT (pool), (gpointer *) &weak);
  g_object_unref (g_steal_pointer (&pool));
  g_assert_nonnull (weak);
  quire_assert_granted (quire_memory_try_fill (memory, 0, -1, 1, &error));
  quire_memory_unref (memory);
  g_assert_null (weak);

  pool = new_pool (0);
  memory = get (pool, SIZE);
  g_object_run_dispose (G_OBJECT (pool));
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (pool), 1, NULL, &error), CLOSED);
  quire_assert_granted (quire_memory_try_fill (memory, 0, -1, 1, &error));
  quire_memory_unref (memory);
  assert_stats (pool, 0, 0, 0, 1, 1, 0);
}

static void
test_below_fails (void)
{
  g_autoptr (BelowAllocator) below = g_object_new (below_allocator_get_type (), NULL);
  g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (QUIRE_ALLOCATOR (below), SIZE, NULL, 2);

  g_test_summary ("If the other allocator fails, its error is told, and no block is lost");

  below->fail_after = 0;
  for (guint i = 0; i < 5; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (quire_allocator_try_alloc (QUIRE_ALLOCATOR (pool), 1, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
    }
  assert_stats (pool, 0, 0, 0, 0, 0, 0);

  below->fail_after = below->asked + 1;
  g_assert_false (quire_pool_allocator_prealloc (pool, 2));
  assert_stats (pool, 1, 1, 0, 0, 1, 0);
  below->fail_after = G_MAXUINT;
  g_assert_true (quire_pool_allocator_prealloc (pool, 2));
  assert_stats (pool, 2, 2, 0, 0, 2, 0);
}

static const struct
{
  Below            kind;
  QuireMemoryError code;
  const char      *words;
} wrongs[] = {
  { TOO_SMALL, QUIRE_MEMORY_ERROR_FAILED, "4111 bytes where 4112" },
  { MISALIGNED, QUIRE_MEMORY_ERROR_FAILED, "alignment of 15" },
  { READ_ONLY, QUIRE_MEMORY_ERROR_READ_ONLY, "can't be written" },
  { NOT_MAPPABLE, QUIRE_MEMORY_ERROR_NOT_MAPPABLE, "can't be mapped" },
  { IN_USE, QUIRE_MEMORY_ERROR_BUSY, "1 READ map" },
};

static void
test_below_is_wrong (void)
{
  g_autoptr (BelowAllocator) below = g_object_new (below_allocator_get_type (), NULL);
  g_autoptr (QuirePoolAllocator) pool = NULL;
  g_autoptr (QuireMemory) memory = NULL;
  QuireAllocationParams params;

  g_test_summary ("A block that is of no use to the pool is refused, and the next one may be good");

  quire_allocation_params_init (&params);
  params.align = 15;
  params.prefix = 16;
  params.flags = QUIRE_MEMORY_FLAG_READONLY | QUIRE_MEMORY_FLAG_ZERO_PREFIXED | QUIRE_MEMORY_FLAG_LAST;
  pool = quire_pool_allocator_new (QUIRE_ALLOCATOR (below), SIZE, &params, 1);
  for (gsize i = 0; i < G_N_ELEMENTS (wrongs); i++)
    {
      g_autoptr (GError) error = NULL;

      below->kind = wrongs[i].kind;
      g_assert_null (quire_allocator_try_alloc (QUIRE_ALLOCATOR (pool), 1, NULL, &error));
      quire_test_check_error (G_STRLOC, error, wrongs[i].code, wrongs[i].words, NULL);
      assert_stats (pool, 0, 0, 0, 0, 0, 0);
    }

  below->kind = GOOD;
  memory = get (pool, 1);
  quire_assert_sizes (memory, 16, 1, SIZE + 16);
  g_assert_cmpint (quire_memory_get_flags (memory), ==, params.flags);
  /* The block below is for many. */
  g_assert_cmpint (below->params.flags, ==, QUIRE_MEMORY_FLAG_LAST);
  g_assert_cmpuint (below->params.align, ==, 15);
}

static void
test_over_all (void)
{
  static const char *names[] = { "system", "guard", "secure" };
  g_autoptr (QuirePoolAllocator) inner = new_pool (0);

  g_test_summary ("A pool recycles the blocks of any allocator, another pool among them");

  quire_allocator_register ("inner", QUIRE_ALLOCATOR (inner));
  for (gsize i = 0; i < G_N_ELEMENTS (names) + 1; i++)
    {
      g_autoptr (QuireAllocator) below = quire_allocator_find (i < G_N_ELEMENTS (names) ? names[i] : "inner");
      g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (below, 1000, NULL, 1);

      g_assert_true (quire_pool_allocator_get_allocator (pool) == below);
      for (guint round = 0; round < 3; round++)
        {
          g_autoptr (QuireMemory) memory = get (pool, 500);
          g_autoptr (QuireMemory) share = NULL;

          quire_assert_granted (quire_memory_try_fill (memory, 0, -1, 3, &error));
          share = quire_memory_share (memory, 100, -1);
          g_assert_nonnull (share);
          g_assert_true (quire_memory_is_type (share, "pool"));
          quire_assert_refused (quire_memory_try_fill (memory, 0, -1, 3, &error), BUSY);
        }
      assert_stats (pool, 1, 1, 0, 1, 1, 2);
    }
  assert_stats (inner, 1, 1, 0, 1, 1, 0);
}

static void
test_secrets (void)
{
  g_autoptr (QuireAllocator) secure = quire_allocator_find ("secure");
  g_autoptr (QuirePoolAllocator) pool = NULL;
  g_autoptr (QuireMemory) copy = NULL;
  QuireAllocationParams params;
  QuireMemory *memory;
  guint8 *where;

  g_test_summary ("What is secret is gone before the next one gets the block, and stays secure in a copy");

  quire_allocation_params_init (&params);
  params.prefix = params.padding = 16;
  pool = quire_pool_allocator_new (secure, 64, &params, 1);
  memory = get (pool, 64);
  where = address (memory);
  g_assert_true (quire_memory_resize (memory, -16, 96));
  g_assert_true (quire_memory_fill (memory, 0, -1, 0x5e));
  copy = quire_memory_copy (memory, 0, -1);
  g_assert_true (quire_memory_is_type (copy, "secure"));
  quire_memory_unref (memory);

  memory = get (pool, 64);
  g_assert_true (address (memory) == where);
  for (guint i = 0; i < 96; i++)
    g_assert_cmpuint ((where - 16)[i], ==, 0);
  quire_memory_unref (memory);
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
  assert_stats (pool, 0, 0, 0, 0, 0, 0);
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
  assert_stats (pool, 9, 9, 0, 0, 9, 0);
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
  g_test_add_func ("/pool/sizes", test_sizes);
  g_test_add_func ("/pool/params", test_params);
  g_test_add_func ("/pool/zero", test_zero);
  g_test_add_func ("/pool/bounded", test_bounded);
  g_test_add_func ("/pool/shares-and-maps", test_shares_and_maps);
  g_test_add_func ("/pool/prealloc-and-trim", test_prealloc_and_trim);
  g_test_add_func ("/pool/many", test_many);
  g_test_add_func ("/pool/close", test_close);
  g_test_add_func ("/pool/dispose", test_dispose);
  g_test_add_func ("/pool/below-fails", test_below_fails);
  g_test_add_func ("/pool/below-is-wrong", test_below_is_wrong);
  g_test_add_func ("/pool/over-all", test_over_all);
  g_test_add_func ("/pool/secrets", test_secrets);
  g_test_add_func ("/pool/new", test_new);
  g_test_add_func ("/pool/properties", test_properties);
  g_test_add_func ("/pool/stats-copy", test_stats_copy);

  return g_test_run ();
}
