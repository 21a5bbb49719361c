/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(QUIRE_INSIDE) && !defined(QUIRE_COMPILATION)
# error "Only <quire/quire.h> can be included directly."
#endif

#include "quire-types.h"

G_BEGIN_DECLS

#define QUIRE_TYPE_POOL_STATS (quire_pool_stats_get_type ())

/**
 * QuirePoolStats:
 * @n_blocks: how many blocks the pool has, those that are out included
 * @n_free: how many of them wait for the next who asks
 * @n_out: how many are out
 * @max_out: how many have been out at once, at most
 * @n_waiting: how many threads wait for a block
 * @n_made: how many blocks were ever made, from the other allocator
 * @n_recycled: how often an allocation got a block that was used before, or made ahead
 *
 * What goes on in a [class@PoolAllocator], at one moment.
 *
 * Since: 1.0
 */
typedef struct
{
  guint    n_blocks;
  guint    n_free;
  guint    n_out;
  guint    max_out;
  guint    n_waiting;
  guint64  n_made;
  guint64  n_recycled;

  /*< private >*/
  gpointer _reserved[4];
} QuirePoolStats;

QUIRE_AVAILABLE_IN_1_0
GType           quire_pool_stats_get_type (void) G_GNUC_CONST;
QUIRE_AVAILABLE_IN_1_0
QuirePoolStats *quire_pool_stats_copy     (const QuirePoolStats *stats) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
void            quire_pool_stats_free     (QuirePoolStats       *stats);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (QuirePoolStats, quire_pool_stats_free)

G_END_DECLS
