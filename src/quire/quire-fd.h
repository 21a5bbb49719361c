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

/**
 * QuireFdFlags:
 * @QUIRE_FD_NONE: the caller keeps his descriptor, and the block has a duplicate
 * @QUIRE_FD_TAKE: the block takes the descriptor, and closes it in the end; on failure the
 *   caller has it still
 * @QUIRE_FD_READONLY: the block is read-only, even if the descriptor could write
 * @QUIRE_FD_PRIVATE: what is written to the block stays in it, and does not reach the file
 * @QUIRE_FD_STABLE: refuse what somebody could truncate while the block is mapped
 * @QUIRE_FD_BORROW: the block uses the caller's descriptor, and never closes it. Nothing is
 *   lost with one that is closed too early, but what needs a descriptor is refused then:
 *   each map of a file that can be truncated, [method@Memory.try_dup_fd] and the like
 *
 * How a block is made over a descriptor.
 *
 * Since: 1.0
 */
typedef enum /*< flags >*/
{
  QUIRE_FD_NONE     = 0,
  QUIRE_FD_TAKE     = 1 << 0,
  QUIRE_FD_READONLY = 1 << 1,
  QUIRE_FD_PRIVATE  = 1 << 2,
  QUIRE_FD_STABLE   = 1 << 3,
  QUIRE_FD_BORROW   = 1 << 4,
} QuireFdFlags;

QUIRE_AVAILABLE_IN_1_0
QuireMemory *quire_memory_new_from_fd     (int            fd,
                                           guint64        offset,
                                           gssize         size,
                                           QuireFdFlags   flags) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
QuireMemory *quire_memory_try_new_from_fd (int            fd,
                                           guint64        offset,
                                           gssize         size,
                                           QuireFdFlags   flags,
                                           GError       **error) G_GNUC_WARN_UNUSED_RESULT;

QUIRE_AVAILABLE_IN_1_0
int          quire_memory_get_fd          (QuireMemory   *memory,
                                           guint64       *offset);
QUIRE_AVAILABLE_IN_1_0
int          quire_memory_dup_fd          (QuireMemory   *memory) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
int          quire_memory_try_dup_fd      (QuireMemory   *memory,
                                           GError       **error) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
gboolean     quire_memory_is_stable       (QuireMemory   *memory);

G_END_DECLS
