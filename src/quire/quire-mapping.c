/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-mapping.h"

#include "quire-atomic-private.h"
#include "quire-binding.h"
#include "quire-bytes-private.h"
#include "quire-copy.h"
#include "quire-error.h"
#include "quire-kept-private.h"
#include "quire-lock-private.h"
#include "quire-map-private.h"
#include "quire-mapping-private.h"
#include "quire-memory-private.h"

/**
 * QuireMapping:
 *
 * A map of a block, for languages that have no C stack to keep a
 * [struct@MapInfo] on.
 *
 * It has a lock on the block and a reference on it. Copies are references to the
 * same mapping. [method@Memory.try_unmap] or [method@Mapping.release] ends it;
 * when the last reference goes it ends by itself.
 *
 * What a mapping shows stays in place as long as the mapping, released or not: an
 * address that a script still has is never one of freed memory. But after the
 * release it is outside the lock.
 *
 * All functions are thread-safe.
 *
 * Since: 1.0
 */
struct _QuireMapping
{
  gint         ref_count;
  /* How many views are out, and the two bits below. */
  guint        state;
  QuireMapInfo info;
  /* Where views are, once there has been one, if the allocator maps and unmaps. */
  guint8      *view_data;
  /* The block keeps the address of the info, and unmaps it. */
  gboolean     given_away;
};

/* The lock is gone, and the reference on the block is but a pin. */
#define STATE_RELEASED (1u << 31)
/* The last view releases the mapping. */
#define STATE_ENDING   (1u << 30)
#define STATE_VIEWS    (STATE_ENDING - 1)

G_DEFINE_BOXED_TYPE (QuireMapping, quire_mapping, quire_mapping_ref, quire_mapping_unref)

/**
 * quire_memory_try_map: (rename-to quire_memory_map)
 * @memory: a block
 * @flags: how to map it
 * @error: return location for an error
 *
 * Maps a block. What may stand together is told at [flags@MapFlags].
 *
 * The errors are %QUIRE_MEMORY_ERROR_BUSY, %QUIRE_MEMORY_ERROR_READ_ONLY,
 * %QUIRE_MEMORY_ERROR_NOT_MAPPABLE, %QUIRE_MEMORY_ERROR_CLOSED,
 * %QUIRE_MEMORY_ERROR_NOT_SUPPORTED for flags that make no sense, and those of
 * the allocator.
 *
 * Returns: (transfer full): the mapping
 *
 * Since: 1.0
 */
QuireMapping *
quire_memory_try_map (QuireMemory  *memory,
                      QuireMapFlags flags,
                      GError      **error)
{
  QuireMapping *mapping;

  g_return_val_if_fail (memory != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  /* The block may die under us if another thread closes the handle. */
  if (!quire_memory_try_ref (memory))
    {
      quire_memory_set_closed (error);
      return NULL;
    }

  mapping = g_new0 (QuireMapping, 1);
  mapping->ref_count = 1;

  if (!quire_map_begin (memory, &mapping->info, flags, error))
    {
      g_free (mapping);
      quire_memory_unref (memory);
      return NULL;
    }

  return mapping;
}

/* The mapping is marked as released, by this thread. */
static void
end_lock (QuireMapping *mapping)
{
  QuireMemory *memory = quire_memory_pin (mapping->info.memory);

  quire_map_end_lock (&mapping->info);
  quire_memory_unref (memory);
}

/**
 * quire_memory_try_unmap: (rename-to quire_memory_unmap)
 * @memory: a block
 * @mapping: a mapping of it
 * @error: return location for an error
 *
 * Ends a mapping.
 *
 * It is refused with %QUIRE_MEMORY_ERROR_FAILED if @mapping is of another block,
 * with %QUIRE_MEMORY_ERROR_CLOSED if it has ended already, and with
 * %QUIRE_MEMORY_ERROR_BUSY while views of it are alive, where the language counts
 * them.
 *
 * Returns: (skip): %TRUE if the mapping ended
 *
 * Since: 1.0
 */
gboolean
quire_memory_try_unmap (QuireMemory  *memory,
                        QuireMapping *mapping,
                        GError      **error)
{
  guint state;

  g_return_val_if_fail (memory != NULL, FALSE);
  g_return_val_if_fail (mapping != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!quire_memory_check_access (memory, QUIRE_MAP_READ, error))
    return FALSE;

  if (mapping->info.memory != memory)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED,
                   "The mapping of %" G_GSIZE_FORMAT " bytes is of another block",
                   mapping->info.size);
      return FALSE;
    }

  state = quire_atomic_load_relaxed (&mapping->state);
  do
    {
      if (state & STATE_RELEASED)
        {
          g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_CLOSED,
                       "The mapping of %" G_GSIZE_FORMAT " bytes has ended already",
                       mapping->info.size);
          return FALSE;
        }
      if (state & STATE_VIEWS)
        {
          g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_BUSY,
                       "The mapping of %" G_GSIZE_FORMAT " bytes has %u view%s alive",
                       mapping->info.size, state & STATE_VIEWS,
                       (state & STATE_VIEWS) == 1 ? "" : "s");
          return FALSE;
        }
    }
  while (!quire_atomic_cas_acq_rel (&mapping->state, &state, STATE_RELEASED));

  end_lock (mapping);
  return TRUE;
}

/**
 * quire_memory_try_make_mapped: (rename-to quire_memory_make_mapped)
 * @memory: a block
 * @flags: how to map it
 * @error: return location for an error
 *
 * Maps the block, or, if that is refused, a copy of it;
 * [method@Mapping.dup_memory] tells which.
 *
 * The errors are those of [method@Memory.try_map] and
 * [method@Memory.try_copy].
 *
 * Returns: (transfer full): the mapping
 *
 * Since: 1.0
 */
QuireMapping *
quire_memory_try_make_mapped (QuireMemory  *memory,
                              QuireMapFlags flags,
                              GError      **error)
{
  g_autoptr (QuireMemory) copy = NULL;
  QuireMapping *mapping;

  g_return_val_if_fail (memory != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!quire_lock_check_flags (flags, error))
    return NULL;

  mapping = quire_memory_try_map (memory, flags, NULL);
  if (mapping != NULL)
    return mapping;

  copy = quire_memory_try_copy (memory, 0, -1, error);
  if (copy == NULL)
    return NULL;

  return quire_memory_try_map (copy, flags, error);
}

/**
 * quire_mapping_ref: (skip)
 * @mapping: a mapping
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @mapping
 *
 * Since: 1.0
 */
QuireMapping *
quire_mapping_ref (QuireMapping *mapping)
{
  g_return_val_if_fail (mapping != NULL, NULL);

  quire_atomic_add_relaxed (&mapping->ref_count, 1);
  return mapping;
}

/**
 * quire_mapping_unref: (skip)
 * @mapping: (transfer full): a mapping
 *
 * Drops a reference. With the last one the mapping ends.
 *
 * Since: 1.0
 */
void
quire_mapping_unref (QuireMapping *mapping)
{
  QuireMemory *memory;

  g_return_if_fail (mapping != NULL);

  if (quire_atomic_sub_acq_rel (&mapping->ref_count, 1) != 1)
    return;

  /* Only now does the allocator unmap: until here a script may have had the
   * address. */
  memory = mapping->info.memory;
  if (!mapping->given_away)
    quire_map_end_address (&mapping->info);
  if (mapping->state & STATE_RELEASED)
    {
      quire_memory_unpin (memory);
    }
  else
    {
      quire_map_end_lock (&mapping->info);
      quire_memory_unref (memory);
    }

  g_free (mapping);
}

/**
 * quire_mapping_release:
 * @mapping: a mapping
 *
 * Ends a mapping, or sees to it that it ends with its last view. A second time it
 * does nothing.
 *
 * Since: 1.0
 */
void
quire_mapping_release (QuireMapping *mapping)
{
  guint state, next;

  g_return_if_fail (mapping != NULL);

  state = quire_atomic_load_relaxed (&mapping->state);
  do
    {
      if (state & (STATE_RELEASED | STATE_ENDING))
        return;
      next = (state & STATE_VIEWS) ? state | STATE_ENDING : STATE_RELEASED;
    }
  while (!quire_atomic_cas_acq_rel (&mapping->state, &state, next));

  if (next & STATE_RELEASED)
    end_lock (mapping);
}

/**
 * quire_mapping_is_released:
 * @mapping: a mapping
 *
 * Tells whether the mapping has ended, or ends with its last view. No new view
 * of it can be had then.
 *
 * Returns: whether it has
 *
 * Since: 1.0
 */
gboolean
quire_mapping_is_released (QuireMapping *mapping)
{
  g_return_val_if_fail (mapping != NULL, TRUE);

  return (quire_atomic_load_acquire (&mapping->state) & (STATE_RELEASED | STATE_ENDING)) != 0;
}

/**
 * quire_mapping_get_memory: (skip)
 * @mapping: a mapping that has not ended
 *
 * Tells the block that is mapped.
 *
 * Returns: (transfer none): the block
 *
 * Since: 1.0
 */
QuireMemory *
quire_mapping_get_memory (QuireMapping *mapping)
{
  g_return_val_if_fail (mapping != NULL, NULL);

  return mapping->info.memory;
}

/**
 * quire_mapping_dup_memory: (rename-to quire_mapping_get_memory)
 * @mapping: a mapping
 *
 * Gives the block that is mapped.
 *
 * Returns: (transfer full) (nullable): the block; %NULL if the mapping has ended
 *   and the block is gone
 *
 * Since: 1.0
 */
QuireMemory *
quire_mapping_dup_memory (QuireMapping *mapping)
{
  g_return_val_if_fail (mapping != NULL, NULL);

  return quire_memory_try_ref (mapping->info.memory) ? mapping->info.memory : NULL;
}

/**
 * quire_mapping_get_flags:
 * @mapping: a mapping
 *
 * Tells how the block is mapped.
 *
 * Returns: the flags
 *
 * Since: 1.0
 */
QuireMapFlags
quire_mapping_get_flags (QuireMapping *mapping)
{
  g_return_val_if_fail (mapping != NULL, QUIRE_MAP_NONE);

  return mapping->info.flags;
}

/**
 * quire_mapping_get_size:
 * @mapping: a mapping
 *
 * Tells how much is mapped.
 *
 * Returns: the size of the data in bytes
 *
 * Since: 1.0
 */
gsize
quire_mapping_get_size (QuireMapping *mapping)
{
  g_return_val_if_fail (mapping != NULL, 0);

  return mapping->info.size;
}

/**
 * quire_mapping_get_maxsize:
 * @mapping: a mapping
 *
 * Tells how much there is from the start of the data to the end of the block.
 *
 * Returns: the size in bytes
 *
 * Since: 1.0
 */
gsize
quire_mapping_get_maxsize (QuireMapping *mapping)
{
  g_return_val_if_fail (mapping != NULL, 0);

  return mapping->info.maxsize;
}

const QuireMapInfo *
quire_mapping_peek_info (QuireMapping *mapping)
{
  return &mapping->info;
}

static gboolean
set_ended (QuireMapping *mapping,
           GError      **error)
{
  g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_CLOSED,
               "The mapping of %" G_GSIZE_FORMAT " bytes has ended",
               mapping->info.size);
  return FALSE;
}

/* Where the data is, at an address that a script may keep. */
static guint8 *
find_view_data (QuireMapping *mapping)
{
  guint8 *data;

  if (G_LIKELY (mapping->info.memory->base != NULL))
    return mapping->info.data;

  data = __atomic_load_n (&mapping->view_data, __ATOMIC_ACQUIRE);
  if (data == NULL)
    {
      data = quire_kept_address (&mapping->info, &mapping->given_away);
      __atomic_store_n (&mapping->view_data, data, __ATOMIC_RELEASE);
    }
  return data;
}

/**
 * quire_mapping_acquire_view: (skip)
 * @mapping: a mapping
 * @data: (out): the data
 * @error: return location for an error
 *
 * Counts a view, for a binding whose language tells it when a view goes. While
 * there is one, the mapping can't be unmapped. A view has a reference on the
 * mapping.
 *
 * The address stays good, with the protection that it has, until the block is freed: a
 * script may keep it without the view, as numpy does. For that the block of an allocator
 * that maps and unmaps keeps the first map of each kind: to read, to write, to do both.
 *
 * When the mapping has ended, it is refused with %QUIRE_MEMORY_ERROR_CLOSED.
 *
 * Returns: %TRUE if the view is counted
 *
 * Since: 1.0
 */
gboolean
quire_mapping_acquire_view (QuireMapping *mapping,
                            guint8      **data,
                            GError      **error)
{
  guint state;

  g_return_val_if_fail (mapping != NULL, FALSE);
  g_return_val_if_fail (data != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  state = quire_atomic_load_relaxed (&mapping->state);
  do
    {
      if (state & (STATE_RELEASED | STATE_ENDING))
        return set_ended (mapping, error);
    }
  while (!quire_atomic_cas_acq_rel (&mapping->state, &state, state + 1));

  quire_mapping_ref (mapping);
  *data = find_view_data (mapping);
  return TRUE;
}

/**
 * quire_mapping_release_view: (skip)
 * @mapping: (transfer full): a mapping
 *
 * Ends a view of [method@Mapping.acquire_view].
 *
 * Since: 1.0
 */
void
quire_mapping_release_view (QuireMapping *mapping)
{
  guint state, next;

  g_return_if_fail (mapping != NULL);

  state = quire_atomic_load_relaxed (&mapping->state);
  do
    {
      g_return_if_fail ((state & STATE_VIEWS) != 0);
      next = state - 1;
      if (next == STATE_ENDING)
        next = STATE_RELEASED;
    }
  while (!quire_atomic_cas_acq_rel (&mapping->state, &state, next));

  if (next == STATE_RELEASED)
    end_lock (mapping);
  quire_mapping_unref (mapping);
}

/**
 * quire_mapping_view_bytes:
 * @mapping: a mapping
 * @error: return location for an error
 *
 * Gives the data as bytes that *are* the data, for a binding whose language makes
 * views of nothing else. They keep it in place, but take no lock: the mapping
 * ends when it is told to, and what they show may change. For bytes that stay as
 * they are there is [method@Memory.try_to_bytes].
 *
 * When the mapping has ended, it is refused with %QUIRE_MEMORY_ERROR_CLOSED.
 *
 * Returns: (transfer full): the bytes
 *
 * Since: 1.0
 */
GBytes *
quire_mapping_view_bytes (QuireMapping *mapping,
                          GError      **error)
{
  QuireMemory *memory;
  GBytes *bytes;

  g_return_val_if_fail (mapping != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (quire_mapping_is_released (mapping))
    {
      set_ended (mapping, error);
      return NULL;
    }

  memory = mapping->info.memory;
  bytes = quire_bytes_get_original (memory, memory->maxsize - mapping->info.maxsize, mapping->info.size);
  if (bytes != NULL)
    return bytes;

  return g_bytes_new_with_free_func (mapping->info.data, mapping->info.size,
                                     (GDestroyNotify) quire_mapping_unref,
                                     quire_mapping_ref (mapping));
}
