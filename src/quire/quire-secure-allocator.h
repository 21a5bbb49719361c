/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(QUIRE_INSIDE) && !defined(QUIRE_COMPILATION)
# error "Only <quire/quire.h> can be included directly."
#endif

#include "quire-allocator.h"

G_BEGIN_DECLS

#define QUIRE_TYPE_SECURE_ALLOCATOR (quire_secure_allocator_get_type ())

QUIRE_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (QuireSecureAllocator, quire_secure_allocator, QUIRE, SECURE_ALLOCATOR, QuireAllocator)

QUIRE_AVAILABLE_IN_1_0
QuireSecureAllocator *quire_secure_allocator_new (void) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
