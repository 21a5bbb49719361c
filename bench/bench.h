/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <string.h>

#include <quire/quire.h>

#ifdef BENCH_GSTREAMER
# include <gst/gst.h>
#endif

G_BEGIN_DECLS

/* Who does the same thing. The floor is what it would take without any library of
 * blocks; each row says what that is. */
typedef enum
{
  BENCH_QUIRE,
  BENCH_GST,
  BENCH_BYTES,
  BENCH_FLOOR,
  BENCH_N_SIDES,
} BenchSide;

/* How one side does it: makes what it needs for @size bytes, does it @n times, and
 * cleans up. Without @begin the loop gets no state. */
typedef struct
{
  gpointer (*begin) (gsize size);
  void     (*loop)  (gpointer state,
                     gsize    size,
                     guint    n);
  void     (*end)   (gpointer state);
} BenchCase;

/* How many threads do it at once, and whether they do it to one and the same state. */
typedef enum
{
  BENCH_ONE_THREAD,
  BENCH_TWO_PRIVATE,
  BENCH_TWO_SHARED,
} BenchThreads;

typedef struct
{
  const char  *name;
  gsize        size;
  BenchCase    sides[BENCH_N_SIDES];
  const char  *floor;
  /* Quire over GStreamer, or over GBytes where that is said; 0 for no aim. With two
   * threads it is how much more they get done than one. */
  double       aim;
  double       aim_bytes;
  BenchThreads threads;
} BenchRow;

/* Nanoseconds of processor time for one time. */
typedef struct
{
  double median;
  double low;
  double high;
} BenchFigure;

/* What one thread did, and from when to when. */
typedef struct
{
  double time;
  double begin;
  double end;
} BenchBatch;

typedef struct
{
  const BenchRow *row;
  guint           rounds;
  BenchFigure     sides[BENCH_N_SIDES];
  /* One thread alone, where there are two. */
  BenchFigure     alone[BENCH_N_SIDES];
  /* How long a cycle of the processor was meanwhile. */
  BenchFigure     cycle;
  /* Quire over another: of the medians, and the quartiles of the rounds. */
  BenchFigure     ratios[BENCH_N_SIDES];
} BenchResult;

typedef struct
{
  const BenchRow *rows;
  gsize           n_rows;
} BenchTable;

extern const BenchTable bench_alloc_rows;
extern const BenchTable bench_map_rows;
extern const BenchTable bench_share_rows;
extern const BenchTable bench_copy_rows;
extern const BenchTable bench_descriptor_rows;
extern const BenchTable bench_pool_rows;
extern const BenchTable bench_alloc_thread_rows;
extern const BenchTable bench_map_thread_rows;
extern const BenchTable bench_share_thread_rows;
extern const BenchTable bench_pool_thread_rows;

double     bench_now           (void);
double     bench_measure_cycle (gboolean          *slow);
BenchBatch bench_run_batch     (const BenchCase   *each,
                                gpointer           state,
                                gsize              size,
                                guint              n);
double     bench_together      (const BenchBatch  *batches,
                                guint              n_batches);
void       bench_row           (const BenchRow    *row,
                                guint              rounds,
                                BenchResult       *result);
void       bench_print_table   (const BenchResult *results,
                                gsize              n_results);
char      *bench_to_json       (const BenchResult *results,
                                gsize              n_results);

/* A loop, of which the body is what follows. */
#define BENCH_LOOP(name) \
  static inline void name##_once (gpointer state, gsize size); \
  static void \
  name (gpointer state, gsize size, guint n) \
  { \
    for (guint i = 0; i < n; i++) \
      name##_once (state, size); \
  } \
  static inline void \
  name##_once (gpointer state, gsize size)

/* What the compiler must not know the use of, so that it is not left out. */
static inline void
bench_keep (gpointer value)
{
  __asm__ volatile ("" : : "r" (value) : "memory");
}

#ifdef BENCH_GSTREAMER
# define BENCH_GST_CASE(...) { __VA_ARGS__ }
#else
# define BENCH_GST_CASE(...) { NULL, }
#endif

#define KIB ((gsize) 1024)
#define MIB (1024 * KIB)

G_END_DECLS
