/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-pool-allocator.h"

#include "quire-allocator-private.h"
#include "quire-error.h"
#include "quire-pool-allocator-private.h"
#include "quire-system-allocator-private.h"

/**
 * QuirePoolAllocator:
 *
 * An allocator, of the type `pool`, that uses its blocks again.
 *
 * All of them have one size. The pool gets them from another allocator, and when the last
 * reference on one goes, the pool keeps it for the next who asks. That saves what a fresh
 * block costs: the other allocator's work, and, for a large block, most of all the wait
 * for its pages when it is filled for the first time.
 *
 * A block that was used before has the bytes that were left in it, and nothing else: its
 * flags and its range are new, and it has no data of others attached. Only blocks of a
 * [class@SecureAllocator] are wiped in between.
 *
 * [method@Allocator.try_alloc] on the pool gives a block of the size that is asked for, at
 * most [property@PoolAllocator:block-size]; the rest of it is padding. When
 * [property@PoolAllocator:max-blocks] are out, it fails with %QUIRE_MEMORY_ERROR_BUSY, or
 * waits as long as [property@PoolAllocator:max-wait] says.
 * [method@PoolAllocator.try_acquire] waits as long as it is told, and can be cancelled.
 *
 * Blocks keep the pool. It may be closed while some are out: they are good, and when they
 * come back they are freed.
 *
 * All functions are thread-safe, and to get a block that is free, and to give it back, is
 * done without a lock. After a `fork()`, parent and child have a pool each; with threads
 * that is so only if none of them was inside Quire.
 *
 * Since: 1.0
 */

G_DEFINE_FINAL_TYPE (QuirePoolAllocator, quire_pool_allocator, QUIRE_TYPE_ALLOCATOR)

enum
{
  PROP_0,
  PROP_ALLOCATOR,
  PROP_BLOCK_SIZE,
  PROP_PARAMS,
  PROP_MAX_BLOCKS,
  PROP_MAX_WAIT,
  PROP_INITIAL_BLOCKS,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

static QuireMemory *
quire_pool_allocator_alloc (QuireAllocator              *allocator,
                            gsize                        size,
                            const QuireAllocationParams *params,
                            GError                     **error)
{
  QuirePoolAllocator *self = (QuirePoolAllocator *) allocator;

  if (!quire_pool_allocator_check (self, size, params, error))
    return NULL;

  return quire_pool_allocator_get (self, size, params->flags, quire_atomic_load_relaxed (&self->max_wait), NULL, error);
}

static void
quire_pool_allocator_free (QuireAllocator *allocator,
                           QuireMemory    *memory)
{
  /* What is secret is not for the next who asks. */
  if (quire_memory_has_flags (memory, QUIRE_MEMORY_INTERNAL_SECRET))
    explicit_bzero (memory->base, memory->maxsize);

  quire_pool_give (((QuirePoolAllocator *) allocator)->pool, (QuirePoolBlock *) (gpointer) memory);
}

static void
quire_pool_allocator_constructed (GObject *object)
{
  QuirePoolAllocator *self = QUIRE_POOL_ALLOCATOR (object);

  G_OBJECT_CLASS (quire_pool_allocator_parent_class)->constructed (object);

  if (self->allocator == NULL)
    self->allocator = quire_allocator_find (NULL);
  self->align = self->params.align;
  if (self->allocator == quire_system_allocator_get ())
    self->align |= QUIRE_DEFAULT_ALIGN;

  self->pool = g_aligned_alloc0 (1, sizeof (QuirePool), QUIRE_POOL_CACHE_LINE);
  quire_pool_init (self->pool, self->max_blocks != 0 ? self->max_blocks : QUIRE_POOL_MAX_BLOCKS);

  /* If it does not work now, the first allocation says why. */
  quire_pool_allocator_fill (self, MIN (self->initial_blocks, self->pool->max_blocks), NULL);
}

static void
quire_pool_allocator_dispose (GObject *object)
{
  quire_pool_close (QUIRE_POOL_ALLOCATOR (object)->pool);
  G_OBJECT_CLASS (quire_pool_allocator_parent_class)->dispose (object);
}

static void
quire_pool_allocator_finalize (GObject *object)
{
  QuirePoolAllocator *self = QUIRE_POOL_ALLOCATOR (object);

  quire_pool_clear (self->pool);
  g_aligned_free (self->pool);
  g_object_unref (self->allocator);

  G_OBJECT_CLASS (quire_pool_allocator_parent_class)->finalize (object);
}

static void
quire_pool_allocator_get_property (GObject    *object,
                                   guint       id,
                                   GValue     *value,
                                   GParamSpec *pspec)
{
  QuirePoolAllocator *self = QUIRE_POOL_ALLOCATOR (object);

  switch (id)
    {
    case PROP_ALLOCATOR:
      g_value_set_object (value, self->allocator);
      break;
    case PROP_BLOCK_SIZE:
      g_value_set_uint64 (value, self->block_size);
      break;
    case PROP_PARAMS:
      g_value_set_boxed (value, &self->params);
      break;
    case PROP_MAX_BLOCKS:
      g_value_set_uint (value, self->max_blocks);
      break;
    case PROP_MAX_WAIT:
      g_value_set_int64 (value, quire_pool_allocator_get_max_wait (self));
      break;
    case PROP_INITIAL_BLOCKS:
      g_value_set_uint (value, self->initial_blocks);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
quire_pool_allocator_set_property (GObject      *object,
                                   guint         id,
                                   const GValue *value,
                                   GParamSpec   *pspec)
{
  QuirePoolAllocator *self = QUIRE_POOL_ALLOCATOR (object);

  switch (id)
    {
    case PROP_ALLOCATOR:
      self->allocator = g_value_dup_object (value);
      break;
    case PROP_BLOCK_SIZE:
      self->block_size = g_value_get_uint64 (value);
      break;
    case PROP_PARAMS:
      if (g_value_get_boxed (value) != NULL)
        self->params = *(const QuireAllocationParams *) g_value_get_boxed (value);
      break;
    case PROP_MAX_BLOCKS:
      self->max_blocks = g_value_get_uint (value);
      break;
    case PROP_MAX_WAIT:
      quire_pool_allocator_set_max_wait (self, g_value_get_int64 (value));
      break;
    case PROP_INITIAL_BLOCKS:
      self->initial_blocks = g_value_get_uint (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
quire_pool_allocator_class_init (QuirePoolAllocatorClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  QuireAllocatorClass *allocator_class = QUIRE_ALLOCATOR_CLASS (klass);

  object_class->constructed = quire_pool_allocator_constructed;
  object_class->dispose = quire_pool_allocator_dispose;
  object_class->finalize = quire_pool_allocator_finalize;
  object_class->get_property = quire_pool_allocator_get_property;
  object_class->set_property = quire_pool_allocator_set_property;
  allocator_class->mem_type = "pool";
  allocator_class->alloc = quire_pool_allocator_alloc;
  allocator_class->free = quire_pool_allocator_free;

  /**
   * QuirePoolAllocator:allocator: (getter get_allocator)
   *
   * Where the pool gets its blocks from; the default allocator, if nothing was said.
   *
   * Since: 1.0
   */
  props[PROP_ALLOCATOR] =
    g_param_spec_object ("allocator", NULL, NULL, QUIRE_TYPE_ALLOCATOR,
                         G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  /**
   * QuirePoolAllocator:block-size: (getter get_block_size)
   *
   * How many bytes of data a block may have.
   *
   * Since: 1.0
   */
  props[PROP_BLOCK_SIZE] =
    g_param_spec_uint64 ("block-size", NULL, NULL, 0, G_MAXSSIZE, 0,
                         G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  /**
   * QuirePoolAllocator:params:
   *
   * How blocks are made: the alignment of their data, and what is before and after it. All
   * blocks have the flags.
   *
   * Since: 1.0
   */
  props[PROP_PARAMS] =
    g_param_spec_boxed ("params", NULL, NULL, QUIRE_TYPE_ALLOCATION_PARAMS,
                        G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  /**
   * QuirePoolAllocator:max-blocks: (getter get_max_blocks)
   *
   * How many blocks the pool has at most, free or out; 0 for as many as are asked for.
   *
   * Since: 1.0
   */
  props[PROP_MAX_BLOCKS] =
    g_param_spec_uint ("max-blocks", NULL, NULL, 0, QUIRE_POOL_MAX_BLOCKS, 0,
                       G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  /**
   * QuirePoolAllocator:max-wait: (getter get_max_wait) (setter set_max_wait)
   *
   * How long [method@Allocator.try_alloc] waits for a block if all are out, in
   * microseconds: 0 for not at all, -1, or less, for as long as it takes.
   *
   * Who has the blocks on the thread that waits for them waits in vain. So -1 is for
   * threads that do nothing else; a script with one thread is better off with 0, or
   * with [method@PoolAllocator.acquire_async].
   *
   * Since: 1.0
   */
  props[PROP_MAX_WAIT] =
    g_param_spec_int64 ("max-wait", NULL, NULL, G_MININT64, G_MAXINT64, 0,
                        G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);

  /**
   * QuirePoolAllocator:initial-blocks:
   *
   * How many blocks to make at once, when the pool is made. Those that can't be made are
   * made when they are asked for; [method@PoolAllocator.try_prealloc] tells why.
   *
   * Since: 1.0
   */
  props[PROP_INITIAL_BLOCKS] =
    g_param_spec_uint ("initial-blocks", NULL, NULL, 0, QUIRE_POOL_MAX_BLOCKS, 0,
                       G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
quire_pool_allocator_init (QuirePoolAllocator *self)
{
}

/**
 * quire_pool_allocator_new: (skip)
 * @allocator: (nullable): where blocks come from, or %NULL for the default allocator
 * @block_size: how many bytes of data a block may have
 * @params: (nullable): how to make blocks, or %NULL for nothing special
 * @max_blocks: how many blocks there may be, or 0 for as many as are asked for
 *
 * Makes a pool. [ctor@PoolAllocator.try_new] also says why it fails.
 *
 * Returns: (transfer full) (nullable): a new pool, or %NULL
 *
 * Since: 1.0
 */
QuirePoolAllocator *
quire_pool_allocator_new (QuireAllocator              *allocator,
                          gsize                        block_size,
                          const QuireAllocationParams *params,
                          guint                        max_blocks)
{
  return quire_pool_allocator_try_new (allocator, block_size, params, max_blocks, NULL);
}

/**
 * quire_pool_allocator_try_new: (constructor) (rename-to quire_pool_allocator_new)
 * @allocator: (nullable): where blocks come from, or %NULL for the default allocator
 * @block_size: how many bytes of data a block may have
 * @params: (nullable): how to make blocks, or %NULL for nothing special
 * @max_blocks: how many blocks there may be, or 0 for as many as are asked for
 * @error: return location for an error
 *
 * Makes a pool, which has no block yet.
 *
 * The errors are %QUIRE_MEMORY_ERROR_TOO_LARGE, %QUIRE_MEMORY_ERROR_OUT_OF_RANGE for more
 * blocks than a pool can have, which is about 16 million, and
 * %QUIRE_MEMORY_ERROR_NOT_SUPPORTED for @params that make no sense.
 *
 * Returns: (transfer full): a new pool
 *
 * Since: 1.0
 */
QuirePoolAllocator *
quire_pool_allocator_try_new (QuireAllocator              *allocator,
                              gsize                        block_size,
                              const QuireAllocationParams *params,
                              guint                        max_blocks,
                              GError                     **error)
{
  g_return_val_if_fail (allocator == NULL || QUIRE_IS_ALLOCATOR (allocator), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (params != NULL && !quire_allocator_check_request (block_size, params, error))
    return NULL;
  if (block_size > G_MAXSSIZE)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_TOO_LARGE,
                   "Blocks of %" G_GSIZE_FORMAT " bytes are beyond %" G_GSSIZE_FORMAT " bytes",
                   block_size, G_MAXSSIZE);
      return NULL;
    }
  if (max_blocks > QUIRE_POOL_MAX_BLOCKS)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_OUT_OF_RANGE,
                   "A pool can't have %u blocks, but %u at most", max_blocks, QUIRE_POOL_MAX_BLOCKS);
      return NULL;
    }

  return g_object_new (QUIRE_TYPE_POOL_ALLOCATOR,
                       "allocator", allocator,
                       "block-size", (guint64) block_size,
                       "params", params,
                       "max-blocks", max_blocks,
                       NULL);
}

/**
 * quire_pool_allocator_prealloc: (skip)
 * @pool: a pool
 * @n_blocks: how many blocks the pool shall have
 *
 * Makes blocks ahead. [method@PoolAllocator.try_prealloc] also says why it fails.
 *
 * Returns: %TRUE if the pool has so many blocks
 *
 * Since: 1.0
 */
gboolean
quire_pool_allocator_prealloc (QuirePoolAllocator *pool,
                               guint               n_blocks)
{
  return quire_pool_allocator_try_prealloc (pool, n_blocks, NULL);
}

/**
 * quire_pool_allocator_try_prealloc: (rename-to quire_pool_allocator_prealloc)
 * @pool: a pool
 * @n_blocks: how many blocks the pool shall have
 * @error: return location for an error
 *
 * Makes blocks ahead, until the pool has @n_blocks, those that are out included.
 *
 * The errors are %QUIRE_MEMORY_ERROR_OUT_OF_RANGE for more than
 * [property@PoolAllocator:max-blocks], %QUIRE_MEMORY_ERROR_CLOSED, and those of the
 * allocator that the blocks come from; those that could be made are there then.
 *
 * Returns: (skip): %TRUE if the pool has so many blocks
 *
 * Since: 1.0
 */
gboolean
quire_pool_allocator_try_prealloc (QuirePoolAllocator *pool,
                                   guint               n_blocks,
                                   GError            **error)
{
  g_return_val_if_fail (QUIRE_IS_POOL_ALLOCATOR (pool), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (n_blocks > pool->pool->max_blocks)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_OUT_OF_RANGE,
                   "Can't make %u blocks ahead: the pool has %u at most", n_blocks, pool->pool->max_blocks);
      return FALSE;
    }

  return quire_pool_allocator_fill (pool, n_blocks, error);
}

/**
 * quire_pool_allocator_trim:
 * @pool: a pool
 * @keep: how many free blocks to keep
 *
 * Gives free blocks back to the allocator that they came from, until no more than @keep
 * are left.
 *
 * Returns: how many blocks were given back
 *
 * Since: 1.0
 */
guint
quire_pool_allocator_trim (QuirePoolAllocator *pool,
                           guint               keep)
{
  g_return_val_if_fail (QUIRE_IS_POOL_ALLOCATOR (pool), 0);

  return quire_pool_trim (pool->pool, keep);
}

/**
 * quire_pool_allocator_flush:
 * @pool: a pool
 *
 * Gives all free blocks back, as [method@PoolAllocator.trim] does.
 *
 * Returns: how many blocks were given back
 *
 * Since: 1.0
 */
guint
quire_pool_allocator_flush (QuirePoolAllocator *pool)
{
  return quire_pool_allocator_trim (pool, 0);
}

/**
 * quire_pool_allocator_close:
 * @pool: a pool
 *
 * Closes the pool for good. Whatever asks for a block, or waits for one, gets
 * %QUIRE_MEMORY_ERROR_CLOSED. Free blocks are given back to the allocator that they came
 * from. Blocks that are out are good, and are given back when they come back.
 *
 * Since: 1.0
 */
void
quire_pool_allocator_close (QuirePoolAllocator *pool)
{
  g_return_if_fail (QUIRE_IS_POOL_ALLOCATOR (pool));

  quire_pool_close (pool->pool);
}

/**
 * quire_pool_allocator_is_closed:
 * @pool: a pool
 *
 * Tells whether the pool was closed.
 *
 * Returns: whether it was
 *
 * Since: 1.0
 */
gboolean
quire_pool_allocator_is_closed (QuirePoolAllocator *pool)
{
  g_return_val_if_fail (QUIRE_IS_POOL_ALLOCATOR (pool), FALSE);

  return quire_pool_stack_is_closed (&pool->pool->free);
}

/**
 * quire_pool_allocator_get_allocator:
 * @pool: a pool
 *
 * Tells where the blocks come from.
 *
 * Returns: (transfer none): the allocator
 *
 * Since: 1.0
 */
QuireAllocator *
quire_pool_allocator_get_allocator (QuirePoolAllocator *pool)
{
  g_return_val_if_fail (QUIRE_IS_POOL_ALLOCATOR (pool), NULL);

  return pool->allocator;
}

/**
 * quire_pool_allocator_get_block_size:
 * @pool: a pool
 *
 * Tells how many bytes of data a block may have.
 *
 * Returns: the size in bytes
 *
 * Since: 1.0
 */
gsize
quire_pool_allocator_get_block_size (QuirePoolAllocator *pool)
{
  g_return_val_if_fail (QUIRE_IS_POOL_ALLOCATOR (pool), 0);

  return (gsize) pool->block_size;
}

/**
 * quire_pool_allocator_get_max_blocks:
 * @pool: a pool
 *
 * Tells how many blocks there may be.
 *
 * Returns: the number; 0 if there is no limit
 *
 * Since: 1.0
 */
guint
quire_pool_allocator_get_max_blocks (QuirePoolAllocator *pool)
{
  g_return_val_if_fail (QUIRE_IS_POOL_ALLOCATOR (pool), 0);

  return pool->max_blocks;
}

/**
 * quire_pool_allocator_get_max_wait:
 * @pool: a pool
 *
 * Tells how long an allocation waits for a block.
 *
 * Returns: microseconds; -1 for as long as it takes
 *
 * Since: 1.0
 */
gint64
quire_pool_allocator_get_max_wait (QuirePoolAllocator *pool)
{
  g_return_val_if_fail (QUIRE_IS_POOL_ALLOCATOR (pool), 0);

  return quire_atomic_load_relaxed (&pool->max_wait);
}

/**
 * quire_pool_allocator_set_max_wait:
 * @pool: a pool
 * @max_wait: microseconds; 0 for not at all, less for as long as it takes
 *
 * Says how long an allocation waits for a block, see [property@PoolAllocator:max-wait].
 * Who waits already is not disturbed.
 *
 * Since: 1.0
 */
void
quire_pool_allocator_set_max_wait (QuirePoolAllocator *pool,
                                   gint64              max_wait)
{
  g_return_if_fail (QUIRE_IS_POOL_ALLOCATOR (pool));

  max_wait = MAX (max_wait, -1);
  if (quire_atomic_load_relaxed (&pool->max_wait) == max_wait)
    return;

  quire_atomic_store_relaxed (&pool->max_wait, max_wait);
  g_object_notify_by_pspec (G_OBJECT (pool), props[PROP_MAX_WAIT]);
}
