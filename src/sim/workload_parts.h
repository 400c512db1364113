/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of workload_load: what its files share. */
#ifndef FLYBALL_SIM_WORKLOAD_PARTS_H
#define FLYBALL_SIM_WORKLOAD_PARTS_H

#include <libfyaml.h>
#include <stddef.h>

#include "sim/workload.h"

enum workload_unit { UNIT_TIME, UNIT_SHARE, UNIT_NUMBER, UNIT_COUNT };

/* A key of a block: its unit, its bounds, where it goes. */
struct workload_field {
    const char *key;
    enum workload_unit unit;
    size_t offset;
    double low, high;           /* in seconds, fractions or as it stands */
    int kinds;                  /* of classes and sources: which kinds know it */
};

struct loader {
    struct workload *workload;
    const struct model *model;
    const char *path;
    FILE *report;
    int errors;
};

/* setup: one finding, `file:line:column: error: ...`. */
__attribute__((format(printf, 3, 4)))
void workload_complain(struct loader *loader, struct fy_node *at, const char *format, ...);

/* setup: of a scalar; "" of everything else. */
const char *workload_text(struct fy_node *node);

/* setup: every pair of `map`, by a table that ends with a key NULL; keys in `skip` (a list that ends with
 * NULL) are somebody else's. `what` has kinds, of which `base` is those in `kind`. */
void workload_set_fields(struct loader *loader, struct fy_node *map, const struct workload_field *table,
                         void *base, const char *what, int kind, const char *const *skip);

/* setup: the list of `sources`, NULL: there is none. */
void workload_load_sources(struct loader *loader, struct fy_node *sources);

/* setup: the list of `events`, NULL: there is none. */
void workload_load_events(struct loader *loader, struct fy_node *events);

#endif
