/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-merge.h"

#include "quire-allocator.h"
#include "quire-binding.h"
#include "quire-content.h"
#include "quire-copy-private.h"
#include "quire-error.h"
#include "quire-map-info.h"
#include "quire-memory-private.h"
#include "quire-share-private.h"
#include "quire-sizes.h"

/* Adds the sizes up, and finds out whether each block lies right after the one before it.
 * One look at each block does for both. */
static gboolean
look_at_all (QuireMemory * const *memories,
             gsize                n_memories,
             gsize               *total,
             gboolean            *is_span,
             GError             **error)
{
  gsize sum = 0;
  gboolean span = n_memories > 1;

  for (gsize i = 0; i < n_memories; i++)
    {
      gsize offset, size;

      /* Scripts can put nothing at all in a list. */
      if (G_UNLIKELY (memories[i] == NULL))
        {
          g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
                       "Of the %" G_GSIZE_FORMAT " blocks to merge, number %" G_GSIZE_FORMAT " is none",
                       n_memories, i);
          return FALSE;
        }

      quire_memory_get_window (memories[i], &offset, &size);
      if (G_UNLIKELY (!g_size_checked_add (&sum, sum, size)))
        {
          g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_TOO_LARGE,
                       "The %" G_GSIZE_FORMAT " blocks to merge are together beyond %" G_GSIZE_FORMAT " bytes",
                       n_memories, G_MAXSIZE);
          return FALSE;
        }

      if (span && i > 0)
        span = quire_share_is_followed (memories[i - 1], memories[i]);
    }

  *total = sum;
  *is_span = span;
  return TRUE;
}

static QuireMemory *
merge_copy (QuireMemory * const *memories,
            gsize                n_memories,
            gsize                total,
            GError             **error)
{
  g_autoptr (QuireMemory) merged = NULL;
  QuireAllocator *allocator = NULL;
  gsize position = 0;

  /* If one of them is secret, all of it is. */
  for (gsize i = 0; i < n_memories && allocator == NULL; i++)
    allocator = quire_copy_find_allocator (memories[i]);

  merged = quire_allocator_try_alloc (allocator, total, NULL, error);
  if (merged == NULL)
    return NULL;

  for (gsize i = 0; i < n_memories; i++)
    {
      g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;

      if (!quire_memory_map_full (memories[i], &info, QUIRE_MAP_READ, error) ||
          !quire_memory_try_write (merged, position, info.data, info.size, error))
        return NULL;
      position += info.size;
    }

  /* Who resized one meanwhile gets what was there to be had. */
  if (position < total && !quire_memory_try_resize (merged, 0, position, error))
    return NULL;

  return g_steal_pointer (&merged);
}

/* One block is merged already; but its handle may be closed, or just being so by
 * another thread. */
static QuireMemory *
ref_open (QuireMemory *memory,
          GError     **error)
{
  if (!quire_memory_is_closed (memory) && quire_memory_try_ref (memory))
    return memory;

  quire_memory_set_closed (error);
  return NULL;
}

/**
 * quire_memory_merge: (skip)
 * @first: a block
 * @second: another
 *
 * Makes one block of two. [method@Memory.try_merge] also tells how, and why it
 * fails.
 *
 * Returns: (transfer full) (nullable): the merged block, or %NULL
 *
 * Since: 1.0
 */
QuireMemory *
quire_memory_merge (QuireMemory *first,
                    QuireMemory *second)
{
  return quire_memory_try_merge (first, second, NULL, NULL);
}

/**
 * quire_memory_try_merge: (rename-to quire_memory_merge)
 * @first: a block
 * @second: another
 * @copied: (out) (optional): how many bytes had to be copied; 0 for a span
 * @error: return location for an error
 *
 * Makes one block of two, the data of @second after that of @first. A span
 * ([method@Memory.is_span]) becomes a share of the same parent, at once and
 * without a copy; anything else is copied into a new block of the default
 * allocator, or, if one of the two is of a [class@SecureAllocator], of that.
 *
 * The errors are those of [method@Memory.try_share], or of [ctor@Memory.try_new]
 * and [method@Memory.try_map].
 *
 * Returns: (transfer full): the merged block
 *
 * Since: 1.0
 */
QuireMemory *
quire_memory_try_merge (QuireMemory *first,
                        QuireMemory *second,
                        gsize       *copied,
                        GError     **error)
{
  QuireMemory * const memories[] = { first, second };

  return quire_memory_merge_list (memories, G_N_ELEMENTS (memories), copied, error);
}

/**
 * quire_memory_merge_list:
 * @memories: (array length=n_memories): blocks
 * @n_memories: how many
 * @copied: (out) (optional): how many bytes had to be copied; 0 for a span
 * @error: return location for an error
 *
 * Makes one block of many, their data one after the other, as
 * [method@Memory.try_merge] does of two. If each lies right after the one before
 * it, nothing is copied. One block alone is given back as it is, and none at all
 * make an empty block. The time it takes is linear.
 *
 * The errors are those of [method@Memory.try_merge], %QUIRE_MEMORY_ERROR_CLOSED,
 * %QUIRE_MEMORY_ERROR_TOO_LARGE if the sum is, and %QUIRE_MEMORY_ERROR_NOT_SUPPORTED if
 * one of them is none.
 *
 * Returns: (transfer full): the merged block
 *
 * Since: 1.0
 */
QuireMemory *
quire_memory_merge_list (QuireMemory * const *memories,
                         gsize                n_memories,
                         gsize               *copied,
                         GError             **error)
{
  QuireMemory *merged;
  gboolean is_span;
  gsize total;

  g_return_val_if_fail (memories != NULL || n_memories == 0, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (copied != NULL)
    *copied = 0;

  if (!look_at_all (memories, n_memories, &total, &is_span, error))
    return NULL;

  if (n_memories == 1)
    return ref_open (memories[0], error);
  if (is_span)
    return quire_share_new (memories[0], quire_atomic_load_relaxed (&memories[0]->offset),
                            total, error);

  merged = merge_copy (memories, n_memories, total, error);
  if (merged != NULL && copied != NULL)
    *copied = quire_memory_get_sizes (merged, NULL, NULL);

  return merged;
}
