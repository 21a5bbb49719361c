/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-lock.h"

#include "quire-error.h"
#include "quire-lock-private.h"
#include "quire-memory-private.h"

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

  append_count (string, QUIRE_LOCK_COUNT (word, READ), "READ map");
  append_count (string, QUIRE_LOCK_COUNT (word, WRITE), "WRITE map");
  append_count (string, QUIRE_LOCK_COUNT (word, RW), "READ+WRITE map");
  if (word & QUIRE_LOCK_UNIQUE_BIT)
    g_string_append (string, " (UNIQUE)");
  append_count (string, QUIRE_LOCK_COUNT (word, OWNERS), "owner");
  append_count (string, QUIRE_LOCK_COUNT (word, SHARES), (word & QUIRE_LOCK_PARTS_BIT) ? "part" : "share");
  if (word & QUIRE_LOCK_SHARES_MASK)
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

/* The rest is what quire-lock-private.h needs when a request is refused. */

gboolean
quire_lock_refuse_flags (QuireMapFlags flags,
                         GError      **error)
{
  g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
               (flags & QUIRE_LOCK_UNKNOWN_FLAGS) != 0
                 ? "The flags 0x%x have bits that mean nothing"
                 : "The flags 0x%x ask for neither READ nor WRITE",
               (guint) flags);
  return FALSE;
}

gboolean
quire_lock_refuse (QuireMemory  *memory,
                   QuireMapFlags flags,
                   guint64       word,
                   GError      **error)
{
  g_autofree char *request = NULL;

  if (error == NULL)
    return FALSE;

  request = flags_describe (flags);
  set_busy (error, memory, request, word);
  return FALSE;
}

gboolean
quire_lock_refuse_share (QuireMemory *memory,
                         guint64      word,
                         GError     **error)
{
  if (error != NULL)
    set_busy (error, memory, "a share", word);
  return FALSE;
}

gboolean
quire_lock_refuse_drop (QuireMemory  *memory,
                        QuireMapFlags flags,
                        guint64       word,
                        GError      **error)
{
  g_autofree char *state = NULL;
  g_autofree char *request = NULL;

  if (error == NULL)
    return FALSE;

  state = lock_describe (word);
  request = flags_describe (flags);
  g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED,
               "The block of %" G_GSIZE_FORMAT " bytes has no %s lock to drop: %s",
               quire_atomic_load_relaxed (&memory->size), request, state);
  return FALSE;
}

gboolean
quire_lock_complain (QuireMemory  *memory,
                     QuireMapFlags flags,
                     const char   *function)
{
  g_autoptr (GError) error = NULL;

  quire_lock_refuse_drop (memory, flags, quire_atomic_load_relaxed (&memory->lock), &error);
  g_critical ("%s: %s", function, error->message);
  return FALSE;
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

  if (!quire_lock_take (memory, flags, error))
    return FALSE;

  quire_atomic_add_relaxed (&memory->held, quire_lock_increment (flags));
  return TRUE;
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
  guint64 held;

  g_return_val_if_fail (memory != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (flags != QUIRE_MAP_EXCLUSIVE && !quire_lock_check_flags (flags, error))
    return FALSE;

  if (!quire_memory_check_access (memory, QUIRE_MAP_READ, error) ||
      !quire_lock_check_held (memory, flags, error))
    return FALSE;

  held = quire_atomic_load_relaxed (&memory->held);
  do
    {
      if (!quire_lock_holds (held, flags))
        return quire_lock_refuse_drop (memory, flags, held, error);
    }
  while (!quire_atomic_cas_acq_rel (&memory->held, &held, held - quire_lock_increment (flags)));

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

  if (quire_memory_has_flags (memory, QUIRE_MEMORY_FLAG_READONLY | QUIRE_MEMORY_INTERNAL_CLOSED))
    return FALSE;

  word = quire_atomic_load_acquire (&memory->lock);
  return QUIRE_LOCK_COUNT (word, OWNERS) < 2 && (word & QUIRE_LOCK_SHARES_MASK) == 0;
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
