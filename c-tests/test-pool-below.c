/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test-pool.h"

/* What a pool makes of the blocks of other allocators, below its own. */

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

static void
test_below_fails (void)
{
  g_autoptr (BelowAllocator) below = g_object_new (below_allocator_get_type (), NULL);
  g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (QUIRE_ALLOCATOR (below), POOL_SIZE, NULL, 2);

  g_test_summary ("If the other allocator fails, its error is told, and no block is lost");

  below->fail_after = 0;
  for (guint i = 0; i < 5; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (quire_allocator_try_alloc (QUIRE_ALLOCATOR (pool), 1, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
    }
  pool_assert_stats (pool, 0, 0, 0, 0, 0, 0);

  below->fail_after = below->asked + 1;
  g_assert_false (quire_pool_allocator_prealloc (pool, 2));
  pool_assert_stats (pool, 1, 1, 0, 0, 1, 0);
  below->fail_after = G_MAXUINT;
  g_assert_true (quire_pool_allocator_prealloc (pool, 2));
  pool_assert_stats (pool, 2, 2, 0, 0, 2, 0);
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
  pool = quire_pool_allocator_new (QUIRE_ALLOCATOR (below), POOL_SIZE, &params, 1);
  for (gsize i = 0; i < G_N_ELEMENTS (wrongs); i++)
    {
      g_autoptr (GError) error = NULL;

      below->kind = wrongs[i].kind;
      g_assert_null (quire_allocator_try_alloc (QUIRE_ALLOCATOR (pool), 1, NULL, &error));
      quire_test_check_error (G_STRLOC, error, wrongs[i].code, wrongs[i].words, NULL);
      pool_assert_stats (pool, 0, 0, 0, 0, 0, 0);
    }

  below->kind = GOOD;
  memory = pool_get (pool, 1);
  quire_assert_sizes (memory, 16, 1, POOL_SIZE + 16);
  g_assert_cmpint (quire_memory_get_flags (memory), ==, params.flags);
  /* The block below is for many. */
  g_assert_cmpint (below->params.flags, ==, QUIRE_MEMORY_FLAG_LAST);
  g_assert_cmpuint (below->params.align, ==, 15);
}

static void
test_over_all (void)
{
  static const char *names[] = { "system", "guard", "secure" };
  g_autoptr (QuirePoolAllocator) inner = pool_new (0);

  g_test_summary ("A pool recycles the blocks of any allocator, another pool among them");

  quire_allocator_register ("inner", QUIRE_ALLOCATOR (inner));
  for (gsize i = 0; i < G_N_ELEMENTS (names) + 1; i++)
    {
      g_autoptr (QuireAllocator) below = quire_allocator_find (i < G_N_ELEMENTS (names) ? names[i] : "inner");
      g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (below, 1000, NULL, 1);

      g_assert_true (quire_pool_allocator_get_allocator (pool) == below);
      for (guint round = 0; round < 3; round++)
        {
          g_autoptr (QuireMemory) memory = pool_get (pool, 500);
          g_autoptr (QuireMemory) share = NULL;

          quire_assert_granted (quire_memory_try_fill (memory, 0, -1, 3, &error));
          share = quire_memory_share (memory, 100, -1);
          g_assert_nonnull (share);
          g_assert_true (quire_memory_is_type (share, "pool"));
          quire_assert_refused (quire_memory_try_fill (memory, 0, -1, 3, &error), BUSY);
        }
      pool_assert_stats (pool, 1, 1, 0, 1, 1, 2);
    }
  pool_assert_stats (inner, 1, 1, 0, 1, 1, 0);
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
  memory = pool_get (pool, 64);
  where = pool_address (memory);
  g_assert_true (quire_memory_resize (memory, -16, 96));
  g_assert_true (quire_memory_fill (memory, 0, -1, 0x5e));
  copy = quire_memory_copy (memory, 0, -1);
  g_assert_true (quire_memory_is_type (copy, "secure"));
  quire_memory_unref (memory);

  memory = pool_get (pool, 64);
  g_assert_true (pool_address (memory) == where);
  for (guint i = 0; i < 96; i++)
    g_assert_cmpuint ((where - 16)[i], ==, 0);
  quire_memory_unref (memory);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/pool-below/fails", test_below_fails);
  g_test_add_func ("/pool-below/is-wrong", test_below_is_wrong);
  g_test_add_func ("/pool-below/over-all", test_over_all);
  g_test_add_func ("/pool-below/secrets", test_secrets);

  return g_test_run ();
}
