/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-test.h"

#define R  QUIRE_MAP_READ
#define W  QUIRE_MAP_WRITE
#define RW QUIRE_MAP_READWRITE
#define E  QUIRE_MAP_EXCLUSIVE
#define U  QUIRE_MAP_UNIQUE

#define FLAGS(flags) ((QuireMapFlags) (flags))

#define READ_LIMIT   4096
#define WRITE_LIMIT  4096
#define RW_LIMIT     4095
#define OWNERS_LIMIT 127
#define SHARES_LIMIT 126976

/* What can be held, and asked for. EXCLUSIVE alone is a lock, never a map. */
static const struct
{
  guint       flags;
  const char *request;
  const char *state;
} kinds[] = {
  { R, "READ", "1 READ map" },
  { W, "WRITE", "1 WRITE map" },
  { RW, "READ+WRITE", "1 READ+WRITE map" },
  { R | U, "READ+UNIQUE", "1 READ map (UNIQUE)" },
  { W | U, "WRITE+UNIQUE", "1 WRITE map (UNIQUE)" },
  { RW | U, "READ+WRITE+UNIQUE", "1 READ+WRITE map (UNIQUE)" },
  { R | E, "READ+EXCLUSIVE", "1 READ map, 1 owner" },
  { W | E, "WRITE+EXCLUSIVE", "1 WRITE map, 1 owner" },
  { RW | E, "READ+WRITE+EXCLUSIVE", "1 READ+WRITE map, 1 owner" },
  { R | E | U, "READ+EXCLUSIVE+UNIQUE", "1 READ map (UNIQUE), 1 owner" },
  { W | E | U, "WRITE+EXCLUSIVE+UNIQUE", "1 WRITE map (UNIQUE), 1 owner" },
  { RW | E | U, "READ+WRITE+EXCLUSIVE+UNIQUE", "1 READ+WRITE map (UNIQUE), 1 owner" },
  { E, "EXCLUSIVE", "1 owner" },
};

#define N_KINDS G_N_ELEMENTS (kinds)
#define N_MAPS  (N_KINDS - 1)

/* A row is what is held, a column what is asked for, both in the order of kinds;
 * '+' is granted, '-' is busy. */
static const char *table[] = {
  /*         R  W  RW  +U +U +U  +E +E +E  +EU    E */
  /* R    */ "+--" "---" "+--" "---" "+",
  /* W    */ "-+-" "---" "-+-" "---" "+",
  /* RW   */ "+++" "---" "+++" "---" "+",
  /* R+U  */ "---" "---" "---" "---" "+",
  /* W+U  */ "---" "---" "---" "---" "+",
  /* RW+U */ "---" "---" "---" "---" "+",
  /* R+E  */ "+--" "---" "+--" "---" "+",
  /* W+E  */ "-+-" "---" "---" "---" "-",
  /* RW+E */ "+++" "---" "---" "---" "-",
  /* R+EU */ "---" "---" "---" "---" "+",
  /* W+EU */ "---" "---" "---" "---" "-",
  /* RWEU */ "---" "---" "---" "---" "-",
  /* E    */ "+++" "+++" "+--" "+--" "+",
};

/* The same, over what is no single map: two owners, and a share. */
static const char two_owners[] = "+--" "+--" "+--" "+--" "+";
static const char one_share[] = "+--" "+--" "+--" "+--" "+";

/* Asks for each kind over what stands now. A refusal names the request and the
 * state, and changes nothing. */
static void
check_row (QuireMemory *memory,
           const char  *row,
           const char  *state)
{
  for (gsize asked = 0; asked < N_KINDS; asked++)
    {
      const QuireMapFlags flags = FLAGS (kinds[asked].flags);
      g_autofree char *refuses = g_strdup_printf ("refuses %s: ", kinds[asked].request);

      g_test_message ("%s, asked for %s", state, kinds[asked].request);
      if (row[asked] == '+')
        {
          quire_assert_granted (quire_memory_try_lock (memory, flags, &error));
          quire_assert_granted (quire_memory_try_unlock (memory, flags, &error));
        }
      else
        {
          quire_assert_refused (quire_memory_try_lock (memory, flags, &error),
                                BUSY, "24 bytes", refuses, state);
          g_assert_false (quire_memory_lock (memory, flags));
        }
      quire_assert_state (memory, state);

      if (asked < N_MAPS)
        {
          QuireMapInfo info;

          if (row[asked] == '+')
            {
              quire_assert_granted (quire_memory_map_full (memory, &info, flags, &error));
              quire_memory_unmap (memory, &info);
            }
          else
            {
              quire_assert_refused (quire_memory_map_full (memory, &info, flags, &error),
                                    BUSY, "24 bytes", refuses, state);
              quire_test_assert_cleared (&info);
            }
          quire_assert_state (memory, state);
        }
    }
}

static void
test_table (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (24);

  g_test_summary ("Every kind of lock asked for over every kind that is held");

  for (gsize held = 0; held < N_KINDS; held++)
    {
      const QuireMapFlags flags = FLAGS (kinds[held].flags);

      quire_assert_granted (quire_memory_try_lock (memory, flags, &error));
      quire_assert_state (memory, kinds[held].state);
      check_row (memory, table[held], kinds[held].state);
      quire_memory_unlock (memory, flags);
      quire_assert_state (memory, "free");

      if (held < N_MAPS)
        {
          QuireMapInfo info;

          quire_assert_granted (quire_memory_map_full (memory, &info, flags, &error));
          check_row (memory, table[held], kinds[held].state);
          quire_memory_unmap (memory, &info);
          quire_assert_state (memory, "free");
        }
    }

  for (gsize asked = 0; asked < N_KINDS; asked++)
    {
      quire_assert_granted (quire_memory_try_lock (memory, FLAGS (kinds[asked].flags), &error));
      quire_memory_unlock (memory, FLAGS (kinds[asked].flags));
    }
}

static void
test_two_owners (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (24);

  g_test_summary ("With two owners nobody writes, and with one again somebody may");

  g_assert_true (quire_memory_lock (memory, E));
  g_assert_true (quire_memory_is_writable (memory));
  g_assert_true (quire_memory_lock (memory, E));
  g_assert_false (quire_memory_is_writable (memory));
  check_row (memory, two_owners, "2 owners");

  quire_memory_unlock (memory, E);
  g_assert_true (quire_memory_is_writable (memory));
  check_row (memory, table[N_KINDS - 1], "1 owner");
  quire_memory_unlock (memory, E);
  quire_assert_state (memory, "free");
}

static void
test_owner_under_write (void)
{
  static const guint writes[] = { W, RW, W | U, RW | U };
  g_autoptr (QuireMemory) memory = quire_memory_new (24);

  g_test_summary ("While somebody writes, the first owner gets in and the second does not");

  for (gsize i = 0; i < G_N_ELEMENTS (writes); i++)
    {
      g_assert_true (quire_memory_lock (memory, FLAGS (writes[i])));
      g_assert_true (quire_memory_lock (memory, E));
      quire_assert_refused (quire_memory_try_lock (memory, E, &error),
                            BUSY, "refuses EXCLUSIVE", "1 owner", "WRITE map");
      quire_memory_unlock (memory, FLAGS (writes[i]));
      g_assert_true (quire_memory_lock (memory, E));
      quire_memory_unlock (memory, E);
      quire_memory_unlock (memory, E);
      quire_assert_state (memory, "free");
    }
}

static void
test_one_share (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (24);
  g_autoptr (QuireMemory) share = quire_memory_share (memory, 0, -1);

  g_test_summary ("While a share lives nobody writes, and everybody reads");

  g_assert_nonnull (share);
  check_row (memory, one_share, "1 share alive");
}

static void
test_read_only (void)
{
  static guint8 data[24];
  g_autoptr (QuireMemory) memory = NULL;

  g_test_summary ("A read-only block refuses all that has WRITE in it, with a reason of its own");

  memory = quire_memory_new_wrapped (QUIRE_MEMORY_FLAG_READONLY, data, 24, 0, 24, NULL, NULL);
  g_assert_false (quire_memory_is_writable (memory));

  for (gsize asked = 0; asked < N_KINDS; asked++)
    {
      const QuireMapFlags flags = FLAGS (kinds[asked].flags);
      QuireMapInfo info;

      if (flags & W)
        {
          quire_assert_refused (quire_memory_try_lock (memory, flags, &error),
                                READ_ONLY, "24 bytes");
          quire_assert_refused (quire_memory_map_full (memory, &info, flags, &error),
                                READ_ONLY, "24 bytes");
          quire_test_assert_cleared (&info);
        }
      else
        {
          quire_assert_granted (quire_memory_try_lock (memory, flags, &error));
          quire_memory_unlock (memory, flags);
        }
      quire_assert_state (memory, "free");
    }
}

static void
test_what_stands_now (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (24);

  g_test_summary ("A request is judged by what stands now, not by what stood first");

  g_assert_true (quire_memory_lock (memory, RW));
  g_assert_true (quire_memory_lock (memory, R));
  quire_memory_unlock (memory, RW);
  quire_assert_refused (quire_memory_try_lock (memory, W, &error), BUSY, "WRITE: 1 READ map");
  quire_assert_refused (quire_memory_try_lock (memory, RW, &error), BUSY, "WRITE: 1 READ map");
  g_assert_true (quire_memory_lock (memory, R));
  quire_memory_unlock (memory, R);
  quire_memory_unlock (memory, R);

  g_assert_true (quire_memory_lock (memory, RW));
  g_assert_true (quire_memory_lock (memory, W));
  quire_memory_unlock (memory, RW);
  quire_assert_refused (quire_memory_try_lock (memory, R, &error), BUSY, "READ: 1 WRITE map");
  quire_assert_refused (quire_memory_try_lock (memory, RW, &error), BUSY, "WRITE: 1 WRITE map");
  g_assert_true (quire_memory_lock (memory, W));
  quire_memory_unlock (memory, W);
  quire_memory_unlock (memory, W);

  g_assert_true (quire_memory_lock (memory, RW));
  g_assert_true (quire_memory_lock (memory, W));
  g_assert_true (quire_memory_lock (memory, R));
  g_assert_true (quire_memory_lock (memory, RW));
  quire_assert_state (memory, "1 READ map, 1 WRITE map, 2 READ+WRITE maps");
  quire_memory_unlock (memory, RW);
  quire_memory_unlock (memory, RW);
  quire_assert_state (memory, "1 READ map, 1 WRITE map");
  quire_assert_refused (quire_memory_try_lock (memory, R, &error), BUSY);
  quire_assert_refused (quire_memory_try_lock (memory, W, &error), BUSY);
  quire_assert_refused (quire_memory_try_lock (memory, RW, &error), BUSY);
  quire_memory_unlock (memory, W);
  g_assert_true (quire_memory_lock (memory, R));
  quire_memory_unlock (memory, R);
  quire_memory_unlock (memory, R);
  quire_assert_state (memory, "free");
}

typedef struct
{
  guint       flags;
  guint       limit;
  const char *full;
  const char *one_less;
} Limit;

static const Limit limits[] = {
  { R, READ_LIMIT, "4096 READ maps", "4095 READ maps" },
  { W, WRITE_LIMIT, "4096 WRITE maps", "4095 WRITE maps" },
  { RW, RW_LIMIT, "4095 READ+WRITE maps", "4094 READ+WRITE maps" },
  { E, OWNERS_LIMIT, "127 owners", "126 owners" },
};

static void
test_lock_limit (gconstpointer data)
{
  const Limit *limit = data;
  const QuireMapFlags flags = FLAGS (limit->flags);
  g_autoptr (QuireMemory) memory = quire_memory_new (24);

  g_test_summary ("Locks nest up to a limit, where they are refused and run over into nothing");

  for (guint i = 0; i < limit->limit; i++)
    g_assert_true (quire_memory_lock (memory, flags));
  quire_assert_state (memory, limit->full);

  for (guint i = 0; i < 3; i++)
    {
      quire_assert_refused (quire_memory_try_lock (memory, flags, &error), BUSY, limit->full);
      quire_assert_state (memory, limit->full);
    }

  quire_memory_unlock (memory, flags);
  quire_assert_state (memory, limit->one_less);
  g_assert_true (quire_memory_lock (memory, flags));
  quire_assert_refused (quire_memory_try_lock (memory, flags, &error), BUSY, limit->full);

  for (guint i = 0; i < limit->limit; i++)
    quire_memory_unlock (memory, flags);
  quire_assert_state (memory, "free");
  quire_assert_granted (quire_memory_try_lock (memory, FLAGS (RW | E | U), &error));
  quire_memory_unlock (memory, FLAGS (RW | E | U));
}

static void
test_map_limit (gconstpointer data)
{
  const Limit *limit = data;
  const QuireMapFlags flags = FLAGS (limit->flags);
  g_autofree QuireMapInfo *infos = g_new (QuireMapInfo, limit->limit);
  g_autoptr (QuireMemory) memory = quire_memory_new (24);
  QuireMapInfo info;

  g_test_summary ("Thousands of nested maps leave the block writable when they are gone");

  for (guint i = 0; i < limit->limit; i++)
    g_assert_true (quire_memory_map (memory, &infos[i], flags));
  quire_assert_refused (quire_memory_map_full (memory, &info, flags, &error), BUSY, limit->full);
  quire_test_assert_cleared (&info);

  for (guint i = 0; i < limit->limit; i++)
    quire_memory_unmap (memory, &infos[i]);
  quire_assert_state (memory, "free");
  quire_assert_granted (quire_memory_try_fill (memory, 0, -1, 1, &error));
}

static void
test_limits_together (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (24);

  g_test_summary ("All counts at their limits at once keep apart");

  for (gsize i = G_N_ELEMENTS (limits) - 1; i-- > 0;)
    {
      for (guint n = 0; n < limits[i].limit; n++)
        g_assert_true (quire_memory_lock (memory, FLAGS (limits[i].flags)));
    }
  g_assert_true (quire_memory_lock (memory, E));
  quire_assert_state (memory, "4096 READ maps, 4096 WRITE maps, 4095 READ+WRITE maps, 1 owner");

  for (gsize i = 0; i < G_N_ELEMENTS (limits); i++)
    quire_assert_refused (quire_memory_try_lock (memory, FLAGS (limits[i].flags), &error), BUSY);
  quire_assert_state (memory, "4096 READ maps, 4096 WRITE maps, 4095 READ+WRITE maps, 1 owner");

  for (gsize i = 0; i < G_N_ELEMENTS (limits) - 1; i++)
    {
      for (guint n = 0; n < limits[i].limit; n++)
        quire_memory_unlock (memory, FLAGS (limits[i].flags));
    }
  quire_memory_unlock (memory, E);
  quire_assert_state (memory, "free");
}

static void
test_share_limit (void)
{
  g_autofree QuireMemory **shares = g_new (QuireMemory *, SHARES_LIMIT);
  g_autoptr (QuireMemory) memory = quire_memory_new (24);

  g_test_summary ("The count of shares has a limit too, and runs over into nothing");

  for (guint i = 0; i < SHARES_LIMIT; i++)
    shares[i] = quire_memory_share (memory, i % 24, -1);
  g_assert_nonnull (shares[SHARES_LIMIT - 1]);
  quire_assert_state (memory, "126976 shares alive");

  for (guint i = 0; i < 3; i++)
    quire_assert_refused (quire_memory_try_share (memory, 0, 1, &error),
                          BUSY, "a share", "126976 shares alive");
  quire_assert_refused (quire_memory_try_share (shares[0], 0, 1, &error),
                        BUSY, "126976 shares alive");
  quire_assert_state (memory, "126976 shares alive");
  g_assert_true (quire_memory_lock (memory, FLAGS (R | E)));
  quire_memory_unlock (memory, FLAGS (R | E));

  for (guint i = 0; i < SHARES_LIMIT; i++)
    quire_memory_unref (shares[i]);
  quire_assert_state (memory, "free");
  quire_assert_granted (quire_memory_try_fill (memory, 0, -1, 1, &error));
}

static void
test_flags (void)
{
  static const guint senseless[] = { 0, U, E | U, 1 << 4, R | 1 << 4, R | 1 << 15, QUIRE_MAP_LAST };
  g_autoptr (QuireMemory) memory = quire_memory_new (24);

  g_test_summary ("Flags that mean nothing are refused; an allocator's own are not");

  for (gsize i = 0; i < G_N_ELEMENTS (senseless); i++)
    {
      g_autofree char *flags = g_strdup_printf ("0x%x", senseless[i]);

      quire_assert_refused (quire_memory_try_lock (memory, FLAGS (senseless[i]), &error),
                            NOT_SUPPORTED, flags);
      quire_assert_refused (quire_memory_try_unlock (memory, FLAGS (senseless[i]), &error),
                            NOT_SUPPORTED, flags);
      quire_assert_state (memory, "free");
    }

  quire_assert_granted (quire_memory_try_lock (memory, FLAGS (W | QUIRE_MAP_LAST), &error));
  quire_assert_state (memory, "1 WRITE map");
  quire_memory_unlock (memory, FLAGS (W | QUIRE_MAP_LAST));
  quire_assert_state (memory, "free");
}

static void
test_unlock_not_held (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (24);

  g_test_summary ("To drop what isn't held is reported, and changes nothing");

  for (gsize asked = 0; asked < N_KINDS; asked++)
    {
      g_autofree char *message = g_strdup_printf ("no %s lock to drop: free", kinds[asked].request);

      quire_assert_refused (quire_memory_try_unlock (memory, FLAGS (kinds[asked].flags), &error),
                            FAILED, "24 bytes", message);
      quire_assert_state (memory, "free");
    }

  /* Each kind is one of its own: nothing else drops it. */
  for (gsize held = 0; held < N_KINDS; held++)
    {
      g_assert_true (quire_memory_lock (memory, FLAGS (kinds[held].flags)));
      for (gsize asked = 0; asked < N_KINDS; asked++)
        {
          const guint access = kinds[asked].flags & RW;
          const gboolean is_part = (kinds[asked].flags & ~kinds[held].flags) == 0 &&
                                   (access == 0 || access == (kinds[held].flags & RW)) &&
                                   (access == 0 || ((kinds[asked].flags ^ kinds[held].flags) & U) == 0);

          if (!is_part)
            quire_assert_refused (quire_memory_try_unlock (memory, FLAGS (kinds[asked].flags), &error),
                                  FAILED, "lock to drop", kinds[held].state);
          quire_assert_state (memory, kinds[held].state);
        }
      quire_memory_unlock (memory, FLAGS (kinds[held].flags));
    }

  /* Nor is a map a lock that somebody took. */
  for (gsize held = 0; held < N_MAPS; held++)
    {
      const QuireMapFlags flags = FLAGS (kinds[held].flags);
      QuireMapInfo info;

      g_assert_true (quire_memory_map (memory, &info, flags));
      quire_assert_refused (quire_memory_try_unlock (memory, flags, &error), FAILED, "lock to drop");
      quire_assert_state (memory, kinds[held].state);
      quire_memory_unmap (memory, &info);
      quire_assert_state (memory, "free");
    }

  quire_test_expect_critical ("*no WRITE lock to drop*");
  quire_memory_unlock (memory, W);
  g_test_assert_expected_messages ();
  quire_assert_state (memory, "free");
}

static void
test_describe (void)
{
  g_autoptr (QuireMemory) memory = quire_memory_new (24);
  g_autoptr (QuireMemory) one = quire_memory_share (memory, 0, 1);
  g_autoptr (QuireMemory) two = quire_memory_share (memory, 0, 1);

  g_test_summary ("People read what stands on a block, with the numbers");

  g_assert_true (one != two);
  g_assert_true (quire_memory_lock (memory, R));
  g_assert_true (quire_memory_lock (memory, FLAGS (R | E)));
  quire_assert_state (memory, "2 READ maps, 1 owner, 2 shares alive");
  quire_assert_state (one, "free");
  quire_memory_unlock (memory, R);
  quire_memory_unlock (memory, FLAGS (R | E));
  quire_assert_state (memory, "2 shares alive");
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/lock/table", test_table);
  g_test_add_func ("/lock/two-owners", test_two_owners);
  g_test_add_func ("/lock/owner-under-write", test_owner_under_write);
  g_test_add_func ("/lock/one-share", test_one_share);
  g_test_add_func ("/lock/read-only", test_read_only);
  g_test_add_func ("/lock/what-stands-now", test_what_stands_now);
  for (gsize i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      g_autofree char *path = g_strdup_printf ("/lock/limit/%s", strchr (limits[i].full, ' ') + 1);

      g_strdelimit (path, " ", '-');
      g_test_add_data_func (path, &limits[i], test_lock_limit);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (limits) - 1; i++)
    {
      g_autofree char *path = g_strdup_printf ("/lock/map-limit/%s", strchr (limits[i].full, ' ') + 1);

      g_strdelimit (path, " ", '-');
      g_test_add_data_func (path, &limits[i], test_map_limit);
    }
  g_test_add_func ("/lock/limits-together", test_limits_together);
  g_test_add_func ("/lock/share-limit", test_share_limit);
  g_test_add_func ("/lock/flags", test_flags);
  g_test_add_func ("/lock/unlock-not-held", test_unlock_not_held);
  g_test_add_func ("/lock/describe", test_describe);

  return g_test_run ();
}
