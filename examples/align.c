/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How the data of a block is aligned: by default, as its params ask for, and
 * with a prefix before it. */

#include <quire/quire.h>

#include "check.h"

/* One block may be aligned by luck, but not so many, of odd sizes. */
#define N_BLOCKS 100

/* Shows the alignment that the addresses of many blocks have in common. */
static void
show (const char                  *what,
      const QuireAllocationParams *params,
      gsize                        mask)
{
  g_autoptr (GPtrArray) blocks = g_ptr_array_new_with_free_func ((GDestroyNotify) quire_memory_unref);
  guintptr bits = 0;
  gsize common;

  for (gsize i = 0; i < N_BLOCKS; i++)
    {
      g_autoptr (GError) error = NULL;
      g_auto (QuireMapInfo) info = QUIRE_MAP_INFO_INIT;
      QuireMemory *memory = quire_memory_try_new_with_params (2 * i + 1, params, &error);

      if (memory == NULL || !quire_memory_map_full (memory, &info, QUIRE_MAP_READ, &error))
        g_error ("%s", error->message);

      g_ptr_array_add (blocks, memory);
      bits |= (guintptr) info.data;

      check (quire_memory_is_aligned (memory, mask), "is_aligned() agrees");
      check (info.maxsize == 2 * i + 1, "the data ends where the block does");
    }

  common = bits & -bits;
  g_print ("  %-26s %5" G_GSIZE_FORMAT "   %5" G_GSIZE_FORMAT " at least\n",
           what, mask + 1, common);
  check (common > mask, "the data is aligned as it was asked for");
}

int
main (void)
{
  static const gsize masks[] = { 7, 15, 63, 4095 };
  static const gsize prefixes[] = { 16, 100 };
  g_autoptr (GError) error = NULL;
  g_autoptr (QuireMemory) refused = NULL;
  QuireAllocationParams params;

  g_print ("Alignment of the data in bytes\n\n");
  g_print ("  %-26s %5s   found in %d blocks\n", "", "asked", N_BLOCKS);

  show ("default", NULL, quire_allocator_get_default_align ());

  for (gsize i = 0; i < G_N_ELEMENTS (masks); i++)
    {
      g_autofree char *what = g_strdup_printf ("align %" G_GSIZE_FORMAT, masks[i]);

      quire_allocation_params_init (&params);
      params.align = masks[i];
      show (what, &params, masks[i]);
    }

  /* It is the data that is aligned, not the prefix before it. */
  for (gsize i = 0; i < G_N_ELEMENTS (masks); i++)
    {
      for (gsize j = 0; j < G_N_ELEMENTS (prefixes); j++)
        {
          g_autofree char *what = g_strdup_printf ("align %" G_GSIZE_FORMAT ", prefix %" G_GSIZE_FORMAT,
                                                   masks[i], prefixes[j]);

          quire_allocation_params_init (&params);
          params.align = masks[i];
          params.prefix = prefixes[j];
          show (what, &params, masks[i]);
        }
    }

  /* The alignment is a mask: a power of two, less 1. */
  quire_allocation_params_init (&params);
  params.align = 5;
  refused = quire_memory_try_new_with_params (1000, &params, &error);
  g_print ("\n  align 5 is refused: %s\n\n", error != NULL ? error->message : "no, it isn't");
  check (refused == NULL && g_error_matches (error, QUIRE_MEMORY_ERROR, QUIRE_MEMORY_ERROR_NOT_SUPPORTED),
         "an alignment that is no mask is refused");

  return finish ();
}
