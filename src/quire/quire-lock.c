/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-lock.h"

#include "quire-error.h"
#include "quire-lock-private.h"
#include "quire-memory-private.h"

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
 * The fields that are added to first have a limit that leaves room for 4095
 * threads at once between their addition and its undoing. A count never runs
 * over into the next field.
 */
enum
{
  READ_SHIFT = 0,
  WRITE_SHIFT = 13,
  RW_SHIFT = 26,
  OWNERS_SHIFT = 40,
  SHARES_SHIFT = 47,
};

#define ONE(field)   (G_GUINT64_CONSTANT (1) << field##_SHIFT)
#define FIELD(width) ((G_GUINT64_CONSTANT (1) << (width)) - 1)

#define READ_MASK   (FIELD (13) << READ_SHIFT)
#define WRITE_MASK  (FIELD (13) << WRITE_SHIFT)
#define RW_MASK     (FIELD (12) << RW_SHIFT)
#define UNIQUE_BIT  (G_GUINT64_CONSTANT (1) << 38)
#define PARTS_BIT   (G_GUINT64_CONSTANT (1) << 39)
#define OWNERS_MASK (FIELD (7) << OWNERS_SHIFT)
#define SHARES_MASK (FIELD (17) << SHARES_SHIFT)

#define READ_LIMIT   4096
#define WRITE_LIMIT  4096
#define RW_LIMIT     4095
#define OWNERS_LIMIT 127
#define SHARES_LIMIT 126976

#define COUNT(word, field) ((guint) (((word) & field##_MASK) >> field##_SHIFT))

#define ACCESS_MASK (QUIRE_MAP_READ | QUIRE_MAP_WRITE)
#define LOCK_MASK   (ACCESS_MASK | QUIRE_MAP_EXCLUSIVE | QUIRE_MAP_UNIQUE)
/* Bits of QuireMapFlags that mean nothing yet. */
#define UNKNOWN_MASK ((QUIRE_MAP_LAST - 1) & ~LOCK_MASK)

/* Whether a request is granted over what stands in @word. The one place that
 * knows the rules. */
static inline gboolean
lock_grants (guint64       word,
             QuireMapFlags flags)
{
  const guint owner = (flags & QUIRE_MAP_EXCLUSIVE) ? 1 : 0;

  if (owner != 0)
    {
      if (COUNT (word, OWNERS) >= OWNERS_LIMIT)
        return FALSE;
      if (COUNT (word, OWNERS) >= 1 && (word & (WRITE_MASK | RW_MASK)) != 0)
        return FALSE;
    }

  if ((flags & ACCESS_MASK) == 0)
    return TRUE;

  if ((word & (UNIQUE_BIT | PARTS_BIT)) != 0)
    return FALSE;
  if ((flags & QUIRE_MAP_UNIQUE) && (word & (READ_MASK | WRITE_MASK | RW_MASK)) != 0)
    return FALSE;
  if ((flags & QUIRE_MAP_WRITE) &&
      ((word & SHARES_MASK) != 0 || COUNT (word, OWNERS) + owner >= 2))
    return FALSE;

  /* A READ+WRITE map that stands lets every kind nest; else a kind goes only
   * with itself. */
  switch (flags & ACCESS_MASK)
    {
    case QUIRE_MAP_READ:
      return ((word & RW_MASK) != 0 || (word & WRITE_MASK) == 0) &&
             COUNT (word, READ) < READ_LIMIT;
    case QUIRE_MAP_WRITE:
      return ((word & RW_MASK) != 0 || (word & READ_MASK) == 0) &&
             COUNT (word, WRITE) < WRITE_LIMIT;
    default:
      return ((word & RW_MASK) != 0 || (word & (READ_MASK | WRITE_MASK)) == 0) &&
             COUNT (word, RW) < RW_LIMIT;
    }
}

/* What a granted request adds to the word. */
static inline guint64
lock_increment (QuireMapFlags flags)
{
  guint64 increment = 0;

  switch (flags & ACCESS_MASK)
    {
    case 0:
      break;
    case QUIRE_MAP_READ:
      increment = ONE (READ);
      break;
    case QUIRE_MAP_WRITE:
      increment = ONE (WRITE);
      break;
    default:
      increment = ONE (RW);
      break;
    }

  if (flags & QUIRE_MAP_EXCLUSIVE)
    increment += ONE (OWNERS);
  if (flags & QUIRE_MAP_UNIQUE)
    increment += UNIQUE_BIT;

  return increment;
}

static void
append_count (GString    *string,
              guint       count,
              const char *what)
{
  if (count == 0)
    return;

  g_string_append_printf (string, "%s%u %s%s", string->len > 0 ? ", " : "",
                          count, what, count == 1 ? "" : "s");
}

static char *
lock_describe (guint64 word)
{
  GString *string = g_string_new (NULL);

  append_count (string, COUNT (word, READ), "READ map");
  append_count (string, COUNT (word, WRITE), "WRITE map");
  append_count (string, COUNT (word, RW), "READ+WRITE map");
  if (word & UNIQUE_BIT)
    g_string_append (string, " (UNIQUE)");
  append_count (string, COUNT (word, OWNERS), "owner");
  append_count (string, COUNT (word, SHARES), (word & PARTS_BIT) ? "part" : "share");
  if (word & SHARES_MASK)
    g_string_append (string, " alive");
  if (string->len == 0)
    g_string_append (string, "free");

  return g_string_free (string, FALSE);
}

static char *
flags_describe (QuireMapFlags flags)
{
  GString *string = g_string_new (NULL);

  if (flags & QUIRE_MAP_READ)
    g_string_append (string, "+READ");
  if (flags & QUIRE_MAP_WRITE)
    g_string_append (string, "+WRITE");
  if (flags & QUIRE_MAP_EXCLUSIVE)
    g_string_append (string, "+EXCLUSIVE");
  if (flags & QUIRE_MAP_UNIQUE)
    g_string_append (string, "+UNIQUE");
  g_string_erase (string, 0, 1);

  return g_string_free (string, FALSE);
}

static void
set_busy (GError     **error,
          QuireMemory *memory,
          const char  *request,
          guint64      word)
{
  g_autofree char *state = lock_describe (word);

  g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_BUSY,
               "The block of %" G_GSIZE_FORMAT " bytes refuses %s: %s",
               quire_atomic_load_relaxed (&memory->size), request, state);
}

gboolean
quire_lock_check_flags (QuireMapFlags flags,
                        GError      **error)
{
  if (G_LIKELY ((flags & ACCESS_MASK) != 0 && (flags & UNKNOWN_MASK) == 0))
    return TRUE;

  g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
               (flags & UNKNOWN_MASK) != 0
                 ? "The flags 0x%x have bits that mean nothing"
                 : "The flags 0x%x ask for neither READ nor WRITE",
               (guint) flags);
  return FALSE;
}

/*
 * quire_lock_take:
 *
 * Budget of atomic operations: READ or WRITE 1, and 1 more to undo it when it is
 * refused. Everything else a compare-and-swap loop.
 */
gboolean
quire_lock_take (QuireMemory  *memory,
                 QuireMapFlags flags,
                 GError      **error)
{
  guint64 word;

  switch (flags & LOCK_MASK)
    {
    case QUIRE_MAP_READ:
      word = quire_atomic_add_acquire (&memory->lock, ONE (READ));
      if (G_LIKELY (lock_grants (word, QUIRE_MAP_READ)))
        return TRUE;
      quire_atomic_sub_relaxed (&memory->lock, ONE (READ));
      break;

    case QUIRE_MAP_WRITE:
      word = quire_atomic_add_acquire (&memory->lock, ONE (WRITE));
      if (G_LIKELY (lock_grants (word, QUIRE_MAP_WRITE)))
        return TRUE;
      quire_atomic_sub_relaxed (&memory->lock, ONE (WRITE));
      break;

    default:
      word = quire_atomic_load_relaxed (&memory->lock);
      while (lock_grants (word, flags))
        {
          if (quire_atomic_cas_acq_rel (&memory->lock, &word, word + lock_increment (flags)))
            return TRUE;
        }
      break;
    }

  if (error != NULL)
    {
      g_autofree char *request = flags_describe (flags);

      set_busy (error, memory, request, word);
    }
  return FALSE;
}

/* Whether what @flags name stands in @word, so that it can be taken away. */
static inline gboolean
lock_holds (guint64       word,
            QuireMapFlags flags)
{
  if ((flags & QUIRE_MAP_EXCLUSIVE) && (word & OWNERS_MASK) == 0)
    return FALSE;

  switch (flags & ACCESS_MASK)
    {
    case 0:
      return TRUE;
    case QUIRE_MAP_READ:
      if ((word & READ_MASK) == 0)
        return FALSE;
      break;
    case QUIRE_MAP_WRITE:
      if ((word & WRITE_MASK) == 0)
        return FALSE;
      break;
    default:
      if ((word & RW_MASK) == 0)
        return FALSE;
      break;
    }

  return ((word & UNIQUE_BIT) != 0) == ((flags & QUIRE_MAP_UNIQUE) != 0);
}

/*
 * quire_lock_check_held:
 *
 * Whether there is such a lock to drop. It catches a caller who drops what he does
 * not hold, at the price of a load.
 */
gboolean
quire_lock_check_held (QuireMemory  *memory,
                       QuireMapFlags flags,
                       GError      **error)
{
  const guint64 word = quire_atomic_load_relaxed (&memory->lock);

  if (G_LIKELY (lock_holds (word, flags)))
    return TRUE;

  if (error != NULL)
    {
      g_autofree char *state = lock_describe (word);
      g_autofree char *request = flags_describe (flags);

      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED,
                   "The block of %" G_GSIZE_FORMAT " bytes has no %s lock to drop: %s",
                   quire_atomic_load_relaxed (&memory->size), request, state);
    }
  return FALSE;
}

/*
 * quire_lock_drop:
 *
 * Budget of atomic operations: 1.
 */
void
quire_lock_drop (QuireMemory  *memory,
                 QuireMapFlags flags)
{
  quire_atomic_sub_release (&memory->lock, lock_increment (flags));
}

/*
 * quire_lock_take_share:
 *
 * Counts a share of the block: what it shows shall not change, so none is
 * granted while somebody may write. Budget of atomic operations: 1.
 */
gboolean
quire_lock_take_share (QuireMemory *memory,
                       GError     **error)
{
  const guint64 word = quire_atomic_add_acquire (&memory->lock, ONE (SHARES));

  if (G_LIKELY ((word & (WRITE_MASK | RW_MASK | PARTS_BIT)) == 0 &&
                COUNT (word, SHARES) < SHARES_LIMIT))
    return TRUE;

  quire_atomic_sub_relaxed (&memory->lock, ONE (SHARES));
  if (error != NULL)
    set_busy (error, memory, "a share", word);
  return FALSE;
}

void
quire_lock_drop_share (QuireMemory *memory)
{
  quire_atomic_sub_release (&memory->lock, ONE (SHARES));
}

/**
 * quire_memory_lock: (skip)
 * @memory: a block
 * @flags: what to lock it for
 *
 * Takes a lock as a map would, but without a map.
 *
 * With %QUIRE_MAP_EXCLUSIVE alone, the caller becomes an owner of the block:
 * while it has two owners, nobody may write it.
 *
 * This function is thread-safe. [method@Memory.try_lock] also says why it fails.
 *
 * Returns: %TRUE if the lock was granted
 *
 * Since: 1.0
 */
gboolean
quire_memory_lock (QuireMemory  *memory,
                   QuireMapFlags flags)
{
  return quire_memory_try_lock (memory, flags, NULL);
}

/**
 * quire_memory_try_lock: (rename-to quire_memory_lock)
 * @memory: a block
 * @flags: what to lock it for
 * @error: return location for an error
 *
 * Takes a lock as a map would, but without a map; it is dropped with
 * [method@Memory.unlock] and the same flags.
 *
 * With %QUIRE_MAP_EXCLUSIVE alone, the caller becomes an owner of the block:
 * while it has two owners, nobody may write it.
 *
 * The errors are %QUIRE_MEMORY_ERROR_BUSY, %QUIRE_MEMORY_ERROR_READ_ONLY,
 * %QUIRE_MEMORY_ERROR_CLOSED and, for flags that make no sense,
 * %QUIRE_MEMORY_ERROR_NOT_SUPPORTED. This function is thread-safe.
 *
 * Returns: (skip): %TRUE if the lock was granted
 *
 * Since: 1.0
 */
gboolean
quire_memory_try_lock (QuireMemory  *memory,
                       QuireMapFlags flags,
                       GError      **error)
{
  g_return_val_if_fail (memory != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (flags != QUIRE_MAP_EXCLUSIVE && !quire_lock_check_flags (flags, error))
    return FALSE;

  if (!quire_memory_check_access (memory, flags, error))
    return FALSE;

  return quire_lock_take (memory, flags, error);
}

/**
 * quire_memory_unlock: (skip)
 * @memory: a block
 * @flags: what it was locked for
 *
 * Drops a lock of [method@Memory.lock].
 *
 * To drop what isn't held is a programmer's error: it is reported, and nothing
 * changes. This function is thread-safe.
 *
 * Since: 1.0
 */
void
quire_memory_unlock (QuireMemory  *memory,
                     QuireMapFlags flags)
{
  g_autoptr (GError) error = NULL;

  g_return_if_fail (memory != NULL);

  if (!quire_memory_try_unlock (memory, flags, &error))
    g_critical ("%s: %s", G_STRFUNC, error->message);
}

/**
 * quire_memory_try_unlock: (rename-to quire_memory_unlock)
 * @memory: a block
 * @flags: what it was locked for
 * @error: return location for an error
 *
 * Drops a lock of [method@Memory.lock].
 *
 * To drop what isn't held is refused with %QUIRE_MEMORY_ERROR_FAILED. This
 * function is thread-safe.
 *
 * Returns: (skip): %TRUE if the lock was held, and is no longer
 *
 * Since: 1.0
 */
gboolean
quire_memory_try_unlock (QuireMemory  *memory,
                         QuireMapFlags flags,
                         GError      **error)
{
  g_return_val_if_fail (memory != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (flags != QUIRE_MAP_EXCLUSIVE && !quire_lock_check_flags (flags, error))
    return FALSE;

  if (!quire_lock_check_held (memory, flags, error))
    return FALSE;

  quire_lock_drop (memory, flags);
  return TRUE;
}

/**
 * quire_memory_is_writable:
 * @memory: a block
 *
 * Whether nothing that lasts forbids to write the block: it is not read-only,
 * has fewer than two owners, and no share of it is alive.
 *
 * Maps come and go, so they are not looked at: a map for writing may still be
 * refused with %QUIRE_MEMORY_ERROR_BUSY. Nor does it matter how many references
 * there are; a binding that holds one makes no block read-only.
 *
 * This function is thread-safe; the answer is one of this moment.
 *
 * Returns: whether the block may be written
 *
 * Since: 1.0
 */
gboolean
quire_memory_is_writable (QuireMemory *memory)
{
  guint64 word;

  g_return_val_if_fail (memory != NULL, FALSE);

  if (memory->flags & (QUIRE_MEMORY_FLAG_READONLY | QUIRE_MEMORY_INTERNAL_CLOSED))
    return FALSE;

  word = quire_atomic_load_acquire (&memory->lock);
  return COUNT (word, OWNERS) < 2 && (word & SHARES_MASK) == 0;
}

/**
 * quire_memory_describe_lock:
 * @memory: a block
 *
 * Says in words what stands on the block: its maps, owners and shares, as in
 * `2 READ maps, 1 share alive`. For people, not for programs.
 *
 * This function is thread-safe; the answer is one of this moment.
 *
 * Returns: (transfer full): the words
 *
 * Since: 1.0
 */
char *
quire_memory_describe_lock (QuireMemory *memory)
{
  g_return_val_if_fail (memory != NULL, NULL);

  return lock_describe (quire_atomic_load_relaxed (&memory->lock));
}
