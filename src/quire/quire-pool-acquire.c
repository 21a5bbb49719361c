/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-pool-allocator-private.h"

#include <string.h>

#include "quire-error.h"
#include "quire-lock.h"

#define ZERO_FLAGS (QUIRE_MEMORY_FLAG_ZERO_PREFIXED | QUIRE_MEMORY_FLAG_ZERO_PADDED)
/* What is up to each block above, and not to the one below. */
#define FLAGS_ABOVE \
  (ZERO_FLAGS | QUIRE_MEMORY_FLAG_READONLY | QUIRE_MEMORY_FLAG_NO_SHARE | QUIRE_MEMORY_FLAG_NOT_MAPPABLE)

static void
set_closed (QuirePoolAllocator *self,
            GError            **error)
{
  g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_CLOSED,
               "The pool of blocks of %" G_GUINT64_FORMAT " bytes was closed", self->block_size);
}

static void
set_all_out (QuirePoolAllocator *self,
             gint64              max_wait,
             GError            **error)
{
  g_autofree char *waited = NULL;

  if (max_wait > 0)
    waited = g_strdup_printf (", and none came back in %" G_GINT64_FORMAT " µs", max_wait);
  g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_BUSY,
               "All %u blocks of %" G_GUINT64_FORMAT " bytes of the pool are out%s",
               self->pool->max_blocks, self->block_size, waited != NULL ? waited : "");
}

/* What others have written may give what it was not asked for. */
static gboolean
check_below (QuirePoolAllocator *self,
             QuireMemory        *below,
             GError            **error)
{
  if (quire_memory_is_writable (below))
    return TRUE;

  g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_READ_ONLY,
               "The allocator %s gave the pool a block that can't be written",
               quire_allocator_get_mem_type (self->allocator));
  return FALSE;
}

static gboolean
check_overlay (QuirePoolAllocator *self,
               QuireOverlay       *overlay,
               GError            **error)
{
  const QuireAllocationParams *params = &self->params;
  const gsize maxsize = params->prefix + (gsize) self->block_size + params->padding;
  const guintptr data = (guintptr) overlay->memory.base + params->prefix;

  /* What each map has to look at first, a pool can't clear and wipe. */
  if (overlay->memory.base == NULL)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
                   "The allocator %s gave the pool a block of %" G_GSIZE_FORMAT " bytes whose file can be truncated",
                   quire_allocator_get_mem_type (self->allocator), overlay->memory.maxsize);
      return FALSE;
    }

  if (overlay->memory.maxsize >= maxsize && (data & self->align) == 0)
    return TRUE;

  g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED,
               "The allocator %s gave the pool a block of %" G_GSIZE_FORMAT " bytes where %" G_GSIZE_FORMAT
               " with an alignment of %" G_GSIZE_FORMAT " were asked for",
               quire_allocator_get_mem_type (self->allocator), overlay->memory.maxsize, maxsize, self->align);
  return FALSE;
}

/* The pool has the right to make a block. Its state is all in @block afterwards, as if it
 * had been used before. */
static gboolean
make_block (QuirePoolAllocator *self,
            QuirePoolBlock     *block,
            GError            **error)
{
  QuireAllocationParams params = self->params;
  g_autoptr (QuireMemory) below = NULL;

  params.flags &= (QuireMemoryFlags) ~FLAGS_ABOVE;
  below = quire_allocator_try_alloc (self->allocator, (gsize) self->block_size, &params, error);
  if (below == NULL || !check_below (self, below, error) ||
      !quire_overlay_init (&block->overlay, QUIRE_ALLOCATOR (self), below, error))
    {
      quire_pool_disclaim (self->pool, block);
      return FALSE;
    }

  /* While it is free it has no reference on the pool. */
  g_object_unref (self);

  if (!check_overlay (self, &block->overlay, error))
    {
      quire_overlay_clear (&block->overlay);
      quire_pool_disclaim (self->pool, block);
      return FALSE;
    }

  block->overlay.memory.align |= self->align;
  block->flags = quire_memory_get_flags (&block->overlay.memory) & ~ZERO_FLAGS;
  quire_atomic_add_relaxed (&self->pool->n_made, 1);

  return TRUE;
}

static QuireMemory *
renew_block (QuirePoolAllocator *self,
             QuirePoolBlock     *block,
             gsize               size,
             QuireMemoryFlags    flags)
{
  QuireMemory *memory = &block->overlay.memory;
  const gsize prefix = self->params.prefix;

  flags |= (QuireMemoryFlags) block->flags | self->params.flags;
  quire_overlay_renew (&block->overlay, (QuireAllocator *) self, flags, prefix, size);

  if (G_UNLIKELY (flags & ZERO_FLAGS))
    {
      guint8 *base = memory->base;

      if (flags & QUIRE_MEMORY_FLAG_ZERO_PREFIXED)
        memset (base, 0, prefix);
      if (flags & QUIRE_MEMORY_FLAG_ZERO_PADDED)
        memset (base + prefix + size, 0, memory->maxsize - prefix - size);
    }

  return memory;
}

/* A block of @size bytes, which the caller has checked. */
QuireMemory *
quire_pool_allocator_get (QuirePoolAllocator *self,
                          gsize               size,
                          QuireMemoryFlags    flags,
                          gint64              max_wait,
                          GCancellable       *cancellable,
                          GError            **error)
{
  QuirePoolBlock *block;
  QuirePoolTake take = quire_pool_take (self->pool, &block);

  if (G_UNLIKELY (take == QUIRE_POOL_NOTHING && max_wait != 0))
    take = quire_pool_wait (self->pool, max_wait, cancellable, &block, error);

  switch (take)
    {
    case QUIRE_POOL_RIGHT:
      if (!make_block (self, block, error))
        return NULL;
      quire_pool_note_made (self->pool);
      break;
    case QUIRE_POOL_BLOCK:
      break;
    case QUIRE_POOL_CLOSED:
      set_closed (self, error);
      return NULL;
    case QUIRE_POOL_CANCELLED:
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                   "The wait for one of %u blocks of %" G_GUINT64_FORMAT " bytes was cancelled",
                   self->pool->max_blocks, self->block_size);
      return NULL;
    case QUIRE_POOL_INTERRUPTED:
      return NULL;
    default:
      set_all_out (self, max_wait, error);
      return NULL;
    }

  return renew_block (self, block, size, flags);
}

/* Whether the blocks of the pool are good for a request. */
gboolean
quire_pool_allocator_check (QuirePoolAllocator          *self,
                            gsize                        size,
                            const QuireAllocationParams *params,
                            GError                     **error)
{
  if (G_UNLIKELY (size > self->block_size))
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_OUT_OF_RANGE,
                   "Can't allocate %" G_GSIZE_FORMAT " bytes: the blocks of the pool have %" G_GUINT64_FORMAT,
                   size, self->block_size);
      return FALSE;
    }

  if (G_UNLIKELY ((params->align & ~self->align) != 0))
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
                   "The blocks of the pool have an alignment of %" G_GSIZE_FORMAT ", and not of %" G_GSIZE_FORMAT,
                   self->align, params->align);
      return FALSE;
    }

  /* What is left of the data is padding. */
  if (G_UNLIKELY (params->prefix > self->params.prefix ||
                  (params->padding > self->params.padding &&
                   params->padding - self->params.padding > self->block_size - size)))
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
                   "The blocks of the pool have %" G_GSIZE_FORMAT " bytes before and %" G_GUINT64_FORMAT
                   " after %" G_GSIZE_FORMAT " bytes, and not %" G_GSIZE_FORMAT " and %" G_GSIZE_FORMAT,
                   self->params.prefix, self->block_size - size + self->params.padding, size,
                   params->prefix, params->padding);
      return FALSE;
    }

  return TRUE;
}

/* Makes blocks until there are as many. */
gboolean
quire_pool_allocator_fill (QuirePoolAllocator *self,
                           guint               n_blocks,
                           GError            **error)
{
  while (quire_atomic_load_relaxed (&self->pool->n_blocks) < n_blocks)
    {
      QuirePoolBlock *block;

      switch (quire_pool_claim (self->pool, &block))
        {
        case QUIRE_POOL_RIGHT:
          if (!make_block (self, block, error))
            return FALSE;
          quire_pool_give (self->pool, block);
          break;
        case QUIRE_POOL_CLOSED:
          set_closed (self, error);
          return FALSE;
        default:
          /* Others have made the rest. */
          return TRUE;
        }
    }

  return TRUE;
}

/**
 * quire_pool_allocator_acquire: (skip)
 * @pool: a pool
 * @max_wait: how long to wait for a block if all are out, in microseconds; 0 for not at
 *   all, less for as long as it takes
 * @cancellable: (nullable): a cancellable, or %NULL
 *
 * Gets a block of the pool, of its full size.
 * [method@PoolAllocator.try_acquire] also says why it fails.
 *
 * Returns: (transfer full) (nullable): a block, or %NULL
 *
 * Since: 1.0
 */
QuireMemory *
quire_pool_allocator_acquire (QuirePoolAllocator *pool,
                              gint64              max_wait,
                              GCancellable       *cancellable)
{
  return quire_pool_allocator_try_acquire (pool, max_wait, cancellable, NULL);
}

/**
 * quire_pool_allocator_try_acquire: (rename-to quire_pool_allocator_acquire)
 * @pool: a pool
 * @max_wait: how long to wait for a block if all are out, in microseconds; 0 for not at
 *   all, less for as long as it takes
 * @cancellable: (nullable): a cancellable, or %NULL
 * @error: return location for an error
 *
 * Gets a block of the pool, of its full size. The blocks that it waits for have to come
 * back on other threads.
 *
 * The errors are %QUIRE_MEMORY_ERROR_BUSY if no block came back in time,
 * %QUIRE_MEMORY_ERROR_CLOSED if the pool is closed, or gets so meanwhile,
 * %G_IO_ERROR_CANCELLED, and those of the allocator that the blocks come from. This
 * function is thread-safe. Budget of atomic operations for a block that is free: 2.
 *
 * Returns: (transfer full): a block
 *
 * Since: 1.0
 */
QuireMemory *
quire_pool_allocator_try_acquire (QuirePoolAllocator *pool,
                                  gint64              max_wait,
                                  GCancellable       *cancellable,
                                  GError            **error)
{
  g_return_val_if_fail (QUIRE_IS_POOL_ALLOCATOR (pool), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;

  return quire_pool_allocator_get (pool, (gsize) pool->block_size, QUIRE_MEMORY_FLAG_NONE,
                                   max_wait, cancellable, error);
}

typedef enum
{
  RESULT_PENDING,
  RESULT_READY,
  RESULT_GIVEN,
} AcquireState;

typedef struct
{
  gint64 max_wait;
  /* Atomic; an AcquireState. */
  guint  state;
} AcquireData;

/* Takes the block, if there is one, and the error if there is none. */
static void
return_result (GTask       *task,
               QuireMemory *memory,
               GError      *error)
{
  AcquireData *acquire = g_task_get_task_data (task);

  __atomic_store_n (&acquire->state, RESULT_READY, __ATOMIC_RELEASE);
  if (memory != NULL)
    g_task_return_pointer (task, memory, (GDestroyNotify) quire_memory_unref);
  else
    g_task_return_error (task, error);
}

static void
acquire_in_thread (GTask        *task,
                   gpointer      source,
                   gpointer      data,
                   GCancellable *cancellable)
{
  const AcquireData *acquire = data;
  GError *error = NULL;
  QuireMemory *memory = quire_pool_allocator_try_acquire (source, acquire->max_wait, cancellable, &error);

  return_result (task, memory, error);
}

/**
 * quire_pool_allocator_acquire_async:
 * @pool: a pool
 * @max_wait: how long to wait for a block if all are out, in microseconds; 0 for not at
 *   all, less for as long as it takes
 * @cancellable: (nullable): a cancellable, or %NULL
 * @callback: (scope async): called when it is done
 * @user_data: data for @callback
 *
 * Gets a block as [method@PoolAllocator.try_acquire] does, while the thread's main loop
 * goes on: so what has the blocks may go on too, and give them back.
 *
 * If there is nothing to wait for no time is lost. Else a thread waits.
 *
 * Since: 1.0
 */
void
quire_pool_allocator_acquire_async (QuirePoolAllocator *pool,
                                    gint64              max_wait,
                                    GCancellable       *cancellable,
                                    GAsyncReadyCallback callback,
                                    gpointer            user_data)
{
  g_autoptr (GTask) task = NULL;
  const AcquireData acquire = { max_wait, RESULT_PENDING };
  g_autoptr (GError) error = NULL;
  QuireMemory *memory;

  g_return_if_fail (QUIRE_IS_POOL_ALLOCATOR (pool));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (pool, cancellable, callback, user_data);
  g_task_set_source_tag (task, quire_pool_allocator_acquire_async);
  g_task_set_task_data (task, g_memdup2 (&acquire, sizeof acquire), g_free);

  memory = quire_pool_allocator_try_acquire (pool, 0, cancellable, &error);
  if (memory == NULL && max_wait != 0 && g_error_matches (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_BUSY))
    g_task_run_in_thread (task, acquire_in_thread);
  else
    return_result (task, memory, g_steal_pointer (&error));
}

/**
 * quire_pool_allocator_acquire_finish:
 * @pool: a pool
 * @result: what the callback of [method@PoolAllocator.acquire_async] was given
 * @error: return location for an error
 *
 * Ends what [method@PoolAllocator.acquire_async] began. The errors are those of
 * [method@PoolAllocator.try_acquire], and %QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
 * %QUIRE_MEMORY_ERROR_BUSY and %QUIRE_MEMORY_ERROR_CLOSED for a result that is of something
 * else, not there yet, or asked for again.
 *
 * Returns: (transfer full): a block
 *
 * Since: 1.0
 */
QuireMemory *
quire_pool_allocator_acquire_finish (QuirePoolAllocator *pool,
                                     GAsyncResult       *result,
                                     GError            **error)
{
  guint state = RESULT_READY;
  AcquireData *acquire;
  GTask *task;

  g_return_val_if_fail (QUIRE_IS_POOL_ALLOCATOR (pool), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  /* A script can mix up anything; and it may ask before its time, or again. */
  if (!g_async_result_is_tagged (result, quire_pool_allocator_acquire_async) ||
      !g_task_is_valid (result, pool))
    {
      g_set_error_literal (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
                           "This is no result of this pool");
      return NULL;
    }

  task = G_TASK (result);
  acquire = g_task_get_task_data (task);
  if (!__atomic_compare_exchange_n (&acquire->state, &state, RESULT_GIVEN, FALSE,
                                    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    {
      if (state == RESULT_GIVEN)
        g_set_error_literal (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_CLOSED,
                             "The block of the pool was given already");
      else
        g_set_error_literal (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_BUSY,
                             "The block of the pool is not there yet");
      return NULL;
    }

  return g_task_propagate_pointer (task, error);
}
