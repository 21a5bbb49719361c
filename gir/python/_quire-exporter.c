/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the collector sees of the buffer behind a wrapped block.
 *
 * An object that refers to the block over its own buffer is a cycle, of which the
 * collector sees only one half: the other is the library's. As long as the handle is all
 * that keeps the block, the block is the handle's. Then an object of this type, which only
 * the handle refers to, stands for the buffer.
 *
 * That the handle is alone may change while the collector runs: another thread, in a call
 * that was given the handle, may refer to the block without the interpreter's lock. What
 * the collector was told when it took references away, it must be told when it looks which
 * of them are left: else it would find an object dead that is held in a way that it does
 * not know of. In CPython the first of the two passes is the one whose argument is the
 * object itself. An interpreter that does it in another way never hears of the buffer, and
 * collects no such cycle.
 *
 * The buffer is given back when what is dead is finalized, before anything is cleared: not
 * every exporter can be cleared under a buffer that is out. */

#include "_quire-private.h"

typedef struct
{
  PyObject_HEAD
  /* Borrowed: the handle refers to this object; NULL when it does not any more. */
  PyObject  *owner;
  Py_buffer *view;
  /* What the collector was told last, and how often the handle had given views by then. */
  gboolean   alone;
  guint      n_exports;
} Exporter;

static PyTypeObject *exporter_type;

static gboolean
is_alone (Exporter *self)
{
  QuireMemory *memory = pyg_boxed_get_ptr (self->owner);

  return memory != NULL && quire_memory_has_only (memory, 1);
}

static int
exporter_traverse (PyObject *object,
                   visitproc visit,
                   void     *arg)
{
  Exporter *self = (Exporter *) object;

  Py_VISIT (Py_TYPE (object));
  if (self->view == NULL)
    return 0;

  if (arg == object)
    {
      /* What was finalized is so only once. */
      self->alone = !PyObject_GC_IsFinalized (object) && is_alone (self);
      self->n_exports = quire_python_memory_state (self->owner)->n_exports;
    }
  if (self->alone)
    Py_VISIT (self->view->obj);

  return 0;
}

/* Another finalizer may have come before. If it has had a view of the block, an address
 * may have been kept; then all stays as it is, for good. */
static void
exporter_finalize (PyObject *object)
{
  Exporter *self = (Exporter *) object;
  PyObject *type, *value, *traceback;
  PyGBoxed *owner;
  QuireMemory *memory;

  if (self->view == NULL || !self->alone || !is_alone (self) ||
      self->n_exports != quire_python_memory_state (self->owner)->n_exports)
    return;

  PyErr_Fetch (&type, &value, &traceback);
  owner = (PyGBoxed *) self->owner;
  memory = owner->boxed;
  quire_python_exporter_detach (self->owner);
  /* Nothing is kept in place for the handle: nobody has an address of it. */
  owner->boxed = quire_memory_close (quire_memory_new (0));
  quire_memory_unref (memory);
  PyErr_Restore (type, value, traceback);
}

static void
exporter_dealloc (PyObject *object)
{
  PyTypeObject *type = Py_TYPE (object);

  PyObject_GC_UnTrack (object);
  PyObject_GC_Del (object);
  Py_DECREF (type);
}

static PyType_Slot exporter_slots[] = {
  { Py_tp_dealloc, exporter_dealloc },
  { Py_tp_traverse, exporter_traverse },
  { Py_tp_finalize, exporter_finalize },
  { Py_tp_doc, (char *) "The buffer behind a block of Quire.Memory.wrap(), for the collector." },
  { 0, NULL },
};

static PyType_Spec exporter_spec = {
  .name = "gi.overrides._quire.Exporter",
  .basicsize = sizeof (Exporter),
  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
  .slots = exporter_slots,
};

/* The block of the handle is over the buffer, which is the block's own. */
gboolean
quire_python_exporter_attach (PyObject  *owner,
                              Py_buffer *view)
{
  Exporter *self;

  if (exporter_type == NULL)
    exporter_type = (PyTypeObject *) PyType_FromSpec (&exporter_spec);
  if (exporter_type == NULL)
    return FALSE;

  self = PyObject_GC_New (Exporter, exporter_type);
  if (self == NULL)
    return FALSE;

  self->owner = owner;
  self->view = view;
  self->alone = FALSE;
  self->n_exports = 0;
  quire_python_memory_state (owner)->exporter = (PyObject *) self;
  PyObject_GC_Track (self);
  return TRUE;
}

/* The handle is no longer one of that block, or is about to go. */
void
quire_python_exporter_detach (PyObject *owner)
{
  QuirePythonMemory *state = quire_python_memory_state (owner);
  Exporter *self = (Exporter *) state->exporter;

  if (self == NULL)
    return;

  state->exporter = NULL;
  self->owner = NULL;
  self->view = NULL;
  Py_DECREF (self);
}
