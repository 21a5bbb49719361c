/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-seals.h"

#include <errno.h>
#include <fcntl.h>

#include "quire-allocator.h"
#include "quire-descriptor-private.h"
#include "quire-error-private.h"
#include "quire-fd-allocator-private.h"
#include "quire-lock-private.h"

G_STATIC_ASSERT (QUIRE_SEAL_SEAL == F_SEAL_SEAL);
G_STATIC_ASSERT (QUIRE_SEAL_SHRINK == F_SEAL_SHRINK);
G_STATIC_ASSERT (QUIRE_SEAL_GROW == F_SEAL_GROW);
G_STATIC_ASSERT (QUIRE_SEAL_WRITE == F_SEAL_WRITE);
G_STATIC_ASSERT (QUIRE_SEAL_FUTURE_WRITE == F_SEAL_FUTURE_WRITE);

#define KNOWN_SEALS \
  (QUIRE_SEAL_SEAL | QUIRE_SEAL_SHRINK | QUIRE_SEAL_GROW | QUIRE_SEAL_WRITE | QUIRE_SEAL_FUTURE_WRITE)

/**
 * quire_memory_get_seals:
 * @memory: a block
 *
 * Tells which seals the file behind the block has.
 *
 * Returns: the seals; none for a block that is not over a file that can be sealed
 *
 * Since: 1.0
 */
QuireSeals
quire_memory_get_seals (QuireMemory *memory)
{
  QuireFdMemory *block;
  gsize offset;
  int seals = -1;

  g_return_val_if_fail (memory != NULL, QUIRE_SEAL_NONE);

  block = quire_fd_memory_find (memory, &offset);
  if (block != NULL && block->fd >= 0)
    seals = fcntl (block->fd, F_GET_SEALS);

  return seals < 0 ? QUIRE_SEAL_NONE : (QuireSeals) (seals & KNOWN_SEALS);
}

static gboolean
add_seals (QuireFdMemory *block,
           QuireSeals     seals,
           GError       **error)
{
  if (fcntl (block->fd, F_ADD_SEALS, (int) seals) == 0)
    return TRUE;

  if (errno == EPERM)
    g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_READ_ONLY,
                 "The seals 0x%x can't be added: descriptor %d is read-only, or sealed against more seals",
                 (guint) seals, block->fd);
  else
    quire_error_set_errno (error, errno, "The seals 0x%x can't be added to descriptor %d",
                           (guint) seals, block->fd);
  return FALSE;
}

/* The kernel does not seal what is mapped to be written. So the pages are mapped privately
 * instead, at the same place: who writes by an address that he had before gets pages of his
 * own, and the file stays as it is. */
static gboolean
seal_against_writing (QuireFdMemory *block,
                      QuireSeals     seals,
                      GError       **error)
{
  const gboolean was_shared = (block->mapping.flags & MAP_SHARED) != 0;

  if (was_shared && !quire_fd_mapping_map_again (&block->mapping, block->fd, quire_fd_mapping_apart (&block->mapping)))
    {
      quire_error_set_errno (error, errno, "The %" G_GSIZE_FORMAT " bytes of the block can't be mapped privately",
                             block->mapping.size);
      return FALSE;
    }

  if (add_seals (block, seals, error))
    {
      quire_atomic_or_relaxed (&block->memory.flags, QUIRE_MEMORY_FLAG_READONLY);
      return TRUE;
    }

  /* Where FUTURE_WRITE has been added there is no way back. Then nobody must believe that
   * he writes to the file. */
  if (was_shared && !quire_fd_mapping_map_again (&block->mapping, block->fd, MAP_SHARED))
    {
      quire_atomic_or_relaxed (&block->memory.flags, QUIRE_MEMORY_FLAG_READONLY);
      g_prefix_error (error, "The block of %" G_GSIZE_FORMAT " bytes is read-only from now on. ", block->memory.maxsize);
    }
  return FALSE;
}

/**
 * quire_memory_add_seals: (skip)
 * @memory: a block over a descriptor
 * @seals: what to seal
 *
 * Seals the file behind a block. [method@Memory.try_add_seals] also says why it fails.
 *
 * Returns: %TRUE if the file has the seals
 *
 * Since: 1.0
 */
gboolean
quire_memory_add_seals (QuireMemory *memory,
                        QuireSeals   seals)
{
  return quire_memory_try_add_seals (memory, seals, NULL);
}

/**
 * quire_memory_try_add_seals: (rename-to quire_memory_add_seals)
 * @memory: a block over a descriptor, of [class@MemfdAllocator] or another one that can be
 *   sealed
 * @seals: what to seal
 * @error: return location for an error
 *
 * Seals the file behind a block, for all processes that have it or will have it. Of a share,
 * that is the file of its block.
 *
 * Sealed against writing (%QUIRE_SEAL_WRITE), the block is read-only for ever. It asks that
 * nobody has the block mapped, and nobody else has the file mapped to write: another block
 * over it, another process, a child of this one that was forked before. Shares may live, and
 * be mapped. An address to write that somebody kept beyond his map, as
 * `numpy.ndarray(buffer=m)` does, stays good: what is written there reaches no one else.
 *
 * %QUIRE_SEAL_FUTURE_WRITE leaves the block writable, and nobody else can map the file to write
 * any more. If %QUIRE_SEAL_WRITE is added to that later, and refused, since somebody had it
 * mapped before, the block is read-only all the same, and the message says so; it can be tried
 * again. Every other refusal changes nothing.
 *
 * A block over another one, as that of a pool, can't be sealed against writing: it is
 * %QUIRE_MEMORY_ERROR_BUSY, since it has that one mapped as long as it lives.
 *
 * The errors are %QUIRE_MEMORY_ERROR_BUSY while a map stands in the way,
 * %QUIRE_MEMORY_ERROR_READ_ONLY if the descriptor may not be sealed (it can't write, or it
 * has %QUIRE_SEAL_SEAL), %QUIRE_MEMORY_ERROR_NOT_SUPPORTED for what can't be sealed at all,
 * %QUIRE_MEMORY_ERROR_NO_SPACE, and %QUIRE_MEMORY_ERROR_CLOSED. This function is thread-safe.
 *
 * Returns: (skip): %TRUE if the file has the seals
 *
 * Since: 1.0
 */
gboolean
quire_memory_try_add_seals (QuireMemory *memory,
                            QuireSeals   seals,
                            GError     **error)
{
  const QuireMapFlags unique = QUIRE_MAP_READ | QUIRE_MAP_UNIQUE;
  QuireFdMemory *block;
  gboolean sealed;
  gsize offset;

  g_return_val_if_fail (memory != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!quire_memory_check_access (memory, QUIRE_MAP_READ, error))
    return FALSE;

  if ((seals & ~KNOWN_SEALS) != 0)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
                   "The seals 0x%x have bits that mean nothing", (guint) seals);
      return FALSE;
    }

  block = quire_fd_memory_find (memory, &offset);
  if (block == NULL || block->is_private)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
                   "The block of %" G_GSIZE_FORMAT " bytes, of the allocator %s, has no file to seal",
                   quire_atomic_load_relaxed (&memory->size),
                   quire_allocator_get_mem_type (memory->allocator));
      return FALSE;
    }

  if (!quire_descriptor_still_has (block->fd, block->dev, block->ino, 0, error))
    return FALSE;

  if ((seals & QUIRE_SEAL_WRITE) == 0)
    return add_seals (block, seals, error);

  if (!quire_lock_take (&block->memory, unique, error))
    return FALSE;
  sealed = seal_against_writing (block, seals, error);
  quire_lock_drop (&block->memory, unique);
  return sealed;
}
