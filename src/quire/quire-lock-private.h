/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-memory.h"

G_BEGIN_DECLS

/* Whoever takes a lock has validated the flags with quire_lock_check_flags(),
 * and checked that the block may be written, if that is what they ask. */

gboolean quire_lock_check_flags (QuireMapFlags  flags,
                                 GError       **error);

gboolean quire_lock_take        (QuireMemory   *memory,
                                 QuireMapFlags  flags,
                                 GError       **error);
gboolean quire_lock_check_held  (QuireMemory   *memory,
                                 QuireMapFlags  flags,
                                 GError       **error);
void     quire_lock_drop        (QuireMemory   *memory,
                                 QuireMapFlags  flags);

gboolean quire_lock_take_share  (QuireMemory   *memory,
                                 GError       **error);
void     quire_lock_drop_share  (QuireMemory   *memory);

G_END_DECLS
