/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One device, hour by hour: what draws, the plant's specimen, and a controller that knows the device's
 * settings and a meter that reads low. A reading is 16 ms.
 */
#ifndef FLYBALL_BENCH_HEAT_HOUR_H
#define FLYBALL_BENCH_HEAT_HOUR_H

#include "bench/heat/tally.h"

enum heat_margin {
    MARGIN_HEAT,        /* breaker_admissible_ma: safety.md section 5 */
    MARGIN_TIME,        /* the largest current that takes T_resp / 0.7 to trip, and no more than that */
};

/* How leases follow what is admissible. */
enum heat_rule {
    RULE_GRANT,         /* a grant is admissible when it is given: I1a on its own */
    RULE_EMERGENCY,     /* and measured above admissible, nothing above steady is given: section 8 */
    RULE_PERMIT,        /* core/permit's limit in force and trigger, its own theta-hat and freshness */
    /* as RULE_EMERGENCY, and while what is in flight is above admissible, nothing above steady is given */
    RULE_EXPOSURE,
};

struct heat_rules {
    uint64_t seed;
    enum heat_margin margin;
    enum heat_rule rule;
};

/* any: device number `index` of the seed lives for `hours`. */
void heat_live(const struct heat_rules *rules, uint32_t index, uint32_t hours, struct tally *tally);

#endif
