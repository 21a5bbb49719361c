/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#define QUIRE_INSIDE
#include "quire-allocation-params.h"
#include "quire-allocator.h"
#include "quire-binding.h"
#include "quire-bytes.h"
#include "quire-content.h"
#include "quire-copy.h"
#include "quire-create.h"
#include "quire-enums.h"
#include "quire-error.h"
#include "quire-fd-allocator.h"
#include "quire-fd.h"
#include "quire-guard-allocator.h"
#include "quire-lock.h"
#include "quire-map-info.h"
#include "quire-mapping.h"
#include "quire-memfd-allocator.h"
#include "quire-memory.h"
#include "quire-merge.h"
#include "quire-notify.h"
#include "quire-pool-allocator.h"
#include "quire-pool-stats.h"
#include "quire-seals.h"
#include "quire-secure-allocator.h"
#include "quire-share.h"
#include "quire-sizes.h"
#include "quire-stream.h"
#include "quire-transfer.h"
#include "quire-types.h"
#include "quire-version-macros.h"
#include "quire-version.h"
#undef QUIRE_INSIDE
