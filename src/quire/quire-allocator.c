/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-allocator.h"

#include "quire-allocation-params.h"
#include "quire-allocator-private.h"
#include "quire-bound-private.h"
#include "quire-error.h"
#include "quire-memory-private.h"
#include "quire-range-private.h"
#include "quire-system-allocator-private.h"
#include "quire-upcall-private.h"

/**
 * QuireAllocator:
 *
 * Where blocks come from.
 *
 * The allocator `system` gives plain memory and is the default one. Blocks of a
 * [class@MemfdAllocator] go to other processes, a [class@PoolAllocator] uses blocks again,
 * and there are a [class@GuardAllocator] and a [class@SecureAllocator]. A C program derives
 * others from this class, see [struct@AllocatorClass], and a script may do so too, see
 * [Allocators in Python and JavaScript](script-allocators.html). One may
 * [func@Allocator.register] them by a name, or make one the default for
 * [ctor@Memory.new].
 *
 * A block keeps its allocator alive. All functions are thread-safe.
 *
 * Since: 1.0
 */

typedef struct
{
  /* Where its functions are called; NULL: anywhere. */
  QuireHome *home;
} QuireAllocatorPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (QuireAllocator, quire_allocator, G_TYPE_OBJECT)

static void
quire_allocator_finalize (GObject *object)
{
  QuireAllocatorPrivate *priv = quire_allocator_get_instance_private (QUIRE_ALLOCATOR (object));

  g_clear_pointer (&priv->home, quire_home_unref);

  G_OBJECT_CLASS (quire_allocator_parent_class)->finalize (object);
}

static void
quire_allocator_class_init (QuireAllocatorClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = quire_allocator_finalize;

  quire_upcall_init_class (klass);
}

static void
quire_allocator_init (QuireAllocator *self)
{
}

/* Whether a request makes sense to any allocator. */
gboolean
quire_allocator_check_request (gsize                        size,
                               const QuireAllocationParams *params,
                               GError                     **error)
{
  gsize maxsize;

  if (!quire_memory_check_flags (params->flags, error))
    return FALSE;

  if (!quire_align_is_mask (params->align))
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
                   "The alignment mask %" G_GSIZE_FORMAT " is not a power of two less 1",
                   params->align);
      return FALSE;
    }

  if (!g_size_checked_add (&maxsize, params->prefix, size) ||
      !g_size_checked_add (&maxsize, maxsize, params->padding) ||
      maxsize > G_MAXSSIZE)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_TOO_LARGE,
                   "A block of %" G_GSIZE_FORMAT " bytes with a prefix of %" G_GSIZE_FORMAT
                   " and a padding of %" G_GSIZE_FORMAT " is beyond %" G_GSSIZE_FORMAT " bytes",
                   size, params->prefix, params->padding, G_MAXSSIZE);
      return FALSE;
    }

  return TRUE;
}

/**
 * quire_allocator_alloc: (skip)
 * @allocator: (nullable): an allocator, or %NULL for the default one
 * @size: size of the data in bytes
 * @params: (nullable): how to allocate, or %NULL for nothing special
 *
 * Allocates a block. [method@Allocator.try_alloc] also says why it fails.
 *
 * Returns: (transfer full) (nullable): a new block, or %NULL
 *
 * Since: 1.0
 */
QuireMemory *
quire_allocator_alloc (QuireAllocator              *allocator,
                       gsize                        size,
                       const QuireAllocationParams *params)
{
  if (G_LIKELY (allocator == NULL && params == NULL))
    return quire_allocator_alloc_plain (size, NULL);

  return quire_allocator_try_alloc (allocator, size, params, NULL);
}

/**
 * quire_allocator_try_alloc: (rename-to quire_allocator_alloc) (virtual alloc)
 * @allocator: an allocator; C may pass %NULL for the default one
 * @size: size of the data in bytes
 * @params: (nullable): how to allocate, or %NULL for nothing special
 * @error: return location for an error
 *
 * Allocates a block of @size bytes, with the prefix and the padding of @params
 * beside them. What is in it is undefined but for what the flags ask to be zero.
 *
 * The errors are %QUIRE_MEMORY_ERROR_TOO_LARGE, %QUIRE_MEMORY_ERROR_NO_SPACE,
 * %QUIRE_MEMORY_ERROR_NOT_SUPPORTED for an alignment that is no mask and for flags
 * that mean nothing, and those of the allocator.
 *
 * Returns: (transfer full): a new block
 *
 * Since: 1.0
 */
QuireMemory *
quire_allocator_try_alloc (QuireAllocator              *allocator,
                           gsize                        size,
                           const QuireAllocationParams *params,
                           GError                     **error)
{
  static const QuireAllocationParams nothing_special;
  QuireAllocatorClass *klass;
  QuireMemory *memory;
  GError *local_error = NULL;

  g_return_val_if_fail (allocator == NULL || QUIRE_IS_ALLOCATOR (allocator), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (allocator == NULL)
    {
      allocator = quire_allocator_peek_default ();
      if (G_UNLIKELY (!quire_system_allocator_is (allocator) && quire_upcall_is_running (allocator)))
        allocator = quire_system_allocator_get ();
    }
  if (params == NULL)
    params = &nothing_special;

  if (!quire_allocator_check_request (size, params, error))
    return NULL;

  if (G_LIKELY (quire_system_allocator_is (allocator)))
    return quire_system_allocator_make (size, params, error);

  klass = QUIRE_ALLOCATOR_GET_CLASS (allocator);
  if (klass->free == NULL)
    return quire_bound_alloc (allocator, size, params, error);

  if (G_LIKELY (quire_allocator_peek_home (allocator) == NULL))
    memory = klass->alloc (allocator, size, params, &local_error);
  else
    memory = quire_upcall_alloc (allocator, size, params, &local_error);
  if (memory == NULL && local_error == NULL)
    g_set_error (&local_error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED,
                 "The allocator %s gave no block of %" G_GSIZE_FORMAT " bytes",
                 quire_allocator_get_mem_type (allocator), size);
  if (local_error != NULL)
    {
      g_clear_pointer (&memory, quire_memory_unref);
      g_propagate_error (error, local_error);
    }

  return memory;
}

/*
 * quire_allocator_peek_home:
 *
 * Where the functions of the allocator are called; %NULL for anywhere.
 */
QuireHome *
quire_allocator_peek_home (QuireAllocator *allocator)
{
  QuireAllocatorPrivate *priv = quire_allocator_get_instance_private (allocator);

  return quire_atomic_load_acquire (&priv->home);
}

/**
 * quire_allocator_set_home:
 * @allocator: an allocator
 *
 * Makes the calling thread the home of the allocator, with its thread-default main
 * context: its functions are called on this thread only. It is for languages, or
 * programs, that must not be called on any thread.
 *
 * [vfunc@Allocator.alloc] and [vfunc@Allocator.mapped] are refused on other threads, with
 * %QUIRE_MEMORY_ERROR_NOT_SUPPORTED. [vfunc@Allocator.unmapped] and
 * [vfunc@Allocator.released] wait, from whichever thread they come, until the main context
 * runs, until the home allocates from the allocator or maps one of its blocks, or until
 * [func@Allocator.dispatch].
 *
 * The first home stays. When its thread ends, what waits is dropped, and what comes later.
 *
 * Returns: whether the calling thread is the home
 *
 * Since: 1.0
 */
gboolean
quire_allocator_set_home (QuireAllocator *allocator)
{
  QuireAllocatorPrivate *priv;
  QuireHome *home, *previous = NULL;

  g_return_val_if_fail (QUIRE_IS_ALLOCATOR (allocator), FALSE);

  priv = quire_allocator_get_instance_private (allocator);
  home = quire_home_ref_mine ();
  if (quire_atomic_cas_acq_rel (&priv->home, &previous, home))
    return TRUE;

  quire_home_unref (home);
  return previous == home;
}

/**
 * quire_allocator_dispatch:
 *
 * Calls what waits for allocators that have their home on the calling thread, see
 * [method@Allocator.set_home]. Called by what is so called, it does nothing.
 *
 * Returns: how many functions were called
 *
 * Since: 1.0
 */
guint
quire_allocator_dispatch (void)
{
  return quire_home_dispatch ();
}

/**
 * quire_allocator_get_mem_type:
 * @allocator: an allocator
 *
 * Tells the type of the allocator's blocks, as [method@Memory.is_type] knows it.
 *
 * Returns: (transfer none): the type
 *
 * Since: 1.0
 */
const char *
quire_allocator_get_mem_type (QuireAllocator *allocator)
{
  const char *mem_type;

  g_return_val_if_fail (QUIRE_IS_ALLOCATOR (allocator), NULL);

  mem_type = QUIRE_ALLOCATOR_GET_CLASS (allocator)->mem_type;
  return mem_type != NULL ? mem_type : G_OBJECT_TYPE_NAME (allocator);
}

/**
 * quire_allocator_get_default_align:
 *
 * Tells how data is aligned when nobody asks for more: as `malloc` does on this
 * platform.
 *
 * Returns: the alignment as a mask, in bytes less 1
 *
 * Since: 1.0
 */
gsize
quire_allocator_get_default_align (void)
{
  return QUIRE_DEFAULT_ALIGN;
}
