/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-gjs-objects-private.h"

#include <js/MemoryFunctions.h>
#include <js/Object.h>
#include <jsapi.h>

namespace quire_gjs {

static void
handle_unref (Handle *handle)
{
  if (--handle->ref_count > 0)
    return;

  if (handle->memory != nullptr)
    quire_memory_unref (handle->memory);
  delete handle;
}

/* Closed handles that wait to give their block up, with a reference on each. */
static GPtrArray *to_retire;

static void
handle_wait (Handle *handle)
{
  if (handle->waits)
    return;

  if (to_retire == nullptr)
    to_retire = g_ptr_array_new ();
  g_ptr_array_add (to_retire, handle);
  handle->waits = true;
  handle->ref_count++;
}

/* A handle that was closed gives the block up when its last map has ended. If somebody
 * else has a reference, as an array that is just being collected, it tries again after
 * each collection. The override calls for it only while the wrapper of GJS is alive. */
void
handle_retire (Handle *handle)
{
  if (!handle->closed || handle->n_maps > 0 || handle->memory == nullptr)
    return;

  if (quire_memory_close_wrapper (handle->memory))
    handle->memory = nullptr;
  else
    handle_wait (handle);
}

/* After a collection. Of a handle that nobody but us has a reference on, the wrapper was
 * collected too. */
void
collection_ended (JS::GCContext *, JSFinalizeStatus status, void *)
{
  if (status != JSFINALIZE_COLLECTION_END || to_retire == nullptr)
    return;

  for (guint i = to_retire->len; i > 0; i--)
    {
      Handle *handle = static_cast<Handle *> (g_ptr_array_index (to_retire, i - 1));

      if (handle->ref_count > 1)
        handle_retire (handle);
      if (handle->ref_count > 1 && handle->memory != nullptr)
        continue;

      g_ptr_array_remove_index_fast (to_retire, i - 1);
      handle->waits = false;
      handle_unref (handle);
    }
}

static void
handle_finalize (JS::GCContext *, JSObject *object)
{
  Handle *handle = JS::GetMaybePtrFromReservedSlot<Handle> (object, HANDLE_SLOT);

  if (handle == nullptr)
    return;

  JS::RemoveAssociatedMemory (object, handle->weight, JS::MemoryUse::Embedding1);
  handle_unref (handle);
}

/* A map that a script dropped. An array over it that is still there has a reference on
 * the mapping, and so its lock. */
static void
map_finalize (JS::GCContext *, JSObject *object)
{
  Map *map = JS::GetMaybePtrFromReservedSlot<Map> (object, MAP_SLOT);

  if (map == nullptr)
    return;

  quire_mapping_unref (map->mapping);
  if (map->handle != nullptr)
    {
      map->handle->n_maps--;
      if (map->handle->closed)
        handle_wait (map->handle);
      handle_unref (map->handle);
    }
  delete map;
}

static const JSClassOps handle_ops = {
  nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, handle_finalize, nullptr, nullptr, nullptr,
};
const JSClass handle_class = {
  "QuireHandle",
  JSCLASS_HAS_RESERVED_SLOTS (HANDLE_SLOTS) | JSCLASS_FOREGROUND_FINALIZE,
  &handle_ops, JS_NULL_CLASS_SPEC, JS_NULL_CLASS_EXT, JS_NULL_OBJECT_OPS,
};

static const JSClassOps map_ops = {
  nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, map_finalize, nullptr, nullptr, nullptr,
};
const JSClass map_class = {
  "QuireMapInfo",
  JSCLASS_HAS_RESERVED_SLOTS (MAP_SLOTS) | JSCLASS_FOREGROUND_FINALIZE,
  &map_ops, JS_NULL_CLASS_SPEC, JS_NULL_CLASS_EXT, JS_NULL_OBJECT_OPS,
};

/* The lock has gone: the map lets go of its block. */
void
map_ended (JSObject *object, Map *map)
{
  map->handle->n_maps--;
  handle_retire (map->handle);
  handle_unref (g_steal_pointer (&map->handle));
  JS::SetReservedSlot (object, MAP_MEMORY_SLOT, JS::NullValue ());
}

} // namespace quire_gjs
