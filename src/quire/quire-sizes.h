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
gsize    quire_memory_get_sizes  (QuireMemory  *memory,
                                  gsize        *offset,
                                  gsize        *maxsize);
QUIRE_AVAILABLE_IN_1_0
gboolean quire_memory_resize     (QuireMemory  *memory,
                                  gssize        offset,
                                  gsize         size);
QUIRE_AVAILABLE_IN_1_0
gboolean quire_memory_try_resize (QuireMemory  *memory,
                                  gssize        offset,
                                  gsize         size,
                                  GError      **error);

G_END_DECLS
