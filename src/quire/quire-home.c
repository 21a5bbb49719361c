/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-home-private.h"

#include "quire-atomic-private.h"
#include "quire-binding.h"

typedef struct _Waiting Waiting;

struct _Waiting
{
  QuireHomeCall call;
  QuireHomeCall drop;
  gpointer      allocator;
  gpointer      subject;
  Waiting      *next;
};

/* There is one for each thread that asked for it. The thread has a reference, each
 * allocator, and what it put into the main context. */
struct _QuireHome
{
  GMainContext       *context;
  /* Only the thread itself looks at these. */
  gboolean            is_dispatching;
  QuireBindingPrelude prelude;

  /* Atomic. What waits, the last first; or HOME_IS_GONE. */
  Waiting            *waiting;
  /* Atomic. Whether the context will come here. */
  gint                has_source;
};

static Waiting gone;
#define HOME_IS_GONE (&gone)

static void leave_home (gpointer data);

static GPrivate my_home = G_PRIVATE_INIT (leave_home);

/* Takes all that waits, in its order. */
static Waiting *
take_waiting (QuireHome *home,
              Waiting   *left)
{
  Waiting *last_first = quire_atomic_exchange (&home->waiting, left);
  Waiting *first = NULL;

  while (last_first != NULL)
    {
      Waiting *next = last_first->next;

      last_first->next = first;
      first = last_first;
      last_first = next;
    }

  return first;
}

/* The thread has ended: what waits can't be told any more. */
static void
leave_home (gpointer data)
{
  QuireHome *home = data;
  Waiting *waiting = take_waiting (home, HOME_IS_GONE);

  while (waiting != NULL)
    {
      g_autofree Waiting *this = waiting;

      waiting = this->next;
      this->drop (this->allocator, this->subject);
    }
  quire_home_unref (home);
}

static void
home_clear (gpointer data)
{
  QuireHome *home = data;

  g_main_context_unref (home->context);
}

void
quire_home_unref (QuireHome *home)
{
  g_atomic_rc_box_release_full (home, home_clear);
}

/* The home that is the calling thread, with a reference for the caller. */
QuireHome *
quire_home_ref_mine (void)
{
  QuireHome *home = g_private_get (&my_home);

  if (home == NULL)
    {
      home = g_atomic_rc_box_new0 (QuireHome);
      home->context = g_main_context_ref_thread_default ();
      g_private_set (&my_home, home);
    }

  return g_atomic_rc_box_acquire (home);
}

gboolean
quire_home_is_mine (QuireHome *home)
{
  return g_private_get (&my_home) == home;
}

/**
 * quire_binding_set_prelude: (skip)
 * @prelude: (nullable): a function
 *
 * Has a function called on this thread right before each function of an allocator that has
 * its home here: for a binding whose engine may first have to end what it is at.
 *
 * Since: 1.0
 */
void
quire_binding_set_prelude (QuireBindingPrelude prelude)
{
  QuireHome *home = quire_home_ref_mine ();

  home->prelude = prelude;
  quire_home_unref (home);
}

/* A function is about to be called on this thread, which is the home. */
void
quire_home_prepare (QuireHome *home)
{
  if (home->prelude != NULL)
    home->prelude ();
}

static gboolean
dispatch_from_loop (gpointer data)
{
  QuireHome *home = data;

  (void) quire_atomic_exchange (&home->has_source, FALSE);

  /* Another thread may run the context for once; then what waits waits on. */
  if (quire_home_is_mine (home))
    quire_home_dispatch ();

  return G_SOURCE_REMOVE;
}

/* Sees to it that the main context comes here. */
static void
come_from_loop (QuireHome *home)
{
  g_autoptr (GSource) source = NULL;

  if (quire_atomic_exchange (&home->has_source, TRUE))
    return;

  source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, dispatch_from_loop, g_atomic_rc_box_acquire (home),
                         (GDestroyNotify) quire_home_unref);
  g_source_set_static_name (source, "[quire] dispatch");
  g_source_attach (source, home->context);
}

/* Has a call made on the thread of the home. */
void
quire_home_push (QuireHome    *home,
                 QuireHomeCall call,
                 QuireHomeCall drop,
                 gpointer      allocator,
                 gpointer      subject)
{
  Waiting *this = g_new (Waiting, 1);
  Waiting *last = quire_atomic_load_relaxed (&home->waiting);

  *this = (Waiting) { call, drop, allocator, subject, NULL };
  do
    {
      if (last == HOME_IS_GONE)
        {
          g_free (this);
          drop (allocator, subject);
          return;
        }
      this->next = last;
    }
  while (!quire_atomic_cas_acq_rel (&home->waiting, &last, this));

  come_from_loop (home);
}

/*
 * quire_home_dispatch:
 *
 * Makes the calls that wait for this thread, in their order, at a moment when it may be
 * called. What comes while they are made waits for the next time.
 *
 * Returns: how many were made
 */
guint
quire_home_dispatch (void)
{
  QuireHome *home = g_private_get (&my_home);
  Waiting *waiting;
  guint n_made = 0;

  /* What comes back here from such a call has to let it end first. */
  if (home == NULL || home->is_dispatching || quire_atomic_load_relaxed (&home->waiting) == NULL)
    return 0;

  home->is_dispatching = TRUE;
  waiting = take_waiting (home, NULL);
  while (waiting != NULL)
    {
      g_autofree Waiting *this = waiting;

      waiting = this->next;
      this->call (this->allocator, this->subject);
      n_made++;
    }
  home->is_dispatching = FALSE;

  /* A loop that ran within one of the calls came here for nothing. */
  if (quire_atomic_load_relaxed (&home->waiting) != NULL)
    come_from_loop (home);

  return n_made;
}
