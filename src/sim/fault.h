/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes wrong in a run of the plant: one fault is a kind, a place, a time and a size. A history is a list
 * of them; the same history on the same seed is the same run, on every build.
 *
 * Each kind is carried out by whoever plays the part it strikes: plant_fault (hosts, load, power),
 * station_fault (agents, watchdogs, meters as they report), network_fault, controller_fault.
 */
#ifndef FLYBALL_SIM_FAULT_H
#define FLYBALL_SIM_FAULT_H

#include <stdbool.h>
#include <stddef.h>

#include "msg/model.h"

/* `amount` is a share (0.3 = 30 %) unless the kind says otherwise. */
enum fault_kind {
    /* hosts: `place` is a host, or a node: all hosts below it */
    /* driver reload: defaults are in force until the agent sees it (notice of the plant) */
    FAULT_RESET,
    /* the device keeps its cap: writes return as if done, the read-back tells the truth */
    FAULT_STICK,
    FAULT_LIE,              /* the same, and the read-back says what was asked for */
    FAULT_STALL,            /* a cap write takes `amount` seconds longer; reports go on */
    FAULT_OVERDRAW,         /* draws `amount` more than its cap allows */
    /* after a step of cap or demand it draws `amount` more than it may then, for GPUHOST_DETUNED_NS */
    FAULT_OVERSHOOT,
    FAULT_FOREIGN,          /* somebody else holds the limit down at `amount` of the largest cap */
    FAULT_RAISE,            /* somebody else holds it up there: what the agent writes lower does not show */
    FAULT_REBOOT,           /* dark for the time, then boots at driver defaults with an inrush */
    FAULT_AGENT,            /* the agent is dead; the watchdog acts at the deadline; then it starts anew */
    /* the agent is told to stop (SIGTERM), and asks to be let go where the site allows that; it ends with its
     * own limits back, or at fail-safe, and starts anew after the time */
    FAULT_LEAVE,
    FAULT_WATCHDOG,         /* agent and watchdog are dead: caps stay as they are */
    FAULT_FREEZE,           /* the agent is stopped (SIGSTOP) and goes on where it was; the watchdog acts */
    FAULT_HOST_RATE,        /* its clock runs fast by `amount` (may be negative; 0.01 = 1 %) */
    FAULT_HOST_STEP,        /* its monotonic clock misses `amount` seconds: suspend */
    FAULT_SURGE,            /* wants all that it can draw */
    /* wants pulses: all for half of `amount` seconds, a tenth for the other half, all in step */
    FAULT_PULSE,
    FAULT_IDLE,             /* its job crashed: wants a tenth */
    /* meters: `place` is a node that has one */
    FAULT_METER_ERROR,      /* reads `amount` more than there is; negative: low */
    FAULT_METER_DRIFT,      /* the same, growing from 0 to `amount` over the time */
    FAULT_METER_FREEZE,     /* repeats its last measurement with new times */
    FAULT_METER_DELAY,      /* speaks `amount` seconds late, its times are right */
    FAULT_METER_SILENT,
    FAULT_METER_STEP,       /* its clock is off by `amount` seconds; negative: behind */
    FAULT_METER_RATE,       /* its clock runs fast by `amount` */
    /* the network: `place` is a node: hosts and meter of it and of all below */
    FAULT_LOSS,             /* both ways */
    FAULT_DELAY,            /* `amount` seconds more at most, uniform: datagrams overtake each other */
    FAULT_DUPLICATE,        /* comes twice, the second time up to a second later */
    FAULT_CUT_UP,           /* nothing reaches the controller */
    FAULT_CUT_DOWN,         /* nothing reaches the hosts */
    /* power: `place` is a node */
    FAULT_DARK,             /* it and what hangs on it alone has no power */
    FAULT_SAG,              /* voltage falls by `amount`; loads draw constant power */
    FAULT_OTHER,            /* `amount` kW appear there that no lease governs, over all phases */
    /* sources: `place` is a generator at the top, a UPS, a node with several parents; nothing happens where
     * the workload does not describe it */
    FAULT_NO_START,         /* the generator does not start; one that runs goes on */
    FAULT_LATE_START,       /* a start that begins now takes `amount` seconds longer */
    FAULT_BATTERY,          /* the UPS's battery has lost `amount` of its capacity */
    FAULT_BYPASS,           /* the UPS is on its bypass: no battery, volts as they come */
    FAULT_TRANSFER,         /* a hand puts the switch on another input than its first, and back */
    /* the controller: `place` counts for nothing */
    FAULT_PAUSE,            /* stands still: what arrived is worked off afterwards */
    FAULT_CRASH,            /* dies; after the time another starts and knows nothing */
    /* dies; after the time another goes on from what it left (ledger, heat, permits) */
    FAULT_TAKEOVER,
    FAULT_ZOMBIE,           /* another starts at once and knows nothing, this one goes on for the time */
    FAULT_LIMIT,            /* an order: the place may draw `amount` of its steady limit; lifted at the end */
    FAULT_KIND_COUNT
};

enum fault_scope { FAULT_HOSTS, FAULT_METER, FAULT_NETWORK, FAULT_POWER, FAULT_CONTROLLER };

/* So long an agent that is told to stop waits for an answer, as agent/run.c has it. */
#define FAULT_LEAVE_NS (2 * NS_PER_S)

struct fault {
    enum fault_kind kind;
    bool at_host;               /* `place` is a host, not a node */
    uint32_t place;
    int64_t at_ns, for_ns;      /* for_ns = 0: what happens once; what lasts does so to the end */
    double amount;
};

/* any */
const char *fault_name(enum fault_kind kind);
enum fault_scope fault_scope(enum fault_kind kind);
/* any: a moment, without a length; everything else lasts. */
bool fault_happens_once(enum fault_kind kind);

/* any: "reset a1-03 at 12s", "loss run-2 50% at 5s for 10s": what fault_parse reads. Returns the length, as
 * snprintf does. */
int fault_text(const struct fault *fault, const struct model *model, char *text, size_t bytes);

/* any: 0, or -EINVAL with the reason in `why`. */
int fault_parse(const char *text, const struct model *model, struct fault *fault, char *why,
                size_t why_bytes);

/* any: the same fault, in every field. */
bool fault_same(const struct fault *a, const struct fault *b);

/* any: the host is struck by the fault: it is its place, or has a cord below it. */
bool fault_strikes_host(const struct fault *fault, const struct model *model, uint32_t host);

#endif
