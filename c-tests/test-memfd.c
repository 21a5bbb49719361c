/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Blocks of memfd: files without a name, whose pages are there. */

#include "quire-test-fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the library asks of the system goes through here first. */
static int fallocate_errno;
static guint n_fallocate;

int
fallocate (int   fd,
           int   mode,
           off_t offset,
           off_t length)
{
  n_fallocate++;
  if (fallocate_errno == EINTR)
    {
      fallocate_errno = 0;
      errno = EINTR;
      return -1;
    }
  if (fallocate_errno != 0)
    {
      errno = fallocate_errno;
      return -1;
    }

  /* This does the same, under another name. */
  errno = posix_fallocate (fd, offset, length);
  return errno == 0 ? 0 : -1;
}

static void
test_layout (void)
{
  static const struct
  {
    gsize size, prefix, padding, align;
  } cases[] = {
    { 0, 0, 0, 0 },
    { 1, 0, 0, 0 },
    { 4096, 0, 0, 0 },
    { 4097, 0, 0, 63 },
    { 10000, 16, 0, 4095 },
    { 10000, 0, 16, 65535 },
    { 1, 5000, 9000, (1 << 21) - 1 },
    { 0, 1, 0, 0 },
    { 0, 0, 1, 4095 },
  };
  g_autoptr (QuireAllocator) allocator = quire_allocator_find ("memfd");
  guint n_fds;

  g_test_summary ("Size, prefix, padding and alignment are as asked for, and all bytes are zero");
  n_fds = quire_test_count_fds ();

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const QuireAllocationParams params = {
        .align = cases[i].align, .prefix = cases[i].prefix, .padding = cases[i].padding,
        .flags = QUIRE_MEMORY_FLAG_ZERO_PREFIXED | QUIRE_MEMORY_FLAG_ZERO_PADDED,
      };
      g_autoptr (GError) error = NULL;
      g_autoptr (QuireMemory) memory = quire_allocator_try_alloc (allocator, cases[i].size, &params, &error);
      g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;
      gsize offset, maxsize;

      g_assert_no_error (error);
      g_assert_true (quire_memory_is_type (memory, "memfd"));
      g_assert_true (quire_memory_get_allocator (memory) == allocator);
      g_assert_cmpuint (quire_memory_get_sizes (memory, &offset, &maxsize), ==, cases[i].size);
      g_assert_cmpuint (offset, ==, cases[i].prefix);
      g_assert_cmpuint (maxsize, ==, cases[i].prefix + cases[i].size + cases[i].padding);
      g_assert_cmpuint (quire_memory_get_flags (memory), ==, params.flags);

      g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READWRITE));
      g_assert_nonnull (info.data);
      if (maxsize > 0)
        g_assert_cmpuint ((guintptr) info.data & (cases[i].align | 4095), ==, 0);
      for (gsize j = 0; j < maxsize; j++)
        {
          g_assert_cmpuint ((info.data - offset)[j], ==, 0);
          (info.data - offset)[j] = 0xff;
        }
    }

  g_assert_cmpuint (quire_test_count_fds (), ==, n_fds);
}

static void
test_file (void)
{
  g_autoptr (QuireMemory) memory = quire_test_memfd_new (10000);
  struct stat status;
  guint64 offset;
  guint8 byte;
  int fd;

  g_test_summary ("The data is in the file, at the offset that is told");

  fd = quire_memory_get_fd (memory, &offset);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (fcntl (fd, F_GETFD), ==, FD_CLOEXEC);
  g_assert_cmpint (fstat (fd, &status), ==, 0);
  g_assert_cmpint (status.st_size, ==, 10000);
  g_assert_cmpint (status.st_blocks, ==, 12288 / 512);
  /* Which systems that know of it can do without. */
  if (g_file_test ("/proc/sys/vm/memfd_noexec", G_FILE_TEST_EXISTS))
    g_assert_cmpint (status.st_mode & 0111, ==, 0);

  quire_test_set_byte (memory, 9999, 0x51);
  g_assert_cmpint (pread (fd, &byte, 1, (off_t) offset + 9999), ==, 1);
  g_assert_cmpuint (byte, ==, 0x51);

  byte = 0x52;
  g_assert_cmpint (pwrite (fd, &byte, 1, (off_t) offset + 5000), ==, 1);
  g_assert_cmpuint (quire_test_get_byte (memory, 5000), ==, 0x52);
}

static void
test_whole_file (void)
{
  static const gsize sizes[] = { 0, 1, 4095, 4096, 4097, 100000 };

  g_test_summary ("Who maps the file to its end has what was allocated, and no more");

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (QuireMemory) memory = quire_test_memfd_new (sizes[i]);
      g_autoptr (QuireMemory) other = quire_memory_new_from_fd (quire_memory_get_fd (memory, NULL), 0, -1, QUIRE_FD_NONE);

      quire_assert_sizes (other, 0, sizes[i], sizes[i]);
      if (sizes[i] == 0)
        continue;
      quire_test_set_byte (memory, sizes[i] - 1, 0x51);
      g_assert_cmpuint (quire_test_get_byte (other, sizes[i] - 1), ==, 0x51);
    }
}

static void
test_offset (void)
{
  const QuireAllocationParams params = { .prefix = 100, .padding = 50 };
  g_autoptr (QuireAllocator) allocator = quire_allocator_find ("memfd");
  g_autoptr (QuireMemory) memory = quire_allocator_alloc (allocator, 10000, &params);
  g_autoptr (QuireMemory) share = NULL;
  g_autoptr (QuireMemory) second = NULL;
  guint64 block, offset;

  g_test_summary ("Shares, and what was resized, are found in the file too");

  g_assert_cmpint (quire_memory_get_fd (memory, &block), >=, 0);
  g_assert_cmpuint (block % 4096, ==, 0);

  share = quire_memory_share (memory, 1000, 500);
  g_assert_cmpint (quire_memory_get_fd (share, &offset), ==, quire_memory_get_fd (memory, NULL));
  g_assert_cmpuint (offset, ==, block + 1000);
  second = quire_memory_share (share, 100, 10);
  quire_memory_get_fd (second, &offset);
  g_assert_cmpuint (offset, ==, block + 1100);
  g_clear_pointer (&share, quire_memory_unref);
  share = quire_memory_share (memory, -100, 10);
  quire_memory_get_fd (share, &offset);
  g_assert_cmpuint (offset, ==, block - 100);

  g_assert_true (quire_memory_resize (memory, 7, 10));
  quire_memory_get_fd (memory, &offset);
  g_assert_cmpuint (offset, ==, block + 7);
}

static void
test_pool (void)
{
  g_autoptr (QuireAllocator) allocator = quire_allocator_find ("memfd");
  g_autoptr (QuireMemfdAllocator) unsealed = quire_memfd_allocator_new (NULL, QUIRE_SEAL_NONE);
  g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (allocator, 10000, NULL, 2);
  g_autoptr (QuirePoolAllocator) unsealed_pool = quire_pool_allocator_new (QUIRE_ALLOCATOR (unsealed), 10000, NULL, 2);
  g_autoptr (QuireMemory) memory = quire_allocator_alloc (QUIRE_ALLOCATOR (pool), 10000, NULL);
  g_autoptr (QuireMemory) share = NULL;
  guint64 offset;
  guint8 byte;
  int fd;

  g_test_summary ("A block of a pool of memfds has the descriptor of the one below");

  quire_test_set_byte (memory, 1234, 0x51);
  share = quire_memory_share (memory, 1000, 500);
  fd = quire_memory_get_fd (share, &offset);
  g_assert_cmpint (pread (fd, &byte, 1, (off_t) offset + 234), ==, 1);
  g_assert_cmpuint (byte, ==, 0x51);
  g_assert_cmpuint (quire_memory_get_seals (memory), ==, QUIRE_SEAL_SHRINK | QUIRE_SEAL_GROW);
  g_assert_true (quire_memory_is_stable (share));

  /* It comes back to the pool; so it can't be sealed against writing for ever. */
  quire_assert_refused (quire_memory_try_add_seals (memory, QUIRE_SEAL_WRITE, &error), BUSY);
  g_assert_true (quire_memory_add_seals (memory, QUIRE_SEAL_SEAL));

  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (unsealed_pool), 10000, NULL, &error), NOT_SUPPORTED,
                        "truncated", "10000");
}

static void
test_none (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (10);
  guint64 offset = 1;

  g_test_summary ("Other blocks have no descriptor, and say so");

  g_assert_cmpint (quire_memory_get_fd (memory, &offset), ==, -1);
  g_assert_cmpuint (offset, ==, 0);
  g_assert_true (quire_memory_is_stable (memory));
  g_assert_cmpuint (quire_memory_get_seals (memory), ==, QUIRE_SEAL_NONE);
  quire_assert_refused (quire_memory_try_dup_fd (memory, &error) >= 0, NOT_SUPPORTED, "10 bytes", "system");
  quire_assert_refused (quire_memory_try_add_seals (memory, QUIRE_SEAL_GROW, &error), NOT_SUPPORTED, "10 bytes", "system");
}

static void
test_dup (void)
{
  g_autoptr (QuireMemory) memory = quire_test_memfd_new (4096);
  g_autoptr (QuireMemory) share = NULL;
  guint8 byte = 7;
  int fd;

  g_test_summary ("A duplicate outlives the block; that of a share can't write");

  fd = quire_memory_dup_fd (memory);
  g_assert_cmpint (fd, !=, quire_memory_get_fd (memory, NULL));
  g_assert_cmpint (fcntl (fd, F_GETFD), ==, FD_CLOEXEC);
  quire_test_set_byte (memory, 0, 9);
  share = quire_memory_share (memory, 0, -1);
  g_clear_pointer (&memory, quire_memory_unref);
  g_assert_cmpint (pwrite (fd, &byte, 1, 1), ==, 1);
  close (fd);

  fd = quire_memory_dup_fd (share);
  g_clear_pointer (&share, quire_memory_unref);
  g_assert_cmpint (pread (fd, &byte, 1, 0), ==, 1);
  g_assert_cmpuint (byte, ==, 9);
  g_assert_cmpint (pwrite (fd, &byte, 1, 1), ==, -1);
  g_assert_cmpint (errno, ==, EBADF);
  close (fd);
}

static void
test_fork (void)
{
  g_autoptr (QuireMemory) memory = quire_test_memfd_new (4096);
  int status;
  pid_t pid;

  g_test_summary ("A child and its parent have the same pages");

  pid = fork ();
  if (pid == 0)
    _exit (quire_memory_fill (memory, 0, -1, 0x51) ? 0 : 1);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpuint (quire_test_get_byte (memory, 4095), ==, 0x51);
}

static void
test_no_space (void)
{
  static const struct
  {
    int              errnum;
    QuireMemoryError code;
  } cases[] = {
    { ENOSPC, QUIRE_MEMORY_ERROR_NO_SPACE },
    { ENOMEM, QUIRE_MEMORY_ERROR_NO_SPACE },
    { EFBIG, QUIRE_MEMORY_ERROR_TOO_LARGE },
    { EOPNOTSUPP, QUIRE_MEMORY_ERROR_NOT_SUPPORTED },
  };
  g_autoptr (QuireAllocator) allocator = quire_allocator_find ("memfd");
  const guint n_fds = quire_test_count_fds ();

  g_test_summary ("A full system is an error of the allocation, and leaves nothing behind");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      fallocate_errno = cases[i].errnum;
      g_assert_null (quire_allocator_try_alloc (allocator, 12345, NULL, &error));
      fallocate_errno = 0;
      quire_test_check_error (G_STRLOC, error, cases[i].code, "12345 bytes", g_strerror (cases[i].errnum), NULL);
      g_assert_cmpuint (quire_test_count_fds (), ==, n_fds);
    }

  /* That is no reason to give up. */
  fallocate_errno = EINTR;
  n_fallocate = 0;
  quire_memory_unref (quire_test_memfd_new (1));
  g_assert_cmpuint (n_fallocate, ==, 2);
}

static void
test_too_large (void)
{
  g_autoptr (QuireAllocator) allocator = quire_allocator_find ("memfd");
  const guint n_fds = quire_test_count_fds ();

  g_test_summary ("What no machine has is refused before it is tried");

  n_fallocate = 0;
  fallocate_errno = ENOSPC;
  quire_assert_refused (quire_allocator_try_alloc (allocator, (gsize) 1 << 50, NULL, &error), NO_SPACE, "1125899906842624");
  quire_assert_refused (quire_allocator_try_alloc (allocator, G_MAXSSIZE, NULL, &error), TOO_LARGE, "9223372036854775807");
  quire_assert_refused (quire_allocator_try_alloc (allocator, G_MAXSIZE, NULL, &error), TOO_LARGE);
  fallocate_errno = 0;
  g_assert_cmpuint (n_fallocate, ==, 0);
  g_assert_cmpuint (quire_test_count_fds (), ==, n_fds);
}

/* How many bytes a line of /proc/meminfo tells of. */
static gsize
read_meminfo (const char *key)
{
  g_autofree char *meminfo = NULL;

  g_assert_true (g_file_get_contents ("/proc/meminfo", &meminfo, NULL, NULL));
  return g_ascii_strtoull (strstr (meminfo, key) + strlen (key), NULL, 10) * 1024;
}

static void
test_no_memory (void)
{
  g_autoptr (QuireAllocator) allocator = quire_allocator_find ("memfd");
  /* More than is free, though less than there is, unless the machine is quite idle. */
  const gsize size = MIN (read_meminfo ("MemTotal:"), read_meminfo ("MemAvailable:") + 1024 * 1024 * 1024) +
                     read_meminfo ("SwapFree:");

  g_test_summary ("What others have is not taken from them");

  n_fallocate = 0;
  /* Should it be asked for nevertheless, better not in earnest. */
  fallocate_errno = ENOSPC;
  quire_assert_refused (quire_allocator_try_alloc (allocator, size, NULL, &error), NO_SPACE, g_strerror (ENOMEM));
  fallocate_errno = 0;
  g_assert_cmpuint (n_fallocate, ==, 0);
}

/* In a child, whose end the signal would be. */
static int
try_file_sizes (void)
{
  const struct rlimit limit = { 10000, 10000 };
  g_autoptr (QuireAllocator) allocator = quire_allocator_find ("memfd");
  g_autoptr (QuireMemory) memory = NULL;

  if (setrlimit (RLIMIT_FSIZE, &limit) != 0)
    return 1;
  memory = quire_allocator_alloc (allocator, 10000, NULL);
  if (memory == NULL || !quire_memory_fill (memory, 0, -1, 1))
    return 2;
  quire_assert_refused (quire_allocator_try_alloc (allocator, 10001, NULL, &error), TOO_LARGE, "10001", g_strerror (EFBIG));
  return 0;
}

static void
test_file_size_limit (void)
{
  pid_t pid;
  int status;

  g_test_summary ("A limit on the size of files is an error, and no signal");

  pid = fork ();
  if (pid == 0)
    _exit (try_file_sizes ());
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
}

static void
test_no_descriptors (void)
{
  g_autoptr (QuireMemory) memory = quire_test_memfd_new (10);
  g_autoptr (QuireMemory) share = quire_memory_share (memory, 0, -1);
  struct rlimit old, limit;
  int fd;

  g_test_summary ("A process that has no descriptor left is told so");

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &old), ==, 0);
  limit = old;
  /* All below the first free one are taken. */
  fd = dup (0);
  close (fd);
  limit.rlim_cur = (rlim_t) fd;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);

  {
    g_autoptr (QuireAllocator) allocator = quire_allocator_find ("memfd");

    quire_assert_refused (quire_allocator_try_alloc (allocator, 10, NULL, &error), NO_SPACE, g_strerror (EMFILE));
  }
  quire_assert_refused (quire_memory_try_new_from_fd (quire_memory_get_fd (memory, NULL), 0, -1, QUIRE_FD_NONE, &error),
                        NO_SPACE, g_strerror (EMFILE));
  quire_assert_refused (quire_memory_try_dup_fd (memory, &error) >= 0, NO_SPACE, g_strerror (EMFILE));
  quire_assert_refused (quire_memory_try_dup_fd (share, &error) >= 0, NO_SPACE, g_strerror (EMFILE));

  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &old), ==, 0);
  quire_memory_unref (quire_test_memfd_new (10));
}

static gboolean
maps_tell_of (const char *name)
{
  g_autofree char *maps = NULL;

  g_assert_true (g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL));
  return strstr (maps, name) != NULL;
}

static void
test_properties (void)
{
  g_autoptr (QuireMemfdAllocator) allocator = quire_memfd_allocator_new ("frames", QUIRE_SEAL_SHRINK | QUIRE_SEAL_FUTURE_WRITE);
  g_autoptr (QuireMemfdAllocator) unnamed = quire_memfd_allocator_new (NULL, QUIRE_SEAL_NONE);
  g_autoptr (QuireMemory) memory = quire_allocator_alloc (QUIRE_ALLOCATOR (allocator), 10, NULL);
  g_autoptr (QuireMemory) other = NULL;
  g_autofree char *name = NULL;
  guint64 huge_page_size;
  QuireSeals seals;

  g_test_summary ("The name is one for people, and the seals are there from the start");

  g_assert_cmpstr (quire_memfd_allocator_get_name (allocator), ==, "frames");
  g_assert_cmpstr (quire_memfd_allocator_get_name (unnamed), ==, "quire");
  g_assert_cmpuint (quire_memfd_allocator_get_seals (allocator), ==, QUIRE_SEAL_SHRINK | QUIRE_SEAL_FUTURE_WRITE);
  g_assert_cmpuint (quire_memfd_allocator_get_huge_page_size (allocator), ==, 0);
  g_object_get (allocator, "name", &name, "seals", &seals, "huge-page-size", &huge_page_size, NULL);
  g_assert_cmpstr (name, ==, "frames");
  g_assert_cmpuint (seals, ==, QUIRE_SEAL_SHRINK | QUIRE_SEAL_FUTURE_WRITE);
  g_assert_cmpuint (huge_page_size, ==, 0);

  g_assert_cmpuint (quire_memory_get_seals (memory), ==, QUIRE_SEAL_SHRINK | QUIRE_SEAL_FUTURE_WRITE);
  g_assert_true (maps_tell_of ("memfd:frames"));
  /* We may write, others may not. */
  quire_test_set_byte (memory, 0, 1);
  other = quire_memory_new_from_fd (quire_memory_get_fd (memory, NULL), 0, -1, QUIRE_FD_NONE);
  g_assert_false (quire_memory_is_writable (other));
  g_assert_cmpuint (quire_test_get_byte (other, 0), ==, 1);
  quire_test_set_byte (memory, 0, 2);
  g_assert_cmpuint (quire_test_get_byte (other, 0), ==, 2);
}

static void
test_bad_properties (void)
{
  g_autofree char *long_name = g_strnfill (249, 'x');
  g_autofree char *longer_name = g_strnfill (250, 'x');
  g_autoptr (QuireMemfdAllocator) named = quire_memfd_allocator_new (long_name, QUIRE_SEAL_NONE);
  g_autoptr (QuireMemfdAllocator) misnamed = quire_memfd_allocator_new (longer_name, QUIRE_SEAL_NONE);
  g_autoptr (QuireMemfdAllocator) sealed = quire_memfd_allocator_new (NULL, QUIRE_SEAL_WRITE);
  static const guint64 no_page_sizes[] = { 1, 64, 3000, 4096, G_GUINT64_CONSTANT (1) << 62, G_GUINT64_CONSTANT (1) << 63, G_MAXUINT64 };

  g_test_summary ("What an allocator can't do it says when it is asked for a block");

  quire_memory_unref (quire_allocator_alloc (QUIRE_ALLOCATOR (named), 10, NULL));
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (misnamed), 10, NULL, &error), TOO_LARGE, "250", "249");
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (sealed), 10, NULL, &error), NOT_SUPPORTED, "0x8");
  for (gsize i = 0; i < G_N_ELEMENTS (no_page_sizes); i++)
    {
      g_autoptr (QuireMemfdAllocator) odd = g_object_new (QUIRE_TYPE_MEMFD_ALLOCATOR, "huge-page-size", no_page_sizes[i], NULL);
      g_autofree char *page_size = g_strdup_printf ("%" G_GUINT64_FORMAT, no_page_sizes[i]);

      quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (odd), 10, NULL, &error), NOT_SUPPORTED, page_size);
    }
}

static void
test_huge_pages (void)
{
  const gsize huge = 2 * 1024 * 1024;
  g_autoptr (QuireMemfdAllocator) allocator =
    g_object_new (QUIRE_TYPE_MEMFD_ALLOCATOR, "huge-page-size", (guint64) huge, NULL);
  const guint n_fds = quire_test_count_fds ();
  g_autoptr (GError) error = NULL;
  g_autoptr (QuireMemory) memory = quire_allocator_try_alloc (QUIRE_ALLOCATOR (allocator), 100, NULL, &error);
  g_autoptr (QuireMemory) other = NULL;
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;
  guint8 *stale, byte;

  g_test_summary ("Huge pages where there are some in reserve; else the reason");

  if (memory == NULL)
    {
      g_test_message ("%s", error->message);
      g_assert_error (error, QUIRE_MEMORY_ERROR, error->code);
      g_assert_true (error->code == QUIRE_MEMORY_ERROR_NO_SPACE || error->code == QUIRE_MEMORY_ERROR_NOT_SUPPORTED);
      g_assert_nonnull (strstr (error->message, "2097152"));
      g_assert_cmpuint (quire_test_count_fds (), ==, n_fds);
      return;
    }

  g_assert_true (quire_memory_is_aligned (memory, huge - 1));
  quire_test_set_byte (memory, 99, 1);

  other = quire_memory_try_new_from_fd (quire_memory_get_fd (memory, NULL), 50, 50, QUIRE_FD_READONLY, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (quire_test_get_byte (other, 49), ==, 1);
  quire_test_set_byte (memory, 99, 2);
  g_assert_cmpuint (quire_test_get_byte (other, 49), ==, 2);
  g_clear_pointer (&other, quire_memory_unref);

  /* To seal it asks for as many pages once more. */
  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  stale = info.data;
  quire_memory_unmap (memory, &info);
  if (quire_memory_try_add_seals (memory, QUIRE_SEAL_WRITE, &error))
    {
      stale[99] = 3;
      g_assert_cmpint (pread (quire_memory_get_fd (memory, NULL), &byte, 1, 99), ==, 1);
      g_assert_cmpuint (byte, ==, 2);
    }
  else
    {
      g_test_message ("%s", error->message);
      g_assert_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NO_SPACE);
      quire_test_set_byte (memory, 99, 3);
    }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/memfd/layout", test_layout);
  g_test_add_func ("/memfd/file", test_file);
  g_test_add_func ("/memfd/whole-file", test_whole_file);
  g_test_add_func ("/memfd/offset", test_offset);
  g_test_add_func ("/memfd/pool", test_pool);
  g_test_add_func ("/memfd/none", test_none);
  g_test_add_func ("/memfd/dup", test_dup);
  g_test_add_func ("/memfd/fork", test_fork);
  g_test_add_func ("/memfd/no-space", test_no_space);
  g_test_add_func ("/memfd/too-large", test_too_large);
  g_test_add_func ("/memfd/no-memory", test_no_memory);
  g_test_add_func ("/memfd/file-size-limit", test_file_size_limit);
  g_test_add_func ("/memfd/no-descriptors", test_no_descriptors);
  g_test_add_func ("/memfd/properties", test_properties);
  g_test_add_func ("/memfd/bad-properties", test_bad_properties);
  g_test_add_func ("/memfd/huge-pages", test_huge_pages);

  return g_test_run ();
}
