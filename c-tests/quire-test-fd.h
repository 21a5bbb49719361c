/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-test.h"

/* What the tests of blocks over descriptors share. */

/* How many descriptors the process has open. */
static inline guint
quire_test_count_fds (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

static inline QuireMemory *
quire_test_memfd_new (gsize size)
{
  g_autoptr (QuireAllocator) allocator = quire_allocator_find ("memfd");
  g_autoptr (GError) error = NULL;
  QuireMemory *memory = quire_allocator_try_alloc (allocator, size, NULL, &error);

  g_assert_no_error (error);
  return memory;
}

static inline guint8
quire_test_get_byte (QuireMemory *memory,
                     gsize        offset)
{
  guint8 byte;

  g_assert_true (quire_memory_read (memory, offset, &byte, 1));
  return byte;
}

static inline void
quire_test_set_byte (QuireMemory *memory,
                     gsize        offset,
                     guint8       byte)
{
  g_assert_true (quire_memory_write (memory, offset, &byte, 1));
}
