/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-upcall-private.h"

#include "quire-allocator-private.h"
#include "quire-binding.h"
#include "quire-error.h"
#include "quire-memory-private.h"

/* The calls that run on this thread, the innermost first. */
typedef struct _Frame Frame;

struct _Frame
{
  QuireAllocator *allocator;
  /* It is one of mapped() and unmapped(). */
  gboolean        is_map;
  /* The function was really called. */
  gboolean        is_answered;
  Frame          *outer;
};

/* Which of its functions it is, and the bit that stands for it. */
typedef enum
{
  ALLOC,
  MAPPED,
  UNMAPPED,
  RELEASED,
} Function;

static __thread Frame *frames;
static __thread guint n_frames;

/* An allocator that calls itself without end is to get an error before the stack ends. */
#define MAX_FRAMES 100

static void
enter (Frame          *frame,
       QuireAllocator *allocator,
       Function        function)
{
  const gboolean is_map = function == MAPPED || function == UNMAPPED;
  const gboolean answers = (QUIRE_ALLOCATOR_GET_CLASS (allocator)->answering & (1u << function)) != 0;
  QuireHome *home = quire_allocator_peek_home (allocator);

  if (home != NULL)
    quire_home_prepare (home);

  *frame = (Frame) { allocator, is_map, !answers, frames };
  frames = frame;
  n_frames++;
}

/* Whether the function was called. */
static gboolean
leave (Frame *frame)
{
  frames = frame->outer;
  n_frames--;
  return frame->is_answered;
}

static void
set_not_called (QuireAllocator *allocator,
                GError        **error)
{
  g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_BUSY,
               "The allocator %s is not called: the engine of its language is at work",
               quire_allocator_get_mem_type (allocator));
}

/**
 * quire_binding_expect_answers:
 * @allocator_type: a class of allocators
 * @functions: which of its functions: 1 for [vfunc@Allocator.alloc], 2 for
 *   [vfunc@Allocator.mapped], 4 for [vfunc@Allocator.unmapped] and 8 for
 *   [vfunc@Allocator.released], or a sum of these
 *
 * Says that the engine of a language may fail, without a word, to call functions of a class,
 * and of those that derive from it. Each of them has to call [func@binding_answer] first, or
 * is taken for not called: what asked for it is refused with %QUIRE_MEMORY_ERROR_BUSY, and
 * what waited at home waits on.
 *
 * For [class@Allocator] itself, and for what is no class of allocators, it does nothing.
 *
 * Since: 1.0
 */
void
quire_binding_expect_answers (GType allocator_type,
                              guint functions)
{
  g_autoptr (GTypeClass) klass = NULL;

  /* A script may call this with anything; and what all derive from is C. */
  if (!g_type_is_a (allocator_type, QUIRE_TYPE_ALLOCATOR) || allocator_type == QUIRE_TYPE_ALLOCATOR)
    return;

  klass = g_type_class_ref (allocator_type);
  QUIRE_ALLOCATOR_CLASS (klass)->answering |= functions;
}

/**
 * quire_binding_answer:
 *
 * Says that the function of an allocator that is to run on this thread does run, where
 * [func@binding_expect_answers] has it be said.
 *
 * Since: 1.0
 */
void
quire_binding_answer (void)
{
  if (frames != NULL)
    frames->is_answered = TRUE;
}

/* Whether a function of the allocator runs on this thread. */
gboolean
quire_upcall_is_running (QuireAllocator *allocator)
{
  for (const Frame *frame = frames; frame != NULL; frame = frame->outer)
    {
      if (frame->allocator == allocator)
        return TRUE;
    }

  return FALSE;
}

/* Whether one of those about maps does. */
static gboolean
is_reporting (QuireAllocator *allocator)
{
  for (const Frame *frame = frames; frame != NULL; frame = frame->outer)
    {
      if (frame->allocator == allocator && frame->is_map)
        return TRUE;
    }

  return FALSE;
}

static QuireMemory *
default_alloc (QuireAllocator              *allocator,
               gsize                        size,
               const QuireAllocationParams *params,
               GError                     **error)
{
  g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
               "The allocator %s does not say how to allocate",
               quire_allocator_get_mem_type (allocator));
  return NULL;
}

/**
 * QuireAllocatorClass::mapped:
 * @allocator: the allocator
 * @memory: what is mapped: a block that the allocator bound to itself, or a share of one
 * @flags: how it is mapped
 * @error: return location for an error
 *
 * Is told of a map that was granted, and may refuse it: that is so when it sets an error,
 * which is the one that the caller gets. It has no other result.
 *
 * Whatever maps a block is reported, a copy, too, or a read. Not reported is what the
 * allocator itself maps while it is told of a map, or of its end.
 *
 * Since: 1.0
 */
static void
default_mapped (QuireAllocator *allocator,
                QuireMemory    *memory,
                QuireMapFlags   flags,
                GError        **error)
{
}

/**
 * QuireAllocatorClass::unmapped:
 * @allocator: the allocator
 * @memory: what was mapped
 *
 * Is told that a map has ended, once for each that [vfunc@Allocator.mapped] was told of and
 * did not refuse. Its lock is gone by then. An address of it may still be in the hands of a
 * script, outside the lock.
 *
 * Since: 1.0
 */
static void
default_unmapped (QuireAllocator *allocator,
                  QuireMemory    *memory)
{
}

/**
 * QuireAllocatorClass::released:
 * @allocator: the allocator
 * @state: (nullable): what [method@Allocator.bind] was given for the block
 *
 * Is told that a block is gone, once for each that was bound, after all that there is to tell
 * of its maps. Nothing can be reached of it any more, and the block below is free again.
 *
 * It is called on the thread that dropped the last reference, unless the allocator has a home
 * ([method@Allocator.set_home]).
 *
 * Since: 1.0
 */
static void
default_released (QuireAllocator *allocator,
                  GObject        *state)
{
}

/* These are there to be called by who overrides them. */
void
quire_upcall_init_class (QuireAllocatorClass *klass)
{
  klass->alloc = default_alloc;
  klass->mapped = default_mapped;
  klass->unmapped = default_unmapped;
  klass->released = default_released;
}

/* Whether the allocator wants to know of maps. */
gboolean
quire_upcall_has_maps (QuireAllocator *allocator)
{
  const QuireAllocatorClass *klass = QUIRE_ALLOCATOR_GET_CLASS (allocator);

  return klass->mapped != default_mapped || klass->unmapped != default_unmapped;
}

/* If the allocator's home is here, what waits for it is done. */
void
quire_upcall_catch_up (QuireAllocator *allocator)
{
  QuireHome *home = quire_allocator_peek_home (allocator);

  if (home != NULL && quire_home_is_mine (home))
    quire_home_dispatch ();
}

static gboolean
check_call (QuireAllocator *allocator,
            const char     *what,
            GError        **error)
{
  QuireHome *home = quire_allocator_peek_home (allocator);

  if (n_frames >= MAX_FRAMES)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED,
                   "The allocator %s is not called: there are %u calls of allocators within one another",
                   quire_allocator_get_mem_type (allocator), n_frames);
      return FALSE;
    }

  if (home == NULL || quire_home_is_mine (home))
    return TRUE;

  g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
               "The allocator %s can %s on the thread only that is its home",
               quire_allocator_get_mem_type (allocator), what);
  return FALSE;
}

QuireMemory *
quire_upcall_alloc (QuireAllocator              *allocator,
                    gsize                        size,
                    const QuireAllocationParams *params,
                    GError                     **error)
{
  GError *local_error = NULL;
  QuireMemory *memory;
  Frame frame;

  quire_upcall_catch_up (allocator);
  if (!check_call (allocator, "allocate", error))
    return NULL;

  enter (&frame, allocator, ALLOC);
  memory = QUIRE_ALLOCATOR_GET_CLASS (allocator)->alloc (allocator, size, params, &local_error);
  if (!leave (&frame))
    {
      /* Nobody knows what the engine left there. */
      memory = NULL;
      g_clear_error (&local_error);
      set_not_called (allocator, &local_error);
    }

  if (local_error != NULL)
    g_propagate_error (error, local_error);
  return memory;
}

/*
 * quire_upcall_mapped:
 * @memory: what is mapped, a block of the allocator or a share of one
 * @reported: (out): whether unmapped() shall follow
 *
 * A map that the allocator makes while it is told of another is none of which it is
 * told: that would have no end.
 */
gboolean
quire_upcall_mapped (QuireAllocator *allocator,
                     QuireMemory    *memory,
                     QuireMapFlags   flags,
                     gboolean       *reported,
                     GError        **error)
{
  const QuireAllocatorClass *klass = QUIRE_ALLOCATOR_GET_CLASS (allocator);
  GError *local_error = NULL;
  Frame frame;

  *reported = !is_reporting (allocator);
  if (!*reported || klass->mapped == default_mapped)
    return TRUE;

  if (!check_call (allocator, "be told of maps", error))
    return FALSE;

  enter (&frame, allocator, MAPPED);
  klass->mapped (allocator, memory, flags, &local_error);
  if (!leave (&frame))
    {
      g_clear_error (&local_error);
      set_not_called (allocator, &local_error);
    }

  if (local_error == NULL)
    return TRUE;

  g_propagate_error (error, local_error);
  return FALSE;
}

static void
drop_unmapped (gpointer allocator,
               gpointer memory)
{
  quire_memory_unref (memory);
  g_object_unref (allocator);
}

static void
call_unmapped (gpointer allocator,
               gpointer memory)
{
  Frame frame;

  enter (&frame, allocator, UNMAPPED);
  QUIRE_ALLOCATOR_GET_CLASS (allocator)->unmapped (allocator, memory);
  if (leave (&frame) || quire_allocator_peek_home (allocator) == NULL)
    drop_unmapped (allocator, memory);
  else
    quire_home_push (quire_allocator_peek_home (allocator), call_unmapped, drop_unmapped, allocator, memory);
}

/* The caller has a reference on @memory. */
void
quire_upcall_unmapped (QuireAllocator *allocator,
                       QuireMemory    *memory)
{
  QuireHome *home = quire_allocator_peek_home (allocator);

  if (QUIRE_ALLOCATOR_GET_CLASS (allocator)->unmapped == default_unmapped)
    return;

  g_object_ref (allocator);
  quire_memory_ref (memory);
  if (home != NULL)
    quire_home_push (home, call_unmapped, drop_unmapped, allocator, memory);
  else
    call_unmapped (allocator, memory);
}

static void
drop_released (gpointer allocator,
               gpointer state)
{
  if (state != NULL)
    g_object_unref (state);
  g_object_unref (allocator);
}

static void
call_released (gpointer allocator,
               gpointer state)
{
  Frame frame;

  enter (&frame, allocator, RELEASED);
  QUIRE_ALLOCATOR_GET_CLASS (allocator)->released (allocator, state);
  if (leave (&frame) || quire_allocator_peek_home (allocator) == NULL)
    drop_released (allocator, state);
  else
    quire_home_push (quire_allocator_peek_home (allocator), call_released, drop_released, allocator, state);
}

/* Takes over the reference on @state, which may be NULL. */
void
quire_upcall_released (QuireAllocator *allocator,
                       GObject        *state)
{
  QuireHome *home = quire_allocator_peek_home (allocator);

  g_object_ref (allocator);
  if (QUIRE_ALLOCATOR_GET_CLASS (allocator)->released == default_released)
    drop_released (allocator, state);
  else if (home != NULL)
    quire_home_push (home, call_released, drop_released, allocator, state);
  else
    call_released (allocator, state);
}
