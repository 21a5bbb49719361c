/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-pool-stats.h"

#include "quire-pool-allocator-private.h"

G_DEFINE_BOXED_TYPE (QuirePoolStats, quire_pool_stats, quire_pool_stats_copy, quire_pool_stats_free)

/**
 * quire_pool_stats_copy:
 * @stats: statistics
 *
 * Copies statistics.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 1.0
 */
QuirePoolStats *
quire_pool_stats_copy (const QuirePoolStats *stats)
{
  g_return_val_if_fail (stats != NULL, NULL);

  return g_memdup2 (stats, sizeof *stats);
}

/**
 * quire_pool_stats_free: (skip)
 * @stats: (transfer full): statistics from the heap
 *
 * Frees statistics of [method@PoolStats.copy].
 *
 * Since: 1.0
 */
void
quire_pool_stats_free (QuirePoolStats *stats)
{
  g_free (stats);
}

/**
 * quire_pool_allocator_get_stats:
 * @pool: a pool
 * @stats: (out caller-allocates): what goes on
 *
 * Tells how many blocks there are, and how many are out. The figures of blocks are of one
 * moment; it costs nothing to count them.
 *
 * Since: 1.0
 */
void
quire_pool_allocator_get_stats (QuirePoolAllocator *pool,
                                QuirePoolStats     *stats)
{
  g_return_if_fail (QUIRE_IS_POOL_ALLOCATOR (pool));
  g_return_if_fail (stats != NULL);

  quire_pool_look (pool->pool, stats);
}
