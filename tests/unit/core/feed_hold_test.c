/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A feed that is lost, or back, holds raises until it was so for feed_stable (safety.md section 11), where
 * reserves are kept. Hosts 0 and 1 draw from both branches, host 2 hangs on BRANCH_B alone and host 3 on the
 * main. BRANCH_A is lost under contingency 1, its meter bears witness, and B carries all of 0 and 1 then; the
 * main carries no more than before. Stable is a minute.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "core/pace.h"
#include "stand.h"

#define KW INT64_C(1000000)

enum { LOSS = 1 };

static void site(struct stand *stand)
{
    stand_site(stand);
    stand->model.policy.feed_stable_ns = 60 * NS_PER_S;
    stand->model.contingency_count = 2;
    stand->model.contingency[LOSS] =
        (struct model_contingency){.name = "lose A", .kind = CONTINGENCY_LOSS, .lasting = 1,
                                   .lost_node = BRANCH_A, .witness = BRANCH_A};
    for (uint32_t n = 0; n < STAND_NODES; n++)
        for (uint32_t i = 0; i < 2 * PHASES; i++)
            stand->node[n].limit_mva[i / PHASES][i % PHASES] = 100 * KW;
    for (uint32_t h = 0; h < STAND_HOSTS; h++) {
        struct model_host *host = &stand->host_model[h];
        host->cord[0].node = h < 2 ? BRANCH_A : h == 2 ? BRANCH_B : MAIN;
        host->cord[0].share_ppm[LOSS] = 1000000;
        if (h >= 2)
            continue;
        host->cord_count = 2;
        host->cord[1] = host->cord[0];
        host->cord[1].node = BRANCH_B;
        host->cord[0].share_ppm[0] = host->cord[1].share_ppm[0] = 550000;
        host->cord[0].share_ppm[LOSS] = 0;
    }
}

static void open_stand(struct stand *stand)
{
    stand_start(stand);
    for (uint32_t h = 0; h < STAND_HOSTS; h++)
        stand_admit(stand, h);
}

/* What the meter of BRANCH_A says of its feed. */
static void feed(struct stand *stand, bool alive)
{
    struct slot slot;
    memset(&slot, 0, sizeof slot);
    slot.kind = SLOT_READING;
    slot.reading = (struct reading){.meter = BRANCH_A, .sequence = ++stand->readings,
                                    .t_meter_ns = stand->t_ns, .t_arrival_ns = stand->t_ns,
                                    .crest_milli = 1414};
    for (uint32_t p = 0; alive && p < PHASES; p++) {
        slot.reading.voltage_mv[p] = 100000;
        slot.reading.current_ma[p] = 1000 + (int64_t)stand->readings;
    }
    stand_step(stand, &slot);
}

static uint32_t held(const struct stand *stand, uint32_t host)
{
    return hold_feed_of(&stand->core->holds, host, stand->t_ns);
}

static void seen(struct stand *stand)
{
    site(stand);
    open_stand(stand);
    feed(stand, true);
}

/* A minute from the loss, also while the feed stays lost; the return begins it anew. */
static void raises_wait_a_minute_from_every_turn(void **state)
{
    (void)state;
    struct stand stand;
    seen(&stand);
    assert_int_equal(held(&stand, 0), 0);
    feed(&stand, false);
    assert_int_equal(held(&stand, 0), LOSS);
    stand_wait(&stand, 60 * NS_PER_S - 1);
    feed(&stand, false);                                    /* no turn */
    assert_int_equal(held(&stand, 0), LOSS);
    stand_wait(&stand, 1);
    assert_int_equal(held(&stand, 0), 0);
    feed(&stand, true);
    assert_int_equal(held(&stand, 0), LOSS);
    stand_wait(&stand, 30 * NS_PER_S);
    feed(&stand, false);
    stand_wait(&stand, 60 * NS_PER_S - 1);
    assert_int_equal(held(&stand, 0), LOSS);
    stand_wait(&stand, 1);
    assert_int_equal(held(&stand, 0), 0);
    stand_stop(&stand);
}

static void it_holds_what_hangs_on_the_feed_or_on_its_survivor_alone(void **state)
{
    (void)state;
    struct stand stand;
    seen(&stand);
    feed(&stand, false);
    assert_int_equal(held(&stand, 1), LOSS);
    assert_int_equal(held(&stand, 2), LOSS);
    assert_int_equal(held(&stand, 3), 0);
    struct core_node_view view;
    for (uint32_t n = 0; n < STAND_NODES; n++) {
        core_node_view(stand.core, n, &view);
        assert_int_equal(view.hold_until_ns, n == MAIN ? 0 : stand.t_ns + 60 * NS_PER_S);
    }
    stand_stop(&stand);
}

/* Everybody could use 9 kW: within the minute host 3 alone is given more, after it all are. */
static void no_lease_is_raised_before_the_feed_is_stable(void **state)
{
    (void)state;
    for (int back = 0; back < 2; back++) {
        struct stand stand;
        seen(&stand);
        if (back) {
            feed(&stand, false);
            stand_wait(&stand, 60 * NS_PER_S);
        }
        feed(&stand, back);
        int64_t cap_mw[STAND_HOSTS];
        for (uint32_t h = 0; h < STAND_HOSTS; h++) {
            cap_mw[h] = stand.host[h].last.cap_mw;
            stand.host[h].draw_mw = 9 * KW;
            stand.host[h].flags = REPORT_AT_CAP;
        }
        stand_run(&stand, 59 * NS_PER_S);
        for (uint32_t h = 0; h < 3; h++)
            assert_int_equal(stand.host[h].last.cap_mw, cap_mw[h]);
        assert_true(stand.host[3].last.cap_mw > 9 * KW);
        assert_int_equal(stand.core->bound[0].term, BOUND_FEED);
        assert_int_equal(stand.core->bound[0].node, BRANCH_A);
        stand_run(&stand, 2 * NS_PER_S);
        for (uint32_t h = 0; h < 3; h++)
            assert_true(stand.host[h].last.cap_mw > 9 * KW);
        stand_stop(&stand);
    }
}

/* Cuts that protect, orders and claims wait for nothing; a host below its floor is back at it. */
static void cuts_claims_and_floors_do_not_wait(void **state)
{
    (void)state;
    struct stand stand;
    seen(&stand);
    ledger_enter(&stand.core->ledger, 0, 5 * KW);
    feed(&stand, false);
    assert_int_equal(pace_cap_mw(stand.core, 0, 3 * KW, WHY_LIMIT), 3 * KW);
    assert_int_equal(pace_cap_mw(stand.core, 0, 3 * KW, WHY_ORDER), 3 * KW);
    assert_int_equal(pace_cap_mw(stand.core, 0, 3 * KW, WHY_CUT), 3 * KW);
    assert_int_equal(pace_cap_mw(stand.core, 0, 9 * KW, WHY_SHARE), 5 * KW);
    ledger_enter(&stand.core->ledger, 0, FLOOR_MW / 2);
    assert_int_equal(pace_cap_mw(stand.core, 0, 9 * KW, WHY_SHARE), FLOOR_MW);
    stand.host[1].incarnation++;
    struct report report = stand_report_of(&stand, 1, HOST_BOOT, 0);
    assert_int_equal(stand_report(&stand, &report)->cap_mw, FAIL_SAFE_MW);
    stand_stop(&stand);
}

/* A start is no turn, however the feed is seen first; what is dead then was lost some time, and a witness
 * that falls silent shows nothing. */
static void a_start_is_no_turn_and_silence_is_none(void **state)
{
    (void)state;
    struct stand stand;
    site(&stand);
    open_stand(&stand);
    assert_int_equal(held(&stand, 0), 0);
    stand_run(&stand, 3 * NS_PER_S);                        /* nobody sees the feed */
    assert_int_equal(held(&stand, 0), 0);
    feed(&stand, true);
    assert_int_equal(held(&stand, 0), 0);
    stand_run(&stand, 3 * NS_PER_S);
    assert_int_equal(held(&stand, 0), 0);
    feed(&stand, true);
    assert_int_equal(held(&stand, 0), 0);
    stand_stop(&stand);
    site(&stand);
    open_stand(&stand);
    feed(&stand, false);
    assert_int_equal(held(&stand, 0), LOSS);
    stand_stop(&stand);
}

/* Supplies of both hosts dark on A: as good as a witness, without one. */
static void hosts_whose_inputs_are_dark_show_it_too(void **state)
{
    (void)state;
    struct stand stand;
    site(&stand);
    stand.model.contingency[LOSS].witness = INDEX_NONE;
    open_stand(&stand);
    for (uint32_t h = 0; h < 2; h++) {
        assert_int_equal(held(&stand, 0), 0);
        struct report report = stand_report_of(&stand, h, HOST_LEASED, A_NS);
        report.flags |= REPORT_PSU_KNOWN;
        report.psu_inputs = 2;
        stand_report(&stand, &report);
    }
    assert_int_equal(held(&stand, 0), LOSS);
    stand_stop(&stand);
}

static void without_a_time_for_it_nothing_waits(void **state)
{
    (void)state;
    struct stand stand;
    site(&stand);
    stand.model.policy.feed_stable_ns = 0;
    open_stand(&stand);
    feed(&stand, true);
    feed(&stand, false);
    assert_int_equal(held(&stand, 0), 0);
    stand_stop(&stand);
}

/* The wait is handed over with the feed, from when it turned. */
static void a_take_over_keeps_the_wait(void **state)
{
    (void)state;
    struct stand stand;
    seen(&stand);
    feed(&stand, false);
    struct permit_feed handed[CONTINGENCIES_MAX];
    memcpy(handed, stand.core->permits.feed, sizeof handed);
    stand_start(&stand);
    stand_wait(&stand, 10 * NS_PER_S);
    permit_hand_feeds(&stand.core->permits, handed, stand.t_ns);
    stand_wait(&stand, 50 * NS_PER_S - 1);
    assert_int_equal(held(&stand, 0), LOSS);
    stand_wait(&stand, 1);
    assert_int_equal(held(&stand, 0), 0);
    feed(&stand, false);                                    /* still, and no turn */
    assert_int_equal(held(&stand, 0), 0);
    stand_stop(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raises_wait_a_minute_from_every_turn),
        cmocka_unit_test(it_holds_what_hangs_on_the_feed_or_on_its_survivor_alone),
        cmocka_unit_test(no_lease_is_raised_before_the_feed_is_stable),
        cmocka_unit_test(cuts_claims_and_floors_do_not_wait),
        cmocka_unit_test(a_start_is_no_turn_and_silence_is_none),
        cmocka_unit_test(hosts_whose_inputs_are_dark_show_it_too),
        cmocka_unit_test(without_a_time_for_it_nothing_waits),
        cmocka_unit_test(a_take_over_keeps_the_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
