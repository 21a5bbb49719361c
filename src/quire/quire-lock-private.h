/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-lock.h"

#include "quire-memory-private.h"

G_BEGIN_DECLS

/*
 * The lock word
 *
 *   bits   field    counts                                  limit
 *   0-12   READ     READ maps                                4096
 *   13-25  WRITE    WRITE maps                               4096
 *   26-37  RW       READ+WRITE maps                          4095
 *   38     UNIQUE   the one map that stands is the only one
 *   39     PARTS    SHARES counts parts, not shares
 *   40-46  OWNERS   EXCLUSIVE locks                           127
 *   47-63  SHARES   shares, or parts                       126976
 *
 * A request for READ or WRITE alone, or for a share, adds its count first, looks
 * at what stood before, and takes it back if that does not grant it: one atomic
 * operation where a load and a compare-and-swap would wait for each other. Until
 * it is taken back, others see a count that is not there; so they may be refused
 * without need, but no rule grants anything because a READ, a WRITE or a share
 * stands. A standing READ+WRITE map does grant; so RW, and UNIQUE and OWNERS with
 * it, change by compare-and-swap only, and what they say is true.
 *
 * What quire_memory_lock() takes is counted once more in a word of the same layout,
 * memory->held: so an unlock too many finds nothing there, and does not end a map.
 *
 * The fields that are added to first have a limit that leaves room for 4095
 * threads at once between their addition and its undoing. A count never runs
 * over into the next field.
 */
enum
{
  QUIRE_LOCK_READ_SHIFT = 0,
  QUIRE_LOCK_WRITE_SHIFT = 13,
  QUIRE_LOCK_RW_SHIFT = 26,
  QUIRE_LOCK_OWNERS_SHIFT = 40,
  QUIRE_LOCK_SHARES_SHIFT = 47,
};

#define QUIRE_LOCK_ONE(field)   (G_GUINT64_CONSTANT (1) << QUIRE_LOCK_##field##_SHIFT)
#define QUIRE_LOCK_FIELD(width) ((G_GUINT64_CONSTANT (1) << (width)) - 1)

#define QUIRE_LOCK_READ_MASK   (QUIRE_LOCK_FIELD (13) << QUIRE_LOCK_READ_SHIFT)
#define QUIRE_LOCK_WRITE_MASK  (QUIRE_LOCK_FIELD (13) << QUIRE_LOCK_WRITE_SHIFT)
#define QUIRE_LOCK_RW_MASK     (QUIRE_LOCK_FIELD (12) << QUIRE_LOCK_RW_SHIFT)
#define QUIRE_LOCK_UNIQUE_BIT  (G_GUINT64_CONSTANT (1) << 38)
#define QUIRE_LOCK_PARTS_BIT   (G_GUINT64_CONSTANT (1) << 39)
#define QUIRE_LOCK_OWNERS_MASK (QUIRE_LOCK_FIELD (7) << QUIRE_LOCK_OWNERS_SHIFT)
#define QUIRE_LOCK_SHARES_MASK (QUIRE_LOCK_FIELD (17) << QUIRE_LOCK_SHARES_SHIFT)

/* Maps that may write, and maps of any kind. */
#define QUIRE_LOCK_WRITERS_MASK (QUIRE_LOCK_WRITE_MASK | QUIRE_LOCK_RW_MASK)
#define QUIRE_LOCK_MAPS_MASK    (QUIRE_LOCK_READ_MASK | QUIRE_LOCK_WRITERS_MASK)

#define QUIRE_LOCK_READ_LIMIT   4096
#define QUIRE_LOCK_WRITE_LIMIT  4096
#define QUIRE_LOCK_RW_LIMIT     4095
#define QUIRE_LOCK_OWNERS_LIMIT 127
#define QUIRE_LOCK_SHARES_LIMIT 126976

#define QUIRE_LOCK_COUNT(word, field) \
  ((guint) (((word) & (QUIRE_LOCK_##field##_MASK)) >> QUIRE_LOCK_##field##_SHIFT))

#define QUIRE_LOCK_ACCESS_FLAGS (QUIRE_MAP_READ | QUIRE_MAP_WRITE)
#define QUIRE_LOCK_FLAGS \
  (QUIRE_LOCK_ACCESS_FLAGS | QUIRE_MAP_EXCLUSIVE | QUIRE_MAP_UNIQUE)
/* Bits of QuireMapFlags that mean nothing yet. */
#define QUIRE_LOCK_UNKNOWN_FLAGS \
  ((QUIRE_MAP_LAST - 1) & ~QUIRE_LOCK_FLAGS)

/* Whether a request is granted over what stands in @word. The one place that
 * knows the rules. */
static inline gboolean
quire_lock_grants (guint64       word,
                   QuireMapFlags flags)
{
  const guint owner = (flags & QUIRE_MAP_EXCLUSIVE) ? 1 : 0;

  if (owner != 0)
    {
      if (QUIRE_LOCK_COUNT (word, OWNERS) >= QUIRE_LOCK_OWNERS_LIMIT)
        return FALSE;
      if (QUIRE_LOCK_COUNT (word, OWNERS) >= 1 && (word & QUIRE_LOCK_WRITERS_MASK) != 0)
        return FALSE;
    }

  if ((flags & QUIRE_LOCK_ACCESS_FLAGS) == 0)
    return TRUE;

  if ((word & (QUIRE_LOCK_UNIQUE_BIT | QUIRE_LOCK_PARTS_BIT)) != 0)
    return FALSE;
  if ((flags & QUIRE_MAP_UNIQUE) && (word & QUIRE_LOCK_MAPS_MASK) != 0)
    return FALSE;
  if ((flags & QUIRE_MAP_WRITE) &&
      ((word & QUIRE_LOCK_SHARES_MASK) != 0 || QUIRE_LOCK_COUNT (word, OWNERS) + owner >= 2))
    return FALSE;

  /* A READ+WRITE map that stands lets every kind nest; else a kind goes only
   * with itself. */
  switch (flags & QUIRE_LOCK_ACCESS_FLAGS)
    {
    case QUIRE_MAP_READ:
      return ((word & QUIRE_LOCK_RW_MASK) != 0 || (word & QUIRE_LOCK_WRITE_MASK) == 0) &&
             QUIRE_LOCK_COUNT (word, READ) < QUIRE_LOCK_READ_LIMIT;
    case QUIRE_MAP_WRITE:
      return ((word & QUIRE_LOCK_RW_MASK) != 0 || (word & QUIRE_LOCK_READ_MASK) == 0) &&
             QUIRE_LOCK_COUNT (word, WRITE) < QUIRE_LOCK_WRITE_LIMIT;
    default:
      return ((word & QUIRE_LOCK_RW_MASK) != 0 || (word & QUIRE_LOCK_MAPS_MASK) == 0) &&
             QUIRE_LOCK_COUNT (word, RW) < QUIRE_LOCK_RW_LIMIT;
    }
}

/* What a granted request adds to the word. */
static inline guint64
quire_lock_increment (QuireMapFlags flags)
{
  guint64 increment = 0;

  switch (flags & QUIRE_LOCK_ACCESS_FLAGS)
    {
    case 0:
      break;
    case QUIRE_MAP_READ:
      increment = QUIRE_LOCK_ONE (READ);
      break;
    case QUIRE_MAP_WRITE:
      increment = QUIRE_LOCK_ONE (WRITE);
      break;
    default:
      increment = QUIRE_LOCK_ONE (RW);
      break;
    }

  if (flags & QUIRE_MAP_EXCLUSIVE)
    increment += QUIRE_LOCK_ONE (OWNERS);
  if (flags & QUIRE_MAP_UNIQUE)
    increment += QUIRE_LOCK_UNIQUE_BIT;

  return increment;
}

/* Each says why, if anybody wants to know, and gives FALSE. */
#define QUIRE_LOCK_REFUSAL __attribute__ ((cold)) gboolean

QUIRE_LOCK_REFUSAL quire_lock_refuse_flags (QuireMapFlags  flags,
                                            GError       **error);
QUIRE_LOCK_REFUSAL quire_lock_refuse       (QuireMemory   *memory,
                                            QuireMapFlags  flags,
                                            guint64        word,
                                            GError       **error);
QUIRE_LOCK_REFUSAL quire_lock_refuse_share (QuireMemory   *memory,
                                            guint64        word,
                                            GError       **error);
QUIRE_LOCK_REFUSAL quire_lock_refuse_drop  (QuireMemory   *memory,
                                            QuireMapFlags  flags,
                                            guint64        word,
                                            GError       **error);

/* For C, whose callers can't be told otherwise: reports what is wrong as critical. */
QUIRE_LOCK_REFUSAL quire_lock_complain     (QuireMemory   *memory,
                                            QuireMapFlags  flags,
                                            const char    *function);

static inline gboolean
quire_lock_flags_make_sense (QuireMapFlags flags)
{
  return (flags & QUIRE_LOCK_ACCESS_FLAGS) != 0 && (flags & QUIRE_LOCK_UNKNOWN_FLAGS) == 0;
}

/* Whether the flags of a map make sense. */
static inline gboolean
quire_lock_check_flags (QuireMapFlags flags,
                        GError      **error)
{
  if (G_LIKELY (quire_lock_flags_make_sense (flags)))
    return TRUE;

  return quire_lock_refuse_flags (flags, error);
}

/* A request that is judged before it is counted. */
static inline gboolean
quire_lock_take_by_cas (QuireMemory  *memory,
                        QuireMapFlags flags,
                        guint64      *word)
{
  *word = quire_atomic_load_relaxed (&memory->lock);
  while (quire_lock_grants (*word, flags))
    {
      if (quire_atomic_cas_acq_rel (&memory->lock, word, *word + quire_lock_increment (flags)))
        return TRUE;
    }

  return FALSE;
}

/*
 * quire_lock_drop:
 *
 * Budget of atomic operations: 1.
 */
static inline void
quire_lock_drop (QuireMemory  *memory,
                 QuireMapFlags flags)
{
  quire_atomic_sub_release (&memory->lock, quire_lock_increment (flags));
}

/*
 * quire_lock_may_still_write:
 *
 * A block may become read-only while others use it. Who makes it so has a UNIQUE lock
 * meanwhile: so who gets a lock to write looks once more, after it.
 */
static inline gboolean
quire_lock_may_still_write (QuireMemory  *memory,
                            QuireMapFlags flags,
                            GError      **error)
{
  if (G_LIKELY ((flags & QUIRE_MAP_WRITE) == 0 ||
                !quire_memory_has_flags (memory, QUIRE_MEMORY_FLAG_READONLY)))
    return TRUE;

  quire_lock_drop (memory, flags);
  return quire_memory_refuse_access (memory, error);
}

/*
 * quire_lock_take:
 *
 * Budget of atomic operations: READ or WRITE 1, and 1 more to undo it when it is
 * refused. Everything else a compare-and-swap loop.
 */
static inline gboolean
quire_lock_take (QuireMemory  *memory,
                 QuireMapFlags flags,
                 GError      **error)
{
  guint64 word;

  /* Each plain kind is a case of its own: what it adds and what it asks of the word are
   * constants there. */
  switch (flags & QUIRE_LOCK_FLAGS)
    {
    case QUIRE_MAP_READ:
      word = quire_atomic_add_acquire (&memory->lock, QUIRE_LOCK_ONE (READ));
      if (G_LIKELY (quire_lock_grants (word, QUIRE_MAP_READ)))
        return TRUE;
      quire_atomic_sub_relaxed (&memory->lock, QUIRE_LOCK_ONE (READ));
      break;

    case QUIRE_MAP_WRITE:
      word = quire_atomic_add_acquire (&memory->lock, QUIRE_LOCK_ONE (WRITE));
      if (G_LIKELY (quire_lock_grants (word, QUIRE_MAP_WRITE)))
        return quire_lock_may_still_write (memory, QUIRE_MAP_WRITE, error);
      quire_atomic_sub_relaxed (&memory->lock, QUIRE_LOCK_ONE (WRITE));
      break;

    case QUIRE_MAP_READWRITE:
      if (G_LIKELY (quire_lock_take_by_cas (memory, QUIRE_MAP_READWRITE, &word)))
        return quire_lock_may_still_write (memory, QUIRE_MAP_READWRITE, error);
      break;

    default:
      if (quire_lock_take_by_cas (memory, flags, &word))
        return quire_lock_may_still_write (memory, flags, error);
      break;
    }

  return quire_lock_refuse (memory, flags, word, error);
}

/* Whether what @flags name stands in @word, so that it can be taken away. */
static inline gboolean
quire_lock_holds (guint64       word,
                  QuireMapFlags flags)
{
  if ((flags & QUIRE_MAP_EXCLUSIVE) && (word & QUIRE_LOCK_OWNERS_MASK) == 0)
    return FALSE;

  switch (flags & QUIRE_LOCK_ACCESS_FLAGS)
    {
    case 0:
      return TRUE;
    case QUIRE_MAP_READ:
      if ((word & QUIRE_LOCK_READ_MASK) == 0)
        return FALSE;
      break;
    case QUIRE_MAP_WRITE:
      if ((word & QUIRE_LOCK_WRITE_MASK) == 0)
        return FALSE;
      break;
    default:
      if ((word & QUIRE_LOCK_RW_MASK) == 0)
        return FALSE;
      break;
    }

  return ((word & QUIRE_LOCK_UNIQUE_BIT) != 0) == ((flags & QUIRE_MAP_UNIQUE) != 0);
}

/*
 * quire_lock_check_held:
 *
 * Whether there is such a count to drop, be it of a map or of a lock. It catches a
 * caller who drops what he does not hold, at the price of a load. It can't look at
 * memory->held as well: two loads are not of one moment, and who holds what he drops
 * must never be refused.
 */
static inline gboolean
quire_lock_check_held (QuireMemory  *memory,
                       QuireMapFlags flags,
                       GError      **error)
{
  const guint64 word = quire_atomic_load_relaxed (&memory->lock);

  if (G_LIKELY (quire_lock_holds (word, flags)))
    return TRUE;

  return quire_lock_refuse_drop (memory, flags, word, error);
}

/* Drops what stands; FALSE if it doesn't. */
static inline gboolean
quire_lock_drop_if_held (QuireMemory  *memory,
                         QuireMapFlags flags)
{
  if (G_UNLIKELY (!quire_lock_holds (quire_atomic_load_relaxed (&memory->lock), flags)))
    return FALSE;

  quire_lock_drop (memory, flags);
  return TRUE;
}

/*
 * quire_lock_try_drop:
 *
 * quire_lock_check_held() and quire_lock_drop() in one. Nothing happens when it gives
 * FALSE. Budget of atomic operations: 1.
 */
static inline gboolean
quire_lock_try_drop (QuireMemory  *memory,
                     QuireMapFlags flags)
{
  /* Cases of their own, as in quire_lock_take(). */
  switch (flags & QUIRE_LOCK_FLAGS)
    {
    case QUIRE_MAP_READ:
      return quire_lock_drop_if_held (memory, QUIRE_MAP_READ);
    case QUIRE_MAP_WRITE:
      return quire_lock_drop_if_held (memory, QUIRE_MAP_WRITE);
    case QUIRE_MAP_READWRITE:
      return quire_lock_drop_if_held (memory, QUIRE_MAP_READWRITE);
    default:
      return quire_lock_drop_if_held (memory, flags);
    }
}

/*
 * quire_lock_take_share:
 *
 * Counts a share of the block: what it shows shall not change, so none is
 * granted while somebody may write. Budget of atomic operations: 1.
 */
static inline gboolean
quire_lock_take_share (QuireMemory *memory,
                       GError     **error)
{
  const guint64 word = quire_atomic_add_acquire (&memory->lock, QUIRE_LOCK_ONE (SHARES));

  if (G_LIKELY ((word & (QUIRE_LOCK_WRITERS_MASK | QUIRE_LOCK_PARTS_BIT)) == 0 &&
                QUIRE_LOCK_COUNT (word, SHARES) < QUIRE_LOCK_SHARES_LIMIT))
    return TRUE;

  quire_atomic_sub_relaxed (&memory->lock, QUIRE_LOCK_ONE (SHARES));
  return quire_lock_refuse_share (memory, word, error);
}

static inline void
quire_lock_drop_share (QuireMemory *memory)
{
  quire_atomic_sub_release (&memory->lock, QUIRE_LOCK_ONE (SHARES));
}

G_END_DECLS
