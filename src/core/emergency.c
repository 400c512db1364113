/* SPDX-License-Identifier: Apache-2.0 */
/* safety.md section 8. Where nothing is lent, what is admissible is the steady limit. */
#include "core/emergency.h"

#include "core/compare.h"

enum { CALM_PPM = 900000, TARGET_PPM = 950000, LIMIT_STEP_PPM = 5000 };
#define NEVER_NS INT64_MAX
#define LOW_VOLTS_NS (1 * NS_PER_S)     /* a sag that stays this long lowers the limit */
#define GOOD_VOLTS_NS (60 * NS_PER_S)   /* and this long without restores it */
#define PEAK_LEAST_NS (60 * NS_PER_S)   /* so does this of lower crests, doubling */
#define PEAK_MOST_NS (3600 * NS_PER_S)
#define BLIND_NS (60 * NS_PER_S)
enum { COVERED_TIMES = 10 };            /* of emergency_clear_ns: exposure within the limit ends it, too */

void emergency_init(struct emergencies *e, const struct model *model, const struct heat *heat)
{
    e->model = model;
    e->heat = heat;
    e->permits = NULL;
    e->entered = e->looked_at = 0;
    e->forbids_until_ns = e->round_until_ns = NEVER_NS;
    emergency_below_init(e);
    for (uint32_t n = 0; n < model->node_count; n++) {
        e->node[n] = (struct emergency){
            .calm_since_ns = NEVER_NS,
            .raise_after_ns = INT64_MIN,
            .low_volts_since_ns = NEVER_NS,
            .good_volts_since_ns = NEVER_NS,
            .scale_ppm = PPM,
            .volts_ppm = PPM,
            .peak_ppm = PPM,
            .peak_good_since_ns = NEVER_NS,
            .peak_for_ns = PEAK_LEAST_NS,
            .heard_ns = NEVER_NS,
            .covered_since_ns = NEVER_NS,
        };
    }
}

/* ---- triggers ---- */

struct load {
    int64_t current_ma;         /* worst phase */
    bool above;                 /* on some phase above the trigger, and by power: no sag from above */
    int64_t bears_ma;           /* current that peaks like these allow */
    int64_t low_mv, high_mv;
    bool disobeyed;             /* measured above exposure on some phase, the meter's error granted */
    bool peak;
};

/* What obeying hosts may put on a metered phase: the most over all contingencies, since any of them may be
 * present. The one phase of a single-phase node is whichever its hosts hang on. */
static int64_t exposed_at_most_mva(const struct model *model, const struct ledger_sums *sums, uint32_t node,
                                   uint32_t phase)
{
    int64_t most_mva = 0;
    for (uint32_t i = 0; i < model->contingency_count * PHASES; i++) {
        int64_t exposed_mva = sums->exposed_mva[i / PHASES][i % PHASES];
        bool metered = model->node[node].phases == 1 || i % PHASES == phase;
        most_mva = metered && exposed_mva > most_mva ? exposed_mva : most_mva;
    }
    return most_mva;
}

/* A sag from above raises current at constant power, and a reflex cut would be an event of the grid itself:
 * as long as power is within what the trigger allows at the lowest credible voltage, time to trip alone
 * decides. A sag that begins below comes with more power than that. */
static bool passes(const struct emergencies *e, const struct model_node *n, uint32_t meter,
                   int64_t trigger_ma, int64_t current_ma, int64_t voltage_mv)
{
    if (current_ma <= trigger_ma)
        return false;
    bool sags = voltage_mv >= n->volts_ln_mv / 10 && voltage_mv < n->volts_low_mv;
    return !sags || !e->heat->meter[meter].known ||
           current_ma * voltage_mv / 1000 > trigger_ma * n->volts_low_mv / 1000;
}

static struct load load_of(const struct emergencies *e, const struct ledger *ledger,
                           const struct reading *reading, uint32_t node, int64_t trigger_ma)
{
    const struct model_node *n = &e->model->node[node];
    int64_t error_ppm = e->model->meter[reading->meter].error_ppm;
    int64_t crest_milli = reading->crest_milli > 1414 ? reading->crest_milli : 1414;
    struct load load = {.low_mv = INT64_MAX, .bears_ma = n->instant_peak_ma * 1000 / crest_milli};
    for (uint32_t phase = 0; phase < n->phases; phase++) {
        int64_t current_ma = reading->current_ma[phase], voltage_mv = reading->voltage_mv[phase];
        int64_t measured_mva = current_ma * voltage_mv / 1000;
        int64_t exposed_mva = exposed_at_most_mva(e->model, &ledger->node[node], node, phase);
        load.current_ma = current_ma > load.current_ma ? current_ma : load.current_ma;
        /* below a tenth a phase is lost, or the fuse of its sensing: the limit follows those that are left */
        if (voltage_mv >= n->volts_ln_mv / 10 && voltage_mv < load.low_mv)
            load.low_mv = voltage_mv;
        load.above |= passes(e, n, reading->meter, trigger_ma, current_ma, voltage_mv);
        load.high_mv = voltage_mv > load.high_mv ? voltage_mv : load.high_mv;
        load.disobeyed |= measured_mva > exposed_mva + exposed_mva / 1000 * error_ppm / 1000;
        load.peak |= n->instant_peak_ma && current_ma * crest_milli / 1000 >= n->instant_peak_ma;
    }
    load.low_mv = load.low_mv == INT64_MAX ? 0 : load.low_mv;
    return load;
}

/* Neither volts nor amperes on any phase: the feed is gone and nothing flows that could trip anything. */
static bool is_dead(const struct model_node *n, const struct load *load)
{
    return load->high_mv < n->volts_ln_mv / 10 && load->current_ma <= n->steady_ma / 100;
}

static bool sees_volts(const struct model_node *n)
{
    return n->limited && n->meter != INDEX_NONE;
}

/* Who has no meter has the volts of what feeds it: of two parents the lower, for either may carry
 * all of it. */
static int64_t scale_above_ppm(const struct emergencies *e, const struct model_node *n)
{
    int64_t ppm = PPM;
    for (uint32_t i = 0; i < n->parent_count; i++)
        ppm = smaller(ppm, e->node[n->parent[i]].scale_ppm);
    return ppm;
}

static void scale(struct emergencies *e, struct ledger *ledger, uint32_t node, int64_t ppm)
{
    if (ppm == e->node[node].scale_ppm)
        return;
    e->node[node].scale_ppm = ppm;
    ledger_scale_limit(ledger, node, ppm);
}

/* The node itself and all below it, down to the next meters: these see for themselves. Parents stand before
 * children. */
static void scale_below(struct emergencies *e, struct ledger *ledger, uint32_t node, int64_t ppm)
{
    const struct model *model = e->model;
    if (ppm == e->node[node].scale_ppm)
        return;
    scale(e, ledger, node, ppm);
    for (uint32_t n = node + 1; n < model->node_count; n++)
        if (!sees_volts(&model->node[n]))
            scale(e, ledger, n, scale_above_ppm(e, &model->node[n]));
}

/* ---- whether anything holds raises back ---- */

static void forbid(struct emergencies *e, const struct emergency *state)
{
    int64_t until_ns = state->active || state->hot ? NEVER_NS : state->raise_after_ns;
    e->forbids_until_ns = larger(e->forbids_until_ns, until_ns);
    e->round_until_ns = larger(e->round_until_ns, until_ns);
}

static void begin_round(struct emergencies *e)
{
    e->forbids_until_ns = e->round_until_ns;
    e->round_until_ns = INT64_MIN;
}

void emergency_hand(struct emergencies *e, struct ledger *ledger, uint32_t node,
                    const struct emergency *emergency)
{
    int64_t before_ppm = e->node[node].scale_ppm;
    e->node[node] = *emergency;
    e->node[node].scale_ppm = before_ppm;
    if (emergency->active)
        e->node[node].number = ++e->entered;
    forbid(e, &e->node[node]);
    scale_below(e, ledger, node, emergency->scale_ppm);
}

/* A sag at constant power raises current in every device: when it stays, the limit in mVA follows it down. */
static void follow_voltage(struct emergencies *e, uint32_t node, int64_t low_mv, int64_t t_ns)
{
    const struct model_node *n = &e->model->node[node];
    struct emergency *state = &e->node[node];
    if (low_mv >= n->volts_low_mv) {
        state->low_volts_since_ns = NEVER_NS;
        state->good_volts_since_ns =
            state->good_volts_since_ns == NEVER_NS ? t_ns : state->good_volts_since_ns;
        if (state->limit_lowered && t_ns - state->good_volts_since_ns >= GOOD_VOLTS_NS) {
            state->limit_lowered = false;
            state->volts_ppm = PPM;
        }
        return;
    }
    state->good_volts_since_ns = NEVER_NS;
    state->low_volts_since_ns = state->low_volts_since_ns == NEVER_NS ? t_ns : state->low_volts_since_ns;
    if (t_ns - state->low_volts_since_ns >= LOW_VOLTS_NS) {
        state->limit_lowered = true;
        /* in half per cents, down: a limit that moved with every reading would be work for nothing */
        int64_t ppm = low_mv * PPM / n->volts_low_mv;
        ppm -= ppm % LIMIT_STEP_PPM;
        if (ppm < state->volts_ppm || ppm >= state->volts_ppm + 2 * LIMIT_STEP_PPM)
            state->volts_ppm = ppm;
    }
}

/* Peaks near the instantaneous element within the steady limit: cutting alone would be undone and done again
 * for ever. So the limit falls to what crests like these allow, until they have been lower for long. */
static void follow_crest(struct emergencies *e, uint32_t node, const struct load *load, int64_t t_ns)
{
    const struct model_node *n = &e->model->node[node];
    struct emergency *state = &e->node[node];
    if (!n->instant_peak_ma)
        return;
    if (load->peak && load->current_ma <= n->steady_ma) {
        int64_t ppm = load->bears_ma * TARGET_PPM / n->steady_ma;
        if (state->peak_ppm < PPM)      /* again: what it waits for was not enough */
            state->peak_for_ns =
                2 * state->peak_for_ns < PEAK_MOST_NS ? 2 * state->peak_for_ns : PEAK_MOST_NS;
        ppm -= ppm % LIMIT_STEP_PPM;
        state->peak_ppm = ppm < state->peak_ppm ? ppm : state->peak_ppm;
        state->peak_good_since_ns = NEVER_NS;
    } else if (load->bears_ma <= n->steady_ma) {
        state->peak_good_since_ns = NEVER_NS;
    } else if (state->peak_good_since_ns == NEVER_NS) {
        state->peak_good_since_ns = t_ns;
    } else if (t_ns - state->peak_good_since_ns >= state->peak_for_ns) {
        state->peak_ppm = PPM;
    }
}

/* Longer only by windows that are not spoilt. */
static int64_t put_off(int64_t before_ns, int64_t now_ns, int64_t period_ns, int64_t t_ns)
{
    return before_ns == NEVER_NS || now_ns == NEVER_NS ? NEVER_NS : smaller(before_ns + period_ns, t_ns);
}

/* An unsure reading lowers limits, and restores none. */
static void keep_lowered(struct emergency *now, const struct emergency *before, int64_t period_ns,
                         int64_t t_ns)
{
    now->limit_lowered |= before->limit_lowered;
    now->volts_ppm = smaller(now->volts_ppm, before->volts_ppm);
    now->peak_ppm = smaller(now->peak_ppm, before->peak_ppm);
    now->low_volts_since_ns = smaller(now->low_volts_since_ns, before->low_volts_since_ns);
    now->good_volts_since_ns =
        put_off(before->good_volts_since_ns, now->good_volts_since_ns, period_ns, t_ns);
    now->peak_good_since_ns = put_off(before->peak_good_since_ns, now->peak_good_since_ns, period_ns, t_ns);
}

static bool exposed_within_steady(const struct emergencies *e, const struct ledger *ledger, uint32_t node)
{
    const struct ledger_sums *sums = &ledger->node[node];
    for (uint32_t i = 0; i < e->model->contingency_count * PHASES; i++)
        if (sums->exposed_mva[i / PHASES][i % PHASES] > sums->steady_mva[i / PHASES][i % PHASES])
            return false;
    return true;
}

static void since(int64_t *since_ns, bool so, int64_t t_ns)
{
    *since_ns = !so ? NEVER_NS : *since_ns == NEVER_NS ? t_ns : *since_ns;
}

static bool lasts(int64_t since_ns, int64_t ns, int64_t t_ns)
{
    return since_ns != NEVER_NS && t_ns - since_ns >= ns;
}

/* It ends with calm; or, since a load may well stay between 0.9 and 1 of the limit, once leases have been
 * within the limit for ten times as long, with proof, and nothing that is measured speaks against it. */
static void note_calm(const struct emergencies *e, struct emergency *state, bool calm, bool covered,
                      int64_t t_ns)
{
    const struct model_policy *policy = &e->model->policy;
    since(&state->calm_since_ns, calm, t_ns);
    since(&state->covered_since_ns, covered, t_ns);
    if (lasts(state->calm_since_ns, policy->emergency_clear_ns, t_ns) ||
        lasts(state->covered_since_ns, COVERED_TIMES * policy->emergency_clear_ns, t_ns)) {
        state->active = false;
        state->raise_after_ns = t_ns + policy->raise_after_emergency_ns;
    }
}

/* What heat an emergency has left behind goes before anything below is raised (section 9). */
static void note_cooled(const struct emergencies *e, struct emergency *state, uint32_t meter)
{
    state->hot = state->hot && (state->active || !heat_cooled(e->heat, meter));
}

static int64_t slowest_actuation_ns(const struct model *model)
{
    int64_t actuation_ns = 0;
    for (uint32_t i = 0; i < model->type_count; i++)
        actuation_ns = larger(actuation_ns, model->type[i].actuation_ns);
    return actuation_ns;
}

int64_t emergency_stage_ns(const struct model *model)
{
    int64_t fresh_ns = 0;
    for (uint32_t i = 0; i < model->meter_count; i++)
        fresh_ns = larger(fresh_ns, model->meter[i].fresh_ns);
    return slowest_actuation_ns(model) + fresh_ns;
}

/* All to fail-safe, then the site's shed action: each once the stage before has had its time, A of the
 * slowest host type and one reading's age. */
static enum emergency_action next_stage(const struct emergencies *e, struct emergency *state,
                                        const struct reading *reading, int64_t t_ns)
{
    int64_t stage_ns = slowest_actuation_ns(e->model) + e->model->meter[reading->meter].fresh_ns;
    if (state->shed || t_ns - state->stage_ns < stage_ns)
        return EMERGENCY_NOTHING;
    state->stage_ns = t_ns;
    state->shed = state->fail_safe;
    state->fail_safe = true;
    return state->shed ? EMERGENCY_SHED : EMERGENCY_FAIL_SAFE;
}

enum emergency_action emergency_reading(struct emergencies *e, struct ledger *ledger,
                                        const struct reading *reading, uint32_t node, int64_t t_ns)
{
    const struct model_node *n = &e->model->node[node];
    struct emergency *state = &e->node[node];
    if (!n->limited)
        return EMERGENCY_NOTHING;
    int64_t trigger_ma = e->permits ? permit_trigger_ma(e->permits, node, t_ns) : n->steady_ma;
    struct load load = load_of(e, ledger, reading, node, trigger_ma);
    bool unsure = reading->flags & READING_UNSURE;
    const struct emergency before = *state;
    state->heard_ns = t_ns;
    if (is_dead(n, &load))
        state->low_volts_since_ns = state->good_volts_since_ns = NEVER_NS;
    else
        follow_voltage(e, node, load.low_mv, t_ns);
    follow_crest(e, node, &load, t_ns);
    if (unsure)
        keep_lowered(state, &before, e->model->meter[reading->meter].period_ns, t_ns);
    scale_below(e, ledger, node, state->volts_ppm < state->peak_ppm ? state->volts_ppm : state->peak_ppm);
    bool danger = load.above || load.disobeyed || load.peak || heat_trips_soon(e->heat, reading->meter);
    danger = danger || (unsure && heat_unsure_trips_soon(e->heat, reading));
    if (!state->active) {
        note_cooled(e, state, reading->meter);
        if (!danger)
            return EMERGENCY_NOTHING;
        state->active = true;
        state->fail_safe = state->shed = false;
        state->number = ++e->entered;
        state->stage_ns = t_ns;
        state->calm_since_ns = state->covered_since_ns = NEVER_NS;
        state->raise_after_ns = INT64_MAX;
        state->hot = heat_was_cool(e->heat, reading->meter);
        forbid(e, state);
        return EMERGENCY_CUT;
    }
    bool calm = load.current_ma < n->steady_ma / PPM * CALM_PPM + n->steady_ma % PPM * CALM_PPM / PPM;
    bool covered = load.current_ma <= n->steady_ma && exposed_within_steady(e, ledger, node);
    bool quiet = !danger && !unsure;
    note_calm(e, state, quiet && calm, quiet && covered, t_ns);
    note_cooled(e, state, reading->meter);
    return danger ? next_stage(e, state, reading, t_ns) : EMERGENCY_NOTHING;
}

uint32_t emergency_look(struct emergencies *e, const struct ledger *ledger, int64_t t_ns, uint32_t items)
{
    uint32_t count = e->model->node_count;
    for (uint32_t i = 0; i < items && i < count; i++) {
        uint32_t node = e->looked_at = e->looked_at + 1 < count ? e->looked_at + 1 : 0;
        struct emergency *state = &e->node[node];
        if (!node)
            begin_round(e);
        forbid(e, state);
        if (state->heard_ns == NEVER_NS || t_ns - state->heard_ns < NS_PER_S)
            continue;                   /* readings look after it */
        since(&state->covered_since_ns, exposed_within_steady(e, ledger, node), t_ns);
        if (!lasts(state->covered_since_ns, BLIND_NS, t_ns))
            continue;
        state->raise_after_ns = state->active ? t_ns + e->model->policy.raise_after_emergency_ns
                                              : state->raise_after_ns;
        state->active = state->hot = false;
        return node;
    }
    return INDEX_NONE;
}
