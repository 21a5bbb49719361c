/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-error.h"

G_DEFINE_QUARK (quire-memory-error-quark, quire_memory_error)
