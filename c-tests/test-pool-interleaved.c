/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test.h"

#include "quire/quire-pool-private.h"

/* What is at work in a pool, when another thread comes between a look at something and the
 * compare-and-swap that relies on it. There are no threads here: what the other one would
 * do is done at that very moment. */

static QuirePool pool;
static guint n_cleared;

/* Of the other thread. */
static const void *awaited;
static void (*intrude) (void);
static QuirePoolBlock *theirs[2];

void
quire_test_before_cas (const void *where)
{
  if (where != awaited)
    return;

  awaited = NULL;
  intrude ();
}

/* There are no blocks below. */
void
quire_overlay_clear (QuireOverlay *overlay)
{
  n_cleared++;
}

/* Before the next compare-and-swap at @where, another thread does this. */
static void
let_intrude (const void *where,
             void      (*what) (void))
{
  awaited = where;
  intrude = what;
}

static QuirePoolBlock *
claim (void)
{
  QuirePoolBlock *block;

  g_assert_cmpint (quire_pool_claim (&pool, &block), ==, QUIRE_POOL_RIGHT);
  return block;
}

static QuirePoolBlock *
take (void)
{
  QuirePoolBlock *block;

  g_assert_cmpint (quire_pool_take (&pool, &block), ==, QUIRE_POOL_BLOCK);
  return block;
}

static void
assert_refused (QuirePoolTake why)
{
  QuirePoolBlock *block;

  g_assert_cmpint (quire_pool_take (&pool, &block), ==, why);
}

static void
assert_free (guint n_free)
{
  guint depth;

  quire_pool_stack_look (&pool.free, &pool.store, &depth);
  g_assert_cmpuint (depth, ==, n_free);
}

/* A pool of so many blocks at most; those in @blocks are free, the first one on top. */
static void
set_up (guint            max_blocks,
        QuirePoolBlock **blocks,
        guint            n_blocks)
{
  pool = (QuirePool) { .max_blocks = 0 };
  n_cleared = 0;
  quire_pool_init (&pool, max_blocks);
  for (guint i = 0; i < n_blocks; i++)
    blocks[i] = claim ();
  for (guint i = n_blocks; i-- > 0;)
    quire_pool_give (&pool, blocks[i]);
  assert_free (n_blocks);
}

static void
tear_down (void)
{
  g_assert_null (awaited);
  quire_pool_clear (&pool);
}

static void
take_one (void)
{
  theirs[0] = take ();
}

static void
take_two (void)
{
  theirs[0] = take ();
  theirs[1] = take ();
}

static void
take_two_and_give_first (void)
{
  take_two ();
  quire_pool_give (&pool, theirs[0]);
}

static void
test_pop (void)
{
  QuirePoolBlock *blocks[2];

  g_test_summary ("A block that is on top again has not under it what it had");

  set_up (2, blocks, 2);
  let_intrude (&pool.free.head, take_two_and_give_first);
  g_assert_true (take () == blocks[0]);
  g_assert_true (theirs[1] == blocks[1]);
  assert_free (0);
  assert_refused (QUIRE_POOL_NOTHING);
  tear_down ();
}

static void
test_push (void)
{
  QuirePoolBlock *blocks[3];

  g_test_summary ("Nor has it as many");

  set_up (3, blocks, 3);
  g_assert_true (take () == blocks[0]);
  let_intrude (&pool.free.head, take_two_and_give_first);
  quire_pool_give (&pool, blocks[0]);
  g_assert_true (theirs[1] == blocks[2]);
  assert_free (2);
  g_assert_true (take () == blocks[0]);
  g_assert_true (take () == blocks[1]);
  assert_refused (QUIRE_POOL_NOTHING);
  tear_down ();
}

static void
come_back_and_make_last (void)
{
  quire_pool_give (&pool, theirs[0]);
  quire_pool_give (&pool, claim ());
}

static void
test_take (void)
{
  g_test_summary ("While there is room or a block, nobody is told that all are out");

  set_up (2, NULL, 0);
  theirs[0] = claim ();
  let_intrude (&pool.n_blocks, come_back_and_make_last);
  g_assert_true (take () != theirs[0]);
  g_assert_true (take () == theirs[0]);
  assert_refused (QUIRE_POOL_NOTHING);
  tear_down ();
}

static void
test_trim (void)
{
  QuirePoolBlock *blocks[2];
  QuirePoolStats stats;

  g_test_summary ("A trim does not give back what is to be kept, though another thread takes one");

  set_up (2, blocks, 2);
  let_intrude (&pool.free.head, take_one);
  g_assert_cmpuint (quire_pool_trim (&pool, 1), ==, 0);
  g_assert_cmpuint (n_cleared, ==, 0);
  quire_pool_look (&pool, &stats);
  g_assert_cmpuint (stats.n_blocks, ==, 2);
  g_assert_cmpuint (stats.n_free, ==, 1);
  g_assert_cmpuint (stats.n_recycled, ==, 1);
  g_assert_true (take () == blocks[1]);
  tear_down ();
}

static void
test_trim_nothing (void)
{
  QuirePoolBlock *blocks[2];

  g_test_summary ("Nor what is not there any more");

  set_up (2, blocks, 2);
  let_intrude (&pool.free.head, take_two);
  g_assert_cmpuint (quire_pool_trim (&pool, 0), ==, 0);
  g_assert_cmpuint (n_cleared, ==, 0);
  tear_down ();
}

static void
close_pool (void)
{
  quire_pool_close (&pool);
}

static void
test_close (void)
{
  QuirePoolBlock *blocks[2];

  g_test_summary ("A pool that is closed gives nothing from that very moment, and keeps nothing");

  set_up (2, blocks, 2);
  let_intrude (&pool.free.head, close_pool);
  assert_refused (QUIRE_POOL_CLOSED);
  g_assert_cmpuint (n_cleared, ==, 2);
  tear_down ();

  set_up (2, blocks, 2);
  g_assert_true (take () == blocks[0]);
  let_intrude (&pool.free.head, close_pool);
  quire_pool_give (&pool, blocks[0]);
  g_assert_cmpuint (n_cleared, ==, 2);
  g_assert_cmpuint (pool.n_blocks, ==, 0);
  tear_down ();
}

static void
claim_one (void)
{
  theirs[0] = claim ();
}

static void
test_first (void)
{
  QuirePoolBlock *mine;

  g_test_summary ("Two threads that make the first block have two, with two numbers");

  set_up (2, NULL, 0);
  let_intrude (&pool.store.chunks[0], claim_one);
  mine = claim ();
  g_assert_true (mine != theirs[0]);
  g_assert_true (quire_pool_store_get (&pool.store, mine->index) == mine);
  g_assert_true (quire_pool_store_get (&pool.store, theirs[0]->index) == theirs[0]);
  tear_down ();
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/pool-interleaved/pop", test_pop);
  g_test_add_func ("/pool-interleaved/push", test_push);
  g_test_add_func ("/pool-interleaved/take", test_take);
  g_test_add_func ("/pool-interleaved/trim", test_trim);
  g_test_add_func ("/pool-interleaved/trim-nothing", test_trim_nothing);
  g_test_add_func ("/pool-interleaved/close", test_close);
  g_test_add_func ("/pool-interleaved/first", test_first);

  return g_test_run ();
}
