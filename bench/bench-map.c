/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "bench.h"

/* Maps of a block. */

static gpointer
quire_begin (gsize size)
{
  return quire_memory_new (size);
}

static void
quire_end (gpointer state)
{
  quire_memory_unref (state);
}

static inline void
quire_map (gpointer      state,
           QuireMapFlags flags)
{
  QuireMapInfo info;

  if (quire_memory_map (state, &info, flags))
    {
      bench_keep (info.data);
      quire_memory_unmap (state, &info);
    }
}

BENCH_LOOP (quire_map_read)
{
  quire_map (state, QUIRE_MAP_READ);
}

BENCH_LOOP (quire_map_write)
{
  quire_map (state, QUIRE_MAP_WRITE);
}

BENCH_LOOP (quire_map_readwrite)
{
  quire_map (state, QUIRE_MAP_READWRITE);
}

/* Under a map to read there is another one, and none to write. */
static gpointer
quire_begin_read (gsize size)
{
  QuireMemory *memory = quire_memory_new (size);

  return quire_memory_lock (memory, QUIRE_MAP_READ) ? memory : NULL;
}

static void
quire_end_read (gpointer state)
{
  quire_memory_unlock (state, QUIRE_MAP_READ);
  quire_memory_unref (state);
}

static guint8 read_only[4 * KIB];

static gpointer
quire_begin_readonly (gsize size)
{
  return quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_READONLY, read_only, size, 0, size, NULL, NULL);
}

BENCH_LOOP (quire_make_mapped)
{
  QuireMapInfo info;
  QuireMemory *memory = quire_memory_make_mapped (state, &info, QUIRE_MAP_READ);

  bench_keep (info.data);
  quire_memory_unmap (memory, &info);
}

#ifdef BENCH_GSTREAMER
static gpointer
gst_begin (gsize size)
{
  return gst_allocator_alloc (NULL, size, NULL);
}

static void
gst_end (gpointer state)
{
  gst_memory_unref (state);
}

static inline void
gst_map (gpointer    state,
         GstMapFlags flags)
{
  GstMapInfo info;

  if (gst_memory_map (state, &info, flags))
    {
      bench_keep (info.data);
      gst_memory_unmap (state, &info);
    }
}

BENCH_LOOP (gst_map_read)
{
  gst_map (state, GST_MAP_READ);
}

BENCH_LOOP (gst_map_write)
{
  gst_map (state, GST_MAP_WRITE);
}

BENCH_LOOP (gst_map_readwrite)
{
  gst_map (state, GST_MAP_READWRITE);
}

static gpointer
gst_begin_read (gsize size)
{
  GstMemory *memory = gst_allocator_alloc (NULL, size, NULL);

  return gst_mini_object_lock (GST_MINI_OBJECT (memory), GST_LOCK_FLAG_READ) ? memory : NULL;
}

static void
gst_end_read (gpointer state)
{
  gst_mini_object_unlock (GST_MINI_OBJECT (state), GST_LOCK_FLAG_READ);
  gst_memory_unref (state);
}

static gpointer
gst_begin_readonly (gsize size)
{
  return gst_memory_new_wrapped (GST_MEMORY_FLAG_READONLY, read_only, size, 0, size, NULL, NULL);
}

BENCH_LOOP (gst_make_mapped)
{
  GstMapInfo info;
  GstMemory *memory = gst_memory_make_mapped (state, &info, GST_MAP_READ);

  bench_keep (info.data);
  gst_memory_unmap (memory, &info);
}
#endif

/* What a lock takes at the least: one addition to take it, one to drop it. */
static gpointer
floor_begin (gsize size)
{
  return g_malloc0 (size);
}

BENCH_LOOP (floor_atomics)
{
  guint64 *lock = state;

  if (__atomic_fetch_add (lock, 1, __ATOMIC_ACQUIRE) < 4096)
    __atomic_fetch_sub (lock, 1, __ATOMIC_RELEASE);
}

#define MAP_ROW(name, begin, map, end, ...) \
  { \
    name, 4 * KIB, \
    { { quire_##begin, quire_##map, quire_##end }, BENCH_GST_CASE (gst_##begin, gst_##map, gst_##end), \
      { NULL, }, { floor_begin, floor_atomics, g_free } }, \
    "an atomic pair", __VA_ARGS__ \
  }

static const BenchRow rows[] = {
  MAP_ROW ("map READ, unmap", begin, map_read, end, .aim = 0.85),
  MAP_ROW ("map WRITE, unmap", begin, map_write, end, .aim = 0.85),
  MAP_ROW ("map READ+WRITE, unmap", begin, map_readwrite, end, .aim = 0.85),
  MAP_ROW ("map READ, unmap, nested in a READ", begin_read, map_read, end_read, .aim = 0.85),
  MAP_ROW ("map WRITE, refused under a READ", begin_read, map_write, end_read, .aim = 1),
  MAP_ROW ("map WRITE, refused by a read-only block", begin_readonly, map_write, end, .aim = 1),
  MAP_ROW ("make mapped, unmap", begin, make_mapped, end, .aim = 1),
};

static const BenchRow thread_rows[] = {
  MAP_ROW ("map READ, unmap, of a block each", begin, map_read, end, .aim = 0,
           .threads = BENCH_TWO_PRIVATE),
  MAP_ROW ("map READ, unmap, of one block", begin, map_read, end, .aim = 0,
           .threads = BENCH_TWO_SHARED),
};

const BenchTable bench_map_thread_rows = { thread_rows, G_N_ELEMENTS (thread_rows) };

const BenchTable bench_map_rows = { rows, G_N_ELEMENTS (rows) };
