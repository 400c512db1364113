/* SPDX-License-Identifier: Apache-2.0 */
/* The plant of a site as what its meters measure: sines of what flows at their nodes, step by step. */
#ifndef FLYBALL_CLI_METER_PLANT_H
#define FLYBALL_CLI_METER_PLANT_H

#include <stdio.h>

#include "cli/meter/meter_source.h"
#include "sim/plant.h"
#include "site/site.h"

enum { METER_PLANT_STEPS = 1024 };      /* that are remembered: a block of a meter may begin so long ago */

/* What flowed at a meter in one step. */
struct meter_plant_flow {
    float volts[PHASES], amperes[PHASES], lag[PHASES];  /* rms, rms, radians */
};

struct meter_plant {
    struct site site;
    struct workload workload;
    struct plant plant;
    bool loaded, loaded_workload, begun;
    uint32_t meters;
    double frequency_hz;
    int64_t steps;
    double volts_most, amperes_most;    /* of phases: nominal, and what the nodes are rated for */
    struct meter_plant_flow *flow;      /* METER_PLANT_STEPS of each meter */
};

/* setup: the first `meters` meters of the site, 0: all. 0 or -errno; findings go to `report`. */
int meter_plant_open(struct meter_plant *of, const char *site, const char *workload, uint64_t seed,
                     uint32_t meters, FILE *report);
void meter_plant_begin(struct meter_plant *of, struct meter_source *source);
void meter_plant_finish(struct meter_plant *of);

#endif
