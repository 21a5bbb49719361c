/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-allocator.h"

#include "quire-allocation-params.h"
#include "quire-allocator-private.h"
#include "quire-error.h"
#include "quire-memory-private.h"
#include "quire-range-private.h"
#include "quire-system-allocator-private.h"

/**
 * QuireAllocator:
 *
 * Where blocks come from.
 *
 * The allocator `system` gives plain memory and is the default one. There are a
 * [class@PoolAllocator], which uses blocks again, a [class@GuardAllocator] and a
 * [class@SecureAllocator]. A C program derives others from this class, see [struct@AllocatorClass], and may
 * [func@Allocator.register] them by a name, or make one the default for
 * [ctor@Memory.new].
 *
 * A block keeps its allocator alive. All functions are thread-safe.
 *
 * Since: 1.0
 */

G_DEFINE_ABSTRACT_TYPE (QuireAllocator, quire_allocator, G_TYPE_OBJECT)

static void
quire_allocator_class_init (QuireAllocatorClass *klass)
{
}

static void
quire_allocator_init (QuireAllocator *self)
{
}

/* Whether a request makes sense to any allocator. */
gboolean
quire_allocator_check_request (gsize                        size,
                               const QuireAllocationParams *params,
                               GError                     **error)
{
  gsize maxsize;

  if (!quire_memory_check_flags (params->flags, error))
    return FALSE;

  if (!quire_align_is_mask (params->align))
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
                   "The alignment mask %" G_GSIZE_FORMAT " is not a power of two less 1",
                   params->align);
      return FALSE;
    }

  if (!g_size_checked_add (&maxsize, params->prefix, size) ||
      !g_size_checked_add (&maxsize, maxsize, params->padding) ||
      maxsize > G_MAXSSIZE)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_TOO_LARGE,
                   "A block of %" G_GSIZE_FORMAT " bytes with a prefix of %" G_GSIZE_FORMAT
                   " and a padding of %" G_GSIZE_FORMAT " is beyond %" G_GSSIZE_FORMAT " bytes",
                   size, params->prefix, params->padding, G_MAXSSIZE);
      return FALSE;
    }

  return TRUE;
}

/**
 * quire_allocator_alloc: (skip)
 * @allocator: (nullable): an allocator, or %NULL for the default one
 * @size: size of the data in bytes
 * @params: (nullable): how to allocate, or %NULL for nothing special
 *
 * Allocates a block. [method@Allocator.try_alloc] also says why it fails.
 *
 * Returns: (transfer full) (nullable): a new block, or %NULL
 *
 * Since: 1.0
 */
QuireMemory *
quire_allocator_alloc (QuireAllocator              *allocator,
                       gsize                        size,
                       const QuireAllocationParams *params)
{
  if (G_LIKELY (allocator == NULL && params == NULL))
    return quire_allocator_alloc_plain (size, NULL);

  return quire_allocator_try_alloc (allocator, size, params, NULL);
}

/**
 * quire_allocator_try_alloc: (rename-to quire_allocator_alloc)
 * @allocator: an allocator; C may pass %NULL for the default one
 * @size: size of the data in bytes
 * @params: (nullable): how to allocate, or %NULL for nothing special
 * @error: return location for an error
 *
 * Allocates a block of @size bytes, with the prefix and the padding of @params
 * beside them. What is in it is undefined but for what the flags ask to be zero.
 *
 * The errors are %QUIRE_MEMORY_ERROR_TOO_LARGE, %QUIRE_MEMORY_ERROR_NO_SPACE,
 * %QUIRE_MEMORY_ERROR_NOT_SUPPORTED for an alignment that is no mask and for flags
 * that mean nothing, and those of the allocator.
 *
 * Returns: (transfer full): a new block
 *
 * Since: 1.0
 */
QuireMemory *
quire_allocator_try_alloc (QuireAllocator              *allocator,
                           gsize                        size,
                           const QuireAllocationParams *params,
                           GError                     **error)
{
  static const QuireAllocationParams nothing_special;
  QuireAllocatorClass *klass;
  QuireMemory *memory;
  GError *local_error = NULL;

  g_return_val_if_fail (allocator == NULL || QUIRE_IS_ALLOCATOR (allocator), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (allocator == NULL)
    allocator = quire_allocator_peek_default ();
  if (params == NULL)
    params = &nothing_special;

  if (!quire_allocator_check_request (size, params, error))
    return NULL;

  if (G_LIKELY (quire_system_allocator_is (allocator)))
    return quire_system_allocator_make (size, params, error);

  klass = QUIRE_ALLOCATOR_GET_CLASS (allocator);
  if (klass->alloc == NULL || klass->free == NULL)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
                   "The allocator %s does not say how to allocate and to free",
                   quire_allocator_get_mem_type (allocator));
      return NULL;
    }

  memory = klass->alloc (allocator, size, params, &local_error);
  if (memory == NULL && local_error == NULL)
    g_set_error (&local_error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED,
                 "The allocator %s gave no block of %" G_GSIZE_FORMAT " bytes",
                 quire_allocator_get_mem_type (allocator), size);
  if (local_error != NULL)
    {
      g_clear_pointer (&memory, quire_memory_unref);
      g_propagate_error (error, local_error);
    }

  return memory;
}

/**
 * quire_allocator_get_mem_type:
 * @allocator: an allocator
 *
 * Tells the type of the allocator's blocks, as [method@Memory.is_type] knows it.
 *
 * Returns: (transfer none): the type
 *
 * Since: 1.0
 */
const char *
quire_allocator_get_mem_type (QuireAllocator *allocator)
{
  const char *mem_type;

  g_return_val_if_fail (QUIRE_IS_ALLOCATOR (allocator), NULL);

  mem_type = QUIRE_ALLOCATOR_GET_CLASS (allocator)->mem_type;
  return mem_type != NULL ? mem_type : G_OBJECT_TYPE_NAME (allocator);
}

/**
 * quire_allocator_get_default_align:
 *
 * Tells how data is aligned when nobody asks for more: as `malloc` does on this
 * platform.
 *
 * Returns: the alignment as a mask, in bytes less 1
 *
 * Since: 1.0
 */
gsize
quire_allocator_get_default_align (void)
{
  return QUIRE_DEFAULT_ALIGN;
}
