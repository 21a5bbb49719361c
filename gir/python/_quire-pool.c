/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Waits for a block of a pool. Python handles a signal in the main thread, and between two
 * steps of its own; a wait in C has to ask it to. */

#include "_quire-private.h"

/* Called by a thread that waits, whoever it is: as a rule without the interpreter's lock. */
static gboolean
is_interrupted (GError **error)
{
  PyGILState_STATE gil;
  PyObject *type, *value, *traceback;
  gboolean result;

  /* Of a thread that Python does not know it need not learn. */
  if (quire_python_is_gone () || PyGILState_GetThisThreadState () == NULL)
    return FALSE;

  gil = PyGILState_Ensure ();
  PyErr_Fetch (&type, &value, &traceback);

  /* Where the lock was held already, nobody else could give a block back. */
  Py_BEGIN_ALLOW_THREADS
  Py_END_ALLOW_THREADS

  result = PyErr_CheckSignals () != 0;
  if (result && error != NULL)
    quire_python_interruption_to_error (error);
  else if (result)
    PyErr_WriteUnraisable (NULL);

  PyErr_Restore (type, value, traceback);
  PyGILState_Release (gil);

  return result;
}

void
quire_python_pool_setup (void)
{
  quire_binding_set_interruption (is_interrupted);
}

static gpointer
get_object (PyObject   *object,
            GType       type,
            const char *expected)
{
  if (PyObject_TypeCheck (object, &PyGObject_Type) && pygobject_get (object) != NULL &&
      g_type_is_a (G_OBJECT_TYPE (pygobject_get (object)), type))
    return pygobject_get (object);

  PyErr_Format (PyExc_TypeError, "expected a %s, got %.200s", expected, Py_TYPE (object)->tp_name);
  return NULL;
}

/* None stands for what the pool says. */
static gboolean
get_max_wait (PyObject           *object,
              QuirePoolAllocator *pool,
              gint64             *max_wait)
{
  PyObject *index;

  if (object == Py_None)
    {
      *max_wait = quire_pool_allocator_get_max_wait (pool);
      return TRUE;
    }

  index = PyNumber_Index (object);
  if (index == NULL)
    return FALSE;
  *max_wait = PyLong_AsLongLong (index);
  Py_DECREF (index);
  return *max_wait != -1 || !PyErr_Occurred ();
}

/* pool_acquire(pool, max_wait, cancellable) */
static PyObject *
pool_acquire (PyObject        *module,
              PyObject *const *args,
              Py_ssize_t       n_args)
{
  QuirePoolAllocator *pool;
  GCancellable *cancellable = NULL;
  QuireMemory *memory;
  gint64 max_wait;
  GError *error = NULL;

  if (n_args != 3)
    return PyErr_Format (PyExc_TypeError, "pool_acquire() takes 3 arguments (%zd given)", n_args);

  pool = get_object (args[0], QUIRE_TYPE_POOL_ALLOCATOR, "Quire.PoolAllocator");
  if (pool == NULL || !get_max_wait (args[1], pool, &max_wait))
    return NULL;
  if (args[2] != Py_None)
    {
      cancellable = get_object (args[2], G_TYPE_CANCELLABLE, "Gio.Cancellable or None");
      if (cancellable == NULL)
        return NULL;
    }

  Py_BEGIN_ALLOW_THREADS
  memory = quire_pool_allocator_try_acquire (pool, max_wait, cancellable, &error);
  Py_END_ALLOW_THREADS

  return memory != NULL ? quire_python_memory_to_python (memory) : quire_python_raise_error (error);
}

PyMethodDef quire_python_pool_functions[] = {
  { "pool_acquire", QUIRE_PYTHON_METHOD (pool_acquire), METH_FASTCALL, "Waits for a block of a pool." },
  { NULL, },
};
