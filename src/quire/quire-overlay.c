/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-overlay-private.h"

/*
 * quire_overlay_init:
 * @overlay: begins a struct of the allocator
 * @below: the block that has the data; there is a reference on it in the end
 *
 * Makes a block over another one: all of it, with prefix and padding; over what it
 * shows, if that is a share. It is read-only if the one below is.
 *
 * The one below can't be mapped by anybody else meanwhile, so that what is promised of
 * the block and its shares is true.
 */
gboolean
quire_overlay_init (QuireOverlay   *overlay,
                    QuireAllocator *allocator,
                    QuireMemory    *below,
                    GError        **error)
{
  const QuireMemoryFlags flags = quire_memory_get_flags (below);
  gsize maxsize = below->maxsize;
  gsize offset;
  guint internal;

  /* Not as it may be written at this moment: who has a share of it now is in the way, and
   * does not make a block for ever read-only that is not. */
  if (!quire_memory_map_full (below, &overlay->below,
                              (flags & QUIRE_MEMORY_FLAG_READONLY)
                                ? QUIRE_MAP_READ | QUIRE_MAP_UNIQUE
                                : QUIRE_MAP_READWRITE | QUIRE_MAP_UNIQUE,
                              error))
    return FALSE;

  offset = maxsize - overlay->below.maxsize;
  if (below->parent != NULL)
    {
      maxsize = overlay->below.size;
      offset = 0;
    }

  quire_memory_init (&overlay->memory, flags, allocator, NULL,
                     maxsize, below->align, offset, overlay->below.size);
  quire_memory_ref (below);
  internal = below->parent != NULL ? below->parent->flags : below->flags;
  internal &= QUIRE_MEMORY_INTERNAL_WATCHED | QUIRE_MEMORY_INTERNAL_SECRET;
  quire_memory_init_internal (&overlay->memory, QUIRE_MEMORY_INTERNAL_OVERLAY | internal,
                              (internal & QUIRE_MEMORY_INTERNAL_WATCHED) == 0 ? quire_overlay_get_start (overlay) : NULL);

  return TRUE;
}

/*
 * quire_overlay_renew:
 * @overlay: what quire_overlay_init() made; the block has died
 * @flags: flags of the new block
 * @offset: where its data begins
 * @size: size of its data
 *
 * Makes another block where one has died, over the same one below.
 */
void
quire_overlay_renew (QuireOverlay   *overlay,
                     QuireAllocator *allocator,
                     guint           flags,
                     gsize           offset,
                     gsize           size)
{
  const guint internal = overlay->memory.flags & QUIRE_MEMORY_INTERNAL_MASK;
  const gpointer base = overlay->memory.base;

  quire_memory_init (&overlay->memory, (QuireMemoryFlags) flags, allocator, NULL,
                     overlay->memory.maxsize, overlay->memory.align, offset, size);
  quire_memory_init_internal (&overlay->memory, internal, base);
}

/*
 * quire_overlay_clear:
 *
 * Lets go of the block below, when the one above is gone.
 */
void
quire_overlay_clear (QuireOverlay *overlay)
{
  QuireMemory *below = overlay->below.memory;

  quire_memory_unmap (below, &overlay->below);
  quire_memory_unref (below);
}

/*
 * quire_overlay_get_start:
 *
 * Where the block begins: where the block below begins, or at what a share shows.
 */
gpointer
quire_overlay_get_start (QuireOverlay *overlay)
{
  const QuireMapInfo *below = &overlay->below;

  return below->memory->parent != NULL ? below->data : below->data - (below->memory->maxsize - below->maxsize);
}

/*
 * quire_overlay_find_below:
 * @memory: a block, or a share of one
 * @offset: (out): where the data of @memory is, from the start of what is returned
 *
 * Finds the block that really has the data, below every share and overlay.
 *
 * Returns: that block; it lives as long as @memory
 */
QuireMemory *
quire_overlay_find_below (QuireMemory *memory,
                          gsize       *offset)
{
  gsize size;

  quire_memory_get_window (memory, offset, &size);

  while (TRUE)
    {
      if (memory->parent != NULL)
        {
          /* The offset of a share counts from the start of its parent. */
          memory = memory->parent;
        }
      else if (quire_memory_has_flags (memory, QUIRE_MEMORY_INTERNAL_OVERLAY))
        {
          const QuireMapInfo *below = &((QuireOverlay *) memory)->below;
          const gsize below_offset = below->memory->maxsize - below->maxsize;

          /* An overlay begins where the block below begins, or at what a share shows. */
          if (below->memory->parent != NULL)
            *offset += below_offset;
          memory = below->memory;
        }
      else
        {
          return memory;
        }
    }
}
