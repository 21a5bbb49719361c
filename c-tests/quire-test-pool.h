/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-test.h"

/* What the tests of pools share. */

#define POOL_SIZE 4096

/* Its blocks are those of the default allocator. */
static inline QuirePoolAllocator *
pool_new (guint max_blocks)
{
  return quire_pool_allocator_new (NULL, POOL_SIZE, NULL, max_blocks);
}

static inline QuireMemory *
pool_get (QuirePoolAllocator *pool,
          gsize               size)
{
  QuireMemory *memory = quire_allocator_alloc (QUIRE_ALLOCATOR (pool), size, NULL);

  g_assert_nonnull (memory);
  return memory;
}

/* Where the data of a block is. */
static inline guint8 *
pool_address (QuireMemory *memory)
{
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;

  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  return info.data;
}

/* What goes on in a pool for which nobody waits. */
#define pool_assert_stats(pool, blocks, unused, out, most, made, recycled) \
  G_STMT_START \
    { \
      QuirePoolStats stats_; \
 \
      memset (&stats_, 0xaa, sizeof stats_); \
      quire_pool_allocator_get_stats (pool, &stats_); \
      g_assert_cmpuint (stats_.n_blocks, ==, blocks); \
      g_assert_cmpuint (stats_.n_free, ==, unused); \
      g_assert_cmpuint (stats_.n_out, ==, out); \
      g_assert_cmpuint (stats_.max_out, ==, most); \
      g_assert_cmpuint (stats_.n_waiting, ==, 0); \
      g_assert_cmpuint (stats_.n_made, ==, made); \
      g_assert_cmpuint (stats_.n_recycled, ==, recycled); \
    } \
  G_STMT_END
