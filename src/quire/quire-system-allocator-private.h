/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-allocation-params.h"
#include "quire-allocator.h"
#include "quire-atomic-private.h"

G_BEGIN_DECLS

/* The allocator of plain memory: header and data in one malloc(). Its one
 * instance is immortal, and not counted by its blocks: so threads that allocate
 * share no cache line that anyone writes. */

/* What quire_memory_new() gives data, and its wrapped blocks too. */
#define QUIRE_DEFAULT_ALIGN (MAX (G_ALIGNOF (max_align_t), 2 * sizeof (gsize)) - 1)

/* What quire_system_allocator_make_plain() makes blocks of. */
#define QUIRE_SYSTEM_PLAIN_LIMIT ((gsize) 1024 * 1024)

/* NULL until somebody asks for it. */
extern QuireAllocator *quire_system_allocator_instance;

QuireAllocator *quire_system_allocator_create     (void) __attribute__ ((cold));
QuireMemory    *quire_system_allocator_make       (gsize                        size,
                                                   const QuireAllocationParams *params,
                                                   GError                     **error);
QuireMemory    *quire_system_allocator_make_plain (gsize                        size,
                                                   GError                     **error);
QuireMemory    *quire_system_allocator_wrap       (QuireMemoryFlags             flags,
                                                   guint                        internal,
                                                   gpointer                     data,
                                                   gsize                        maxsize,
                                                   gsize                        offset,
                                                   gsize                        size,
                                                   gpointer                     user_data,
                                                   GDestroyNotify               notify);
void            quire_system_allocator_drop       (QuireMemory                 *memory);
gpointer        quire_system_allocator_data       (QuireMemory                 *memory,
                                                   GDestroyNotify               notify);

/* Allocations and frees ask this all the time: so it is a load, and no call. */
static inline QuireAllocator *
quire_system_allocator_get (void)
{
  QuireAllocator *instance = quire_atomic_load_acquire (&quire_system_allocator_instance);

  return G_LIKELY (instance != NULL) ? instance : quire_system_allocator_create ();
}

/* Whether a block's allocator is this one. Who has the block has seen the instance. */
static inline gboolean
quire_system_allocator_is (QuireAllocator *allocator)
{
  return allocator == quire_atomic_load_relaxed (&quire_system_allocator_instance);
}

G_END_DECLS
