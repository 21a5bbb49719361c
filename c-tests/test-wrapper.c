/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test.h"

/* A share over data whose end is counted, with the two references that a binding has
 * on it: its own, and that of the wrapper. */
static QuireMemory *
wrapped_share (guint8       *data,
               guint        *gone,
               QuireMemory **root)
{
  QuireMemory *share;

  *root = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NONE, data, 8, 0, 8, gone, quire_test_count);
  share = quire_memory_share (*root, 0, 4);

  return quire_memory_ref (share);
}

static void
test_retire (void)
{
  guint8 data[8] = { 0, };
  guint gone = 0, dead = 0;
  QuireMemory *root, *share = wrapped_share (data, &gone, &root);

  g_test_summary ("With the binding's reference the share dies, though the wrapper has its own yet");

  quire_memory_weak_ref (share, quire_test_count_weak, &dead);
  g_assert_true (quire_memory_close_wrapper (share));
  g_assert_cmpuint (dead, ==, 1);
  quire_assert_state (root, "free");
  quire_assert_granted (quire_memory_try_fill (root, 0, -1, 1, &error));

  quire_memory_unref (root);
  g_assert_cmpuint (gone, ==, 0);
  quire_memory_unref (share);
  g_assert_cmpuint (gone, ==, 1);
  g_assert_cmpuint (dead, ==, 1);
}

static void
test_late_references (void)
{
  guint8 data[8] = { 0, };
  guint gone = 0;
  QuireMemory *root, *share = wrapped_share (data, &gone, &root);

  g_test_summary ("References that come late keep the storage, in whatever order they go");

  g_assert_true (quire_memory_close_wrapper (share));
  quire_memory_unref (root);
  quire_memory_ref (share);
  quire_assert_refused (quire_memory_try_map (share, QUIRE_MAP_READ, &error), CLOSED);
  quire_memory_unref (share);
  g_assert_cmpuint (gone, ==, 0);
  quire_memory_unref (share);
  g_assert_cmpuint (gone, ==, 1);
}

static void
test_others (void)
{
  guint8 data[8] = { 0, };
  guint gone = 0;
  QuireMemory *root, *share = wrapped_share (data, &gone, &root);
  QuireMapping *mapping = quire_memory_try_map (share, QUIRE_MAP_READ, NULL);

  g_test_summary ("While somebody else has a reference, the block lives on, and the binding tries again");

  g_assert_false (quire_memory_close_wrapper (share));
  quire_assert_state (root, "1 share alive");
  quire_mapping_unref (mapping);
  quire_assert_state (root, "1 share alive");
  g_assert_true (quire_memory_close_wrapper (share));
  quire_assert_state (root, "free");
  quire_memory_unref (share);
  quire_memory_unref (root);
  g_assert_cmpuint (gone, ==, 1);
}

static gpointer
collect (gpointer share)
{
  quire_memory_unref (share);
  return NULL;
}

static void
collect_meanwhile (gpointer     user_data,
                   QuireMemory *share)
{
  g_thread_join (g_thread_new ("collector", collect, share));
}

static void
test_collected_meanwhile (void)
{
  guint8 data[8] = { 0, };
  guint gone = 0;
  QuireMemory *root, *share = wrapped_share (data, &gone, &root);

  g_test_summary ("The wrapper may drop its reference while weak notifies run: nothing is lost");

  quire_memory_weak_ref (share, collect_meanwhile, NULL);
  g_assert_true (quire_memory_close_wrapper (share));
  quire_assert_state (root, "free");
  quire_memory_unref (root);
  g_assert_cmpuint (gone, ==, 1);
}

static void
test_alone (void)
{
  guint8 data[8] = { 0, };
  guint gone = 0;
  QuireMemory *memory = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NONE, data, 8, 0, 8,
                                                  &gone, quire_test_count);

  g_test_summary ("If the wrapper has gone before, there is nothing to close");

  g_assert_false (quire_memory_close_wrapper (memory));
  quire_memory_unref (memory);
  g_assert_cmpuint (gone, ==, 1);
}

static void
test_write_back (void)
{
  g_autoptr (QuireMemory) memory = quire_test_new (4, 8, 4);
  g_autoptr (QuireMapping) mapping = NULL;
  const guint8 bytes[9] = { 9, 8, 7, 6, 5, 4, 3, 2, 1 };
  guint8 found[8];

  g_test_summary ("Bytes are written back under the mapping's own lock, all of them or none");

  mapping = quire_memory_try_map (memory, QUIRE_MAP_WRITE | QUIRE_MAP_UNIQUE, NULL);
  quire_assert_refused (quire_mapping_write_back (mapping, bytes, 7, &error), OUT_OF_RANGE, "7", "8");
  quire_assert_refused (quire_mapping_write_back (mapping, bytes, 9, &error), OUT_OF_RANGE, "9", "8");
  quire_assert_granted (quire_mapping_write_back (mapping, bytes, 8, &error));
  quire_mapping_release (mapping);
  g_assert_true (quire_memory_read (memory, 0, found, sizeof found));
  g_assert_cmpmem (found, sizeof found, bytes, 8);
  quire_assert_refused (quire_mapping_write_back (mapping, bytes, 8, &error), CLOSED);
  quire_mapping_unref (mapping);

  mapping = quire_memory_try_map (memory, QUIRE_MAP_READ, NULL);
  quire_assert_refused (quire_mapping_write_back (mapping, bytes, 8, &error), READ_ONLY, "8 bytes");
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/wrapper/retire", test_retire);
  g_test_add_func ("/wrapper/late-references", test_late_references);
  g_test_add_func ("/wrapper/others", test_others);
  g_test_add_func ("/wrapper/collected-meanwhile", test_collected_meanwhile);
  g_test_add_func ("/wrapper/alone", test_alone);
  g_test_add_func ("/wrapper/write-back", test_write_back);

  return g_test_run ();
}
