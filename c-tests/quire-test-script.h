/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-test.h"

/* An allocator as a script writes one: it has no function to free blocks, binds blocks of
 * others to itself, and is told of maps and of blocks that are gone. It keeps a log. */

typedef struct _ScriptAllocator ScriptAllocator;

struct _ScriptAllocator
{
  QuireAllocator  parent_instance;

  /* What happened, one word after the other. */
  GString        *log;
  GMutex          log_lock;

  /* What alloc() gives: by default a bound block of prefix, size and padding together. It
   * takes over neither a reference nor an error, and is NULL again after each call. */
  QuireMemory   *(*make) (ScriptAllocator              *self,
                          gsize                         size,
                          const QuireAllocationParams  *params,
                          GError                      **error);
  /* What else mapped(), unmapped() and released() do. */
  void           (*on_mapped)   (ScriptAllocator *self,
                                 QuireMemory     *memory,
                                 GError         **error);
  void           (*on_unmapped) (ScriptAllocator *self,
                                 QuireMemory     *memory);
  void           (*on_released) (ScriptAllocator *self,
                                 GObject         *state);

  /* For any of these. */
  gpointer        data;

  /* Atomic. */
  guint           maps, unmaps, releases;
  /* On which thread the last call was. */
  GThread        *thread;
};

typedef QuireAllocatorClass ScriptAllocatorClass;
/* One that wants to know of nothing. */
typedef ScriptAllocator     QuietAllocator;
typedef QuireAllocatorClass QuietAllocatorClass;

#define SCRIPT_ALLOCATOR(object) ((ScriptAllocator *) (object))

GType            script_allocator_get_type    (void);
GType            quiet_allocator_get_type     (void);

ScriptAllocator *script_allocator_new         (void);
ScriptAllocator *script_allocator_new_at_home (void);
ScriptAllocator *quiet_allocator_new          (void);
void             script_allocator_note        (ScriptAllocator *self,
                                               const char      *format,
                                               ...) G_GNUC_PRINTF (2, 3);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ScriptAllocator, g_object_unref)

/* What happened since this was asked last. */
#define script_assert_log(self, words) \
  G_STMT_START \
    { \
      g_mutex_lock (&(self)->log_lock); \
      g_assert_cmpstr ((self)->log->str, ==, words); \
      g_string_truncate ((self)->log, 0); \
      g_mutex_unlock (&(self)->log_lock); \
    } \
  G_STMT_END

static inline QuireMemory *
script_alloc (ScriptAllocator *self,
              gsize            size)
{
  g_autoptr (GError) error = NULL;
  QuireMemory *memory = quire_allocator_try_alloc (QUIRE_ALLOCATOR (self), size, NULL, &error);

  g_assert_no_error (error);
  g_assert_nonnull (memory);
  return memory;
}

/* Runs what is ready of the main context. */
static inline void
script_run_loop (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    continue;
}
