/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-allocator.h"
#include "quire-map-info.h"

G_BEGIN_DECLS

/* Blocks that quire_allocator_try_bind() makes, for allocators that have no struct of
 * their own: those that are written in a script. */

QuireMemory *quire_bound_alloc     (QuireAllocator               *allocator,
                                    gsize                         size,
                                    const QuireAllocationParams  *params,
                                    GError                      **error);
gboolean     quire_bound_begin_map (QuireMemory                  *block,
                                    QuireMapInfo                 *info,
                                    GError                      **error);
void         quire_bound_end_map   (QuireMemory                  *block,
                                    QuireMapInfo                 *info);
void         quire_bound_free      (QuireMemory                  *memory);

G_END_DECLS
