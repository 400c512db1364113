/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is the time known? LOCKED: it comes, from a grandmaster that is believed, and the uncertainty is small, all
 * that for a while. HOLDOVER: it came; the machine's own clock goes on at the last rate, and the uncertainty
 * grows. UNSYNC: that has used up its budget, or the time was never known. Pure.
 */
#ifndef FLYBALL_TIME_SYNC_H
#define FLYBALL_TIME_SYNC_H

#include <stdbool.h>
#include <stdint.h>

#define SYNC_STATES(X) \
    X(SYNC_UNSYNC, "unsync", "the time is not known: never was, or holdover used up its budget") \
    X(SYNC_HOLDOVER, "holdover", "the source is lost; the last rate goes on and the uncertainty grows") \
    X(SYNC_LOCKED, "locked", "the time comes from a source that is believed, and is as exact as asked for")

enum sync_state {
#define SYNC_STATE(symbol, name, meaning) symbol,
    SYNC_STATES(SYNC_STATE)
#undef SYNC_STATE
    SYNC_STATE_COUNT
};

#define SYNC_FAULTS(X) \
    X(SYNC_GOOD, "none", "nothing is missing") \
    X(SYNC_DEAF, "no_answer", "nobody answers at the socket of ptp4l, or the clock device cannot be read") \
    X(SYNC_ORPHAN, "no_master", "no grandmaster: ptp4l is its own, or nobody keeps the system clock") \
    X(SYNC_NO_ESTIMATE, "no_estimate", "who keeps the system clock tells the kernel of no error (esterror)") \
    X(SYNC_STAMPS, "stamps", "ptp4l stamps by a clock that is not the system's, a card's: source phc") \
    X(SYNC_CLASS, "class", "the grandmaster has no reference of its own (clock class)") \
    X(SYNC_SILENT, "silent", "no time has come for as long as lost_after") \
    X(SYNC_ROUGH, "rough", "the uncertainty is larger than lock_within") \
    X(SYNC_SETTLING, "settling", "all is well, but not yet for as long as lock_after")

enum sync_fault {
#define SYNC_FAULT(symbol, name, meaning) symbol,
    SYNC_FAULTS(SYNC_FAULT)
#undef SYNC_FAULT
    SYNC_FAULT_COUNT
};

enum { SYNC_ROUGH_LOOKS = 3 };      /* so many in a row end LOCKED */

struct sync_rules {
    int64_t within_ns, settle_ns;   /* LOCKED: so exact, for so long */
    int64_t lost_ns;                /* without a sample for so long: silent */
    int64_t budget_ns;              /* of uncertainty, in HOLDOVER */
    bool any_class;                 /* believe every grandmaster */
};

/* What one look found. */
struct sync_seen {
    int64_t now_ns;
    bool answered, has_master, is_traceable;
    bool no_estimate;               /* nobody says how far off the clock that is looked at may be */
    bool is_foreign;                /* offsets are of a clock that is not looked at here */
    int64_t sample_ns;              /* monotonic: the newest; 0 = there is none */
    int64_t half_ns;                /* the uncertainty now */
    bool another;                   /* the grandmaster is another one than at the last look */
};

struct sync {
    enum sync_state state;
    enum sync_fault fault;
    int64_t good_ns;                /* all was well since then; 0 = it is not */
    uint32_t rough;                 /* looks in a row whose uncertainty was too large */
    int64_t since_ns;               /* of the state */
    uint64_t locks, losses;         /* times that LOCKED was entered and left */
};

/* any, zeroed at first: one look. */
void sync_look(struct sync *sync, const struct sync_rules *rules, const struct sync_seen *seen);

/* any: "-" for what is none. */
const char *sync_state_name(uint32_t state);
const char *sync_fault_name(uint32_t fault);
const char *sync_fault_meaning(uint32_t fault);

#endif
