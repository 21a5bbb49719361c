/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-fd-allocator-private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "quire-descriptor-private.h"
#include "quire-error-private.h"
#include "quire-overlay-private.h"

/**
 * QuireFdAllocator:
 *
 * The allocator, of the type `fd`, of blocks over descriptors that were there before:
 * files, POSIX shared memory, dma-bufs, what another process has sent.
 *
 * [ctor@Memory.try_new_from_fd] makes them. There is nothing to allocate here: that does
 * [class@MemfdAllocator], whose blocks are blocks over descriptors too.
 *
 * Since: 1.0
 */

G_DEFINE_TYPE (QuireFdAllocator, quire_fd_allocator, QUIRE_TYPE_ALLOCATOR)

/* From this size on a private mapping costs less than a copy even if all of it is looked at:
 * what malloc() gives is mapped too then, page by page. */
#define PRIVATE_COPY_SIZE (32 * 1024 * 1024)

/* The address of the block. An empty one has an address too. */
static gpointer
get_start (QuireFdMemory *block)
{
  return block->mapping.address != NULL ? block->mapping.address + block->mapping.lead : (gpointer) block;
}

/*
 * quire_fd_memory_new:
 * @fd: goes to the block
 * @mapping: goes to the block, which begins @mapping->lead bytes into it
 */
QuireFdMemory *
quire_fd_memory_new (QuireAllocator       *allocator,
                     int                   fd,
                     QuireFdKind           kind,
                     const QuireFdMapping *mapping,
                     QuireMemoryFlags      flags,
                     gsize                 maxsize,
                     gsize                 align,
                     gsize                 offset,
                     gsize                 size)
{
  QuireFdMemory *block = g_new0 (QuireFdMemory, 1);
  struct stat status;

  block->mapping = *mapping;
  block->kind = kind;
  block->fd = fd;
  if (fd >= 0 && fstat (fd, &status) == 0)
    {
      block->is_file = S_ISREG (status.st_mode) && kind != QUIRE_FD_KIND_DMA_BUF;
      block->dev = status.st_dev;
      block->ino = status.st_ino;
    }

  quire_memory_init (&block->memory, flags, allocator, NULL, maxsize, align, offset, size);
  if (kind == QUIRE_FD_KIND_STABLE)
    quire_memory_init_internal (&block->memory, 0, get_start (block));
  else
    quire_memory_init_internal (&block->memory, QUIRE_MEMORY_INTERNAL_WATCHED, NULL);

  return block;
}

/*
 * quire_fd_memory_find:
 * @memory: a block, or a share of one
 * @offset: (out): where its data is, from the start of what is returned
 *
 * Finds the block over a descriptor that has the data.
 *
 * Returns: (nullable): the block, or %NULL if it is of another kind
 */
QuireFdMemory *
quire_fd_memory_find (QuireMemory *memory,
                      gsize       *offset)
{
  QuireMemory *below = quire_overlay_find_below (memory, offset);

  return QUIRE_IS_FD_ALLOCATOR (below->allocator) ? (QuireFdMemory *) below : NULL;
}

/*
 * quire_fd_memory_check_file:
 *
 * Whether the descriptor is still that of the block, and all of the block in the file. Before
 * the file is mapped once more this has to be asked of every block: a script can close each
 * descriptor of which it knows the number.
 */
gboolean
quire_fd_memory_check_file (QuireFdMemory *block,
                            GError       **error)
{
  if (block->memory.maxsize == 0)
    return TRUE;

  return quire_descriptor_still_has (block->fd, block->dev, block->ino,
                                     quire_fd_memory_get_offset (block) + block->memory.maxsize, error);
}

static int
sync_dma_buf (QuireFdMemory *block,
              QuireMapFlags  flags,
              guint64        phase)
{
  struct dma_buf_sync sync = { .flags = phase };
  int result;

  if (flags & QUIRE_MAP_READ)
    sync.flags |= DMA_BUF_SYNC_READ;
  if (flags & QUIRE_MAP_WRITE)
    sync.flags |= DMA_BUF_SYNC_WRITE;

  do
    result = ioctl (block->fd, DMA_BUF_IOCTL_SYNC, &sync);
  while (result != 0 && (errno == EINTR || errno == EAGAIN));

  return result;
}

/*
 * quire_fd_memory_begin_access:
 * @memory: a block that is watched, or an overlay of one
 *
 * What has to be done for each map, when its lock has been granted.
 */
gboolean
quire_fd_memory_begin_access (QuireMemory   *memory,
                              QuireMapFlags  flags,
                              GError       **error)
{
  gsize offset;
  QuireFdMemory *block = quire_fd_memory_find (memory, &offset);

  if (block->kind == QUIRE_FD_KIND_SIZED)
    return quire_fd_memory_check_file (block, error);

  if (block->kind == QUIRE_FD_KIND_DMA_BUF && sync_dma_buf (block, flags, DMA_BUF_SYNC_START) != 0)
    {
      quire_error_set_errno (error, errno, "Can't begin to access the dma-buf of %" G_GSIZE_FORMAT " bytes",
                             block->memory.maxsize);
      return FALSE;
    }

  return TRUE;
}

/*
 * quire_fd_memory_end_access:
 *
 * The same before the lock of a map is dropped. A script may have the address still; that
 * stays good as long as the block.
 */
void
quire_fd_memory_end_access (QuireMemory   *memory,
                            QuireMapFlags  flags)
{
  gsize offset;
  QuireFdMemory *block = quire_fd_memory_find (memory, &offset);

  if (block->kind == QUIRE_FD_KIND_DMA_BUF && sync_dma_buf (block, flags, DMA_BUF_SYNC_END) != 0)
    g_warning ("Can't end to access the dma-buf of %" G_GSIZE_FORMAT " bytes: %s",
               block->memory.maxsize, g_strerror (errno));
}

static QuireMemory *
quire_fd_allocator_alloc (QuireAllocator              *allocator,
                          gsize                        size,
                          const QuireAllocationParams *params,
                          GError                     **error)
{
  g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
               "The allocator fd has no %" G_GSIZE_FORMAT " bytes of its own: "
               "its blocks are made over descriptors, by quire_memory_new_from_fd()", size);
  return NULL;
}

static void
quire_fd_allocator_free (QuireAllocator *allocator,
                         QuireMemory    *memory)
{
  QuireFdMemory *block = (QuireFdMemory *) memory;

  quire_fd_mapping_unmap (&block->mapping);
  if (block->fd >= 0 && !block->is_borrowed)
    close (block->fd);
  g_free (block);
}

static gpointer
quire_fd_allocator_map (QuireMemory  *memory,
                        QuireMapInfo *info,
                        gsize         maxsize,
                        GError      **error)
{
  return quire_fd_memory_begin_access (memory, info->flags, error) ? get_start ((QuireFdMemory *) memory) : NULL;
}

/* A copy of what can never change is a private mapping: pages are copied when they are
 * written to, and no sooner. Of a file that somebody may write it would not do, since what
 * he writes shows in all pages that are not copied yet. */
static QuireMemory *
quire_fd_allocator_copy (QuireMemory *memory,
                         gssize       offset,
                         gsize        size,
                         GError     **error)
{
  QuireFdMemory *block = (QuireFdMemory *) memory;
  const gsize start = quire_atomic_load_relaxed (&memory->offset) + (gsize) offset;
  QuireFdMapping mapping;
  QuireFdMemory *copy;
  int seals;

  if (size < PRIVATE_COPY_SIZE || block->is_private || block->kind != QUIRE_FD_KIND_STABLE ||
      block->mapping.is_huge || start > memory->maxsize || size > memory->maxsize - start)
    return NULL;

  /* A copy is aligned as the block is. */
  quire_fd_mapping_find (&mapping, block->mapping.page, FALSE, quire_fd_memory_get_offset (block) + start, size);
  if ((mapping.lead & memory->align) != 0)
    return NULL;

  seals = fcntl (block->fd, F_GET_SEALS);
  if (seals < 0 || (seals & (F_SEAL_WRITE | F_SEAL_SHRINK)) != (F_SEAL_WRITE | F_SEAL_SHRINK))
    return NULL;

  /* The caller makes a copy of another kind if this one can't be had. */
  if (!quire_fd_memory_check_file (block, NULL) ||
      !quire_fd_mapping_map (&mapping, block->fd, QUIRE_FD_READWRITE, quire_fd_mapping_apart (&mapping),
                             mapping.lead, memory->align))
    return NULL;

  copy = quire_fd_memory_new (memory->allocator, -1, QUIRE_FD_KIND_STABLE, &mapping,
                              QUIRE_MEMORY_FLAG_NONE, size, memory->align, 0, size);
  copy->is_private = TRUE;
  return &copy->memory;
}

static void
quire_fd_allocator_class_init (QuireFdAllocatorClass *klass)
{
  QuireAllocatorClass *allocator_class = QUIRE_ALLOCATOR_CLASS (klass);

  allocator_class->mem_type = "fd";
  allocator_class->alloc = quire_fd_allocator_alloc;
  allocator_class->free = quire_fd_allocator_free;
  allocator_class->mem_map_full = quire_fd_allocator_map;
  allocator_class->mem_copy = quire_fd_allocator_copy;
}

static void
quire_fd_allocator_init (QuireFdAllocator *self)
{
}
