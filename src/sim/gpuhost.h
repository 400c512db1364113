/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One GPU host's hardware as a cap sees it (domain.md 4.2): a write has dead time, then the bound on power
 * follows the new cap by a first-order lag, fast down and slow up; for a short while after a step power
 * may stand above the bound. With somebody else's limit beside it, the lower of both binds.
 */
#ifndef FLYBALL_SIM_GPUHOST_H
#define FLYBALL_SIM_GPUHOST_H

#include <stdbool.h>

#include "sim/random.h"
#include "sim/workload.h"

#define GPUHOST_UNCAPPED INT64_C(-1)

/* Supplies that charge draw the type's inrush for so long, the longest that a peak factor covers (safety.md
 * section 2). */
#define GPUHOST_INRUSH_NS (20 * NS_PER_MS)

/* A power control out of tune settles that late after a step: the slow end of what was measured from a
 * command to power inside its band (safety.md section 1). */
#define GPUHOST_DETUNED_NS (200 * NS_PER_MS)

/* What is wrong with the device; all zero: nothing. */
struct gpuhost_trouble {
    bool sticks;                        /* writes return, the cap stays */
    bool lies;                          /* ... and it reads back what was asked for */
    int64_t stall_ns;                   /* a write that starts now takes so much longer */
    double overdraw;                    /* share drawn above what the cap allows */
    double overshoot;                   /* the same after a step, on top of what the plant says of that */
    int64_t foreign_mw;                 /* somebody else's limit beside the cap; 0 = none */
    int64_t raised_mw;                  /* somebody else holds the cap up there; 0 = nobody */
};

/* What every step looks at comes first. */
struct gpuhost {
    int64_t wake_ns;                    /* while demand stays, nothing changes before */
    double demand_w, power_w;           /* at the wall */
    double bound_w;                     /* on the governed part, lagging behind the cap */
    double target_w;                    /* what it goes to */
    double base_w, phys_max_w;
    int64_t overshoot_until_ns;
    /* kept for the step in use: what is left of a gap to the target, downward and upward */
    int64_t dt_ns;
    double decay[2];
    int64_t inrush_until_ns;
    int64_t refill_until_ns;            /* the same on top of what it draws: it was never without power */
    /* the earliest of many hosts', or NULL: their owner looks here first */
    int64_t *any_wake_ns;
    const struct workload_plant *plant;
    double gain;                        /* wall watts per cap watt, overshoot excluded */
    int64_t cap_mw;                     /* the device's limit, GPUHOST_UNCAPPED: driver defaults */
    int64_t writing_mw, write_done_ns;  /* write in flight */
    bool writing;
    struct gpuhost_trouble trouble;
    int64_t shown_mw;                   /* what a device that lies reads back */
    double boot_w;                      /* with the inrush of its supplies */
    int64_t cap_max_mw;
    struct random random;
};

/* setup */
void gpuhost_init(struct gpuhost *host, const struct model_host_type *type, const struct workload *workload,
                  uint32_t index);

/* any: the cap in force from the beginning, no write and no lag (baselines). */
void gpuhost_preset(struct gpuhost *host, int64_t cap_mw);

/* any: the driver is reloaded: its defaults are in force, and a write in flight is lost. */
void gpuhost_reset(struct gpuhost *host);

/* any: it has power again: as after a reset, with the inrush of its supplies from t_ns on. */
void gpuhost_boot(struct gpuhost *host, int64_t t_ns);

/* any: its supplies were without input for less than they hold: the inrush once more, caps as they are. */
void gpuhost_refill(struct gpuhost *host, int64_t t_ns);

/* any: what is wrong with it from now on. */
void gpuhost_trouble(struct gpuhost *host, const struct gpuhost_trouble *trouble);

/* any: what binds now: its cap, which somebody else may hold up, or somebody else's limit if that is
 * lower. */
int64_t gpuhost_limit_mw(const struct gpuhost *host);

/* any: the limit that the device says is in force; at driver defaults the largest. */
int64_t gpuhost_readback_mw(const struct gpuhost *host);

/* any: the cap that the device says it keeps, whatever else bounds it. */
int64_t gpuhost_kept_mw(const struct gpuhost *host);

/* any: starts a write at t_ns; none may be in flight. */
void gpuhost_write(struct gpuhost *host, int64_t cap_mw, int64_t t_ns);

/* any: at this demand a step at t_ns would change nothing. */
static inline bool gpuhost_rests(const struct gpuhost *host, double demand_w, int64_t t_ns)
{
    return t_ns < host->wake_ns && demand_w >= host->demand_w && demand_w <= host->demand_w;
}

/* any: dt up to t_ns at this demand; returns true when the write in flight returned in it. power_w is what
 * the host draws. */
bool gpuhost_step(struct gpuhost *host, double demand_w, int64_t t_ns, int64_t dt_ns);

/* any: steady wall power under a cap with unlimited demand. */
double gpuhost_bound_w(const struct gpuhost *host, int64_t cap_mw);

#endif
