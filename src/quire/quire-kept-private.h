/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-map-info.h"

G_BEGIN_DECLS

/* Addresses that a script was given and may have kept without a lock. */

guint8 *quire_kept_address (QuireMapInfo *info,
                            gboolean     *given_away);
void    quire_kept_end     (QuireMemory  *memory);

G_END_DECLS
