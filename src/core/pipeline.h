/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decision, whole: one slot in, leases out. Alone knows the order of the stages: detect -> rack ->
 * cluster -> guard -> push.
 * Pure: the same slots give the same bytes on every build. The owner is one thread.
 */
#ifndef FLYBALL_CORE_PIPELINE_H
#define FLYBALL_CORE_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/bound.h"
#include "core/degrade.h"
#include "msg/egress.h"
#include "msg/model.h"
#include "msg/slot.h"

struct core;

/* Where leases leave. `record` holds `capacity` >= the site's host count; the pipeline fills from 0 on
 * every step. */
struct outbox {
    struct egress *record;
    uint32_t capacity;
    uint32_t count;
    bool digest_due;            /* a second ended: `digest` closes it */
    struct slot_digest digest;
};

/* Counters of the decision. X(field, name, meaning) */
#define CORE_COUNTERS(X) \
    X(readings, "readings", "readings decided on") \
    X(reports, "reports", "host reports decided on") \
    X(reports_stale, "reports_stale", "reports older than the newest of their incarnation") \
    X(ticks, "ticks", "arbitrations started") \
    X(ticks_missed, "ticks_missed", "ticks that a stall swallowed") \
    X(ticks_committed, "ticks_committed", "arbitrations committed") \
    X(handed, "handed", "hosts whose account was taken over from the controller before") \
    X(handed_meters, "handed_meters", \
      "meters whose node's heat and permit were taken over from the controller before") \
    X(leases, "leases", "leases and claims decided on, also where the mode sends nothing") \
    X(claims, "claims", "of these, claims: fail-safe to a host that still counts at phys_max") \
    X(cuts, "cuts", "leases below the newest one") \
    X(raises, "raises", "leases above the newest one") \
    X(withheld_s, "withheld_s", "raises withheld: sum of newest leases would pass a limit (I1a)") \
    X(withheld_d, "withheld_d", "raises withheld: exposure would pass a limit (I1b)") \
    X(fail_safes, "fail_safes", "leases that sent a host to its fail-safe cap") \
    X(retired, "retired", "leases retired on evidence") \
    X(let_go, "let_go", "hosts whose agent stops, and that may have their own limits back") \
    X(kept, "kept", "reports that asked for that in vain, and were answered by a lease") \
    X(newer_epochs, "newer_epochs", "reports under a newer controller's epoch than ours") \
    X(resets, "resets", "hosts seen with a new incarnation") \
    X(foreign_caps, "foreign_caps", "read-backs above the newest lease: host back to phys_max") \
    X(fail_safe_mismatch, "fail_safe_mismatch", "reports whose fail-safe cap differs from the site file") \
    X(phys_max_above, "phys_max_above", \
      "reports whose physical maximum is above the host type's: bad(n) is raised by as much, up to its " \
      "input_max") \
    X(emergencies, "emergencies", "emergencies entered") \
    X(emergency_stage2, "emergency_stage2", "emergencies that went on to fail-safe") \
    X(emergency_stage3, "emergency_stage3", \
      "emergencies that fail-safe did not end: the site's shed action is due") \
    X(fast_edges, "fast_edges", "readings after which a device at its fast edge may have tripped") \
    X(limit_cuts, "limit_cuts", "nodes cut below because a limit in force fell below the newest leases") \
    X(recoveries, "recoveries", \
      "times that nodes came into recovery, none being in it (exposure above a limit after an event)") \
    X(recoveries_start, "recoveries_start", "nodes that came into recovery by a start or take-over") \
    X(recoveries_limit, "recoveries_limit", "nodes in recovery because a permit or a feed was lost") \
    X(recoveries_sag, "recoveries_sag", \
      "nodes in recovery because a sag that stays, or peaks, lowered a limit") \
    X(recoveries_heat, "recoveries_heat", \
      "nodes in recovery because the curve admits less than leases not yet retired") \
    X(recoveries_reset, "recoveries_reset", "nodes in recovery because a host has a new incarnation") \
    X(recoveries_foreign, "recoveries_foreign", \
      "nodes in recovery because a host's cap is foreign, or a device gone") \
    X(recoveries_told, "recoveries_told", \
      "nodes in recovery because a host reports higher figures than before") \
    X(recoveries_mode, "recoveries_mode", "nodes in recovery because the mode governs nobody any more") \
    X(recoveries_other, "recoveries_other", \
      "nodes in recovery because more load that no lease governs was measured than was known") \
    X(recovery_overdue, "recovery_overdue", \
      "recoveries longer than X that no host known silent or bad holds: a defect") \
    X(alarms, "alarms", "thresholds crossed upward") \
    X(alerts_raised, "alerts_raised", "times that the condition of an alert came to hold at a meter") \
    X(alerts_cleared, "alerts_cleared", "times that it ceased to") \
    X(alerts_unknown, "alerts_unknown", \
      "readings that did not tell what the condition of an alert asks for: it raises nothing") \
    X(stand_ins, "stand_ins", "permits that other meters came to hold, their own being lost") \
    X(stand_ins_lost, "stand_ins_lost", "of these, lost before the own meter was back") \
    X(orders, "orders", "orders carried out") \
    X(orders_refused, "orders_refused", "orders that changed nothing") \
    X(trims, "trims", "cuts of every host below a node at once, under a contract") \
    X(breaches, "breaches", "times that a load was measured above a contract, its time having come") \
    X(level_trims, "level_trims", "loads that stayed above a pool's level: less is given below") \
    X(tokens_granted, "tokens_granted", "requests for power ahead of time granted") \
    X(tokens_denied, "tokens_denied", "such requests denied, with the most that would have been granted") \
    X(tokens_repeated, "tokens_repeated", "such requests answered as they were before") \
    X(other_windows, "other_windows", \
      "times that a node's load over 2 s was held against what its hosts drew") \
    X(other_thrown, "other_thrown", \
      "such times that tell nothing: a feed turned, a meter was not read through, reports miss pulses") \
    X(other_raised, "other_raised", "times that more load no lease governs was found than was known") \
    X(other_lowered, "other_lowered", "times that such load was forgotten, a minute after it had gone") \
    X(other_outgrown, "other_outgrown", \
      "times that such load took more than fail-safe caps leave of a limit: I2 does not hold there") \
    X(refused_sends, "refused_sends", "leases that the port did not take") \
    X(floor_infeasible, "floor_infeasible", \
      "times a node was found that cannot carry the floors below it, were all hosts heard") \
    X(invariant_failures, "invariant_failures", \
      "I1a or I1b false after a slot, or D above a limit without a cause: a defect")

struct core_counters {
#define CORE_COUNTER_FIELD(field, name, meaning) uint64_t field;
    CORE_COUNTERS(CORE_COUNTER_FIELD)
#undef CORE_COUNTER_FIELD
};

/* Why a host's exposure is what it is. X(symbol, name, meaning) */
#define EXPOSURE_BASES(X) \
    X(BASIS_NOT_ENFORCED, "not_enforced", "phys_max: the mode sends nothing") \
    X(BASIS_UNHEARD, "unheard", "phys_max: no report since the start") \
    X(BASIS_NOT_ACCEPTED, "not_accepted", "phys_max: has not accepted this controller's epoch") \
    X(BASIS_DEVICE_LOST, "device_lost", "phys_max: a device that a cap governs is gone, or cannot be read") \
    X(BASIS_LET_GO, "let_go", "phys_max: its agent stopped, and it may have its own limits") \
    X(BASIS_BOOT, "boot", "phys_max: no cap read back yet") \
    X(BASIS_NOT_SHOWN, "not_shown", "phys_max: no report yet shows a cap it was allowed, held for A") \
    X(BASIS_FAIL_SAFE, "fail_safe", "its fail-safe cap: no lease allows more") \
    X(BASIS_LEASE, "lease", "its newest lease") \
    X(BASIS_OLDER_LEASE, "older_lease", "a higher lease before it, until a report shows the cut held for A")

enum exposure_basis {
#define EXPOSURE_BASIS_SYMBOL(symbol, name, meaning) symbol,
    EXPOSURE_BASES(EXPOSURE_BASIS_SYMBOL)
#undef EXPOSURE_BASIS_SYMBOL
    EXPOSURE_BASIS_COUNT
};

/* How near what protects a node is to tripping: an upper bound of heat and travel, a lower bound of time.
 * -1 where no curve is known, no meter covers the node, or no reading has come yet. */
struct heat_view {
    int64_t heat_ppm, travel_ppm;   /* PPM trips the fast edge; up */
    int64_t trip_in_ns;         /* from now, if what flows now went on for ever; INT64_MAX = never */
    int64_t admissible_ma;      /* on every phase for T_resp / 0.7; never below the steady limit */
    uint8_t trips;              /* enum breaker_element_role that would; ELEMENT_ROLE_COUNT = none */
    uint8_t binds;              /* the role that bounds admissible; ELEMENT_ROLE_COUNT = the steady limit */
};

/* A sum beside its limit. */
struct core_sum {
    int64_t sum_mva, limit_mva;
    uint8_t contingency, phase;
};

/* What status shows of a node and of a host; sums per phase are those of the contingency "none". Fields of
 * what a node does not have are 0. */
struct core_node_view {
    int64_t exposure_mva[PHASES];   /* D */
    int64_t newest_mva[PHASES];     /* S */
    int64_t limit_mva[PHASES];      /* in force */
    int64_t steady_mva[PHASES];     /* without a permit */
    struct core_sum exposed, newest;    /* the contingency and phase in which D and S leave least room */
    int64_t measured_mw;            /* newest reading, -1 = none yet */
    int64_t reading_t_ns;           /* slot time of it */
    bool emergency, recovery;
    uint8_t stage;                  /* enum emergency_stage of core/emergency.h */
    bool enforced;                  /* leases are sent: a stage that was reached was told to hosts */
    int64_t stage_since_ns;         /* that stage began; 0 = none */
    uint8_t recovery_by;            /* enum recovery_cause of the newest recovery here */
    bool recovery_overdue;          /* it is, though nobody known silent or bad holds it */
    uint32_t recovery_silent, recovery_bad; /* hosts that hold it, once its time is over */
    int64_t recovery_since_ns;      /* of its newest event; 0 = none */
    uint8_t permit;                 /* enum permit */
    bool damped;                    /* caps changed direction too often: raises wait longer */
    uint8_t maintenance;            /* enum maintenance_state */
    bool breach;                    /* measured above the contract cap */
    uint32_t awaited;               /* hosts whose receipt a maintenance order waits for */
    int64_t permit_since_ns;        /* slot time of its last change */
    int64_t hold_until_ns;          /* no raise below before */
    int64_t raised_mva;             /* of `exposed`, what hosts' own figures add to bad(n) there */
    int64_t learnt_mva[PHASES];     /* other load measured here and below beyond the site file's */
    bool outgrown;                  /* with it, fail-safe everywhere is above the limit */
    int64_t pool_level_mva;         /* of the pool, in force; 0 = no pool */
    int64_t pool_load_mva;          /* measured or forecast */
    int64_t pool_credit_ppm;        /* of burst credit left */
    int64_t ramp_up_mw_per_s, ramp_down_mw_per_s;
    int64_t contract_mw;            /* least cap of contracts in force; 0 = none */
    int64_t contract_load_mw;       /* held against it */
    struct heat_view heat;
};

struct core_host_view {
    int64_t lease_mw;               /* newest cap sent, -1 = none */
    int64_t exposure_mw;            /* E as wall draw */
    int64_t draw_mw;                /* newest report */
    int64_t report_t_ns;
    uint64_t incarnation;
    uint8_t state;                  /* enum host_state */
    uint8_t why;                    /* enum egress_why of the newest lease */
    uint8_t basis;                  /* enum exposure_basis */
    bool accepted;                  /* has accepted this epoch */
    uint8_t unretired;              /* leases that no report has retired */
    uint8_t flags;                  /* enum report_flag */
    uint8_t tier;
    uint16_t gang;                  /* UINT16_MAX = none */
    int64_t reserved_mw;            /* granted ahead of time, at the wall, in total; 0 = nothing */
    int64_t exposed_cap_mw;         /* E as a cap, while it does not count at phys_max */
    int64_t fail_safe_mw;           /* cap, the larger of site file and reports */
    struct bound bound;             /* what held the newest lease down */
};

/* An alert at all its meters. */
enum { ALERT_VALUES_MAX = 3 };
#define ALERT_VALUE_UNKNOWN INT64_MIN

struct core_alert_view {
    struct degrade_row row;         /* meters at which it stands */
    int64_t newest_since_ns;        /* it stands at row.newest; 0 = nowhere */
    uint32_t unknown;               /* meters whose newest reading does not tell what it asks for */
    /* of the first quantities that its condition names, at row.newest, in that order */
    int64_t value[ALERT_VALUES_MAX];
};

/* The newest order that was decided on, and what became of it. */
struct core_order_view {
    uint64_t newest;                /* the highest number so far */
    uint64_t number;
    enum order_refusal verdict;     /* ORDER_TAKEN, or why it changed nothing */
};

/* A contract in force; number 0: none in this place. */
struct core_contract_view {
    uint64_t number;
    uint32_t id, node;              /* node: the first of `nodes` */
    uint8_t kind;                   /* ORDER_CAP or ORDER_RAMP */
    uint8_t nodes;                  /* that it bounds together */
    bool due, breached;
    bool metered;                   /* each of them has a meter */
    int64_t value_mw, down_mw_per_s;
    int64_t load_mw;                /* of a cap: the newest mean of its meters, -1 = none yet */
    int64_t due_ns, until_ns;       /* slot time; INT64_MAX = until it is lifted */
    uint64_t breaches;
};

/* Taking a node out. X(symbol, name, meaning) */
#define MAINTENANCE_STATES(X) \
    X(MAINTENANCE_LOWERING, "lowering", "leases fall and receipts are awaited: do not transfer yet") \
    X(MAINTENANCE_SAFE, "safe", "safe to transfer: every survivor carries it for good")

enum maintenance_state {
    MAINTENANCE_NONE,
#define MAINTENANCE_STATE_SYMBOL(symbol, name, meaning) symbol,
    MAINTENANCE_STATES(MAINTENANCE_STATE_SYMBOL)
#undef MAINTENANCE_STATE_SYMBOL
    MAINTENANCE_STATE_COUNT
};

struct core_maintenance_view {
    uint64_t number;                /* 0: none in this place */
    uint32_t node, contingency;
    enum maintenance_state state;
    uint32_t nodes_above, node_above;       /* above their steady limit after the loss: how many, the first */
    uint32_t hosts_open, host_open;         /* below it, silent or at phys_max: how many, the first */
    uint64_t taken_back;            /* times that it was safe and is not any more */
};

/* any: the first quantities that a condition names, each once; returns how many. */
uint32_t alert_quantities(const struct when_program *when, enum when_quantity quantity[ALERT_VALUES_MAX]);

/* setup */
size_t core_bytes(const struct model *model);
struct core *core_init(void *memory, const struct model *model, uint64_t epoch, int64_t t_ns);

/* rt: this slot comes next, or soon: what it will touch is fetched while another one is decided on. Changes
 * no decision, and need not be called. */
void pipeline_expect(struct core *core, const struct slot *next);

/* rt: decides on one slot. slot->t_ns must not fall. */
void pipeline_step(struct core *core, const struct slot *slot, struct outbox *outbox);

/* rt: a tick has been started and not committed: enter SLOT_TICK_PART between bursts. */
bool pipeline_tick_open(const struct core *core);

/* any, owner thread only: what a controller after this one must know of a host; age_ns is the caller's. A
 * host that does not count as bounded, or is not known to have accepted this epoch, is not handed over. */
void core_account(const struct core *core, uint32_t host, struct slot_account *account);

/* any, owner thread only: what a controller after this one must know of a meter, or behind all meters of
 * feeds: the words of that record (core/handed.h), and how many. */
uint32_t core_handed(struct core *core, uint32_t record, int64_t word[HANDED_WORDS_MAX]);

/* any, owner thread only: grows with every change of the record of feeds. */
uint64_t core_feed_turns(const struct core *core);

/* any, owner thread only */
const struct core_counters *core_counters(const struct core *core);
void core_alert_view(const struct core *core, uint32_t alert, struct core_alert_view *view);
const struct degrade_row *core_degraded(const struct core *core, enum degradation row);
void core_node_view(const struct core *core, uint32_t node, struct core_node_view *view);
void core_host_view(const struct core *core, uint32_t host, struct core_host_view *view);
void core_order_view(const struct core *core, struct core_order_view *view);
void core_maintenance_view(const struct core *core, uint32_t place, struct core_maintenance_view *view);
void core_contract_view(const struct core *core, uint32_t place, struct core_contract_view *view);

/* The sums of a node as they stand, by contingency and phase: what a simulation holds against the truth at
 * every sample, without the rest of the view. */
struct core_node_sums {
    const int64_t (*exposed_mva)[PHASES];   /* D */
    const int64_t (*limit_mva)[PHASES];     /* in force */
    const int64_t (*steady_mva)[PHASES];    /* without a permit */
    const int64_t (*safe_mva)[PHASES];      /* with all that hold a lease at fail-safe: I2 */
    bool emergency, recovery;
};

/* any, owner thread only: valid until the next step. */
void core_node_sums(const struct core *core, uint32_t node, struct core_node_sums *sums);

/* any, owner thread only: E(h) as a cap; INT64_MAX where the host counts at phys_max. */
int64_t core_exposed_mw(const struct core *core, uint32_t host);

#endif
