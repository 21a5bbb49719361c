/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-memory-private.h"

G_BEGIN_DECLS

/* All arithmetic on sizes and offsets that come from outside goes through here:
 * g_size_checked_add() for sums, these for ranges of a block. */

void     quire_range_refuse (QuireMemory  *memory,
                             const char   *verb,
                             gssize        offset,
                             gssize        size,
                             GError      **error) __attribute__ ((cold));
gboolean quire_range_find   (gsize         available,
                             const char   *verb,
                             gsize         offset,
                             gssize        size,
                             gsize        *length,
                             GError      **error);

/*
 * quire_range_resolve:
 * @verb: what is tried, for the message
 * @offset: relative to the data; may reach back into the prefix
 * @size: or -1: to the end of the data
 * @start: (out): where the range starts, from the start of the block
 * @length: (out): its size
 *
 * Resolves a range against the valid range of today.
 *
 * A block is at most G_MAXSSIZE bytes large, so each size in it is a gssize too.
 * Now start <= start + length <= the end of the valid range.
 */
static inline gboolean
quire_range_resolve (QuireMemory *memory,
                     const char  *verb,
                     gssize       offset,
                     gssize       size,
                     gsize       *start,
                     gsize       *length,
                     GError     **error)
{
  gsize window_offset, window_size;

  quire_memory_get_window (memory, &window_offset, &window_size);

  if (G_UNLIKELY (offset < -(gssize) window_offset || offset > (gssize) window_size ||
                  size < -1 || size > (gssize) window_size - offset))
    {
      quire_range_refuse (memory, verb, offset, size, error);
      return FALSE;
    }

  /* A negative offset wraps around, and back: the sum is what is meant. */
  *start = window_offset + (gsize) offset;
  *length = (size == -1) ? window_size - (gsize) offset : (gsize) size;

  return TRUE;
}

/* An alignment is given as a mask, a power of two less 1. */
static inline gboolean
quire_align_is_mask (gsize align)
{
  return (align & (align + 1)) == 0;
}

G_END_DECLS
