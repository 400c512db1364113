/* SPDX-License-Identifier: Apache-2.0 */
/* Which nodes and hosts a hold binds, and for how long to the nanosecond: safety.md sections 9 and 11, by
 * hand in the hall. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/hold.h"
#include "hall.h"

enum { LOSS_OF_RACK = 1, LOSS_OF_SWITCH = 2, STABLE_S = 60 };

struct waits {
    struct hall hall;
    struct holds holds;
    struct hold node[HALL_NODES];
};

/* The rack is lost: host 3 hangs on it alone, host 4 on the left branch too. The switch that is lost is
 * named by the rack as well and takes the left cord of host 0 alone. */
static void open_waits(struct waits *waits)
{
    struct hall *hall = &waits->hall;
    hall_build(hall);
    hall->model.contingency_count = 3;
    for (uint32_t c = 1; c < 3; c++) {
        hall->model.contingency[c].kind = CONTINGENCY_LOSS;
        hall->model.contingency[c].lost_node = HALL_RACK;
    }
    hall->host[3].cord[0].share_ppm[LOSS_OF_RACK] = 0;
    hall->host[4].cord_count = 2;
    hall->host[4].cord[0].share_ppm[LOSS_OF_RACK] = 0;
    hall->host[4].cord[1].share_ppm[0] = hall->host[4].cord[1].share_ppm[LOSS_OF_SWITCH] = 0;
    hall->host[0].cord[0].share_ppm[LOSS_OF_SWITCH] = 0;
    /* beyond its cords: a share that grows, and one that goes */
    hall->host[2].cord[1].share_ppm[0] = hall->host[1].cord[1].share_ppm[LOSS_OF_SWITCH] = 0;
    hall->model.policy.hold_least_ns = NS_PER_S;
    hall->model.policy.hold_most_ns = 60 * NS_PER_S;
    hall->model.policy.feed_stable_ns = STABLE_S * NS_PER_S;
    hall_open(hall);
    memset(waits->node, 0xFF, sizeof waits->node);      /* what memory held before */
    waits->holds = (struct holds){.node = waits->node, .held = 9, .turned = 0xFF};
    hold_init(&waits->holds, &hall->model);
}

static void cause(struct waits *waits, uint32_t node, bool on, int64_t t_ns)
{
    hold_observe(&waits->holds, &waits->hall.heat, node, HOLD_EMERGENCY, on, t_ns);
}

/* Dark below the loss, more on the survivor; a node above both carries what it carried. */
static void a_loss_moves_what_goes_dark_and_what_carries_more(void **state)
{
    (void)state;
    struct waits waits;
    open_waits(&waits);
    static const uint8_t rack[HALL_NODES] = {[HALL_LEFT] = 1, [HALL_RACK] = 1};
    static const uint8_t by_switch[HALL_NODES] = {[HALL_LEFT] = 1};
    for (uint32_t n = 0; n < HALL_NODES; n++) {
        assert_int_equal(waits.node[n].moved >> LOSS_OF_RACK & 1, rack[n]);
        assert_int_equal(waits.node[n].moved >> LOSS_OF_SWITCH & 1, by_switch[n]);
        assert_int_equal(waits.node[n].moved & ~6, 0);
    }
    assert_int_equal(waits.holds.held, 0);
    assert_int_equal(waits.holds.turned, 0);
}

/* A sag takes nobody's cord away for good. */
static void what_is_no_loss_moves_nothing(void **state)
{
    (void)state;
    struct waits waits;
    open_waits(&waits);
    waits.hall.model.contingency[LOSS_OF_RACK].kind = CONTINGENCY_SAG;
    hold_init(&waits.holds, &waits.hall.model);
    for (uint32_t n = 0; n < HALL_NODES; n++)
        assert_int_equal(waits.node[n].moved >> LOSS_OF_RACK & 1, 0);
}

/* Of two feeds that turned, the wait that ends last is the one that is told, whichever is numbered first. */
static void of_two_feeds_the_longer_wait_counts(void **state)
{
    (void)state;
    for (uint32_t last = 1; last < 3; last++) {
        struct waits waits;
        open_waits(&waits);
        int64_t t_ns = 5 * NS_PER_S, end_ns = t_ns + STABLE_S * NS_PER_S;
        assert_false(hold_is_any(&waits.holds, t_ns));
        hold_feed(&waits.holds, 3 - last, t_ns);
        hold_feed(&waits.holds, last, t_ns + 7);
        assert_int_equal(hold_feed_of(&waits.holds, 0, t_ns + 7), last);        /* below the left branch */
        assert_int_equal(hold_feed_of(&waits.holds, 3, t_ns + 7), LOSS_OF_RACK);
        assert_int_equal(hold_feed_of(&waits.holds, 2, t_ns + 7), 0);
        struct hold_view view;
        hold_view(&waits.holds, HALL_LEFT, t_ns + 7, &view);
        assert_int_equal(view.feed_left_ns, STABLE_S * NS_PER_S);
        hold_view(&waits.holds, HALL_RIGHT, t_ns + 7, &view);
        assert_int_equal(view.feed_left_ns, 0);
        assert_int_equal(hold_feed_of(&waits.holds, 0, end_ns + 6), last);
        assert_true(hold_is_any(&waits.holds, end_ns + 6));
        assert_int_equal(hold_feed_of(&waits.holds, 0, end_ns + 7), 0);
        assert_false(hold_is_any(&waits.holds, end_ns + 7));
    }
}

/* Host 4 by any of its cords, each host by any node above it and by no other. */
static void a_hold_binds_below_its_node(void **state)
{
    static const bool below[HALL_NODES][HALL_HOSTS] = {
        {1, 1, 1, 1, 1}, {1, 1, 0, 0, 1}, {0, 0, 1, 1, 1}, {0, 0, 0, 1, 1}};
    (void)state;
    for (uint32_t n = 0; n < HALL_NODES; n++) {
        struct waits waits;
        open_waits(&waits);
        cause(&waits, n, true, 0);
        for (uint32_t h = 0; h < HALL_HOSTS; h++)
            assert_int_equal(hold_forbids_raise(&waits.holds, h, 1), below[n][h] ? n : INDEX_NONE);
    }
}

/* "waits hold(n) (1 s": to the nanosecond, by either cause for what is lent. */
static void a_wait_is_over_at_its_end(void **state)
{
    (void)state;
    for (enum hold_cause by = HOLD_EMERGENCY; by < HOLD_CAUSES; by++) {
        struct waits waits;
        open_waits(&waits);
        hold_observe(&waits.holds, &waits.hall.heat, HALL_LEFT, by, true, 0);
        assert_true(hold_runs(&waits.holds, HALL_LEFT, 1000 * NS_PER_S));
        hold_observe(&waits.holds, &waits.hall.heat, HALL_LEFT, by, false, 5);
        assert_true(hold_runs(&waits.holds, HALL_LEFT, NS_PER_S + 4));
        assert_false(hold_runs(&waits.holds, HALL_LEFT, NS_PER_S + 5));
        assert_false(hold_runs(&waits.holds, HALL_RIGHT, NS_PER_S));
    }
}

/* A reading during the emergency that shows no heat does not take back that heat has to go. */
static void heat_is_looked_at_after_the_emergency(void **state)
{
    (void)state;
    struct waits waits;
    open_waits(&waits);
    waits.hall.heat_node[HALL_LEFT].was_cool = true;
    cause(&waits, HALL_LEFT, true, 0);
    assert_true(waits.node[HALL_LEFT].of[HOLD_EMERGENCY].hot);
    hold_reading(&waits.holds, &waits.hall.heat, HALL_LEFT, 1);
    assert_true(waits.node[HALL_LEFT].of[HOLD_EMERGENCY].hot);
    cause(&waits, HALL_LEFT, false, 2);
    assert_int_equal(hold_forbids_raise(&waits.holds, 0, 2 * NS_PER_S), HALL_LEFT);
    hold_reading(&waits.holds, &waits.hall.heat, HALL_LEFT, 2 * NS_PER_S);
    assert_int_equal(hold_forbids_raise(&waits.holds, 0, 2 * NS_PER_S), INDEX_NONE);
}

/* What the controller before held binds here, by both causes, and is counted once. */
static void what_is_handed_over_binds_and_is_counted(void **state)
{
    (void)state;
    struct waits waits;
    open_waits(&waits);
    struct hold hold = {.moved = 0xFF};
    hold.of[HOLD_EMERGENCY] = (struct hold_wait){.for_ns = 2 * NS_PER_S, .until_ns = 9 * NS_PER_S};
    hold.of[HOLD_PERMIT] = (struct hold_wait){.for_ns = 4 * NS_PER_S, .until_ns = 11 * NS_PER_S};
    hold_hand(&waits.holds, HALL_RIGHT, &hold);
    assert_int_equal(waits.holds.held, 1);
    assert_int_equal(waits.node[HALL_RIGHT].moved, 0);          /* that is the model's */
    assert_int_equal(hold_forbids_raise(&waits.holds, 2, 9 * NS_PER_S - 1), HALL_RIGHT);
    assert_int_equal(hold_forbids_raise(&waits.holds, 2, 9 * NS_PER_S), INDEX_NONE);
    assert_true(hold_runs(&waits.holds, HALL_RIGHT, 11 * NS_PER_S - 1));
    hold_hand(&waits.holds, HALL_RIGHT, &hold);
    assert_int_equal(waits.holds.held, 1);
    hold.of[HOLD_EMERGENCY] = (struct hold_wait){.until_ns = INT64_MIN};
    hold_hand(&waits.holds, HALL_RIGHT, &hold);
    assert_int_equal(waits.holds.held, 0);
    assert_false(hold_is_any(&waits.holds, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loss_moves_what_goes_dark_and_what_carries_more),
        cmocka_unit_test(what_is_no_loss_moves_nothing),
        cmocka_unit_test(of_two_feeds_the_longer_wait_counts),
        cmocka_unit_test(a_hold_binds_below_its_node),
        cmocka_unit_test(a_wait_is_over_at_its_end),
        cmocka_unit_test(heat_is_looked_at_after_the_emergency),
        cmocka_unit_test(what_is_handed_over_binds_and_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
