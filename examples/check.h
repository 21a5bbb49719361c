/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

/* What the examples promise is checked as it is shown. */

static guint failures;

/* Gives @promise back, and complains if it is not kept. */
static inline gboolean
check (gboolean    promise,
       const char *what)
{
  if (!promise)
    {
      failures++;
      g_print ("  NOT SO: %s\n", what);
    }
  return promise;
}

/* The last line of an example, and its exit status. */
static inline int
finish (void)
{
  g_print ("%s\n", failures == 0 ? "ok" : "failed");
  return failures == 0 ? 0 : 1;
}
