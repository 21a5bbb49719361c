/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test-script.h"

/* What an allocator may give whose functions are written in a script, without a script: where
 * the data is in it, and what of it is of no use. */

/* What a backing has, what is asked, and where the data is then; -1 if it is refused. */
static const struct
{
  gsize  has_prefix, has_size, has_padding;
  gsize  size, align, prefix, padding;
  gssize offset;
} places[] = {
  { 0, 100, 0, 100, 0, 0, 0, 0 },
  { 0, 100, 0, 99, 0, 0, 0, 0 },
  { 0, 100, 0, 0, 0, 0, 0, 0 },
  { 0, 100, 0, 101, 0, 0, 0, -1 },
  { 0, 0, 0, 0, 0, 0, 0, 0 },
  { 0, 0, 0, 1, 0, 0, 0, -1 },
  /* It stays where it was put if that will do. */
  { 16, 100, 8, 100, 0, 0, 0, 16 },
  { 16, 100, 8, 100, 0, 16, 8, 16 },
  { 16, 100, 8, 108, 0, 0, 0, 16 },
  { 16, 100, 8, 50, 0, 10, 8, 16 },
  /* Else it is moved. */
  { 16, 100, 8, 109, 0, 0, 0, 0 },
  { 16, 100, 8, 124, 0, 0, 0, 0 },
  { 16, 100, 8, 125, 0, 0, 0, -1 },
  { 0, 100, 0, 80, 0, 16, 4, 16 },
  { 0, 100, 0, 80, 0, 20, 0, 20 },
  { 0, 100, 0, 80, 0, 21, 0, -1 },
  { 0, 100, 0, 80, 0, 0, 21, -1 },
  { 0, 100, 0, 80, 0, 17, 4, -1 },
  /* An alignment that it has, and others that take room. */
  { 0, 100, 0, 100, 15, 0, 0, 0 },
  { 0, 100, 0, 64, 15, 1, 0, 16 },
  { 0, 100, 0, 64, 15, 17, 4, 32 },
  { 0, 100, 0, 65, 15, 17, 4, -1 },
  { 1, 99, 0, 64, 15, 0, 0, 1 },
  /* One that is lost by the move. */
  { 1, 99, 0, 100, 0, 0, 0, 0 },
  /* Sums that would run over. */
  { 0, 100, 0, 10, 15, G_MAXSSIZE - 10, 0, -1 },
  { 0, 100, 0, 10, 0, 0, G_MAXSSIZE - 10, -1 },
  { 0, 100, 0, G_MAXSSIZE, 0, 0, 0, -1 },
  { 0, 100, 0, 10, G_MAXSIZE / 2, 1, 0, -1 },
};

static QuireMemory *
bind_data (ScriptAllocator              *self,
           gsize                         size,
           const QuireAllocationParams  *params,
           GError                      **error)
{
  return quire_allocator_try_bind (QUIRE_ALLOCATOR (self), self->data, NULL, error);
}

static void
test_place (void)
{
  g_autoptr (ScriptAllocator) allocator = script_allocator_new ();

  g_test_summary ("The data is put where prefix, padding and alignment want it, or there is no place");

  allocator->make = bind_data;
  for (gsize i = 0; i < G_N_ELEMENTS (places); i++)
    {
      g_autoptr (QuireMemory) backing = quire_test_new (places[i].has_prefix, places[i].has_size,
                                                        places[i].has_padding);
      g_autoptr (QuireMemory) memory = NULL;
      g_autoptr (GError) error = NULL;
      const gsize maxsize = places[i].has_prefix + places[i].has_size + places[i].has_padding;
      QuireAllocationParams params = {
        .align = places[i].align, .prefix = places[i].prefix, .padding = places[i].padding,
      };

      g_test_message ("place %" G_GSIZE_FORMAT, i);
      allocator->data = backing;
      memory = quire_allocator_try_alloc (QUIRE_ALLOCATOR (allocator), places[i].size, &params, &error);
      if (places[i].offset < 0)
        {
          g_assert_null (memory);
          quire_test_check_error (G_STRLOC, error, QUIRE_MEMORY_ERROR_FAILED, "script", "no place", NULL);
          quire_assert_state (backing, "free");
          continue;
        }

      g_assert_no_error (error);
      quire_assert_sizes (memory, (gsize) places[i].offset, places[i].size, maxsize);
      quire_test_assert_shows (memory, (gsize) places[i].offset, places[i].size);
      g_assert_true (quire_memory_is_aligned (memory, places[i].align));
      g_assert_cmpuint (quire_memory_get_align (memory) & places[i].align, ==, places[i].align);
      g_assert_true (quire_memory_is_aligned (memory, quire_memory_get_align (memory)));
      quire_assert_state (backing, "1 READ+WRITE map (UNIQUE)");
    }
}

static void
test_flags (void)
{
  g_autoptr (ScriptAllocator) allocator = script_allocator_new ();
  QuireAllocationParams params = {
    .flags = QUIRE_MEMORY_FLAG_ZERO_PREFIXED | QUIRE_MEMORY_FLAG_ZERO_PADDED | QUIRE_MEMORY_FLAG_NO_SHARE,
    .prefix = 8, .padding = 4,
  };
  g_autoptr (QuireMemory) backing = quire_test_new (0, 32, 0);
  g_autoptr (QuireMemory) memory = NULL;
  static const guint8 constant[32] = { 0x51, };
  QuireMapInfo info;

  g_test_summary ("The block has the flags that were asked for, and what they promise");

  allocator->make = bind_data;
  allocator->data = backing;
  memory = quire_allocator_alloc (QUIRE_ALLOCATOR (allocator), 16, &params);
  g_assert_cmpint (quire_memory_get_flags (memory), ==, params.flags);
  quire_assert_refused (quire_memory_try_share (memory, 0, -1, &error), NOT_SHAREABLE);
  g_assert_true (quire_memory_resize (memory, -8, 32));
  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  for (guint i = 0; i < 8; i++)
    g_assert_cmpuint (info.data[i], ==, 0);
  quire_test_assert_pattern (info.data + 8, 16, 8);
  for (guint i = 24; i < 32; i++)
    g_assert_cmpuint (info.data[i], ==, 0);
  quire_memory_unmap (memory, &info);
  g_clear_pointer (&memory, quire_memory_unref);

  params.flags = QUIRE_MEMORY_FLAG_READONLY;
  memory = quire_allocator_alloc (QUIRE_ALLOCATOR (allocator), 16, &params);
  quire_assert_refused (quire_memory_try_fill (memory, 0, -1, 0, &error), READ_ONLY);
  g_clear_pointer (&memory, quire_memory_unref);
  quire_assert_state (backing, "free");

  /* A block that can't be written is one to read, and nothing is zeroed in it. */
  quire_memory_unref (backing);
  backing = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_READONLY, (gpointer) constant, 32, 0, 32, NULL, NULL);
  allocator->data = backing;
  params.flags = QUIRE_MEMORY_FLAG_NONE;
  memory = quire_allocator_alloc (QUIRE_ALLOCATOR (allocator), 16, &params);
  g_assert_cmpint (quire_memory_get_flags (memory), ==, QUIRE_MEMORY_FLAG_READONLY);
  quire_assert_state (backing, "1 READ map (UNIQUE)");
  quire_assert_refused (quire_memory_try_fill (memory, 0, -1, 0, &error), READ_ONLY);
  g_clear_pointer (&memory, quire_memory_unref);

  params.flags = QUIRE_MEMORY_FLAG_ZERO_PADDED;
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (allocator), 16, &params, &error), READ_ONLY);
  quire_assert_state (backing, "free");
}

static QuireMemory *
make_null (ScriptAllocator *self, gsize size, const QuireAllocationParams *params, GError **error)
{
  return NULL;
}

static QuireMemory *
make_error (ScriptAllocator *self, gsize size, const QuireAllocationParams *params, GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "The test wants it so");
  return NULL;
}

static QuireMemory *
make_both (ScriptAllocator *self, gsize size, const QuireAllocationParams *params, GError **error)
{
  make_error (self, size, params, error);
  return quire_allocator_bind (QUIRE_ALLOCATOR (self), self->data, NULL);
}

static QuireMemory *
make_foreign (ScriptAllocator *self, gsize size, const QuireAllocationParams *params, GError **error)
{
  return quire_memory_ref (self->data);
}

static QuireMemory *
make_share (ScriptAllocator *self, gsize size, const QuireAllocationParams *params, GError **error)
{
  g_autoptr (QuireMemory) memory = bind_data (self, size, params, error);

  return quire_memory_share (memory, 0, -1);
}

static QuireMemory *
make_for_other (ScriptAllocator *self, gsize size, const QuireAllocationParams *params, GError **error)
{
  g_autoptr (ScriptAllocator) other = script_allocator_new ();

  return quire_allocator_bind (QUIRE_ALLOCATOR (other), self->data, NULL);
}

static QuireMemory *
make_closed (ScriptAllocator *self, gsize size, const QuireAllocationParams *params, GError **error)
{
  return quire_memory_close (bind_data (self, size, params, error));
}

static const struct
{
  QuireMemory *(*make) (ScriptAllocator *, gsize, const QuireAllocationParams *, GError **);
  const char   *words;
} rubbish[] = {
  { make_null, "gave no block of 32 bytes" },
  { make_error, NULL },
  { make_both, NULL },
  { make_foreign, "gave a block of system" },
  { make_share, "gave a share of script" },
  { make_for_other, "gave a block of script" },
  { make_closed, "handle it has closed" },
};

static void
test_rubbish (void)
{
  g_autoptr (ScriptAllocator) allocator = script_allocator_new ();
  g_autoptr (QuireMemory) backing = quire_memory_new (32);

  g_test_summary ("What an allocator gives that is no block of its own is an error, and lost is nothing");

  allocator->data = backing;
  for (gsize i = 0; i < G_N_ELEMENTS (rubbish); i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("rubbish %" G_GSIZE_FORMAT, i);
      allocator->make = rubbish[i].make;
      g_assert_null (quire_allocator_try_alloc (QUIRE_ALLOCATOR (allocator), 32, NULL, &error));
      if (rubbish[i].words != NULL)
        quire_test_check_error (G_STRLOC, error, QUIRE_MEMORY_ERROR_FAILED, rubbish[i].words, NULL);
      else
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
      g_assert_null (quire_allocator_alloc (QUIRE_ALLOCATOR (allocator), 32, NULL));
      quire_assert_state (backing, "free");
    }
}

static void
test_twice (void)
{
  g_autoptr (ScriptAllocator) allocator = script_allocator_new ();
  g_autoptr (QuireMemory) backing = quire_memory_new (32);
  QuireMemory *memory;

  g_test_summary ("A block that was given before is not given again, but stays what it was");

  allocator->make = bind_data;
  allocator->data = backing;
  memory = script_alloc (allocator, 32);

  allocator->make = make_foreign;
  allocator->data = memory;
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (allocator), 16, NULL, &error),
                        FAILED, "gave before");
  quire_assert_sizes (memory, 0, 32, 32);
  g_assert_cmpuint (allocator->releases, ==, 0);
  quire_memory_unref (memory);
  g_assert_cmpuint (allocator->releases, ==, 1);
}

static QuireMemory *
make_of_default (ScriptAllocator *self, gsize size, const QuireAllocationParams *params, GError **error)
{
  g_autoptr (QuireMemory) backing = quire_memory_try_new_with_params (size, params, error);

  g_assert_true (quire_memory_is_type (backing, "system"));
  return quire_allocator_try_bind (QUIRE_ALLOCATOR (self), backing, NULL, error);
}

static void
test_default (void)
{
  /* Static, so that nobody takes for a leak what is never freed on purpose. */
  static ScriptAllocator *allocator;
  g_autoptr (QuireMemory) memory = NULL;
  g_autoptr (QuireMemory) copy = NULL;

  g_test_summary ("One that takes blocks of the default allocator can be the default one");

  allocator = script_allocator_new ();
  allocator->make = make_of_default;
  quire_allocator_set_default (QUIRE_ALLOCATOR (allocator));
  memory = quire_memory_new (32);
  g_assert_true (quire_memory_is_type (memory, "script"));
  copy = quire_memory_copy (memory, 0, -1);
  g_assert_true (quire_memory_is_type (copy, "script"));
  script_assert_log (allocator, "alloc mapped alloc mapped-to-write unmapped unmapped");
  quire_allocator_set_default (NULL);
}

static QuireMemory *
make_by_itself (ScriptAllocator *self, gsize size, const QuireAllocationParams *params, GError **error)
{
  return quire_allocator_try_alloc (QUIRE_ALLOCATOR (self), size, params, error);
}

static void
test_endless (void)
{
  g_autoptr (ScriptAllocator) allocator = script_allocator_new ();

  g_test_summary ("An allocator that calls itself without end gets an error in the end");

  allocator->make = make_by_itself;
  quire_assert_refused (quire_allocator_try_alloc (QUIRE_ALLOCATOR (allocator), 8, NULL, &error),
                        FAILED, "100 calls of allocators within one another");
  allocator->make = NULL;
  quire_memory_unref (script_alloc (allocator, 8));
}

typedef QuireAllocator      SilentAllocator;
typedef QuireAllocatorClass SilentAllocatorClass;

static GType silent_allocator_get_type (void);

G_DEFINE_TYPE (SilentAllocator, silent_allocator, QUIRE_TYPE_ALLOCATOR)

static void
silent_allocator_class_init (SilentAllocatorClass *klass)
{
}

static void
silent_allocator_init (SilentAllocator *self)
{
}

static void
test_nothing (void)
{
  g_autoptr (QuireAllocator) allocator = g_object_new (silent_allocator_get_type (), NULL);
  g_autoptr (QuireMemory) backing = quire_memory_new (8);
  g_autoptr (QuireMemory) memory = quire_allocator_bind (allocator, backing, NULL);
  g_autoptr (GError) reason = NULL;

  g_test_summary ("A class without any function refuses to allocate; what it inherits may be called");

  quire_assert_refused (quire_allocator_try_alloc (allocator, 8, NULL, &error), NOT_SUPPORTED,
                        "SilentAllocator does not say how to allocate");
  g_assert_true (quire_memory_fill (memory, 0, -1, 0));
  QUIRE_ALLOCATOR_GET_CLASS (allocator)->mapped (allocator, memory, QUIRE_MAP_READ, &reason);
  g_assert_no_error (reason);
  QUIRE_ALLOCATOR_GET_CLASS (allocator)->unmapped (allocator, memory);
  QUIRE_ALLOCATOR_GET_CLASS (allocator)->released (allocator, NULL);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/script-alloc/place", test_place);
  g_test_add_func ("/script-alloc/flags", test_flags);
  g_test_add_func ("/script-alloc/rubbish", test_rubbish);
  g_test_add_func ("/script-alloc/twice", test_twice);
  g_test_add_func ("/script-alloc/default", test_default);
  g_test_add_func ("/script-alloc/endless", test_endless);
  g_test_add_func ("/script-alloc/nothing", test_nothing);

  return g_test_run ();
}
