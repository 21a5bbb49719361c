/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-error.h"

/**
 * quire_memory_error_quark:
 *
 * Gives the domain of the errors of [error@Quire.MemoryError], as
 * %QUIRE_MEMORY_ERROR does.
 *
 * Returns: the domain
 *
 * Since: 1.0
 */
G_DEFINE_QUARK (quire-memory-error-quark, quire_memory_error)
