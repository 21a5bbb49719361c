/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-pool-private.h"

/* How long a wait goes on until it is asked whether it shall. */
#define PAUSE (50 * G_TIME_SPAN_MILLISECOND)

void
quire_pool_init (QuirePool *pool,
                 guint      max_blocks)
{
  pool->max_blocks = max_blocks;
  g_mutex_init (&pool->mutex);
  g_cond_init (&pool->cond);
}

/* No block is out, and none is free. */
void
quire_pool_clear (QuirePool *pool)
{
  quire_pool_store_clear (&pool->store);
  g_mutex_clear (&pool->mutex);
  g_cond_clear (&pool->cond);
}

/*
 * Who waits, and who has something for him
 *
 * A waiter adds himself to n_waiting, and looks once more for a block; and if there is
 * none he sleeps. Who gives a block back pushes it, and then looks whether somebody waits.
 * All four are sequentially consistent: so if the waiter did not see the block, the other
 * one sees the waiter.
 *
 * The waiter has the mutex from before he counts until he sleeps, which lets go of it.
 * Who saw him takes the mutex to signal, and so the signal comes when he sleeps.
 *
 * One block wakes one waiter. If somebody else was faster he goes to sleep again; that
 * one's block comes back too. A waiter who has had enough, or was cancelled, may be the one
 * that was signalled: so he looks a last time, and no signal is lost with him.
 *
 * Where nobody waits that is one load, and the mutex is not touched.
 */
static void
wake (QuirePool *pool)
{
  if (G_LIKELY (quire_atomic_load_seq_cst (&pool->n_waiting) == 0))
    return;

  g_mutex_lock (&pool->mutex);
  g_cond_signal (&pool->cond);
  g_mutex_unlock (&pool->mutex);
}

static void
wake_all (QuirePool *pool)
{
  g_mutex_lock (&pool->mutex);
  g_cond_broadcast (&pool->cond);
  g_mutex_unlock (&pool->mutex);
}

static void
note_max (QuirePool *pool,
          guint      n_out)
{
  guint max_out = quire_atomic_load_relaxed (&pool->max_out);

  while (G_UNLIKELY (n_out > max_out))
    {
      if (quire_atomic_cas_acq_rel (&pool->max_out, &max_out, n_out))
        break;
    }
}

/* How many are out is what is not free. A block that is just being made, or given back to
 * the other allocator, is out in that sense. The two numbers are not of one moment: who
 * trims or makes blocks ahead just now may be in there. */
static void
note_out (QuirePool *pool,
          guint      n_free)
{
  const guint n_blocks = quire_atomic_load_relaxed (&pool->n_blocks);

  if (G_LIKELY (n_blocks > n_free))
    note_max (pool, n_blocks - n_free);
}

static QuirePoolBlock *
pop_free (QuirePool *pool)
{
  guint left;
  QuirePoolBlock *block = quire_pool_stack_pop (&pool->free, &pool->store, &left);

  if (G_LIKELY (block != NULL))
    note_out (pool, left);
  return block;
}

/*
 * quire_pool_claim:
 * @block: (out): a block that has none below
 *
 * Gets the right to make one more block: %QUIRE_POOL_RIGHT, if there is one.
 */
QuirePoolTake
quire_pool_claim (QuirePool       *pool,
                  QuirePoolBlock **block)
{
  guint n_blocks = quire_atomic_load_seq_cst (&pool->n_blocks);
  guint left;

  if (quire_pool_stack_is_closed (&pool->free))
    return QUIRE_POOL_CLOSED;

  do
    {
      if (n_blocks >= pool->max_blocks)
        return QUIRE_POOL_NOTHING;
    }
  while (!quire_atomic_cas_seq_cst (&pool->n_blocks, &n_blocks, n_blocks + 1));

  *block = quire_pool_stack_pop (&pool->empty, &pool->store, &left);
  if (*block == NULL)
    *block = quire_pool_store_add (&pool->store);

  return QUIRE_POOL_RIGHT;
}

/*
 * quire_pool_take:
 * @block: (out): a block, for %QUIRE_POOL_BLOCK and %QUIRE_POOL_RIGHT
 *
 * Takes a block that is free, or else the right to make one.
 */
QuirePoolTake
quire_pool_take (QuirePool       *pool,
                 QuirePoolBlock **block)
{
  QuirePoolTake take;

  *block = pop_free (pool);
  if (G_LIKELY (*block != NULL))
    return QUIRE_POOL_BLOCK;

  take = quire_pool_claim (pool, block);
  if (take == QUIRE_POOL_NOTHING)
    {
      /* There may have been less blocks when none was free. Now it is sure that all are
       * made; if again none is free, all are out. */
      *block = pop_free (pool);
      if (*block != NULL)
        return QUIRE_POOL_BLOCK;
    }

  return take;
}

/*
 * quire_pool_note_made:
 *
 * A block that was just made goes out.
 */
void
quire_pool_note_made (QuirePool *pool)
{
  guint n_free;

  quire_pool_stack_look (&pool->free, &pool->store, &n_free);
  note_out (pool, n_free);
}

static void
on_cancelled (GCancellable *cancellable,
              gpointer      data)
{
  wake_all (data);
}

/* Atomic. */
static QuireBindingInterruption interruption;

void
quire_pool_set_interruption (QuireBindingInterruption function)
{
  quire_atomic_store_relaxed (&interruption, function);
}

/* What wakes us while we don't sleep is lost; but who goes on looks for a block again, and
 * who ends wakes another one. */
static gboolean
is_interrupted (QuirePool               *pool,
                QuireBindingInterruption function,
                GError                 **error)
{
  gboolean result;

  g_mutex_unlock (&pool->mutex);
  result = function (error);
  g_mutex_lock (&pool->mutex);
  if (result)
    g_cond_signal (&pool->cond);

  return result;
}

/*
 * quire_pool_wait:
 * @max_wait: microseconds, or -1 for as long as it takes
 * @cancellable: (nullable):
 *
 * As quire_pool_take(), but waits for a block if all are out.
 */
QuirePoolTake
quire_pool_wait (QuirePool       *pool,
                 gint64           max_wait,
                 GCancellable    *cancellable,
                 QuirePoolBlock **block,
                 GError         **error)
{
  const QuireBindingInterruption interrupt = quire_atomic_load_relaxed (&interruption);
  const gint64 now = g_get_monotonic_time ();
  const gint64 deadline = max_wait < 0 || max_wait > G_MAXINT64 - now ? G_MAXINT64 : now + max_wait;
  /* When to ask next whether to go on. */
  gint64 pause = interrupt != NULL ? now + PAUSE : G_MAXINT64;
  gboolean enough = FALSE;
  QuirePoolTake take;
  gulong handler = 0;

  /* Not under the mutex, for this may call on_cancelled(). */
  if (cancellable != NULL)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), pool, NULL);

  g_mutex_lock (&pool->mutex);
  quire_atomic_add_seq_cst (&pool->n_waiting, 1);

  while (TRUE)
    {
      take = quire_pool_take (pool, block);
      if (take != QUIRE_POOL_NOTHING || enough)
        break;

      if (g_cancellable_is_cancelled (cancellable))
        {
          take = QUIRE_POOL_CANCELLED;
          break;
        }

      if (MIN (deadline, pause) == G_MAXINT64)
        {
          g_cond_wait (&pool->cond, &pool->mutex);
        }
      else if (!g_cond_wait_until (&pool->cond, &pool->mutex, MIN (deadline, pause)))
        {
          enough = deadline <= pause;
          if (!enough && is_interrupted (pool, interrupt, error))
            {
              take = QUIRE_POOL_INTERRUPTED;
              break;
            }
          pause = g_get_monotonic_time () + PAUSE;
        }
    }

  quire_atomic_sub_seq_cst (&pool->n_waiting, 1);
  g_mutex_unlock (&pool->mutex);

  /* Nor is this under the mutex: it waits for on_cancelled() to return. */
  g_cancellable_disconnect (cancellable, handler);

  return take;
}

/* A block that is popped has lost the one below: another may be made for it. */
static void
put_empty (QuirePool      *pool,
           QuirePoolBlock *block)
{
  quire_pool_stack_push (&pool->empty, &pool->store, block);
  quire_atomic_sub_seq_cst (&pool->n_blocks, 1);
  wake (pool);
}

/* Gives the block below to its allocator. */
static void
empty_block (QuirePool      *pool,
             QuirePoolBlock *block)
{
  quire_overlay_clear (&block->overlay);
  put_empty (pool, block);
}

/*
 * quire_pool_disclaim:
 *
 * The right to make a block was of no use.
 */
void
quire_pool_disclaim (QuirePool      *pool,
                     QuirePoolBlock *block)
{
  put_empty (pool, block);
}

/*
 * quire_pool_give:
 *
 * A block is free now: it has come back, or was made ahead.
 */
void
quire_pool_give (QuirePool      *pool,
                 QuirePoolBlock *block)
{
  if (G_LIKELY (quire_pool_stack_push (&pool->free, &pool->store, block)))
    wake (pool);
  else
    empty_block (pool, block);
}

/*
 * quire_pool_trim:
 *
 * Gives free blocks back until no more than @keep are free. They are popped one by one,
 * for meanwhile others shall find those that are left.
 */
guint
quire_pool_trim (QuirePool *pool,
                 guint      keep)
{
  guint n_trimmed = 0;
  guint n_free;

  while (quire_pool_stack_look (&pool->free, &pool->store, &n_free), n_free > keep)
    {
      QuirePoolBlock *block = quire_pool_stack_pop (&pool->free, &pool->store, &n_free);

      if (block == NULL)
        break;

      quire_atomic_add_seq_cst (&pool->n_put_aside, 1);
      if (n_free < keep)
        {
          /* Somebody else has popped one in between. */
          quire_pool_give (pool, block);
          break;
        }
      empty_block (pool, block);
      n_trimmed++;
    }

  return n_trimmed;
}

/*
 * quire_pool_close:
 *
 * From here no block is given out, and none is kept that comes back.
 */
void
quire_pool_close (QuirePool *pool)
{
  guint index = quire_pool_stack_close (&pool->free);

  while (index != 0)
    {
      QuirePoolBlock *block = quire_pool_store_get (&pool->store, index);

      index = quire_atomic_load_relaxed (&block->next);
      empty_block (pool, block);
    }

  wake_all (pool);
}

/* All of one moment: neither how many blocks there are, nor how many were put aside, did
 * change while the free ones were counted. A block that a trim has just popped may count as
 * recycled until it is put aside. */
void
quire_pool_look (QuirePool      *pool,
                 QuirePoolStats *stats)
{
  guint64 n_pops, n_put_aside;
  guint n_blocks;

  *stats = (QuirePoolStats) { 0, };

  do
    {
      n_put_aside = quire_atomic_load_seq_cst (&pool->n_put_aside);
      n_blocks = quire_atomic_load_seq_cst (&pool->n_blocks);
      n_pops = quire_pool_stack_look (&pool->free, &pool->store, &stats->n_free);
    }
  while (n_blocks != quire_atomic_load_seq_cst (&pool->n_blocks) ||
         n_put_aside != quire_atomic_load_seq_cst (&pool->n_put_aside));

  stats->n_blocks = n_blocks;
  stats->n_out = n_blocks > stats->n_free ? n_blocks - stats->n_free : 0;
  note_max (pool, stats->n_out);
  stats->max_out = quire_atomic_load_relaxed (&pool->max_out);
  stats->n_waiting = quire_atomic_load_relaxed (&pool->n_waiting);
  stats->n_made = quire_atomic_load_relaxed (&pool->n_made);
  stats->n_recycled = n_pops > n_put_aside ? n_pops - n_put_aside : 0;
}
