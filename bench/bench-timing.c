/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "bench.h"

#include <stdlib.h>
#include <time.h>

/* How long a batch is, in nanoseconds of processor time: short enough that a few
 * hundred of them take turns while the machine is in one mood, and long enough that the
 * clock costs nothing. */
#define BATCH 150e3

/* A batch that is longer than this has fewer rounds. */
#define LONG_BATCH 5e6

/* How much longer a cycle may be than it can be, and for how many nanoseconds a row waits
 * for such rounds. */
#define SLOWER  1.1
#define PATIENT 3e9

static double
read_clock (clockid_t clock)
{
  struct timespec now;

  clock_gettime (clock, &now);
  return (double) now.tv_sec * 1e9 + (double) now.tv_nsec;
}

/*
 * bench_now:
 *
 * The processor time of this thread, in nanoseconds: who else runs meanwhile does not
 * count, and what the kernel does for the thread, as clearing pages, does.
 */
double
bench_now (void)
{
  return read_clock (CLOCK_THREAD_CPUTIME_ID);
}

/* The nanoseconds of a cycle: each addition waits for the one before it, and takes one. */
static double
time_cycle (void)
{
  enum { TIMES = 4096, EACH = 8 };
  const double start = bench_now ();
  gsize sum = 1;

  for (guint i = 0; i < TIMES; i++)
    {
      for (guint j = 0; j < EACH; j++)
        {
          sum += i;
          /* So that the additions are made one by one. */
          __asm__ volatile ("" : "+r" (sum));
        }
    }

  return (bench_now () - start) / (TIMES * EACH);
}

static double fastest_cycle = G_MAXDOUBLE;

/*
 * bench_measure_cycle:
 * @slow: (out): whether it is longer now than it can be
 *
 * Returns: the length of a cycle in nanoseconds
 */
double
bench_measure_cycle (gboolean *slow)
{
  const double cycle = time_cycle ();

  fastest_cycle = MIN (fastest_cycle, cycle);
  *slow = cycle > fastest_cycle * SLOWER;
  return cycle;
}

/* A second thread, that does what the first one does at the same time. */
typedef struct
{
  const BenchCase *each;
  gpointer         state;
  gsize            size;
  guint            n;
  BenchBatch            batch;
  guint            started;
  guint            arrived;
  guint            done;
  gboolean         quit;
} Helper;

static Helper helper;

static double
run_batch (const BenchCase *each,
           gpointer         state,
           gsize            size,
           guint            n)
{
  const double start = bench_now ();

  each->loop (state, size, n);
  return bench_now () - start;
}

BenchBatch
bench_run_batch (const BenchCase *each,
                 gpointer         state,
                 gsize            size,
                 guint            n)
{
  BenchBatch batch;

  batch.begin = read_clock (CLOCK_MONOTONIC);
  batch.time = run_batch (each, state, size, n);
  batch.end = read_clock (CLOCK_MONOTONIC);
  return batch;
}

/* Both are on their processors before either begins. */
static void
meet (void)
{
  const guint here = __atomic_add_fetch (&helper.arrived, 1, __ATOMIC_ACQ_REL);
  const guint both = (here + 1) / 2 * 2;

  while (__atomic_load_n (&helper.arrived, __ATOMIC_ACQUIRE) < both)
    ;
}

static gpointer
help (gpointer nothing)
{
  for (guint turn = 1;; turn++)
    {
      while (__atomic_load_n (&helper.started, __ATOMIC_ACQUIRE) != turn)
        g_thread_yield ();
      if (helper.quit)
        return NULL;
      meet ();
      helper.batch = bench_run_batch (helper.each, helper.state, helper.size, helper.n);
      __atomic_store_n (&helper.done, turn, __ATOMIC_RELEASE);
    }
}

/*
 * bench_together:
 *
 * Returns: the mean time of what some threads did; 0 if they did not really do it at the
 *   same time, because somebody else had one of the processors
 */
double
bench_together (const BenchBatch *batches,
                guint             n_batches)
{
  double first = batches[0].begin, all_begun = first, last = batches[0].end, one_done = last, sum = 0;

  for (guint i = 0; i < n_batches; i++)
    {
      first = MIN (first, batches[i].begin);
      all_begun = MAX (all_begun, batches[i].begin);
      one_done = MIN (one_done, batches[i].end);
      last = MAX (last, batches[i].end);
      sum += batches[i].time;
    }

  return one_done - all_begun > 0.8 * (last - first) ? sum / n_batches : 0;
}

static double
try_run_two (const BenchCase *each,
             gpointer         state,
             gpointer         other,
             gsize            size,
             guint            n)
{
  const guint turn = helper.started + 1;
  BenchBatch batch;

  helper.each = each;
  helper.state = other;
  helper.size = size;
  helper.n = n;
  __atomic_store_n (&helper.started, turn, __ATOMIC_RELEASE);
  meet ();
  batch = bench_run_batch (each, state, size, n);
  while (__atomic_load_n (&helper.done, __ATOMIC_ACQUIRE) != turn)
    g_thread_yield ();

  return bench_together ((const BenchBatch[]) { batch, helper.batch }, 2);
}

static double
run_two (const BenchCase *each,
         gpointer         state,
         gpointer         other,
         gsize            size,
         guint            n)
{
  double time = 0;

  for (guint tries = 0; time <= 0 && tries < 100; tries++)
    time = try_run_two (each, state, other, size, n);

  return time;
}

/* How often it is done in a batch. The first times are slow: pages are touched, types
 * are registered. */
static guint
calibrate (const BenchCase *each,
           gpointer         state,
           gsize            size)
{
  guint n = 1;

  for (guint warm = 0; warm < 3; warm++)
    {
      double time = run_batch (each, state, size, n);

      while (time < BATCH / 2)
        {
          n *= 2;
          time = run_batch (each, state, size, n);
        }
      n = (guint) CLAMP (n * BATCH / time, 1, 1e8);
    }

  return n;
}

static int
compare (gconstpointer a,
         gconstpointer b)
{
  const double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

/* The median and the quartiles; what is 0 could not be measured. */
static BenchFigure
summarize (const double *values,
           guint         n_values)
{
  g_autofree double *sorted = g_new0 (double, n_values);
  guint n = 0;

  for (guint i = 0; i < n_values; i++)
    {
      if (values[i] > 0)
        sorted[n++] = values[i];
    }
  if (n == 0)
    return (BenchFigure) { 0, };

  qsort (sorted, n, sizeof (double), compare);
  return (BenchFigure) { .median = sorted[n / 2], .low = sorted[n / 4], .high = sorted[(n * 3) / 4] };
}

typedef struct
{
  const BenchCase *each;
  gpointer         state;
  gpointer         other;
  guint            n;
  double          *times;
  double          *alone;
} Side;

static void
side_begin (Side           *side,
            const BenchRow *row,
            guint           rounds)
{
  const BenchCase *each = side->each;

  if (each->begin != NULL)
    side->state = each->begin (row->size);
  side->other = side->state;
  if (row->threads == BENCH_TWO_PRIVATE && each->begin != NULL)
    side->other = each->begin (row->size);

  side->n = calibrate (each, side->state, row->size);
  side->times = g_new0 (double, rounds);
  side->alone = g_new0 (double, rounds);
}

static void
side_end (Side *side)
{
  const BenchCase *each = side->each;

  if (each->end != NULL && side->other != side->state)
    each->end (side->other);
  if (each->end != NULL)
    each->end (side->state);
  g_free (side->times);
  g_free (side->alone);
}

/* One turn of each side; who begins changes. */
static void
run_round (const BenchRow *row,
           Side           *sides,
           gboolean        two,
           guint           round)
{
  for (guint turn = 0; turn < BENCH_N_SIDES; turn++)
    {
      Side *side = &sides[(round + turn) % BENCH_N_SIDES];

      if (side->each == NULL)
        continue;
      side->alone[round] = run_batch (side->each, side->state, row->size, side->n) / side->n;
      side->times[round] = side->alone[round];
      if (two)
        side->times[round] = run_two (side->each, side->state, side->other, row->size, side->n) / side->n;
    }
}

/*
 * bench_row:
 *
 * The sides take turns, one short batch each, so that whatever the machine does
 * happens to all of them alike. A round in which the processor was slow, because somebody
 * else has the other half of it, is done again for a while.
 */
void
bench_row (const BenchRow *row,
           guint           rounds,
           BenchResult    *result)
{
  Side sides[BENCH_N_SIDES] = { { NULL, }, };
  g_autofree double *cycles = g_new (double, rounds);
  GThread *thread = NULL;
  double longest = 0, start;

  for (guint i = 0; i < BENCH_N_SIDES; i++)
    {
      if (row->sides[i].loop == NULL)
        continue;
      sides[i].each = &row->sides[i];
      side_begin (&sides[i], row, rounds);
      longest = MAX (longest, run_batch (sides[i].each, sides[i].state, row->size, sides[i].n));
    }

  if (longest > LONG_BATCH)
    rounds = MAX (rounds / 5, 5);

  if (row->threads != BENCH_ONE_THREAD)
    {
      helper = (Helper) { .quit = FALSE };
      thread = g_thread_new ("bench", help, NULL);
    }

  start = read_clock (CLOCK_MONOTONIC);
  for (guint round = 0; round < rounds;)
    {
      gboolean slow_before, slow_after;

      cycles[round] = bench_measure_cycle (&slow_before);
      run_round (row, sides, thread != NULL, round);
      cycles[round] = MAX (cycles[round], bench_measure_cycle (&slow_after));

      if (!(slow_before || slow_after) || read_clock (CLOCK_MONOTONIC) > start + PATIENT)
        round++;
    }

  if (thread != NULL)
    {
      helper.quit = TRUE;
      __atomic_store_n (&helper.started, helper.started + 1, __ATOMIC_RELEASE);
      g_thread_join (thread);
    }

  *result = (BenchResult) { .row = row, .rounds = rounds, .cycle = summarize (cycles, rounds) };
  for (guint i = 0; i < BENCH_N_SIDES; i++)
    {
      g_autofree double *ratios = g_new (double, rounds);

      if (sides[i].each == NULL)
        continue;
      result->sides[i] = summarize (sides[i].times, rounds);
      result->alone[i] = summarize (sides[i].alone, rounds);
      for (guint round = 0; round < rounds; round++)
        ratios[round] = sides[i].times[round] > 0 ? sides[BENCH_QUIRE].times[round] / sides[i].times[round] : 0;
      result->ratios[i] = summarize (ratios, rounds);
      if (result->sides[i].median > 0)
        result->ratios[i].median = result->sides[BENCH_QUIRE].median / result->sides[i].median;
    }

  for (guint i = 0; i < BENCH_N_SIDES; i++)
    {
      if (sides[i].each != NULL)
        side_end (&sides[i]);
    }
}
