/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <sys/mman.h>

#include <glib.h>

G_BEGIN_DECLS

/* Pages of a file, and where they are in this process. */
typedef struct
{
  /* The size of a page in bytes. */
  gsize    page;
  gboolean is_huge;
  /* Where the first page begins in the file, and how far into it the block does. */
  guint64  file_start;
  gsize    lead;
  /* Size of all pages together in bytes; 0 if there are none. */
  gsize    size;

  /* NULL if there are none, or not yet. */
  guint8  *address;
  /* As mmap() takes them. */
  int      protection;
  int      flags;
} QuireFdMapping;

void     quire_fd_mapping_find      (QuireFdMapping *mapping,
                                     gsize           page,
                                     gboolean        is_huge,
                                     guint64         offset,
                                     gsize           size);
gboolean quire_fd_mapping_map       (QuireFdMapping *mapping,
                                     int             fd,
                                     int             protection,
                                     int             flags,
                                     gsize           offset,
                                     gsize           align);
gboolean quire_fd_mapping_map_again (QuireFdMapping *mapping,
                                     int             fd,
                                     int             flags);
void     quire_fd_mapping_unmap     (QuireFdMapping *mapping);
int      quire_fd_mapping_apart     (QuireFdMapping *mapping);

#define QUIRE_FD_READWRITE (PROT_READ | PROT_WRITE)

G_END_DECLS
