/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-memory.h"

#include <stdlib.h>

#include "quire-allocator.h"
#include "quire-bound-private.h"
#include "quire-error.h"
#include "quire-kept-private.h"
#include "quire-lock-private.h"
#include "quire-map-info.h"
#include "quire-memory-private.h"
#include "quire-notify-private.h"
#include "quire-overlay-private.h"
#include "quire-range-private.h"
#include "quire-system-allocator-private.h"

/**
 * QuireMemory:
 *
 * A block of memory: counted, lockable, shareable, from some
 * [class@Allocator].
 *
 * A block has `maxsize` bytes. Of these, `size` bytes at `offset` are its data,
 * the valid range that a map shows; what is before is the prefix, what is after
 * the padding. [method@Memory.resize] moves the range and never the data.
 *
 * The data is reached by a map ([method@Memory.map]), which is a lock too: see
 * [flags@MapFlags] for what goes with what. [method@Memory.share] makes a
 * read-only window of a block without a copy. While a share lives nobody writes
 * the block, so what it shows does not change.
 *
 * References may be held and dropped on any thread, and every function is
 * thread-safe unless it says otherwise. What a map shows is guarded by the lock
 * only.
 *
 * C programs that implement an allocator embed the struct as the first member of
 * their own; they may read `allocator`, `parent`, `maxsize`, `align`, `offset`
 * and `size`.
 *
 * The vocabulary is that of GStreamer's
 * [GstMemory](https://gstreamer.freedesktop.org/documentation/gstreamer/gstmemory.html).
 *
 * Since: 1.0
 */

G_STATIC_ASSERT (G_STRUCT_OFFSET (QuireMemory, lock) == 8);
G_STATIC_ASSERT (GLIB_SIZEOF_VOID_P != 8 || G_STRUCT_OFFSET (QuireMemory, base) == 64);

G_DEFINE_BOXED_TYPE (QuireMemory, quire_memory, quire_memory_ref, quire_memory_unref)

/**
 * quire_memory_init: (skip)
 * @memory: the first member of an allocator's own struct
 * @flags: flags of the block
 * @allocator: the allocator
 * @parent: (nullable): the block that this one is a share of, or %NULL
 * @maxsize: size of the whole block in bytes
 * @align: how the data is aligned, as a mask
 * @offset: where the data begins, from the start of the block
 * @size: size of the data in bytes
 *
 * Sets up a block, with one reference, for who implements an allocator. It takes
 * references on @allocator and @parent.
 *
 * The block must be complete before anyone else sees it. This function is not
 * thread-safe.
 *
 * Since: 1.0
 */
void
quire_memory_init (QuireMemory     *memory,
                   QuireMemoryFlags flags,
                   QuireAllocator  *allocator,
                   QuireMemory     *parent,
                   gsize            maxsize,
                   gsize            align,
                   gsize            offset,
                   gsize            size)
{
  g_return_if_fail (memory != NULL);
  g_return_if_fail ((flags & QUIRE_MEMORY_UNKNOWN_FLAGS) == 0);
  g_return_if_fail (allocator != NULL);
  g_return_if_fail (maxsize <= G_MAXSSIZE);
  g_return_if_fail (quire_align_is_mask (align));
  g_return_if_fail (offset <= maxsize && size <= maxsize - offset);

  quire_memory_set_up (memory, flags, allocator, parent, maxsize, align, offset, size, NULL);
  /* Only what an allocator frees is asked for it. */
  memory->kept = NULL;

  if (!quire_system_allocator_is (allocator))
    g_object_ref (allocator);
  if (parent != NULL)
    quire_memory_ref (parent);
}

/* What only the library does: internal flags, and for a block whose address never
 * changes the start of the block, not of its data, so that a map of it is a lock and
 * nothing more. */
void
quire_memory_init_internal (QuireMemory *memory,
                            guint        internal,
                            gpointer     base)
{
  memory->flags |= internal;
  memory->base = base;
}

/* A share is gone: so is what it meant to its parent. */
static inline void
drop_parent (QuireMemory *parent,
             gboolean     is_share,
             gboolean     retired)
{
  if (G_UNLIKELY (retired))
    {
      quire_memory_unpin (parent);
      return;
    }

  if (is_share)
    quire_lock_drop_share (parent);
  quire_memory_unref (parent);
}

/* A block that its allocator frees. */
static __attribute__ ((noinline)) void
free_by_allocator (QuireMemory *memory,
                   gboolean     retired)
{
  QuireAllocator *allocator = memory->allocator;
  QuireAllocatorClass *klass = QUIRE_ALLOCATOR_GET_CLASS (allocator);
  QuireMemory *parent = memory->parent;
  const gboolean is_share = quire_memory_has_flags (memory, QUIRE_MEMORY_INTERNAL_SHARE);

  if (memory->kept != NULL)
    quire_kept_end (memory);
  if (quire_memory_has_flags (memory, QUIRE_MEMORY_INTERNAL_BOUND))
    quire_bound_free (memory);
  else if (klass->free != NULL)
    klass->free (allocator, memory);
  else
    g_critical ("The allocator %s does not say how to free its blocks",
                quire_allocator_get_mem_type (allocator));

  if (parent != NULL)
    drop_parent (parent, is_share, retired);
  if (!quire_system_allocator_is (allocator))
    g_object_unref (allocator);
}

/* Struct and data go. The parent, if any, is held by a reference; when the block
 * was retired before, by a pin. */
static inline void
memory_free (QuireMemory *memory,
             gboolean     retired)
{
  QuireMemory *parent = memory->parent;

  if (quire_memory_has_flags (memory, QUIRE_MEMORY_INTERNAL_WINDOW))
    {
      free (memory);
      drop_parent (parent, TRUE, retired);
    }
  else if (G_LIKELY (parent == NULL && quire_system_allocator_is (memory->allocator)))
    {
      quire_system_allocator_drop (memory);
    }
  else
    {
      free_by_allocator (memory, retired);
    }
}

/* What the block meant to others ends, what is at its address stays: of its parent
 * too. */
static void
memory_retire (QuireMemory *memory)
{
  QuireMemory *parent = memory->parent;

  if (parent == NULL)
    return;

  quire_memory_pin (parent);
  if (quire_memory_has_flags (memory, QUIRE_MEMORY_INTERNAL_SHARE))
    quire_lock_drop_share (parent);
  quire_memory_unref (parent);
}

/* The last reference has gone; what is not the plain case, which quire_memory_unref()
 * deals with. */
static __attribute__ ((noinline)) void
memory_dispose (QuireMemory *memory)
{
  if (memory->qdata != NULL)
    quire_notify_run (memory);

  /* One pin is that of the references together; nobody can add another one any
   * more. */
  if (G_LIKELY (quire_atomic_load_acquire (&memory->pins) == 1))
    {
      memory_free (memory, FALSE);
    }
  else
    {
      quire_atomic_add_relaxed (&memory->ref_count, QUIRE_MEMORY_DEAD);
      memory_retire (memory);
      quire_memory_unpin (memory);
    }
}

/*
 * quire_memory_retire_with:
 *
 * If the caller's reference and one more are all there are, drops the caller's, and the
 * block dies as if the other one were dropped too; the storage stays until it is, by
 * quire_memory_unref(). Otherwise nothing happens.
 */
gboolean
quire_memory_retire_with (QuireMemory *memory)
{
  int count = 2;

  /* The other reference may go while we are at it. */
  quire_memory_pin (memory);
  while (!quire_atomic_cas_acq_rel (&memory->ref_count, &count, QUIRE_MEMORY_RETIRED + 1))
    {
      if (count != 2)
        {
          quire_memory_unpin (memory);
          return FALSE;
        }
    }

  if (memory->qdata != NULL)
    quire_notify_run (memory);
  memory_retire (memory);
  quire_memory_unpin (memory);
  return TRUE;
}

/* Drops a pin. The last one goes only after the last reference. */
void
quire_memory_unpin (QuireMemory *memory)
{
  if (quire_atomic_sub_acq_rel (&memory->pins, 1) == 1)
    memory_free (memory, TRUE);
}

/**
 * quire_memory_ref: (skip)
 * @memory: a block
 *
 * Takes a reference.
 *
 * This function is thread-safe. Budget of atomic operations: 1.
 *
 * Returns: (transfer full): @memory
 *
 * Since: 1.0
 */
QuireMemory *
quire_memory_ref (QuireMemory *memory)
{
  g_return_val_if_fail (memory != NULL, NULL);

  quire_atomic_add_relaxed (&memory->ref_count, 1);
  return memory;
}

/**
 * quire_memory_unref: (skip)
 * @memory: (transfer full): a block
 *
 * Drops a reference. With the last one the block is freed, and its allocator
 * may have work to do.
 *
 * This function is thread-safe. Budget of atomic operations: 1, and none for the
 * last reference: nothing makes a reference out of none.
 *
 * Since: 1.0
 */
void
quire_memory_unref (QuireMemory *memory)
{
  int count;

  g_return_if_fail (memory != NULL);

  /* Who has the only reference is alone, unless the storage is pinned: then a call that
   * was given the block before its handle was closed may come for a reference yet. */
  if (quire_atomic_load_acquire (&memory->ref_count) == 1 &&
      quire_atomic_load_acquire (&memory->pins) == 1)
    {
      if (G_LIKELY (memory->qdata == NULL))
        memory_free (memory, FALSE);
      else
        memory_dispose (memory);
      return;
    }

  count = quire_atomic_sub_acq_rel (&memory->ref_count, 1);
  if (count == 1)
    memory_dispose (memory);
  else if (G_UNLIKELY (count == QUIRE_MEMORY_RETIRED + 1))
    quire_memory_unpin (memory);
}

/**
 * quire_memory_replace: (skip)
 * @old_memory: (inout) (nullable): where a block or %NULL stands
 * @new_memory: (nullable) (transfer none): what shall stand there
 *
 * Puts another block in the place of one, with a reference of its own, and drops
 * the reference on the old one. Threads may compete for the place.
 *
 * Returns: %TRUE if @new_memory is another than stood there
 *
 * Since: 1.0
 */
gboolean
quire_memory_replace (QuireMemory **old_memory,
                      QuireMemory  *new_memory)
{
  g_return_val_if_fail (old_memory != NULL, FALSE);

  if (new_memory != NULL)
    quire_memory_ref (new_memory);

  return quire_memory_take (old_memory, new_memory);
}

/**
 * quire_memory_take: (skip)
 * @old_memory: (inout) (nullable): where a block or %NULL stands
 * @new_memory: (nullable) (transfer full): what shall stand there
 *
 * As [func@Memory.replace], but takes the caller's reference.
 *
 * Returns: %TRUE if @new_memory is another than stood there
 *
 * Since: 1.0
 */
gboolean
quire_memory_take (QuireMemory **old_memory,
                   QuireMemory  *new_memory)
{
  QuireMemory *previous;

  g_return_val_if_fail (old_memory != NULL, FALSE);

  previous = __atomic_exchange_n (old_memory, new_memory, __ATOMIC_ACQ_REL);
  if (previous != NULL)
    quire_memory_unref (previous);

  return previous != new_memory;
}

/**
 * quire_memory_steal: (skip)
 * @old_memory: (inout) (nullable): where a block or %NULL stands
 *
 * Takes a block out of its place, where then %NULL stands, with its reference.
 *
 * Returns: (transfer full) (nullable): the block that stood there
 *
 * Since: 1.0
 */
QuireMemory *
quire_memory_steal (QuireMemory **old_memory)
{
  g_return_val_if_fail (old_memory != NULL, NULL);

  return __atomic_exchange_n (old_memory, NULL, __ATOMIC_ACQ_REL);
}

/* Whether a caller may ask for these flags. */
gboolean
quire_memory_check_flags (QuireMemoryFlags flags,
                          GError         **error)
{
  if (G_LIKELY ((flags & QUIRE_MEMORY_UNKNOWN_FLAGS) == 0))
    return TRUE;

  g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
               "The flags 0x%x have bits that mean nothing", (guint) flags);
  return FALSE;
}

void
quire_memory_set_closed (GError **error)
{
  g_set_error_literal (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_CLOSED,
                       "The handle of the block was closed");
}

/* Says why quire_memory_check_access() does not. */
gboolean
quire_memory_refuse_access (QuireMemory *memory,
                            GError     **error)
{
  if (quire_memory_has_flags (memory, QUIRE_MEMORY_INTERNAL_CLOSED))
    quire_memory_set_closed (error);
  else
    g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_READ_ONLY,
                 "The block of %" G_GSIZE_FORMAT " bytes is read-only",
                 quire_atomic_load_relaxed (&memory->size));
  return FALSE;
}

/**
 * quire_memory_get_flags:
 * @memory: a block
 *
 * Tells the flags of the block. They never change, but that a block becomes
 * read-only when it is sealed against writing ([method@Memory.try_add_seals]).
 *
 * Returns: the flags
 *
 * Since: 1.0
 */
QuireMemoryFlags
quire_memory_get_flags (QuireMemory *memory)
{
  g_return_val_if_fail (memory != NULL, QUIRE_MEMORY_FLAG_NONE);

  return (QuireMemoryFlags) (quire_atomic_load_relaxed (&memory->flags) & ~(guint) QUIRE_MEMORY_INTERNAL_MASK);
}

/**
 * quire_memory_get_align:
 * @memory: a block
 *
 * Tells how the data was aligned when the block was made. A
 * [method@Memory.resize], or a share from the midst of it, may begin elsewhere;
 * [method@Memory.is_aligned] looks at where the data is.
 *
 * Returns: the alignment as a mask, in bytes less 1; 0 if nothing is known
 *
 * Since: 1.0
 */
gsize
quire_memory_get_align (QuireMemory *memory)
{
  g_return_val_if_fail (memory != NULL, 0);

  return memory->align;
}

/**
 * quire_memory_is_aligned:
 * @memory: a block
 * @align: an alignment as a mask, in bytes less 1
 *
 * Tells whether the data begins at a multiple of an alignment. The address
 * itself is not told to scripts.
 *
 * Returns: %TRUE if it does; %FALSE if it does not, if @align is no mask, or if the
 *   address is not known without a map to read, and that is refused
 *
 * Since: 1.0
 */
gboolean
quire_memory_is_aligned (QuireMemory *memory,
                         gsize        align)
{
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;
  QuireMemory *block;
  gconstpointer base;
  guintptr address;

  g_return_val_if_fail (memory != NULL, FALSE);

  if (!quire_align_is_mask (align))
    return FALSE;

  block = quire_memory_has_flags (memory, QUIRE_MEMORY_INTERNAL_WINDOW) ? memory->parent : memory;
  base = quire_memory_has_flags (block, QUIRE_MEMORY_INTERNAL_OVERLAY)
           ? quire_overlay_get_start ((QuireOverlay *) block)
           : memory->base;
  if (base != NULL)
    address = (guintptr) base + quire_atomic_load_relaxed (&memory->offset);
  else if (quire_memory_map (memory, &info, QUIRE_MAP_READ))
    address = (guintptr) info.data;
  else
    return FALSE;

  return (address & align) == 0;
}

/**
 * quire_memory_get_allocator:
 * @memory: a block
 *
 * Tells the allocator of the block.
 *
 * Returns: (transfer none): the allocator
 *
 * Since: 1.0
 */
QuireAllocator *
quire_memory_get_allocator (QuireMemory *memory)
{
  g_return_val_if_fail (memory != NULL, NULL);

  return memory->allocator;
}

/**
 * quire_memory_get_parent: (skip)
 * @memory: a block
 *
 * Tells the block that this one is a share of. A share of a share has the same
 * parent.
 *
 * Returns: (transfer none) (nullable): the parent, or %NULL
 *
 * Since: 1.0
 */
QuireMemory *
quire_memory_get_parent (QuireMemory *memory)
{
  g_return_val_if_fail (memory != NULL, NULL);

  return memory->parent;
}

/**
 * quire_memory_dup_parent: (rename-to quire_memory_get_parent)
 * @memory: a block
 *
 * Gives the block that this one is a share of. A share of a share has the same
 * parent.
 *
 * Returns: (transfer full) (nullable): the parent, or %NULL
 *
 * Since: 1.0
 */
QuireMemory *
quire_memory_dup_parent (QuireMemory *memory)
{
  g_return_val_if_fail (memory != NULL, NULL);

  if (memory->parent == NULL || !quire_memory_try_ref (memory->parent))
    return NULL;

  return memory->parent;
}

/**
 * quire_memory_is_type:
 * @memory: a block
 * @mem_type: a type, as `system`
 *
 * Tells whether the block comes from an allocator of this type.
 *
 * Returns: whether it does
 *
 * Since: 1.0
 */
gboolean
quire_memory_is_type (QuireMemory *memory,
                      const char  *mem_type)
{
  g_return_val_if_fail (memory != NULL, FALSE);
  g_return_val_if_fail (mem_type != NULL, FALSE);

  return g_str_equal (quire_allocator_get_mem_type (memory->allocator), mem_type);
}
