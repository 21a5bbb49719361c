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
QuireMemory *quire_memory_copy              (QuireMemory  *memory,
                                             gssize        offset,
                                             gssize        size) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
QuireMemory *quire_memory_try_copy          (QuireMemory  *memory,
                                             gssize        offset,
                                             gssize        size,
                                             GError      **error) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
QuireMemory *quire_memory_make_writable     (QuireMemory  *memory) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
QuireMemory *quire_memory_try_make_writable (QuireMemory  *memory,
                                             GError      **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
