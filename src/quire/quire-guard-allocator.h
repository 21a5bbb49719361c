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

#define QUIRE_TYPE_GUARD_ALLOCATOR (quire_guard_allocator_get_type ())

QUIRE_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (QuireGuardAllocator, quire_guard_allocator, QUIRE, GUARD_ALLOCATOR, QuireAllocator)

QUIRE_AVAILABLE_IN_1_0
QuireGuardAllocator *quire_guard_allocator_new            (void) G_GNUC_WARN_UNUSED_RESULT;

QUIRE_AVAILABLE_IN_1_0
guint                quire_guard_allocator_get_quarantine (QuireGuardAllocator *guard);
QUIRE_AVAILABLE_IN_1_0
gboolean             quire_guard_allocator_get_aborts     (QuireGuardAllocator *guard);
QUIRE_AVAILABLE_IN_1_0
guint                quire_guard_allocator_get_n_damaged  (QuireGuardAllocator *guard);

G_END_DECLS
