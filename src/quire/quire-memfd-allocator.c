/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-memfd-allocator.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "quire-allocation-params.h"
#include "quire-enums.h"
#include "quire-error-private.h"
#include "quire-fd-allocator-private.h"
#include "quire-system-allocator-private.h"

/**
 * QuireMemfdAllocator:
 *
 * An allocator, of the type `memfd`, of blocks that other processes can have too: each is a
 * file of its own that has no name, made by
 * [memfd_create(2)](https://man7.org/linux/man-pages/man2/memfd_create.2.html).
 *
 * [method@Memory.send] hands a block to another process, which maps the same pages. The
 * pages are there from the start: a system that has none left says so when the block is
 * allocated, and not by SIGBUS when it is used. They stay until the last process has let
 * them go. A child of `fork()` shares them with its parent.
 *
 * The file is sealed against shrinking and growing, so that whoever maps it can rely on
 * it; [method@Memory.try_add_seals] adds other seals.
 *
 * [func@Allocator.find] knows one by the name `memfd`. All functions are thread-safe.
 *
 * Since: 1.0
 */
struct _QuireMemfdAllocator
{
  QuireFdAllocator parent_instance;

  char            *name;
  QuireSeals       seals;
  guint64          huge_page_size;
};

enum
{
  PROP_NAME = 1,
  PROP_SEALS,
  PROP_HUGE_PAGE_SIZE,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

G_DEFINE_FINAL_TYPE (QuireMemfdAllocator, quire_memfd_allocator, QUIRE_TYPE_FD_ALLOCATOR)

/* Without SHRINK and GROW a reader could get SIGBUS; and a block that nobody can write
 * from the start is of no use to anybody. */
#define DEFAULT_SEALS (QUIRE_SEAL_SHRINK | QUIRE_SEAL_GROW)
#define ALLOWED_SEALS (DEFAULT_SEALS | QUIRE_SEAL_SEAL | QUIRE_SEAL_FUTURE_WRITE)

/* glibc has it not, and <linux/memfd.h> does not go together with glibc's. */
#ifndef MFD_HUGE_SHIFT
# define MFD_HUGE_SHIFT 26
#endif

#ifndef MFD_NOEXEC_SEAL
# define MFD_NOEXEC_SEAL 8u
#endif

/* In bytes. */
#define MAX_NAME 249

/* From this size on the system is asked for what it has. */
#define LARGE (16 * 1024 * 1024)

static gboolean
check_properties (QuireMemfdAllocator *self,
                  GError             **error)
{
  const guint64 huge = self->huge_page_size;

  if ((self->seals & ~ALLOWED_SEALS) != 0)
    g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
                 "A memfd can't begin with the seals 0x%x", (guint) self->seals);
  else if ((huge & (huge - 1)) != 0 || (huge != 0 && huge <= (guint64) sysconf (_SC_PAGESIZE)) || huge > G_MAXSSIZE)
    g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
                 "There are no huge pages of %" G_GUINT64_FORMAT " bytes", huge);
  else if (strlen (self->name) > MAX_NAME)
    g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_TOO_LARGE,
                 "The name of a memfd has %" G_GSIZE_FORMAT " bytes, of at most %d",
                 strlen (self->name), MAX_NAME);
  else
    return TRUE;

  return FALSE;
}

static int
create_file (QuireMemfdAllocator *self,
             GError             **error)
{
  guint flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int fd;

  if (self->huge_page_size != 0)
    flags |= MFD_HUGETLB | ((guint) __builtin_ctzll (self->huge_page_size) << MFD_HUGE_SHIFT);

  /* Data is not to be run. Older systems don't know the flag; newer ones may insist on it. */
  fd = memfd_create (self->name, flags | MFD_NOEXEC_SEAL);
  if (fd < 0 && errno == EINVAL)
    fd = memfd_create (self->name, flags);

  if (fd < 0 && self->huge_page_size != 0)
    quire_error_set_errno (error, errno, "Can't create the memfd %s with pages of %" G_GUINT64_FORMAT " bytes",
                           self->name, self->huge_page_size);
  else if (fd < 0)
    quire_error_set_errno (error, errno, "Can't create the memfd %s", self->name);
  return fd;
}

/* How many bytes a line of /proc/meminfo tells of. */
static guint64
read_meminfo (const char *meminfo,
              const char *key)
{
  const char *line = strstr (meminfo, key);

  return line != NULL ? g_ascii_strtoull (line + strlen (key), NULL, 10) * 1024 : 0;
}

/* Whether the system has so much memory now. The kernel would give page after page, and find
 * out only when it has ended other processes for it. */
static gboolean
has_memory (gsize size)
{
  g_autofree char *meminfo = NULL;

  if (size < LARGE || !g_file_get_contents ("/proc/meminfo", &meminfo, NULL, NULL))
    return TRUE;

  return size <= read_meminfo (meminfo, "\nMemAvailable:") + read_meminfo (meminfo, "\nSwapFree:");
}

/* Makes the file as large as it will be for ever, with all its pages. */
static int
reserve_pages (QuireMemfdAllocator *self,
               int                  fd,
               gsize                size)
{
  struct rlimit limit;
  int result;

  /* What is beyond this would be the end of the process, by SIGXFSZ. */
  if (getrlimit (RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && size > limit.rlim_cur)
    return EFBIG;
  if (self->huge_page_size == 0 && !has_memory (size))
    return ENOMEM;

  do
    result = ftruncate (fd, (off_t) size);
  while (result != 0 && errno == EINTR);

  while (result == 0 && size > 0)
    {
      result = fallocate (fd, 0, 0, (off_t) size);
      if (result == 0 || errno != EINTR)
        break;
      result = 0;
    }

  return result == 0 ? 0 : errno;
}

/* Seals the file when it is mapped: FUTURE_WRITE is no hindrance then. */
static gboolean
seal_file (QuireMemfdAllocator *self,
           int                  fd,
           GError             **error)
{
  if (self->seals == QUIRE_SEAL_NONE || fcntl (fd, F_ADD_SEALS, (int) self->seals) == 0)
    return TRUE;

  quire_error_set_errno (error, errno, "The memfd %s can't be sealed with 0x%x", self->name, (guint) self->seals);
  return FALSE;
}

static QuireMemory *
quire_memfd_allocator_alloc (QuireAllocator              *allocator,
                             gsize                        size,
                             const QuireAllocationParams *params,
                             GError                     **error)
{
  QuireMemfdAllocator *self = QUIRE_MEMFD_ALLOCATOR (allocator);
  const gboolean is_huge = self->huge_page_size != 0;
  const gsize page = is_huge ? (gsize) self->huge_page_size : (gsize) sysconf (_SC_PAGESIZE);
  const gsize maxsize = params->prefix + size + params->padding;
  /* The data begins at a page of its own, after the prefix. */
  const gsize lead = maxsize > 0 ? -params->prefix & (page - 1) : 0;
  QuireFdMapping mapping;
  gsize end, rounded;
  int fd, errnum;

  if (!check_properties (self, error))
    return NULL;

  if (!g_size_checked_add (&end, lead, maxsize) ||
      !g_size_checked_add (&rounded, end, page - 1) ||
      rounded > G_MAXSSIZE)
    {
      quire_error_set_errno (error, EOVERFLOW, "%" G_GSIZE_FORMAT " bytes are too many for a memfd", maxsize);
      return NULL;
    }

  fd = create_file (self, error);
  if (fd < 0)
    return NULL;

  quire_fd_mapping_find (&mapping, page, is_huge, lead, maxsize);
  /* Who maps the file to its end gets no more than there is; but it can't be less than a page
   * where pages are huge. */
  errnum = reserve_pages (self, fd, is_huge ? mapping.size : end);
  if (errnum != 0)
    {
      quire_error_set_errno (error, errnum, "The system has no %" G_GSIZE_FORMAT " bytes, in pages of %" G_GSIZE_FORMAT
                             ", for the memfd %s", end, page, self->name);
      close (fd);
      return NULL;
    }

  if (!quire_fd_mapping_map (&mapping, fd, QUIRE_FD_READWRITE, MAP_SHARED, lead + params->prefix, params->align))
    {
      quire_error_set_errno (error, errno, "Can't map the %" G_GSIZE_FORMAT " bytes of the memfd %s", end, self->name);
      close (fd);
      return NULL;
    }

  if (!seal_file (self, fd, error))
    {
      quire_fd_mapping_unmap (&mapping);
      close (fd);
      return NULL;
    }

  return &quire_fd_memory_new (allocator, fd,
                               (self->seals & QUIRE_SEAL_SHRINK) ? QUIRE_FD_KIND_STABLE : QUIRE_FD_KIND_SIZED,
                               &mapping, params->flags, maxsize, params->align | QUIRE_DEFAULT_ALIGN,
                               params->prefix, size)->memory;
}

static void
quire_memfd_allocator_set_property (GObject      *object,
                                    guint         property_id,
                                    const GValue *value,
                                    GParamSpec   *pspec)
{
  QuireMemfdAllocator *self = QUIRE_MEMFD_ALLOCATOR (object);

  switch (property_id)
    {
    case PROP_NAME:
      g_free (self->name);
      self->name = g_value_dup_string (value);
      if (self->name == NULL)
        self->name = g_strdup ("quire");
      break;
    case PROP_SEALS:
      self->seals = g_value_get_flags (value);
      break;
    case PROP_HUGE_PAGE_SIZE:
      self->huge_page_size = g_value_get_uint64 (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
    }
}

static void
quire_memfd_allocator_get_property (GObject    *object,
                                    guint       property_id,
                                    GValue     *value,
                                    GParamSpec *pspec)
{
  QuireMemfdAllocator *self = QUIRE_MEMFD_ALLOCATOR (object);

  switch (property_id)
    {
    case PROP_NAME:
      g_value_set_string (value, self->name);
      break;
    case PROP_SEALS:
      g_value_set_flags (value, self->seals);
      break;
    case PROP_HUGE_PAGE_SIZE:
      g_value_set_uint64 (value, self->huge_page_size);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
    }
}

static void
quire_memfd_allocator_finalize (GObject *object)
{
  g_free (QUIRE_MEMFD_ALLOCATOR (object)->name);
  G_OBJECT_CLASS (quire_memfd_allocator_parent_class)->finalize (object);
}

static void
quire_memfd_allocator_class_init (QuireMemfdAllocatorClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  QuireAllocatorClass *allocator_class = QUIRE_ALLOCATOR_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  object_class->set_property = quire_memfd_allocator_set_property;
  object_class->get_property = quire_memfd_allocator_get_property;
  object_class->finalize = quire_memfd_allocator_finalize;

  allocator_class->mem_type = "memfd";
  allocator_class->alloc = quire_memfd_allocator_alloc;

  /**
   * QuireMemfdAllocator:name: (getter get_name)
   *
   * What the files are called in the lists of the system, as in `/proc/self/maps`. It is
   * no name to find them by. At most 249 bytes.
   *
   * Since: 1.0
   */
  properties[PROP_NAME] =
    g_param_spec_string ("name", NULL, NULL, "quire", flags);

  /**
   * QuireMemfdAllocator:seals: (getter get_seals)
   *
   * Which seals a block has from the start: of %QUIRE_SEAL_SHRINK, %QUIRE_SEAL_GROW,
   * %QUIRE_SEAL_FUTURE_WRITE and %QUIRE_SEAL_SEAL.
   *
   * Since: 1.0
   */
  properties[PROP_SEALS] =
    g_param_spec_flags ("seals", NULL, NULL, QUIRE_TYPE_SEALS, DEFAULT_SEALS, flags);

  /**
   * QuireMemfdAllocator:huge-page-size: (getter get_huge_page_size)
   *
   * The size of the pages in bytes, of which the system must have some in reserve; 0 for
   * pages of the ordinary size.
   *
   * Since: 1.0
   */
  properties[PROP_HUGE_PAGE_SIZE] =
    g_param_spec_uint64 ("huge-page-size", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
quire_memfd_allocator_init (QuireMemfdAllocator *self)
{
}

/**
 * quire_memfd_allocator_new:
 * @name: (nullable): what the files are called in the lists of the system, or %NULL
 * @seals: which seals a block has from the start
 *
 * Makes an allocator of blocks with seals of one's choice.
 *
 * Returns: (transfer full): a new allocator
 *
 * Since: 1.0
 */
QuireMemfdAllocator *
quire_memfd_allocator_new (const char *name,
                           QuireSeals  seals)
{
  return g_object_new (QUIRE_TYPE_MEMFD_ALLOCATOR, "name", name, "seals", seals, NULL);
}

/**
 * quire_memfd_allocator_get_name: (get-property name)
 * @allocator: an allocator
 *
 * Tells what the files are called in the lists of the system.
 *
 * Returns: (transfer none): the name
 *
 * Since: 1.0
 */
const char *
quire_memfd_allocator_get_name (QuireMemfdAllocator *allocator)
{
  g_return_val_if_fail (QUIRE_IS_MEMFD_ALLOCATOR (allocator), NULL);

  return allocator->name;
}

/**
 * quire_memfd_allocator_get_seals: (get-property seals)
 * @allocator: an allocator
 *
 * Tells which seals a block has from the start.
 *
 * Returns: the seals
 *
 * Since: 1.0
 */
QuireSeals
quire_memfd_allocator_get_seals (QuireMemfdAllocator *allocator)
{
  g_return_val_if_fail (QUIRE_IS_MEMFD_ALLOCATOR (allocator), QUIRE_SEAL_NONE);

  return allocator->seals;
}

/**
 * quire_memfd_allocator_get_huge_page_size: (get-property huge-page-size)
 * @allocator: an allocator
 *
 * Tells the size of the huge pages.
 *
 * Returns: the size in bytes, or 0 for pages of the ordinary size
 *
 * Since: 1.0
 */
guint64
quire_memfd_allocator_get_huge_page_size (QuireMemfdAllocator *allocator)
{
  g_return_val_if_fail (QUIRE_IS_MEMFD_ALLOCATOR (allocator), 0);

  return allocator->huge_page_size;
}
