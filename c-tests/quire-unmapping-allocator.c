/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-unmapping-allocator.h"

#include <sys/mman.h>
#include <unistd.h>

typedef struct
{
  QuireAllocator parent_instance;
  UnmappingKind  kind;
} UnmappingAllocator;

typedef QuireAllocatorClass UnmappingAllocatorClass;

typedef struct
{
  QuireMemory memory;
  GMutex      mutex;
  int         fd;
  /* Where UNMAPPING_TOGETHER maps, and for how many. */
  gpointer    address;
  int         protection;
  guint       n_maps;
} UnmappingMemory;

static guint standing, total;

GType unmapping_allocator_get_type (void);

G_DEFINE_TYPE (UnmappingAllocator, unmapping_allocator, QUIRE_TYPE_ALLOCATOR)

static QuireMemory *
unmapping_allocator_alloc (QuireAllocator              *allocator,
                           gsize                        size,
                           const QuireAllocationParams *params,
                           GError                     **error)
{
  const gsize maxsize = params->prefix + size + params->padding;
  UnmappingMemory *self = g_new0 (UnmappingMemory, 1);

  g_mutex_init (&self->mutex);
  self->fd = memfd_create ("unmapping", MFD_CLOEXEC);
  if (self->fd < 0 || ftruncate (self->fd, (off_t) MAX (maxsize, 1)) != 0)
    g_error ("No memfd of %" G_GSIZE_FORMAT " bytes: %m", maxsize);
  quire_memory_init (&self->memory, params->flags, allocator, NULL, maxsize, 0, params->prefix, size);

  return &self->memory;
}

static void
unmapping_allocator_free (QuireAllocator *allocator,
                          QuireMemory    *memory)
{
  UnmappingMemory *self = (UnmappingMemory *) memory;

  g_assert_cmpuint (self->n_maps, ==, 0);
  close (self->fd);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

static int
protection (QuireMapFlags flags)
{
  return ((flags & QUIRE_MAP_READ) ? PROT_READ : 0) | ((flags & QUIRE_MAP_WRITE) ? PROT_WRITE : 0);
}

static gpointer
unmapping_allocator_map (QuireMemory  *memory,
                         QuireMapInfo *info,
                         gsize         maxsize,
                         GError      **error)
{
  UnmappingMemory *self = (UnmappingMemory *) memory;
  const gboolean together = ((UnmappingAllocator *) memory->allocator)->kind == UNMAPPING_TOGETHER;
  int prot = protection (info->flags);
  gpointer address;

  g_mutex_lock (&self->mutex);
  /* An address that is in use is kept, and mapped over. */
  if (together)
    prot = self->protection |= prot;
  address = mmap (together ? self->address : NULL, MAX (maxsize, 1), prot,
                  MAP_SHARED | (together && self->address != NULL ? MAP_FIXED : 0), self->fd, 0);
  g_assert_true (address != MAP_FAILED);
  if (together)
    self->address = address;
  info->user_data[0] = address;
  self->n_maps++;
  g_mutex_unlock (&self->mutex);

  g_atomic_int_inc (&standing);
  g_atomic_int_inc (&total);
  return address;
}

static void
unmapping_allocator_unmap (QuireMemory  *memory,
                           QuireMapInfo *info)
{
  UnmappingMemory *self = (UnmappingMemory *) memory;
  const gboolean together = ((UnmappingAllocator *) memory->allocator)->kind == UNMAPPING_TOGETHER;

  g_mutex_lock (&self->mutex);
  self->n_maps--;
  if (!together || self->n_maps == 0)
    {
      munmap (info->user_data[0], MAX (memory->maxsize, 1));
      self->address = NULL;
      self->protection = PROT_NONE;
    }
  g_mutex_unlock (&self->mutex);

  g_atomic_int_add (&standing, -1);
}

static void
unmapping_allocator_class_init (UnmappingAllocatorClass *klass)
{
  klass->mem_type = "unmapping";
  klass->alloc = unmapping_allocator_alloc;
  klass->free = unmapping_allocator_free;
  klass->mem_map_full = unmapping_allocator_map;
  klass->mem_unmap_full = unmapping_allocator_unmap;
}

static void
unmapping_allocator_init (UnmappingAllocator *self)
{
}

QuireAllocator *
unmapping_allocator_new (UnmappingKind kind)
{
  UnmappingAllocator *self = g_object_new (unmapping_allocator_get_type (), NULL);

  self->kind = kind;
  return QUIRE_ALLOCATOR (self);
}

void
unmapping_allocator_add (UnmappingKind kind)
{
  g_autoptr (QuireAllocator) allocator = unmapping_allocator_new (kind);

  quire_allocator_register (kind == UNMAPPING_EACH ? "unmapping-each" : "unmapping-together",
                            allocator);
}

UnmappingCounts
unmapping_allocator_counts (void)
{
  return (UnmappingCounts) { (guint) g_atomic_int_get (&standing), (guint) g_atomic_int_get (&total) };
}
