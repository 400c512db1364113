/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbered scenarios: a disturbance, what may come of it in numbers, and the rule of the safety argument that
 * sees to it (safety.md section 12). Each runs on any site, for it says where it strikes by what a place is,
 * not by name; its bounds in watts and seconds are of a site of its own (tests/sim), where it must break one
 * when the rule is switched off; and must break none then where nothing strikes, or say why it does.
 */
#ifndef FLYBALL_SIM_SCENARIO_H
#define FLYBALL_SIM_SCENARIO_H

#include "sim/history.h"
#include "sim/outcome.h"
#include "sim/virtual.h"
#include "sim/workload_made.h"

enum { SCENARIO_STRIKES_MAX = 6, SCENARIO_COUNTS_MAX = 2 };

/* The site that the bounds are of, by the name that it gives itself. */
enum scenario_site {
    SITE_PLAIN,         /* demo: three levels, curves with room: fail-safe draw binds */
    SITE_2N,            /* demo-2n: two feeds, either may be lost, its reserve is lent */
    SITE_DENSE,         /* scene-dense: hosts could draw nearly three times what their branch may carry */
    SITE_FIXED,         /* scene-fixed: 20 hosts without oversubscription: the steady limit binds */
    SITE_PHASES,        /* scene-phases: the same with hosts on one phase each, unevenly */
    SITE_DEFINITE,      /* scene-definite: a definite-time stage stands near the rating: the curve binds */
    SITE_TIGHT,         /* scene-tight: everything at fail-safe fills a branch almost whole */
    SITE_LEAVING,       /* scene-leaving: the same as fixed, wider; hosts may have their own limits back */
    SITE_SOURCES,       /* scene-sources: a UPS, and behind the utility a smaller generator, which binds */
    SCENARIO_SITES
};

/* Where a fault strikes, on whatever site. The busy node is the limited one whose hosts could take the
 * largest share of what it may carry. */
enum scenario_place {
    AT_ANY,             /* of the controller */
    AT_ROOT,            /* the first node of the site */
    AT_BUSY,            /* the busy node */
    AT_LEAF,            /* the first node with hosts of its own at or below the busy one */
    AT_BESIDE,          /* another limited node below the same parent; else any other */
    AT_HOST,            /* the first host below the busy node */
    AT_K_HOSTS,         /* as many of its hosts as it declares to disobey (its k, one at least) */
    AT_MORE_HOSTS,      /* three times as many: no premise covers them */
    AT_HALF,            /* every other of its hosts */
    AT_FEW,             /* every hundredth host of the site, one at least */
    AT_LOST,            /* the node of the first loss that the site declares; else the leaf */
    AT_UTILITY,         /* the first input of the first transfer switch (a node with several parents) */
    AT_SWITCH,          /* that switch */
    AT_GENERATOR,       /* the first generator */
    AT_UPS,             /* the first UPS */
    SCENARIO_PLACES
};

struct scenario_strike {
    enum fault_kind kind;
    enum scenario_place place;
    double at_s, for_s, amount;
};

/* A counter of the decision that must end within bounds; name NULL: none. */
struct scenario_count { const char *name; double least, most; };
#define SCENARIO_ANY 1e9        /* however many */

/* Of all the site's generators, UPSs and switches; what is not said here is as usual (sim/workload.h). */
struct scenario_sources {
    double start_s;             /* 0: none is described */
    double battery_s, recharge_s, walk_in_s;
    double break_s, retransfer_s;
};

/* 0 = not bounded, but trips, guard hits and short exposures: of these there are none, ever. */
struct scenario_bounds {
    double overshoot_w;         /* at most */
    double over_ms;             /* at most: longest time over the limit without a break */
    double heat;                /* at most, 1 trips */
    double energy_least;        /* share of what was wanted */
    double recovery_s;          /* at most */
    double tightness;           /* at least */
    struct scenario_count count[SCENARIO_COUNTS_MAX];
};

struct scenario {
    uint16_t number;
    const char *name, *what;    /* one sentence */
    const char *rule;           /* the id of its row in tests/rules, which says the rule and what breaks it */
    enum scenario_site site;
    enum demand demand;
    double duration_s, warmup_s;
    bool greedy;                /* every host asks for all, always: the guard alone says how much it gets */
    struct scenario_sources sources;
    struct scenario_strike strike[SCENARIO_STRIKES_MAX];    /* for_s and at_s 0: ends the list */
    /* why it may break a bound without its rule though nothing strikes; NULL: then it must break none, so
     * that what it breaks it breaks for what strikes */
    const char *anyway;
    struct scenario_bounds bounds;
};

/* any: scenarios by rising number. */
uint32_t scenario_count(void);
const struct scenario *scenario_at(uint32_t index);
/* any: by its name or its number in digits; NULL: none. */
const struct scenario *scenario_find(const char *text);
const char *scenario_site_name(enum scenario_site site);

/* setup: what it does to this site. 0, -ENOMEM; -ENOENT where the site lacks such a place. */
int scenario_history(const struct scenario *scenario, const struct model *model, struct history *history);
/* setup: what its hosts want; ended by workload_unload. 0 or -ENOMEM. */
int scenario_workload(const struct scenario *scenario, const struct model *model, struct workload *workload);

/* ---- how a run is judged ---- */

enum { JUDGEMENTS_MAX = 16 };

struct judgement {
    const char *what, *unit;
    double measured, bound;
    bool at_least;              /* the bound is a least, not a most */
    bool broken;
};

/* any: a run by what always holds, and by the bounds where they are given (NULL: not). Returns how many;
 * `broken` counts those that do not hold. */
uint32_t scenario_judge(const struct scenario_bounds *bounds, const struct outcome *outcome,
                        struct judgement judgement[JUDGEMENTS_MAX], uint32_t *broken);

/* What the tables are made of (scenario_*.c). */
struct scenario_table { const struct scenario *row; uint32_t count; };

extern const struct scenario_table scenario_leases, scenario_sums, scenario_meters, scenario_power,
    scenario_sources, scenario_control, scenario_calm;

#endif
