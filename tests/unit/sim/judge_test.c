/* SPDX-License-Identifier: Apache-2.0 */
/* What the judge lets pass, and what it does not: a device may draw no more than its cap counts for, also in
 * the milliseconds in which its supplies fill again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/core.h"
#include "fault_bench.h"
#include "sim/judge.h"

enum { CAP_W = 4000, INRUSH_W = 2000 };

/* Host 0 has a lease of 4 kW of cap, and counts with just that at a controller that knows nothing else. */
struct court {
    struct bench *bench;
    struct core core;
    struct judge judge;
};

static struct court *open_court(void)
{
    struct court *court = calloc(1, sizeof *court);
    assert_non_null(court);
    struct bench *bench = court->bench = bench_start(0.97);
    bench_run(bench, 500);
    bench_lease(bench, 0, CAP_W, 60000);
    bench_run(bench, 2500);
    for (uint32_t n = 0; n < bench->model.node_count; n++)
        bench->model.node[n].limited = false;       /* hosts alone are judged here */
    court->core.model = &bench->model;
    court->core.ledger.host = calloc(bench->model.host_count, sizeof *court->core.ledger.host);
    assert_non_null(court->core.ledger.host);
    for (uint32_t h = 0; h < bench->model.host_count; h++) {
        struct ledger_host *known = &court->core.ledger.host[h];
        known->bounded = true;
        known->fail_safe_mw = h ? bench->model.type[0].cap_max_mw : CAP_W * 1000;
    }
    bench->plant.host[0].boot_w = bench->plant.host[0].phys_max_w + INRUSH_W;
    assert_int_equal(judge_init(&court->judge, &bench->plant, &bench->station), 0);
    return court;
}

static void close_court(struct court *court)
{
    judge_finish(&court->judge);
    free(court->core.ledger.host);
    bench_finish(court->bench);
    free(court);
}

/* So many steps; how often somebody was found above what counts for them. */
static uint64_t judged(struct court *court, int steps)
{
    uint64_t before = court->judge.figures.exposure_short;
    for (int i = 0; i < steps; i++) {
        bench_run(court->bench, court->bench->plant.t_ns / NS_PER_MS + 1);
        judge_step(&court->judge, &court->core);
    }
    return court->judge.figures.exposure_short - before;
}

/* A device that draws more for its cap than its type says, without a fault that anybody knows of. */
static void make_disobey(struct court *court, double beyond)
{
    struct gpuhost_trouble trouble = {.overdraw = beyond};
    gpuhost_trouble(&court->bench->plant.host[0], &trouble);
}

static void who_keeps_its_cap_is_not_told(void **state)
{
    struct court *court = open_court();
    (void)state;
    assert_int_equal(judged(court, 200), 0);
    close_court(court);
}

static void a_cap_above_what_counts_is_told(void **state)
{
    struct court *court = open_court();
    (void)state;
    court->core.ledger.host[0].fail_safe_mw -= 1;
    assert_int_equal(judged(court, 10 * JUDGE_TURNS), 10);
    close_court(court);
}

static void a_draw_above_what_counts_is_told(void **state)
{
    struct court *court = open_court();
    (void)state;
    make_disobey(court, 0.1);
    assert_int_equal(judged(court, 10 * JUDGE_TURNS), 10);
    close_court(court);
}

static void what_fills_supplies_again_is_no_draw_of_the_devices(void **state)
{
    struct court *court = open_court();
    struct gpuhost *host = &court->bench->plant.host[0];
    (void)state;
    double before_w = host->power_w;
    gpuhost_refill(host, court->bench->plant.t_ns);
    assert_int_equal(judged(court, 1), 0);
    assert_true(host->power_w > before_w + INRUSH_W - 1);
    assert_int_equal(judged(court, 3 * JUDGE_TURNS), 0);
    assert_true(host->power_w < before_w + 1);
    close_court(court);
}

static void while_supplies_fill_a_draw_above_what_counts_is_told_all_the_same(void **state)
{
    struct court *court = open_court();
    (void)state;
    make_disobey(court, 0.1);
    gpuhost_refill(&court->bench->plant.host[0], court->bench->plant.t_ns);
    assert_int_equal(judged(court, 2 * JUDGE_TURNS), 2);
    close_court(court);
}

/* The controller hears of nothing, so nothing here is excused by what it should know. */
static void what_was_drawn_at_driver_defaults_may_settle_once_a_cap_is_written(void **state)
{
    struct court *court = open_court();
    const struct gpuhost *host = &court->bench->plant.host[0];
    (void)state;
    bench_fault(court->bench, "stall h-000 1s", true);
    bench_fault(court->bench, "reset h-000", true);
    assert_int_equal(judged(court, 1000), 0);
    assert_true(host->cap_mw == GPUHOST_UNCAPPED && host->power_w > 9000);
    bench_run(court->bench, 3510);
    while (host->cap_mw == GPUHOST_UNCAPPED)
        assert_int_equal(judged(court, 1), 0);
    assert_true(host->power_w > 9000 && host->cap_mw < CAP_W * 1000);
    assert_int_equal(judged(court, 120), 0);
    assert_true(host->power_w < 4000);
    make_disobey(court, 1.5);
    assert_int_equal(judged(court, 10 * JUDGE_TURNS), 10);
    close_court(court);
}

/* The faults themselves excuse: nothing that they do is the controller's. */
static void a_known_overdraw_or_overshoot_is_excused_while_it_stands(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_OVERDRAW, FAULT_OVERSHOOT};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct court *court = open_court();
        const struct fault fault = {.kind = kinds[i], .at_host = true, .for_ns = NS_PER_S, .amount = 0.1};
        judge_fault(&court->judge, &fault, true);
        make_disobey(court, 0.1);
        assert_int_equal(judged(court, 200), 0);
        judge_fault(&court->judge, &fault, false);
        assert_int_equal(judged(court, 200), 0);
        court->judge.host[0].draw_until_ns = 0;         /* long enough for anybody to have heard of it */
        assert_int_equal(judged(court, 10 * JUDGE_TURNS), 10);
        close_court(court);
    }
}

/* Neither touches a cap: the account of it must hold while they stand and after. */
static void an_overdraw_or_overshoot_excuses_no_cap_above_what_counts(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_OVERDRAW, FAULT_OVERSHOOT};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct court *court = open_court();
        const struct fault fault = {.kind = kinds[i], .at_host = true, .for_ns = NS_PER_S, .amount = 0.1};
        judge_fault(&court->judge, &fault, true);
        court->core.ledger.host[0].fail_safe_mw -= 1;
        assert_int_equal(judged(court, 10 * JUDGE_TURNS), 10);
        judge_fault(&court->judge, &fault, false);
        assert_int_equal(judged(court, 10 * JUDGE_TURNS), 10);
        close_court(court);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_keeps_its_cap_is_not_told),
        cmocka_unit_test(a_cap_above_what_counts_is_told),
        cmocka_unit_test(a_draw_above_what_counts_is_told),
        cmocka_unit_test(what_fills_supplies_again_is_no_draw_of_the_devices),
        cmocka_unit_test(while_supplies_fill_a_draw_above_what_counts_is_told_all_the_same),
        cmocka_unit_test(what_was_drawn_at_driver_defaults_may_settle_once_a_cap_is_written),
        cmocka_unit_test(a_known_overdraw_or_overshoot_is_excused_while_it_stands),
        cmocka_unit_test(an_overdraw_or_overshoot_excuses_no_cap_above_what_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
