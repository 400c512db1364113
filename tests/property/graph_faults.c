/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "graph.h"

/* What strikes hosts, the network before them, meters, or the controller. */
enum strikes { STRIKES_HOST, STRIKES_METER, STRIKES_NODE, STRIKES_CONTROLLER };

struct kind {
    enum fault_kind kind;
    enum strikes strikes;
    bool once;
    const char *name;
    double least, most;         /* amount */
};

static const struct kind kinds[] = {
    {FAULT_RESET, STRIKES_HOST, true, "reset", 0, 0},
    {FAULT_STALL, STRIKES_HOST, false, "stall", 0.05, 0.6},
    {FAULT_FOREIGN, STRIKES_HOST, false, "foreign", 0, 1},
    {FAULT_WATCHDOG, STRIKES_HOST, false, "watchdog", 0, 0},
    {FAULT_SURGE, STRIKES_HOST, false, "surge", 0, 0},
    {FAULT_PULSE, STRIKES_HOST, false, "pulse", 0.02, 0.4},
    {FAULT_IDLE, STRIKES_HOST, false, "idle", 0, 0},
    {FAULT_LOSS, STRIKES_HOST, false, "loss", 0.1, 0.9},
    {FAULT_DELAY, STRIKES_HOST, false, "delay", 0.1, 0.9},
    {FAULT_DUPLICATE, STRIKES_HOST, false, "duplicate", 0.1, 0.9},
    {FAULT_CUT_UP, STRIKES_HOST, false, "cut-up", 0, 0},
    {FAULT_CUT_DOWN, STRIKES_HOST, false, "cut-down", 0, 0},
    {FAULT_METER_ERROR, STRIKES_METER, false, "meter-error", 0, 0.1},
    {FAULT_METER_FREEZE, STRIKES_METER, false, "meter-freeze", 0, 0},
    {FAULT_METER_SILENT, STRIKES_METER, false, "meter-silent", 0, 0},
    {FAULT_METER_DELAY, STRIKES_METER, false, "meter-delay", 0.016, 0.24},
    {FAULT_DARK, STRIKES_METER, false, "dark", 0, 0},
    {FAULT_SAG, STRIKES_METER, false, "sag", 0.3, 0.3},
    {FAULT_OTHER, STRIKES_NODE, false, "other", 0, 1},
    {FAULT_PAUSE, STRIKES_CONTROLLER, false, "pause", 0, 0},
    {FAULT_CRASH, STRIKES_CONTROLLER, false, "crash", 0, 0},
    {FAULT_TAKEOVER, STRIKES_CONTROLLER, false, "takeover", 0, 0},
    {FAULT_ZOMBIE, STRIKES_CONTROLLER, false, "zombie", 0, 0},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static const struct kind *kind_of(enum fault_kind kind)
{
    for (int i = 0; i < KINDS; i++)
        if (kinds[i].kind == kind)
            return &kinds[i];
    return NULL;
}

const char *graph_fault_name(enum fault_kind kind)
{
    return kind_of(kind)->name;
}

bool graph_fault_is_once(enum fault_kind kind)
{
    return kind_of(kind)->once;
}

struct fault graph_fault_draw(struct chance *chance, const struct graph_plan *plan, int64_t until_ns)
{
    const struct kind *kind = &kinds[chance_range(chance, 0, KINDS - 1)];
    double part = (double)chance_range(chance, 0, 1000) / 1000;
    struct fault fault = {.kind = kind->kind,
                          .at_ns = chance_range(chance, 0, until_ns / NS_PER_MS) * NS_PER_MS,
                          .for_ns = chance_range(chance, 10, 500) * NS_PER_MS,
                          .amount = kind->least + (kind->most - kind->least) * part};
    fault.at_host = kind->strikes == STRIKES_HOST && chance_hit(chance, 0.7);
    fault.place = (uint32_t)chance_range(chance, 0, (fault.at_host ? plan->hosts : plan->nodes) - 1);
    if (fault.kind == FAULT_DARK && plan->form.feeds > 1 && chance_hit(chance, 0.7))
        fault.place = (uint32_t)chance_range(chance, 0, plan->form.feeds - 1);
    return fault;
}

static bool strikes_host(const struct graph *graph, const struct fault *fault, uint32_t h)
{
    const struct model *model = graph->trial.model;
    if (fault->at_host)
        return model_host_id(model, h) == fault->place;
    for (uint32_t n = 0; n < model->node_count; n++)
        if (model_node_id(model, n) == fault->place)
            return graph->trial.shadow->above[n][h];
    return false;
}

static void strike_network(struct world_host *host, const struct fault *fault, int64_t end_ns)
{
    switch (fault->kind) {
    case FAULT_LOSS: host->loss = fmax(host->loss, fault->amount); break;
    case FAULT_DELAY: host->slow = fmax(host->slow, fault->amount); break;
    case FAULT_DUPLICATE: host->twice = fmax(host->twice, fault->amount); break;
    case FAULT_CUT_UP: host->mute_until_ns = end_ns; break;
    case FAULT_CUT_DOWN: host->deaf_until_ns = end_ns; break;
    default: break;
    }
}

static void strike_host(struct graph *graph, const struct fault *fault, uint32_t h, bool begins)
{
    struct world *world = graph->trial.world;
    struct world_host *host = &world->host[h];
    int64_t end_ns = fault->at_ns + fault->for_ns;
    switch (fault->kind) {
    case FAULT_RESET:
        if (begins && !host->at_default)
            world_reset(world, h);
        break;
    case FAULT_STALL: host->stall_ns = (int64_t)(fault->amount * 1e9); break;
    case FAULT_FOREIGN:
        host->foreign_mw = 1 + (int64_t)(fault->amount * (double)host->type->cap_max_mw);
        break;
    case FAULT_WATCHDOG:
        host->alive = false;
        host->down_until_ns = end_ns;
        break;
    case FAULT_SURGE: host->trace.kind = TRACE_ALL; break;
    case FAULT_PULSE:
        host->trace = (struct trace){.kind = TRACE_SQUARE, .period_ns = (int64_t)(fault->amount * 1e9),
                                     .low = 0.1, .high = 1, .duty = 0.5};
        break;
    case FAULT_IDLE: host->trace = (struct trace){.kind = TRACE_SQUARE, .period_ns = 1, .low = 0.1}; break;
    default: strike_network(host, fault, end_ns); break;
    }
}

static void strike_meter(struct trial *trial, const struct fault *fault, uint32_t n)
{
    uint32_t m = trial->model->node[n].meter;
    int64_t end_ns = fault->at_ns + fault->for_ns;
    if (m == INDEX_NONE)
        return;
    switch (fault->kind) {
    case FAULT_METER_ERROR: trial->low[m] = fmax(trial->low[m], fault->amount); break;
    case FAULT_METER_FREEZE: trial->meter_frozen_until_ns[m] = end_ns; break;
    case FAULT_METER_SILENT: trial->meter_dead_until_ns[m] = end_ns; break;
    case FAULT_METER_DELAY: trial->late_windows[m] = (uint32_t)(fault->amount * 1e3 / 16); break;
    case FAULT_DARK: trial->dark_until_ns[m] = end_ns; break;
    case FAULT_SAG: trial->sag_until_ns[m] = end_ns; break;
    default: break;
    }
}

static void strike_controller(struct graph *graph, const struct fault *fault, bool begins)
{
    struct trial *trial = &graph->trial;
    int64_t end_ns = fault->at_ns + fault->for_ns;
    if (!begins)
        return;
    graph->reached |= fault->kind == FAULT_PAUSE ? 0 : 1u << STATE_REPLACED;
    if (fault->kind == FAULT_ZOMBIE) {
        trial_replace(trial, end_ns);
        return;
    }
    /* of one that is dead already nothing more is left */
    if (fault->kind == FAULT_TAKEOVER && graph->restart_ns == INT64_MAX)
        trial_leave(trial);
    trial->stalled_until_ns = end_ns > trial->stalled_until_ns ? end_ns : trial->stalled_until_ns;
    if (fault->kind == FAULT_PAUSE)
        return;
    graph->restart_ns = trial->stalled_until_ns;        /* before anything more is decided */
    trial->stalled_until_ns += WORLD_STEP_NS;
}

/* A node that may be lost is: then loads move to what is left. One at a time. */
static void strike_feed(struct trial *trial, uint32_t n)
{
    for (uint32_t c = 1; c < trial->model->contingency_count && !trial->in_force; c++)
        if (trial->model->contingency[c].kind == CONTINGENCY_LOSS &&
            trial->model->contingency[c].lost_node == n)
            trial->in_force = c;
}

static void strike(struct graph *graph, const struct fault *fault, bool begins)
{
    struct trial *trial = &graph->trial;
    const struct model *model = trial->model;
    enum strikes strikes = kind_of(fault->kind)->strikes;
    if (strikes == STRIKES_CONTROLLER)
        strike_controller(graph, fault, begins);
    for (uint32_t h = 0; strikes == STRIKES_HOST && h < model->host_count; h++)
        if (strikes_host(graph, fault, h))
            strike_host(graph, fault, h, begins);
    for (uint32_t n = 0; n < model->node_count; n++) {
        if (model_node_id(model, n) != fault->place)
            continue;
        if (strikes == STRIKES_METER)
            strike_meter(trial, fault, n);
        if (fault->kind == FAULT_DARK)
            strike_feed(trial, n);
        if (strikes == STRIKES_NODE)
            trial->other_part[n] = fault->amount;
    }
}

/* As the plan has it where nothing is wrong. */
static void heal(struct graph *graph)
{
    struct trial *trial = &graph->trial;
    for (uint32_t h = 0; h < trial->model->host_count; h++) {
        struct world_host *host = &trial->world->host[h];
        uint64_t seed =
            graph->plan->seed ^ (model_host_id(trial->model, h) + 1) * UINT64_C(0xE7037ED1A0B428DB);
        host->loss = host->slow = host->twice = 0;
        host->stall_ns = 0;
        host->foreign_mw = INT64_MAX;
        host->trace = trace_draw(seed, graph->plan->in_step ? 0 : -1);
        if (graph->some->plain & PLAIN_TRACES)
            host->trace.kind = TRACE_ALL;
    }
    trial->in_force = 0;
    for (uint32_t n = 0; n < trial->model->node_count; n++)
        trial->other_part[n] = 0.5;
    memset(trial->low, 0, trial->model->meter_count * sizeof trial->low[0]);
    memset(trial->late_windows, 0, trial->model->meter_count * sizeof trial->late_windows[0]);
}

bool graph_faults_step(struct graph *graph)
{
    struct trial *trial = &graph->trial;
    bool begins[GRAPH_FAULTS_MAX] = {false}, turned = trial->world->t_ns == 0;
    for (uint32_t i = 0; i < graph->plan->fault_count; i++) {
        const struct fault *fault = &graph->plan->fault[i];
        bool on = graph->some->fault[i] && trial->world->t_ns >= fault->at_ns &&
                  trial->world->t_ns < fault->at_ns + fault->for_ns;
        begins[i] = on && !graph->on[i];
        turned |= on != graph->on[i];
        graph->on[i] = on;
    }
    if (turned)
        heal(graph);
    for (uint32_t i = 0; turned && i < graph->plan->fault_count; i++)
        if (graph->on[i])
            strike(graph, &graph->plan->fault[i], begins[i]);
    if (graph->restart_ns > trial->world->t_ns)
        return true;
    graph->restart_ns = INT64_MAX;
    if (trial->t_ns < trial->world->t_ns)
        trial->t_ns = trial->world->t_ns;
    return trial_succeed(trial);
}

void graph_faults_end(struct graph *graph)
{
    struct trial *trial = &graph->trial;
    int64_t now_ns = trial->world->t_ns;
    memset(graph->on, 0, sizeof graph->on);
    heal(graph);
    trial->stalled_until_ns = 0;
    graph->restart_ns = graph->restart_ns == INT64_MAX ? INT64_MAX : now_ns;
    for (uint32_t h = 0; h < trial->model->host_count; h++) {
        struct world_host *host = &trial->world->host[h];
        host->down_until_ns = host->mute_until_ns = host->deaf_until_ns = now_ns;
    }
    for (uint32_t m = 0; m < trial->model->meter_count; m++) {
        trial->meter_dead_until_ns[m] = trial->meter_frozen_until_ns[m] = now_ns;
        trial->dark_until_ns[m] = trial->sag_until_ns[m] = now_ns;
    }
}
