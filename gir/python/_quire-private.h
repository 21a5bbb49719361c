/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <Python.h>

/* One of the files has the table of PyGObject's functions. */
#ifndef QUIRE_PYTHON_MODULE
# define NO_IMPORT_PYGOBJECT
#endif
#include <pygobject.h>

#include <quire/quire.h>

/* Raises a GLib.Error of it; gives NULL. Takes the error. */
PyObject     *quire_python_raise_error        (GError *error);
/* Raises a Quire.BufferError of it. Takes the error. */
void          quire_python_raise_buffer_error (GError *error);
PyObject     *quire_python_make_buffer_error  (void);
/* The class GLib.Error. */
PyObject     *quire_python_glib_error         (void);

/* What is behind a wrapper, or NULL with an exception. */
QuireMemory  *quire_python_memory_get         (PyObject *object);
/* The same, but a handle that was closed raises an error. */
QuireMemory  *quire_python_open_memory_get    (PyObject *object);
QuireMapping *quire_python_mapping_get        (PyObject *object);

void          quire_python_register_values    (void);

/* Takes the reference. */
PyObject     *quire_python_memory_to_python   (QuireMemory *memory);

/* The halves of the buffer protocol that both types share. */
int           quire_python_fill_view          (PyObject     *self,
                                               Py_buffer    *view,
                                               int           flags,
                                               QuireMapping *mapping);
void          quire_python_releasebuffer      (PyObject     *self,
                                               Py_buffer    *view);

/* Whether the interpreter has ended, or is about to: then no script is called. */
gboolean      quire_python_is_gone            (void);

/* The exception that an error came from, if it was raised by a script on this thread just
 * now, as a new reference. */
PyObject     *quire_python_take_cause         (const GError *error);
void          quire_python_drop_cause         (void);

/* Whether there is such an exception. */
extern __thread gboolean quire_python_has_cause;

/* Whoever begins a call has not to do with the error of another one. */
static inline void
quire_python_forget_cause (void)
{
  if (G_UNLIKELY (quire_python_has_cause))
    quire_python_drop_cause ();
}

extern PyMethodDef quire_python_allocator_functions[];

PyObject     *quire_python_memory_wrap        (PyObject *unused,
                                               PyObject *object);

extern const char quire_python_memory_wrap_doc[];
extern PyType_Spec quire_python_mapping_spec;
