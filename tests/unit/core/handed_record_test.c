/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of a hand-over word by word (core/handed.h): every field that one controller gives arrives at the
 * next, and one figure that no controller can have leaves the record out. Branch A has a device with two
 * elements, of which one holds its travel below pickup.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "succession.h"

enum { ELEMENTS = 2, OF_A_METER = 63, HOLD_S = 60 };

static void build(struct stand *stand)
{
    stand_site(stand);
    struct breaker *breaker = &stand->node[BRANCH_A].breaker;
    breaker->element_count = ELEMENTS;
    breaker->element[0] = (struct breaker_element){
        .law = BREAKER_IMAGE, .role = ELEMENT_LONG_TIME, .pickup_ma = 183750, .heat_ns = 20 * NS_PER_S,
        .heat_fast_ns = 20 * NS_PER_S, .fast_above_ma = INT64_MAX, .cool_ns = 25 * NS_PER_S};
    breaker->element[1] = breaker->element[0];
    breaker->element[1].reset = RESET_HOLD;
    breaker->element[1].reset_ns = NS_PER_S;
    stand->node[BRANCH_A].lend = 1;
    stand->model.policy.hold_least_ns = NS_PER_S;
    stand->model.policy.hold_most_ns = HOLD_S * NS_PER_S;
    stand->model.policy.feed_stable_ns = NS_PER_S;
}

static void open_stand(struct stand *stand)
{
    build(stand);
    stand_start(stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
    stand_reading(stand, BRANCH_A, 3000000);
    stand_wait(stand, NS_PER_S);
}

/* What the next controller makes of it. */
static void take(struct stand *stand, const struct succession *left)
{
    succession_restart(stand);
    succession_accounts(stand, left->account);
    succession_records(stand, left);
}

static void a_record_is_as_long_as_what_its_meter_has(void **state)
{
    (void)state;
    struct stand stand;
    struct succession left;
    open_stand(&stand);
    succession_of(&stand, &left);
    /* three parts an element; three times below pickup where it holds */
    assert_int_equal(left.words[MAIN], OF_A_METER);
    assert_int_equal(left.words[BRANCH_A], left.words[MAIN] + 3 * PHASES);
    assert_int_equal(left.words[STAND_METERS], 3 * CONTINGENCIES_MAX + 1);
    stand_stop(&stand);
}

/* ---- all that is given arrives ---- */

/* Figures that a controller can have, no two alike. */
static void fill(int64_t *const field[], uint32_t count, int64_t from)
{
    for (uint32_t i = 0; i < count; i++)
        *field[i] = from + (int64_t)i;
}

static void fill_emergency(struct emergency *e)
{
    int64_t *const times[] = {&e->stage_ns, &e->calm_since_ns, &e->raise_after_ns, &e->low_volts_since_ns,
                              &e->good_volts_since_ns, &e->peak_good_since_ns, &e->peak_for_ns, &e->heard_ns,
                              &e->covered_since_ns};
    fill(times, sizeof times / sizeof *times, 1000);
    e->scale_ppm = 810000;
    e->volts_ppm = 820000;
    e->peak_ppm = 830000;
}

static void fill_pool(struct pool *p)
{
    int64_t *const fields[] = {&p->credit_va_ns, &p->measured_t_ns, &p->measured_mva[0], &p->measured_mva[1],
                               &p->measured_mva[2], &p->capacity_mva, &p->seen_mva, &p->trimmed_ns,
                               &p->low_since_ns, &p->before_mva[0], &p->before_mva[1], &p->peak_mva[0],
                               &p->peak_mva[1], &p->peak_since_ns};
    fill(fields, sizeof fields / sizeof *fields, 2000);
}

static void emergencies_alike(const struct emergency *a, const struct emergency *b)
{
    assert_int_equal(a->fail_safe, b->fail_safe);
    assert_int_equal(a->hot, b->hot);
    assert_int_equal(a->shed, b->shed);
    assert_int_equal(a->limit_lowered, b->limit_lowered);
    assert_int_equal(a->stage_ns, b->stage_ns);
    assert_int_equal(a->calm_since_ns, b->calm_since_ns);
    assert_int_equal(a->raise_after_ns, b->raise_after_ns);
    assert_int_equal(a->low_volts_since_ns, b->low_volts_since_ns);
    assert_int_equal(a->good_volts_since_ns, b->good_volts_since_ns);
    assert_int_equal(a->scale_ppm, b->scale_ppm);
    assert_int_equal(a->volts_ppm, b->volts_ppm);
    assert_int_equal(a->peak_ppm, b->peak_ppm);
    assert_int_equal(a->peak_good_since_ns, b->peak_good_since_ns);
    assert_int_equal(a->peak_for_ns, b->peak_for_ns);
    assert_int_equal(a->heard_ns, b->heard_ns);
    assert_int_equal(a->covered_since_ns, b->covered_since_ns);
}

static void what_an_emergency_left_arrives(void **state)
{
    (void)state;
    for (uint32_t set = 0; set < 4; set++) {        /* one flag at a time, so that none stands for another */
        struct stand stand;
        struct succession left;
        open_stand(&stand);
        struct emergency *e = &stand.core->emergencies.node[BRANCH_A];
        fill_emergency(e);
        e->fail_safe = set == 0;
        e->hot = set == 1;
        e->limit_lowered = set == 2;
        e->shed = set == 3;
        struct emergency had = *e;
        succession_of(&stand, &left);
        take(&stand, &left);
        emergencies_alike(&stand.core->emergencies.node[BRANCH_A], &had);
        assert_int_equal(stand_counters(&stand)->handed_meters, STAND_METERS);
        stand_stop(&stand);
    }
}

/* Its stages were told to nobody: who sends leases begins with the first, and sheds nothing yet. */
static void stages_that_were_reached_without_a_lease_do_not_arrive(void **state)
{
    (void)state;
    for (uint32_t mode = MODE_OFF; mode <= MODE_ENFORCE; mode++) {
        struct stand stand;
        struct succession left;
        open_stand(&stand);
        assert_int_equal(stand_order(&stand, (struct slot_order){.kind = ORDER_MODE, .mode = (uint8_t)mode}),
                         ORDER_TAKEN);
        struct emergency *e = &stand.core->emergencies.node[BRANCH_A];
        fill_emergency(e);
        e->active = e->fail_safe = e->shed = true;
        int64_t left_ns = stand.core->t_ns;
        succession_of(&stand, &left);
        take(&stand, &left);
        e = &stand.core->emergencies.node[BRANCH_A];
        assert_true(e->active);
        assert_int_equal(e->fail_safe, mode == MODE_ENFORCE);
        assert_int_equal(e->shed, mode == MODE_ENFORCE);
        assert_int_equal(e->stage_ns, mode == MODE_ENFORCE ? 1000 : left_ns);
        stand_stop(&stand);
    }
}

static void what_a_pool_has_measured_arrives(void **state)
{
    (void)state;
    for (uint32_t set = 0; set < 2; set++) {
        struct stand stand;
        struct succession left;
        open_stand(&stand);
        struct pool *p = &stand.core->pools.node[BRANCH_A];
        fill_pool(p);
        p->spent = set == 0;
        p->trims = set == 1;
        struct pool had = *p;
        succession_of(&stand, &left);
        take(&stand, &left);
        p = &stand.core->pools.node[BRANCH_A];
        assert_int_equal(p->spent, had.spent);
        assert_int_equal(p->trims, had.trims);
        assert_int_equal(p->credit_va_ns, had.credit_va_ns);
        assert_int_equal(p->measured_t_ns, had.measured_t_ns);
        assert_memory_equal(p->measured_mva, had.measured_mva, sizeof p->measured_mva);
        assert_int_equal(p->capacity_mva, had.capacity_mva);
        assert_int_equal(p->seen_mva, had.seen_mva);
        assert_int_equal(p->trimmed_ns, had.trimmed_ns);
        assert_int_equal(p->low_since_ns, had.low_since_ns);
        assert_memory_equal(p->before_mva, had.before_mva, sizeof p->before_mva);
        assert_memory_equal(p->peak_mva, had.peak_mva, sizeof p->peak_mva);
        assert_int_equal(p->peak_since_ns, had.peak_since_ns);
        stand_stop(&stand);
    }
}

static void what_holds_raises_arrives_by_cause(void **state)
{
    (void)state;
    for (uint32_t set = 0; set < 2 * HOLD_CAUSES; set++) {
        struct stand stand;
        struct succession left;
        open_stand(&stand);
        struct hold *hold = &stand.core->holds.node[BRANCH_A];
        for (uint32_t cause = 0; cause < HOLD_CAUSES; cause++)
            hold->of[cause] = (struct hold_wait){.on = set == 2 * cause, .hot = set == 2 * cause + 1,
                                                 .for_ns = 5 + cause, .until_ns = NS_PER_S + cause};
        struct hold had = *hold;
        succession_of(&stand, &left);
        take(&stand, &left);
        hold = &stand.core->holds.node[BRANCH_A];
        for (uint32_t cause = 0; cause < HOLD_CAUSES; cause++) {
            assert_int_equal(hold->of[cause].on, had.of[cause].on);
            assert_int_equal(hold->of[cause].hot, had.of[cause].hot);
            assert_int_equal(hold->of[cause].for_ns, had.of[cause].for_ns);
            assert_int_equal(hold->of[cause].until_ns, had.of[cause].until_ns);
        }
        stand_stop(&stand);
    }
}

static void what_the_heat_stands_on_arrives(void **state)
{
    (void)state;
    for (uint32_t cool = 0; cool < 2; cool++) {
        struct stand stand;
        struct succession left;
        open_stand(&stand);
        struct heat_node *h = &stand.core->heat.meter[BRANCH_A];
        h->was_cool = cool;
        h->newest = (struct breaker_load){.current_ma = {11, 12, 13}, .crest_milli = 1500};
        h->most = (struct breaker_load){.current_ma = {21, 22, 23}, .crest_milli = 1600};
        h->volts_mv = 99000;
        h->stepped_ns = 31;
        h->clear_ns = 32;
        h->late_ns = 33;
        for (uint32_t i = 0; i < ELEMENTS * PHASES; i++) {
            h->state.part[i / PHASES][i % PHASES] = 1000 + i;
            h->state.below_ns[i / PHASES][i % PHASES] = i < PHASES ? 0 : 2000 + i;
        }
        struct heat_node had = *h;
        succession_of(&stand, &left);
        take(&stand, &left);
        h = &stand.core->heat.meter[BRANCH_A];
        assert_int_equal(h->was_cool, cool);
        assert_memory_equal(h->newest.current_ma, had.newest.current_ma, sizeof h->newest.current_ma);
        assert_memory_equal(h->most.current_ma, had.most.current_ma, sizeof h->most.current_ma);
        assert_true(h->newest.crest_milli == 1500 && h->most.crest_milli == 1600);
        assert_true(h->volts_mv == 99000 && h->stepped_ns == 31 && h->clear_ns == 32 && h->late_ns == 33);
        for (uint32_t e = 0; e < ELEMENTS; e++)
            assert_memory_equal(h->state.part[e], had.state.part[e], sizeof h->state.part[e]);
        assert_memory_equal(h->state.below_ns[1], had.state.below_ns[1], sizeof h->state.below_ns[1]);
        stand_stop(&stand);
    }
}

static void what_a_permit_has_gathered_arrives(void **state)
{
    (void)state;
    for (uint32_t lost = 0; lost < 2; lost++) {
        struct stand stand;
        struct succession left;
        open_stand(&stand);
        struct permit_node *p = &stand.core->permits.meter[BRANCH_A];
        p->lost = lost;
        p->permit = PERMIT_FROZEN;
        for (uint32_t i = 0; i < 2 * PHASES; i++)
            p->last[i] = 100 + i;
        int64_t *const times[] = {&p->until_ns,   &p->wound_up_ns, &p->survives_ns,
                                  &p->weighed_ns, &p->low_ns,      &p->alone_ns};
        fill(times, sizeof times / sizeof *times, 3000);
        struct permit_node had = *p;
        succession_of(&stand, &left);
        take(&stand, &left);
        p = &stand.core->permits.meter[BRANCH_A];
        assert_int_equal(p->lost, lost);
        assert_int_equal(p->permit, PERMIT_FROZEN);
        assert_memory_equal(p->last, had.last, sizeof p->last);
        assert_true(p->until_ns == had.until_ns && p->wound_up_ns == had.wound_up_ns);
        assert_true(p->survives_ns == had.survives_ns && p->weighed_ns == had.weighed_ns);
        assert_true(p->low_ns == had.low_ns && p->alone_ns == had.alone_ns);
        stand_stop(&stand);
    }
}

/* ---- what no controller can have ---- */

struct figure {
    int64_t *value, good, bad;
};

static uint32_t times_of(struct core *core, int64_t t_ns, struct figure *figure)
{
    struct heat_node *h = &core->heat.meter[BRANCH_A];
    struct permit_node *p = &core->permits.meter[BRANCH_A];
    int64_t *const since_0[] = {&h->stepped_ns, &h->clear_ns, &p->weighed_ns,
                                &core->emergencies.node[BRANCH_A].stage_ns,
                                &core->pools.node[BRANCH_A].measured_t_ns,
                                &core->pools.node[BRANCH_A].trimmed_ns};
    uint32_t count = 0;
    for (uint32_t i = 0; i < sizeof since_0 / sizeof *since_0; i++) {
        figure[count++] = (struct figure){since_0[i], 0, -1};
        figure[count++] = (struct figure){since_0[i], t_ns, t_ns + 1};
    }
    figure[count++] = (struct figure){&p->survives_ns, t_ns, t_ns + 1};
    figure[count++] = (struct figure){&p->low_ns, 0, -1};
    figure[count++] = (struct figure){&p->alone_ns, 0, -1};
    figure[count++] = (struct figure){&h->volts_mv, 0, -1};
    figure[count++] = (struct figure){&h->late_ns, 0, -1};
    figure[count++] = (struct figure){&h->late_ns, h->hold_ns, h->hold_ns + 1};
    return count;
}

static uint32_t sizes_of(struct core *core, struct figure *figure)
{
    struct heat_node *h = &core->heat.meter[BRANCH_A];
    struct emergency *e = &core->emergencies.node[BRANCH_A];
    int64_t *const scale[] = {&e->scale_ppm, &e->volts_ppm, &e->peak_ppm};
    uint32_t count = 0;
    for (uint32_t p = 0; p < PHASES; p++) {
        int64_t *const amount[] = {&h->newest.current_ma[p], &h->most.current_ma[p],
                                   &core->ledger.node[BRANCH_A].highest_mva[p]};
        for (uint32_t i = 0; i < 3; i++) {
            figure[count++] = (struct figure){amount[i], 0, -1};
            figure[count++] = (struct figure){amount[i], INT64_MAX / 4, INT64_MAX / 4 + 1};
        }
        for (uint32_t element = 0; element < ELEMENTS; element++) {
            figure[count++] = (struct figure){&h->state.part[element][p], 0, -1};
            figure[count++] = (struct figure){&h->state.part[element][p], HEAT_ONE, HEAT_ONE + 1};
        }
        figure[count++] = (struct figure){&h->state.below_ns[1][p], 0, -1};
    }
    for (uint32_t i = 0; i < 3; i++) {
        figure[count++] = (struct figure){scale[i], 0, -1};
        figure[count++] = (struct figure){scale[i], PPM, PPM + 1};
    }
    for (uint32_t cause = 0; cause < HOLD_CAUSES; cause++) {
        int64_t *for_ns = &core->holds.node[BRANCH_A].of[cause].for_ns;
        figure[count++] = (struct figure){for_ns, 0, -1};
        figure[count++] = (struct figure){for_ns, HOLD_S * NS_PER_S, HOLD_S * NS_PER_S + 1};
    }
    return count;
}

/* The record with this figure in it. */
static void give(struct stand *stand, const struct figure *figure, int64_t value, struct succession *left)
{
    int64_t had = *figure->value;
    *figure->value = value;
    left->words[BRANCH_A] = core_handed(stand->core, BRANCH_A, left->word[BRANCH_A]);
    *figure->value = had;
}

enum { FIGURES_MAX = 100 };

/* Each at its edge is taken, one beyond is not, and then nothing of its meter is. */
static void one_figure_beyond_its_edge_leaves_the_record_out(void **state)
{
    (void)state;
    static struct succession good[FIGURES_MAX], bad[FIGURES_MAX];
    struct stand stand;
    struct figure figure[FIGURES_MAX];
    open_stand(&stand);
    stand.core->permits.meter[BRANCH_A].survives_ns = 0;
    uint32_t count = times_of(stand.core, stand.t_ns, figure);
    count += sizes_of(stand.core, &figure[count]);
    assert_true(count <= FIGURES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        succession_of(&stand, &good[i]);
        bad[i] = good[i];
        give(&stand, &figure[i], figure[i].good, &good[i]);
        give(&stand, &figure[i], figure[i].bad, &bad[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        take(&stand, &good[i]);
        assert_int_equal(stand_counters(&stand)->handed_meters, STAND_METERS);
        assert_true(stand.core->heat.meter[BRANCH_A].started);
        take(&stand, &bad[i]);
        assert_int_equal(stand_counters(&stand)->handed_meters, STAND_METERS - 1);
        assert_false(stand.core->heat.meter[BRANCH_A].started);
    }
    stand_stop(&stand);
}

static void a_permit_of_no_kind_leaves_the_record_out(void **state)
{
    (void)state;
    for (uint32_t beyond = 0; beyond < 2; beyond++) {
        struct stand stand;
        struct succession left;
        open_stand(&stand);
        stand.core->permits.meter[BRANCH_A].permit = (uint8_t)(PERMIT_COUNT - 1 + beyond);
        succession_of(&stand, &left);
        take(&stand, &left);
        assert_int_equal(stand_counters(&stand)->handed_meters, STAND_METERS - beyond);
        stand_stop(&stand);
    }
}

/* Crests below nought, of either load. */
static void a_crest_below_nought_leaves_the_record_out(void **state)
{
    (void)state;
    for (uint32_t which = 0; which < 3; which++) {
        struct stand stand;
        struct succession left;
        open_stand(&stand);
        struct heat_node *h = &stand.core->heat.meter[BRANCH_A];
        h->newest.crest_milli = which == 1 ? -1 : 0;
        h->most.crest_milli = which == 2 ? -1 : 0;
        succession_of(&stand, &left);
        take(&stand, &left);
        assert_int_equal(stand_counters(&stand)->handed_meters, STAND_METERS - (which > 0));
        stand_stop(&stand);
    }
}

/* ---- pieces ---- */

static void piece(struct stand *stand, uint32_t record, uint32_t first, uint32_t count, uint32_t words)
{
    struct slot slot;
    memset(&slot, 0, sizeof slot);
    slot.kind = SLOT_HANDED;
    slot.handed.record = record;
    slot.handed.first = (uint8_t)first;
    slot.handed.count = (uint8_t)count;
    slot.handed.words = (uint8_t)words;
    stand_step(stand, &slot);
}

/* More than the record has, more than a piece holds, out of order, of another record: put together no
 * further. */
static void a_piece_that_does_not_fit_is_left_out(void **state)
{
    (void)state;
    static const struct {
        uint32_t record, first, count, words, have;
    } of[] = {{BRANCH_A, 4, 4, 60, 8},
              {BRANCH_A, 4, 4, 7, 4},
              {BRANCH_A, 4, HANDED_PIECE_WORDS, 60, 4 + HANDED_PIECE_WORDS},
              {BRANCH_A, 4, HANDED_PIECE_WORDS + 1, 60, 4},
              {BRANCH_A, 5, 4, 60, 4},
              {BRANCH_A, 3, 4, 60, 4},
              {BRANCH_B, 4, 4, 60, 4},
              {STAND_METERS + 1, 4, 4, 60, 4},
              {BRANCH_A, 4, 4, HANDED_WORDS_MAX, 8},
              {BRANCH_A, 4, 4, HANDED_WORDS_MAX + 1, 4}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct stand stand;
        struct succession left;
        open_stand(&stand);
        succession_of(&stand, &left);
        succession_restart(&stand);
        succession_accounts(&stand, left.account);
        piece(&stand, BRANCH_A, 0, 4, 60);
        assert_int_equal(stand.core->handed.have, 4);
        piece(&stand, of[i].record, of[i].first, of[i].count, of[i].words);
        assert_int_equal(stand.core->handed.have, of[i].have);
        stand_stop(&stand);
    }
}

/* ---- feeds ---- */

static void open_feeds(struct stand *stand)
{
    build(stand);
    stand->model.contingency_count = 2;
    stand->model.contingency[1] = (struct model_contingency){
        .name = "A", .kind = CONTINGENCY_LOSS, .lasting = 1, .lost_node = BRANCH_B, .witness = BRANCH_B};
    for (uint32_t n = 0; n < STAND_NODES; n++)
        for (uint32_t p = 0; p < PHASES; p++)
            stand->node[n].limit_mva[1][p] = stand->node[n].limit_mva[0][p];
    stand->node[BRANCH_A].lend = 3;
    stand_start(stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
    stand_reading(stand, BRANCH_B, 3000000);
    stand_wait(stand, NS_PER_S);
}

static void what_is_known_of_a_feed_arrives_or_nothing_of_it(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 5; i++) {
        struct stand stand;
        struct succession left;
        open_feeds(&stand);
        struct permit_feed *feed = &stand.core->permits.feed[1];
        feed->lost = true;
        feed->bad = 1;
        feed->gone = true;
        feed->good_ns = i == 1 ? stand.t_ns + 1 : stand.t_ns;
        feed->turned_ns = i == 2 ? stand.t_ns + 1 : i == 3 ? -1 : stand.t_ns;
        succession_of(&stand, &left);
        left.words[STAND_METERS] -= i == 4;
        take(&stand, &left);
        assert_int_equal(stand.core->permits.feed[1].lost, i == 0);
        stand_stop(&stand);
    }
}

/* So that whoever keeps records writes the one of feeds anew. */
static void turns_of_feeds_are_told(void **state)
{
    (void)state;
    struct stand stand;
    open_feeds(&stand);
    stand.core->permits.feed_turns = 41;
    assert_int_equal(core_feed_turns(stand.core), 41);
    stand_stop(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_as_long_as_what_its_meter_has),
        cmocka_unit_test(what_an_emergency_left_arrives),
        cmocka_unit_test(stages_that_were_reached_without_a_lease_do_not_arrive),
        cmocka_unit_test(what_a_pool_has_measured_arrives),
        cmocka_unit_test(what_holds_raises_arrives_by_cause),
        cmocka_unit_test(what_the_heat_stands_on_arrives),
        cmocka_unit_test(what_a_permit_has_gathered_arrives),
        cmocka_unit_test(one_figure_beyond_its_edge_leaves_the_record_out),
        cmocka_unit_test(a_permit_of_no_kind_leaves_the_record_out),
        cmocka_unit_test(a_crest_below_nought_leaves_the_record_out),
        cmocka_unit_test(a_piece_that_does_not_fit_is_left_out),
        cmocka_unit_test(what_is_known_of_a_feed_arrives_or_nothing_of_it),
        cmocka_unit_test(turns_of_feeds_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
