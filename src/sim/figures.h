/* SPDX-License-Identifier: Apache-2.0 */
/* What a governed run in virtual time is judged by, beside the energies of its outcome: taken from the
 * plant's truth, not from what the controller believes, except where it says so. */
#ifndef FLYBALL_SIM_FIGURES_H
#define FLYBALL_SIM_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

struct figures {
    uint64_t trips;             /* breakers, conductors, transformers and UPS that gave way */
    /* asserts of controllers that did not hold, leases that their last check had to replace among them, and
     * recoveries that lasted longer than the theorem allows (core counters), of all controllers that lived */
    uint64_t guard_hits;
    /* host-samples at which a host that keeps its premises could draw more than the controller counted for
     * it: its read-back limit, or a write in flight, above E(h); or a cut that has not settled yet, seen in
     * what it draws */
    uint64_t exposure_short;
    double worst_heat;          /* of any device, 1 trips */
    double overshoot_w;         /* most by which load at a node stood above the limit in force there */
    int64_t over_ns;            /* longest time without a break for which it did: "reaction" */
    int64_t recovery_ns;        /* longest stay of any node in emergency or recovery */
    double throttled;           /* share of host-time in which a cap held draw below what was wanted */
    double useful;              /* work done / work wanted (sim/work.h) */
    /* D / limit in force, or what binds under I2, at the tightest limited node, a sample every 100 ms
     * after warm-up: the value that 99 % of samples lie at or below */
    double tightness_p99;
    uint64_t samples;           /* of tightness */
    double speed;               /* virtual time / processor time of the thread that ran it */
};

#endif
