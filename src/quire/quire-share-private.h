/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-share.h"

G_BEGIN_DECLS

QuireMemory *quire_share_new (QuireMemory  *memory,
                              gsize         start,
                              gsize         size,
                              GError      **error);

G_END_DECLS
