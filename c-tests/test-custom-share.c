/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test-allocator.h"

/* Has all of it: maps, copies, shares and spans of its own. */
typedef TestAllocator WholeAllocator;
typedef TestAllocatorClass WholeAllocatorClass;

static GType whole_allocator_get_type (void);

G_DEFINE_TYPE (WholeAllocator, whole_allocator, maps_allocator_get_type ())

static QuireMemory *
whole_allocator_copy (QuireMemory *memory,
                      gssize       offset,
                      gsize        size,
                      GError     **error)
{
  static guint8 read_only[64];
  TestAllocator *self = TEST_ALLOCATOR (memory->allocator);
  QuireMemory *copy;

  self->copies++;
  self->last_offset = offset;
  self->last_size = size;
  if (test_allocator_fail (self, error))
    return NULL;
  if (self->fault == GIVES_READ_ONLY)
    return quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_READONLY, read_only, size, 0, size, NULL, NULL);

  copy = quire_allocator_alloc (memory->allocator, size, NULL);
  memcpy (TEST_MEMORY (copy)->data, TEST_MEMORY (memory)->data + memory->offset + offset, size);

  return copy;
}

static QuireMemory *
whole_allocator_share (QuireMemory *root,
                       gsize        offset,
                       gsize        size,
                       GError     **error)
{
  TestAllocator *self = TEST_ALLOCATOR (root->allocator);
  QuireMemory *parent = root;
  TestMemory *share;

  self->shares++;
  self->last_offset = (gssize) offset;
  self->last_size = size;
  if (test_allocator_fail (self, error))
    return NULL;
  if (self->fault == GIVES_ROOT)
    return quire_memory_ref (root);
  if (self->fault == GIVES_THE_LAST)
    return quire_memory_ref (self->last_share);
  if (self->fault == WRONG_PARENT)
    parent = quire_allocator_alloc (root->allocator, root->maxsize, NULL);
  if (self->fault == NO_PARENT)
    return quire_allocator_alloc (root->allocator, size, NULL);

  share = g_new0 (TestMemory, 1);
  share->data = TEST_MEMORY (root)->data;
  quire_memory_init (&share->memory, QUIRE_MEMORY_FLAG_NONE, root->allocator, parent, root->maxsize,
                     root->align, offset + (self->fault == WRONG_OFFSET ? 1 : 0),
                     size - (self->fault == WRONG_SIZE || self->fault == WRONG_OFFSET ? 1 : 0));
  if (parent != root)
    quire_memory_unref (parent);

  self->last_share = &share->memory;
  return self->last_share;
}

static gboolean
whole_allocator_is_span (QuireMemory *first,
                         QuireMemory *second)
{
  TestAllocator *self = TEST_ALLOCATOR (first->allocator);

  self->spans++;
  return self->fault == SAYS_YES || first->offset + first->size == second->offset;
}

static void
whole_allocator_class_init (WholeAllocatorClass *klass)
{
  klass->mem_copy = whole_allocator_copy;
  klass->mem_share = whole_allocator_share;
  klass->mem_is_span = whole_allocator_is_span;
}

static void
whole_allocator_init (WholeAllocator *self)
{
}

static void
test_copy (void)
{
  g_autoptr (TestAllocator) allocator = g_object_new (whole_allocator_get_type (), NULL);
  g_autoptr (QuireMemory) memory = test_allocator_block (allocator, 8, 32, 8);
  g_autoptr (QuireMemory) copy = NULL;

  g_test_summary ("mem_copy() gets a range that was checked, counted from the data");

  quire_assert_granted ((copy = quire_memory_try_copy (memory, -8, -1, &error)));
  g_assert_cmpuint (allocator->copies, ==, 1);
  g_assert_cmpint (allocator->last_offset, ==, -8);
  g_assert_cmpuint (allocator->last_size, ==, 40);
  g_assert_true (quire_memory_is_type (copy, "test"));
  quire_test_assert_shows (copy, 0, 40);

  quire_assert_refused (quire_memory_try_copy (memory, 0, 33, &error), OUT_OF_RANGE);
  quire_assert_refused (quire_memory_try_copy (memory, -9, 1, &error), OUT_OF_RANGE);
  g_assert_cmpuint (allocator->copies, ==, 1);
}

static void
test_copy_under_write (void)
{
  g_autoptr (TestAllocator) allocator = g_object_new (whole_allocator_get_type (), NULL);
  g_autoptr (QuireMemory) memory = test_allocator_block (allocator, 8, 32, 8);

  g_test_summary ("The library takes the lock to read before it calls mem_copy()");

  g_assert_true (quire_memory_lock (memory, QUIRE_MAP_WRITE));
  quire_assert_refused (quire_memory_try_copy (memory, 0, -1, &error), BUSY, "1 WRITE map");
  g_assert_cmpuint (allocator->copies, ==, 0);
  quire_memory_unlock (memory, QUIRE_MAP_WRITE);
}

static void
test_make_mapped_of_nonsense (void)
{
  g_autoptr (TestAllocator) allocator = g_object_new (whole_allocator_get_type (), NULL);
  QuireMemory *memory = test_allocator_block (allocator, 8, 32, 8);
  QuireMapInfo info;

  g_test_summary ("Flags that make no sense of a block make none of a copy, so none is made");

  quire_assert_refused (quire_memory_try_make_mapped (memory, QUIRE_MAP_NONE, &error), NOT_SUPPORTED, "0x0");
  g_assert_null (quire_memory_make_mapped (memory, &info, QUIRE_MAP_NONE));
  quire_test_assert_cleared (&info);
  g_assert_cmpuint (allocator->copies, ==, 0);
}

static void
test_copy_fails (void)
{
  g_autoptr (TestAllocator) allocator = g_object_new (whole_allocator_get_type (), NULL);
  g_autoptr (QuireMemory) memory = test_allocator_block (allocator, 8, 32, 8);
  g_autoptr (GError) reason = NULL;

  g_test_summary ("mem_copy() may fail with a reason; without one the library makes the copy");

  allocator->fault = GIVES_ERROR;
  g_assert_null (quire_memory_try_copy (memory, 0, -1, &reason));
  g_assert_error (reason, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  quire_assert_state (memory, "free");

  /* A copy and an error: never both. */
  allocator->fault = GIVES_BOTH;
  g_clear_error (&reason);
  {
    g_autoptr (QuireMemory) copy = quire_memory_try_copy (memory, 0, -1, &reason);

    g_assert_true ((copy == NULL) == (reason != NULL));
  }

  /* Which asks for a map, and this allocator gives none either. */
  allocator->fault = GIVES_NULL;
  quire_assert_refused (quire_memory_try_copy (memory, 0, -1, &error), FAILED, "allocator test");
  quire_assert_state (memory, "free");

  /* A copy is always writable, or it is none. */
  allocator->fault = GIVES_READ_ONLY;
  quire_assert_refused (quire_memory_try_copy (memory, 0, -1, &error), FAILED, "no writable copy of 32 bytes");
}

static void
test_share (void)
{
  g_autoptr (TestAllocator) allocator = g_object_new (whole_allocator_get_type (), NULL);
  QuireMemory *memory = test_allocator_block (allocator, 8, 32, 8);
  g_autoptr (QuireMemory) first = NULL;
  g_autoptr (QuireMemory) second = NULL;
  g_autoptr (QuireMemory) merged = NULL;
  gsize copied = 99, offset = 99;

  g_test_summary ("mem_share() makes the struct; the library counts it, and makes it read-only");

  quire_assert_granted ((first = quire_memory_try_share (memory, -4, 12, &error)));
  g_assert_cmpint (allocator->last_offset, ==, 4);
  g_assert_cmpuint (allocator->last_size, ==, 12);
  g_assert_cmpuint (quire_memory_get_flags (first), ==, QUIRE_MEMORY_FLAG_READONLY);
  quire_test_assert_shows (first, 4, 12);
  quire_assert_state (memory, "1 share alive");

  second = quire_memory_share (first, 12, 0);
  quire_memory_unref (second);
  second = quire_memory_share (memory, 8, 8);
  g_assert_true (quire_memory_get_parent (second) == memory);
  g_assert_true (quire_memory_is_span (first, second, &offset));
  g_assert_cmpint ((gssize) offset, ==, -4);
  g_assert_cmpuint (allocator->spans, ==, 1);
  quire_assert_granted ((merged = quire_memory_try_merge (first, second, &copied, &error)));
  g_assert_cmpuint (copied, ==, 0);
  quire_test_assert_shows (merged, 4, 20);
  quire_assert_state (memory, "3 shares alive");

  quire_memory_unref (memory);
  g_clear_pointer (&first, quire_memory_unref);
  g_clear_pointer (&second, quire_memory_unref);
  g_assert_cmpuint (allocator->frees, ==, 3);
  g_clear_pointer (&merged, quire_memory_unref);
  g_assert_cmpuint (allocator->frees, ==, 5);
}

static void
test_share_fails (void)
{
  static const struct
  {
    guint       fault;
    const char *words;
  } faults[] = {
    { GIVES_NULL, "no share of 8 bytes" },
    { WRONG_OFFSET, "7 bytes at 13 where 8 bytes at 12" },
    { WRONG_SIZE, "7 bytes at 12 where 8 bytes at 12" },
    { WRONG_PARENT, "8 bytes at 12" },
    { NO_PARENT, "8 bytes at 12" },
    { GIVES_ROOT, "8 bytes at 12" },
  };
  g_autoptr (TestAllocator) allocator = g_object_new (whole_allocator_get_type (), NULL);
  g_autoptr (GError) reason = NULL;
  guint gone = 0;
  QuireMemory *memory = test_allocator_block (allocator, 8, 32, 8);

  g_test_summary ("A share that isn't what was asked for is dropped, uncounted; the block stays as it was");

  quire_memory_weak_ref (memory, quire_test_count_weak, &gone);
  for (gsize i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      allocator->fault = faults[i].fault;
      g_test_message ("fault %u", faults[i].fault);
      quire_assert_refused (quire_memory_try_share (memory, 4, 8, &error),
                            FAILED, "allocator test", faults[i].words);
      g_assert_null (quire_memory_share (memory, 4, 8));
      quire_assert_state (memory, "free");
    }

  for (guint fault = GIVES_ERROR; fault <= GIVES_BOTH; fault++)
    {
      allocator->fault = fault;
      g_assert_null (quire_memory_try_share (memory, 4, 8, &reason));
      g_assert_error (reason, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
      g_clear_error (&reason);
      quire_assert_state (memory, "free");
    }

  allocator->fault = RIGHT;
  quire_assert_granted (quire_memory_try_fill (memory, 0, -1, 0, &error));
  g_assert_cmpuint (gone, ==, 0);
  quire_memory_unref (memory);
  g_assert_cmpuint (gone, ==, 1);
}

static void
test_cached_share (void)
{
  g_autoptr (TestAllocator) allocator = g_object_new (whole_allocator_get_type (), NULL);
  g_autoptr (QuireMemory) memory = test_allocator_block (allocator, 8, 32, 8);
  QuireMemory *first = quire_memory_share (memory, 4, 8);
  QuireMemory *again;

  g_test_summary ("An allocator that gives the same share once more leaves none in the count for ever");

  allocator->fault = GIVES_THE_LAST;
  again = quire_memory_share (memory, 4, 8);
  g_clear_pointer (&again, quire_memory_unref);
  quire_memory_unref (first);
  quire_assert_state (memory, "free");
}

static void
test_false_span (void)
{
  g_autoptr (TestAllocator) allocator = g_object_new (whole_allocator_get_type (), NULL);
  g_autoptr (QuireMemory) memory = test_allocator_block (allocator, 8, 32, 8);
  g_autoptr (QuireMemory) last = quire_memory_share (memory, 24, 8);
  g_autoptr (QuireMemory) first = quire_memory_share (memory, 0, 32);
  g_autoptr (QuireMemory) merged = NULL;

  g_test_summary ("An allocator that takes everything for a span gets no window outside of its block");

  /* 8 and 32 bytes would end 24 beyond the data, 16 beyond the block. */
  allocator->fault = SAYS_YES;
  merged = quire_memory_merge (last, first);
  if (merged != NULL)
    {
      gsize offset, maxsize;
      const gsize size = quire_memory_get_sizes (merged, &offset, &maxsize);

      g_assert_cmpuint (size, ==, 40);
      g_assert_cmpuint (offset + size, <=, maxsize);
    }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/custom-share/copy", test_copy);
  g_test_add_func ("/custom-share/copy-under-write", test_copy_under_write);
  g_test_add_func ("/custom-share/copy-fails", test_copy_fails);
  g_test_add_func ("/custom-share/make-mapped-of-nonsense", test_make_mapped_of_nonsense);
  g_test_add_func ("/custom-share/share", test_share);
  g_test_add_func ("/custom-share/share-fails", test_share_fails);
  g_test_add_func ("/custom-share/false-span", test_false_span);
  g_test_add_func ("/custom-share/cached-share", test_cached_share);

  return g_test_run ();
}
