/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <sys/types.h>

#include "quire-fd-allocator.h"
#include "quire-fd-mapping-private.h"
#include "quire-memory-private.h"

G_BEGIN_DECLS

/* What the allocators over descriptors have in common: their blocks. */

struct _QuireFdAllocator
{
  QuireAllocator parent_instance;
};

typedef enum
{
  /* Nobody can truncate the file, or it has no size: a map is a lock and nothing more. */
  QUIRE_FD_KIND_STABLE,
  /* Somebody may truncate the file: each map looks at its size. */
  QUIRE_FD_KIND_SIZED,
  /* Each map is told to the driver. */
  QUIRE_FD_KIND_DMA_BUF,
} QuireFdKind;

typedef struct
{
  QuireMemory    memory;

  /* Whose pages they are; they stay mapped as long as the block lives. */
  QuireFdMapping mapping;
  QuireFdKind    kind;

  /* -1 if the block needs none. */
  int            fd;
  gboolean       is_borrowed;
  /* The data is the block's own, as soon as it is written to. */
  gboolean       is_private;

  /* What was behind the descriptor when the block was made. */
  gboolean       is_file;
  dev_t          dev;
  ino_t          ino;
} QuireFdMemory;

QuireFdMemory *quire_fd_memory_new          (QuireAllocator        *allocator,
                                             int                    fd,
                                             QuireFdKind            kind,
                                             const QuireFdMapping  *mapping,
                                             QuireMemoryFlags       flags,
                                             gsize                  maxsize,
                                             gsize                  align,
                                             gsize                  offset,
                                             gsize                  size) G_GNUC_WARN_UNUSED_RESULT;
QuireFdMemory *quire_fd_memory_find         (QuireMemory           *memory,
                                             gsize                 *offset);
gboolean       quire_fd_memory_check_file   (QuireFdMemory         *block,
                                             GError               **error);
gboolean       quire_fd_memory_begin_access (QuireMemory           *memory,
                                             QuireMapFlags          flags,
                                             GError               **error);
void           quire_fd_memory_end_access   (QuireMemory           *memory,
                                             QuireMapFlags          flags);

/* Where the block starts in the file. */
static inline guint64
quire_fd_memory_get_offset (QuireFdMemory *block)
{
  return block->mapping.file_start + block->mapping.lead;
}

G_END_DECLS
