/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test.h"

/* A stream that gives 5 bytes at a time, and fails after 10. */
typedef struct
{
  GInputStream parent_instance;

  gsize        position;
} FailingStream;

typedef GInputStreamClass FailingStreamClass;

static GType failing_stream_get_type (void);

G_DEFINE_FINAL_TYPE (FailingStream, failing_stream, G_TYPE_INPUT_STREAM)

static gssize
failing_stream_read (GInputStream *stream,
                     void         *buffer,
                     gsize         count,
                     GCancellable *cancellable,
                     GError      **error)
{
  FailingStream *self = (FailingStream *) stream;

  if (self->position >= 10)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "The test wants it so");
      return -1;
    }

  count = MIN (count, 5);
  memset (buffer, 0xe7, count);
  self->position += count;

  return (gssize) count;
}

static void
failing_stream_class_init (FailingStreamClass *klass)
{
  klass->read_fn = failing_stream_read;
}

static void
failing_stream_init (FailingStream *self)
{
}

/* A stream that tells what can't be: more than it was asked for, or a failure without
 * an error. */
typedef struct
{
  GInputStream parent_instance;

  gboolean     fails;
} LyingStream;

typedef GInputStreamClass LyingStreamClass;

static GType lying_stream_get_type (void);

G_DEFINE_FINAL_TYPE (LyingStream, lying_stream, G_TYPE_INPUT_STREAM)

static gssize
lying_stream_read (GInputStream *stream,
                   void         *buffer,
                   gsize         count,
                   GCancellable *cancellable,
                   GError      **error)
{
  return ((LyingStream *) stream)->fails ? -1 : (gssize) count + 1;
}

static void
lying_stream_class_init (LyingStreamClass *klass)
{
  klass->read_fn = lying_stream_read;
}

static void
lying_stream_init (LyingStream *self)
{
}

/* 64 bytes: byte i is 255 - i. */
static guint8 source[64];

static GInputStream *
open_source (gsize size)
{
  return g_memory_input_stream_new_from_data (source, size, NULL);
}

static void
test_read (void)
{
  g_test_summary ("Bytes of a stream go where they were told, and nowhere else; out of range none is read");

  for (gsize i = 0; i < G_N_ELEMENTS (quire_test_data_ranges); i++)
    {
      const QuireTestDataRange *range = &quire_test_data_ranges[i];
      const gsize offset = range->offset;
      const gssize count = range->size;
      g_autoptr (QuireMemory) memory = quire_test_new (16, 32, 16);
      g_autoptr (GInputStream) stream = open_source (64);
      gsize start = 0, size = 0, bytes_read = 99;
      QuireMapInfo info;

      g_test_message ("offset %" G_GSIZE_FORMAT ", size %" G_GSSIZE_FORMAT, offset, count);
      if (range->fits)
        {
          size = quire_test_resolve (range);
          start = 16 + offset;
          quire_assert_granted (quire_memory_read_from_stream (memory, offset, count, stream,
                                                               &bytes_read, NULL, &error));
        }
      else
        {
          g_autofree char *words = quire_test_describe_unsigned_range ("read", offset, count);

          quire_assert_refused (quire_memory_read_from_stream (memory, offset, count, stream,
                                                               &bytes_read, NULL, &error),
                                OUT_OF_RANGE, words);
        }

      g_assert_cmpuint (bytes_read, ==, size);
      g_assert_cmpint (g_seekable_tell (G_SEEKABLE (stream)), ==, size);
      quire_assert_state (memory, "free");
      g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
      quire_test_assert_pattern (info.data - 16, start, 0);
      g_assert_cmpmem (info.data - 16 + start, size, source, size);
      quire_test_assert_pattern (info.data - 16 + start + size, 64 - start - size, start + size);
      quire_memory_unmap (memory, &info);
    }
}

static void
test_end (void)
{
  g_autoptr (QuireMemory) memory = quire_test_new (0, 32, 0);
  g_autoptr (GInputStream) stream = open_source (10);
  gsize bytes_read = 99;

  g_test_summary ("The end of the stream is no error; the count tells, and the rest of the block stays");

  quire_assert_granted (quire_memory_read_from_stream (memory, 0, -1, stream, &bytes_read, NULL, &error));
  g_assert_cmpuint (bytes_read, ==, 10);
  {
    g_autoptr (QuireMemory) rest = quire_memory_share (memory, 10, -1);

    quire_test_assert_shows (rest, 10, 22);
  }
  quire_assert_granted (quire_memory_read_from_stream (memory, 0, -1, stream, &bytes_read, NULL, &error));
  g_assert_cmpuint (bytes_read, ==, 0);
  quire_assert_granted (quire_memory_read_from_stream (memory, 0, -1, stream, NULL, NULL, &error));
}

static void
test_refused (void)
{
  static guint8 data[32];
  g_autoptr (QuireMemory) memory = quire_memory_new (32);
  g_autoptr (QuireMemory) share = quire_memory_share (memory, 0, 8);
  g_autoptr (QuireMemory) read_only = NULL;
  g_autoptr (GInputStream) stream = open_source (64);
  gsize bytes_read = 99;

  g_test_summary ("What may not be written is not read into, and the stream stays where it is");

  read_only = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_READONLY, data, 32, 0, 32, NULL, NULL);
  quire_assert_refused (quire_memory_read_from_stream (memory, 0, -1, stream, &bytes_read, NULL, &error),
                        BUSY, "1 share alive");
  g_assert_cmpuint (bytes_read, ==, 0);
  quire_assert_refused (quire_memory_read_from_stream (read_only, 0, -1, stream, NULL, NULL, &error),
                        READ_ONLY, "32 bytes");
  quire_assert_refused (quire_memory_read_from_stream (share, 0, -1, stream, NULL, NULL, &error),
                        READ_ONLY, "8 bytes");
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (stream)), ==, 0);
}

static void
test_stream_error (void)
{
  g_autoptr (QuireMemory) memory = quire_test_new (0, 32, 0);
  g_autoptr (GInputStream) failing = g_object_new (failing_stream_get_type (), NULL);
  g_autoptr (GInputStream) closed = open_source (64);
  g_autoptr (GError) error = NULL;
  gsize bytes_read = 99;
  QuireMapInfo info;

  g_test_summary ("An error of the stream comes through, with what was read before, and the map ends");

  g_assert_false (quire_memory_read_from_stream (memory, 2, -1, failing, &bytes_read, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_cmpuint (bytes_read, ==, 10);
  quire_assert_state (memory, "free");
  g_clear_error (&error);

  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  quire_test_assert_pattern (info.data, 2, 0);
  g_assert_cmpuint (info.data[2], ==, 0xe7);
  g_assert_cmpuint (info.data[11], ==, 0xe7);
  quire_test_assert_pattern (info.data + 12, 20, 12);
  quire_memory_unmap (memory, &info);

  g_assert_true (g_input_stream_close (closed, NULL, NULL));
  g_assert_false (quire_memory_read_from_stream (memory, 0, -1, closed, &bytes_read, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_assert_cmpuint (bytes_read, ==, 0);
  quire_assert_state (memory, "free");
}

static void
test_lies (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (32);
  g_autoptr (GInputStream) stream = g_object_new (lying_stream_get_type (), NULL);
  gsize bytes_read = 99;

  g_test_summary ("What a stream tells that can't be is an error, and not passed on");

  for (guint fails = 0; fails < 2; fails++)
    {
      ((LyingStream *) stream)->fails = fails;
      quire_assert_refused (quire_memory_read_from_stream (memory, 0, -1, stream, &bytes_read, NULL, &error),
                            FAILED, "32 bytes");
      g_assert_cmpuint (bytes_read, ==, 0);
    }
  quire_assert_state (memory, "free");
}

static void
test_cancelled (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (32);
  g_autoptr (GInputStream) stream = open_source (64);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  gsize bytes_read = 99;

  g_test_summary ("What was cancelled before reads nothing, even of a stream that does not look");

  g_cancellable_cancel (cancellable);
  g_assert_false (quire_memory_read_from_stream (memory, 0, -1, stream, &bytes_read, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (bytes_read, ==, 0);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (stream)), ==, 0);
  quire_assert_state (memory, "free");
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (gsize i = 0; i < sizeof source; i++)
    source[i] = (guint8) (255 - i);

  g_test_add_func ("/stream/read", test_read);
  g_test_add_func ("/stream/end", test_end);
  g_test_add_func ("/stream/refused", test_refused);
  g_test_add_func ("/stream/stream-error", test_stream_error);
  g_test_add_func ("/stream/lies", test_lies);
  g_test_add_func ("/stream/cancelled", test_cancelled);

  return g_test_run ();
}
