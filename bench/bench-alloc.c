/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "bench-floor.h"

#include <stdlib.h>

/* Blocks that come and go. */

BENCH_LOOP (quire_alloc)
{
  quire_memory_unref (quire_memory_new (size));
}

BENCH_LOOP (quire_alloc_filled)
{
  QuireMemory *memory = quire_memory_new (size);
  QuireMapInfo info;

  if (quire_memory_map (memory, &info, QUIRE_MAP_WRITE))
    {
      memset (info.data, 0x51, info.size);
      quire_memory_unmap (memory, &info);
    }
  quire_memory_unref (memory);
}

/* To its size, as a mask. */
BENCH_LOOP (quire_alloc_aligned)
{
  const QuireAllocationParams params = { .align = size - 1 };

  quire_memory_unref (quire_allocator_alloc (NULL, size, &params));
}

static char wrapped[4096];

BENCH_LOOP (quire_wrapped)
{
  quire_memory_unref (quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NONE, wrapped, sizeof wrapped, 0,
                                                size, NULL, NULL));
}

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

BENCH_LOOP (quire_ref)
{
  quire_memory_unref (quire_memory_ref (state));
}

#ifdef BENCH_GSTREAMER
BENCH_LOOP (gst_alloc)
{
  gst_memory_unref (gst_allocator_alloc (NULL, size, NULL));
}

BENCH_LOOP (gst_alloc_filled)
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

BENCH_LOOP (gst_alloc_aligned)
{
  GstAllocationParams params = { .align = size - 1 };

  gst_memory_unref (gst_allocator_alloc (NULL, size, &params));
}

BENCH_LOOP (gst_wrapped)
{
  gst_memory_unref (gst_memory_new_wrapped ((GstMemoryFlags) 0, wrapped, sizeof wrapped, 0,
                                            size, NULL, NULL));
}

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

BENCH_LOOP (gst_ref)
{
  gst_memory_unref (gst_memory_ref (state));
}
#endif

BENCH_LOOP (bytes_alloc)
{
  g_bytes_unref (g_bytes_new_take (g_malloc (size), size));
}

BENCH_LOOP (bytes_alloc_filled)
{
  gpointer data = g_malloc (size);

  memset (data, 0x51, size);
  g_bytes_unref (g_bytes_new_take (data, size));
}

BENCH_LOOP (bytes_wrapped)
{
  g_bytes_unref (g_bytes_new_static (wrapped, size));
}

static gpointer
bytes_begin (gsize size)
{
  return g_bytes_new_take (g_malloc (size), size);
}

static void
bytes_end (gpointer state)
{
  g_bytes_unref (state);
}

BENCH_LOOP (bytes_ref)
{
  g_bytes_unref (g_bytes_ref (state));
}

BENCH_LOOP (floor_aligned)
{
  gpointer data = aligned_alloc (size, size);

  bench_keep (data);
  free (data);
}

BENCH_LOOP (floor_atomics)
{
  __atomic_fetch_add ((int *) state, 1, __ATOMIC_RELAXED);
  __atomic_fetch_sub ((int *) state, 1, __ATOMIC_ACQ_REL);
}

#define ALLOC_ROW(s, ...) \
  { \
    "alloc, unref", s, \
    { { NULL, quire_alloc }, BENCH_GST_CASE (NULL, gst_alloc), { NULL, bytes_alloc }, \
      { NULL, floor_malloc } }, \
    "malloc, free", __VA_ARGS__ \
  }

#define ALIGNED_ROW(s) \
  { \
    "alloc aligned to its size, unref", s, \
    { { NULL, quire_alloc_aligned }, BENCH_GST_CASE (NULL, gst_alloc_aligned), { NULL, }, \
      { NULL, floor_aligned } }, \
    "aligned_alloc, free", \
  }

static const BenchRow rows[] = {
  ALLOC_ROW (64, .aim = 0.35, .aim_bytes = 0.65),
  ALLOC_ROW (4 * KIB, .aim = 0.5),
  ALLOC_ROW (64 * KIB, .aim = 0),
  ALLOC_ROW (1 * MIB, .aim = 0.45),
  { "alloc, fill, unref", 64 * MIB,
    { { NULL, quire_alloc_filled }, BENCH_GST_CASE (NULL, gst_alloc_filled),
      { NULL, bytes_alloc_filled }, { floor_begin, floor_fill, free } },
    "memset of warm memory", .aim = 0.45 },
  ALIGNED_ROW (64),
  ALIGNED_ROW (4 * KIB),
  { "wrap, unref", 4 * KIB,
    { { NULL, quire_wrapped }, BENCH_GST_CASE (NULL, gst_wrapped), { NULL, bytes_wrapped },
      { NULL, } }, },
  { "ref, unref", 64,
    { { quire_begin, quire_ref, quire_end }, BENCH_GST_CASE (gst_begin, gst_ref, gst_end),
      { bytes_begin, bytes_ref, bytes_end }, { floor_begin, floor_atomics, free } },
    "an atomic pair", .aim = 0.95 },
};

const BenchTable bench_alloc_rows = { rows, G_N_ELEMENTS (rows) };

/* One thread's blocks are nobody else's business, so two get twice as much done. One
 * block that both count is another matter: its line goes to and fro. */
static const BenchRow thread_rows[] = {
  { "alloc, unref", 64,
    { { NULL, quire_alloc }, BENCH_GST_CASE (NULL, gst_alloc), { NULL, }, { NULL, floor_malloc } },
    "malloc, free", .aim = 1.8, .threads = BENCH_TWO_PRIVATE },
  { "ref, unref of one block", 64,
    { { quire_begin, quire_ref, quire_end }, BENCH_GST_CASE (gst_begin, gst_ref, gst_end),
      { NULL, }, { floor_begin, floor_atomics, free } },
    "an atomic pair", .threads = BENCH_TWO_SHARED },
  { "ref, unref of a block each", 64,
    { { quire_begin, quire_ref, quire_end }, BENCH_GST_CASE (gst_begin, gst_ref, gst_end),
      { NULL, }, { floor_begin, floor_atomics, free } },
    "an atomic pair", .threads = BENCH_TWO_PRIVATE },
};

const BenchTable bench_alloc_thread_rows = { thread_rows, G_N_ELEMENTS (thread_rows) };
