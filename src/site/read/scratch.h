/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that lives as long as one site file is being read: taken piece by piece, freed at once. */
#ifndef FLYBALL_SITE_SCRATCH_H
#define FLYBALL_SITE_SCRATCH_H

#include <stddef.h>

struct scratch_chunk;

struct scratch {                /* all zero = empty */
    struct scratch_chunk *chunk;
};

/* setup: zeroed, aligned to 16; NULL when the machine has no more. */
void *scratch_take(struct scratch *scratch, size_t bytes);
void scratch_free(struct scratch *scratch);

#endif
