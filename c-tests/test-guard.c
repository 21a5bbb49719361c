/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test-pages.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* What the library asks the system for comes through here. */
static guint refuse_maps;
static guint refuse_accesses;
static guint refuse_fences;

void *
mmap (void  *address,
      size_t size,
      int    access,
      int    flags,
      int    fd,
      off_t  offset)
{
  guint *refuse = (flags & MAP_FIXED) ? &refuse_fences : &refuse_maps;

  if (*refuse > 0)
    {
      (*refuse)--;
      errno = ENOMEM;
      return MAP_FAILED;
    }

  return (void *) syscall (SYS_mmap, address, size, access, flags, fd, offset);
}

int
mprotect (void  *address,
          size_t size,
          int    access)
{
  if (refuse_accesses > 0)
    {
      refuse_accesses--;
      errno = ENOMEM;
      return -1;
    }

  return (int) syscall (SYS_mprotect, address, size, access);
}

static QuireMemory *
new_guarded (QuireGuardAllocator *guard,
             gsize                size,
             gsize                align,
             gsize                prefix,
             gsize                padding)
{
  QuireAllocationParams params;
  QuireMemory *memory;

  quire_allocation_params_init (&params);
  params.align = align;
  params.prefix = prefix;
  params.padding = padding;
  memory = quire_allocator_alloc (QUIRE_ALLOCATOR (guard), size, &params);
  g_assert_nonnull (memory);

  return memory;
}

/* The start of the whole block, where all of it is written to and read. */
static guint8 *
touch (QuireMemory *memory)
{
  QuireMapInfo info;
  gsize offset, maxsize;
  guint8 *start;

  quire_memory_get_sizes (memory, &offset, &maxsize);
  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READWRITE));
  start = info.data - offset;
  for (gsize i = 0; i < maxsize; i++)
    start[i] = quire_test_byte (i);
  quire_test_assert_pattern (start, maxsize, 0);
  quire_memory_unmap (memory, &info);

  return start;
}

static const struct
{
  gsize size, align, prefix, padding;
} shapes[] = {
  { 1, 0, 0, 0 },
  { 13, 0, 0, 0 },
  { 4095, 0, 0, 0 },
  { 4096, 0, 0, 0 },
  { 4097, 0, 0, 0 },
  { 100, 0, 3, 0 },
  { 100, 0, 0, 5 },
  { 0, 0, 7, 0 },
  { 0, 0, 0, 7 },
  { 100, 1, 0, 0 },
  { 101, 1, 0, 0 },
  { 100, 15, 0, 0 },
  { 96, 15, 0, 0 },
  { 97, 63, 5, 3 },
  { 10, 4095, 0, 0 },
  { 10, 4095, 17, 9 },
  { 5000, 4095, 4096, 1 },
  { 10, 65535, 0, 0 },
  { 70000, 65535, 1, 1 },
};

static void
test_fences (void)
{
  g_autoptr (QuireGuardAllocator) guard = quire_guard_allocator_new ();
  const gsize page = quire_test_page_size ();
  const guint before = quire_test_count_maps ();

  g_test_summary ("The block ends at a fence, or as near to it as the alignment lets it; another is before it");

  for (gsize i = 0; i < G_N_ELEMENTS (shapes); i++)
    {
      const gsize maxsize = shapes[i].prefix + shapes[i].size + shapes[i].padding;
      g_autoptr (QuireMemory) memory = new_guarded (guard, shapes[i].size, shapes[i].align,
                                                    shapes[i].prefix, shapes[i].padding);
      guint8 *start, *end, *fence;

      g_test_message ("%" G_GSIZE_FORMAT " bytes, align %" G_GSIZE_FORMAT ", %" G_GSIZE_FORMAT " before, %"
                      G_GSIZE_FORMAT " after", shapes[i].size, shapes[i].align, shapes[i].prefix, shapes[i].padding);
      quire_assert_sizes (memory, shapes[i].prefix, shapes[i].size, maxsize);
      g_assert_true (quire_memory_is_aligned (memory, shapes[i].align));
      g_assert_cmpuint (quire_memory_get_align (memory), ==, shapes[i].align);
      start = touch (memory);
      end = start + maxsize;
      g_assert_cmpuint (((guintptr) start + shapes[i].prefix) & shapes[i].align, ==, 0);

      fence = end + (-(guintptr) end & (page - 1));
      g_assert_cmpuint ((gsize) (fence - end), <=, shapes[i].align);
      g_assert_true (quire_test_faults (fence, FALSE));
      g_assert_true (quire_test_faults (fence, TRUE));
      g_assert_true (quire_test_faults (fence + page - 1, FALSE));
      g_assert_false (quire_test_faults (fence - 1, TRUE));

      fence = start - ((guintptr) start & (page - 1)) - 1;
      g_assert_true (quire_test_faults (fence, FALSE));
      g_assert_true (quire_test_faults (fence, TRUE));
      g_assert_true (quire_test_faults (fence - (page - 1), FALSE));
      g_assert_false (quire_test_faults (fence + 1, TRUE));
    }

  g_assert_cmpuint (quire_guard_allocator_get_n_damaged (guard), ==, 0);
  g_clear_object (&guard);
  quire_assert_maps (==, before);
}

static void
test_empty (void)
{
  g_autoptr (QuireGuardAllocator) guard = quire_guard_allocator_new ();
  g_autoptr (QuireMemory) memory = new_guarded (guard, 0, 0, 0, 0);
  QuireMapInfo info;

  g_test_summary ("Of an empty block no byte can be touched");

  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READWRITE));
  g_assert_nonnull (info.data);
  g_assert_true (quire_test_faults (info.data, FALSE));
  g_assert_true (quire_test_faults (info.data - 1, FALSE));
  quire_memory_unmap (memory, &info);
}

static const struct
{
  gsize       size, align, prefix, padding;
  /* From the start of the block. */
  gssize      from, to;
  const char *words;
} damages[] = {
  { 13, 15, 0, 0, 13, 14, "*13 bytes*byte at 0 after the end is 0x*, and 1 bytes*" },
  { 13, 15, 0, 0, 15, 16, "*13 bytes*byte at 2 after the end is 0x*, and 1 bytes*" },
  { 13, 15, 0, 0, 13, 16, "*13 bytes*byte at 0 after the end is 0x*, and 3 bytes*" },
  { 13, 15, 0, 0, -1, 0, "*13 bytes*byte at 1 before the start is 0x*, and 1 bytes*" },
  { 13, 0, 0, 0, -1, 0, "*13 bytes*byte at 1 before the start is 0x*, and 1 bytes*" },
  { 13, 15, 0, 0, -100, -90, "*13 bytes*byte at 100 before the start is 0x*, and 10 bytes*" },
  { 10, 63, 3, 2, 15, 17, "*15 bytes*byte at 0 after the end is 0x*, and 2 bytes*" },
  { 10, 63, 3, 2, -4, -2, "*15 bytes*byte at 4 before the start is 0x*, and 2 bytes*" },
  { 10, 63, 3, 2, -61, -60, "*15 bytes*byte at 61 before the start is 0x*, and 1 bytes*" },
};

static void
test_damage (void)
{
  g_autoptr (QuireGuardAllocator) guard = quire_guard_allocator_new ();

  g_test_summary ("What was written beside a block is found when it is freed, whatever was written");

  for (gsize i = 0; i < G_N_ELEMENTS (damages); i++)
    {
      QuireMemory *memory = new_guarded (guard, damages[i].size, damages[i].align,
                                         damages[i].prefix, damages[i].padding);
      guint8 *start = touch (memory);

      for (gssize at = damages[i].from; at < damages[i].to; at++)
        start[at] ^= (guint8) (1 << (i % 8));

      quire_test_expect_critical (damages[i].words);
      quire_memory_unref (memory);
      g_test_assert_expected_messages ();
      g_assert_cmpuint (quire_guard_allocator_get_n_damaged (guard), ==, i + 1);
    }
}

static void
test_damage_on_both_sides (void)
{
  g_autoptr (QuireGuardAllocator) guard = quire_guard_allocator_new ();
  QuireMemory *memory = new_guarded (guard, 13, 15, 0, 0);
  guint8 *start = touch (memory);
  guint n_damaged;

  g_test_summary ("Each side is told of; and a string of one value is found too, but for where it fits by chance");

  memset (start - 64, 0x9d, 64);
  memset (start + 13, 0, 3);
  quire_test_expect_critical ("*before the start is 0x9d*");
  quire_test_expect_critical ("*after the end is 0x00*");
  quire_memory_unref (memory);
  g_test_assert_expected_messages ();
  g_object_get (guard, "n-damaged", &n_damaged, NULL);
  g_assert_cmpuint (n_damaged, ==, 2);
}

static void
test_aborts (void)
{
  g_test_summary ("With aborts the program ends where the damage is found");

  if (g_test_subprocess ())
    {
      g_autoptr (QuireGuardAllocator) guard = g_object_new (QUIRE_TYPE_GUARD_ALLOCATOR, "aborts", TRUE, NULL);
      QuireMemory *memory = new_guarded (guard, 13, 15, 0, 0);

      g_assert_true (quire_guard_allocator_get_aborts (guard));
      touch (memory)[14] = 0;
      quire_memory_unref (memory);
      return;
    }

  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*ERROR*13 bytes*byte at 1 after the end is 0x00*");
}

static void
test_quarantine (void)
{
  g_autoptr (QuireGuardAllocator) guard = g_object_new (QUIRE_TYPE_GUARD_ALLOCATOR, "quarantine", 3, NULL);
  guint8 *addresses[20];
  const guint before = quire_test_count_maps ();

  g_test_summary ("Who uses a block that was freed is stopped, for as many as are kept");

  g_assert_cmpuint (quire_guard_allocator_get_quarantine (guard), ==, 3);
  for (guint i = 0; i < G_N_ELEMENTS (addresses); i++)
    {
      QuireMemory *memory = new_guarded (guard, 10000, 0, 0, 0);

      addresses[i] = touch (memory);
      /* Nothing lies where one of the last three has been. */
      for (guint k = 1; k <= 3 && k <= i; k++)
        g_assert_true (addresses[i] != addresses[i - k]);
      quire_memory_unref (memory);

      g_assert_true (quire_test_faults (addresses[i], FALSE));
      g_assert_true (quire_test_faults (addresses[i] + 9999, TRUE));
      /* Their neighbours may be one mapping with them. */
      quire_assert_maps (<=, before + 3);
    }

  g_clear_object (&guard);
  quire_assert_maps (==, before);
}

static void
test_no_quarantine (void)
{
  g_autoptr (QuireGuardAllocator) guard = g_object_new (QUIRE_TYPE_GUARD_ALLOCATOR, "quarantine", 0, NULL);
  const guint before = quire_test_count_maps ();

  g_test_summary ("Nothing is kept if so it is wanted");

  for (guint i = 0; i < 50; i++)
    {
      QuireMemory *memory = new_guarded (guard, 5000, 63, 7, 0);

      touch (memory);
      quire_assert_maps (>, before);
      quire_memory_unref (memory);
      quire_assert_maps (==, before);
    }
}

static void
test_memory_goes (void)
{
  g_autoptr (QuireGuardAllocator) guard = quire_guard_allocator_new ();
  unsigned char resident[16];
  const gsize page = quire_test_page_size ();
  QuireMemory *memory = new_guarded (guard, 16 * page, 0, 0, 0);
  guint8 *start = touch (memory);

  g_test_summary ("What is kept takes addresses, and no memory");

  g_assert_cmpint (mincore (start, 16 * page, resident), ==, 0);
  g_assert_cmpuint (resident[7] & 1, ==, 1);
  quire_memory_unref (memory);
  g_assert_cmpint (mincore (start, 16 * page, resident), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (resident); i++)
    g_assert_cmpuint (resident[i] & 1, ==, 0);
}

static void
test_no_space (void)
{
  g_autoptr (QuireGuardAllocator) guard = quire_guard_allocator_new ();
  const guint before = quire_test_count_maps ();
  QuireAllocationParams params;
  QuireMemory *out = new_guarded (guard, 100, 0, 0, 0);
  unsigned char resident[1];
  QuireMemory *blocks[3];
  guint8 *freed[2];
  guint8 *end = touch (out) + 100;

  g_test_summary ("If the system has nothing more the quarantine goes; if that is not enough, an error says so");

  refuse_maps = 2;
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (guard), 123, NULL, &error),
                        NO_SPACE, "123 bytes", g_strerror (ENOMEM));
  g_assert_cmpuint (refuse_maps, ==, 0);
  refuse_accesses = 2;
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (guard), 123, NULL, &error),
                        NO_SPACE, "123 bytes", g_strerror (ENOMEM));
  g_assert_cmpuint (refuse_accesses, ==, 0);

  /* The last one stands between their addresses and those of a block that is larger. */
  for (guint i = 0; i < 3; i++)
    blocks[i] = new_guarded (guard, 100, 0, 0, 0);
  for (guint i = 0; i < 2; i++)
    {
      freed[i] = touch (blocks[i]);
      freed[i] -= (guintptr) freed[i] & (quire_test_page_size () - 1);
      quire_memory_unref (blocks[i]);
    }
  for (guint i = 0; i < 2; i++)
    g_assert_cmpint (mincore (freed[i], 1, resident), ==, 0);
  refuse_maps = 1;
  quire_memory_unref (new_guarded (guard, 16 * 1024 * 1024, 0, 0, 0));
  g_assert_cmpuint (refuse_maps, ==, 0);
  for (guint i = 0; i < 2; i++)
    {
      g_assert_cmpint (mincore (freed[i], 1, resident), ==, -1);
      g_assert_cmpint (errno, ==, ENOMEM);
    }
  quire_memory_unref (blocks[2]);

  /* One that can't be kept is not. */
  refuse_fences = 1;
  quire_memory_unref (new_guarded (guard, 100, 0, 0, 0));
  g_assert_cmpuint (refuse_fences, ==, 0);

  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (guard), G_MAXSSIZE, NULL, &error),
                        NO_SPACE, "9223372036854775807 bytes");
  quire_allocation_params_init (&params);
  params.align = G_MAXSIZE;
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (guard), 8, &params, &error),
                        NO_SPACE, "8 bytes", "18446744073709551615");
  params.align = G_MAXSSIZE;
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (guard), 8, &params, &error), NO_SPACE);
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (guard), G_MAXSIZE, NULL, &error), TOO_LARGE);

  /* What was refused has left nothing, and has not touched what is out. */
  touch (out);
  g_assert_true (quire_test_faults (end, TRUE));
  quire_memory_unref (out);
  g_clear_object (&guard);
  quire_assert_maps (==, before);
}

static void
test_registry (void)
{
  g_autoptr (QuireAllocator) guard = quire_allocator_find ("guard");
  g_autoptr (QuireAllocator) again = quire_allocator_find ("guard");
  g_autoptr (QuireMemory) memory = NULL;
  g_autoptr (QuireMemory) share = NULL;
  g_autoptr (QuireMemory) copy = NULL;
  QuireAllocationParams params;

  g_test_summary ("There is one from the start, and its blocks are as any");

  g_assert_true (QUIRE_IS_GUARD_ALLOCATOR (guard));
  g_assert_true (guard == again);
  g_assert_cmpstr (quire_allocator_get_mem_type (guard), ==, "guard");
  g_assert_cmpuint (quire_guard_allocator_get_quarantine (QUIRE_GUARD_ALLOCATOR (guard)), ==, 256);

  quire_allocation_params_init (&params);
  params.prefix = params.padding = 20;
  params.flags = QUIRE_MEMORY_FLAG_ZERO_PREFIXED | QUIRE_MEMORY_FLAG_ZERO_PADDED;
  memory = quire_allocator_alloc (guard, 60, &params);
  g_assert_true (quire_memory_is_type (memory, "guard"));
  g_assert_cmpint (quire_memory_get_flags (memory), ==, params.flags);
  g_assert_true (quire_memory_resize (memory, -20, 100));
  for (guint i = 0; i < 100; i++)
    {
      guint8 byte = 1;

      g_assert_true (quire_memory_read (memory, i, &byte, 1));
      g_assert_cmpuint (byte, ==, 0);
    }
  share = quire_memory_share (memory, 10, 20);
  copy = quire_memory_copy (share, 0, -1);
  g_assert_true (quire_memory_is_type (share, "guard"));
  g_assert_true (quire_memory_is_type (copy, "system"));
}

static gpointer
churn (gpointer data)
{
  for (guint i = 0; i < 300; i++)
    {
      QuireMemory *memory = new_guarded (data, 16, 15, 0, 0);

      g_assert_true (quire_memory_fill (memory, 0, -1, (guint8) i));
      quire_memory_unref (memory);
    }

  return NULL;
}

static void
test_threads (void)
{
  g_autoptr (QuireGuardAllocator) guard = g_object_new (QUIRE_TYPE_GUARD_ALLOCATOR, "quarantine", 8, NULL);
  const guint before = quire_test_count_maps ();
  GThread *threads[4];

  g_test_summary ("Threads share the quarantine");

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("churn", churn, guard);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (quire_guard_allocator_get_n_damaged (guard), ==, 0);
  /* A thread has a stack, and the allocator of the C library something for it. */
  quire_assert_maps (<=, before + 8 + 4 * G_N_ELEMENTS (threads));
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/guard/fences", test_fences);
  g_test_add_func ("/guard/empty", test_empty);
  g_test_add_func ("/guard/damage", test_damage);
  g_test_add_func ("/guard/damage-on-both-sides", test_damage_on_both_sides);
  g_test_add_func ("/guard/aborts", test_aborts);
  g_test_add_func ("/guard/quarantine", test_quarantine);
  g_test_add_func ("/guard/no-quarantine", test_no_quarantine);
  g_test_add_func ("/guard/memory-goes", test_memory_goes);
  g_test_add_func ("/guard/no-space", test_no_space);
  g_test_add_func ("/guard/registry", test_registry);
  g_test_add_func ("/guard/threads", test_threads);

  return g_test_run ();
}
