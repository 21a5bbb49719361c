/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test-script.h"

G_DEFINE_TYPE (ScriptAllocator, script_allocator, QUIRE_TYPE_ALLOCATOR)
G_DEFINE_TYPE (QuietAllocator, quiet_allocator, script_allocator_get_type ())

void
script_allocator_note (ScriptAllocator *self,
                       const char      *format,
                       ...)
{
  va_list args;

  g_mutex_lock (&self->log_lock);
  if (self->log->len > 0)
    g_string_append_c (self->log, ' ');
  va_start (args, format);
  g_string_append_vprintf (self->log, format, args);
  va_end (args);
  g_mutex_unlock (&self->log_lock);
}

static QuireMemory *
script_allocator_alloc (QuireAllocator              *allocator,
                        gsize                        size,
                        const QuireAllocationParams *params,
                        GError                     **error)
{
  ScriptAllocator *self = SCRIPT_ALLOCATOR (allocator);
  g_autoptr (QuireMemory) backing = NULL;

  script_allocator_note (self, "alloc");
  self->thread = g_thread_self ();
  if (self->make != NULL)
    return self->make (self, size, params, error);

  backing = quire_memory_try_new (params->prefix + size + params->padding + params->align, error);
  if (backing == NULL)
    return NULL;
  return quire_allocator_try_bind (allocator, backing, NULL, error);
}

static void
script_allocator_mapped (QuireAllocator *allocator,
                         QuireMemory    *memory,
                         QuireMapFlags   flags,
                         GError        **error)
{
  ScriptAllocator *self = SCRIPT_ALLOCATOR (allocator);
  GError *local_error = NULL;

  script_allocator_note (self, "mapped%s%s", quire_memory_get_parent (memory) != NULL ? "-share" : "",
                         (flags & QUIRE_MAP_WRITE) ? "-to-write" : "");
  self->thread = g_thread_self ();
  if (self->on_mapped != NULL)
    self->on_mapped (self, memory, &local_error);
  if (local_error == NULL)
    __atomic_fetch_add (&self->maps, 1, __ATOMIC_RELAXED);
  else
    g_propagate_error (error, local_error);
}

static void
script_allocator_unmapped (QuireAllocator *allocator,
                           QuireMemory    *memory)
{
  ScriptAllocator *self = SCRIPT_ALLOCATOR (allocator);

  script_allocator_note (self, "unmapped%s", quire_memory_get_parent (memory) != NULL ? "-share" : "");
  self->thread = g_thread_self ();
  if (self->on_unmapped != NULL)
    self->on_unmapped (self, memory);
  __atomic_fetch_add (&self->unmaps, 1, __ATOMIC_RELAXED);
}

static void
script_allocator_released (QuireAllocator *allocator,
                           GObject        *state)
{
  ScriptAllocator *self = SCRIPT_ALLOCATOR (allocator);

  script_allocator_note (self, "released");
  self->thread = g_thread_self ();
  if (self->on_released != NULL)
    self->on_released (self, state);
  __atomic_fetch_add (&self->releases, 1, __ATOMIC_RELAXED);
}

static void
script_allocator_finalize (GObject *object)
{
  ScriptAllocator *self = SCRIPT_ALLOCATOR (object);

  g_string_free (self->log, TRUE);
  g_mutex_clear (&self->log_lock);

  G_OBJECT_CLASS (script_allocator_parent_class)->finalize (object);
}

static void
script_allocator_class_init (ScriptAllocatorClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = script_allocator_finalize;

  klass->mem_type = "script";
  klass->alloc = script_allocator_alloc;
  klass->mapped = script_allocator_mapped;
  klass->unmapped = script_allocator_unmapped;
  klass->released = script_allocator_released;
}

static void
script_allocator_init (ScriptAllocator *self)
{
  self->log = g_string_new (NULL);
  g_mutex_init (&self->log_lock);
}

static void
quiet_allocator_class_init (QuietAllocatorClass *klass)
{
  g_autoptr (GTypeClass) base = g_type_class_ref (QUIRE_TYPE_ALLOCATOR);

  klass->mapped = QUIRE_ALLOCATOR_CLASS (base)->mapped;
  klass->unmapped = QUIRE_ALLOCATOR_CLASS (base)->unmapped;
  klass->released = QUIRE_ALLOCATOR_CLASS (base)->released;
}

static void
quiet_allocator_init (QuietAllocator *self)
{
}

ScriptAllocator *
script_allocator_new (void)
{
  return g_object_new (script_allocator_get_type (), NULL);
}

/* The calling thread is the home. */
ScriptAllocator *
script_allocator_new_at_home (void)
{
  ScriptAllocator *allocator = script_allocator_new ();

  g_assert_true (quire_allocator_set_home (QUIRE_ALLOCATOR (allocator)));
  return allocator;
}

ScriptAllocator *
quiet_allocator_new (void)
{
  return g_object_new (quiet_allocator_get_type (), NULL);
}
