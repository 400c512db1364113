/* SPDX-License-Identifier: Apache-2.0 */
/* Each record is told by one walk over its fields, which either reads or writes the words: what is given and
 * what is taken cannot differ. */
#include "core/handed.h"

#include "core/compare.h"
#include "core/core.h"
#include "core/sums.h"

static_assert(BREAKER_ELEMENTS_MAX * PHASES * 2 + 66 <= HANDED_WORDS_MAX, "a record holds every element");
static_assert(3 * CONTINGENCIES_MAX + 1 <= HANDED_WORDS_MAX, "and one all feeds");

struct walk {
    int64_t *word;              /* [0] is the flags */
    uint32_t at, bit;
    bool takes;
};

/* What belongs to a meter, as it stands in the core or is about to. */
struct of_meter {
    struct heat_node *heat;
    struct permit_node *permit;
    struct hold *hold;
    struct emergency *emergency;
    struct pool *pool;
    int64_t *highest_mva;
    int64_t *learnt_mva;
};

static void field(struct walk *walk, int64_t *value)
{
    if (walk->takes)
        *value = walk->word[walk->at];
    else
        walk->word[walk->at] = *value;
    walk->at++;
}

static void fields(struct walk *walk, int64_t *value, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        field(walk, &value[i]);
}

static void flag(struct walk *walk, bool *value)
{
    if (walk->takes)
        *value = walk->word[0] >> walk->bit & 1;
    else
        walk->word[0] |= (int64_t)*value << walk->bit;
    walk->bit++;
}

static void byte(struct walk *walk, uint8_t *value)
{
    int64_t word = *value;
    field(walk, &word);
    *value = (uint8_t)word;
}

static void load(struct walk *walk, struct breaker_load *value)
{
    int64_t crest_milli = value->crest_milli;
    fields(walk, value->current_ma, PHASES);
    field(walk, &crest_milli);
    value->crest_milli = (int32_t)crest_milli;
}

static struct walk begin(int64_t *word, bool takes)
{
    if (!takes)
        word[0] = 0;
    return (struct walk){.word = word, .at = 1, .takes = takes};
}

/* ---- the fields ---- */

static void walk_heat(struct walk *walk, struct heat_node *heat, const struct breaker *breaker)
{
    flag(walk, &heat->started);
    flag(walk, &heat->was_cool);
    load(walk, &heat->newest);
    load(walk, &heat->most);
    field(walk, &heat->volts_mv);
    field(walk, &heat->stepped_ns);
    field(walk, &heat->clear_ns);
    field(walk, &heat->late_ns);
    for (uint32_t e = 0; e < breaker->element_count; e++) {
        fields(walk, heat->state.part[e], PHASES);
        if (breaker->element[e].reset == RESET_HOLD)
            fields(walk, heat->state.below_ns[e], PHASES);
    }
}

static void walk_permit(struct walk *walk, struct permit_node *permit)
{
    flag(walk, &permit->lost);
    byte(walk, &permit->permit);
    byte(walk, &permit->lent.contingencies);
    field(walk, &permit->until_ns);
    fields(walk, permit->last, 2 * PHASES);
    field(walk, &permit->wound_up_ns);
    field(walk, &permit->survives_ns);
    field(walk, &permit->weighed_ns);
    field(walk, &permit->low_ns);
    field(walk, &permit->alone_ns);
}

static void walk_hold(struct walk *walk, struct hold *hold)
{
    for (uint32_t cause = 0; cause < HOLD_CAUSES; cause++) {
        flag(walk, &hold->of[cause].on);
        flag(walk, &hold->of[cause].hot);
        field(walk, &hold->of[cause].for_ns);
        field(walk, &hold->of[cause].until_ns);
    }
}

static void walk_emergency(struct walk *walk, struct emergency *emergency)
{
    flag(walk, &emergency->active);
    flag(walk, &emergency->fail_safe);
    flag(walk, &emergency->hot);
    flag(walk, &emergency->limit_lowered);
    field(walk, &emergency->stage_ns);
    field(walk, &emergency->calm_since_ns);
    field(walk, &emergency->raise_after_ns);
    field(walk, &emergency->low_volts_since_ns);
    field(walk, &emergency->good_volts_since_ns);
    field(walk, &emergency->scale_ppm);
    field(walk, &emergency->volts_ppm);
    field(walk, &emergency->peak_ppm);
    field(walk, &emergency->peak_good_since_ns);
    field(walk, &emergency->peak_for_ns);
    field(walk, &emergency->heard_ns);
    field(walk, &emergency->covered_since_ns);
}

static void walk_pool(struct walk *walk, struct pool *pool)
{
    flag(walk, &pool->spent);
    flag(walk, &pool->trims);
    field(walk, &pool->credit_va_ns);
    field(walk, &pool->measured_t_ns);
    fields(walk, pool->measured_mva, PHASES);
    field(walk, &pool->capacity_mva);
    field(walk, &pool->seen_mva);
    field(walk, &pool->trimmed_ns);
    field(walk, &pool->low_since_ns);
    fields(walk, pool->before_mva, 2);
    fields(walk, pool->peak_mva, 2);
    field(walk, &pool->peak_since_ns);
}

static uint32_t walk_meter(struct walk *walk, const struct of_meter *of, const struct breaker *breaker)
{
    walk_heat(walk, of->heat, breaker);
    fields(walk, of->highest_mva, PHASES);
    fields(walk, of->learnt_mva, PHASES);
    walk_permit(walk, of->permit);
    walk_hold(walk, of->hold);
    walk_emergency(walk, of->emergency);
    walk_pool(walk, of->pool);
    flag(walk, &of->emergency->shed);   /* last: records of before its time have no bit for it */
    return walk->at;
}

static uint32_t walk_feeds(struct walk *walk, struct permit_feed feed[CONTINGENCIES_MAX])
{
    for (uint32_t c = 0; c < CONTINGENCIES_MAX; c++) {
        flag(walk, &feed[c].lost);
        byte(walk, &feed[c].bad);
        field(walk, &feed[c].good_ns);
        flag(walk, &feed[c].gone);
        field(walk, &feed[c].turned_ns);
    }
    return walk->at;
}

/* ---- given ---- */

uint32_t core_handed(struct core *core, uint32_t record, int64_t word[HANDED_WORDS_MAX])
{
    struct walk walk = begin(word, false);
    if (record >= core->model->meter_count)
        return walk_feeds(&walk, core->permits.feed);
    uint32_t node = core->model->meter[record].node;
    struct emergency emergency = core->emergencies.node[node];
    if (!core->ledger.enforcing)    /* nothing was sent that hosts could have obeyed */
        emergency_begin_anew(&emergency, core->t_ns);
    struct of_meter of = {&core->heat.meter[record],      &core->permits.meter[record],
                          &core->holds.node[node],        &emergency,
                          &core->pools.node[node],        core->ledger.node[node].highest_mva,
                          core->residual.meter[record].learnt_mva};
    return walk_meter(&walk, &of, &core->model->node[node].breaker);
}

uint64_t core_feed_turns(const struct core *core)
{
    return core->permits.feed_turns;
}

/* ---- taken ---- */

static bool is_within(int64_t value, int64_t least, int64_t most)
{
    return value >= least && value <= most;
}

static bool is_sound_load(const struct breaker_load *load)
{
    bool sound = load->crest_milli >= 0;
    for (uint32_t phase = 0; phase < PHASES; phase++)
        sound &= is_within(load->current_ma[phase], 0, INT64_MAX / 4);
    return sound;
}

static bool are_sound_mva(const int64_t value_mva[PHASES])
{
    bool sound = true;
    for (uint32_t phase = 0; phase < PHASES; phase++)
        sound &= is_within(value_mva[phase], 0, INT64_MAX / 4);
    return sound;
}

static bool is_sound_heat(const struct heat_node *heat, const int64_t highest_mva[PHASES],
                          const struct breaker *breaker, int64_t t_ns)
{
    bool sound = is_sound_load(&heat->newest) && is_sound_load(&heat->most) && heat->volts_mv >= 0 &&
                 is_within(heat->stepped_ns, 0, t_ns) && is_within(heat->clear_ns, 0, t_ns) &&
                 is_within(heat->late_ns, 0, heat->hold_ns);
    for (uint32_t i = 0; i < breaker->element_count * PHASES; i++) {
        sound &= is_within(heat->state.part[i / PHASES][i % PHASES], 0, HEAT_ONE);
        sound &= heat->state.below_ns[i / PHASES][i % PHASES] >= 0;
    }
    return sound && are_sound_mva(highest_mva);
}

static bool is_sound_rest(const struct of_meter *of, const struct model_policy *policy, int64_t t_ns)
{
    const struct permit_node *permit = of->permit;
    const struct emergency *emergency = of->emergency;
    int64_t hold_most_ns = larger(policy->hold_most_ns, policy->hold_least_ns);
    return permit->permit < PERMIT_COUNT && is_within(permit->weighed_ns, 0, t_ns) &&
           are_sound_mva(of->learnt_mva) &&
           permit->low_ns >= 0 && permit->alone_ns >= 0 && permit->survives_ns <= t_ns &&
           is_within(of->hold->of[HOLD_EMERGENCY].for_ns, 0, hold_most_ns) &&
           is_within(of->hold->of[HOLD_PERMIT].for_ns, 0, hold_most_ns) &&
           is_within(emergency->scale_ppm, 0, PPM) && is_within(emergency->volts_ppm, 0, PPM) &&
           is_within(emergency->peak_ppm, 0, PPM) && is_within(emergency->stage_ns, 0, t_ns) &&
           is_within(of->pool->measured_t_ns, 0, t_ns) && is_within(of->pool->trimmed_ns, 0, t_ns);
}

/* Everything or nothing: into copies first. */
static void take_meter(struct core *core, uint32_t meter, int64_t *word, uint32_t words)
{
    uint32_t node = core->model->meter[meter].node;
    const struct breaker *breaker = &core->model->node[node].breaker;
    struct heat_node heat = core->heat.meter[meter];
    struct permit_node permit = core->permits.meter[meter];
    struct hold hold = core->holds.node[node];
    struct emergency emergency = core->emergencies.node[node];
    struct pool pool = core->pools.node[node];
    int64_t highest_mva[PHASES], learnt_mva[PHASES];
    struct of_meter of = {&heat, &permit, &hold, &emergency, &pool, highest_mva, learnt_mva};
    struct walk walk = begin(word, true);
    if (walk_meter(&walk, &of, breaker) != words || !heat.started == heat.known ||
        !is_sound_heat(&heat, highest_mva, breaker, core->t_ns) ||
        !is_sound_rest(&of, &core->model->policy, core->t_ns))
        return;
    core->heat.meter[meter] = heat;
    emergency_hand(&core->emergencies, &core->ledger, node, &emergency);
    core->pools.node[node] = pool;
    sums_hand_highest(&core->ledger, node, highest_mva);
    hold_hand(&core->holds, node, &hold);
    permit_hand(&core->permits, meter, &permit, core->t_ns);
    residual_hand(&core->residual, meter, learnt_mva, core->t_ns);
    core->count.handed_meters++;
}

static void take_feeds(struct core *core, int64_t *word, uint32_t words)
{
    struct permit_feed feed[CONTINGENCIES_MAX] = {0};
    struct walk walk = begin(word, true);
    if (walk_feeds(&walk, feed) != words)
        return;
    for (uint32_t c = 0; c < CONTINGENCIES_MAX; c++)
        if (feed[c].good_ns > core->t_ns || !is_within(feed[c].turned_ns, 0, core->t_ns))
            return;
    permit_hand_feeds(&core->permits, feed, core->t_ns);
}

void handed_slot(struct core *core, const struct slot_handed *piece)
{
    struct handed_record *record = &core->handed;
    if (!account_may_hand(&core->accounts) || piece->record > core->model->meter_count ||
        piece->words > HANDED_WORDS_MAX || piece->count > HANDED_PIECE_WORDS ||
        piece->first + piece->count > piece->words)
        return;
    if (piece->first == 0)
        *record = (struct handed_record){.record = piece->record};
    if (piece->record != record->record || piece->first != record->have)
        return;
    for (uint32_t i = 0; i < piece->count; i++)
        record->word[record->have++] = piece->word[i];
    if (record->have != piece->words)
        return;
    if (record->record == core->model->meter_count)
        take_feeds(core, record->word, record->have);
    else
        take_meter(core, record->record, record->word, record->have);
    record->have = HANDED_WORDS_MAX + 1;    /* nothing more of it */
    sums_forget_fallen(&core->ledger);
}
