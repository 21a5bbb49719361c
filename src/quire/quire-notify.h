/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(QUIRE_INSIDE) && !defined(QUIRE_COMPILATION)
# error "Only <quire/quire.h> can be included directly."
#endif

#include "quire-types.h"

G_BEGIN_DECLS

/**
 * QuireMemoryNotify: (skip)
 * @user_data: what was given with the notify
 * @where_the_memory_was: the address of the block, which is dying: good to
 *   compare with, not to use
 *
 * Called when the last reference on a block goes.
 *
 * Since: 1.0
 */
typedef void (*QuireMemoryNotify) (gpointer     user_data,
                                   QuireMemory *where_the_memory_was);

QUIRE_AVAILABLE_IN_1_0
void     quire_memory_weak_ref       (QuireMemory       *memory,
                                      QuireMemoryNotify  notify,
                                      gpointer           user_data);
QUIRE_AVAILABLE_IN_1_0
void     quire_memory_weak_unref     (QuireMemory       *memory,
                                      QuireMemoryNotify  notify,
                                      gpointer           user_data);

QUIRE_AVAILABLE_IN_1_0
void     quire_memory_set_qdata      (QuireMemory       *memory,
                                      GQuark             quark,
                                      gpointer           data,
                                      GDestroyNotify     destroy);
QUIRE_AVAILABLE_IN_1_0
gpointer quire_memory_get_qdata      (QuireMemory       *memory,
                                      GQuark             quark);
QUIRE_AVAILABLE_IN_1_0
gpointer quire_memory_steal_qdata    (QuireMemory       *memory,
                                      GQuark             quark) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
