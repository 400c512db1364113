/* SPDX-License-Identifier: Apache-2.0 */
/* A feed is taken out under load: leases lowered, receipts awaited, then safe to transfer (safety.md section
 * 10). On the stand every host has a cord on either branch, 55 % of its draw each; the loss of branch A puts
 * all of it on B. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "stand.h"

static enum order_refusal order(struct stand *stand, uint32_t kind, uint32_t node)
{
    return stand_order(stand, (struct slot_order){.kind = kind, .node = node});
}

static struct core_maintenance_view seen(const struct stand *stand)
{
    struct core_maintenance_view view;
    core_maintenance_view(stand->core, 0, &view);
    return view;
}

static void start(struct stand *stand)
{
    stand_two_feeds(stand);
    stand_start(stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
}

static void it_is_safe_once_a_whole_round_has_found_nothing(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    assert_int_equal(order(&stand, ORDER_TAKE_OUT, BRANCH_A), ORDER_TAKEN);
    assert_int_equal(seen(&stand).state, MAINTENANCE_LOWERING);
    assert_int_equal(seen(&stand).contingency, LOSS_OF_A);
    assert_int_equal(stand.core->maintenance.withdrawn, 1u << LOSS_OF_A);
    stand_run(&stand, NS_PER_S);
    assert_int_equal(seen(&stand).state, MAINTENANCE_SAFE);
    assert_int_equal(seen(&stand).taken_back, 0);
    stand_stop(&stand);
}

/* B may lend on the loss of A: its device heats slowly, its meter reads every 16 ms. */
static void lend_on_loss_of_a(struct stand *stand)
{
    struct breaker *breaker = &stand->node[BRANCH_B].breaker;
    breaker->element_count = 1;
    breaker->element[0] = (struct breaker_element){
        .law = BREAKER_IMAGE, .role = ELEMENT_LONG_TIME, .pickup_ma = 183750,
        .heat_ns = 20 * NS_PER_S, .heat_fast_ns = 20 * NS_PER_S, .fast_above_ma = INT64_MAX,
        .cool_ns = 25 * NS_PER_S};
    stand->node[BRANCH_B].lend = 1u << LOSS_OF_A;
}

static void live(struct stand *stand, int64_t ns)
{
    for (int64_t end_ns = stand->t_ns + ns; stand->t_ns < end_ns;) {
        stand_run(stand, 15 * NS_PER_MS);
        stand_wait(stand, NS_PER_MS);
        stand_reading(stand, BRANCH_B, 7000000 + (int64_t)(stand->readings % 7) * 100);
    }
}

static int64_t drawn_mva(const struct stand *stand)
{
    return stand->core->ledger.node[BRANCH_B].exposed_mva[LOSS_OF_A][0];
}

static int64_t leased_mva(const struct stand *stand)
{
    return stand->core->ledger.node[BRANCH_B].newest_mva[LOSS_OF_A][0];
}

/* What was lent is cut in the slot of the order, but only receipts make it safe; and it is not lent again
 * until the feed is put back. */
static void what_is_lent_on_the_loss_is_withdrawn_and_receipts_are_awaited(void **state)
{
    (void)state;
    struct stand stand;
    stand_two_feeds(&stand);
    lend_on_loss_of_a(&stand);
    stand_start(&stand);
    for (uint32_t phase = 0; phase < PHASES; phase++)
        stand.core->heat.meter[BRANCH_B].state.part[0][phase] = 0;
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        stand_admit(&stand, h);
        stand.host[h].draw_mw = CAP_MAX_MW;
        stand.host[h].flags = REPORT_AT_CAP;
    }
    live(&stand, 5 * NS_PER_S);
    assert_true(leased_mva(&stand) > BRANCH_MVA + 2000000);
    assert_int_equal(order(&stand, ORDER_TAKE_OUT, BRANCH_A), ORDER_TAKEN);
    assert_true(leased_mva(&stand) <= BRANCH_MVA);
    assert_true(drawn_mva(&stand) > BRANCH_MVA + 2000000);
    bool above_was_told = false;
    for (int i = 0; i < 150; i++) {
        live(&stand, 16 * NS_PER_MS);
        assert_true(leased_mva(&stand) <= BRANCH_MVA);
        if (seen(&stand).state == MAINTENANCE_SAFE)
            assert_true(drawn_mva(&stand) <= BRANCH_MVA);
        above_was_told |= seen(&stand).nodes_above && seen(&stand).node_above == BRANCH_B;
    }
    assert_true(above_was_told);
    assert_int_equal(seen(&stand).state, MAINTENANCE_SAFE);
    order(&stand, ORDER_PUT_BACK, BRANCH_A);
    live(&stand, 5 * NS_PER_S);
    assert_true(leased_mva(&stand) > BRANCH_MVA + 2000000);
    stand_stop(&stand);
}

static void a_silent_host_is_named_and_takes_the_word_back(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    order(&stand, ORDER_TAKE_OUT, BRANCH_A);
    stand_run(&stand, NS_PER_S);
    assert_int_equal(seen(&stand).state, MAINTENANCE_SAFE);
    stand.host[2].mute = true;
    stand_run(&stand, 1500 * NS_PER_MS);
    assert_int_equal(seen(&stand).state, MAINTENANCE_LOWERING);
    assert_int_equal(seen(&stand).hosts_open, 1);
    assert_int_equal(seen(&stand).host_open, 2);
    assert_int_equal(seen(&stand).taken_back, 1);
    stand.host[2].mute = false;
    stand_run(&stand, NS_PER_S);
    assert_int_equal(seen(&stand).state, MAINTENANCE_SAFE);
    stand_stop(&stand);
}

static void a_host_at_phys_max_keeps_it_from_safe(void **state)
{
    (void)state;
    struct stand stand;
    stand_two_feeds(&stand);
    stand_start(&stand);
    for (uint32_t h = 0; h < STAND_HOSTS - 1; h++)
        stand_admit(&stand, h);
    order(&stand, ORDER_TAKE_OUT, BRANCH_A);
    stand_run(&stand, NS_PER_S);
    assert_int_equal(seen(&stand).state, MAINTENANCE_LOWERING);
    assert_int_equal(seen(&stand).host_open, STAND_HOSTS - 1);
    stand_admit(&stand, STAND_HOSTS - 1);
    stand_run(&stand, NS_PER_S);
    assert_int_equal(seen(&stand).state, MAINTENANCE_SAFE);
    stand.host[0].flags = REPORT_DEVICE_LOST;       /* it is heard, and counts at phys_max */
    stand_run(&stand, NS_PER_S);
    assert_int_equal(seen(&stand).state, MAINTENANCE_LOWERING);
    assert_int_equal(seen(&stand).host_open, 0);
    stand_stop(&stand);
}

/* A host that has no cord below the node loses nothing with it: its silence is its own affair. */
static void a_silent_host_elsewhere_does_not_matter(void **state)
{
    (void)state;
    struct stand stand;
    stand_two_feeds(&stand);
    stand.host_model[3].cord_count = 1;     /* on B alone */
    stand.host_model[3].cord[0].share_ppm[0] = 1000000;
    stand_start(&stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(&stand, h);
    stand.host[3].mute = true;
    order(&stand, ORDER_TAKE_OUT, BRANCH_A);
    stand_run(&stand, 3 * NS_PER_S);
    assert_int_equal(seen(&stand).state, MAINTENANCE_SAFE);
    stand_stop(&stand);
}

static void only_a_declared_loss_or_what_lies_below_one_is_taken_out(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    assert_int_equal(order(&stand, ORDER_TAKE_OUT, BRANCH_B), ORDER_REFUSED_NODE);
    assert_int_equal(order(&stand, ORDER_TAKE_OUT, MAIN), ORDER_REFUSED_NODE);
    assert_int_equal(order(&stand, ORDER_TAKE_OUT, STAND_NODES), ORDER_REFUSED_NODE);
    assert_int_equal(order(&stand, ORDER_TAKE_OUT, INDEX_NONE), ORDER_REFUSED_NODE);
    assert_int_equal(stand.core->maintenance.count, 0);
    assert_int_equal(stand.core->maintenance.withdrawn, 0);
    stand.model.contingency[LOSS_OF_A].lost_node = MAIN;
    assert_int_equal(order(&stand, ORDER_TAKE_OUT, BRANCH_B), ORDER_TAKEN);
    stand.model.contingency[LOSS_OF_A].kind = CONTINGENCY_SAG;
    assert_int_equal(order(&stand, ORDER_TAKE_OUT, BRANCH_A), ORDER_REFUSED_NODE);
    stand_stop(&stand);
}

static void putting_back_ends_it(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    assert_int_equal(order(&stand, ORDER_PUT_BACK, BRANCH_A), ORDER_REFUSED_NODE);
    order(&stand, ORDER_TAKE_OUT, BRANCH_A);
    assert_int_equal(order(&stand, ORDER_TAKE_OUT, BRANCH_A), ORDER_TAKEN);
    assert_int_equal(stand.core->maintenance.count, 1);
    assert_int_equal(order(&stand, ORDER_PUT_BACK, BRANCH_A), ORDER_TAKEN);
    assert_int_equal(stand.core->maintenance.count, 0);
    assert_int_equal(stand.core->maintenance.withdrawn, 0);
    assert_int_equal(seen(&stand).number, 0);
    stand_run(&stand, NS_PER_S);
    assert_int_equal(order(&stand, ORDER_PUT_BACK, BRANCH_A), ORDER_REFUSED_NODE);
    stand_stop(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_safe_once_a_whole_round_has_found_nothing),
        cmocka_unit_test(what_is_lent_on_the_loss_is_withdrawn_and_receipts_are_awaited),
        cmocka_unit_test(a_silent_host_is_named_and_takes_the_word_back),
        cmocka_unit_test(a_host_at_phys_max_keeps_it_from_safe),
        cmocka_unit_test(a_silent_host_elsewhere_does_not_matter),
        cmocka_unit_test(only_a_declared_loss_or_what_lies_below_one_is_taken_out),
        cmocka_unit_test(putting_back_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
