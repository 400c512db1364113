/* SPDX-License-Identifier: Apache-2.0 */
/* What the network does to messages of a place while faults are in force there, drawn by the run's seed. */
#ifndef FLYBALL_SIM_NETWORK_H
#define FLYBALL_SIM_NETWORK_H

#include "sim/fault_set.h"
#include "sim/random.h"

/* Of one host or meter, all faults together. */
struct network_path {
    double loss, duplicate;     /* shares */
    int64_t delay_ns;           /* at most so much later */
    bool cut_up, cut_down;
};

struct network {
    const struct model *model;
    struct fault_set faults;
    struct network_path *host, *meter;
    struct random random;
};

struct network_fate {
    bool lost, twice;
    int64_t later_ns;           /* than usual */
    int64_t again_ns;           /* where it comes twice: the second time so much later still */
};

/* setup: 0 or -ENOMEM. */
int network_init(struct network *network, const struct model *model, uint64_t seed);
void network_finish(struct network *network);

/* any: a fault of the network begins or ends. 0 or -ENOMEM. */
int network_fault(struct network *network, const struct fault *fault, bool begins, int64_t t_ns);

/* any: what becomes of one message of that host or meter, on its way up or down. */
struct network_fate network_fate(struct network *network, bool meter, uint32_t index, bool up);

#endif
