/*
 * Copyright 2026 The Quire authors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "quire-allocation-params.h"

G_DEFINE_BOXED_TYPE (QuireAllocationParams, quire_allocation_params,
                     quire_allocation_params_copy, quire_allocation_params_free)

/**
 * quire_allocation_params_new:
 *
 * Makes parameters that ask for nothing special.
 *
 * Returns: (transfer full): new parameters
 *
 * Since: 1.0
 */
QuireAllocationParams *
quire_allocation_params_new (void)
{
  return g_new0 (QuireAllocationParams, 1);
}

/**
 * quire_allocation_params_init: (skip)
 * @params: parameters, as on the caller's stack
 *
 * Makes parameters ask for nothing special.
 *
 * Since: 1.0
 */
void
quire_allocation_params_init (QuireAllocationParams *params)
{
  g_return_if_fail (params != NULL);

  *params = (QuireAllocationParams) { 0, };
}

/**
 * quire_allocation_params_copy:
 * @params: parameters
 *
 * Copies parameters.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 1.0
 */
QuireAllocationParams *
quire_allocation_params_copy (const QuireAllocationParams *params)
{
  g_return_val_if_fail (params != NULL, NULL);

  return g_memdup2 (params, sizeof *params);
}

/**
 * quire_allocation_params_free: (skip)
 * @params: (transfer full): parameters from the heap
 *
 * Frees parameters of [ctor@AllocationParams.new] or
 * [method@AllocationParams.copy].
 *
 * Since: 1.0
 */
void
quire_allocation_params_free (QuireAllocationParams *params)
{
  g_free (params);
}
