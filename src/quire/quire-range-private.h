/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-memory.h"

G_BEGIN_DECLS

/* All arithmetic on sizes and offsets that come from outside goes through here:
 * g_size_checked_add() for sums, these for ranges of a block. */

gboolean quire_range_find    (gsize         available,
                              const char   *verb,
                              gsize         offset,
                              gssize        size,
                              gsize        *length,
                              GError      **error);
gboolean quire_range_resolve (QuireMemory  *memory,
                              const char   *verb,
                              gssize        offset,
                              gssize        size,
                              gsize        *start,
                              gsize        *length,
                              GError      **error);

/* An alignment is given as a mask, a power of two less 1. */
static inline gboolean
quire_align_is_mask (gsize align)
{
  return (align & (align + 1)) == 0;
}

G_END_DECLS
