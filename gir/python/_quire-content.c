/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The methods of Quire.Memory that deal with what is in a block. PyGObject has them too,
 * but without defaults, and takes its time. */

#include "_quire-private.h"

#include <string.h>

/* Two arguments that name a range. */
static QuireMemory *
get_range (PyObject                   *self,
           const QuirePythonSignature *signature,
           PyObject *const            *args,
           Py_ssize_t                  n_args,
           PyObject                   *keywords,
           gssize                     *offset,
           gssize                     *size)
{
  PyObject *sorted[2];

  if (!quire_python_sort_arguments (signature, args, n_args, keywords, sorted) ||
      !quire_python_get_ssize (sorted[0], offset) ||
      !quire_python_get_ssize (sorted[1], size))
    return NULL;

  /* What the arguments were asked may have closed the handle. */
  return quire_python_memory_get (self);
}

static gsize
get_size (QuireMemory *memory)
{
  return quire_memory_get_sizes (memory, NULL, NULL);
}

PyDoc_STRVAR (memory_share_doc,
"share($self, /, offset=0, size=-1)\n--\n\n"
"Gives a read-only window of the block, without a copy: m[a:b] is the same.\n\n"
"The offset counts from the data and may be negative, back into the prefix; a size\n"
"of -1 means all to the end. While the share lives, nobody writes the block.");

static PyObject *
memory_share (PyObject        *self,
              PyObject *const *args,
              Py_ssize_t       n_args,
              PyObject        *keywords)
{
  static const QuirePythonSignature signature = { "share", { "offset", "size" }, 0 };
  gssize offset = 0, size = -1;
  QuireMemory *memory = get_range (self, &signature, args, n_args, keywords, &offset, &size);
  QuireMemory *share;
  GError *error = NULL;

  if (memory == NULL)
    return NULL;

  share = quire_memory_try_share (memory, offset, size, &error);
  return share != NULL ? quire_python_memory_to_python (share) : quire_python_raise_error (error);
}

PyDoc_STRVAR (memory_copy_doc,
"copy($self, /, offset=0, size=-1)\n--\n\n"
"Copies the block, or a piece of it, into a new block, which is always writable.\n\n"
"The offset counts from the data and may be negative, back into the prefix; a size\n"
"of -1 means all to the end.");

static PyObject *
memory_copy (PyObject        *self,
             PyObject *const *args,
             Py_ssize_t       n_args,
             PyObject        *keywords)
{
  static const QuirePythonSignature signature = { "copy", { "offset", "size" }, 0 };
  gssize offset = 0, size = -1;
  QuireMemory *memory = get_range (self, &signature, args, n_args, keywords, &offset, &size);
  QuireMemory *copy;
  GError *error = NULL;

  if (memory == NULL)
    return NULL;

  QUIRE_PYTHON_BEGIN_THREADS (get_size (memory) >= QUIRE_PYTHON_LONG)
  copy = quire_memory_try_copy (memory, offset, size, &error);
  QUIRE_PYTHON_END_THREADS

  return copy != NULL ? quire_python_memory_to_python (copy) : quire_python_raise_error (error);
}

PyDoc_STRVAR (memory_resize_doc,
"resize($self, /, offset, size)\n--\n\n"
"Moves the window of valid data within the block, and none of the data.\n\n"
"The offset counts from today's and may be negative, back into the prefix.");

static PyObject *
memory_resize (PyObject        *self,
               PyObject *const *args,
               Py_ssize_t       n_args,
               PyObject        *keywords)
{
  static const QuirePythonSignature signature = { "resize", { "offset", "size" }, 2 };
  PyObject *sorted[2];
  QuireMemory *memory;
  GError *error = NULL;
  gssize offset;
  gsize size;

  if (!quire_python_sort_arguments (&signature, args, n_args, keywords, sorted) ||
      !quire_python_get_ssize (sorted[0], &offset) ||
      !quire_python_get_size (sorted[1], &size) ||
      (memory = quire_python_memory_get (self)) == NULL)
    return NULL;

  if (!quire_memory_try_resize (memory, offset, size, &error))
    return quire_python_raise_error (error);
  Py_RETURN_NONE;
}

PyDoc_STRVAR (memory_fill_doc,
"fill($self, /, offset=0, size=-1, value=0)\n--\n\n"
"Sets bytes to a value, under a map to write. A size of -1 means all to the end.");

static PyObject *
memory_fill (PyObject        *self,
             PyObject *const *args,
             Py_ssize_t       n_args,
             PyObject        *keywords)
{
  static const QuirePythonSignature signature = { "fill", { "offset", "size", "value" }, 0 };
  PyObject *sorted[3];
  QuireMemory *memory;
  GError *error = NULL;
  gboolean filled;
  gsize offset = 0;
  gssize size = -1;
  guint8 value = 0;

  if (!quire_python_sort_arguments (&signature, args, n_args, keywords, sorted) ||
      !quire_python_get_size (sorted[0], &offset) ||
      !quire_python_get_ssize (sorted[1], &size) ||
      !quire_python_get_byte (sorted[2], &value) ||
      (memory = quire_python_memory_get (self)) == NULL)
    return NULL;

  QUIRE_PYTHON_BEGIN_THREADS (get_size (memory) >= QUIRE_PYTHON_LONG)
  filled = quire_memory_try_fill (memory, offset, size, value, &error);
  QUIRE_PYTHON_END_THREADS

  if (!filled)
    return quire_python_raise_error (error);
  Py_RETURN_NONE;
}

/* What is no range of the block is left to the library, for its error. */
static PyObject *
read_by_bytes (QuireMemory *memory,
               gsize        offset,
               gssize       size)
{
  g_autoptr (GBytes) bytes = NULL;
  GError *error = NULL;
  gconstpointer data;
  gsize length;

  bytes = quire_memory_try_read_bytes (memory, offset, size, &error);
  if (bytes == NULL)
    return quire_python_raise_error (error);

  data = g_bytes_get_data (bytes, &length);
  return PyBytes_FromStringAndSize (data, (Py_ssize_t) length);
}

PyDoc_STRVAR (memory_read_doc,
"read($self, /, offset=0, size=-1)\n--\n\n"
"Copies bytes out of the block, under a map to read, and gives them as bytes.\n\n"
"A size of -1 means all to the end.");

static PyObject *
memory_read (PyObject        *self,
             PyObject *const *args,
             Py_ssize_t       n_args,
             PyObject        *keywords)
{
  static const QuirePythonSignature signature = { "read", { "offset", "size" }, 0 };
  PyObject *sorted[2], *bytes;
  gsize available, length, offset = 0;
  gssize size = -1;
  QuireMemory *memory;
  GError *error = NULL;
  gboolean done;

  if (!quire_python_sort_arguments (&signature, args, n_args, keywords, sorted) ||
      !quire_python_get_size (sorted[0], &offset) ||
      !quire_python_get_ssize (sorted[1], &size) ||
      (memory = quire_python_memory_get (self)) == NULL)
    return NULL;

  available = get_size (memory);
  if (size < -1 || offset > available || (size >= 0 && (gsize) size > available - offset))
    return read_by_bytes (memory, offset, size);

  length = size >= 0 ? (gsize) size : available - offset;
  bytes = PyBytes_FromStringAndSize (NULL, (Py_ssize_t) length);
  if (bytes == NULL)
    return NULL;

  QUIRE_PYTHON_BEGIN_THREADS (length >= QUIRE_PYTHON_LONG)
  done = quire_memory_try_read (memory, offset, PyBytes_AS_STRING (bytes), length, &error);
  QUIRE_PYTHON_END_THREADS

  if (done)
    return bytes;

  Py_DECREF (bytes);
  return quire_python_raise_error (error);
}

PyDoc_STRVAR (memory_bytes_doc,
"__bytes__($self, /)\n--\n\n"
"Copies all bytes out of the block, under a map to read.");

/* bytes(m) would copy from the buffer, with no other thread running meanwhile. The errors
 * are those of the buffer. */
static PyObject *
memory_bytes (PyObject *self,
              PyObject *unused)
{
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;
  QuireMemory *memory = quire_python_memory_get (self);
  GError *error = NULL;
  PyObject *bytes;

  if (memory == NULL)
    return NULL;
  if (!quire_memory_map_full (memory, &info, QUIRE_MAP_READ, &error))
    {
      quire_python_raise_buffer_error (error);
      return NULL;
    }

  bytes = PyBytes_FromStringAndSize (NULL, (Py_ssize_t) info.size);
  if (bytes == NULL)
    return NULL;

  QUIRE_PYTHON_BEGIN_THREADS (info.size >= QUIRE_PYTHON_LONG)
  if (info.size > 0)
    memcpy (PyBytes_AS_STRING (bytes), info.data, info.size);
  QUIRE_PYTHON_END_THREADS

  return bytes;
}

PyDoc_STRVAR (memory_write_doc,
"write($self, /, offset, data)\n--\n\n"
"Copies the bytes of a buffer into the block, under a map to write.");

static PyObject *
memory_write (PyObject        *self,
              PyObject *const *args,
              Py_ssize_t       n_args,
              PyObject        *keywords)
{
  static const QuirePythonSignature signature = { "write", { "offset", "data" }, 2 };
  PyObject *sorted[2], *data;
  gboolean written = FALSE;
  QuireMemory *memory;
  GError *error = NULL;
  Py_buffer view;
  gsize offset;

  if (!quire_python_sort_arguments (&signature, args, n_args, keywords, sorted) ||
      !quire_python_get_size (sorted[0], &offset))
    return NULL;

  /* What is no buffer may be a sequence of numbers. */
  data = PyObject_CheckBuffer (sorted[1]) ? Py_NewRef (sorted[1]) : PyBytes_FromObject (sorted[1]);
  if (data == NULL)
    return NULL;
  if (PyObject_GetBuffer (data, &view, PyBUF_SIMPLE) != 0)
    {
      Py_DECREF (data);
      return NULL;
    }

  memory = quire_python_memory_get (self);
  if (memory != NULL)
    {
      QUIRE_PYTHON_BEGIN_THREADS (view.len >= QUIRE_PYTHON_LONG)
      written = quire_memory_try_write (memory, offset, view.buf, (gsize) view.len, &error);
      QUIRE_PYTHON_END_THREADS
    }
  PyBuffer_Release (&view);
  Py_DECREF (data);

  if (written)
    Py_RETURN_NONE;
  return error != NULL ? quire_python_raise_error (error) : NULL;
}

PyDoc_STRVAR (memory_compare_doc,
"compare($self, /, second)\n--\n\n"
"Compares the bytes of two blocks, under maps to read.\n\n"
"Gives a number less than, equal to or greater than 0, as this block comes before\n"
"the other one, has the same bytes, or comes after it. m == other asks for no more\n"
"than whether they are the same, and takes any buffer.");

static PyObject *
memory_compare (PyObject        *self,
                PyObject *const *args,
                Py_ssize_t       n_args,
                PyObject        *keywords)
{
  static const QuirePythonSignature signature = { "compare", { "second" }, 1 };
  QuireMemory *memory, *other;
  GError *error = NULL;
  gboolean compared;
  PyObject *second;
  int order;

  if (!quire_python_sort_arguments (&signature, args, n_args, keywords, &second) ||
      (memory = quire_python_memory_get (self)) == NULL ||
      (other = quire_python_memory_get (second)) == NULL)
    return NULL;

  QUIRE_PYTHON_BEGIN_THREADS (get_size (memory) >= QUIRE_PYTHON_LONG)
  compared = quire_memory_try_compare (memory, other, &order, &error);
  QUIRE_PYTHON_END_THREADS

  return compared ? PyLong_FromLong (order) : quire_python_raise_error (error);
}

PyDoc_STRVAR (memory_merge_list_doc,
"merge_list(memories, /)\n--\n\n"
"Makes one block of many, and tells how many bytes had to be copied.");

/* A list may change while the blocks are merged: so there are references on them. */
static PyObject *
memory_merge_list (PyObject *unused,
                   PyObject *iterable)
{
  g_autoptr (GPtrArray) memories = NULL;
  PyObject *items;
  QuireMemory *merged;
  gsize copied;
  GError *error = NULL;

  items = PySequence_Tuple (iterable);
  if (items == NULL)
    return NULL;

  memories = g_ptr_array_new_with_free_func ((GDestroyNotify) quire_memory_unref);
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE (items); i++)
    {
      QuireMemory *memory = quire_python_memory_get (PyTuple_GET_ITEM (items, i));

      if (memory == NULL)
        {
          Py_DECREF (items);
          return NULL;
        }
      g_ptr_array_add (memories, quire_memory_ref (memory));
    }
  Py_DECREF (items);

  Py_BEGIN_ALLOW_THREADS
  merged = quire_memory_merge_list ((QuireMemory **) memories->pdata, memories->len, &copied, &error);
  Py_END_ALLOW_THREADS

  if (merged == NULL)
    return quire_python_raise_error (error);
  return Py_BuildValue ("(NK)", quire_python_memory_to_python (merged), (unsigned long long) copied);
}

PyMethodDef quire_python_content_methods[] = {
  { "share", QUIRE_PYTHON_METHOD (memory_share), METH_FASTCALL | METH_KEYWORDS, memory_share_doc },
  { "copy", QUIRE_PYTHON_METHOD (memory_copy), METH_FASTCALL | METH_KEYWORDS, memory_copy_doc },
  { "resize", QUIRE_PYTHON_METHOD (memory_resize), METH_FASTCALL | METH_KEYWORDS, memory_resize_doc },
  { "fill", QUIRE_PYTHON_METHOD (memory_fill), METH_FASTCALL | METH_KEYWORDS, memory_fill_doc },
  { "__bytes__", memory_bytes, METH_NOARGS, memory_bytes_doc },
  { "read", QUIRE_PYTHON_METHOD (memory_read), METH_FASTCALL | METH_KEYWORDS, memory_read_doc },
  { "write", QUIRE_PYTHON_METHOD (memory_write), METH_FASTCALL | METH_KEYWORDS, memory_write_doc },
  { "compare", QUIRE_PYTHON_METHOD (memory_compare), METH_FASTCALL | METH_KEYWORDS, memory_compare_doc },
  { "merge_list", memory_merge_list, METH_O | METH_STATIC, memory_merge_list_doc },
  { NULL, },
};
