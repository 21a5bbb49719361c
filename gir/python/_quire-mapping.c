/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The base of Quire.MapInfo: a buffer, and a context manager. */

#include "_quire-private.h"

static PyObject *str_release;

static PyObject *
mapping_new (PyTypeObject *type,
             PyObject     *args,
             PyObject     *kwargs)
{
  return PyErr_Format (PyExc_TypeError, "a Quire.MapInfo comes from Quire.Memory.map()");
}

static int
mapping_init (PyObject *self,
              PyObject *args,
              PyObject *kwargs)
{
  PyErr_SetString (PyExc_TypeError, "a Quire.MapInfo comes from Quire.Memory.map()");
  return -1;
}

static int
mapping_traverse (PyObject *self,
                  visitproc visit,
                  void     *arg)
{
  QuirePythonMapping *state = quire_python_mapping_state (self);

  Py_VISIT (Py_TYPE (self));
  Py_VISIT (state->view);
  Py_VISIT (state->outer_views);
  return 0;
}

static int
mapping_clear (PyObject *self)
{
  QuirePythonMapping *state = quire_python_mapping_state (self);

  Py_CLEAR (state->view);
  Py_CLEAR (state->outer_views);
  return 0;
}

static void
mapping_dealloc (PyObject *self)
{
  PyObject_GC_UnTrack (self);
  mapping_clear (self);
  quire_python_object_free (self, (GDestroyNotify) quire_mapping_unref);
}

int
quire_python_fill_view (PyObject     *self,
                        Py_buffer    *view,
                        int           flags,
                        QuireMapping *mapping)
{
  const gboolean readonly = (quire_mapping_get_flags (mapping) & QUIRE_MAP_WRITE) == 0;
  GError *error = NULL;
  guint8 *data;

  if (!quire_mapping_acquire_view (mapping, &data, &error))
    {
      quire_python_raise_buffer_error (error);
      return -1;
    }

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
  QuireMapping *mapping = quire_python_mapping_get (self);

  view->obj = NULL;
  return mapping != NULL ? quire_python_fill_view (self, view, flags, mapping) : -1;
}

static void
mapping_releasebuffer (PyObject  *self,
                       Py_buffer *view)
{
  quire_mapping_release_view (view->internal);
}

static Py_ssize_t
mapping_length (PyObject *self)
{
  QuireMapping *mapping = quire_python_mapping_get (self);

  return mapping != NULL ? (Py_ssize_t) quire_mapping_get_size (mapping) : -1;
}

/* A new reference to what a weak one refers to; NULL, without an exception, if it has gone. */
static PyObject *
get_referent (PyObject *reference)
{
#if PY_VERSION_HEX >= 0x030d0000
  PyObject *object = NULL;

  if (PyWeakref_GetRef (reference, &object) < 0)
    PyErr_Clear ();
  return object;
#else
  PyObject *object = PyWeakref_GetObject (reference);

  return object != NULL && object != Py_None ? Py_NewRef (object) : NULL;
#endif
}

/* The last view that __enter__() gave; NULL, without an exception, if it has gone or there
 * is none. */
static PyObject *
pop_view (QuirePythonMapping *state)
{
  PyObject *view = state->view != NULL ? get_referent (state->view) : NULL;
  const Py_ssize_t n_outer = state->outer_views != NULL ? PyList_GET_SIZE (state->outer_views) : 0;

  Py_CLEAR (state->view);
  if (n_outer > 0)
    {
      state->view = Py_NewRef (PyList_GET_ITEM (state->outer_views, n_outer - 1));
      if (PyList_SetSlice (state->outer_views, n_outer - 1, n_outer, NULL) != 0)
        PyErr_Clear ();
    }

  return view;
}

static gboolean
push_view (QuirePythonMapping *state,
           PyObject           *view)
{
  PyObject *reference = PyWeakref_NewRef (view, NULL);

  if (reference == NULL)
    return FALSE;

  if (state->view != NULL)
    {
      if (state->outer_views == NULL)
        state->outer_views = PyList_New (0);
      if (state->outer_views == NULL || PyList_Append (state->outer_views, state->view) != 0)
        {
          Py_DECREF (reference);
          return FALSE;
        }
    }

  Py_XSETREF (state->view, reference);
  return TRUE;
}

PyDoc_STRVAR (mapping_enter_doc,
"__enter__($self, /)\n--\n\n"
"Gives a memoryview of the data.");

static PyObject *
mapping_enter (PyObject *self,
               PyObject *unused)
{
  PyObject *view = PyMemoryView_FromObject (self);

  if (view != NULL && !push_view (quire_python_mapping_state (self), view))
    Py_CLEAR (view);
  return view;
}

PyDoc_STRVAR (mapping_exit_doc,
"__exit__($self, /, *exc_info)\n--\n\n"
"Releases the view of __enter__(), and the map with its last view.");

static PyObject *
mapping_exit (PyObject        *self,
              PyObject *const *args,
              Py_ssize_t       n_args)
{
  QuireMapping *mapping = quire_python_mapping_get (self);
  PyObject *view, *result;

  if (mapping == NULL)
    return NULL;

  view = pop_view (quire_python_mapping_state (self));
  if (view != NULL)
    {
      /* What was made from it, such as an array, may still be there. */
      result = PyObject_CallMethodNoArgs (view, str_release);
      Py_DECREF (view);
      if (result == NULL && !PyErr_ExceptionMatches (PyExc_BufferError))
        return NULL;
      PyErr_Clear ();
      Py_XDECREF (result);
    }

  quire_mapping_release (mapping);
  Py_RETURN_NONE;
}

PyDoc_STRVAR (mapping_release_doc,
"release($self, /)\n--\n\n"
"Ends the map, or sees to it that it ends with its last view. A second time it does\n"
"nothing.");

static PyObject *
mapping_release (PyObject *self,
                 PyObject *unused)
{
  QuireMapping *mapping = quire_python_mapping_get (self);

  if (mapping == NULL)
    return NULL;

  quire_mapping_release (mapping);
  Py_RETURN_NONE;
}

PyDoc_STRVAR (mapping_unmap_doc,
"unmap($self, /)\n--\n\n"
"Ends the map, as Quire.Memory.unmap() does: while views of it are alive that is\n"
"Quire.Error.Busy, and a second time Quire.Error.Closed.");

static PyObject *
mapping_unmap (PyObject *self,
               PyObject *unused)
{
  QuireMapping *mapping = quire_python_mapping_get (self);
  GError *error = NULL;

  if (mapping == NULL)
    return NULL;

  if (!quire_memory_try_unmap (quire_mapping_get_memory (mapping), mapping, &error))
    return quire_python_raise_error (error);
  Py_RETURN_NONE;
}

PyDoc_STRVAR (mapping_write_back_doc,
"write_back($self, /, data)\n--\n\n"
"Copies the bytes of a buffer, as many as are mapped, over what the map shows.");

/* What is no buffer may be a sequence of numbers; one with gaps is copied first. */
static PyObject *
get_bytes_to_write (PyObject  *object,
                    Py_buffer *view)
{
  PyObject *bytes;

  if (PyObject_CheckBuffer (object))
    {
      if (PyObject_GetBuffer (object, view, PyBUF_SIMPLE) == 0)
        return Py_NewRef (object);
      if (quire_python_is_memory (object) || !PyErr_ExceptionMatches (PyExc_BufferError))
        return NULL;
      PyErr_Clear ();
    }

  bytes = PyBytes_FromObject (object);
  if (bytes != NULL && PyObject_GetBuffer (bytes, view, PyBUF_SIMPLE) != 0)
    Py_CLEAR (bytes);
  return bytes;
}

static PyObject *
mapping_write_back (PyObject        *self,
                    PyObject *const *args,
                    Py_ssize_t       n_args,
                    PyObject        *keywords)
{
  static const QuirePythonSignature signature = { "write_back", { "data" }, 1 };
  QuireMapping *mapping;
  gboolean written = FALSE;
  GError *error = NULL;
  PyObject *data, *bytes;
  Py_buffer view;

  if (!quire_python_sort_arguments (&signature, args, n_args, keywords, &data))
    return NULL;
  bytes = get_bytes_to_write (data, &view);
  if (bytes == NULL)
    return NULL;

  mapping = quire_python_mapping_get (self);
  if (mapping != NULL)
    {
      QUIRE_PYTHON_BEGIN_THREADS (view.len >= QUIRE_PYTHON_LONG)
      written = quire_mapping_write_back (mapping, view.buf, (gsize) view.len, &error);
      QUIRE_PYTHON_END_THREADS
    }
  PyBuffer_Release (&view);
  Py_DECREF (bytes);

  if (written)
    Py_RETURN_NONE;
  return error != NULL ? quire_python_raise_error (error) : NULL;
}

static PyObject *
mapping_get_memory (PyObject *self,
                    void     *unused)
{
  QuireMapping *mapping = quire_python_mapping_get (self);
  QuireMemory *memory;

  if (mapping == NULL)
    return NULL;

  memory = quire_mapping_dup_memory (mapping);
  if (memory == NULL)
    Py_RETURN_NONE;
  return quire_python_memory_to_python (memory);
}

static PyObject *
mapping_get_size (PyObject *self,
                  void     *unused)
{
  QuireMapping *mapping = quire_python_mapping_get (self);

  return mapping != NULL ? PyLong_FromSize_t (quire_mapping_get_size (mapping)) : NULL;
}

static PyObject *
mapping_get_maxsize (PyObject *self,
                     void     *unused)
{
  QuireMapping *mapping = quire_python_mapping_get (self);

  return mapping != NULL ? PyLong_FromSize_t (quire_mapping_get_maxsize (mapping)) : NULL;
}

static PyObject *
mapping_get_data (PyObject *self,
                  void     *unused)
{
  return PyMemoryView_FromObject (self);
}

static PyMethodDef mapping_methods[] = {
  { "__enter__", mapping_enter, METH_NOARGS, mapping_enter_doc },
  { "__exit__", QUIRE_PYTHON_METHOD (mapping_exit), METH_FASTCALL, mapping_exit_doc },
  { "release", mapping_release, METH_NOARGS, mapping_release_doc },
  { "unmap", mapping_unmap, METH_NOARGS, mapping_unmap_doc },
  { "write_back", QUIRE_PYTHON_METHOD (mapping_write_back), METH_FASTCALL | METH_KEYWORDS, mapping_write_back_doc },
  /* PyGObject's own would leave addresses behind. */
  { "_clear_boxed", mapping_release, METH_NOARGS, NULL },
  { NULL, },
};

static PyGetSetDef mapping_getset[] = {
  { "memory", mapping_get_memory, NULL, "The block that is mapped; None if the map has ended and it is gone.", NULL },
  { "size", mapping_get_size, NULL, "The size of the data in bytes.", NULL },
  { "maxsize", mapping_get_maxsize, NULL, "The bytes there are from the start of the data to the end of the block.", NULL },
  { "data", mapping_get_data, NULL, "A new memoryview of the data, to write if the map is one.", NULL },
  { NULL, },
};

static PyType_Slot mapping_slots[] = {
  { Py_tp_new, mapping_new },
  { Py_tp_init, mapping_init },
  { Py_tp_dealloc, mapping_dealloc },
  { Py_tp_free, PyObject_GC_Del },
  { Py_tp_traverse, mapping_traverse },
  { Py_tp_clear, mapping_clear },
  { Py_bf_getbuffer, mapping_getbuffer },
  { Py_bf_releasebuffer, mapping_releasebuffer },
  { Py_mp_length, mapping_length },
  { Py_tp_methods, mapping_methods },
  { Py_tp_getset, mapping_getset },
  { Py_tp_doc, (char *) "What Quire.MapInfo has from C." },
  { 0, NULL },
};

static PyType_Spec mapping_spec = {
  .name = "gi.overrides._quire.MappingBase",
  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
  .slots = mapping_slots,
};

/* To be called once; NULL with an exception. */
PyType_Spec *
quire_python_mapping_get_spec (void)
{
  str_release = PyUnicode_InternFromString ("release");

  return str_release != NULL ? &mapping_spec : NULL;
}
