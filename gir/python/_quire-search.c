/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What is in a block, and where: in, index() and count(), as bytes has them. */

#include "_quire-private.h"

#include <string.h>

/* What can be a number is one, else it is bytes one after the other. */
static gboolean
get_needle (PyObject  *value,
            Py_buffer *view,
            guint8    *number)
{
  if (PyIndex_Check (value))
    {
      if (quire_python_get_byte (value, number))
        {
          *view = (Py_buffer) { .buf = number, .len = 1 };
          return TRUE;
        }
      if (!PyErr_ExceptionMatches (PyExc_TypeError))
        return FALSE;
      PyErr_Clear ();
    }

  return PyObject_GetBuffer (value, view, PyBUF_SIMPLE) == 0;
}

/* Where the needle begins, or -1. */
static Py_ssize_t
find (const guint8    *data,
      Py_ssize_t       size,
      const Py_buffer *needle)
{
  const guint8 *found;

  if (needle->len > size)
    return -1;
  if (needle->len == 0)
    return 0;

  found = memmem (data, (size_t) size, needle->buf, (size_t) needle->len);
  return found != NULL ? found - data : -1;
}

/* How often the needle is there, of which no two overlap; an empty one is everywhere. */
static Py_ssize_t
count (const guint8    *data,
       Py_ssize_t       size,
       const Py_buffer *needle)
{
  Py_ssize_t n = 0, at;

  if (needle->len == 0)
    return size + 1;

  if (needle->len == 1)
    {
      const guint8 byte = *(const guint8 *) needle->buf;

      for (Py_ssize_t i = 0; i < size; i++)
        n += data[i] == byte;
      return n;
    }

  while ((at = find (data, size, needle)) >= 0)
    {
      n++;
      data += at + needle->len;
      size -= at + needle->len;
    }
  return n;
}

/* Indices as slices have them, with defaults. */
static gboolean
get_bounds (PyObject   *start_object,
            PyObject   *stop_object,
            Py_ssize_t *start,
            Py_ssize_t *stop)
{
  PyObject *slice = PySlice_New (start_object, stop_object, NULL);
  Py_ssize_t step;
  int result;

  if (slice == NULL)
    return FALSE;

  result = PySlice_Unpack (slice, start, stop, &step);
  Py_DECREF (slice);
  return result == 0;
}

/* Counts from the end what does; a start beyond the end stays there, where not even no
 * bytes are. */
static void
adjust_bounds (Py_ssize_t  size,
               Py_ssize_t *start,
               Py_ssize_t *stop)
{
  if (*start < 0)
    *start = MAX (*start + size, 0);
  if (*stop < 0)
    *stop = MAX (*stop + size, 0);
  *stop = MIN (*stop, size);
}

typedef Py_ssize_t (*Search) (const guint8    *data,
                              Py_ssize_t       size,
                              const Py_buffer *needle);

/* Searches a range of the block under a map. FALSE with an exception; the result of a
 * range that ends before it begins stays. */
static gboolean
search (PyObject   *self,
        PyObject   *value,
        Py_ssize_t  start,
        Py_ssize_t  stop,
        Search      function,
        Py_ssize_t *result)
{
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;
  gboolean mapped = FALSE;
  QuireMemory *memory;
  GError *error = NULL;
  Py_buffer needle;
  guint8 number;

  if (!get_needle (value, &needle, &number))
    return FALSE;

  memory = quire_python_memory_get (self);
  if (memory != NULL)
    {
      mapped = quire_memory_map_full (memory, &info, QUIRE_MAP_READ, &error);
      if (!mapped)
        quire_python_raise_error (error);
    }

  if (mapped)
    {
      adjust_bounds ((Py_ssize_t) info.size, &start, &stop);
      if (start <= stop)
        {
          QUIRE_PYTHON_BEGIN_THREADS (stop - start >= QUIRE_PYTHON_LONG)
          *result = function (info.data + start, stop - start, &needle);
          QUIRE_PYTHON_END_THREADS
        }
    }

  PyBuffer_Release (&needle);
  if (!mapped)
    return FALSE;

  if (function == find && *result >= 0)
    *result += start;
  return TRUE;
}

int
quire_python_memory_contains (PyObject *self,
                              PyObject *value)
{
  Py_ssize_t found = -1;

  return search (self, value, 0, PY_SSIZE_T_MAX, find, &found) ? found >= 0 : -1;
}

static gboolean
search_with_arguments (PyObject                  *self,
                       const QuirePythonSignature *signature,
                       PyObject *const            *args,
                       Py_ssize_t                  n_args,
                       Search                      function,
                       Py_ssize_t                 *result)
{
  PyObject *sorted[3];
  Py_ssize_t start, stop;

  return quire_python_sort_arguments (signature, args, n_args, NULL, sorted) &&
         get_bounds (sorted[1], sorted[2], &start, &stop) &&
         search (self, sorted[0], start, stop, function, result);
}

PyDoc_STRVAR (memory_index_doc,
"index($self, value, start=None, stop=None, /)\n--\n\n"
"Tells where a byte, or the bytes of a buffer, are first, under a map to read.\n\n"
"The range is that of a slice. Raises ValueError if they are not there.");

static PyObject *
memory_index (PyObject        *self,
              PyObject *const *args,
              Py_ssize_t       n_args)
{
  static const QuirePythonSignature signature = { "index", { "value", "start", "stop" }, 1 };
  Py_ssize_t found = -1;

  if (!search_with_arguments (self, &signature, args, n_args, find, &found))
    return NULL;
  if (found < 0)
    return PyErr_Format (PyExc_ValueError, "the block has no such bytes");
  return PyLong_FromSsize_t (found);
}

PyDoc_STRVAR (memory_count_doc,
"count($self, value, start=None, stop=None, /)\n--\n\n"
"Tells how often a byte, or the bytes of a buffer, are there, under a map to read.\n\n"
"The range is that of a slice. What overlaps is counted once.");

static PyObject *
memory_count (PyObject        *self,
              PyObject *const *args,
              Py_ssize_t       n_args)
{
  static const QuirePythonSignature signature = { "count", { "value", "start", "stop" }, 1 };
  Py_ssize_t n = 0;

  if (!search_with_arguments (self, &signature, args, n_args, count, &n))
    return NULL;
  return PyLong_FromSsize_t (n);
}

PyMethodDef quire_python_search_methods[] = {
  { "index", QUIRE_PYTHON_METHOD (memory_index), METH_FASTCALL, memory_index_doc },
  { "count", QUIRE_PYTHON_METHOD (memory_count), METH_FASTCALL, memory_count_doc },
  { NULL, },
};
