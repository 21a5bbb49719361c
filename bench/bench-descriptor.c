/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "bench.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Blocks whose pages are those of a descriptor. */

static int
open_memfd (gsize size)
{
  const int fd = memfd_create ("bench", MFD_CLOEXEC);

  if (fd < 0 || ftruncate (fd, (off_t) size) != 0)
    g_error ("There is no memfd of %" G_GSIZE_FORMAT " bytes", size);
  return fd;
}

static int
open_file (gsize size)
{
  char name[] = "/tmp/quire-bench-XXXXXX";
  const int fd = mkstemp (name);

  if (fd < 0 || unlink (name) != 0 || ftruncate (fd, (off_t) size) != 0)
    g_error ("There is no file of %" G_GSIZE_FORMAT " bytes", size);
  return fd;
}

static QuireAllocator *
get_memfd_allocator (void)
{
  static QuireAllocator *allocator;

  if (allocator == NULL)
    allocator = quire_allocator_find ("memfd");
  return allocator;
}

static gpointer
quire_begin_memfd (gsize size)
{
  return quire_allocator_alloc (get_memfd_allocator (), size, NULL);
}

static gpointer
quire_begin_file (gsize size)
{
  return quire_memory_new_from_fd (open_file (size), 0, (gssize) size, QUIRE_FD_TAKE);
}

static void
quire_end (gpointer state)
{
  quire_memory_unref (state);
}

BENCH_LOOP (quire_map)
{
  QuireMapInfo info;

  if (quire_memory_map (state, &info, QUIRE_MAP_READ))
    {
      bench_keep (info.data);
      quire_memory_unmap (state, &info);
    }
}

BENCH_LOOP (quire_alloc_memfd)
{
  QuireMemory *memory = quire_allocator_alloc (get_memfd_allocator (), size, NULL);
  QuireMapInfo info;

  if (quire_memory_map (memory, &info, QUIRE_MAP_WRITE))
    {
      memset (info.data, 0x51, info.size);
      quire_memory_unmap (memory, &info);
    }
  quire_memory_unref (memory);
}

#ifdef BENCH_GSTREAMER
/* GstFdAllocator is in a library that comes with the plug-ins; its headers come with much
 * more, and it is but two functions. */
static GstMemory *
gst_alloc_fd (int   fd,
              gsize size)
{
  static GstAllocator *allocator;
  static GstMemory *(*alloc) (GstAllocator *allocator, int fd, gsize size, int flags);

  if (allocator == NULL)
    {
      gpointer library = dlopen ("libgstallocators-1.0.so.0", RTLD_NOW);
      GstAllocator *(*new_allocator) (void);

      if (library == NULL)
        return NULL;
      *(gpointer *) &new_allocator = dlsym (library, "gst_fd_allocator_new");
      *(gpointer *) &alloc = dlsym (library, "gst_fd_allocator_alloc");
      allocator = new_allocator ();
    }

  return alloc (allocator, fd, size, 0);
}

static gpointer
gst_begin_memfd (gsize size)
{
  return gst_alloc_fd (open_memfd (size), size);
}

static gpointer
gst_begin_file (gsize size)
{
  return gst_alloc_fd (open_file (size), size);
}

static void
gst_end (gpointer state)
{
  if (state != NULL)
    gst_memory_unref (state);
}

BENCH_LOOP (gst_map)
{
  GstMapInfo info;

  if (state != NULL && gst_memory_map (state, &info, GST_MAP_READ))
    {
      bench_keep (info.data);
      gst_memory_unmap (state, &info);
    }
}

BENCH_LOOP (gst_alloc_memfd)
{
  GstMemory *memory = gst_alloc_fd (open_memfd (size), size);
  GstMapInfo info;

  if (memory == NULL)
    return;
  if (gst_memory_map (memory, &info, GST_MAP_WRITE))
    {
      memset (info.data, 0x51, info.size);
      gst_memory_unmap (memory, &info);
    }
  gst_memory_unref (memory);
}
#endif

static gpointer
floor_begin (gsize size)
{
  return g_malloc0 (size);
}

BENCH_LOOP (floor_atomics)
{
  guint64 *lock = state;

  if (__atomic_fetch_add (lock, 1, __ATOMIC_ACQUIRE) < 4096)
    __atomic_fetch_sub (lock, 1, __ATOMIC_RELEASE);
}

BENCH_LOOP (floor_memfd)
{
  const int fd = open_memfd (size);
  gpointer data = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

  memset (data, 0x51, size);
  bench_keep (data);
  munmap (data, size);
  close (fd);
}

static const BenchRow rows[] = {
  { "map READ of a memfd, unmap", 64 * KIB,
    { { quire_begin_memfd, quire_map, quire_end }, BENCH_GST_CASE (gst_begin_memfd, gst_map, gst_end),
      { NULL, }, { floor_begin, floor_atomics, g_free } },
    "an atomic pair", .aim = 0.02 },
  { "map READ of a file, unmap", 64 * KIB,
    { { quire_begin_file, quire_map, quire_end }, BENCH_GST_CASE (gst_begin_file, gst_map, gst_end),
      { NULL, }, { floor_begin, floor_atomics, g_free } },
    "an atomic pair" },
  { "alloc of a memfd, fill, unref", 64 * KIB,
    { { NULL, quire_alloc_memfd }, BENCH_GST_CASE (NULL, gst_alloc_memfd), { NULL, },
      { NULL, floor_memfd } },
    "memfd_create, ftruncate, mmap, memset, munmap, close" },
};

const BenchTable bench_descriptor_rows = { rows, G_N_ELEMENTS (rows) };
