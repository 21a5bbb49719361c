/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(QUIRE_INSIDE) && !defined(QUIRE_COMPILATION)
# error "Only <quire/quire.h> can be included directly."
#endif

#include "quire-fd-allocator.h"
#include "quire-seals.h"

G_BEGIN_DECLS

#define QUIRE_TYPE_MEMFD_ALLOCATOR (quire_memfd_allocator_get_type ())

QUIRE_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (QuireMemfdAllocator, quire_memfd_allocator, QUIRE, MEMFD_ALLOCATOR, QuireFdAllocator)

QUIRE_AVAILABLE_IN_1_0
QuireMemfdAllocator *quire_memfd_allocator_new                (const char          *name,
                                                               QuireSeals           seals) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
const char          *quire_memfd_allocator_get_name           (QuireMemfdAllocator *allocator);
QUIRE_AVAILABLE_IN_1_0
QuireSeals           quire_memfd_allocator_get_seals          (QuireMemfdAllocator *allocator);
QUIRE_AVAILABLE_IN_1_0
guint64              quire_memfd_allocator_get_huge_page_size (QuireMemfdAllocator *allocator);

G_END_DECLS
