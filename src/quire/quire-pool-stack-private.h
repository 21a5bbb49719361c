/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-overlay-private.h"

G_BEGIN_DECLS

/*
 * The blocks of a pool, and stacks of them that many threads push to and pop from
 * without a lock.
 *
 * A block has a number, from 1, for as long as there is the pool: its struct goes only
 * with the pool. So whoever looks at a block that another thread has popped meanwhile
 * sees no more than a number that is out of date, and its compare-and-swap fails.
 *
 * The head of a stack is one word:
 *
 *   bits    what
 *   0-23    the number of the block on top; 0: none; all ones: the stack is closed
 *   24-63   how often a block was popped
 *
 * The count makes the word another one when the same block comes to be on top again; for
 * it to be the same once more, a thread has to sleep through 2^40 pops, hours of them, to
 * the very one. And it is a figure that people want to know.
 *
 * Each block says how many are in the stack from it on. So a push and a pop are one
 * atomic operation each, and yet all is counted.
 */
#define QUIRE_POOL_INDEX_BITS   24
#define QUIRE_POOL_INDEX_CLOSED ((1u << QUIRE_POOL_INDEX_BITS) - 1)
#define QUIRE_POOL_MAX_BLOCKS   (QUIRE_POOL_INDEX_CLOSED - 1)
#define QUIRE_POOL_ONE_POP      (G_GUINT64_CONSTANT (1) << QUIRE_POOL_INDEX_BITS)

#define QUIRE_POOL_CACHE_LINE 64

typedef struct
{
  QuireOverlay overlay;

  guint32      index;
  /* Flags that the block below has brought along. */
  guint32      flags;

  /* Of the block in a stack. Atomic: others look while we write. */
  guint32      next;
  guint32      depth;
} QuirePoolBlock;

/* Chunks of 32, 64, 128, … structs. */
#define QUIRE_POOL_FIRST_CHUNK 32
#define QUIRE_POOL_N_CHUNKS    20

typedef struct
{
  guint8 *chunks[QUIRE_POOL_N_CHUNKS];
  guint32 n_made;
} QuirePoolStore;

typedef struct
{
  guint64 head;
} QuirePoolStack;

QuirePoolBlock *quire_pool_store_add    (QuirePoolStore *store);
void            quire_pool_store_clear  (QuirePoolStore *store);

guint           quire_pool_stack_close  (QuirePoolStack *stack);
guint64         quire_pool_stack_look   (QuirePoolStack *stack,
                                         QuirePoolStore *store,
                                         guint          *depth);

#define QUIRE_POOL_STRIDE \
  ((sizeof (QuirePoolBlock) + QUIRE_POOL_CACHE_LINE - 1) / QUIRE_POOL_CACHE_LINE * QUIRE_POOL_CACHE_LINE)

static inline guint
quire_pool_head_index (guint64 head)
{
  return (guint) (head & QUIRE_POOL_INDEX_CLOSED);
}

static inline gboolean
quire_pool_index_is_block (guint index)
{
  return index != 0 && index != QUIRE_POOL_INDEX_CLOSED;
}

/* Which chunk a block is in, and where. Chunk k begins with number 32 * (2^k - 1) + 1. */
static inline guint
quire_pool_store_locate (guint  index,
                         guint *place)
{
  const guint n = (index - 1) / QUIRE_POOL_FIRST_CHUNK + 1;
  const guint chunk = 31 - (guint) __builtin_clz (n);

  *place = index - 1 - QUIRE_POOL_FIRST_CHUNK * ((1u << chunk) - 1);
  return chunk;
}

static inline QuirePoolBlock *
quire_pool_store_get (QuirePoolStore *store,
                      guint           index)
{
  guint place;
  const guint chunk = quire_pool_store_locate (index, &place);
  guint8 *start = quire_atomic_load_acquire (&store->chunks[chunk]);

  return (QuirePoolBlock *) (gpointer) (start + (gsize) place * QUIRE_POOL_STRIDE);
}

/* How many blocks are on the stack whose head this is. */
static inline guint
quire_pool_stack_depth (QuirePoolStore *store,
                        guint64         head)
{
  const guint index = quire_pool_head_index (head);

  return quire_pool_index_is_block (index)
           ? quire_atomic_load_acquire (&quire_pool_store_get (store, index)->depth)
           : 0;
}

/*
 * quire_pool_stack_pop:
 * @left: (out): how many blocks are on the stack then
 *
 * Budget of atomic operations: 1, and one more for each thread that comes between.
 */
static inline QuirePoolBlock *
quire_pool_stack_pop (QuirePoolStack *stack,
                      QuirePoolStore *store,
                      guint          *left)
{
  guint64 head = quire_atomic_load_seq_cst (&stack->head);
  QuirePoolBlock *block;
  guint index, next;

  *left = 0;
  do
    {
      index = quire_pool_head_index (head);
      if (!quire_pool_index_is_block (index))
        return NULL;

      block = quire_pool_store_get (store, index);
      next = quire_atomic_load_relaxed (&block->next);
      *left = quire_atomic_load_relaxed (&block->depth) - 1;
    }
  while (!quire_atomic_cas_seq_cst (&stack->head, &head, head - index + next + QUIRE_POOL_ONE_POP));

  return block;
}

/*
 * quire_pool_stack_push:
 *
 * FALSE if the stack is closed. Budget of atomic operations: 1, and one more for each
 * thread that comes between.
 */
static inline gboolean
quire_pool_stack_push (QuirePoolStack *stack,
                       QuirePoolStore *store,
                       QuirePoolBlock *block)
{
  guint64 head = quire_atomic_load_acquire (&stack->head);
  guint index;

  do
    {
      index = quire_pool_head_index (head);
      if (index == QUIRE_POOL_INDEX_CLOSED)
        return FALSE;

      quire_atomic_store_relaxed (&block->next, index);
      quire_atomic_store_relaxed (&block->depth, quire_pool_stack_depth (store, head) + 1);
    }
  while (!quire_atomic_cas_seq_cst (&stack->head, &head, head - index + block->index));

  return TRUE;
}

static inline gboolean
quire_pool_stack_is_closed (QuirePoolStack *stack)
{
  return quire_pool_head_index (quire_atomic_load_seq_cst (&stack->head)) == QUIRE_POOL_INDEX_CLOSED;
}

G_END_DECLS
