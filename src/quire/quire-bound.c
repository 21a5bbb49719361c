/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-bound-private.h"

#include <string.h>

#include "quire-allocation-params.h"
#include "quire-allocator-private.h"
#include "quire-error.h"
#include "quire-lock-private.h"
#include "quire-overlay-private.h"
#include "quire-upcall-private.h"

typedef struct _QuireBound QuireBound;

struct _QuireBound
{
  QuireOverlay overlay;

  /* What the allocator knows of it. */
  GObject     *state;
  /* Whether alloc() has given it to somebody. */
  gint         is_given;

  /* When it goes. */
  gboolean     is_cleared;
  QuireBound  *next;
};

/**
 * quire_allocator_bind: (skip)
 * @allocator: an allocator that has no function to free blocks
 * @backing: a block that has the data
 * @state: (nullable): what belongs to the new block
 *
 * Makes a block of the allocator over another one.
 * [method@Allocator.try_bind] also says why it fails.
 *
 * Returns: (transfer full) (nullable): the new block, or %NULL
 *
 * Since: 1.0
 */
QuireMemory *
quire_allocator_bind (QuireAllocator *allocator,
                      QuireMemory    *backing,
                      GObject        *state)
{
  return quire_allocator_try_bind (allocator, backing, state, NULL);
}

/**
 * quire_allocator_try_bind: (rename-to quire_allocator_bind)
 * @allocator: an allocator that has no function to free blocks
 * @backing: a block that has the data
 * @state: (nullable): what belongs to the new block, for
 *   [vfunc@Allocator.released]
 * @error: return location for an error
 *
 * Makes a block of the allocator over another one, as [vfunc@Allocator.alloc] gives it.
 *
 * The new block has the data, the prefix and the padding of @backing; of a share, what
 * it shows. It is read-only if @backing is. While it lives, nobody else can map
 * @backing, and there is a reference on it and on @state.
 *
 * The errors are those of a %QUIRE_MAP_UNIQUE map of @backing, to write if it is not
 * read-only, and %QUIRE_MEMORY_ERROR_NOT_SUPPORTED for an allocator that makes its
 * blocks itself. This function is thread-safe.
 *
 * Returns: (transfer full): the new block
 *
 * Since: 1.0
 */
QuireMemory *
quire_allocator_try_bind (QuireAllocator *allocator,
                          QuireMemory    *backing,
                          GObject        *state,
                          GError        **error)
{
  QuireBound *bound;
  QuireMemory *memory;

  g_return_val_if_fail (QUIRE_IS_ALLOCATOR (allocator), NULL);
  g_return_val_if_fail (backing != NULL, NULL);
  g_return_val_if_fail (state == NULL || G_IS_OBJECT (state), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (QUIRE_ALLOCATOR_GET_CLASS (allocator)->free != NULL)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
                   "The allocator %s makes its blocks itself and can't be bound to those of others",
                   quire_allocator_get_mem_type (allocator));
      return NULL;
    }

  bound = g_new0 (QuireBound, 1);
  if (!quire_overlay_init (&bound->overlay, allocator, backing, error))
    {
      g_free (bound);
      return NULL;
    }

  memory = &bound->overlay.memory;
  memory->flags |= QUIRE_MEMORY_INTERNAL_BOUND;
  if (quire_upcall_has_maps (allocator))
    memory->base = NULL;
  if (state != NULL)
    bound->state = g_object_ref (state);

  return memory;
}

/**
 * quire_allocator_get_state:
 * @allocator: an allocator
 * @memory: a block that it bound to itself, or a share of one
 *
 * Tells what [method@Allocator.try_bind] was given for a block: so an allocator that is
 * told of a map knows which block it is.
 *
 * Returns: (transfer none) (nullable): the state; %NULL if there is none, and for what is
 *   no such block
 *
 * Since: 1.0
 */
GObject *
quire_allocator_get_state (QuireAllocator *allocator,
                           QuireMemory    *memory)
{
  QuireMemory *block;

  g_return_val_if_fail (QUIRE_IS_ALLOCATOR (allocator), NULL);
  g_return_val_if_fail (memory != NULL, NULL);

  block = memory->parent != NULL ? memory->parent : memory;
  if (block->allocator != allocator || !quire_memory_has_flags (block, QUIRE_MEMORY_INTERNAL_BOUND))
    return NULL;

  return ((QuireBound *) block)->state;
}

static inline guintptr
get_start (QuireBound *bound)
{
  return (guintptr) quire_overlay_get_start (&bound->overlay);
}

/* Whether the data may begin at @offset of the block. */
static gboolean
fits (QuireBound                  *bound,
      gsize                        offset,
      gsize                        size,
      const QuireAllocationParams *params)
{
  const gsize maxsize = bound->overlay.memory.maxsize;

  return offset >= params->prefix && offset <= maxsize &&
         size <= maxsize - offset && params->padding <= maxsize - offset - size &&
         ((get_start (bound) + offset) & params->align) == 0;
}

/* Finds a place for the data in a block as it was given: where it is, if that will do. */
static gboolean
place_data (QuireBound                  *bound,
            gsize                        size,
            const QuireAllocationParams *params,
            GError                     **error)
{
  QuireMemory *memory = &bound->overlay.memory;
  gsize offset, given;

  quire_memory_get_window (memory, &offset, &given);
  if (!fits (bound, offset, size, params))
    {
      offset = params->prefix + (-(get_start (bound) + params->prefix) & params->align);
      if (!fits (bound, offset, size, params))
        {
          g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED,
                       "The allocator %s gave a block of %" G_GSIZE_FORMAT " bytes, which has no place for %"
                       G_GSIZE_FORMAT " bytes with an alignment of %" G_GSIZE_FORMAT ", a prefix of %"
                       G_GSIZE_FORMAT " and a padding of %" G_GSIZE_FORMAT,
                       quire_allocator_get_mem_type (memory->allocator), memory->maxsize,
                       size, params->align, params->prefix, params->padding);
          return FALSE;
        }
      memory->align = 0;
    }

  memory->align |= params->align;
  quire_memory_set_window (memory, offset, size);
  return TRUE;
}

/* The flags that were asked for, and what they say is made true. */
static gboolean
apply_flags (QuireBound      *bound,
             QuireMemoryFlags flags,
             GError         **error)
{
  const guint zeroes = QUIRE_MEMORY_FLAG_ZERO_PREFIXED | QUIRE_MEMORY_FLAG_ZERO_PADDED;
  QuireMemory *memory = &bound->overlay.memory;
  const gsize end = memory->offset + memory->size;
  guint8 *start = quire_overlay_get_start (&bound->overlay);

  if ((flags & zeroes) != 0 && (memory->flags & QUIRE_MEMORY_FLAG_READONLY) != 0)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_READ_ONLY,
                   "The allocator %s gave a read-only block of %" G_GSIZE_FORMAT
                   " bytes where a prefix or a padding is to be zero",
                   quire_allocator_get_mem_type (memory->allocator), memory->maxsize);
      return FALSE;
    }

  if (flags & QUIRE_MEMORY_FLAG_ZERO_PREFIXED)
    memset (start, 0, memory->offset);
  if (flags & QUIRE_MEMORY_FLAG_ZERO_PADDED)
    memset (start + end, 0, memory->maxsize - end);

  memory->flags = (memory->flags & ~zeroes) | flags;
  return TRUE;
}

static gboolean
check_block (QuireMemory    *memory,
             QuireAllocator *allocator,
             gsize           size,
             GError        **error)
{
  if (memory == NULL)
    g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED,
                 "The allocator %s gave no block of %" G_GSIZE_FORMAT " bytes",
                 quire_allocator_get_mem_type (allocator), size);
  else if (quire_memory_has_flags (memory, QUIRE_MEMORY_INTERNAL_CLOSED))
    g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED,
                 "The allocator %s gave a block of %" G_GSIZE_FORMAT " bytes whose handle it has closed",
                 quire_allocator_get_mem_type (allocator), size);
  else if (memory->allocator != allocator || !quire_memory_has_flags (memory, QUIRE_MEMORY_INTERNAL_BOUND))
    g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED,
                 "The allocator %s gave %s of %s where %" G_GSIZE_FORMAT
                 " bytes were asked for, and not a block that it has bound to itself",
                 quire_allocator_get_mem_type (allocator), memory->parent != NULL ? "a share" : "a block",
                 quire_allocator_get_mem_type (memory->allocator), size);
  else if (quire_atomic_exchange (&((QuireBound *) memory)->is_given, TRUE))
    g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED,
                 "The allocator %s gave a block of %" G_GSIZE_FORMAT " bytes that it gave before",
                 quire_allocator_get_mem_type (allocator), size);
  else
    return TRUE;

  return FALSE;
}

/*
 * quire_bound_alloc:
 *
 * Has the allocator make a block that it binds. Whatever it gives instead is an error.
 */
QuireMemory *
quire_bound_alloc (QuireAllocator              *allocator,
                   gsize                        size,
                   const QuireAllocationParams *params,
                   GError                     **error)
{
  g_autoptr (QuireMemory) memory = NULL;
  GError *local_error = NULL;

  memory = quire_upcall_alloc (allocator, size, params, &local_error);
  if (local_error == NULL && check_block (memory, allocator, size, &local_error) &&
      place_data ((QuireBound *) memory, size, params, &local_error) &&
      apply_flags ((QuireBound *) memory, params->flags, &local_error))
    return g_steal_pointer (&memory);

  g_propagate_error (error, local_error);
  return NULL;
}

/*
 * quire_bound_begin_map:
 * @info: has the block, or a share of it, and the flags; the lock is taken
 *
 * Tells the allocator of a map, which may refuse it.
 */
gboolean
quire_bound_begin_map (QuireMemory  *block,
                       QuireMapInfo *info,
                       GError      **error)
{
  gboolean reported;

  if (!quire_upcall_mapped (block->allocator, info->memory, info->flags, &reported, error))
    return FALSE;

  /* The allocator does not map, so this is free. */
  info->user_data[0] = GINT_TO_POINTER (reported);
  return TRUE;
}

/*
 * quire_bound_end_map:
 *
 * Tells the allocator that a map has ended. Its lock is gone, so that the allocator may map
 * the block. The caller has a reference on that, or on the share.
 */
void
quire_bound_end_map (QuireMemory  *block,
                     QuireMapInfo *info)
{
  if (info->user_data[0] != NULL)
    quire_upcall_unmapped (block->allocator, info->memory);
}

/* The blocks of this thread that are about to go, the next first. */
static __thread QuireBound *going;
static __thread gboolean is_freeing;

/*
 * quire_bound_free:
 *
 * The block is gone. What it was made of goes first, so that the allocator may do with
 * that as it likes, and then the allocator is told.
 *
 * With each of the two another block may go, which is over a next one, or has it for its
 * state, and so on: so this is a loop, however deep they are.
 */
void
quire_bound_free (QuireMemory *memory)
{
  QuireBound *bound = (QuireBound *) memory;

  g_object_ref (memory->allocator);
  bound->next = going;
  going = bound;
  if (is_freeing)
    return;

  is_freeing = TRUE;
  while ((bound = going) != NULL)
    {
      QuireAllocator *allocator = bound->overlay.memory.allocator;
      GObject *state = bound->state;

      if (!bound->is_cleared)
        {
          bound->is_cleared = TRUE;
          quire_overlay_clear (&bound->overlay);
          continue;
        }

      going = bound->next;
      g_free (bound);
      quire_upcall_released (allocator, state);
      g_object_unref (allocator);
    }
  is_freeing = FALSE;
}
