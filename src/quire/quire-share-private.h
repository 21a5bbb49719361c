/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-share.h"

#include "quire-memory-private.h"

G_BEGIN_DECLS

QuireMemory *quire_share_new           (QuireMemory  *memory,
                                        gsize         start,
                                        gsize         size,
                                        GError      **error);
gboolean     quire_share_ask_allocator (QuireMemory  *first,
                                        QuireMemory  *second);

/*
 * quire_share_is_followed:
 *
 * Whether two shares of the same parent lie side by side. No atomic operation.
 */
static inline gboolean
quire_share_is_followed (QuireMemory *first,
                         QuireMemory *second)
{
  QuireMemory *parent = first->parent;
  gsize first_offset, first_size, second_offset, second_size;

  if (parent == NULL || second->parent != parent)
    return FALSE;

  /* Who has no address of his own for it may know better. */
  if (G_UNLIKELY (parent->base == NULL))
    return quire_share_ask_allocator (first, second);

  quire_memory_get_window (first, &first_offset, &first_size);
  quire_memory_get_window (second, &second_offset, &second_size);

  return first_offset + first_size == second_offset;
}

G_END_DECLS
