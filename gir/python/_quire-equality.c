/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Whether a block has the same bytes as another one, or as a buffer. As an object that is
 * looked for in a list is asked that, there is an answer wherever one is to be had without
 * the bytes: sizes that differ need no lock, and a handle that was closed has no bytes. */

#include "_quire-private.h"

#include <string.h>

/* Compares bytes one after the other with those of a buffer in the order of C, without the
 * interpreter's lock. There are no suboffsets, and as many bytes on both sides. */
static gboolean
equals_strided (const guint8    *data,
                gsize            size,
                const Py_buffer *view)
{
  const guint8 *end = data + size, *row = view->buf;
  Py_ssize_t position[PyBUF_MAX_NDIM] = { 0, };
  Py_ssize_t piece = view->itemsize, stride, length;
  int n_dims = view->ndim, k;

  /* What lies together is compared at once. */
  while (n_dims > 0 && (view->shape[n_dims - 1] == 1 || view->strides[n_dims - 1] == piece))
    piece *= view->shape[--n_dims];
  if (n_dims == 0)
    return memcmp (data, row, size) == 0;

  n_dims--;
  stride = view->strides[n_dims];
  length = view->shape[n_dims];

  while (data < end)
    {
      const guint8 *item = row;

      for (Py_ssize_t i = 0; i < length; i++, data += piece, item += stride)
        {
          if (piece == 1 ? *data != *item : memcmp (data, item, (size_t) piece) != 0)
            return FALSE;
        }

      for (k = n_dims - 1; k >= 0; k--)
        {
          row += view->strides[k];
          if (++position[k] < view->shape[k])
            break;
          row -= view->strides[k] * view->shape[k];
          position[k] = 0;
        }
    }

  return TRUE;
}

/* Whether the strides of a buffer can be walked. An exporter may tell what is not so. */
static gboolean
can_walk (const Py_buffer *view)
{
  Py_ssize_t n_bytes = view->itemsize;

  if (view->suboffsets != NULL || view->shape == NULL || view->strides == NULL ||
      view->ndim > PyBUF_MAX_NDIM || view->itemsize <= 0)
    return FALSE;

  for (int i = 0; i < view->ndim; i++)
    {
      if (view->shape[i] < 0 || __builtin_mul_overflow (n_bytes, view->shape[i], &n_bytes))
        return FALSE;
    }
  return n_bytes == view->len;
}

/* -1 with an exception. */
static int
equals_view (QuireMemory *memory,
             Py_buffer   *view)
{
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;
  const gboolean contiguous = PyBuffer_IsContiguous (view, 'C');
  GError *error = NULL;
  gpointer copy = NULL;
  int equal;

  if ((gsize) view->len != quire_memory_get_sizes (memory, NULL, NULL))
    return 0;
  if (!quire_memory_map_full (memory, &info, QUIRE_MAP_READ, &error))
    {
      quire_python_raise_error (error);
      return -1;
    }
  if ((gsize) view->len != info.size)
    return 0;
  if (info.size == 0)
    return 1;

  if (!contiguous && !can_walk (view))
    {
      copy = PyMem_Malloc (info.size);
      if (copy == NULL)
        PyErr_NoMemory ();
      if (copy == NULL || PyBuffer_ToContiguous (copy, view, view->len, 'C') != 0)
        {
          PyMem_Free (copy);
          return -1;
        }
    }

  QUIRE_PYTHON_BEGIN_THREADS (info.size >= QUIRE_PYTHON_LONG)
  if (contiguous || copy != NULL)
    equal = memcmp (info.data, copy != NULL ? copy : view->buf, info.size) == 0;
  else
    equal = equals_strided (info.data, info.size, view);
  QUIRE_PYTHON_END_THREADS

  PyMem_Free (copy);
  return equal;
}

/* -1 with an exception. */
static int
equals_memory (QuireMemory *memory,
               QuireMemory *other)
{
  gsize size = quire_memory_get_sizes (memory, NULL, NULL);
  GError *error = NULL;
  gboolean compared;
  int order = 0;

  /* Two handles of one block need no look. */
  if (memory == other)
    return 1;
  if (size != quire_memory_get_sizes (other, NULL, NULL))
    return 0;

  QUIRE_PYTHON_BEGIN_THREADS (size >= QUIRE_PYTHON_LONG)
  compared = quire_memory_try_compare (memory, other, &order, &error);
  QUIRE_PYTHON_END_THREADS

  if (compared)
    return order == 0;

  quire_python_raise_error (error);
  return -1;
}

static PyObject *
make_answer (int equal,
             int operation)
{
  if (equal < 0)
    return NULL;
  return PyBool_FromLong (operation == Py_EQ ? equal : !equal);
}

static PyObject *
compare_memory (PyObject *self,
                PyObject *other,
                int       operation)
{
  QuireMemory *memory = quire_python_memory_get (self);
  QuireMemory *other_memory = quire_python_memory_get (other);

  if (memory == NULL || other_memory == NULL)
    return NULL;
  if (quire_memory_is_closed (memory) || quire_memory_is_closed (other_memory))
    return make_answer (0, operation);

  return make_answer (equals_memory (memory, other_memory), operation);
}

static PyObject *
compare_buffer (PyObject *self,
                PyObject *other,
                int       operation)
{
  QuireMemory *memory;
  PyObject *answer = NULL;
  Py_buffer view;

  /* What has ended, as a memoryview that was released, has no bytes either. */
  if (PyObject_GetBuffer (other, &view, PyBUF_FULL_RO) != 0)
    {
      if (!PyErr_ExceptionMatches (PyExc_ValueError))
        return NULL;
      PyErr_Clear ();
      Py_RETURN_NOTIMPLEMENTED;
    }

  /* Whoever gave the buffer may have closed the handle. */
  memory = quire_python_memory_get (self);
  if (memory != NULL)
    answer = make_answer (quire_memory_is_closed (memory) ? 0 : equals_view (memory, &view), operation);

  PyBuffer_Release (&view);
  return answer;
}

PyObject *
quire_python_memory_compare (PyObject *self,
                             PyObject *other,
                             int       operation)
{
  if (operation != Py_EQ && operation != Py_NE)
    Py_RETURN_NOTIMPLEMENTED;
  if (self == other)
    return PyBool_FromLong (operation == Py_EQ);

  if (quire_python_is_memory (other))
    return compare_memory (self, other, operation);
  if (PyObject_CheckBuffer (other))
    return compare_buffer (self, other, operation);
  Py_RETURN_NOTIMPLEMENTED;
}
