/* SPDX-License-Identifier: Apache-2.0 */
/* The meters: what flows at a node, averaged over a window, with the small errors of a real instrument. */
#ifndef FLYBALL_SIM_METERING_H
#define FLYBALL_SIM_METERING_H

#include "msg/upmu.h"
#include "sim/grid.h"

struct meter {
    const struct model_meter *model;
    struct random random, volts;
    double power_gain, current_gain, voltage_gain;  /* this instrument's constant error */
    int64_t offset_ns;                  /* windows of different meters end at different moments */
    int64_t begin_ns, next_ns;          /* the present window */
    struct grid_sums begin;             /* where it began */
    double first_w, most_w;             /* in it */
    double trend_w_per_s;
};

/* setup: meter `index` of `count`, windows aligned to multiples of its period plus a stagger. */
void meter_init(struct meter *meter, const struct model *model, const struct workload *workload,
                uint32_t index);

/* any: what flows at its node has changed. */
void meter_note(struct meter *meter, const struct grid_node *node);

/* any: a window has ended at t_ns, then meter_read must follow. */
static inline bool meter_due(const struct meter *meter, int64_t t_ns)
{
    return t_ns >= meter->next_ns;
}

/* any: fills the measurement of the window that ends now, at t_ns since the start, and starts the next. */
void meter_read(struct meter *meter, const struct grid *grid, int64_t t_ns, int64_t timestamp_ns,
                double noise, struct upmu *upmu);

#endif
