/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Blocks over disks. Few tests may read one; so here a memfd is made to look like it: what
 * the library asks of the system goes through this program first. */

#include "quire-test-fd.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/fs.h>

#define DISK_SIZE 20480

static int disk = -1;
static guint64 disk_size = DISK_SIZE;

/* A disk has no size here. */
int
fstat (int          fd,
       struct stat *status)
{
  if (fstatat (fd, "", status, AT_EMPTY_PATH) != 0)
    return -1;
  status->st_mode = S_IFBLK | 0600;
  status->st_size = 0;
  return 0;
}

int
ioctl (int           fd,
       unsigned long request,
       ...)
{
  va_list args;
  void *argument;

  va_start (args, request);
  argument = va_arg (args, void *);
  va_end (args);

  if (request != BLKGETSIZE64)
    return (int) syscall (SYS_ioctl, fd, request, argument);

  *(guint64 *) argument = disk_size;
  return 0;
}

static void
test_size (void)
{
  g_autoptr (QuireMemory) memory = NULL;
  g_autoptr (QuireMemory) whole = NULL;

  g_test_summary ("A disk has a size, which is kept to as that of a file");

  whole = quire_memory_new_from_fd (disk, 0, -1, QUIRE_FD_NONE);
  quire_assert_sizes (whole, 0, DISK_SIZE, DISK_SIZE);
  memory = quire_memory_new_from_fd (disk, DISK_SIZE - 100, -1, QUIRE_FD_NONE);
  quire_assert_sizes (memory, 0, 100, 100);
  quire_test_set_byte (memory, 99, 0x51);
  g_assert_cmpuint (quire_test_get_byte (whole, DISK_SIZE - 1), ==, 0x51);

  quire_assert_refused (quire_memory_try_new_from_fd (disk, 0, DISK_SIZE + 1, QUIRE_FD_NONE, &error), OUT_OF_RANGE, "20480", "20481");
}

static void
test_stable (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new_from_fd (disk, 0, -1, QUIRE_FD_NONE);
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;

  g_test_summary ("A disk may become smaller");

  g_assert_false (quire_memory_is_stable (memory));
  quire_assert_refused (quire_memory_try_new_from_fd (disk, 0, -1, QUIRE_FD_STABLE, &error), NOT_SUPPORTED, "20480");

  disk_size = 4096;
  quire_assert_refused (quire_memory_map_full (memory, &info, QUIRE_MAP_READ, &error), OUT_OF_RANGE, "4096", "20480");
  disk_size = DISK_SIZE;
  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
}

static void
test_share (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new_from_fd (disk, 0, -1, QUIRE_FD_NONE);
  g_autoptr (QuireMemory) share = quire_memory_share (memory, 0, 10);

  g_test_summary ("To open a disk once more may do something; so of a share there is no descriptor");

  quire_assert_refused (quire_memory_try_dup_fd (share, &error) >= 0, NOT_SUPPORTED, "no file");
}

int
main (int    argc,
      char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  disk = memfd_create ("quire-test", MFD_CLOEXEC);
  g_assert_cmpint (ftruncate (disk, DISK_SIZE), ==, 0);

  g_test_add_func ("/disk/size", test_size);
  g_test_add_func ("/disk/stable", test_stable);
  g_test_add_func ("/disk/share", test_share);

  result = g_test_run ();
  close (disk);
  return result;
}
