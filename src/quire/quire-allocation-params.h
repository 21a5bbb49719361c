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

#define QUIRE_TYPE_ALLOCATION_PARAMS (quire_allocation_params_get_type ())

/**
 * QuireAllocationParams:
 * @flags: which flags the block shall have; with
 *   %QUIRE_MEMORY_FLAG_ZERO_PREFIXED and %QUIRE_MEMORY_FLAG_ZERO_PADDED the
 *   prefix and the padding are zeroed
 * @align: the alignment of the data as a mask: the alignment in bytes, less 1;
 *   0 is the platform's own. What is not a power of two less 1 is refused
 * @prefix: bytes before the data
 * @padding: bytes after the data
 *
 * How a block shall be allocated.
 *
 * All zero, as [ctor@AllocationParams.new] and [method@AllocationParams.init]
 * leave it, asks for nothing special. It is the data that is aligned, after the
 * prefix: a prefix never spoils the alignment.
 *
 * Since: 1.0
 */
struct _QuireAllocationParams
{
  QuireMemoryFlags flags;
  gsize            align;
  gsize            prefix;
  gsize            padding;

  /*< private >*/
  gpointer         _reserved[4];
};

QUIRE_AVAILABLE_IN_1_0
GType                  quire_allocation_params_get_type (void) G_GNUC_CONST;
QUIRE_AVAILABLE_IN_1_0
QuireAllocationParams *quire_allocation_params_new      (void) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
void                   quire_allocation_params_init     (QuireAllocationParams       *params);
QUIRE_AVAILABLE_IN_1_0
QuireAllocationParams *quire_allocation_params_copy     (const QuireAllocationParams *params) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
void                   quire_allocation_params_free     (QuireAllocationParams       *params);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (QuireAllocationParams, quire_allocation_params_free)

G_END_DECLS
