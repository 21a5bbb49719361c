/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-fd-mapping-private.h"

#include <errno.h>

/*
 * quire_fd_mapping_find:
 * @page: size of a page
 * @offset: where a block is in the file; offset + size is within a file's range
 * @size: its size in bytes
 *
 * Finds the pages that a block is in, and does not map them yet.
 */
void
quire_fd_mapping_find (QuireFdMapping *mapping,
                       gsize           page,
                       gboolean        is_huge,
                       guint64         offset,
                       gsize           size)
{
  const gsize lead = (gsize) (offset & (page - 1));

  *mapping = (QuireFdMapping) {
    .page = page,
    .is_huge = is_huge,
    .file_start = offset - lead,
    .lead = lead,
    /* Both are at most G_MAXSSIZE, and page a power of two. */
    .size = size > 0 ? (lead + size + page - 1) & ~(page - 1) : 0,
  };
}

/* Maps the pages so that what is @offset bytes into them is aligned beyond a page. */
static guint8 *
map_aligned (const QuireFdMapping *mapping,
             int                   fd,
             int                   protection,
             int                   flags,
             gsize                 offset,
             gsize                 align)
{
  guint8 *room, *address;
  gsize total, before, after;

  /* Room enough for every place, of which the right one is taken. */
  if (!g_size_checked_add (&total, mapping->size, align))
    {
      errno = ENOMEM;
      return MAP_FAILED;
    }
  room = mmap (NULL, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED)
    return MAP_FAILED;

  address = room + (-((guintptr) room + offset) & align);
  if (mmap (address, mapping->size, protection, flags | MAP_FIXED, fd, (off_t) mapping->file_start) == MAP_FAILED)
    {
      const int errnum = errno;

      munmap (room, total);
      errno = errnum;
      return MAP_FAILED;
    }

  before = (gsize) (address - room);
  after = total - before - mapping->size;
  if (before > 0)
    munmap (room, before);
  if (after > 0)
    munmap (address + mapping->size, after);
  return address;
}

/*
 * quire_fd_mapping_map:
 * @offset: from the start of the pages
 * @align: how that place shall be aligned, as a mask. Within a page, the file decides
 *
 * Maps the pages.
 *
 * Returns: %TRUE, or %FALSE with errno set
 */
gboolean
quire_fd_mapping_map (QuireFdMapping *mapping,
                      int             fd,
                      int             protection,
                      int             flags,
                      gsize           offset,
                      gsize           align)
{
  guint8 *address;

  if (mapping->size == 0)
    return TRUE;

  if (align < mapping->page)
    address = mmap (NULL, mapping->size, protection, flags, fd, (off_t) mapping->file_start);
  else
    address = map_aligned (mapping, fd, protection, flags, offset, align);
  if (address == MAP_FAILED)
    return FALSE;

  mapping->address = address;
  mapping->protection = protection;
  mapping->flags = flags;
  return TRUE;
}

/*
 * quire_fd_mapping_map_again:
 * @flags: MAP_SHARED, or what quire_fd_mapping_apart() gives
 *
 * Maps the pages in another way at the same place, in one step: who looks at them meanwhile
 * sees them as they are. Not by MAP_FIXED, which may leave nothing there when it fails.
 *
 * Returns: %TRUE, or %FALSE with errno set and all as before
 */
gboolean
quire_fd_mapping_map_again (QuireFdMapping *mapping,
                            int             fd,
                            int             flags)
{
  gpointer fresh;

  if (mapping->size == 0)
    return TRUE;

  fresh = mmap (NULL, mapping->size, mapping->protection, flags, fd, (off_t) mapping->file_start);
  if (fresh == MAP_FAILED)
    return FALSE;

  if (mremap (fresh, mapping->size, mapping->size, MREMAP_MAYMOVE | MREMAP_FIXED, mapping->address) == MAP_FAILED)
    {
      const int errnum = errno;

      munmap (fresh, mapping->size);
      errno = errnum;
      return FALSE;
    }

  mapping->flags = flags;
  return TRUE;
}

void
quire_fd_mapping_unmap (QuireFdMapping *mapping)
{
  if (mapping->address != NULL)
    munmap (mapping->address, mapping->size);
}

/*
 * quire_fd_mapping_apart:
 *
 * The flags of a mapping that shows what is in the file, and writes to pages of its own:
 * each is that of the file until it is written to. For huge pages there must be a reserve,
 * for a write that finds none ends the process.
 */
int
quire_fd_mapping_apart (QuireFdMapping *mapping)
{
  return mapping->is_huge ? MAP_PRIVATE : MAP_PRIVATE | MAP_NORESERVE;
}
