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
gboolean  quire_memory_fill           (QuireMemory    *memory,
                                       gsize           offset,
                                       gssize          size,
                                       guint8          value);
QUIRE_AVAILABLE_IN_1_0
gboolean  quire_memory_try_fill       (QuireMemory    *memory,
                                       gsize           offset,
                                       gssize          size,
                                       guint8          value,
                                       GError        **error);
QUIRE_AVAILABLE_IN_1_0
gboolean  quire_memory_compare        (QuireMemory    *first,
                                       QuireMemory    *second,
                                       int            *order);
QUIRE_AVAILABLE_IN_1_0
gboolean  quire_memory_try_compare    (QuireMemory    *first,
                                       QuireMemory    *second,
                                       int            *order,
                                       GError        **error);
QUIRE_AVAILABLE_IN_1_0
gboolean  quire_memory_read           (QuireMemory    *memory,
                                       gsize           offset,
                                       gpointer        data,
                                       gsize           size);
QUIRE_AVAILABLE_IN_1_0
gboolean  quire_memory_try_read       (QuireMemory    *memory,
                                       gsize           offset,
                                       gpointer        data,
                                       gsize           size,
                                       GError        **error);
QUIRE_AVAILABLE_IN_1_0
GBytes   *quire_memory_try_read_bytes (QuireMemory    *memory,
                                       gsize           offset,
                                       gssize          size,
                                       GError        **error) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
gboolean  quire_memory_write          (QuireMemory    *memory,
                                       gsize           offset,
                                       const guint8   *data,
                                       gsize           size);
QUIRE_AVAILABLE_IN_1_0
gboolean  quire_memory_try_write      (QuireMemory    *memory,
                                       gsize           offset,
                                       const guint8   *data,
                                       gsize           size,
                                       GError        **error);

G_END_DECLS
