/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/loss/attack.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/virtual.h"

#define AFTER_NS (8 * NS_PER_S)         /* from the loss to the end: longer than any T_resp */
#define LATE_MOST_NS (2 * NS_PER_S)
#define LOW_VOLTS 0.9501                /* of nominal: most amperes for the watts, and no sag yet */
#define UNLIMITED_TIMES 100
#define FAST_SHARE 0.8                  /* of the sites: every device at its fast edge */
#define HORIZON_PART 8                  /* reports come ten times in a lease */

static const char *const attack_name[] = {
#define LOSS_ATTACK_NAME(symbol, name) [symbol] = name,
    LOSS_ATTACKS(LOSS_ATTACK_NAME)
#undef LOSS_ATTACK_NAME
};

static const char *const demand_name[] = {
#define LOSS_DEMAND_NAME(symbol, name) [symbol] = name,
    LOSS_DEMANDS(LOSS_DEMAND_NAME)
#undef LOSS_DEMAND_NAME
};

const char *loss_attack_name(enum loss_attack attack)
{
    return attack_name[attack];
}

const char *loss_demand_name(enum loss_demand demand)
{
    return demand_name[demand];
}

struct attack {
    struct loss_result *result;
    const struct model *model;
    int64_t from_ns, lost_ns, late_ns;
    uint32_t lost_node, blocks;         /* feeds are the first nodes */
};

/* ---- what happens ---- */

static int64_t on_the_way(void *user, enum virtual_to to, uint32_t index, int64_t t_ns)
{
    const struct attack *attack = user;
    (void)index;
    if (t_ns < attack->from_ns)
        return 0;
    switch (attack->result->attack) {
    case ATTACK_READINGS: return to == TO_CONTROLLER_METER ? VIRTUAL_LOST : 0;
    case ATTACK_LATE: return to == TO_CONTROLLER_METER ? attack->late_ns : 0;
    case ATTACK_REPORTS: return to == TO_CONTROLLER_HOST ? VIRTUAL_LOST : 0;
    case ATTACK_LEASES: return to == TO_HOST ? VIRTUAL_LOST : 0;
    case ATTACK_ALL: return VIRTUAL_LOST;
    default: return 0;
    }
}

/* Low by all that is declared, at the lowest volts at which nothing is a sag. */
static void bend(const struct attack *attack, struct plant *plant)
{
    for (uint32_t m = 0; m < attack->model->meter_count; m++) {
        struct meter *meter = &plant->meter[m];
        meter->current_gain = meter->power_gain = 1 - (double)meter->model->error_ppm / 1e6;
        meter->voltage_gain = 1;
    }
    for (uint32_t n = 0; n < attack->model->node_count; n++)
        plant->grid.node[n].nominal_v *= LOW_VOLTS;
    for (uint32_t h = 0; h < attack->model->host_count; h++)
        gpuhost_preset(&plant->host[h], attack->model->host[h].fail_safe_mw);
}

/* What stands against the limits as the feed goes. */
static void look_at_exposure(const struct attack *attack, const struct core *core)
{
    struct loss_result *result = attack->result;
    for (uint32_t n = 0; n < attack->model->node_count; n++) {
        const struct model_node *node = &attack->model->node[n];
        struct core_node_view view;
        core_node_view(core, n, &view);
        double volts = (double)node->volts_low_mv / 1e3;
        if (n == attack->lost_node || !node->lend || view.exposed.limit_mva <= 0)
            continue;
        double of_limit = (double)view.exposed.sum_mva / (double)view.exposed.limit_mva;
        if (of_limit <= result->of_limit)
            continue;
        result->of_limit = of_limit;
        result->of_admissible = (double)view.exposed.sum_mva / ((double)view.heat.admissible_ma * volts);
        result->of_steady = (double)view.exposed.sum_mva / ((double)node->steady_ma * volts);
    }
}

static void watch_step(void *user, struct plant *plant, const struct core *core)
{
    struct attack *attack = user;
    struct loss_result *result = attack->result;
    if (!plant->t_ns)
        bend(attack, plant);
    if (plant->t_ns == attack->lost_ns)
        look_at_exposure(attack, core);
    for (uint32_t n = 0; n < attack->model->node_count; n++) {
        const struct grid_node *node = &plant->grid.node[n];
        if (!node->has_breaker || node->lost || n == attack->lost_node)
            continue;
        double heat = fmax(tripunit_heat(&node->unit), tripunit_travel(&node->unit));
        if (plant->t_ns == attack->lost_ns)
            result->heat_before = fmax(result->heat_before, heat);
        if (plant->t_ns >= attack->lost_ns)
            result->heat = fmax(result->heat, heat);
    }
}

/* ---- what is set up ---- */

static void set_demand(const struct attack *attack, struct workload *workload, struct random *random)
{
    struct workload_class *class = &workload->class[0];
    if (attack->result->demand == DEMAND_AT_ONCE) {
        workload_class_defaults(class, WORKLOAD_STARTER);
        class->groups = 1;
        class->idle_ns = attack->lost_ns;
        class->ramp_ns = 0;
        class->full_ns = 2 * AFTER_NS;
        class->idle_draw = 0.05 + 0.4 * random_unit(random);
        class->full_draw = 1;
    } else {
        workload_class_defaults(class, WORKLOAD_TRAIN);
        class->compute_draw = 1;
        class->communicate_draw = attack->result->demand == DEMAND_PULSES ? 0.5 : 1;
        class->compute_ns = (int64_t)(random_between(random, 0.1, 2) * 1e9);
        class->communicate_ns = (int64_t)(random_between(random, 0.1, 2) * 1e9);
        class->checkpoint_every_ns = 0;
    }
    class->noise = 0;
}

/* A write takes as long as it may, with one in flight before it; draws follow a cap at once both ways, and
 * stand exactly where draw_max has them. */
static void set_hosts(const struct model *model, struct workload *workload)
{
    struct workload_plant *plant = &workload->plant;
    plant->overshoot = 1;
    plant->write_mean_ns = plant->write_min_ns = plant->write_max_ns =
        (model->type[0].actuation_ns - 10 * NS_PER_MS) / 2;
    plant->write_sigma_ns = 0;
    plant->down_ns = plant->up_ns = NS_PER_MS;
    plant->regulation = 0;
    plant->meter_noise = 1e-4;
}

static void set_up(struct attack *attack, const struct site *site, struct workload *workload,
                   struct random *random)
{
    const struct model *model = &site->model;
    struct loss_result *result = attack->result;
    attack->model = model;
    attack->lost_node = (uint32_t)(random_bits(random) % attack->blocks);
    attack->lost_ns = (int64_t)(random_between(random, 10000, 25000)) * NS_PER_MS;
    attack->from_ns = attack->lost_ns - (int64_t)(random_unit(random) * (double)model->meter[0].fresh_ns);
    attack->late_ns = (int64_t)(random_unit(random) * (double)LATE_MOST_NS);
    workload_defaults(workload);
    workload->class_count = 1;
    workload->class_of = calloc(model->host_count, 1);
    workload->resets = calloc(model->host_count, sizeof *workload->resets);
    workload->event_count = 1;
    workload->event[0] = (struct workload_event){attack->lost_ns, EVENT_LOSE, attack->lost_node};
    workload->breakers.device = site->device;
    workload->breakers.equipment = site->equipment;
    workload->breakers.fast_edge = random_unit(random) < FAST_SHARE;
    workload->breakers.initial_heat = random_between(random, 0.1, 0.8);
    workload->network.delay_ns = NS_PER_MS / 10;
    workload->network.jitter_ns = NS_PER_MS;
    set_hosts(model, workload);
    set_demand(attack, workload, random);
    result->lost_at_s = (double)attack->lost_ns / 1e9;
    result->respond_s = (double)(model->meter[0].fresh_ns + model->policy.lease_ns) / 1e9;
    result->meter_error = (double)model->meter[0].error_ppm / 1e6;
}

/* The controller's own copy of what it is wrong about. */
struct belief {
    struct model model;
    struct model_node node[16];
    struct model_host_type type;
};

static void believe(struct belief *belief, const struct model *truth, enum loss_rule rule)
{
    belief->model = *truth;
    memcpy(belief->node, truth->node, truth->node_count * sizeof belief->node[0]);
    belief->type = truth->type[0];
    belief->model.node = belief->node;
    belief->model.type = &belief->type;
    if (rule == RULE_HORIZON) {
        belief->model.policy.lease_ns /= HORIZON_PART;
        belief->type.actuation_ns = NS_PER_MS;
    }
    for (uint32_t n = 0; rule == RULE_RESERVE && n < truth->node_count; n++)
        for (uint32_t i = PHASES; i < CONTINGENCIES_MAX * PHASES; i++)
            belief->node[n].limit_mva[i / PHASES][i % PHASES] *= UNLIMITED_TIMES;
}

static void note_outcome(const struct attack *attack, const struct outcome *outcome)
{
    struct loss_result *result = attack->result;
    result->trips = outcome->trip_count;
    result->invariant_failures = outcome->governor.invariant_failures;
    if (!outcome->trip_count)
        return;
    result->element = outcome->trip[0].element;
    result->trip_s = (double)(outcome->trip[0].t_ns - attack->lost_ns) / 1e9;
}

/* D by the slowest clock that the policy allows. */
static int64_t slow_lease_ns(const struct model_policy *policy)
{
    return policy->lease_ns + policy->lease_ns / 1000 * policy->rho_ppm / ((PPM - policy->rho_ppm) / 1000);
}

static int run(struct attack *attack, const struct site *site, enum loss_rule rule, struct random *random)
{
    static struct belief belief;
    struct workload workload;
    struct outcome outcome;
    struct virtual_watch watch = {attack, watch_step, on_the_way};
    set_up(attack, site, &workload, random);
    believe(&belief, &site->model, rule);
    struct virtual_config config = {
        .duration_ns = attack->lost_ns + AFTER_NS, .epoch = 1, .watch = &watch, .believed = &belief.model,
        .lease_ns = slow_lease_ns(&site->model.policy), .greedy = true};
    int result = workload.class_of && workload.resets ? 0 : -ENOMEM;
    if (!result)
        result = virtual_run(&site->model, &workload, &config, &outcome);
    if (!result) {
        note_outcome(attack, &outcome);
        outcome_finish(&outcome);
    }
    workload_unload(&workload);
    return result;
}

int loss_play(uint64_t seed, uint32_t index, enum loss_rule rule, struct loss_result *result)
{
    static struct place place;
    struct site site;
    struct random random;
    struct attack attack = {.result = result};
    random_init(&random, seed, RANDOM_DEMAND, index);
    memset(result, 0, sizeof *result);
    place_draw(&place, &random);
    result->scheme = place.scheme;
    result->device = place.device;
    result->attack = (enum loss_attack)(random_bits(&random) % LOSS_ATTACK_COUNT);
    result->demand = (enum loss_demand)(random_bits(&random) % LOSS_DEMAND_COUNT);
    attack.blocks = place.blocks;
    int error = place_load(&place, &site);
    if (error)
        return error;
    error = run(&attack, &site, rule, &random);
    site_unload(&site);
    return error;
}

void loss_show(uint64_t seed, uint32_t index)
{
    static struct place place;
    struct random random;
    random_init(&random, seed, RANDOM_DEMAND, index);
    place_draw(&place, &random);
    fputs(place.text, stdout);
}
