/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The module: what PyGObject can't do for Quire, or not fast enough.
 *
 * It is built for one version of Python, not for the limited API. That has no buffer
 * protocol before 3.11 and no PyMemoryView_GET_BUFFER() at all; and the objects are those
 * of PyGObject, whose header and whose own module are of one version too. */

#define QUIRE_PYTHON_MODULE
#include "_quire-private.h"

static PyObject *
check_open (PyObject *module,
            PyObject *object)
{
  if (quire_python_open_memory_get (object) == NULL)
    return NULL;
  Py_RETURN_NONE;
}

static PyObject *
is_same (PyObject        *module,
         PyObject *const *args,
         Py_ssize_t       n_args)
{
  if (n_args != 2)
    return PyErr_Format (PyExc_TypeError, "is_same() takes 2 arguments (%zd given)", n_args);
  if (!quire_python_is_memory (args[0]) || !quire_python_is_memory (args[1]))
    Py_RETURN_FALSE;

  return PyBool_FromLong (pyg_boxed_get_ptr (args[0]) == pyg_boxed_get_ptr (args[1]));
}

/* A class derived in Python may ask for more than a copy of one of its objects has to
 * give; so it is not asked. */
static PyObject *
make_handle (PyObject        *module,
             PyObject *const *args,
             Py_ssize_t       n_args)
{
  QuireMemory *memory;

  if (n_args != 2)
    return PyErr_Format (PyExc_TypeError, "make_handle() takes 2 arguments (%zd given)", n_args);
  if (!quire_python_is_memory_class (args[0]))
    return PyErr_Format (PyExc_TypeError, "expected a class derived from Quire.Memory");

  memory = quire_python_open_memory_get (args[1]);
  if (memory == NULL)
    return NULL;

  return quire_python_memory_to_class ((PyTypeObject *) args[0], quire_memory_ref (memory));
}

static PyMethodDef module_methods[] = {
  { "check_open", check_open, METH_O, "Raises an error if the handle of a Quire.Memory was closed." },
  { "is_same", QUIRE_PYTHON_METHOD (is_same), METH_FASTCALL, "Whether two handles are of one block." },
  { "make_handle", QUIRE_PYTHON_METHOD (make_handle), METH_FASTCALL, "Makes a handle of some class of a block." },
  { "check_size", quire_python_check_size, METH_O, "Gives a number as a size, which is not negative." },
  { "check_ssize", quire_python_check_ssize, METH_O, "Gives a number as an offset, or a size, that may be negative." },
  { "complete_class", quire_python_complete_class, METH_O, "Completes a class derived from Quire.Memory." },
  { "set_classes", quire_python_set_classes, METH_VARARGS, "Tells the classes of what C makes." },
  { NULL, },
};

static int
module_exec (PyObject *module)
{
  /* PyGObject has one set of types for the process, and so have we. */
  if (PyInterpreterState_Get () != PyInterpreterState_Main ())
    {
      PyErr_SetString (PyExc_ImportError, "Quire can't be used in a subinterpreter");
      return -1;
    }

  if (pygobject_init (3, 42, 0) == NULL)
    return -1;

  if (quire_python_error_setup () != 0 || quire_python_object_setup (module) != 0)
    return -1;

  if (PyModule_AddFunctions (module, quire_python_allocator_functions) != 0 ||
      PyModule_AddFunctions (module, quire_python_pool_functions) != 0)
    return -1;

  quire_python_pool_setup ();
  return 0;
}

static PyModuleDef_Slot module_slots[] = {
  { Py_mod_exec, module_exec },
#ifdef Py_mod_multiple_interpreters
  { Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED },
#endif
  { 0, NULL },
};

static struct PyModuleDef module_def = {
  PyModuleDef_HEAD_INIT,
  .m_name = "_quire",
  .m_doc = "The part of the Quire override that is written in C.",
  .m_methods = module_methods,
  .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__quire (void);

PyMODINIT_FUNC
PyInit__quire (void)
{
  return PyModuleDef_Init (&module_def);
}
