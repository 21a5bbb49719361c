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
QuireMemory *quire_memory_new                 (gsize                        size) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
QuireMemory *quire_memory_try_new             (gsize                        size,
                                               GError                     **error) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
QuireMemory *quire_memory_new_with_params     (gsize                        size,
                                               const QuireAllocationParams *params) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
QuireMemory *quire_memory_try_new_with_params (gsize                        size,
                                               const QuireAllocationParams *params,
                                               GError                     **error) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
QuireMemory *quire_memory_new_wrapped         (QuireMemoryFlags             flags,
                                               gpointer                     data,
                                               gsize                        maxsize,
                                               gsize                        offset,
                                               gsize                        size,
                                               gpointer                     user_data,
                                               GDestroyNotify               notify) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
QuireMemory *quire_memory_try_new_wrapped     (QuireMemoryFlags             flags,
                                               gpointer                     data,
                                               gsize                        maxsize,
                                               gsize                        offset,
                                               gsize                        size,
                                               gpointer                     user_data,
                                               GDestroyNotify               notify,
                                               GError                     **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
