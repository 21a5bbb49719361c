/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "quire-allocator.h"
#include "quire-error-private.h"
#include "quire-fd-allocator-private.h"
#include "quire-range-private.h"

#define KNOWN_FLAGS (QUIRE_FD_TAKE | QUIRE_FD_READONLY | QUIRE_FD_PRIVATE | QUIRE_FD_STABLE)

/* What there is to know of a descriptor. */
typedef struct
{
  int      access;
  guint    seals;
  gboolean is_dma_buf;
  gsize    page;
  /* What it has a size for, or -1. */
  gint64   size;
} Descriptor;

/* The one allocator of all such blocks. */
static QuireAllocator *
get_allocator (void)
{
  static QuireAllocator *instance;

  if (g_once_init_enter (&instance))
    g_once_init_leave (&instance, g_object_new (QUIRE_TYPE_FD_ALLOCATOR, NULL));

  return instance;
}

static gboolean
refuse_unmappable (int          fd,
                   const char  *why,
                   GError     **error)
{
  g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_MAPPABLE,
               "Descriptor %d can't be mapped: %s", fd, why);
  return FALSE;
}

static gboolean
look_at (int          fd,
         Descriptor  *descriptor,
         GError     **error)
{
  struct stat status;
  struct statfs filesystem;
  int flags, seals;

  flags = fcntl (fd, F_GETFL);
  if (flags < 0 || fstat (fd, &status) != 0 || fstatfs (fd, &filesystem) != 0)
    {
      quire_error_set_errno (error, errno, "Can't look at descriptor %d", fd);
      return FALSE;
    }

  seals = fcntl (fd, F_GET_SEALS);
  *descriptor = (Descriptor) {
    .access = flags & O_ACCMODE,
    .seals = seals > 0 ? (guint) seals : 0,
    .is_dma_buf = filesystem.f_type == DMA_BUF_MAGIC,
    .page = filesystem.f_type == HUGETLBFS_MAGIC ? (gsize) filesystem.f_bsize : (gsize) sysconf (_SC_PAGESIZE),
    .size = -1,
  };

  if (flags & O_PATH)
    return refuse_unmappable (fd, "it is one of a path only", error);
  if (descriptor->access == O_WRONLY)
    return refuse_unmappable (fd, "it is open to write only", error);
  if (S_ISDIR (status.st_mode))
    return refuse_unmappable (fd, g_strerror (EISDIR), error);
  if (S_ISFIFO (status.st_mode) || S_ISSOCK (status.st_mode))
    return refuse_unmappable (fd, g_strerror (ESPIPE), error);

  if (descriptor->is_dma_buf)
    descriptor->size = lseek (fd, 0, SEEK_END);
  else if (S_ISREG (status.st_mode))
    descriptor->size = status.st_size;

  return TRUE;
}

/* Finds how large the block is; now offset + size <= G_MAXINT64, and within the file. */
static gboolean
find_size (const Descriptor *descriptor,
           int               fd,
           guint64           offset,
           gssize            size,
           gsize            *found,
           GError          **error)
{
  guint64 available = descriptor->size >= 0 ? (guint64) descriptor->size : G_MAXINT64;

  if (size == -1 && descriptor->size < 0)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
                   "Descriptor %d has no size of its own: say how many bytes of it to map", fd);
      return FALSE;
    }

  if (size < -1 || offset > available || (size >= 0 && (guint64) size > available - offset))
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_OUT_OF_RANGE,
                   "Can't map %" G_GSSIZE_FORMAT " bytes at offset %" G_GUINT64_FORMAT
                   " of a file of %" G_GUINT64_FORMAT " bytes", size, offset, available);
      return FALSE;
    }

  available -= offset;
  if (size == -1 && available > G_MAXSSIZE)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_TOO_LARGE,
                   "The %" G_GUINT64_FORMAT " bytes to the end of the file are beyond %" G_GSSIZE_FORMAT,
                   available, G_MAXSSIZE);
      return FALSE;
    }

  *found = size == -1 ? (gsize) available : (gsize) size;
  return TRUE;
}

/* Maps as the flags and the descriptor allow it. */
static gpointer
map_descriptor (const Descriptor   *descriptor,
                const QuireFdPages *pages,
                int                 fd,
                QuireFdFlags        flags,
                gboolean            readonly)
{
  gpointer mapping = MAP_FAILED;

  if (flags & QUIRE_FD_PRIVATE)
    return quire_fd_pages_map (pages, fd, readonly ? PROT_READ : QUIRE_FD_PROTECTION, MAP_PRIVATE);
  if (!readonly)
    return quire_fd_pages_map (pages, fd, QUIRE_FD_PROTECTION, MAP_SHARED);

  /* Private pages of a device need not be those of the device. */
  if (descriptor->size >= 0 && !descriptor->is_dma_buf)
    mapping = quire_fd_pages_map (pages, fd, QUIRE_FD_PROTECTION, QUIRE_FD_MAP_READONLY);
  if (mapping == MAP_FAILED)
    mapping = quire_fd_pages_map (pages, fd, PROT_READ, MAP_SHARED);
  return mapping;
}

static QuireFdKind
kind_of (const Descriptor *descriptor)
{
  if (descriptor->is_dma_buf)
    return QUIRE_FD_KIND_DMA_BUF;
  if (descriptor->size < 0 || (descriptor->seals & F_SEAL_SHRINK) != 0)
    return QUIRE_FD_KIND_STABLE;
  return QUIRE_FD_KIND_SIZED;
}

/**
 * quire_memory_new_from_fd: (skip)
 * @fd: a descriptor that can be mapped
 * @offset: where in the file the block begins, in bytes
 * @size: size of the block in bytes, or -1 for all to the end of the file
 * @flags: how to make the block
 *
 * Makes a block over a descriptor. [ctor@Memory.try_new_from_fd] also says why it fails.
 *
 * Returns: (transfer full) (nullable): a new block, or %NULL
 *
 * Since: 1.0
 */
QuireMemory *
quire_memory_new_from_fd (int          fd,
                          guint64      offset,
                          gssize       size,
                          QuireFdFlags flags)
{
  return quire_memory_try_new_from_fd (fd, offset, size, flags, NULL);
}

/**
 * quire_memory_try_new_from_fd: (constructor) (rename-to quire_memory_new_from_fd)
 * @fd: a descriptor that can be mapped
 * @offset: where in the file the block begins, in bytes; any offset will do
 * @size: size of the block in bytes, or -1 for all to the end of the file
 * @flags: how to make the block
 * @error: return location for an error
 *
 * Makes a block over a descriptor: of a file, of POSIX shared memory, of a dma-buf, or what
 * else can be mapped. The pages of the block are those of the file.
 *
 * The block is mapped once, for as long as it lives, and can be written if the descriptor
 * is open to read and write and is not sealed against writing; else it is read-only.
 *
 * A file that can be truncated is a danger to who has it mapped: what is no longer there
 * ends the process by SIGBUS. Each map of such a block looks at the size of the file, and
 * is refused with %QUIRE_MEMORY_ERROR_OUT_OF_RANGE if a part of the block is missing. What
 * is truncated while a map stands nobody can help; %QUIRE_FD_STABLE refuses every file of
 * which that could be done, with %QUIRE_MEMORY_ERROR_NOT_SUPPORTED.
 * [method@Memory.is_stable] tells. A file that is sealed against shrinking is stable.
 *
 * The other errors are %QUIRE_MEMORY_ERROR_OUT_OF_RANGE if the file has no such range,
 * %QUIRE_MEMORY_ERROR_NOT_MAPPABLE for a descriptor that can't be mapped,
 * %QUIRE_MEMORY_ERROR_CLOSED for one that is not open, %QUIRE_MEMORY_ERROR_TOO_LARGE,
 * %QUIRE_MEMORY_ERROR_NO_SPACE and %QUIRE_MEMORY_ERROR_NOT_SUPPORTED.
 *
 * Returns: (transfer full): a new block
 *
 * Since: 1.0
 */
QuireMemory *
quire_memory_try_new_from_fd (int           fd,
                              guint64       offset,
                              gssize        size,
                              QuireFdFlags  flags,
                              GError      **error)
{
  Descriptor descriptor;
  QuireFdPages pages;
  QuireFdKind kind;
  QuireFdMemory *block;
  gpointer mapping;
  gboolean readonly;
  gsize length;
  int own = fd;

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if ((flags & ~KNOWN_FLAGS) != 0)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
                   "The flags 0x%x have bits that mean nothing", (guint) flags);
      return NULL;
    }

  if (!look_at (fd, &descriptor, error) ||
      !find_size (&descriptor, fd, offset, size, &length, error))
    return NULL;

  kind = kind_of (&descriptor);
  if ((flags & QUIRE_FD_STABLE) && kind == QUIRE_FD_KIND_SIZED)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
                   "The file of %" G_GINT64_FORMAT " bytes behind descriptor %d is not sealed against shrinking",
                   descriptor.size, fd);
      return NULL;
    }

  readonly = (flags & QUIRE_FD_READONLY) ||
             (!(flags & QUIRE_FD_PRIVATE) &&
              (descriptor.access == O_RDONLY || (descriptor.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))));

  if (!(flags & QUIRE_FD_TAKE))
    own = fcntl (fd, F_DUPFD_CLOEXEC, 0);
  if (own < 0)
    {
      quire_error_set_errno (error, errno, "Can't duplicate descriptor %d", fd);
      return NULL;
    }

  quire_fd_pages_find (&pages, descriptor.page, offset, length);
  mapping = map_descriptor (&descriptor, &pages, own, flags, readonly);
  if (mapping == MAP_FAILED)
    {
      const int errnum = errno;

      if (errnum == ENODEV || errnum == EACCES || errnum == EPERM || errnum == EINVAL)
        refuse_unmappable (fd, g_strerror (errnum), error);
      else
        quire_error_set_errno (error, errnum, "Can't map %" G_GSIZE_FORMAT " bytes of descriptor %d", length, fd);
      if (own != fd)
        close (own);
      return NULL;
    }

  block = quire_fd_memory_new (get_allocator (), own, kind, &pages, mapping,
                               readonly ? QUIRE_MEMORY_FLAG_READONLY : QUIRE_MEMORY_FLAG_NONE,
                               length, quire_fd_pages_get_align (&pages), 0, length);
  block->is_private = (flags & QUIRE_FD_PRIVATE) != 0;
  return &block->memory;
}

/**
 * quire_memory_get_fd:
 * @memory: a block
 * @offset: (out) (optional): where the data of the block begins in the file, in bytes
 *
 * Tells the descriptor that the block is over, and where in its file the data is: of a
 * share, and of a block that a pool has over such a one, as well.
 *
 * The descriptor is the block's: don't close it, and don't use it for longer than you have
 * the block. [method@Memory.try_dup_fd] gives one of your own.
 *
 * Returns: the descriptor; -1, with an @offset of 0, if the block has none, or has data that
 *   is not that of the file (%QUIRE_FD_PRIVATE)
 *
 * Since: 1.0
 */
int
quire_memory_get_fd (QuireMemory *memory,
                     guint64     *offset)
{
  QuireFdMemory *block;
  gsize start;

  if (offset != NULL)
    *offset = 0;

  g_return_val_if_fail (memory != NULL, -1);

  block = quire_fd_memory_find (memory, &start);
  if (block == NULL || block->is_private)
    return -1;

  if (offset != NULL)
    *offset = block->file_offset + start;
  return block->fd;
}

/**
 * quire_memory_dup_fd: (skip)
 * @memory: a block
 *
 * Gives a descriptor of the file that the block is over. [method@Memory.try_dup_fd] also
 * says why it fails.
 *
 * Returns: the descriptor, which the caller closes; -1 if there is none
 *
 * Since: 1.0
 */
int
quire_memory_dup_fd (QuireMemory *memory)
{
  return quire_memory_try_dup_fd (memory, NULL);
}

/* A descriptor of the same file that nobody can write by. */
static int
reopen_readonly (int fd)
{
  char path[64];
  int result;

  g_snprintf (path, sizeof path, "/proc/self/fd/%d", fd);
  do
    result = open (path, O_RDONLY | O_CLOEXEC);
  while (result < 0 && errno == EINTR);

  return result;
}

/* Whether a descriptor lets its owner write, where he should not. */
static gboolean
is_writable (int fd)
{
  const int flags = fcntl (fd, F_GETFL);
  const int seals = fcntl (fd, F_GET_SEALS);

  return (flags < 0 || (flags & O_ACCMODE) != O_RDONLY) &&
         (seals < 0 || (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) == 0);
}

/**
 * quire_memory_try_dup_fd: (rename-to quire_memory_dup_fd)
 * @memory: a block
 * @error: return location for an error
 *
 * Gives a descriptor of the file that the block is over, to hand on. If the block is
 * read-only, as every share is, it is one that nobody can write by.
 *
 * [method@Memory.get_fd] tells where in the file the data is.
 *
 * The errors are %QUIRE_MEMORY_ERROR_NOT_SUPPORTED for a block that has no descriptor,
 * %QUIRE_MEMORY_ERROR_CLOSED, and %QUIRE_MEMORY_ERROR_NO_SPACE when the process has as
 * many as it may have.
 *
 * Returns: the descriptor, which the caller closes
 *
 * Since: 1.0
 */
int
quire_memory_try_dup_fd (QuireMemory *memory,
                         GError     **error)
{
  int fd, result;

  g_return_val_if_fail (memory != NULL, -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  if (!quire_memory_check_access (memory, QUIRE_MAP_READ, error))
    return -1;

  fd = quire_memory_get_fd (memory, NULL);
  if (fd < 0)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
                   "The block of %" G_GSIZE_FORMAT " bytes, of the allocator %s, has no descriptor",
                   quire_atomic_load_relaxed (&memory->size),
                   quire_allocator_get_mem_type (memory->allocator));
      return -1;
    }

  if (quire_memory_has_flags (memory, QUIRE_MEMORY_FLAG_READONLY) && is_writable (fd))
    result = reopen_readonly (fd);
  else
    result = fcntl (fd, F_DUPFD_CLOEXEC, 0);

  if (result < 0)
    quire_error_set_errno (error, errno, "Can't duplicate descriptor %d", fd);
  return result;
}

/**
 * quire_memory_is_stable:
 * @memory: a block
 *
 * Tells whether the data of the block can't vanish under a map: %FALSE of a block over a
 * file that somebody could truncate, see [ctor@Memory.try_new_from_fd].
 *
 * Returns: whether the data stays
 *
 * Since: 1.0
 */
gboolean
quire_memory_is_stable (QuireMemory *memory)
{
  QuireFdMemory *block;
  gsize start;
  int seals;

  g_return_val_if_fail (memory != NULL, FALSE);

  block = quire_fd_memory_find (memory, &start);
  if (block == NULL || block->kind != QUIRE_FD_KIND_SIZED)
    return TRUE;

  /* It may have been sealed since. */
  seals = fcntl (block->fd, F_GET_SEALS);
  return seals >= 0 && (seals & F_SEAL_SHRINK) != 0;
}
