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
gboolean quire_memory_read_from_stream (QuireMemory   *memory,
                                        gsize          offset,
                                        gssize         size,
                                        GInputStream  *stream,
                                        gsize         *bytes_read,
                                        GCancellable  *cancellable,
                                        GError       **error);

G_END_DECLS
