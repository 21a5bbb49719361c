/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-bytes.h"

#include "quire-bytes-private.h"
#include "quire-create.h"
#include "quire-mapping-private.h"
#include "quire-memory-private.h"
#include "quire-share.h"
#include "quire-system-allocator-private.h"

/* The notify of a block over bytes, by which such a one is known: nobody else has it. */
static void
release_original (gpointer bytes)
{
  g_bytes_unref (bytes);
}

/*
 * quire_bytes_get_original:
 *
 * The bytes that a block was made over, if it was; @offset counts from the start of the
 * block. They are read-only, so nobody has to be kept from writing; and blocks over bytes
 * of blocks over bytes do not pile up.
 */
GBytes *
quire_bytes_get_original (QuireMemory *memory,
                          gsize        offset,
                          gsize        size)
{
  QuireMemory *root = memory->parent != NULL ? memory->parent : memory;
  GBytes *bytes = quire_system_allocator_data (root, release_original);

  return bytes != NULL ? g_bytes_new_from_bytes (bytes, offset, size) : NULL;
}

/**
 * quire_memory_new_from_bytes: (constructor)
 * @bytes: bytes
 *
 * Makes a read-only block over bytes, without a copy. It has a reference on
 * them.
 *
 * Returns: (transfer full): a new block
 *
 * Since: 1.0
 */
QuireMemory *
quire_memory_new_from_bytes (GBytes *bytes)
{
  gconstpointer data;
  gsize size;

  g_return_val_if_fail (bytes != NULL, NULL);

  data = g_bytes_get_data (bytes, &size);
  return quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_READONLY, (gpointer) data, size, 0, size,
                                   g_bytes_ref (bytes), release_original);
}

/**
 * quire_memory_to_bytes: (skip)
 * @memory: a block
 *
 * Gives the data of a block as bytes, without a copy.
 * [method@Memory.try_to_bytes] also says why it fails.
 *
 * Returns: (transfer full) (nullable): the bytes, or %NULL
 *
 * Since: 1.0
 */
GBytes *
quire_memory_to_bytes (QuireMemory *memory)
{
  return quire_memory_try_to_bytes (memory, NULL);
}

/**
 * quire_memory_try_to_bytes: (rename-to quire_memory_to_bytes)
 * @memory: a block
 * @error: return location for an error
 *
 * Gives the data of a block as bytes, without a copy. They count as a share:
 * while they live nobody gets a map to write the block. Of a block that was made
 * over bytes, they are these bytes, or a slice of them.
 *
 * The errors are those of [method@Memory.try_share] and of a map to read. This
 * function is thread-safe.
 *
 * Returns: (transfer full): the bytes
 *
 * Since: 1.0
 */
GBytes *
quire_memory_try_to_bytes (QuireMemory *memory,
                           GError     **error)
{
  g_autoptr (QuireMemory) share = NULL;
  QuireMapping *mapping;
  const QuireMapInfo *info;
  GBytes *bytes;
  gsize offset, size;

  g_return_val_if_fail (memory != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  quire_memory_get_window (memory, &offset, &size);
  bytes = quire_bytes_get_original (memory, offset, size);
  if (bytes != NULL)
    return bytes;

  share = quire_memory_try_share (memory, 0, -1, error);
  if (share == NULL)
    return NULL;

  mapping = quire_memory_try_map (share, QUIRE_MAP_READ, error);
  if (mapping == NULL)
    return NULL;

  info = quire_mapping_peek_info (mapping);
  return g_bytes_new_with_free_func (info->data, info->size,
                                     (GDestroyNotify) quire_mapping_unref, mapping);
}
