/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-create.h"

#include "quire-allocator-private.h"
#include "quire-error.h"
#include "quire-memory-private.h"
#include "quire-system-allocator-private.h"

/**
 * quire_memory_new: (skip)
 * @size: size of the data in bytes
 *
 * Allocates a block from the default allocator. [ctor@Memory.try_new] also says
 * why it fails.
 *
 * Returns: (transfer full) (nullable): a new block, or %NULL
 *
 * Since: 1.0
 */
QuireMemory *
quire_memory_new (gsize size)
{
  return quire_allocator_alloc_plain (size, NULL);
}

/**
 * quire_memory_try_new: (constructor) (rename-to quire_memory_new)
 * @size: size of the data in bytes
 * @error: return location for an error
 *
 * Allocates a block from the default allocator. What is in it is undefined.
 *
 * The errors are %QUIRE_MEMORY_ERROR_NO_SPACE and
 * %QUIRE_MEMORY_ERROR_TOO_LARGE.
 *
 * Returns: (transfer full): a new block
 *
 * Since: 1.0
 */
QuireMemory *
quire_memory_try_new (gsize    size,
                      GError **error)
{
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return quire_allocator_alloc_plain (size, error);
}

/**
 * quire_memory_new_with_params: (skip)
 * @size: size of the data in bytes
 * @params: (nullable): how to allocate, or %NULL for nothing special
 *
 * Allocates a block from the default allocator.
 * [ctor@Memory.try_new_with_params] also says why it fails.
 *
 * Returns: (transfer full) (nullable): a new block, or %NULL
 *
 * Since: 1.0
 */
QuireMemory *
quire_memory_new_with_params (gsize                        size,
                              const QuireAllocationParams *params)
{
  return quire_allocator_try_alloc (NULL, size, params, NULL);
}

/**
 * quire_memory_try_new_with_params: (constructor) (rename-to quire_memory_new_with_params)
 * @size: size of the data in bytes
 * @params: (nullable): how to allocate, or %NULL for nothing special
 * @error: return location for an error
 *
 * Allocates a block from the default allocator, as
 * [method@Allocator.try_alloc] does.
 *
 * Returns: (transfer full): a new block
 *
 * Since: 1.0
 */
QuireMemory *
quire_memory_try_new_with_params (gsize                        size,
                                  const QuireAllocationParams *params,
                                  GError                     **error)
{
  return quire_allocator_try_alloc (NULL, size, params, error);
}

/**
 * quire_memory_new_wrapped: (skip)
 * @flags: flags of the block
 * @data: (nullable): the data; %NULL only if @maxsize is 0
 * @maxsize: size of @data in bytes
 * @offset: where in @data the valid range begins
 * @size: size of the valid range in bytes
 * @user_data: data for @notify
 * @notify: (nullable): called with @user_data when the block is gone
 *
 * Makes a block over data that is there already, without a copy.
 * [ctor@Memory.try_new_wrapped] also says why it fails.
 *
 * Returns: (transfer full) (nullable): a new block, or %NULL
 *
 * Since: 1.0
 */
QuireMemory *
quire_memory_new_wrapped (QuireMemoryFlags flags,
                          gpointer         data,
                          gsize            maxsize,
                          gsize            offset,
                          gsize            size,
                          gpointer         user_data,
                          GDestroyNotify   notify)
{
  return quire_memory_try_new_wrapped (flags, data, maxsize, offset, size,
                                       user_data, notify, NULL);
}

/**
 * quire_memory_try_new_wrapped: (skip)
 * @flags: flags of the block
 * @data: (nullable): the data; %NULL only if @maxsize is 0
 * @maxsize: size of @data in bytes
 * @offset: where in @data the valid range begins
 * @size: size of the valid range in bytes
 * @user_data: data for @notify
 * @notify: (nullable): called with @user_data when the block is gone
 * @error: return location for an error
 *
 * Makes a block over data that is there already, without a copy. The data must
 * stay until @notify is called, which is so on whichever thread drops the last
 * reference on the block and its shares.
 *
 * The errors are %QUIRE_MEMORY_ERROR_OUT_OF_RANGE if the range is not within the
 * data, %QUIRE_MEMORY_ERROR_TOO_LARGE, and %QUIRE_MEMORY_ERROR_NOT_SUPPORTED for
 * flags that mean nothing; then @notify is not called.
 *
 * Returns: (transfer full) (nullable): a new block, or %NULL with @error set
 *
 * Since: 1.0
 */
QuireMemory *
quire_memory_try_new_wrapped (QuireMemoryFlags flags,
                              gpointer         data,
                              gsize            maxsize,
                              gsize            offset,
                              gsize            size,
                              gpointer         user_data,
                              GDestroyNotify   notify,
                              GError         **error)
{
  g_return_val_if_fail (data != NULL || maxsize == 0, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!quire_memory_check_flags (flags, error))
    return NULL;
  if (maxsize > G_MAXSSIZE)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_TOO_LARGE,
                   "%" G_GSIZE_FORMAT " bytes to wrap are beyond %" G_GSSIZE_FORMAT,
                   maxsize, G_MAXSSIZE);
      return NULL;
    }
  if (offset > maxsize || size > maxsize - offset)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_OUT_OF_RANGE,
                   "Can't wrap %" G_GSIZE_FORMAT " bytes at offset %" G_GSIZE_FORMAT
                   " of %" G_GSIZE_FORMAT " bytes",
                   size, offset, maxsize);
      return NULL;
    }

  return quire_system_allocator_wrap (flags, 0, data, maxsize, offset, size, user_data, notify);
}
