/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-stream.h"

#include "quire-error.h"
#include "quire-map-info.h"
#include "quire-range-private.h"

/**
 * quire_memory_read_from_stream:
 * @memory: a block
 * @offset: where the bytes shall go, in bytes from the data
 * @size: how many bytes to read, or -1 for as many as go to the end of the data
 * @stream: where the bytes come from
 * @bytes_read: (out) (optional): how many bytes were read, less than asked for
 *   only at the end of the stream or after an error
 * @cancellable: (nullable): a cancellable, or %NULL
 * @error: return location for an error
 *
 * Reads from a stream straight into a block, under a map to write; there is no
 * buffer between.
 *
 * The errors are %QUIRE_MEMORY_ERROR_OUT_OF_RANGE, those of the map, and those of
 * the stream. It blocks until it is done; the map stands so long.
 *
 * Returns: (skip): %TRUE if there was no error, be it at the end of the stream
 *
 * Since: 1.0
 */
gboolean
quire_memory_read_from_stream (QuireMemory  *memory,
                               gsize         offset,
                               gssize        size,
                               GInputStream *stream,
                               gsize        *bytes_read,
                               GCancellable *cancellable,
                               GError      **error)
{
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;
  GError *local_error = NULL;
  gsize length, done = 0;
  gboolean success;

  g_return_val_if_fail (memory != NULL, FALSE);
  g_return_val_if_fail (G_IS_INPUT_STREAM (stream), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (bytes_read != NULL)
    *bytes_read = 0;

  if (g_cancellable_set_error_if_cancelled (cancellable, error) ||
      !quire_memory_map_full (memory, &info, QUIRE_MAP_WRITE, error) ||
      !quire_range_find (info.size, "read", offset, size, &length, error))
    return FALSE;

  success = g_input_stream_read_all (stream, info.data + offset, length, &done, cancellable, &local_error);

  /* A stream that is written in a script may tell what can't be. */
  if (done > length || (!success && local_error == NULL))
    {
      g_clear_error (&local_error);
      g_set_error (&local_error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED,
                   "The stream was asked for %" G_GSIZE_FORMAT " bytes, and failed without an error or gave %" G_GSIZE_FORMAT,
                   length, done);
      done = 0;
    }

  if (bytes_read != NULL)
    *bytes_read = done;
  if (local_error == NULL)
    return TRUE;

  g_propagate_error (error, local_error);
  return FALSE;
}
