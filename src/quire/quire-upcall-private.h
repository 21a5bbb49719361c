/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-allocator.h"

#include "quire-home-private.h"

G_BEGIN_DECLS

/* Calls of those functions of an allocator that may be written in a script: they run
 * where the allocator wants them, they may do anything and come back here. No lock of the
 * library is held meanwhile. */

void         quire_upcall_init_class (QuireAllocatorClass          *klass);
gboolean     quire_upcall_has_maps   (QuireAllocator               *allocator);
gboolean     quire_upcall_is_running (QuireAllocator               *allocator);
void         quire_upcall_catch_up   (QuireAllocator               *allocator);

QuireMemory *quire_upcall_alloc      (QuireAllocator               *allocator,
                                      gsize                         size,
                                      const QuireAllocationParams  *params,
                                      GError                      **error);
gboolean     quire_upcall_mapped     (QuireAllocator               *allocator,
                                      QuireMemory                  *memory,
                                      QuireMapFlags                 flags,
                                      gboolean                     *reported,
                                      GError                      **error);
void         quire_upcall_unmapped   (QuireAllocator               *allocator,
                                      QuireMemory                  *memory);
void         quire_upcall_released   (QuireAllocator               *allocator,
                                      GObject                      *state);

G_END_DECLS
