/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-test.h"

/*
 * Each test runs threads for a moment, and each thread until it has got what it
 * came for at least once. Plain data is written only where a lock of Quire guards
 * it, so that ThreadSanitizer sees what a wrong grant would let through.
 */
#define RACE_MOMENT    (150 * G_TIME_SPAN_MILLISECOND)
#define RACE_SIZE      4096
#define RACE_N_THREADS 4

#define FLAGS(flags) ((QuireMapFlags) (flags))

typedef struct
{
  QuireMemory *memory;
  gint64       deadline;

  /* Atomic. */
  guint        inside;
  guint        held;
  guint        total;
  guint        started;

  /* Guarded by the lock of the block. */
  guint        guarded;

  guint        flags;
  guint        limit;
} Race;

typedef gpointer (*RaceFunc) (Race *race);

static inline guint
race_load (guint *counter)
{
  return __atomic_load_n (counter, __ATOMIC_ACQUIRE);
}

static inline guint
race_add (guint *counter,
          guint  n)
{
  return __atomic_add_fetch (counter, n, __ATOMIC_ACQ_REL);
}

static inline gboolean
race_go_on (Race *race,
            guint granted)
{
  return granted == 0 || g_get_monotonic_time () < race->deadline;
}

static inline void
race_run (Race           *race,
          const RaceFunc *funcs,
          gsize           n_funcs)
{
  GThread *threads[8];

  g_assert_cmpuint (n_funcs, <=, G_N_ELEMENTS (threads));
  race->deadline = g_get_monotonic_time () + RACE_MOMENT;
  for (gsize i = 0; i < n_funcs; i++)
    threads[i] = g_thread_new ("race", (GThreadFunc) funcs[i], race);
  for (gsize i = 0; i < n_funcs; i++)
    g_thread_join (threads[i]);
}

#define RACE_RUN(race, ...) \
  G_STMT_START \
    { \
      const RaceFunc funcs_[] = { __VA_ARGS__ }; \
 \
      race_run (race, funcs_, G_N_ELEMENTS (funcs_)); \
    } \
  G_STMT_END
