/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Maps of a block: map() and unmap(), and the buffer protocol, each view of which is a map
 * of its own. */

#include "_quire-private.h"

/* A mapping has a reference on the block, so that it does not matter what becomes of the
 * handle. A consumer that asks for no more than to read gets a view to write nevertheless
 * if that is to be had: memoryview() can't ask for it. */
int
quire_python_memory_getbuffer (PyObject  *self,
                               Py_buffer *view,
                               int        flags)
{
  const gboolean must_write = (flags & PyBUF_WRITABLE) != 0;
  QuireMemory *memory = quire_python_memory_get (self);
  QuireMapping *mapping;
  GError *error = NULL;
  int result;

  view->obj = NULL;
  if (memory == NULL)
    return -1;

  mapping = quire_memory_try_map (memory, QUIRE_MAP_READWRITE, must_write ? &error : NULL);
  if (mapping == NULL && !must_write)
    mapping = quire_memory_try_map (memory, QUIRE_MAP_READ, &error);
  if (mapping == NULL)
    {
      quire_python_raise_buffer_error (error);
      return -1;
    }

  result = quire_python_fill_view (self, view, flags, mapping);
  quire_mapping_unref (mapping);
  quire_python_memory_state (self)->n_exports++;
  return result;
}

void
quire_python_memory_releasebuffer (PyObject  *self,
                                   Py_buffer *view)
{
  quire_mapping_release_view (view->internal);
}

PyDoc_STRVAR (memory_map_doc,
"map($self, /, flags=1)\n--\n\n"
"Maps the block, to read (Quire.MapFlags.READ is 1) unless other flags are given, and\n"
"gives a Quire.MapInfo.\n\n"
"That is a context manager, which yields a memoryview and unmaps at the end of its\n"
"block; or it is given back to unmap(); or it is a buffer like any other, and the\n"
"map ends when it goes.");

static PyObject *
memory_map (PyObject        *self,
            PyObject *const *args,
            Py_ssize_t       n_args,
            PyObject        *keywords)
{
  static const QuirePythonSignature signature = { "map", { "flags" }, 0 };
  guint flags = QUIRE_MAP_READ;
  QuireMemory *memory;
  QuireMapping *mapping;
  GError *error = NULL;
  PyObject *object;

  if (!quire_python_sort_arguments (&signature, args, n_args, keywords, &object) ||
      !quire_python_get_flags (object, "map", &flags) ||
      (memory = quire_python_memory_get (self)) == NULL)
    return NULL;

  mapping = quire_memory_try_map (memory, (QuireMapFlags) flags, &error);
  return mapping != NULL ? quire_python_mapping_to_python (mapping) : quire_python_raise_error (error);
}

PyDoc_STRVAR (memory_unmap_doc,
"unmap($self, info, /)\n--\n\n"
"Ends a map of map(). While views of it are alive that is Quire.Error.Busy, which\n"
"is a BufferError.");

static PyObject *
memory_unmap (PyObject *self,
              PyObject *info)
{
  QuireMemory *memory = quire_python_memory_get (self);
  QuireMapping *mapping;
  GError *error = NULL;

  if (memory == NULL || (mapping = quire_python_mapping_get (info)) == NULL)
    return NULL;

  if (!quire_memory_try_unmap (memory, mapping, &error))
    return quire_python_raise_error (error);
  Py_RETURN_NONE;
}

PyMethodDef quire_python_map_methods[] = {
  { "map", QUIRE_PYTHON_METHOD (memory_map), METH_FASTCALL | METH_KEYWORDS, memory_map_doc },
  { "unmap", memory_unmap, METH_O, memory_unmap_doc },
  { NULL, },
};
