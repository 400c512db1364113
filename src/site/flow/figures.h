/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may flow at every node, by contingency and phase, with every host at its fail-safe cap, bad(n) and
 * other(n) at their bounds: the left side of I2 (safety.md section 5), and what it is made of. Upper bounds
 * all: a host that is short of power supplies after a loss is not taken out, for it may limp on.
 */
#ifndef FLYBALL_SITE_FIGURES_H
#define FLYBALL_SITE_FIGURES_H

#include "site/flow/outage.h"

struct figures_node {           /* mVA, sums over hosts alone */
    uint32_t hosts;             /* with any cord at or below the node */
    int64_t base_mva[CONTINGENCIES_MAX][PHASES];        /* that no cap governs */
    int64_t fail_safe_mva[CONTINGENCIES_MAX][PHASES];   /* base included */
    int64_t phys_max_mva[CONTINGENCIES_MAX][PHASES];
};

struct figures {
    struct figures_node *node;
    struct outage outage;
};

/* The place nearest to the limit; without a limit, the one with most. */
struct figures_peak {
    bool any;                   /* false: the node is dead in all of them */
    uint32_t contingency, phase;
    int64_t mva;                /* hosts at fail-safe, bad and other together */
    int64_t ppm;                /* of the limit, up; 0 without one */
};

/* setup: 0 or -ENOMEM; figures_close frees. */
int figures_open(struct figures *figures, const struct site *site);
void figures_close(struct figures *figures);

/* any: hosts at fail-safe, bad(n) and other(n). */
int64_t figures_steady_mva(const struct site *site, const struct figures *figures, uint32_t node, uint32_t c,
                           uint32_t phase);

/* any: over the contingencies first .. last, those left out that the node dies in or that do not last. */
struct figures_peak figures_peak(const struct site *site, const struct figures *figures, uint32_t node,
                                 uint32_t first, uint32_t last);

/* any: highest phase less lowest one, of the hosts at phys_max with nothing lost, ppm of the highest. */
int64_t figures_unbalance_ppm(const struct figures *figures, uint32_t node);

/* any: phys_max of the hosts over the limit, of the worst phase and contingency, in thousandths, down; 0
 * without a limit. */
int64_t figures_times(const struct site *site, const struct figures *figures, uint32_t node);

#endif
