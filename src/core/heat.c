/* SPDX-License-Identifier: Apache-2.0 */
#include "core/compare.h"
#include "core/heat_inside.h"

enum { COOLED_PPM = 800000, RESPOND_MILLI = 700 };
#define SHORT_WINDOW_NS (20 * NS_PER_MS)    /* longer rms values understate what pulses heat (section 5) */

/* Parts per million of a value, up. */
static int64_t part_up(int64_t value, int64_t ppm)
{
    return value / PPM * ppm + (value % PPM * ppm + PPM - 1) / PPM;
}

/* ---- setup ---- */

/* A of the slowest host type below every metered node, over any cord. */
static void slowest_below(struct heat *heat)
{
    const struct model *model = heat->model;
    for (uint32_t h = 0; h < model->host_count; h++) {
        int64_t actuation_ns = model->type[model->host[h].type].actuation_ns;
        for (uint32_t j = 0; j < model->host[h].cord_count; j++) {
            const struct model_node *node = &model->node[model->host[h].cord[j].node];
            for (uint32_t a = 0; a < node->ancestor_count; a++) {
                uint32_t meter = model->node[node->ancestor[a]].meter;
                if (meter != INDEX_NONE)
                    heat->meter[meter].respond_ns = larger(heat->meter[meter].respond_ns, actuation_ns);
            }
        }
    }
}

/* T_fresh + X, rounded up. */
static int64_t respond_ns(const struct model_policy *policy, int64_t fresh_ns, int64_t actuation_ns)
{
    int64_t slow_ppm = PPM - policy->rho_ppm;
    int64_t lease_ns = policy->lease_ns / slow_ppm * PPM +
                       (policy->lease_ns % slow_ppm * PPM + slow_ppm - 1) / slow_ppm;
    int64_t x_ns = lease_ns + actuation_ns;
    return fresh_ns + x_ns + part_up(x_ns, policy->rho_ppm);
}

static bool is_equipment(const struct breaker_element *element)
{
    return element->role == ELEMENT_TRANSFORMER || element->role == ELEMENT_CONDUCTOR ||
           element->role == ELEMENT_UPS;
}

/* 0.8, or (steady limit / pickup)^2 of the device's images where that is more, the meter's error added: S
 * never passes the steady limit and an emergency ends below 0.9 of it, so the load cools down to here. */
static int64_t cooled_heat(const struct model_node *node, int64_t error_ppm)
{
    int64_t most_ppm = COOLED_PPM;
    for (uint32_t i = 0; i < node->breaker.element_count; i++) {
        const struct breaker_element *element = &node->breaker.element[i];
        if (element->law != BREAKER_IMAGE || is_equipment(element))
            continue;
        int64_t steady_ma = smaller(node->steady_ma, element->pickup_ma);
        int64_t level_ppm = (steady_ma + part_up(steady_ma, error_ppm)) * PPM / element->pickup_ma;
        most_ppm = larger(most_ppm, level_ppm * level_ppm / PPM);
    }
    return most_ppm < PPM ? HEAT_ONE / PPM * most_ppm : INT64_MAX;
}

static int64_t least_pickup_ma(const struct breaker *breaker)
{
    int64_t least_ma = INT64_MAX;
    for (uint32_t i = 0; i < breaker->element_count; i++)
        if (!breaker->element[i].residual)
            least_ma = smaller(least_ma, breaker->element[i].pickup_ma);
    return least_ma;
}

void heat_init(struct heat *heat, const struct model *model)
{
    heat->model = model;
    for (uint32_t m = 0; m < model->meter_count; m++)
        heat->meter[m] = (struct heat_node){.volts_mv = INT64_MAX};
    slowest_below(heat);
    for (uint32_t m = 0; m < model->meter_count; m++) {
        const struct model_meter *meter = &model->meter[m];
        const struct model_node *node = &model->node[meter->node];
        struct heat_node *h = &heat->meter[m];
        h->known = node->breaker.element_count > 0;
        breaker_pace(&h->pace, &node->breaker);
        h->window_ns = meter->period_ns <= SHORT_WINDOW_NS ? meter->period_ns : 0;
        h->hold_ns = larger(2 * meter->period_ns, meter->fresh_ns);
        h->respond_ns = respond_ns(&model->policy, meter->fresh_ns, h->respond_ns);
        h->least_ma = least_pickup_ma(&node->breaker);
        h->cooled = cooled_heat(node, meter->error_ppm);
    }
}

/* ---- loads ---- */

/* Neither dead nor a phase lost: a tenth of nominal and more. */
static bool is_alive(const struct model_node *node, int64_t volts_mv)
{
    return volts_mv >= node->volts_ln_mv / 10;
}

int64_t heat_take_load(const struct model_node *node, const struct model_meter *meter,
                       const struct reading *reading, struct breaker_load *load)
{
    int64_t low_mv = INT64_MAX;
    *load = (struct breaker_load){.crest_milli = reading->crest_milli};
    for (uint32_t phase = 0; phase < node->phases; phase++) {
        int64_t current_ma = larger(reading->current_ma[phase], 0);
        load->current_ma[phase] = current_ma + part_up(current_ma, meter->error_ppm);
        if (is_alive(node, reading->voltage_mv[phase]))
            low_mv = smaller(low_mv, reading->voltage_mv[phase]);
    }
    return low_mv;
}

void heat_keep_larger(struct breaker_load *most, const struct breaker_load *load)
{
    for (uint32_t phase = 0; phase < PHASES; phase++)
        most->current_ma[phase] = larger(most->current_ma[phase], load->current_ma[phase]);
    most->crest_milli = most->crest_milli > load->crest_milli ? most->crest_milli : load->crest_milli;
}

/* Amperes that the highest D since the mark may have been: at the lowest credible voltage, or the measured
 * one if lower. Below half of it no supply gives constant power any more, so that is as low as it counts;
 * a dead feed says nothing of the time when it was alive. */
void heat_keep_exposed(struct breaker_load *most, const struct model_node *node,
                       const struct ledger_sums *sums, int64_t measured_mv)
{
    int64_t low_mv = node->volts_low_mv;
    int64_t volts_mv = larger(larger(smaller(low_mv, measured_mv), low_mv / 2), 1);
    for (uint32_t phase = 0; phase < PHASES; phase++) {
        uint32_t on = node->phases == 1 ? 0 : phase;
        int64_t mva = smaller(larger(sums->highest_mva[phase], 0), INT64_MAX / 2000);
        int64_t current_ma = smaller(mva * 1000 / volts_mv + 1, CURRENT_HELD_MA);
        most->current_ma[on] = larger(most->current_ma[on], current_ma);
    }
}

/* ---- readings ---- */

static int step(struct heat_node *h, const struct model *model, const struct model_node *node,
                const struct breaker_load *load, int64_t dt_ns)
{
    h->stepped_ns += dt_ns;
    return breaker_step_paced(&h->state, &node->breaker, &h->pace, model->curve, load, dt_ns);
}

static bool falls_from_pickup(const struct heat_node *h, const struct breaker_load *before)
{
    bool falls = false;
    for (uint32_t p = 0; p < PHASES; p++)
        falls |= before->current_ma[p] >= h->least_ma && before->current_ma[p] > h->newest.current_ma[p];
    return falls;
}

/* A reading of its own time. What began within a reading ends within one, and the rms of neither needs to
 * reach a pickup: what was above it in the reading before moves travel in this one, too. */
static int step_own(struct heat_node *h, const struct model *model, const struct model_node *node,
                    const struct breaker_load *before, int64_t dt_ns)
{
    struct breaker_state held = h->state;
    struct breaker_load load = {.crest_milli = h->newest.crest_milli};
    int role = step(h, model, node, &h->newest, dt_ns);
    if (!falls_from_pickup(h, before))
        return role;
    for (uint32_t p = 0; p < PHASES; p++)
        load.current_ma[p] = larger(h->newest.current_ma[p], before->current_ma[p]);
    breaker_step_paced(&held, &node->breaker, &h->pace, model->curve, &load, dt_ns);
    for (uint32_t i = 0; i < node->breaker.element_count * PHASES; i++) {
        const struct breaker_element *element = &node->breaker.element[i / PHASES];
        int64_t part = held.part[i / PHASES][i % PHASES];
        if (element->law != BREAKER_TRAVEL)
            continue;
        if (part == HEAT_ONE && h->state.part[i / PHASES][i % PHASES] < part && role < 0)
            role = element->role;
        h->state.part[i / PHASES][i % PHASES] = part;
        h->state.below_ns[i / PHASES][i % PHASES] = held.below_ns[i / PHASES][i % PHASES];
    }
    return role;
}

/* The same where nobody knows which time it was, or it is accounted for already: nothing cools for that. */
static int heat_only(struct heat_node *h, const struct model *model, const struct model_node *node,
                     const struct breaker_load *load, int64_t dt_ns)
{
    struct breaker_state hotter = h->state;
    int role = breaker_step_paced(&hotter, &node->breaker, &h->pace, model->curve, load, dt_ns);
    for (uint32_t i = 0; i < node->breaker.element_count * PHASES; i++) {
        int64_t *part = &h->state.part[i / PHASES][i % PHASES];
        int64_t *below_ns = &h->state.below_ns[i / PHASES][i % PHASES];
        *part = larger(*part, hotter.part[i / PHASES][i % PHASES]);
        *below_ns = smaller(*below_ns, hotter.below_ns[i / PHASES][i % PHASES]);
    }
    return role;
}

/* What went before nobody knows; only a peak is news. */
static int start(struct heat_node *h, const struct model *model, const struct model_node *node, int64_t t_ns)
{
    breaker_start(&h->state, &node->breaker, &h->newest);
    h->started = true;
    h->stepped_ns = t_ns;
    h->late_ns = h->hold_ns;
    return step(h, model, node, &h->newest, 0);
}

static void account_clear(struct heat_node *h, struct ledger *ledger, uint32_t node, int64_t t_ns)
{
    h->clear_ns = t_ns;
    h->spoilt_ns = 0;
    h->most = h->newest;
    ledger_mark_exposed(ledger, node);
}

/* What nobody can claim any more, all but the window of this reading. The readings may have become later by
 * `hold_ns` instead: only what is more than that has certainly passed, and may have cooled something. */
static int step_lost(struct heat_node *h, const struct model *model, const struct model_node *node,
                     const struct ledger_sums *sums, int64_t before_mv, int64_t lost_ns)
{
    if (lost_ns <= 0)
        return -1;
    heat_keep_exposed(&h->most, node, sums, smaller(before_mv, h->volts_mv));
    h->spoilt_ns = larger(h->spoilt_ns - lost_ns, 0);
    int64_t late_ns = h->window_ns ? smaller(lost_ns, h->hold_ns) : 0;
    int passed = step(h, model, node, &h->most, lost_ns - late_ns);
    int late = heat_only(h, model, node, &h->most, late_ns);
    h->stepped_ns += late_ns;
    h->late_ns = smaller(h->late_ns + late_ns, h->hold_ns);
    return late >= 0 ? late : passed;
}

static bool is_cool(const struct heat_node *h, const struct breaker *breaker)
{
    int64_t most = 0;
    for (uint32_t i = 0; i < breaker->element_count; i++)
        for (uint32_t p = 0; p < PHASES && breaker->element[i].law == BREAKER_IMAGE; p++)
            if (!is_equipment(&breaker->element[i]))
                most = larger(most, h->state.part[i][p]);
    return most < h->cooled;
}

int heat_reading(struct heat *heat, struct ledger *ledger, const struct reading *reading, int64_t t_ns)
{
    const struct model_meter *meter = &heat->model->meter[reading->meter];
    const struct model_node *node = &heat->model->node[meter->node];
    struct heat_node *h = &heat->meter[reading->meter];
    int lost = -1;
    if (!h->known)
        return -1;
    int64_t before_mv = h->volts_mv, window_ns = h->window_ns;
    const struct breaker_load before = h->newest;
    h->volts_mv = heat_take_load(node, meter, reading, &h->newest);
    if (!h->started) {
        account_clear(h, ledger, meter->node, t_ns);
        return start(h, heat->model, node, t_ns);
    }
    heat_keep_larger(&h->most, &h->newest);
    if (t_ns - h->clear_ns > h->hold_ns || !window_ns)
        lost = step_lost(h, heat->model, node, &ledger->node[meter->node], before_mv,
                         t_ns - h->stepped_ns - window_ns);
    int64_t open_ns = t_ns - h->stepped_ns;
    int64_t own_ns = smaller(window_ns, open_ns);
    int own = step_own(h, heat->model, node, &before, own_ns);
    int64_t early_ns = smaller(window_ns - own_ns, h->late_ns);
    if (early_ns > 0) {
        struct breaker_load both = before;
        heat_keep_larger(&both, &h->newest);
        h->late_ns -= early_ns;
        heat_only(h, heat->model, node, &both, early_ns);
    }
    if (open_ns - own_ns <= window_ns / 2) {
        if (h->spoilt_ns)       /* sure readings have claimed the time of unsure ones */
            heat_only(h, heat->model, node, &h->most, h->spoilt_ns);
        account_clear(h, ledger, meter->node, t_ns);
    }
    h->was_cool = h->was_cool || is_cool(h, &node->breaker);
    return own >= 0 ? own : lost;
}

static int64_t worst_ma(const struct breaker_load *load)
{
    int64_t most_ma = larger(load->current_ma[0], larger(load->current_ma[1], load->current_ma[2]));
    return load->crest_milli > 1414 ? most_ma * load->crest_milli / 1414 + 1 : most_ma;
}

/* Travel runs from up to 6 % below where a device does (site/curve/compile.c), the steady limit ends at 0.95
 * of that and is always admissible: up to there nothing runs that is so near. */
static void let_be(struct breaker *breaker, const struct model_node *node, const struct breaker_load *load)
{
    int64_t most_ma = larger(load->current_ma[0], larger(load->current_ma[1], load->current_ma[2]));
    for (uint32_t i = 0; i < breaker->element_count && most_ma - most_ma / 20 <= node->steady_ma; i++)
        if (breaker->element[i].law == BREAKER_TRAVEL && breaker->element[i].pickup_ma > most_ma / 100 * 94)
            breaker->element[i].pickup_ma = INT64_MAX;
}

/* Below every pickup images settle below what trips and nothing else runs: spared, for most readings. */
static void time_to_trip(const struct heat_node *h, const struct model *model, const struct model_node *node,
                         const struct breaker_state *state, const struct breaker_load *load,
                         struct breaker_verdict *verdict)
{
    *verdict = (struct breaker_verdict){.t_ns = BREAKER_NEVER_NS, .element = INDEX_NONE};
    if (worst_ma(load) < h->least_ma)
        return;
    struct breaker breaker = node->breaker;
    let_be(&breaker, node, load);
    breaker_time_to_trip(state, &breaker, model->curve, load, verdict);
}

bool heat_load_trips_soon(const struct heat *heat, uint32_t meter, const struct breaker_load *load)
{
    const struct heat_node *h = &heat->meter[meter];
    struct breaker_verdict verdict;
    if (!h->known || !h->started)
        return false;
    time_to_trip(h, heat->model, &heat->model->node[heat->model->meter[meter].node], &h->state, load,
                 &verdict);
    return verdict.t_ns < 2 * h->respond_ns;
}

bool heat_trips_soon(const struct heat *heat, uint32_t meter)
{
    return heat_load_trips_soon(heat, meter, &heat->meter[meter].newest);
}

bool heat_cooled(const struct heat *heat, uint32_t meter)
{
    const struct heat_node *h = &heat->meter[meter];
    return !h->known || !h->started ||
           is_cool(h, &heat->model->node[heat->model->meter[meter].node].breaker);
}

bool heat_was_cool(const struct heat *heat, uint32_t meter)
{
    return heat->meter[meter].was_cool;
}

/* ---- what status shows ---- */

static uint8_t role_of(const struct breaker *breaker, uint32_t element)
{
    return element < breaker->element_count ? breaker->element[element].role : ELEMENT_ROLE_COUNT;
}

static void show(const struct heat_node *h, const struct model *model, const struct model_node *node,
                 const struct breaker_state *state, const struct breaker_load *load, struct heat_view *view)
{
    const struct breaker *breaker = &node->breaker;
    struct breaker_verdict verdict;
    uint32_t element;
    time_to_trip(h, model, node, state, load, &verdict);
    int64_t hold_ns = h->respond_ns * 1000 / RESPOND_MILLI;
    int64_t most_ma =
        breaker_admissible_ma(state, breaker, model->curve, hold_ns, load->crest_milli, &element);
    *view = (struct heat_view){
        .heat_ppm = breaker_heat_ppm(state, breaker),
        .travel_ppm = breaker_travel_ppm(state, breaker),
        .trip_in_ns = verdict.t_ns,
        .admissible_ma = larger(most_ma, node->steady_ma),
        .trips = role_of(breaker, verdict.element),
        .binds = most_ma > node->steady_ma ? role_of(breaker, element) : ELEMENT_ROLE_COUNT,
    };
}

void heat_view(const struct heat *heat, const struct ledger *ledger, uint32_t n, int64_t t_ns,
               struct heat_view *view)
{
    const struct model_node *node = &heat->model->node[n];
    *view = (struct heat_view){.heat_ppm = -1, .travel_ppm = -1, .trip_in_ns = BREAKER_NEVER_NS,
                               .admissible_ma = -1, .trips = ELEMENT_ROLE_COUNT,
                               .binds = ELEMENT_ROLE_COUNT};
    if (node->meter == INDEX_NONE)
        return;
    const struct heat_node *h = &heat->meter[node->meter];
    if (!h->known || !h->started)
        return;
    if (t_ns - h->clear_ns <= h->hold_ns) {
        show(h, heat->model, node, &h->state, &h->newest, view);
        return;
    }
    struct breaker_state state = h->state;
    struct breaker_load lost = h->most;
    heat_keep_exposed(&lost, node, &ledger->node[n], h->volts_mv);
    breaker_step_paced(&state, &node->breaker, &h->pace, heat->model->curve, &lost, t_ns - h->stepped_ns);
    show(h, heat->model, node, &state, &lost, view);
}
