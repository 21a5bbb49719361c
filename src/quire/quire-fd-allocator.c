/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-fd-allocator-private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/dma-buf.h>

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

/* From this size on a private mapping is made sooner than a copy. */
#define PRIVATE_COPY_SIZE (256 * 1024)

/*
 * quire_fd_pages_find:
 * @page: size of a page
 * @offset: where a block is in the file
 * @size: its size in bytes; offset + size has been checked
 *
 * Finds the pages that a block is in.
 */
void
quire_fd_pages_find (QuireFdPages *pages,
                     gsize         page,
                     guint64       offset,
                     gsize         size)
{
  const gsize lead = (gsize) (offset & (page - 1));

  *pages = (QuireFdPages) {
    .page = page,
    .file_start = offset - lead,
    .lead = lead,
    .size = size > 0 ? lead + size : 0,
  };
}

/* How a block is aligned that begins where its pages do, and the lead ends. */
gsize
quire_fd_pages_get_align (const QuireFdPages *pages)
{
  return pages->lead == 0 ? pages->page - 1 : (pages->lead & -pages->lead) - 1;
}

/*
 * quire_fd_pages_map:
 *
 * Returns: the address, MAP_FAILED with errno set, or %NULL if there are no bytes
 */
gpointer
quire_fd_pages_map (const QuireFdPages *pages,
                    int                 fd,
                    int                 protection,
                    int                 flags)
{
  if (pages->size == 0)
    return NULL;

  return mmap (NULL, pages->size, protection, flags, fd, (off_t) pages->file_start);
}

/*
 * quire_fd_memory_new:
 * @fd: goes to the block
 * @mapping: of @pages; goes to the block
 *
 * Makes a block that begins @pages->lead bytes into its mapping.
 */
QuireFdMemory *
quire_fd_memory_new (QuireAllocator     *allocator,
                     int                 fd,
                     QuireFdKind         kind,
                     const QuireFdPages *pages,
                     gpointer            mapping,
                     guint               flags,
                     gsize               maxsize,
                     gsize               align,
                     gsize               offset,
                     gsize               size)
{
  QuireFdMemory *block = g_new0 (QuireFdMemory, 1);

  block->fd = fd;
  block->kind = kind;
  block->file_offset = pages->file_start + pages->lead;
  /* An empty block has an address too. */
  block->start = mapping != NULL ? (guint8 *) mapping + pages->lead : (guint8 *) block;
  block->mapping = mapping;
  block->mapping_size = pages->size;
  block->page = pages->page;

  quire_memory_init (&block->memory, (QuireMemoryFlags) flags, allocator, NULL, maxsize, align, offset, size);
  if (kind == QUIRE_FD_KIND_STABLE)
    quire_memory_init_internal (&block->memory, 0, block->start);

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

  if (block->mapping != NULL)
    munmap (block->mapping, block->mapping_size);
  if (block->fd >= 0)
    close (block->fd);
  g_free (block);
}

/* Whether all of the block is still in the file. */
static gboolean
check_size (QuireFdMemory *block,
            GError       **error)
{
  const guint64 needed = block->file_offset + block->memory.maxsize;
  struct stat status;

  if (fstat (block->fd, &status) != 0)
    {
      quire_error_set_errno (error, errno, "Can't look at the size of descriptor %d", block->fd);
      return FALSE;
    }
  if (block->memory.maxsize > 0 && (guint64) status.st_size < needed)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_OUT_OF_RANGE,
                   "The file was truncated to %" G_GINT64_FORMAT " bytes, where the block of %" G_GSIZE_FORMAT
                   " bytes needs %" G_GUINT64_FORMAT,
                   (gint64) status.st_size, block->memory.maxsize, needed);
      return FALSE;
    }

  return TRUE;
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

static gpointer
quire_fd_allocator_map (QuireMemory  *memory,
                        QuireMapInfo *info,
                        gsize         maxsize,
                        GError      **error)
{
  QuireFdMemory *block = (QuireFdMemory *) memory;

  switch (block->kind)
    {
    case QUIRE_FD_KIND_SIZED:
      return check_size (block, error) ? block->start : NULL;

    case QUIRE_FD_KIND_DMA_BUF:
      if (sync_dma_buf (block, info->flags, DMA_BUF_SYNC_START) != 0)
        {
          quire_error_set_errno (error, errno, "Can't begin to access the dma-buf of %" G_GSIZE_FORMAT " bytes", maxsize);
          return NULL;
        }
      return block->start;

    case QUIRE_FD_KIND_STABLE:
    default:
      return block->start;
    }
}

static void
quire_fd_allocator_unmap (QuireMemory  *memory,
                          QuireMapInfo *info)
{
  QuireFdMemory *block = (QuireFdMemory *) memory;

  if (block->kind == QUIRE_FD_KIND_DMA_BUF &&
      sync_dma_buf (block, info->flags, DMA_BUF_SYNC_END) != 0)
    g_warning ("Can't end to access the dma-buf of %" G_GSIZE_FORMAT " bytes: %s",
               memory->maxsize, g_strerror (errno));
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
  QuireFdPages pages;
  QuireFdMemory *copy;
  gpointer mapping;
  int seals;

  if (size < PRIVATE_COPY_SIZE || block->is_private || block->kind != QUIRE_FD_KIND_STABLE ||
      start > memory->maxsize || size > memory->maxsize - start)
    return NULL;

  seals = fcntl (block->fd, F_GET_SEALS);
  if (seals < 0 || (seals & (F_SEAL_WRITE | F_SEAL_SHRINK)) != (F_SEAL_WRITE | F_SEAL_SHRINK))
    return NULL;

  quire_fd_pages_find (&pages, block->page, block->file_offset + start, size);
  /* The caller makes a copy of another kind if this one can't be had. */
  mapping = quire_fd_pages_map (&pages, block->fd, QUIRE_FD_PROTECTION, MAP_PRIVATE);
  if (mapping == MAP_FAILED)
    return NULL;

  copy = quire_fd_memory_new (memory->allocator, -1, QUIRE_FD_KIND_STABLE, &pages, mapping,
                              QUIRE_MEMORY_FLAG_NONE, size, quire_fd_pages_get_align (&pages), 0, size);
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
  allocator_class->mem_unmap_full = quire_fd_allocator_unmap;
  allocator_class->mem_copy = quire_fd_allocator_copy;
}

static void
quire_fd_allocator_init (QuireFdAllocator *self)
{
}
