/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One process fills frames, others look at them, and no byte is copied:
 *
 *   across [--frames=N] [--frame-size=BYTES] [--kill-after=N] -- COMMAND [-- COMMAND…]
 *
 * starts each command with its end of a connection as descriptor 3, and hands it frame
 * after frame. A consumer answers each with its number and the sum of its words; then the
 * frame is free for the next one. So a few blocks do for any number of frames.
 *
 * With --kill-after, the first consumer is killed in the middle of its work: the others
 * get every frame nevertheless, and nothing leaks. */

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <quire/quire.h>

#include "check.h"

/* How many frames may be under way at a time. */
#define N_BLOCKS 4
/* Who does not answer for so long never will. */
#define PATIENCE G_TIME_SPAN_MINUTE
#define CONSUMER_FD 3

/* What a consumer answers with. */
typedef struct
{
  guint32 number;
  /* Of the frame's words, as far as it goes into one. */
  guint32 sum;
} Answer;

/* A frame that some consumers have not answered yet. */
typedef struct
{
  gatomicrefcount ref_count;
  QuireMemory    *memory;
  Answer          expected;
} Frame;

typedef struct
{
  char            *name;
  GSubprocess     *process;
  GUnixConnection *connection;
  GThread         *thread;
  /* Of Frame: what it was sent and has not answered. */
  GAsyncQueue     *under_way;
  /* What the thread counts. */
  guint            n_answered;
  guint            n_wrong;
  guint            kill_after;
} Consumer;

static int n_frames = 1000;
static gint64 frame_size = 8 * 1024 * 1024;
static int kill_after = 0;

static const GOptionEntry options[] = {
  { "frames", 0, 0, G_OPTION_ARG_INT, &n_frames, "How many frames to hand over", "N" },
  { "frame-size", 0, 0, G_OPTION_ARG_INT64, &frame_size, "How large a frame is", "BYTES" },
  { "kill-after", 0, 0, G_OPTION_ARG_INT, &kill_after, "Kill the first consumer after so many frames", "N" },
  { NULL, },
};

static Frame *
frame_new (QuireMemory *memory,
           guint32      number,
           guint32      sum)
{
  Frame *frame = g_new (Frame, 1);

  g_atomic_ref_count_init (&frame->ref_count);
  frame->memory = quire_memory_ref (memory);
  frame->expected = (Answer) { number, sum };
  return frame;
}

static void
frame_unref (Frame *frame)
{
  if (!g_atomic_ref_count_dec (&frame->ref_count))
    return;

  quire_memory_unref (frame->memory);
  g_free (frame);
}

/* How many descriptors of frames and of connections are open: GLib has some of its own. */
static guint
count_fds (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  const char *name;
  guint n = 0;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename ("/proc/self/fd", name, NULL);
      g_autofree char *target = g_file_read_link (path, NULL);

      if (target != NULL && (strstr (target, "memfd:") != NULL || g_str_has_prefix (target, "socket:")))
        n++;
    }
  return n;
}

/* Fills a frame with words that depend on its number; gives their sum. */
static guint32
fill_frame (QuireMemory *memory,
            guint32      number)
{
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;
  guint32 *words;
  guint32 word = number * 2654435761u;
  guint32 sum = 0;

  if (!check (quire_memory_map (memory, &info, QUIRE_MAP_WRITE), "a free frame can be written"))
    return 0;

  words = (guint32 *) (gpointer) info.data;
  for (gsize i = 0; i < info.size / sizeof *words; i++)
    {
      words[i] = word;
      sum += word;
      word += 0x9e3779b9;
    }

  return sum;
}

/* Takes answers until the consumer goes, and lets its frames go: those that it has seen,
 * and in the end those that it never will. */
static gpointer
take_answers (gpointer data)
{
  Consumer *consumer = data;
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (consumer->connection));
  Frame *frame;
  Answer answer;
  gsize done;

  while (g_input_stream_read_all (input, &answer, sizeof answer, &done, NULL, NULL) && done == sizeof answer)
    {
      frame = g_async_queue_pop (consumer->under_way);
      if (answer.number != frame->expected.number || answer.sum != frame->expected.sum)
        consumer->n_wrong++;
      frame_unref (frame);

      consumer->n_answered++;
      if (consumer->n_answered == consumer->kill_after)
        g_subprocess_send_signal (consumer->process, SIGKILL);
    }

  while ((frame = g_async_queue_try_pop (consumer->under_way)) != NULL)
    frame_unref (frame);
  return NULL;
}

static Consumer *
consumer_start (char   **command,
                GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GSubprocess) process = NULL;
  Consumer *consumer;
  int fds[2];

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
    g_error ("socketpair: %s", g_strerror (errno));

  g_subprocess_launcher_take_fd (launcher, fds[1], CONSUMER_FD);
  process = g_subprocess_launcher_spawnv (launcher, (const char * const *) command, error);
  socket = g_socket_new_from_fd (fds[0], NULL);
  if (process == NULL)
    return NULL;

  consumer = g_new0 (Consumer, 1);
  consumer->name = g_path_get_basename (command[g_strv_length (command) - 1]);
  consumer->process = g_steal_pointer (&process);
  consumer->connection = G_UNIX_CONNECTION (g_socket_connection_factory_create_connection (socket));
  consumer->under_way = g_async_queue_new_full ((GDestroyNotify) frame_unref);
  return consumer;
}

static void
consumer_free (Consumer *consumer)
{
  g_free (consumer->name);
  g_object_unref (consumer->process);
  g_object_unref (consumer->connection);
  g_async_queue_unref (consumer->under_way);
  g_free (consumer);
}

/* Waits until the consumer has seen all, or is gone. Gives whether it went well. */
static gboolean
consumer_finish (Consumer *consumer)
{
  gboolean success;

  g_socket_shutdown (g_socket_connection_get_socket (G_SOCKET_CONNECTION (consumer->connection)),
                     FALSE, TRUE, NULL);
  success = g_subprocess_wait_check (consumer->process, NULL, NULL);
  g_thread_join (consumer->thread);
  return success;
}

/* Hands a frame to a consumer; to one that is gone it can't, and nothing is lost by that. */
static void
consumer_send (Consumer    *consumer,
               QuireMemory *memory,
               Frame       *frame)
{
  g_autoptr (GError) error = NULL;

  g_atomic_ref_count_inc (&frame->ref_count);
  g_async_queue_push (consumer->under_way, frame);
  if (quire_memory_send (memory, consumer->connection, NULL, &error))
    return;

  if (g_async_queue_remove (consumer->under_way, frame))
    frame_unref (frame);
  if (consumer->kill_after == 0)
    check (FALSE, error->message);
}

/* The proof that nothing was copied: a consumer has a frame mapped, and says so; then
 * the frame changes, and the consumer finds the change in the view that it has. */
static void
prove_same_pages (Consumer    *consumer,
                  QuireMemory *memory)
{
  GIOStream *stream = G_IO_STREAM (consumer->connection);
  const guint32 before = fill_frame (memory, 1);
  guint32 after;
  Answer answers[2];

  if (check (quire_memory_send (memory, consumer->connection, NULL, NULL), "a frame can be sent") &&
      check (g_input_stream_read_all (g_io_stream_get_input_stream (stream), &answers[0],
                                      sizeof (Answer), NULL, NULL, NULL), "the consumer answers"))
    {
      after = fill_frame (memory, 2);
      check (g_output_stream_write_all (g_io_stream_get_output_stream (stream), "!", 1, NULL, NULL, NULL) &&
             g_input_stream_read_all (g_io_stream_get_input_stream (stream), &answers[1],
                                      sizeof (Answer), NULL, NULL, NULL), "the consumer answers again");
      check (before != after && answers[0].sum == before && answers[1].sum == after,
             "what was written after the hand-over shows in a view that was open before");
    }
}

/* Hands all frames to all consumers, over a handful of blocks. */
static void
run_frames (QuirePoolAllocator *pool,
            GPtrArray          *consumers)
{
  for (int i = 0; i < n_frames; i++)
    {
      g_autoptr (QuireMemory) memory = NULL;
      g_autoptr (QuireMemory) share = NULL;
      g_autoptr (GError) error = NULL;
      guint32 sum;
      Frame *frame;

      /* Waits for one to come back when all are under way. */
      memory = quire_pool_allocator_try_acquire (pool, PATIENCE, NULL, &error);
      if (memory == NULL)
        g_error ("%s", error->message);

      /* Consumers get a share, so that they can't write. */
      sum = fill_frame (memory, (guint32) i);
      share = quire_memory_share (memory, 0, -1);
      frame = frame_new (share, (guint32) i, sum);
      for (guint j = 0; j < consumers->len; j++)
        consumer_send (g_ptr_array_index (consumers, j), share, frame);
      frame_unref (frame);
    }
}

static void
report (Consumer *consumer,
        gboolean  success,
        double    seconds)
{
  const double bytes = (double) consumer->n_answered * (double) frame_size;

  g_print ("%-20s  %5u frames of %.1f MB  %6.2f GB/s  %s\n",
           consumer->name, consumer->n_answered, (double) frame_size / 1e6, bytes / seconds / 1e9,
           success ? "every sum right" : "killed");

  check (consumer->n_wrong == 0, "every sum is right");
  if (consumer->kill_after == 0)
    check (success && consumer->n_answered == (guint) n_frames, "it has seen every frame");
  else
    check (!success && consumer->n_answered >= consumer->kill_after &&
           consumer->n_answered < (guint) n_frames, "it was killed in the middle");
}

static void
run (GPtrArray *consumers)
{
  g_autoptr (QuireAllocator) memfd = quire_allocator_find ("memfd");
  g_autoptr (QuirePoolAllocator) pool = quire_pool_allocator_new (memfd, (gsize) frame_size, NULL, N_BLOCKS);
  QuirePoolStats stats;
  gint64 start;
  double seconds;

  for (guint i = 0; i < consumers->len; i++)
    {
      g_autoptr (QuireMemory) memory = quire_allocator_alloc (QUIRE_ALLOCATOR (pool), (gsize) frame_size, NULL);
      Consumer *consumer = g_ptr_array_index (consumers, i);

      prove_same_pages (consumer, memory);
      consumer->kill_after = i == 0 ? (guint) kill_after : 0;
      consumer->thread = g_thread_new (consumer->name, take_answers, consumer);
    }

  start = g_get_monotonic_time ();
  run_frames (pool, consumers);
  for (guint i = 0; i < consumers->len; i++)
    {
      const gboolean success = consumer_finish (g_ptr_array_index (consumers, i));

      seconds = (double) (g_get_monotonic_time () - start) / 1e6;
      report (g_ptr_array_index (consumers, i), success, seconds);
    }

  quire_pool_allocator_get_stats (pool, &stats);
  g_print ("%-20s  %u blocks served all of them\n", "producer", stats.max_out);
  check (stats.n_out == 0, "every frame came back");
  check (stats.max_out <= N_BLOCKS, "a handful of blocks is enough");
}

int
main (int    argc,
      char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("-- COMMAND [-- COMMAND…]");
  g_autoptr (GPtrArray) consumers = g_ptr_array_new_with_free_func ((GDestroyNotify) consumer_free);
  g_autoptr (GError) error = NULL;
  guint n_fds;

  setlocale (LC_ALL, "");
  g_option_context_add_main_entries (context, options, NULL);
  g_option_context_set_strict_posix (context, TRUE);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      g_printerr ("%s\n", error->message);
      return 2;
    }

  n_fds = count_fds ();
  for (int i = 1; i < argc; i++)
    {
      g_autoptr (GPtrArray) command = g_ptr_array_new ();
      Consumer *consumer;

      for (; i < argc && !g_str_equal (argv[i], "--"); i++)
        g_ptr_array_add (command, argv[i]);
      if (command->len == 0)
        continue;
      g_ptr_array_add (command, NULL);

      consumer = consumer_start ((char **) command->pdata, &error);
      if (consumer == NULL)
        {
          g_printerr ("%s\n", error->message);
          return 1;
        }
      g_ptr_array_add (consumers, consumer);
    }

  run (consumers);
  g_ptr_array_set_size (consumers, 0);
  check (count_fds () == n_fds, "no descriptor is left");

  g_print ("bytes copied: 0\n");
  return finish ();
}
