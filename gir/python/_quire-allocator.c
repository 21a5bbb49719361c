/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Allocators that are written in Python.
 *
 * PyGObject would put functions of its own into the class, but these print most
 * exceptions and drop them, and don't ask whether there is an interpreter left. So the
 * metaclass in Quire.py has them replaced by those that are here. */

#include "_quire-private.h"

/* What an allocator keeps with a block: any object, as what C takes. */

#define QUIRE_PYTHON_TYPE_STATE (quire_python_state_get_type ())
G_DECLARE_FINAL_TYPE (QuirePythonState, quire_python_state, QUIRE_PYTHON, STATE, GObject)

struct _QuirePythonState
{
  GObject   parent_instance;

  PyObject *value;
};

G_DEFINE_FINAL_TYPE (QuirePythonState, quire_python_state, G_TYPE_OBJECT)

static void
quire_python_state_finalize (GObject *object)
{
  QuirePythonState *self = QUIRE_PYTHON_STATE (object);

  if (!quire_python_is_gone ())
    {
      const PyGILState_STATE gil = PyGILState_Ensure ();
      PyObject *type, *value, *traceback;

      PyErr_Fetch (&type, &value, &traceback);
      Py_CLEAR (self->value);
      PyErr_Restore (type, value, traceback);
      PyGILState_Release (gil);
    }

  G_OBJECT_CLASS (quire_python_state_parent_class)->finalize (object);
}

static void
quire_python_state_class_init (QuirePythonStateClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = quire_python_state_finalize;
}

static void
quire_python_state_init (QuirePythonState *self)
{
}

static GObject *
state_from_python (PyObject *value)
{
  QuirePythonState *state;

  if (value == Py_None)
    return NULL;

  state = g_object_new (QUIRE_PYTHON_TYPE_STATE, NULL);
  state->value = Py_NewRef (value);
  return G_OBJECT (state);
}

/* The object that was kept, as a new reference. */
static PyObject *
state_to_python (GObject *state)
{
  if (state == NULL)
    Py_RETURN_NONE;
  if (QUIRE_PYTHON_IS_STATE (state))
    return Py_NewRef (QUIRE_PYTHON_STATE (state)->value);

  return pygobject_new (state);
}

/* A call from C: the interpreter's lock, and what was going on when it came. */
typedef struct
{
  PyGILState_STATE gil;
  PyObject        *type, *value, *traceback;
  /* Who is called. */
  PyObject        *self;
} Call;

static gboolean
call_begin (Call           *call,
            QuireAllocator *allocator,
            GError        **error)
{
  if (quire_python_is_gone ())
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
                   "The allocator %s is written in Python, whose interpreter has ended",
                   quire_allocator_get_mem_type (allocator));
      return FALSE;
    }

  call->gil = PyGILState_Ensure ();
  PyErr_Fetch (&call->type, &call->value, &call->traceback);
  quire_python_forget_cause ();
  call->self = pygobject_new (G_OBJECT (allocator));
  if (call->self != NULL)
    return TRUE;

  quire_python_exception_to_error (error);
  PyErr_Restore (call->type, call->value, call->traceback);
  PyGILState_Release (call->gil);
  return FALSE;
}

/* Takes the result, or that there is none. */
static void
call_end (Call     *call,
          PyObject *result,
          GError  **error)
{
  if (result == NULL && error != NULL)
    quire_python_exception_to_error (error);
  else if (result == NULL)
    PyErr_WriteUnraisable (call->self);

  Py_XDECREF (result);
  Py_DECREF (call->self);
  PyErr_Restore (call->type, call->value, call->traceback);
  PyGILState_Release (call->gil);
}

static PyObject *
wrap_memory (QuireMemory *memory)
{
  return quire_python_memory_to_python (quire_memory_ref (memory));
}

static QuireMemory *
call_alloc (QuireAllocator              *allocator,
            gsize                        size,
            const QuireAllocationParams *params,
            GError                     **error)
{
  GError *local_error = NULL;
  QuireMemory *memory = NULL;
  PyObject *result;
  Call call;

  if (!call_begin (&call, allocator, error))
    return NULL;

  result = PyObject_CallMethod (call.self, "do_alloc", "(nN)", (Py_ssize_t) size,
                                pyg_boxed_new (QUIRE_TYPE_ALLOCATION_PARAMS, (gpointer) params, TRUE, TRUE));
  if (result == Py_None)
    {
      g_set_error (&local_error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED,
                   "The allocator %s gave no block of %" G_GSIZE_FORMAT " bytes: do_alloc() returned None",
                   quire_allocator_get_mem_type (allocator), size);
    }
  else if (result != NULL)
    {
      memory = quire_python_memory_get (result);
      if (memory != NULL)
        quire_memory_ref (memory);
      else
        Py_CLEAR (result);
    }
  call_end (&call, result, &local_error);

  if (local_error != NULL)
    g_propagate_error (error, local_error);
  return memory;
}

static void
call_mapped (QuireAllocator *allocator,
             QuireMemory    *memory,
             QuireMapFlags   flags,
             GError        **error)
{
  GError *local_error = NULL;
  Call call;

  if (!call_begin (&call, allocator, error))
    return;

  call_end (&call,
            PyObject_CallMethod (call.self, "do_mapped", "(NN)", wrap_memory (memory),
                                 pyg_flags_from_gtype (QUIRE_TYPE_MAP_FLAGS, (guint) flags)),
            &local_error);
  if (local_error != NULL)
    g_propagate_error (error, local_error);
}

static void
call_unmapped (QuireAllocator *allocator,
               QuireMemory    *memory)
{
  Call call;

  if (call_begin (&call, allocator, NULL))
    call_end (&call, PyObject_CallMethod (call.self, "do_unmapped", "(N)", wrap_memory (memory)), NULL);
}

static void
call_released (QuireAllocator *allocator,
               GObject        *state)
{
  Call call;

  if (call_begin (&call, allocator, NULL))
    call_end (&call, PyObject_CallMethod (call.self, "do_released", "(N)", state_to_python (state)), NULL);
}

/* adopt_allocator_class(cls, alloc, mapped, unmapped, released): which functions of the class
 * are written in Python, and called from here. */
static PyObject *
adopt_class (PyObject *module,
             PyObject *args)
{
  PyObject *cls;
  int alloc, mapped, unmapped, released;
  g_autoptr (GTypeClass) type_class = NULL;
  QuireAllocatorClass *klass;
  GType type;

  if (!PyArg_ParseTuple (args, "Opppp", &cls, &alloc, &mapped, &unmapped, &released))
    return NULL;
  type = pyg_type_from_object (cls);
  if (PyErr_Occurred ())
    return NULL;
  if (!g_type_is_a (type, QUIRE_TYPE_ALLOCATOR) || type == QUIRE_TYPE_ALLOCATOR)
    Py_RETURN_NONE;

  type_class = g_type_class_ref (type);
  klass = QUIRE_ALLOCATOR_CLASS (type_class);
  if (alloc)
    klass->alloc = call_alloc;
  if (mapped)
    klass->mapped = call_mapped;
  if (unmapped)
    klass->unmapped = call_unmapped;
  if (released)
    klass->released = call_released;

  Py_RETURN_NONE;
}

static QuireAllocator *
allocator_get (PyObject *object)
{
  if (PyObject_TypeCheck (object, &PyGObject_Type) && QUIRE_IS_ALLOCATOR (pygobject_get (object)))
    return QUIRE_ALLOCATOR (pygobject_get (object));

  PyErr_Format (PyExc_TypeError, "expected a Quire.Allocator, got %.200s", Py_TYPE (object)->tp_name);
  return NULL;
}

static int
allocator_converter (PyObject *object,
                     void     *allocator)
{
  *(QuireAllocator **) allocator = allocator_get (object);
  return *(QuireAllocator **) allocator != NULL;
}

static int
memory_converter (PyObject *object,
                  void     *memory)
{
  *(QuireMemory **) memory = quire_python_memory_get (object);
  return *(QuireMemory **) memory != NULL;
}

static int
size_converter (PyObject *object,
                void     *size)
{
  return quire_python_get_size (object, size);
}

static int
params_converter (PyObject *object,
                  void     *params)
{
  if (object == Py_None)
    {
      *(QuireAllocationParams **) params = NULL;
      return TRUE;
    }
  if (pyg_boxed_check (object, QUIRE_TYPE_ALLOCATION_PARAMS) && pyg_boxed_get_ptr (object) != NULL)
    {
      *(QuireAllocationParams **) params = pyg_boxed_get_ptr (object);
      return TRUE;
    }

  PyErr_Format (PyExc_TypeError, "expected a Quire.AllocationParams or None, got %.200s",
                Py_TYPE (object)->tp_name);
  return FALSE;
}

/* allocator_alloc(allocator, size, params): as PyGObject's, but the error has the exception
 * as its cause. */
static PyObject *
allocator_alloc (PyObject *module,
                 PyObject *args)
{
  QuireAllocator *allocator;
  QuireAllocationParams *params;
  QuireAllocationParams copy;
  QuireMemory *memory;
  gsize size;
  GError *error = NULL;

  if (!PyArg_ParseTuple (args, "O&O&O&:alloc", allocator_converter, &allocator,
                         size_converter, &size, params_converter, &params))
    return NULL;

  /* Another thread may write to it meanwhile, and what is checked is what counts. */
  if (params != NULL)
    copy = *params;

  Py_BEGIN_ALLOW_THREADS
  memory = quire_allocator_try_alloc (allocator, size, params != NULL ? &copy : NULL, &error);
  Py_END_ALLOW_THREADS

  return memory != NULL ? quire_python_memory_to_python (memory) : quire_python_raise_error (error);
}

/* allocator_bind(allocator, backing, state) */
static PyObject *
allocator_bind (PyObject *module,
                PyObject *args)
{
  g_autoptr (GObject) state = NULL;
  QuireAllocator *allocator;
  QuireMemory *backing, *memory;
  PyObject *value;
  GError *error = NULL;

  if (!PyArg_ParseTuple (args, "O&O&O:bind", allocator_converter, &allocator,
                         memory_converter, &backing, &value))
    return NULL;

  state = state_from_python (value);
  memory = quire_allocator_try_bind (allocator, backing, state, &error);
  return memory != NULL ? quire_python_memory_to_python (memory) : quire_python_raise_error (error);
}

/* allocator_get_state(allocator, memory) */
static PyObject *
allocator_get_state (PyObject *module,
                     PyObject *args)
{
  QuireAllocator *allocator;
  QuireMemory *memory;

  if (!PyArg_ParseTuple (args, "O&O&:get_state", allocator_converter, &allocator,
                         memory_converter, &memory))
    return NULL;

  return state_to_python (quire_allocator_get_state (allocator, memory));
}

/* What a class in Python derives from, the nearest that is written in C: it has its
 * functions for those of the class. */
#define FIND_INHERITED(allocator, function, ours) \
  G_STMT_START \
    { \
      GType type_ = G_OBJECT_TYPE (allocator); \
 \
      do \
        { \
          klass = g_type_class_peek (type_); \
          type_ = g_type_parent (type_); \
        } \
      while (klass->function == ours); \
    } \
  G_STMT_END

static PyObject *
inherited_alloc (PyObject *module,
                 PyObject *args)
{
  static const QuireAllocationParams nothing_special;
  QuireAllocator *allocator;
  QuireAllocatorClass *klass;
  QuireAllocationParams *params;
  QuireMemory *memory;
  gsize size;
  GError *error = NULL;

  if (!PyArg_ParseTuple (args, "O&O&O&:do_alloc", allocator_converter, &allocator,
                         size_converter, &size, params_converter, &params))
    return NULL;

  FIND_INHERITED (allocator, alloc, call_alloc);
  memory = klass->alloc (allocator, size, params != NULL ? params : &nothing_special, &error);
  if (error != NULL)
    {
      g_clear_pointer (&memory, quire_memory_unref);
      return quire_python_raise_error (error);
    }
  if (memory == NULL)
    Py_RETURN_NONE;
  return quire_python_memory_to_python (memory);
}

static PyObject *
inherited_mapped (PyObject *module,
                  PyObject *args)
{
  QuireAllocator *allocator;
  QuireAllocatorClass *klass;
  QuireMemory *memory;
  unsigned int flags;
  GError *error = NULL;

  if (!PyArg_ParseTuple (args, "O&O&I:do_mapped", allocator_converter, &allocator,
                         memory_converter, &memory, &flags))
    return NULL;

  FIND_INHERITED (allocator, mapped, call_mapped);
  klass->mapped (allocator, memory, (QuireMapFlags) flags, &error);
  if (error != NULL)
    return quire_python_raise_error (error);
  Py_RETURN_NONE;
}

static PyObject *
inherited_unmapped (PyObject *module,
                    PyObject *args)
{
  QuireAllocator *allocator;
  QuireAllocatorClass *klass;
  QuireMemory *memory;

  if (!PyArg_ParseTuple (args, "O&O&:do_unmapped", allocator_converter, &allocator,
                         memory_converter, &memory))
    return NULL;

  FIND_INHERITED (allocator, unmapped, call_unmapped);
  klass->unmapped (allocator, memory);
  Py_RETURN_NONE;
}

static PyObject *
inherited_released (PyObject *module,
                    PyObject *args)
{
  g_autoptr (GObject) state = NULL;
  QuireAllocator *allocator;
  QuireAllocatorClass *klass;
  PyObject *value;

  if (!PyArg_ParseTuple (args, "O&O:do_released", allocator_converter, &allocator, &value))
    return NULL;

  state = state_from_python (value);
  FIND_INHERITED (allocator, released, call_released);
  klass->released (allocator, state);
  Py_RETURN_NONE;
}

PyMethodDef quire_python_allocator_functions[] = {
  { "adopt_allocator_class", adopt_class, METH_VARARGS, NULL },
  { "allocator_alloc", allocator_alloc, METH_VARARGS, NULL },
  { "allocator_bind", allocator_bind, METH_VARARGS, NULL },
  { "allocator_get_state", allocator_get_state, METH_VARARGS, NULL },
  { "inherited_alloc", inherited_alloc, METH_VARARGS, NULL },
  { "inherited_mapped", inherited_mapped, METH_VARARGS, NULL },
  { "inherited_unmapped", inherited_unmapped, METH_VARARGS, NULL },
  { "inherited_released", inherited_released, METH_VARARGS, NULL },
  { NULL, },
};
