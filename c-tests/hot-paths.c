/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>

#include <valgrind/callgrind.h>

#include "quire-test.h"

/* What test-instructions.py counts the instructions of, with callgrind. */

/* How often a hot path is gone. */
#define REPEAT 100

static QuireMemory *block;
static QuireMemory *share;
static QuireMemory *next;
static QuireMemory *over_memfd;
static QuireAllocator *pool;

#define PATH(name) \
  static inline void name##_once (void); \
  static void \
  path_##name (void) \
  { \
    for (guint i = 0; i < REPEAT; i++) \
      name##_once (); \
  } \
  static inline void \
  name##_once (void)

static inline void
map (QuireMemory  *memory,
     QuireMapFlags flags)
{
  QuireMapInfo info;

  if (quire_memory_map (memory, &info, flags))
    quire_memory_unmap (memory, &info);
}

PATH (nothing)
{
  __asm__ volatile ("");
}

PATH (malloc_64)
{
  gpointer data = malloc (64);

  __asm__ volatile ("" : : "r" (data) : "memory");
  free (data);
}

PATH (alloc_64)
{
  quire_memory_unref (quire_memory_new (64));
}

PATH (alloc_4096)
{
  quire_memory_unref (quire_memory_new (4096));
}

PATH (alloc_aligned)
{
  const QuireAllocationParams params = { .align = 63 };

  quire_memory_unref (quire_allocator_alloc (NULL, 64, &params));
}

PATH (acquire)
{
  quire_memory_unref (quire_allocator_alloc (pool, 4096, NULL));
}

PATH (wrap)
{
  quire_memory_unref (quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_NONE, &block, 8, 0, 8, NULL, NULL));
}

PATH (ref)
{
  quire_memory_unref (quire_memory_ref (block));
}

PATH (map_read)
{
  map (block, QUIRE_MAP_READ);
}

PATH (map_write)
{
  map (block, QUIRE_MAP_WRITE);
}

PATH (map_readwrite)
{
  map (block, QUIRE_MAP_READWRITE);
}

PATH (map_refused)
{
  map (share, QUIRE_MAP_WRITE);
}

PATH (map_share)
{
  map (share, QUIRE_MAP_READ);
}

PATH (map_memfd)
{
  map (over_memfd, QUIRE_MAP_READ);
}

PATH (share)
{
  quire_memory_unref (quire_memory_share (block, 16, 32));
}

PATH (share_share)
{
  quire_memory_unref (quire_memory_share (share, 8, 8));
}

PATH (is_span)
{
  gsize offset;

  quire_memory_is_span (share, next, &offset);
}

PATH (merge)
{
  quire_memory_unref (quire_memory_merge (share, next));
}

PATH (copy_64)
{
  quire_memory_unref (quire_memory_copy (block, 0, 64));
}

PATH (binding_map)
{
  QuireMapping *mapping = quire_memory_try_map (block, QUIRE_MAP_READ, NULL);

  quire_memory_try_unmap (block, mapping, NULL);
  quire_mapping_unref (mapping);
}

static const struct
{
  const char *name;
  void      (*run) (void);
} paths[] = {
  { "nothing", path_nothing },
  { "malloc_64", path_malloc_64 },
  { "alloc_64", path_alloc_64 },
  { "alloc_4096", path_alloc_4096 },
  { "alloc_aligned", path_alloc_aligned },
  { "acquire", path_acquire },
  { "wrap", path_wrap },
  { "ref", path_ref },
  { "map_read", path_map_read },
  { "map_write", path_map_write },
  { "map_readwrite", path_map_readwrite },
  { "map_refused", path_map_refused },
  { "map_share", path_map_share },
  { "map_memfd", path_map_memfd },
  { "share", path_share },
  { "share_share", path_share_share },
  { "is_span", path_is_span },
  { "merge", path_merge },
  { "copy_64", path_copy_64 },
  { "binding_map", path_binding_map },
};

/* What stands between the two is counted under @name. */
static void
begin (void)
{
  CALLGRIND_START_INSTRUMENTATION;
  CALLGRIND_ZERO_STATS;
}

static void
end (const char *name)
{
  CALLGRIND_DUMP_STATS_AT (name);
  CALLGRIND_STOP_INSTRUMENTATION;
}

static void
run_small (void)
{
  g_autoptr (QuireAllocator) memfd = quire_allocator_find ("memfd");

  over_memfd = quire_allocator_alloc (memfd, 4096, NULL);
  pool = QUIRE_ALLOCATOR (quire_pool_allocator_new (NULL, 4096, NULL, 1));

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      block = quire_memory_new (4096);
      /* Shares keep WRITE out, so a path that needs it has none. */
      if (strstr (paths[i].name, "write") == NULL)
        {
          share = quire_memory_share (block, 0, 2048);
          next = quire_memory_share (block, 2048, -1);
        }

      /* The first time there are types to register, and symbols to find. */
      paths[i].run ();
      begin ();
      paths[i].run ();
      end (paths[i].name);

      g_clear_pointer (&share, quire_memory_unref);
      g_clear_pointer (&next, quire_memory_unref);
      quire_memory_unref (block);
    }

  quire_memory_unref (over_memfd);
  g_object_unref (pool);
}

static void
nothing_to_tell (gpointer     user_data,
                 QuireMemory *memory)
{
}

/* What grows: each once, with @n blocks. */
static void
run_large (gsize n)
{
  g_autofree QuireMemory **blocks = g_new (QuireMemory *, n);
  QuireMemory *merged;

  for (gsize i = 0; i < n; i++)
    blocks[i] = quire_memory_new (16);
  begin ();
  merged = quire_memory_merge_list (blocks, n, NULL, NULL);
  end ("merge_copies");
  quire_memory_unref (merged);
  for (gsize i = 0; i < n; i++)
    quire_memory_unref (blocks[i]);

  block = quire_memory_new (n);
  begin ();
  for (gsize i = 0; i < n; i++)
    blocks[i] = quire_memory_share (block, (gssize) i, 1);
  end ("share_all");

  begin ();
  merged = quire_memory_merge_list (blocks, n, NULL, NULL);
  end ("merge_spans");
  quire_memory_unref (merged);

  begin ();
  for (gsize i = 0; i < n; i++)
    quire_memory_unref (blocks[i]);
  end ("unref_all");

  for (gsize i = 0; i < n / 16; i++)
    g_assert_true (quire_memory_lock (block, QUIRE_MAP_READ));
  begin ();
  map (block, QUIRE_MAP_READ);
  end ("map_deep");
  for (gsize i = 0; i < n / 16; i++)
    quire_memory_unlock (block, QUIRE_MAP_READ);

  begin ();
  for (gsize i = 0; i < n; i++)
    quire_memory_weak_ref (block, nothing_to_tell, GSIZE_TO_POINTER (i));
  end ("weak_all");
  begin ();
  for (gsize i = 0; i < n; i += 2)
    quire_memory_weak_unref (block, nothing_to_tell, GSIZE_TO_POINTER (n - 1 - i));
  end ("unweak_half");
  begin ();
  quire_memory_unref (g_steal_pointer (&block));
  end ("notify_half");
}

int
main (void)
{
  run_small ();
  run_large (10000);
  run_large (20000);

  return 0;
}
