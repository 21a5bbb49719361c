/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "bench.h"

#include <stdlib.h>

/* Shares: windows of a block, and what is made of them. */

/* The two halves of a block. */
typedef struct
{
  QuireMemory *first;
  QuireMemory *second;
} QuireHalves;

static gpointer
quire_begin (gsize size)
{
  return quire_memory_new (size);
}

static gpointer
quire_begin_share (gsize size)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (size);

  return quire_memory_share (memory, 0, -1);
}

static gpointer
quire_begin_halves (gsize size)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (size);
  QuireHalves *halves = g_new (QuireHalves, 1);

  halves->first = quire_memory_share (memory, 0, (gssize) size / 2);
  halves->second = quire_memory_share (memory, (gssize) size / 2, -1);
  return halves;
}

static void
quire_end (gpointer state)
{
  quire_memory_unref (state);
}

static void
quire_end_halves (gpointer state)
{
  QuireHalves *halves = state;

  quire_memory_unref (halves->first);
  quire_memory_unref (halves->second);
  g_free (halves);
}

BENCH_LOOP (quire_share)
{
  quire_memory_unref (quire_memory_share (state, 16, 32));
}

BENCH_LOOP (quire_map)
{
  QuireMapInfo info;

  if (quire_memory_map (state, &info, QUIRE_MAP_READ))
    {
      bench_keep (info.data);
      quire_memory_unmap (state, &info);
    }
}

BENCH_LOOP (quire_is_span)
{
  QuireHalves *halves = state;
  gsize offset;

  quire_memory_is_span (halves->first, halves->second, &offset);
}

BENCH_LOOP (quire_merge)
{
  QuireHalves *halves = state;

  quire_memory_unref (quire_memory_merge (halves->first, halves->second));
}

#ifdef BENCH_GSTREAMER
typedef struct
{
  GstMemory *first;
  GstMemory *second;
} GstHalves;

static gpointer
gst_begin (gsize size)
{
  return gst_allocator_alloc (NULL, size, NULL);
}

static gpointer
gst_begin_share (gsize size)
{
  GstMemory *memory = gst_allocator_alloc (NULL, size, NULL);
  GstMemory *share = gst_memory_share (memory, 0, -1);

  gst_memory_unref (memory);
  return share;
}

static gpointer
gst_begin_halves (gsize size)
{
  GstMemory *memory = gst_allocator_alloc (NULL, size, NULL);
  GstHalves *halves = g_new (GstHalves, 1);

  halves->first = gst_memory_share (memory, 0, (gssize) size / 2);
  halves->second = gst_memory_share (memory, (gssize) size / 2, -1);
  gst_memory_unref (memory);
  return halves;
}

static void
gst_end (gpointer state)
{
  gst_memory_unref (state);
}

static void
gst_end_halves (gpointer state)
{
  GstHalves *halves = state;

  gst_memory_unref (halves->first);
  gst_memory_unref (halves->second);
  g_free (halves);
}

BENCH_LOOP (gst_share)
{
  gst_memory_unref (gst_memory_share (state, 16, 32));
}

BENCH_LOOP (gst_map)
{
  GstMapInfo info;

  if (gst_memory_map (state, &info, GST_MAP_READ))
    {
      bench_keep (info.data);
      gst_memory_unmap (state, &info);
    }
}

BENCH_LOOP (gst_is_span)
{
  GstHalves *halves = state;
  gsize offset;

  gst_memory_is_span (halves->first, halves->second, &offset);
}

/* It has no call for this; a buffer that merges what it is made of does it so. */
BENCH_LOOP (gst_merge)
{
  GstHalves *halves = state;
  gsize offset;

  if (gst_memory_is_span (halves->first, halves->second, &offset))
    gst_memory_unref (gst_memory_share (halves->first->parent, (gssize) offset,
                                        (gssize) (halves->first->size + halves->second->size)));
}
#endif

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

BENCH_LOOP (bytes_share)
{
  g_bytes_unref (g_bytes_new_from_bytes (state, 16, 32));
}

/* A struct for the share, a reference on the root, and a count of the shares. */
BENCH_LOOP (floor_share)
{
  guint64 *counts = state;
  gpointer share = malloc (sizeof (QuireMemory));

  bench_keep (share);
  __atomic_fetch_add (&counts[0], 1, __ATOMIC_RELAXED);
  __atomic_fetch_add (&counts[1], 1, __ATOMIC_ACQUIRE);
  __atomic_fetch_sub (&counts[1], 1, __ATOMIC_RELEASE);
  __atomic_fetch_sub (&counts[0], 1, __ATOMIC_ACQ_REL);
  free (share);
}

static gpointer
floor_begin (gsize size)
{
  return g_malloc0 (size);
}

BENCH_LOOP (floor_map)
{
  guint64 *lock = state;

  if (__atomic_fetch_add (lock, 1, __ATOMIC_ACQUIRE) < 4096)
    __atomic_fetch_sub (lock, 1, __ATOMIC_RELEASE);
}

static const BenchRow rows[] = {
  { "share, unref", 4 * KIB,
    { { quire_begin, quire_share, quire_end }, BENCH_GST_CASE (gst_begin, gst_share, gst_end),
      { bytes_begin, bytes_share, bytes_end }, { floor_begin, floor_share, g_free } },
    "malloc, 4 atomics, free", .aim = 0.35 },
  { "share of a share, unref", 4 * KIB,
    { { quire_begin_share, quire_share, quire_end }, BENCH_GST_CASE (gst_begin_share, gst_share, gst_end),
      { NULL, }, { floor_begin, floor_share, g_free } },
    "malloc, 4 atomics, free", .aim = 0.35 },
  { "map READ of a share, unmap", 4 * KIB,
    { { quire_begin_share, quire_map, quire_end }, BENCH_GST_CASE (gst_begin_share, gst_map, gst_end),
      { NULL, }, { floor_begin, floor_map, g_free } },
    "an atomic pair", .aim = 0.85 },
  { "is span", 4 * KIB,
    { { quire_begin_halves, quire_is_span, quire_end_halves },
      BENCH_GST_CASE (gst_begin_halves, gst_is_span, gst_end_halves), },
    NULL, .aim = 1 },
  { "merge of a span, unref", 4 * KIB,
    { { quire_begin_halves, quire_merge, quire_end_halves },
      BENCH_GST_CASE (gst_begin_halves, gst_merge, gst_end_halves), { NULL, },
      { floor_begin, floor_share, g_free } },
    "malloc, 4 atomics, free", .aim = 0.45 },
};

static const BenchRow thread_rows[] = {
  { "share, unref, of a block each", 4 * KIB,
    { { quire_begin, quire_share, quire_end }, BENCH_GST_CASE (gst_begin, gst_share, gst_end),
      { NULL, }, { floor_begin, floor_share, g_free } },
    "malloc, 4 atomics, free", .threads = BENCH_TWO_PRIVATE },
  { "share, unref, of one block", 4 * KIB,
    { { quire_begin, quire_share, quire_end }, BENCH_GST_CASE (gst_begin, gst_share, gst_end),
      { NULL, }, { floor_begin, floor_share, g_free } },
    "malloc, 4 atomics, free", .threads = BENCH_TWO_SHARED },
};

const BenchTable bench_share_thread_rows = { thread_rows, G_N_ELEMENTS (thread_rows) };

const BenchTable bench_share_rows = { rows, G_N_ELEMENTS (rows) };
