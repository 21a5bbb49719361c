/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-allocator.h"

#include "quire-atomic-private.h"
#include "quire-home-private.h"
#include "quire-system-allocator-private.h"

G_BEGIN_DECLS

QuireHome *quire_allocator_peek_home (QuireAllocator *allocator);

/* Whoever was the default stays alive for ever, so that it can be read without
 * a lock and without a reference. NULL stands for the system allocator. */
extern QuireAllocator *quire_allocator_default;

static inline QuireAllocator *
quire_allocator_peek_default (void)
{
  QuireAllocator *allocator = quire_atomic_load_acquire (&quire_allocator_default);

  return G_LIKELY (allocator == NULL) ? quire_system_allocator_get () : allocator;
}

/*
 * quire_allocator_alloc_plain:
 *
 * A block of the default allocator with nothing special about it.
 */
static inline QuireMemory *
quire_allocator_alloc_plain (gsize    size,
                             GError **error)
{
  /* Most programs have no other default, and most blocks are not large. */
  if (G_LIKELY (quire_atomic_load_relaxed (&quire_allocator_default) == NULL &&
                size <= QUIRE_SYSTEM_PLAIN_LIMIT))
    return quire_system_allocator_make_plain (size, error);

  return quire_allocator_try_alloc (NULL, size, NULL, error);
}

gboolean quire_allocator_check_request (gsize                         size,
                                        const QuireAllocationParams  *params,
                                        GError                      **error);

G_END_DECLS
