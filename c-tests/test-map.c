/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test.h"

static void
poison (QuireMapInfo *info)
{
  memset (info, 0xaa, sizeof *info);
}

static void
test_map (void)
{
  g_autoptr (QuireMemory) memory = quire_test_new (16, 32, 8);
  QuireMapInfo info;

  g_test_summary ("A map shows the valid range, and tells how much there is behind");

  poison (&info);
  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  g_assert_true (info.memory == memory);
  g_assert_cmpint (info.flags, ==, QUIRE_MAP_READ);
  g_assert_cmpuint (info.size, ==, 32);
  g_assert_cmpuint (info.maxsize, ==, 40);
  for (guint i = 0; i < G_N_ELEMENTS (info.user_data); i++)
    g_assert_null (info.user_data[i]);
  quire_test_assert_pattern (info.data, 32, 16);
  quire_assert_state (memory, "1 READ map");

  quire_memory_unmap (memory, &info);
  quire_test_assert_cleared (&info);
  quire_assert_state (memory, "free");
}

static void
test_nested (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (32);
  QuireMapInfo outer, inner;

  g_test_summary ("Nested maps show the same bytes, and end in any order");

  g_assert_true (quire_memory_map (memory, &outer, QUIRE_MAP_READWRITE));
  g_assert_true (quire_memory_map (memory, &inner, QUIRE_MAP_READ));
  g_assert_true (outer.data == inner.data);
  outer.data[31] = 77;
  g_assert_cmpuint (inner.data[31], ==, 77);

  quire_memory_unmap (memory, &outer);
  quire_assert_state (memory, "1 READ map");
  g_assert_cmpuint (inner.data[31], ==, 77);
  quire_memory_unmap (memory, &inner);
  quire_assert_state (memory, "free");
}

static void
test_empty (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (0);
  g_autoptr (QuireMemory) wrapped = NULL;
  QuireMapInfo info;

  g_test_summary ("An empty block maps too, and has an address");

  wrapped = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NONE, NULL, 0, 0, 0, NULL, NULL);

  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READWRITE));
  g_assert_nonnull (info.data);
  g_assert_cmpuint (info.size, ==, 0);
  g_assert_cmpuint (info.maxsize, ==, 0);
  quire_memory_unmap (memory, &info);

  g_assert_true (quire_memory_map (wrapped, &info, QUIRE_MAP_READWRITE));
  g_assert_nonnull (info.data);
  g_assert_cmpuint (info.size, ==, 0);
  quire_memory_unmap (wrapped, &info);
}

static void
test_resize_under_map (void)
{
  g_autoptr (QuireMemory) memory = quire_test_new (16, 32, 8);
  QuireMapInfo before, after;

  g_test_summary ("A map keeps the range that it was given; the next shows the new one");

  g_assert_true (quire_memory_map (memory, &before, QUIRE_MAP_READ));
  g_assert_true (quire_memory_resize (memory, -16, 56));
  g_assert_true (quire_memory_map (memory, &after, QUIRE_MAP_READ));

  g_assert_cmpuint (before.size, ==, 32);
  g_assert_true (after.data == before.data - 16);
  g_assert_cmpuint (after.size, ==, 56);
  g_assert_cmpuint (after.maxsize, ==, 56);
  quire_test_assert_pattern (before.data, 32, 16);
  quire_test_assert_pattern (after.data, 56, 0);

  quire_memory_unmap (memory, &before);
  quire_memory_unmap (memory, &after);
}

static void
test_refused (void)
{
  static const guint senseless[] = {
    QUIRE_MAP_NONE,
    QUIRE_MAP_EXCLUSIVE,
    QUIRE_MAP_UNIQUE,
    QUIRE_MAP_EXCLUSIVE | QUIRE_MAP_UNIQUE,
    QUIRE_MAP_LAST,
    QUIRE_MAP_READ | 1 << 4,
    QUIRE_MAP_WRITE | 1 << 15,
  };
  static guint8 data[8];
  g_autoptr (QuireMemory) memory = quire_memory_new (32);
  g_autoptr (QuireMemory) read_only = NULL;
  g_autoptr (QuireMemory) not_mappable = NULL;
  QuireMapInfo info;

  g_test_summary ("A refused map says why, clears its info and leaves no lock");

  read_only = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_READONLY, data, 8, 0, 8, NULL, NULL);
  not_mappable = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NOT_MAPPABLE, data, 8, 0, 8, NULL, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (senseless); i++)
    {
      g_autofree char *flags = g_strdup_printf ("0x%x", senseless[i]);

      poison (&info);
      quire_assert_refused (quire_memory_map_full (memory, &info, (QuireMapFlags) senseless[i], &error),
                            NOT_SUPPORTED, flags);
      quire_test_assert_cleared (&info);
      quire_assert_refused (quire_memory_try_map (memory, (QuireMapFlags) senseless[i], &error),
                            NOT_SUPPORTED, flags);
      quire_assert_state (memory, "free");
    }

  poison (&info);
  quire_assert_refused (quire_memory_map_full (read_only, &info, QUIRE_MAP_WRITE, &error),
                        READ_ONLY, "8 bytes");
  quire_test_assert_cleared (&info);
  g_assert_true (quire_memory_map (read_only, &info, QUIRE_MAP_READ));
  g_assert_true (info.data == data);
  quire_memory_unmap (read_only, &info);

  poison (&info);
  quire_assert_refused (quire_memory_map_full (not_mappable, &info, QUIRE_MAP_READ, &error),
                        NOT_MAPPABLE, "8 bytes");
  quire_test_assert_cleared (&info);
  quire_assert_state (not_mappable, "free");

  g_assert_true (quire_memory_lock (memory, QUIRE_MAP_WRITE));
  poison (&info);
  g_assert_false (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  quire_test_assert_cleared (&info);
  quire_memory_unlock (memory, QUIRE_MAP_WRITE);
}

static void
test_custom_flags (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (32);
  const QuireMapFlags flags = (QuireMapFlags) (QUIRE_MAP_READ | QUIRE_MAP_LAST | QUIRE_MAP_LAST << 3);
  QuireMapInfo info;

  g_test_summary ("Flags of an allocator's own pass, and are told back");

  g_assert_true (quire_memory_map (memory, &info, flags));
  g_assert_cmpint (info.flags, ==, flags);
  quire_assert_state (memory, "1 READ map");
  quire_memory_unmap (memory, &info);
  quire_assert_state (memory, "free");
}

static void
test_auto (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (32);
  QuireMapInfo cleared = QUIRE_MAP_INFO_INIT;

  g_test_summary ("g_auto (QuireMapInfo) unmaps at the end of its scope, if there is a map");

  {
    g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;
    g_auto (QuireMapInfo) never = QUIRE_MAP_INFO_INIT;

    quire_test_assert_cleared (&never);
    g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_WRITE));
    quire_assert_state (memory, "1 WRITE map");
  }
  quire_assert_state (memory, "free");

  {
    g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;

    g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_WRITE));
    quire_memory_unmap (memory, &info);
  }
  quire_assert_state (memory, "free");

  quire_map_info_clear (&cleared);
  quire_test_assert_cleared (&cleared);
}

static void
test_misuse (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (32);
  g_autoptr (QuireMemory) other = quire_memory_new (32);
  QuireMapInfo info, copy, tampered;

  g_test_summary ("A wrong unmap is reported, and touches neither block nor info");

  /* An info that is cleared already. */
  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  g_assert_true (quire_memory_lock (memory, QUIRE_MAP_READ));
  quire_memory_unmap (memory, &info);
  quire_test_expect_critical ("*info->memory == memory*");
  quire_memory_unmap (memory, &info);
  g_test_assert_expected_messages ();
  quire_assert_state (memory, "1 READ map");
  quire_memory_unlock (memory, QUIRE_MAP_READ);

  /* The info of another block. */
  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  g_assert_true (quire_memory_lock (other, QUIRE_MAP_READ));
  quire_test_expect_critical ("*info->memory == memory*");
  quire_memory_unmap (other, &info);
  g_test_assert_expected_messages ();
  quire_assert_state (memory, "1 READ map");
  quire_assert_state (other, "1 READ map");
  g_assert_true (info.memory == memory);
  quire_memory_unlock (other, QUIRE_MAP_READ);

  /* A copy of an info that was unmapped already: the count is zero. */
  copy = info;
  quire_memory_unmap (memory, &info);
  quire_test_expect_critical ("*no READ lock to drop: free*");
  quire_memory_unmap (memory, &copy);
  g_test_assert_expected_messages ();
  quire_assert_state (memory, "free");
  g_assert_true (copy.memory == memory);

  /* Flags that somebody wrote over. */
  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  tampered = info;
  tampered.flags = QUIRE_MAP_WRITE;
  quire_test_expect_critical ("*no WRITE lock to drop: 1 READ map*");
  quire_memory_unmap (memory, &tampered);
  g_test_assert_expected_messages ();
  quire_assert_state (memory, "1 READ map");

  quire_test_expect_critical ("*memory != NULL*");
  quire_memory_unmap (NULL, &info);
  quire_test_expect_critical ("*info != NULL*");
  quire_memory_unmap (memory, NULL);
  g_test_assert_expected_messages ();
  quire_assert_state (memory, "1 READ map");
  quire_memory_unmap (memory, &info);

  quire_test_expect_critical ("*memory != NULL*");
  poison (&info);
  g_assert_false (quire_memory_map (NULL, &info, QUIRE_MAP_READ));
  g_test_assert_expected_messages ();
  quire_test_assert_cleared (&info);
}

static void
test_make_mapped (void)
{
  g_autoptr (QuireMemory) memory = quire_test_new (0, 32, 0);
  guint gone = 0;
  QuireMemory *mapped;
  QuireMapInfo info;

  g_test_summary ("make_mapped() copies only if the direct map is refused");

  quire_memory_weak_ref (memory, quire_test_count_weak, &gone);
  mapped = quire_memory_make_mapped (quire_memory_ref (memory), &info, QUIRE_MAP_WRITE);
  g_assert_true (mapped == memory);
  g_assert_true (info.memory == memory);
  quire_memory_unmap (mapped, &info);
  quire_memory_unref (mapped);

  {
    g_autoptr (QuireMemory) share = quire_memory_share (memory, 4, 16);

    mapped = quire_memory_make_mapped (quire_memory_ref (memory), &info, QUIRE_MAP_WRITE);
    g_assert_true (mapped != memory);
    g_assert_true (info.memory == mapped);
    g_assert_cmpint (info.flags, ==, QUIRE_MAP_WRITE);
    g_assert_cmpuint (info.size, ==, 32);
    quire_test_assert_pattern (info.data, 32, 0);
    info.data[0] ^= 0xff;
    quire_memory_unmap (mapped, &info);
    quire_memory_unref (mapped);
    quire_test_assert_shows (share, 4, 16);
  }

  g_assert_cmpuint (gone, ==, 0);
  g_clear_pointer (&memory, quire_memory_unref);
  g_assert_cmpuint (gone, ==, 1);
}

static void
test_make_mapped_fails (void)
{
  static guint8 data[8];
  guint gone = 0;
  QuireMemory *memory;
  QuireMapInfo info;

  g_test_summary ("make_mapped() drops the block when neither it nor a copy can be mapped");

  memory = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NOT_MAPPABLE, data, 8, 0, 8,
                                     &gone, quire_test_count);
  poison (&info);
  g_assert_null (quire_memory_make_mapped (memory, &info, QUIRE_MAP_READ));
  quire_test_assert_cleared (&info);
  g_assert_cmpuint (gone, ==, 1);

  memory = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NONE, data, 8, 0, 8,
                                     &gone, quire_test_count);
  poison (&info);
  g_assert_null (quire_memory_make_mapped (memory, &info, QUIRE_MAP_NONE));
  quire_test_assert_cleared (&info);
  g_assert_cmpuint (gone, ==, 2);
}

static void
test_no_reference (void)
{
  guint gone = 0;
  QuireMemory *memory = quire_memory_new (32);
  QuireMapInfo info;

  g_test_summary ("A map is a lock and no reference: unmap drops none");

  quire_memory_weak_ref (memory, quire_test_count_weak, &gone);
  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  quire_memory_unmap (memory, &info);
  g_assert_cmpuint (gone, ==, 0);
  quire_memory_unref (memory);
  g_assert_cmpuint (gone, ==, 1);
}

static void
test_unmap_of_a_lock (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (8);
  QuireMapInfo info, copy;

  g_test_summary ("If an unmap too many took the count of a lock, the unlock takes no other");

  g_assert_true (quire_memory_lock (memory, QUIRE_MAP_WRITE));
  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_WRITE));
  copy = info;
  quire_memory_unmap (memory, &info);
  quire_memory_unmap (memory, &copy);
  quire_assert_state (memory, "free");

  quire_assert_refused (quire_memory_try_unlock (memory, QUIRE_MAP_WRITE, &error), FAILED);
  quire_assert_state (memory, "free");
  quire_assert_granted (quire_memory_try_fill (memory, 0, -1, 1, &error));
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/map/map", test_map);
  g_test_add_func ("/map/nested", test_nested);
  g_test_add_func ("/map/empty", test_empty);
  g_test_add_func ("/map/resize-under-map", test_resize_under_map);
  g_test_add_func ("/map/refused", test_refused);
  g_test_add_func ("/map/custom-flags", test_custom_flags);
  g_test_add_func ("/map/auto", test_auto);
  g_test_add_func ("/map/misuse", test_misuse);
  g_test_add_func ("/map/make-mapped", test_make_mapped);
  g_test_add_func ("/map/make-mapped-fails", test_make_mapped_fails);
  g_test_add_func ("/map/no-reference", test_no_reference);
  g_test_add_func ("/map/unmap-of-a-lock", test_unmap_of_a_lock);

  return g_test_run ();
}
