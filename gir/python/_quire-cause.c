/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Exceptions that were raised where C called, as errors; and back again, with the
 * exception as the cause. */

#include "_quire-private.h"

/* The last exception that became an error, with the address of that: for a thread, and
 * until somebody raises the error, or until the next call. It is kept in the dictionary of
 * the thread, and goes with it. */
__thread gboolean quire_python_has_cause;

static PyObject *
cause_key (void)
{
  static PyObject *key;

  if (key == NULL)
    key = PyUnicode_InternFromString ("gi.overrides.Quire.cause");
  return key;
}

void
quire_python_drop_cause (void)
{
  PyObject *dictionary = PyThreadState_GetDict ();
  PyObject *type, *value, *traceback;

  quire_python_has_cause = FALSE;
  PyErr_Fetch (&type, &value, &traceback);
  if (dictionary != NULL && cause_key () != NULL &&
      PyDict_DelItem (dictionary, cause_key ()) != 0)
    PyErr_Clear ();
  PyErr_Restore (type, value, traceback);
}

static void
remember_cause (const GError *error,
                PyObject     *exception,
                gboolean      as_it_is)
{
  PyObject *dictionary = PyThreadState_GetDict ();
  PyObject *cause = Py_BuildValue ("(NOO)", PyLong_FromVoidPtr ((gpointer) error), exception,
                                   as_it_is ? Py_True : Py_False);

  if (dictionary != NULL && cause_key () != NULL && cause != NULL &&
      PyDict_SetItem (dictionary, cause_key (), cause) == 0)
    quire_python_has_cause = TRUE;
  else
    PyErr_Clear ();
  Py_XDECREF (cause);
}

PyObject *
quire_python_take_cause (const GError *error,
                         gboolean     *as_it_is)
{
  PyObject *dictionary = PyThreadState_GetDict ();
  PyObject *entry;
  PyObject *cause = NULL;

  *as_it_is = FALSE;
  if (!quire_python_has_cause || dictionary == NULL)
    return NULL;

  entry = PyDict_GetItem (dictionary, cause_key ());
  if (entry != NULL && PyLong_AsVoidPtr (PyTuple_GET_ITEM (entry, 0)) == error)
    {
      cause = Py_NewRef (PyTuple_GET_ITEM (entry, 1));
      *as_it_is = PyTuple_GET_ITEM (entry, 2) == Py_True;
    }
  quire_python_drop_cause ();

  return cause;
}

/* A GLib.Error keeps its domain and its code. */
static GError *
error_of_glib_error (PyObject *exception)
{
  PyObject *domain = PyObject_GetAttrString (exception, "domain");
  PyObject *code = PyObject_GetAttrString (exception, "code");
  PyObject *message = PyObject_GetAttrString (exception, "message");
  const char *domain_name = domain != NULL && PyUnicode_Check (domain) ? PyUnicode_AsUTF8 (domain) : NULL;
  const char *words = message != NULL && PyUnicode_Check (message) ? PyUnicode_AsUTF8 (message) : NULL;
  const long number = code != NULL && PyLong_Check (code) ? PyLong_AsLong (code) : 0;
  GError *error = NULL;

  if (domain_name != NULL && domain_name[0] != '\0' && words != NULL && !PyErr_Occurred () &&
      number >= G_MININT && number <= G_MAXINT)
    error = g_error_new_literal (g_quark_from_string (domain_name), (int) number, words);

  PyErr_Clear ();
  Py_XDECREF (domain);
  Py_XDECREF (code);
  Py_XDECREF (message);
  return error;
}

/* Of any other exception the error has the type and the text. */
static GError *
error_of_exception (PyObject *exception)
{
  const QuireMemoryError code = PyObject_IsInstance (exception, PyExc_MemoryError) == 1
                                  ? QUIRE_MEMORY_ERROR_NO_SPACE
                                  : QUIRE_MEMORY_ERROR_FAILED;
  const char *name = Py_TYPE (exception)->tp_name;
  PyObject *text = PyObject_Str (exception);
  const char *words = text != NULL ? PyUnicode_AsUTF8 (text) : NULL;
  g_autoptr (GString) message = g_string_new (name);

  if (words != NULL && words[0] != '\0')
    g_string_append_printf (message, ": %s", words);
  PyErr_Clear ();
  Py_XDECREF (text);

  return g_error_new_literal (QUIRE_MEMORY_ERROR, (int) code, message->str);
}

static void
exception_to_error (GError **error,
                    gboolean as_it_is)
{
  PyObject *type, *exception, *traceback;
  PyObject *glib_error;
  GError *result = NULL;

  PyErr_Fetch (&type, &exception, &traceback);
  PyErr_NormalizeException (&type, &exception, &traceback);
  if (traceback != NULL)
    PyException_SetTraceback (exception, traceback);

  glib_error = quire_python_glib_error ();
  if (PyObject_IsInstance (exception, glib_error) == 1)
    result = error_of_glib_error (exception);
  if (result == NULL)
    result = error_of_exception (exception);

  if (error != NULL)
    remember_cause (result, exception, as_it_is);
  g_propagate_error (error, result);

  Py_XDECREF (type);
  Py_XDECREF (exception);
  Py_XDECREF (traceback);
}

/* The exception that was raised becomes the error of who called. */
void
quire_python_exception_to_error (GError **error)
{
  exception_to_error (error, FALSE);
}

void
quire_python_interruption_to_error (GError **error)
{
  exception_to_error (error, TRUE);
}
