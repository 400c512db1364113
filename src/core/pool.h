/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pools (safety.md section 7, domain.md 4.3 and 4.5). A node with a level bounds its measured or forecast
 * load: to level_mva, and to level_burst_mva while burst credit lasts. Leases are bounded by the ledger
 * alone; a pool only says how much arbitration may give to governed hosts below, so that load stays at the
 * level:
 *
 *     above the level          for three readings, or at once by more than devices overshoot: it trims, down
 *                              to 0.99; again by every watt that load still rises, and once more after each
 *                              dead time while that did not do
 *     below 0.99               at the peaks of the last second or two: what it gives rises by the gain of
 *                              domain.md 4.5 that cannot oscillate, one correction a control period, until it
 *                              binds nobody any more
 *     below 0.90 for a second  and it no longer binds: no trimming
 *
 * All phases of a node have one level; the fullest one counts. Load without a meter is what hosts report, and
 * other(n). What is granted ahead of time (core/token.h) is forecast load until it is drawn.
 *
 * For status and why: `pool_view`.
 */
#ifndef FLYBALL_CORE_POOL_H
#define FLYBALL_CORE_POOL_H

#include <stdbool.h>

#include "core/ledger.h"
#include "msg/reading.h"

enum { POOL_DEAD_STEPS_MAX = 10 };

/* Largest gain without oscillation at a dead time of `steps` control periods, d^d / (d + 1)^(d + 1); ppm,
 * down; steps up to POOL_DEAD_STEPS_MAX. */
int64_t pool_gain_ppm(uint32_t steps);

/* What a reservation or a draw puts on a node, kept by difference. What every report changes comes first. */
struct pool {
    /* what hosts below draw as arbitration counts it: all phases together, every cord at its most */
    int64_t claim_mva;
    int64_t held_mva;           /* the same, of hosts below their fail-safe cap what they may draw at it */
    int64_t unconfirmed_mw;     /* of cuts below that no report has shown to hold yet */
    int64_t cut_ns;             /* time of the newest of them */
    int64_t drawn_mva[CONTINGENCIES_MAX][PHASES];   /* as reported */
    /* load */
    int64_t measured_mva[PHASES];   /* newest reading, the meter's error added; -1 = none yet */
    int64_t measured_t_ns;
    int64_t credit_va_ns;       /* E */
    bool spent;                 /* credit ran out and is not back at a tenth */
    bool trims;                 /* feedback holds load down */
    bool damped;                /* caps below swing: corrections are half as large (domain.md 4.5) */
    int64_t ahead_mva[CONTINGENCIES_MAX][PHASES];   /* what is reserved above what is drawn */
    /* of the model */
    int64_t quantum_mva;
    int64_t dead_ns;            /* from an arbitration to the load that it makes, as the meter shows it */
    int64_t period_ns;          /* of a control step */
    int64_t gain_ppm;
    int64_t most_mva;           /* claim of everybody below at the largest cap: above it nobody is bound */
    /* feedback */
    int64_t capacity_mva;       /* while it trims: what arbitration may give, all phases together */
    int64_t seen_mva;           /* load that the newest trim took into account */
    int64_t trimmed_ns;         /* time of the newest whole trim */
    int64_t period_start_ns, period_sum_mva, period_readings;
    int64_t low_since_ns;       /* below 0.90 since, INT64_MAX = not */
    int64_t before_mva[2];      /* the fullest phase of the two readings before */
    int64_t peak_mva[2], peak_since_ns;     /* of control periods; of the present and the last stretch */
    uint64_t whole_lines[5];    /* so that none begins in the middle of a line */
};

static_assert(sizeof(struct pool) % CACHE_LINE == 0, "pools begin where lines of the cache begin");

struct pool_host {
    int64_t drawn_mw;           /* newest report, up to whole quanta */
    int64_t reserved_mw;        /* granted ahead of time, at the wall, in total */
    int64_t until_ns;
    int64_t unconfirmed_mw;
};

struct pools {
    const struct model *model;
    const struct ledger *ledger;
    struct pool *node;
    struct pool_host *host;
    uint32_t levels;            /* nodes with a level */
    int64_t t_ns;               /* of the newest tick */
    uint64_t trims;             /* whole trims so far */
    uint32_t swept;             /* host whose reservation is looked at next */
};

struct pool_view {
    int64_t level_mva;          /* in force, one phase; 0 = no pool */
    int64_t load_mva;           /* fullest phase, measured or reported */
    int64_t forecast_mva;       /* with what is granted ahead and not yet drawn */
    int64_t free_mva;           /* level - forecast; negative when above */
    int64_t capacity_mva;       /* pool_capacity_mva */
    uint32_t credit_ppm;        /* of burst credit */
    bool burst, trims, binds;   /* binds: trims, and hosts draw about what it gives */
};

/* any: what hosts below draw and may be about to draw: of each the larger of draw and reservation. */
static inline int64_t pool_committed_mva(const struct pool *pool, uint32_t c, uint32_t phase)
{
    return pool->drawn_mva[c][phase] + pool->ahead_mva[c][phase];
}

/* setup: `node` and `host` stand. */
void pool_init(struct pools *pools, const struct model *model, const struct ledger *ledger, int64_t t_ns);

/* rt: a reading of the meter at `node`. */
void pool_reading(struct pools *pools, uint32_t node, const struct reading *reading, int64_t t_ns);

/* rt: what a host draws now, at the wall. */
void pool_report(struct pools *pools, uint32_t host, int64_t draw_mw, int64_t t_ns);

/* rt: ends some reservations whose time is over, or whose host is not heard. */
void pool_tick(struct pools *pools, int64_t t_ns);

/* rt: what governed hosts below may be given in arbitration, mVA over all phases as cluster counts it;
 * INT64_MAX where no pool binds. */
int64_t pool_capacity_mva(const struct pools *pools, uint32_t node);

/* rt: the draw this host has been granted ahead of time, 0 = none. */
int64_t pool_reserved_mw(const struct pools *pools, uint32_t host, int64_t t_ns);

/* rt: a host's account has changed, maybe: how much of a cut is not confirmed. */
void pool_note(struct pools *pools, uint32_t host, int64_t t_ns);

/* rt: the node above this host whose pool binds and waits for cuts to show, by report or by its meter, before
 * anything below is raised (cut first, confirmed, then raise); or INDEX_NONE. */
uint32_t pool_forbids_raise(const struct pools *pools, uint32_t host, int64_t t_ns);

/* rt: the node above this host whose pool holds load down now, or INDEX_NONE. */
uint32_t pool_binds_above(const struct pools *pools, uint32_t host);

/* rt: replaces a host's reservation. */
void pool_reserve(struct pools *pools, uint32_t host, int64_t reserved_mw, int64_t until_ns);

/* rt: the level in force; INT64_MAX where there is no pool. */
int64_t pool_level_mva(const struct pools *pools, uint32_t node);

/* rt: load of one phase, with all that is granted ahead, when this host had `extra_mva` more there. */
int64_t pool_forecast_mva(const struct pools *pools, uint32_t node, uint32_t phase, int64_t extra_mva);

/* any, owner thread only */
void pool_view(const struct pools *pools, uint32_t node, struct pool_view *view);

#endif
