/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One GPU host's hardware as a cap sees it (domain.md 4.2): a write has dead time, then the bound on power
 * follows the new cap by a first-order lag, fast down and slow up; for a short while after a step power
 * may stand above the bound.
 */
#ifndef FLYBALL_SIM_GPUHOST_H
#define FLYBALL_SIM_GPUHOST_H

#include <stdbool.h>

#include "sim/random.h"
#include "sim/workload.h"

#define GPUHOST_UNCAPPED INT64_C(-1)

struct gpuhost {
    const struct workload_plant *plant;
    struct random random;
    double base_w, gain, phys_max_w;    /* gain: wall watts per cap watt, overshoot excluded */
    int64_t cap_mw;                     /* the device's limit, GPUHOST_UNCAPPED: driver defaults */
    int64_t writing_mw, write_done_ns;  /* write in flight */
    bool writing;
    double bound_w;                     /* on the governed part, lagging behind the cap */
    int64_t overshoot_until_ns;
    double demand_w, power_w;           /* at the wall */
};

/* setup */
void gpuhost_init(struct gpuhost *host, const struct model_host_type *type, const struct workload *workload,
                  uint32_t index);

/* any: the cap in force from the beginning, no write and no lag (baselines). */
void gpuhost_preset(struct gpuhost *host, int64_t cap_mw);

/* any: the driver is reloaded: its defaults are in force, and a write in flight is lost. */
void gpuhost_reset(struct gpuhost *host);

/* any: starts a write at t_ns; none may be in flight. */
void gpuhost_write(struct gpuhost *host, int64_t cap_mw, int64_t t_ns);

/* any: dt up to t_ns at this demand; returns true when the write in flight returned in it (the device then
 * reads back cap_mw). power_w is what the host draws. */
bool gpuhost_step(struct gpuhost *host, double demand_w, int64_t t_ns, int64_t dt_ns);

/* any: steady wall power under a cap with unlimited demand. */
double gpuhost_bound_w(const struct gpuhost *host, int64_t cap_mw);

#endif
