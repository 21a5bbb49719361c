/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-copy.h"

#include <string.h>

#include "quire-allocation-params.h"
#include "quire-allocator-private.h"
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

/* The allocator's own way, under a lock to read as any other copy. It may leave it to
 * us: then there is neither a copy nor an error. */
static gboolean
copy_by_allocator (QuireMemory  *memory,
                   gsize         start,
                   gsize         size,
                   QuireMemory **copied,
                   GError      **error)
{
  /* What an allocator knows is the block, not a window of it. */
  QuireMemory *block = quire_memory_has_flags (memory, QUIRE_MEMORY_INTERNAL_WINDOW) ? memory->parent : memory;
  const gssize offset = (gssize) (start - quire_atomic_load_relaxed (&block->offset));
  g_autoptr (QuireMemory) copy = NULL;
  GError *local_error = NULL;

  if (!quire_lock_take (memory, QUIRE_MAP_READ, error))
    return FALSE;
  copy = QUIRE_ALLOCATOR_GET_CLASS (block->allocator)->mem_copy (block, offset, size, &local_error);
  quire_lock_drop (memory, QUIRE_MAP_READ);

  if (local_error == NULL && copy != NULL && quire_memory_has_flags (copy, QUIRE_MEMORY_FLAG_READONLY))
    g_set_error (&local_error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED,
                 "The allocator %s gave no writable copy of %" G_GSIZE_FORMAT " bytes",
                 quire_allocator_get_mem_type (block->allocator), size);
  if (local_error != NULL)
    {
      g_propagate_error (error, local_error);
      return FALSE;
    }

  *copied = g_steal_pointer (&copy);
  return TRUE;
}

/* Whether the allocator has a way of its own. */
static inline gboolean
has_copy (QuireMemory *memory)
{
  return !quire_system_allocator_is (memory->allocator) &&
         !quire_memory_has_flags (memory->parent != NULL ? memory->parent : memory, QUIRE_MEMORY_INTERNAL_BOUND) &&
         QUIRE_ALLOCATOR_GET_CLASS (memory->allocator)->mem_copy != NULL;
}

/* A new block for a copy of @memory, with these bytes. */
static QuireMemory *
copy_new (QuireMemory  *memory,
          const guint8 *bytes,
          gsize         length,
          GError      **error)
{
  g_autoptr (QuireMemory) copy = NULL;

  if (G_LIKELY (memory->align <= QUIRE_DEFAULT_ALIGN &&
                !quire_memory_has_flags (memory, QUIRE_MEMORY_INTERNAL_SECRET)))
    {
      copy = quire_allocator_alloc_plain (length, error);
    }
  else
    {
      const QuireAllocationParams params = { .align = memory->align };

      copy = quire_allocator_try_alloc (quire_copy_find_allocator (memory), length, &params, error);
    }
  if (copy == NULL)
    return NULL;

  /* Nobody else has it, so there is nothing to lock. What another allocator gives may be
   * known to others. */
  if (G_LIKELY (quire_system_allocator_is (copy->allocator)))
    memcpy ((guint8 *) copy->base + copy->offset, bytes, length);
  else if (!quire_memory_try_write (copy, 0, bytes, length, error))
    return NULL;

  return g_steal_pointer (&copy);
}

/* The range counts from the start of the block, and not from where the data is by now.
 * Budget of atomic operations: 2, those of a map to read. */
static QuireMemory *
copy_range (QuireMemory *memory,
            gsize        start,
            gsize        length,
            GError     **error)
{
  QuireMapInfo info;
  QuireMemory *copy;

  /* Where the address is known, a map is no more than its lock. */
  if (G_LIKELY (memory->base != NULL && !quire_memory_has_flags (memory, QUIRE_MEMORY_FLAG_NOT_MAPPABLE)))
    {
      if (!quire_lock_take (memory, QUIRE_MAP_READ, error))
        return NULL;
      copy = copy_new (memory, (const guint8 *) memory->base + start, length, error);
      quire_lock_drop (memory, QUIRE_MAP_READ);
    }
  else
    {
      if (!quire_memory_map_full (memory, &info, QUIRE_MAP_READ, error))
        return NULL;
      copy = copy_new (memory, info.data - (memory->maxsize - info.maxsize) + start, length, error);
      quire_memory_unmap (memory, &info);
    }

  return copy;
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
  gsize start, length;

  g_return_val_if_fail (memory != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!quire_memory_check_access (memory, QUIRE_MAP_READ, error) ||
      !quire_range_resolve (memory, "copy", offset, size, &start, &length, error))
    return NULL;

  if (G_UNLIKELY (has_copy (memory)))
    {
      QuireMemory *copy = NULL;

      if (!copy_by_allocator (memory, start, length, &copy, error) || copy != NULL)
        return copy;
    }

  return copy_range (memory, start, length, error);
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
