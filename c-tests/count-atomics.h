/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

/* Put before everything else of a library that is built for test-atomics: counts the
 * atomic read-modify-writes of this thread, be they the library's or those that GLib's
 * headers put into it. A name within its own macro is the compiler's. */

extern __thread unsigned int quire_test_atomics;

#define QUIRE_TEST_COUNT(call) (quire_test_atomics++, call)

#define __atomic_fetch_add(...)          QUIRE_TEST_COUNT (__atomic_fetch_add (__VA_ARGS__))
#define __atomic_fetch_sub(...)          QUIRE_TEST_COUNT (__atomic_fetch_sub (__VA_ARGS__))
#define __atomic_fetch_and(...)          QUIRE_TEST_COUNT (__atomic_fetch_and (__VA_ARGS__))
#define __atomic_fetch_or(...)           QUIRE_TEST_COUNT (__atomic_fetch_or (__VA_ARGS__))
#define __atomic_fetch_xor(...)          QUIRE_TEST_COUNT (__atomic_fetch_xor (__VA_ARGS__))
#define __atomic_add_fetch(...)          QUIRE_TEST_COUNT (__atomic_add_fetch (__VA_ARGS__))
#define __atomic_sub_fetch(...)          QUIRE_TEST_COUNT (__atomic_sub_fetch (__VA_ARGS__))
#define __atomic_exchange_n(...)         QUIRE_TEST_COUNT (__atomic_exchange_n (__VA_ARGS__))
#define __atomic_compare_exchange_n(...) QUIRE_TEST_COUNT (__atomic_compare_exchange_n (__VA_ARGS__))
