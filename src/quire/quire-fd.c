/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-fd.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "quire-allocator.h"
#include "quire-descriptor-private.h"
#include "quire-error-private.h"
#include "quire-fd-allocator-private.h"
#include "quire-system-allocator-private.h"

#define KNOWN_FLAGS \
  (QUIRE_FD_TAKE | QUIRE_FD_BORROW | QUIRE_FD_READONLY | QUIRE_FD_PRIVATE | QUIRE_FD_STABLE)

/* The one allocator of all such blocks. */
static QuireAllocator *
get_allocator (void)
{
  static QuireAllocator *instance;

  if (g_once_init_enter (&instance))
    g_once_init_leave (&instance, g_object_new (QUIRE_TYPE_FD_ALLOCATOR, NULL));

  return instance;
}

/* How a block is aligned that begins where its place in the file says. */
static gsize
align_of (const QuireFdMapping *mapping)
{
  const gsize lowest_bit = mapping->lead & -mapping->lead;

  return mapping->lead == 0 ? QUIRE_DEFAULT_ALIGN : MIN (lowest_bit - 1, QUIRE_DEFAULT_ALIGN);
}

static gboolean
check_flags (QuireFdFlags flags,
             GError     **error)
{
  if ((flags & ~KNOWN_FLAGS) != 0)
    g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
                 "The flags 0x%x have bits that mean nothing", (guint) flags);
  else if ((flags & QUIRE_FD_TAKE) && (flags & QUIRE_FD_BORROW))
    g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
                 "The flags 0x%x ask to take the descriptor and to borrow it", (guint) flags);
  else
    return TRUE;

  return FALSE;
}

/* Whether the block can't be written, be it asked for or not. */
static gboolean
is_readonly (const QuireDescriptor *descriptor,
             QuireFdFlags           flags)
{
  if (flags & QUIRE_FD_READONLY)
    return TRUE;
  if (flags & QUIRE_FD_PRIVATE)
    return FALSE;

  return descriptor->access == O_RDONLY || (descriptor->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) != 0;
}

/* Maps as the flags and the descriptor allow it.
 *
 * A private mapping of a file shows the file's own pages until it is written to. So it serves
 * for what shall be read only: who writes there nevertheless, as JavaScript lets him, gets a
 * page of his own, where he would end the process otherwise. Of a device the private pages
 * may be others, and of huge ones there are too few for that. */
static gboolean
map_descriptor (const QuireDescriptor *descriptor,
                QuireFdMapping        *mapping,
                int                    fd,
                QuireFdFlags           flags)
{
  if (!is_readonly (descriptor, flags))
    return quire_fd_mapping_map (mapping, fd, QUIRE_FD_READWRITE,
                                 (flags & QUIRE_FD_PRIVATE) ? MAP_PRIVATE : MAP_SHARED, 0, 0);

  if (descriptor->is_file && !descriptor->is_huge &&
      quire_fd_mapping_map (mapping, fd, QUIRE_FD_READWRITE, MAP_PRIVATE | MAP_NORESERVE, 0, 0))
    return TRUE;

  /* Some systems refuse a shared one of what is sealed against writing. */
  return quire_fd_mapping_map (mapping, fd, PROT_READ, MAP_SHARED, 0, 0) ||
         (descriptor->is_file &&
          quire_fd_mapping_map (mapping, fd, PROT_READ, MAP_PRIVATE | MAP_NORESERVE, 0, 0));
}

static QuireFdKind
kind_of (const QuireDescriptor *descriptor)
{
  if (descriptor->is_dma_buf)
    return QUIRE_FD_KIND_DMA_BUF;
  if (descriptor->size < 0 || (descriptor->seals & F_SEAL_SHRINK) != 0)
    return QUIRE_FD_KIND_STABLE;
  return QUIRE_FD_KIND_SIZED;
}

/* Says why it could not be mapped. */
static void
set_map_error (int      fd,
               gsize    length,
               int      errnum,
               GError **error)
{
  switch (errnum)
    {
    case EACCES:
    case EINVAL:
    case ENODEV:
    case ENXIO:
    case EPERM:
      quire_descriptor_refuse (fd, g_strerror (errnum), error);
      break;
    default:
      quire_error_set_errno (error, errnum, "Can't map %" G_GSIZE_FORMAT " bytes of descriptor %d", length, fd);
      break;
    }
}

/* The block of a descriptor that has been looked at. */
static QuireMemory *
block_new (const QuireDescriptor *descriptor,
           int                    fd,
           guint64                offset,
           gsize                  length,
           QuireFdFlags           flags,
           GError               **error)
{
  QuireFdMapping mapping;
  QuireFdMemory *block;
  int own = fd;

  if ((flags & (QUIRE_FD_TAKE | QUIRE_FD_BORROW)) == 0)
    own = fcntl (fd, F_DUPFD_CLOEXEC, 0);
  if (own < 0)
    {
      quire_error_set_errno (error, errno, "Can't duplicate descriptor %d", fd);
      return NULL;
    }

  quire_fd_mapping_find (&mapping, descriptor->page, descriptor->is_huge, offset, length);
  if (!map_descriptor (descriptor, &mapping, own, flags))
    {
      set_map_error (fd, length, errno, error);
      if (own != fd)
        close (own);
      return NULL;
    }

  block = quire_fd_memory_new (get_allocator (), own, kind_of (descriptor), &mapping,
                               is_readonly (descriptor, flags) ? QUIRE_MEMORY_FLAG_READONLY : QUIRE_MEMORY_FLAG_NONE,
                               length, align_of (&mapping), 0, length);
  block->is_borrowed = (flags & QUIRE_FD_BORROW) != 0;
  block->is_private = (flags & QUIRE_FD_PRIVATE) != 0;
  return &block->memory;
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
 * Makes a block over a descriptor: of a file, a disk, POSIX shared memory, a dma-buf or what
 * else can be mapped. The pages of the block are those of the file; a device has no size to be
 * found out, so @size has to be said.
 *
 * The pages are mapped once, for as long as the block lives. It can be written if the
 * descriptor is open to read and write and is not sealed against writing; else it is
 * read-only. By default it has a duplicate of @fd.
 *
 * A file that can be truncated is a danger to who has it mapped: what is no longer there
 * ends the process by SIGBUS. Each map of such a block looks at the size of the file, and
 * is refused with %QUIRE_MEMORY_ERROR_OUT_OF_RANGE if a part of the block is missing. What
 * is truncated while a map stands nobody can help; %QUIRE_FD_STABLE refuses every file of
 * which that could be done, with %QUIRE_MEMORY_ERROR_NOT_SUPPORTED.
 * [method@Memory.is_stable] tells. A file that is sealed against shrinking is stable.
 *
 * Each map of a dma-buf is told to its driver, with the access that is asked for
 * (`DMA_BUF_IOCTL_SYNC`), and so is its end.
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
  QuireDescriptor descriptor;
  gsize length;

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!check_flags (flags, error) ||
      !quire_descriptor_look (&descriptor, fd, error) ||
      !quire_descriptor_find_size (&descriptor, fd, offset, size, &length, error))
    return NULL;

  if ((flags & QUIRE_FD_STABLE) && kind_of (&descriptor) == QUIRE_FD_KIND_SIZED)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
                   "The file of %" G_GINT64_FORMAT " bytes behind descriptor %d is not sealed against shrinking",
                   descriptor.size, fd);
      return NULL;
    }

  return block_new (&descriptor, fd, offset, length, flags, error);
}

/* The block that others can have too by its descriptor. */
static QuireFdMemory *
find_public (QuireMemory *memory,
             gsize       *offset)
{
  QuireFdMemory *block = quire_fd_memory_find (memory, offset);

  return block != NULL && !block->is_private ? block : NULL;
}

/**
 * quire_memory_get_fd:
 * @memory: a block
 * @offset: (out) (optional): where the data of the block begins in the file, in bytes
 *
 * Tells the descriptor that the block is over, and where in its file the data is: of a
 * share, and of a block that a pool has over such a one, as well.
 *
 * [method@Memory.try_resize] moves the offset too. Who maps the file himself finds the data
 * there; what he does is outside the lock of the block.
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

  block = find_public (memory, &start);
  if (block == NULL)
    return -1;

  if (offset != NULL)
    *offset = quire_fd_memory_get_offset (block) + start;
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

/* Whether a descriptor lets its owner write, where he should not. */
static gboolean
is_writable (int fd)
{
  const int flags = fcntl (fd, F_GETFL);
  const int seals = fcntl (fd, F_GET_SEALS);

  return (flags < 0 || (flags & O_ACCMODE) != O_RDONLY) &&
         (seals < 0 || (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) == 0);
}

/* A descriptor of the same file that can only read. To open a device once more would be
 * something else than to duplicate its descriptor. */
static int
reopen_readonly (QuireFdMemory *block,
                 GError       **error)
{
  char path[64];
  int result;

  if (!block->is_file)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
                   "Of descriptor %d, which is no file, there is no duplicate that can only read", block->fd);
      return -1;
    }

  g_snprintf (path, sizeof path, "/proc/self/fd/%d", block->fd);
  do
    result = open (path, O_RDONLY | O_CLOEXEC);
  while (result < 0 && errno == EINTR);

  if (result < 0)
    quire_error_set_errno (error, errno, "Can't open descriptor %d once more, to read only", block->fd);
  return result;
}

static int
duplicate (QuireFdMemory *block,
           GError       **error)
{
  const int result = fcntl (block->fd, F_DUPFD_CLOEXEC, 0);

  if (result < 0)
    quire_error_set_errno (error, errno, "Can't duplicate descriptor %d", block->fd);
  return result;
}

/**
 * quire_memory_try_dup_fd: (rename-to quire_memory_dup_fd)
 * @memory: a block
 * @error: return location for an error
 *
 * Gives a descriptor of the file that the block is over, to hand on. [method@Memory.get_fd]
 * tells where in the file the data is.
 *
 * If the block is read-only, as every share is, the descriptor is one to read only. That
 * keeps others from writing by mistake; but who may open the file can open it once more to
 * write, also by `/proc/self/fd`. A seal can't be got around: see
 * [method@Memory.try_add_seals].
 *
 * The errors are %QUIRE_MEMORY_ERROR_NOT_SUPPORTED for a block that has no descriptor, or if
 * it is read-only and its descriptor one that can write and is no file's,
 * %QUIRE_MEMORY_ERROR_CLOSED, and %QUIRE_MEMORY_ERROR_NO_SPACE when the process has as
 * many descriptors as it may have.
 *
 * Returns: the descriptor, which the caller closes
 *
 * Since: 1.0
 */
int
quire_memory_try_dup_fd (QuireMemory *memory,
                         GError     **error)
{
  QuireFdMemory *block;
  gsize offset;

  g_return_val_if_fail (memory != NULL, -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  if (!quire_memory_check_access (memory, QUIRE_MAP_READ, error))
    return -1;

  block = find_public (memory, &offset);
  if (block == NULL)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
                   "The block of %" G_GSIZE_FORMAT " bytes, of the allocator %s, has no descriptor",
                   quire_atomic_load_relaxed (&memory->size),
                   quire_allocator_get_mem_type (memory->allocator));
      return -1;
    }

  if (!quire_descriptor_still_has (block->fd, block->dev, block->ino, 0, error))
    return -1;

  if (quire_memory_has_flags (memory, QUIRE_MEMORY_FLAG_READONLY) && is_writable (block->fd))
    return reopen_readonly (block, error);

  return duplicate (block, error);
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

  /* It may have been sealed since: in time, or too late. */
  seals = fcntl (block->fd, F_GET_SEALS);
  return seals >= 0 && (seals & F_SEAL_SHRINK) != 0 && quire_fd_memory_check_file (block, NULL);
}
