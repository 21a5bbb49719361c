/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test-pages.h"

#include <errno.h>
#include <grp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/*
 * What the library asks the system for comes through here: so it can be refused, and the
 * pages can be looked at in the moment in which they are given back.
 */
static int refuse_locks;
static int refuse_advice;

static guint8 *watched;
static gsize watched_size;
static gboolean seen;
static gboolean was_clean;
static gboolean was_locked;
static gboolean locked;

int
mlock (const void *address,
       size_t      size)
{
  if (refuse_locks != 0)
    {
      errno = refuse_locks;
      return -1;
    }

  locked = TRUE;
  return (int) syscall (SYS_mlock, address, size);
}

int
munlock (const void *address,
         size_t      size)
{
  locked = FALSE;
  return (int) syscall (SYS_munlock, address, size);
}

int
madvise (void  *address,
         size_t size,
         int    advice)
{
  if (refuse_advice != 0 && refuse_advice == advice)
    {
      errno = EINVAL;
      return -1;
    }

  return (int) syscall (SYS_madvise, address, size, advice);
}

int
munmap (void  *address,
        size_t size)
{
  const guint8 *start = address;

  if (watched != NULL && watched >= start && watched < start + size)
    {
      seen = TRUE;
      was_locked = locked;
      was_clean = TRUE;
      for (gsize i = 0; i < watched_size; i++)
        was_clean &= watched[i] == 0;
    }

  return (int) syscall (SYS_munmap, address, size);
}

static void
watch (guint8 *address,
       gsize   size)
{
  watched = address;
  watched_size = size;
  seen = was_clean = was_locked = FALSE;
}

static QuireAllocator *
find_secure (void)
{
  QuireAllocator *secure = quire_allocator_find ("secure");

  g_assert_true (QUIRE_IS_SECURE_ALLOCATOR (secure));
  return secure;
}

static QuireMemory *
new_secure (gsize size)
{
  g_autoptr (QuireAllocator) secure = find_secure ();
  QuireMemory *memory = quire_allocator_alloc (secure, size, NULL);

  g_assert_nonnull (memory);
  return memory;
}

static guint8 *
address (QuireMemory *memory)
{
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;

  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  return info.data;
}

static void
test_pages (void)
{
  static const gsize sizes[] = { 1, 100, 4096, 4097, 100000 };

  g_test_summary ("The pages are locked, left out of dumps and wiped in children, all of them");

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (QuireMemory) memory = new_secure (sizes[i]);
      guint8 *start = address (memory);

      g_assert_true (quire_memory_is_type (memory, "secure"));
      g_assert_true (quire_memory_is_aligned (memory, quire_allocator_get_default_align ()));
      quire_assert_sizes (memory, 0, sizes[i], sizes[i]);
      for (gsize at = 0; at < sizes[i]; at++)
        g_assert_cmpuint (start[at], ==, 0);
      g_assert_true (quire_memory_fill (memory, 0, -1, 0x5e));

      quire_test_assert_flags (start, "lo", "dd", "wf", NULL);
      quire_test_assert_flags (start + sizes[i] - 1, "lo", "dd", "wf", NULL);
      /* The struct is elsewhere. */
      g_assert_true ((guint8 *) memory < start - 4096 || (guint8 *) memory > start + sizes[i] + 4096);
    }
}

static void
test_fences (void)
{
  g_autoptr (QuireMemory) memory = new_secure (64);
  guint8 *start = address (memory);
  const gsize page = quire_test_page_size ();
  const guint8 *first = start - ((guintptr) start & (page - 1));

  g_test_summary ("There is a fence before and after the pages");

  g_assert_true (quire_test_faults (start + 64, FALSE));
  g_assert_false (quire_test_faults (first, TRUE));
  g_assert_true (quire_test_faults (first - 1, FALSE));
}

static void
test_wiped (void)
{
  static const gsize sizes[] = { 1, 4096, 70001 };

  g_test_summary ("When the pages are given back, and not a moment later, there is nothing in them");

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      QuireAllocationParams params;
      g_autoptr (QuireAllocator) secure = find_secure ();
      QuireMemory *memory, *share;

      quire_allocation_params_init (&params);
      params.prefix = params.padding = 16;
      memory = quire_allocator_alloc (secure, sizes[i], &params);
      g_assert_true (quire_memory_resize (memory, -16, sizes[i] + 32));
      g_assert_true (quire_memory_fill (memory, 0, -1, 0x5e));
      watch (address (memory), sizes[i] + 32);

      share = quire_memory_share (memory, 3, 1);
      quire_memory_unref (memory);
      g_assert_false (seen);
      quire_memory_unref (share);
      g_assert_true (seen);
      g_assert_true (was_clean);
      /* Until then they can't go to a swap device. */
      g_assert_true (was_locked);
    }

  watch (NULL, 0);
}

static void
use_in_child (gpointer data)
{
  QuireMemory *memory = data;
  guint8 *start = address (memory);

  for (guint i = 0; i < 5000; i++)
    {
      if (start[i] != 0)
        _exit (1);
    }
  if (!quire_memory_fill (memory, 0, -1, 1))
    _exit (2);
  quire_memory_unref (memory);
}

static void
test_fork (void)
{
  g_autoptr (QuireMemory) memory = new_secure (5000);
  guint8 *start = address (memory);

  g_test_summary ("A child sees zeros, and may use and free the block that it has");

  g_assert_true (quire_memory_fill (memory, 0, -1, 0x5e));
  g_assert_cmpint (quire_test_in_child (use_in_child, memory), ==, 0);
  g_assert_cmpuint (start[4999], ==, 0x5e);
}

static void
test_refused (void)
{
  static const int reasons[] = { ENOMEM, EPERM, EAGAIN };
  static const struct
  {
    int         advice;
    const char *words;
  } advices[] = {
    { MADV_DONTDUMP, "core dumps" },
    { MADV_WIPEONFORK, "children" },
  };
  g_autoptr (QuireAllocator) secure = find_secure ();
  const guint before = quire_test_count_maps ();
  struct rlimit limit;
  g_autofree char *words = NULL;

  g_test_summary ("What can't be locked, or kept out of sight, is not given, and the error says why");

  g_assert_cmpint (getrlimit (RLIMIT_MEMLOCK, &limit), ==, 0);
  words = limit.rlim_cur == RLIM_INFINITY
            ? g_strdup ("no limit")
            : g_strdup_printf ("limit of %" G_GUINT64_FORMAT, (guint64) limit.rlim_cur);
  for (gsize i = 0; i < G_N_ELEMENTS (reasons); i++)
    {
      refuse_locks = reasons[i];
      quire_assert_refused (quire_allocator_try_alloc (secure, 5000, NULL, &error),
                            NO_SPACE, "8192 bytes", words, g_strerror (reasons[i]));
      g_assert_null (quire_allocator_alloc (secure, 1, NULL));
    }
  refuse_locks = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (advices); i++)
    {
      refuse_advice = advices[i].advice;
      quire_assert_refused (quire_allocator_try_alloc (secure, 1, NULL, &error),
                            NOT_SUPPORTED, "4096 bytes", advices[i].words, g_strerror (EINVAL));
    }
  refuse_advice = 0;

  quire_assert_refused (quire_allocator_try_alloc (secure, G_MAXSSIZE, NULL, &error), NO_SPACE);
#if GLIB_SIZEOF_SIZE_T >= 8
  /* So many addresses a process has, but hardly a machine so much memory. */
  quire_assert_refused (quire_allocator_try_alloc (secure, (gsize) 1 << 45, NULL, &error), NO_SPACE,
                        "35184372088832 bytes");
#endif
  quire_assert_maps (==, before);
}

static void
lock_as_nobody (gpointer data)
{
  const struct rlimit limit = { 65536, 65536 };
  g_autoptr (QuireAllocator) secure = find_secure ();
  g_autoptr (QuireMemory) small = NULL;
  g_autoptr (QuireMemory) again = NULL;
  g_autoptr (GError) error = NULL;

  if (setrlimit (RLIMIT_MEMLOCK, &limit) != 0)
    _exit (10);
  /* Root may lock all there is. */
  if (getuid () == 0 && (setgroups (0, NULL) != 0 || setgid (65534) != 0 || setuid (65534) != 0))
    _exit (11);

  small = quire_allocator_alloc (secure, 16384, NULL);
  if (small == NULL)
    _exit (12);
  if (quire_allocator_try_alloc (secure, 60000, NULL, &error) != NULL)
    _exit (13);
  if (!g_error_matches (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NO_SPACE) ||
      strstr (error->message, "65536") == NULL || strstr (error->message, "61440") == NULL)
    _exit (14);

  /* What was refused is not counted; what was given back neither. */
  for (guint i = 0; i < 20; i++)
    {
      g_clear_pointer (&again, quire_memory_unref);
      again = quire_allocator_alloc (secure, 40000, NULL);
      if (again == NULL)
        _exit (15);
    }
}

static void
test_limit (void)
{
  g_test_summary ("The limit of the process holds, in whole pages");

  g_assert_cmpint (quire_test_in_child (lock_as_nobody, NULL), ==, 0);
}

static void
assert_secure (QuireMemory *memory)
{
  g_assert_nonnull (memory);
  g_assert_true (quire_memory_is_type (memory, "secure"));
  quire_test_assert_flags (address (memory), "lo", NULL);
}

static void
test_copies (void)
{
  g_autoptr (QuireMemory) memory = new_secure (64);
  g_autoptr (QuireMemory) share = NULL;
  g_autoptr (QuireMemory) copy = NULL;
  g_autoptr (QuireMemory) copy_of_share = NULL;
  g_autoptr (QuireMemory) writable = NULL;
  g_autoptr (QuireMemory) mapped = NULL;
  g_autoptr (GBytes) bytes = NULL;
  QuireMapInfo info;

  g_test_summary ("Copies are secure, whatever makes them, and bytes are the block");

  for (guint i = 0; i < 64; i++)
    g_assert_true (quire_memory_write (memory, i, &(guint8) { (guint8) i }, 1));

  copy = quire_memory_copy (memory, 5, 20);
  assert_secure (copy);
  g_assert_cmpuint (address (copy)[0], ==, 5);

  share = quire_memory_share (memory, 10, 20);
  copy_of_share = quire_memory_copy (share, 1, -1);
  assert_secure (copy_of_share);
  g_assert_cmpuint (address (copy_of_share)[0], ==, 11);
  g_assert_true (quire_memory_is_writable (copy_of_share));

  writable = quire_memory_make_writable (quire_memory_ref (share));
  g_assert_true (writable != share);
  assert_secure (writable);
  g_assert_cmpuint (address (writable)[0], ==, 10);

  mapped = quire_memory_make_mapped (quire_memory_ref (share), &info, QUIRE_MAP_WRITE);
  g_assert_true (mapped != share);
  g_assert_cmpuint (info.data[0], ==, 10);
  quire_memory_unmap (mapped, &info);
  assert_secure (mapped);

  bytes = quire_memory_to_bytes (share);
  g_assert_true (g_bytes_get_data (bytes, NULL) == address (share));
}

static void
test_merges (void)
{
  g_autoptr (QuireMemory) secret = new_secure (8);
  g_autoptr (QuireMemory) share = quire_memory_share (secret, 2, 4);
  g_autoptr (QuireMemory) plain = quire_memory_new (8);
  gsize copied;

  g_test_summary ("What a secret is merged into is one");

  g_assert_true (quire_memory_fill (plain, 0, -1, 2));
  for (guint i = 0; i < 4; i++)
    {
      QuireMemory * const memories[] = {
        i == 0 ? secret : plain, i == 1 ? secret : plain, i == 2 ? share : plain,
      };
      g_autoptr (QuireMemory) merged = quire_memory_merge_list (memories, 3, &copied, NULL);

      g_assert_nonnull (merged);
      if (i < 3)
        assert_secure (merged);
      else
        g_assert_true (quire_memory_is_type (merged, "system"));
      g_assert_cmpuint (copied, ==, i == 2 ? 20 : 24);
    }
}

static void
test_own (void)
{
  g_autoptr (QuireSecureAllocator) own = quire_secure_allocator_new ();
  g_autoptr (QuireMemory) memory = quire_allocator_alloc (QUIRE_ALLOCATOR (own), 8, NULL);
  g_autoptr (QuireMemory) empty = quire_allocator_alloc (QUIRE_ALLOCATOR (own), 0, NULL);
  g_autoptr (QuireMemory) copy = quire_memory_copy (memory, 0, -1);
  const guint before = quire_test_count_maps ();

  g_test_summary ("A copy is of the allocator of the block; nothing is left of what is freed");

  g_assert_true (quire_memory_get_allocator (copy) == QUIRE_ALLOCATOR (own));
  g_assert_nonnull (address (empty));
  for (guint i = 0; i < 100; i++)
    {
      QuireMemory *another = quire_allocator_alloc (QUIRE_ALLOCATOR (own), 5000, NULL);

      g_assert_true (quire_memory_fill (another, 0, -1, 1));
      quire_memory_unref (another);
    }
  quire_assert_maps (==, before);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/secure/pages", test_pages);
  g_test_add_func ("/secure/fences", test_fences);
  g_test_add_func ("/secure/wiped", test_wiped);
  g_test_add_func ("/secure/fork", test_fork);
  g_test_add_func ("/secure/refused", test_refused);
  g_test_add_func ("/secure/limit", test_limit);
  g_test_add_func ("/secure/copies", test_copies);
  g_test_add_func ("/secure/merges", test_merges);
  g_test_add_func ("/secure/own", test_own);

  return g_test_run ();
}
