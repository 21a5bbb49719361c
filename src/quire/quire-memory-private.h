/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-memory.h"

#include "quire-atomic-private.h"

G_BEGIN_DECLS

/* Flags of a block that are nobody else's business: the bits between the
 * public ones and QUIRE_MEMORY_FLAG_LAST. They are set before anybody else can
 * see the block, and never change. Of all flags, only READONLY may come later. */
enum
{
  /* The stand-in of a handle that was closed: refuses everything. */
  QUIRE_MEMORY_INTERNAL_CLOSED  = 1 << 8,
  /* Made by the library, not by its allocator: a share that maps as the parent does, which
   * keeps the allocator for it, and is freed with free(). */
  QUIRE_MEMORY_INTERNAL_WINDOW  = 1 << 9,
  /* Stands in the count of shares of its parent. */
  QUIRE_MEMORY_INTERNAL_SHARE   = 1 << 10,
  /* Begins with a QuireOverlay: its data is that of another block. */
  QUIRE_MEMORY_INTERNAL_OVERLAY = 1 << 11,
  /* An overlay that quire_allocator_try_bind() made. Of the functions that an allocator
   * has for blocks of its own none is called for it, nor for its shares. */
  QUIRE_MEMORY_INTERNAL_BOUND   = 1 << 12,
  /* Over a descriptor for which each map has something to look at, or to tell: it has no
   * base, though its address never changes. An overlay has this from the block below. */
  QUIRE_MEMORY_INTERNAL_WATCHED = 1 << 13,
  /* What is copied out of it into a new block shall be in one of the same allocator.
   * Shares and overlays have this from their block. */
  QUIRE_MEMORY_INTERNAL_SECRET  = 1 << 15,

  QUIRE_MEMORY_INTERNAL_MASK    = 0xff00,
};

/* Bits of QuireMemoryFlags that mean nothing, or nothing that a caller may ask for. */
#define QUIRE_MEMORY_UNKNOWN_FLAGS \
  ((QUIRE_MEMORY_FLAG_LAST - 1) & ~((QUIRE_MEMORY_FLAG_NOT_MAPPABLE << 1) - 1))

/* Added to the reference count of a block that is dead while its storage is
 * still pinned, so that no count of late comers brings it back to life. */
#define QUIRE_MEMORY_DEAD    (G_MININT / 2)
/* The same for one that was retired while its last reference is still held: that
 * one counts as the pin. */
#define QUIRE_MEMORY_RETIRED (QUIRE_MEMORY_DEAD / 2)

void     quire_memory_unpin         (QuireMemory       *memory);
gboolean quire_memory_retire_with   (QuireMemory       *memory);
void     quire_memory_init_internal (QuireMemory       *memory,
                                     guint              internal,
                                     gpointer           base);
gboolean quire_memory_refuse_access (QuireMemory       *memory,
                                     GError           **error) __attribute__ ((cold));
gboolean quire_memory_check_flags   (QuireMemoryFlags   flags,
                                     GError           **error);
void     quire_memory_set_closed    (GError           **error);

/*
 * quire_memory_set_up:
 * @flags: internal ones too
 * @base: the start of the block, if its address never changes; else %NULL
 *
 * What quire_memory_init() does, without its checks and its references.
 */
static inline void
quire_memory_set_up (QuireMemory    *memory,
                     guint           flags,
                     QuireAllocator *allocator,
                     QuireMemory    *parent,
                     gsize           maxsize,
                     gsize           align,
                     gsize           offset,
                     gsize           size,
                     gpointer        base)
{
  /* Not as one assignment, of which gcc makes `rep stos`: that takes longer than malloc(). */
  memory->ref_count = 1;
  memory->flags = flags;
  memory->lock = 0;
  memory->allocator = allocator;
  memory->parent = parent;
  memory->maxsize = maxsize;
  memory->align = align;
  memory->offset = offset;
  memory->size = size;
  memory->base = base;
  memory->qdata = NULL;
  memory->pins = 1;
  memory->held = 0;
}

/*
 * quire_memory_pin:
 *
 * Keeps the storage of a block (struct and data) in place after the last
 * reference has gone: for addresses that a script may still hold. A pin is no
 * reference: it keeps no share alive, and weak notifies run without regard to
 * it. The caller has a reference, or a pin.
 */
static inline QuireMemory *
quire_memory_pin (QuireMemory *memory)
{
  quire_atomic_add_relaxed (&memory->pins, 1);
  return memory;
}

/*
 * quire_memory_try_ref:
 *
 * A reference for a caller who has no more than a pin, or whose reference may
 * be closed by another thread. FALSE if the block is dead.
 */
static inline gboolean
quire_memory_try_ref (QuireMemory *memory)
{
  int count = quire_atomic_load_relaxed (&memory->ref_count);

  do
    {
      if (G_UNLIKELY (count <= 0))
        return FALSE;
    }
  while (!quire_atomic_cas_acq_rel (&memory->ref_count, &count, count + 1));

  return TRUE;
}

/* Any of these flags, internal ones among them. */
static inline gboolean
quire_memory_has_flags (QuireMemory *memory,
                        guint        flags)
{
  return (quire_atomic_load_relaxed (&memory->flags) & flags) != 0;
}

/*
 * quire_memory_check_access:
 *
 * Whether the flags of the block let it be read, or written.
 */
static inline gboolean
quire_memory_check_access (QuireMemory  *memory,
                           QuireMapFlags flags,
                           GError      **error)
{
  const guint forbids = (flags & QUIRE_MAP_WRITE)
                          ? QUIRE_MEMORY_INTERNAL_CLOSED | QUIRE_MEMORY_FLAG_READONLY
                          : (guint) QUIRE_MEMORY_INTERNAL_CLOSED;

  if (G_LIKELY (!quire_memory_has_flags (memory, forbids)))
    return TRUE;

  return quire_memory_refuse_access (memory, error);
}

/*
 * quire_memory_get_window:
 *
 * The offset and the size of the valid range.
 *
 * A resize in another thread writes the two one after the other. Each is within
 * the block at any time; that their sum is so too is seen to here. So the worst
 * that such a race gives is a window that nobody asked for, but never one
 * outside the block. Now offset <= offset + size <= maxsize.
 */
static inline void
quire_memory_get_window (QuireMemory *memory,
                         gsize       *offset,
                         gsize       *size)
{
  const gsize o = quire_atomic_load_relaxed (&memory->offset);
  const gsize s = quire_atomic_load_relaxed (&memory->size);

  *offset = o;
  *size = MIN (s, memory->maxsize - o);
}

static inline void
quire_memory_set_window (QuireMemory *memory,
                         gsize        offset,
                         gsize        size)
{
  quire_atomic_store_relaxed (&memory->offset, offset);
  quire_atomic_store_relaxed (&memory->size, size);
}

G_END_DECLS
