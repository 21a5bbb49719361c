/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-binding.h"
#include "quire-pool-allocator.h"
#include "quire-pool-stack-private.h"

G_BEGIN_DECLS

/*
 * What a pool has at work, apart from the object.
 *
 * A block is in one of three places: on the stack of those that are free; out, with
 * somebody who has references on it; or, when it has no block below, on the stack of
 * those that are empty. Whoever has popped one is alone with it.
 *
 * Budget of atomic operations: an allocation 1, to pop, and 1 for the reference on the
 * pool; the end of the block 1, to push, and 1 for that reference. Nothing more is
 * written that threads share, but for a new record of how many are out.
 */
typedef struct
{
  /* What all write has a cache line to itself. */
  QuirePoolStack free __attribute__ ((aligned (QUIRE_POOL_CACHE_LINE)));

  /* What is read often, and written seldom. */
  guint          n_blocks __attribute__ ((aligned (QUIRE_POOL_CACHE_LINE)));
  guint          max_out;
  guint          n_waiting;
  guint          max_blocks;
  QuirePoolStore store;

  QuirePoolStack empty;
  /* Blocks made, and those that were popped for something else than an allocation. */
  guint64        n_made;
  guint64        n_put_aside;

  /* For who waits, and nothing else. */
  GMutex         mutex;
  GCond          cond;
} QuirePool;

typedef enum
{
  /* All are out. */
  QUIRE_POOL_NOTHING,
  QUIRE_POOL_CLOSED,
  QUIRE_POOL_CANCELLED,
  /* There is an error that says why. */
  QUIRE_POOL_INTERRUPTED,
  /* A block that was free. */
  QUIRE_POOL_BLOCK,
  /* A block with none below yet, and the right to make that. */
  QUIRE_POOL_RIGHT,
} QuirePoolTake;

void          quire_pool_init      (QuirePool       *pool,
                                    guint            max_blocks);
void          quire_pool_clear     (QuirePool       *pool);

QuirePoolTake quire_pool_take      (QuirePool       *pool,
                                    QuirePoolBlock **block);
QuirePoolTake quire_pool_wait      (QuirePool       *pool,
                                    gint64           max_wait,
                                    GCancellable    *cancellable,
                                    QuirePoolBlock **block,
                                    GError         **error);
QuirePoolTake quire_pool_claim     (QuirePool       *pool,
                                    QuirePoolBlock **block);
void          quire_pool_note_made (QuirePool       *pool);
void          quire_pool_give      (QuirePool       *pool,
                                    QuirePoolBlock  *block);
void          quire_pool_disclaim  (QuirePool       *pool,
                                    QuirePoolBlock  *block);
guint         quire_pool_trim      (QuirePool       *pool,
                                    guint            keep);
void          quire_pool_close     (QuirePool       *pool);
void          quire_pool_look      (QuirePool       *pool,
                                    QuirePoolStats  *stats);

/* Of all pools. */
void          quire_pool_set_interruption (QuireBindingInterruption function);

G_END_DECLS
