/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-error.h"

#include <errno.h>

#include "quire-error-private.h"

/**
 * quire_memory_error_quark:
 *
 * Gives the domain of the errors of [error@Quire.MemoryError], as
 * %QUIRE_MEMORY_ERROR does.
 *
 * Returns: the domain
 *
 * Since: 1.0
 */
G_DEFINE_QUARK (quire-memory-error-quark, quire_memory_error)

static QuireMemoryError
code_of_errno (int errnum)
{
  switch (errnum)
    {
    case EBADF:
      return QUIRE_MEMORY_ERROR_CLOSED;
    case EBUSY:
    case ETXTBSY:
      return QUIRE_MEMORY_ERROR_BUSY;
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOSPC:
      return QUIRE_MEMORY_ERROR_NO_SPACE;
    case EFBIG:
    case EOVERFLOW:
      return QUIRE_MEMORY_ERROR_TOO_LARGE;
    case EROFS:
      return QUIRE_MEMORY_ERROR_READ_ONLY;
    case EINVAL:
    case ENODEV:
    case ENOSYS:
    case ENOTTY:
    case EOPNOTSUPP:
      return QUIRE_MEMORY_ERROR_NOT_SUPPORTED;
    default:
      return QUIRE_MEMORY_ERROR_FAILED;
    }
}

/*
 * quire_error_set_errno:
 * @errnum: an errno
 * @format: what failed, with the numbers; the words for @errnum follow it
 *
 * Sets the error of a system call that failed. What EPERM and EACCES mean depends on
 * the call: where it is known, the caller sets an error of its own.
 */
void
quire_error_set_errno (GError    **error,
                       int         errnum,
                       const char *format,
                       ...)
{
  g_autofree char *what = NULL;
  va_list args;

  if (error == NULL)
    return;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);

  g_set_error (error, QUIRE_MEMORY_ERROR, code_of_errno (errnum), "%s: %s", what, g_strerror (errnum));
}
