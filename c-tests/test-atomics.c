/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test.h"

/* The budgets of the hot paths, which the comments and docs/performance.md tell. The
 * library that this is linked with counts its atomic read-modify-writes here. */
__thread unsigned int quire_test_atomics;

#define BLOCK_SIZE 4096

/* What each path starts from. */
typedef struct
{
  QuireMemory    *block;
  QuireMemory    *share;
  QuireMemory    *next;
  QuireAllocator *pool;
  QuireMapInfo    info;
  QuireMapping   *mapping;
} State;

static void
set_up (State *state)
{
  *state = (State) { .block = quire_memory_new (BLOCK_SIZE) };
  quire_memory_fill (state->block, 0, -1, 0x51);
}

static void
set_up_shared (State *state)
{
  set_up (state);
  state->share = quire_memory_share (state->block, 16, 32);
  state->next = quire_memory_share (state->block, 48, 32);
}

/* Over a descriptor, of memory that nobody can truncate. */
static void
set_up_memfd (State *state)
{
  g_autoptr (QuireAllocator) allocator = quire_allocator_find ("memfd");

  *state = (State) { .block = quire_allocator_alloc (allocator, BLOCK_SIZE, NULL) };
}

/* The pool has a block that is free. */
static void
set_up_pool (State *state)
{
  set_up (state);
  state->pool = QUIRE_ALLOCATOR (quire_pool_allocator_new (NULL, BLOCK_SIZE, NULL, 1));
  quire_memory_unref (quire_allocator_alloc (state->pool, BLOCK_SIZE, NULL));
}

static void
set_up_read (State *state)
{
  set_up (state);
  g_assert_true (quire_memory_lock (state->block, QUIRE_MAP_READ));
}

static void
do_alloc (State *state)
{
  state->share = quire_memory_new (64);
}

static void
do_alloc_aligned (State *state)
{
  const QuireAllocationParams params = { .align = 4095, .prefix = 3 };

  state->share = quire_allocator_alloc (NULL, 64, &params);
}

static void
do_acquire (State *state)
{
  state->share = quire_allocator_alloc (state->pool, BLOCK_SIZE, NULL);
}

static void
do_wrap (State *state)
{
  state->share = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NONE, state, 8, 0, 8, NULL, NULL);
}

static void
do_unref (State *state)
{
  quire_memory_unref (g_steal_pointer (&state->share));
}

static void
do_ref (State *state)
{
  state->share = quire_memory_ref (state->block);
}

static void
do_map_read (State *state)
{
  g_assert_true (quire_memory_map (state->block, &state->info, QUIRE_MAP_READ));
}

static void
do_map_write (State *state)
{
  g_assert_true (quire_memory_map (state->block, &state->info, QUIRE_MAP_WRITE));
}

static void
do_map_readwrite (State *state)
{
  g_assert_true (quire_memory_map (state->block, &state->info, QUIRE_MAP_READWRITE));
}

static void
do_unmap (State *state)
{
  quire_memory_unmap (state->block, &state->info);
}

static void
do_map_refused (State *state)
{
  g_assert_false (quire_memory_map (state->block, &state->info, QUIRE_MAP_WRITE));
}

static void
do_map_share (State *state)
{
  g_assert_true (quire_memory_map (state->share, &state->info, QUIRE_MAP_READ));
}

static void
do_unmap_share (State *state)
{
  quire_memory_unmap (state->share, &state->info);
}

static void
do_map_for_binding (State *state)
{
  state->mapping = quire_memory_try_map (state->block, QUIRE_MAP_READ, NULL);
}

static void
do_unmap_for_binding (State *state)
{
  g_assert_true (quire_memory_try_unmap (state->block, state->mapping, NULL));
  quire_mapping_unref (state->mapping);
}

static void
do_share (State *state)
{
  state->share = quire_memory_share (state->block, 16, 32);
}

static void
do_share_refused (State *state)
{
  g_assert_null (quire_memory_share (state->block, 16, 32));
}

static void
do_share_share (State *state)
{
  QuireMemory *share = quire_memory_share (state->share, 8, 8);

  quire_memory_unref (state->share);
  state->share = share;
}

static void
do_is_span (State *state)
{
  g_assert_true (quire_memory_is_span (state->share, state->next, NULL));
}

static void
do_merge (State *state)
{
  QuireMemory *merged = quire_memory_merge (state->share, state->next);

  quire_memory_unref (state->next);
  state->next = merged;
}

static void
do_copy (State *state)
{
  state->share = quire_memory_copy (state->block, 16, 32);
}

static void
do_write (State *state)
{
  const guint8 bytes[4] = { 1, 2, 3, 4 };

  g_assert_true (quire_memory_write (state->block, 16, bytes, sizeof bytes));
}

static void
do_look (State *state)
{
  gsize offset, maxsize;

  quire_memory_get_sizes (state->block, &offset, &maxsize);
  g_assert_true (quire_memory_is_writable (state->block));
  g_assert_true (quire_memory_is_aligned (state->block, 15));
  g_assert_nonnull (quire_memory_get_allocator (state->block));
}

static void
do_resize (State *state)
{
  g_assert_true (quire_memory_resize (state->block, 16, 32));
}

/* What is done, what it costs, and what it costs to undo it. */
static const struct
{
  const char *name;
  void      (*begin) (State *state);
  void      (*act)   (State *state);
  guint       cost;
  void      (*undo)  (State *state);
  guint       undo_cost;
} paths[] = {
  { "alloc", set_up, do_alloc, 0, do_unref, 0 },
  { "alloc-aligned", set_up, do_alloc_aligned, 0, do_unref, 0 },
  /* And the reference on the pool, which is GObject's. */
  { "acquire", set_up_pool, do_acquire, 1, do_unref, 1 },
  { "wrap", set_up, do_wrap, 0, do_unref, 0 },
  { "ref", set_up, do_ref, 1, do_unref, 1 },
  { "map-read", set_up, do_map_read, 1, do_unmap, 1 },
  { "map-write", set_up, do_map_write, 1, do_unmap, 1 },
  { "map-readwrite", set_up, do_map_readwrite, 1, do_unmap, 1 },
  { "map-nested", set_up_read, do_map_read, 1, do_unmap, 1 },
  { "map-refused", set_up_read, do_map_refused, 2, },
  { "map-shared", set_up_shared, do_map_read, 1, do_unmap, 1 },
  { "map-a-memfd", set_up_memfd, do_map_read, 1, do_unmap, 1 },
  { "map-a-share", set_up_shared, do_map_share, 1, do_unmap_share, 1 },
  { "map-for-a-binding", set_up, do_map_for_binding, 2, do_unmap_for_binding, 6 },
  { "share", set_up, do_share, 2, do_unref, 2 },
  /* It unrefs the share that it is made of: 2 for each. */
  { "share-a-share", set_up_shared, do_share_share, 4, do_unref, 2 },
  { "is-span", set_up_shared, do_is_span, 0, },
  /* Likewise. */
  { "merge", set_up_shared, do_merge, 4, },
  { "copy", set_up, do_copy, 2, do_unref, 0 },
  { "write", set_up, do_write, 2, },
  { "look", set_up, do_look, 0, },
  { "resize", set_up, do_resize, 0, },
};

static void
test_path (gconstpointer data)
{
  const guint i = GPOINTER_TO_UINT (data);

  g_test_summary ("A path has as many atomic read-modify-writes as it may, and no less");

  /* The first time there may be types to register. */
  for (guint turn = 0; turn < 2; turn++)
    {
      State state;
      guint cost, undo_cost = 0;

      paths[i].begin (&state);

      quire_test_atomics = 0;
      paths[i].act (&state);
      cost = quire_test_atomics;

      quire_test_atomics = 0;
      if (paths[i].undo != NULL)
        {
          paths[i].undo (&state);
          undo_cost = quire_test_atomics;
        }

      if (turn > 0)
        {
          g_test_message ("%s: %u, and to undo it %u", paths[i].name, cost, undo_cost);
          g_assert_cmpuint (cost, ==, paths[i].cost);
          g_assert_cmpuint (undo_cost, ==, paths[i].undo_cost);
        }

      g_clear_pointer (&state.share, quire_memory_unref);
      g_clear_pointer (&state.next, quire_memory_unref);
      g_clear_object (&state.pool);
      quire_memory_unref (state.block);
    }
}

/* A share is refused while a WRITE map stands; then all is undone. */
static void
test_share_refused (void)
{
  State state;

  g_test_summary ("A share that is refused pins the root, counts, and undoes both");

  set_up (&state);
  do_map_write (&state);
  quire_test_atomics = 0;
  do_share_refused (&state);
  g_assert_cmpuint (quire_test_atomics, ==, 4);
  do_unmap (&state);
  quire_memory_unref (state.block);
}

/* Counts for n spans what the merge of them all does. */
static guint
count_merge (guint n)
{
  g_autoptr (QuireMemory) block = quire_memory_new (n);
  g_autoptr (GPtrArray) spans = g_ptr_array_new_full (n, (GDestroyNotify) quire_memory_unref);
  g_autoptr (QuireMemory) merged = NULL;
  gsize copied;
  guint count;

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (spans, quire_memory_share (block, i, 1));

  quire_test_atomics = 0;
  merged = quire_memory_merge_list ((QuireMemory * const *) spans->pdata, n, &copied, NULL);
  count = quire_test_atomics;
  g_assert_nonnull (merged);
  g_assert_cmpuint (copied, ==, 0);

  return count;
}

static void
test_merge_list (void)
{
  g_test_summary ("However many spans are merged, it is one share");

  g_assert_cmpuint (count_merge (2), ==, 2);
  g_assert_cmpuint (count_merge (10000), ==, 2);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autofree char *name = g_strconcat ("/atomics/", paths[i].name, NULL);

      g_test_add_data_func (name, GUINT_TO_POINTER (i), test_path);
    }
  g_test_add_func ("/atomics/share-refused", test_share_refused);
  g_test_add_func ("/atomics/merge-list", test_merge_list);

  return g_test_run ();
}
