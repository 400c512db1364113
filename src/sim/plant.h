/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole electrical side in steps: demand, hosts, wires, breakers, meters. A step takes what the workload
 * says (`plant: step`), one millisecond where it says nothing; in it everything stands still, and only what
 * changes from one step to the next is worked out anew.
 */
#ifndef FLYBALL_SIM_PLANT_H
#define FLYBALL_SIM_PLANT_H

#include "sim/profile.h"
#include "sim/fault_set.h"
#include "sim/gpuhost.h"
#include "sim/metering.h"
#include "sim/outcome.h"
#include "sim/work.h"

#define PLANT_STEP_NS NS_PER_MS         /* where the workload says nothing (workload_step_ns) */

struct plant {
    const struct model *model;
    const struct workload *workload;
    int64_t t_ns;                       /* of the next step, since the start */
    int64_t step_ns;
    struct profile profile;
    struct grid grid;
    struct gpuhost *host;
    int64_t *any_wake_ns;               /* earliest wake_ns of all hosts */
    bool *on;                           /* by host: switched on at all */
    bool *written;                      /* by host: its cap write returned in the last step */
    bool *supplied;                     /* by host: has power, and is awake */
    bool supply_stale;                  /* somebody changed `on`, `dark` or `asleep_until_ns` */
    uint32_t wirings;                   /* of the grid, when `supplied` was found */
    int64_t next_waking_ns;
    /* hosts whose demand, cap or power may have changed in the last step */
    uint32_t *stirred, stirred_count;
    struct work work;
    bool *dark;                         /* by host: a fault took its power */
    int64_t *asleep_until_ns;           /* by host: suspended, draws nothing, forgets nothing */
    double *power_w;                    /* by host, at the wall */
    int64_t *reset_ns;                  /* by host: its caps were reset then, INT64_MAX: the agent knows */
    int64_t *unfed_ns;                  /* by host: no cord has had voltage since; INT64_MAX: one has */
    bool metered;                       /* somebody reads the meters: after each step, those in due */
    bool warm;                          /* the outcome counts */
    struct meter *meter;
    int64_t next_meter_ns;              /* no window ends before */
    uint32_t *due, due_count;           /* meters whose window ended in the last step */
    struct fault_set faults;            /* sim/plant_fault.h */
    struct outcome outcome;
};

/* Decides powers in place of the hosts' own caps: fills granted_w from demand_w, by host. */
typedef void plant_grant(void *user, const double *demand_w, double *granted_w);

/* setup: everything on, uncapped. 0 or -ENOMEM. */
int plant_init(struct plant *plant, const struct model *model, const struct workload *workload,
               enum plant_mode mode);
void plant_finish(struct plant *plant);

/* any: one step. `grant` may be NULL: hosts follow demand and cap. */
void plant_step(struct plant *plant, plant_grant *grant, void *user);

/* any: that event of the workload comes with the next step. */
bool plant_event_due(const struct plant *plant, uint32_t event);

/* any: switched on, and a cord of it has voltage or has had it within `hold_up`. Asleep it still is. */
bool plant_host_powered(const struct plant *plant, uint32_t host);

/* any: the end: means are made, trips copied, and the outcome moves to the caller, who finishes it. */
void plant_hand_over(struct plant *plant, struct outcome *outcome);

#endif
