/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Emergencies of safety.md section 8: what starts one, what it does to caps, how it ends. Three
 * stages: a cut, fail-safe, and the site's own shed action, which is counted, shown, and taken by another
 * process (`flyball shed`). Watts are mW at the wall, sums mVA a phase.
 */
#ifndef FLYBALL_CORE_EMERGENCY_H
#define FLYBALL_CORE_EMERGENCY_H

#include <stdbool.h>

#include "core/heat.h"
#include "core/ledger.h"
#include "core/permit.h"
#include "msg/reading.h"

struct emergency {
    bool active, fail_safe;     /* fail_safe: second stage reached */
    bool shed;                  /* third stage: the site's shed action is due */
    uint32_t number;            /* of this emergency, over all nodes */
    int64_t stage_ns;           /* the present stage began; the third one lasts, and goes by this time */
    int64_t calm_since_ns;      /* measured < 0.9 steady since, INT64_MAX = not */
    int64_t raise_after_ns;     /* no raise below before this */
    int64_t low_volts_since_ns; /* below the lowest credible voltage since, INT64_MAX = not */
    int64_t good_volts_since_ns;
    bool hot;                   /* has not cooled down since: no raise below */
    bool limit_lowered;
    int64_t scale_ppm;          /* of the model's limit, in force now; without a meter, its parents' */
    int64_t volts_ppm, peak_ppm;            /* it is the smaller of the two */
    int64_t peak_good_since_ns, peak_for_ns;    /* crests that the steady limit bears, since; and how long */
    int64_t heard_ns;           /* newest reading */
    int64_t covered_since_ns;   /* exposure within the steady limit, and no danger, since; INT64_MAX = not */
};

struct emergencies {
    const struct model *model;
    const struct heat *heat;
    const struct permits *permits;  /* NULL: nothing is ever lent */
    struct emergency *node;
    uint32_t *below_first, *below_count;    /* by node: its hosts over any cord, a run of `below` */
    uint32_t *below;
    uint32_t entered;           /* emergencies so far */
    uint32_t looked_at;         /* node of the round */
    /* no node holds raises back from then on; found out again by every whole round, of which the second is
     * what the present one has found so far */
    int64_t forbids_until_ns, round_until_ns;
};

/* X(symbol, name, meaning) */
#define EMERGENCY_STAGES(X) \
    X(EMERGENCY_STAGE_CUT, "cut", "the caps of its hosts were cut") \
    X(EMERGENCY_STAGE_FAIL_SAFE, "fail_safe", "the cut did not end it: all of them were sent to fail-safe") \
    X(EMERGENCY_STAGE_SHED, "shed", "fail-safe did not end it: the site's shed action is due")

enum emergency_stage {
    EMERGENCY_STAGE_NONE,
#define EMERGENCY_STAGE_SYMBOL(symbol, name, meaning) symbol,
    EMERGENCY_STAGES(EMERGENCY_STAGE_SYMBOL)
#undef EMERGENCY_STAGE_SYMBOL
    EMERGENCY_STAGE_COUNT
};

/* What the owner has to do about the node of this reading. */
enum emergency_action { EMERGENCY_NOTHING, EMERGENCY_CUT, EMERGENCY_FAIL_SAFE, EMERGENCY_SHED };

/* setup: how many entries `below` needs at most; then, with all arrays in place, fills them. */
uint32_t emergency_below_room(const struct model *model);
void emergency_below_init(struct emergencies *emergencies);
void emergency_init(struct emergencies *emergencies, const struct model *model, const struct heat *heat);

/* rt: takes a reading that covers `node`; heat has taken it before. */
enum emergency_action emergency_reading(struct emergencies *emergencies, struct ledger *ledger,
                                        const struct reading *reading, uint32_t node, int64_t t_ns);

/* rt: at a take-over, how the controller before had it, its limit and those below that follow it too. */
void emergency_hand(struct emergencies *emergencies, struct ledger *ledger, uint32_t node,
                    const struct emergency *emergency);

/* rt: the scale on governed draw that brings S of the node's worst phase to 0.95 of its steady limit; PPM
 * where it is there already. */
int64_t emergency_scale_ppm(const struct emergencies *emergencies, const struct ledger *ledger,
                            uint32_t node);

/* rt: what an emergency leaves a host below: the least of the cap that gives S <= 0.95 steady_limit and,
 * where it has its `shot` yet to come, 0.75 * min(cap, measured governed draw). */
int64_t emergency_cap_mw(const struct ledger *ledger, uint32_t host, bool shot, int64_t scale_ppm);

/* rt: EMERGENCY_STAGE_NONE where there is no emergency. */
enum emergency_stage emergency_stage(const struct emergency *emergency);

/* rt: one that goes on begins anew with its first stage. */
void emergency_begin_anew(struct emergency *emergency, int64_t t_ns);

/* rt: leases are sent from now on. What was decided before was told to nobody, so no stage of it counts: each
 * begins with the first. */
void emergency_restart(struct emergencies *emergencies, int64_t t_ns);

/* setup: how long a stage lasts: A of the slowest host type, and the reading of the slowest meter. */
int64_t emergency_stage_ns(const struct model *model);

/* rt: looks at the next nodes of a round: where the meter is silent for a minute and exposure is within the
 * steady limit all that time, leases alone hold the limit, as below a node without a meter: an emergency
 * ends, and heat that nobody sees holds nothing back. Returns a node of which that became so, or
 * INDEX_NONE. */
uint32_t emergency_look(struct emergencies *emergencies, const struct ledger *ledger, int64_t t_ns,
                        uint32_t items);

/* rt: there is an emergency above this host, or it ended less than raise_after_emergency_ns ago: only then
 * may its lease be below its floor (I4). */
bool emergency_lasts(const struct emergencies *emergencies, uint32_t host, int64_t t_ns);

/* rt: an emergency above this host, or its aftermath, forbids raises now. */
bool emergency_forbids_raise(const struct emergencies *emergencies, uint32_t host, int64_t t_ns);

#endif
