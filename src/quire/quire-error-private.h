/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "quire-error.h"

G_BEGIN_DECLS

void quire_error_set_errno (GError     **error,
                            int          errnum,
                            const char  *format,
                            ...) G_GNUC_PRINTF (3, 4) __attribute__ ((cold));

G_END_DECLS
