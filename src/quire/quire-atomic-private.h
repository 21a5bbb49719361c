/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

/* GLib's atomics are full barriers and stop at the width of a pointer. The
 * lock word has 64 bits everywhere, and its users know which order they need;
 * so these are the compiler's, for plain fields, which keeps the public header
 * free of _Atomic. */

#define quire_atomic_load_relaxed(p)       __atomic_load_n ((p), __ATOMIC_RELAXED)
#define quire_atomic_load_acquire(p)       __atomic_load_n ((p), __ATOMIC_ACQUIRE)
#define quire_atomic_store_relaxed(p, v)   __atomic_store_n ((p), (v), __ATOMIC_RELAXED)
#define quire_atomic_add_relaxed(p, v)     __atomic_fetch_add ((p), (v), __ATOMIC_RELAXED)
#define quire_atomic_add_acquire(p, v)     __atomic_fetch_add ((p), (v), __ATOMIC_ACQUIRE)
#define quire_atomic_sub_relaxed(p, v)     __atomic_fetch_sub ((p), (v), __ATOMIC_RELAXED)
#define quire_atomic_sub_release(p, v)     __atomic_fetch_sub ((p), (v), __ATOMIC_RELEASE)
#define quire_atomic_sub_acq_rel(p, v)     __atomic_fetch_sub ((p), (v), __ATOMIC_ACQ_REL)
#define quire_atomic_exchange(p, v)        __atomic_exchange_n ((p), (v), __ATOMIC_ACQ_REL)

#define quire_atomic_or_relaxed(p, v)      __atomic_fetch_or ((p), (v), __ATOMIC_RELAXED)

/* On failure *expected holds what stood there instead. */
#define quire_atomic_cas_acq_rel(p, expected, desired) \
  __atomic_compare_exchange_n ((p), (expected), (desired), TRUE, \
                               __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)

/* For what has to be seen in one order by all, with what others do in the same way. What
 * a failure finds is to be acted upon, so that is an acquire. */
#define quire_atomic_load_seq_cst(p)   __atomic_load_n ((p), __ATOMIC_SEQ_CST)
#define quire_atomic_add_seq_cst(p, v) __atomic_fetch_add ((p), (v), __ATOMIC_SEQ_CST)
#define quire_atomic_sub_seq_cst(p, v) __atomic_fetch_sub ((p), (v), __ATOMIC_SEQ_CST)
#define quire_atomic_cas_seq_cst(p, expected, desired) \
  __atomic_compare_exchange_n ((p), (expected), (desired), TRUE, \
                               __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE)
