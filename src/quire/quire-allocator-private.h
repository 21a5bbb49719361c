/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-allocator.h"

G_BEGIN_DECLS

QuireAllocator *quire_allocator_peek_default (void);

G_END_DECLS
