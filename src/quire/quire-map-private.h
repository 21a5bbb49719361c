/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-map-info.h"

G_BEGIN_DECLS

/* A map in its two halves, for QuireMapping, which ends them apart. */

gboolean     quire_map_begin       (QuireMemory    *memory,
                                    QuireMapInfo   *info,
                                    QuireMapFlags   flags,
                                    GError        **error);
void         quire_map_end_address (QuireMapInfo   *info);
QuireMemory *quire_map_find_block  (QuireMemory    *memory);

G_END_DECLS
