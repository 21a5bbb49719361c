/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Seals, and what can be done with blocks that nobody will ever write. */

#include "quire-test-fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void
test_plain (void)
{
  g_autoptr (QuireMemfdAllocator) allocator = quire_memfd_allocator_new (NULL, QUIRE_SEAL_NONE);
  g_autoptr (QuireMemory) memory = quire_allocator_alloc (QUIRE_ALLOCATOR (allocator), 4096, NULL);
  int fd;

  g_test_summary ("Seals are the kernel's, and add up");

  fd = quire_memory_get_fd (memory, NULL);
  g_assert_cmpuint (quire_memory_get_seals (memory), ==, QUIRE_SEAL_NONE);
  g_assert_true (quire_memory_add_seals (memory, QUIRE_SEAL_GROW));
  g_assert_cmpint (ftruncate (fd, 8192), ==, -1);
  g_assert_true (quire_memory_add_seals (memory, QUIRE_SEAL_SHRINK));
  g_assert_cmpint (ftruncate (fd, 0), ==, -1);
  g_assert_true (quire_memory_add_seals (memory, QUIRE_SEAL_NONE));
  g_assert_cmpuint (quire_memory_get_seals (memory), ==, QUIRE_SEAL_GROW | QUIRE_SEAL_SHRINK);
  quire_test_set_byte (memory, 0, 1);

  g_assert_true (quire_memory_add_seals (memory, QUIRE_SEAL_SEAL));
  quire_assert_refused (quire_memory_try_add_seals (memory, QUIRE_SEAL_WRITE, &error), READ_ONLY, "0x8");
  /* Which changed nothing. */
  quire_test_set_byte (memory, 0, 2);
  g_assert_true (quire_memory_is_writable (memory));
  g_assert_cmpint (pwrite (fd, "x", 1, 1), ==, 1);
  g_assert_cmpuint (quire_test_get_byte (memory, 1), ==, 'x');

  quire_assert_refused (quire_memory_try_add_seals (memory, 1 << 20, &error), NOT_SUPPORTED, "0x100000");
}

static void
test_write (void)
{
  g_autoptr (QuireMemory) memory = quire_test_memfd_new (10000);
  g_autoptr (QuireMemory) share = NULL;
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;
  g_auto (QuireMapInfo) refused = QUIRE_MAP_INFO_INIT;
  guint8 *stale;
  int fd;
  guint8 byte;

  g_test_summary ("Sealed against writing, a block is read-only for everybody and for ever");

  fd = quire_memory_get_fd (memory, NULL);
  g_assert_true (quire_memory_fill (memory, 0, -1, 7));
  share = quire_memory_share (memory, 5000, 10);

  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  stale = info.data;
  quire_assert_refused (quire_memory_try_add_seals (memory, QUIRE_SEAL_WRITE, &error), BUSY, "1 READ map");
  quire_map_info_clear (&info);

  g_assert_true (quire_memory_add_seals (memory, QUIRE_SEAL_WRITE));
  g_assert_true ((quire_memory_get_seals (memory) & QUIRE_SEAL_WRITE) != 0);
  g_assert_true ((quire_memory_get_flags (memory) & QUIRE_MEMORY_FLAG_READONLY) != 0);
  quire_assert_state (memory, "1 share alive");
  g_clear_pointer (&share, quire_memory_unref);
  quire_assert_refused (quire_memory_map_full (memory, &refused, QUIRE_MAP_WRITE, &error), READ_ONLY);
  quire_assert_refused (quire_memory_try_lock (memory, QUIRE_MAP_READWRITE, &error), READ_ONLY);
  g_assert_cmpint (pwrite (fd, "x", 1, 0), ==, -1);
  g_assert_true (mmap (NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);

  /* Who kept an address to write writes to no one else. */
  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  g_assert_true (info.data == stale);
  g_assert_cmpuint (stale[9999], ==, 7);
  stale[9999] = 8;
  g_assert_cmpint (pread (fd, &byte, 1, 9999), ==, 1);
  g_assert_cmpuint (byte, ==, 7);
}

static void
test_write_busy (void)
{
  g_autoptr (QuireMemory) memory = quire_test_memfd_new (10000);
  g_autoptr (QuireMemory) other = quire_memory_new_from_fd (quire_memory_get_fd (memory, NULL), 0, -1, QUIRE_FD_NONE);

  g_test_summary ("While somebody else has it mapped to write, nothing is sealed and nothing lost");

  quire_assert_refused (quire_memory_try_add_seals (memory, QUIRE_SEAL_WRITE, &error), BUSY, g_strerror (EBUSY));
  g_assert_true (quire_memory_is_writable (memory));
  quire_assert_state (memory, "free");
  quire_test_set_byte (memory, 5000, 0x51);
  g_assert_cmpuint (quire_test_get_byte (other, 5000), ==, 0x51);

  g_clear_pointer (&other, quire_memory_unref);
  g_assert_true (quire_memory_add_seals (memory, QUIRE_SEAL_WRITE));
}

static void
test_future_write (void)
{
  g_autoptr (QuireMemory) memory = quire_test_memfd_new (10000);
  g_autoptr (QuireMemory) early = quire_memory_new_from_fd (quire_memory_get_fd (memory, NULL), 0, -1, QUIRE_FD_NONE);
  g_autoptr (QuireMemory) late = NULL;

  g_test_summary ("FUTURE_WRITE leaves who has it mapped; and after it, WRITE has no way back");

  g_assert_true (quire_memory_add_seals (memory, QUIRE_SEAL_FUTURE_WRITE));
  quire_test_set_byte (memory, 1, 1);
  quire_test_set_byte (early, 2, 2);
  late = quire_memory_new_from_fd (quire_memory_get_fd (memory, NULL), 0, -1, QUIRE_FD_NONE);
  g_assert_false (quire_memory_is_writable (late));
  g_assert_cmpuint (quire_test_get_byte (late, 1), ==, 1);
  g_assert_cmpuint (quire_test_get_byte (late, 2), ==, 2);

  quire_assert_refused (quire_memory_try_add_seals (memory, QUIRE_SEAL_WRITE, &error), BUSY,
                        "10000 bytes is read-only from now on", g_strerror (EBUSY));
  g_assert_false (quire_memory_is_writable (memory));
  quire_assert_state (memory, "free");
  quire_test_set_byte (early, 3, 3);
  g_assert_cmpuint (quire_test_get_byte (memory, 3), ==, 3);

  g_clear_pointer (&early, quire_memory_unref);
  g_assert_true (quire_memory_add_seals (memory, QUIRE_SEAL_WRITE));
  g_assert_cmpuint (quire_test_get_byte (memory, 3), ==, 3);
}

static void
test_future_write_alone (void)
{
  g_autoptr (QuireMemory) memory = quire_test_memfd_new (10000);

  g_test_summary ("FUTURE_WRITE while it is made, WRITE when it is done");

  g_assert_true (quire_memory_add_seals (memory, QUIRE_SEAL_FUTURE_WRITE));
  quire_test_set_byte (memory, 1, 1);
  g_assert_true (quire_memory_add_seals (memory, QUIRE_SEAL_WRITE));
  g_assert_cmpuint (quire_test_get_byte (memory, 1), ==, 1);
}

static void
test_child (void)
{
  g_autoptr (QuireMemory) memory = quire_test_memfd_new (10000);
  int fds[2], status;
  pid_t pid;
  char c;

  g_test_summary ("A child that was forked before can write, so nothing is sealed while it lives");

  g_assert_cmpint (pipe2 (fds, O_CLOEXEC), ==, 0);
  pid = fork ();
  if (pid == 0)
    {
      close (fds[1]);
      _exit (read (fds[0], &c, 1) == 0 ? 0 : 1);
    }
  close (fds[0]);
  quire_assert_refused (quire_memory_try_add_seals (memory, QUIRE_SEAL_WRITE, &error), BUSY);
  close (fds[1]);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  g_assert_true (quire_memory_add_seals (memory, QUIRE_SEAL_WRITE));
}

static void
test_handles (void)
{
  g_autoptr (QuireMemory) memory = quire_test_memfd_new (100);
  g_autoptr (QuireMemory) readonly = NULL;
  g_autoptr (QuireMemory) share = NULL;
  g_autoptr (QuireMemory) empty = quire_test_memfd_new (0);
  g_autoptr (QuireMemory) closed = quire_memory_close (quire_test_memfd_new (1));

  g_test_summary ("By a read-only handle, by a share, of an empty block");

  share = quire_memory_share (memory, 0, -1);
  g_assert_true (quire_memory_add_seals (share, QUIRE_SEAL_WRITE));
  g_assert_false (quire_memory_is_writable (memory));

  g_clear_pointer (&memory, quire_memory_unref);
  g_clear_pointer (&share, quire_memory_unref);
  memory = quire_test_memfd_new (100);
  readonly = quire_memory_new_from_fd (quire_memory_get_fd (memory, NULL), 0, -1, QUIRE_FD_READONLY);
  g_clear_pointer (&memory, quire_memory_unref);
  g_assert_true (quire_memory_add_seals (readonly, QUIRE_SEAL_WRITE));

  g_assert_true (quire_memory_add_seals (empty, QUIRE_SEAL_WRITE));
  quire_assert_refused (quire_memory_try_add_seals (closed, QUIRE_SEAL_WRITE, &error), CLOSED);
}

static gsize
anonymous_memory (void)
{
  g_autofree char *status = NULL;

  g_assert_true (g_file_get_contents ("/proc/self/status", &status, NULL, NULL));
  return g_ascii_strtoull (strstr (status, "RssAnon:") + strlen ("RssAnon:"), NULL, 10) * 1024;
}

static void
test_copy (void)
{
  const gsize size = 64 * 1024 * 1024;
  g_autoptr (QuireMemory) memory = quire_test_memfd_new (size);
  g_autoptr (QuireMemory) share = NULL;
  g_autoptr (QuireMemory) copy = NULL;
  g_autoptr (QuireMemory) piece = NULL;
  g_autoptr (QuireMemory) ordinary = NULL;
  g_autoptr (QuireMemory) copy_of_copy = NULL;
  const guint n_fds = quire_test_count_fds ();
  gsize before;
  int order;

  g_test_summary ("A copy of what never changes is made of pages that are copied when they are written to");

  g_assert_true (quire_memory_fill (memory, 0, -1, 7));
  quire_test_set_byte (memory, 12352 + 1000000, 8);
  /* Of what may change, no. */
  ordinary = quire_memory_copy (memory, 0, -1);
  g_assert_true (quire_memory_is_type (ordinary, "system"));
  g_clear_pointer (&ordinary, quire_memory_unref);

  g_assert_true (quire_memory_add_seals (memory, QUIRE_SEAL_WRITE));
  before = anonymous_memory ();
  copy = quire_memory_copy (memory, 0, -1);
  share = quire_memory_share (memory, 12352, 40000000);
  piece = quire_memory_copy (share, 0, -1);
  g_assert_cmpuint (anonymous_memory (), <, before + size / 4);
  g_assert_cmpuint (quire_test_count_fds (), ==, n_fds);

  g_assert_true (quire_memory_is_type (copy, "memfd"));
  g_assert_true (quire_memory_is_writable (copy));
  g_assert_true (quire_memory_compare (copy, memory, &order));
  g_assert_cmpint (order, ==, 0);
  g_assert_true (quire_memory_compare (piece, share, &order));
  g_assert_cmpint (order, ==, 0);
  g_assert_cmpuint (quire_test_get_byte (piece, 1000000), ==, 8);

  g_assert_true (quire_memory_fill (copy, 0, -1, 9));
  g_assert_cmpuint (quire_test_get_byte (memory, 0), ==, 7);
  g_assert_cmpuint (quire_test_get_byte (piece, 0), ==, 7);
  copy_of_copy = quire_memory_copy (copy, 0, -1);
  g_assert_true (quire_memory_fill (copy, 0, -1, 10));
  g_assert_cmpuint (quire_test_get_byte (copy_of_copy, size - 1), ==, 9);

  /* The copy has nothing to do with the file. */
  g_assert_cmpint (quire_memory_get_fd (copy, NULL), ==, -1);
  g_clear_pointer (&share, quire_memory_unref);
  g_clear_pointer (&memory, quire_memory_unref);
  g_assert_cmpuint (quire_test_get_byte (piece, 0), ==, 7);
  g_assert_cmpuint (quire_test_get_byte (copy, 0), ==, 10);
}

static void
test_copy_reused (void)
{
  const gsize size = 33 * 1024 * 1024;
  g_autoptr (QuireMemory) memory = quire_test_memfd_new (size);
  g_autoptr (QuireMemory) other = quire_test_memfd_new (size);
  g_autoptr (QuireMemory) copy = NULL;

  g_test_summary ("A copy is not made of another file, should the number be that of another one by now");

  g_assert_true (quire_memory_fill (memory, 0, -1, 7));
  g_assert_true (quire_memory_add_seals (memory, QUIRE_SEAL_WRITE));
  g_assert_true (quire_memory_add_seals (other, QUIRE_SEAL_WRITE));
  g_assert_cmpint (dup2 (quire_memory_get_fd (other, NULL), quire_memory_get_fd (memory, NULL)), >=, 0);
  copy = quire_memory_copy (memory, 0, -1);
  g_assert_cmpuint (quire_test_get_byte (copy, size - 1), ==, 7);
}

static void
test_copy_aligned (void)
{
  const gsize size = 33 * 1024 * 1024;
  g_autoptr (QuireAllocator) allocator = quire_allocator_find ("memfd");
  const QuireAllocationParams params = { .align = (1 << 26) - 1, .prefix = 100 };
  g_autoptr (QuireMemory) memory = quire_allocator_alloc (allocator, size, &params);
  g_autoptr (QuireMemory) copy = NULL;
  g_autoptr (QuireMemory) piece = NULL;
  g_autoptr (QuireMemory) plain = NULL;

  g_test_summary ("A copy is aligned as the block, whichever way it is made");

  g_assert_true (quire_memory_add_seals (memory, QUIRE_SEAL_WRITE));
  copy = quire_memory_copy (memory, 0, -1);
  g_assert_true (quire_memory_is_type (copy, "memfd"));
  g_assert_true (quire_memory_is_aligned (copy, params.align));
  piece = quire_memory_copy (memory, 1, -1);
  g_assert_true (quire_memory_is_type (piece, "system"));
  g_assert_true (quire_memory_is_aligned (piece, params.align));
  g_clear_pointer (&piece, quire_memory_unref);

  plain = quire_test_memfd_new (size);
  g_assert_true (quire_memory_add_seals (plain, QUIRE_SEAL_WRITE));
  piece = quire_memory_copy (plain, 1, -1);
  g_assert_true (quire_memory_is_aligned (piece, quire_allocator_get_default_align ()));
  g_clear_pointer (&piece, quire_memory_unref);
  piece = quire_memory_copy (plain, 160, -1);
  g_assert_true (quire_memory_is_type (piece, "memfd"));
  g_assert_true (quire_memory_is_aligned (piece, quire_allocator_get_default_align ()));
}

static void
test_copy_small (void)
{
  g_autoptr (QuireMemory) memory = quire_test_memfd_new (1000);
  g_autoptr (QuireMemory) copy = NULL;

  g_test_summary ("A small copy is an ordinary one");

  g_assert_true (quire_memory_fill (memory, 0, -1, 7));
  g_assert_true (quire_memory_add_seals (memory, QUIRE_SEAL_WRITE));
  copy = quire_memory_copy (memory, 16, 10);
  g_assert_true (quire_memory_is_type (copy, "system"));
  g_assert_cmpuint (quire_test_get_byte (copy, 9), ==, 7);
}

typedef struct
{
  QuireMemory *memory;
  gint         writes;
} Race;

static gpointer
write_until_sealed (gpointer data)
{
  Race *race = data;
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;

  while (TRUE)
    {
      g_autoptr (GError) error = NULL;

      if (quire_memory_map_full (race->memory, &info, QUIRE_MAP_WRITE, &error))
        {
          info.data[0] = (guint8) (info.data[0] + 1);
          g_atomic_int_inc (&race->writes);
          quire_memory_unmap (race->memory, &info);
        }
      else if (error->code == QUIRE_MEMORY_ERROR_READ_ONLY)
        {
          return NULL;
        }
    }
}

static void
test_race (void)
{
  g_test_summary ("Whatever a map to write that was granted wrote is in the sealed file");

  for (guint i = 0; i < 50; i++)
    {
      Race race = { quire_test_memfd_new (4096), 0 };
      GThread *thread = g_thread_new ("writer", write_until_sealed, &race);
      guint8 byte;

      while (g_atomic_int_get (&race.writes) < 10 ||
             !quire_memory_add_seals (race.memory, QUIRE_SEAL_WRITE))
        g_thread_yield ();
      g_thread_join (thread);

      g_assert_cmpint (pread (quire_memory_get_fd (race.memory, NULL), &byte, 1, 0), ==, 1);
      g_assert_cmpuint (byte, ==, (guint8) race.writes);
      quire_memory_unref (race.memory);
    }
}

#define SIZE 65536

typedef struct
{
  QuireMemory *share;
  gint         started;
  gint         stop;
} Reader;

static gpointer
read_for_ever (gpointer data)
{
  Reader *reader = data;
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;

  g_assert_true (quire_memory_map (reader->share, &info, QUIRE_MAP_READ));
  while (!g_atomic_int_get (&reader->stop))
    {
      for (gsize i = 0; i < SIZE; i += 4096)
        g_assert_cmpuint (info.data[i], ==, quire_test_byte (i));
      g_atomic_int_set (&reader->started, 1);
    }
  return NULL;
}

static void
test_readers (void)
{
  g_test_summary ("Who has a share mapped sees the same bytes all the time, be the seal granted or not");

  for (guint i = 0; i < 30; i++)
    {
      g_autoptr (QuireMemory) memory = quire_test_memfd_new (SIZE);
      g_autoptr (QuireMemory) share = NULL;
      g_autoptr (QuireMemory) other = NULL;
      GThread *thread;
      Reader reader = { NULL, };

      for (gsize n = 0; n < SIZE; n += 4096)
        quire_test_set_byte (memory, n, quire_test_byte (n));
      share = reader.share = quire_memory_share (memory, 0, -1);
      other = quire_memory_new_from_fd (quire_memory_get_fd (memory, NULL), 0, -1, QUIRE_FD_NONE);
      thread = g_thread_new ("reader", read_for_ever, &reader);
      while (!g_atomic_int_get (&reader.started))
        g_thread_yield ();

      for (guint n = 0; n < 20; n++)
        g_assert_false (quire_memory_add_seals (memory, QUIRE_SEAL_WRITE));
      g_clear_pointer (&other, quire_memory_unref);
      g_assert_true (quire_memory_add_seals (memory, QUIRE_SEAL_WRITE));

      g_atomic_int_set (&reader.stop, 1);
      g_thread_join (thread);
    }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/seals/plain", test_plain);
  g_test_add_func ("/seals/write", test_write);
  g_test_add_func ("/seals/write-busy", test_write_busy);
  g_test_add_func ("/seals/future-write", test_future_write);
  g_test_add_func ("/seals/future-write-alone", test_future_write_alone);
  g_test_add_func ("/seals/child", test_child);
  g_test_add_func ("/seals/readers", test_readers);
  g_test_add_func ("/seals/handles", test_handles);
  g_test_add_func ("/seals/copy", test_copy);
  g_test_add_func ("/seals/copy-reused", test_copy_reused);
  g_test_add_func ("/seals/copy-aligned", test_copy_aligned);
  g_test_add_func ("/seals/copy-small", test_copy_small);
  g_test_add_func ("/seals/race", test_race);

  return g_test_run ();
}
