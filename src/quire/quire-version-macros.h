/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(QUIRE_INSIDE) && !defined(QUIRE_COMPILATION)
# error "Only <quire/quire.h> can be included directly."
#endif

#include <glib.h>

#include "quire-version.h"

#ifndef _QUIRE_EXTERN
# define _QUIRE_EXTERN extern
#endif

/**
 * QUIRE_VERSION_1_0:
 *
 * Version 1.0, for %QUIRE_VERSION_MIN_REQUIRED and %QUIRE_VERSION_MAX_ALLOWED.
 *
 * Since: 1.0
 */
#define QUIRE_VERSION_1_0 (G_ENCODE_VERSION (1, 0))

/* The version whose API a program may use at most: what came later warns.
 * A program defines it before it includes <quire/quire.h>. */
#ifndef QUIRE_VERSION_MAX_ALLOWED
# define QUIRE_VERSION_MAX_ALLOWED \
   (G_ENCODE_VERSION (QUIRE_MAJOR_VERSION, QUIRE_MINOR_VERSION))
#endif

/* The oldest version that a program must run with: what that version already
 * deprecated warns. */
#ifndef QUIRE_VERSION_MIN_REQUIRED
# define QUIRE_VERSION_MIN_REQUIRED QUIRE_VERSION_1_0
#endif

#if QUIRE_VERSION_MAX_ALLOWED < QUIRE_VERSION_MIN_REQUIRED
# error "QUIRE_VERSION_MAX_ALLOWED must be >= QUIRE_VERSION_MIN_REQUIRED"
#endif
#if QUIRE_VERSION_MIN_REQUIRED < QUIRE_VERSION_1_0
# error "QUIRE_VERSION_MIN_REQUIRED must be >= QUIRE_VERSION_1_0"
#endif

#define QUIRE_AVAILABLE_IN_1_0 _QUIRE_EXTERN
