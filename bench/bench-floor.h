/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "bench.h"

#include <stdlib.h>

/* The floor of the tables that allocate: a malloc() and a free(), and a memset() of memory
 * that is there. */

BENCH_LOOP (floor_malloc)
{
  gpointer data = malloc (size);

  bench_keep (data);
  free (data);
}

static gpointer
floor_begin (gsize size)
{
  gpointer data = malloc (size);

  memset (data, 0, size);
  return data;
}

BENCH_LOOP (floor_fill)
{
  memset (state, 0x51, size);
  bench_keep (state);
}
