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
 * QuireSeals:
 * @QUIRE_SEAL_NONE: nothing is sealed
 * @QUIRE_SEAL_SEAL: no more seals can be added
 * @QUIRE_SEAL_SHRINK: the file can't become smaller
 * @QUIRE_SEAL_GROW: the file can't become larger
 * @QUIRE_SEAL_WRITE: nobody can write the file any more
 * @QUIRE_SEAL_FUTURE_WRITE: nobody can write the file but who has it mapped to write
 *   already
 *
 * What can't be done any more to the file behind a block, by anybody in any process. A seal
 * can't be taken away. The values are those of
 * [fcntl(2)](https://man7.org/linux/man-pages/man2/fcntl.2.html).
 *
 * Since: 1.0
 */
typedef enum /*< flags >*/
{
  QUIRE_SEAL_NONE         = 0,
  QUIRE_SEAL_SEAL         = 1 << 0,
  QUIRE_SEAL_SHRINK       = 1 << 1,
  QUIRE_SEAL_GROW         = 1 << 2,
  QUIRE_SEAL_WRITE        = 1 << 3,
  QUIRE_SEAL_FUTURE_WRITE = 1 << 4,
} QuireSeals;

QUIRE_AVAILABLE_IN_1_0
QuireSeals quire_memory_get_seals     (QuireMemory  *memory);
QUIRE_AVAILABLE_IN_1_0
gboolean   quire_memory_add_seals     (QuireMemory  *memory,
                                       QuireSeals    seals);
QUIRE_AVAILABLE_IN_1_0
gboolean   quire_memory_try_add_seals (QuireMemory  *memory,
                                       QuireSeals    seals,
                                       GError      **error);

G_END_DECLS
