/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which meter may be believed, by hand in the small hall (safety.md section 5, I3: plausible, and
 * corroborated): shares of a draw that certainly flow through a node, sums of meters below, doubt that
 * gathers and leaks away. Every meter has an error of 1 %, T_fresh of 50 ms and a period of 16 ms.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "permit_hall.h"

#define STEP_NS (10 * NS_PER_MS)

static void build(struct permit_hall *bench)
{
    memset(bench, 0, sizeof *bench);
    hall_build(&bench->hall);
    for (uint32_t n = 0; n < HALL_NODES; n++)
        bench->meter[n].node = 77;
    for (uint32_t m = 0; m < HALL_NODES; m++)
        bench->hall.meter[m].period_ns = 16 * NS_PER_MS;
    bench->t_ns = HALL_T_NS;
}

/* The meters of these nodes (a set of bits) may lend. */
static void start(struct permit_hall *bench, uint32_t lenders)
{
    hall_open(&bench->hall);
    for (uint32_t n = 0; n < HALL_NODES; n++) {
        bench->hall.node[n].lend = lenders >> n & 1;
        bench->hall.heat_node[n].known = true;
        bench->hall.heat_node[n].window_ns = 16 * NS_PER_MS;
    }
    permit_hall_open(bench);
}

/* So much in all, STEP_NS after the one before. */
static void reads(struct permit_hall *bench, uint32_t node, int64_t power_mw)
{
    struct reading reading = {.meter = node, .power_mw = {power_mw / 2, power_mw - power_mw / 2, 0}};
    permit_weigh_reading(&bench->permits, node, &reading, bench->t_ns);
}

static void tells(struct permit_hall *bench, uint32_t host, int64_t draw_mw)
{
    permit_weigh_draw(&bench->permits, host, draw_mw);
}

/* ---- what hosts report ---- */

/* Host 0 may draw up to 60 % over either of two cords: 40 % of its draw certainly flows through each, all of
 * it through the main over both, once. */
static void what_no_cord_elsewhere_can_carry_certainly_flows_here(void **state)
{
    (void)state;
    struct permit_hall b;
    build(&b);
    b.hall.host[0].cord_count = 2;
    b.hall.host[0].cord[1].node = HALL_RACK;
    b.hall.host[0].cord[0].share_ppm[0] = b.hall.host[0].cord[1].share_ppm[0] = 600000;
    start(&b, 1u << HALL_MAIN | 1u << HALL_LEFT | 1u << HALL_RACK);
    assert_int_equal(b.sum[HALL_MAIN].hosts, 5);
    assert_int_equal(b.sum[HALL_LEFT].hosts, 2);
    assert_int_equal(b.sum[HALL_RACK].hosts, 3);
    assert_int_equal(b.sum[HALL_RIGHT].hosts, 0);           /* lends nothing: nobody asks */
    tells(&b, 0, 10 * HALL_KW);
    tells(&b, 1, 1 * HALL_KW);
    assert_int_equal(b.sum[HALL_LEFT].reported_mw, 5 * HALL_KW);
    assert_int_equal(b.sum[HALL_RACK].reported_mw, 4 * HALL_KW);
    assert_int_equal(b.sum[HALL_MAIN].reported_mw, 11 * HALL_KW);
    assert_int_equal(b.sum[HALL_RIGHT].reported_mw, 0);
    assert_int_equal(b.sum[HALL_MAIN].fresh_hosts, 2);
    tells(&b, 0, 5 * HALL_KW);                              /* a new figure takes the place of the old one */
    assert_int_equal(b.sum[HALL_LEFT].reported_mw, 3 * HALL_KW);
    assert_int_equal(b.sum[HALL_MAIN].fresh_hosts, 2);
    tells(&b, 0, -1);                                       /* silent: vouches for nothing */
    assert_int_equal(b.sum[HALL_LEFT].reported_mw, 1 * HALL_KW);
    assert_int_equal(b.sum[HALL_RACK].reported_mw, 0);
    assert_int_equal(b.sum[HALL_MAIN].reported_mw, 1 * HALL_KW);
    assert_int_equal(b.sum[HALL_MAIN].fresh_hosts, 1);
    assert_int_equal(b.sum[HALL_RACK].fresh_hosts, 0);
    tells(&b, 0, 0);                                        /* drawing nothing is a word too */
    assert_int_equal(b.sum[HALL_MAIN].fresh_hosts, 2);
}

/* Shares of 1.0 elsewhere leave nothing that is certain; the host still vouches. */
static void a_host_that_may_draw_all_elsewhere_adds_nothing_and_is_heard(void **state)
{
    (void)state;
    struct permit_hall b;
    build(&b);
    b.hall.host[0].cord_count = 2;
    b.hall.host[0].cord[1].node = HALL_RACK;
    start(&b, 1u << HALL_LEFT | 1u << HALL_RACK);
    tells(&b, 0, 9 * HALL_KW);
    assert_int_equal(b.sum[HALL_LEFT].reported_mw, 0);
    assert_int_equal(b.sum[HALL_LEFT].fresh_hosts, 1);
    assert_int_equal(b.sum[HALL_RACK].fresh_hosts, 1);
}

/* 10 kW told, of which hosts may be wrong by 5 %, against a meter that may be low by 1 %: 9.5 kW is more than
 * 1.01 times 9405 W, and not than 1.01 times 9406 W. */
static void a_meter_reads_low_where_it_shows_less_than_was_told_and_errors_explain(void **state)
{
    (void)state;
    for (int64_t w = 9405; w <= 9406; w++) {
        struct permit_hall b;
        build(&b);
        start(&b, 1u << HALL_LEFT);
        tells(&b, 0, 4 * HALL_KW);
        tells(&b, 1, 6 * HALL_KW);
        reads(&b, HALL_LEFT, w * HALL_W);
        b.t_ns += STEP_NS;
        reads(&b, HALL_LEFT, w * HALL_W);
        assert_int_equal(b.meter[HALL_LEFT].low_ns > 0, w == 9405);
    }
}

/* The meters of left and right add up to 10 kW, each 1 % off, the one of the main too: 9.8 kW is more than
 * 1.01 times 9702 W, and not than 1.01 times 9703 W. */
static void a_meter_reads_low_where_those_below_it_add_up_to_more(void **state)
{
    (void)state;
    for (int64_t w = 9702; w <= 9703; w++) {
        struct permit_hall b;
        build(&b);
        start(&b, 1u << HALL_MAIN);
        assert_true(b.meter[HALL_LEFT].watched && b.meter[HALL_RIGHT].watched);
        assert_false(b.meter[HALL_RACK].watched);
        reads(&b, HALL_LEFT, 7 * HALL_KW);
        reads(&b, HALL_RIGHT, 3 * HALL_KW);
        reads(&b, HALL_MAIN, w * HALL_W);
        b.t_ns += STEP_NS;
        reads(&b, HALL_MAIN, w * HALL_W);
        assert_int_equal(b.meter[HALL_MAIN].low_ns > 0, w == 9702);
    }
}

/* What it repeats once it is no longer fresh is no reading of a child. */
static void a_frozen_meter_is_nobodys_child(void **state)
{
    (void)state;
    struct permit_hall b;
    build(&b);
    start(&b, 1u << HALL_MAIN);
    b.meter[HALL_LEFT].repeats = true;
    b.meter[HALL_LEFT].until_ns = b.t_ns;
    reads(&b, HALL_LEFT, 7 * HALL_KW);
    assert_int_equal(b.sum[HALL_MAIN].fresh_children, 1);
    b.t_ns++;
    reads(&b, HALL_LEFT, 7 * HALL_KW);
    assert_int_equal(b.sum[HALL_MAIN].fresh_children, 0);
    assert_int_equal(b.sum[HALL_MAIN].children_mw, 0);
    tells(&b, 0, 90 * HALL_KW);
    reads(&b, HALL_MAIN, 7 * HALL_KW);
    b.t_ns += STEP_NS;
    b.meter[HALL_MAIN].repeats = true;
    int64_t low_ns = b.meter[HALL_MAIN].low_ns;
    reads(&b, HALL_MAIN, 7 * HALL_KW);                      /* nor does it gather doubt */
    assert_int_equal(b.meter[HALL_MAIN].low_ns, low_ns);
    b.meter[HALL_MAIN].repeats = false;
    b.t_ns += STEP_NS;
    reads(&b, HALL_MAIN, 7 * HALL_KW);
    assert_true(b.meter[HALL_MAIN].low_ns > low_ns);
}

/* 10 ms of doubt a reading; a quarter of that leaks away while nothing is doubted; never more than 1 s. */
static void doubt_gathers_and_leaks_away_four_times_as_slowly(void **state)
{
    (void)state;
    struct permit_hall b;
    build(&b);
    start(&b, 1u << HALL_LEFT);
    reads(&b, HALL_LEFT, 1 * HALL_KW);
    b.meter[HALL_LEFT].low_ns = 0;
    tells(&b, 0, 4 * HALL_KW);
    for (int64_t i = 1; i <= 20; i++) {
        b.t_ns += STEP_NS;
        reads(&b, HALL_LEFT, 1 * HALL_KW);
        assert_int_equal(b.meter[HALL_LEFT].low_ns, i * STEP_NS);
    }
    for (int64_t i = 1; i <= 4; i++) {
        b.t_ns += STEP_NS;
        reads(&b, HALL_LEFT, 4 * HALL_KW);
        assert_int_equal(b.meter[HALL_LEFT].low_ns, 20 * STEP_NS - i * STEP_NS / 4);
    }
    b.meter[HALL_LEFT].low_ns = STEP_NS / 4 - 1;
    b.t_ns += STEP_NS;
    reads(&b, HALL_LEFT, 4 * HALL_KW);
    assert_int_equal(b.meter[HALL_LEFT].low_ns, 0);
    tells(&b, 0, 9 * HALL_KW);
    b.meter[HALL_LEFT].low_ns = 2 * PERMIT_DOUBT_NS - 1;
    b.t_ns += STEP_NS;
    reads(&b, HALL_LEFT, 1 * HALL_KW);
    assert_int_equal(b.meter[HALL_LEFT].low_ns, 2 * PERMIT_DOUBT_NS);
}

/* After a silence of more than T_fresh a reading counts for one period; after just T_fresh for all of it. */
static void what_nobody_read_is_doubted_once(void **state)
{
    (void)state;
    struct permit_hall b;
    build(&b);
    start(&b, 1u << HALL_LEFT);
    tells(&b, 0, 4 * HALL_KW);
    reads(&b, HALL_LEFT, 1 * HALL_KW);
    b.meter[HALL_LEFT].low_ns = b.meter[HALL_LEFT].alone_ns = 0;
    b.t_ns += 50 * NS_PER_MS;
    reads(&b, HALL_LEFT, 1 * HALL_KW);
    assert_int_equal(b.meter[HALL_LEFT].low_ns, 50 * NS_PER_MS);
    assert_int_equal(b.meter[HALL_LEFT].alone_ns, 50 * NS_PER_MS);
    b.t_ns += 50 * NS_PER_MS + 1;
    reads(&b, HALL_LEFT, 1 * HALL_KW);
    assert_int_equal(b.meter[HALL_LEFT].low_ns, 66 * NS_PER_MS);
    assert_int_equal(b.meter[HALL_LEFT].alone_ns, 66 * NS_PER_MS);
}

/* What was told is held against the highest reading of the last four stretches of 100 ms. */
static void the_highest_of_the_last_moments_counts(void **state)
{
    (void)state;
    struct permit_hall b;
    build(&b);
    start(&b, 1u << HALL_LEFT);
    reads(&b, HALL_LEFT, 4 * HALL_KW);
    tells(&b, 0, 4 * HALL_KW);
    b.t_ns += 99 * NS_PER_MS;
    reads(&b, HALL_LEFT, 1 * HALL_KW);                      /* still of the first stretch */
    b.meter[HALL_LEFT].low_ns = 0;
    for (int stretch = 0; stretch < 3; stretch++) {
        b.t_ns += stretch ? 100 * NS_PER_MS : NS_PER_MS;
        reads(&b, HALL_LEFT, 1 * HALL_KW);
        assert_int_equal(b.meter[HALL_LEFT].low_ns, 0);
    }
    b.t_ns += 99 * NS_PER_MS;
    reads(&b, HALL_LEFT, 1 * HALL_KW);
    assert_int_equal(b.meter[HALL_LEFT].low_ns, 0);
    b.t_ns += NS_PER_MS;
    reads(&b, HALL_LEFT, 1 * HALL_KW);
    assert_true(b.meter[HALL_LEFT].low_ns > 0);
    reads(&b, HALL_LEFT, 4 * HALL_KW);
    permit_weigh_silent(&b.permits, HALL_LEFT);             /* and nothing of before a silence */
    b.t_ns += NS_PER_MS;
    int64_t low_ns = b.meter[HALL_LEFT].low_ns;
    reads(&b, HALL_LEFT, 1 * HALL_KW);
    assert_int_equal(b.meter[HALL_LEFT].low_ns, low_ns + NS_PER_MS);
}

/* ---- who vouches ---- */

/* Of five hosts below the main four do, three do not; of four three do. */
static void three_quarters_of_the_hosts_vouch(void **state)
{
    (void)state;
    for (uint32_t hosts = 4; hosts <= 5; hosts++) {
        struct permit_hall b;
        build(&b);
        b.hall.model.host_count = hosts;
        start(&b, 1u << HALL_MAIN);
        reads(&b, HALL_MAIN, 9 * HALL_KW);
        for (uint32_t told = 1; told <= hosts; told++) {
            tells(&b, told - 1, HALL_KW);
            b.meter[HALL_MAIN].alone_ns = 0;
            b.t_ns += STEP_NS;
            reads(&b, HALL_MAIN, 9 * HALL_KW);
            assert_int_equal(b.meter[HALL_MAIN].alone_ns, told >= hosts - 1 ? 0 : STEP_NS);
        }
    }
}

/* A node without hosts has nobody who vouches. */
static void nobody_is_not_three_quarters_of_nobody(void **state)
{
    (void)state;
    struct permit_hall b;
    build(&b);
    b.hall.model.host_count = 2;
    start(&b, 1u << HALL_RACK);
    b.meter[HALL_RACK].alone_ns = 7;
    reads(&b, HALL_RACK, 0);
    assert_true(b.meter[HALL_RACK].alone_ns >= 7);
}

static int64_t alone_after(struct permit_hall *bench, uint32_t node, int64_t power_mw)
{
    bench->meter[node].weighed_ns = bench->t_ns;
    bench->meter[node].alone_ns = 0;
    bench->t_ns += STEP_NS;
    reads(bench, node, power_mw);
    return bench->meter[node].alone_ns;
}

/* The main reads 10 kW, which is 9.8 less the errors of both: that is what those below must add up to. */
static void the_meters_below_vouch_where_they_add_up(void **state)
{
    (void)state;
    struct permit_hall b;
    build(&b);
    start(&b, 1u << HALL_MAIN);
    reads(&b, HALL_LEFT, 6800 * HALL_W);
    assert_int_equal(alone_after(&b, HALL_MAIN, 6 * HALL_KW), STEP_NS); /* one of two is no sum */
    reads(&b, HALL_RIGHT, 3 * HALL_KW);
    assert_int_equal(alone_after(&b, HALL_MAIN, 10 * HALL_KW), 0);
    reads(&b, HALL_RIGHT, 3 * HALL_KW - 1);
    assert_int_equal(alone_after(&b, HALL_MAIN, 10 * HALL_KW), STEP_NS);
    reads(&b, HALL_RIGHT, 3 * HALL_KW);
    permit_weigh_silent(&b.permits, HALL_LEFT);
    assert_int_equal(b.sum[HALL_MAIN].children_mw, 3 * HALL_KW);
    assert_int_equal(b.sum[HALL_MAIN].fresh_children, 1);
    permit_weigh_silent(&b.permits, HALL_LEFT);             /* twice silent is as silent */
    assert_int_equal(b.sum[HALL_MAIN].fresh_children, 1);
    assert_int_equal(alone_after(&b, HALL_MAIN, 2 * HALL_KW), STEP_NS);
    reads(&b, HALL_LEFT, HALL_KW);
    assert_int_equal(b.sum[HALL_MAIN].fresh_children, 2);
    assert_int_equal(b.sum[HALL_MAIN].children_mw, 4 * HALL_KW);
}

/* Hosts of its own would be missing in the sum of the meters below. */
static void meters_below_vouch_for_no_node_with_hosts_of_its_own(void **state)
{
    (void)state;
    struct permit_hall b;
    build(&b);
    start(&b, 1u << HALL_RIGHT);
    reads(&b, HALL_RACK, 5 * HALL_KW);
    assert_int_equal(b.sum[HALL_RIGHT].fresh_children, 1);
    assert_int_equal(alone_after(&b, HALL_RIGHT, 5 * HALL_KW), STEP_NS);
    b.hall.node[HALL_RIGHT].host_count = 0;
    assert_int_equal(alone_after(&b, HALL_RIGHT, 5 * HALL_KW), 0);
}

/* Left lends, the main over it does not: where the main reads no more than left and right add up to, left
 * does not read low. */
static void the_meter_above_vouches_with_those_beside(void **state)
{
    (void)state;
    struct permit_hall b;
    build(&b);
    start(&b, 1u << HALL_LEFT);
    assert_true(b.meter[HALL_LEFT].counts_above && b.meter[HALL_MAIN].watched);
    assert_false(b.meter[HALL_RIGHT].counts_above);         /* nobody asks for it, nobody is asked */
    b.hall.node[HALL_MAIN].child_count = 1;
    b.meter[HALL_MAIN].newest_mw = 10 * HALL_KW;
    b.meter[HALL_MAIN].armed = true;
    assert_int_equal(alone_after(&b, HALL_LEFT, 9800 * HALL_W), 0);
    assert_int_equal(alone_after(&b, HALL_LEFT, 9800 * HALL_W - 1), STEP_NS);
    b.meter[HALL_MAIN].armed = false;                       /* silent itself */
    assert_int_equal(alone_after(&b, HALL_LEFT, 9800 * HALL_W), STEP_NS);
    b.meter[HALL_MAIN].armed = true;
    b.meter[HALL_MAIN].node = HALL_RACK;                    /* of another node */
    assert_int_equal(alone_after(&b, HALL_LEFT, 9800 * HALL_W), STEP_NS);
}

/* A node on two feeds is a part of neither: its load divides in a way that nobody knows. */
static void a_node_on_two_feeds_counts_at_neither(void **state)
{
    (void)state;
    struct permit_hall b;
    build(&b);
    b.hall.node[HALL_RACK].parent_count = 2;
    b.hall.node[HALL_RACK].parent[1] = HALL_LEFT;
    start(&b, 1u << HALL_RIGHT | 1u << HALL_LEFT);
    assert_false(b.meter[HALL_RACK].counts_above);
    assert_false(b.meter[HALL_RACK].watched);
}

/* Hosts tell of 1 MW, 5 % of which they may be wrong by, and the meter has no error: 950 kW are believed, a
 * milliwatt less is doubted. Volts are no watts. */
static void doubt_begins_at_a_milliwatt_below_what_hosts_tell(void **state)
{
    (void)state;
    for (int64_t less = 0; less < 2; less++) {
        struct permit_hall b;
        build(&b);
        b.hall.meter[HALL_LEFT].error_ppm = 0;
        start(&b, 1u << HALL_LEFT);
        b.sum[HALL_LEFT].reported_mw = 1000 * HALL_KW;
        b.meter[HALL_LEFT].weighed_ns = b.t_ns - STEP_NS;
        struct reading reading = {.meter = HALL_LEFT, .voltage_mv = {100000, 100000, 100000},
                                  .power_mw = {900 * HALL_KW, 50 * HALL_KW - 7, 7 - less}};
        permit_weigh_reading(&b.permits, HALL_LEFT, &reading, b.t_ns);
        assert_int_equal(b.meter[HALL_LEFT].newest_mw, 950 * HALL_KW - less);
        assert_int_equal(b.meter[HALL_LEFT].low_ns, less * STEP_NS);
    }
}

/* Of a meter that falls silent nothing that it read stands, and nothing else changes. */
static void silence_forgets_every_stretch(void **state)
{
    (void)state;
    struct permit_hall b;
    build(&b);
    start(&b, 1u << HALL_LEFT);
    struct permit_node *p = &b.meter[HALL_LEFT];
    for (uint32_t i = 0; i < PERMIT_STRETCHES; i++)
        p->highest_mw[i] = 5 * HALL_KW;
    p->stretch_ns = 41;
    permit_weigh_silent(&b.permits, HALL_LEFT);
    for (uint32_t i = 0; i < PERMIT_STRETCHES; i++)
        assert_int_equal(p->highest_mw[i], 0);
    assert_int_equal(p->stretch_ns, 41);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_no_cord_elsewhere_can_carry_certainly_flows_here),
        cmocka_unit_test(a_host_that_may_draw_all_elsewhere_adds_nothing_and_is_heard),
        cmocka_unit_test(a_meter_reads_low_where_it_shows_less_than_was_told_and_errors_explain),
        cmocka_unit_test(a_meter_reads_low_where_those_below_it_add_up_to_more),
        cmocka_unit_test(a_frozen_meter_is_nobodys_child),
        cmocka_unit_test(doubt_gathers_and_leaks_away_four_times_as_slowly),
        cmocka_unit_test(what_nobody_read_is_doubted_once),
        cmocka_unit_test(the_highest_of_the_last_moments_counts),
        cmocka_unit_test(three_quarters_of_the_hosts_vouch),
        cmocka_unit_test(nobody_is_not_three_quarters_of_nobody),
        cmocka_unit_test(the_meters_below_vouch_where_they_add_up),
        cmocka_unit_test(meters_below_vouch_for_no_node_with_hosts_of_its_own),
        cmocka_unit_test(the_meter_above_vouches_with_those_beside),
        cmocka_unit_test(a_node_on_two_feeds_counts_at_neither),
        cmocka_unit_test(doubt_begins_at_a_milliwatt_below_what_hosts_tell),
        cmocka_unit_test(silence_forgets_every_stretch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
