/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-notify.h"

#include "quire-memory.h"
#include "quire-notify-private.h"

typedef struct
{
  QuireMemoryNotify notify;
  gpointer          user_data;
} WeakNotify;

/* The weak notifies of a block are an array in its qdata. Few blocks have any,
 * so one lock serves them all. */
static GMutex weak_lock;
static G_DEFINE_QUARK (quire-memory-weak-notifies, weak_notifies)

/*
 * quire_notify_run:
 *
 * The last reference of the block has gone: its weak notifies run, in the order
 * in which they were added, then its qdata is destroyed.
 */
void
quire_notify_run (QuireMemory *memory)
{
  g_autoptr (GArray) notifies = g_datalist_id_remove_no_notify (&memory->qdata,
                                                                weak_notifies_quark ());

  for (guint i = 0; notifies != NULL && i < notifies->len; i++)
    {
      const WeakNotify *weak = &g_array_index (notifies, WeakNotify, i);

      weak->notify (weak->user_data, memory);
    }

  g_datalist_clear (&memory->qdata);
}

/**
 * quire_memory_weak_ref: (skip)
 * @memory: a block
 * @notify: called once, when the last reference on the block goes
 * @user_data: data for @notify
 *
 * Asks to be told when a block dies, without keeping it alive.
 *
 * @notify runs on the thread that drops the last reference. It gets the address
 * to compare with, and must not use the block. Nothing makes a reference out of
 * a weak one.
 *
 * This function is thread-safe; the caller has a reference.
 *
 * Since: 1.0
 */
void
quire_memory_weak_ref (QuireMemory      *memory,
                       QuireMemoryNotify notify,
                       gpointer          user_data)
{
  const WeakNotify weak = { notify, user_data };
  GArray *notifies;

  g_return_if_fail (memory != NULL);
  g_return_if_fail (notify != NULL);

  g_mutex_lock (&weak_lock);
  notifies = g_datalist_id_get_data (&memory->qdata, weak_notifies_quark ());
  if (notifies == NULL)
    {
      notifies = g_array_new (FALSE, FALSE, sizeof (WeakNotify));
      g_datalist_id_set_data_full (&memory->qdata, weak_notifies_quark (), notifies,
                                   (GDestroyNotify) g_array_unref);
    }
  g_array_append_val (notifies, weak);
  g_mutex_unlock (&weak_lock);
}

/**
 * quire_memory_weak_unref: (skip)
 * @memory: a block
 * @notify: a function that was given to [method@Memory.weak_ref]
 * @user_data: the data that was given with it
 *
 * Takes a weak notify back. To take back one that isn't there is a programmer's
 * error.
 *
 * This function is thread-safe; the caller has a reference.
 *
 * Since: 1.0
 */
void
quire_memory_weak_unref (QuireMemory      *memory,
                         QuireMemoryNotify notify,
                         gpointer          user_data)
{
  gboolean found = FALSE;
  GArray *notifies;

  g_return_if_fail (memory != NULL);

  g_mutex_lock (&weak_lock);
  notifies = g_datalist_id_get_data (&memory->qdata, weak_notifies_quark ());
  for (guint i = 0; notifies != NULL && i < notifies->len && !found; i++)
    {
      const WeakNotify *weak = &g_array_index (notifies, WeakNotify, i);

      found = weak->notify == notify && weak->user_data == user_data;
      if (found)
        g_array_remove_index (notifies, i);
    }
  g_mutex_unlock (&weak_lock);

  if (!found)
    g_critical ("%s: the block has no such weak notify", G_STRFUNC);
}

/**
 * quire_memory_set_qdata: (skip)
 * @memory: a block
 * @quark: a name
 * @data: (nullable): what the name shall stand for, or %NULL for nothing
 * @destroy: (nullable): called with @data when it is replaced, and when the
 *   block dies
 *
 * Hangs data on a block. What the name stood for before is destroyed.
 *
 * This function is thread-safe.
 *
 * Since: 1.0
 */
void
quire_memory_set_qdata (QuireMemory   *memory,
                        GQuark         quark,
                        gpointer       data,
                        GDestroyNotify destroy)
{
  g_return_if_fail (memory != NULL);
  g_return_if_fail (quark != 0);

  g_datalist_id_set_data_full (&memory->qdata, quark, data, destroy);
}

/**
 * quire_memory_get_qdata: (skip)
 * @memory: a block
 * @quark: a name
 *
 * Looks up what [method@Memory.set_qdata] hung on a block.
 *
 * This function is thread-safe.
 *
 * Returns: (transfer none) (nullable): the data, or %NULL
 *
 * Since: 1.0
 */
gpointer
quire_memory_get_qdata (QuireMemory *memory,
                        GQuark       quark)
{
  g_return_val_if_fail (memory != NULL, NULL);
  g_return_val_if_fail (quark != 0, NULL);

  return g_datalist_id_get_data (&memory->qdata, quark);
}

/**
 * quire_memory_steal_qdata: (skip)
 * @memory: a block
 * @quark: a name
 *
 * Takes data off a block, without destroying it.
 *
 * This function is thread-safe.
 *
 * Returns: (transfer full) (nullable): the data, or %NULL
 *
 * Since: 1.0
 */
gpointer
quire_memory_steal_qdata (QuireMemory *memory,
                          GQuark       quark)
{
  g_return_val_if_fail (memory != NULL, NULL);
  g_return_val_if_fail (quark != 0, NULL);

  return g_datalist_id_remove_no_notify (&memory->qdata, quark);
}
