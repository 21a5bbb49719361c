/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Blocks over dma-bufs. Few machines have one; so here a memfd is made to look like it: what
 * the library asks of the system goes through this program first. */

#include "quire-test-fd.h"
#include "quire-test-script.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <linux/magic.h>

#define DMA_BUF_SIZE 8192

static int the_dma_buf = -1;

/* What was asked, in order, as letters; and what to answer. */
static GString *calls;
static int next_errno;

int
fstatfs (int            fd,
         struct statfs *buf)
{
  if (syscall (SYS_fstatfs, fd, buf) != 0)
    return -1;
  buf->f_type = DMA_BUF_MAGIC;
  return 0;
}

int
ioctl (int           fd,
       unsigned long request,
       ...)
{
  const struct dma_buf_sync *sync;
  va_list args;

  va_start (args, request);
  sync = va_arg (args, void *);
  va_end (args);

  if (request != DMA_BUF_IOCTL_SYNC)
    return (int) syscall (SYS_ioctl, fd, request, sync);

  if (next_errno != 0)
    {
      g_string_append_c (calls, '!');
      errno = next_errno;
      if (errno == EINTR || errno == EAGAIN)
        next_errno = 0;
      return -1;
    }

  g_string_append_c (calls, (sync->flags & DMA_BUF_SYNC_END) ? 'e' : 's');
  if (sync->flags & DMA_BUF_SYNC_READ)
    g_string_append_c (calls, 'r');
  if (sync->flags & DMA_BUF_SYNC_WRITE)
    g_string_append_c (calls, 'w');
  return 0;
}

static void
assert_calls (const char *expected)
{
  g_assert_cmpstr (calls->str, ==, expected);
  g_string_truncate (calls, 0);
}

static QuireMemory *
dma_buf_new (void)
{
  g_autoptr (GError) error = NULL;
  QuireMemory *memory = quire_memory_try_new_from_fd (the_dma_buf, 0, -1, QUIRE_FD_STABLE, &error);

  g_assert_no_error (error);
  return memory;
}

static void
test_maps (void)
{
  g_autoptr (QuireMemory) memory = dma_buf_new ();
  g_autoptr (QuireMemory) share = NULL;
  g_auto (QuireMapInfo) first = QUIRE_MAP_INFO_INIT;
  g_auto (QuireMapInfo) second = QUIRE_MAP_INFO_INIT;

  g_test_summary ("Each map is told to the driver, as what it is");

  g_assert_cmpuint (quire_memory_get_sizes (memory, NULL, NULL), ==, DMA_BUF_SIZE);
  g_assert_true (quire_memory_is_stable (memory));
  assert_calls ("");

  g_assert_true (quire_memory_map (memory, &first, QUIRE_MAP_READ));
  assert_calls ("sr");
  g_assert_true (quire_memory_map (memory, &second, QUIRE_MAP_READ));
  assert_calls ("sr");
  quire_memory_unmap (memory, &first);
  quire_memory_unmap (memory, &second);
  assert_calls ("erer");

  g_assert_true (quire_memory_map (memory, &first, QUIRE_MAP_WRITE));
  quire_memory_unmap (memory, &first);
  g_assert_true (quire_memory_map (memory, &first, QUIRE_MAP_READWRITE));
  quire_memory_unmap (memory, &first);
  assert_calls ("swewsrwerw");

  g_assert_true (quire_memory_fill (memory, 0, -1, 7));
  assert_calls ("swew");
  g_assert_cmpuint (quire_test_get_byte (memory, 1), ==, 7);
  assert_calls ("srer");

  share = quire_memory_share (memory, 100, 10);
  assert_calls ("");
  g_assert_cmpuint (quire_test_get_byte (share, 0), ==, 7);
  assert_calls ("srer");

  /* By the descriptor others could write, and there is no other one to be had. */
  quire_assert_refused (quire_memory_try_dup_fd (share, &error) >= 0, NOT_SUPPORTED, "read");
}

static void
test_mappings (void)
{
  g_autoptr (QuireMemory) memory = dma_buf_new ();
  g_autoptr (GBytes) bytes = NULL;
  QuireMapping *mapping;

  g_test_summary ("A map of a script ends for the driver when its lock does, whatever the script keeps");

  mapping = quire_memory_try_map (memory, QUIRE_MAP_WRITE, NULL);
  assert_calls ("sw");
  bytes = quire_mapping_view_bytes (mapping, NULL);
  quire_mapping_release (mapping);
  assert_calls ("ew");
  quire_mapping_unref (mapping);
  g_clear_pointer (&bytes, g_bytes_unref);
  assert_calls ("");

  mapping = quire_memory_try_map (memory, QUIRE_MAP_READ, NULL);
  g_assert_true (quire_memory_try_unmap (memory, mapping, NULL));
  assert_calls ("srer");
  quire_mapping_unref (mapping);
  mapping = quire_memory_try_map (memory, QUIRE_MAP_READWRITE, NULL);
  quire_mapping_unref (mapping);
  assert_calls ("srwerw");

  /* Bytes are a share, with a map that lasts as long. */
  bytes = quire_memory_to_bytes (memory);
  assert_calls ("sr");
  g_clear_pointer (&bytes, g_bytes_unref);
  assert_calls ("er");
}

static void
test_retried (void)
{
  static const int errnums[] = { EINTR, EAGAIN };
  g_autoptr (QuireMemory) memory = dma_buf_new ();

  g_test_summary ("What the driver did not come to is asked again");

  for (gsize i = 0; i < G_N_ELEMENTS (errnums); i++)
    {
      next_errno = errnums[i];
      quire_test_get_byte (memory, 0);
      assert_calls ("!srer");
    }
}

static void
test_refused (void)
{
  g_autoptr (QuireMemory) memory = dma_buf_new ();
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;

  g_test_summary ("What the driver refuses is no map, and leaves no lock");

  next_errno = EIO;
  quire_assert_refused (quire_memory_map_full (memory, &info, QUIRE_MAP_WRITE, &error), FAILED, "8192", g_strerror (EIO));
  next_errno = 0;
  g_assert_null (info.memory);
  quire_assert_state (memory, "free");
  assert_calls ("!");
}

static void
test_end_fails (void)
{
  g_autoptr (QuireMemory) memory = dma_buf_new ();
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;

  g_test_summary ("An access that can't be ended is told, and the map ends nevertheless");

  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_WRITE));
  next_errno = EIO;
  g_test_expect_message ("Quire", G_LOG_LEVEL_WARNING, "*8192 bytes*");
  quire_memory_unmap (memory, &info);
  g_test_assert_expected_messages ();
  next_errno = 0;
  quire_assert_state (memory, "free");
  assert_calls ("sw!");
}

static void
refuse (ScriptAllocator *self,
        QuireMemory     *memory,
        GError         **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED, "Not today");
}

static void
test_bound (void)
{
  g_autoptr (ScriptAllocator) allocator = script_allocator_new ();
  g_autoptr (QuireMemory) backing = dma_buf_new ();
  g_autoptr (QuireMemory) memory = quire_allocator_bind (QUIRE_ALLOCATOR (allocator), backing, NULL);
  g_autoptr (GError) refusal = NULL;
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;

  g_test_summary ("Of a block that an allocator has bound, the driver and the allocator each have a say");

  assert_calls ("srw");
  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  quire_memory_unmap (memory, &info);
  assert_calls ("srer");
  script_assert_log (allocator, "mapped unmapped");

  /* What the driver was told of is ended for it, though there is no map. */
  allocator->on_mapped = refuse;
  g_assert_false (quire_memory_map_full (memory, &info, QUIRE_MAP_WRITE, &refusal));
  g_assert_error (refusal, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  quire_test_assert_cleared (&info);
  quire_assert_state (memory, "free");
  assert_calls ("swew");
  script_assert_log (allocator, "mapped-to-write");

  /* Of what the driver refuses the allocator is not told. */
  allocator->on_mapped = NULL;
  next_errno = EIO;
  quire_assert_refused (quire_memory_map_full (memory, &info, QUIRE_MAP_WRITE, &error), FAILED, "8192", g_strerror (EIO));
  next_errno = 0;
  quire_test_assert_cleared (&info);
  quire_assert_state (memory, "free");
  assert_calls ("!");
  script_assert_log (allocator, "");

  g_clear_pointer (&memory, quire_memory_unref);
  assert_calls ("erw");
  quire_assert_state (backing, "free");
}

int
main (int    argc,
      char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  calls = g_string_new (NULL);
  the_dma_buf = memfd_create ("quire-test", MFD_CLOEXEC);
  g_assert_cmpint (ftruncate (the_dma_buf, DMA_BUF_SIZE), ==, 0);

  g_test_add_func ("/dma-buf/maps", test_maps);
  g_test_add_func ("/dma-buf/mappings", test_mappings);
  g_test_add_func ("/dma-buf/retried", test_retried);
  g_test_add_func ("/dma-buf/refused", test_refused);
  g_test_add_func ("/dma-buf/end-fails", test_end_fails);
  g_test_add_func ("/dma-buf/bound", test_bound);

  result = g_test_run ();
  close (the_dma_buf);
  g_string_free (calls, TRUE);
  return result;
}
