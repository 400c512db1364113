/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/premises.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CLOCK_FORGETS_NS (60 * NS_PER_S)
#define SETTLE_NS (5 * NS_PER_S)        /* beside leases: an agent notices, writes, and is heard */

int premises_init(struct premises *premises, const struct model *model)
{
    *premises = (struct premises){.model = model};
    premises->busy_until_ns = calloc(model->host_count + 1, sizeof *premises->busy_until_ns);
    premises->deaf_until_ns = calloc(model->host_count + 1, sizeof *premises->deaf_until_ns);
    premises->struck = calloc(model->host_count + 1, sizeof *premises->struck);
    premises->crowd = calloc(model->node_count + 1, sizeof *premises->crowd);
    premises->clock_until_ns = calloc(model->meter_count + 1, sizeof *premises->clock_until_ns);
    bool all = premises->busy_until_ns && premises->deaf_until_ns && premises->struck && premises->crowd;
    return all && premises->clock_until_ns ? 0 : -ENOMEM;
}

void premises_finish(struct premises *premises)
{
    free(premises->busy_until_ns);
    free(premises->deaf_until_ns);
    free(premises->struck);
    free(premises->crowd);
    free(premises->clock_until_ns);
    *premises = (struct premises){0};
}

/* ---- hosts ---- */

static int64_t settled_ns(const struct premises *premises, uint32_t h)
{
    const struct model *model = premises->model;
    return SETTLE_NS + 3 * model->policy.lease_ns + model->type[model->host[h].type].actuation_ns;
}

/* Without that node it has no power at all. */
static bool hangs_on(const struct model *model, uint32_t h, uint32_t node)
{
    const struct model_host *host = &model->host[h];
    for (uint32_t c = 0; c < host->cord_count; c++) {
        if (!model_lies_below(model, host->cord[c].node, node))
            return false;
    }
    return true;
}

static bool is_struck(const struct premises *premises, const struct fault *fault, uint32_t h)
{
    if (fault->kind == FAULT_DARK)
        return hangs_on(premises->model, h, fault->place);
    return fault_strikes_host(fault, premises->model, h);
}

/* Every node above the host, once, however many of its cords meet there. */
static void count_host(struct premises *premises, uint32_t h)
{
    const struct model *model = premises->model;
    for (uint32_t c = 0; c < model->host[h].cord_count; c++) {
        const struct model_node *node = &model->node[model->host[h].cord[c].node];
        for (uint32_t a = 0; a < node->ancestor_count; a++) {
            struct crowd *crowd = &premises->crowd[node->ancestor[a]];
            if (crowd->last == h + 1)
                continue;
            crowd->last = h + 1;
            crowd->busy++;
            crowd->struck |= premises->struck[h];
        }
    }
}

/* Windows end and none has begun since: what is busy now is the most that will be busy with this fault. */
static bool k_allows(struct premises *premises)
{
    const struct model *model = premises->model;
    bool allows = true;
    memset(premises->crowd, 0, model->node_count * sizeof *premises->crowd);
    for (uint32_t h = 0; h < model->host_count; h++) {
        if (premises->struck[h] || premises->busy_until_ns[h] > premises->t_ns)
            count_host(premises, h);
    }
    for (uint32_t n = 0; n < model->node_count; n++) {
        const struct crowd *crowd = &premises->crowd[n];
        allows &= !model->node[n].limited || !crowd->struck || crowd->busy <= model->node[n].k;
    }
    return allows;
}

/* A host whose agent does not live when its caps go stays busy until there is a new one. */
static void keep_busy(struct premises *premises, const struct fault *fault)
{
    int64_t end_ns = fault->at_ns + fault->for_ns;
    if (fault->kind == FAULT_HOST_STEP)
        end_ns += (int64_t)(fault->amount * 1e9);
    for (uint32_t h = 0; h < premises->model->host_count; h++) {
        int64_t until_ns = end_ns > premises->deaf_until_ns[h] ? end_ns : premises->deaf_until_ns[h];
        until_ns += settled_ns(premises, h);
        if (premises->struck[h] && until_ns > premises->busy_until_ns[h])
            premises->busy_until_ns[h] = until_ns;
    }
}

static void keep_deaf(struct premises *premises, const struct fault *fault)
{
    int64_t for_ns = fault->for_ns, leave_ns = fault->kind == FAULT_LEAVE ? FAULT_LEAVE_NS : 0;
    int64_t end_ns = fault->at_ns + (for_ns > leave_ns ? for_ns : leave_ns);
    for (uint32_t h = 0; h < premises->model->host_count; h++) {
        if (!fault_strikes_host(fault, premises->model, h))
            continue;
        if (end_ns > premises->deaf_until_ns[h])
            premises->deaf_until_ns[h] = end_ns;
        if (premises->busy_until_ns[h] > fault->at_ns &&
            end_ns + settled_ns(premises, h) > premises->busy_until_ns[h])
            premises->busy_until_ns[h] = end_ns + settled_ns(premises, h);
    }
}

static bool hosts_allow(struct premises *premises, const struct fault *fault)
{
    bool any = false;
    for (uint32_t h = 0; h < premises->model->host_count; h++) {
        premises->struck[h] = is_struck(premises, fault, h);
        any |= premises->struck[h];
    }
    if (any && !k_allows(premises))
        return false;
    keep_busy(premises, fault);
    return true;
}

/* ---- power ---- */

/* What the limits of a declared sag stand for, or 5 %: the lowest credible voltage of every model. */
static double deepest_sag(const struct model *model, uint32_t node)
{
    double deepest = 0.05;
    for (uint32_t c = 1; c < model->contingency_count; c++) {
        const int64_t *none_mva = model->node[node].limit_mva[0], *sag_mva = model->node[node].limit_mva[c];
        if (model->contingency[c].kind == CONTINGENCY_SAG && none_mva[0] > 0 && sag_mva[0] > 0)
            deepest = fmax(deepest, 1 - 0.95 * (double)sag_mva[0] / (double)none_mva[0]);
    }
    return fmin(deepest, 0.5);
}

/* The plant draws six tenths of what the site file allows for; a third more stays within it, here and
 * above. */
static double other_kw(const struct model *model, uint32_t node)
{
    double least_w = INFINITY;
    for (uint32_t a = 0; a < model->node[node].ancestor_count; a++) {
        const struct model_node *above = &model->node[model->node[node].ancestor[a]];
        double watts = 0;
        for (int phase = 0; phase < PHASES; phase++)
            watts += (double)above->other_mva[phase] / 1e3;
        least_w = fmin(least_w, watts);
    }
    return 0.3 * least_w / 1e3;
}

static bool power_allows(struct premises *premises, struct fault *fault)
{
    const struct model *model = premises->model;
    int64_t stable_ns = SETTLE_NS + model->policy.feed_stable_ns;
    if (fault->kind == FAULT_OTHER) {
        fault->amount = floor(fault->amount * other_kw(model, fault->place) * 1e3) / 1e3;
        if (fault->amount <= 0 || premises->t_ns < premises->other_until_ns)
            return false;
        premises->other_until_ns = fault->at_ns + fault->for_ns + SETTLE_NS;
        return true;
    }
    if (premises->t_ns < premises->power_until_ns)
        return false;
    if (fault->kind == FAULT_SAG) {
        fault->amount = floor(fault->amount * deepest_sag(model, fault->place) * 1e3) / 1e3;
    } else {
        if (fault->place == INDEX_NONE || !hosts_allow(premises, fault))
            return false;
    }
    premises->power_until_ns = fault->at_ns + fault->for_ns + stable_ns;
    return fault->amount > 0 || fault->kind == FAULT_DARK;
}

/* ---- meters ---- */

/* Nobody can tell a meter that is late from one whose clock is behind, where both change at one time; and
 * what stays late for a minute is the line that its age is held against (loop/age.h). */
static bool meter_allows(struct premises *premises, const struct fault *fault)
{
    int64_t end_ns = fault->at_ns + fault->for_ns;
    int64_t *until_ns = NULL, rest_ns = SETTLE_NS;
    if (!premises->model->meter_count)
        return false;
    if (fault->kind == FAULT_METER_ERROR || fault->kind == FAULT_METER_DRIFT)
        until_ns = &premises->error_until_ns;
    if (fault->kind == FAULT_METER_DELAY || fault->kind == FAULT_METER_STEP ||
        fault->kind == FAULT_METER_RATE) {
        until_ns = &premises->clock_until_ns[premises->model->node[fault->place].meter];
        rest_ns = CLOCK_FORGETS_NS;
    }
    if (until_ns && premises->t_ns < *until_ns)
        return false;
    if (until_ns)
        *until_ns = end_ns + rest_ns;
    return true;
}

/* Clocks that are fast twice at a time would be faster than is declared. */
static bool rate_allows(struct premises *premises, const struct fault *fault)
{
    if (premises->t_ns < premises->rate_until_ns)
        return false;
    premises->rate_until_ns = fault->at_ns + fault->for_ns;
    return true;
}

/* ---- all ---- */

static bool keeps_busy(enum fault_kind kind)
{
    switch (kind) {
    case FAULT_RESET: case FAULT_STICK: case FAULT_LIE: case FAULT_STALL: case FAULT_OVERDRAW:
    case FAULT_OVERSHOOT: case FAULT_RAISE: case FAULT_REBOOT: case FAULT_WATCHDOG: case FAULT_HOST_STEP:
        return true;
    default:
        return false;
    }
}

bool premises_allow(struct premises *premises, struct fault *fault)
{
    const struct model *model = premises->model;
    premises->t_ns = fault->at_ns;
    switch (fault_scope(fault->kind)) {
    case FAULT_POWER: return power_allows(premises, fault);
    case FAULT_METER: return meter_allows(premises, fault);
    case FAULT_CONTROLLER: return fault->kind != FAULT_LIMIT || model->node[fault->place].limited;
    case FAULT_HOSTS: break;
    default: return true;
    }
    if (fault->kind == FAULT_AGENT || fault->kind == FAULT_LEAVE || fault->kind == FAULT_FREEZE)
        keep_deaf(premises, fault);
    if (fault->kind == FAULT_HOST_RATE)
        return rate_allows(premises, fault);
    return !keeps_busy(fault->kind) || hosts_allow(premises, fault);
}

