/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(QUIRE_INSIDE) && !defined(QUIRE_COMPILATION)
# error "Only <quire/quire.h> can be included directly."
#endif

#include "quire-allocation-params.h"
#include "quire-allocator.h"
#include "quire-pool-stats.h"

G_BEGIN_DECLS

#define QUIRE_TYPE_POOL_ALLOCATOR (quire_pool_allocator_get_type ())

QUIRE_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (QuirePoolAllocator, quire_pool_allocator, QUIRE, POOL_ALLOCATOR, QuireAllocator)

QUIRE_AVAILABLE_IN_1_0
QuirePoolAllocator *
                quire_pool_allocator_new               (QuireAllocator               *allocator,
                                                        gsize                         block_size,
                                                        const QuireAllocationParams  *params,
                                                        guint                         max_blocks) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
QuirePoolAllocator *
                quire_pool_allocator_try_new           (QuireAllocator               *allocator,
                                                        gsize                         block_size,
                                                        const QuireAllocationParams  *params,
                                                        guint                         max_blocks,
                                                        GError                      **error) G_GNUC_WARN_UNUSED_RESULT;

QUIRE_AVAILABLE_IN_1_0
QuireMemory    *quire_pool_allocator_acquire           (QuirePoolAllocator           *pool,
                                                        gint64                        max_wait,
                                                        GCancellable                 *cancellable) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
QuireMemory    *quire_pool_allocator_try_acquire       (QuirePoolAllocator           *pool,
                                                        gint64                        max_wait,
                                                        GCancellable                 *cancellable,
                                                        GError                      **error) G_GNUC_WARN_UNUSED_RESULT;

QUIRE_AVAILABLE_IN_1_0
void            quire_pool_allocator_acquire_async     (QuirePoolAllocator           *pool,
                                                        gint64                        max_wait,
                                                        GCancellable                 *cancellable,
                                                        GAsyncReadyCallback           callback,
                                                        gpointer                      user_data);
QUIRE_AVAILABLE_IN_1_0
QuireMemory    *quire_pool_allocator_acquire_finish    (QuirePoolAllocator           *pool,
                                                        GAsyncResult                 *result,
                                                        GError                      **error) G_GNUC_WARN_UNUSED_RESULT;

QUIRE_AVAILABLE_IN_1_0
gboolean        quire_pool_allocator_prealloc          (QuirePoolAllocator           *pool,
                                                        guint                         n_blocks);
QUIRE_AVAILABLE_IN_1_0
gboolean        quire_pool_allocator_try_prealloc      (QuirePoolAllocator           *pool,
                                                        guint                         n_blocks,
                                                        GError                      **error);
QUIRE_AVAILABLE_IN_1_0
guint           quire_pool_allocator_trim              (QuirePoolAllocator           *pool,
                                                        guint                         keep);
QUIRE_AVAILABLE_IN_1_0
guint           quire_pool_allocator_flush             (QuirePoolAllocator           *pool);
QUIRE_AVAILABLE_IN_1_0
void            quire_pool_allocator_close             (QuirePoolAllocator           *pool);
QUIRE_AVAILABLE_IN_1_0
gboolean        quire_pool_allocator_is_closed         (QuirePoolAllocator           *pool);

QUIRE_AVAILABLE_IN_1_0
void            quire_pool_allocator_get_stats         (QuirePoolAllocator           *pool,
                                                        QuirePoolStats               *stats);
QUIRE_AVAILABLE_IN_1_0
QuireAllocator *quire_pool_allocator_get_allocator     (QuirePoolAllocator           *pool);
QUIRE_AVAILABLE_IN_1_0
gsize           quire_pool_allocator_get_block_size    (QuirePoolAllocator           *pool);
QUIRE_AVAILABLE_IN_1_0
guint           quire_pool_allocator_get_max_blocks    (QuirePoolAllocator           *pool);
QUIRE_AVAILABLE_IN_1_0
gint64          quire_pool_allocator_get_max_wait      (QuirePoolAllocator           *pool);
QUIRE_AVAILABLE_IN_1_0
void            quire_pool_allocator_set_max_wait      (QuirePoolAllocator           *pool,
                                                        gint64                        max_wait);

G_END_DECLS
