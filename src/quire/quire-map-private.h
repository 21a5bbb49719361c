/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-map-info.h"

#include "quire-lock-private.h"

G_BEGIN_DECLS

/* A map in its two halves, for QuireMapping, which ends them apart. */

gboolean     quire_map_begin                 (QuireMemory    *memory,
                                              QuireMapInfo   *info,
                                              QuireMapFlags   flags,
                                              GError        **error);
void         quire_map_end_address           (QuireMapInfo   *info);
void         quire_map_end_lock_by_allocator (QuireMapInfo   *info);
QuireMemory *quire_map_find_block            (QuireMemory    *memory);

/*
 * quire_map_end_lock:
 *
 * The other half, which may come first. The caller has a reference on the block, which
 * goes on to be used if its allocator wants to know of maps.
 *
 * Budget of atomic operations: 1.
 */
static inline void
quire_map_end_lock (QuireMapInfo *info)
{
  if (G_LIKELY (info->memory->base != NULL))
    quire_lock_drop (info->memory, info->flags);
  else
    quire_map_end_lock_by_allocator (info);
}

G_END_DECLS
