/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What devices do to each other and to flyball: selectivity of parent and child (domain.md 1.8), settings
 * that clash, T_resp against every curve (safety.md section 5), what may be lent and which term binds
 * (section 6), and starting a dark site. Figures for people: floating point, from site/curve.h. flyball
 * recommends no protective settings: a finding says what is, never what to set.
 */
#ifndef FLYBALL_SITE_COORDINATION_H
#define FLYBALL_SITE_COORDINATION_H

#include "site/curve.h"
#include "site/figures.h"
#include "site/needs.h"

/* a set; domain.md 1.8 "also check per-setting" and a device against itself */
enum coordination_clash {
    CLASH_LONG_TIME = 1,        /* Ir of the parent below that of the child */
    CLASH_SHORT_TIME = 2,       /* Isd of the parent below 1.3 Isd of the child */
    CLASH_SHORT_DELAY = 4,      /* tsd of the parent not above tsd of the child */
    CLASH_INSTANTANEOUS = 8,    /* Ii (1 - tol) of the parent within the child's fault current */
    CLASH_GROUND = 16,          /* Ig of the parent not above Ig of the child, or its delay */
};

struct coordination_pair {
    uint32_t parent, child;     /* nodes that both have a curve */
    bool total;                 /* selective up to the fault current */
    bool fault_stated;          /* it is of the site file (`fault:`), not assumed */
    double limit_a;             /* selectivity limit Is_lim at the child's volts; INFINITY with total */
    double fault_a;             /* looked at up to here, child's volts */
    double child_clears_s, parent_trips_s;  /* at the limit, or where they come nearest */
    uint8_t parent_role;        /* enum breaker_element_role that races there */
    uint32_t clashes;           /* set of enum coordination_clash */
};

enum lease_term {               /* what bounds the watts that may be leased at a node: safety.md section 6 */
    LEASE_TERM_NONE,
    LEASE_TERM_STEADY,          /* no permit is possible: S stays at the steady limit */
    LEASE_TERM_HEAT,            /* I1: a thermal image */
    LEASE_TERM_DEFINITE,        /* I1: a stage faster than T_resp / 0.7 */
    LEASE_TERM_TRAVEL,          /* I1: an inverse curve or fuse */
    LEASE_TERM_FAIL_SAFE,       /* I2: fail-safe caps ... */
    LEASE_TERM_BASE,            /* I2: ... base that no cap governs (the largest part) ... */
    LEASE_TERM_BAD,             /* I2: ... or k hosts that disobey */
    LEASE_TERM_DEMAND,          /* everything below at phys_max fits: nothing binds */
    LEASE_TERM_COUNT
};

/* Why no lease may pass the steady limit here; a set. */
enum lease_obstacle {
    OBSTACLE_NO_CURVE = 1, OBSTACLE_NO_SETTINGS_FROM = 2, OBSTACLE_NO_METER = 4, OBSTACLE_SLOW_METER = 8,
};

struct coordination_node {
    /* time */
    double fresh_s, respond_s, hold_s;      /* T_fresh(n), T_resp = T_fresh + X, T_resp / 0.7 */
    double full_a;              /* worst phase and contingency: everything leased in full (phys_max, other) */
    double full_trips_s;        /* fast edge from theta_op at full_a; INFINITY = never */
    /* roles (bits) that can trip within hold_s: only caps set beforehand protect */
    uint32_t prearmed;
    /* watts */
    uint32_t obstacles;         /* enum lease_obstacle */
    double steady_a, admissible_a;          /* per phase; admissible from cold heat 0.64 Ir^2 */
    double hosts_static;        /* hosts of the mean type below at phys_max within steady_a */
    double hosts_leased;        /* the most that I1 (fail-safe + one lease each) and I2 allow, same type */
    uint8_t term;               /* enum lease_term */
    double lent_a;              /* amperes above steady that may be leased; 0 = none */
    /* dark start */
    double boot_a;              /* everything starting at once, inrush included */
    uint32_t boot_at_once;      /* hosts that may start together without reaching 0.85 of the fastest edge */
    double boot_trips_s;        /* fast edge from cold at boot_a */
    uint8_t boot_role;          /* what trips first then, or ELEMENT_ROLE_COUNT */
};

struct coordination {
    uint32_t pair_count;
    struct coordination_pair *pair;
    struct coordination_node *node; /* by node index */
};

/* setup: 0 or -ENOMEM; coordination_close frees. */
int coordination_open(struct coordination *coordination, const struct site *site,
                      const struct figures *figures);
void coordination_close(struct coordination *coordination);

#endif
