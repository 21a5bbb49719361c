/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A thread on which an allocator may be called, with the main context that was its
 * thread-default one: some languages run on their own thread only, and not at any
 * moment. What can wait is put in a queue here. */
typedef struct _QuireHome QuireHome;

/* Takes over both arguments. */
typedef void (*QuireHomeCall) (gpointer allocator,
                               gpointer subject);

QuireHome *quire_home_ref_mine (void);
void       quire_home_unref    (QuireHome     *home);
gboolean   quire_home_is_mine  (QuireHome     *home);
void       quire_home_prepare  (QuireHome     *home);
void       quire_home_push     (QuireHome     *home,
                                QuireHomeCall  call,
                                QuireHomeCall  drop,
                                gpointer       allocator,
                                gpointer       subject);
guint      quire_home_dispatch (void);

G_END_DECLS
