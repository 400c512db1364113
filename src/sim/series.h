/* SPDX-License-Identifier: Apache-2.0 */
/* The load of every node over a run, a sample every 100 ms: what a picture of the run is drawn from. */
#ifndef FLYBALL_SIM_SERIES_H
#define FLYBALL_SIM_SERIES_H

#include <stdbool.h>
#include <stdio.h>

#include "msg/model.h"

enum { SERIES_SAMPLES_MAX = 6000 };     /* ten minutes; what comes later is not kept */
#define SERIES_EVERY_NS (100 * NS_PER_MS)

struct series {
    float *load_w;              /* [sample * node_count + node] */
    uint32_t node_count, samples;
};

/* setup: 0 or -ENOMEM. */
int series_init(struct series *series, const struct model *model);
void series_finish(struct series *series);

/* any: a sample is due at this time. */
bool series_due(const struct series *series, int64_t t_ns);

/* any: opens the next sample, then takes each node's load. */
void series_next(struct series *series);
void series_put(struct series *series, uint32_t node, double load_w);

/* any: {"every_s": 0.1, "load_w": {"main": [...], ...}} of every node above the racks. */
void series_json(const struct series *series, const struct model *model, FILE *out);

#endif
