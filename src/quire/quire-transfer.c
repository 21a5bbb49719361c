/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-transfer.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <gio/gunixfdmessage.h>

#include "quire-error.h"
#include "quire-memory-private.h"
#include "quire-seals.h"
#include "quire-sizes.h"

/* What goes over the socket, with the descriptor beside its first byte. Both ends are on
 * one machine, so the numbers are as they stand in memory. */
typedef struct
{
  char    magic[8];
  /* QUIRE_MEMORY_FLAG_READONLY, or nothing. */
  guint32 flags;
  /* QuireSeals that the sender says the descriptor has. */
  guint32 seals;
  /* Where the data is in the file. */
  guint64 offset;
  guint64 size;
} Message;

G_STATIC_ASSERT (sizeof (Message) == 32);

/* The last byte is the version. */
static const char message_magic[8] = { 'Q', 'U', 'I', 'R', 'E', 0, 0, 1 };

/* A whole message, which is short enough to go in one piece nearly always. */
static gboolean
send_message (GSocket       *socket,
              const Message *message,
              int            fd,
              GCancellable  *cancellable,
              GError       **error)
{
  g_autoptr (GSocketControlMessage) control = g_unix_fd_message_new ();
  GOutputVector vector = { message, sizeof *message };
  gssize sent;

  if (!g_unix_fd_message_append_fd (G_UNIX_FD_MESSAGE (control), fd, error))
    return FALSE;

  sent = g_socket_send_message (socket, NULL, &vector, 1, &control, 1, 0, cancellable, error);
  while (sent >= 0 && (gsize) sent < vector.size)
    {
      vector.buffer = (const char *) vector.buffer + sent;
      vector.size -= (gsize) sent;
      sent = g_socket_send_message (socket, NULL, &vector, 1, NULL, 0, 0, cancellable, error);
    }

  return sent >= 0;
}

/**
 * quire_memory_send:
 * @memory: a block over a descriptor, or a share of one
 * @connection: a connection over a Unix socket
 * @cancellable: (nullable): a cancellable, or %NULL
 * @error: return location for an error
 *
 * Hands a block to the process at the other end of a connection, which gets it by
 * [func@Memory.receive] and maps the same pages: the descriptor goes over, and no byte of
 * the data.
 *
 * If the block is read-only, as every share is, the other process gets a descriptor that
 * it can't write by. But no lock is common to both processes: it is for them to agree on
 * who writes when. The pages live as long as one of them has them.
 *
 * The errors are %QUIRE_MEMORY_ERROR_NOT_SUPPORTED for a block that has no descriptor,
 * %QUIRE_MEMORY_ERROR_CLOSED, what the system says when it has no descriptor left, and
 * those of the socket, of the domain `GIOErrorEnum`. It blocks until the message is
 * sent; if that fails in the middle, the connection is of no use any more.
 *
 * Returns: (skip): %TRUE if the block was sent
 *
 * Since: 1.0
 */
gboolean
quire_memory_send (QuireMemory     *memory,
                   GUnixConnection *connection,
                   GCancellable    *cancellable,
                   GError         **error)
{
  Message message = { .flags = 0 };
  guint64 offset;
  gboolean sent;
  int fd;

  g_return_val_if_fail (memory != NULL, FALSE);
  g_return_val_if_fail (G_IS_UNIX_CONNECTION (connection), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  fd = quire_memory_try_dup_fd (memory, error);
  if (fd < 0)
    return FALSE;

  memcpy (message.magic, message_magic, sizeof message_magic);
  if (quire_memory_has_flags (memory, QUIRE_MEMORY_FLAG_READONLY))
    message.flags = QUIRE_MEMORY_FLAG_READONLY;
  quire_memory_get_fd (memory, &offset);
  message.offset = offset;
  message.size = quire_memory_get_sizes (memory, NULL, NULL);
  message.seals = quire_memory_get_seals (memory);

  sent = send_message (g_socket_connection_get_socket (G_SOCKET_CONNECTION (connection)),
                       &message, fd, cancellable, error);
  close (fd);
  return sent;
}

/* Of what came beside the bytes, the first descriptor goes to @fd. More than one is none
 * of ours: @n_fds counts them. */
static void
take_descriptors (GSocketControlMessage **controls,
                  int                     n_controls,
                  int                    *fd,
                  guint                  *n_fds)
{
  for (int i = 0; i < n_controls; i++)
    {
      g_autoptr (GSocketControlMessage) control = controls[i];
      g_autofree int *fds = NULL;
      int n = 0;

      if (!G_IS_UNIX_FD_MESSAGE (control))
        continue;

      fds = g_unix_fd_message_steal_fds (G_UNIX_FD_MESSAGE (control), &n);
      for (int j = 0; j < n; j++)
        {
          if ((*n_fds)++ == 0)
            *fd = fds[j];
          else
            close (fds[j]);
        }
    }

  g_free (controls);
}

/* Reads one message. There may be a descriptor even when it fails. */
static gboolean
receive_message (GSocket      *socket,
                 Message      *message,
                 int          *fd,
                 GCancellable *cancellable,
                 GError      **error)
{
  gsize done = 0;
  guint n_fds = 0;

  while (done < sizeof *message)
    {
      GInputVector vector = { (char *) message + done, sizeof *message - done };
      GSocketControlMessage **controls = NULL;
      int n_controls = 0, flags = 0;
      const gssize received = g_socket_receive_message (socket, NULL, &vector, 1, &controls, &n_controls,
                                                        &flags, cancellable, error);

      take_descriptors (controls, n_controls, fd, &n_fds);
      if (received < 0)
        return FALSE;
      if (received == 0)
        {
          if (done == 0)
            g_set_error_literal (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_CLOSED,
                                 "The other end has closed the connection");
          else
            g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED,
                         "The connection ended after %" G_GSIZE_FORMAT " of the %" G_GSIZE_FORMAT
                         " bytes of a message", done, sizeof *message);
          return FALSE;
        }
      done += (gsize) received;
    }

  if (memcmp (message->magic, message_magic, sizeof message_magic) != 0)
    g_set_error_literal (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED,
                         "What came is no message that hands over a block");
  else if (n_fds != 1)
    g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED,
                 "The message has %u descriptors, where it should have 1", n_fds);
  else
    return TRUE;

  return FALSE;
}

/* Whether the descriptor is what the message says, as far as the block does not show. */
static gboolean
check_message (const Message *message,
               int            fd,
               GError       **error)
{
  guint seals;
  int real;

  if ((message->flags & ~(guint) QUIRE_MEMORY_FLAG_READONLY) != 0)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED,
                   "The message has flags 0x%x, of which some mean nothing", message->flags);
      return FALSE;
    }
  if (message->size > G_MAXSSIZE)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_TOO_LARGE,
                   "The message tells of %" G_GUINT64_FORMAT " bytes, which is beyond %" G_GSSIZE_FORMAT,
                   message->size, G_MAXSSIZE);
      return FALSE;
    }

  /* What has no seals at all is no memfd. */
  real = fcntl (fd, F_GET_SEALS);
  seals = real < 0 ? 0 : (guint) real;
  if ((message->seals & ~seals) != 0)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED,
                   "The message tells of seals 0x%x, where the descriptor has 0x%x", message->seals, seals);
      return FALSE;
    }

  return TRUE;
}

/**
 * quire_memory_receive:
 * @connection: a connection over a Unix socket
 * @flags: how to map the block: any of %QUIRE_FD_READONLY, %QUIRE_FD_PRIVATE and
 *   %QUIRE_FD_STABLE
 * @cancellable: (nullable): a cancellable, or %NULL
 * @error: return location for an error
 *
 * Receives a block that the process at the other end of a connection handed over by
 * [method@Memory.send]. It has the same pages; no byte is copied.
 *
 * What the message says of the block is checked before it is mapped: its size, its seals
 * and whether it may be written; a lie is refused. But a sender that may shrink the file
 * can do so afterwards: a receiver that does not trust him asks for %QUIRE_FD_STABLE.
 *
 * The errors are %QUIRE_MEMORY_ERROR_CLOSED when the other end has closed the connection,
 * %QUIRE_MEMORY_ERROR_FAILED for a message that is none, or not true, those of
 * [ctor@Memory.try_new_from_fd], and those of the socket, of the domain `GIOErrorEnum`.
 * It blocks until there is a message, and takes no byte that comes after it. After an
 * error in the middle of a message, the connection is of no use any more.
 *
 * Returns: (transfer full): the block
 *
 * Since: 1.0
 */
QuireMemory *
quire_memory_receive (GUnixConnection *connection,
                      QuireFdFlags     flags,
                      GCancellable    *cancellable,
                      GError         **error)
{
  g_autoptr (QuireMemory) memory = NULL;
  Message message;
  int fd = -1;

  g_return_val_if_fail (G_IS_UNIX_CONNECTION (connection), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if ((flags & ~(QUIRE_FD_READONLY | QUIRE_FD_PRIVATE | QUIRE_FD_STABLE)) != 0)
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED,
                   "The flags 0x%x say more than how to map what is received", (guint) flags);
      return NULL;
    }

  if (receive_message (g_socket_connection_get_socket (G_SOCKET_CONNECTION (connection)),
                       &message, &fd, cancellable, error) &&
      check_message (&message, fd, error))
    {
      if (message.flags & QUIRE_MEMORY_FLAG_READONLY)
        flags |= QUIRE_FD_READONLY;
      memory = quire_memory_try_new_from_fd (fd, message.offset, (gssize) message.size,
                                             flags | QUIRE_FD_TAKE, error);
    }

  if (memory == NULL)
    {
      if (fd >= 0)
        close (fd);
      return NULL;
    }

  if ((flags & QUIRE_FD_READONLY) == 0 && quire_memory_has_flags (memory, QUIRE_MEMORY_FLAG_READONLY))
    {
      g_set_error (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_FAILED,
                   "The message tells of %" G_GUINT64_FORMAT " bytes to write, where the descriptor "
                   "lets nobody write", message.size);
      return NULL;
    }

  return g_steal_pointer (&memory);
}

static void
send_in_thread (GTask        *task,
                gpointer      connection,
                gpointer      memory,
                GCancellable *cancellable)
{
  GError *error = NULL;

  if (quire_memory_send (memory, connection, cancellable, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/**
 * quire_memory_send_async:
 * @memory: a block over a descriptor, or a share of one
 * @connection: a connection over a Unix socket
 * @cancellable: (nullable): a cancellable, or %NULL
 * @callback: (scope async) (closure user_data): called when it is done
 * @user_data: data for @callback
 *
 * As [method@Memory.send], without blocking. One send at a time.
 *
 * Since: 1.0
 */
void
quire_memory_send_async (QuireMemory         *memory,
                         GUnixConnection     *connection,
                         GCancellable        *cancellable,
                         GAsyncReadyCallback  callback,
                         gpointer             user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (memory != NULL);
  g_return_if_fail (G_IS_UNIX_CONNECTION (connection));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (connection, cancellable, callback, user_data);
  g_task_set_source_tag (task, quire_memory_send_async);
  g_task_set_check_cancellable (task, FALSE);
  if (!quire_memory_try_ref (memory))
    {
      g_task_return_new_error (task, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_CLOSED,
                               "The handle of the block was closed");
      return;
    }
  g_task_set_task_data (task, memory, (GDestroyNotify) quire_memory_unref);
  g_task_run_in_thread (task, send_in_thread);
}

/**
 * quire_memory_send_finish:
 * @result: what the callback of [method@Memory.send_async] was given
 * @error: return location for an error
 *
 * Tells how a send went.
 *
 * Returns: (skip): %TRUE if the block was sent
 *
 * Since: 1.0
 */
gboolean
quire_memory_send_finish (GAsyncResult *result,
                          GError      **error)
{
  g_return_val_if_fail (G_IS_TASK (result), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, quire_memory_send_async), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
receive_in_thread (GTask        *task,
                   gpointer      connection,
                   gpointer      flags,
                   GCancellable *cancellable)
{
  GError *error = NULL;
  QuireMemory *memory = quire_memory_receive (connection, (QuireFdFlags) GPOINTER_TO_UINT (flags),
                                              cancellable, &error);

  if (memory != NULL)
    g_task_return_pointer (task, memory, (GDestroyNotify) quire_memory_unref);
  else
    g_task_return_error (task, error);
}

/**
 * quire_memory_receive_async:
 * @connection: a connection over a Unix socket
 * @flags: how to map the block, as for [func@Memory.receive]
 * @cancellable: (nullable): a cancellable, or %NULL
 * @callback: (scope async) (closure user_data): called when it is done
 * @user_data: data for @callback
 *
 * As [func@Memory.receive], without blocking. One receive at a time.
 *
 * Since: 1.0
 */
void
quire_memory_receive_async (GUnixConnection     *connection,
                            QuireFdFlags         flags,
                            GCancellable        *cancellable,
                            GAsyncReadyCallback  callback,
                            gpointer             user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (G_IS_UNIX_CONNECTION (connection));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (connection, cancellable, callback, user_data);
  g_task_set_source_tag (task, quire_memory_receive_async);
  /* Who cancels when a block has come already gets it nevertheless. */
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, GUINT_TO_POINTER (flags), NULL);
  g_task_run_in_thread (task, receive_in_thread);
}

/**
 * quire_memory_receive_finish:
 * @result: what the callback of [func@Memory.receive_async] was given
 * @error: return location for an error
 *
 * Gives what was received.
 *
 * Returns: (transfer full): the block
 *
 * Since: 1.0
 */
QuireMemory *
quire_memory_receive_finish (GAsyncResult *result,
                             GError      **error)
{
  g_return_val_if_fail (G_IS_TASK (result), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, quire_memory_receive_async), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
