/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(QUIRE_INSIDE) && !defined(QUIRE_COMPILATION)
# error "Only <quire/quire.h> can be included directly."
#endif

#include "quire-fd.h"

G_BEGIN_DECLS

QUIRE_AVAILABLE_IN_1_0
gboolean     quire_memory_send           (QuireMemory          *memory,
                                          GUnixConnection      *connection,
                                          GCancellable         *cancellable,
                                          GError              **error);
QUIRE_AVAILABLE_IN_1_0
void         quire_memory_send_async     (QuireMemory          *memory,
                                          GUnixConnection      *connection,
                                          GCancellable         *cancellable,
                                          GAsyncReadyCallback   callback,
                                          gpointer              user_data);
QUIRE_AVAILABLE_IN_1_0
gboolean     quire_memory_send_finish    (GAsyncResult         *result,
                                          GError              **error);

QUIRE_AVAILABLE_IN_1_0
QuireMemory *quire_memory_receive        (GUnixConnection      *connection,
                                          QuireFdFlags          flags,
                                          GCancellable         *cancellable,
                                          GError              **error) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
void         quire_memory_receive_async  (GUnixConnection      *connection,
                                          QuireFdFlags          flags,
                                          GCancellable         *cancellable,
                                          GAsyncReadyCallback   callback,
                                          gpointer              user_data);
QUIRE_AVAILABLE_IN_1_0
QuireMemory *quire_memory_receive_finish (GAsyncResult         *result,
                                          GError              **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
