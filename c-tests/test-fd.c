/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Blocks over descriptors that were there before. */

#include "quire-test-fd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>

typedef struct
{
  char *path;
  int   fd;
  guint n_fds;
} Fixture;

#define FILE_SIZE 20000

static guint8
byte_at (gsize offset)
{
  return (guint8) (offset * 7 + offset / 256);
}

/* A file of many bytes, open to read and write. */
static void
set_up (Fixture       *fixture,
        gconstpointer  unused)
{
  g_autofree guint8 *bytes = g_malloc (FILE_SIZE);

  for (gsize i = 0; i < FILE_SIZE; i++)
    bytes[i] = byte_at (i);
  fixture->fd = g_file_open_tmp ("quire-XXXXXX", &fixture->path, NULL);
  g_assert_cmpint (fixture->fd, >=, 0);
  g_assert_cmpint (write (fixture->fd, bytes, FILE_SIZE), ==, FILE_SIZE);
  fixture->n_fds = quire_test_count_fds ();
}

static void
tear_down (Fixture       *fixture,
           gconstpointer  unused)
{
  g_assert_cmpuint (quire_test_count_fds (), ==, fixture->n_fds);
  close (fixture->fd);
  g_unlink (fixture->path);
  g_free (fixture->path);
}

static QuireMemory *
from_fd (int          fd,
         guint64      offset,
         gssize       size,
         QuireFdFlags flags)
{
  g_autoptr (GError) error = NULL;
  QuireMemory *memory = quire_memory_try_new_from_fd (fd, offset, size, flags, &error);

  g_assert_no_error (error);
  return memory;
}

static void
test_ranges (Fixture       *fixture,
             gconstpointer  unused)
{
  static const struct
  {
    guint64 offset;
    gssize  size;
    gsize   expected;
  } cases[] = {
    { 0, -1, FILE_SIZE }, { 0, FILE_SIZE, FILE_SIZE }, { 0, 0, 0 }, { 1, -1, FILE_SIZE - 1 },
    { 4096, 4096, 4096 }, { 4095, 2, 2 }, { 12345, 678, 678 }, { FILE_SIZE, -1, 0 }, { FILE_SIZE - 1, 1, 1 },
  };
  static const QuireFdFlags flags[] = { QUIRE_FD_NONE, QUIRE_FD_READONLY, QUIRE_FD_PRIVATE, QUIRE_FD_READONLY | QUIRE_FD_PRIVATE };

  g_test_summary ("Any range of a file, wherever its pages begin");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      for (gsize j = 0; j < G_N_ELEMENTS (flags); j++)
        {
          g_autoptr (QuireMemory) memory = from_fd (fixture->fd, cases[i].offset, cases[i].size, flags[j]);
          g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;
          guint64 offset;

          g_assert_true (quire_memory_is_type (memory, "fd"));
          g_assert_true (quire_memory_is_writable (memory) == !(flags[j] & QUIRE_FD_READONLY));
          g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
          g_assert_cmpuint (info.size, ==, cases[i].expected);
          g_assert_cmpuint (info.maxsize, ==, cases[i].expected);
          for (gsize k = 0; k < info.size; k++)
            g_assert_cmpuint (info.data[k], ==, byte_at ((gsize) cases[i].offset + k));
          if (info.size > 0)
            g_assert_true (quire_memory_is_aligned (memory, quire_memory_get_align (memory)));

          if (flags[j] & QUIRE_FD_PRIVATE)
            {
              g_assert_cmpint (quire_memory_get_fd (memory, NULL), ==, -1);
            }
          else
            {
              g_assert_cmpint (quire_memory_get_fd (memory, &offset), >=, 0);
              g_assert_cmpuint (offset, ==, cases[i].offset);
            }
        }
    }
}

static void
test_bad_ranges (Fixture       *fixture,
                 gconstpointer  unused)
{
  static const struct
  {
    guint64 offset;
    gssize  size;
  } cases[] = {
    { FILE_SIZE + 1, -1 }, { FILE_SIZE + 1, 0 }, { 0, FILE_SIZE + 1 }, { 1, FILE_SIZE }, { 0, -2 }, { 0, G_MINSSIZE },
    { G_MAXUINT64, 1 }, { G_MAXUINT64, -1 }, { G_MAXINT64, G_MAXSSIZE }, { 4096, G_MAXSSIZE }, { G_MAXUINT64 - 10, 20 },
  };

  g_test_summary ("A range that the file does not have is refused, with the numbers");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *offset = g_strdup_printf ("%" G_GUINT64_FORMAT, cases[i].offset);

      quire_assert_refused (quire_memory_try_new_from_fd (fixture->fd, cases[i].offset, cases[i].size, QUIRE_FD_NONE, &error),
                            OUT_OF_RANGE, offset, "20000");
      /* What is refused is not taken. */
      quire_assert_refused (quire_memory_try_new_from_fd (fixture->fd, cases[i].offset, cases[i].size, QUIRE_FD_TAKE, &error),
                            OUT_OF_RANGE);
    }
  quire_assert_refused (quire_memory_try_new_from_fd (fixture->fd, 0, -1, 1 << 10, &error), NOT_SUPPORTED, "0x400");
}

static void
test_shared (Fixture       *fixture,
             gconstpointer  unused)
{
  g_autoptr (QuireMemory) first = from_fd (fixture->fd, 0, -1, QUIRE_FD_NONE);
  g_autoptr (QuireMemory) second = from_fd (fixture->fd, 5000, -1, QUIRE_FD_NONE);
  guint8 byte;

  g_test_summary ("What is written to the block is written to the file, and the other way round");

  quire_test_set_byte (first, 5001, 0x51);
  g_assert_cmpuint (quire_test_get_byte (second, 1), ==, 0x51);
  g_assert_cmpint (pread (fixture->fd, &byte, 1, 5001), ==, 1);
  g_assert_cmpuint (byte, ==, 0x51);
  byte = 0x52;
  g_assert_cmpint (pwrite (fixture->fd, &byte, 1, 5001), ==, 1);
  g_assert_cmpuint (quire_test_get_byte (second, 1), ==, 0x52);
}

static void
test_private (Fixture       *fixture,
              gconstpointer  unused)
{
  g_autoptr (QuireMemory) memory = from_fd (fixture->fd, 0, -1, QUIRE_FD_PRIVATE);
  g_autoptr (QuireMemory) readonly = NULL;
  guint8 byte;
  int fd;

  g_test_summary ("A private block is writable, and the file does not change");

  quire_test_set_byte (memory, 100, 0x51);
  g_assert_cmpuint (quire_test_get_byte (memory, 100), ==, 0x51);
  g_assert_cmpint (pread (fixture->fd, &byte, 1, 100), ==, 1);
  g_assert_cmpuint (byte, ==, byte_at (100));

  /* To read is enough for that. */
  fd = open (fixture->path, O_RDONLY | O_CLOEXEC);
  readonly = from_fd (fd, 0, -1, QUIRE_FD_PRIVATE | QUIRE_FD_TAKE);
  quire_test_set_byte (readonly, 100, 0x52);

  quire_assert_refused (quire_memory_try_dup_fd (memory, &error) >= 0, NOT_SUPPORTED);
  quire_assert_refused (quire_memory_try_add_seals (memory, QUIRE_SEAL_GROW, &error), NOT_SUPPORTED);
}

static void
check_readonly (QuireMemory *memory,
                int          writable_fd)
{
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;
  g_auto (QuireMapInfo) refused = QUIRE_MAP_INFO_INIT;
  guint8 byte = 0x51;

  g_assert_false (quire_memory_is_writable (memory));
  quire_assert_refused (quire_memory_map_full (memory, &refused, QUIRE_MAP_WRITE, &error), READ_ONLY);

  /* The pages are those of the file: what is written later shows, while they are mapped. */
  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  g_assert_cmpuint (info.data[0], !=, 0x51);
  g_assert_cmpint (pwrite (writable_fd, &byte, 1, 0), ==, 1);
  g_assert_cmpuint (info.data[0], ==, 0x51);

  /* Who writes although he may not does it to himself. */
  info.data[0] = 0x52;
  g_assert_cmpint (pread (writable_fd, &byte, 1, 0), ==, 1);
  g_assert_cmpuint (byte, ==, 0x51);
}

static void
test_readonly (Fixture       *fixture,
               gconstpointer  unused)
{
  g_test_summary ("To read only: by the descriptor or by the flag, of a file and of shared memory");

  for (guint by_flag = 0; by_flag < 2; by_flag++)
    {
      for (guint is_memfd = 0; is_memfd < 2; is_memfd++)
        {
          const int fd = is_memfd ? memfd_create ("quire-test", MFD_CLOEXEC) : dup (fixture->fd);
          g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
          const int readonly = open (path, O_RDONLY | O_CLOEXEC);
          g_autoptr (QuireMemory) memory = NULL;

          g_assert_cmpint (ftruncate (fd, FILE_SIZE), ==, 0);
          g_assert_cmpint (pwrite (fd, "x", 1, 0), ==, 1);
          memory = by_flag ? from_fd (fd, 0, -1, QUIRE_FD_READONLY) : from_fd (readonly, 0, -1, QUIRE_FD_NONE);
          check_readonly (memory, fd);
          close (readonly);
          close (fd);
        }
    }
}

static void
test_ownership (Fixture       *fixture,
                gconstpointer  unused)
{
  const int fd = dup (fixture->fd);
  g_autoptr (QuireMemory) memory = NULL;

  g_test_summary ("What is taken is closed with the block; what is not is duplicated");

  memory = from_fd (fd, 0, 100, QUIRE_FD_NONE);
  g_assert_cmpint (quire_memory_get_fd (memory, NULL), !=, fd);
  g_assert_cmpint (fcntl (quire_memory_get_fd (memory, NULL), F_GETFD), ==, FD_CLOEXEC);
  g_clear_pointer (&memory, quire_memory_unref);
  g_assert_cmpint (fcntl (fd, F_GETFD), >=, 0);

  memory = from_fd (fd, 0, 100, QUIRE_FD_TAKE);
  g_assert_cmpint (quire_memory_get_fd (memory, NULL), ==, fd);
  g_clear_pointer (&memory, quire_memory_unref);
  g_assert_cmpint (fcntl (fd, F_GETFD), ==, -1);
}

/* What needs the descriptor, of a block that has one that is closed, or of something else. */
static void
check_lost (QuireMemory *memory,
            gboolean     is_stable)
{
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;

  if (is_stable)
    g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  else
    quire_assert_refused (quire_memory_map_full (memory, &info, QUIRE_MAP_READ, &error), CLOSED, "escriptor");
  quire_map_info_clear (&info);
  quire_assert_refused (quire_memory_try_dup_fd (memory, &error) >= 0, CLOSED, "escriptor");
  quire_assert_refused (quire_memory_try_add_seals (memory, QUIRE_SEAL_GROW, &error), CLOSED, "escriptor");
  quire_assert_refused (quire_memory_try_add_seals (memory, QUIRE_SEAL_WRITE, &error), CLOSED, "escriptor");
  quire_assert_state (memory, "free");
}

static void
test_borrow (Fixture       *fixture,
             gconstpointer  unused)
{
  const int fd = memfd_create ("quire-test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  const int second = dup (fixture->fd);
  g_autoptr (QuireMemory) memory = NULL;
  g_autoptr (QuireMemory) sized = NULL;

  g_test_summary ("What is borrowed is not closed, and nothing breaks if it is closed too early");

  g_assert_cmpint (ftruncate (fd, 100), ==, 0);
  g_assert_cmpint (fcntl (fd, F_ADD_SEALS, F_SEAL_SHRINK), ==, 0);
  quire_assert_refused (quire_memory_try_new_from_fd (fd, 0, -1, QUIRE_FD_BORROW | QUIRE_FD_TAKE, &error), NOT_SUPPORTED, "0x11");

  memory = from_fd (fd, 0, -1, QUIRE_FD_BORROW);
  g_assert_cmpint (quire_memory_get_fd (memory, NULL), ==, fd);
  g_clear_pointer (&memory, quire_memory_unref);
  g_assert_cmpint (fcntl (fd, F_GETFD), >=, 0);

  memory = from_fd (fd, 0, -1, QUIRE_FD_BORROW);
  sized = from_fd (second, 0, -1, QUIRE_FD_BORROW);
  close (fd);
  close (second);
  check_lost (memory, TRUE);
  check_lost (sized, FALSE);
}

static void
test_reused (Fixture       *fixture,
             gconstpointer  unused)
{
  g_autoptr (QuireMemory) memory = from_fd (fixture->fd, 0, -1, QUIRE_FD_NONE);
  g_autoptr (QuireMemory) stable = quire_test_memfd_new (FILE_SIZE);
  const int other = memfd_create ("quire-test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  g_test_summary ("A number that was closed behind the block's back, and is another file's by now, is not taken for its own");

  g_assert_cmpint (dup2 (other, quire_memory_get_fd (memory, NULL)), >=, 0);
  g_assert_cmpint (dup2 (other, quire_memory_get_fd (stable, NULL)), >=, 0);
  check_lost (memory, FALSE);
  check_lost (stable, TRUE);
  g_assert_cmpint (fcntl (other, F_GET_SEALS), ==, 0);
  g_assert_true (quire_memory_fill (stable, 0, -1, 1));
  close (other);

  g_assert_cmpint (dup2 (fixture->fd, quire_memory_get_fd (memory, NULL)), >=, 0);
  g_assert_true (quire_memory_fill (memory, 0, -1, 1));
}

static void
test_unmappable (Fixture       *fixture,
                 gconstpointer  unused)
{
  int fds[8], sockets[2];
  const struct
  {
    const int       *fd;
    const char      *word;
    QuireMemoryError code;
  } cases[] = {
    { &fds[0], "write only", QUIRE_MEMORY_ERROR_NOT_MAPPABLE },
    { &fds[1], "path only", QUIRE_MEMORY_ERROR_NOT_MAPPABLE },
    { &fds[2], "directory", QUIRE_MEMORY_ERROR_NOT_MAPPABLE },
    { &fds[3], "pipe", QUIRE_MEMORY_ERROR_NOT_MAPPABLE },
    { &fds[5], "socket", QUIRE_MEMORY_ERROR_NOT_MAPPABLE },
    { &fds[6], "device", QUIRE_MEMORY_ERROR_NOT_MAPPABLE },
    { &fds[7], "descriptor", QUIRE_MEMORY_ERROR_CLOSED },
  };

  g_test_summary ("What can't be mapped says why");

  fds[0] = open (fixture->path, O_WRONLY | O_CLOEXEC);
  fds[1] = open (fixture->path, O_PATH | O_CLOEXEC);
  fds[2] = open ("/", O_RDONLY | O_CLOEXEC);
  g_assert_cmpint (pipe2 (&fds[3], O_CLOEXEC), ==, 0);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), ==, 0);
  fds[5] = sockets[0];
  fds[6] = open ("/dev/null", O_RDWR | O_CLOEXEC);
  fds[7] = dup (fds[6]);
  close (fds[7]);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (quire_memory_try_new_from_fd (*cases[i].fd, 0, 1, QUIRE_FD_NONE, &error));
      quire_test_check_error (cases[i].word, error, cases[i].code, cases[i].word, NULL);
      g_clear_error (&error);
      g_assert_null (quire_memory_try_new_from_fd (*cases[i].fd, 0, 1, QUIRE_FD_TAKE | QUIRE_FD_READONLY, &error));
      quire_test_check_error (cases[i].word, error, cases[i].code, cases[i].word, NULL);
    }
  quire_assert_refused (quire_memory_try_new_from_fd (-1, 0, 1, QUIRE_FD_NONE, &error), CLOSED, "-1");

  for (gsize i = 0; i < 7; i++)
    g_assert_cmpint (close (fds[i]), ==, 0);
  close (sockets[1]);
}

static void
test_device (Fixture       *fixture,
             gconstpointer  unused)
{
  const int fd = open ("/dev/zero", O_RDWR | O_CLOEXEC);
  g_autoptr (QuireMemory) memory = NULL;

  g_test_summary ("A device has no size of its own, and nothing that could be truncated");

  quire_assert_refused (quire_memory_try_new_from_fd (fd, 0, -1, QUIRE_FD_NONE, &error), NOT_SUPPORTED, "size");
  memory = from_fd (fd, 0, 10000, QUIRE_FD_STABLE);
  g_assert_true (quire_memory_is_stable (memory));
  quire_test_set_byte (memory, 9999, 1);
  close (fd);
}

static void
test_stable (Fixture       *fixture,
             gconstpointer  unused)
{
  int fd = memfd_create ("quire-test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  g_autoptr (QuireMemory) memory = NULL;
  g_autoptr (QuireMemory) late = NULL;

  g_test_summary ("What can be truncated is known, and can be refused");

  g_assert_cmpint (ftruncate (fd, 100), ==, 0);
  quire_assert_refused (quire_memory_try_new_from_fd (fixture->fd, 0, -1, QUIRE_FD_STABLE, &error), NOT_SUPPORTED, "20000", "shrink");
  quire_assert_refused (quire_memory_try_new_from_fd (fd, 0, -1, QUIRE_FD_STABLE, &error), NOT_SUPPORTED, "100", "shrink");

  memory = from_fd (fd, 0, -1, QUIRE_FD_NONE);
  g_assert_false (quire_memory_is_stable (memory));
  g_assert_true (quire_memory_add_seals (memory, QUIRE_SEAL_SHRINK));
  g_assert_true (quire_memory_is_stable (memory));
  quire_memory_unref (from_fd (fd, 0, -1, QUIRE_FD_STABLE));
  close (fd);

  /* The seal comes too late for what is gone already. */
  fd = memfd_create ("quire-test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  g_assert_cmpint (ftruncate (fd, 100), ==, 0);
  late = from_fd (fd, 0, -1, QUIRE_FD_NONE);
  g_assert_cmpint (ftruncate (fd, 99), ==, 0);
  g_assert_true (quire_memory_add_seals (late, QUIRE_SEAL_SHRINK));
  g_assert_false (quire_memory_is_stable (late));
  close (fd);
}

/* All that looks at the data of a block whose file is gone. In a child, for it would be
 * the end of the process if it were not refused. */
static void
use_truncated (QuireMemory *memory,
               QuireMemory *share)
{
  g_autoptr (QuireMemory) target = quire_memory_new (FILE_SIZE);
  QuireMemory * const memories[] = { target, memory };
  QuireMemory *handles[] = { memory, share };
  guint8 bytes[10];
  int order;

  for (gsize i = 0; i < G_N_ELEMENTS (handles); i++)
    {
      g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;

      quire_assert_refused (quire_memory_map_full (handles[i], &info, QUIRE_MAP_READ, &error), OUT_OF_RANGE, "truncated", "0 bytes", "20000");
      quire_assert_refused (quire_memory_try_map (handles[i], QUIRE_MAP_READ, &error), OUT_OF_RANGE, "truncated");
      quire_assert_refused (quire_memory_try_make_mapped (handles[i], QUIRE_MAP_READ, &error), OUT_OF_RANGE, "truncated");
      quire_assert_refused (quire_memory_try_copy (handles[i], 0, -1, &error), OUT_OF_RANGE, "truncated");
      quire_assert_refused (quire_memory_try_read (handles[i], 0, bytes, 10, &error), OUT_OF_RANGE, "truncated");
      quire_assert_refused (quire_memory_try_compare (target, handles[i], &order, &error), OUT_OF_RANGE, "truncated");
      quire_assert_refused (quire_memory_try_to_bytes (handles[i], &error), OUT_OF_RANGE, "truncated");
      g_assert_false (quire_memory_is_aligned (handles[i], 0));
      quire_assert_state (share, "free");
    }
  quire_assert_refused (quire_memory_merge_list (memories, 2, NULL, &error), OUT_OF_RANGE, "truncated");
  quire_memory_unref (share);
  quire_assert_state (memory, "free");
  quire_assert_refused (quire_memory_try_fill (memory, 0, -1, 1, &error), OUT_OF_RANGE, "truncated");
  quire_assert_refused (quire_memory_try_write (memory, 0, bytes, 10, &error), OUT_OF_RANGE, "truncated");
}

static void
test_truncated (Fixture       *fixture,
                gconstpointer  unused)
{
  int status;
  pid_t pid;

  g_test_summary ("A file that was truncated is an error of the next map, and no signal");

  pid = fork ();
  if (pid == 0)
    {
      QuireMemory *memory = from_fd (fixture->fd, 0, -1, QUIRE_FD_NONE);
      QuireMemory *share = quire_memory_share (memory, 10000, 100);

      if (ftruncate (fixture->fd, 0) != 0)
        _exit (1);
      use_truncated (memory, share);
      /* It may come back. */
      if (ftruncate (fixture->fd, FILE_SIZE) != 0 || !quire_memory_fill (memory, 0, -1, 1))
        _exit (1);
      quire_memory_unref (memory);
      _exit (0);
    }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
}

static void
test_alloc (Fixture       *fixture,
            gconstpointer  unused)
{
  g_autoptr (QuireAllocator) allocator = quire_allocator_find ("fd");

  g_test_summary ("There is nothing to allocate here");

  quire_assert_refused (quire_allocator_try_alloc (allocator, 123, NULL, &error), NOT_SUPPORTED, "123", "from_fd");
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(PATH, FUNCTION) \
  g_test_add ("/fd/" PATH, Fixture, NULL, set_up, FUNCTION, tear_down)

  ADD ("ranges", test_ranges);
  ADD ("bad-ranges", test_bad_ranges);
  ADD ("shared", test_shared);
  ADD ("private", test_private);
  ADD ("readonly", test_readonly);
  ADD ("ownership", test_ownership);
  ADD ("borrow", test_borrow);
  ADD ("reused", test_reused);
  ADD ("unmappable", test_unmappable);
  ADD ("device", test_device);
  ADD ("stable", test_stable);
  ADD ("truncated", test_truncated);
  ADD ("alloc", test_alloc);

  return g_test_run ();
}
