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

#define QUIRE_TYPE_MAPPING (quire_mapping_get_type ())

QUIRE_AVAILABLE_IN_1_0
GType         quire_mapping_get_type           (void) G_GNUC_CONST;

QUIRE_AVAILABLE_IN_1_0
QuireMapping *quire_memory_try_map             (QuireMemory    *memory,
                                                QuireMapFlags   flags,
                                                GError        **error) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
gboolean      quire_memory_try_unmap           (QuireMemory    *memory,
                                                QuireMapping   *mapping,
                                                GError        **error);
QUIRE_AVAILABLE_IN_1_0
QuireMapping *quire_memory_try_make_mapped     (QuireMemory    *memory,
                                                QuireMapFlags   flags,
                                                GError        **error) G_GNUC_WARN_UNUSED_RESULT;

QUIRE_AVAILABLE_IN_1_0
QuireMapping *quire_mapping_ref                (QuireMapping   *mapping);
QUIRE_AVAILABLE_IN_1_0
void          quire_mapping_unref              (QuireMapping   *mapping);
QUIRE_AVAILABLE_IN_1_0
void          quire_mapping_release            (QuireMapping   *mapping);
QUIRE_AVAILABLE_IN_1_0
gboolean      quire_mapping_is_released        (QuireMapping   *mapping);
QUIRE_AVAILABLE_IN_1_0
QuireMemory  *quire_mapping_get_memory         (QuireMapping   *mapping);
QUIRE_AVAILABLE_IN_1_0
QuireMemory  *quire_mapping_dup_memory         (QuireMapping   *mapping) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
QuireMapFlags quire_mapping_get_flags          (QuireMapping   *mapping);
QUIRE_AVAILABLE_IN_1_0
gsize         quire_mapping_get_size           (QuireMapping   *mapping);
QUIRE_AVAILABLE_IN_1_0
gsize         quire_mapping_get_maxsize        (QuireMapping   *mapping);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (QuireMapping, quire_mapping_unref)

G_END_DECLS
