/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Wrappers: their types, what is behind them, and how they are made.
 *
 * The classes in Quire.py have two bases, the type that is made here and the introspected
 * class. Both derive from PyGObject's own, whose size only it knows; so our fields stand
 * where that ends. As each of our types has fields of its own, no assignment to __class__
 * makes another boxed type of a block, or the other way round. */

#include "_quire-private.h"

/* The types live as long as the process: there is one interpreter. */
static PyTypeObject *memory_type, *mapping_type;
static PyTypeObject *memory_class, *mapping_class;
static destructor base_dealloc;
static gsize state_offset;

/* The type in C of which PyGObject derives the class of a boxed type. */
static PyTypeObject *
find_base (const char *name)
{
  PyObject *gi_module = PyImport_ImportModule ("gi.module");
  PyObject *namespace = NULL, *class = NULL;
  PyTypeObject *base;

  if (gi_module != NULL)
    namespace = PyObject_CallMethod (gi_module, "get_introspection_module", "s", "Quire");
  if (namespace != NULL)
    class = PyObject_GetAttrString (namespace, name);
  Py_XDECREF (gi_module);
  Py_XDECREF (namespace);
  if (class == NULL)
    return NULL;

  base = (PyTypeObject *) class;
  while (base != NULL && PyType_HasFeature (base, Py_TPFLAGS_HEAPTYPE))
    base = base->tp_base;
  Py_DECREF (class);

  if (base == NULL || !PyType_IsSubtype (base, &PyGBoxed_Type))
    {
      PyErr_Format (PyExc_ImportError, "Quire.%s is no boxed type of this PyGObject", name);
      return NULL;
    }

  return base;
}

static PyTypeObject *
make_type (PyType_Spec  *spec,
           PyTypeObject *base,
           gsize         size)
{
  if (spec == NULL)
    return NULL;

  spec->basicsize = (int) (state_offset + size);
  return (PyTypeObject *) PyType_FromSpecWithBases (spec, (PyObject *) base);
}

static PyObject *value_to_python   (const GValue *value);
static int       value_from_python (GValue       *value,
                                    PyObject     *object);

int
quire_python_object_setup (PyObject *module)
{
  if (memory_type == NULL)
    {
      PyTypeObject *base = find_base ("Memory");

      if (base == NULL)
        return -1;

      base_dealloc = base->tp_dealloc;
      state_offset = ((gsize) base->tp_basicsize + G_ALIGNOF (gpointer) - 1) & ~(G_ALIGNOF (gpointer) - 1);

      mapping_type = make_type (quire_python_mapping_get_spec (), base, sizeof (QuirePythonMapping));
      memory_type = make_type (quire_python_memory_get_spec (), base, sizeof (QuirePythonMemory));
      if (mapping_type == NULL || memory_type == NULL)
        return -1;

      pyg_register_gtype_custom (QUIRE_TYPE_MEMORY, value_to_python, value_from_python);
      pyg_register_gtype_custom (QUIRE_TYPE_MAPPING, value_to_python, value_from_python);
    }

  if (PyModule_AddObjectRef (module, "MemoryBase", (PyObject *) memory_type) != 0 ||
      PyModule_AddObjectRef (module, "MappingBase", (PyObject *) mapping_type) != 0)
    return -1;

  return 0;
}

/* CPython gives a class that is made in Python a sq_item that calls __getitem__(): an index
 * that is negative with the length added would count from the end once more. */
static void
take_sequence_item (PyTypeObject *type)
{
  if (type->tp_as_mapping->mp_subscript == quire_python_memory_subscript)
    type->tp_as_sequence->sq_item = quire_python_memory_item;
}

PyObject *
quire_python_complete_class (PyObject *module,
                             PyObject *object)
{
  if (!quire_python_is_memory_class (object))
    return PyErr_Format (PyExc_TypeError, "expected a class derived from Quire.Memory");

  if (PyType_HasFeature ((PyTypeObject *) object, Py_TPFLAGS_HEAPTYPE))
    take_sequence_item ((PyTypeObject *) object);
  Py_RETURN_NONE;
}

/* The classes of which wrappers are made. PyGObject would look them up by name, each
 * time, in the module. */
PyObject *
quire_python_set_classes (PyObject *module,
                          PyObject *args)
{
  PyObject *memory, *mapping;

  if (!PyArg_ParseTuple (args, "O!O!:set_classes", &PyType_Type, &memory, &PyType_Type, &mapping))
    return NULL;
  if (!PyType_IsSubtype ((PyTypeObject *) memory, memory_type) ||
      !PyType_IsSubtype ((PyTypeObject *) mapping, mapping_type))
    return PyErr_Format (PyExc_TypeError, "expected classes derived from MemoryBase and MappingBase");

  take_sequence_item ((PyTypeObject *) memory);
  Py_INCREF (memory);
  Py_XSETREF (memory_class, (PyTypeObject *) memory);
  Py_INCREF (mapping);
  Py_XSETREF (mapping_class, (PyTypeObject *) mapping);

  Py_RETURN_NONE;
}

QuirePythonMemory *
quire_python_memory_state (PyObject *self)
{
  return (QuirePythonMemory *) (void *) ((char *) self + state_offset);
}

QuirePythonMapping *
quire_python_mapping_state (PyObject *self)
{
  return (QuirePythonMapping *) (void *) ((char *) self + state_offset);
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

gboolean
quire_python_is_memory (PyObject *object)
{
  return pyg_boxed_check (object, QUIRE_TYPE_MEMORY);
}

gboolean
quire_python_is_memory_class (PyObject *object)
{
  return PyType_Check (object) && PyType_IsSubtype ((PyTypeObject *) object, memory_type);
}

QuireMemory *
quire_python_memory_get (PyObject *object)
{
  quire_python_forget_cause ();
  return boxed_get (object, QUIRE_TYPE_MEMORY, "Quire.Memory");
}

QuireMemory *
quire_python_open_memory_get (PyObject *object)
{
  QuireMemory *memory = quire_python_memory_get (object);

  if (memory != NULL && quire_memory_is_closed (memory))
    {
      quire_python_raise_code (QUIRE_MEMORY_ERROR_CLOSED, "The handle of the block was closed");
      return NULL;
    }
  return memory;
}

QuireMapping *
quire_python_mapping_get (PyObject *object)
{
  return boxed_get (object, QUIRE_TYPE_MAPPING, "Quire.Mapping");
}

static PyObject *
wrapper_new (PyTypeObject *type,
             GType         gtype,
             gpointer      boxed)
{
  PyGBoxed *self = (PyGBoxed *) type->tp_alloc (type, 0);

  if (self == NULL)
    {
      g_boxed_free (gtype, boxed);
      return NULL;
    }

  self->boxed = boxed;
  self->gtype = gtype;
  self->free_on_dealloc = TRUE;
  return (PyObject *) self;
}

/* Without the override, in whose place another one may stand, PyGObject finds the class. */
PyObject *
quire_python_memory_to_python (QuireMemory *memory)
{
  if (G_UNLIKELY (memory_class == NULL))
    return pyg_boxed_new (QUIRE_TYPE_MEMORY, memory, FALSE, TRUE);

  return wrapper_new (memory_class, QUIRE_TYPE_MEMORY, memory);
}

PyObject *
quire_python_memory_to_class (PyTypeObject *type,
                              QuireMemory  *memory)
{
  return wrapper_new (type, QUIRE_TYPE_MEMORY, memory);
}

PyObject *
quire_python_mapping_to_python (QuireMapping *mapping)
{
  if (G_UNLIKELY (mapping_class == NULL))
    return pyg_boxed_new (QUIRE_TYPE_MAPPING, mapping, FALSE, TRUE);

  return wrapper_new (mapping_class, QUIRE_TYPE_MAPPING, mapping);
}

/* PyGObject's own would look the type up by the name of an attribute. */
void
quire_python_object_free (PyObject      *self,
                          GDestroyNotify unref)
{
  PyGBoxed *boxed = (PyGBoxed *) self;
  PyTypeObject *type = Py_TYPE (self);
  gpointer pointer = boxed->boxed;

  boxed->boxed = NULL;
  if (boxed->free_on_dealloc && pointer != NULL)
    unref (pointer);

  base_dealloc (self);
  Py_DECREF (type);
}

/* PyGObject lends a signal's handlers what is in the values, without a reference: what
 * a handler keeps would dangle. So these values are copied, that is, referenced. */
static PyObject *
value_to_python (const GValue *value)
{
  return pyg_boxed_new (G_VALUE_TYPE (value), g_value_get_boxed (value), TRUE, TRUE);
}

static int
value_from_python (GValue   *value,
                   PyObject *object)
{
  if (object == Py_None)
    {
      g_value_set_boxed (value, NULL);
      return 0;
    }

  if (!pyg_boxed_check (object, G_VALUE_TYPE (value)))
    return -1;

  g_value_set_boxed (value, pyg_boxed_get_ptr (object));
  return 0;
}
