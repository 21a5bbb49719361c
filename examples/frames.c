/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A picture goes from file to file through one block of memory, and is never
 * copied:
 *
 *   frames PICTURE.ppm OUTPUT.ppm
 *
 * reads it into the block, inverts a band of rows in place, shares bands of rows
 * out of it, merges them back, and writes what it then has. */

#include <errno.h>
#include <locale.h>
#include <string.h>

#include <glib/gstdio.h>
#include <quire/quire.h>

#include "check.h"

#ifdef HAVE_GDK_PIXBUF
# include <gdk-pixbuf/gdk-pixbuf.h>
#endif

#define N_BANDS 6

/* Where the pixels of a picture are in its file, and how many. */
typedef struct
{
  gsize header;
  gsize width;
  gsize height;
  gsize stride;
} Picture;

/* Reads a whole file straight into a block. */
static QuireMemory *
read_block (const char *path,
            GError    **error)
{
  g_autoptr (QuireMemory) memory = NULL;
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;
  GStatBuf status;
  FILE *file;
  gsize done;

  file = g_fopen (path, "rb");
  if (file == NULL || g_stat (path, &status) != 0)
    {
      g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno),
                   "%s: %s", path, g_strerror (errno));
      g_clear_pointer (&file, fclose);
      return NULL;
    }

  memory = quire_memory_try_new (status.st_size, error);
  if (memory == NULL || !quire_memory_map_full (memory, &info, QUIRE_MAP_WRITE, error))
    {
      fclose (file);
      return NULL;
    }

  setvbuf (file, NULL, _IONBF, 0);
  done = fread (info.data, 1, info.size, file);
  fclose (file);
  if (done != info.size)
    {
      g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_IO, "%s: only %" G_GSIZE_FORMAT
                   " of %" G_GSIZE_FORMAT " bytes could be read", path, done, info.size);
      return NULL;
    }

  g_print ("read      %" G_GSIZE_FORMAT " bytes into a block at %p\n", info.size, (void *) info.data);

  /* The map ends before the block is handed on. */
  quire_map_info_clear (&info);
  return g_steal_pointer (&memory);
}

/* The next number of a header, or 0. */
static gsize
next_number (const guint8 *data,
             gsize         size,
             gsize        *position)
{
  gsize i = *position, number = 0;

  while (i < size && (g_ascii_isspace (data[i]) || data[i] == '#'))
    {
      /* A comment goes to the end of its line. */
      if (data[i] == '#')
        while (i < size && data[i] != '\n')
          i++;
      else
        i++;
    }
  for (; i < size && g_ascii_isdigit (data[i]) && number < 100000; i++)
    number = 10 * number + (data[i] - '0');

  *position = i;
  return number;
}

/* Finds out what is in the block, through a view of it. */
static gboolean
parse_header (QuireMemory *memory,
              Picture     *picture,
              GError     **error)
{
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;
  gsize position = 2, depth;

  if (!quire_memory_map_full (memory, &info, QUIRE_MAP_READ, error))
    return FALSE;

  if (info.size > 2 && memcmp (info.data, "P6", 2) == 0)
    {
      picture->width = next_number (info.data, info.size, &position);
      picture->height = next_number (info.data, info.size, &position);
      depth = next_number (info.data, info.size, &position);
      picture->header = position + 1;
      picture->stride = 3 * picture->width;

      if (depth == 255 && picture->width > 0 && picture->height >= N_BANDS &&
          info.size == picture->header + picture->height * picture->stride)
        return TRUE;
    }

  g_set_error_literal (error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                       "This is no binary PPM picture of 8 bits, or not a whole one");
  return FALSE;
}

static void
invert (guint8 *data,
        gsize   size)
{
  for (gsize i = 0; i < size; i++)
    data[i] = 255 - data[i];
}

static guint8 *
address_of (QuireMemory *memory)
{
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;

  return quire_memory_map (memory, &info, QUIRE_MAP_READ) ? info.data : NULL;
}

/* Shares the picture out, header and bands of rows, and merges them back one
 * after the other. */
static QuireMemory *
share_and_merge (QuireMemory   *memory,
                 const Picture *picture,
                 gsize         *bytes_copied,
                 GError       **error)
{
  g_autoptr (QuireMemory) merged = quire_memory_try_share (memory, 0, picture->header, error);
  g_autoptr (GError) refusal = NULL;
  g_auto (QuireMapInfo) view = QUIRE_MAP_INFO_INIT;
  const gsize rows = picture->height / N_BANDS;
  const guint8 *start = address_of (memory);

  if (merged == NULL)
    return NULL;

  for (gsize i = 0; i < N_BANDS; i++)
    {
      const gsize offset = picture->header + i * rows * picture->stride;
      g_autoptr (QuireMemory) band = NULL;
      QuireMemory *more;
      gsize copied;

      /* What the division left over is the last one's. */
      band = quire_memory_try_share (memory, offset,
                                     i < N_BANDS - 1 ? (gssize) (rows * picture->stride) : -1, error);
      if (band == NULL)
        return NULL;

      g_print ("shared    rows from %4" G_GSIZE_FORMAT " on, %7" G_GSIZE_FORMAT " bytes at %p\n",
               i * rows, quire_memory_get_sizes (band, NULL, NULL), (void *) address_of (band));
      check (address_of (band) == start + offset, "a band is where the picture has it");

      more = quire_memory_try_merge (merged, band, &copied, error);
      if (more == NULL)
        return NULL;
      quire_memory_take (&merged, more);
      *bytes_copied += copied;
    }

  g_print ("merged    %" G_GSIZE_FORMAT " bytes at %p, copied: %" G_GSIZE_FORMAT "\n",
           quire_memory_get_sizes (merged, NULL, NULL), (void *) address_of (merged), *bytes_copied);
  check (address_of (merged) == start && *bytes_copied == 0, "the merged bands are the block itself");

  if (check (!quire_memory_map_full (memory, &view, QUIRE_MAP_WRITE, &refusal),
             "nobody writes what others have shares of"))
    g_print ("refused   a write meanwhile: %s\n", refusal->message);

  return g_steal_pointer (&merged);
}

#ifdef HAVE_GDK_PIXBUF
/* The pixels as a PNG file beside the output: the pixbuf stands on the block
 * itself. */
static gboolean
write_png (QuireMemory   *merged,
           const Picture *picture,
           const char    *output,
           GError       **error)
{
  const gsize stem = strlen (output) - (g_str_has_suffix (output, ".ppm") ? strlen (".ppm") : 0);
  g_autofree char *path = g_strdup_printf ("%.*s.png", (int) stem, output);
  g_autoptr (QuireMemory) pixels = quire_memory_try_share (merged, picture->header, -1, error);
  g_autoptr (GBytes) bytes = pixels != NULL ? quire_memory_try_to_bytes (pixels, error) : NULL;
  g_autoptr (GdkPixbuf) pixbuf = NULL;
  g_autoptr (GdkPixbuf) loaded = NULL;

  if (bytes == NULL)
    return FALSE;

  pixbuf = gdk_pixbuf_new_from_bytes (bytes, GDK_COLORSPACE_RGB, FALSE, 8,
                                      picture->width, picture->height, picture->stride);
  check (gdk_pixbuf_read_pixels (pixbuf) == address_of (merged) + picture->header,
         "the pixbuf has the pixels of the block");

  if (!gdk_pixbuf_save (pixbuf, path, "png", error, NULL))
    return FALSE;
  loaded = gdk_pixbuf_new_from_file (path, error);
  if (loaded == NULL)
    return FALSE;

  g_print ("written   %s\n", path);
  for (gsize y = 0; y < picture->height; y++)
    {
      if (!check (memcmp (gdk_pixbuf_read_pixels (loaded) + y * gdk_pixbuf_get_rowstride (loaded),
                          gdk_pixbuf_read_pixels (pixbuf) + y * picture->stride, picture->stride) == 0,
                  "the PNG has the same pixels"))
        break;
    }
  return TRUE;
}
#endif

static gboolean
run (const char *input,
     const char *output,
     gsize      *bytes_copied,
     GError    **error)
{
  g_autoptr (QuireMemory) memory = NULL;
  g_autoptr (QuireMemory) merged = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_auto (QuireMapInfo) view = QUIRE_MAP_INFO_INIT;
  g_autofree char *meant = NULL;
  g_autofree char *written = NULL;
  Picture picture;
  gsize start, size, meant_size, written_size;

  memory = read_block (input, error);
  if (memory == NULL || !parse_header (memory, &picture, error))
    return FALSE;
  g_print ("found     a picture of %" G_GSIZE_FORMAT " x %" G_GSIZE_FORMAT " pixels\n",
           picture.width, picture.height);

  /* A band of rows, an eighth of the picture, is changed where it stands. */
  start = picture.header + picture.height / 2 * picture.stride;
  size = picture.height / 8 * picture.stride;
  if (!quire_memory_map_full (memory, &view, QUIRE_MAP_READWRITE, error))
    return FALSE;
  invert (view.data + start, size);
  quire_memory_unmap (memory, &view);
  g_print ("inverted  rows from %4" G_GSIZE_FORMAT " on, %7" G_GSIZE_FORMAT " bytes in place\n",
           picture.height / 2, size);

  merged = share_and_merge (memory, &picture, bytes_copied, error);
  bytes = merged != NULL ? quire_memory_try_to_bytes (merged, error) : NULL;
  if (bytes == NULL)
    return FALSE;
  g_print ("bytes     %" G_GSIZE_FORMAT " of them at %p\n",
           g_bytes_get_size (bytes), g_bytes_get_data (bytes, NULL));
  check (g_bytes_get_data (bytes, NULL) == address_of (memory), "the GBytes are the block itself");

  if (!g_file_set_contents (output, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), error))
    return FALSE;
  g_print ("written   %s\n", output);

#ifdef HAVE_GDK_PIXBUF
  if (!write_png (merged, &picture, output, error))
    return FALSE;
#endif

  /* When the last share goes, the block may be written again. */
  g_clear_pointer (&bytes, g_bytes_unref);
  g_clear_pointer (&merged, quire_memory_unref);
  check (quire_memory_map (memory, &view, QUIRE_MAP_WRITE), "the block is free again");

  /* What was written is the input with that band inverted, made without Quire. */
  if (!g_file_get_contents (input, &meant, &meant_size, error) ||
      !g_file_get_contents (output, &written, &written_size, error))
    return FALSE;
  invert ((guint8 *) meant + start, size);
  check (written_size == meant_size && memcmp (written, meant, meant_size) == 0,
         "what was written is what was meant");

  return TRUE;
}

int
main (int    argc,
      char **argv)
{
  g_autoptr (GError) error = NULL;
  gsize bytes_copied = 0;

  setlocale (LC_ALL, "");

  if (argc != 3)
    {
      g_printerr ("usage: %s PICTURE.ppm OUTPUT.ppm\n", argv[0]);
      return 2;
    }

  if (!run (argv[1], argv[2], &bytes_copied, &error))
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }

  g_print ("bytes copied: %" G_GSIZE_FORMAT "\n", bytes_copied);
  return finish ();
}
