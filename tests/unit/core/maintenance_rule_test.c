/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Safe to transfer, by hand in the small hall (safety.md section 10): which loss covers a node, what a round
 * over nodes and hosts finds, and that it says nothing of an order younger than itself. LEFT is lost under
 * contingency 1, RACK under 2; a sag is 3. No node carries anything but what a test puts there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/maintenance.h"
#include "hall.h"

enum { LOSS_OF_LEFT = 1, LOSS_OF_RACK = 2, SAG = 3, ROUND = HALL_NODES + HALL_HOSTS };

struct bench {
    struct hall hall;
    struct maintenance maintenance;
};

static void start(struct bench *b)
{
    memset(b, 0, sizeof *b);
    hall_build(&b->hall);
    b->hall.model.contingency_count = 4;
    b->hall.model.contingency[LOSS_OF_LEFT] =
        (struct model_contingency){.kind = CONTINGENCY_LOSS, .lost_node = HALL_LEFT};
    b->hall.model.contingency[LOSS_OF_RACK] =
        (struct model_contingency){.kind = CONTINGENCY_LOSS, .lost_node = HALL_RACK};
    b->hall.model.contingency[SAG] =
        (struct model_contingency){.kind = CONTINGENCY_SAG, .lost_node = HALL_RIGHT};
    hall_open(&b->hall);
    maintenance_init(&b->maintenance, &b->hall.model);
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        b->hall.account[h].report_t_ns = HALL_T_NS;
}

static enum order_refusal take_out(struct bench *b, uint32_t node)
{
    struct slot_order order = {.kind = ORDER_TAKE_OUT, .number = 100 + node, .node = node};
    return maintenance_take_out(&b->maintenance, &order);
}

static enum order_refusal put_back(struct bench *b, uint32_t node)
{
    struct slot_order order = {.kind = ORDER_PUT_BACK, .number = 200 + node, .node = node};
    return maintenance_put_back(&b->maintenance, &order);
}

static const struct maintenance_item *look(struct bench *b, int64_t after_ns, uint32_t items)
{
    maintenance_part(&b->maintenance, &b->hall.ledger, HALL_T_NS + after_ns, items);
    return &b->maintenance.item[0];
}

static void a_node_is_covered_by_its_own_loss_or_by_one_above(void **state)
{
    (void)state;
    struct bench b;
    start(&b);
    assert_int_equal(take_out(&b, HALL_MAIN), ORDER_REFUSED_NODE);
    assert_int_equal(take_out(&b, HALL_RIGHT), ORDER_REFUSED_NODE);    /* a sag takes nothing out */
    assert_int_equal(take_out(&b, HALL_NODES), ORDER_REFUSED_NODE);
    assert_int_equal(b.maintenance.count, 0);
    assert_int_equal(take_out(&b, HALL_RACK), ORDER_TAKEN);
    assert_int_equal(b.maintenance.item[0].contingency, LOSS_OF_RACK);
    assert_int_equal(take_out(&b, HALL_LEFT), ORDER_TAKEN);
    assert_int_equal(b.maintenance.item[1].contingency, LOSS_OF_LEFT);
    assert_int_equal(b.maintenance.item[1].state, MAINTENANCE_LOWERING);
    assert_int_equal(b.maintenance.item[1].found.node, INDEX_NONE);
    assert_int_equal(b.maintenance.withdrawn, 1u << LOSS_OF_RACK | 1u << LOSS_OF_LEFT);
    start(&b);
    b.hall.model.contingency[LOSS_OF_LEFT].lost_node = HALL_RIGHT;     /* RACK hangs below it */
    b.hall.model.contingency[LOSS_OF_RACK].kind = CONTINGENCY_SAG;
    assert_int_equal(take_out(&b, HALL_RACK), ORDER_TAKEN);
    assert_int_equal(b.maintenance.item[0].contingency, LOSS_OF_LEFT);
}

static void a_node_has_one_place_and_leaves_it(void **state)
{
    (void)state;
    struct bench b;
    start(&b);
    assert_int_equal(put_back(&b, HALL_LEFT), ORDER_REFUSED_NODE);
    take_out(&b, HALL_LEFT);
    take_out(&b, HALL_RACK);
    assert_int_equal(take_out(&b, HALL_RACK), ORDER_TAKEN);            /* asked again */
    assert_int_equal(b.maintenance.count, 2);
    assert_int_equal(put_back(&b, HALL_LEFT), ORDER_TAKEN);
    assert_int_equal(b.maintenance.count, 1);
    assert_int_equal(b.maintenance.withdrawn, 1u << LOSS_OF_RACK);
    assert_int_equal(put_back(&b, HALL_LEFT), ORDER_REFUSED_NODE);
    assert_int_equal(take_out(&b, HALL_LEFT), ORDER_TAKEN);            /* the free place is used again */
    assert_int_equal(b.maintenance.item[0].node, HALL_LEFT);
    for (uint32_t i = 2; i < CONTINGENCIES_MAX; i++)
        b.maintenance.item[i] = (struct maintenance_item){.number = 1, .node = 50 + i};
    assert_int_equal(put_back(&b, HALL_RACK), ORDER_TAKEN);
    b.maintenance.item[1] = (struct maintenance_item){.number = 1, .node = 51};
    assert_int_equal(take_out(&b, HALL_RACK), ORDER_REFUSED_FULL);
    assert_int_equal(put_back(&b, HALL_RACK), ORDER_REFUSED_NODE);
}

/* S and D of the loss against the steady limit: at it is within it; what an event has lowered counts, what a
 * permit would allow does not. */
static void every_node_has_to_fit_its_steady_limit(void **state)
{
    (void)state;
    static const struct {
        int64_t exposed_kva, newest_kva, limit_kva;
        bool fits;
    } row[] = {
        {1000, 1000, 1000, true}, {1001, 0, 1000, false}, {0, 1001, 1000, false},
        {1001, 0, 2000, false},   {0, 1001, 2000, false}, {500, 500, 500, true}, {501, 0, 500, false},
    };
    for (uint32_t n = 0; n < HALL_NODES; n++)
        for (uint32_t phase = 0; phase < PHASES; phase++)
            for (uint32_t i = 0; i < sizeof row / sizeof *row; i++) {
                struct bench b;
                start(&b);
                take_out(&b, HALL_LEFT);
                struct ledger_sums *sums = &b.hall.sums[n];
                sums->exposed_mva[LOSS_OF_LEFT][phase] = row[i].exposed_kva * HALL_KW;
                sums->newest_mva[LOSS_OF_LEFT][phase] = row[i].newest_kva * HALL_KW;
                sums->limit_mva[LOSS_OF_LEFT][phase] = row[i].limit_kva * HALL_KW;
                sums->exposed_mva[0][phase] = 2000 * HALL_KW;          /* is not of this loss */
                const struct maintenance_item *item = look(&b, 0, ROUND);
                assert_int_equal(item->state, row[i].fits ? MAINTENANCE_SAFE : MAINTENANCE_LOWERING);
                assert_int_equal(item->found.nodes, !row[i].fits);
                assert_int_equal(item->found.node, row[i].fits ? INDEX_NONE : n);
            }
}

static void a_node_without_a_limit_fits_anything(void **state)
{
    (void)state;
    struct bench b;
    start(&b);
    take_out(&b, HALL_LEFT);
    b.hall.node[HALL_RIGHT].limited = 0;
    b.hall.sums[HALL_RIGHT].exposed_mva[LOSS_OF_LEFT][0] = 5000 * HALL_KW;
    assert_int_equal(look(&b, 0, ROUND)->state, MAINTENANCE_SAFE);
}

/* Heard of within D and bounded, or hanging elsewhere. */
static void every_host_below_has_to_be_heard_and_bounded(void **state)
{
    (void)state;
    struct bench b;
    start(&b);
    b.hall.host[2].cord_count = 2;                                     /* a second cord on LEFT */
    b.hall.host[2].cord[1].node = HALL_LEFT;
    take_out(&b, HALL_LEFT);
    assert_int_equal(look(&b, NS_PER_S, ROUND)->state, MAINTENANCE_SAFE);
    const struct maintenance_item *item = look(&b, NS_PER_S + 1, ROUND);
    assert_int_equal(item->state, MAINTENANCE_LOWERING);
    assert_int_equal(item->found.hosts, 3);
    assert_int_equal(item->found.host, 0);
    assert_int_equal(item->found.nodes, 0);
    assert_int_equal(item->taken_back, 1);
    look(&b, NS_PER_S + 1, ROUND);
    assert_int_equal(item->taken_back, 1);                             /* was not safe in between */
    look(&b, 0, ROUND);
    assert_int_equal(item->state, MAINTENANCE_SAFE);
    b.hall.account[2].bounded = b.hall.account[4].bounded = false;     /* 4 hangs on RACK alone */
    look(&b, 0, ROUND);
    assert_int_equal(item->found.hosts, 1);
    assert_int_equal(item->found.host, 2);
    assert_int_equal(item->taken_back, 2);
}

/* A part ends where it ends; only a whole round says anything. */
static void a_round_goes_on_where_the_part_before_ended(void **state)
{
    (void)state;
    struct bench b;
    start(&b);
    take_out(&b, HALL_LEFT);
    b.hall.sums[HALL_MAIN].exposed_mva[LOSS_OF_LEFT][0] = 5000 * HALL_KW;
    look(&b, 0, 1);                                                    /* the first node is seen at once */
    b.hall.sums[HALL_MAIN].exposed_mva[LOSS_OF_LEFT][0] = 0;
    const struct maintenance_item *item = look(&b, 0, ROUND - 2);
    assert_int_equal(item->found.nodes, 0);                            /* not over */
    look(&b, 0, 1);
    assert_int_equal(item->found.nodes, 1);
    assert_int_equal(item->found.node, HALL_MAIN);
    for (int i = 0; i < ROUND - 1; i++)
        look(&b, 0, 1);
    assert_int_equal(item->state, MAINTENANCE_LOWERING);
    look(&b, 0, 1);
    assert_int_equal(item->state, MAINTENANCE_SAFE);
    assert_int_equal(item->found.nodes, 0);
}

/* An order in the middle of another's round begins all anew. */
static void a_round_that_began_before_an_order_says_nothing_of_it(void **state)
{
    (void)state;
    struct bench b;
    start(&b);
    take_out(&b, HALL_LEFT);
    look(&b, 0, ROUND - 1);
    assert_int_equal(take_out(&b, HALL_LEFT), ORDER_TAKEN);
    const struct maintenance_item *item = look(&b, 0, 1);
    assert_int_equal(item->state, MAINTENANCE_LOWERING);
    look(&b, 0, ROUND - 2);
    assert_int_equal(item->state, MAINTENANCE_LOWERING);
    look(&b, 0, 1);
    assert_int_equal(item->state, MAINTENANCE_SAFE);
    look(&b, 0, 2);
    b.hall.sums[HALL_MAIN].exposed_mva[LOSS_OF_LEFT][0] = 5000 * HALL_KW;
    take_out(&b, HALL_RACK);                                           /* the first node is looked at again */
    look(&b, 0, ROUND);
    assert_int_equal(item->found.nodes, 1);
}

/* Each has a round of its own, in turn, and is held to its own loss. */
static void several_are_watched_in_turn(void **state)
{
    (void)state;
    struct bench b;
    start(&b);
    take_out(&b, HALL_LEFT);
    take_out(&b, HALL_RACK);
    b.hall.sums[HALL_RIGHT].newest_mva[LOSS_OF_RACK][1] = 1001 * HALL_KW;
    look(&b, 0, ROUND);
    assert_int_equal(b.maintenance.item[0].state, MAINTENANCE_SAFE);
    look(&b, 0, ROUND);
    assert_int_equal(b.maintenance.item[1].state, MAINTENANCE_LOWERING);
    assert_int_equal(b.maintenance.item[1].found.node, HALL_RIGHT);
    b.hall.sums[HALL_RIGHT].newest_mva[LOSS_OF_RACK][1] = 0;
    look(&b, 0, 2 * ROUND);
    assert_int_equal(b.maintenance.item[1].state, MAINTENANCE_SAFE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_is_covered_by_its_own_loss_or_by_one_above),
        cmocka_unit_test(a_node_has_one_place_and_leaves_it),
        cmocka_unit_test(every_node_has_to_fit_its_steady_limit),
        cmocka_unit_test(a_node_without_a_limit_fits_anything),
        cmocka_unit_test(every_host_below_has_to_be_heard_and_bounded),
        cmocka_unit_test(a_round_goes_on_where_the_part_before_ended),
        cmocka_unit_test(a_round_that_began_before_an_order_says_nothing_of_it),
        cmocka_unit_test(several_are_watched_in_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
