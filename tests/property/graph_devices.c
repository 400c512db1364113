/* SPDX-License-Identifier: Apache-2.0 */
/* Devices as they are: specimens drawn from the band that the compiled device stands for, in long double,
 * heated by what truly flows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "breaker_reference.h"
#include "core/core.h"
#include "graph.h"

enum { SPECIMENS = 2, STEPS = 4 };

struct specimens {
    uint32_t count;             /* elements; 0: nothing here trips */
    struct real_device real[SPECIMENS];
    double square_sum[PHASES];  /* of the steps since the last look, A^2 */
    bool governed;              /* D has been within what is admissible once */
};

struct graph_devices {
    struct curve_stock stock;
    struct specimens node[BUILT_NODES_MAX];
    uint32_t steps;
};

struct graph_devices *graph_devices_new(void)
{
    struct graph_devices *devices = calloc(1, sizeof *devices);
    if (!devices)
        abort();
    reference_curves(&devices->stock);
    return devices;
}

void graph_devices_free(struct graph_devices *devices)
{
    free(devices);
}

/* The lowest fast edge: the steady limit is 0.95 of it at most (safety.md section 2). */
static int64_t least_pickup_ma(const struct breaker *breaker)
{
    int64_t least_ma = INT64_MAX;
    for (uint32_t e = 0; e < breaker->element_count; e++)
        if (!breaker->element[e].residual && breaker->element[e].pickup_ma < least_ma)
            least_ma = breaker->element[e].pickup_ma;
    return least_ma;
}

static int64_t scaled(int64_t ma, double factor)
{
    return ma == INT64_MAX ? ma : (int64_t)floor((double)ma * factor);
}

/* The same device for another current; what the decision is told is rounded towards an earlier trip. */
static void scale(struct breaker *breaker, struct real_device *real, double factor)
{
    for (uint32_t e = 0; e < breaker->element_count; e++) {
        struct breaker_element *element = &breaker->element[e];
        element->pickup_ma = scaled(element->pickup_ma, factor) - 1;
        element->unit_ma = scaled(element->unit_ma, factor) - 1;
        element->fast_above_ma = scaled(element->fast_above_ma, factor);
        if (element->fast_above_ma != INT64_MAX)
            element->fast_above_ma--;
    }
    for (uint32_t i = 0; i < SPECIMENS * breaker->element_count; i++) {
        struct real_element *element = &real[i / breaker->element_count].element[i % breaker->element_count];
        element->pickup_a *= factor;
        element->unit_a *= factor;
        element->fast_above_a *= factor;
    }
}

/* What has a time of its own is held below its edge (`shortest_ns`); heat and travel bound the others. */
static void set_stages(const struct curve_stock *stock, struct breaker *breaker)
{
    for (uint32_t e = 0; e < breaker->element_count; e++) {
        struct breaker_element *element = &breaker->element[e];
        bool definite = element->law == BREAKER_TRAVEL && element->curve % 3 == 2;
        element->shortest_ns = element->law == BREAKER_PEAK ? 0
                               : definite ? (int64_t)(stock->what[element->curve].delay_s * 1e9L)
                                          : INT64_MAX;
    }
}

static void draw_node(struct graph_devices *devices, struct model_node *node, uint32_t n,
                      struct chance *chance)
{
    struct specimens *here = &devices->node[n];
    struct real_device band[BAND];
    double rated_a;
    do
        reference_draw(chance, false, &node->breaker, &rated_a, band);
    while (least_pickup_ma(&node->breaker) == INT64_MAX);
    uint32_t first = (uint32_t)chance_range(chance, 0, BAND - SPECIMENS);
    memcpy(here->real, &band[first], sizeof here->real);
    double above = (double)chance_range(chance, 1000, 1350) / 1000 / 0.95;
    scale(&node->breaker, here->real,
          above * (double)(node->steady_ma + 100) / (double)least_pickup_ma(&node->breaker));
    set_stages(&devices->stock, &node->breaker);
    here->count = node->breaker.element_count;
    long double heat = (long double)chance_range(chance, 0, 85) / 100;
    for (int s = 0; s < SPECIMENS; s++)
        reference_rest(&here->real[s], here->count, heat);
}

/* One image at its fast edge, which is what is compiled. */
static void plain_node(struct graph_devices *devices, struct model_node *node, uint32_t n)
{
    struct specimens *here = &devices->node[n];
    struct breaker_element *image = &node->breaker.element[0];
    image->pickup_ma = (int64_t)((double)node->steady_ma / 0.95) + 1;
    image->fast_above_ma = INT64_MAX;
    image->shortest_ns = INT64_MAX;
    image->heat_fast_ns = image->cool_ns = image->heat_ns = 3 * NS_PER_S;
    node->breaker.element_count = here->count = 1;
    struct real_element *real = &here->real[0].element[0];
    *real = (struct real_element){.law = BREAKER_IMAGE, .pickup_a = (long double)image->pickup_ma / 1000,
                                  .tau_s = 3, .fast_tau_s = 3, .fast_above_a = INFINITY, .time_factor = 1};
    here->real[1] = here->real[0];
    reference_rest(&here->real[0], 1, 0);
    reference_rest(&here->real[1], 1, 0.5L);
}

void graph_devices_draw(struct graph_devices *devices, struct model *model, uint64_t seed, bool plain)
{
    devices->steps = 0;
    model->curve = devices->stock.table;
    model->curve_count = REFERENCE_CURVES;
    for (uint32_t n = 0; n < model->node_count; n++) {
        struct chance chance = {seed ^ (model_node_id(model, n) + 1) * UINT64_C(0x8BB84B93962EACC9)};
        devices->node[n].count = 0;
        devices->node[n].governed = false;
        memset(devices->node[n].square_sum, 0, sizeof devices->node[n].square_sum);
        if (model->node[n].limited && model->node[n].breaker.element_count) {
            if (plain)
                plain_node(devices, &model->node[n], n);
            else
                draw_node(devices, &model->node[n], n, &chance);
        }
    }
}

/* What may flow now may flow for T_resp / 0.7: no specimen trips by then. */
static bool bears_exposure(struct graph *graph, uint32_t n)
{
    struct trial *trial = &graph->trial;
    const struct model_node *node = &trial->model->node[n];
    const struct heat_node *known = node->meter == INDEX_NONE ? NULL : &trial->core->heat.meter[node->meter];
    struct breaker_load load = {.crest_milli = 1414};
    bool lent = false;
    for (uint32_t p = 0; p < PHASES; p++) {
        int64_t exposed_mva = trial->core->ledger.node[n].exposed_mva[trial->in_force][p];
        lent |= exposed_mva > node->limit_mva[trial->in_force][p];
        load.current_ma[p] = exposed_mva * 1000 / node->volts_low_mv;
    }
    if (!known || !known->respond_ns || !lent || trial->core->recovering || trial->low[node->meter] > 0.01)
        return true;
    graph->reached |= 1u << STATE_CURVE;
    struct specimens *here = &graph->devices->node[n];
    for (int s = 0; s < SPECIMENS; s++) {
        if (here->real[s].open)
            continue;
        long double time_s = reference_time(&here->real[s], here->count, &graph->devices->stock, &load);
        if (time_s < (long double)known->respond_ns / 0.7e9L)
            return trial_fail(trial,
                              "D of node %u trips its device in %.3f s, T_resp / 0.7 is %.3f s, and no "
                              "recovery",
                              n, (double)time_s, (double)known->respond_ns / 0.7e9);
    }
    return true;
}

/* Before a controller governs a node, and while more hosts than its k have reset unseen, anything may trip;
 * what does so then is open, and no witness of anything else. */
static bool heat_node(struct graph *graph, uint32_t n)
{
    struct trial *trial = &graph->trial;
    struct specimens *here = &graph->devices->node[n];
    struct breaker_load load = {.crest_milli = 1414};
    bool open = false;
    for (uint32_t p = 0; p < PHASES; p++) {
        load.current_ma[p] = (int64_t)(sqrt(here->square_sum[p] / STEPS) * 1000);
        here->square_sum[p] = 0;
    }
    for (int s = 0; s < SPECIMENS; s++)
        open |= !here->real[s].open && reference_step(&here->real[s], here->count, &graph->devices->stock,
                                                      &load, STEPS * WORLD_STEP_NS / 1e9L);
    here->governed |= !trial_is_over(trial, n);
    bool excused = trial->excused[n] || !here->governed;
    if (open && !excused)
        return trial_fail(trial, "a device of node %u trips at %.1f A of %.1f", n,
                          (double)load.current_ma[0] / 1000, (double)trial->model->node[n].steady_ma / 1000);
    return excused || bears_exposure(graph, n);
}

static void excuse(struct graph *graph, uint32_t n)
{
    bool was = graph->trial.excused[n];
    trial_excuse(&graph->trial, n);
    if (was && !graph->trial.excused[n] && graph->devices->node[n].count)
        graph->reached |= 1u << STATE_JUDGED_AGAIN;
}

bool graph_devices_step(struct graph *graph)
{
    struct trial *trial = &graph->trial;
    bool safe = true, due = ++graph->devices->steps % STEPS == 0;
    for (uint32_t n = 0; safe && n < trial->model->node_count; n++) {
        struct specimens *here = &graph->devices->node[n];
        excuse(graph, n);
        if (!here->count)
            continue;
        for (uint32_t p = 0; p < PHASES; p++) {
            double a = trial_load_mva(trial, n, p) / (double)trial->model->node[n].volts_low_mv;
            here->square_sum[p] += a * a;
        }
        safe = !due || heat_node(graph, n);
    }
    return safe;
}
