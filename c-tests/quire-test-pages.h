/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "quire-test.h"

/* What tests of pages have in common: what happens at an address, and what the kernel
 * knows of it. */

/* Does something in a child of the process, and gives how that ended. */
static inline int
quire_test_in_child (void    (*func) (gpointer data),
                     gpointer data)
{
  const pid_t pid = fork ();
  int status;

  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      func (data);
      _exit (0);
    }

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  return status;
}

typedef struct
{
  volatile guint8 *address;
  gboolean         write;
} QuireTestAccess;

static volatile guint8 *quire_test_fault_address;

static inline void
quire_test_on_fault (int        number,
                     siginfo_t *info,
                     void      *context)
{
  /* Here, and nowhere else. Valgrind, which has seen the fault too, does not meddle with
   * signals as it does with exits. */
  kill (getpid (), info->si_addr == (void *) quire_test_fault_address ? SIGUSR1 : SIGUSR2);
}

static inline void
quire_test_access (gpointer data)
{
  QuireTestAccess *access = data;
  struct sigaction action = { .sa_sigaction = quire_test_on_fault, .sa_flags = SA_SIGINFO };

  quire_test_fault_address = access->address;
  sigaction (SIGSEGV, &action, NULL);
  sigaction (SIGBUS, &action, NULL);

  if (access->write)
    *access->address = 1;
  else
    (void) *access->address;
}

/* Whether to read, or to write, an address is the end. */
static inline gboolean
quire_test_faults (gconstpointer address,
                   gboolean      write)
{
  QuireTestAccess access = { (volatile guint8 *) address, write };
  const int status = quire_test_in_child (quire_test_access, &access);

  if (WIFSIGNALED (status))
    {
      g_assert_cmpint (WTERMSIG (status), ==, SIGUSR1);
      return TRUE;
    }

  g_assert_cmpint (status, ==, 0);
  return FALSE;
}

static inline gsize
quire_test_page_size (void)
{
  return (gsize) sysconf (_SC_PAGESIZE);
}

/* How many mappings the process has. */
static inline guint
quire_test_count_maps (void)
{
  g_autofree char *maps = NULL;
  guint count = 0;

  g_assert_true (g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL));
  for (const char *line = strchr (maps, '\n'); line != NULL; line = strchr (line + 1, '\n'))
    count++;

  return count;
}

/* Sanitizers and Valgrind have mappings of their own, for what they know of ours. */
static inline gboolean
quire_test_is_watched (void)
{
#if defined(QUIRE_TEST_ASAN) || defined(QUIRE_TEST_TSAN)
  return TRUE;
#else
  const char *preload = g_getenv ("LD_PRELOAD");

  return preload != NULL && strstr (preload, "vgpreload") != NULL;
#endif
}

#define quire_assert_maps(cmp, expected) \
  G_STMT_START \
    { \
      if (!quire_test_is_watched ()) \
        g_assert_cmpuint (quire_test_count_maps (), cmp, expected); \
    } \
  G_STMT_END

/* Checks what the kernel knows of the mapping of an address: flags of /proc/self/smaps, of
 * two letters each, and up to NULL. */
static inline void G_GNUC_NULL_TERMINATED
quire_test_assert_flags (gconstpointer address,
                         ...)
{
  g_autofree char *smaps = NULL;
  g_autofree char *found = NULL;
  g_auto (GStrv) lines = NULL;
  gboolean inside = FALSE;
  const char *flag;
  va_list flags;

#ifdef QUIRE_TEST_TSAN
  /* The kernel takes seconds to tell of all that the sanitizer has mapped. */
  return;
#endif

  g_assert_true (g_file_get_contents ("/proc/self/smaps", &smaps, NULL, NULL));
  lines = g_strsplit (smaps, "\n", -1);
  for (gsize i = 0; lines[i] != NULL && found == NULL; i++)
    {
      char *dash;
      const guint64 start = g_ascii_strtoull (lines[i], &dash, 16);

      if (dash > lines[i] && *dash == '-')
        inside = (guintptr) address >= start &&
                 (guintptr) address < g_ascii_strtoull (dash + 1, NULL, 16);
      else if (inside && g_str_has_prefix (lines[i], "VmFlags:"))
        found = g_strconcat (lines[i], " ", NULL);
    }
  g_assert_nonnull (found);

  va_start (flags, address);
  while ((flag = va_arg (flags, const char *)) != NULL)
    {
      g_autofree char *word = g_strdup_printf (" %s ", flag);

      if (strstr (found, word) == NULL)
        g_error ("%s is missing in %s", flag, found);
    }
  va_end (flags);
}
