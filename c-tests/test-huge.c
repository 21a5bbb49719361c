/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test-pages.h"

#include <errno.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/*
 * Large blocks ask for huge pages. Whether they get any is up to the system and its luck;
 * that they ask, and for what, is seen here.
 */
#define KIB ((gsize) 1024)
#define MIB ((gsize) 1024 * 1024)

/* Each block that is so large has fresh memory: so one does not show what an earlier one
 * has asked for. */
#define MMAP_THRESHOLD (128 * 1024)

static guint8 *advised;
static gsize advised_size;
static guint n_advised;
static gboolean refuse_advice;

int
madvise (void  *address,
         size_t size,
         int    advice)
{
  if (advice == MADV_HUGEPAGE)
    {
      advised = address;
      advised_size = size;
      n_advised++;
      if (refuse_advice)
        {
          errno = EINVAL;
          return -1;
        }
    }

  return (int) syscall (SYS_madvise, address, size, advice);
}

/* The size of a huge page; 0 if there are none to be had for the asking. */
static gsize
find_huge (void)
{
  g_autofree char *enabled = NULL;
  g_autofree char *size = NULL;

#ifdef QUIRE_TEST_ASAN
  return 0;
#endif
  if (!g_file_get_contents ("/sys/kernel/mm/transparent_hugepage/enabled", &enabled, NULL, NULL) ||
      !g_file_get_contents ("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", &size, NULL, NULL) ||
      strstr (enabled, "[never]") != NULL)
    return 0;

  return (gsize) g_ascii_strtoull (size, NULL, 10);
}

static QuireMemory *
new_block (gsize size,
           gsize align,
           gsize prefix,
           gsize padding,
           guint flags)
{
  QuireAllocationParams params;

  quire_allocation_params_init (&params);
  params.align = align;
  params.prefix = prefix;
  params.padding = padding;
  params.flags = (QuireMemoryFlags) flags;

  return quire_memory_new_with_params (size, &params);
}

/* Writes all of a block, and reads it. */
static guint8 *
touch (QuireMemory *memory)
{
  QuireMapInfo info;
  gsize offset, maxsize;
  guint8 *start;

  quire_memory_get_sizes (memory, &offset, &maxsize);
  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READWRITE));
  start = info.data - offset;
  memset (start, 0x51, maxsize);
  for (gsize i = 0; i < maxsize; i += 4096)
    start[i] = quire_test_byte (i / 4096);
  for (gsize i = 0; i < maxsize; i += 4096)
    g_assert_cmpuint (start[i], ==, quire_test_byte (i / 4096));
  g_assert_cmpuint (start[maxsize - 1], ==, (maxsize - 1) % 4096 == 0 ? quire_test_byte (maxsize / 4096) : 0x51);
  quire_memory_unmap (memory, &info);

  return start;
}

/* With huge pages of 2 MiB: how many are asked for. */
static const struct
{
  gsize size, align, prefix, padding;
  gsize huge;
} blocks[] = {
  { 4096, 0, 0, 0, 0 },
  { 2 * MIB - 1, 0, 0, 0, 0 },
  { 2 * MIB - 2, 0, 1, 0, 0 },
  { 2 * MIB, 0, 0, 0, 1 },
  { 2 * MIB + 1, 0, 0, 0, 1 },
  { 3 * MIB, 0, 0, 0, 1 },
  { 4 * MIB - 256 * KIB, 0, 0, 0, 1 },
  /* Of three pictures the last page is nearly all used: 1920 x 1080, 3840 x 2400 and
   * 1280 x 720 points of four bytes; but not of this last one. */
  { 8294400, 0, 0, 0, 4 },
  { 36864000, 0, 0, 0, 18 },
  { 3686400, 0, 0, 0, 1 },
  { 5 * MIB, 0, 0, 0, 2 },
  { 8 * MIB, 0, 0, 0, 4 },
  { 8 * MIB, 4095, 0, 0, 4 },
  { 8 * MIB, 4 * MIB - 1, 0, 0, 4 },
  { 8 * MIB, 0, 16, 0, 4 },
  { 8 * MIB, 0, 3 * MIB, 0, 5 },
  { 8 * MIB, 0, 0, MIB, 4 },
  { 8 * MIB, 63, 100, 2 * MIB, 5 },
};

static void
test_asks (void)
{
  const gsize huge = find_huge ();

  g_test_summary ("Blocks ask for huge pages where whole ones fit, and waste little");

  for (gsize i = 0; i < G_N_ELEMENTS (blocks); i++)
    {
      g_autoptr (QuireMemory) memory = NULL;
      guint8 *start;
      gsize maxsize = blocks[i].prefix + blocks[i].size + blocks[i].padding;

      g_test_message ("%" G_GSIZE_FORMAT " bytes, align %" G_GSIZE_FORMAT ", %" G_GSIZE_FORMAT " before, %"
                      G_GSIZE_FORMAT " after", blocks[i].size, blocks[i].align, blocks[i].prefix, blocks[i].padding);
      n_advised = 0;
      memory = new_block (blocks[i].size, blocks[i].align, blocks[i].prefix, blocks[i].padding, 0);
      quire_assert_sizes (memory, blocks[i].prefix, blocks[i].size, maxsize);
      g_assert_true (quire_memory_is_aligned (memory, blocks[i].align));
      g_assert_cmpuint (quire_memory_get_align (memory), ==,
                        blocks[i].align | quire_allocator_get_default_align ());
      start = touch (memory);

      if (huge != 2 * MIB || blocks[i].huge == 0)
        {
          g_assert_cmpuint (n_advised, ==, 0);
          continue;
        }

      g_assert_cmpuint (n_advised, ==, 1);
      g_assert_cmpuint (advised_size, ==, blocks[i].huge * huge);
      g_assert_cmpuint ((guintptr) advised & (huge - 1), ==, 0);
      g_assert_cmpuint (((guintptr) start + blocks[i].prefix) & (huge - 1), ==, 0);
      quire_test_assert_flags (advised, "hg", NULL);
      quire_test_assert_flags (advised + advised_size - 1, "hg", NULL);
      /* Not more than a sixteenth of the block is beyond its end. */
      g_assert_true (advised >= start);
      g_assert_true (advised + advised_size <= start + maxsize + maxsize / 16);
    }

  if (huge != 2 * MIB)
    g_test_skip ("There are no huge pages of 2 MiB to ask for");
}

/* The most that malloc() keeps for the next block, unless it is told something else. */
#define KEPT_SIZE (32 * MIB)

static void
test_kept (void)
{
  /* 3840 x 2160 points of four bytes, and the least and the most that it is about. */
  const gsize sizes[] = { KEPT_SIZE - 2 * MIB, 33177600, KEPT_SIZE - 32 * KIB };
  const gsize huge = find_huge ();

  g_test_summary ("No block gets so large for the sake of huge pages that its memory is not kept");

  /* What has put its own malloc() in the place of this one does not listen. */
  g_assert_true (mallopt (M_MMAP_THRESHOLD, (int) KEPT_SIZE) || quire_test_is_watched ());

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (QuireMemory) memory = NULL;
      const gsize n_mapped = mallinfo2 ().hblks;

      n_advised = 0;
      memory = quire_memory_new (sizes[i]);
      touch (memory);
      /* What is not kept has a mapping of its own. */
      g_assert_cmpuint (mallinfo2 ().hblks, ==, n_mapped);

      if (huge != 2 * MIB)
        continue;
      g_assert_cmpuint (n_advised, ==, 1);
      g_assert_cmpuint (advised_size, >=, 14 * huge);
      g_assert_cmpuint ((guintptr) advised & (huge - 1), ==, 0);
    }

  mallopt (M_MMAP_THRESHOLD, MMAP_THRESHOLD);
  malloc_trim (0);
}

static gboolean
is_zero (const guint8 *bytes,
         gsize         size)
{
  return bytes[0] == 0 && memcmp (bytes, bytes + 1, size - 1) == 0;
}

static void
test_zero (void)
{
  const guint both = QUIRE_MEMORY_FLAG_ZERO_PREFIXED | QUIRE_MEMORY_FLAG_ZERO_PADDED;

  g_test_summary ("Prefix and padding are zero where memory is used again");

  for (guint round = 0; round < 4; round++)
    {
      g_autoptr (QuireMemory) memory = new_block (3 * MIB, 0, MIB, 2 * MIB, both);
      QuireMapInfo info;

      g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_WRITE));
      g_assert_true (is_zero (info.data - MIB, MIB));
      g_assert_true (is_zero (info.data + info.size, 2 * MIB));
      quire_memory_unmap (memory, &info);
      touch (memory);
    }
}

static void
test_refused (void)
{
  g_autoptr (QuireMemory) memory = NULL;

  g_test_summary ("If the system does not want to hear of it nothing changes");

  refuse_advice = TRUE;
  errno = 0;
  memory = quire_memory_new (8 * MIB);
  g_assert_cmpint (errno, ==, 0);
  refuse_advice = FALSE;
  touch (memory);
}

static void
test_no_space (void)
{
  g_test_summary ("What there is no memory for is an error, and no less is given than there is");

  quire_assert_refused (quire_memory_try_new (G_MAXSSIZE, &error), NO_SPACE, "9223372036854775807 bytes");
  quire_assert_refused (quire_memory_try_new (G_MAXSSIZE - 2 * MIB, &error), NO_SPACE);
  g_assert_null (new_block (8 * MIB, G_MAXSSIZE, 0, 0, 0));
}

static void
allocate_tightly (gpointer data)
{
  g_autofree char *statm = NULL;
  g_autoptr (QuireMemory) memory = NULL;
  struct rlimit limit;

  if (!g_file_get_contents ("/proc/self/statm", &statm, NULL, NULL))
    _exit (1);
  limit.rlim_cur = limit.rlim_max = g_ascii_strtoull (statm, NULL, 10) * quire_test_page_size () + 65 * MIB;
  if (setrlimit (RLIMIT_AS, &limit) != 0)
    _exit (2);

  n_advised = 0;
  memory = quire_memory_new (64 * MIB);
  if (memory == NULL)
    _exit (3);
  if (n_advised != 0)
    _exit (4);
  if (!quire_memory_fill (memory, 0, -1, 1))
    _exit (5);
}

static void
test_tight (void)
{
  g_test_summary ("Where there is room for the block, but none to align it, it is given nevertheless");

  if (quire_test_is_watched ())
    g_test_skip ("Sanitizers and Valgrind need more addresses than there are then");
  else
    g_assert_cmpint (quire_test_in_child (allocate_tightly, NULL), ==, 0);
}

static void
test_maps (void)
{
  guint before;

  g_test_summary ("Nothing is left of what is freed");

  quire_memory_unref (quire_memory_new (40 * MIB));
  before = quire_test_count_maps ();
  for (guint i = 0; i < 10; i++)
    {
      g_autoptr (QuireMemory) memory = quire_memory_new (40 * MIB + i * 4096);
      g_autoptr (QuireMemory) other = quire_memory_new (20 * MIB);

      g_assert_true (quire_memory_fill (memory, 10 * MIB, 4096, 1));
      g_assert_true (quire_memory_fill (other, 0, 4096, 1));
    }
  quire_assert_maps (<=, before + 2);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  mallopt (M_MMAP_THRESHOLD, MMAP_THRESHOLD);

  g_test_add_func ("/huge/asks", test_asks);
  g_test_add_func ("/huge/kept", test_kept);
  g_test_add_func ("/huge/zero", test_zero);
  g_test_add_func ("/huge/refused", test_refused);
  g_test_add_func ("/huge/no-space", test_no_space);
  g_test_add_func ("/huge/tight", test_tight);
  g_test_add_func ("/huge/maps", test_maps);

  return g_test_run ();
}
