/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <string.h>

#include <quire/quire.h>

/* What the tests share. */

#if defined(__has_feature)
# if __has_feature(address_sanitizer)
#  define QUIRE_TEST_ASAN 1
# endif
# if __has_feature(thread_sanitizer)
#  define QUIRE_TEST_TSAN 1
# endif
#endif
#if defined(__SANITIZE_ADDRESS__)
# define QUIRE_TEST_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
# define QUIRE_TEST_TSAN 1
#endif

/* Checks that an error is one of Quire's, of this code, and that its message has
 * each of the words that follow, up to NULL. */
static inline void G_GNUC_NULL_TERMINATED
quire_test_check_error (const char       *where,
                        const GError     *error,
                        QuireMemoryError  code,
                        ...)
{
  const char *word;
  va_list words;

  if (error == NULL)
    g_error ("%s: no error was set", where);
  if (error->domain != QUIRE_MEMORY_ERROR || error->code != (int) code)
    g_error ("%s: expected code %d, got %s %d: %s", where, (int) code,
             g_quark_to_string (error->domain), error->code, error->message);

  va_start (words, code);
  while ((word = va_arg (words, const char *)) != NULL)
    {
      if (strstr (error->message, word) == NULL)
        g_error ("%s: the message should say \"%s\": %s", where, word, error->message);
    }
  va_end (words);
}

/* Checks that a call fails. It puts its reason into &error; CODE is the tail of
 * a QUIRE_MEMORY_ERROR_ name; what follows must be in the message. */
#define quire_assert_refused(call, CODE, ...) \
  G_STMT_START \
    { \
      g_autoptr (GError) error = NULL; \
 \
      if (call) \
        g_error ("%s: not refused: %s", G_STRLOC, #call); \
      quire_test_check_error (G_STRLOC, error, QUIRE_MEMORY_ERROR_##CODE, ##__VA_ARGS__, NULL); \
    } \
  G_STMT_END

/* Checks that a call succeeds and sets no error. */
#define quire_assert_granted(call) \
  G_STMT_START \
    { \
      g_autoptr (GError) error = NULL; \
 \
      if (!(call)) \
        g_error ("%s: %s: %s", G_STRLOC, #call, \
                 error != NULL ? error->message : "failed without an error"); \
      g_assert_no_error (error); \
    } \
  G_STMT_END

/* Checks what stands on a block, in the words of quire_memory_describe_lock(). */
#define quire_assert_state(memory, words) \
  G_STMT_START \
    { \
      g_autofree char *state_ = quire_memory_describe_lock (memory); \
 \
      g_assert_cmpstr (state_, ==, words); \
    } \
  G_STMT_END

#define quire_assert_sizes(memory, expected_offset, expected_size, expected_maxsize) \
  G_STMT_START \
    { \
      gsize offset_, maxsize_; \
      const gsize size_ = quire_memory_get_sizes (memory, &offset_, &maxsize_); \
 \
      g_assert_cmpuint (offset_, ==, expected_offset); \
      g_assert_cmpuint (size_, ==, expected_size); \
      g_assert_cmpuint (maxsize_, ==, expected_maxsize); \
    } \
  G_STMT_END

/* On failure and after the end of a map, all of its info is zero. */
static inline void
quire_test_assert_cleared (const QuireMapInfo *info)
{
  g_assert_null (info->memory);
  g_assert_cmpint (info->flags, ==, QUIRE_MAP_NONE);
  g_assert_null (info->data);
  g_assert_cmpuint (info->size, ==, 0);
  g_assert_cmpuint (info->maxsize, ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (info->user_data); i++)
    g_assert_null (info->user_data[i]);
}

/* The next critical message of the library, whose wording ends like this. */
static inline void
quire_test_expect_critical (const char *pattern)
{
  g_test_expect_message ("Quire", G_LOG_LEVEL_CRITICAL, pattern);
}

/* How a refusal speaks of a range; a size of -1 is to the end. */
static inline char *
quire_test_describe_range (const char *verb,
                           const char *offset,
                           gssize      size)
{
  if (size == -1)
    return g_strdup_printf ("%s from offset %s to the end of 32", verb, offset);
  return g_strdup_printf ("%s %" G_GSSIZE_FORMAT " bytes at offset %s of 32", verb, size, offset);
}

static inline char *
quire_test_describe_signed_range (const char *verb,
                                  gssize      offset,
                                  gssize      size)
{
  g_autofree char *where = g_strdup_printf ("%" G_GSSIZE_FORMAT, offset);

  return quire_test_describe_range (verb, where, size);
}

static inline char *
quire_test_describe_unsigned_range (const char *verb,
                                    gsize       offset,
                                    gssize      size)
{
  g_autofree char *where = g_strdup_printf ("%" G_GSIZE_FORMAT, offset);

  return quire_test_describe_range (verb, where, size);
}

/* What byte @position of a block has, so that no two ranges look alike soon. */
static inline guint8
quire_test_byte (gsize position)
{
  return (guint8) (position * 7 + position / 256 + 1);
}

static inline void
quire_test_assert_pattern (const guint8 *data,
                           gsize         size,
                           gsize         position)
{
  for (gsize i = 0; i < size; i++)
    g_assert_cmpuint (data[i], ==, quire_test_byte (position + i));
}

/* A block with prefix and padding, all of it filled: byte i of the block is
 * quire_test_byte (i). */
static inline QuireMemory *
quire_test_new (gsize prefix,
                gsize size,
                gsize padding)
{
  QuireAllocationParams params;
  QuireMapInfo info;
  QuireMemory *memory;

  quire_allocation_params_init (&params);
  params.prefix = prefix;
  params.padding = padding;
  memory = quire_memory_new_with_params (size, &params);
  g_assert_nonnull (memory);

  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_WRITE));
  for (gsize i = 0; i < prefix + size + padding; i++)
    (info.data - prefix)[i] = quire_test_byte (i);
  quire_memory_unmap (memory, &info);

  return memory;
}

/* Checks that a block shows what quire_test_new() put there, from @position. */
static inline void
quire_test_assert_shows (QuireMemory *memory,
                         gsize        position,
                         gsize        size)
{
  QuireMapInfo info;

  g_assert_true (quire_memory_map (memory, &info, QUIRE_MAP_READ));
  g_assert_cmpuint (info.size, ==, size);
  quire_test_assert_pattern (info.data, size, position);
  quire_memory_unmap (memory, &info);
}

/* Counts calls, as a GDestroyNotify. */
static inline void
quire_test_count (gpointer counter)
{
  __atomic_fetch_add ((guint *) counter, 1, __ATOMIC_ACQ_REL);
}

/* Counts calls, as a QuireMemoryNotify. */
static inline void
quire_test_count_weak (gpointer     counter,
                       QuireMemory *where_the_memory_was)
{
  quire_test_count (counter);
}

/* The outcome of a range that C takes as a pair of offset and size. */
typedef struct
{
  gssize   offset;
  gssize   size;
  gboolean fits;
} QuireTestRange;

/* A block of 32 bytes with 16 before and 16 behind; the range may reach back
 * into the prefix, as that of a share or a copy. */
static const QuireTestRange quire_test_ranges[] = {
  { 0, 32, TRUE },
  { 0, 33, FALSE },
  { 0, 0, TRUE },
  { 0, -1, TRUE },
  { 0, -2, FALSE },
  { 1, 31, TRUE },
  { 1, 32, FALSE },
  { 32, 0, TRUE },
  { 32, -1, TRUE },
  { 32, 1, FALSE },
  { 33, 0, FALSE },
  { 33, -1, FALSE },
  { -16, 48, TRUE },
  { -16, 49, FALSE },
  { -16, -1, TRUE },
  { -16, 0, TRUE },
  { -17, 0, FALSE },
  { -17, 1, FALSE },
  { -17, -1, FALSE },
  { -1, 1, TRUE },
  { 48, 0, FALSE },
  { G_MAXSSIZE, 0, FALSE },
  { G_MAXSSIZE, -1, FALSE },
  { G_MAXSSIZE, 1, FALSE },
  { G_MAXSSIZE, G_MAXSSIZE, FALSE },
  { G_MINSSIZE, 0, FALSE },
  { G_MINSSIZE, -1, FALSE },
  { G_MINSSIZE, G_MAXSSIZE, FALSE },
  { G_MINSSIZE, G_MINSSIZE, FALSE },
  { 0, G_MAXSSIZE, FALSE },
  { 0, G_MINSSIZE, FALSE },
  { -16, G_MAXSSIZE, FALSE },
  { 16, G_MAXSSIZE, FALSE },
  { 1, G_MAXSSIZE, FALSE },
};

/* The same, within the data of a block of 32 bytes: as fill() takes it, and read(). */
typedef struct
{
  gsize    offset;
  gssize   size;
  gboolean fits;
} QuireTestDataRange;

static const QuireTestDataRange quire_test_data_ranges[] = {
  { 0, 32, TRUE },
  { 0, -1, TRUE },
  { 0, 0, TRUE },
  { 0, 33, FALSE },
  { 0, -2, FALSE },
  { 5, 7, TRUE },
  { 5, -1, TRUE },
  { 31, 1, TRUE },
  { 31, 2, FALSE },
  { 32, 0, TRUE },
  { 32, -1, TRUE },
  { 32, 1, FALSE },
  { 33, 0, FALSE },
  { 33, -1, FALSE },
  { 0, G_MAXSSIZE, FALSE },
  { 0, G_MINSSIZE, FALSE },
  { 1, G_MAXSSIZE, FALSE },
  { 32, G_MAXSSIZE, FALSE },
  { G_MAXSIZE, 0, FALSE },
  { G_MAXSIZE, 1, FALSE },
  { G_MAXSIZE, -1, FALSE },
  { G_MAXSIZE - 31, 32, FALSE },
  { G_MAXSSIZE, 1, FALSE },
  { (gsize) G_MAXSSIZE + 1, G_MAXSSIZE, FALSE },
  { (gsize) -16, 16, FALSE },
};

/* How many bytes that are, if it fits. */
static inline gsize
quire_test_resolve (const QuireTestDataRange *range)
{
  return range->size == -1 ? 32 - range->offset : (gsize) range->size;
}
