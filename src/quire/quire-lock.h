/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(QUIRE_INSIDE) && !defined(QUIRE_COMPILATION)
# error "Only <quire/quire.h> can be included directly."
#endif

#include "quire-types.h"

G_BEGIN_DECLS

QUIRE_AVAILABLE_IN_1_0
gboolean     quire_memory_lock          (QuireMemory    *memory,
                                         QuireMapFlags   flags);
QUIRE_AVAILABLE_IN_1_0
gboolean     quire_memory_try_lock      (QuireMemory    *memory,
                                         QuireMapFlags   flags,
                                         GError        **error);
QUIRE_AVAILABLE_IN_1_0
void         quire_memory_unlock        (QuireMemory    *memory,
                                         QuireMapFlags   flags);
QUIRE_AVAILABLE_IN_1_0
gboolean     quire_memory_try_unlock    (QuireMemory    *memory,
                                         QuireMapFlags   flags,
                                         GError        **error);

QUIRE_AVAILABLE_IN_1_0
gboolean     quire_memory_is_writable   (QuireMemory    *memory);
QUIRE_AVAILABLE_IN_1_0
char        *quire_memory_describe_lock (QuireMemory    *memory) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
