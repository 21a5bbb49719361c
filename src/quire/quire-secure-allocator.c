/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-secure-allocator.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "quire-allocation-params.h"
#include "quire-error-private.h"
#include "quire-memory-private.h"
#include "quire-pages-private.h"

/**
 * QuireSecureAllocator:
 *
 * An allocator, of the type `secure`, for keys, passwords and what else is secret.
 *
 * Each block has pages of its own, between two fences as those of a
 * [class@GuardAllocator]. They are locked, so that they are never written to a swap device;
 * left out of core dumps; empty in the child of a `fork()`; and wiped when the block is
 * freed. The struct of the block is elsewhere, and has nothing secret.
 *
 * How much a process may lock is bounded, by `RLIMIT_MEMLOCK`, and each block counts with
 * whole pages. Beyond the limit there is no block: %QUIRE_MEMORY_ERROR_NO_SPACE.
 *
 * Copies of a block, and of shares of it, are blocks of the allocator as well, and so is
 * what it is merged into. Bytes of [method@Memory.try_to_bytes] are the block itself. But
 * what [method@Memory.try_read_bytes] gives, or a language copies into its own objects, is
 * ordinary memory, out of Quire's reach.
 *
 * [func@Allocator.find] knows one by the name `secure`. All functions are thread-safe.
 *
 * Since: 1.0
 */
struct _QuireSecureAllocator
{
  QuireAllocator parent_instance;
};

typedef struct
{
  QuireMemory memory;
  QuirePages  pages;
} QuireSecureMemory;

G_DEFINE_FINAL_TYPE (QuireSecureAllocator, quire_secure_allocator, QUIRE_TYPE_ALLOCATOR)

static void
set_not_locked (GError **error,
                gsize    size,
                int      errnum)
{
  struct rlimit limit;
  g_autofree char *words = NULL;

  if (getrlimit (RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    words = g_strdup ("no limit on them");
  else
    words = g_strdup_printf ("a limit of %" G_GUINT64_FORMAT " on all that are locked",
                             (guint64) limit.rlim_cur);

  g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NO_SPACE,
               "Can't lock %" G_GSIZE_FORMAT " bytes of pages in memory, with %s: %s",
               size, words, g_strerror (errnum));
}

/* All that is promised of the pages holds, or they are not used. */
static gboolean
secure_pages (QuirePages *pages,
              GError    **error)
{
  static const struct
  {
    int         advice;
    const char *words;
  } advices[] = {
#ifdef MADV_DONTDUMP
    { MADV_DONTDUMP, "left out of core dumps" },
#endif
#ifdef MADV_WIPEONFORK
    /* A child has the addresses, as zeros. To have nothing there would be its end if it
     * went on to use the block. */
    { MADV_WIPEONFORK, "kept from the children of the process" },
#endif
  };

  for (gsize i = 0; i < G_N_ELEMENTS (advices); i++)
    {
      if (madvise (pages->data, pages->size, advices[i].advice) != 0)
        {
          quire_error_set_errno (error, errno, "%" G_GSIZE_FORMAT " bytes of pages can't be %s",
                                 pages->size, advices[i].words);
          return FALSE;
        }
    }

  /* Pages are made when they are locked. Where there can't be as many, a process without a
   * limit would be killed for trying. */
  if (pages->size / quire_pages_get_size () > (gsize) sysconf (_SC_PHYS_PAGES))
    {
      set_not_locked (error, pages->size, ENOMEM);
      return FALSE;
    }
  if (mlock (pages->data, pages->size) != 0)
    {
      set_not_locked (error, pages->size, errno);
      return FALSE;
    }

  return TRUE;
}

static QuireMemory *
quire_secure_allocator_alloc (QuireAllocator              *allocator,
                              gsize                        size,
                              const QuireAllocationParams *params,
                              GError                     **error)
{
  const gsize align = params->align | quire_allocator_get_default_align ();
  const gsize maxsize = params->prefix + size + params->padding;
  QuireSecureMemory *secure;
  QuirePages pages;
  guint8 *start;

  if (!quire_pages_map (&pages, align, params->prefix, maxsize, &start, error))
    return NULL;

  if (pages.size > 0 && !secure_pages (&pages, error))
    {
      quire_pages_unmap (&pages);
      return NULL;
    }

  secure = g_new (QuireSecureMemory, 1);
  quire_memory_init (&secure->memory, params->flags, allocator, NULL,
                     maxsize, align, params->prefix, size);
  quire_memory_init_internal (&secure->memory, QUIRE_MEMORY_INTERNAL_SECRET, start);
  secure->pages = pages;

  return &secure->memory;
}

static void
quire_secure_allocator_free (QuireAllocator *allocator,
                             QuireMemory    *memory)
{
  QuireSecureMemory *secure = (QuireSecureMemory *) memory;

  /* While they are locked still; the lock ends with the mapping. */
  if (secure->pages.size > 0)
    explicit_bzero (secure->pages.data, secure->pages.size);
  quire_pages_unmap (&secure->pages);
  g_free (secure);
}

static void
quire_secure_allocator_class_init (QuireSecureAllocatorClass *klass)
{
  QuireAllocatorClass *allocator_class = QUIRE_ALLOCATOR_CLASS (klass);

  allocator_class->mem_type = "secure";
  allocator_class->alloc = quire_secure_allocator_alloc;
  allocator_class->free = quire_secure_allocator_free;
}

static void
quire_secure_allocator_init (QuireSecureAllocator *self)
{
}

/**
 * quire_secure_allocator_new:
 *
 * Makes an allocator of blocks for what is secret. All of them are alike; there is one
 * that [func@Allocator.find] knows as `secure`.
 *
 * Returns: (transfer full): a new allocator
 *
 * Since: 1.0
 */
QuireSecureAllocator *
quire_secure_allocator_new (void)
{
  return g_object_new (QUIRE_TYPE_SECURE_ALLOCATOR, NULL);
}
