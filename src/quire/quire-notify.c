/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-notify.h"

#include "quire-memory.h"
#include "quire-notify-private.h"

/* Equal ones are a list, of which the first knows the last. */
typedef struct _WeakNotify WeakNotify;
struct _WeakNotify
{
  QuireMemoryNotify notify;
  gpointer          user_data;
  WeakNotify       *next_equal;
  WeakNotify       *last_equal;
  GList             link;
};

/* The weak notifies of a block, in the order in which they were added, and the first of
 * equal ones by what it is. */
typedef struct
{
  GQueue      all;
  GHashTable *firsts;
} WeakNotifies;

/* They hang on the block as qdata. Few blocks have any, so one lock serves them all. */
static GMutex weak_lock;
static G_DEFINE_QUARK (quire-memory-weak-notifies, weak_notifies)

static guint
weak_notify_hash (gconstpointer key)
{
  const WeakNotify *weak = key;

  return g_direct_hash (weak->user_data) ^ g_direct_hash ((gconstpointer) weak->notify);
}

static gboolean
weak_notify_equal (gconstpointer a,
                   gconstpointer b)
{
  const WeakNotify *one = a, *other = b;

  return one->notify == other->notify && one->user_data == other->user_data;
}

static WeakNotifies *
weak_notifies_new (void)
{
  WeakNotifies *notifies = g_new0 (WeakNotifies, 1);

  notifies->firsts = g_hash_table_new (weak_notify_hash, weak_notify_equal);
  return notifies;
}

static void
weak_notifies_free (gpointer data)
{
  WeakNotifies *notifies = data;
  GList *link;

  while ((link = g_queue_pop_head_link (&notifies->all)) != NULL)
    g_free (link->data);
  g_hash_table_unref (notifies->firsts);
  g_free (notifies);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeakNotifies, weak_notifies_free)

static void
weak_notifies_add (WeakNotifies     *notifies,
                   QuireMemoryNotify notify,
                   gpointer          user_data)
{
  WeakNotify *weak = g_new0 (WeakNotify, 1);
  WeakNotify *first;

  weak->notify = notify;
  weak->user_data = user_data;
  weak->link.data = weak;
  g_queue_push_tail_link (&notifies->all, &weak->link);

  first = g_hash_table_lookup (notifies->firsts, weak);
  if (first != NULL)
    {
      first->last_equal->next_equal = weak;
    }
  else
    {
      first = weak;
      g_hash_table_add (notifies->firsts, first);
    }
  first->last_equal = weak;
}

/* Of equal ones the first. */
static gboolean
weak_notifies_remove (WeakNotifies     *notifies,
                      QuireMemoryNotify notify,
                      gpointer          user_data)
{
  const WeakNotify key = { .notify = notify, .user_data = user_data };
  WeakNotify *first = g_hash_table_lookup (notifies->firsts, &key);

  if (first == NULL)
    return FALSE;

  if (first->next_equal != NULL)
    {
      first->next_equal->last_equal = first->last_equal;
      g_hash_table_add (notifies->firsts, first->next_equal);
    }
  else
    {
      g_hash_table_remove (notifies->firsts, first);
    }
  g_queue_unlink (&notifies->all, &first->link);
  g_free (first);

  return TRUE;
}

/*
 * quire_notify_run:
 *
 * The last reference of the block has gone: its weak notifies run, in the order
 * in which they were added, then its qdata is destroyed.
 */
void
quire_notify_run (QuireMemory *memory)
{
  g_autoptr (WeakNotifies) notifies = g_datalist_id_remove_no_notify (&memory->qdata,
                                                                      weak_notifies_quark ());

  for (GList *link = notifies != NULL ? notifies->all.head : NULL; link != NULL; link = link->next)
    {
      const WeakNotify *weak = link->data;

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
  WeakNotifies *notifies;

  g_return_if_fail (memory != NULL);
  g_return_if_fail (notify != NULL);

  g_mutex_lock (&weak_lock);
  notifies = g_datalist_id_get_data (&memory->qdata, weak_notifies_quark ());
  if (notifies == NULL)
    {
      notifies = weak_notifies_new ();
      g_datalist_id_set_data_full (&memory->qdata, weak_notifies_quark (), notifies, weak_notifies_free);
    }
  weak_notifies_add (notifies, notify, user_data);
  g_mutex_unlock (&weak_lock);
}

/**
 * quire_memory_weak_unref: (skip)
 * @memory: a block
 * @notify: a function that was given to [method@Memory.weak_ref]
 * @user_data: the data that was given with it
 *
 * Takes a weak notify back, of equal ones the first, in a time that does not
 * depend on how many there are. To take back one that isn't there is a
 * programmer's error.
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
  WeakNotifies *notifies;
  gboolean found;

  g_return_if_fail (memory != NULL);

  g_mutex_lock (&weak_lock);
  notifies = g_datalist_id_get_data (&memory->qdata, weak_notifies_quark ());
  found = notifies != NULL && weak_notifies_remove (notifies, notify, user_data);
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
