/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-allocator.h"

G_BEGIN_DECLS

QuireAllocator *quire_allocator_peek_default  (void);
gboolean        quire_allocator_check_request (gsize                         size,
                                               const QuireAllocationParams  *params,
                                               GError                      **error);

G_END_DECLS
