/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What iter() gives: one byte after the other, under a map to read that lasts until the
 * iterator has come to the end or is dropped. That of a memoryview can't tell how many
 * there are to come. */

#include "_quire-private.h"

typedef struct
{
  PyObject_HEAD
  /* There is a view of it until the end; then it is NULL. */
  QuireMapping *mapping;
  const guint8 *next, *end;
} Iterator;

static PyTypeObject *iterator_type;

static void
finish (Iterator *self)
{
  QuireMapping *mapping = g_steal_pointer (&self->mapping);

  self->next = self->end = NULL;
  if (mapping != NULL)
    quire_mapping_release_view (mapping);
}

static PyObject *
iterator_next (PyObject *object)
{
  Iterator *self = (Iterator *) object;

  if (self->next < self->end)
    return PyLong_FromLong (*self->next++);

  finish (self);
  return NULL;
}

static void
iterator_dealloc (PyObject *object)
{
  PyTypeObject *type = Py_TYPE (object);

  finish ((Iterator *) object);
  PyObject_Free (object);
  Py_DECREF (type);
}

static PyObject *
iterator_length_hint (PyObject *object,
                      PyObject *unused)
{
  Iterator *self = (Iterator *) object;

  return PyLong_FromSsize_t (self->end - self->next);
}

static PyMethodDef iterator_methods[] = {
  { "__length_hint__", iterator_length_hint, METH_NOARGS, "Tells how many bytes there are to come." },
  { NULL, },
};

static PyType_Slot iterator_slots[] = {
  { Py_tp_dealloc, iterator_dealloc },
  { Py_tp_iter, PyObject_SelfIter },
  { Py_tp_iternext, iterator_next },
  { Py_tp_methods, iterator_methods },
  { Py_tp_doc, (char *) "The bytes of a Quire.Memory, under a map to read." },
  { 0, NULL },
};

static PyType_Spec iterator_spec = {
  .name = "gi.overrides._quire.MemoryIterator",
  .basicsize = sizeof (Iterator),
  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
  .slots = iterator_slots,
};

PyObject *
quire_python_memory_iterate (PyObject *object)
{
  QuireMemory *memory;
  QuireMapping *mapping;
  GError *error = NULL;
  Iterator *self;
  guint8 *data;
  gboolean viewed;

  if (iterator_type == NULL)
    iterator_type = (PyTypeObject *) PyType_FromSpec (&iterator_spec);
  if (iterator_type == NULL)
    return NULL;

  memory = quire_python_memory_get (object);
  if (memory == NULL)
    return NULL;

  mapping = quire_memory_try_map (memory, QUIRE_MAP_READ, &error);
  if (mapping == NULL)
    return quire_python_raise_error (error);

  viewed = quire_mapping_acquire_view (mapping, &data, &error);
  quire_mapping_unref (mapping);
  if (!viewed)
    return quire_python_raise_error (error);

  self = PyObject_New (Iterator, iterator_type);
  if (self == NULL)
    {
      quire_mapping_release_view (mapping);
      return NULL;
    }
  self->mapping = mapping;
  self->next = data;
  self->end = data + quire_mapping_get_size (mapping);
  return (PyObject *) self;
}
