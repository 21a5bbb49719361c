/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-test.h"

/*
 * An allocator as a C program would write one, in two classes to derive from: the
 * first has alloc and free only, the second maps too.
 */

typedef enum
{
  RIGHT,
  GIVES_NULL,
  GIVES_ERROR,
  GIVES_BOTH,
  WRONG_OFFSET,
  WRONG_SIZE,
  WRONG_PARENT,
  NO_PARENT,
  GIVES_ROOT,
  GIVES_THE_LAST,
  GIVES_READ_ONLY,
  SAYS_YES,
} TestFault;

typedef struct
{
  QuireAllocator parent_instance;

  /* What goes wrong. */
  TestFault      fault;
  QuireMemory   *last_share;
  /* What was called, and with what. */
  guint          maps, unmaps, copies, shares, spans, frees;
  QuireMapFlags  last_flags;
  gsize          last_maxsize;
  gssize         last_offset;
  gsize          last_size;
} TestAllocator;

typedef QuireAllocatorClass TestAllocatorClass;
typedef TestAllocator       MapsAllocator;
typedef TestAllocatorClass  MapsAllocatorClass;

/* The struct of a block has a QuireMemory first. */
typedef struct
{
  QuireMemory memory;
  guint8     *data;
} TestMemory;

#define TEST_ALLOCATOR(object) ((TestAllocator *) (object))
#define TEST_MEMORY(block)     ((TestMemory *) (block))

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TestAllocator, g_object_unref)

GType        test_allocator_get_type (void);
GType        maps_allocator_get_type (void);

gboolean     test_allocator_fail     (TestAllocator *self,
                                      GError       **error);
QuireMemory *test_allocator_block    (TestAllocator *self,
                                      gsize          prefix,
                                      gsize          size,
                                      gsize          padding);
