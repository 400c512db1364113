/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the oracle: bounds, what hosts use of them, and their filling. */
#ifndef FLYBALL_SIM_ORACLE_PARTS_H
#define FLYBALL_SIM_ORACLE_PARTS_H

#include <stdbool.h>
#include <stdint.h>

struct oracle_use {
    uint32_t bound;
    double va_per_w;
};

/* A node's limit in one contingency on one phase, where some host uses it. */
struct oracle_bound {
    uint32_t node;
    uint8_t contingency, phase;
};

struct oracle_host {
    double base_w, weight, phys_max_w;
    uint32_t use_first, use_count;
};

/* Everybody rises by one level, in watts for a weight of 1. */
struct oracle_rise {
    double level_w;             /* at which it has enough */
    uint32_t host;
};

struct oracle_fill {
    uint32_t host_count, bound_count;
    const struct oracle_host *host;
    const struct oracle_use *use;       /* by host, then as listed */
    const uint32_t *user, *user_first;  /* by bound: its hosts are user[user_first[b] .. user_first[b + 1]] */
    const double *room_va;      /* by bound */
    double *left_va;            /* by bound: what remains */
    /* scratch */
    double *slope, *from_w, *full_w;    /* by bound: VA a level, since that level, full at this one */
    struct oracle_rise *rise;
    bool *rising;
};

/* any: the weighted max-min of draws that keeps every bound; what no cap governs is drawn all the same. */
void oracle_fill(struct oracle_fill *fill, const double *demand_w, double *granted_w);

#endif
