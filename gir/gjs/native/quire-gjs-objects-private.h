/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Two kinds of native objects stand behind those of the override. A handle has a
 * reference on a block. A map has one on a QuireMapping, and is the very object that
 * scripts know as Quire.MapInfo: the override gives its prototype. */

#pragma once

#include "quire-gjs.h"

#include <js/Class.h>
#include <js/GCAPI.h>
#include <js/TypeDecls.h>

namespace quire_gjs {

/* Counted by the JavaScript handle and by its maps, all of the one thread of the
 * engine. */
struct Handle
{
  QuireMemory  *memory;
  /* What the collector was told of its size. */
  gsize         weight;
  unsigned      ref_count;
  unsigned      n_maps;
  bool          closed;
  /* To give the block up, after a collection. */
  bool          waits;
  /* A range of which all pages are known to be writable. */
  const guint8 *good_from;
  const guint8 *good_to;
};

struct Map
{
  QuireMapping *mapping;
  /* NULL once it has ended. */
  Handle       *handle;
};

enum { HANDLE_SLOT, HANDLE_SLOTS };
enum { MAP_SLOT, MAP_VIEW_SLOT, MAP_MEMORY_SLOT, MAP_SLOTS };

extern const JSClass handle_class;
extern const JSClass map_class;

void handle_retire    (Handle *handle);
void map_ended        (JSObject *object, Map *map);
void collection_ended (JS::GCContext *context, JSFinalizeStatus status, void *data);

} // namespace quire_gjs
