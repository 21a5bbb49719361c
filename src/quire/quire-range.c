/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-range-private.h"

#include "quire-error.h"

/* Says what is wrong with a range, which is to the end if its size is -1. */
static gboolean
refuse_range (const char *verb,
              const char *offset,
              gssize      size,
              const char *limits,
              GError    **error)
{
  if (size == -1)
    g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_OUT_OF_RANGE,
                 "Can't %s from offset %s to the end of %s", verb, offset, limits);
  else
    g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_OUT_OF_RANGE,
                 "Can't %s %" G_GSSIZE_FORMAT " bytes at offset %s of %s", verb, size, offset, limits);
  return FALSE;
}

/*
 * quire_range_find:
 * @available: how many bytes there are
 * @verb: what is tried, for the message
 * @offset: where the range starts
 * @size: its size, or -1: to the end
 * @length: (out): its size
 *
 * Finds a range in what a map shows. Now offset <= offset + length <= available.
 */
gboolean
quire_range_find (gsize       available,
                  const char *verb,
                  gsize       offset,
                  gssize      size,
                  gsize      *length,
                  GError    **error)
{
  if (offset > available || size < -1 ||
      (size >= 0 && (gsize) size > available - offset))
    {
      g_autofree char *where = g_strdup_printf ("%" G_GSIZE_FORMAT, offset);
      g_autofree char *limits = g_strdup_printf ("%" G_GSIZE_FORMAT, available);

      return refuse_range (verb, where, size, limits, error);
    }

  *length = (size == -1) ? available - offset : (gsize) size;
  return TRUE;
}

/*
 * quire_range_refuse:
 *
 * Says why quire_range_resolve() does not find a range.
 */
void
quire_range_refuse (QuireMemory *memory,
                    const char  *verb,
                    gssize       offset,
                    gssize       size,
                    GError     **error)
{
  g_autofree char *where = g_strdup_printf ("%" G_GSSIZE_FORMAT, offset);
  g_autofree char *limits = NULL;
  gsize window_offset, window_size;

  quire_memory_get_window (memory, &window_offset, &window_size);
  limits = g_strdup_printf ("%" G_GSIZE_FORMAT ", with %" G_GSIZE_FORMAT " before them",
                            window_size, window_offset);

  refuse_range (verb, where, size, limits, error);
}
