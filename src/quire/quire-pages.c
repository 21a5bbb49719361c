/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-pages-private.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "quire-error-private.h"
#include "quire-range-private.h"

#if defined(__SANITIZE_ADDRESS__)
# define HAVE_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
# if __has_feature(address_sanitizer)
#  define HAVE_ADDRESS_SANITIZER 1
# endif
#endif

#ifndef MAP_NORESERVE
# define MAP_NORESERVE 0
#endif

#define HUGE_PAGES "/sys/kernel/mm/transparent_hugepage/"

gsize
quire_pages_get_size (void)
{
  static gsize page;

  if (g_once_init_enter (&page))
    g_once_init_leave (&page, (gsize) sysconf (_SC_PAGESIZE));

  return page;
}

/* Rounds up to whole pages. */
static gboolean
round_up (gsize  size,
          gsize *rounded)
{
  const gsize mask = quire_pages_get_size () - 1;

  if (!g_size_checked_add (rounded, size, mask))
    return FALSE;

  *rounded &= ~mask;
  return TRUE;
}

/*
 * quire_pages_map:
 * @align: what is @offset bytes into the block is to be aligned like this, as a mask
 * @size: size of the block in bytes
 * @start: (out): where the block starts, within the pages
 *
 * Maps pages for a block, with a fence before and a fence after them. The block ends as
 * close to the latter as its alignment allows. All bytes are zero.
 */
gboolean
quire_pages_map (QuirePages *pages,
                 gsize       align,
                 gsize       offset,
                 gsize       size,
                 guint8    **start,
                 GError    **error)
{
  const gsize page = quire_pages_get_size ();
  gsize total;
  guint8 *mapping, *end, *block;
  int errnum = ENOMEM;

  *pages = (QuirePages) { NULL, };

  if (!g_size_checked_add (&total, size, align) ||
      !g_size_checked_add (&total, total, 2 * page) ||
      !round_up (total, &total) ||
      total > G_MAXSSIZE)
    goto fail;

  mapping = mmap (NULL, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED)
    {
      errnum = errno;
      goto fail;
    }

  block = mapping + total - page - size;
  block -= ((guintptr) block + offset) & align;
  end = block + size;

  pages->data = block - ((guintptr) block & (page - 1));
  end += -(guintptr) end & (page - 1);
  pages->size = (gsize) (end - pages->data);

  /* One page is fence enough; the rest was for the alignment. */
  pages->mapping = pages->data - page;
  pages->mapping_size = pages->size + 2 * page;
  if (pages->mapping > mapping)
    munmap (mapping, (gsize) (pages->mapping - mapping));
  if (end + page < mapping + total)
    munmap (end + page, (gsize) (mapping + total - (end + page)));

  if (pages->size > 0 && mprotect (pages->data, pages->size, PROT_READ | PROT_WRITE) != 0)
    {
      errnum = errno;
      quire_pages_unmap (pages);
      goto fail;
    }

  *start = block;
  return TRUE;

fail:
  quire_error_set_errno (error, errnum,
                         "The system has no pages for a block of %" G_GSIZE_FORMAT
                         " bytes with an alignment of %" G_GSIZE_FORMAT, size, align);
  return FALSE;
}

/*
 * quire_pages_forbid:
 *
 * Makes a fence of all the pages: their memory goes, their addresses stay taken.
 */
gboolean
quire_pages_forbid (QuirePages *pages)
{
  return pages->size == 0 ||
         mmap (pages->data, pages->size, PROT_NONE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED;
}

void
quire_pages_unmap (QuirePages *pages)
{
  munmap (pages->mapping, pages->mapping_size);
  *pages = (QuirePages) { NULL, };
}

/* How large a huge page is, if the system gives them to who asks; else 0. */
static gsize
find_huge (void)
{
  g_autofree char *enabled = NULL;
  g_autofree char *size = NULL;
  guint64 huge;

  if (!g_file_get_contents (HUGE_PAGES "enabled", &enabled, NULL, NULL) ||
      !g_file_get_contents (HUGE_PAGES "hpage_pmd_size", &size, NULL, NULL) ||
      strstr (enabled, "[never]") != NULL)
    return 0;

  /* Some platforms have pages of 512 MiB. A block gives away as much address space. */
  huge = g_ascii_strtoull (size, NULL, 10);
  if (huge == 0 || (huge & (huge - 1)) != 0 || huge > 32 * 1024 * 1024)
    return 0;

  return (gsize) huge;
}

/*
 * quire_pages_get_huge:
 * @size: size of a block in bytes, at least %QUIRE_PAGES_LARGE
 *
 * Returns: the size of the huge pages that such a block should have, or 0 for none
 */
gsize
quire_pages_get_huge (gsize size)
{
#if defined(MADV_HUGEPAGE) && !defined(HAVE_ADDRESS_SANITIZER)
  static gsize huge;

  /* The 1 tells 0 from what is not known. */
  if (g_once_init_enter (&huge))
    g_once_init_leave (&huge, find_huge () + 1);

  return size >= huge - 1 ? huge - 1 : 0;
#else
  /* The address sanitizer shall know where a block ends, to the byte. */
  (void) find_huge;
  return 0;
#endif
}

/*
 * quire_pages_advise_huge:
 * @start: where a block starts
 * @end: where what may become huge pages ends
 * @huge: the size of a huge page
 *
 * Asks for huge pages where whole ones fit. It is but a wish, so nobody wants to know
 * whether it was granted.
 */
void
quire_pages_advise_huge (guint8 *start,
                         guint8 *end,
                         gsize   huge)
{
#ifdef MADV_HUGEPAGE
  start += -(guintptr) start & (huge - 1);
  end -= (guintptr) end & (huge - 1);

  if (start < end)
    {
      const int errnum = errno;

      madvise (start, (gsize) (end - start), MADV_HUGEPAGE);
      errno = errnum;
    }
#endif
}
