/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "bench.h"

#include <stdio.h>

#ifdef __clang__
# define COMPILER __VERSION__
#else
# define COMPILER "gcc " __VERSION__
#endif

static const char * const side_keys[BENCH_N_SIDES] = { "quire", "gstreamer", "gbytes", "floor" };

static char *
format_size (gsize size)
{
  if (size >= MIB && size % MIB == 0)
    return g_strdup_printf ("%" G_GSIZE_FORMAT " MiB", size / MIB);
  if (size >= KIB && size % KIB == 0)
    return g_strdup_printf ("%" G_GSIZE_FORMAT " KiB", size / KIB);
  return size > 0 ? g_strdup_printf ("%" G_GSIZE_FORMAT " B", size) : g_strdup ("");
}

static char *
format_time (double ns)
{
  if (ns <= 0)
    return g_strdup ("");
  if (ns < 100)
    return g_strdup_printf ("%.1f ns", ns);
  if (ns < 10e3)
    return g_strdup_printf ("%.0f ns", ns);
  if (ns < 10e6)
    return g_strdup_printf ("%.1f µs", ns / 1e3);
  return g_strdup_printf ("%.1f ms", ns / 1e6);
}

/* Of what is longer, the clock says more. */
static char *
format_cycles (double cycles)
{
  return cycles < 10e3 ? g_strdup_printf ("%.0f", cycles) : g_strdup ("");
}

static char *
format_ratio (const BenchFigure *ratio)
{
  if (ratio->median <= 0)
    return g_strdup ("");
  if (ratio->median < 0.1)
    return g_strdup_printf ("**%.4f** (%.4f–%.4f)", ratio->median, ratio->low, ratio->high);
  return g_strdup_printf ("**%.2f** (%.2f–%.2f)", ratio->median, ratio->low, ratio->high);
}

static char *
format_aim (double aim)
{
  return aim > 0 ? g_strdup_printf ("%.2f", aim) : g_strdup ("");
}

static void
print_row (const BenchResult *result)
{
  const BenchRow *row = result->row;
  g_autofree char *size = format_size (row->size);
  g_autofree char *quire = format_time (result->sides[BENCH_QUIRE].median);
  g_autofree char *cycles = format_cycles (result->sides[BENCH_QUIRE].median / result->cycle.median);
  g_autofree char *gst = format_time (result->sides[BENCH_GST].median);
  g_autofree char *ratio = format_ratio (&result->ratios[BENCH_GST]);
  g_autofree char *aim = format_aim (row->aim);
  g_autofree char *bytes = format_time (result->sides[BENCH_BYTES].median);
  g_autofree char *lowest = format_time (result->sides[BENCH_FLOOR].median);

  printf ("| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n",
          row->name, size, quire, cycles, gst, ratio, aim, bytes, lowest, row->floor != NULL ? row->floor : "");
}

static double
scaling (const BenchResult *result,
         BenchSide          side)
{
  return result->sides[side].median > 0
           ? 2 * result->alone[side].median / result->sides[side].median
           : 0;
}

static void
print_thread_row (const BenchResult *result)
{
  const BenchRow *row = result->row;
  g_autofree char *size = format_size (row->size);
  g_autofree char *aim = format_aim (row->aim);

  printf ("| %s | %s |", row->name, size);
  for (guint i = 0; i < BENCH_N_SIDES; i++)
    {
      g_autofree char *alone = format_time (result->alone[i].median);
      g_autofree char *both = format_time (result->sides[i].median);

      if (i == BENCH_BYTES)
        continue;
      if (result->sides[i].median > 0)
        printf (" **%.2f** (%s, %s) |", scaling (result, i), alone, both);
      else
        printf (" |");
      if (i == BENCH_QUIRE)
        printf (" %s |", aim);
    }
  printf (" %s |\n", row->floor != NULL ? row->floor : "");
}

/*
 * bench_print_table:
 *
 * Two tables in Markdown: for one thread, and for two.
 */
void
bench_print_table (const BenchResult *results,
                   gsize              n_results)
{
  printf ("| what | size | Quire | cycles | GStreamer | ratio | aim | GBytes | floor | which is |\n"
           "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
  for (gsize i = 0; i < n_results; i++)
    {
      if (results[i].row->threads == BENCH_ONE_THREAD)
        print_row (&results[i]);
    }

  printf ("\n| two threads | size | Quire | aim | GStreamer | floor | which is |\n"
           "| --- | --- | --- | --- | --- | --- | --- |\n");
  for (gsize i = 0; i < n_results; i++)
    {
      if (results[i].row->threads != BENCH_ONE_THREAD)
        print_thread_row (&results[i]);
    }
}

static void
append_figure (GString           *json,
               const char        *key,
               const BenchFigure *figure)
{
  char median[G_ASCII_DTOSTR_BUF_SIZE], low[G_ASCII_DTOSTR_BUF_SIZE], high[G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_formatd (median, sizeof median, "%.4g", figure->median);
  g_ascii_formatd (low, sizeof low, "%.4g", figure->low);
  g_ascii_formatd (high, sizeof high, "%.4g", figure->high);
  g_string_append_printf (json, ", \"%s\": {\"median\": %s, \"low\": %s, \"high\": %s}",
                          key, median, low, high);
}

static void
append_aim (GString    *json,
            const char *key,
            double      aim)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  if (aim > 0)
    g_string_append_printf (json, ", \"%s\": %s", key, g_ascii_formatd (text, sizeof text, "%.2f", aim));
}

/*
 * bench_to_json:
 *
 * All figures, in nanoseconds of processor time for one time.
 */
char *
bench_to_json (const BenchResult *results,
               gsize              n_results)
{
  GString *json = g_string_new ("{\n");

  g_string_append_printf (json, "  \"quire\": \"%d.%d.%d\",\n  \"compiler\": \"%s\",\n  \"glib\": \"%u.%u.%u\",\n",
                          QUIRE_MAJOR_VERSION, QUIRE_MINOR_VERSION, QUIRE_MICRO_VERSION, COMPILER,
                          glib_major_version, glib_minor_version, glib_micro_version);
#ifdef BENCH_GSTREAMER
  {
    g_autofree char *version = gst_version_string ();

    g_string_append_printf (json, "  \"peer\": \"%s\",\n", version);
  }
#endif
  g_string_append (json, "  \"rows\": [");
  for (gsize i = 0; i < n_results; i++)
    {
      const BenchResult *result = &results[i];
      const BenchRow *row = result->row;
      const gboolean threads = row->threads != BENCH_ONE_THREAD;

      g_string_append_printf (json, "%s\n    {\"name\": \"%s\", \"size\": %" G_GSIZE_FORMAT
                              ", \"threads\": %d, \"rounds\": %u",
                              i > 0 ? "," : "", row->name, row->size, threads ? 2 : 1, result->rounds);
      if (row->floor != NULL)
        g_string_append_printf (json, ", \"floor_is\": \"%s\"", row->floor);
      append_aim (json, threads ? "aim_scaling" : "aim", row->aim);
      append_figure (json, "cycle", &result->cycle);
      append_aim (json, "aim_gbytes", row->aim_bytes);
      for (guint side = 0; side < BENCH_N_SIDES; side++)
        {
          g_autofree char *ratio = g_strconcat ("over_", side_keys[side], NULL);
          g_autofree char *alone = g_strconcat (side_keys[side], "_alone", NULL);

          if (result->sides[side].median <= 0)
            continue;
          append_figure (json, side_keys[side], &result->sides[side]);
          if (threads)
            append_figure (json, alone, &result->alone[side]);
          if (side != BENCH_QUIRE)
            append_figure (json, ratio, &result->ratios[side]);
        }
      g_string_append (json, "}");
    }
  g_string_append (json, "\n  ]\n}\n");

  return g_string_free (json, FALSE);
}
