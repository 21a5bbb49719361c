/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-allocation-params.h"
#include "quire-allocator.h"

G_BEGIN_DECLS

/* The allocator of plain memory: header and data in one malloc(). Its one
 * instance is immortal, and not counted by its blocks: so threads that allocate
 * share no cache line that anyone writes. */

/* What quire_memory_new() gives data, and its wrapped blocks too. */
#define QUIRE_DEFAULT_ALIGN (MAX (G_ALIGNOF (max_align_t), 2 * sizeof (gsize)) - 1)

QuireAllocator *quire_system_allocator_get  (void) G_GNUC_CONST;
QuireMemory    *quire_system_allocator_make (gsize                        size,
                                             const QuireAllocationParams *params,
                                             GError                     **error);
QuireMemory    *quire_system_allocator_wrap (QuireMemoryFlags             flags,
                                             guint                        internal,
                                             gpointer                     data,
                                             gsize                        maxsize,
                                             gsize                        offset,
                                             gsize                        size,
                                             gpointer                     user_data,
                                             GDestroyNotify               notify);
void            quire_system_allocator_drop (QuireMemory                 *memory);
gpointer        quire_system_allocator_data (QuireMemory                 *memory,
                                             GDestroyNotify               notify);

G_END_DECLS
