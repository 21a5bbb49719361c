/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-binding.h"

#include <string.h>

#include "quire-error.h"
#include "quire-mapping-private.h"
#include "quire-memory-private.h"
#include "quire-pool-private.h"
#include "quire-system-allocator-private.h"

/**
 * quire_memory_close: (skip)
 * @memory: (transfer full): a block
 *
 * Gives up a reference for a binding whose scripts close a handle at once,
 * instead of when the collector comes, and gives a stand-in to put in its place:
 * an empty block that refuses everything with %QUIRE_MEMORY_ERROR_CLOSED.
 *
 * The stand-in keeps the storage of @memory in place until it is freed itself.
 * So neither an address that the script had of @memory, nor a call on another
 * thread that was given @memory and has not come back, reaches freed memory. It
 * keeps no share alive, and no lock.
 *
 * This function is thread-safe.
 *
 * Returns: (transfer full): the stand-in
 *
 * Since: 1.0
 */
QuireMemory *
quire_memory_close (QuireMemory *memory)
{
  QuireMemory *stand_in;

  g_return_val_if_fail (memory != NULL, NULL);

  stand_in = quire_system_allocator_wrap (QUIRE_MEMORY_FLAG_NONE, QUIRE_MEMORY_INTERNAL_CLOSED,
                                          NULL, 0, 0, 0,
                                          quire_memory_pin (memory),
                                          (GDestroyNotify) quire_memory_unpin);
  quire_memory_unref (memory);

  return stand_in;
}

/**
 * quire_memory_close_wrapper: (skip)
 * @memory: a block
 *
 * Gives up a reference for a binding whose language can't put a stand-in in the place
 * of a handle, as [method@Memory.close] makes it, and drops the reference of its
 * wrapper only when a collector comes. The binding has a reference of its own, besides
 * that of the wrapper.
 *
 * If these two are all there are, the binding's is dropped and the block dies: a share
 * no longer keeps its block from being written. Its storage stays in place until the
 * wrapper drops its reference. It is for the binding to refuse what a script asks of the
 * wrapper until then.
 *
 * If somebody else has a reference, nothing happens, and the binding may try again.
 *
 * Returns: %TRUE if the block is dead now, and the binding's reference gone
 *
 * Since: 1.0
 */
gboolean
quire_memory_close_wrapper (QuireMemory *memory)
{
  g_return_val_if_fail (memory != NULL, FALSE);

  return quire_memory_retire_with (memory);
}

/**
 * quire_memory_is_closed:
 * @memory: a block
 *
 * Tells whether the handle was closed. Then everything that can fail does so with
 * %QUIRE_MEMORY_ERROR_CLOSED.
 *
 * Returns: whether it was
 *
 * Since: 1.0
 */
gboolean
quire_memory_is_closed (QuireMemory *memory)
{
  g_return_val_if_fail (memory != NULL, TRUE);

  return quire_memory_has_flags (memory, QUIRE_MEMORY_INTERNAL_CLOSED);
}

/**
 * quire_memory_has_only: (skip)
 * @memory: a block
 * @n_refs: how many references the caller knows of
 *
 * Tells whether nobody else has a reference on the block, a share of it or an address
 * in it, for a binding whose collector looks for cycles through the data of a block.
 *
 * What it says is of this moment: it may change as soon as somebody uses one of the
 * references.
 *
 * Returns: whether there are as many references and no more
 *
 * Since: 1.0
 */
gboolean
quire_memory_has_only (QuireMemory *memory,
                       guint        n_refs)
{
  g_return_val_if_fail (memory != NULL, FALSE);

  return quire_atomic_load_acquire (&memory->ref_count) == (int) n_refs &&
         quire_atomic_load_relaxed (&memory->pins) == 1;
}

/**
 * quire_mapping_write_back:
 * @mapping: a mapping to write
 * @data: (array length=size): bytes
 * @size: how many, as many as are mapped
 * @error: return location for an error
 *
 * Copies bytes over what a mapping shows, for a binding whose language has no views of
 * it but copies. The lock is that of the mapping.
 *
 * The errors are %QUIRE_MEMORY_ERROR_CLOSED when it has ended,
 * %QUIRE_MEMORY_ERROR_READ_ONLY when it is one to read only, and
 * %QUIRE_MEMORY_ERROR_OUT_OF_RANGE for another size.
 *
 * Returns: (skip): %TRUE if the bytes were copied
 *
 * Since: 1.0
 */
gboolean
quire_mapping_write_back (QuireMapping *mapping,
                          const guint8 *data,
                          gsize         size,
                          GError      **error)
{
  const QuireMapInfo *info;
  guint8 *target;

  g_return_val_if_fail (mapping != NULL, FALSE);
  g_return_val_if_fail (data != NULL || size == 0, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  info = quire_mapping_peek_info (mapping);
  if ((info->flags & QUIRE_MAP_WRITE) == 0)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_READ_ONLY,
                   "The mapping of %" G_GSIZE_FORMAT " bytes is one to read", info->size);
      return FALSE;
    }
  if (size != info->size)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_OUT_OF_RANGE,
                   "Can't write %" G_GSIZE_FORMAT " bytes over a mapping of %" G_GSIZE_FORMAT,
                   size, info->size);
      return FALSE;
    }

  /* The view keeps the mapping from ending meanwhile. */
  if (!quire_mapping_acquire_view (mapping, &target, error))
    return FALSE;
  /* What is written may be a view of the same block. */
  if (size > 0)
    memmove (target, data, size);
  quire_mapping_release_view (mapping);
  return TRUE;
}

/**
 * quire_binding_set_interruption: (skip)
 * @interruption: (nullable): a function
 *
 * Has a function called now and then by threads that wait for a block of a
 * [class@PoolAllocator], on these threads, and ends the wait if it says so: for a binding
 * whose language handles signals only when it is asked to.
 *
 * Since: 1.0
 */
void
quire_binding_set_interruption (QuireBindingInterruption interruption)
{
  quire_pool_set_interruption (interruption);
}
