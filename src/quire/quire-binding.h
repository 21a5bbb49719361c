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

/* For authors of language bindings: what keeps a script from crashing the
 * process. Programs have no use for it. */

/**
 * QuireBindingPrelude: (skip)
 *
 * What [func@binding_set_prelude] has called.
 *
 * Since: 1.0
 */
typedef void (*QuireBindingPrelude) (void);

/**
 * QuireBindingInterruption: (skip)
 * @error: return location for an error
 *
 * What [func@binding_set_interruption] has called.
 *
 * Returns: %TRUE, with an error, to end the wait
 *
 * Since: 1.0
 */
typedef gboolean (*QuireBindingInterruption) (GError **error);

QUIRE_AVAILABLE_IN_1_0
gboolean     quire_mapping_acquire_view (QuireMapping  *mapping,
                                         guint8       **data,
                                         GError       **error);
QUIRE_AVAILABLE_IN_1_0
void         quire_mapping_release_view (QuireMapping  *mapping);
QUIRE_AVAILABLE_IN_1_0
GBytes      *quire_mapping_view_bytes   (QuireMapping  *mapping,
                                         GError       **error) G_GNUC_WARN_UNUSED_RESULT;

QUIRE_AVAILABLE_IN_1_0
gboolean     quire_mapping_write_back   (QuireMapping  *mapping,
                                         const guint8  *data,
                                         gsize          size,
                                         GError       **error);

QUIRE_AVAILABLE_IN_1_0
void         quire_binding_set_prelude    (QuireBindingPrelude prelude);
QUIRE_AVAILABLE_IN_1_0
void         quire_binding_set_interruption (QuireBindingInterruption interruption);
QUIRE_AVAILABLE_IN_1_0
void         quire_binding_expect_answers (GType               allocator_type,
                                           guint               functions);
QUIRE_AVAILABLE_IN_1_0
void         quire_binding_answer         (void);

QUIRE_AVAILABLE_IN_1_0
QuireMemory *quire_memory_close         (QuireMemory   *memory) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
gboolean     quire_memory_close_wrapper (QuireMemory   *memory);
QUIRE_AVAILABLE_IN_1_0
gboolean     quire_memory_is_closed     (QuireMemory   *memory);
QUIRE_AVAILABLE_IN_1_0
gboolean     quire_memory_has_only      (QuireMemory   *memory,
                                         guint          n_refs);

G_END_DECLS
