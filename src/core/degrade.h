/* SPDX-License-Identifier: Apache-2.0 */
/* The degradation table of safety.md section 11: what is lost now, since when, how often. Every row is
 * entered and left on its own; entries are counted. */
#ifndef FLYBALL_CORE_DEGRADE_H
#define FLYBALL_CORE_DEGRADE_H

#include <stdint.h>

/* X(symbol, name, what is lost, what flyball does) */
#define DEGRADATIONS(X) \
    X(DEGRADED_CLOCK, "clock", "PTP, or a meter's clock", \
      "ages by arrival, their uncertainty added; a permit needs younger readings") \
    X(DEGRADED_METER, "meter", "a meter: silent, frozen, implausible, late", \
      "permit lost below it: steady limits within X") \
    X(DEGRADED_AGENT, "agent", "a host's agent: silent", "its exposure stays, others make room") \
    X(DEGRADED_CAP, "cap", "a host's cap: reset, driver reload, not applied, foreign", \
      "phys_max at once, recovery, others make room") \
    X(DEGRADED_FEED, "feed", "a feed", "contingencies anew, no raise until it was stable for 60 s") \
    X(DEGRADED_CONTROLLER, "controller", "another controller holds a newer epoch", \
      "nothing is sent above fail-safe to hosts that obey it") \
    X(DEGRADED_RING, "ring", "places in the ring, frames at a port", "shed by class at admission, counted") \
    X(DEGRADED_JOURNAL, "journal", "the journal's disk", "the journal pauses and counts, the loop goes on")

#define DEGRADATION_SYMBOL(symbol, name, lost, does) symbol,
enum degradation { DEGRADATIONS(DEGRADATION_SYMBOL) DEGRADATION_COUNT };
#undef DEGRADATION_SYMBOL

struct degrade_row {
    uint32_t now;               /* meters, hosts, feeds, ... in it */
    uint32_t newest;            /* index of the one that entered last */
    uint64_t entered, left;     /* counts since the start */
    int64_t since_ns;           /* slot time at which `now` became more than 0 */
};

#endif
