/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test.h"

/* An allocator that counts what it is asked, and fails as it is told. Its blocks
 * come from malloc(). */
typedef struct
{
  QuireAllocator        parent_instance;

  guint                 asked;
  guint                 freed;
  gsize                 size;
  QuireAllocationParams params;
  gboolean              fail;
  GError               *error;
} CountingAllocator;

typedef QuireAllocatorClass CountingAllocatorClass;

static GType counting_allocator_get_type (void);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CountingAllocator, g_object_unref)

G_DEFINE_FINAL_TYPE (CountingAllocator, counting_allocator, QUIRE_TYPE_ALLOCATOR)

typedef struct
{
  QuireMemory memory;
  guint8     *data;
} CountingMemory;

static QuireMemory *
counting_allocator_alloc (QuireAllocator              *allocator,
                          gsize                        size,
                          const QuireAllocationParams *params,
                          GError                     **error)
{
  CountingAllocator *self = (CountingAllocator *) allocator;
  const gsize maxsize = params->prefix + size + params->padding;
  CountingMemory *counting;

  self->asked++;
  self->size = size;
  self->params = *params;
  if (self->error != NULL)
    g_propagate_error (error, g_error_copy (self->error));
  if (self->fail)
    return NULL;

  counting = g_new0 (CountingMemory, 1);
  counting->data = g_malloc (maxsize + 1);
  quire_memory_init (&counting->memory, params->flags, allocator, NULL, maxsize,
                     params->align, params->prefix, size);

  return &counting->memory;
}

static void
counting_allocator_free (QuireAllocator *allocator,
                         QuireMemory    *memory)
{
  CountingMemory *counting = (CountingMemory *) memory;

  ((CountingAllocator *) allocator)->freed++;
  g_free (counting->data);
  g_free (counting);
}

static gpointer
counting_allocator_map (QuireMemory  *memory,
                        gsize         maxsize,
                        QuireMapFlags flags)
{
  return ((CountingMemory *) memory)->data;
}

static void
counting_allocator_finalize (GObject *object)
{
  g_clear_error (&((CountingAllocator *) object)->error);
  G_OBJECT_CLASS (counting_allocator_parent_class)->finalize (object);
}

static void
counting_allocator_class_init (CountingAllocatorClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = counting_allocator_finalize;
  klass->alloc = counting_allocator_alloc;
  klass->free = counting_allocator_free;
  klass->mem_map = counting_allocator_map;
}

static void
counting_allocator_init (CountingAllocator *self)
{
}

static CountingAllocator *
counting_allocator_new (void)
{
  return g_object_new (counting_allocator_get_type (), NULL);
}

static void
test_system (void)
{
  g_autoptr (QuireAllocator) system = quire_allocator_find ("system");
  g_autoptr (QuireAllocator) the_default = quire_allocator_find (NULL);
  g_autoptr (QuireMemory) memory = NULL;
  g_autoptr (QuireMemory) unnamed = NULL;

  g_test_summary ("The system allocator is there from the start, as the default");

  g_assert_true (QUIRE_IS_ALLOCATOR (system));
  g_assert_true (system == the_default);
  g_assert_true (G_TYPE_IS_ABSTRACT (QUIRE_TYPE_ALLOCATOR));
  g_assert_cmpstr (quire_allocator_get_mem_type (system), ==, "system");

  memory = quire_allocator_alloc (system, 32, NULL);
  g_assert_true (quire_memory_get_allocator (memory) == system);
  unnamed = quire_allocator_alloc (NULL, 32, NULL);
  g_assert_true (quire_memory_get_allocator (unnamed) == system);
}

static void
test_system_is_immortal (void)
{
  g_autoptr (QuireAllocator) system = quire_allocator_find ("system");
  const guint before = G_OBJECT (system)->ref_count;
  QuireMemory *blocks[16];

  g_test_summary ("Blocks do not count on the system allocator: threads that allocate share no line");

  for (gsize i = 0; i < G_N_ELEMENTS (blocks); i++)
    blocks[i] = i % 2 == 0 ? quire_memory_new (8) : quire_memory_share (blocks[i - 1], 0, 1);
  g_assert_cmpuint (G_OBJECT (system)->ref_count, ==, before);
  for (gsize i = 0; i < G_N_ELEMENTS (blocks); i++)
    quire_memory_unref (blocks[i]);
  g_assert_cmpuint (G_OBJECT (system)->ref_count, ==, before);
}

static void
test_registry (void)
{
  CountingAllocator *first = counting_allocator_new ();
  CountingAllocator *second = counting_allocator_new ();
  gpointer weak_first = first, weak_second = second;
  g_autoptr (QuireAllocator) found = NULL;
  QuireMemory *memory;

  g_test_summary ("A name finds the allocator that was registered last; blocks keep the one before");

  g_object_add_weak_pointer (G_OBJECT (first), &weak_first);
  g_object_add_weak_pointer (G_OBJECT (second), &weak_second);

  g_assert_null (quire_allocator_find ("quire-test"));
  quire_allocator_register ("quire-test", QUIRE_ALLOCATOR (first));
  found = quire_allocator_find ("quire-test");
  g_assert_true (found == QUIRE_ALLOCATOR (first));
  g_clear_object (&found);
  g_assert_null (quire_allocator_find ("quire-tes"));
  g_assert_null (quire_allocator_find (""));

  /* Again the same is as good as once. */
  quire_allocator_register ("quire-test", QUIRE_ALLOCATOR (first));
  g_object_unref (first);
  g_assert_nonnull (weak_first);

  memory = quire_allocator_alloc (QUIRE_ALLOCATOR (first), 8, NULL);
  quire_allocator_register ("quire-test", QUIRE_ALLOCATOR (second));
  g_object_unref (second);
  g_assert_nonnull (weak_first);
  quire_memory_unref (memory);
  g_assert_null (weak_first);

  found = quire_allocator_find ("quire-test");
  g_assert_true (found == weak_second);
}

static void
test_block_keeps_allocator (void)
{
  CountingAllocator *allocator = counting_allocator_new ();
  gpointer weak = allocator;
  QuireMemory *memory, *share;

  g_test_summary ("A block keeps its allocator alive, and so does a share of it");

  g_object_add_weak_pointer (G_OBJECT (allocator), &weak);
  memory = quire_allocator_alloc (QUIRE_ALLOCATOR (allocator), 8, NULL);
  g_object_unref (allocator);
  g_assert_nonnull (weak);
  share = quire_memory_share (memory, 0, 4);
  quire_memory_unref (memory);
  g_assert_nonnull (weak);
  g_assert_cmpuint (allocator->freed, ==, 0);
  g_assert_true (quire_memory_get_allocator (share) == weak);
  quire_memory_unref (share);
  g_assert_null (weak);
}

static void
test_default (void)
{
  /* Static, so that nobody takes for a leak what is never freed on purpose. */
  static CountingAllocator *allocator;
  g_autoptr (QuireAllocator) system = quire_allocator_find ("system");
  g_autoptr (QuireAllocator) found = NULL;

  g_test_summary ("New blocks, copies and merges come from the default allocator, whatever that is");

  allocator = counting_allocator_new ();
  quire_allocator_set_default (QUIRE_ALLOCATOR (allocator));
  found = quire_allocator_find (NULL);
  g_assert_true (found == QUIRE_ALLOCATOR (allocator));

  {
    g_autoptr (QuireMemory) memory = quire_memory_new (8);
    g_autoptr (QuireMemory) copy = quire_memory_copy (memory, 0, -1);
    g_autoptr (QuireMemory) merged = quire_memory_merge (memory, copy);
    g_autoptr (QuireMemory) named = quire_allocator_alloc (system, 8, NULL);

    g_assert_true (quire_memory_get_allocator (memory) == found);
    g_assert_true (quire_memory_get_allocator (copy) == found);
    g_assert_true (quire_memory_get_allocator (merged) == found);
    g_assert_true (quire_memory_get_allocator (named) == system);
    g_assert_cmpuint (allocator->asked, ==, 3);
  }
  g_assert_cmpuint (allocator->freed, ==, 3);

  /* It stays alive until the process ends, so that nobody needs a lock to read it. */
  g_object_unref (allocator);
  g_clear_object (&found);
  quire_allocator_set_default (NULL);
  g_assert_true (QUIRE_IS_ALLOCATOR (allocator));
  found = quire_allocator_find (NULL);
  g_assert_true (found == system);
}

static void
test_request (void)
{
  g_autoptr (CountingAllocator) allocator = counting_allocator_new ();
  g_autoptr (QuireMemory) memory = NULL;
  QuireAllocationParams params;

  g_test_summary ("The request reaches the allocator as it was made; NULL as nothing special");

  quire_allocation_params_init (&params);
  params.flags = QUIRE_MEMORY_FLAG_NO_SHARE;
  params.align = 127;
  params.prefix = 3;
  params.padding = 5;
  quire_assert_granted ((memory = quire_allocator_try_alloc (QUIRE_ALLOCATOR (allocator), 10,
                                                             &params, &error)));
  g_assert_cmpuint (allocator->size, ==, 10);
  g_assert_cmpint (allocator->params.flags, ==, QUIRE_MEMORY_FLAG_NO_SHARE);
  g_assert_cmpuint (allocator->params.align, ==, 127);
  g_assert_cmpuint (allocator->params.prefix, ==, 3);
  g_assert_cmpuint (allocator->params.padding, ==, 5);
  quire_assert_sizes (memory, 3, 10, 18);

  g_clear_pointer (&memory, quire_memory_unref);
  quire_assert_granted ((memory = quire_allocator_try_alloc (QUIRE_ALLOCATOR (allocator), 10, NULL, &error)));
  g_assert_cmpint (allocator->params.flags, ==, QUIRE_MEMORY_FLAG_NONE);
  g_assert_cmpuint (allocator->params.align, ==, 0);
  g_assert_cmpuint (allocator->params.prefix, ==, 0);
  g_assert_cmpuint (allocator->params.padding, ==, 0);
}

static void
test_validated_before (void)
{
  g_autoptr (CountingAllocator) allocator = counting_allocator_new ();
  QuireAllocationParams params;

  g_test_summary ("No allocator sees a mask, sizes or flags that can't be");

  quire_allocation_params_init (&params);
  params.align = 8;
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (allocator), 1, &params, &error),
                        NOT_SUPPORTED, "mask 8 ");
  params.align = 7;
  params.prefix = G_MAXSIZE;
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (allocator), 1, &params, &error),
                        TOO_LARGE);
  params.prefix = G_MAXSSIZE;
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (allocator), 1, &params, &error),
                        TOO_LARGE);
  params.prefix = 0;
  params.padding = G_MAXSIZE;
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (allocator), 1, &params, &error),
                        TOO_LARGE);
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (allocator), G_MAXSIZE, NULL, &error),
                        TOO_LARGE);
  g_assert_null (quire_allocator_alloc (QUIRE_ALLOCATOR (allocator), G_MAXSIZE, NULL));
  quire_allocation_params_init (&params);
  params.flags = (QuireMemoryFlags) (1 << 8);
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (allocator), 1, &params, &error),
                        NOT_SUPPORTED, "0x100");
  g_assert_cmpuint (allocator->asked, ==, 0);
}

static void
test_failing (void)
{
  g_autoptr (CountingAllocator) allocator = counting_allocator_new ();
  g_autoptr (GError) reason = NULL;

  g_test_summary ("An allocator's error comes through; without one there is one; never a block beside it");

  allocator->fail = TRUE;
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (allocator), 10, NULL, &error),
                        FAILED, "CountingAllocator", "10 bytes");

  allocator->error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_NO_SPACE, "The test wants it so");
  g_assert_null (quire_allocator_try_alloc (QUIRE_ALLOCATOR (allocator), 10, NULL, &reason));
  g_assert_error (reason, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_clear_error (&reason);

  /* A block and an error: the error counts, and the block does not leak. */
  allocator->fail = FALSE;
  g_assert_null (quire_allocator_try_alloc (QUIRE_ALLOCATOR (allocator), 10, NULL, &reason));
  g_assert_error (reason, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_cmpuint (allocator->freed, ==, 1);
}

static void
test_mem_type (void)
{
  g_autoptr (CountingAllocator) allocator = counting_allocator_new ();
  g_autoptr (QuireMemory) memory = quire_allocator_alloc (QUIRE_ALLOCATOR (allocator), 8, NULL);

  g_test_summary ("An allocator that names no type has that of its class");

  g_assert_cmpstr (quire_allocator_get_mem_type (QUIRE_ALLOCATOR (allocator)), ==, "CountingAllocator");
  g_assert_true (quire_memory_is_type (memory, "CountingAllocator"));
  g_assert_false (quire_memory_is_type (memory, "system"));
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/allocator/system", test_system);
  g_test_add_func ("/allocator/system-is-immortal", test_system_is_immortal);
  g_test_add_func ("/allocator/registry", test_registry);
  g_test_add_func ("/allocator/block-keeps-allocator", test_block_keeps_allocator);
  g_test_add_func ("/allocator/default", test_default);
  g_test_add_func ("/allocator/request", test_request);
  g_test_add_func ("/allocator/validated-before", test_validated_before);
  g_test_add_func ("/allocator/failing", test_failing);
  g_test_add_func ("/allocator/mem-type", test_mem_type);

  return g_test_run ();
}
