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

PyObject     *quire_python_memory_wrap        (PyObject *unused,
                                               PyObject *object);

extern const char quire_python_memory_wrap_doc[];
extern PyType_Spec quire_python_mapping_spec;
