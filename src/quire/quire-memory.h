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

#define QUIRE_TYPE_MEMORY (quire_memory_get_type ())

/* Scripts see an opaque type: no field to misread, no bare construction. */
#ifndef __GI_SCANNER__
struct _QuireMemory
{
  /* The first 64 bytes are what the hot paths touch. */
  /*< private >*/
  gint            ref_count;
  guint           flags;
#if defined(__GNUC__)
  __attribute__ ((aligned (8)))
#endif
  guint64         lock;

  /*< public >*/
  QuireAllocator *allocator;
  QuireMemory    *parent;
  gsize           maxsize;
  gsize           align;
  gsize           offset;
  gsize           size;

  /*< private >*/
  gpointer        base;
  GData          *qdata;
  guint           pins;
#if defined(__GNUC__)
  __attribute__ ((aligned (8)))
#endif
  guint64         held;
  gpointer        kept;
  gpointer        _reserved[1];
};
#endif /* __GI_SCANNER__ */

QUIRE_AVAILABLE_IN_1_0
GType             quire_memory_get_type      (void) G_GNUC_CONST;

QUIRE_AVAILABLE_IN_1_0
void              quire_memory_init          (QuireMemory      *memory,
                                              QuireMemoryFlags  flags,
                                              QuireAllocator   *allocator,
                                              QuireMemory      *parent,
                                              gsize             maxsize,
                                              gsize             align,
                                              gsize             offset,
                                              gsize             size);

QUIRE_AVAILABLE_IN_1_0
QuireMemory      *quire_memory_ref           (QuireMemory  *memory);
QUIRE_AVAILABLE_IN_1_0
void              quire_memory_unref         (QuireMemory  *memory);
QUIRE_AVAILABLE_IN_1_0
gboolean          quire_memory_replace       (QuireMemory **old_memory,
                                              QuireMemory  *new_memory);
QUIRE_AVAILABLE_IN_1_0
gboolean          quire_memory_take          (QuireMemory **old_memory,
                                              QuireMemory  *new_memory);
QUIRE_AVAILABLE_IN_1_0
QuireMemory      *quire_memory_steal         (QuireMemory **old_memory) G_GNUC_WARN_UNUSED_RESULT;

QUIRE_AVAILABLE_IN_1_0
QuireMemoryFlags  quire_memory_get_flags     (QuireMemory  *memory);
QUIRE_AVAILABLE_IN_1_0
gsize             quire_memory_get_align     (QuireMemory  *memory);
QUIRE_AVAILABLE_IN_1_0
gboolean          quire_memory_is_aligned    (QuireMemory  *memory,
                                              gsize         align);
QUIRE_AVAILABLE_IN_1_0
QuireAllocator   *quire_memory_get_allocator (QuireMemory  *memory);
QUIRE_AVAILABLE_IN_1_0
QuireMemory      *quire_memory_get_parent    (QuireMemory  *memory);
QUIRE_AVAILABLE_IN_1_0
QuireMemory      *quire_memory_dup_parent    (QuireMemory  *memory) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
gboolean          quire_memory_is_type       (QuireMemory  *memory,
                                              const char   *mem_type);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (QuireMemory, quire_memory_unref)

G_END_DECLS
