/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-descriptor-private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/fs.h>
#include <linux/magic.h>

#include "quire-error-private.h"

gboolean
quire_descriptor_refuse (int          fd,
                         const char  *why,
                         GError     **error)
{
  g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_MAPPABLE,
               "Descriptor %d can't be mapped: %s", fd, why);
  return FALSE;
}

/* The size of a file or a disk; -1 of what has none. */
static gint64
find_end (int                fd,
          const struct stat *status)
{
  guint64 size;

  if (S_ISREG (status->st_mode))
    return status->st_size;
  if (S_ISBLK (status->st_mode) && ioctl (fd, BLKGETSIZE64, &size) == 0 && size <= G_MAXINT64)
    return (gint64) size;

  return -1;
}

/*
 * quire_descriptor_look:
 *
 * Looks at a descriptor, and refuses what is known to have no pages.
 */
gboolean
quire_descriptor_look (QuireDescriptor *descriptor,
                       int              fd,
                       GError         **error)
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

  if (flags & O_PATH)
    return quire_descriptor_refuse (fd, "it is one of a path only", error);
  if ((flags & O_ACCMODE) == O_WRONLY)
    return quire_descriptor_refuse (fd, "it is open to write only", error);
  if (S_ISDIR (status.st_mode))
    return quire_descriptor_refuse (fd, "it is a directory", error);
  if (S_ISFIFO (status.st_mode))
    return quire_descriptor_refuse (fd, "it is a pipe", error);
  if (S_ISSOCK (status.st_mode))
    return quire_descriptor_refuse (fd, "it is a socket", error);

  seals = fcntl (fd, F_GET_SEALS);
  *descriptor = (QuireDescriptor) {
    .access = flags & O_ACCMODE,
    .seals = seals > 0 ? (guint) seals : 0,
    .is_dma_buf = filesystem.f_type == DMA_BUF_MAGIC,
    .page = (gsize) sysconf (_SC_PAGESIZE),
    .size = find_end (fd, &status),
    .dev = status.st_dev,
    .ino = status.st_ino,
  };

  if (descriptor->is_dma_buf)
    {
      /* Which moves nothing: a dma-buf has no position. */
      descriptor->size = lseek (fd, 0, SEEK_END);
    }
  else
    {
      descriptor->is_file = S_ISREG (status.st_mode);
      descriptor->is_huge = filesystem.f_type == HUGETLBFS_MAGIC;
      if (descriptor->is_huge)
        descriptor->page = (gsize) filesystem.f_bsize;
    }

  return TRUE;
}

/*
 * quire_descriptor_find_size:
 * @size: or -1, to the end
 *
 * Finds how large a block is. Now offset + size <= G_MAXINT64, and within what is there.
 */
gboolean
quire_descriptor_find_size (const QuireDescriptor *descriptor,
                            int                    fd,
                            guint64                offset,
                            gssize                 size,
                            gsize                 *found,
                            GError               **error)
{
  const guint64 end = descriptor->size >= 0 ? (guint64) descriptor->size : G_MAXINT64;

  if (size == -1 && descriptor->size < 0)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
                   "Descriptor %d has no size of its own: say how many bytes of it to map", fd);
      return FALSE;
    }

  if (size < -1 || offset > end || (size >= 0 && (guint64) size > end - offset))
    {
      if (size == -1)
        g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_OUT_OF_RANGE,
                     "Can't map from offset %" G_GUINT64_FORMAT " to the end of the %" G_GUINT64_FORMAT
                     " bytes of descriptor %d", offset, end, fd);
      else
        g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_OUT_OF_RANGE,
                     "Can't map %" G_GSSIZE_FORMAT " bytes at offset %" G_GUINT64_FORMAT " of the %" G_GUINT64_FORMAT
                     " bytes of descriptor %d", size, offset, end, fd);
      return FALSE;
    }

  if (size == -1 && end - offset > G_MAXSSIZE)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_TOO_LARGE,
                   "The %" G_GUINT64_FORMAT " bytes to the end of descriptor %d are beyond %" G_GSSIZE_FORMAT,
                   end - offset, fd, G_MAXSSIZE);
      return FALSE;
    }

  *found = size == -1 ? (gsize) (end - offset) : (gsize) size;
  return TRUE;
}

/*
 * quire_descriptor_still_has:
 * @dev: with @ino, which file it was
 * @end: how large it has to be
 *
 * Whether a file is as large as it was; and whether it is still that file: a script may have
 * closed the descriptor, and the system have given the number away again.
 */
gboolean
quire_descriptor_still_has (int       fd,
                            dev_t     dev,
                            ino_t     ino,
                            guint64   end,
                            GError  **error)
{
  struct stat status;
  gint64 size;

  if (fstat (fd, &status) != 0)
    {
      quire_error_set_errno (error, errno, "Can't look at the size of descriptor %d", fd);
      return FALSE;
    }
  if (status.st_dev != dev || status.st_ino != ino)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_CLOSED,
                   "Descriptor %d is not that of the block any more", fd);
      return FALSE;
    }

  size = find_end (fd, &status);
  if (size >= 0 && (guint64) size < end)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_OUT_OF_RANGE,
                   "The file was truncated to %" G_GINT64_FORMAT " bytes, of which the block needs %" G_GUINT64_FORMAT,
                   size, end);
      return FALSE;
    }

  return TRUE;
}
