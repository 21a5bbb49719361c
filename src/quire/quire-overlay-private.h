/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-map-info.h"
#include "quire-memory-private.h"

G_BEGIN_DECLS

/* A block of one allocator over the data of a block of another: what pools give, and
 * allocators that are written in a script. */
typedef struct
{
  QuireMemory  memory;

  /* The only map of the block below, as long as this one lives, with a reference on it. */
  QuireMapInfo below;
} QuireOverlay;

gboolean     quire_overlay_init       (QuireOverlay    *overlay,
                                       QuireAllocator  *allocator,
                                       QuireMemory     *below,
                                       GError         **error);
void         quire_overlay_renew      (QuireOverlay    *overlay,
                                       QuireAllocator  *allocator,
                                       guint            flags,
                                       gsize            offset,
                                       gsize            size);
void         quire_overlay_clear      (QuireOverlay    *overlay);

gpointer     quire_overlay_get_start  (QuireOverlay    *overlay);
QuireMemory *quire_overlay_find_below (QuireMemory     *memory,
                                       gsize           *offset);

G_END_DECLS
