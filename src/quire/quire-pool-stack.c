/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-pool-stack-private.h"

/* All numbers have their place. */
G_STATIC_ASSERT ((guint64) QUIRE_POOL_FIRST_CHUNK * ((1u << QUIRE_POOL_N_CHUNKS) - 1) >= QUIRE_POOL_MAX_BLOCKS);

/*
 * quire_pool_store_add:
 *
 * Makes the struct of a block that has a number, and nothing else yet. The caller sees to
 * it that there are not more of them than numbers.
 */
QuirePoolBlock *
quire_pool_store_add (QuirePoolStore *store)
{
  const guint index = quire_atomic_add_relaxed (&store->n_made, 1) + 1;
  guint place;
  const guint chunk = quire_pool_store_locate (index, &place);
  guint8 *start = quire_atomic_load_acquire (&store->chunks[chunk]);
  QuirePoolBlock *block;

  if (start == NULL)
    {
      guint8 *fresh = g_aligned_alloc0 ((gsize) QUIRE_POOL_FIRST_CHUNK << chunk, QUIRE_POOL_STRIDE,
                                        QUIRE_POOL_CACHE_LINE);

      /* Who is first has made it for all. */
      if (__atomic_compare_exchange_n (&store->chunks[chunk], &start, fresh, FALSE,
                                       __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        start = fresh;
      else
        g_aligned_free (fresh);
    }

  block = (QuirePoolBlock *) (gpointer) (start + (gsize) place * QUIRE_POOL_STRIDE);
  block->index = index;

  return block;
}

/* Nobody uses any of the blocks any more. */
void
quire_pool_store_clear (QuirePoolStore *store)
{
  for (guint i = 0; i < QUIRE_POOL_N_CHUNKS; i++)
    g_clear_pointer (&store->chunks[i], g_aligned_free);
  store->n_made = 0;
}

/*
 * quire_pool_stack_close:
 *
 * From here nothing is pushed or popped.
 *
 * Returns: the number of the block that was on top, the first of a chain that nobody else
 *   touches now; 0 if there was none, or if the stack was closed before
 */
guint
quire_pool_stack_close (QuirePoolStack *stack)
{
  guint64 head = quire_atomic_load_acquire (&stack->head);
  guint index;

  do
    {
      index = quire_pool_head_index (head);
      if (index == QUIRE_POOL_INDEX_CLOSED)
        return 0;
    }
  while (!quire_atomic_cas_seq_cst (&stack->head, &head, head | QUIRE_POOL_INDEX_CLOSED));

  return index;
}

/*
 * quire_pool_stack_look:
 * @depth: (out): how many blocks are on the stack
 *
 * Returns: how often a block was popped, modulo 2^40
 */
guint64
quire_pool_stack_look (QuirePoolStack *stack,
                       QuirePoolStore *store,
                       guint          *depth)
{
  guint64 head = quire_atomic_load_acquire (&stack->head);
  guint64 again;

  /* What the block on top says holds if it is on top still. */
  while (TRUE)
    {
      *depth = quire_pool_stack_depth (store, head);
      again = quire_atomic_load_acquire (&stack->head);
      if (again == head)
        return head >> QUIRE_POOL_INDEX_BITS;
      head = again;
    }
}
