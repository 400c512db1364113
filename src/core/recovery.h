/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a recovery lasts (safety.md section 5, I1c): D above its ceiling ends within X but for hosts known
 * silent or bad.
 *
 * Whatever the cause, flyball's part is done in the slot of the event: S is cut to the limit, or all that can
 * be told stand at fail-safe where that is impossible (a deep sag, hosts at phys_max; `safe_mva` of the
 * ledger). From then on D is above S only by what hosts held before and no report has shown gone. One that
 * obeys is at fail-safe X after the slot at the latest, may say so A later, and does within D / 2 although
 * three of six reports may be lost. So when that is over, S stands within the larger of ceiling and safe_mva,
 * and D above it is held by hosts that can be named: silent for D; at phys_max, since nobody knows their cap;
 * or heard and not shown to have taken their cut. If not, the recovery is overdue: a defect of flyball.
 */
#ifndef FLYBALL_CORE_RECOVERY_H
#define FLYBALL_CORE_RECOVERY_H

#include "core/ledger.h"

struct emergencies;

/* Hosts that hold a recovery. */
struct recovery_hosts {
    uint32_t silent, bad;       /* bad: heard, and at phys_max or above the newest lease */
};

struct recovery_node {
    int64_t since_ns;           /* of the newest event, as the round saw it; INT64_MAX = no recovery */
    uint32_t events;            /* ledger_sums.recovery_events by then */
    bool overdue;
    struct recovery_hosts held_by;      /* once its time is over */
};

struct recovery {
    const struct model *model;
    const struct ledger *ledger;
    const struct emergencies *below;    /* which hosts hang below a node */
    struct recovery_node *node;
    int64_t within_ns;          /* X, A and D / 2 */
    uint32_t open;              /* nodes in recovery, as the round knows */
    uint32_t at, cursor;        /* node of the round; its next host, while they are counted */
    bool counting;
    struct recovery_hosts counted;
    uint64_t overdue;           /* recoveries that became so */
};

/* setup: `node` stands. */
void recovery_init(struct recovery *recovery, const struct model *model, const struct ledger *ledger,
                   const struct emergencies *below);

/* rt, in parts of a tick: looks at the next nodes, or hosts below one, of a round. Nothing is in recovery:
 * O(1). */
void recovery_part(struct recovery *recovery, int64_t t_ns, uint32_t items);

#endif
