/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-system-allocator-private.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "quire-error.h"
#include "quire-memory-private.h"
#include "quire-pages-private.h"
#include "quire-range-private.h"

typedef struct
{
  QuireMemory    memory;

  /* For wrapped data. */
  gpointer       user_data;
  GDestroyNotify notify;

  max_align_t    block[];
} QuireSystemMemory;

#define QUIRE_TYPE_SYSTEM_ALLOCATOR (quire_system_allocator_get_type ())
G_DECLARE_FINAL_TYPE (QuireSystemAllocator, quire_system_allocator, QUIRE, SYSTEM_ALLOCATOR, QuireAllocator)

struct _QuireSystemAllocator
{
  QuireAllocator parent_instance;
};

G_DEFINE_FINAL_TYPE (QuireSystemAllocator, quire_system_allocator, QUIRE_TYPE_ALLOCATOR)

/* Data of this size and more begins at a cache line. memcpy() from one block to another is
 * fastest so: of 16 KiB it takes half the time. And where it is made of `rep movsb`, it
 * takes 25 times as long on a Zen 3 if the target is less than a cache line behind the
 * source, page for page, as two blocks of malloc() in a row may be. */
#define LINES_FROM ((gsize) 1024)
#define LINE       ((gsize) 64)

/*
 * Large blocks ask for huge pages. To fill fresh memory is to wait for its pages, one by
 * one: with huge ones a block of 64 MiB was filled in a sixth of the time, and it began to
 * pay with the first huge page that is whole. So the data of such a block starts on one.
 *
 * It is malloc() that they come from nevertheless. Mappings of our own would be fresh for
 * each block, where malloc() has memory that is warm if one like it was just freed: that is
 * worth twice as much again. And checkers of memory know all about it.
 *
 * The alignment takes address space and no memory. Neither does the end of the block waste
 * any: it has small pages, unless a huge one wastes less than a sixteenth of the block, as
 * it does with pictures in the usual sizes.
 */
static gsize
huge_end (gsize maxsize,
          gsize after_prefix,
          gsize huge)
{
  const gsize rest = -after_prefix & (huge - 1);

  return rest <= maxsize / 16 ? rest : 0;
}

/* malloc() of the GNU C library learns from what is freed to keep such memory for the next
 * block, but not beyond this, of which some is left for headers; see M_MMAP_THRESHOLD in
 * mallopt(3). A picture of 3840 x 2160 points of four bytes is just below it. */
#define KEPT_SIZE ((gsize) 4 * 1024 * 1024 * sizeof (long) - 16 * 1024)

static gboolean
is_kept (gsize maxsize,
         gsize slack)
{
  return slack <= KEPT_SIZE && maxsize <= KEPT_SIZE - slack;
}

static QuireSystemMemory *
allocate (gsize maxsize,
          gsize slack)
{
  gsize bytes;

  if (!g_size_checked_add (&bytes, sizeof (QuireSystemMemory), slack) ||
      !g_size_checked_add (&bytes, bytes, maxsize) ||
      bytes > G_MAXSSIZE)
    return NULL;

  return malloc (bytes);
}

/* The data is @prefix bytes into the block, and aligned there; malloc() gives
 * the default alignment, for more the block starts later. */
QuireMemory *
quire_system_allocator_make (gsize                        size,
                             const QuireAllocationParams *params,
                             GError                     **error)
{
  const gsize align = params->align | QUIRE_DEFAULT_ALIGN;
  const gsize begin = size >= LINES_FROM ? align | (LINE - 1) : align;
  const gsize maxsize = params->prefix + size + params->padding;
  gsize slack = 0, huge = 0, end = 0;
  QuireSystemMemory *system = NULL;
  guint8 *base;

  if (begin > QUIRE_DEFAULT_ALIGN || (params->prefix & QUIRE_DEFAULT_ALIGN) != 0)
    slack = begin;

  if (G_UNLIKELY (maxsize >= QUIRE_PAGES_LARGE) && (huge = quire_pages_get_huge (maxsize)) != 0)
    {
      gsize huge_slack = align | (huge - 1);

      end = huge_end (maxsize, size + params->padding, huge);
      /* Memory that is warm is better than one huge page more. */
      if (is_kept (maxsize, slack) && !is_kept (maxsize + end, huge_slack))
        {
          end = 0;
          huge_slack = slack;
        }

      system = allocate (maxsize + end, huge_slack);
      if (system != NULL)
        slack = huge_slack;
      else
        huge = 0;
    }
  if (system == NULL)
    system = allocate (maxsize, slack);
  if (G_UNLIKELY (system == NULL))
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NO_SPACE,
                   "The system has no %" G_GSIZE_FORMAT " bytes for a block with an alignment of %" G_GSIZE_FORMAT,
                   maxsize, align);
      return NULL;
    }

  base = (guint8 *) system->block;
  if (slack != 0)
    base += -((guintptr) base + params->prefix) & slack;
  if (G_UNLIKELY (huge != 0))
    quire_pages_advise_huge (base, base + maxsize + end, huge);

  quire_memory_set_up (&system->memory, params->flags, quire_system_allocator_get (), NULL,
                       maxsize, align, params->prefix, size, base);
  system->notify = NULL;

  if (params->prefix != 0 && (params->flags & QUIRE_MEMORY_FLAG_ZERO_PREFIXED))
    memset (base, 0, params->prefix);
  if (params->padding != 0 && (params->flags & QUIRE_MEMORY_FLAG_ZERO_PADDED))
    memset (base + params->prefix + size, 0, params->padding);

  return &system->memory;
}

/* The same with nothing special, as most blocks are; @size is at most
 * QUIRE_SYSTEM_PLAIN_LIMIT. */
QuireMemory *
quire_system_allocator_make_plain (gsize    size,
                                   GError **error)
{
  static const QuireAllocationParams nothing_special;
  const gsize slack = size >= LINES_FROM ? LINE - 1 - QUIRE_DEFAULT_ALIGN : 0;
  QuireSystemMemory *system = malloc (sizeof (QuireSystemMemory) + slack + size);
  guint8 *base;

  /* Which says what is wrong. */
  if (G_UNLIKELY (system == NULL))
    return quire_system_allocator_make (size, &nothing_special, error);

  base = (guint8 *) system->block;
  base += -(guintptr) base & slack;

  quire_memory_set_up (&system->memory, QUIRE_MEMORY_FLAG_NONE, quire_system_allocator_get (), NULL,
                       size, QUIRE_DEFAULT_ALIGN, 0, size, base);
  system->notify = NULL;

  return &system->memory;
}

/* A block over data that somebody else allocated; @notify tells him when it is
 * no longer needed. */
QuireMemory *
quire_system_allocator_wrap (QuireMemoryFlags flags,
                             guint internal,
                             gpointer       data,
                             gsize          maxsize,
                             gsize          offset,
                             gsize          size,
                             gpointer       user_data,
                             GDestroyNotify notify)
{
  QuireSystemMemory *system = g_malloc (sizeof (QuireSystemMemory));

  /* An empty block may have no address; its maps shall have one nevertheless. */
  quire_memory_set_up (&system->memory, flags | internal, quire_system_allocator_get (), NULL,
                       maxsize, 0, offset, size, data != NULL ? data : system->block);
  system->user_data = user_data;
  system->notify = notify;

  return &system->memory;
}

void
quire_system_allocator_drop (QuireMemory *memory)
{
  QuireSystemMemory *system = (gpointer) memory;

  if (system->notify != NULL)
    system->notify (system->user_data);
  free (system);
}

/* The user data of a wrapped block, if this is its notify: so one that was made over
 * something knows it again. */
gpointer
quire_system_allocator_data (QuireMemory   *memory,
                             GDestroyNotify notify)
{
  QuireSystemMemory *system = (gpointer) memory;

  if (!quire_system_allocator_is (memory->allocator) ||
      quire_memory_has_flags (memory, QUIRE_MEMORY_INTERNAL_WINDOW | QUIRE_MEMORY_INTERNAL_CLOSED) ||
      system->notify != notify)
    return NULL;

  return system->user_data;
}

static QuireMemory *
quire_system_allocator_alloc (QuireAllocator              *allocator,
                              gsize                        size,
                              const QuireAllocationParams *params,
                              GError                     **error)
{
  return quire_system_allocator_make (size, params, error);
}

static void
quire_system_allocator_free (QuireAllocator *allocator,
                             QuireMemory    *memory)
{
  quire_system_allocator_drop (memory);
}

static void
quire_system_allocator_class_init (QuireSystemAllocatorClass *klass)
{
  QuireAllocatorClass *allocator_class = QUIRE_ALLOCATOR_CLASS (klass);

  allocator_class->mem_type = "system";
  allocator_class->alloc = quire_system_allocator_alloc;
  allocator_class->free = quire_system_allocator_free;
}

static void
quire_system_allocator_init (QuireSystemAllocator *self)
{
}

QuireAllocator *quire_system_allocator_instance;

QuireAllocator *
quire_system_allocator_create (void)
{
  if (g_once_init_enter (&quire_system_allocator_instance))
    g_once_init_leave (&quire_system_allocator_instance, g_object_new (QUIRE_TYPE_SYSTEM_ALLOCATOR, NULL));

  return quire_atomic_load_acquire (&quire_system_allocator_instance);
}
