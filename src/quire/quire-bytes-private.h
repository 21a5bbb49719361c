/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-bytes.h"

G_BEGIN_DECLS

GBytes *quire_bytes_get_original (QuireMemory *memory,
                                  gsize        offset,
                                  gsize        size);

G_END_DECLS
