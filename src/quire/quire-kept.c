/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-kept-private.h"

#include "quire-map-private.h"
#include "quire-memory-private.h"

/* What a block of an allocator that maps and unmaps keeps: the first map to read, the
 * first to write and the first to do both that a script had a view of, for their
 * protection may differ. */
typedef struct
{
  QuireMapInfo infos[QUIRE_MAP_READWRITE];
} QuireKept;

/* The rare case of a rare case: one lock will do. No allocator is called under it. */
static GMutex kept_mutex;

/*
 * quire_kept_address:
 * @info: a map of a block without an address of its own
 * @given_away: (inout): whether the allocator's part of @info is the block's by now, and
 *   must not be ended
 *
 * Finds an address for a view that a script may keep an address of, after the view and
 * after the map: it stays what it is until the block is freed.
 *
 * The first map of a kind is kept. If the allocator gives the same address to all that
 * stand at once, that is enough. If not, later views are at the address that is kept.
 *
 * Returns: the address of the data
 */
guint8 *
quire_kept_address (QuireMapInfo *info,
                    gboolean     *given_away)
{
  QuireMemory *block = quire_map_find_block (info->memory);
  const gsize offset = info->memory->maxsize - info->maxsize;
  QuireMapInfo *kept;
  guint8 *address;

  g_mutex_lock (&kept_mutex);

  if (block->kept == NULL)
    block->kept = g_new0 (QuireKept, 1);
  kept = &((QuireKept *) block->kept)->infos[(info->flags & QUIRE_MAP_READWRITE) - 1];
  if (kept->memory == NULL)
    {
      *kept = *info;
      kept->memory = block;
      kept->data -= offset;
      *given_away = TRUE;
    }
  address = kept->data + offset;

  g_mutex_unlock (&kept_mutex);

  return address;
}

/*
 * quire_kept_end:
 * @memory: a block that is about to be freed
 *
 * Unmaps what was kept.
 */
void
quire_kept_end (QuireMemory *memory)
{
  QuireKept *kept = memory->kept;

  for (gsize i = 0; i < G_N_ELEMENTS (kept->infos); i++)
    {
      if (kept->infos[i].memory != NULL)
        quire_map_end_address (&kept->infos[i]);
    }

  memory->kept = NULL;
  g_free (kept);
}
