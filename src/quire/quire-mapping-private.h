/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-map-info.h"
#include "quire-mapping.h"

G_BEGIN_DECLS

const QuireMapInfo *quire_mapping_peek_info (QuireMapping *mapping);

G_END_DECLS
