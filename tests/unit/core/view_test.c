/* SPDX-License-Identifier: Apache-2.0 */
/* What status shows of nodes and hosts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "core/sums.h"
#include "stand.h"

static void start(struct stand *stand)
{
    stand_site(stand);
    stand_start(stand);
}

static void start_admitted(struct stand *stand)
{
    start(stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
}

static void a_node_is_shown_with_its_sums_and_the_newest_reading_of_its_meter(void **state)
{
    (void)state;
    struct stand stand;
    struct core_node_view view;
    start_admitted(&stand);
    stand_wait(&stand, 3);
    stand_reading(&stand, BRANCH_A, 1500000);
    struct ledger_sums *sums = &stand.core->ledger.node[BRANCH_A];
    for (uint32_t p = 0; p < PHASES; p++) {
        sums->exposed_mva[0][p] = 100 + p;
        sums->newest_mva[0][p] = 200 + p;
        sums->limit_mva[0][p] = 300 + p;
    }
    memset(&view, 0xFF, sizeof view);
    core_node_view(stand.core, BRANCH_A, &view);
    for (uint32_t p = 0; p < PHASES; p++) {
        assert_int_equal(view.exposure_mva[p], 100 + p);
        assert_int_equal(view.newest_mva[p], 200 + p);
        assert_int_equal(view.limit_mva[p], 300 + p);
    }
    assert_int_equal(view.measured_mw, 4500000);
    assert_int_equal(view.reading_t_ns, stand.t_ns);
    assert_false(view.emergency);
    assert_false(view.recovery);
    core_node_view(stand.core, BRANCH_B, &view);
    assert_int_equal(view.measured_mw, -1);
    assert_int_equal(view.reading_t_ns, 0);
    stand_stop(&stand);
}

static void a_node_is_shown_in_recovery_when_any_phase_is_above_its_limit(void **state)
{
    (void)state;
    struct stand stand;
    struct core_node_view view;
    start_admitted(&stand);
    for (uint32_t p = 0; p < PHASES; p++) {
        struct ledger_sums *sums = &stand.core->ledger.node[BRANCH_A];
        int64_t limit_mva = sums->ceiling_mva[0][p];
        sums->ceiling_mva[0][p] = sums->exposed_mva[0][p];
        memset(&view, 0xFF, sizeof view);
        core_node_view(stand.core, BRANCH_A, &view);
        assert_false(view.recovery);
        sums->ceiling_mva[0][p]--;
        memset(&view, 0, sizeof view);
        core_node_view(stand.core, BRANCH_A, &view);
        assert_true(view.recovery);
        sums->ceiling_mva[0][p] = limit_mva;
    }
    stand_stop(&stand);
}

/* What is told of a sum is of its phase, else its terms would not add up to it. */
static void what_hosts_own_figures_add_is_told_of_the_phase_that_leaves_least(void **state)
{
    (void)state;
    static const int64_t more_mva[PHASES] = {1000000, 5000000, 3000000};
    struct stand stand;
    struct core_node_view view;
    start_admitted(&stand);
    sums_add_standing(&stand.core->ledger, BRANCH_A, more_mva, RECOVERY_TOLD);
    core_node_view(stand.core, BRANCH_A, &view);
    assert_int_equal(view.exposed.phase, 1);
    assert_int_equal(view.raised_mva, 5000000);
    assert_int_equal(view.exposed.sum_mva, 2 * FAIL_SAFE_MW + 5000000);
    stand_stop(&stand);
}

static void a_node_without_a_meter_shows_no_measurement(void **state)
{
    (void)state;
    struct stand stand;
    struct core_node_view view;
    start_admitted(&stand);
    stand_reading(&stand, BRANCH_A, 9000000);
    stand.node[BRANCH_A].meter = INDEX_NONE;
    memset(&view, 0x55, sizeof view);
    core_node_view(stand.core, BRANCH_A, &view);
    assert_int_equal(view.measured_mw, -1);
    assert_int_equal(view.reading_t_ns, -1);
    assert_true(view.emergency);
    stand_stop(&stand);
}

/* What steers a node: its contract and what it is held against, its pool, its ramps. */
static void a_node_is_shown_with_what_steers_it(void **state)
{
    (void)state;
    struct stand stand;
    struct core_node_view view;
    stand_site(&stand);
    stand.node[MAIN].ramp_up_mw_per_s = 4000000;
    stand.node[MAIN].ramp_down_mw_per_s = 7000000;
    stand.node[BRANCH_A].level_mva = 10000000;
    stand.node[BRANCH_A].level_burst_mva = 11000000;
    stand.node[BRANCH_A].burst_credit_va_ns_max = 1000 * NS_PER_S;
    stand_start(&stand);
    memset(&view, 0x55, sizeof view);
    core_node_view(stand.core, MAIN, &view);
    assert_int_equal(view.ramp_up_mw_per_s, 4000000);
    assert_int_equal(view.ramp_down_mw_per_s, 7000000);
    assert_int_equal(view.pool_level_mva, 0);
    stand.core->pools.node[BRANCH_A].credit_va_ns = 250 * NS_PER_S;
    stand.core->pools.node[BRANCH_A].ahead_mva[0][1] = 123456;
    int64_t forecast_mva = stand.core->pools.node[BRANCH_A].drawn_mva[0][1] + 123456;
    core_node_view(stand.core, BRANCH_A, &view);
    assert_int_equal(view.ramp_up_mw_per_s, 0);
    assert_int_equal(view.ramp_down_mw_per_s, 0);
    assert_int_equal(view.pool_level_mva, 11000000);
    assert_int_equal(view.pool_load_mva, forecast_mva);
    assert_int_equal(view.pool_credit_ppm, 250000);
    stand_stop(&stand);
}

static void a_host_is_shown_with_its_account(void **state)
{
    (void)state;
    struct stand stand;
    struct core_host_view view;
    start(&stand);
    memset(&view, 0x55, sizeof view);
    core_host_view(stand.core, 1, &view);
    assert_int_equal(view.lease_mw, -1);
    assert_int_equal(view.incarnation, 0);
    assert_false(view.accepted);
    stand.host[1].draw_mw = 1234567;
    stand_admit(&stand, 1);
    core_host_view(stand.core, 1, &view);
    assert_int_equal(view.lease_mw, FAIL_SAFE_MW);
    assert_int_equal(view.exposure_mw, FAIL_SAFE_MW);
    assert_int_equal(view.draw_mw, 1234567);
    assert_int_equal(view.report_t_ns, stand.t_ns);
    assert_int_equal(view.incarnation, 0x1001);
    assert_int_equal(view.state, HOST_LEASED);
    assert_int_equal(view.why, WHY_RENEWAL);
    assert_true(view.accepted);
    stand_stop(&stand);
}

static uint8_t basis_of(const struct stand *stand)
{
    struct core_host_view view = {.basis = EXPOSURE_BASIS_COUNT};
    core_host_view(stand->core, 1, &view);
    return view.basis;
}

static void what_an_exposure_is_made_of_is_said(void **state)
{
    (void)state;
    struct stand stand;
    start(&stand);
    struct ledger_host *h = &stand.core->ledger.host[1];
    assert_int_equal(basis_of(&stand), BASIS_UNHEARD);
    stand_admit(&stand, 1);
    assert_int_equal(basis_of(&stand), BASIS_FAIL_SAFE);
    h->newest_mw = h->unretired[0].cap_mw = FAIL_SAFE_MW + 1;
    h->unretired_count = 1;
    assert_int_equal(basis_of(&stand), BASIS_LEASE);
    h->newest_mw = FAIL_SAFE_MW;
    assert_int_equal(basis_of(&stand), BASIS_OLDER_LEASE);
    /* from here on at phys_max; the first reason in this order is the one told */
    h->bounded = false;
    assert_int_equal(basis_of(&stand), BASIS_NOT_SHOWN);
    h->state = HOST_BOOT;
    assert_int_equal(basis_of(&stand), BASIS_BOOT);
    h->flags = REPORT_DEVICE_LOST;
    assert_int_equal(basis_of(&stand), BASIS_DEVICE_LOST);
    h->accepted = false;
    assert_int_equal(basis_of(&stand), BASIS_NOT_ACCEPTED);
    h->incarnation = 0;
    assert_int_equal(basis_of(&stand), BASIS_UNHEARD);
    stand.core->ledger.enforcing = false;
    assert_int_equal(basis_of(&stand), BASIS_NOT_ENFORCED);
    stand_stop(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_is_shown_with_its_sums_and_the_newest_reading_of_its_meter),
        cmocka_unit_test(a_node_is_shown_in_recovery_when_any_phase_is_above_its_limit),
        cmocka_unit_test(what_hosts_own_figures_add_is_told_of_the_phase_that_leaves_least),
        cmocka_unit_test(a_node_without_a_meter_shows_no_measurement),
        cmocka_unit_test(a_node_is_shown_with_what_steers_it),
        cmocka_unit_test(a_host_is_shown_with_its_account),
        cmocka_unit_test(what_an_exposure_is_made_of_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
