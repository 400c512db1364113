/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theta-hat of safety.md section 5: for every node with a known curve and a meter, how near its device and
 * equipment may be to tripping, stepped by every accepted reading. An upper bound: currents are enlarged by
 * the meter's error, and where no reading exists D stands in, what obeying hosts may have drawn.
 *
 * Time is accounted once. A reading stands for one period of its meter; readings that come late, one behind
 * the other, claim what is still open. What nobody has claimed for longer than `hold_ns` (two periods, or
 * T_fresh where that is more: older readings are refused) was lost, and counts with the largest of the
 * readings around it and D. A reading that comes after all then only heats, and what is not known to have
 * passed cools
 * nothing: the state is above the device as of the end of the newest reading's window. A meter whose values
 * cover more than 20 ms understates pulses: there D stands in all the time, and its readings where they are
 * higher.
 */
#ifndef FLYBALL_CORE_HEAT_H
#define FLYBALL_CORE_HEAT_H

#include <stdbool.h>

#include "core/breaker.h"
#include "core/ledger.h"
#include "core/pipeline.h"
#include "msg/reading.h"

struct heat_node {
    bool known;                 /* a breaker with elements stands at its node */
    bool started;               /* a reading has come */
    struct breaker_load newest; /* of the last reading, the meter's error added */
    struct breaker_load most;   /* the largest since clear_ns */
    int64_t volts_mv;           /* lowest living phase of the last reading; INT64_MAX = the feed was dead */
    int64_t stepped_ns;         /* slot time up to which `state` stands */
    int64_t clear_ns;           /* the newest at which hardly any time was open: half a period at most */
    int64_t late_ns;            /* of time given up as lost, so much may still be claimed */
    int64_t spoilt_ns;          /* windows of unsure readings whose time is not accounted for */
    int64_t window_ns;          /* one reading stands for this long; 0: D stands in */
    int64_t hold_ns;
    int64_t respond_ns;         /* T_resp = T_fresh + X, X = (D/(1-rho) + A)(1+rho); A: slowest type below */
    int64_t least_ma;           /* lowest pickup that a phase current can reach; below it nothing trips */
    int64_t cooled;             /* heat below which an emergency here no longer forbids raises */
    bool was_cool;              /* below it once since the start: what is above now was seen to heat it */
    struct breaker_state state;
    struct breaker_pace pace;
};

struct heat {
    const struct model *model;
    struct heat_node *meter;    /* by meter */
};

/* setup: `meter` stands, one per meter of the model. */
void heat_init(struct heat *heat, const struct model *model);

/* rt: takes a reading; the high-water mark of D at its node begins anew where all time is accounted for.
 * Returns the role (enum breaker_element_role) of an element that may have tripped, or -1. */
int heat_reading(struct heat *heat, struct ledger *ledger, const struct reading *reading, int64_t t_ns);

/* rt: takes one that is READING_UNSURE: claims no time and starts nothing, but at least so much may have
 * flown. */
void heat_unsure(struct heat *heat, const struct reading *reading);

/* What other meters leave for a node whose own is lost (core/permit_stand_in.c). */
struct heat_left {
    int64_t current_ma[PHASES]; /* at most, the errors of those meters added */
    bool mean;                  /* over time; false: rms of windows as short as a reading's */
    int64_t volts_mv;           /* the lowest that may be */
    int64_t window_ns;          /* it stands for this long */
    /* windows of meters do not begin together: so much more may have flown for so long, once; of that, what
     * is not yet added */
    int64_t edge_ns, edge_ma, edge_more_ma;
    bool first;
    bool behind_gap;            /* a window before this one was not read */
    int64_t likely_ma[PHASES];  /* no bound: as readings are, one beside the other. For who doubts them */
    int64_t most_ma[PHASES];    /* out: what D allowed meanwhile */
};

/* rt: the node's state as of now, by what other meters leave for it. What no window claims is lost, D. */
void heat_stand_in(struct heat *heat, struct ledger *ledger, uint32_t meter, struct heat_left *left,
                   int64_t t_ns);

/* rt: would the load of the newest reading trip within twice T_resp? Within the steady limit no travel
 * does that only the margins of its curve let run. */
bool heat_trips_soon(const struct heat *heat, uint32_t meter);

/* rt: the same of the load of one that is unsure. */
bool heat_unsure_trips_soon(const struct heat *heat, const struct reading *reading);

/* rt: cool enough for a raise after an emergency: below 0.8 (section 9), or below what the steady limit
 * itself leads to, so that a load within it always gets there. Equipment does not trip and does not count. */
bool heat_cooled(const struct heat *heat, uint32_t meter);

/* rt: it was so once since the start: until then its heat is what a start assumes, and holds nothing back. */
bool heat_was_cool(const struct heat *heat, uint32_t meter);

/* any, owner thread: as of t_ns, a meter's silence included. */
void heat_view(const struct heat *heat, const struct ledger *ledger, uint32_t node, int64_t t_ns,
               struct heat_view *view);

#endif
