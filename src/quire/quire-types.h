/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(QUIRE_INSIDE) && !defined(QUIRE_COMPILATION)
# error "Only <quire/quire.h> can be included directly."
#endif

#include <gio/gio.h>

#include "quire-version-macros.h"

G_BEGIN_DECLS

typedef struct _QuireMemory           QuireMemory;
typedef struct _QuireMapInfo          QuireMapInfo;
typedef struct _QuireMapping          QuireMapping;
typedef struct _QuireAllocationParams QuireAllocationParams;
typedef struct _QuireAllocator        QuireAllocator;

/**
 * QuireMemoryFlags:
 * @QUIRE_MEMORY_FLAG_NONE: nothing special
 * @QUIRE_MEMORY_FLAG_READONLY: the block can't be mapped for writing; every
 *   share has this flag, a copy never has it
 * @QUIRE_MEMORY_FLAG_NO_SHARE: the block can't be shared, only copied
 * @QUIRE_MEMORY_FLAG_ZERO_PREFIXED: the bytes before the data are zero
 * @QUIRE_MEMORY_FLAG_ZERO_PADDED: the bytes after the data are zero
 * @QUIRE_MEMORY_FLAG_PHYSICALLY_CONTIGUOUS: the block is contiguous in
 *   physical memory
 * @QUIRE_MEMORY_FLAG_NOT_MAPPABLE: the block can't be mapped
 * @QUIRE_MEMORY_FLAG_LAST: the first bit that a custom allocator may use for
 *   flags of its own
 *
 * What is so of a block for as long as it lives.
 *
 * In [struct@AllocationParams], %QUIRE_MEMORY_FLAG_ZERO_PREFIXED and
 * %QUIRE_MEMORY_FLAG_ZERO_PADDED ask the allocator to zero these bytes.
 *
 * Since: 1.0
 */
typedef enum /*< flags >*/
{
  QUIRE_MEMORY_FLAG_NONE                  = 0,
  QUIRE_MEMORY_FLAG_READONLY              = 1 << 0,
  QUIRE_MEMORY_FLAG_NO_SHARE              = 1 << 1,
  QUIRE_MEMORY_FLAG_ZERO_PREFIXED         = 1 << 2,
  QUIRE_MEMORY_FLAG_ZERO_PADDED           = 1 << 3,
  QUIRE_MEMORY_FLAG_PHYSICALLY_CONTIGUOUS = 1 << 4,
  QUIRE_MEMORY_FLAG_NOT_MAPPABLE          = 1 << 5,

  QUIRE_MEMORY_FLAG_LAST                  = 1 << 16,
} QuireMemoryFlags;

/**
 * QuireMapFlags:
 * @QUIRE_MAP_NONE: nothing; a map with neither %QUIRE_MAP_READ nor
 *   %QUIRE_MAP_WRITE is refused
 * @QUIRE_MAP_READ: to read the data
 * @QUIRE_MAP_WRITE: to write the data
 * @QUIRE_MAP_READWRITE: to do both
 * @QUIRE_MAP_EXCLUSIVE: to own the block as well; while it has two owners,
 *   nobody may write it
 * @QUIRE_MAP_UNIQUE: to be the only map; granted only when no map of any kind
 *   stands, and while it stands no other one is granted
 * @QUIRE_MAP_LAST: the first bit that a custom allocator may use for map flags
 *   of its own
 *
 * How a block is mapped or locked.
 *
 * %QUIRE_MAP_EXCLUSIVE and %QUIRE_MAP_UNIQUE are different things: the first
 * counts owners, and lets a second thread of the same owner nest its
 * %QUIRE_MAP_WRITE in one that stands; the second keeps everybody else out.
 *
 * Since: 1.0
 */
typedef enum /*< flags >*/
{
  QUIRE_MAP_NONE      = 0,
  QUIRE_MAP_READ      = 1 << 0,
  QUIRE_MAP_WRITE     = 1 << 1,
  QUIRE_MAP_READWRITE = QUIRE_MAP_READ | QUIRE_MAP_WRITE,
  QUIRE_MAP_EXCLUSIVE = 1 << 2,
  QUIRE_MAP_UNIQUE    = 1 << 3,

  QUIRE_MAP_LAST      = 1 << 16,
} QuireMapFlags;

G_END_DECLS
