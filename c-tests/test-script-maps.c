/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <glib/gstdio.h>
#include <unistd.h>

#include "quire-test-script.h"

/* What an allocator is told of the maps of its blocks, and what it may do then. */

/* What is done with a block of 32 bytes, and what the allocator is told of it. */

static void
do_map (QuireMemory *memory)
{
  QuireMapInfo info;

  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  quire_memory_unmap (memory, &info);
}

static void
do_auto (QuireMemory *memory)
{
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;

  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READWRITE | QUIRE_MAP_UNIQUE));
}

static void
do_nested (QuireMemory *memory)
{
  QuireMapInfo first, second;

  g_assert_true (quire_memory_map (memory, &first, QUIRE_MAP_READWRITE));
  g_assert_true (quire_memory_map (memory, &second, QUIRE_MAP_READ));
  quire_memory_unmap (memory, &first);
  quire_memory_unmap (memory, &second);
}

static void
do_refused (QuireMemory *memory)
{
  QuireMapInfo first, second;

  g_assert_true (quire_memory_map (memory, &first, QUIRE_MAP_READ));
  g_assert_false (quire_memory_map (memory, &second, QUIRE_MAP_WRITE));
  g_assert_false (quire_memory_map (memory, &second, QUIRE_MAP_NONE));
  quire_memory_unmap (memory, &first);
}

static void
do_share (QuireMemory *memory)
{
  g_autoptr (QuireMemory) share = quire_memory_share (memory, 4, 8);
  g_autoptr (QuireMemory) inner = quire_memory_share (share, 2, 4);

  do_map (share);
  do_map (inner);
}

static void
do_fill (QuireMemory *memory)
{
  g_assert_true (quire_memory_fill (memory, 0, -1, 1));
  g_assert_false (quire_memory_fill (memory, 0, 33, 1));
}

static void
do_content (QuireMemory *memory)
{
  guint8 bytes[4];
  int order;

  g_assert_true (quire_memory_read (memory, 0, bytes, sizeof bytes));
  g_assert_true (quire_memory_write (memory, 0, bytes, sizeof bytes));
  g_assert_true (quire_memory_compare (memory, memory, &order));
}

static void
do_copy (QuireMemory *memory)
{
  g_autoptr (QuireMemory) copy = quire_memory_copy (memory, 1, 2);

  g_assert_true (quire_memory_is_type (copy, "system"));
}

static void
do_merge (QuireMemory *memory)
{
  g_autoptr (QuireMemory) other = quire_memory_new (4);
  g_autoptr (QuireMemory) merged = quire_memory_merge (memory, other);

  g_assert_nonnull (merged);
}

static void
do_bytes (QuireMemory *memory)
{
  g_autoptr (GBytes) bytes = quire_memory_to_bytes (memory);

  g_assert_cmpuint (g_bytes_get_size (bytes), ==, 32);
}

static void
do_mapping (QuireMemory *memory)
{
  g_autoptr (QuireMapping) mapping = quire_memory_try_map (memory, QUIRE_MAP_WRITE, NULL);

  g_assert_nonnull (mapping);
}

static void
do_stream (QuireMemory *memory)
{
  g_autoptr (GInputStream) stream = g_memory_input_stream_new_from_data ("abc", 3, NULL);
  gsize done;

  g_assert_true (quire_memory_read_from_stream (memory, 0, -1, stream, &done, NULL, NULL));
}

static void
do_ask (QuireMemory *memory)
{
  g_autoptr (QuireMemory) share = quire_memory_share (memory, 1, -1);
  g_autofree char *words = quire_memory_describe_lock (memory);

  g_assert_cmpstr (words, ==, "1 share alive");
  g_assert_true (quire_memory_is_aligned (memory, 0));
  g_assert_true (quire_memory_is_aligned (memory, 1));
  g_assert_false (quire_memory_is_aligned (share, 1));
  g_assert_false (quire_memory_is_writable (memory));
  g_assert_true (quire_memory_lock (memory, QUIRE_MAP_READ));
  quire_memory_unlock (memory, QUIRE_MAP_READ);
}

static const struct
{
  const char *name;
  void      (*use) (QuireMemory *memory);
  const char *log;
} uses[] = {
  { "map", do_map, "mapped unmapped" },
  { "auto", do_auto, "mapped-to-write unmapped" },
  { "nested", do_nested, "mapped-to-write mapped unmapped unmapped" },
  { "refused", do_refused, "mapped unmapped" },
  { "share", do_share, "mapped-share unmapped-share mapped-share unmapped-share" },
  { "fill", do_fill, "mapped-to-write unmapped mapped-to-write unmapped" },
  { "content", do_content, "mapped unmapped mapped-to-write unmapped mapped mapped unmapped unmapped" },
  { "copy", do_copy, "mapped unmapped" },
  { "merge", do_merge, "mapped unmapped" },
  { "bytes", do_bytes, "mapped-share unmapped-share" },
  { "mapping", do_mapping, "mapped-to-write unmapped" },
  { "stream", do_stream, "mapped-to-write unmapped" },
  { "ask", do_ask, "" },
};

static void
test_use (gconstpointer data)
{
  const gsize i = GPOINTER_TO_SIZE (data);
  g_autoptr (ScriptAllocator) allocator = script_allocator_new ();
  g_autoptr (ScriptAllocator) quiet = quiet_allocator_new ();
  g_autoptr (QuireMemory) memory = script_alloc (allocator, 32);
  g_autoptr (QuireMemory) unheard = script_alloc (quiet, 32);

  g_test_summary ("Each map is told, and its end, in pairs; who does not want to know is not asked");

  script_assert_log (allocator, "alloc");
  uses[i].use (memory);
  script_assert_log (allocator, uses[i].log);
  g_assert_cmpuint (allocator->maps, ==, allocator->unmaps);
  quire_assert_state (memory, "free");

  script_assert_log (quiet, "alloc");
  uses[i].use (unheard);
  script_assert_log (quiet, "");
}

static void
refuse (ScriptAllocator *self,
        QuireMemory     *memory,
        GError         **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED, "Not today");
}

static void
test_refuse (void)
{
  g_autoptr (ScriptAllocator) allocator = script_allocator_new ();
  g_autoptr (QuireMemory) memory = script_alloc (allocator, 32);
  g_autoptr (QuireMemory) share = NULL;
  g_autoptr (GError) error = NULL;
  QuireMapInfo info;

  g_test_summary ("A map that the allocator refuses is none: the error comes through, the lock is free");

  allocator->on_mapped = refuse;
  g_assert_false (quire_memory_map_full (memory, &info, QUIRE_MAP_WRITE, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  g_assert_cmpstr (error->message, ==, "Not today");
  quire_test_assert_cleared (&info);
  quire_assert_state (memory, "free");
  g_assert_false (quire_memory_map (memory, &info, QUIRE_MAP_WRITE));
  g_clear_error (&error);

  g_assert_null (quire_memory_try_map (memory, QUIRE_MAP_READ, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  g_clear_error (&error);
  g_assert_null (quire_memory_try_copy (memory, 0, -1, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  g_clear_error (&error);
  g_assert_null (quire_memory_try_to_bytes (memory, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  g_clear_error (&error);
  share = quire_memory_share (memory, 0, -1);
  g_assert_null (quire_memory_try_map (share, QUIRE_MAP_READ, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  quire_assert_state (share, "free");
  g_clear_pointer (&share, quire_memory_unref);
  quire_assert_state (memory, "free");
  g_assert_cmpuint (allocator->maps, ==, 0);
  g_assert_cmpuint (allocator->unmaps, ==, 0);

  allocator->on_mapped = NULL;
  do_map (memory);
  g_assert_cmpuint (allocator->unmaps, ==, 1);
}

static void
test_mapping (void)
{
  g_autoptr (ScriptAllocator) allocator = script_allocator_new ();
  QuireMemory *memory = script_alloc (allocator, 32);
  QuireMapping *mapping = quire_memory_try_map (memory, QUIRE_MAP_WRITE, NULL);
  guint8 *data;

  g_test_summary ("A mapping is told to end with its lock, not with its address");

  script_assert_log (allocator, "alloc mapped-to-write");
  g_assert_true (quire_mapping_acquire_view (mapping, &data, NULL));
  quire_assert_refused (quire_memory_try_unmap (memory, mapping, &error), BUSY, "1 view");
  quire_mapping_release (mapping);
  script_assert_log (allocator, "");
  quire_mapping_release_view (mapping);
  script_assert_log (allocator, "unmapped");
  quire_mapping_release (mapping);
  quire_assert_refused (quire_memory_try_unmap (memory, mapping, &error), CLOSED);
  quire_memory_unref (memory);
  /* The address may be in somebody's hands. */
  script_assert_log (allocator, "");
  data[31] = 1;
  quire_mapping_unref (mapping);
  script_assert_log (allocator, "released");

  memory = script_alloc (allocator, 32);
  mapping = quire_memory_try_map (memory, QUIRE_MAP_WRITE, NULL);
  quire_memory_unref (memory);
  script_assert_log (allocator, "alloc mapped-to-write");
  quire_mapping_release (mapping);
  script_assert_log (allocator, "unmapped");
  quire_mapping_unref (mapping);
  script_assert_log (allocator, "released");

  memory = script_alloc (allocator, 32);
  mapping = quire_memory_try_map (memory, QUIRE_MAP_WRITE, NULL);
  quire_assert_granted (quire_memory_try_unmap (memory, mapping, &error));
  script_assert_log (allocator, "alloc mapped-to-write unmapped");
  quire_memory_unref (quire_memory_close (memory));
  script_assert_log (allocator, "");
  quire_mapping_unref (mapping);
  script_assert_log (allocator, "released");
}

static void
test_closed (void)
{
  g_autoptr (ScriptAllocator) allocator = script_allocator_new ();
  QuireMemory *memory = script_alloc (allocator, 32);
  QuireMemory *share = quire_memory_share (memory, 0, 8);
  QuireMapping *mapping = quire_memory_try_map (share, QUIRE_MAP_READ, NULL);
  QuireMemory *stand_in = quire_memory_close (share);

  g_test_summary ("A block that was closed is gone when nothing of it is in anybody's hands");

  quire_memory_unref (memory);
  script_assert_log (allocator, "alloc mapped-share");
  quire_mapping_unref (mapping);
  script_assert_log (allocator, "unmapped-share");
  quire_memory_unref (stand_in);
  script_assert_log (allocator, "released");

  /* With a reference that a wrapper keeps. */
  memory = script_alloc (allocator, 32);
  quire_memory_ref (memory);
  g_assert_true (quire_memory_close_wrapper (memory));
  script_assert_log (allocator, "alloc");
  quire_memory_unref (memory);
  script_assert_log (allocator, "released");
}

static void
test_over_file (void)
{
  g_autoptr (ScriptAllocator) allocator = script_allocator_new ();
  g_autoptr (ScriptAllocator) quiet = quiet_allocator_new ();
  g_autofree char *path = NULL;
  const int fd = g_file_open_tmp ("quire-XXXXXX", &path, NULL);
  g_autoptr (QuireMemory) file = NULL;
  QuireMapInfo info;

  g_test_summary ("Over a file, what there is to look at for each map comes before the allocator is told");

  g_assert_cmpint (fd, >=, 0);
  g_unlink (path);
  g_assert_cmpint (ftruncate (fd, 4096), ==, 0);
  file = quire_memory_new_from_fd (fd, 0, 4096, QUIRE_FD_TAKE);
  g_assert_nonnull (file);

  for (guint i = 0; i < 2; i++)
    {
      ScriptAllocator *self = i == 0 ? allocator : quiet;
      g_autoptr (QuireMemory) memory = quire_allocator_bind (QUIRE_ALLOCATOR (self), file, NULL);

      do_map (memory);
      script_assert_log (self, i == 0 ? "mapped unmapped" : "");
      g_assert_cmpint (ftruncate (fd, 0), ==, 0);
      g_assert_false (quire_memory_map (memory, &info, QUIRE_MAP_READ));
      quire_test_assert_cleared (&info);
      quire_assert_state (memory, "free");
      script_assert_log (self, "");
      g_assert_cmpint (ftruncate (fd, 4096), ==, 0);
      do_map (memory);
      script_assert_log (self, i == 0 ? "mapped unmapped" : "");

      self->on_mapped = refuse;
      g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ) == (i == 1));
      quire_map_info_clear (&info);
      quire_assert_state (memory, "free");
      script_assert_log (self, i == 0 ? "mapped" : "");
    }
}

static void
map_again (ScriptAllocator *self,
           QuireMemory     *memory,
           GError         **error)
{
  QuireMapInfo info;

  /* While the map is there that it is told of. */
  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  g_assert_cmpuint (info.size, ==, 32);
  quire_memory_unmap (memory, &info);
  g_assert_false (quire_memory_map (memory, &info, QUIRE_MAP_READ | QUIRE_MAP_UNIQUE));
}

static void
map_after (ScriptAllocator *self,
           QuireMemory     *memory)
{
  g_assert_true (quire_memory_fill (memory, 0, -1, 7));
  quire_assert_state (memory, "free");
}

static void
test_maps_itself (void)
{
  g_autoptr (ScriptAllocator) allocator = script_allocator_new ();
  g_autoptr (QuireMemory) memory = script_alloc (allocator, 32);
  QuireMapInfo info;

  g_test_summary ("An allocator may map the block while it is told of a map, and is not told of that");

  allocator->on_mapped = map_again;
  allocator->on_unmapped = map_after;
  script_assert_log (allocator, "alloc");
  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READWRITE));
  script_assert_log (allocator, "mapped-to-write");
  quire_assert_state (memory, "1 READ+WRITE map");
  quire_memory_unmap (memory, &info);
  script_assert_log (allocator, "unmapped");
  quire_assert_state (memory, "free");
}

static void
keep_map (ScriptAllocator *self,
          QuireMemory     *memory,
          GError         **error)
{
  self->data = quire_memory_try_map (memory, QUIRE_MAP_READ, NULL);
}

static void
test_map_outlives_call (void)
{
  g_autoptr (ScriptAllocator) allocator = script_allocator_new ();
  g_autoptr (QuireMemory) memory = script_alloc (allocator, 32);
  QuireMapInfo info;

  g_test_summary ("A map of its own that the allocator keeps is not told when it ends later, either");

  allocator->on_mapped = keep_map;
  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  quire_memory_unmap (memory, &info);
  script_assert_log (allocator, "alloc mapped unmapped");
  quire_assert_state (memory, "1 READ map");
  quire_mapping_unref (allocator->data);
  script_assert_log (allocator, "");
  quire_assert_state (memory, "free");
}

static void
drop_last (ScriptAllocator *self,
           QuireMemory     *memory)
{
  QuireMemory *last = g_steal_pointer ((QuireMemory **) &self->data);

  if (last != NULL)
    quire_memory_unref (last);
}

static void
test_drop_in_call (void)
{
  g_autoptr (ScriptAllocator) allocator = script_allocator_new ();
  QuireMemory *memory = script_alloc (allocator, 32);
  QuireMapping *mapping = quire_memory_try_map (memory, QUIRE_MAP_READ, NULL);

  g_test_summary ("The last reference but that of the map may go while the allocator is told of its end");

  allocator->on_unmapped = drop_last;
  allocator->data = memory;
  script_assert_log (allocator, "alloc mapped");
  quire_mapping_unref (mapping);
  script_assert_log (allocator, "unmapped released");
}

static void
alloc_again (ScriptAllocator *self,
             GObject         *state)
{
  /* The third ends it. */
  if (self->data == NULL)
    self->data = self;
  else
    self->on_released = NULL;
  quire_memory_unref (script_alloc (self, 8));
}

static void
test_alloc_in_call (void)
{
  g_autoptr (ScriptAllocator) allocator = script_allocator_new ();

  g_test_summary ("An allocator may allocate and free while it is told that a block is gone");

  allocator->on_released = alloc_again;
  quire_memory_unref (script_alloc (allocator, 8));
  g_assert_cmpuint (allocator->releases, ==, 3);
  script_assert_log (allocator, "alloc released alloc released alloc released");
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (uses); i++)
    {
      g_autofree char *path = g_strdup_printf ("/script-maps/use/%s", uses[i].name);

      g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_use);
    }
  g_test_add_func ("/script-maps/refuse", test_refuse);
  g_test_add_func ("/script-maps/mapping", test_mapping);
  g_test_add_func ("/script-maps/closed", test_closed);
  g_test_add_func ("/script-maps/over-file", test_over_file);
  g_test_add_func ("/script-maps/maps-itself", test_maps_itself);
  g_test_add_func ("/script-maps/map-outlives-call", test_map_outlives_call);
  g_test_add_func ("/script-maps/drop-in-call", test_drop_in_call);
  g_test_add_func ("/script-maps/alloc-in-call", test_alloc_in_call);

  return g_test_run ();
}
