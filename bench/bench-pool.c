/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "bench-floor.h"

/* Blocks that a pool gives and takes back. */

static gpointer
quire_begin (gsize size)
{
  QuirePoolAllocator *pool = quire_pool_allocator_new (NULL, size, NULL, 8);

  quire_pool_allocator_prealloc (pool, 2);
  return pool;
}

BENCH_LOOP (quire_acquire)
{
  quire_memory_unref (quire_pool_allocator_acquire (state, 0, NULL));
}

BENCH_LOOP (quire_acquire_fill)
{
  QuireMemory *memory = quire_pool_allocator_acquire (state, 0, NULL);
  QuireMapInfo info;

  if (quire_memory_map (memory, &info, QUIRE_MAP_WRITE))
    {
      memset (info.data, 0x51, info.size);
      quire_memory_unmap (memory, &info);
    }
  quire_memory_unref (memory);
}

#ifdef BENCH_GSTREAMER
/* Its pools are of buffers, which hold a memory each. */
static gpointer
gst_begin (gsize size)
{
  GstBufferPool *pool = gst_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, NULL, (guint) size, 2, 8);
  gst_buffer_pool_set_config (pool, config);
  gst_buffer_pool_set_active (pool, TRUE);
  return pool;
}

static void
gst_end (gpointer state)
{
  gst_buffer_pool_set_active (state, FALSE);
  gst_object_unref (state);
}

BENCH_LOOP (gst_acquire)
{
  GstBuffer *buffer;

  if (gst_buffer_pool_acquire_buffer (state, &buffer, NULL) == GST_FLOW_OK)
    gst_buffer_unref (buffer);
}

BENCH_LOOP (gst_alloc_fill)
{
  GstMemory *memory = gst_allocator_alloc (NULL, size, NULL);
  GstMapInfo info;

  if (gst_memory_map (memory, &info, GST_MAP_WRITE))
    {
      memset (info.data, 0x51, info.size);
      gst_memory_unmap (memory, &info);
    }
  gst_memory_unref (memory);
}
#endif

#define POOL_ROW(name, s, ...) \
  { \
    name, s, \
    { { quire_begin, quire_acquire, g_object_unref }, BENCH_GST_CASE (gst_begin, gst_acquire, gst_end), \
      { NULL, }, { NULL, floor_malloc } }, \
    "malloc, free", __VA_ARGS__ \
  }

static const BenchRow rows[] = {
  POOL_ROW ("acquire from a pool, unref", 64 * KIB, .aim = 1),
  /* Against a block of GStreamer that has no pool. */
  { "acquire from a pool, fill, unref", 64 * MIB,
    { { quire_begin, quire_acquire_fill, g_object_unref }, BENCH_GST_CASE (NULL, gst_alloc_fill),
      { NULL, }, { floor_begin, floor_fill, free } },
    "memset of warm memory", .aim = 0.35 },
};

const BenchTable bench_pool_rows = { rows, G_N_ELEMENTS (rows) };

static const BenchRow thread_rows[] = {
  POOL_ROW ("acquire from one pool, unref", 64 * KIB, .threads = BENCH_TWO_SHARED),
  POOL_ROW ("acquire from a pool each, unref", 64 * KIB, .threads = BENCH_TWO_PRIVATE),
};

const BenchTable bench_pool_thread_rows = { thread_rows, G_N_ELEMENTS (thread_rows) };
