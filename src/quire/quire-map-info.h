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
 * QuireMapInfo: (skip)
 * @memory: the block that is mapped, or %NULL
 * @flags: how it is mapped
 * @data: (array length=size): the data of the block, at its offset
 * @size: the size of the data in bytes
 * @maxsize: how many bytes there are from @data to the end of the block
 * @user_data: for the allocator
 *
 * What a C program knows of a map. It lives on the caller's stack, and holds a
 * lock but no reference.
 *
 * On failure and after [method@Memory.unmap] it is all zero. `g_auto (QuireMapInfo)`
 * unmaps at the end of its scope. In other languages, [struct@Mapping] stands
 * in its place.
 *
 * Since: 1.0
 */
struct _QuireMapInfo
{
  /* 80 bytes: what is larger, gcc clears by `rep stos`, which takes longer to begin than
   * a map takes. */
  QuireMemory   *memory;
  QuireMapFlags  flags;
  guint8        *data;
  gsize          size;
  gsize          maxsize;
  gpointer       user_data[4];

  /*< private >*/
  gpointer       _reserved[1];
};

/**
 * QUIRE_MAP_INFO_INIT: (skip)
 *
 * A [struct@MapInfo] that maps nothing, as an initializer.
 *
 * Since: 1.0
 */
#define QUIRE_MAP_INFO_INIT { NULL, QUIRE_MAP_NONE, NULL, 0, 0, { NULL, }, { NULL, } }

QUIRE_AVAILABLE_IN_1_0
gboolean     quire_memory_map         (QuireMemory    *memory,
                                       QuireMapInfo   *info,
                                       QuireMapFlags   flags) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
gboolean     quire_memory_map_full    (QuireMemory    *memory,
                                       QuireMapInfo   *info,
                                       QuireMapFlags   flags,
                                       GError        **error) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
void         quire_memory_unmap       (QuireMemory    *memory,
                                       QuireMapInfo   *info);
QUIRE_AVAILABLE_IN_1_0
QuireMemory *quire_memory_make_mapped (QuireMemory    *memory,
                                       QuireMapInfo   *info,
                                       QuireMapFlags   flags) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
void         quire_map_info_clear     (QuireMapInfo   *info);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (QuireMapInfo, quire_map_info_clear)

G_END_DECLS
