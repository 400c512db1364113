/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of coordination*.c. */
#ifndef FLYBALL_SITE_COORDINATION_PARTS_H
#define FLYBALL_SITE_COORDINATION_PARTS_H

#include "site/coordination/coordination.h"
#include "site/flow/sums.h"

/* Two devices, one below the other: all that a verdict on them follows from. */
struct coordination_two {
    const struct site_device *parent, *child;
    double ratio;               /* amperes at the parent per ampere at the child: volts below / volts above */
    double fault_a;             /* prospective at the child's bus, 0 = not stated */
    bool apart;                 /* a transformer stands between them: no ground current passes */
};

/* any: does the device have a curve of phase currents? Its lowest fast pickup of them; 0 = none. */
bool coordination_has_curve(const struct site_device *device);
double coordination_lowest_a(const struct site_device *device);

/* any: the verdict; `parent` and `child` of the pair are left alone. */
void coordination_judge(const struct coordination_two *two, struct coordination_pair *pair);

/* setup: all pairs of the site. 0 or -ENOMEM. */
int coordination_find_pairs(struct coordination *coordination, const struct site *site);

/* The node under work. */
struct coordination_place {
    const struct site *site;
    const struct figures *figures;
    int64_t fresh_ns;           /* the longest of the site's meters */
    int64_t *actuation_ns;      /* by node index: A of the slowest host type below */
    const struct sums_below *below;
    int64_t (*boot_mva)[CONTINGENCIES_MAX][PHASES];     /* by node index: hosts alone */
    int64_t (*floor_mva)[CONTINGENCIES_MAX][PHASES];    /* the same with every cap at its floor */
    uint32_t node;
};

/* any: fills what each says of the node in its row. */
void coordination_time(const struct coordination_place *place, struct coordination_node *row);
void coordination_lend(const struct coordination_place *place, struct coordination_node *row);
void coordination_boot(const struct coordination_place *place, struct coordination_node *row);

enum coordination_start {
    START_COLD,
    START_SETTLED,              /* heat of coordination_settled_a: 0.64 Ir^2 */
    START_OPERATE,              /* theta_op */
};

/* any: a load that rests there for long: 80 % of the long-time setting, or the steady limit if lower. */
double coordination_settled_a(const struct model_node *node);

/* any: fast edge of device and equipment at a steady current; images start as said, everything else from
 * rest. */
double coordination_trips_s(const struct coordination_place *place, double amperes,
                            enum coordination_start start, uint8_t *role);

/* any: safety.md section 5 in floating point: from the heat of settled_a, held for hold_s. INFINITY: nothing
 * trips here. `role` is that of the element that binds, `term` what it is called here. */
double coordination_admissible_a(const struct model *model, const struct breaker *breaker, double settled_a,
                                 double hold_s, uint8_t *role, uint8_t *term);

/* any: seconds until a compiled element trips at a steady current; `heat` is that of an image, of 1. */
double coordination_element_s(const struct model *model, const struct breaker_element *element, double heat,
                              double amperes);

#endif
