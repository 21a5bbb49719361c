/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-map-info.h"

#include "quire-allocator.h"
#include "quire-bound-private.h"
#include "quire-copy.h"
#include "quire-error.h"
#include "quire-fd-allocator-private.h"
#include "quire-lock-private.h"
#include "quire-map-private.h"
#include "quire-memory-private.h"
#include "quire-overlay-private.h"
#include "quire-upcall-private.h"

/* A window has no address of its own: the allocator knows that of its parent. */
QuireMemory *
quire_map_find_block (QuireMemory *memory)
{
  return quire_memory_has_flags (memory, QUIRE_MEMORY_INTERNAL_WINDOW) ? memory->parent : memory;
}

/* The start of a block over another one. Its address is known, but there is more to do. */
static gpointer
begin_overlay (QuireMemory  *block,
               QuireMapInfo *info,
               GError      **error)
{
  const gboolean is_watched = quire_memory_has_flags (block, QUIRE_MEMORY_INTERNAL_WATCHED);

  if (is_watched && !quire_fd_memory_begin_access (block, info->flags, error))
    return NULL;

  if (!quire_memory_has_flags (block, QUIRE_MEMORY_INTERNAL_BOUND) ||
      quire_bound_begin_map (block, info, error))
    return quire_overlay_get_start ((QuireOverlay *) block);

  if (is_watched)
    quire_fd_memory_end_access (block, info->flags);
  return NULL;
}

/* The start of a block that only its allocator can tell the address of. */
static gpointer
begin_address (QuireMapInfo *info,
               GError      **error)
{
  QuireMemory *block = quire_map_find_block (info->memory);
  QuireAllocatorClass *klass = QUIRE_ALLOCATOR_GET_CLASS (block->allocator);
  g_autoptr (GError) local_error = NULL;
  gpointer base = NULL;

  if (quire_memory_has_flags (block, QUIRE_MEMORY_INTERNAL_OVERLAY))
    return begin_overlay (block, info, error);

  if (klass->mem_map_full != NULL)
    base = klass->mem_map_full (block, info, block->maxsize, &local_error);
  else if (klass->mem_map != NULL)
    base = klass->mem_map (block, block->maxsize, info->flags);

  if (base != NULL)
    return base;

  if (local_error != NULL)
    g_propagate_error (error, g_steal_pointer (&local_error));
  else
    g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED,
                 "The allocator %s could not map the block of %" G_GSIZE_FORMAT " bytes",
                 quire_allocator_get_mem_type (block->allocator), block->maxsize);
  return NULL;
}

void
quire_map_end_address (QuireMapInfo *info)
{
  QuireMemory *block;
  QuireAllocatorClass *klass;

  if (G_LIKELY (info->memory->base != NULL))
    return;

  block = quire_map_find_block (info->memory);
  if (quire_memory_has_flags (block, QUIRE_MEMORY_INTERNAL_OVERLAY))
    return;

  klass = QUIRE_ALLOCATOR_GET_CLASS (block->allocator);
  if (klass->mem_unmap_full != NULL)
    klass->mem_unmap_full (block, info);
  else if (klass->mem_unmap != NULL)
    klass->mem_unmap (block);
}

/* The lock of a map goes, in a block that has no base. */
void
quire_map_end_lock_by_allocator (QuireMapInfo *info)
{
  QuireMemory *block = quire_map_find_block (info->memory);

  if (quire_memory_has_flags (block, QUIRE_MEMORY_INTERNAL_WATCHED))
    quire_fd_memory_end_access (block, info->flags);
  quire_lock_drop (info->memory, info->flags);
  if (quire_memory_has_flags (block, QUIRE_MEMORY_INTERNAL_BOUND))
    quire_bound_end_map (block, info);
}

static __attribute__ ((cold)) gboolean
refuse_not_mappable (QuireMemory *memory,
                     GError     **error)
{
  g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_MAPPABLE,
               "The block of %" G_GSIZE_FORMAT " bytes can't be mapped",
               quire_atomic_load_relaxed (&memory->size));
  return FALSE;
}

static inline void
fill_info (QuireMapInfo *info,
           QuireMemory  *memory,
           gpointer      base)
{
  gsize offset;

  quire_memory_get_window (memory, &offset, &info->size);
  info->data = (guint8 *) base + offset;
  info->maxsize = memory->maxsize - offset;
}

/* A map of a block that only its allocator can tell the address of. */
static __attribute__ ((noinline)) gboolean
begin_by_allocator (QuireMemory  *memory,
                    QuireMapInfo *info,
                    QuireMapFlags flags,
                    GError      **error)
{
  gpointer base;

  /* Before the lock: references may go with it that stand in the way. */
  quire_upcall_catch_up (memory->allocator);
  if (!quire_lock_take (memory, flags, error))
    return FALSE;

  info->memory = memory;
  info->flags = flags;

  base = begin_address (info, error);
  if (base == NULL)
    {
      quire_lock_drop (memory, flags);
      *info = (QuireMapInfo) QUIRE_MAP_INFO_INIT;
      return FALSE;
    }

  fill_info (info, memory, base);
  return TRUE;
}

/*
 * quire_map_begin:
 * @info: all zero; and again so on failure
 *
 * The lock comes before the range is read, so that a range belongs to the lock.
 * Budget of atomic operations: that of the lock, 1.
 */
gboolean
quire_map_begin (QuireMemory  *memory,
                 QuireMapInfo *info,
                 QuireMapFlags flags,
                 GError      **error)
{
  if (!quire_lock_check_flags (flags, error) ||
      !quire_memory_check_access (memory, flags, error))
    return FALSE;
  if (G_UNLIKELY (quire_memory_has_flags (memory, QUIRE_MEMORY_FLAG_NOT_MAPPABLE)))
    return refuse_not_mappable (memory, error);
  if (G_UNLIKELY (memory->base == NULL))
    return begin_by_allocator (memory, info, flags, error);
  if (!quire_lock_take (memory, flags, error))
    return FALSE;

  info->memory = memory;
  info->flags = flags;
  fill_info (info, memory, memory->base);
  return TRUE;
}

/**
 * quire_memory_map: (skip)
 * @memory: a block
 * @info: (out caller-allocates): what is known of the map; all zero on failure
 * @flags: how to map it
 *
 * Maps a block, so that its data can be read or written at `info->data` until
 * [method@Memory.unmap].
 *
 * A map is a lock and holds no reference: the caller keeps the block. What may
 * stand together is told at [flags@MapFlags]. [method@Memory.map_full] also says
 * why it fails.
 *
 * This function is thread-safe. Budget of atomic operations: 1.
 *
 * Returns: %TRUE if the block is mapped
 *
 * Since: 1.0
 */
gboolean
quire_memory_map (QuireMemory  *memory,
                  QuireMapInfo *info,
                  QuireMapFlags flags)
{
  g_return_val_if_fail (info != NULL, FALSE);
  *info = (QuireMapInfo) QUIRE_MAP_INFO_INIT;
  g_return_val_if_fail (memory != NULL, FALSE);

  return quire_map_begin (memory, info, flags, NULL);
}

/**
 * quire_memory_map_full: (skip)
 * @memory: a block
 * @info: (out caller-allocates): what is known of the map; all zero on failure
 * @flags: how to map it
 * @error: return location for an error
 *
 * As [method@Memory.map], and says why it fails: the errors are
 * %QUIRE_MEMORY_ERROR_BUSY, %QUIRE_MEMORY_ERROR_READ_ONLY,
 * %QUIRE_MEMORY_ERROR_NOT_MAPPABLE, %QUIRE_MEMORY_ERROR_CLOSED,
 * %QUIRE_MEMORY_ERROR_NOT_SUPPORTED for flags that make no sense, and those of the
 * allocator.
 *
 * Returns: %TRUE if the block is mapped
 *
 * Since: 1.0
 */
gboolean
quire_memory_map_full (QuireMemory  *memory,
                       QuireMapInfo *info,
                       QuireMapFlags flags,
                       GError      **error)
{
  g_return_val_if_fail (info != NULL, FALSE);
  *info = (QuireMapInfo) QUIRE_MAP_INFO_INIT;
  g_return_val_if_fail (memory != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return quire_map_begin (memory, info, flags, error);
}

/* Of a block that only its allocator can tell the address of. */
static __attribute__ ((noinline)) void
unmap_by_allocator (QuireMapInfo *info)
{
  QuireMemory *memory = info->memory;

  if (!quire_lock_check_held (memory, info->flags, NULL))
    {
      quire_lock_complain (memory, info->flags, "quire_memory_unmap");
      return;
    }

  quire_map_end_address (info);
  quire_map_end_lock_by_allocator (info);
  *info = (QuireMapInfo) QUIRE_MAP_INFO_INIT;
}

/**
 * quire_memory_unmap: (skip)
 * @memory: a block
 * @info: what [method@Memory.map] told of the map
 *
 * Ends a map, and clears @info.
 *
 * To unmap twice, or with the info of another block, is a programmer's error: it
 * is reported, and nothing changes.
 *
 * This function is thread-safe. Budget of atomic operations: 1.
 *
 * Since: 1.0
 */
void
quire_memory_unmap (QuireMemory  *memory,
                    QuireMapInfo *info)
{
  g_return_if_fail (memory != NULL);
  g_return_if_fail (info != NULL);
  g_return_if_fail (info->memory == memory);

  if (G_UNLIKELY (memory->base == NULL))
    unmap_by_allocator (info);
  else if (G_UNLIKELY (!quire_lock_try_drop (memory, info->flags)))
    quire_lock_complain (memory, info->flags, G_STRFUNC);
  else
    *info = (QuireMapInfo) QUIRE_MAP_INFO_INIT;
}

/**
 * quire_map_info_clear: (skip)
 * @info: what is known of a map, or all zero
 *
 * Ends a map if @info tells of one. `g_auto (QuireMapInfo)` calls it.
 *
 * Since: 1.0
 */
void
quire_map_info_clear (QuireMapInfo *info)
{
  g_return_if_fail (info != NULL);

  if (info->memory != NULL)
    quire_memory_unmap (info->memory, info);
}

/**
 * quire_memory_make_mapped: (skip)
 * @memory: (transfer full): a block
 * @info: (out caller-allocates): what is known of the map; all zero on failure
 * @flags: how to map it
 *
 * Maps the block, or, if that is refused, a copy of it.
 *
 * Returns: (transfer full) (nullable): the block that is mapped, which is
 *   @memory or a copy; %NULL if neither can be mapped
 *
 * Since: 1.0
 */
QuireMemory *
quire_memory_make_mapped (QuireMemory  *memory,
                          QuireMapInfo *info,
                          QuireMapFlags flags)
{
  g_autoptr (QuireMemory) copy = NULL;

  g_return_val_if_fail (info != NULL, NULL);
  *info = (QuireMapInfo) QUIRE_MAP_INFO_INIT;
  g_return_val_if_fail (memory != NULL, NULL);

  if (quire_memory_map (memory, info, flags))
    return memory;

  /* What makes no sense of the block makes none of a copy. */
  if (quire_lock_check_flags (flags, NULL))
    copy = quire_memory_copy (memory, 0, -1);
  quire_memory_unref (memory);

  if (copy == NULL || !quire_memory_map (copy, info, flags))
    return NULL;

  return g_steal_pointer (&copy);
}
