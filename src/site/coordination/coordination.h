/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What devices do to each other and to flyball: selectivity of parent and child (domain.md 1.8), settings
 * that clash, T_resp against every curve (safety.md section 5), what may be lent and which term binds
 * (section 6), and starting a dark site. Figures for people: floating point, from site/curve/curve.h. flyball
 * recommends no protective settings: a finding says what is, never what to set.
 */
#ifndef FLYBALL_SITE_COORDINATION_H
#define FLYBALL_SITE_COORDINATION_H

#include <stdio.h>

#include "site/curve/curve.h"
#include "site/flow/figures.h"
#include "site/lend.h"
#include "site/needs.h"

/* A set; domain.md 1.8, "also check per-setting". X(symbol, bit, words) */
#define COORDINATION_CLASHES(X) \
    X(CLASH_LONG_TIME, 1, "long-time of the parent below that of the child") \
    X(CLASH_SHORT_TIME, 2, "short-time of the parent below 1.3 times that of the child") \
    X(CLASH_SHORT_DELAY, 4, "short-time delay of the parent not above that of the child") \
    X(CLASH_INSTANTANEOUS, 8, "instantaneous of the parent within the fault current below it") \
    X(CLASH_GROUND, 16, "ground of the parent not above that of the child in current and delay")

enum coordination_clash {
#define COORDINATION_SYMBOL(symbol, bit, words) symbol = bit,
    COORDINATION_CLASHES(COORDINATION_SYMBOL)
#undef COORDINATION_SYMBOL
};

struct coordination_pair {
    uint32_t parent, child;     /* nodes that both have a curve */
    bool total;                 /* selective up to fault_a */
    bool fault_stated;          /* it is of the site file (`fault:`), not assumed */
    double limit_a;             /* selectivity limit Is_lim at the child's volts; INFINITY with total */
    /* looked at up to here, child's volts; not stated: 1.25 x the largest pickup */
    double fault_a;
    double child_clears_s, parent_trips_s;  /* at the limit, or where they come nearest */
    uint8_t parent_role;        /* enum breaker_element_role that races there */
    uint32_t clashes;           /* set of enum coordination_clash */
};

/* What bounds the hosts of a node (safety.md section 6). X(symbol, words) */
#define COORDINATION_LEASE_TERMS(X) \
    X(LEASE_TERM_NONE, "nothing") \
    X(LEASE_TERM_STEADY, "steady limit, no permit") \
    X(LEASE_TERM_HEAT, "I1: heat") \
    X(LEASE_TERM_DEFINITE, "I1: definite stage") \
    X(LEASE_TERM_TRAVEL, "I1: inverse curve") \
    X(LEASE_TERM_FAIL_SAFE, "I2: draw at fail-safe") \
    X(LEASE_TERM_INRUSH, "I2: inrush of k hosts")

/* I1 binds: a thermal image; a stage faster than T_resp / 0.7; an inverse curve or fuse. I2 binds: base,
 * caps, bad and other together, of which base_a .. other_a tell the parts; or its second half. */
enum lease_term {
#define COORDINATION_SYMBOL(symbol, words) symbol,
    COORDINATION_LEASE_TERMS(COORDINATION_SYMBOL)
#undef COORDINATION_SYMBOL
    LEASE_TERM_COUNT
};

/* What would relax the term that binds, of flyball's own terms only, each alone. X(symbol, words) */
#define COORDINATION_RELAXES(X) \
    X(RELAX_FAIL_SAFE, "fail_safe caps as low as the floors") \
    X(RELAX_BASE, "a base 10 % smaller") \
    X(RELAX_K, "k smaller by one") \
    X(RELAX_TIME, "half the T_resp: a faster meter, a shorter lease")

enum coordination_relax {
#define COORDINATION_SYMBOL(symbol, words) symbol,
    COORDINATION_RELAXES(COORDINATION_SYMBOL)
#undef COORDINATION_SYMBOL
    RELAX_COUNT
};

extern const char *const coordination_term_words[LEASE_TERM_COUNT];
extern const char *const coordination_relax_words[RELAX_COUNT];

/* Hosts are counted as multiples of what hangs there now: all types, cords and phases in their proportions.
 * Every figure is of the worst phase and declared loss; amperes at the lowest credible volts. */
struct coordination_node {
    double fault_a;             /* `fault` here, else of a node above at the same volts; 0 = not stated */
    /* time */
    double fresh_s;             /* T_fresh of the node's own meter; without one the longest of the site */
    double respond_s, hold_s;   /* T_resp = T_fresh + X of the slowest host type below, T_resp / 0.7 */
    double full_a;              /* everything leased in full (phys_max, other) */
    double full_trips_s;        /* fast edge at full_a from theta_op; INFINITY = never */
    double full_settled_s;      /* the same from the heat of 80 % of the long-time setting: 0.64 Ir^2 */
    uint8_t full_role;          /* what trips first then, or ELEMENT_ROLE_COUNT */
    /* roles (bits) that can trip within hold_s, definite ones at any current, the others at full_a: there
     * only caps set beforehand protect */
    uint32_t prearmed;
    /* watts */
    bool limited;               /* false: a busbar, no device: hosts_* and steady_a mean nothing */
    uint32_t obstacles;         /* enum lend_obstacle */
    double steady_a;            /* per phase */
    /* from 0.64 Ir^2 over hold_s; never below steady_a; INFINITY = nothing trips */
    uint8_t admissible_role;    /* of what bounds the next; ELEMENT_ROLE_COUNT = nothing */
    uint8_t admissible_term;    /* enum lease_term of it: heat, definite or travel */
    double admissible_a;
    /* what flows at fail-safe; caps_a the part that fail-safe caps allow */
    double base_a, caps_a, bad_a, other_a;
    double hosts_static;        /* at phys_max within steady_a */
    double hosts_in_full;       /* I1: all leased in full at once; static where there is an obstacle */
    double hosts_fail_safe;     /* I2: at fail-safe with bad(n), and inrush */
    double hosts_leased;        /* the lesser of the last two */
    uint8_t term;               /* enum lease_term: what makes hosts_leased no larger */
    double relaxed[RELAX_COUNT];            /* hosts_leased then; that term or the other one binds */
    double lent_a;              /* amperes above steady that may be leased to the hosts there are; 0 = none */
    /* dark start */
    double boot_a;              /* everything starting at once, inrush included */
    /* 0.85 of the fastest definite edge, or of the largest overload of a UPS; 0 = neither */
    double boot_limit_a;
    uint32_t boot_at_once;      /* hosts that may start together from dark without reaching it */
    /* until all run, those of earlier groups at fail-safe; 0 = not all of them can start */
    uint32_t boot_groups;
    double boot_trips_s;        /* fast edge from cold at boot_a, if it lasted */
    uint8_t boot_role;          /* what trips first then, or ELEMENT_ROLE_COUNT */
    double step_va;             /* all load below from base to phys_max at once; no fewer than W */
    double boot_ramp_s;         /* what starting takes at the generator's ramp; 0 = no ramp is given */
};

struct coordination {
    uint32_t pair_count;
    struct coordination_pair *pair; /* by child, then parent */
    struct coordination_node *node; /* by node index */
};

/* setup: 0 or -ENOMEM; coordination_close frees. */
int coordination_open(struct coordination *coordination, const struct site *site,
                      const struct figures *figures);
void coordination_close(struct coordination *coordination);

/* setup: lines as site.warnings has them, alike nodes in one: settings that clash, a pair selective only
 * up to a current below the stated fault, T_resp / 0.7 longer than the time to trip with everything leased
 * in full. `path` is what site_load was given. Returns how many. */
uint32_t coordination_warn(const struct coordination *coordination, const struct site *site,
                           const char *path, FILE *out);

/* any: the role of a device's element that trips first at a steady current from cold, or ELEMENT_ROLE_COUNT;
 * `seconds` its time. */
uint8_t coordination_first(const struct site_device *device, enum curve_edge edge, double amperes,
                           double *seconds);

#endif
