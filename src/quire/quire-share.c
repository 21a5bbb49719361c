/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-share.h"

#include <stdlib.h>

#include "quire-allocator.h"
#include "quire-error.h"
#include "quire-lock-private.h"
#include "quire-memory-private.h"
#include "quire-range-private.h"
#include "quire-share-private.h"

/* What a share has of its root's flags, besides READONLY. Prefix and padding of
 * a share are the root's data; who knows whether they are zero. */
#define NOT_INHERITED \
  (QUIRE_MEMORY_FLAG_ZERO_PREFIXED | QUIRE_MEMORY_FLAG_ZERO_PADDED | \
   (QUIRE_MEMORY_INTERNAL_MASK & ~QUIRE_MEMORY_INTERNAL_SECRET))

static inline guint
share_flags (QuireMemory *root)
{
  return (quire_atomic_load_relaxed (&root->flags) & ~NOT_INHERITED) | QUIRE_MEMORY_FLAG_READONLY | QUIRE_MEMORY_INTERNAL_SHARE;
}

/* A window of a block whose allocator does not make its own. It takes over the
 * reference on the root, which keeps the allocator for both. */
static inline QuireMemory *
window_new (QuireMemory *root,
            gsize        start,
            gsize        size)
{
  QuireMemory *window = malloc (sizeof (QuireMemory));

  if (G_LIKELY (window != NULL))
    quire_memory_set_up (window, share_flags (root) | QUIRE_MEMORY_INTERNAL_WINDOW,
                         root->allocator, root, root->maxsize, root->align, start, size, root->base);

  return window;
}

/* An allocator's share that has another parent, or another range, than it was
 * asked for is of no use to anybody. */
static gboolean
check_share (QuireMemory *share,
             QuireMemory *root,
             gsize        start,
             gsize        size,
             GError     **error)
{
  if (share == NULL)
    g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED,
                 "The allocator %s gave no share of %" G_GSIZE_FORMAT " bytes",
                 quire_allocator_get_mem_type (root->allocator), size);
  else if (share->parent != root || share->offset != start || share->size != size)
    g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED,
                 "The allocator %s gave a share of %" G_GSIZE_FORMAT " bytes at %" G_GSIZE_FORMAT
                 " where %" G_GSIZE_FORMAT " bytes at %" G_GSIZE_FORMAT " of its block were asked for",
                 quire_allocator_get_mem_type (root->allocator),
                 share->size, share->offset, size, start);
  else
    return TRUE;

  return FALSE;
}

/* A share as the allocator makes it. It takes over the reference on the root, and the
 * count of the share. */
static __attribute__ ((noinline)) QuireMemory *
share_by_allocator (QuireMemory *root_ref,
                    gsize        start,
                    gsize        size,
                    GError     **error)
{
  g_autoptr (QuireMemory) root = root_ref;
  g_autoptr (QuireMemory) share = NULL;
  GError *local_error = NULL;

  share = QUIRE_ALLOCATOR_GET_CLASS (root->allocator)->mem_share (root, start, size, &local_error);
  if (local_error != NULL || !check_share (share, root, start, size, &local_error))
    {
      quire_lock_drop_share (root);
      g_propagate_error (error, local_error);
      return NULL;
    }
  /* One that the allocator gave before is counted already. */
  if (quire_memory_has_flags (share, QUIRE_MEMORY_INTERNAL_SHARE))
    quire_lock_drop_share (root);

  /* From here the share's own unref drops the count. */
  share->flags |= share_flags (root);
  return g_steal_pointer (&share);
}

/* Says why there can't be such a share, if it can't. */
static __attribute__ ((cold)) gboolean
refuse_share (QuireMemory *memory,
              QuireMemory *root,
              gsize        start,
              gsize        size,
              GError     **error)
{
  if (quire_memory_has_flags (memory, QUIRE_MEMORY_FLAG_NO_SHARE))
    g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SHAREABLE,
                 "The block of %" G_GSIZE_FORMAT " bytes can't be shared",
                 quire_atomic_load_relaxed (&memory->size));
  else
    g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_OUT_OF_RANGE,
                 "A share of %" G_GSIZE_FORMAT " bytes at %" G_GSIZE_FORMAT
                 " is beyond the %" G_GSIZE_FORMAT " bytes of the block",
                 size, start, root->maxsize);
  return FALSE;
}

static inline gboolean
check_shareable (QuireMemory *memory,
                 QuireMemory *root,
                 gsize        start,
                 gsize        size,
                 GError     **error)
{
  /* What callers resolved is within; but what an allocator takes for a span may not be. */
  if (G_LIKELY (!quire_memory_has_flags (memory, QUIRE_MEMORY_FLAG_NO_SHARE) &&
                start <= root->maxsize && size <= root->maxsize - start))
    return TRUE;

  return refuse_share (memory, root, start, size, error);
}

/*
 * quire_share_new:
 * @start: from the start of the block, where the other offsets are from the data
 *
 * The caller has seen that the handle is not closed. Budget of atomic operations:
 * 2, to keep the root and to count the share; its unref again 2.
 */
QuireMemory *
quire_share_new (QuireMemory *memory,
                 gsize        start,
                 gsize        size,
                 GError     **error)
{
  QuireMemory *root = memory->parent != NULL ? memory->parent : memory;
  QuireMemory *window;

  /* The root may be dead if another thread closes the handles that we were given. */
  if (G_UNLIKELY (!quire_memory_try_ref (root)))
    {
      quire_memory_set_closed (error);
      return NULL;
    }

  if (!check_shareable (memory, root, start, size, error) ||
      !quire_lock_take_share (root, error))
    {
      quire_memory_unref (root);
      return NULL;
    }

  if (G_UNLIKELY (root->base == NULL && !quire_memory_has_flags (root, QUIRE_MEMORY_INTERNAL_BOUND) &&
                  QUIRE_ALLOCATOR_GET_CLASS (root->allocator)->mem_share != NULL))
    return share_by_allocator (root, start, size, error);

  window = window_new (root, start, size);
  if (G_UNLIKELY (window == NULL))
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NO_SPACE,
                   "The system has no %" G_GSIZE_FORMAT " bytes for a share", sizeof (QuireMemory));
      quire_lock_drop_share (root);
      quire_memory_unref (root);
    }

  return window;
}

/**
 * quire_memory_share: (skip)
 * @memory: a block
 * @offset: where the share begins, in bytes from the data; may be negative, back
 *   into the prefix
 * @size: size of the share in bytes, or -1 for all to the end of the data
 *
 * Makes a read-only window of a block, without a copy.
 * [method@Memory.try_share] also says why it fails.
 *
 * Returns: (transfer full) (nullable): the share, or %NULL
 *
 * Since: 1.0
 */
QuireMemory *
quire_memory_share (QuireMemory *memory,
                    gssize       offset,
                    gssize       size)
{
  return quire_memory_try_share (memory, offset, size, NULL);
}

/**
 * quire_memory_try_share: (rename-to quire_memory_share)
 * @memory: a block
 * @offset: where the share begins, in bytes from the data; may be negative, back
 *   into the prefix
 * @size: size of the share in bytes, or -1 for all to the end of the data
 * @error: return location for an error
 *
 * Makes a read-only window of a block, without a copy.
 *
 * What a share shows does not change: while it lives nobody gets a map to write
 * the block, and while a map to write it stands there is no share. To look at a
 * piece of a block, or write it in place, slice a view instead.
 *
 * A share of a share is one of the same root, and keeps that alive.
 *
 * The errors are %QUIRE_MEMORY_ERROR_BUSY while somebody may write,
 * %QUIRE_MEMORY_ERROR_OUT_OF_RANGE, %QUIRE_MEMORY_ERROR_NOT_SHAREABLE,
 * %QUIRE_MEMORY_ERROR_CLOSED, and those of the allocator. This function is
 * thread-safe. Budget of atomic operations: 2.
 *
 * Returns: (transfer full): the share
 *
 * Since: 1.0
 */
QuireMemory *
quire_memory_try_share (QuireMemory *memory,
                        gssize       offset,
                        gssize       size,
                        GError     **error)
{
  gsize start, length;

  g_return_val_if_fail (memory != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!quire_memory_check_access (memory, QUIRE_MAP_READ, error) ||
      !quire_range_resolve (memory, "share", offset, size, &start, &length, error))
    return NULL;

  return quire_share_new (memory, start, length, error);
}

/*
 * quire_share_ask_allocator:
 *
 * Whether two shares of a parent that has no fixed address lie side by side.
 */
gboolean
quire_share_ask_allocator (QuireMemory *first,
                           QuireMemory *second)
{
  QuireAllocatorClass *klass = QUIRE_ALLOCATOR_GET_CLASS (first->parent->allocator);
  gsize first_offset, first_size, second_offset, second_size;

  if (klass->mem_is_span != NULL && !quire_memory_has_flags (first->parent, QUIRE_MEMORY_INTERNAL_BOUND))
    return klass->mem_is_span (first, second);

  quire_memory_get_window (first, &first_offset, &first_size);
  quire_memory_get_window (second, &second_offset, &second_size);

  return first_offset + first_size == second_offset;
}

/* @offset is 0 already. */
static inline gboolean
find_span (QuireMemory *first,
           QuireMemory *second,
           gssize      *offset)
{
  if (!quire_share_is_followed (first, second))
    return FALSE;

  if (offset != NULL)
    *offset = (gssize) (quire_atomic_load_relaxed (&first->offset) -
                        quire_atomic_load_relaxed (&first->parent->offset));

  return TRUE;
}

/**
 * quire_memory_is_span: (skip)
 * @first: a block
 * @second: another
 * @offset: (out) (optional): where the two together begin, as
 *   [method@Memory.find_span] tells; before the data of the parent, in its prefix, this
 *   is to be cast to `gssize`
 *
 * Tells whether two shares lie side by side in the same parent.
 *
 * Returns: whether they do; if not, @offset is 0
 *
 * Since: 1.0
 */
gboolean
quire_memory_is_span (QuireMemory *first,
                      QuireMemory *second,
                      gsize       *offset)
{
  if (offset != NULL)
    *offset = 0;

  g_return_val_if_fail (first != NULL, FALSE);
  g_return_val_if_fail (second != NULL, FALSE);

  return find_span (first, second, (gssize *) offset);
}

/**
 * quire_memory_find_span: (rename-to quire_memory_is_span)
 * @first: a block
 * @second: another
 * @offset: (out) (optional): where the two together begin, in bytes from the data of
 *   their parent, as [method@Memory.try_share] counts: negative in the prefix
 *
 * Tells whether two shares lie side by side in the same parent, the second right after
 * the first. Such a span merges without a copy.
 *
 * Returns: whether they do; if not, @offset is 0
 *
 * Since: 1.0
 */
gboolean
quire_memory_find_span (QuireMemory *first,
                        QuireMemory *second,
                        gssize      *offset)
{
  if (offset != NULL)
    *offset = 0;

  g_return_val_if_fail (first != NULL, FALSE);
  g_return_val_if_fail (second != NULL, FALSE);

  return find_span (first, second, offset);
}
