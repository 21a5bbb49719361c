/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

/* How the cost grows, as JSON:
 *
 *     bench-scaling [ROUNDS]
 *
 * A series has nanoseconds of processor time for one time against a number: the size of a
 * block, how many shares are alive, how deep maps nest, how many spans there are, how many
 * threads there are. bench-page.py draws them. */

/* A block with what stands on it. */
typedef struct
{
  QuireMemory  *block;
  QuireMemory **shares;
  gsize         n;
} QuireStanding;

static gpointer
quire_begin_shares (gsize n)
{
  QuireStanding *state = g_new0 (QuireStanding, 1);

  state->block = quire_memory_new (n);
  state->shares = g_new (QuireMemory *, n);
  state->n = n;
  for (gsize i = 0; i < n; i++)
    state->shares[i] = quire_memory_share (state->block, (gssize) i, 1);
  return state;
}

static void
quire_end_shares (gpointer data)
{
  QuireStanding *state = data;

  for (gsize i = 0; i < state->n; i++)
    quire_memory_unref (state->shares[i]);
  quire_memory_unref (state->block);
  g_free (state->shares);
  g_free (state);
}

BENCH_LOOP (quire_share)
{
  quire_memory_unref (quire_memory_share (((QuireStanding *) state)->block, 0, 1));
}

BENCH_LOOP (quire_merge)
{
  const QuireStanding *spans = state;

  quire_memory_unref (quire_memory_merge_list (spans->shares, spans->n, NULL, NULL));
}

static gpointer
quire_begin_maps (gsize n)
{
  QuireStanding *state = g_new0 (QuireStanding, 1);

  state->block = quire_memory_new (4096);
  state->n = n;
  for (gsize i = 0; i + 1 < n; i++)
    g_assert_true (quire_memory_lock (state->block, QUIRE_MAP_READ));
  return state;
}

static void
quire_end_maps (gpointer data)
{
  QuireStanding *state = data;

  for (gsize i = 0; i + 1 < state->n; i++)
    quire_memory_unlock (state->block, QUIRE_MAP_READ);
  quire_memory_unref (state->block);
  g_free (state);
}

BENCH_LOOP (quire_map)
{
  QuireMemory *block = ((QuireStanding *) state)->block;
  QuireMapInfo info;

  if (quire_memory_map (block, &info, QUIRE_MAP_READ))
    quire_memory_unmap (block, &info);
}

#ifdef BENCH_GSTREAMER
typedef struct
{
  GstMemory  *block;
  GstMemory **shares;
  gsize       n;
} GstStanding;

static gpointer
gst_begin_shares (gsize n)
{
  GstStanding *state = g_new0 (GstStanding, 1);

  state->block = gst_allocator_alloc (NULL, n, NULL);
  state->shares = g_new (GstMemory *, n);
  state->n = n;
  for (gsize i = 0; i < n; i++)
    state->shares[i] = gst_memory_share (state->block, (gssize) i, 1);
  return state;
}

static void
gst_end_shares (gpointer data)
{
  GstStanding *state = data;

  for (gsize i = 0; i < state->n; i++)
    gst_memory_unref (state->shares[i]);
  gst_memory_unref (state->block);
  g_free (state->shares);
  g_free (state);
}

BENCH_LOOP (gst_share)
{
  gst_memory_unref (gst_memory_share (((GstStanding *) state)->block, 0, 1));
}

static gpointer
gst_begin_maps (gsize n)
{
  GstStanding *state = g_new0 (GstStanding, 1);

  state->block = gst_allocator_alloc (NULL, 4096, NULL);
  state->n = n;
  for (gsize i = 0; i + 1 < n; i++)
    g_assert_true (gst_mini_object_lock (GST_MINI_OBJECT (state->block), GST_LOCK_FLAG_READ));
  return state;
}

static void
gst_end_maps (gpointer data)
{
  GstStanding *state = data;

  for (gsize i = 0; i + 1 < state->n; i++)
    gst_mini_object_unlock (GST_MINI_OBJECT (state->block), GST_LOCK_FLAG_READ);
  gst_memory_unref (state->block);
  g_free (state);
}

BENCH_LOOP (gst_map)
{
  GstMemory *block = ((GstStanding *) state)->block;
  GstMapInfo info;

  if (gst_memory_map (block, &info, GST_MAP_READ))
    gst_memory_unmap (block, &info);
}
#endif

static const BenchRow share_row = {
  "share, unref", 0,
  { { quire_begin_shares, quire_share, quire_end_shares },
    BENCH_GST_CASE (gst_begin_shares, gst_share, gst_end_shares), },
};

static const BenchRow map_row = {
  "map READ, unmap", 0,
  { { quire_begin_maps, quire_map, quire_end_maps }, BENCH_GST_CASE (gst_begin_maps, gst_map, gst_end_maps), },
};

/* GStreamer's counter of shares runs over at 65,536, and that of maps at 256. */
static const BenchRow many_shares_row = {
  "share, unref", 0, { { quire_begin_shares, quire_share, quire_end_shares }, },
};

static const BenchRow deep_map_row = {
  "map READ, unmap", 0, { { quire_begin_maps, quire_map, quire_end_maps }, },
};

static const BenchRow merge_row = {
  "merge_list of spans", 0, { { quire_begin_shares, quire_merge, quire_end_shares }, },
};

static const BenchRow *
find_row (const BenchTable *table,
          const char       *name)
{
  for (gsize i = 0; i < table->n_rows; i++)
    {
      if (strcmp (table->rows[i].name, name) == 0)
        return &table->rows[i];
    }

  g_error ("There is no row %s", name);
}

static guint rounds = 51;
static gboolean begun;

static void
begin_series (const char *name)
{
  printf ("%s\n  \"%s\": [", begun ? "," : "", name);
  begun = FALSE;
}

static void
end_series (void)
{
  printf ("\n  ]");
  begun = TRUE;
}

/* One point of a series; each side's figure is divided by @divisor. */
static void
print_point (gsize         x,
             const double *sides,
             double        divisor)
{
  static const char * const keys[BENCH_N_SIDES] = { "quire", "gstreamer", "gbytes", "floor" };

  printf ("%s\n    {\"x\": %" G_GSIZE_FORMAT, begun ? "," : "", x);
  for (guint i = 0; i < BENCH_N_SIDES; i++)
    {
      char text[G_ASCII_DTOSTR_BUF_SIZE];

      if (sides[i] > 0)
        printf (", \"%s\": %s", keys[i], g_ascii_formatd (text, sizeof text, "%.4g", sides[i] / divisor));
    }
  printf ("}");
  begun = TRUE;
}

/* A point of a row with another size than it has. */
static void
measure_point (const BenchRow *row,
               gsize           x,
               gboolean        each)
{
  BenchRow at = *row;
  BenchResult result;
  double sides[BENCH_N_SIDES];

  at.size = x;
  bench_row (&at, rounds, &result);
  for (guint i = 0; i < BENCH_N_SIDES; i++)
    sides[i] = result.sides[i].median;
  print_point (x, sides, each ? (double) x : 1);
}

static void
measure_series (const char     *name,
                const BenchRow *row,
                gsize           from,
                gsize           to,
                gsize           factor,
                gboolean        each)
{
  begin_series (name);
  for (gsize x = from; x <= to; x *= factor)
    measure_point (row, x, each);
  end_series ();
}

/* How much processor time one time takes when so many threads do it at once. */
typedef struct
{
  const BenchRow  *row;
  const BenchCase *each;
  guint            n_threads;
  guint            arrived;
} Crowd;

#define CROWD_TIMES 4000

static gpointer
join_crowd (gpointer data)
{
  Crowd *crowd = data;
  BenchBatch *batch = g_new (BenchBatch, 1);

  /* The memory of the thread is warm then. */
  crowd->each->loop (NULL, crowd->row->size, CROWD_TIMES / 10);

  __atomic_add_fetch (&crowd->arrived, 1, __ATOMIC_ACQ_REL);
  while (__atomic_load_n (&crowd->arrived, __ATOMIC_ACQUIRE) < crowd->n_threads)
    ;

  *batch = bench_run_batch (crowd->each, NULL, crowd->row->size, CROWD_TIMES);
  return batch;
}

/* 0 if they were not together. */
static double
run_crowd (Crowd *crowd)
{
  g_autofree GThread **threads = g_new (GThread *, crowd->n_threads);
  g_autofree BenchBatch *batches = g_new (BenchBatch, crowd->n_threads);

  crowd->arrived = 0;
  for (guint i = 0; i < crowd->n_threads; i++)
    threads[i] = g_thread_new ("bench", join_crowd, crowd);
  for (guint i = 0; i < crowd->n_threads; i++)
    {
      g_autofree BenchBatch *batch = g_thread_join (threads[i]);

      batches[i] = *batch;
    }

  return bench_together (batches, crowd->n_threads) / CROWD_TIMES;
}

/* Not while the processor is slow, if it is not so for long. */
static double
run_crowd_in_peace (Crowd *crowd)
{
  double time = 0;

  for (guint tries = 0; tries < 100; tries++)
    {
      gboolean slow_before, slow_after;

      bench_measure_cycle (&slow_before);
      time = run_crowd (crowd);
      bench_measure_cycle (&slow_after);
      if (time > 0 && (tries >= 50 || !(slow_before || slow_after)))
        break;
    }

  return time;
}

static int
compare (gconstpointer a,
         gconstpointer b)
{
  const double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

static void
measure_crowds (const char     *name,
                const BenchRow *row)
{
  g_autofree double *times = g_new (double, BENCH_N_SIDES * rounds);

  begin_series (name);
  for (guint n = 1; n <= g_get_num_processors (); n++)
    {
      double sides[BENCH_N_SIDES] = { 0, };

      for (guint round = 0; round < rounds; round++)
        {
          for (guint i = 0; i < BENCH_N_SIDES; i++)
            {
              Crowd crowd = { .row = row, .each = &row->sides[i], .n_threads = n };

              if (row->sides[i].loop != NULL)
                times[i * rounds + round] = run_crowd_in_peace (&crowd);
            }
        }
      for (guint i = 0; i < BENCH_N_SIDES; i++)
        {
          if (row->sides[i].loop == NULL)
            continue;
          qsort (&times[i * rounds], rounds, sizeof (double), compare);
          sides[i] = times[i * rounds + rounds / 2];
        }
      print_point (n, sides, 1);
    }
  end_series ();
}

int
main (int    argc,
      char **argv)
{
  const BenchRow *alloc = find_row (&bench_alloc_rows, "alloc, unref");
  const BenchRow *fill = find_row (&bench_alloc_rows, "alloc, fill, unref");
  const BenchRow *copy = find_row (&bench_copy_rows, "copy, unref");

  if (argc > 1)
    rounds = (guint) g_ascii_strtoull (argv[1], NULL, 10);
  if (rounds == 0)
    {
      g_printerr ("Usage: bench-scaling [ROUNDS]\n");
      return 1;
    }

#ifdef BENCH_GSTREAMER
  gst_init (NULL, NULL);
#endif

  printf ("{");
  measure_series ("alloc", alloc, 64, 64 * MIB, 4, FALSE);
  measure_series ("fill", fill, 64, 64 * MIB, 4, FALSE);
  measure_series ("copy", copy, 64, 64 * MIB, 4, FALSE);

  begin_series ("shares");
  for (gsize n = 1; n <= 100000; n *= 10)
    measure_point (n < 65536 ? &share_row : &many_shares_row, n, FALSE);
  end_series ();

  begin_series ("depth");
  for (gsize depth = 1; depth <= 4096; depth *= 2)
    measure_point (depth < 256 ? &map_row : &deep_map_row, depth, FALSE);
  end_series ();

  measure_series ("merge", &merge_row, 10, 100000, 10, TRUE);
  measure_crowds ("threads", alloc);
  printf ("\n}\n");

  return 0;
}
