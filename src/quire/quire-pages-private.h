/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-types.h"

G_BEGIN_DECLS

/* Pages of one's own between two fences: pages that can't be touched. */
typedef struct
{
  /* All of the mapping, with the fences. */
  guint8 *mapping;
  gsize   mapping_size;

  /* The pages between the fences. */
  guint8 *data;
  gsize   size;
} QuirePages;

gsize    quire_pages_get_size    (void) G_GNUC_CONST;

gboolean quire_pages_map         (QuirePages  *pages,
                                  gsize        align,
                                  gsize        offset,
                                  gsize        size,
                                  guint8     **start,
                                  GError     **error);
gboolean quire_pages_forbid      (QuirePages  *pages);
void     quire_pages_unmap       (QuirePages  *pages);

/* No block that is smaller is worth a thought of huge pages. */
#define QUIRE_PAGES_LARGE ((gsize) 2 * 1024 * 1024)

gsize    quire_pages_get_huge    (gsize        size);
void     quire_pages_advise_huge (guint8      *start,
                                  guint8      *end,
                                  gsize        huge);

G_END_DECLS
