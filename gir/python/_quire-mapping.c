/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The base of Quire.MapInfo: a buffer too. */

#include "_quire-private.h"

/* Fills a view, which then counts as one of the mapping's. */
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

void
quire_python_releasebuffer (PyObject  *self,
               Py_buffer *view)
{
  quire_mapping_release_view (view->internal);
}

static PyObject *
mapping_clear_boxed (PyObject *self,
                     PyObject *unused)
{
  QuireMapping *mapping = quire_python_mapping_get (self);

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
  { Py_bf_releasebuffer, quire_python_releasebuffer },
  { Py_tp_doc, (char *) "What Quire.MapInfo has from C: the buffer protocol." },
  { 0, NULL },
};

PyType_Spec quire_python_mapping_spec = {
  .name = "gi.overrides._quire.MappingBase",
  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
  .slots = mapping_slots,
};
