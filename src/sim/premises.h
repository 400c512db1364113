/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The premises of safety.md that a history must keep (history.h). Faults are shown to it in the order of
 * their times; each is held against what still stands:
 *
 * - a host that disobeys, overshoots beyond what its type declares, whose cap somebody raises, that lies, or
 *   boots at driver defaults is busy until its agent can have put that right,
 *   and below no limited node more hosts are busy at a time than its k;
 * - one node is dark, or one feed sags, at a time; a node goes dark only where its loss is declared, and
 *   hosts that hang on it alone count as busy: they boot when it returns;
 * - one meter errs at a time, and none is late and wrong by its clock at a time; clocks of hosts run as fast
 *   as declared; load that no lease governs grows by no more than `other` of the site file leaves.
 */
#ifndef FLYBALL_SIM_PREMISES_H
#define FLYBALL_SIM_PREMISES_H

#include "sim/fault.h"

/* Hosts below a node that keep no lease, with the fault in hand. */
struct crowd {
    uint32_t last;              /* host that was counted last, plus 1 */
    uint32_t busy;
    bool struck;                /* one of them by that fault */
};

struct premises {
    const struct model *model;
    int64_t t_ns;               /* of the fault in hand */
    int64_t *busy_until_ns;     /* by host */
    int64_t *deaf_until_ns;     /* by host: its agent is dead, stopped or let go so long */
    bool *struck;               /* by host, of the fault in hand */
    struct crowd *crowd;        /* by node */
    int64_t *clock_until_ns;    /* by meter: it is late, or its clock is wrong */
    int64_t power_until_ns, other_until_ns, error_until_ns, rate_until_ns;
};

/* setup: nothing stands. 0 or -ENOMEM; to be finished either way. */
int premises_init(struct premises *premises, const struct model *model);
void premises_finish(struct premises *premises);

/* any: the fault may come; it stands from then on. Of other load and of a sag `amount` is a share of what may
 * come there, and is made kW or a share of the voltage. at_ns must not fall. */
bool premises_allow(struct premises *premises, struct fault *fault);

#endif
