/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-notify.h"

G_BEGIN_DECLS

void quire_notify_run (QuireMemory *memory);

G_END_DECLS
