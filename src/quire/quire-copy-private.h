/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-copy.h"

G_BEGIN_DECLS

QuireAllocator *quire_copy_find_allocator (QuireMemory *memory);

G_END_DECLS
