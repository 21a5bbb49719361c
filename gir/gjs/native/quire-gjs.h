/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <quire/quire.h>

G_BEGIN_DECLS

#ifndef _QUIRE_GJS_EXTERN
# define _QUIRE_GJS_EXTERN extern
#endif

_QUIRE_GJS_EXTERN
gboolean quire_gjs_install (guint        version);
_QUIRE_GJS_EXTERN
void     quire_gjs_offer   (QuireMemory *memory);

G_END_DECLS
