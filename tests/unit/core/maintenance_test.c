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

enum { LOSS_OF_A = 1 };

static enum order_refusal order(struct stand *stand, uint32_t kind, uint32_t node)
{
    struct slot slot;
    struct core_order_view view;
    memset(&slot, 0, sizeof slot);
    slot.kind = SLOT_ORDER;
    core_order_view(stand->core, &view);
    slot.order = (struct slot_order){.kind = kind, .number = view.newest + 1, .node = node};
    stand_step(stand, &slot);
    core_order_view(stand->core, &view);
    return view.verdict;
}

static struct core_maintenance_view seen(const struct stand *stand)
{
    struct core_maintenance_view view;
    core_maintenance_view(stand->core, 0, &view);
    return view;
}

static void two_feeds(struct stand *stand)
{
    stand_site(stand);
    stand->model.contingency_count = 2;
    stand->model.contingency[LOSS_OF_A] = (struct model_contingency){
        .name = "A", .kind = CONTINGENCY_LOSS, .lasting = 1, .lost_node = BRANCH_A, .witness = INDEX_NONE};
    for (uint32_t n = 0; n < STAND_NODES; n++)
        memcpy(stand->node[n].limit_mva[1], stand->node[n].limit_mva[0], sizeof stand->node[n].limit_mva[0]);
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        struct model_cord *cord = stand->host_model[h].cord;
        stand->host_model[h].cord_count = 2;
        cord[1] = cord[0];
        cord[1].node = cord[0].node == BRANCH_A ? BRANCH_B : BRANCH_A;
        for (uint32_t j = 0; j < 2; j++) {
            cord[j].share_ppm[0] = 550000;
            cord[j].share_ppm[1] = cord[j].node == BRANCH_A ? 0 : 1000000;
        }
    }
}

static void start(struct stand *stand)
{
    two_feeds(stand);
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

/* The lease above what B carries alone is cut, but only its receipt makes it safe. */
static void a_cut_that_no_report_has_confirmed_is_not_safe(void **state)
{
    (void)state;
    struct stand stand;
    two_feeds(&stand);
    for (uint32_t phase = 0; phase < PHASES; phase++)   /* as if it were lent: B carries more for a while */
        stand.node[BRANCH_B].limit_mva[1][phase] = 28000000;
    stand_start(&stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        stand_admit(&stand, h);
        stand.host[h].draw_mw = CAP_MAX_MW;
        stand.host[h].flags = REPORT_AT_CAP;
    }
    stand_run(&stand, 3 * NS_PER_S);
    for (uint32_t phase = 0; phase < PHASES; phase++) {
        stand.node[BRANCH_B].limit_mva[1][phase] = BRANCH_MVA;
        stand.core->ledger.node[BRANCH_B].limit_mva[1][phase] = BRANCH_MVA;
    }
    assert_true(stand.core->ledger.node[BRANCH_B].exposed_mva[1][0] > BRANCH_MVA);
    order(&stand, ORDER_TAKE_OUT, BRANCH_A);
    for (int i = 0; i < 150; i++) {
        stand_run(&stand, 20 * NS_PER_MS);
        if (seen(&stand).state == MAINTENANCE_SAFE)
            assert_true(stand.core->ledger.node[BRANCH_B].exposed_mva[1][0] <= BRANCH_MVA);
        else if (stand.core->ledger.node[BRANCH_B].exposed_mva[1][0] > BRANCH_MVA && i > 2)
            assert_int_equal(seen(&stand).node_above, BRANCH_B);
    }
    assert_int_equal(seen(&stand).state, MAINTENANCE_SAFE);
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
    two_feeds(&stand);
    stand_start(&stand);
    for (uint32_t h = 0; h < STAND_HOSTS - 1; h++)
        stand_admit(&stand, h);
    order(&stand, ORDER_TAKE_OUT, BRANCH_A);
    stand_run(&stand, NS_PER_S);
    assert_int_equal(seen(&stand).state, MAINTENANCE_LOWERING);
    assert_int_equal(seen(&stand).host_open, STAND_HOSTS - 1);
    stand_stop(&stand);
}

/* A host that has no cord below the node loses nothing with it: its silence is its own affair. */
static void a_silent_host_elsewhere_does_not_matter(void **state)
{
    (void)state;
    struct stand stand;
    two_feeds(&stand);
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
        cmocka_unit_test(a_cut_that_no_report_has_confirmed_is_not_safe),
        cmocka_unit_test(a_silent_host_is_named_and_takes_the_word_back),
        cmocka_unit_test(a_host_at_phys_max_keeps_it_from_safe),
        cmocka_unit_test(a_silent_host_elsewhere_does_not_matter),
        cmocka_unit_test(only_a_declared_loss_or_what_lies_below_one_is_taken_out),
        cmocka_unit_test(putting_back_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
