/* SPDX-License-Identifier: Apache-2.0 */
/* Every term that may hold a cap down is reached by inputs alone: a word of "flyball why" that nothing
 * ever says would be a promise. Each scene brings about its own; the last test has seen them all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "core/sums.h"
#include "stand.h"

#define KW INT64_C(1000000)
#define STEP_NS (20 * NS_PER_MS)

static uint32_t seen;           /* bit t: some host's newest lease was held by term t */

static bool saw(enum bound_term term)
{
    return seen >> term & 1;
}

static void look(const struct stand *stand)
{
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        if (stand->core->bound[h].why)
            seen |= 1u << stand->core->bound[h].term;
}

static void live(struct stand *stand, int64_t ns)
{
    for (int64_t end_ns = stand->t_ns + ns; stand->t_ns < end_ns; look(stand))
        stand_run(stand, STEP_NS);
}

static void want(struct stand *stand, uint32_t host, int64_t draw_mw)
{
    stand->host[host].draw_mw = draw_mw;
    stand->host[host].flags = draw_mw >= CAP_MAX_MW ? REPORT_AT_CAP : 0;
}

static void open_all(struct stand *stand)
{
    stand_start(stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        stand_admit(stand, h);
        look(stand);
    }
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        want(stand, h, CAP_MAX_MW);
}

static void order(struct stand *stand, struct slot_order order)
{
    assert_int_equal(stand_order(stand, order), ORDER_TAKEN);
    look(stand);
}

/* A branch that all want to fill; one of lower tier gets what is left; a job's host elsewhere waits for
 * it. */
static void what_arbitration_binds(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand.host_model[1].tier = 1;
    stand.model.gang_count = 1;
    stand.host_model[0].gang = stand.host_model[2].gang = 0;
    stand.host_model[1].gang = stand.host_model[3].gang = 1;
    for (uint32_t p = 0; p < PHASES; p++) {
        stand.node[BRANCH_A].limit_mva[0][p] = 8 * KW;
        stand.node[BRANCH_B].limit_mva[0][p] = 40 * KW;
    }
    open_all(&stand);
    assert_true(saw(BOUND_CLAIM));
    live(&stand, 3 * NS_PER_S);
    assert_true(saw(BOUND_SHARE) && saw(BOUND_TIER) && saw(BOUND_GANG) && saw(BOUND_CEILING));
    want(&stand, 3, KW);        /* room for all, and nothing it could do with it */
    live(&stand, 2 * NS_PER_S);
    assert_true(saw(BOUND_NOTHING));
    want(&stand, 1, KW);
    live(&stand, 2 * NS_PER_S);
    assert_true(saw(BOUND_DEMAND));
    stand_stop(&stand);
}

/* A limit that falls; and what one host gives up is another's only when a report has shown it. */
static void what_the_sums_bind(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    open_all(&stand);
    live(&stand, 3 * NS_PER_S);
    sums_scale_limit(&stand.core->ledger, BRANCH_B, 800000);    /* as a sag does */
    live(&stand, STEP_NS);
    assert_true(saw(BOUND_STEADY));
    want(&stand, 0, KW);
    stand.host[0].mute = true;
    live(&stand, NS_PER_S / 2);
    stand.core->cluster.target_mw[1] = CAP_MAX_MW;  /* more than there is: the guard is the judge */
    stand_obey(&stand, 1);
    look(&stand);
    stand.host[0].mute = false;
    for (int i = 0; i < 100 && !saw(BOUND_EXPOSURE); i++) {
        want(&stand, 0, i % 20 < 10 ? KW : CAP_MAX_MW);
        live(&stand, 3 * STEP_NS);
    }
    assert_true(saw(BOUND_EXPOSURE));
    stand_stop(&stand);
}

static void what_steers(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand.node[BRANCH_A].level_mva = stand.node[BRANCH_A].level_burst_mva = 10 * KW;
    stand.node[BRANCH_B].ramp_up_mw_per_s = KW;
    open_all(&stand);
    live(&stand, NS_PER_S);
    assert_true(saw(BOUND_RAMP));
    live(&stand, 2 * NS_PER_S);
    for (int i = 0; i < 10; i++) {
        stand_reading(&stand, BRANCH_A, 13 * KW);
        live(&stand, STEP_NS);
    }
    assert_true(saw(BOUND_LEVEL));
    order(&stand, (struct slot_order){.kind = ORDER_CAP, .node = MAIN, .contract = 1, .value_mw = 9 * KW});
    live(&stand, NS_PER_S);
    assert_true(saw(BOUND_CONTRACT));
    stand_stop(&stand);
}

/* Far above what leases allow, and again after the first cut has had its time; then raises wait. */
static void what_an_emergency_binds(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand.model.policy.hold_least_ns = NS_PER_S;
    stand.model.policy.hold_most_ns = 60 * NS_PER_S;
    open_all(&stand);
    live(&stand, 3 * NS_PER_S);
    for (int i = 0; i < 30; i++) {
        stand_reading(&stand, BRANCH_A, 30 * KW);
        look(&stand);
        live(&stand, STEP_NS);
    }
    assert_true(saw(BOUND_EMERGENCY) && saw(BOUND_FAIL_SAFE));
    for (int i = 0; i < 150; i++) {
        stand_reading(&stand, BRANCH_A, KW + i);
        live(&stand, STEP_NS);
    }
    assert_true(saw(BOUND_HOLD));
    stand_stop(&stand);
}

/* A contract that comes and goes. */
static void what_swings_is_damped(void **state)
{
    (void)state;
    struct stand stand;
    stand_site(&stand);
    stand.model.policy.damper_changes = 1;
    stand.model.policy.damper_window_ns = 5 * NS_PER_S;
    open_all(&stand);
    live(&stand, 2 * NS_PER_S);
    for (int i = 0; i < 10 && !saw(BOUND_DAMPER); i++) {
        order(&stand,
              (struct slot_order){.kind = ORDER_CAP, .node = MAIN, .contract = 1, .value_mw = 12 * KW});
        live(&stand, NS_PER_S / 2);
        order(&stand, (struct slot_order){.kind = ORDER_LIFT, .contract = 1});
        live(&stand, NS_PER_S / 2);
    }
    assert_true(saw(BOUND_DAMPER));
    stand_stop(&stand);
}

/* B lends on the loss of A by its curve, until A is taken out. */
static void two_feeds(struct stand *stand)
{
    stand_two_feeds(stand);
    stand->node[BRANCH_B].breaker.element_count = 1;
    stand->node[BRANCH_B].breaker.element[0] = (struct breaker_element){
        .law = BREAKER_IMAGE, .role = ELEMENT_LONG_TIME, .pickup_ma = 183750,
        .heat_ns = 20 * NS_PER_S, .heat_fast_ns = 20 * NS_PER_S, .fast_above_ma = INT64_MAX,
        .cool_ns = 25 * NS_PER_S};
    stand->node[BRANCH_B].lend = 1u << LOSS_OF_A;
}

static void read_b(struct stand *stand, int64_t phase_mw, int64_t ns)
{
    for (int64_t end_ns = stand->t_ns + ns; stand->t_ns < end_ns;) {
        live(stand, 15 * NS_PER_MS);
        stand_wait(stand, NS_PER_MS);
        stand_reading(stand, BRANCH_B, phase_mw + (int64_t)(stand->readings % 7) * 100);
        look(stand);
    }
}

static void what_is_lent_and_withdrawn(void **state)
{
    (void)state;
    struct stand stand;
    two_feeds(&stand);
    stand_start(&stand);
    for (uint32_t phase = 0; phase < PHASES; phase++)
        stand.core->heat.meter[BRANCH_B].state.part[0][phase] = 0;
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        stand_admit(&stand, h);
        want(&stand, h, CAP_MAX_MW);
    }
    read_b(&stand, 7 * KW, 4 * NS_PER_S);
    for (uint32_t i = 0; i < 16; i++) {         /* it heats, and what may be lent falls */
        read_b(&stand, 11 * KW, NS_PER_S / 2);
        stand.core->cluster.target_mw[1] = CAP_MAX_MW;  /* arbitration keeps off it: the guard does not */
        stand_obey(&stand, 1);
        look(&stand);
    }
    assert_true(saw(BOUND_CURVE));
    read_b(&stand, 7 * KW, 20 * NS_PER_S);
    order(&stand, (struct slot_order){.kind = ORDER_TAKE_OUT, .node = BRANCH_A});
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        assert_int_equal(stand.core->bound[h].term, BOUND_MAINTENANCE);
        assert_int_equal(stand.core->bound[h].contingency, LOSS_OF_A);
        assert_int_equal(stand.core->bound[h].node, BRANCH_B);
    }
    read_b(&stand, 7 * KW, 3 * NS_PER_S);       /* and stays so when it is arbitration that holds them */
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        assert_int_equal(stand.core->bound[h].term, BOUND_MAINTENANCE);
    order(&stand, (struct slot_order){.kind = ORDER_PUT_BACK, .node = BRANCH_A});
    read_b(&stand, 7 * KW, 3 * NS_PER_S);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        assert_int_not_equal(stand.core->bound[h].term, BOUND_MAINTENANCE);
    stand_stop(&stand);
}

/* A feed that was lost is one that may be back and gone again: nobody is raised for its time. */
static void what_a_lost_feed_holds(void **state)
{
    (void)state;
    struct stand stand;
    two_feeds(&stand);
    stand.model.contingency[LOSS_OF_A].witness = BRANCH_A;
    stand.model.policy.feed_stable_ns = 60 * NS_PER_S;
    stand_start(&stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        stand_admit(&stand, h);
        want(&stand, h, KW);
    }
    read_b(&stand, 7 * KW, 2 * NS_PER_S);
    stand_reading(&stand, BRANCH_A, 7 * KW);
    struct slot dark;
    memset(&dark, 0, sizeof dark);
    dark.kind = SLOT_READING;
    dark.reading = (struct reading){.meter = BRANCH_A, .sequence = ++stand.readings, .crest_milli = 1414};
    stand_step(&stand, &dark);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        want(&stand, h, CAP_MAX_MW);
    read_b(&stand, 7 * KW, 2 * NS_PER_S);
    assert_true(saw(BOUND_FEED));
    stand_stop(&stand);
}

static void every_term_was_reached(void **state)
{
    (void)state;
    for (uint32_t term = 0; term < BOUND_COUNT; term++)
        if (!saw(term))
            fail_msg("term %u was never reached", term);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_arbitration_binds),
        cmocka_unit_test(what_the_sums_bind),
        cmocka_unit_test(what_steers),
        cmocka_unit_test(what_an_emergency_binds),
        cmocka_unit_test(what_swings_is_damped),
        cmocka_unit_test(what_is_lent_and_withdrawn),
        cmocka_unit_test(what_a_lost_feed_holds),
        cmocka_unit_test(every_term_was_reached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
