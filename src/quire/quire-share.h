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
QuireMemory *quire_memory_share     (QuireMemory  *memory,
                                     gssize        offset,
                                     gssize        size) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
QuireMemory *quire_memory_try_share (QuireMemory  *memory,
                                     gssize        offset,
                                     gssize        size,
                                     GError      **error) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
gboolean     quire_memory_is_span   (QuireMemory  *first,
                                     QuireMemory  *second,
                                     gsize        *offset);
QUIRE_AVAILABLE_IN_1_0
gboolean     quire_memory_find_span (QuireMemory  *first,
                                     QuireMemory  *second,
                                     gssize       *offset);

G_END_DECLS
