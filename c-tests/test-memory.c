/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test.h"

static QuireMemory *
new_counted (guint *gone)
{
  QuireMemory *memory = quire_memory_new (32);

  quire_memory_weak_ref (memory, quire_test_count_weak, gone);
  return memory;
}

static void
test_ref (void)
{
  guint gone = 0;
  QuireMemory *memory = new_counted (&gone);

  g_test_summary ("A block lives as long as its last reference");

  g_assert_true (quire_memory_ref (memory) == memory);
  quire_memory_unref (memory);
  g_assert_cmpuint (gone, ==, 0);
  quire_memory_unref (memory);
  g_assert_cmpuint (gone, ==, 1);

  memory = new_counted (&gone);
  for (guint i = 0; i < 100000; i++)
    quire_memory_ref (memory);
  for (guint i = 0; i < 100000; i++)
    quire_memory_unref (memory);
  g_assert_cmpuint (gone, ==, 1);
  g_clear_pointer (&memory, quire_memory_unref);
  g_assert_cmpuint (gone, ==, 2);

  {
    g_autoptr (QuireMemory) scoped = new_counted (&gone);

    g_assert_nonnull (scoped);
  }
  g_assert_cmpuint (gone, ==, 3);
}

static void
test_place (void)
{
  guint gone = 0;
  QuireMemory *first = new_counted (&gone);
  QuireMemory *second = new_counted (&gone);
  QuireMemory *place = NULL;

  g_test_summary ("replace(), take() and steal() move references and neither lose nor invent one");

  g_assert_false (quire_memory_replace (&place, NULL));
  g_assert_null (quire_memory_steal (&place));

  /* replace() takes a reference of its own. */
  g_assert_true (quire_memory_replace (&place, first));
  g_assert_true (place == first);
  g_assert_false (quire_memory_replace (&place, first));
  g_assert_true (quire_memory_replace (&place, second));
  quire_memory_unref (first);
  g_assert_cmpuint (gone, ==, 1);
  quire_memory_unref (second);
  g_assert_cmpuint (gone, ==, 1);
  g_assert_true (quire_memory_replace (&place, NULL));
  g_assert_null (place);
  g_assert_cmpuint (gone, ==, 2);

  /* take() takes the caller's. */
  first = new_counted (&gone);
  g_assert_true (quire_memory_take (&place, first));
  g_assert_false (quire_memory_take (&place, quire_memory_ref (first)));
  g_assert_cmpuint (gone, ==, 2);
  g_assert_true (quire_memory_take (&place, new_counted (&gone)));
  g_assert_cmpuint (gone, ==, 3);

  /* steal() gives it away. */
  second = place;
  g_assert_true (quire_memory_steal (&place) == second);
  g_assert_null (place);
  g_assert_cmpuint (gone, ==, 3);
  quire_memory_unref (second);
  g_assert_cmpuint (gone, ==, 4);
}

static void
test_boxed (void)
{
  guint gone = 0;
  QuireMemory *memory = new_counted (&gone);
  GValue value = G_VALUE_INIT;

  g_test_summary ("To languages a block is a boxed type, whose copy is a reference");

  g_assert_true (G_TYPE_IS_BOXED (QUIRE_TYPE_MEMORY));
  g_assert_cmpstr (g_type_name (QUIRE_TYPE_MEMORY), ==, "QuireMemory");

  g_value_init (&value, QUIRE_TYPE_MEMORY);
  g_value_set_boxed (&value, memory);
  g_assert_true (g_value_get_boxed (&value) == memory);
  quire_memory_unref (memory);
  g_assert_cmpuint (gone, ==, 0);
  g_value_unset (&value);
  g_assert_cmpuint (gone, ==, 1);
}

static void
test_sizes (void)
{
  g_autoptr (QuireMemory) memory = quire_test_new (16, 32, 8);

  g_test_summary ("The sizes are what was asked for; each may be asked alone");

  quire_assert_sizes (memory, 16, 32, 56);
  g_assert_cmpuint (quire_memory_get_sizes (memory, NULL, NULL), ==, 32);
  g_assert_cmpuint (memory->maxsize, ==, 56);
  g_assert_cmpuint (memory->offset, ==, 16);
  g_assert_cmpuint (memory->size, ==, 32);
  g_assert_null (memory->parent);
  g_assert_true (memory->allocator == quire_memory_get_allocator (memory));
}

static void
test_resize (void)
{
  g_autoptr (QuireMemory) memory = quire_test_new (16, 32, 16);

  g_test_summary ("A resize moves the range and never the data, into prefix and padding too");

  quire_assert_granted (quire_memory_try_resize (memory, 8, 8, &error));
  quire_assert_sizes (memory, 24, 8, 64);
  quire_test_assert_shows (memory, 24, 8);

  quire_assert_granted (quire_memory_try_resize (memory, -24, 64, &error));
  quire_assert_sizes (memory, 0, 64, 64);
  quire_test_assert_shows (memory, 0, 64);

  quire_assert_granted (quire_memory_try_resize (memory, 64, 0, &error));
  quire_assert_sizes (memory, 64, 0, 64);
  quire_test_assert_shows (memory, 64, 0);

  g_assert_true (quire_memory_resize (memory, -48, 32));
  quire_assert_sizes (memory, 16, 32, 64);
  quire_test_assert_shows (memory, 16, 32);
}

/* Of a block of 16 + 32 + 16 bytes. */
static const struct
{
  gssize   offset;
  gsize    size;
  gboolean fits;
} resizes[] = {
  { 0, 32, TRUE },
  { 0, 0, TRUE },
  { 0, 48, TRUE },
  { 0, 49, FALSE },
  { -16, 64, TRUE },
  { -16, 65, FALSE },
  { -16, 0, TRUE },
  { -17, 0, FALSE },
  { -17, 64, FALSE },
  { 48, 0, TRUE },
  { 48, 1, FALSE },
  { 49, 0, FALSE },
  { 64, 0, FALSE },
  { 0, G_MAXSIZE, FALSE },
  { 1, G_MAXSIZE, FALSE },
  { -1, G_MAXSIZE, FALSE },
  { -16, G_MAXSIZE, FALSE },
  { 16, G_MAXSIZE - 15, FALSE },
  { 0, G_MAXSIZE - 15, FALSE },
  { -1, G_MAXSIZE - 14, FALSE },
  { 0, G_MAXSSIZE, FALSE },
  { G_MAXSSIZE, 0, FALSE },
  { G_MAXSSIZE, G_MAXSIZE, FALSE },
  { G_MINSSIZE, 0, FALSE },
  { G_MINSSIZE, 1, FALSE },
  { G_MINSSIZE, (gsize) G_MAXSSIZE + 1, FALSE },
  { G_MINSSIZE, G_MAXSIZE, FALSE },
  { G_MINSSIZE + 1, G_MAXSIZE, FALSE },
};

static void
test_resize_edges (void)
{
  g_test_summary ("A resize beyond the block is refused, whatever the arithmetic would make of it");

  for (gsize i = 0; i < G_N_ELEMENTS (resizes); i++)
    {
      const gssize offset = resizes[i].offset;
      const gsize size = resizes[i].size;
      g_autoptr (QuireMemory) memory = quire_test_new (16, 32, 16);

      g_test_message ("offset %" G_GSSIZE_FORMAT ", size %" G_GSIZE_FORMAT, offset, size);
      if (resizes[i].fits)
        {
          quire_assert_granted (quire_memory_try_resize (memory, offset, size, &error));
          quire_assert_sizes (memory, (gsize) (16 + offset), size, 64);
        }
      else
        {
          g_autofree char *bytes = g_strdup_printf (" %" G_GSIZE_FORMAT " bytes at", size);
          g_autofree char *at = g_strdup_printf ("offset %" G_GSSIZE_FORMAT, offset);

          quire_assert_refused (quire_memory_try_resize (memory, offset, size, &error),
                                OUT_OF_RANGE, bytes, at, "64 bytes", "begins at 16");
          g_assert_false (quire_memory_resize (memory, offset, size));
          quire_assert_sizes (memory, 16, 32, 64);
        }
    }
}

static void
test_resize_share (void)
{
  g_autoptr (QuireMemory) memory = quire_test_new (16, 32, 16);
  g_autoptr (QuireMemory) share = quire_memory_share (memory, 8, 8);

  g_test_summary ("The window of a share moves within the root's block, and moves nothing else");

  quire_assert_sizes (share, 24, 8, 64);
  quire_assert_granted (quire_memory_try_resize (share, -24, 64, &error));
  quire_test_assert_shows (share, 0, 64);
  quire_assert_refused (quire_memory_try_resize (share, -1, 1, &error), OUT_OF_RANGE);
  quire_assert_refused (quire_memory_try_resize (share, 0, 65, &error), OUT_OF_RANGE, "65 bytes");
  quire_assert_sizes (memory, 16, 32, 64);
}

static void
test_flags (void)
{
  static const guint all[] = {
    QUIRE_MEMORY_FLAG_NONE,
    QUIRE_MEMORY_FLAG_READONLY,
    QUIRE_MEMORY_FLAG_NO_SHARE,
    QUIRE_MEMORY_FLAG_NOT_MAPPABLE,
    QUIRE_MEMORY_FLAG_PHYSICALLY_CONTIGUOUS,
    QUIRE_MEMORY_FLAG_LAST,
    QUIRE_MEMORY_FLAG_LAST << 2 | QUIRE_MEMORY_FLAG_NO_SHARE | QUIRE_MEMORY_FLAG_READONLY,
  };
  static guint8 data[8];

  g_test_summary ("Flags are told back as they were given, an allocator's own too");

  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    {
      g_autoptr (QuireMemory) memory = NULL;

      memory = quire_memory_new_wrapped ((QuireMemoryFlags) all[i], data, 8, 0, 8, NULL, NULL);
      g_assert_cmpuint (quire_memory_get_flags (memory), ==, all[i]);
    }

  g_assert_true (G_TYPE_IS_FLAGS (QUIRE_TYPE_MEMORY_FLAGS));
  g_assert_true (G_TYPE_IS_FLAGS (QUIRE_TYPE_MAP_FLAGS));
  g_assert_true (G_TYPE_IS_ENUM (QUIRE_TYPE_MEMORY_ERROR));
}

static void
test_is_type (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (8);
  g_autoptr (QuireMemory) share = quire_memory_share (memory, 0, 4);

  g_test_summary ("A block knows its type and its allocator; a share has those of its root");

  g_assert_true (quire_memory_is_type (memory, "system"));
  g_assert_true (quire_memory_is_type (share, "system"));
  g_assert_false (quire_memory_is_type (memory, "System"));
  g_assert_false (quire_memory_is_type (memory, "syste"));
  g_assert_false (quire_memory_is_type (memory, ""));
  g_assert_true (quire_memory_get_allocator (share) == quire_memory_get_allocator (memory));
}

static void
test_parent (void)
{
  guint gone = 0;
  QuireMemory *memory = new_counted (&gone);
  QuireMemory *share = quire_memory_share (memory, 0, 4);
  QuireMemory *parent;

  g_test_summary ("get_parent() lends the parent, dup_parent() gives a reference");

  g_assert_null (quire_memory_get_parent (memory));
  g_assert_null (quire_memory_dup_parent (memory));
  g_assert_true (quire_memory_get_parent (share) == memory);
  parent = quire_memory_dup_parent (share);
  g_assert_true (parent == memory);

  quire_memory_unref (memory);
  quire_memory_unref (share);
  g_assert_cmpuint (gone, ==, 0);
  quire_memory_unref (parent);
  g_assert_cmpuint (gone, ==, 1);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/memory/ref", test_ref);
  g_test_add_func ("/memory/place", test_place);
  g_test_add_func ("/memory/boxed", test_boxed);
  g_test_add_func ("/memory/sizes", test_sizes);
  g_test_add_func ("/memory/resize", test_resize);
  g_test_add_func ("/memory/resize-edges", test_resize_edges);
  g_test_add_func ("/memory/resize-share", test_resize_share);
  g_test_add_func ("/memory/flags", test_flags);
  g_test_add_func ("/memory/is-type", test_is_type);
  g_test_add_func ("/memory/parent", test_parent);

  return g_test_run ();
}
