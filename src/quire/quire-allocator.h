/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(QUIRE_INSIDE) && !defined(QUIRE_COMPILATION)
# error "Only <quire/quire.h> can be included directly."
#endif

#include "quire-types.h"

G_BEGIN_DECLS

#define QUIRE_TYPE_ALLOCATOR (quire_allocator_get_type ())

QUIRE_AVAILABLE_IN_1_0
G_DECLARE_DERIVABLE_TYPE (QuireAllocator, quire_allocator, QUIRE, ALLOCATOR, GObject)

/**
 * QuireAllocatorClass:
 * @mem_type: the type of the blocks, for [method@Memory.is_type]; when %NULL,
 *   the name of the class
 * @alloc: makes a block of @size bytes. @params is never %NULL, its alignment is
 *   a mask, and size, prefix and padding together fit an address space
 * @free: frees the block's struct and what it stands for; it must not touch the
 *   block's parent, nor call [method@Memory.unref] on the block
 * @mem_map: gives the address of the start of the block (not of its data), or
 *   %NULL; @maxsize is the size of the whole block
 * @mem_map_full: the same, for an allocator that keeps something in the
 *   `user_data` of the info, or says why it failed; wins over @mem_map
 * @mem_unmap: ends a map of @mem_map
 * @mem_unmap_full: ends a map of @mem_map_full; wins over @mem_unmap
 * @mem_copy: makes a writable block of its own out of @size bytes at @offset,
 *   which counts from the data and may reach back into the prefix; of a window, it
 *   is given the block. Without it, or if it gives %NULL and no error, the bytes are
 *   copied into a block of the default allocator
 * @mem_share: makes the struct of a share: a window of @size bytes at @offset,
 *   which counts from the start of the block. It calls [method@Memory.init] with
 *   @root as the parent. Without it, a window is made that maps as @root does
 * @mem_is_span: whether @second begins where @first ends, both of the same
 *   parent. Without it, offset and size tell
 * @mapped: is told of a map, see [vfunc@Allocator.mapped]
 * @unmapped: is told of its end, see [vfunc@Allocator.unmapped]
 * @released: is told that a block is gone, see [vfunc@Allocator.released]
 *
 * The functions that an allocator implements.
 *
 * There are two ways. An allocator in C that has blocks of its own implements @alloc and
 * @free, and those of the `mem_` functions that it needs. They deal in addresses and in
 * blocks that die, which a script can't, so only C knows them: from @free to @mem_is_span.
 *
 * An allocator in any language that has no @free takes, in @alloc, a block that is large
 * enough from elsewhere, binds it to itself with [method@Allocator.try_bind], and returns what
 * that gives. The library finds the place for the data in it, with its prefix, padding and
 * alignment, and sets the flags. What can't be used is %QUIRE_MEMORY_ERROR_FAILED for who
 * asked: no block, one that is too small, one of another allocator, and one that was
 * returned before. Of @mapped, @unmapped and @released it implements what it wants to know.
 *
 * While any of these four runs, [ctor@Memory.new] and all else that takes the default
 * allocator takes the system one, if the default is this allocator.
 *
 * A map of a script ends in two steps: its lock goes when the script says so, but
 * @mem_unmap or @mem_unmap_full is called only when no address is left in the script's
 * hands. Then other maps may stand, and the last reference on the block may have gone,
 * though its struct and its data are there still. In a language whose views don't tell
 * where they went, as in Python, no address is known to be left only when the block is
 * about to be freed.
 *
 * A block of the allocator is a struct that has a [struct@Memory] as its first
 * member, set up by [method@Memory.init]. The library takes the locks, resolves
 * offsets and checks ranges before it calls any of these.
 *
 * Since: 1.0
 */
struct _QuireAllocatorClass
{
  GObjectClass parent_class;

  const char  *mem_type;

  QuireMemory *(*alloc)          (QuireAllocator              *allocator,
                                  gsize                        size,
                                  const QuireAllocationParams *params,
                                  GError                     **error);

  /* These deal in pointers and in dying memories, which no script can; so scripts
   * don't see them. */
#ifdef __GI_SCANNER__
  /*< private >*/
  gpointer     vfuncs[8];
  /*< public >*/
#else
  void         (*free)           (QuireAllocator *allocator,
                                  QuireMemory    *memory);

  gpointer     (*mem_map)        (QuireMemory   *memory,
                                  gsize          maxsize,
                                  QuireMapFlags  flags);
  gpointer     (*mem_map_full)   (QuireMemory   *memory,
                                  QuireMapInfo  *info,
                                  gsize          maxsize,
                                  GError       **error);
  void         (*mem_unmap)      (QuireMemory   *memory);
  void         (*mem_unmap_full) (QuireMemory   *memory,
                                  QuireMapInfo  *info);
  QuireMemory *(*mem_copy)       (QuireMemory   *memory,
                                  gssize         offset,
                                  gsize          size,
                                  GError       **error);
  QuireMemory *(*mem_share)      (QuireMemory   *root,
                                  gsize          offset,
                                  gsize          size,
                                  GError       **error);
  gboolean     (*mem_is_span)    (QuireMemory   *first,
                                  QuireMemory   *second);
#endif

  void         (*mapped)         (QuireAllocator  *allocator,
                                  QuireMemory     *memory,
                                  QuireMapFlags    flags,
                                  GError         **error);
  void         (*unmapped)       (QuireAllocator *allocator,
                                  QuireMemory    *memory);
  void         (*released)       (QuireAllocator *allocator,
                                  GObject        *state);

  /*< private >*/
  guint        answering;
  gpointer     _reserved[16];
};

QUIRE_AVAILABLE_IN_1_0
QuireMemory    *quire_allocator_alloc             (QuireAllocator              *allocator,
                                                   gsize                        size,
                                                   const QuireAllocationParams *params) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
QuireMemory    *quire_allocator_try_alloc         (QuireAllocator              *allocator,
                                                   gsize                        size,
                                                   const QuireAllocationParams *params,
                                                   GError                     **error) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
QuireMemory    *quire_allocator_bind              (QuireAllocator *allocator,
                                                   QuireMemory    *backing,
                                                   GObject        *state) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
QuireMemory    *quire_allocator_try_bind          (QuireAllocator  *allocator,
                                                   QuireMemory     *backing,
                                                   GObject         *state,
                                                   GError         **error) G_GNUC_WARN_UNUSED_RESULT;

QUIRE_AVAILABLE_IN_1_0
GObject        *quire_allocator_get_state         (QuireAllocator *allocator,
                                                   QuireMemory    *memory);

QUIRE_AVAILABLE_IN_1_0
gboolean        quire_allocator_set_home          (QuireAllocator *allocator);
QUIRE_AVAILABLE_IN_1_0
guint           quire_allocator_dispatch          (void);

QUIRE_AVAILABLE_IN_1_0
const char     *quire_allocator_get_mem_type      (QuireAllocator *allocator);
QUIRE_AVAILABLE_IN_1_0
gsize           quire_allocator_get_default_align (void);

QUIRE_AVAILABLE_IN_1_0
void            quire_allocator_register          (const char     *name,
                                                   QuireAllocator *allocator);
QUIRE_AVAILABLE_IN_1_0
QuireAllocator *quire_allocator_find              (const char     *name) G_GNUC_WARN_UNUSED_RESULT;
QUIRE_AVAILABLE_IN_1_0
void            quire_allocator_set_default       (QuireAllocator *allocator);

G_END_DECLS
