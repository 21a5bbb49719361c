/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

/* Put before everything else of test-pool-interleaved and of the sources that are built for
 * it: lets the test do, right before a compare-and-swap, what another thread might do at
 * just that moment. A name within its own macro is the compiler's. */

extern void quire_test_before_cas (const void *where);

#define __atomic_compare_exchange_n(where, ...) \
  (quire_test_before_cas (where), __atomic_compare_exchange_n (where, __VA_ARGS__))
