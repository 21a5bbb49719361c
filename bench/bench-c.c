/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "bench.h"

/* What blocks cost in C, beside GStreamer's, beside GBytes, and beside what it would take
 * without any of them:
 *
 *     bench-c [--json FILE] [--rounds N] [WORD]
 *
 * WORD chooses the rows with that word in the name. The result is a table in Markdown. */

static const BenchTable * const tables[] = {
  &bench_alloc_rows,
  &bench_map_rows,
  &bench_share_rows,
  &bench_copy_rows,
  &bench_descriptor_rows,
  &bench_pool_rows,
  &bench_alloc_thread_rows,
  &bench_map_thread_rows,
  &bench_share_thread_rows,
  &bench_pool_thread_rows,
};

int
main (int    argc,
      char **argv)
{
  g_autofree char *path = NULL;
  int rounds = 151;
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_FILENAME, &path, "Where all figures go", "FILE" },
    { "rounds", 0, 0, G_OPTION_ARG_INT, &rounds, "How many batches make a median", "N" },
    { NULL, },
  };
  g_autoptr (GOptionContext) options = g_option_context_new ("[WORD]");
  g_autoptr (GArray) results = g_array_new (FALSE, FALSE, sizeof (BenchResult));
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (options, entries, NULL);
  if (!g_option_context_parse (options, &argc, &argv, &error))
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }

#ifdef BENCH_GSTREAMER
  gst_init (NULL, NULL);
#else
  g_printerr ("GStreamer was not there when this was built: its columns are empty\n");
#endif

  for (gsize i = 0; i < G_N_ELEMENTS (tables); i++)
    {
      for (gsize j = 0; j < tables[i]->n_rows; j++)
        {
          BenchResult result;

          if (argc > 1 && strstr (tables[i]->rows[j].name, argv[1]) == NULL)
            continue;
          bench_row (&tables[i]->rows[j], (guint) MAX (rounds, 1), &result);
          g_array_append_val (results, result);
        }
    }

  bench_print_table ((gpointer) results->data, results->len);
  if (path != NULL)
    {
      g_autofree char *json = bench_to_json ((gpointer) results->data, results->len);

      if (!g_file_set_contents (path, json, -1, &error))
        {
          g_printerr ("%s\n", error->message);
          return 1;
        }
    }

  return 0;
}
