/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test-allocator.h"

G_DEFINE_TYPE (TestAllocator, test_allocator, QUIRE_TYPE_ALLOCATOR)
G_DEFINE_TYPE (MapsAllocator, maps_allocator, test_allocator_get_type ())

/* Sets an error if that is the fault; TRUE if there is nothing to give. */
gboolean
test_allocator_fail (TestAllocator *self,
                     GError       **error)
{
  if (self->fault == GIVES_ERROR || self->fault == GIVES_BOTH)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "The test wants it so");

  return self->fault == GIVES_NULL || self->fault == GIVES_ERROR;
}

static QuireMemory *
test_allocator_alloc (QuireAllocator              *allocator,
                      gsize                        size,
                      const QuireAllocationParams *params,
                      GError                     **error)
{
  const gsize maxsize = params->prefix + size + params->padding;
  TestMemory *test = g_new0 (TestMemory, 1);

  test->data = g_malloc (maxsize + 1);
  for (gsize i = 0; i < maxsize; i++)
    test->data[i] = quire_test_byte (i);
  quire_memory_init (&test->memory, params->flags, allocator, NULL, maxsize, params->align,
                     params->prefix, size);

  return &test->memory;
}

static void
test_allocator_free (QuireAllocator *allocator,
                     QuireMemory    *memory)
{
  TEST_ALLOCATOR (allocator)->frees++;
  if (memory->parent == NULL)
    g_free (TEST_MEMORY (memory)->data);
  g_free (memory);
}

static void
test_allocator_class_init (TestAllocatorClass *klass)
{
  klass->mem_type = "test";
  klass->alloc = test_allocator_alloc;
  klass->free = test_allocator_free;
}

static void
test_allocator_init (TestAllocator *self)
{
}

static gpointer
maps_allocator_map (QuireMemory  *memory,
                    gsize         maxsize,
                    QuireMapFlags flags)
{
  TestAllocator *self = TEST_ALLOCATOR (memory->allocator);

  self->maps++;
  self->last_flags = flags;
  self->last_maxsize = maxsize;

  return self->fault == GIVES_NULL ? NULL : TEST_MEMORY (memory)->data;
}

static void
maps_allocator_unmap (QuireMemory *memory)
{
  TEST_ALLOCATOR (memory->allocator)->unmaps++;
}

static void
maps_allocator_class_init (MapsAllocatorClass *klass)
{
  klass->mem_map = maps_allocator_map;
  klass->mem_unmap = maps_allocator_unmap;
}

static void
maps_allocator_init (MapsAllocator *self)
{
}

/* A block whose byte i, counted from its start, is quire_test_byte (i). */
QuireMemory *
test_allocator_block (TestAllocator *self,
                      gsize          prefix,
                      gsize          size,
                      gsize          padding)
{
  QuireAllocationParams params;

  quire_allocation_params_init (&params);
  params.prefix = prefix;
  params.padding = padding;

  return quire_allocator_alloc (QUIRE_ALLOCATOR (self), size, &params);
}
