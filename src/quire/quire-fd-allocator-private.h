/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-fd-allocator.h"
#include "quire-memory-private.h"

G_BEGIN_DECLS

/* What the allocators over descriptors have in common: their blocks. */

struct _QuireFdAllocator
{
  QuireAllocator parent_instance;
};

typedef enum
{
  /* Nobody can truncate the file, or it has no size: the address is good for ever. */
  QUIRE_FD_KIND_STABLE,
  /* Somebody may truncate the file: each map looks at its size. */
  QUIRE_FD_KIND_SIZED,
  /* Each map is told to the driver. */
  QUIRE_FD_KIND_DMA_BUF,
} QuireFdKind;

typedef struct
{
  QuireMemory memory;

  /* -1 if it is not needed any more. */
  int         fd;
  QuireFdKind kind;
  /* The data is not that of the file, but may have been once. */
  gboolean    is_private;

  /* Where the block starts in the file, and in the process. */
  guint64     file_offset;
  guint8     *start;

  /* Whole pages. NULL if the block has none. */
  gpointer    mapping;
  gsize       mapping_size;
  gsize       page;
} QuireFdMemory;

/* Which pages of a file a block has. */
typedef struct
{
  /* Size of a page. */
  gsize   page;
  /* In the file, and from there to the block. */
  guint64 file_start;
  gsize   lead;
  /* In bytes, with the lead. */
  gsize   size;
} QuireFdPages;

QuireFdMemory *quire_fd_memory_new      (QuireAllocator      *allocator,
                                         int                  fd,
                                         QuireFdKind          kind,
                                         const QuireFdPages  *pages,
                                         gpointer             mapping,
                                         guint                flags,
                                         gsize                maxsize,
                                         gsize                align,
                                         gsize                offset,
                                         gsize                size) G_GNUC_WARN_UNUSED_RESULT;
QuireFdMemory *quire_fd_memory_find     (QuireMemory         *memory,
                                         gsize               *offset);

void           quire_fd_pages_find      (QuireFdPages        *pages,
                                         gsize                page,
                                         guint64              offset,
                                         gsize                size);
gsize          quire_fd_pages_get_align (const QuireFdPages  *pages);
gpointer       quire_fd_pages_map       (const QuireFdPages  *pages,
                                         int                  fd,
                                         int                  protection,
                                         int                  flags);

/* A private mapping shows the pages of the file until it is written to. So it serves for
 * what shall be read only: who writes nevertheless, as JavaScript lets him, gets pages of
 * his own, where he would end the process otherwise. */
#define QUIRE_FD_PROTECTION   (PROT_READ | PROT_WRITE)
#define QUIRE_FD_MAP_READONLY (MAP_PRIVATE | MAP_NORESERVE)

G_END_DECLS
