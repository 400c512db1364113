/* SPDX-License-Identifier: Apache-2.0 */
/* The whole electrical side in steps of one millisecond: demand, hosts, wires, breakers, meters. */
#ifndef FLYBALL_SIM_PLANT_H
#define FLYBALL_SIM_PLANT_H

#include "sim/profile.h"
#include "sim/gpuhost.h"
#include "sim/metering.h"
#include "sim/outcome.h"

#define PLANT_STEP_NS NS_PER_MS

struct plant {
    const struct model *model;
    const struct workload *workload;
    int64_t t_ns;                       /* of the next step, since the start */
    struct profile profile;
    struct grid grid;
    struct gpuhost *host;
    bool *on;                           /* by host: switched on at all */
    bool *written;                      /* by host: its cap write returned in the last step */
    double *power_w;                    /* by host, at the wall */
    int64_t *reset_ns;                  /* by host: its caps were reset then, INT64_MAX: the agent knows */
    bool metered;                       /* somebody reads the meters: after each step, those in due */
    struct meter *meter;
    uint32_t *due, due_count;           /* meters whose window ended in the last step */
    struct outcome outcome;
};

/* Decides powers in place of the hosts' own caps: fills granted_w from demand_w, by host. */
typedef void plant_grant(void *user, const double *demand_w, double *granted_w);

/* setup: everything on, uncapped. 0 or -ENOMEM. */
int plant_init(struct plant *plant, const struct model *model, const struct workload *workload,
               enum plant_mode mode);
void plant_finish(struct plant *plant);

/* any: one millisecond. `grant` may be NULL: hosts follow demand and cap. */
void plant_step(struct plant *plant, plant_grant *grant, void *user);

/* any: that event of the workload comes with the next step. */
bool plant_event_due(const struct plant *plant, uint32_t event);

/* any: the end: means are made, trips copied, and the outcome moves to the caller, who finishes it. */
void plant_hand_over(struct plant *plant, struct outcome *outcome);

#endif
