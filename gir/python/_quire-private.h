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

/* With as many bytes to copy, fill or compare, other threads of Python may run: to let
 * them costs about as much as a copy of a tenth of this. */
#define QUIRE_PYTHON_LONG (64 * 1024)

#define QUIRE_PYTHON_BEGIN_THREADS(is_long) \
  { PyThreadState *_state = (is_long) ? PyEval_SaveThread () : NULL;
#define QUIRE_PYTHON_END_THREADS \
    if (_state != NULL) PyEval_RestoreThread (_state); }

#define QUIRE_PYTHON_METHOD(function) ((PyCFunction) (void (*) (void)) (function))

/* _quire-error.c */

int           quire_python_error_setup         (void);
/* Raises the class of the error; gives NULL. Takes the error. */
PyObject     *quire_python_raise_error         (GError     *error);
/* The same, where Python expects a BufferError. */
void          quire_python_raise_buffer_error  (GError     *error);
/* The class GLib.Error. */
PyObject     *quire_python_glib_error          (void);
void          quire_python_raise_code          (int         code,
                                                const char *message);

/* _quire-arguments.c */

typedef struct
{
  const char *name;
  /* NULL where there are no more. */
  const char *keywords[5];
  int         n_required;
} QuirePythonSignature;

/* Sorts the arguments of a vectorcall by name; NULL stands for what was not given. */
gboolean      quire_python_sort_arguments      (const QuirePythonSignature *signature,
                                                PyObject *const            *args,
                                                Py_ssize_t                  n_args,
                                                PyObject                   *keywords,
                                                PyObject                  **sorted);

/* Each leaves the value as it is for NULL; FALSE with an exception. */
gboolean      quire_python_get_size            (PyObject   *object,
                                                gsize      *value);
gboolean      quire_python_get_ssize           (PyObject   *object,
                                                gssize     *value);
/* For what goes to PyGObject, which takes 1.5 for 1 and calls any error an overflow. */
PyObject     *quire_python_check_size          (PyObject   *module,
                                                PyObject   *object);
PyObject     *quire_python_check_ssize         (PyObject   *module,
                                                PyObject   *object);
gboolean      quire_python_get_byte            (PyObject   *object,
                                                guint8     *value);
gboolean      quire_python_get_flags           (PyObject   *object,
                                                const char *what,
                                                guint      *value);

/* _quire-object.c */

/* What a wrapper has of its own, behind what PyGObject has there. */
typedef struct
{
  /* Stands for the buffer behind the block, as long as the handle is the one of wrap(). */
  PyObject *exporter;
  /* How many views there have been. */
  guint     n_exports;
} QuirePythonMemory;

typedef struct
{
  /* Weak references: to what __enter__() gave last, and a list of those to what it gave
   * before. The views refer to the mapping, and it ends when the last of them goes. */
  PyObject *view;
  PyObject *outer_views;
} QuirePythonMapping;

int                 quire_python_object_setup     (PyObject *module);
PyObject           *quire_python_set_classes      (PyObject *module,
                                                   PyObject *args);
PyObject           *quire_python_complete_class   (PyObject *module,
                                                   PyObject *object);

QuirePythonMemory  *quire_python_memory_state     (PyObject *self);
QuirePythonMapping *quire_python_mapping_state    (PyObject *self);

gboolean            quire_python_is_memory        (PyObject *object);
gboolean            quire_python_is_memory_class  (PyObject *object);
/* What is behind a wrapper, or NULL with an exception. */
QuireMemory        *quire_python_memory_get       (PyObject *object);
/* The same, but a handle that was closed raises an error. */
QuireMemory        *quire_python_open_memory_get  (PyObject *object);
QuireMapping       *quire_python_mapping_get      (PyObject *object);

/* Each takes the reference, also if it fails. */
PyObject           *quire_python_memory_to_python (QuireMemory  *memory);
PyObject           *quire_python_memory_to_class  (PyTypeObject *type,
                                                   QuireMemory  *memory);
PyObject           *quire_python_mapping_to_python (QuireMapping *mapping);

/* Drops what the wrapper has, and frees it. */
void                quire_python_object_free      (PyObject      *self,
                                                   GDestroyNotify unref);

/* _quire-memory.c */

PyType_Spec  *quire_python_memory_get_spec     (void);
PyObject     *quire_python_memory_close        (PyObject *self,
                                                PyObject *unused);

/* _quire-sequence.c: the slots of it. */

Py_ssize_t    quire_python_memory_length       (PyObject *self);
PyObject     *quire_python_memory_item         (PyObject  *self,
                                                Py_ssize_t index);
PyObject     *quire_python_memory_subscript    (PyObject *self,
                                                PyObject *key);
int           quire_python_memory_assign       (PyObject *self,
                                                PyObject *key,
                                                PyObject *value);
PyObject     *quire_python_memory_add          (PyObject *first,
                                                PyObject *second);

/* _quire-search.c, _quire-iterator.c and _quire-equality.c: more slots */

int           quire_python_memory_contains     (PyObject *self,
                                                PyObject *value);
PyObject     *quire_python_memory_iterate      (PyObject *self);
PyObject     *quire_python_memory_compare      (PyObject *self,
                                                PyObject *other,
                                                int       operation);

/* _quire-content.c, _quire-dlpack.c, _quire-map.c and _quire-search.c */

extern PyMethodDef quire_python_content_methods[];
extern PyMethodDef quire_python_dlpack_methods[];
extern PyMethodDef quire_python_map_methods[];
extern PyMethodDef quire_python_search_methods[];

int           quire_python_memory_getbuffer    (PyObject  *self,
                                                Py_buffer *view,
                                                int        flags);
void          quire_python_memory_releasebuffer (PyObject  *self,
                                                Py_buffer *view);

/* _quire-mapping.c */

PyType_Spec  *quire_python_mapping_get_spec    (void);

/* Fills a view, which then counts as one of the mapping's. */
int           quire_python_fill_view           (PyObject     *self,
                                                Py_buffer    *view,
                                                int           flags,
                                                QuireMapping *mapping);

/* _quire-wrap.c */

extern const char quire_python_memory_wrap_doc[];

PyObject     *quire_python_memory_wrap         (PyObject *type,
                                                PyObject *object);

/* Whether there is no interpreter left to give anything back to. */
gboolean      quire_python_is_gone             (void);

/* _quire-allocator.c */

extern PyMethodDef quire_python_allocator_functions[];

/* _quire-pool.c */

extern PyMethodDef quire_python_pool_functions[];

void          quire_python_pool_setup          (void);

/* _quire-cause.c */

/* Makes an error of the exception that was raised. */
void          quire_python_exception_to_error  (GError **error);
/* The same, of one that is to be raised again as it is. */
void          quire_python_interruption_to_error (GError **error);

/* Whether there is an exception of an allocator that became an error just now. */
extern __thread gboolean quire_python_has_cause;

/* The exception that an error came from, if that is so, as a new reference; and whether it is
 * to be raised again as it is. */
PyObject     *quire_python_take_cause          (const GError *error,
                                                gboolean     *as_it_is);
void          quire_python_drop_cause          (void);

/* Whoever begins a call has not to do with the error of another one. */
static inline void
quire_python_forget_cause (void)
{
  if (G_UNLIKELY (quire_python_has_cause))
    quire_python_drop_cause ();
}

/* _quire-exporter.c */

gboolean      quire_python_exporter_attach     (PyObject  *owner,
                                                Py_buffer *view);
void          quire_python_exporter_detach     (PyObject  *owner);
