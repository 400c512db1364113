/* SPDX-License-Identifier: Apache-2.0 */
/* Faults that are in force now, in the order in which they began. */
#ifndef FLYBALL_SIM_FAULT_SET_H
#define FLYBALL_SIM_FAULT_SET_H

#include "sim/fault.h"

struct fault_standing {
    struct fault fault;
    int64_t since_ns;           /* plant time */
};

struct fault_set {
    struct fault_standing *standing;
    uint32_t count, capacity;
};

void fault_set_finish(struct fault_set *set);

/* any: takes one in at its beginning, out at its end; one that is not there ends without effect. 0 or
 * -ENOMEM. */
int fault_set_change(struct fault_set *set, const struct fault *fault, bool begins, int64_t t_ns);

/* any: how many of this kind strike the host now. */
uint32_t fault_set_host(const struct fault_set *set, const struct model *model, enum fault_kind kind,
                        uint32_t host);

#endif
