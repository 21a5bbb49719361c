/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "bench.h"

#include <stdlib.h>

/* Copies, of memory that has been written. */

static gpointer
quire_begin (gsize size)
{
  QuireMemory *memory = quire_memory_new (size);

  quire_memory_fill (memory, 0, -1, 0x51);
  return memory;
}

static void
quire_end (gpointer state)
{
  quire_memory_unref (state);
}

BENCH_LOOP (quire_copy)
{
  quire_memory_unref (quire_memory_copy (state, 0, -1));
}

#ifdef BENCH_GSTREAMER
static gpointer
gst_begin (gsize size)
{
  GstMemory *memory = gst_allocator_alloc (NULL, size, NULL);
  GstMapInfo info;

  if (gst_memory_map (memory, &info, GST_MAP_WRITE))
    {
      memset (info.data, 0x51, size);
      gst_memory_unmap (memory, &info);
    }
  return memory;
}

static void
gst_end (gpointer state)
{
  gst_memory_unref (state);
}

BENCH_LOOP (gst_copy)
{
  gst_memory_unref (gst_memory_copy (state, 0, -1));
}
#endif

static gpointer
floor_begin (gsize size)
{
  gpointer data = malloc (size);

  memset (data, 0x51, size);
  return data;
}

BENCH_LOOP (bytes_copy)
{
  g_bytes_unref (g_bytes_new (state, size));
}

BENCH_LOOP (floor_copy)
{
  gpointer copy = malloc (size);

  memcpy (copy, state, size);
  bench_keep (copy);
  free (copy);
}

/* The upper half of a block that is twice as large. */
static gpointer
floor_begin_warm (gsize size)
{
  return floor_begin (2 * size);
}

BENCH_LOOP (floor_warm)
{
  memcpy ((char *) state + size, state, size);
  bench_keep (state);
}

/*
 * Where the copy is little more than a memcpy(), all sides copy the same bytes: into which
 * parts of the caches the pages of one's own block fall is luck, and makes a tenth of a
 * difference, more than any library does. The bytes begin at a cache line, but not at a
 * page, as they do in nobody's blocks.
 */
#define OFFSET 192

static gpointer
same_begin (gsize size)
{
  static guint8 *pages;

  if (pages == NULL)
    {
      pages = aligned_alloc (4096, size + 4096);
      memset (pages, 0x51, size + 4096);
    }

  return pages + OFFSET;
}

static void
same_end (gpointer state)
{
}

static gpointer
quire_same_begin (gsize size)
{
  return quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NONE, same_begin (size), size, 0, size, NULL, NULL);
}

#ifdef BENCH_GSTREAMER
static gpointer
gst_same_begin (gsize size)
{
  return gst_memory_new_wrapped (0, same_begin (size), size, 0, size, NULL, NULL);
}
#endif

#define COPY_ROW(s, ...) \
  { \
    "copy, unref", s, \
    { { quire_begin, quire_copy, quire_end }, BENCH_GST_CASE (gst_begin, gst_copy, gst_end), \
      { floor_begin, bytes_copy, free }, { floor_begin, floor_copy, free } }, \
    "malloc, memcpy, free", __VA_ARGS__ \
  }

static const BenchRow rows[] = {
  COPY_ROW (64, .aim = 0),
  COPY_ROW (4 * KIB, .aim = 0.7),
  COPY_ROW (16 * KIB, .aim = 0),
  { "copy of the same bytes, unref", 1 * MIB,
    { { quire_same_begin, quire_copy, quire_end }, BENCH_GST_CASE (gst_same_begin, gst_copy, gst_end),
      { same_begin, bytes_copy, same_end }, { same_begin, floor_copy, same_end } },
    "malloc, memcpy, free" },
  { "copy, unref", 64 * MIB,
    { { quire_begin, quire_copy, quire_end }, BENCH_GST_CASE (gst_begin, gst_copy, gst_end),
      { floor_begin, bytes_copy, free }, { floor_begin_warm, floor_warm, free } },
    "memcpy of warm memory", .aim = 0.5 },
};

const BenchTable bench_copy_rows = { rows, G_N_ELEMENTS (rows) };
