/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-allocator.h"

#include "quire-allocator-private.h"
#include "quire-atomic-private.h"
#include "quire-guard-allocator.h"
#include "quire-memfd-allocator.h"
#include "quire-secure-allocator.h"
#include "quire-system-allocator-private.h"

static GMutex registry_lock;
/* Name to allocator, with a reference on each. */
static GHashTable *registry;

QuireAllocator *quire_allocator_default;

static QuireAllocator *
ref_system (void)
{
  return g_object_ref (quire_system_allocator_get ());
}

static QuireAllocator *
new_fd (void)
{
  return g_object_new (QUIRE_TYPE_FD_ALLOCATOR, NULL);
}

static QuireAllocator *
new_memfd (void)
{
  return g_object_new (QUIRE_TYPE_MEMFD_ALLOCATOR, NULL);
}

static QuireAllocator *
new_guard (void)
{
  return QUIRE_ALLOCATOR (quire_guard_allocator_new ());
}

static QuireAllocator *
new_secure (void)
{
  return QUIRE_ALLOCATOR (quire_secure_allocator_new ());
}

/* What is there under its own name from the start. */
static const struct
{
  const char       *name;
  QuireAllocator *(*make) (void);
} built_in[] = {
  { "fd", new_fd },
  { "guard", new_guard },
  { "memfd", new_memfd },
  { "secure", new_secure },
  { "system", ref_system },
};

static GHashTable *
registry_get_locked (void)
{
  if (registry == NULL)
    {
      registry = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
      for (gsize i = 0; i < G_N_ELEMENTS (built_in); i++)
        g_hash_table_insert (registry, g_strdup (built_in[i].name), built_in[i].make ());
    }

  return registry;
}

/**
 * quire_allocator_register:
 * @name: a name
 * @allocator: the allocator that it shall name
 *
 * Makes an allocator known by a name. One that had the name before loses it, and
 * its blocks keep it.
 *
 * Since: 1.0
 */
void
quire_allocator_register (const char     *name,
                          QuireAllocator *allocator)
{
  g_autoptr (QuireAllocator) previous = NULL;

  g_return_if_fail (name != NULL);
  g_return_if_fail (QUIRE_IS_ALLOCATOR (allocator));

  g_mutex_lock (&registry_lock);
  previous = g_hash_table_lookup (registry_get_locked (), name);
  if (previous != NULL)
    g_object_ref (previous);
  g_hash_table_replace (registry, g_strdup (name), g_object_ref (allocator));
  g_mutex_unlock (&registry_lock);
  /* Here, without the lock, the last reference on previous may go. */
}

/**
 * quire_allocator_find:
 * @name: (nullable): a name, or %NULL for the default allocator
 *
 * Finds an allocator by its name.
 *
 * Returns: (transfer full) (nullable): the allocator, or %NULL if none has the
 *   name
 *
 * Since: 1.0
 */
QuireAllocator *
quire_allocator_find (const char *name)
{
  QuireAllocator *allocator;

  if (name == NULL)
    return g_object_ref (quire_allocator_peek_default ());

  g_mutex_lock (&registry_lock);
  allocator = g_hash_table_lookup (registry_get_locked (), name);
  if (allocator != NULL)
    g_object_ref (allocator);
  g_mutex_unlock (&registry_lock);

  return allocator;
}

/**
 * quire_allocator_set_default:
 * @allocator: an allocator; C may pass %NULL for the system allocator
 *
 * Chooses where [ctor@Memory.new] takes its blocks from, and everything else
 * that isn't told, such as copies.
 *
 * Scripts find the system allocator by its name, `system`, to make it the default one
 * again.
 *
 * An allocator that has been the default one stays alive until the process ends.
 *
 * Since: 1.0
 */
void
quire_allocator_set_default (QuireAllocator *allocator)
{
  g_return_if_fail (allocator == NULL || QUIRE_IS_ALLOCATOR (allocator));

  if (allocator != NULL)
    g_object_ref (allocator);
  g_atomic_pointer_set (&quire_allocator_default, allocator);
}
