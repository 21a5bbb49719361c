/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-content.h"

#include <string.h>

#include "quire-map-info.h"
#include "quire-range-private.h"

/* Maps a block, and finds a range in what the map shows. */
static gboolean
map_range (QuireMemory   *memory,
           QuireMapInfo  *info,
           QuireMapFlags  flags,
           const char    *verb,
           gsize          offset,
           gssize         size,
           guint8       **data,
           gsize         *length,
           GError       **error)
{
  if (!quire_memory_map_full (memory, info, flags, error))
    return FALSE;

  if (!quire_range_find (info->size, verb, offset, size, length, error))
    return FALSE;

  *data = info->data + offset;
  return TRUE;
}

/**
 * quire_memory_fill: (skip)
 * @memory: a block
 * @offset: where to begin, in bytes from the data
 * @size: how many bytes, or -1 for all to the end of the data
 * @value: the value of each byte
 *
 * Sets bytes to a value. [method@Memory.try_fill] also says why it fails.
 *
 * Returns: %TRUE if the bytes are set
 *
 * Since: 1.0
 */
gboolean
quire_memory_fill (QuireMemory *memory,
                   gsize        offset,
                   gssize       size,
                   guint8       value)
{
  return quire_memory_try_fill (memory, offset, size, value, NULL);
}

/**
 * quire_memory_try_fill: (rename-to quire_memory_fill)
 * @memory: a block
 * @offset: where to begin, in bytes from the data
 * @size: how many bytes, or -1 for all to the end of the data
 * @value: the value of each byte
 * @error: return location for an error
 *
 * Sets bytes to a value, under a map to write.
 *
 * The errors are %QUIRE_MEMORY_ERROR_OUT_OF_RANGE, and those of the map; then
 * nothing is set.
 *
 * Returns: (skip): %TRUE if the bytes are set
 *
 * Since: 1.0
 */
gboolean
quire_memory_try_fill (QuireMemory *memory,
                       gsize        offset,
                       gssize       size,
                       guint8       value,
                       GError     **error)
{
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;
  guint8 *data;
  gsize length;

  g_return_val_if_fail (memory != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!map_range (memory, &info, QUIRE_MAP_WRITE, "fill", offset, size, &data, &length, error))
    return FALSE;

  memset (data, value, length);
  return TRUE;
}

/**
 * quire_memory_compare: (skip)
 * @first: a block
 * @second: another
 * @order: (out): less than, equal to or greater than 0
 *
 * Compares the data of two blocks. [method@Memory.try_compare] also says why it
 * fails.
 *
 * Returns: %TRUE if they could be compared
 *
 * Since: 1.0
 */
gboolean
quire_memory_compare (QuireMemory *first,
                      QuireMemory *second,
                      int         *order)
{
  return quire_memory_try_compare (first, second, order, NULL);
}

/**
 * quire_memory_try_compare: (rename-to quire_memory_compare)
 * @first: a block
 * @second: another
 * @order: (out): less than, equal to or greater than 0, as @first comes before
 *   @second, has the same data, or comes after it
 * @error: return location for an error
 *
 * Compares the data of two blocks byte by byte, as `memcmp` does; of two of which
 * one is the beginning of the other, the shorter comes first.
 *
 * The errors are those of a map to read.
 *
 * Returns: (skip): %TRUE if they could be compared
 *
 * Since: 1.0
 */
gboolean
quire_memory_try_compare (QuireMemory *first,
                          QuireMemory *second,
                          int         *order,
                          GError     **error)
{
  g_auto (QuireMapInfo) a = QUIRE_MAP_INFO_INIT;
  g_auto (QuireMapInfo) b = QUIRE_MAP_INFO_INIT;
  int result;

  g_return_val_if_fail (first != NULL, FALSE);
  g_return_val_if_fail (second != NULL, FALSE);
  g_return_val_if_fail (order != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!quire_memory_map_full (first, &a, QUIRE_MAP_READ, error) ||
      !quire_memory_map_full (second, &b, QUIRE_MAP_READ, error))
    return FALSE;

  result = memcmp (a.data, b.data, MIN (a.size, b.size));
  *order = result != 0 ? result : (a.size > b.size) - (a.size < b.size);

  return TRUE;
}

/**
 * quire_memory_read: (skip)
 * @memory: a block
 * @offset: where to begin, in bytes from the data
 * @data: (out caller-allocates) (array length=size) (element-type guint8): where
 *   the bytes shall go
 * @size: how many bytes
 *
 * Copies bytes out of a block. [method@Memory.try_read] also says why it fails.
 *
 * Returns: %TRUE if the bytes were copied
 *
 * Since: 1.0
 */
gboolean
quire_memory_read (QuireMemory *memory,
                   gsize        offset,
                   gpointer     data,
                   gsize        size)
{
  return quire_memory_try_read (memory, offset, data, size, NULL);
}

/* A count of bytes that C gives as gsize; what is beyond G_MAXSSIZE fits no
 * block. */
static gssize
count_from_size (gsize size)
{
  return (gssize) MIN (size, G_MAXSSIZE);
}

/**
 * quire_memory_try_read: (skip)
 * @memory: a block
 * @offset: where to begin, in bytes from the data
 * @data: (out caller-allocates) (array length=size) (element-type guint8): where
 *   the bytes shall go
 * @size: how many bytes
 * @error: return location for an error
 *
 * Copies bytes out of a block, under a map to read. It is all or nothing.
 *
 * The errors are %QUIRE_MEMORY_ERROR_OUT_OF_RANGE, and those of the map; then
 * nothing is copied.
 *
 * Returns: %TRUE if the bytes were copied
 *
 * Since: 1.0
 */
gboolean
quire_memory_try_read (QuireMemory *memory,
                       gsize        offset,
                       gpointer     data,
                       gsize        size,
                       GError     **error)
{
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;
  guint8 *source;
  gsize length;

  g_return_val_if_fail (memory != NULL, FALSE);
  g_return_val_if_fail (data != NULL || size == 0, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!map_range (memory, &info, QUIRE_MAP_READ, "read", offset, count_from_size (size),
                  &source, &length, error))
    return FALSE;

  if (length > 0)
    memcpy (data, source, length);
  return TRUE;
}

/**
 * quire_memory_try_read_bytes: (rename-to quire_memory_read)
 * @memory: a block
 * @offset: where to begin, in bytes from the data
 * @size: how many bytes, or -1 for all to the end of the data
 * @error: return location for an error
 *
 * Copies bytes out of a block, under a map to read. Unlike those of
 * [method@Memory.try_to_bytes] they are a copy, and keep nobody from writing.
 *
 * The errors are %QUIRE_MEMORY_ERROR_OUT_OF_RANGE, and those of the map.
 *
 * Returns: (transfer full): the bytes
 *
 * Since: 1.0
 */
GBytes *
quire_memory_try_read_bytes (QuireMemory *memory,
                             gsize        offset,
                             gssize       size,
                             GError     **error)
{
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;
  guint8 *source;
  gsize length;

  g_return_val_if_fail (memory != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!map_range (memory, &info, QUIRE_MAP_READ, "read", offset, size, &source, &length, error))
    return NULL;

  return g_bytes_new (source, length);
}

/**
 * quire_memory_write: (skip)
 * @memory: a block
 * @offset: where to begin, in bytes from the data
 * @data: (array length=size): the bytes
 * @size: how many bytes
 *
 * Copies bytes into a block. [method@Memory.try_write] also says why it fails.
 *
 * Returns: %TRUE if the bytes were copied
 *
 * Since: 1.0
 */
gboolean
quire_memory_write (QuireMemory  *memory,
                    gsize         offset,
                    const guint8 *data,
                    gsize         size)
{
  return quire_memory_try_write (memory, offset, data, size, NULL);
}

/**
 * quire_memory_try_write: (rename-to quire_memory_write)
 * @memory: a block
 * @offset: where to begin, in bytes from the data
 * @data: (array length=size): the bytes
 * @size: how many bytes
 * @error: return location for an error
 *
 * Copies bytes into a block, under a map to write. It is all or nothing.
 *
 * The errors are %QUIRE_MEMORY_ERROR_OUT_OF_RANGE, and those of the map; then
 * nothing is copied.
 *
 * Returns: (skip): %TRUE if the bytes were copied
 *
 * Since: 1.0
 */
gboolean
quire_memory_try_write (QuireMemory  *memory,
                        gsize         offset,
                        const guint8 *data,
                        gsize         size,
                        GError      **error)
{
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;
  guint8 *target;
  gsize length;

  g_return_val_if_fail (memory != NULL, FALSE);
  g_return_val_if_fail (data != NULL || size == 0, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!map_range (memory, &info, QUIRE_MAP_WRITE, "write", offset, count_from_size (size),
                  &target, &length, error))
    return FALSE;

  /* The bytes may be a piece of this very block. */
  if (length > 0)
    memmove (target, data, length);
  return TRUE;
}
