/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-pool-private.h"

G_BEGIN_DECLS

struct _QuirePoolAllocator
{
  QuireAllocator         parent_instance;

  QuirePool             *pool;

  QuireAllocator        *allocator;
  guint64                block_size;
  QuireAllocationParams  params;
  /* What alignment is promised of the data. */
  gsize                  align;
  guint                  max_blocks;
  guint                  initial_blocks;
  gint64                 max_wait;
};

QuireMemory *quire_pool_allocator_get   (QuirePoolAllocator           *self,
                                         gsize                         size,
                                         QuireMemoryFlags              flags,
                                         gint64                        max_wait,
                                         GCancellable                 *cancellable,
                                         GError                      **error);
gboolean     quire_pool_allocator_check (QuirePoolAllocator           *self,
                                         gsize                         size,
                                         const QuireAllocationParams  *params,
                                         GError                      **error);
gboolean     quire_pool_allocator_fill  (QuirePoolAllocator           *self,
                                         guint                         n_blocks,
                                         GError                      **error);

G_END_DECLS
