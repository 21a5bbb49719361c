/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A block as a sequence of bytes. A slice of it is a share; what is looked at or written in
 * place is so under a map that lasts as long as the call. */

#include "_quire-private.h"

Py_ssize_t
quire_python_memory_length (PyObject *self)
{
  QuireMemory *memory = quire_python_open_memory_get (self);

  return memory != NULL ? (Py_ssize_t) quire_memory_get_sizes (memory, NULL, NULL) : -1;
}

static void
set_index_error (Py_ssize_t index,
                 gsize      size)
{
  quire_python_raise_error (g_error_new (QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_OUT_OF_RANGE,
                                         "There is no byte %" G_GSSIZE_FORMAT
                                         " in a block of %" G_GSIZE_FORMAT,
                                         index, size));
}

/* Maps the block, and finds the byte that an index names. What the index is asked may
 * close the handle; so that is looked at afterwards. */
static guint8 *
map_byte (PyObject     *self,
          QuireMapInfo *info,
          QuireMapFlags flags,
          PyObject     *key)
{
  Py_ssize_t index, position;
  GError *error = NULL;
  QuireMemory *memory;

  if (!PyIndex_Check (key))
    {
      PyErr_Format (PyExc_TypeError, "an index of a Quire.Memory is an integer or a slice, not %.200s",
                    Py_TYPE (key)->tp_name);
      return NULL;
    }
  index = PyNumber_AsSsize_t (key, PyExc_IndexError);
  if (index == -1 && PyErr_Occurred ())
    return NULL;

  memory = quire_python_memory_get (self);
  if (memory == NULL)
    return NULL;
  if (!quire_memory_map_full (memory, info, flags, &error))
    {
      quire_python_raise_error (error);
      return NULL;
    }

  position = index < 0 ? index + (Py_ssize_t) info->size : index;
  if (position < 0 || position >= (Py_ssize_t) info->size)
    {
      set_index_error (index, info->size);
      quire_map_info_clear (info);
      return NULL;
    }

  return info->data + position;
}

/* What a slice names, which is a range, and the block. */
static QuireMemory *
get_range (PyObject   *self,
           PyObject   *slice,
           Py_ssize_t *start,
           Py_ssize_t *length)
{
  Py_ssize_t stop, step;
  QuireMemory *memory;

  if (PySlice_Unpack (slice, start, &stop, &step) != 0)
    return NULL;
  if (step != 1)
    {
      PyErr_Format (PyExc_ValueError,
                    "a slice of a Quire.Memory is a range of bytes, but one with step %zd is not; "
                    "slice memoryview(m) instead", step);
      return NULL;
    }

  memory = quire_python_open_memory_get (self);
  if (memory == NULL)
    return NULL;

  *length = PySlice_AdjustIndices ((Py_ssize_t) quire_memory_get_sizes (memory, NULL, NULL),
                                   start, &stop, step);
  return memory;
}

/* A negative index has had the length added to it by then, and is none. */
PyObject *
quire_python_memory_item (PyObject  *self,
                          Py_ssize_t index)
{
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;
  QuireMemory *memory = quire_python_memory_get (self);
  GError *error = NULL;

  if (memory == NULL)
    return NULL;
  if (!quire_memory_map_full (memory, &info, QUIRE_MAP_READ, &error))
    return quire_python_raise_error (error);

  if (index < 0 || index >= (Py_ssize_t) info.size)
    {
      set_index_error (index, info.size);
      return NULL;
    }

  return PyLong_FromLong (info.data[index]);
}

PyObject *
quire_python_memory_subscript (PyObject *self,
                               PyObject *key)
{
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;
  Py_ssize_t start, length;
  QuireMemory *memory, *share;
  GError *error = NULL;
  guint8 *byte;

  if (!PySlice_Check (key))
    {
      byte = map_byte (self, &info, QUIRE_MAP_READ, key);
      return byte != NULL ? PyLong_FromLong (*byte) : NULL;
    }

  memory = get_range (self, key, &start, &length);
  if (memory == NULL)
    return NULL;

  share = quire_memory_try_share (memory, start, length, &error);
  return share != NULL ? quire_python_memory_to_python (share) : quire_python_raise_error (error);
}

/* m[a:b] = data, where data has as many bytes. */
static int
assign_range (PyObject *self,
              PyObject *slice,
              PyObject *value)
{
  Py_ssize_t start, length;
  gboolean written = FALSE;
  QuireMemory *memory;
  GError *error = NULL;
  Py_buffer view;

  if (PyObject_GetBuffer (value, &view, PyBUF_SIMPLE) != 0)
    return -1;

  memory = get_range (self, slice, &start, &length);
  if (memory != NULL && view.len != length)
    {
      PyErr_Format (PyExc_ValueError, "%zd bytes of a Quire.Memory can't become %zd: it keeps its size",
                    length, view.len);
    }
  else if (memory != NULL)
    {
      QUIRE_PYTHON_BEGIN_THREADS (length >= QUIRE_PYTHON_LONG)
      written = quire_memory_try_write (memory, (gsize) start, view.buf, (gsize) length, &error);
      QUIRE_PYTHON_END_THREADS
      if (!written)
        quire_python_raise_error (error);
    }

  PyBuffer_Release (&view);
  return written ? 0 : -1;
}

int
quire_python_memory_assign (PyObject *self,
                            PyObject *key,
                            PyObject *value)
{
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;
  guint8 *byte, number = 0;

  if (value == NULL)
    {
      PyErr_SetString (PyExc_TypeError, "a Quire.Memory keeps its size: no bytes of it can be deleted");
      return -1;
    }
  if (PySlice_Check (key))
    return assign_range (self, key, value);
  if (!quire_python_get_byte (value, &number))
    return -1;

  byte = map_byte (self, &info, QUIRE_MAP_WRITE, key);
  if (byte == NULL)
    return -1;

  *byte = number;
  return 0;
}

PyObject *
quire_python_memory_add (PyObject *first,
                         PyObject *second)
{
  QuireMemory *memories[2];
  QuireMemory *merged;
  GError *error = NULL;

  if (!quire_python_is_memory (first) || !quire_python_is_memory (second))
    Py_RETURN_NOTIMPLEMENTED;

  memories[0] = quire_python_memory_get (first);
  memories[1] = quire_python_memory_get (second);
  if (memories[0] == NULL || memories[1] == NULL)
    return NULL;

  Py_BEGIN_ALLOW_THREADS
  merged = quire_memory_try_merge (memories[0], memories[1], NULL, &error);
  Py_END_ALLOW_THREADS

  return merged != NULL ? quire_python_memory_to_python (merged) : quire_python_raise_error (error);
}
