/* SPDX-License-Identifier: Apache-2.0 */
/* The closed loop in virtual time: plant, wire, network, the controller's own pipeline, and back. For
 * tuning without waiting, and for simulations that repeat. */
#ifndef FLYBALL_SIM_VIRTUAL_H
#define FLYBALL_SIM_VIRTUAL_H

#include "msg/order.h"
#include "sim/plant.h"

struct virtual_config {
    int64_t duration_ns;
    double loss;                /* share of datagrams that the network loses, both ways */
    uint64_t epoch;
    const struct slot_order *order; /* given at order_ns; NULL = none */
    int64_t order_ns;
};

/* setup: runs to the outcome, which the caller finishes. 0 or -errno. */
int virtual_run(const struct model *model, const struct workload *workload,
                const struct virtual_config *config, struct outcome *outcome);

#endif
