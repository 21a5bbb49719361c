/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Which shares lie side by side, so that they merge without a copy. */

#include <string.h>

#include <quire/quire.h>

#include "check.h"

#define SIZE 1000

typedef struct
{
  gsize begin;
  gsize end;
} Range;

/* A block that counts up from @first. */
static QuireMemory *
counting_block (guint8 first)
{
  QuireMemory *memory = quire_memory_new (SIZE);
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;

  if (memory == NULL || !quire_memory_map (memory, &info, QUIRE_MAP_WRITE))
    g_error ("No memory");

  for (gsize i = 0; i < SIZE; i++)
    info.data[i] = (guint8) (first + i);

  return memory;
}

static guint8 *
address_of (QuireMemory *memory)
{
  g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;

  return quire_memory_map (memory, &info, QUIRE_MAP_READ) ? info.data : NULL;
}

/* The merged block has the bytes of both, one after the other. */
static gboolean
has_both (QuireMemory *merged,
          QuireMemory *first,
          QuireMemory *second)
{
  g_auto (QuireMapInfo) whole = QUIRE_MAP_INFO_INIT;
  g_auto (QuireMapInfo) left = QUIRE_MAP_INFO_INIT;
  g_auto (QuireMapInfo) right = QUIRE_MAP_INFO_INIT;

  return quire_memory_map (merged, &whole, QUIRE_MAP_READ) &&
         quire_memory_map (first, &left, QUIRE_MAP_READ) &&
         quire_memory_map (second, &right, QUIRE_MAP_READ) &&
         whole.size == left.size + right.size &&
         memcmp (whole.data, left.data, left.size) == 0 &&
         memcmp (whole.data + left.size, right.data, right.size) == 0;
}

/* Shares a range of each parent, asks whether they are a span, and merges them.
 * Returns how many bytes the merge of a span copied; of anything else, 0. */
static gsize
show (const char  *what,
      QuireMemory *first_parent,
      Range        first_range,
      QuireMemory *second_parent,
      Range        second_range,
      gboolean     expected)
{
  const gsize first_size = first_range.end - first_range.begin;
  const gsize second_size = second_range.end - second_range.begin;
  g_autoptr (QuireMemory) first = quire_memory_share (first_parent, first_range.begin, first_size);
  g_autoptr (QuireMemory) second = quire_memory_share (second_parent, second_range.begin, second_size);
  g_autoptr (QuireMemory) merged = NULL;
  gsize parent_offset, offset, copied;
  gboolean span, in_place;

  quire_memory_get_sizes (first_parent, &parent_offset, NULL);
  span = quire_memory_is_span (first, second, &offset);
  merged = quire_memory_try_merge (first, second, &copied, NULL);
  if (merged == NULL)
    g_error ("The shares can't be merged");
  in_place = address_of (merged) == address_of (first_parent) + first_range.begin;

  g_print ("  %-20s%5" G_GSIZE_FORMAT "..%-4" G_GSIZE_FORMAT "%5" G_GSIZE_FORMAT "..%-4" G_GSIZE_FORMAT
           "   %-5s %-10s %" G_GSIZE_FORMAT "\n",
           what, first_range.begin, first_range.end, second_range.begin, second_range.end,
           span ? "yes" : "no", in_place ? "in place" : "elsewhere", copied);

  check (span == expected, "this is what the rules say");
  check (offset == (span ? parent_offset + first_range.begin : 0),
         "a span begins where its first share does");
  check (in_place == span, "a span stays where it is, and nothing else does");
  check (copied == (span ? 0 : first_size + second_size), "a span copies nothing");
  check (has_both (merged, first, second), "the merged block has the bytes of both");

  return span ? copied : 0;
}

int
main (void)
{
  g_autoptr (QuireMemory) memory = counting_block (0);
  g_autoptr (QuireMemory) other = counting_block (100);
  g_autoptr (QuireMemory) window = quire_memory_share (memory, 500, 500);
  gsize copied = 0;

  g_print ("Two shares of a block of %d bytes\n\n", SIZE);
  g_print ("  %-20s%7s%12s      %-5s %-10s %s\n", "", "first", "second", "span", "merged", "bytes copied");

  copied += show ("adjacent", memory, (Range) { 0, 400 }, memory, (Range) { 400, 1000 }, TRUE);
  copied += show ("adjacent, inside", memory, (Range) { 100, 300 }, memory, (Range) { 300, 350 }, TRUE);
  copied += show ("shares of a share", window, (Range) { 0, 100 }, window, (Range) { 100, 200 }, TRUE);
  copied += show ("share and its share", memory, (Range) { 400, 500 }, window, (Range) { 0, 100 }, TRUE);
  show ("gap of 10", memory, (Range) { 0, 100 }, memory, (Range) { 110, 210 }, FALSE);
  show ("overlap of 10", memory, (Range) { 0, 100 }, memory, (Range) { 90, 190 }, FALSE);
  show ("reversed", memory, (Range) { 100, 200 }, memory, (Range) { 0, 100 }, FALSE);
  show ("other parents", memory, (Range) { 0, 100 }, other, (Range) { 100, 200 }, FALSE);

  check (!quire_memory_is_span (memory, other, NULL), "two blocks that are no shares are no span");

  g_print ("\nBy all that are a span:\nbytes copied: %" G_GSIZE_FORMAT "\n", copied);
  return finish ();
}
