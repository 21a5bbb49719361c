/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What PyGObject can't do for Quire: the buffer protocol, slices, and handles that
 * are closed at once.
 *
 * The types of this module are the first bases of the classes in Quire.py. They
 * add no field to the object: the PyGBoxed of the introspected class, the other
 * base, has the pointer. */

#define QUIRE_PYTHON_MODULE
#include "_quire-private.h"

/* Each export is a mapping of its own. It has a reference on the block, so that it
 * does not matter what becomes of the handle. A consumer that asks for no more
 * than to read gets a view to write nevertheless if that is to be had: memoryview()
 * can't ask for it. */
static int
memory_getbuffer (PyObject  *self,
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
  return result;
}

static Py_ssize_t
memory_length (PyObject *self)
{
  QuireMemory *memory = quire_python_open_memory_get (self);

  return memory != NULL ? (Py_ssize_t) quire_memory_get_sizes (memory, NULL, NULL) : -1;
}

static PyObject *
memory_subscript (PyObject *self,
                  PyObject *key)
{
  QuireMemory *memory = quire_python_open_memory_get (self);
  QuireMemory *share;
  Py_ssize_t start, stop, step, length;
  GError *error = NULL;

  if (memory == NULL)
    return NULL;

  if (!PySlice_Check (key))
    return PyErr_Format (PyExc_TypeError,
                         "a Quire.Memory is sliced, as m[a:b], into shares; "
                         "memoryview(m) has the bytes one by one (got %.200s)",
                         Py_TYPE (key)->tp_name);

  if (PySlice_Unpack (key, &start, &stop, &step) != 0)
    return NULL;
  if (step != 1)
    return PyErr_Format (PyExc_ValueError,
                         "a share is contiguous: a slice with step %zd is none; "
                         "slice memoryview(m) instead", step);

  length = PySlice_AdjustIndices ((Py_ssize_t) quire_memory_get_sizes (memory, NULL, NULL),
                                  &start, &stop, step);
  share = quire_memory_try_share (memory, start, length, &error);

  return share != NULL ? quire_python_memory_to_python (share) : quire_python_raise_error (error);
}

static PyObject *
memory_add (PyObject *first,
            PyObject *second)
{
  QuireMemory *memories[2];
  QuireMemory *merged;
  GError *error = NULL;

  if (!pyg_boxed_check (first, QUIRE_TYPE_MEMORY) || !pyg_boxed_check (second, QUIRE_TYPE_MEMORY))
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

/* The "I" of PyArg_Parse() silently cuts off what is too large. */
static int
flags_converter (PyObject *object,
                 void     *flags)
{
  const unsigned long value = PyLong_AsUnsignedLong (object);

  if (PyErr_Occurred ())
    return FALSE;
  if (value > G_MAXUINT)
    {
      PyErr_Format (PyExc_OverflowError, "%lu is beyond the flags of a map", value);
      return FALSE;
    }

  *(unsigned int *) flags = (unsigned int) value;
  return TRUE;
}

PyDoc_STRVAR (memory_map_doc,
"map(flags=Quire.MapFlags.READ) -> Quire.MapInfo\n\n"
"Maps the block. The result is a context manager that yields a memoryview and\n"
"unmaps at the end of its block, or is given back to unmap().");

static PyObject *
memory_map (PyObject *self,
            PyObject *args,
            PyObject *kwargs)
{
  static char *keywords[] = { (char *) "flags", NULL };
  unsigned int flags = QUIRE_MAP_READ;
  QuireMemory *memory;
  QuireMapping *mapping;
  GError *error = NULL;

  if (!PyArg_ParseTupleAndKeywords (args, kwargs, "|O&:map", keywords, flags_converter, &flags))
    return NULL;

  memory = quire_python_memory_get (self);
  if (memory == NULL)
    return NULL;

  mapping = quire_memory_try_map (memory, (QuireMapFlags) flags, &error);
  if (mapping == NULL)
    return quire_python_raise_error (error);

  return pyg_boxed_new (QUIRE_TYPE_MAPPING, mapping, FALSE, TRUE);
}

PyDoc_STRVAR (memory_unmap_doc,
"unmap(info)\n\n"
"Ends a mapping of map(). While views of it are alive that is a BufferError.");

static PyObject *
memory_unmap (PyObject *self,
              PyObject *info)
{
  QuireMemory *memory = quire_python_memory_get (self);
  QuireMapping *mapping;
  GError *error = NULL;

  if (memory == NULL || (mapping = quire_python_mapping_get (info)) == NULL)
    return NULL;

  if (quire_memory_try_unmap (memory, mapping, &error))
    Py_RETURN_NONE;

  if (error->code == QUIRE_MEMORY_ERROR_BUSY)
    quire_python_raise_buffer_error (error);
  else
    quire_python_raise_error (error);
  return NULL;
}

PyDoc_STRVAR (memory_write_doc,
"write(offset, data)\n\n"
"Copies the bytes of a buffer into the block, under a map to write.");

static PyObject *
memory_write (PyObject *self,
              PyObject *args,
              PyObject *kwargs)
{
  static char *keywords[] = { (char *) "offset", (char *) "data", NULL };
  QuireMemory *memory = quire_python_memory_get (self);
  PyObject *position, *data;
  Py_buffer view;
  size_t offset;
  gboolean written;
  GError *error = NULL;

  if (memory == NULL ||
      !PyArg_ParseTupleAndKeywords (args, kwargs, "OO:write", keywords, &position, &data))
    return NULL;

  position = PyNumber_Index (position);
  if (position == NULL)
    return NULL;
  offset = PyLong_AsSize_t (position);
  Py_DECREF (position);
  if (PyErr_Occurred ())
    return NULL;

  /* What is no buffer may be a sequence of numbers. */
  data = PyObject_CheckBuffer (data) ? Py_NewRef (data) : PyBytes_FromObject (data);
  if (data == NULL)
    return NULL;
  if (PyObject_GetBuffer (data, &view, PyBUF_SIMPLE) != 0)
    {
      Py_DECREF (data);
      return NULL;
    }

  Py_BEGIN_ALLOW_THREADS
  written = quire_memory_try_write (memory, offset, view.buf, (gsize) view.len, &error);
  Py_END_ALLOW_THREADS
  PyBuffer_Release (&view);
  Py_DECREF (data);

  if (!written)
    return quire_python_raise_error (error);
  Py_RETURN_NONE;
}

PyDoc_STRVAR (memory_merge_list_doc,
"merge_list(memories) -> (Quire.Memory, copied)\n\n"
"Makes one block of many, and tells how many bytes had to be copied.");

/* The list may change while the blocks are merged: so there are references on them. */
static PyObject *
memory_merge_list (PyObject *unused,
                   PyObject *list)
{
  g_autoptr (GPtrArray) memories = NULL;
  PyObject *items;
  QuireMemory *merged;
  gsize copied;
  GError *error = NULL;

  if (!PySequence_Check (list))
    return PyErr_Format (PyExc_TypeError, "expected a sequence of Quire.Memory, got %.200s",
                         Py_TYPE (list)->tp_name);
  items = PySequence_Fast (list, "");
  if (items == NULL)
    return NULL;

  memories = g_ptr_array_new_with_free_func ((GDestroyNotify) quire_memory_unref);
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE (items); i++)
    {
      QuireMemory *memory = quire_python_memory_get (PySequence_Fast_GET_ITEM (items, i));

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

PyDoc_STRVAR (memory_close_doc,
"close()\n\n"
"Gives the handle up at once: a share no longer keeps its block from being\n"
"written. Views that are out stay good. Whatever is asked of the handle later\n"
"raises an error with the code Quire.MemoryError.CLOSED; a second close() does\n"
"nothing.");

static PyObject *
memory_close (PyObject *self,
              PyObject *unused)
{
  PyGBoxed *boxed = (PyGBoxed *) self;
  QuireMemory *memory = quire_python_memory_get (self);

  if (memory == NULL)
    return NULL;
  if (quire_memory_is_closed (memory))
    Py_RETURN_NONE;

  /* A wrapper that has borrowed its block from a caller in C has no reference to
   * give up. */
  if (!boxed->free_on_dealloc)
    quire_memory_ref (memory);

  /* What runs when the block dies may come back here: not before the stand-in is there. */
  quire_memory_ref (memory);
  boxed->boxed = quire_memory_close (memory);
  boxed->free_on_dealloc = TRUE;
  quire_memory_unref (memory);

  Py_RETURN_NONE;
}

static PyObject *
memory_get_closed (PyObject *self,
                   void     *unused)
{
  QuireMemory *memory = quire_python_memory_get (self);

  return memory != NULL ? PyBool_FromLong (quire_memory_is_closed (memory)) : NULL;
}

static PyObject *
check_open (PyObject *module,
            PyObject *object)
{
  if (quire_python_open_memory_get (object) == NULL)
    return NULL;
  Py_RETURN_NONE;
}

static PyMethodDef memory_methods[] = {
  { "map", (PyCFunction) (void (*) (void)) memory_map, METH_VARARGS | METH_KEYWORDS, memory_map_doc },
  { "unmap", memory_unmap, METH_O, memory_unmap_doc },
  { "write", (PyCFunction) (void (*) (void)) memory_write, METH_VARARGS | METH_KEYWORDS, memory_write_doc },
  { "merge_list", memory_merge_list, METH_O | METH_STATIC, memory_merge_list_doc },
  { "close", memory_close, METH_NOARGS, memory_close_doc },
  /* PyGObject's own, which takes the pointer away, would leave addresses behind. */
  { "_clear_boxed", memory_close, METH_NOARGS, NULL },
  { "wrap", quire_python_memory_wrap, METH_O | METH_STATIC, quire_python_memory_wrap_doc },
  { NULL, },
};

static PyGetSetDef memory_getset[] = {
  { "closed", memory_get_closed, NULL, "Whether the handle was closed.", NULL },
  { NULL, },
};

static PyType_Slot memory_slots[] = {
  { Py_bf_getbuffer, memory_getbuffer },
  { Py_bf_releasebuffer, quire_python_releasebuffer },
  { Py_mp_length, memory_length },
  { Py_mp_subscript, memory_subscript },
  { Py_nb_add, memory_add },
  { Py_tp_methods, memory_methods },
  { Py_tp_getset, memory_getset },
  { Py_tp_doc, (char *) "What Quire.Memory has from C: the buffer protocol and its like." },
  { 0, NULL },
};

static PyType_Spec memory_spec = {
  .name = "gi.overrides._quire.MemoryBase",
  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
  .slots = memory_slots,
};

static PyMethodDef module_methods[] = {
  { "check_open", check_open, METH_O, "Raises an error if the handle of a Quire.Memory was closed." },
  { NULL, },
};

static int
module_exec (PyObject *module)
{
  PyObject *type;

  if (pygobject_init (3, 42, 0) == NULL)
    return -1;

  quire_python_register_values ();
  if (PyModule_AddFunctions (module, quire_python_allocator_functions) != 0)
    return -1;

  type = quire_python_make_buffer_error ();
  if (type == NULL || PyModule_AddObjectRef (module, "BufferError", type) != 0)
    return -1;

  type = PyType_FromSpec (&memory_spec);
  if (type == NULL || PyModule_AddObject (module, "MemoryBase", type) != 0)
    return -1;

  type = PyType_FromSpec (&quire_python_mapping_spec);
  if (type == NULL || PyModule_AddObject (module, "MappingBase", type) != 0)
    return -1;

  return 0;
}

static PyModuleDef_Slot module_slots[] = {
  { Py_mod_exec, module_exec },
  { 0, NULL },
};

static struct PyModuleDef module_def = {
  PyModuleDef_HEAD_INIT,
  .m_name = "_quire",
  .m_doc = "The part of the Quire override that is written in C.",
  .m_methods = module_methods,
  .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__quire (void);

PyMODINIT_FUNC
PyInit__quire (void)
{
  return PyModuleDef_Init (&module_def);
}
