/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One loss: a site, hosts that use what they may as badly as they may, a feed that goes when it hurts most,
 * and what the network does to the controller at that moment. In simulated time, against the plant.
 */
#ifndef FLYBALL_BENCH_LOSS_ATTACK_H
#define FLYBALL_BENCH_LOSS_ATTACK_H

#include "bench/loss/place.h"
#include "sim/tripunit.h"

/* X(symbol, name): from a moment of the last T_fresh before the loss on */
#define LOSS_ATTACKS(X) \
    X(ATTACK_NONE, "nothing else") \
    X(ATTACK_READINGS, "readings lost") \
    X(ATTACK_LATE, "readings up to 2 s late") \
    X(ATTACK_REPORTS, "reports lost") \
    X(ATTACK_LEASES, "leases lost") \
    X(ATTACK_ALL, "every message lost")

enum loss_attack {
#define LOSS_ATTACK_SYMBOL(symbol, name) symbol,
    LOSS_ATTACKS(LOSS_ATTACK_SYMBOL)
#undef LOSS_ATTACK_SYMBOL
    LOSS_ATTACK_COUNT
};

/* X(symbol, name) */
#define LOSS_DEMANDS(X) \
    X(DEMAND_ALWAYS, "all they may, always") \
    X(DEMAND_AT_ONCE, "idle, and all they may from the loss on") \
    X(DEMAND_PULSES, "in step, all they may or half")

enum loss_demand {
#define LOSS_DEMAND_SYMBOL(symbol, name) symbol,
    LOSS_DEMANDS(LOSS_DEMAND_SYMBOL)
#undef LOSS_DEMAND_SYMBOL
    LOSS_DEMAND_COUNT
};

/* What the controller is made to believe. */
enum loss_rule {
    RULE_WHOLE,         /* nothing but what is true */
    RULE_HORIZON,       /* that leases last an eighth of what they do, and caps move at once: T_resp cut */
    RULE_RESERVE,       /* that there is no limit after a loss: the reserve is lent without a permit */
    LOSS_RULE_COUNT
};

struct loss_result {
    enum loss_scheme scheme;
    enum loss_device device;
    enum loss_attack attack;
    enum loss_demand demand;
    double lost_at_s, respond_s, meter_error;
    /* at the survivor that is nearest to its limit, as the feed goes: D, after that loss */
    double of_limit, of_admissible, of_steady;
    double heat_before, heat;       /* of survivors: heat or travel over what trips; at the loss, and most */
    uint32_t trips;
    enum trip_element element;      /* of the first */
    double trip_s;                  /* after the loss */
    uint64_t invariant_failures;
};

const char *loss_attack_name(enum loss_attack attack);
const char *loss_demand_name(enum loss_demand demand);

/* any: case `index` of the seed. 0 or -errno. */
int loss_play(uint64_t seed, uint32_t index, enum loss_rule rule, struct loss_result *result);

/* any: its site file. */
void loss_show(uint64_t seed, uint32_t index);

#endif
