/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What introspection can't do for JavaScript: arrays over a block that die with their
 * map, and maps without the price of an introspected call.
 *
 * The override asks for native functions once, and keeps them to itself. They check
 * what they are given, and give no address away; so a script that got hold of them
 * could do no more than the override.
 *
 * The objects that they deal in are those of quire-gjs-objects-private.h. */

#include "quire-gjs.h"

#include "quire-gjs-objects-private.h"

#include <stdio.h>
#include <string.h>

#include <gjs/gjs.h>

#include <js-config.h>

#include <js/Array.h>
#include <js/ArrayBuffer.h>
#include <js/CallArgs.h>
#include <js/Class.h>
#include <js/Conversions.h>
#include <js/ErrorReport.h>
#include <js/Exception.h>
#include <js/MemoryFunctions.h>
#include <js/Object.h>
#include <js/PropertyAndElement.h>
#include <js/PropertySpec.h>
#include <js/RootingAPI.h>
#include <js/experimental/TypedData.h>
#include <jsapi.h>

using namespace quire_gjs;

namespace {

/* What the override finds on the global object, takes, and deletes. */
constexpr const char *NATIVE_NAME = "__quireNative";

/* Changes with what the native functions take and give. */
constexpr guint NATIVE_VERSION = 1;

/* The block for which take() makes a handle. */
QuireMemory *offered;

/* The engine that has the native functions. */
JSContext *installed;

/* Why the last call gave null, or false. */
GError *last_error;

/* The struct behind an argument, if it is a native object of this class. */
template<typename T>
T *
get_argument (JSContext *cx, const JS::CallArgs &args, unsigned index, const JSClass *klass)
{
  if (args.get (index).isObject ())
    {
      JSObject *object = &args[index].toObject ();

      if (JS::GetClass (object) == klass)
        return JS::GetMaybePtrFromReservedSlot<T> (object, 0);
    }

  JS_ReportErrorASCII (cx, "This is no %s", klass->name);
  return nullptr;
}

/* take(): a handle for the block that was offered. */
bool
native_take (JSContext *cx, unsigned argc, JS::Value *vp)
{
  JS::CallArgs args = JS::CallArgsFromVp (argc, vp);
  JS::RootedObject object (cx);
  Handle *handle;

  if (offered == nullptr)
    {
      JS_ReportErrorASCII (cx, "No block was offered");
      return false;
    }

  object = JS_NewObject (cx, &handle_class);
  if (object == nullptr)
    return false;

  handle = new Handle { g_steal_pointer (&offered), 0, 1, 0, false, false, nullptr, nullptr };
  JS::SetReservedSlot (object, HANDLE_SLOT, JS::PrivateValue (handle));
  args.rval ().setObject (*object);

  /* The collector comes the sooner the more it may free: as with arrays, a script that
   * drops large blocks in a loop would run out of memory else. A share has none. */
  if (quire_memory_get_parent (handle->memory) == nullptr)
    quire_memory_get_sizes (handle->memory, nullptr, &handle->weight);
  JS::AddAssociatedMemory (object, handle->weight, JS::MemoryUse::Embedding1);
  return true;
}

/* map(handle, flags, prototype, memory): a map, or null. */
bool
native_map (JSContext *cx, unsigned argc, JS::Value *vp)
{
  JS::CallArgs args = JS::CallArgsFromVp (argc, vp);
  Handle *handle = get_argument<Handle> (cx, args, 0, &handle_class);
  JS::RootedObject prototype (cx), object (cx);
  QuireMapping *mapping;
  double flags;

  if (handle == nullptr)
    return false;
  if (!JS::ToNumber (cx, args.get (1), &flags))
    return false;
  if (!(flags >= 0 && flags <= G_MAXUINT32) || flags != static_cast<guint32> (flags))
    {
      JS_ReportErrorASCII (cx, "%g is no number of flags", flags);
      return false;
    }
  if (!args.get (2).isObject () || handle->memory == nullptr)
    {
      JS_ReportErrorASCII (cx, "No prototype, or a closed handle");
      return false;
    }

  prototype = &args[2].toObject ();
  object = JS_NewObjectWithGivenProto (cx, &map_class, prototype);
  if (object == nullptr)
    return false;

  g_clear_error (&last_error);
  mapping = quire_memory_try_map (handle->memory,
                                  static_cast<QuireMapFlags> (static_cast<guint32> (flags)),
                                  &last_error);
  if (mapping == nullptr)
    {
      args.rval ().setNull ();
      return true;
    }

  handle->ref_count++;
  handle->n_maps++;
  JS::SetReservedSlot (object, MAP_SLOT, JS::PrivateValue (new Map { mapping, handle }));
  JS::SetReservedSlot (object, MAP_MEMORY_SLOT, args.get (3));
  args.rval ().setObject (*object);
  return true;
}

/* The engine may call this on a thread of the collector: a reference may be dropped on
 * any, and so must an allocator be ready to free a block on any. */
void
free_view (void *, void *bytes)
{
  g_bytes_unref (static_cast<GBytes *> (bytes));
}

/* Whether all pages of a range may be written, as far as the system tells. */
bool
is_writable_range (gconstpointer data, gsize size)
{
  guintptr position = reinterpret_cast<guintptr> (data);
  const guintptr end = position + size;
  FILE *file = fopen ("/proc/self/maps", "re");
  char line[512];
  bool at_start = true;

  /* The lines are in the order of their addresses. */
  while (file != nullptr && position < end && fgets (line, sizeof line, file) != nullptr)
    {
      unsigned long from, to;
      char write;

      if (at_start && sscanf (line, "%lx-%lx %*c%c", &from, &to, &write) == 3 && to > position)
        {
          if (from > position || write != 'w')
            break;
          position = to;
        }
      at_start = strchr (line, '\n') != nullptr;
    }

  if (file != nullptr)
    fclose (file);
  return position >= end;
}

/* JavaScript has no arrays that can't be written, and a write to a page that can't be,
 * as of a file that is mapped, would end the process. Only blocks that are read-only
 * from the start have such; their handle remembers what was found to be good. */
bool
can_be_array (Handle *handle, QuireMemory *memory, gconstpointer data, gsize size)
{
  const guint8 *from = static_cast<const guint8 *> (data);
  QuireMemory *parent = quire_memory_get_parent (memory);

  if (!(quire_memory_get_flags (parent != nullptr ? parent : memory) & QUIRE_MEMORY_FLAG_READONLY))
    return true;
  if (from >= handle->good_from && from + size <= handle->good_to)
    return true;
  if (!is_writable_range (data, size))
    return false;

  handle->good_from = from;
  handle->good_to = from + size;
  return true;
}

JSObject *
copy_to_buffer (JSContext *cx, gconstpointer data, gsize size)
{
  JS::RootedObject buffer (cx, JS::NewArrayBuffer (cx, size));

  if (buffer != nullptr && size > 0)
    {
      JS::AutoCheckCannotGC no_gc (cx);
      bool is_shared;

      memcpy (JS::GetArrayBufferData (buffer, &is_shared, no_gc), data, size);
    }
  return buffer;
}

/* data(map): the array over the data, or null if the map has ended. */
bool
native_data (JSContext *cx, unsigned argc, JS::Value *vp)
{
  JS::CallArgs args = JS::CallArgsFromVp (argc, vp);
  Map *map = get_argument<Map> (cx, args, 0, &map_class);
  JS::RootedObject object (cx), buffer (cx), view (cx);
  GBytes *bytes;
  gconstpointer data;
  gsize size;

  if (map == nullptr)
    return false;

  object = &args[0].toObject ();
  if (map->handle == nullptr)
    {
      args.rval ().setNull ();
      return true;
    }
  if (JS::GetReservedSlot (object, MAP_VIEW_SLOT).isObject ())
    {
      args.rval ().set (JS::GetReservedSlot (object, MAP_VIEW_SLOT));
      return true;
    }

  /* They keep the data in place for the engine, whoever keeps the array. */
  bytes = quire_mapping_view_bytes (map->mapping, nullptr);
  data = g_bytes_get_data (bytes, &size);
  if (size > 0 && can_be_array (map->handle, quire_mapping_get_memory (map->mapping), data, size))
    {
      buffer = JS::NewExternalArrayBuffer (cx, size, const_cast<gpointer> (data), free_view, bytes);
      if (buffer == nullptr)
        g_bytes_unref (bytes);
    }
  else
    {
      buffer = copy_to_buffer (cx, data, size);
      g_bytes_unref (bytes);
    }
  if (buffer == nullptr)
    return false;

  view = JS_NewUint8ArrayWithBuffer (cx, buffer, 0, -1);
  if (view == nullptr)
    return false;

  JS::SetReservedSlot (object, MAP_VIEW_SLOT, JS::ObjectValue (*view));
  args.rval ().setObject (*view);
  return true;
}

/* Of the arrays over a map that has ended none has a length any more. An array that
 * can't lose it, as one of asm.js, keeps the map from ending. */
bool
detach (JSContext *cx, JS::HandleObject object)
{
  JS::Value slot = JS::GetReservedSlot (object, MAP_VIEW_SLOT);
  JS::RootedObject view (cx), buffer (cx);
  bool is_shared;

  if (!slot.isObject ())
    return true;

  view = &slot.toObject ();
  buffer = JS_GetArrayBufferViewBuffer (cx, view, &is_shared);
  return buffer != nullptr && JS::DetachArrayBuffer (cx, buffer);
}

/* unmap(handle, map): whether the map was one of the block, and has ended now. */
bool
native_unmap (JSContext *cx, unsigned argc, JS::Value *vp)
{
  JS::CallArgs args = JS::CallArgsFromVp (argc, vp);
  Handle *handle = get_argument<Handle> (cx, args, 0, &handle_class);
  Map *map = handle != nullptr ? get_argument<Map> (cx, args, 1, &map_class) : nullptr;
  JS::RootedObject object (cx);
  gboolean unmapped;

  if (map == nullptr)
    return false;
  if (handle->memory == nullptr)
    {
      JS_ReportErrorASCII (cx, "A closed handle");
      return false;
    }

  object = &args[1].toObject ();
  if (map->handle != nullptr && quire_mapping_get_memory (map->mapping) == handle->memory && !detach (cx, object))
    return false;

  g_clear_error (&last_error);
  unmapped = quire_memory_try_unmap (handle->memory, map->mapping, &last_error);
  args.rval ().setBoolean (unmapped);
  if (unmapped)
    map_ended (object, map);
  return true;
}

/* release(map): ends the map, if it has not ended. */
bool
native_release (JSContext *cx, unsigned argc, JS::Value *vp)
{
  JS::CallArgs args = JS::CallArgsFromVp (argc, vp);
  Map *map = get_argument<Map> (cx, args, 0, &map_class);
  JS::RootedObject object (cx);

  if (map == nullptr)
    return false;

  args.rval ().setUndefined ();
  if (map->handle == nullptr)
    return true;

  object = &args[0].toObject ();
  if (!detach (cx, object))
    return false;

  quire_mapping_release (map->mapping);
  map_ended (object, map);
  return true;
}

/* about(map): [flags, size, maxsize, ended, memory]. */
bool
native_about (JSContext *cx, unsigned argc, JS::Value *vp)
{
  JS::CallArgs args = JS::CallArgsFromVp (argc, vp);
  Map *map = get_argument<Map> (cx, args, 0, &map_class);
  JS::RootedValueArray<5> values (cx);
  JSObject *array;

  if (map == nullptr)
    return false;

  values[0].setNumber (static_cast<guint32> (quire_mapping_get_flags (map->mapping)));
  values[1].setNumber (static_cast<double> (quire_mapping_get_size (map->mapping)));
  values[2].setNumber (static_cast<double> (quire_mapping_get_maxsize (map->mapping)));
  values[3].setBoolean (map->handle == nullptr);
  values[4].set (JS::GetReservedSlot (&args[0].toObject (), MAP_MEMORY_SLOT));

  array = JS::NewArrayObject (cx, values);
  if (array == nullptr)
    return false;
  args.rval ().setObject (*array);
  return true;
}

/* close(handle): gives the block up, now or with the last map. */
bool
native_close (JSContext *cx, unsigned argc, JS::Value *vp)
{
  JS::CallArgs args = JS::CallArgsFromVp (argc, vp);
  Handle *handle = get_argument<Handle> (cx, args, 0, &handle_class);

  if (handle == nullptr)
    return false;

  handle->closed = true;
  handle_retire (handle);
  args.rval ().setUndefined ();
  return true;
}

/* error(): [domain, code, message] of the last call that failed. */
bool
native_error (JSContext *cx, unsigned argc, JS::Value *vp)
{
  JS::CallArgs args = JS::CallArgsFromVp (argc, vp);
  g_autoptr (GError) error = g_steal_pointer (&last_error);
  JS::RootedValueArray<3> values (cx);
  JSString *message;
  JSObject *array;

  if (error == nullptr)
    {
      JS_ReportErrorASCII (cx, "There was no error");
      return false;
    }

  message = JS_NewStringCopyUTF8Z (cx, JS::ConstUTF8CharsZ (error->message, strlen (error->message)));
  if (message == nullptr)
    return false;

  values[0].setNumber (static_cast<uint32_t> (error->domain));
  values[1].setInt32 (error->code);
  values[2].setString (message);
  array = JS::NewArrayObject (cx, values);
  if (array == nullptr)
    return false;
  args.rval ().setObject (*array);
  return true;
}

const JSFunctionSpec native_functions[] = {
  JS_FN ("take", native_take, 0, 0),
  JS_FN ("map", native_map, 4, 0),
  JS_FN ("data", native_data, 1, 0),
  JS_FN ("unmap", native_unmap, 2, 0),
  JS_FN ("release", native_release, 1, 0),
  JS_FN ("about", native_about, 1, 0),
  JS_FN ("close", native_close, 1, 0),
  JS_FN ("error", native_error, 0, 0),
  JS_FS_END,
};

bool
install (JSContext *cx)
{
  JS::RootedObject global (cx, JS::CurrentGlobalOrNull (cx));
  JS::RootedObject functions (cx);

  if (global == nullptr)
    return false;

  functions = JS_NewPlainObject (cx);
  return functions != nullptr &&
         JS_DefineFunctions (cx, functions, native_functions) &&
         JS_DefineProperty (cx, global, NATIVE_NAME, functions, 0);
}

/* The engine in which we run must be the one that we were compiled for: a GJS of the same
 * soname may have another. */
bool
is_our_engine ()
{
  return g_str_has_prefix (gjs_get_js_version (),
                           "JavaScript-C" G_STRINGIFY (MOZJS_MAJOR_VERSION) ".");
}

/* The engine collects in slices, and GJS calls no function of a script until the last one
 * of a sweep, even though others run meanwhile. So a collection that has begun is ended
 * before an allocator is called. */
void
end_collection ()
{
  if (installed != nullptr && JS::IsIncrementalGCInProgress (installed) && !JS::RuntimeHeapIsBusy ())
    JS::FinishIncrementalGC (installed, JS::GCReason::API);
}

} // namespace

/**
 * quire_gjs_install:
 * @version: which native functions the override knows
 *
 * Puts the native functions on the global object of the script that calls, for the
 * override to take from there.
 *
 * Returns: whether they are there; %FALSE in another engine, and for an override of
 *   another version
 */
gboolean
quire_gjs_install (guint version)
{
  GjsContext *context = gjs_context_get_current ();
  JSContext *cx;

  if (context == nullptr || version != NATIVE_VERSION || !is_our_engine ())
    return FALSE;

  cx = static_cast<JSContext *> (gjs_context_get_native_context (context));
  if (installed != cx && !JS_AddFinalizeCallback (cx, collection_ended, nullptr))
    return FALSE;
  installed = cx;
  quire_binding_set_prelude (end_collection);
  if (install (cx))
    return TRUE;

  /* No exception crosses the return to an introspected caller. */
  JS_ClearPendingException (cx);
  return FALSE;
}

/**
 * quire_gjs_offer:
 * @memory: a block
 *
 * Offers a block to the native functions, which know no introspected objects.
 */
void
quire_gjs_offer (QuireMemory *memory)
{
  g_return_if_fail (memory != nullptr);

  quire_memory_ref (memory);
  g_clear_pointer (&offered, quire_memory_unref);
  offered = memory;
}
