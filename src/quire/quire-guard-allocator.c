/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-guard-allocator.h"

#include "quire-allocation-params.h"
#include "quire-memory-private.h"
#include "quire-pages-private.h"

/**
 * QuireGuardAllocator:
 *
 * An allocator, of the type `guard`, that finds who writes or reads where there is no
 * block: for debugging.
 *
 * Each block has pages of its own, with a fence before and after them. It ends right at
 * the fence behind it, so who goes one byte too far is stopped there and then, by
 * `SIGSEGV`; a debugger shows the place. Prefix and padding belong to the block.
 *
 * If the data has to be aligned, a few bytes may be left between the end of the block and
 * the fence; and there are more from the start of the page to the block. They have a
 * pattern, and when the block is freed, it is looked at. What was written there is a
 * critical warning with the numbers, and is counted:
 * [property@GuardAllocator:n-damaged]. With [property@GuardAllocator:aborts] the program
 * ends.
 *
 * The pages of a block that was freed become one more fence, for as many blocks as
 * [property@GuardAllocator:quarantine] says: who uses it still is stopped as well.
 *
 * A block takes at least a page, and system calls; the number of blocks is bounded by that
 * of mappings, on Linux `vm.max_map_count`. [func@Allocator.find] knows one by the name
 * `guard`. All functions are thread-safe.
 *
 * Since: 1.0
 */
struct _QuireGuardAllocator
{
  QuireAllocator parent_instance;

  guint          quarantine;
  gboolean       aborts;

  /* Atomic. */
  guint          n_damaged;
  guint          next_slot;
  /* QuirePages of blocks that were freed. */
  QuirePages   **slots;
};

typedef struct
{
  QuireMemory memory;
  QuirePages  pages;
} QuireGuardMemory;

G_DEFINE_FINAL_TYPE (QuireGuardAllocator, quire_guard_allocator, QUIRE_TYPE_ALLOCATOR)

enum
{
  PROP_0,
  PROP_QUARANTINE,
  PROP_ABORTS,
  PROP_N_DAMAGED,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

#define DEFAULT_QUARANTINE 256
#define MAX_QUARANTINE     16384

/* Neither 0 nor a letter, and not the same twice in a row: what was written by chance is
 * rarely the same. */
static guint8
pattern (const guint8 *address)
{
  return (guint8) (0x9d ^ ((guintptr) address * 37));
}

static void
write_pattern (guint8 *from,
               guint8 *to)
{
  for (; from < to; from++)
    *from = pattern (from);
}

/* How many bytes have changed, and which is the first of them. */
static gsize
find_damage (guint8  *from,
             guint8  *to,
             guint8 **first)
{
  gsize n_damaged = 0;

  for (; from < to; from++)
    {
      if (*from != pattern (from) && n_damaged++ == 0)
        *first = from;
    }

  return n_damaged;
}

static void
report (QuireGuardAllocator *self,
        gsize                n_damaged,
        gsize                distance,
        const char          *where,
        guint8               value,
        gsize                maxsize)
{
  quire_atomic_add_relaxed (&self->n_damaged, 1);
  g_log (G_LOG_DOMAIN, self->aborts ? G_LOG_LEVEL_ERROR : G_LOG_LEVEL_CRITICAL,
         "A block of %" G_GSIZE_FORMAT " bytes was written outside: the byte at %" G_GSIZE_FORMAT
         " %s is 0x%02x, and %" G_GSIZE_FORMAT " bytes there have changed",
         maxsize, distance, where, value, n_damaged);
}

static void
check (QuireGuardAllocator *self,
       QuireGuardMemory    *guard)
{
  guint8 *start = guard->memory.base;
  guint8 *end = start + guard->memory.maxsize;
  guint8 *first = NULL;
  gsize n_damaged;

  n_damaged = find_damage (guard->pages.data, start, &first);
  if (n_damaged > 0)
    report (self, n_damaged, (gsize) (start - first), "before the start", *first, guard->memory.maxsize);

  n_damaged = find_damage (end, guard->pages.data + guard->pages.size, &first);
  if (n_damaged > 0)
    report (self, n_damaged, (gsize) (first - end), "after the end", *first, guard->memory.maxsize);
}

static void
release (QuirePages *pages)
{
  if (pages == NULL)
    return;

  quire_pages_unmap (pages);
  g_free (pages);
}

static gboolean
release_all (QuireGuardAllocator *self)
{
  gboolean any = FALSE;

  for (guint i = 0; i < self->quarantine; i++)
    {
      QuirePages *pages = __atomic_exchange_n (&self->slots[i], NULL, __ATOMIC_ACQ_REL);

      any |= pages != NULL;
      release (pages);
    }

  return any;
}

/* The slots are used in turn, so it is the oldest that has to go. */
static void
put_in_quarantine (QuireGuardAllocator *self,
                   QuirePages          *pages)
{
  guint slot;

  if (self->quarantine == 0 || !quire_pages_forbid (pages))
    {
      quire_pages_unmap (pages);
      return;
    }

  slot = quire_atomic_add_relaxed (&self->next_slot, 1) % self->quarantine;
  release (__atomic_exchange_n (&self->slots[slot], g_memdup2 (pages, sizeof *pages), __ATOMIC_ACQ_REL));
}

static QuireMemory *
quire_guard_allocator_alloc (QuireAllocator              *allocator,
                             gsize                        size,
                             const QuireAllocationParams *params,
                             GError                     **error)
{
  QuireGuardAllocator *self = QUIRE_GUARD_ALLOCATOR (allocator);
  const gsize maxsize = params->prefix + size + params->padding;
  QuireGuardMemory *guard;
  QuirePages pages;
  guint8 *start;

  /* What is kept for the sake of the fences must not be what is missing. */
  if (!quire_pages_map (&pages, params->align, params->prefix, maxsize, &start, NULL))
    {
      release_all (self);
      if (!quire_pages_map (&pages, params->align, params->prefix, maxsize, &start, error))
        return NULL;
    }

  write_pattern (pages.data, start);
  write_pattern (start + maxsize, pages.data + pages.size);

  guard = g_new (QuireGuardMemory, 1);
  quire_memory_init (&guard->memory, params->flags, allocator, NULL,
                     maxsize, params->align, params->prefix, size);
  quire_memory_init_internal (&guard->memory, 0, start);
  guard->pages = pages;

  return &guard->memory;
}

static void
quire_guard_allocator_free (QuireAllocator *allocator,
                            QuireMemory    *memory)
{
  QuireGuardAllocator *self = QUIRE_GUARD_ALLOCATOR (allocator);
  QuireGuardMemory *guard = (QuireGuardMemory *) memory;

  check (self, guard);
  put_in_quarantine (self, &guard->pages);
  g_free (guard);
}

static void
quire_guard_allocator_constructed (GObject *object)
{
  QuireGuardAllocator *self = QUIRE_GUARD_ALLOCATOR (object);

  G_OBJECT_CLASS (quire_guard_allocator_parent_class)->constructed (object);
  self->slots = g_new0 (QuirePages *, self->quarantine);
}

static void
quire_guard_allocator_finalize (GObject *object)
{
  QuireGuardAllocator *self = QUIRE_GUARD_ALLOCATOR (object);

  release_all (self);
  g_free (self->slots);

  G_OBJECT_CLASS (quire_guard_allocator_parent_class)->finalize (object);
}

static void
quire_guard_allocator_get_property (GObject    *object,
                                    guint       id,
                                    GValue     *value,
                                    GParamSpec *pspec)
{
  QuireGuardAllocator *self = QUIRE_GUARD_ALLOCATOR (object);

  switch (id)
    {
    case PROP_QUARANTINE:
      g_value_set_uint (value, self->quarantine);
      break;
    case PROP_ABORTS:
      g_value_set_boolean (value, self->aborts);
      break;
    case PROP_N_DAMAGED:
      g_value_set_uint (value, quire_guard_allocator_get_n_damaged (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
quire_guard_allocator_set_property (GObject      *object,
                                    guint         id,
                                    const GValue *value,
                                    GParamSpec   *pspec)
{
  QuireGuardAllocator *self = QUIRE_GUARD_ALLOCATOR (object);

  switch (id)
    {
    case PROP_QUARANTINE:
      self->quarantine = g_value_get_uint (value);
      break;
    case PROP_ABORTS:
      self->aborts = g_value_get_boolean (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
quire_guard_allocator_class_init (QuireGuardAllocatorClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  QuireAllocatorClass *allocator_class = QUIRE_ALLOCATOR_CLASS (klass);

  object_class->constructed = quire_guard_allocator_constructed;
  object_class->finalize = quire_guard_allocator_finalize;
  object_class->get_property = quire_guard_allocator_get_property;
  object_class->set_property = quire_guard_allocator_set_property;
  allocator_class->mem_type = "guard";
  allocator_class->alloc = quire_guard_allocator_alloc;
  allocator_class->free = quire_guard_allocator_free;

  /**
   * QuireGuardAllocator:quarantine: (getter get_quarantine)
   *
   * How many blocks that were freed are kept as fences. They take addresses, but no memory;
   * if the system has none for a new block, they all go.
   *
   * Since: 1.0
   */
  props[PROP_QUARANTINE] =
    g_param_spec_uint ("quarantine", NULL, NULL, 0, MAX_QUARANTINE, DEFAULT_QUARANTINE,
                       G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  /**
   * QuireGuardAllocator:aborts: (getter get_aborts)
   *
   * Whether the program ends when a block was written outside.
   *
   * Since: 1.0
   */
  props[PROP_ABORTS] =
    g_param_spec_boolean ("aborts", NULL, NULL, FALSE,
                          G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);

  /**
   * QuireGuardAllocator:n-damaged: (getter get_n_damaged)
   *
   * How often the bytes before or after a block had changed when it was freed.
   *
   * Since: 1.0
   */
  props[PROP_N_DAMAGED] =
    g_param_spec_uint ("n-damaged", NULL, NULL, 0, G_MAXUINT, 0,
                       G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
quire_guard_allocator_init (QuireGuardAllocator *self)
{
}

/**
 * quire_guard_allocator_new:
 *
 * Makes an allocator whose blocks are guarded. Others than the defaults are given as
 * properties.
 *
 * Returns: (transfer full): a new allocator
 *
 * Since: 1.0
 */
QuireGuardAllocator *
quire_guard_allocator_new (void)
{
  return g_object_new (QUIRE_TYPE_GUARD_ALLOCATOR, NULL);
}

/**
 * quire_guard_allocator_get_quarantine:
 * @guard: an allocator
 *
 * Tells how many blocks that were freed are kept as fences.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
quire_guard_allocator_get_quarantine (QuireGuardAllocator *guard)
{
  g_return_val_if_fail (QUIRE_IS_GUARD_ALLOCATOR (guard), 0);

  return guard->quarantine;
}

/**
 * quire_guard_allocator_get_aborts:
 * @guard: an allocator
 *
 * Tells whether the program ends when a block was written outside.
 *
 * Returns: whether it does
 *
 * Since: 1.0
 */
gboolean
quire_guard_allocator_get_aborts (QuireGuardAllocator *guard)
{
  g_return_val_if_fail (QUIRE_IS_GUARD_ALLOCATOR (guard), FALSE);

  return guard->aborts;
}

/**
 * quire_guard_allocator_get_n_damaged:
 * @guard: an allocator
 *
 * Tells how often the bytes before or after a block had changed when it was freed.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
quire_guard_allocator_get_n_damaged (QuireGuardAllocator *guard)
{
  g_return_val_if_fail (QUIRE_IS_GUARD_ALLOCATOR (guard), 0);

  return quire_atomic_load_relaxed (&guard->n_damaged);
}
