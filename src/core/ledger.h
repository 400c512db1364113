/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: what every host is allowed to draw at this moment (exposure E), what it was last told (newest
 * lease), and the sums D and S of both on every node, phase and contingency (safety.md sections 3 and 4). A
 * change costs O(cords x ancestors x contingencies), never O(hosts).
 */
#ifndef FLYBALL_CORE_LEDGER_H
#define FLYBALL_CORE_LEDGER_H

#include <stdbool.h>

#include "msg/lease.h"
#include "msg/model.h"
#include "msg/slot.h"

struct ledger_lease {
    uint64_t sequence;
    int64_t cap_mw;
};

enum { FORMER_INCARNATIONS = 4 };

/* An incarnation before: what it reports late is no evidence. But which of two was the later is not known: a
 * late report of one that this controller had never heard of looks like a reset. So one of these comes back,
 * as a new incarnation would, with the third report in a row that it numbers higher, if the present one has
 * been silent for D by then. */
struct ledger_former {
    uint64_t incarnation;
    uint64_t report;            /* newest number heard of it */
};

/* What arbitration looks at is on the first line of the cache, what every report does on the first three. */
struct ledger_host {
    int64_t report_t_ns;        /* slot time of the newest report */
    int64_t newest_mw;          /* cap of the newest lease of this incarnation, -1 = none */
    int64_t fail_safe_mw;       /* the larger of site file and reports */
    int64_t phys_max_mw;        /* likewise, at the wall */
    int64_t exposed_draw_mw;    /* what stands in D */
    int64_t newest_draw_mw;     /* what stands in S */
    int64_t safe_draw_mw;       /* what stands in safe_mva */
    uint8_t state;              /* enum host_state */
    uint8_t flags;              /* enum report_flag */
    bool bounded;               /* false: counts at phys_max */
    bool accepted;              /* this controller's epoch */
    /* bounded by what the controller before handed over, and not known to have accepted an epoch since */
    bool handed;
    uint8_t backs;              /* reports of `back` in a row since the newest of `incarnation` */
    uint8_t unretired_count;
    uint64_t incarnation;       /* 0 = never heard of */
    uint64_t report;            /* number of the newest report: the echo of the next lease */
    uint64_t sequence;          /* of the newest lease sent; never falls */
    uint64_t first;             /* first sequence this incarnation can have applied */
    int64_t draw_mw;            /* as reported */
    struct ledger_lease unretired[UNRETIRED_MAX];   /* oldest first; caps strictly fall */
    struct ledger_former former[FORMER_INCARNATIONS];   /* the newest first */
    uint64_t back;              /* of these, the one that reports again */
    uint64_t whole_lines[2];    /* so that none begins in the middle of a line */
};

/* Why D of a node came to be above its ceiling: recovery (I1c). X(symbol, counter, meaning) */
#define RECOVERIES(X) \
    X(RECOVERY_START, recoveries_start, "a start: hosts count at phys_max until they are known") \
    X(RECOVERY_LIMIT, recoveries_limit, "a permit or a feed was lost, and what was lent is still out") \
    X(RECOVERY_SAG, recoveries_sag, "a sag that stays, or peaks, lowered a limit") \
    X(RECOVERY_HEAT, recoveries_heat, "the curve admits less than leases that no report has retired") \
    X(RECOVERY_RESET, recoveries_reset, "a host has a new incarnation") \
    X(RECOVERY_FOREIGN, recoveries_foreign, "a host's cap is not what it was leased, or a device is gone") \
    X(RECOVERY_TOLD, recoveries_told, "a host reports higher fail-safe or physical figures than before") \
    X(RECOVERY_MODE, recoveries_mode, "the mode governs nobody any more") \
    X(RECOVERY_OTHER, recoveries_other, "more load that no lease governs was measured than was known")

#define RECOVERY_SYMBOL(symbol, counter, meaning) symbol,
enum recovery_cause { RECOVERY_NONE, RECOVERIES(RECOVERY_SYMBOL) RECOVERY_COUNT };
#undef RECOVERY_SYMBOL

/* What a node may lend now; contingencies without a bit keep the steady limit. */
struct ledger_lend {
    uint8_t contingencies;          /* bit c */
    int64_t lendable_ma, admissible_ma;     /* core/permit.h */
};

/* What every lease and report touches comes first; what is looked at together lies on the same lines of the
 * cache. */
struct ledger_sums {
    /* By enum sum of core/sums.h, of D and S: every cell leaves at least this much to its limit in force; 0 =
     * not known, look. Only ever too small: a change that fits into it fits every cell. */
    int64_t left_mva[2];
    int64_t exposed_mva[CONTINGENCIES_MAX][PHASES];     /* D */
    /* bad + other above the model's, in every contingency; and of bad (core/sums_bad.c) the most that one
     * host below may draw above its type's phys_max: in force, and seen in the round */
    int64_t raised_mva[PHASES], excess_mva, excess_seen_mva;
    int64_t scale_ppm;              /* of the model's limit */
    int64_t highest_mva[PHASES];    /* D since ledger_mark_exposed, the most over contingencies */
    int64_t newest_mva[CONTINGENCIES_MAX][PHASES];      /* S */
    struct ledger_lend lend;
    uint8_t recovery_by;            /* enum recovery_cause of the newest recovery here */
    uint32_t recovery_events;       /* entries into it, and rises of D in it */
    uint64_t whole_lines[1];        /* so that limits begin where a line does */
    /* in force: what a lease is held against. `steady`, or what may be lent where a permit stands. */
    int64_t limit_mva[CONTINGENCIES_MAX][PHASES];
    /* above it D is recovery: `steady`, or admissible (core/permit.h); never below `limit` */
    int64_t ceiling_mva[CONTINGENCIES_MAX][PHASES];
    /* S with every host that holds a lease at its fail-safe cap: what a cut can lead to */
    int64_t safe_mva[CONTINGENCIES_MAX][PHASES];
    int64_t steady_mva[CONTINGENCIES_MAX][PHASES];      /* the model's, lowered by events */
    /* bad + other + what hosts draw that no cap governs */
    int64_t ungoverned_mva[CONTINGENCIES_MAX][PHASES];
};

static_assert(sizeof(struct ledger_host) % CACHE_LINE == 0, "hosts begin where lines of the cache begin");
static_assert(sizeof(struct ledger_sums) % CACHE_LINE == 0, "nodes begin where lines of the cache begin");

/* Nodes whose limit has been found below S since somebody looked: a cut is due below them (core/cut.h). */
struct ledger_fell {
    uint32_t *node;
    uint8_t *marked;                /* by node */
    uint32_t count;
};

/* What has moved since arbitration looked: accounts of hosts, limits of nodes. It unmarks what it looks at.
 * Without the arrays it looks at everything. */
struct ledger_moved {
    uint8_t *host;
    uint8_t *node;              /* 0, 1, or NODE_HELD: more than may be raised to is held there */
};

enum { NODE_HELD = 2 };

/* The round that finds out what reported figures above the type's still raise. */
struct ledger_round {
    uint32_t cursor;            /* hosts, then nodes */
    uint32_t raised;            /* nodes whose bad is: none, no round */
};

struct ledger {
    const struct model *model;
    uint64_t epoch;
    uint64_t handed_epoch;      /* of the controller whose accounts were taken over, 0 = none */
    struct ledger_host *host;
    struct ledger_sums *node;
    bool enforcing;             /* false: nothing is sent, so every host counts at phys_max */
    /* (node, contingency, phase) with D above its ceiling: recovery while not 0 */
    uint32_t over_count;
    uint8_t cause;              /* enum recovery_cause of what is entered; NONE: nothing may raise D */
    bool unexplained;           /* D rose above a ceiling, or in recovery, without a cause: a defect */
    uint64_t recoveries[RECOVERY_COUNT];    /* nodes that came into recovery, by cause */
    struct ledger_moved moved;
    struct ledger_round bad;
    struct ledger_fell fell;    /* arrays may be absent: then nobody cuts */
};

/* What a report did to the host's account. */
enum ledger_event {
    LEDGER_STALE = 1,           /* older than the newest report, or of an older incarnation: nothing used */
    LEDGER_RESET = 2,           /* new incarnation */
    LEDGER_FOREIGN_CAP = 4,     /* read-back above what was leased */
    LEDGER_MISMATCH = 8,        /* fail-safe cap differs from the site file */
    LEDGER_RETIRED = 16,
    LEDGER_BOUNDED = 32,        /* left phys_max */
    LEDGER_PHYS_MAX = 64,       /* physical maximum above the host type's: bad(n) counts with it */
};

enum ledger_verdict { LEDGER_MAY_SEND, LEDGER_OVER_S, LEDGER_OVER_D, LEDGER_UNBOUNDED };

/* setup: every host unknown, at phys_max. `host` and `node` are arrays of the model's counts. */
void ledger_init(struct ledger *ledger, const struct model *model, uint64_t epoch, struct ledger_host *host,
                 struct ledger_sums *node);

/* rt: caps are in force from now on, or no longer: then every host counts at phys_max. Visits every host. */
void ledger_enforce(struct ledger *ledger, bool enforcing);

/* rt: takes a report; returns a set of enum ledger_event, and in *retired how many leases it retired. */
uint32_t ledger_report(struct ledger *ledger, const struct report *report, int64_t t_ns, uint32_t *retired);

/* any: the cap that needs no room in the sums: fail-safe by the site file, with which I2 was checked. What a
 * report says of fail-safe counts in E and allows nothing. */
int64_t ledger_always_mw(const struct ledger *ledger, uint32_t host);

/* rt: may a lease of this cap leave now? I1a, I1b of safety.md section 5; a cap at or below
 * ledger_always_mw always may. */
enum ledger_verdict ledger_may_send(struct ledger *ledger, uint32_t host, int64_t cap_mw);

/* any: does S pass a limit above this host as things stand? While it does not, a lower cap may always
 * leave. */
bool ledger_over_s(const struct ledger *ledger, uint32_t host);

/* rt: the largest cap not above cap_mw that may leave now; ledger_always_mw when none above it may.
 * `bound` says what stood against cap_mw itself. */
int64_t ledger_room_mw(struct ledger *ledger, uint32_t host, int64_t cap_mw, enum ledger_verdict *bound);

/* rt: what a node may lend from now on. */
void ledger_lend(struct ledger *ledger, uint32_t node, const struct ledger_lend *lend);

/* rt: the draw at the wall that a cap stands for in the sums. */
int64_t ledger_draw_mw(const struct ledger *ledger, uint32_t host, int64_t cap_mw);

/* rt: enters a lease that left; whether the sums bear it is asked later (ledger_over_s): of a cut that takes
 * many hosts. */
void ledger_enter(struct ledger *ledger, uint32_t host, int64_t cap_mw);

/* rt: a lease left. Returns false when I1a or I1b does not hold afterwards: a defect of the caller. */
bool ledger_sent(struct ledger *ledger, uint32_t host, int64_t cap_mw);

/* rt: may this host have its own limits? Where I1a and I1b hold with it at phys_max, and I2: with everybody
 * else at fail-safe, every lasting contingency stays within steady limits (core/ledger_let_go.c). */
bool ledger_may_let_go(const struct ledger *ledger, uint32_t host);

/* rt: enters the lease that lets it go, before that leaves. False: a defect of the caller, as above. */
bool ledger_let_go(struct ledger *ledger, uint32_t host);

/* any: it was let go, and nothing was heard since that it is not so. */
bool ledger_is_let_go(const struct ledger_host *host);

/* rt: lowers or restores a node's limit to `ppm` of the model's (a sag that stays, say). */
void ledger_scale_limit(struct ledger *ledger, uint32_t node, int64_t ppm);

/* rt: the high-water mark of D at a node begins anew, at D as it stands. */
void ledger_mark_exposed(struct ledger *ledger, uint32_t node);

/* any: may the host be sent more than a claim? Its exposure is known, and it obeys this controller or the
 * one that handed it over. */
bool ledger_governs(const struct ledger_host *host);

/* rt: the host counts as its account says, whatever was known of it (core/account.h says when that is
 * permitted); the account is bounded and whole. */
void ledger_take_over(struct ledger *ledger, const struct slot_account *account, int64_t t_ns);

/* rt: nothing is known of the host any more: phys_max, as at the start. */
void ledger_forget(struct ledger *ledger, uint32_t host);

/* any: E(h) as a cap; meaningful while the host is bounded. */
int64_t ledger_exposed_cap_mw(const struct ledger_host *host);

#endif
