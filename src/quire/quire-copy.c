/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-copy.h"

#include "quire-allocation-params.h"
#include "quire-allocator.h"
#include "quire-content.h"
#include "quire-copy-private.h"
#include "quire-error.h"
#include "quire-lock-private.h"
#include "quire-map-info.h"
#include "quire-memory-private.h"
#include "quire-overlay-private.h"
#include "quire-range-private.h"

/*
 * quire_copy_find_allocator:
 *
 * Where a block with what is in @memory shall come from: what is secret stays with the
 * allocator that knows how to keep it, through all shares and overlays.
 *
 * Returns: (nullable): the allocator, or %NULL for the default one
 */
QuireAllocator *
quire_copy_find_allocator (QuireMemory *memory)
{
  gsize offset;

  if (G_LIKELY (!quire_memory_has_flags (memory, QUIRE_MEMORY_INTERNAL_SECRET)))
    return NULL;

  return quire_overlay_find_below (memory, &offset)->allocator;
}

/* The allocator's own way, under a lock to read as any other copy. */
static QuireMemory *
copy_by_allocator (QuireMemory *memory,
                   gssize       offset,
                   gsize        size,
                   GError     **error)
{
  g_autoptr (QuireMemory) copy = NULL;
  GError *local_error = NULL;

  if (!quire_lock_take (memory, QUIRE_MAP_READ, error))
    return NULL;
  copy = QUIRE_ALLOCATOR_GET_CLASS (memory->allocator)->mem_copy (memory, offset, size, &local_error);
  quire_lock_drop (memory, QUIRE_MAP_READ);

  if (local_error == NULL &&
      (copy == NULL || quire_memory_has_flags (copy, QUIRE_MEMORY_FLAG_READONLY)))
    g_set_error (&local_error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED,
                 "The allocator %s gave no writable copy of %" G_GSIZE_FORMAT " bytes",
                 quire_allocator_get_mem_type (memory->allocator), size);
  if (local_error != NULL)
    {
      g_propagate_error (error, local_error);
      return NULL;
    }

  return g_steal_pointer (&copy);
}

/**
 * quire_memory_copy: (skip)
 * @memory: a block
 * @offset: where the copy begins, in bytes from the data; may be negative, back
 *   into the prefix
 * @size: size of the copy in bytes, or -1 for all to the end of the data
 *
 * Copies a block, or a piece of it. [method@Memory.try_copy] also says why it
 * fails.
 *
 * Returns: (transfer full) (nullable): the copy, or %NULL
 *
 * Since: 1.0
 */
QuireMemory *
quire_memory_copy (QuireMemory *memory,
                   gssize       offset,
                   gssize       size)
{
  return quire_memory_try_copy (memory, offset, size, NULL);
}

/**
 * quire_memory_try_copy: (rename-to quire_memory_copy)
 * @memory: a block
 * @offset: where the copy begins, in bytes from the data; may be negative, back
 *   into the prefix
 * @size: size of the copy in bytes, or -1 for all to the end of the data
 * @error: return location for an error
 *
 * Copies a block, or a piece of it. The copy has data of its own and is writable,
 * whatever the block is. It is aligned as the block, and comes from the default
 * allocator unless the block's allocator makes its own copies. A copy of what a
 * [class@SecureAllocator] keeps is kept by it as well.
 *
 * The errors are %QUIRE_MEMORY_ERROR_OUT_OF_RANGE, those of a map to read, and
 * those of an allocation. This function is thread-safe.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 1.0
 */
QuireMemory *
quire_memory_try_copy (QuireMemory *memory,
                       gssize       offset,
                       gssize       size,
                       GError     **error)
{
  QuireAllocationParams params;
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;
  g_autoptr (QuireMemory) copy = NULL;
  QuireAllocatorClass *klass;
  const guint8 *block;
  gsize start, length;

  g_return_val_if_fail (memory != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!quire_memory_check_access (memory, QUIRE_MAP_READ, error) ||
      !quire_range_resolve (memory, "copy", offset, size, &start, &length, error))
    return NULL;

  klass = QUIRE_ALLOCATOR_GET_CLASS (memory->allocator);
  if (klass->mem_copy != NULL && !quire_memory_has_flags (memory, QUIRE_MEMORY_INTERNAL_WINDOW))
    return copy_by_allocator (memory, offset, length, error);

  if (!quire_memory_map_full (memory, &info, QUIRE_MAP_READ, error))
    return NULL;

  /* The range counts from the start of the block, and not from where the data is
   * by now. */
  block = info.data - (memory->maxsize - info.maxsize);

  quire_allocation_params_init (&params);
  params.align = memory->align;
  copy = quire_allocator_try_alloc (quire_copy_find_allocator (memory), length, &params, error);
  if (copy == NULL || !quire_memory_try_write (copy, 0, block + start, length, error))
    return NULL;

  return g_steal_pointer (&copy);
}

/**
 * quire_memory_make_writable: (skip)
 * @memory: (transfer full): a block
 *
 * Gives a block that may be written: @memory itself, or a copy.
 * [method@Memory.try_make_writable] also says why it fails.
 *
 * Returns: (transfer full) (nullable): the block, or %NULL
 *
 * Since: 1.0
 */
QuireMemory *
quire_memory_make_writable (QuireMemory *memory)
{
  return quire_memory_try_make_writable (memory, NULL);
}

/**
 * quire_memory_try_make_writable: (rename-to quire_memory_make_writable)
 * @memory: (transfer full): a block
 * @error: return location for an error
 *
 * Gives a block that may be written, as [method@Memory.is_writable] tells:
 * @memory itself if it may be, else a copy of it. The errors are those of
 * [method@Memory.try_copy]; then the reference on @memory is dropped.
 *
 * Returns: (transfer full): the block
 *
 * Since: 1.0
 */
QuireMemory *
quire_memory_try_make_writable (QuireMemory *memory,
                                GError     **error)
{
  QuireMemory *copy;

  g_return_val_if_fail (memory != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (quire_memory_is_writable (memory))
    return memory;

  copy = quire_memory_try_copy (memory, 0, -1, error);
  quire_memory_unref (memory);

  return copy;
}
