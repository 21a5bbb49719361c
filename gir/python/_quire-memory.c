/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The base of Quire.Memory: how a handle is made, and how it ends. */

#include "_quire-private.h"

#include <string.h>

/* What Quire.Memory (…) takes beside the size. */
typedef struct
{
  QuireAllocationParams  params;
  QuireAllocator        *allocator;
  gboolean               fills;
  guint8                 fill;
} Request;

/* An allocator, or the name of one; takes a reference. */
static gboolean
find_allocator (PyObject        *object,
                QuireAllocator **allocator)
{
  const char *name;

  if (object == NULL || object == Py_None)
    return TRUE;

  if (PyUnicode_Check (object))
    {
      name = PyUnicode_AsUTF8 (object);
      if (name == NULL)
        return FALSE;
      *allocator = quire_allocator_find (name);
      if (*allocator == NULL)
        PyErr_Format (PyExc_LookupError, "no allocator is registered as %R", object);
      return *allocator != NULL;
    }

  if (!pygobject_check (object, &PyGObject_Type) || !QUIRE_IS_ALLOCATOR (pygobject_get (object)))
    {
      PyErr_Format (PyExc_TypeError, "expected a Quire.Allocator or the name of one, got %.200s",
                    Py_TYPE (object)->tp_name);
      return FALSE;
    }

  *allocator = g_object_ref (QUIRE_ALLOCATOR (pygobject_get (object)));
  return TRUE;
}

/* An exception while there is a size: what was given instead may have been data. */
static gboolean
get_size_of_block (PyObject *object,
                   gsize    *size)
{
  if (PyObject_CheckBuffer (object) && !PyIndex_Check (object))
    {
      PyErr_Format (PyExc_TypeError,
                    "a Quire.Memory is made of a size in bytes, not of %.200s; "
                    "Quire.Memory.wrap() makes one over a buffer",
                    Py_TYPE (object)->tp_name);
      return FALSE;
    }

  return quire_python_get_size (object, size);
}

static gboolean
parse_request (PyObject *args,
               PyObject *kwargs,
               gsize    *size,
               Request  *request)
{
  static char *keywords[] = {
    (char *) "size", (char *) "align", (char *) "prefix", (char *) "padding", (char *) "flags",
    (char *) "allocator", (char *) "fill", NULL,
  };
  PyObject *size_object, *align = NULL, *prefix = NULL, *padding = NULL, *flags = NULL;
  PyObject *allocator = NULL, *fill = NULL;
  guint bits = 0;

  if (!PyArg_ParseTupleAndKeywords (args, kwargs, "O|$OOOOOO:Memory", keywords, &size_object, &align,
                                    &prefix, &padding, &flags, &allocator, &fill))
    return FALSE;

  request->fills = fill != NULL && fill != Py_None;
  if (!get_size_of_block (size_object, size) ||
      !quire_python_get_size (align, &request->params.align) ||
      !quire_python_get_size (prefix, &request->params.prefix) ||
      !quire_python_get_size (padding, &request->params.padding) ||
      !quire_python_get_flags (flags, "block", &bits) ||
      !(request->fills ? quire_python_get_byte (fill, &request->fill) : TRUE) ||
      !find_allocator (allocator, &request->allocator))
    return FALSE;

  request->params.flags = (QuireMemoryFlags) bits;
  return TRUE;
}

/* The rare way: all that may be asked for. */
static QuireMemory *
allocate (PyObject *args,
          PyObject *kwargs)
{
  Request request = { 0, };
  QuireMemory *memory;
  GError *error = NULL;
  gsize size;

  if (!parse_request (args, kwargs, &size, &request))
    return NULL;

  Py_BEGIN_ALLOW_THREADS
  memory = quire_allocator_try_alloc (request.allocator, size, &request.params, &error);
  if (memory != NULL && request.fills && !quire_memory_try_fill (memory, 0, -1, request.fill, &error))
    g_clear_pointer (&memory, quire_memory_unref);
  Py_END_ALLOW_THREADS

  g_clear_object (&request.allocator);
  if (memory == NULL)
    quire_python_raise_error (error);
  return memory;
}

static PyObject *
memory_new (PyTypeObject *type,
            PyObject     *args,
            PyObject     *kwargs)
{
  QuireMemory *memory;
  GError *error = NULL;
  gsize size;

  if (G_UNLIKELY (PyTuple_GET_SIZE (args) != 1 || (kwargs != NULL && PyDict_GET_SIZE (kwargs) > 0)))
    {
      memory = allocate (args, kwargs);
      return memory != NULL ? quire_python_memory_to_class (type, memory) : NULL;
    }

  if (!get_size_of_block (PyTuple_GET_ITEM (args, 0), &size))
    return NULL;

  QUIRE_PYTHON_BEGIN_THREADS (size >= QUIRE_PYTHON_LONG)
  memory = quire_memory_try_new (size, &error);
  QUIRE_PYTHON_END_THREADS

  return memory != NULL ? quire_python_memory_to_class (type, memory) : quire_python_raise_error (error);
}

/* All is made by then; a class derived in Python may pass what it likes. */
static int
memory_init (PyObject *self,
             PyObject *args,
             PyObject *kwargs)
{
  return 0;
}

static int
memory_traverse (PyObject *self,
                 visitproc visit,
                 void     *arg)
{
  Py_VISIT (Py_TYPE (self));
  Py_VISIT (quire_python_memory_state (self)->exporter);
  return 0;
}

/* The exporter does not refer back; it needs no clearing. */
static void
memory_dealloc (PyObject *self)
{
  PyObject_GC_UnTrack (self);
  quire_python_exporter_detach (self);
  quire_python_object_free (self, (GDestroyNotify) quire_memory_unref);
}

PyDoc_STRVAR (memory_close_doc,
"close($self, /)\n--\n\n"
"Gives the handle up at once.\n\n"
"A share that is closed no longer keeps its block from being written. Views that\n"
"are out stay good. Whatever is asked of the handle later raises\n"
"Quire.Error.Closed; a second close() does nothing.");

PyObject *
quire_python_memory_close (PyObject *self,
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
  quire_python_exporter_detach (self);
  boxed->boxed = quire_memory_close (memory);
  boxed->free_on_dealloc = TRUE;
  quire_memory_unref (memory);

  Py_RETURN_NONE;
}

PyDoc_STRVAR (memory_enter_doc,
"__enter__($self, /)\n--\n\n"
"Gives the block itself: with m[a:b] as share: ...");

static PyObject *
memory_enter (PyObject *self,
              PyObject *unused)
{
  return quire_python_open_memory_get (self) != NULL ? Py_NewRef (self) : NULL;
}

PyDoc_STRVAR (memory_exit_doc,
"__exit__($self, /, *exc_info)\n--\n\n"
"Closes the handle.");

static PyObject *
memory_exit (PyObject        *self,
             PyObject *const *args,
             Py_ssize_t       n_args)
{
  return quire_python_memory_close (self, NULL);
}

static PyObject *
memory_get_closed (PyObject *self,
                   void     *unused)
{
  QuireMemory *memory = quire_python_memory_get (self);

  return memory != NULL ? PyBool_FromLong (quire_memory_is_closed (memory)) : NULL;
}

static PyMethodDef memory_methods[] = {
  { "close", quire_python_memory_close, METH_NOARGS, memory_close_doc },
  /* PyGObject's own, which takes the pointer away, would leave addresses behind. */
  { "_clear_boxed", quire_python_memory_close, METH_NOARGS, NULL },
  { "__enter__", memory_enter, METH_NOARGS, memory_enter_doc },
  { "__exit__", QUIRE_PYTHON_METHOD (memory_exit), METH_FASTCALL, memory_exit_doc },
  { "wrap", quire_python_memory_wrap, METH_O | METH_CLASS, quire_python_memory_wrap_doc },
  { NULL, },
};

static PyGetSetDef memory_getset[] = {
  { "closed", memory_get_closed, NULL, "Whether the handle was closed.", NULL },
  { NULL, },
};

/* help() finds the signature here, as there is no __new__() in Python. */
PyDoc_STRVAR (memory_doc,
"MemoryBase(size, *, align=0, prefix=0, padding=0, flags=0, allocator=None, fill=None)\n--\n\n"
"What Quire.Memory has from C.");

static PyType_Slot memory_slots[] = {
  /* What all the files have. */
  { Py_tp_methods, NULL },
  { Py_tp_new, memory_new },
  { Py_tp_init, memory_init },
  { Py_tp_dealloc, memory_dealloc },
  { Py_tp_free, PyObject_GC_Del },
  { Py_tp_traverse, memory_traverse },
  { Py_bf_getbuffer, quire_python_memory_getbuffer },
  { Py_bf_releasebuffer, quire_python_memory_releasebuffer },
  { Py_mp_length, quire_python_memory_length },
  { Py_mp_subscript, quire_python_memory_subscript },
  { Py_mp_ass_subscript, quire_python_memory_assign },
  { Py_sq_length, quire_python_memory_length },
  { Py_sq_item, quire_python_memory_item },
  { Py_sq_contains, quire_python_memory_contains },
  { Py_tp_iter, quire_python_memory_iterate },
  { Py_tp_richcompare, quire_python_memory_compare },
  { Py_tp_hash, PyObject_HashNotImplemented },
  { Py_nb_add, quire_python_memory_add },
  { Py_tp_getset, memory_getset },
  { Py_tp_doc, (char *) memory_doc },
  { 0, NULL },
};

static PyType_Spec memory_spec = {
  .name = "gi.overrides._quire.MemoryBase",
  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
  .slots = memory_slots,
};

/* To be called once. */
PyType_Spec *
quire_python_memory_get_spec (void)
{
  const PyMethodDef *tables[] = {
    memory_methods, quire_python_content_methods, quire_python_dlpack_methods, quire_python_map_methods,
    quire_python_search_methods,
  };
  GArray *methods = g_array_new (TRUE, FALSE, sizeof (PyMethodDef));

  for (gsize i = 0; i < G_N_ELEMENTS (tables); i++)
    {
      for (const PyMethodDef *method = tables[i]; method->ml_name != NULL; method++)
        g_array_append_vals (methods, method, 1);
    }
  memory_slots[0].pfunc = g_array_free (methods, FALSE);

  return &memory_spec;
}
