/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* DLPack: blocks to and from tensors of other libraries, without a copy. */

#include "_quire-private.h"

/* The layouts, names and numbers are those of DLPack's specification, version 1.0. */

typedef struct
{
  void    *data;
  gint32   device_type;
  gint32   device_id;
  gint32   n_dimensions;
  guint8   type_code;
  guint8   type_bits;
  guint16  type_lanes;
  gint64  *shape;
  /* In elements; before version 1.0 NULL if the tensor is compact. */
  gint64  *strides;
  guint64  byte_offset;
} Tensor;

typedef struct _Managed Managed;
struct _Managed
{
  Tensor  tensor;
  void   *context;
  void  (*deleter) (Managed *self);
};

typedef struct _Versioned Versioned;
struct _Versioned
{
  guint32  major, minor;
  void    *context;
  void   (*deleter) (Versioned *self);
  guint64  flags;
  Tensor   tensor;
};

#define MAJOR_VERSION  1
#define MINOR_VERSION  0
#define DEVICE_CPU     1
#define TYPE_UINT      1
#define FLAG_READ_ONLY (G_GUINT64_CONSTANT (1) << 0)
#define FLAG_IS_COPIED (G_GUINT64_CONSTANT (1) << 1)

static const char name_managed[] = "dltensor";
static const char name_managed_used[] = "used_dltensor";
static const char name_versioned[] = "dltensor_versioned";
static const char name_versioned_used[] = "used_dltensor_versioned";

/* What a consumer has of a block. It is a view, and holds the lock as one does. */
typedef struct
{
  union
  {
    Managed   managed;
    Versioned versioned;
  } as;
  QuireMapping *mapping;
  gint64        shape[1];
  gint64        strides[1];
} Export;

/* Consumers call it where they like, on any thread. */
static void
export_free (Export *export)
{
  quire_mapping_release_view (export->mapping);
  g_free (export);
}

static void
managed_deleter (Managed *self)
{
  export_free (self->context);
}

static void
versioned_deleter (Versioned *self)
{
  export_free (self->context);
}

/* A capsule that nobody has taken the tensor out of. */
static void
capsule_destructor (PyObject *capsule)
{
  if (PyCapsule_IsValid (capsule, name_managed))
    {
      Managed *managed = PyCapsule_GetPointer (capsule, name_managed);

      managed->deleter (managed);
    }
  else if (PyCapsule_IsValid (capsule, name_versioned))
    {
      Versioned *versioned = PyCapsule_GetPointer (capsule, name_versioned);

      versioned->deleter (versioned);
    }
}

/* Takes the mapping, which is one to write or can be told to be none. */
static PyObject *
make_capsule (QuireMapping *mapping,
              gboolean      is_versioned,
              guint64       flags)
{
  Export *export = g_new0 (Export, 1);
  GError *error = NULL;
  PyObject *capsule;
  Tensor *tensor;
  guint8 *data;

  if (!quire_mapping_acquire_view (mapping, &data, &error))
    {
      quire_mapping_unref (mapping);
      g_free (export);
      quire_python_raise_buffer_error (error);
      return NULL;
    }

  export->mapping = mapping;
  export->shape[0] = (gint64) quire_mapping_get_size (mapping);
  export->strides[0] = 1;
  if (is_versioned)
    {
      export->as.versioned.major = MAJOR_VERSION;
      export->as.versioned.minor = MINOR_VERSION;
      export->as.versioned.context = export;
      export->as.versioned.deleter = versioned_deleter;
      export->as.versioned.flags = flags;
      tensor = &export->as.versioned.tensor;
    }
  else
    {
      export->as.managed.context = export;
      export->as.managed.deleter = managed_deleter;
      tensor = &export->as.managed.tensor;
    }

  *tensor = (Tensor) {
    .data = export->shape[0] > 0 ? data : NULL,
    .device_type = DEVICE_CPU,
    .n_dimensions = 1,
    .type_code = TYPE_UINT,
    .type_bits = 8,
    .type_lanes = 1,
    .shape = export->shape,
    .strides = export->strides,
  };
  /* The view has a reference of its own. */
  quire_mapping_unref (mapping);

  capsule = PyCapsule_New (export, is_versioned ? name_versioned : name_managed, capsule_destructor);
  if (capsule == NULL)
    export_free (export);
  return capsule;
}

/* A pair of numbers, as versions and devices are. */
static gboolean
get_pair (PyObject   *object,
          const char *name,
          long       *first,
          long       *second)
{
  PyObject *tuple;
  gboolean done = FALSE;

  if (object == NULL || object == Py_None)
    return TRUE;

  tuple = PySequence_Tuple (object);
  if (tuple != NULL && PyTuple_GET_SIZE (tuple) == 2)
    {
      *first = PyLong_AsLong (PyTuple_GET_ITEM (tuple, 0));
      if (!PyErr_Occurred ())
        *second = PyLong_AsLong (PyTuple_GET_ITEM (tuple, 1));
      done = !PyErr_Occurred ();
    }
  else if (tuple != NULL)
    {
      PyErr_Format (PyExc_TypeError, "%s is a pair of numbers", name);
    }

  Py_XDECREF (tuple);
  return done;
}

static PyObject *
memory_dlpack (PyObject *self,
               PyObject *args,
               PyObject *kwargs)
{
  static char *keywords[] = {
    (char *) "stream", (char *) "max_version", (char *) "dl_device", (char *) "copy", NULL,
  };
  PyObject *stream = Py_None, *max_version = NULL, *device = NULL, *copy = Py_None;
  long major = 0, minor = 0, device_type = DEVICE_CPU, device_id = 0;
  g_autoptr (QuireMemory) copied = NULL;
  QuireMapping *mapping;
  gboolean is_versioned;
  GError *error = NULL;
  QuireMemory *memory;
  guint64 flags = 0;
  int wants_copy;

  if (!PyArg_ParseTupleAndKeywords (args, kwargs, "|$OOOO:__dlpack__", keywords, &stream, &max_version,
                                    &device, &copy) ||
      !get_pair (max_version, "max_version", &major, &minor) ||
      !get_pair (device, "dl_device", &device_type, &device_id))
    return NULL;
  if (stream != Py_None)
    return PyErr_Format (PyExc_ValueError, "a Quire.Memory is in main memory, where stream is None");
  if (device_type != DEVICE_CPU || device_id != 0)
    return PyErr_Format (PyExc_BufferError, "a Quire.Memory is in main memory, not on device (%ld, %ld)",
                         device_type, device_id);
  wants_copy = PyObject_IsTrue (copy);
  if (wants_copy < 0 || (memory = quire_python_memory_get (self)) == NULL)
    return NULL;

  if (wants_copy)
    {
      Py_BEGIN_ALLOW_THREADS
      copied = quire_memory_try_copy (memory, 0, -1, &error);
      Py_END_ALLOW_THREADS
      if (copied == NULL)
        return quire_python_raise_error (error);
      memory = copied;
      flags |= FLAG_IS_COPIED;
    }

  /* Only a capsule with a version can say that nobody may write. */
  is_versioned = major >= MAJOR_VERSION;
  mapping = quire_memory_try_map (memory, QUIRE_MAP_READWRITE, is_versioned ? NULL : &error);
  if (mapping == NULL && is_versioned)
    {
      mapping = quire_memory_try_map (memory, QUIRE_MAP_READ, &error);
      flags |= FLAG_READ_ONLY;
    }
  if (mapping == NULL)
    {
      quire_python_raise_buffer_error (error);
      return NULL;
    }

  return make_capsule (mapping, is_versioned, flags);
}

static PyObject *
memory_dlpack_device (PyObject *self,
                      PyObject *unused)
{
  return quire_python_open_memory_get (self) != NULL ? Py_BuildValue ("(ii)", DEVICE_CPU, 0) : NULL;
}

/* What a block has of a tensor. */
typedef struct
{
  Managed   *managed;
  Versioned *versioned;
} Import;

static void
import_delete (Import *import)
{
  if (import->versioned != NULL && import->versioned->deleter != NULL)
    import->versioned->deleter (import->versioned);
  else if (import->managed != NULL && import->managed->deleter != NULL)
    import->managed->deleter (import->managed);
  g_free (import);
}

/* The block is gone, on whichever thread. The producer may need the interpreter; at the
 * very end there is none left. */
static void
release_imported (gpointer data)
{
  PyObject *type, *value, *traceback;
  PyGILState_STATE state;

  if (quire_python_is_gone ())
    return;

  state = PyGILState_Ensure ();
  PyErr_Fetch (&type, &value, &traceback);
  import_delete (data);
  PyErr_Restore (type, value, traceback);
  PyGILState_Release (state);
}

/* How many bytes a tensor has, if they stand one after the other. */
static gboolean
get_extent (const Tensor *tensor,
            gsize        *size)
{
  const guint bits = (guint) tensor->type_bits * tensor->type_lanes;
  gsize total = bits / 8;
  gboolean compact = TRUE;
  gint64 stride = 1;

  if (tensor->device_type != DEVICE_CPU)
    {
      PyErr_Format (PyExc_BufferError, "the tensor is on device (%d, %d), not in main memory",
                    tensor->device_type, tensor->device_id);
      return FALSE;
    }
  if (bits == 0 || bits % 8 != 0)
    {
      PyErr_Format (PyExc_BufferError, "elements of %u bits are no whole bytes", bits);
      return FALSE;
    }
  if (tensor->n_dimensions < 0 || (tensor->n_dimensions > 0 && tensor->shape == NULL))
    {
      PyErr_Format (PyExc_BufferError, "the tensor has no shape of %d dimensions", tensor->n_dimensions);
      return FALSE;
    }

  for (gint32 i = tensor->n_dimensions - 1; i >= 0; i--)
    {
      const gint64 length = tensor->shape[i];

      if (length < 0 || !g_size_checked_mul (&total, total, (gsize) length) || total > G_MAXSSIZE)
        {
          PyErr_Format (PyExc_BufferError, "the tensor is larger than an address space");
          return FALSE;
        }
      /* In a dimension of one there is no way to go. */
      if (tensor->strides != NULL && length != 1 && tensor->strides[i] != stride)
        compact = FALSE;
      stride *= MAX (length, 1);
    }

  if (!compact && total > 0)
    {
      PyErr_Format (PyExc_BufferError, "the bytes of the tensor are not one after the other");
      return FALSE;
    }
  if (total > 0 && tensor->data == NULL)
    {
      PyErr_Format (PyExc_BufferError, "the tensor of %zu bytes has no data", total);
      return FALSE;
    }

  *size = total;
  return TRUE;
}

/* Until the tensor is taken, the capsule is left as it is: then it frees the tensor. */
static PyObject *
import_capsule (PyTypeObject *type,
                PyObject     *capsule)
{
  const gboolean is_versioned = PyCapsule_IsValid (capsule, name_versioned);
  QuireMemoryFlags flags = QUIRE_MEMORY_FLAG_NONE;
  Import import = { NULL, };
  const Tensor *tensor;
  QuireMemory *memory;
  GError *error = NULL;
  Import *held;
  gsize size;

  if (is_versioned)
    {
      import.versioned = PyCapsule_GetPointer (capsule, name_versioned);
      if (import.versioned->major != MAJOR_VERSION)
        return PyErr_Format (PyExc_BufferError, "the tensor is of DLPack %u.%u, and not of %d",
                             import.versioned->major, import.versioned->minor, MAJOR_VERSION);
      tensor = &import.versioned->tensor;
      if (import.versioned->flags & FLAG_READ_ONLY)
        flags |= QUIRE_MEMORY_FLAG_READONLY;
    }
  else if (PyCapsule_IsValid (capsule, name_managed))
    {
      import.managed = PyCapsule_GetPointer (capsule, name_managed);
      tensor = &import.managed->tensor;
    }
  else
    {
      return PyErr_Format (PyExc_BufferError, "expected a capsule with a tensor that nobody has taken, got %R",
                           capsule);
    }

  if (!get_extent (tensor, &size))
    return NULL;

  held = g_memdup2 (&import, sizeof import);
  memory = quire_memory_try_new_wrapped (flags, size > 0 ? (guint8 *) tensor->data + tensor->byte_offset : NULL,
                                         size, 0, size, held, release_imported, &error);
  if (memory == NULL)
    {
      g_free (held);
      return quire_python_raise_error (error);
    }

  if (PyCapsule_SetName (capsule, is_versioned ? name_versioned_used : name_managed_used) != 0)
    {
      /* As it was: the tensor is the capsule's. */
      *held = (Import) { NULL, };
      quire_memory_unref (memory);
      return NULL;
    }

  return quire_python_memory_to_class (type, memory);
}

/* Producers of before version 1.0 know no max_version. */
static PyObject *
ask_for_capsule (PyObject *object)
{
  PyObject *method = PyObject_GetAttrString (object, "__dlpack__");
  PyObject *arguments, *keywords, *capsule = NULL;

  if (method == NULL)
    {
      if (!PyErr_ExceptionMatches (PyExc_AttributeError))
        return NULL;
      PyErr_Clear ();
      return PyErr_Format (PyExc_TypeError, "%.200s has no __dlpack__()", Py_TYPE (object)->tp_name);
    }

  arguments = PyTuple_New (0);
  keywords = Py_BuildValue ("{s(ii)}", "max_version", MAJOR_VERSION, MINOR_VERSION);
  if (arguments != NULL && keywords != NULL)
    {
      capsule = PyObject_Call (method, arguments, keywords);
      if (capsule == NULL && PyErr_ExceptionMatches (PyExc_TypeError))
        {
          PyErr_Clear ();
          capsule = PyObject_CallNoArgs (method);
        }
    }

  Py_XDECREF (keywords);
  Py_XDECREF (arguments);
  Py_DECREF (method);
  return capsule;
}

static gboolean
check_device (PyObject *object)
{
  PyObject *device = PyObject_CallMethod (object, "__dlpack_device__", NULL);
  long device_type = 0, device_id = 0;

  if (device == NULL)
    {
      if (!PyErr_ExceptionMatches (PyExc_AttributeError))
        return FALSE;
      /* It did not say; the tensor does. */
      PyErr_Clear ();
      return TRUE;
    }

  if (get_pair (device, "__dlpack_device__()", &device_type, &device_id) && device_type != DEVICE_CPU)
    PyErr_Format (PyExc_BufferError, "the tensor is on device (%ld, %ld), not in main memory",
                  device_type, device_id);
  Py_DECREF (device);

  return !PyErr_Occurred ();
}

static PyObject *
memory_from_dlpack (PyObject *type,
                    PyObject *object)
{
  PyObject *capsule, *self;

  if (!check_device (object))
    return NULL;

  capsule = ask_for_capsule (object);
  if (capsule == NULL)
    return NULL;

  self = import_capsule ((PyTypeObject *) type, capsule);
  Py_DECREF (capsule);
  return self;
}

PyDoc_STRVAR (memory_dlpack_doc,
"__dlpack__($self, /, *, stream=None, max_version=None, dl_device=None, copy=None)\n--\n\n"
"Gives a capsule with the bytes as a tensor of one dimension.\n\n"
"The tensor is the block itself, unless a copy is asked for, and holds a map of it\n"
"until the consumer drops it. One that can't be written is a BufferError for a\n"
"consumer of before DLPack 1.0, which could not be told.");

PyDoc_STRVAR (memory_dlpack_device_doc,
"__dlpack_device__($self, /)\n--\n\n"
"Tells where the block is: in main memory.");

PyDoc_STRVAR (memory_from_dlpack_doc,
"from_dlpack($type, obj, /)\n--\n\n"
"Makes a Quire.Memory over the bytes of a tensor, without a copy.\n\n"
"The tensor has to be in main memory, with its bytes one after the other. What is\n"
"read-only stays read-only.");

PyMethodDef quire_python_dlpack_methods[] = {
  { "__dlpack__", QUIRE_PYTHON_METHOD (memory_dlpack), METH_VARARGS | METH_KEYWORDS, memory_dlpack_doc },
  { "__dlpack_device__", memory_dlpack_device, METH_NOARGS, memory_dlpack_device_doc },
  { "from_dlpack", memory_from_dlpack, METH_O | METH_CLASS, memory_from_dlpack_doc },
  { NULL, },
};
