/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts and sums at their edges: what a hand-over and a new incarnation leave of an account, and what
 * arbitration is told has moved. safety.md sections 3 to 5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/sums.h"
#include "hall.h"

enum { EPOCH = 7, BEFORE = 5 };
#define FAIL_SAFE (2 * HALL_KW)
#define PHYS_MAX (12 * HALL_KW)

struct desk {
    struct hall hall;
    uint8_t host_moved[HALL_HOSTS + 1], node_moved[HALL_NODES + 1];
    uint32_t fell[HALL_NODES + 1];
    uint8_t marked[HALL_NODES + 1];
};

static void start(struct desk *desk)
{
    memset(desk, 0, sizeof *desk);
    hall_build(&desk->hall);
    desk->hall.model.contingency_count = CONTINGENCIES_MAX;
    hall_open(&desk->hall);
    desk->hall.ledger.moved = (struct ledger_moved){desk->host_moved, desk->node_moved};
    desk->hall.ledger.fell = (struct ledger_fell){.node = desk->fell, .marked = desk->marked};
}

static struct report report_of(const struct ledger_host *account, uint64_t epoch)
{
    return (struct report){
        .host = 0, .incarnation = account->incarnation, .epoch = epoch, .number = account->report + 1,
        .applied = account->sequence, .held_ns = 100 * NS_PER_MS, .cap_mw = FAIL_SAFE,
        .readback_mw = FAIL_SAFE, .fail_safe_mw = FAIL_SAFE, .phys_max_mw = PHYS_MAX, .state = HOST_LEASED,
    };
}

static uint32_t give(struct desk *desk, const struct report *report, int64_t t_ns)
{
    uint32_t retired;
    return ledger_report(&desk->hall.ledger, report, t_ns, &retired);
}

static const struct slot_account handed_over = {
    .host = 0, .incarnation = 500, .epoch = BEFORE, .report = 60, .sequence = 30, .newest_mw = 4 * HALL_KW,
    .exposed_mw = 5 * HALL_KW, .fail_safe_mw = FAIL_SAFE + 1, .phys_max_mw = PHYS_MAX + 1,
    .age_ns = 40 * NS_PER_MS, .bounded = 1, .accepted = 1,
};

static void an_account_taken_over_is_what_was_handed_and_nothing_else(void **state)
{
    (void)state;
    struct desk desk;
    start(&desk);
    struct ledger_host *account = &desk.hall.account[0];
    struct report report = report_of(account, EPOCH);
    report.draw_mw = 777;
    report.flags = REPORT_AT_CAP;
    give(&desk, &report, HALL_T_NS + 1);
    account->former[0] = (struct ledger_former){44, 4};
    account->back = 44;
    account->backs = 2;
    ledger_take_over(&desk.hall.ledger, &handed_over, HALL_T_NS + 2);
    assert_int_equal(desk.hall.ledger.handed_epoch, BEFORE);
    assert_int_equal(account->incarnation, 500);
    assert_int_equal(account->report, 60);
    assert_int_equal(account->sequence, 30);
    assert_int_equal(account->first, 31);
    assert_int_equal(account->newest_mw, 4 * HALL_KW);
    assert_int_equal(account->fail_safe_mw, FAIL_SAFE + 1);
    assert_int_equal(account->phys_max_mw, PHYS_MAX + 1);
    assert_int_equal(account->state, HOST_LEASED);
    assert_true(account->bounded && account->handed && !account->accepted);
    assert_int_equal(account->unretired_count, 1);
    assert_int_equal(account->unretired[0].sequence, 30);
    assert_int_equal(account->unretired[0].cap_mw, 5 * HALL_KW);
    assert_int_equal(account->exposed_draw_mw, 5 * HALL_KW);
    assert_int_equal(account->newest_draw_mw, 4 * HALL_KW);
    assert_int_equal(account->safe_draw_mw, FAIL_SAFE + 1);
    /* heard so long ago that nobody takes what it wanted for what it wants */
    assert_int_equal(account->report_t_ns, HALL_T_NS + 2 - 40 * NS_PER_MS - NS_PER_S);
    /* nothing of what stood there before */
    assert_int_equal(account->draw_mw, 0);
    assert_int_equal(account->flags, 0);
    assert_int_equal(account->former[0].incarnation, 0);
    assert_int_equal(account->backs, 0);
    assert_int_equal(desk.hall.sums[HALL_LEFT].exposed_mva[0][0], 7 * HALL_KW);
}

static void a_hand_over_ends_with_the_first_word_under_another_epoch(void **state)
{
    (void)state;
    struct desk desk;
    start(&desk);
    struct ledger_host *account = &desk.hall.account[0];
    ledger_take_over(&desk.hall.ledger, &handed_over, HALL_T_NS + 2);
    struct report report = report_of(account, BEFORE);
    report.applied = 30;
    give(&desk, &report, HALL_T_NS + 3);
    assert_true(account->handed);
    report = report_of(account, EPOCH);
    give(&desk, &report, HALL_T_NS + 4);
    assert_false(account->handed);
    assert_true(account->accepted);
}

static void a_new_incarnation_was_handed_over_by_nobody(void **state)
{
    (void)state;
    struct desk desk;
    start(&desk);
    struct ledger_host *account = &desk.hall.account[0];
    ledger_take_over(&desk.hall.ledger, &handed_over, HALL_T_NS + 2);
    struct report report = report_of(account, BEFORE);
    report.incarnation = 501;
    report.number = 1;
    assert_int_equal(give(&desk, &report, HALL_T_NS + 3) & LEDGER_RESET, LEDGER_RESET);
    assert_false(account->handed);
    assert_false(ledger_governs(account));
}

/* Two words of the one that lives are two; the third brings it back, once the other was silent for D. */
static void it_takes_three_reports_to_come_back(void **state)
{
    (void)state;
    struct desk desk;
    start(&desk);
    struct ledger_host *account = &desk.hall.account[0];
    struct report report = report_of(account, EPOCH), live = report;
    report.incarnation = 900;
    report.number = 1;
    assert_int_equal(give(&desk, &report, HALL_T_NS + 1) & LEDGER_RESET, LEDGER_RESET);
    const int64_t t_ns = HALL_T_NS + 2 + NS_PER_S;
    assert_int_equal(give(&desk, &live, t_ns), LEDGER_STALE);
    assert_int_equal(account->backs, 1);
    live.number++;
    assert_int_equal(give(&desk, &live, t_ns), LEDGER_STALE);
    assert_int_equal(account->backs, 2);
    live.number++;
    assert_int_equal(give(&desk, &live, t_ns) & LEDGER_RESET, LEDGER_RESET);
    assert_int_equal(account->backs, 0);
    assert_int_equal(account->incarnation, live.incarnation);
}

static void leaving_enforce_concerns_the_hosts_of_the_site_and_nobody_behind_them(void **state)
{
    (void)state;
    struct desk desk;
    start(&desk);
    desk.hall.host[HALL_HOSTS] = desk.hall.host[0];
    ledger_enforce(&desk.hall.ledger, false);
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        assert_int_equal(desk.hall.account[h].exposed_draw_mw, PHYS_MAX);
    for (uint32_t i = 0; i < CONTINGENCIES_MAX * PHASES; i++) {
        assert_int_equal(desk.hall.sums[HALL_MAIN].exposed_mva[i / PHASES][i % PHASES], 5 * PHYS_MAX);
        assert_int_equal(desk.hall.sums[HALL_LEFT].newest_mva[i / PHASES][i % PHASES], 2 * PHYS_MAX);
    }
}

static void what_no_cap_governs_stands_from_the_start(void **state)
{
    (void)state;
    struct desk desk;
    memset(&desk, 0, sizeof desk);
    hall_build(&desk.hall);
    desk.hall.type.base_max_mw = 700 * HALL_W;
    hall_open(&desk.hall);
    assert_int_equal(desk.hall.sums[HALL_MAIN].ungoverned_mva[0][1], 5 * 700 * HALL_W);
    assert_int_equal(desk.hall.sums[HALL_RACK].ungoverned_mva[0][2], 2 * 700 * HALL_W);
}

static void arbitration_is_told_of_what_moved(void **state)
{
    (void)state;
    struct desk desk;
    start(&desk);
    struct ledger *ledger = &desk.hall.ledger;
    ledger_sent(ledger, 0, 3 * HALL_KW);
    assert_int_equal(desk.host_moved[0], 1);
    assert_int_equal(desk.host_moved[1], 0);
    ledger_scale_limit(ledger, HALL_RACK, PPM);         /* it is that already */
    assert_int_equal(desk.node_moved[HALL_RACK], 0);
    ledger_scale_limit(ledger, HALL_RACK, 900000);
    assert_int_equal(desk.node_moved[HALL_RACK], 1);
    assert_int_equal(desk.node_moved[HALL_RIGHT], 0);
    /* what may be lent moves, the steady limit does not; and the other way round */
    memset(desk.node_moved, 0, sizeof desk.node_moved);
    struct ledger_lend lend = {.contingencies = 0xFF, .lendable_ma = 20000000, .admissible_ma = 21000000};
    ledger_lend(ledger, HALL_RACK, &lend);
    assert_int_equal(desk.node_moved[HALL_RACK], 1);
    desk.node_moved[HALL_RACK] = 0;
    ledger_lend(ledger, HALL_RACK, &lend);
    assert_int_equal(desk.node_moved[HALL_RACK], 0);
    static const int64_t more_mva[PHASES] = {HALL_KW, 2 * HALL_KW, 0};
    sums_add_standing(ledger, HALL_LEFT, more_mva, RECOVERY_TOLD);
    assert_int_equal(desk.node_moved[HALL_LEFT], 1);
    assert_int_equal(ledger->cause, RECOVERY_NONE);
}

/* What S leaves is known to be less from the moment on at which something more stands there. */
static void what_stands_more_leaves_less(void **state)
{
    (void)state;
    struct desk desk;
    start(&desk);
    struct ledger *ledger = &desk.hall.ledger;
    struct ledger_sums *sums = &desk.hall.sums[HALL_LEFT];
    assert_false(sums_over(ledger, 0, SUM_NEWEST));
    assert_false(sums_over(ledger, 0, SUM_EXPOSED));
    int64_t left_mva = 996 * HALL_KW;       /* of 1 MVA */
    sums->left_mva[SUM_NEWEST] = sums->left_mva[SUM_EXPOSED] = left_mva;
    static const int64_t more_mva[PHASES] = {HALL_KW, 2 * HALL_KW, 0};
    sums_add_standing(ledger, HALL_LEFT, more_mva, RECOVERY_TOLD);
    assert_int_equal(sums->left_mva[SUM_NEWEST], left_mva - 2 * HALL_KW);
    assert_int_equal(sums->left_mva[SUM_EXPOSED], left_mva - 2 * HALL_KW);
    assert_int_equal(sums->raised_mva[1], 2 * HALL_KW);
    for (uint32_t i = 0; i < CONTINGENCIES_MAX * PHASES; i++) {
        assert_int_equal(sums->exposed_mva[i / PHASES][i % PHASES], 4 * HALL_KW + more_mva[i % PHASES]);
        assert_int_equal(sums->newest_mva[i / PHASES][i % PHASES], 4 * HALL_KW + more_mva[i % PHASES]);
        assert_int_equal(sums->safe_mva[i / PHASES][i % PHASES], 4 * HALL_KW + more_mva[i % PHASES]);
        assert_int_equal(sums->ungoverned_mva[i / PHASES][i % PHASES], more_mva[i % PHASES]);
    }
}

static void a_rise_in_recovery_is_one_more_event_and_a_fall_is_none(void **state)
{
    (void)state;
    struct desk desk;
    start(&desk);
    struct ledger *ledger = &desk.hall.ledger;
    struct ledger_sums *sums = &desk.hall.sums[HALL_RACK];
    for (uint32_t i = 0; i < CONTINGENCIES_MAX * PHASES; i++)
        sums->ceiling_mva[i / PHASES][i % PHASES] = sums->limit_mva[i / PHASES][i % PHASES] = 5 * HALL_KW;
    hall_look_again(&desk.hall);
    static const int64_t one_mva[PHASES] = {HALL_KW, HALL_KW, HALL_KW};
    static const int64_t less_mva[PHASES] = {-1, -1, -1};
    sums_add_standing(ledger, HALL_RACK, one_mva, RECOVERY_TOLD);      /* 5 of 5 kVA */
    assert_int_equal(sums->recovery_events, 0);
    assert_int_equal(ledger->over_count, 0);
    sums_add_standing(ledger, HALL_RACK, one_mva, RECOVERY_TOLD);
    assert_int_equal(sums->recovery_events, 1);
    assert_int_equal(ledger->over_count, CONTINGENCIES_MAX * PHASES);
    assert_int_equal(ledger->recoveries[RECOVERY_TOLD], 1);
    sums_add_standing(ledger, HALL_RACK, less_mva, RECOVERY_TOLD);
    assert_int_equal(sums->recovery_events, 1);
    sums_add_standing(ledger, HALL_RACK, one_mva, RECOVERY_TOLD);
    assert_int_equal(sums->recovery_events, 2);
    assert_int_equal(ledger->recoveries[RECOVERY_TOLD], 1);
    assert_false(ledger->unexplained);
}

/* A figure above the type's raises the round; every host and every node has its turn once. */
static void the_round_of_bad_figures_comes_round(void **state)
{
    (void)state;
    struct desk desk;
    start(&desk);
    struct ledger *ledger = &desk.hall.ledger;
    desk.hall.node[HALL_LEFT].k = 1;
    struct report report = report_of(&desk.hall.account[0], EPOCH);
    report.phys_max_mw = PHYS_MAX + HALL_KW;
    give(&desk, &report, HALL_T_NS + 1);
    assert_int_equal(desk.hall.sums[HALL_LEFT].excess_mva, HALL_KW);
    uint32_t turns = HALL_HOSTS + HALL_NODES;
    for (uint32_t i = 0; i < 2 * turns; i++) {
        assert_int_equal(ledger->bad.cursor, i % turns);
        sums_lower_bad(ledger, 1);
    }
    assert_int_equal(desk.hall.sums[HALL_LEFT].excess_mva, HALL_KW);
}

/* Half of host 0 hangs on each branch: of what it takes more LEFT sees half, and that fits to the last mVA in
 * every cell at once. */
static void what_fits_exactly_everywhere_fits(void **state)
{
    (void)state;
    struct desk desk;
    memset(&desk, 0, sizeof desk);
    hall_build(&desk.hall);
    desk.hall.model.contingency_count = CONTINGENCIES_MAX;
    struct model_host *host = &desk.hall.host[0];
    host->cord_count = CORDS_MAX;
    for (uint32_t j = 0; j < CORDS_MAX; j++) {
        host->cord[j].node = j % 2 ? HALL_RACK : HALL_LEFT;
        for (uint32_t c = 0; c < CONTINGENCIES_MAX; c++)
            host->cord[j].share_ppm[c] = 250000;
    }
    hall_open(&desk.hall);
    struct ledger_sums *sums = &desk.hall.sums[HALL_LEFT];
    for (uint32_t i = 0; i < CONTINGENCIES_MAX * PHASES; i++)
        sums->limit_mva[i / PHASES][i % PHASES] = 6 * HALL_KW;
    hall_look_again(&desk.hall);
    assert_true(sums_fit(&desk.hall.ledger, 0, SUM_NEWEST, FAIL_SAFE, 8 * HALL_KW));
    assert_false(sums_fit(&desk.hall.ledger, 0, SUM_NEWEST, FAIL_SAFE, 8 * HALL_KW + 4));
    assert_false(sums_over(&desk.hall.ledger, 0, SUM_NEWEST));
    assert_true(ledger_sent(&desk.hall.ledger, 0, 8 * HALL_KW));
    assert_int_equal(sums->newest_mva[CONTINGENCIES_MAX - 1][PHASES - 1], 6 * HALL_KW);
    assert_int_equal(desk.hall.sums[HALL_MAIN].newest_mva[0][0], 16 * HALL_KW);
}

static void a_mark_begins_with_the_most_of_all_contingencies(void **state)
{
    (void)state;
    for (uint32_t most = 0; most < CONTINGENCIES_MAX; most++) {
        struct desk desk;
        start(&desk);
        desk.hall.sums[HALL_LEFT].exposed_mva[most][1] = 50 * HALL_KW;
        ledger_mark_exposed(&desk.hall.ledger, HALL_LEFT);
        assert_int_equal(desk.hall.sums[HALL_LEFT].highest_mva[0], 4 * HALL_KW);
        assert_int_equal(desk.hall.sums[HALL_LEFT].highest_mva[1], 50 * HALL_KW);
    }
}

static void what_fell_is_noted_once_and_forgotten(void **state)
{
    (void)state;
    struct desk desk;
    start(&desk);
    for (int turn = 0; turn < 2; turn++) {
        ledger_scale_limit(&desk.hall.ledger, HALL_RACK, 3000);
        ledger_scale_limit(&desk.hall.ledger, HALL_LEFT, 3000);
        ledger_scale_limit(&desk.hall.ledger, HALL_LEFT, 2000);
        assert_int_equal(desk.hall.ledger.fell.count, 2);
        assert_int_equal(desk.marked[HALL_RACK], 1);
        sums_forget_fallen(&desk.hall.ledger);
        assert_int_equal(desk.hall.ledger.fell.count, 0);
        for (uint32_t n = 0; n < HALL_NODES; n++)
            assert_int_equal(desk.marked[n], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_taken_over_is_what_was_handed_and_nothing_else),
        cmocka_unit_test(a_hand_over_ends_with_the_first_word_under_another_epoch),
        cmocka_unit_test(a_new_incarnation_was_handed_over_by_nobody),
        cmocka_unit_test(it_takes_three_reports_to_come_back),
        cmocka_unit_test(leaving_enforce_concerns_the_hosts_of_the_site_and_nobody_behind_them),
        cmocka_unit_test(what_no_cap_governs_stands_from_the_start),
        cmocka_unit_test(arbitration_is_told_of_what_moved),
        cmocka_unit_test(what_stands_more_leaves_less),
        cmocka_unit_test(a_rise_in_recovery_is_one_more_event_and_a_fall_is_none),
        cmocka_unit_test(what_fits_exactly_everywhere_fits),
        cmocka_unit_test(a_mark_begins_with_the_most_of_all_contingencies),
        cmocka_unit_test(what_fell_is_noted_once_and_forgotten),
        cmocka_unit_test(the_round_of_bad_figures_comes_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
