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
 * QUIRE_MEMORY_ERROR:
 *
 * The error domain of everything that Quire refuses. The codes are
 * [error@Quire.MemoryError]; the message gives the numbers.
 *
 * Since: 1.0
 */
#define QUIRE_MEMORY_ERROR (quire_memory_error_quark ())

/**
 * QuireMemoryError:
 * @QUIRE_MEMORY_ERROR_FAILED: something failed that has no code of its own
 * @QUIRE_MEMORY_ERROR_READ_ONLY: the block is read-only
 * @QUIRE_MEMORY_ERROR_BUSY: a map, a share or an owner stands in the way, one of
 *   their counters is at its limit, or all blocks of a pool are out; later it may work
 * @QUIRE_MEMORY_ERROR_NOT_MAPPABLE: the block can't be mapped
 * @QUIRE_MEMORY_ERROR_NOT_SHAREABLE: the block can't be shared
 * @QUIRE_MEMORY_ERROR_OUT_OF_RANGE: an offset or a size lies outside the block
 * @QUIRE_MEMORY_ERROR_NO_SPACE: the system has not so much memory to give
 * @QUIRE_MEMORY_ERROR_TOO_LARGE: a size is beyond what an address space holds
 * @QUIRE_MEMORY_ERROR_CLOSED: the handle, the pool or the descriptor was closed, or the
 *   mapping released
 * @QUIRE_MEMORY_ERROR_NOT_SUPPORTED: the request makes no sense, or this
 *   allocator can't do it
 *
 * Why an operation on a block was refused. Whatever is refused changes nothing.
 *
 * Since: 1.0
 */
typedef enum
{
  QUIRE_MEMORY_ERROR_FAILED        = 0,
  QUIRE_MEMORY_ERROR_READ_ONLY     = 1,
  QUIRE_MEMORY_ERROR_BUSY          = 2,
  QUIRE_MEMORY_ERROR_NOT_MAPPABLE  = 3,
  QUIRE_MEMORY_ERROR_NOT_SHAREABLE = 4,
  QUIRE_MEMORY_ERROR_OUT_OF_RANGE  = 5,
  QUIRE_MEMORY_ERROR_NO_SPACE      = 6,
  QUIRE_MEMORY_ERROR_TOO_LARGE     = 7,
  QUIRE_MEMORY_ERROR_CLOSED        = 8,
  QUIRE_MEMORY_ERROR_NOT_SUPPORTED = 9,
} QuireMemoryError;

QUIRE_AVAILABLE_IN_1_0
GQuark quire_memory_error_quark (void);

G_END_DECLS
