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

#include <Python.h>

#include <pygobject.h>

#include <quire/quire.h>

/* A GLib.Error that is a BufferError too. */
static PyObject *buffer_error_type;

static PyObject *
raise_error (GError *error)
{
  pyg_error_check (&error);
  return NULL;
}

static void
raise_buffer_error (GError *error)
{
  PyObject *exception;

  exception = PyObject_CallFunction (buffer_error_type, "ssi", error->message,
                                     g_quark_to_string (error->domain), error->code);
  if (exception != NULL)
    {
      PyErr_SetObject (buffer_error_type, exception);
      Py_DECREF (exception);
    }
  g_error_free (error);
}

static gpointer
boxed_get (PyObject   *object,
           GType       type,
           const char *name)
{
  if (!pyg_boxed_check (object, type) || pyg_boxed_get_ptr (object) == NULL)
    {
      PyErr_Format (PyExc_TypeError, "expected a %s, got %.200s", name, Py_TYPE (object)->tp_name);
      return NULL;
    }

  return pyg_boxed_get_ptr (object);
}

static QuireMemory *
memory_get (PyObject *object)
{
  return boxed_get (object, QUIRE_TYPE_MEMORY, "Quire.Memory");
}

/* The same, but a handle that was closed raises an error. */
static QuireMemory *
open_memory_get (PyObject *object)
{
  QuireMemory *memory = memory_get (object);

  if (memory != NULL && quire_memory_is_closed (memory))
    return (QuireMemory *) raise_error (g_error_new_literal (QUIRE_MEMORY_ERROR,
                                                             QUIRE_MEMORY_ERROR_CLOSED,
                                                             "The handle of the block was closed"));
  return memory;
}

static QuireMapping *
mapping_get (PyObject *object)
{
  return boxed_get (object, QUIRE_TYPE_MAPPING, "Quire.Mapping");
}

/* Takes the reference. */
static PyObject *
memory_to_python (QuireMemory *memory)
{
  return pyg_boxed_new (QUIRE_TYPE_MEMORY, memory, FALSE, TRUE);
}

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
  QuireMemory *memory = memory_get (self);
  QuireMapping *mapping;
  GError *error = NULL;
  guint8 *data;
  gboolean readonly = FALSE;

  view->obj = NULL;
  if (memory == NULL)
    return -1;

  mapping = quire_memory_try_map (memory, QUIRE_MAP_READWRITE, must_write ? &error : NULL);
  if (mapping == NULL && !must_write)
    {
      mapping = quire_memory_try_map (memory, QUIRE_MAP_READ, &error);
      readonly = TRUE;
    }
  if (mapping == NULL || !quire_mapping_acquire_view (mapping, &data, &error))
    {
      raise_buffer_error (error);
      return -1;
    }

  /* The view has a reference of its own. */
  quire_mapping_unref (mapping);
  if (PyBuffer_FillInfo (view, self, data, (Py_ssize_t) quire_mapping_get_size (mapping),
                         readonly, flags) != 0)
    {
      quire_mapping_release_view (mapping);
      return -1;
    }

  view->internal = mapping;
  return 0;
}

static int
mapping_getbuffer (PyObject  *self,
                   Py_buffer *view,
                   int        flags)
{
  QuireMapping *mapping = mapping_get (self);
  GError *error = NULL;
  guint8 *data;

  view->obj = NULL;
  if (mapping == NULL)
    return -1;

  if (!quire_mapping_acquire_view (mapping, &data, &error))
    {
      raise_buffer_error (error);
      return -1;
    }

  if (PyBuffer_FillInfo (view, self, data, (Py_ssize_t) quire_mapping_get_size (mapping),
                         (quire_mapping_get_flags (mapping) & QUIRE_MAP_WRITE) == 0, flags) != 0)
    {
      quire_mapping_release_view (mapping);
      return -1;
    }

  view->internal = mapping;
  return 0;
}

static void
releasebuffer (PyObject  *self,
               Py_buffer *view)
{
  quire_mapping_release_view (view->internal);
}

static Py_ssize_t
memory_length (PyObject *self)
{
  QuireMemory *memory = open_memory_get (self);

  return memory != NULL ? (Py_ssize_t) quire_memory_get_sizes (memory, NULL, NULL) : -1;
}

static PyObject *
memory_subscript (PyObject *self,
                  PyObject *key)
{
  QuireMemory *memory = open_memory_get (self);
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

  return share != NULL ? memory_to_python (share) : raise_error (error);
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

  memories[0] = memory_get (first);
  memories[1] = memory_get (second);
  if (memories[0] == NULL || memories[1] == NULL)
    return NULL;

  Py_BEGIN_ALLOW_THREADS
  merged = quire_memory_try_merge (memories[0], memories[1], NULL, &error);
  Py_END_ALLOW_THREADS

  return merged != NULL ? memory_to_python (merged) : raise_error (error);
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

  memory = memory_get (self);
  if (memory == NULL)
    return NULL;

  mapping = quire_memory_try_map (memory, (QuireMapFlags) flags, &error);
  if (mapping == NULL)
    return raise_error (error);

  return pyg_boxed_new (QUIRE_TYPE_MAPPING, mapping, FALSE, TRUE);
}

PyDoc_STRVAR (memory_unmap_doc,
"unmap(info)\n\n"
"Ends a mapping of map(). While views of it are alive that is a BufferError.");

static PyObject *
memory_unmap (PyObject *self,
              PyObject *info)
{
  QuireMemory *memory = memory_get (self);
  QuireMapping *mapping;
  GError *error = NULL;

  if (memory == NULL || (mapping = mapping_get (info)) == NULL)
    return NULL;

  if (quire_memory_try_unmap (memory, mapping, &error))
    Py_RETURN_NONE;

  if (error->code == QUIRE_MEMORY_ERROR_BUSY)
    raise_buffer_error (error);
  else
    raise_error (error);
  return NULL;
}

PyDoc_STRVAR (memory_write_doc,
"write(offset, data)\n\n"
"Copies the bytes of a buffer into the block, under a map to write.");

static PyObject *
memory_write (PyObject *self,
              PyObject *args)
{
  QuireMemory *memory = memory_get (self);
  PyObject *position, *data;
  Py_buffer view;
  size_t offset;
  gboolean written;
  GError *error = NULL;

  if (memory == NULL || !PyArg_ParseTuple (args, "OO:write", &position, &data))
    return NULL;

  offset = PyLong_AsSize_t (position);
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
    return raise_error (error);
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
      QuireMemory *memory = memory_get (PySequence_Fast_GET_ITEM (items, i));

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
    return raise_error (error);
  return Py_BuildValue ("(NK)", memory_to_python (merged), (unsigned long long) copied);
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
  QuireMemory *memory = memory_get (self);

  if (memory == NULL)
    return NULL;
  if (quire_memory_is_closed (memory))
    Py_RETURN_NONE;

  /* A wrapper that has borrowed its block from a caller in C has no reference to
   * give up. */
  if (!boxed->free_on_dealloc)
    quire_memory_ref (memory);
  boxed->boxed = quire_memory_close (memory);
  boxed->free_on_dealloc = TRUE;

  Py_RETURN_NONE;
}

static PyObject *
memory_get_closed (PyObject *self,
                   void     *unused)
{
  QuireMemory *memory = memory_get (self);

  return memory != NULL ? PyBool_FromLong (quire_memory_is_closed (memory)) : NULL;
}

static gboolean
interpreter_is_gone (void)
{
#if PY_VERSION_HEX >= 0x030d0000
  return !Py_IsInitialized () || Py_IsFinalizing ();
#else
  return !Py_IsInitialized () || _Py_IsFinalizing ();
#endif
}

/* The block over an exporter's buffer is gone, on whichever thread. At the very end
 * there is no interpreter left to give the buffer back to. */
static void
release_wrapped (gpointer data)
{
  Py_buffer *view = data;
  PyObject *type, *value, *traceback;
  PyGILState_STATE state;

  if (interpreter_is_gone ())
    return;

  state = PyGILState_Ensure ();
  PyErr_Fetch (&type, &value, &traceback);
  PyBuffer_Release (view);
  PyMem_Free (view);
  PyErr_Restore (type, value, traceback);
  PyGILState_Release (state);
}

PyDoc_STRVAR (memory_wrap_doc,
"wrap(obj) -> Quire.Memory\n\n"
"Makes a block over the buffer of an object, without a copy. The buffer is held\n"
"until the block and its shares are gone. What is read-only stays read-only.");

static PyObject *
memory_wrap (PyObject *unused,
             PyObject *object)
{
  Py_buffer *view = PyMem_New (Py_buffer, 1);
  QuireMemory *memory;
  GError *error = NULL;
  QuireMemoryFlags flags = QUIRE_MEMORY_FLAG_NONE;

  if (view == NULL)
    return PyErr_NoMemory ();

  if (PyObject_GetBuffer (object, view, PyBUF_WRITABLE) != 0)
    {
      /* Read-only, or not contiguous, or no buffer at all: the second try tells. */
      PyErr_Clear ();
      flags = QUIRE_MEMORY_FLAG_READONLY;
      if (PyObject_GetBuffer (object, view, PyBUF_SIMPLE) != 0)
        {
          PyMem_Free (view);
          return NULL;
        }
    }

  memory = quire_memory_try_new_wrapped (flags, view->buf, (gsize) view->len, 0,
                                         (gsize) view->len, view, release_wrapped, &error);
  if (memory == NULL)
    {
      PyBuffer_Release (view);
      PyMem_Free (view);
      return raise_error (error);
    }

  return memory_to_python (memory);
}

static PyObject *
check_open (PyObject *module,
            PyObject *object)
{
  if (open_memory_get (object) == NULL)
    return NULL;
  Py_RETURN_NONE;
}

static PyMethodDef memory_methods[] = {
  { "map", (PyCFunction) (void (*) (void)) memory_map, METH_VARARGS | METH_KEYWORDS, memory_map_doc },
  { "unmap", memory_unmap, METH_O, memory_unmap_doc },
  { "write", memory_write, METH_VARARGS, memory_write_doc },
  { "merge_list", memory_merge_list, METH_O | METH_STATIC, memory_merge_list_doc },
  { "close", memory_close, METH_NOARGS, memory_close_doc },
  /* PyGObject's own, which takes the pointer away, would leave addresses behind. */
  { "_clear_boxed", memory_close, METH_NOARGS, NULL },
  { "wrap", memory_wrap, METH_O | METH_STATIC, memory_wrap_doc },
  { NULL, },
};

static PyGetSetDef memory_getset[] = {
  { "closed", memory_get_closed, NULL, "Whether the handle was closed.", NULL },
  { NULL, },
};

static PyType_Slot memory_slots[] = {
  { Py_bf_getbuffer, memory_getbuffer },
  { Py_bf_releasebuffer, releasebuffer },
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

static PyObject *
mapping_clear_boxed (PyObject *self,
                     PyObject *unused)
{
  QuireMapping *mapping = mapping_get (self);

  if (mapping == NULL)
    return NULL;

  quire_mapping_release (mapping);
  Py_RETURN_NONE;
}

static PyMethodDef mapping_methods[] = {
  { "_clear_boxed", mapping_clear_boxed, METH_NOARGS, NULL },
  { NULL, },
};

static PyType_Slot mapping_slots[] = {
  { Py_tp_methods, mapping_methods },
  { Py_bf_getbuffer, mapping_getbuffer },
  { Py_bf_releasebuffer, releasebuffer },
  { Py_tp_doc, (char *) "What Quire.MapInfo has from C: the buffer protocol." },
  { 0, NULL },
};

static PyType_Spec mapping_spec = {
  .name = "gi.overrides._quire.MappingBase",
  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
  .slots = mapping_slots,
};

static PyMethodDef module_methods[] = {
  { "check_open", check_open, METH_O, "Raises an error if the handle of a Quire.Memory was closed." },
  { NULL, },
};

static PyObject *
make_buffer_error (void)
{
  PyObject *error_module = PyImport_ImportModule ("gi._error");
  PyObject *glib_error, *bases;

  if (error_module == NULL)
    return NULL;

  glib_error = PyObject_GetAttrString (error_module, "GError");
  Py_DECREF (error_module);
  if (glib_error == NULL)
    return NULL;

  bases = PyTuple_Pack (2, glib_error, PyExc_BufferError);
  Py_DECREF (glib_error);
  if (bases == NULL)
    return NULL;

  buffer_error_type = PyErr_NewExceptionWithDoc ("gi.repository.Quire.BufferError",
                                                 "A view that can't be had, or that stands in the way: a GLib.Error\n"
                                                 "with domain and code, and a BufferError as Python expects.",
                                                 bases, NULL);
  Py_DECREF (bases);

  return buffer_error_type;
}

static int
module_exec (PyObject *module)
{
  PyObject *type;

  if (pygobject_init (3, 42, 0) == NULL)
    return -1;

  if (make_buffer_error () == NULL ||
      PyModule_AddObjectRef (module, "BufferError", buffer_error_type) != 0)
    return -1;

  type = PyType_FromSpec (&memory_spec);
  if (type == NULL || PyModule_AddObject (module, "MemoryBase", type) != 0)
    return -1;

  type = PyType_FromSpec (&mapping_spec);
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
