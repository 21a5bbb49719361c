/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the other files need: errors, what is behind a wrapper, and values. */

#include "_quire-private.h"

/* A GLib.Error that is a BufferError too. */
static PyObject *buffer_error_type;
static PyObject *glib_error_type;

PyObject *
quire_python_glib_error (void)
{
  return glib_error_type;
}

/* The exception that the error came from, if there is one. The end of a program, or its
 * interruption, is not to be taken for an error: that is raised again instead. */
static gboolean
find_cause (GError    *error,
            PyObject **cause)
{
  *cause = quire_python_take_cause (error);
  if (*cause == NULL || PyObject_IsInstance (*cause, PyExc_Exception))
    return TRUE;

  g_error_free (error);
  PyErr_SetObject ((PyObject *) Py_TYPE (*cause), *cause);
  Py_DECREF (*cause);
  return FALSE;
}

static void
raise_as (PyObject *type,
          GError   *error)
{
  PyObject *cause, *exception;

  if (!find_cause (error, &cause))
    return;

  exception = PyObject_CallFunction (type, "ssi", error->message,
                                     g_quark_to_string (error->domain), error->code);
  if (exception != NULL)
    {
      PyException_SetCause (exception, cause);
      PyErr_SetObject (type, exception);
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
  raise_as (glib_error_type, error);
  return NULL;
}

void
quire_python_raise_buffer_error (GError *error)
{
  raise_as (buffer_error_type, error);
}

PyObject *
quire_python_make_buffer_error (void)
{
  PyObject *error_module = PyImport_ImportModule ("gi._error");
  PyObject *glib_error, *bases;

  if (error_module == NULL)
    return NULL;

  glib_error = PyObject_GetAttrString (error_module, "GError");
  Py_DECREF (error_module);
  if (glib_error == NULL)
    return NULL;
  glib_error_type = Py_NewRef (glib_error);

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
    return (QuireMemory *) quire_python_raise_error (g_error_new_literal (QUIRE_MEMORY_ERROR,
                                                             QUIRE_MEMORY_ERROR_CLOSED,
                                                             "The handle of the block was closed"));
  return memory;
}

QuireMapping *
quire_python_mapping_get (PyObject *object)
{
  return boxed_get (object, QUIRE_TYPE_MAPPING, "Quire.Mapping");
}

PyObject *
quire_python_memory_to_python (QuireMemory *memory)
{
  return pyg_boxed_new (QUIRE_TYPE_MEMORY, memory, FALSE, TRUE);
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

void
quire_python_register_values (void)
{
  pyg_register_gtype_custom (QUIRE_TYPE_MEMORY, value_to_python, value_from_python);
  pyg_register_gtype_custom (QUIRE_TYPE_MAPPING, value_to_python, value_from_python);
}
