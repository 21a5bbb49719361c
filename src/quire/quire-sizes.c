/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-sizes.h"

#include "quire-error.h"
#include "quire-memory-private.h"

/**
 * quire_memory_get_sizes:
 * @memory: a block
 * @offset: (out) (optional): where the data begins, in bytes from the start of
 *   the block
 * @maxsize: (out) (optional): the size of the whole block in bytes
 *
 * Tells the size of the data, and where in the block it is.
 *
 * Returns: the size of the data in bytes
 *
 * Since: 1.0
 */
gsize
quire_memory_get_sizes (QuireMemory *memory,
                        gsize       *offset,
                        gsize       *maxsize)
{
  gsize window_offset, window_size;

  g_return_val_if_fail (memory != NULL, 0);

  quire_memory_get_window (memory, &window_offset, &window_size);
  if (offset != NULL)
    *offset = window_offset;
  if (maxsize != NULL)
    *maxsize = memory->maxsize;

  return window_size;
}

/**
 * quire_memory_resize: (skip)
 * @memory: a block
 * @offset: where the data shall begin, in bytes from where it does
 * @size: how large the data shall be, in bytes
 *
 * Moves the valid range of a block. [method@Memory.try_resize] also says why it
 * fails.
 *
 * Returns: %TRUE if the range was moved
 *
 * Since: 1.0
 */
gboolean
quire_memory_resize (QuireMemory *memory,
                     gssize       offset,
                     gsize        size)
{
  return quire_memory_try_resize (memory, offset, size, NULL);
}

/**
 * quire_memory_try_resize: (rename-to quire_memory_resize)
 * @memory: a block
 * @offset: where the data shall begin, in bytes from where it does
 * @size: how large the data shall be, in bytes
 * @error: return location for an error
 *
 * Moves the valid range of a block, and may grow it into prefix and padding. No
 * byte is touched, and maps and shares that stand keep the range they have.
 *
 * What would lie outside the block is refused with
 * %QUIRE_MEMORY_ERROR_OUT_OF_RANGE; a closed handle with %QUIRE_MEMORY_ERROR_CLOSED.
 *
 * Who resizes a block should be the only one to use it: two that do it at once,
 * or one that maps meanwhile, may get a range that neither meant, though never
 * one outside the block.
 *
 * Returns: (skip): %TRUE if the range was moved
 *
 * Since: 1.0
 */
gboolean
quire_memory_try_resize (QuireMemory *memory,
                         gssize       offset,
                         gsize        size,
                         GError     **error)
{
  gsize window_offset, window_size, start;

  g_return_val_if_fail (memory != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!quire_memory_check_access (memory, QUIRE_MAP_READ, error))
    return FALSE;

  quire_memory_get_window (memory, &window_offset, &window_size);

  if (offset < -(gssize) window_offset ||
      offset > (gssize) (memory->maxsize - window_offset) ||
      size > memory->maxsize - (window_offset + (gsize) offset))
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_OUT_OF_RANGE,
                   "Can't resize to %" G_GSIZE_FORMAT " bytes at offset %" G_GSSIZE_FORMAT
                   ": the block has %" G_GSIZE_FORMAT " bytes, its data begins at %" G_GSIZE_FORMAT,
                   size, offset, memory->maxsize, window_offset);
      return FALSE;
    }

  start = window_offset + (gsize) offset;
  quire_memory_set_window (memory, start, size);

  return TRUE;
}
