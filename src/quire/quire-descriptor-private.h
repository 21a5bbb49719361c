/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <sys/types.h>

#include "quire-types.h"

G_BEGIN_DECLS

/* What there is to know of a descriptor, before it is mapped and after. */
typedef struct
{
  /* Of O_ACCMODE, and of F_GET_SEALS. */
  int      access;
  guint    seals;

  gboolean is_file;
  gboolean is_dma_buf;

  /* The size of its pages in bytes. Those of a hugetlbfs are none of the system's own. */
  gsize    page;
  gboolean is_huge;

  /* The size of what is there in bytes; -1 if it has none. */
  gint64   size;

  dev_t    dev;
  ino_t    ino;
} QuireDescriptor;

gboolean quire_descriptor_look      (QuireDescriptor        *descriptor,
                                     int                     fd,
                                     GError                **error);
gboolean quire_descriptor_find_size (const QuireDescriptor  *descriptor,
                                     int                     fd,
                                     guint64                 offset,
                                     gssize                  size,
                                     gsize                  *found,
                                     GError                **error);
gboolean quire_descriptor_still_has (int                     fd,
                                     dev_t                   dev,
                                     ino_t                   ino,
                                     guint64                 end,
                                     GError                **error);
gboolean quire_descriptor_refuse    (int                     fd,
                                     const char             *why,
                                     GError                **error) __attribute__ ((cold));

G_END_DECLS
