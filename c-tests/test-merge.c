/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test.h"

/* The address that a map shows, to compare. */
static gconstpointer
address_of (QuireMemory *memory)
{
  QuireMapInfo info;
  gconstpointer address;

  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  address = info.data;
  quire_memory_unmap (memory, &info);

  return address;
}

static void
test_span (void)
{
  g_autoptr (QuireMemory) root = quire_test_new (8, 64, 8);
  g_autoptr (QuireMemory) a = quire_memory_share (root, 8, 16);
  g_autoptr (QuireMemory) b = quire_memory_share (root, 24, 8);
  g_autoptr (QuireMemory) merged = NULL;
  gsize copied = 99;

  g_test_summary ("A span merges without a copy: the same address, a share of the same parent");

  quire_assert_granted ((merged = quire_memory_try_merge (a, b, &copied, &error)));
  g_assert_cmpuint (copied, ==, 0);
  g_assert_true (quire_memory_get_parent (merged) == root);
  g_assert_true (address_of (merged) == address_of (a));
  quire_assert_sizes (merged, 16, 24, 80);
  quire_test_assert_shows (merged, 16, 24);
  quire_assert_state (root, "3 shares alive");
  g_assert_false (quire_memory_is_writable (merged));

  g_clear_pointer (&a, quire_memory_unref);
  g_clear_pointer (&b, quire_memory_unref);
  quire_assert_state (root, "1 share alive");
  g_clear_pointer (&merged, quire_memory_unref);
  quire_assert_state (root, "free");

  a = quire_memory_share (root, -8, 8);
  b = quire_memory_share (root, 0, 64);
  merged = quire_memory_merge (a, b);
  g_assert_true (address_of (merged) == address_of (a));
  quire_test_assert_shows (merged, 0, 72);
}

static void
test_not_a_span (void)
{
  g_autoptr (QuireMemory) root = quire_test_new (0, 64, 0);
  g_autoptr (QuireMemory) other = quire_test_new (0, 64, 0);
  /* first offset and size, second offset and size, whether of the other parent */
  static const struct
  {
    const char *what;
    gssize      first[2], second[2];
    gboolean    foreign;
  } pairs[] = {
    { "gap", { 0, 8 }, { 9, 8 }, FALSE },
    { "overlap", { 0, 8 }, { 7, 8 }, FALSE },
    { "reverse", { 8, 8 }, { 0, 8 }, FALSE },
    { "twice the same", { 8, 8 }, { 8, 8 }, FALSE },
    { "other parent", { 0, 8 }, { 8, 8 }, TRUE },
    { "empty second with a gap", { 0, 8 }, { 9, 0 }, FALSE },
  };

  g_test_summary ("A gap, an overlap, the reverse order or another parent: these are copied");

  for (gsize i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      g_autoptr (QuireMemory) a = quire_memory_share (root, pairs[i].first[0], pairs[i].first[1]);
      g_autoptr (QuireMemory) b = quire_memory_share (pairs[i].foreign ? other : root,
                                                      pairs[i].second[0], pairs[i].second[1]);
      g_autoptr (QuireMemory) merged = NULL;
      const gsize first_size = pairs[i].first[1], second_size = pairs[i].second[1];
      gsize copied = 0;
      QuireMapInfo info;

      g_test_message ("%s", pairs[i].what);
      quire_assert_granted ((merged = quire_memory_try_merge (a, b, &copied, &error)));
      g_assert_cmpuint (copied, ==, first_size + second_size);
      g_assert_null (quire_memory_get_parent (merged));
      g_assert_true (quire_memory_is_writable (merged));
      quire_assert_sizes (merged, 0, copied, copied);
      g_assert_true (quire_memory_map (merged, &info, QUIRE_MAP_READ));
      quire_test_assert_pattern (info.data, first_size, pairs[i].first[0]);
      quire_test_assert_pattern (info.data + first_size, second_size, pairs[i].second[0]);
      quire_memory_unmap (merged, &info);
      quire_assert_state (a, "free");
      quire_assert_state (b, "free");
    }
  quire_assert_state (root, "free");
}

static void
test_blocks (void)
{
  g_autoptr (QuireMemory) a = quire_test_new (4, 32, 4);
  g_autoptr (QuireMemory) b = quire_test_new (0, 16, 0);
  g_autoptr (QuireMemory) merged = quire_memory_merge (a, b);
  g_autoptr (QuireMemory) doubled = quire_memory_merge (a, a);
  QuireMapInfo info;

  g_test_summary ("Blocks are copied into a new one, their valid ranges only");

  g_assert_true (quire_memory_map (merged, &info, QUIRE_MAP_READ));
  g_assert_cmpuint (info.size, ==, 48);
  quire_test_assert_pattern (info.data, 32, 4);
  quire_test_assert_pattern (info.data + 32, 16, 0);
  quire_memory_unmap (merged, &info);

  g_assert_true (quire_memory_map (doubled, &info, QUIRE_MAP_READ));
  g_assert_cmpuint (info.size, ==, 64);
  quire_test_assert_pattern (info.data, 32, 4);
  quire_test_assert_pattern (info.data + 32, 32, 4);
  quire_memory_unmap (doubled, &info);

  quire_assert_state (a, "free");
  g_assert_true (quire_memory_fill (merged, 0, -1, 0));
  quire_test_assert_shows (a, 4, 32);
}

static void
test_list_span (void)
{
  enum { N = 64 };
  g_autoptr (QuireMemory) root = quire_test_new (0, N * 4, 0);
  g_autoptr (QuireMemory) merged = NULL;
  g_autoptr (QuireMemory) spoilt = NULL;
  QuireMemory *shares[N], *last;
  gsize copied = 99;

  g_test_summary ("A whole list merges without a copy if each lies right after the one before it");

  for (gsize i = 0; i < N; i++)
    shares[i] = quire_memory_share (root, i * 4, 4);

  quire_assert_granted ((merged = quire_memory_merge_list (shares, N, &copied, &error)));
  g_assert_cmpuint (copied, ==, 0);
  g_assert_true (address_of (merged) == address_of (root));
  quire_test_assert_shows (merged, 0, N * 4);

  /* One out of order spoils it, wherever it is. */
  last = shares[N - 1];
  shares[N - 1] = shares[N - 2];
  quire_assert_granted ((spoilt = quire_memory_merge_list (shares, N, &copied, &error)));
  g_assert_cmpuint (copied, ==, N * 4);
  shares[N - 1] = last;

  for (gsize i = 0; i < N; i++)
    quire_memory_unref (shares[i]);
}

static void
test_list_sizes (void)
{
  g_autoptr (QuireMemory) block = quire_test_new (0, 16, 0);
  g_autoptr (QuireMemory) empty = quire_memory_new (0);
  g_autoptr (QuireMemory) none = NULL;
  g_autoptr (QuireMemory) alone = NULL;
  g_autoptr (QuireMemory) empties = NULL;
  g_autoptr (QuireMemory) three = NULL;
  QuireMemory *list[] = { block, empty, block };
  QuireMemory *nothing[] = { empty, empty };
  gsize copied = 99;

  g_test_summary ("None make an empty block, one is given back, empty ones add nothing");

  quire_assert_granted ((none = quire_memory_merge_list (NULL, 0, &copied, &error)));
  quire_assert_sizes (none, 0, 0, 0);
  g_assert_cmpuint (copied, ==, 0);

  copied = 99;
  quire_assert_granted ((alone = quire_memory_merge_list (list, 1, &copied, &error)));
  g_assert_true (alone == block);
  g_assert_cmpuint (copied, ==, 0);

  copied = 99;
  quire_assert_granted ((empties = quire_memory_merge_list (nothing, 2, &copied, &error)));
  quire_assert_sizes (empties, 0, 0, 0);
  g_assert_cmpuint (copied, ==, 0);

  quire_assert_granted ((three = quire_memory_merge_list (list, 3, &copied, &error)));
  quire_assert_sizes (three, 0, 32, 32);
  g_assert_cmpuint (copied, ==, 32);
}

static void
test_refused (void)
{
  static guint8 data[8];
  g_autoptr (QuireMemory) a = quire_memory_new (32);
  g_autoptr (QuireMemory) b = quire_memory_new (16);
  g_autoptr (QuireMemory) not_mappable = NULL;
  gsize copied = 99;

  g_test_summary ("What can't be read can't be merged; the reason is that of the map, and no lock stays");

  not_mappable = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NOT_MAPPABLE, data, 8, 0, 8, NULL, NULL);

  g_assert_true (quire_memory_lock (b, QUIRE_MAP_WRITE));
  quire_assert_refused (quire_memory_try_merge (a, b, &copied, &error), BUSY, "16 bytes", "1 WRITE map");
  g_assert_cmpuint (copied, ==, 0);
  g_assert_null (quire_memory_merge (b, a));
  quire_assert_state (a, "free");
  quire_memory_unlock (b, QUIRE_MAP_WRITE);
  quire_assert_state (b, "free");

  quire_assert_refused (quire_memory_try_merge (a, not_mappable, NULL, &error), NOT_MAPPABLE, "8 bytes");
}

static void
test_none_in_list (void)
{
  g_autoptr (QuireMemory) block = quire_memory_new (8);
  QuireMemory *list[] = { block, NULL };
  QuireMemory *nothing[] = { NULL };

  g_test_summary ("A list with nothing at some place is refused, and the message says which");

  quire_assert_refused (quire_memory_merge_list (list, 2, NULL, &error),
                        NOT_SUPPORTED, "2 blocks", "number 1");
  quire_assert_refused (quire_memory_merge_list (nothing, 1, NULL, &error), NOT_SUPPORTED, "number 0");
}

static void
test_too_large (void)
{
  static guint8 byte[1];
  g_autoptr (QuireMemory) huge = NULL;
  QuireMemory *list[3];

  g_test_summary ("Sizes whose sum no number holds are refused before anything is read");

  /* Never mapped, so nobody sees that there is but one byte. */
  huge = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NONE, byte, G_MAXSSIZE, 0, G_MAXSSIZE, NULL, NULL);
  list[0] = list[1] = list[2] = huge;
  quire_assert_refused (quire_memory_merge_list (list, 3, NULL, &error), TOO_LARGE, "3 blocks");
  quire_assert_refused (quire_memory_try_merge (huge, huge, NULL, &error), TOO_LARGE);
  quire_assert_state (huge, "free");
}

static void
test_again (void)
{
  g_autoptr (QuireMemory) root = quire_test_new (0, 64, 0);
  g_autoptr (QuireMemory) a = quire_memory_share (root, 0, 32);
  g_autoptr (QuireMemory) b = quire_memory_share (root, 32, 32);
  g_autoptr (QuireMemory) again = NULL;

  g_test_summary ("What was merged is a share like any other: it merges and is shared again");

  {
    g_autoptr (QuireMemory) ab = quire_memory_merge (a, b);
    g_autoptr (QuireMemory) left = quire_memory_share (ab, 0, 5);
    g_autoptr (QuireMemory) right = quire_memory_share (ab, 5, -1);

    again = quire_memory_merge (left, right);
    g_assert_true (address_of (again) == address_of (root));
  }
  quire_assert_sizes (again, 0, 64, 64);
  quire_assert_state (root, "3 shares alive");
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/merge/span", test_span);
  g_test_add_func ("/merge/not-a-span", test_not_a_span);
  g_test_add_func ("/merge/blocks", test_blocks);
  g_test_add_func ("/merge/list-span", test_list_span);
  g_test_add_func ("/merge/list-sizes", test_list_sizes);
  g_test_add_func ("/merge/refused", test_refused);
  g_test_add_func ("/merge/none-in-list", test_none_in_list);
  g_test_add_func ("/merge/too-large", test_too_large);
  g_test_add_func ("/merge/again", test_again);

  return g_test_run ();
}
