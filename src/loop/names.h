/* SPDX-License-Identifier: Apache-2.0 */
/* device_id -> meter index: open addressing at a quarter full, built once at start. */
#ifndef FLYBALL_LOOP_NAMES_H
#define FLYBALL_LOOP_NAMES_H

#include <stddef.h>

#include "msg/model.h"

struct meter_names {
    const struct model *model;
    uint32_t *place;        /* meter index + 1, 0 = empty */
    uint32_t mask;
};

/* setup: memory for the table of this model. */
size_t meter_names_bytes(const struct model *model);
void meter_names_init(struct meter_names *names, void *memory, const struct model *model);

/* rt: INDEX_NONE when no meter of the site has this name. */
uint32_t meter_names_find(const struct meter_names *names, const char *name, uint32_t bytes);

#endif
