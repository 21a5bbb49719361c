/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Errors: the classes are in _quire_error.py. */

#include "_quire-private.h"

/* By their codes, and what stands for the others where Python expects a BufferError. */
static PyObject *error_classes;
static PyObject *buffer_error_class;
static PyObject *glib_error_class;

PyObject *
quire_python_glib_error (void)
{
  return glib_error_class;
}

int
quire_python_error_setup (void)
{
  PyObject *module = PyImport_ImportModule ("gi.overrides._quire_error");

  if (module == NULL)
    return -1;

  Py_XSETREF (error_classes, PyObject_GetAttrString (module, "CLASSES"));
  Py_XSETREF (buffer_error_class, PyObject_GetAttrString (module, "BufferError"));
  Py_XSETREF (glib_error_class, PyObject_GetAttrString (module, "GError"));
  Py_DECREF (module);

  return error_classes != NULL && buffer_error_class != NULL && glib_error_class != NULL ? 0 : -1;
}

/* The class of an error of Quire; borrowed. NULL, without an exception, for others. */
static PyObject *
find_class (const GError *error)
{
  PyObject *key, *class;

  if (error->domain != QUIRE_MEMORY_ERROR)
    return NULL;

  key = PyLong_FromLong (error->code);
  class = key != NULL ? PyDict_GetItemWithError (error_classes, key) : NULL;
  Py_XDECREF (key);
  if (class == NULL)
    PyErr_Clear ();

  return class;
}

/* The exception that the error came from, if there is one. The end of a program, or its
 * interruption, is not to be taken for an error: that is raised again instead, and so is what
 * the handler of a signal raised. */
static gboolean
find_cause (GError    *error,
            PyObject **cause)
{
  gboolean as_it_is;

  *cause = quire_python_take_cause (error, &as_it_is);
  if (*cause == NULL || (PyObject_IsInstance (*cause, PyExc_Exception) && !as_it_is))
    return TRUE;

  g_error_free (error);
  PyErr_SetObject ((PyObject *) Py_TYPE (*cause), *cause);
  Py_DECREF (*cause);
  return FALSE;
}

static void
raise_as (PyObject *class,
          GError   *error)
{
  PyObject *cause, *exception;

  if (!find_cause (error, &cause))
    return;

  exception = PyObject_CallFunction (class, "ssi", error->message,
                                     g_quark_to_string (error->domain), error->code);
  if (exception != NULL)
    {
      PyException_SetCause (exception, cause);
      PyErr_SetObject (class, exception);
      Py_DECREF (exception);
    }
  else
    {
      Py_XDECREF (cause);
    }
  g_error_free (error);
}

PyObject *
quire_python_raise_error (GError *error)
{
  PyObject *class = find_class (error);

  raise_as (class != NULL ? class : glib_error_class, error);
  return NULL;
}

void
quire_python_raise_buffer_error (GError *error)
{
  PyObject *class = find_class (error);

  if (class == NULL || !PyType_IsSubtype ((PyTypeObject *) class, (PyTypeObject *) PyExc_BufferError))
    class = buffer_error_class;
  raise_as (class, error);
}

void
quire_python_raise_code (int         code,
                         const char *message)
{
  quire_python_raise_error (g_error_new_literal (QUIRE_MEMORY_ERROR, code, message));
}
