/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test.h"

/* Writes down in which order things happen, each by a letter. */
static GString *events;

#define NAME(letter) GINT_TO_POINTER (letter)

static void
note_weak (gpointer     name,
           QuireMemory *where_the_memory_was)
{
  g_string_append_c (events, (char) GPOINTER_TO_INT (name));
}

static void
note (gpointer name)
{
  g_string_append_c (events, (char) GPOINTER_TO_INT (name));
}

static void
note_address (gpointer     where,
              QuireMemory *where_the_memory_was)
{
  *(QuireMemory **) where = where_the_memory_was;
}

static void
check_events (const char *expected)
{
  g_assert_cmpstr (events->str, ==, expected);
  g_string_truncate (events, 0);
}

static void
test_weak (void)
{
  QuireMemory *memory = quire_memory_new (8);
  QuireMemory *same = memory;
  QuireMemory *where = NULL;

  g_test_summary ("Weak notifies run once, in order, with the last reference and not before");

  quire_memory_weak_ref (memory, note_weak, NAME ('a'));
  quire_memory_weak_ref (memory, note_weak, NAME ('b'));
  quire_memory_weak_ref (memory, note_weak, NAME ('a'));
  quire_memory_weak_ref (memory, note_address, &where);
  quire_memory_ref (memory);
  quire_memory_unref (memory);
  check_events ("");
  quire_memory_unref (memory);
  check_events ("aba");
  g_assert_true (where == same);
}

static void
test_weak_unref (void)
{
  QuireMemory *memory = quire_memory_new (8);

  g_test_summary ("A weak notify that was taken back does not run; one that isn't there is reported");

  quire_memory_weak_ref (memory, note_weak, NAME ('a'));
  quire_memory_weak_ref (memory, note_weak, NAME ('b'));
  quire_memory_weak_ref (memory, note_weak, NAME ('c'));
  quire_memory_weak_ref (memory, note_weak, NAME ('b'));
  quire_memory_weak_unref (memory, note_weak, NAME ('b'));

  quire_test_expect_critical ("*no such weak notify*");
  quire_memory_weak_unref (memory, note_weak, NAME ('d'));
  quire_test_expect_critical ("*no such weak notify*");
  quire_memory_weak_unref (memory, note_address, NAME ('a'));
  g_test_assert_expected_messages ();

  quire_memory_unref (memory);
  check_events ("acb");

  memory = quire_memory_new (8);
  for (const char *letter = "xaxbxcx"; *letter != '\0'; letter++)
    quire_memory_weak_ref (memory, note_weak, NAME (*letter));
  for (guint i = 0; i < 3; i++)
    quire_memory_weak_unref (memory, note_weak, NAME ('x'));
  quire_memory_weak_ref (memory, note_weak, NAME ('x'));
  quire_memory_weak_unref (memory, note_weak, NAME ('x'));
  quire_memory_weak_ref (memory, note_weak, NAME ('d'));
  quire_memory_unref (memory);
  check_events ("abcxd");

  memory = quire_memory_new (8);
  quire_test_expect_critical ("*no such weak notify*");
  quire_memory_weak_unref (memory, note_weak, NAME ('a'));
  g_test_assert_expected_messages ();
  quire_memory_weak_ref (memory, note_weak, NAME ('a'));
  quire_memory_weak_unref (memory, note_weak, NAME ('a'));
  quire_memory_unref (memory);
  check_events ("");
}

static void
test_order (void)
{
  static guint8 data[8];
  QuireMemory *root, *share;

  g_test_summary ("Weak notifies, qdata, data: so a block dies; and a share before its root");

  root = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NONE, data, 8, 0, 8, NAME ('d'), note);
  quire_memory_set_qdata (root, g_quark_from_static_string ("quire-test"), NAME ('q'), note);
  quire_memory_weak_ref (root, note_weak, NAME ('w'));
  quire_memory_unref (root);
  check_events ("wqd");

  root = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NONE, data, 8, 0, 8, NAME ('d'), note);
  quire_memory_weak_ref (root, note_weak, NAME ('r'));
  share = quire_memory_share (root, 0, 4);
  quire_memory_weak_ref (share, note_weak, NAME ('s'));
  quire_memory_unref (root);
  check_events ("");
  quire_memory_unref (share);
  check_events ("srd");
}

static void
test_qdata (void)
{
  const GQuark one = g_quark_from_static_string ("quire-test-one");
  const GQuark two = g_quark_from_static_string ("quire-test-two");
  QuireMemory *memory = quire_memory_new (8);

  g_test_summary ("Data hangs on a block by name, and is destroyed when it is replaced or the block dies");

  g_assert_null (quire_memory_get_qdata (memory, one));
  quire_memory_set_qdata (memory, one, NAME ('1'), note);
  quire_memory_set_qdata (memory, two, NAME ('2'), note);
  g_assert_true (quire_memory_get_qdata (memory, one) == NAME ('1'));
  g_assert_true (quire_memory_get_qdata (memory, two) == NAME ('2'));

  quire_memory_set_qdata (memory, one, NAME ('3'), note);
  check_events ("1");
  g_assert_true (quire_memory_get_qdata (memory, one) == NAME ('3'));

  g_assert_true (quire_memory_steal_qdata (memory, one) == NAME ('3'));
  check_events ("");
  g_assert_null (quire_memory_get_qdata (memory, one));
  g_assert_null (quire_memory_steal_qdata (memory, one));

  quire_memory_set_qdata (memory, one, NAME ('4'), note);
  quire_memory_set_qdata (memory, one, NULL, NULL);
  check_events ("4");
  quire_memory_set_qdata (memory, one, NAME ('5'), NULL);
  quire_memory_unref (memory);
  check_events ("2");
}

static void
test_unref_in_notify (void)
{
  QuireMemory *memory = quire_memory_new (8);
  QuireMemory *other = quire_memory_new (8);

  g_test_summary ("A notify may drop the last reference on another block");

  quire_memory_weak_ref (other, note_weak, NAME ('o'));
  quire_memory_set_qdata (memory, g_quark_from_static_string ("quire-test"), other,
                          (GDestroyNotify) quire_memory_unref);
  quire_memory_unref (memory);
  check_events ("o");
}

int
main (int    argc,
      char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  events = g_string_new (NULL);

  g_test_add_func ("/notify/weak", test_weak);
  g_test_add_func ("/notify/weak-unref", test_weak_unref);
  g_test_add_func ("/notify/order", test_order);
  g_test_add_func ("/notify/qdata", test_qdata);
  g_test_add_func ("/notify/unref-in-notify", test_unref_in_notify);

  result = g_test_run ();
  g_string_free (events, TRUE);

  return result;
}
