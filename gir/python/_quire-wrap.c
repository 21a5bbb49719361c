/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Quire.Memory.wrap(): a block over the buffer of any object. */

#include "_quire-private.h"

gboolean
quire_python_is_gone (void)
{
#if PY_VERSION_HEX >= 0x030d0000
  return !Py_IsInitialized () || Py_IsFinalizing ();
#else
  return !Py_IsInitialized () || _Py_IsFinalizing ();
#endif
}

/* The block over an exporter's buffer is gone, on whichever thread. At the very end
 * there is no interpreter left to give the buffer back to. */
static void
release_wrapped (gpointer data)
{
  Py_buffer *view = data;
  PyObject *type, *value, *traceback;
  PyGILState_STATE state;

  if (quire_python_is_gone ())
    return;

  state = PyGILState_Ensure ();
  PyErr_Fetch (&type, &value, &traceback);
  PyBuffer_Release (view);
  PyMem_Free (view);
  PyErr_Restore (type, value, traceback);
  PyGILState_Release (state);
}

const char quire_python_memory_wrap_doc[] =
"wrap(obj) -> Quire.Memory\n\n"
"Makes a block over the buffer of an object, without a copy. The buffer is held\n"
"until the block, its shares and all their handles, closed or not, are gone. What is read-only stays read-only.";

PyObject *
quire_python_memory_wrap (PyObject *unused,
             PyObject *object)
{
  Py_buffer *view = PyMem_New (Py_buffer, 1);
  QuireMemory *memory;
  GError *error = NULL;
  QuireMemoryFlags flags = QUIRE_MEMORY_FLAG_NONE;

  if (view == NULL)
    return PyErr_NoMemory ();

  if (PyObject_GetBuffer (object, view, PyBUF_WRITABLE) != 0)
    {
      /* Read-only, or not contiguous, or no buffer at all: the second try tells. */
      if (!PyErr_ExceptionMatches (PyExc_BufferError) &&
          !PyErr_ExceptionMatches (PyExc_TypeError) &&
          !PyErr_ExceptionMatches (PyExc_ValueError))
        {
          PyMem_Free (view);
          return NULL;
        }
      PyErr_Clear ();
      flags = QUIRE_MEMORY_FLAG_READONLY;
      if (PyObject_GetBuffer (object, view, PyBUF_SIMPLE) != 0)
        {
          PyMem_Free (view);
          return NULL;
        }
    }

  memory = quire_memory_try_new_wrapped (flags, view->buf, (gsize) view->len, 0,
                                         (gsize) view->len, view, release_wrapped, &error);
  if (memory == NULL)
    {
      PyBuffer_Release (view);
      PyMem_Free (view);
      return quire_python_raise_error (error);
    }

  return quire_python_memory_to_python (memory);
}
