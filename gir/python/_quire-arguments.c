/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Arguments of calls. PyArg_ParseTupleAndKeywords() wants a tuple and a dictionary, which
 * would cost more than most of what is called. */

#include "_quire-private.h"

gboolean
quire_python_sort_arguments (const QuirePythonSignature *signature,
                             PyObject *const            *args,
                             Py_ssize_t                  n_args,
                             PyObject                   *keywords,
                             PyObject                  **sorted)
{
  const Py_ssize_t n_keywords = keywords != NULL ? PyTuple_GET_SIZE (keywords) : 0;
  int n_known = 0;

  while (n_known < (int) G_N_ELEMENTS (signature->keywords) && signature->keywords[n_known] != NULL)
    n_known++;

  if (n_args > n_known)
    {
      PyErr_Format (PyExc_TypeError, "%s() takes at most %d argument%s (%zd given)",
                    signature->name, n_known, n_known == 1 ? "" : "s", n_args);
      return FALSE;
    }

  for (int i = 0; i < n_known; i++)
    sorted[i] = i < n_args ? args[i] : NULL;

  for (Py_ssize_t i = 0; i < n_keywords; i++)
    {
      PyObject *keyword = PyTuple_GET_ITEM (keywords, i);
      int k = 0;

      while (k < n_known && PyUnicode_CompareWithASCIIString (keyword, signature->keywords[k]) != 0)
        k++;
      if (k == n_known)
        {
          PyErr_Format (PyExc_TypeError, "%s() got an unexpected keyword argument '%U'",
                        signature->name, keyword);
          return FALSE;
        }
      if (sorted[k] != NULL)
        {
          PyErr_Format (PyExc_TypeError, "%s() got multiple values for argument '%U'",
                        signature->name, keyword);
          return FALSE;
        }
      sorted[k] = args[n_args + i];
    }

  for (int i = 0; i < signature->n_required; i++)
    {
      if (sorted[i] == NULL)
        {
          PyErr_Format (PyExc_TypeError, "%s() missing required argument '%s' (pos %d)",
                        signature->name, signature->keywords[i], i + 1);
          return FALSE;
        }
    }

  return TRUE;
}

/* The number is an int that did not fit. If that is because it is negative, raises another
 * error instead: bytearray(-1) is a ValueError too. */
static void
refuse_negative (PyObject *number)
{
  g_autofree char *message = NULL;
  PyObject *text;
  int overflow;

  if (PyLong_AsLongLongAndOverflow (number, &overflow) >= 0 || overflow > 0)
    return;

  PyErr_Clear ();
  /* The number of digits that are shown has a limit. */
  text = PyObject_Str (number);
  if (text == NULL)
    PyErr_Clear ();
  message = g_strdup_printf ("%s is negative, which no such size or offset can be",
                             text != NULL ? PyUnicode_AsUTF8 (text) : "The number");
  Py_XDECREF (text);
  quire_python_raise_code (QUIRE_MEMORY_ERROR_OUT_OF_RANGE, message);
}

gboolean
quire_python_get_size (PyObject *object,
                       gsize    *value)
{
  PyObject *index;
  gboolean failed;
  gsize size;

  if (object == NULL)
    return TRUE;

  index = PyNumber_Index (object);
  if (index == NULL)
    return FALSE;
  size = PyLong_AsSize_t (index);
  failed = size == (gsize) -1 && PyErr_Occurred ();
  if (failed)
    refuse_negative (index);
  Py_DECREF (index);
  if (failed)
    return FALSE;

  *value = size;
  return TRUE;
}

gboolean
quire_python_get_ssize (PyObject *object,
                        gssize   *value)
{
  PyObject *index;
  Py_ssize_t size;
  gboolean failed;

  if (object == NULL)
    return TRUE;

  index = PyNumber_Index (object);
  if (index == NULL)
    return FALSE;
  size = PyLong_AsSsize_t (index);
  failed = size == -1 && PyErr_Occurred ();
  if (failed)
    refuse_negative (index);
  Py_DECREF (index);
  if (failed)
    return FALSE;

  *value = size;
  return TRUE;
}

PyObject *
quire_python_check_size (PyObject *module,
                         PyObject *object)
{
  gsize size;

  return quire_python_get_size (object, &size) ? PyLong_FromSize_t (size) : NULL;
}

PyObject *
quire_python_check_ssize (PyObject *module,
                          PyObject *object)
{
  gssize size;

  return quire_python_get_ssize (object, &size) ? PyLong_FromSsize_t (size) : NULL;
}

/* As bytearray does, with the same error. */
gboolean
quire_python_get_byte (PyObject *object,
                       guint8   *value)
{
  Py_ssize_t byte;

  if (object == NULL)
    return TRUE;

  byte = PyNumber_AsSsize_t (object, NULL);
  if (byte == -1 && PyErr_Occurred ())
    return FALSE;
  if (byte < 0 || byte > 255)
    {
      PyErr_SetString (PyExc_ValueError, "byte must be in range(0, 256)");
      return FALSE;
    }

  *value = (guint8) byte;
  return TRUE;
}

gboolean
quire_python_get_flags (PyObject   *object,
                        const char *what,
                        guint      *value)
{
  unsigned long flags;

  if (object == NULL)
    return TRUE;

  flags = PyLong_AsUnsignedLong (object);
  if (flags == (unsigned long) -1 && PyErr_Occurred ())
    return FALSE;
  if (flags > G_MAXUINT)
    {
      PyErr_Format (PyExc_OverflowError, "%lu is beyond the flags of a %s", flags, what);
      return FALSE;
    }

  *value = (guint) flags;
  return TRUE;
}
