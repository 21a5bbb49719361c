/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <quire/quire.h>

/*
 * An allocator that means it: what was unmapped is gone, and faults. It has two ways to
 * give addresses.
 */

typedef enum
{
  /* One for each map. */
  UNMAPPING_EACH,
  /* One for all maps that stand at once, with what they ask for together. */
  UNMAPPING_TOGETHER,
} UnmappingKind;

/* How many maps stand, and how many there were, of all blocks. */
typedef struct
{
  guint standing;
  guint total;
} UnmappingCounts;

__attribute__ ((visibility ("default")))
QuireAllocator *unmapping_allocator_new    (UnmappingKind kind);
/* Under the name "unmapping-each" or "unmapping-together", for scripts. */
__attribute__ ((visibility ("default")))
void            unmapping_allocator_add    (UnmappingKind kind);
__attribute__ ((visibility ("default")))
UnmappingCounts unmapping_allocator_counts (void);
