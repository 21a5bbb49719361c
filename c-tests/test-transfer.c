/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Blocks that are handed over a Unix socket: the same pages arrive, and no lie does. */

#include "quire-test-fd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gio/gunixfdmessage.h>

/* What goes over the wire, told once more. */
typedef struct
{
  char    magic[8];
  guint32 flags;
  guint32 seals;
  guint64 offset;
  guint64 size;
} Message;

#define MAGIC { 'Q', 'U', 'I', 'R', 'E', 0, 0, 1 }

typedef struct
{
  GUnixConnection *here;
  GUnixConnection *there;
  guint            n_fds;
} Fixture;

static GUnixConnection *
connection_new (int fd)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = g_socket_new_from_fd (fd, &error);
  GSocketConnection *connection;

  g_assert_no_error (error);
  connection = g_socket_connection_factory_create_connection (socket);
  g_assert_true (G_IS_UNIX_CONNECTION (connection));
  return G_UNIX_CONNECTION (connection);
}

static void
set_up (Fixture       *fixture,
        gconstpointer  unused)
{
  int fds[2];

  /* What is opened once for all is no leak. */
  g_object_unref (quire_allocator_find ("memfd"));

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  fixture->here = connection_new (fds[0]);
  fixture->there = connection_new (fds[1]);
  fixture->n_fds = quire_test_count_fds ();
}

static void
tear_down (Fixture       *fixture,
           gconstpointer  unused)
{
  g_assert_cmpuint (quire_test_count_fds (), ==, fixture->n_fds);
  g_clear_object (&fixture->here);
  g_clear_object (&fixture->there);
}

static QuireMemory *
hand_over (Fixture      *fixture,
           QuireMemory  *memory,
           QuireFdFlags  flags)
{
  g_autoptr (GError) error = NULL;
  QuireMemory *received;

  quire_memory_send (memory, fixture->here, NULL, &error);
  g_assert_no_error (error);
  received = quire_memory_receive (fixture->there, flags, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (received);
  return received;
}

static void
test_same_pages (Fixture       *fixture,
                 gconstpointer  unused)
{
  g_autoptr (QuireMemory) sent = quire_test_memfd_new (100000);
  g_autoptr (QuireMemory) received = NULL;

  g_test_summary ("What one end writes, the other one sees, in both directions");

  g_assert_true (quire_memory_fill (sent, 0, -1, 1));
  received = hand_over (fixture, sent, QUIRE_FD_NONE);
  g_assert_cmpuint (quire_memory_get_sizes (received, NULL, NULL), ==, 100000);
  g_assert_cmpuint (quire_test_get_byte (received, 0), ==, 1);
  g_assert_true (quire_memory_is_writable (received));

  g_assert_true (quire_memory_fill (sent, 0, -1, 2));
  g_assert_cmpuint (quire_test_get_byte (received, 0), ==, 2);
  g_assert_true (quire_memory_fill (received, 0, -1, 3));
  g_assert_cmpuint (quire_test_get_byte (sent, 0), ==, 3);

  /* The pages live as long as one of the two. */
  g_clear_pointer (&sent, quire_memory_unref);
  g_assert_cmpuint (quire_test_get_byte (received, 0), ==, 3);
}

static void
test_window (Fixture       *fixture,
             gconstpointer  unused)
{
  static const struct
  {
    gsize offset, size;
  } cases[] = { { 0, 10000 }, { 1, 9999 }, { 4096, 100 }, { 5000, 5000 }, { 9999, 1 }, { 10000, 0 } };

  g_test_summary ("A share arrives as what it shows, and can't be written at the other end");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (QuireMemory) block = quire_test_memfd_new (10000);
      g_autoptr (QuireMemory) share = NULL;
      g_autoptr (QuireMemory) received = NULL;
      g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;
      guint64 offset;
      int fd, order;

      g_assert_true (quire_memory_map (block, &info, QUIRE_MAP_WRITE));
      for (gsize j = 0; j < info.size; j++)
        info.data[j] = (guint8) (j * 7 + j / 256);
      quire_map_info_clear (&info);

      share = quire_memory_share (block, (gssize) cases[i].offset, (gssize) cases[i].size);
      received = hand_over (fixture, share, QUIRE_FD_NONE);

      g_assert_cmpuint (quire_memory_get_sizes (received, NULL, NULL), ==, cases[i].size);
      g_assert_true (quire_memory_compare (share, received, &order));
      g_assert_cmpint (order, ==, 0);
      g_assert_false (quire_memory_is_writable (received));
      quire_assert_refused (quire_memory_map_full (received, &info, QUIRE_MAP_WRITE, &error), READ_ONLY);

      /* Nor by the back door. */
      fd = quire_memory_get_fd (received, &offset);
      g_assert_cmpint (fcntl (fd, F_GETFL) & O_ACCMODE, ==, O_RDONLY);
      g_assert_cmpuint (offset, ==, cases[i].offset);
      g_assert_true (mmap (NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    }
}

static void
test_resized (Fixture       *fixture,
              gconstpointer  unused)
{
  g_autoptr (QuireMemory) block = quire_test_memfd_new (10000);
  g_autoptr (QuireMemory) received = NULL;

  g_test_summary ("Of a resized block, what it shows by now");

  g_assert_true (quire_memory_fill (block, 0, -1, 1));
  g_assert_true (quire_memory_fill (block, 6000, -1, 2));
  g_assert_true (quire_memory_resize (block, 6000, 123));
  received = hand_over (fixture, block, QUIRE_FD_NONE);
  g_assert_cmpuint (quire_memory_get_sizes (received, NULL, NULL), ==, 123);
  g_assert_cmpuint (quire_test_get_byte (received, 0), ==, 2);
}

static void
test_sealed (Fixture       *fixture,
             gconstpointer  unused)
{
  g_autoptr (QuireMemory) block = quire_test_memfd_new (10000);
  g_autoptr (QuireMemory) received = NULL;
  g_autoptr (GError) error = NULL;

  g_test_summary ("What is sealed against writing arrives with its seals, read-only");

  g_assert_true (quire_memory_fill (block, 0, -1, 7));
  quire_memory_try_add_seals (block, QUIRE_SEAL_WRITE, &error);
  g_assert_no_error (error);
  received = hand_over (fixture, block, QUIRE_FD_STABLE);
  g_assert_cmpuint (quire_test_get_byte (received, 0), ==, 7);
  g_assert_false (quire_memory_is_writable (received));
  g_assert_true ((quire_memory_get_seals (received) & QUIRE_SEAL_WRITE) != 0);
}

static void
test_flags (Fixture       *fixture,
            gconstpointer  unused)
{
  g_autoptr (QuireMemory) block = quire_test_memfd_new (10000);
  g_autoptr (QuireMemory) readonly = NULL;
  g_autoptr (QuireMemory) private = NULL;

  g_test_summary ("The receiver may ask for less than he could have");

  g_assert_true (quire_memory_fill (block, 0, -1, 1));
  readonly = hand_over (fixture, block, QUIRE_FD_READONLY);
  g_assert_false (quire_memory_is_writable (readonly));

  private = hand_over (fixture, block, QUIRE_FD_PRIVATE);
  g_assert_true (quire_memory_fill (private, 0, -1, 2));
  g_assert_cmpuint (quire_test_get_byte (block, 0), ==, 1);
  g_assert_cmpuint (quire_test_get_byte (readonly, 0), ==, 1);

  quire_assert_refused (quire_memory_receive (fixture->there, QUIRE_FD_TAKE, NULL, &error), NOT_SUPPORTED, "0x");
}

static void
test_refused_to_send (Fixture       *fixture,
                      gconstpointer  unused)
{
  g_autoptr (QuireMemory) block = quire_memory_new (100);
  g_autoptr (QuireMemory) closed = quire_memory_close (quire_test_memfd_new (10));

  g_test_summary ("What has no descriptor is not sent, nor what is closed");

  quire_assert_refused (quire_memory_send (block, fixture->here, NULL, &error), NOT_SUPPORTED, "100 bytes", "system");
  quire_assert_refused (quire_memory_send (closed, fixture->here, NULL, &error), CLOSED);
}

/* Sends what a liar could send. */
static void
send_raw (GUnixConnection *connection,
          gconstpointer    bytes,
          gsize            size,
          const int       *fds,
          guint            n_fds)
{
  g_autoptr (GSocketControlMessage) control = g_unix_fd_message_new ();
  g_autoptr (GError) error = NULL;
  GOutputVector vector = { bytes, size };
  gssize sent;

  for (guint i = 0; i < n_fds; i++)
    g_assert_true (g_unix_fd_message_append_fd (G_UNIX_FD_MESSAGE (control), fds[i], NULL));
  sent = g_socket_send_message (g_socket_connection_get_socket (G_SOCKET_CONNECTION (connection)), NULL,
                                &vector, 1, &control, n_fds > 0 ? 1 : 0, 0, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (sent, ==, size);
}

static void
test_lies (Fixture       *fixture,
           gconstpointer  unused)
{
  const Message truth = { MAGIC, 0, QUIRE_SEAL_SHRINK, 4096, 8192 };
  Message lie;
  int fds[3], pipe_fds[2];
  char path[64];

  g_test_summary ("The receiver believes nothing, and closes what he got");

  fds[0] = memfd_create ("lies", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  g_assert_cmpint (ftruncate (fds[0], 12288), ==, 0);
  g_assert_cmpint (fcntl (fds[0], F_ADD_SEALS, F_SEAL_SHRINK), ==, 0);
  g_snprintf (path, sizeof path, "/proc/self/fd/%d", fds[0]);
  fds[1] = open (path, O_RDONLY | O_CLOEXEC);
  fds[2] = dup (fds[0]);
  g_assert_cmpint (pipe (pipe_fds), ==, 0);

#define REFUSED(CODE, ...) \
  quire_assert_refused (quire_memory_receive (fixture->there, QUIRE_FD_NONE, NULL, &error), CODE, __VA_ARGS__)
#define LIE(FD, FIELD, VALUE) \
  G_STMT_START \
    { \
      lie = truth; \
      lie.FIELD = VALUE; \
      send_raw (fixture->here, &lie, sizeof lie, &(FD), 1); \
    } \
  G_STMT_END

  /* That the truth passes shows that each lie is what is refused. */
  send_raw (fixture->here, &truth, sizeof truth, fds, 1);
  quire_memory_unref (quire_memory_receive (fixture->there, QUIRE_FD_STABLE, NULL, NULL));

  LIE (fds[0], size, 8193);
  REFUSED (OUT_OF_RANGE, "8193", "12288");
  LIE (fds[0], size, G_MAXUINT64);
  REFUSED (TOO_LARGE, "18446744073709551615");
  LIE (fds[0], size, (guint64) G_MAXSSIZE);
  REFUSED (OUT_OF_RANGE, "12288");
  LIE (fds[0], offset, 12289);
  REFUSED (OUT_OF_RANGE, "12289");
  LIE (fds[0], offset, G_MAXUINT64 - 4095);
  REFUSED (OUT_OF_RANGE, "12288");
  LIE (fds[0], seals, QUIRE_SEAL_SHRINK | QUIRE_SEAL_WRITE);
  REFUSED (FAILED, "seals");
  LIE (fds[0], seals, 1u << 30);
  REFUSED (FAILED, "seals");
  LIE (fds[0], flags, QUIRE_MEMORY_FLAG_NOT_MAPPABLE);
  REFUSED (FAILED, "0x20");
  LIE (fds[0], magic[7], 2);
  REFUSED (FAILED, "no message");
  LIE (fds[1], flags, 0);
  REFUSED (FAILED, "lets nobody write");
  LIE (pipe_fds[0], seals, 0);
  REFUSED (NOT_MAPPABLE, "can't be mapped");

  send_raw (fixture->here, &truth, sizeof truth, fds, 0);
  REFUSED (FAILED, "0 descriptors");
  send_raw (fixture->here, &truth, sizeof truth, fds, 3);
  REFUSED (FAILED, "3 descriptors");

  /* None of them has spoilt the connection. */
  send_raw (fixture->here, &truth, sizeof truth, fds, 1);
  quire_memory_unref (quire_memory_receive (fixture->there, QUIRE_FD_NONE, NULL, NULL));

  for (gsize i = 0; i < G_N_ELEMENTS (fds); i++)
    close (fds[i]);
  close (pipe_fds[0]);
  close (pipe_fds[1]);
}

static void
test_stable (Fixture       *fixture,
             gconstpointer  unused)
{
  const Message truth = { MAGIC, 0, 0, 0, 4096 };
  const int fd = memfd_create ("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  g_test_summary ("A receiver may insist that nobody can shrink what he maps");

  g_assert_cmpint (ftruncate (fd, 4096), ==, 0);
  send_raw (fixture->here, &truth, sizeof truth, &fd, 1);
  quire_assert_refused (quire_memory_receive (fixture->there, QUIRE_FD_STABLE, NULL, &error), NOT_SUPPORTED);
  close (fd);
}

static void
test_pieces (Fixture       *fixture,
             gconstpointer  unused)
{
  const Message truth = { MAGIC, 0, 0, 0, 4096 };
  const int fd = memfd_create ("pieces", MFD_CLOEXEC);
  g_autoptr (QuireMemory) received = NULL;
  g_autoptr (GError) error = NULL;

  g_test_summary ("A message that comes in pieces is one message");

  g_assert_cmpint (ftruncate (fd, 4096), ==, 0);
  send_raw (fixture->here, &truth, 1, &fd, 1);
  for (gsize i = 1; i < sizeof truth; i++)
    send_raw (fixture->here, (const char *) &truth + i, 1, NULL, 0);
  close (fd);

  received = quire_memory_receive (fixture->there, QUIRE_FD_NONE, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (quire_memory_get_sizes (received, NULL, NULL), ==, 4096);
}

static void
test_end (Fixture       *fixture,
          gconstpointer  half)
{
  const Message truth = { MAGIC, 0, 0, 0, 4096 };
  const int fd = memfd_create ("half", MFD_CLOEXEC);

  g_test_summary ("The end of the connection is told from one in the middle of a message");

  if (half != NULL)
    send_raw (fixture->here, &truth, 10, &fd, 1);
  close (fd);
  g_assert_true (g_io_stream_close (G_IO_STREAM (fixture->here), NULL, NULL));
  fixture->n_fds -= 1;

  if (half != NULL)
    quire_assert_refused (quire_memory_receive (fixture->there, QUIRE_FD_NONE, NULL, &error), FAILED, "10", "32");
  else
    quire_assert_refused (quire_memory_receive (fixture->there, QUIRE_FD_NONE, NULL, &error), CLOSED);
}

static void
test_io_errors (Fixture       *fixture,
                gconstpointer  unused)
{
  g_autoptr (QuireMemory) block = quire_test_memfd_new (10);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  g_test_summary ("What the socket says is the caller's error");

  g_cancellable_cancel (cancellable);
  g_assert_null (quire_memory_receive (fixture->there, QUIRE_FD_NONE, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);

  g_socket_set_timeout (g_socket_connection_get_socket (G_SOCKET_CONNECTION (fixture->there)), 1);
  g_assert_null (quire_memory_receive (fixture->there, QUIRE_FD_NONE, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&error);

  g_assert_true (g_io_stream_close (G_IO_STREAM (fixture->there), NULL, NULL));
  fixture->n_fds -= 1;
  g_assert_false (quire_memory_send (block, fixture->here, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE);
}

static void
keep_result (GObject      *source,
             GAsyncResult *result,
             gpointer      place)
{
  *(GAsyncResult **) place = g_object_ref (result);
}

static GAsyncResult *
wait_for (GAsyncResult **place)
{
  while (*place == NULL)
    g_main_context_iteration (NULL, TRUE);
  return *place;
}

static void
hand_over_async (Fixture *fixture)
{
  g_autoptr (QuireMemory) block = quire_test_memfd_new (5000);
  g_autoptr (QuireMemory) received = NULL;
  g_autoptr (GAsyncResult) receive_result = NULL;
  g_autoptr (GAsyncResult) send_result = NULL;
  g_autoptr (GAsyncResult) cancelled_result = NULL;
  GCancellable *cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  GWeakRef weak;

  g_assert_true (quire_memory_fill (block, 0, -1, 9));
  quire_memory_receive_async (fixture->there, QUIRE_FD_NONE, NULL, keep_result, &receive_result);
  g_main_context_iteration (NULL, FALSE);
  g_assert_null (receive_result);

  quire_memory_send_async (block, fixture->here, NULL, keep_result, &send_result);
  quire_memory_send_finish (wait_for (&send_result), &error);
  g_assert_no_error (error);
  received = quire_memory_receive_finish (wait_for (&receive_result), &error);
  g_assert_no_error (error);
  g_assert_cmpuint (quire_test_get_byte (received, 0), ==, 9);

  quire_memory_receive_async (fixture->there, QUIRE_FD_NONE, cancellable, keep_result, &cancelled_result);
  g_cancellable_cancel (cancellable);
  g_assert_null (quire_memory_receive_finish (wait_for (&cancelled_result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  /* It has a descriptor, and the thread that waited has it for a moment longer. */
  g_clear_object (&cancelled_result);
  g_weak_ref_init (&weak, cancellable);
  g_clear_object (&cancellable);
  while ((cancellable = g_weak_ref_get (&weak)) != NULL)
    {
      g_clear_object (&cancellable);
      g_usleep (1000);
    }
  g_weak_ref_clear (&weak);
}

static void
test_async (Fixture       *fixture,
            gconstpointer  unused)
{
  g_test_summary ("A receiver with a main loop need not wait");

#if defined(__SANITIZE_THREAD__)
  /* GLib hands work to its threads under locks that it makes of futexes. */
  g_test_skip ("The thread sanitizer does not see the locks of GLib's own threads");
  return;
#endif

  hand_over_async (fixture);
  /* What GLib opens for its threads and its loop stays. */
  fixture->n_fds = quire_test_count_fds ();
  hand_over_async (fixture);
}

static void
test_child (Fixture       *fixture,
            gconstpointer  unused)
{
  g_autoptr (QuireMemory) block = quire_test_memfd_new (1 << 20);
  g_autoptr (GError) error = NULL;
  int status;
  pid_t pid;

  g_test_summary ("Another process writes into the pages of this one");

  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      QuireMemory *received = quire_memory_receive (fixture->there, QUIRE_FD_NONE, NULL, NULL);

      _exit (received != NULL && quire_memory_fill (received, 0, -1, 0x51) ? 0 : 1);
    }

  quire_memory_send (block, fixture->here, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpuint (quire_test_get_byte (block, 0), ==, 0x51);
}

static void
test_many (Fixture       *fixture,
           gconstpointer  unused)
{
  g_autoptr (QuireMemory) block = quire_test_memfd_new (4096);

  g_test_summary ("A thousand times leaves nothing behind");

  for (guint i = 0; i < 1000; i++)
    quire_memory_unref (hand_over (fixture, block, QUIRE_FD_NONE));
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(PATH, DATA, FUNCTION) \
  g_test_add ("/transfer/" PATH, Fixture, DATA, set_up, FUNCTION, tear_down)

  ADD ("same-pages", NULL, test_same_pages);
  ADD ("window", NULL, test_window);
  ADD ("resized", NULL, test_resized);
  ADD ("sealed", NULL, test_sealed);
  ADD ("flags", NULL, test_flags);
  ADD ("refused-to-send", NULL, test_refused_to_send);
  ADD ("lies", NULL, test_lies);
  ADD ("stable", NULL, test_stable);
  ADD ("pieces", NULL, test_pieces);
  ADD ("end", NULL, test_end);
  ADD ("end-in-the-middle", GINT_TO_POINTER (1), test_end);
  ADD ("io-errors", NULL, test_io_errors);
  ADD ("async", NULL, test_async);
  ADD ("child", NULL, test_child);
  ADD ("many", NULL, test_many);

  return g_test_run ();
}
