/* SPDX-License-Identifier: Apache-2.0 */
/* The round of recoveries by hand in the hall: safety.md section 5, I1c. X is worked out with fractions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/recovery.h"
#include "hall.h"

struct round {
    struct hall hall;
    struct recovery recovery;
    struct recovery_node node[HALL_NODES];
};

static void open_round(struct round *round)
{
    hall_build(&round->hall);
    hall_open(&round->hall);
    memset(round->node, 0x5A, sizeof round->node);      /* what memory held before */
    round->recovery = (struct recovery){.node = round->node};
    recovery_init(&round->recovery, &round->hall.model, &round->hall.ledger, &round->hall.emergencies);
}

/* Every node once, and all hosts below those whose time is over. */
static void go_round(struct round *round, int64_t t_ns)
{
    round->hall.ledger.over_count = 1;
    recovery_part(&round->recovery, t_ns, 100);
}

static void push_over(struct round *round, uint32_t node, uint32_t contingency, uint32_t phase)
{
    struct ledger_sums *sums = &round->hall.sums[node];
    sums->exposed_mva[contingency][phase] = sums->ceiling_mva[contingency][phase] + 1;
}

/* X = (D / (1 - rho) + A)(1 + rho), then A and D / 2: never less than the exact value in nanoseconds, never
 * more than 4 ms above it, wherever the divisions fall. */
static void the_time_is_never_less_than_its_formula(void **state)
{
    static const struct {
        int64_t lease_ns, actuation_ns, rho_ppm;
    } of[] = {{1000000000, 100000000, 10000}, {1000889999, 99999999, 10000}, {1000889999, 100000000, 10000},
              {500000000, 0, 0},              {2000000000, 50000001, 200},   {989999, 999999, 10000},
              {989999, 0, 10000},             {1979999, 999998, 10000},      {600000001, 40000003, 500}};
    (void)state;
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct hall hall;
        hall_build(&hall);
        hall.model.policy.lease_ns = of[i].lease_ns;
        hall.model.policy.rho_ppm = (int32_t)of[i].rho_ppm;
        hall.type.actuation_ns = of[i].actuation_ns;
        long double rho = (long double)of[i].rho_ppm / 1000000, lease = (long double)of[i].lease_ns;
        long double actuation = (long double)of[i].actuation_ns;
        long double exact = (lease / (1 - rho) + actuation) * (1 + rho) + actuation + lease / 2;
        int64_t within_ns = recovery_within_ns(&hall.model);
        assert_true((long double)within_ns >= exact - 1);       /* D / 2 is of whole nanoseconds */
        assert_true((long double)within_ns <= exact + 4000000);
    }
}

/* The slowest host type's, wherever it stands. */
static void the_slowest_type_sets_it(void **state)
{
    (void)state;
    for (uint32_t slow = 0; slow < 3; slow++) {
        struct hall hall;
        struct model_host_type type[3];
        hall_build(&hall);
        int64_t within_ns = recovery_within_ns(&hall.model);
        for (uint32_t i = 0; i < 3; i++) {
            type[i] = hall.type;
            type[i].actuation_ns = i == slow ? 100 * NS_PER_MS : 0;
        }
        hall.model.type = type;
        hall.model.type_count = 3;
        assert_int_equal(recovery_within_ns(&hall.model), within_ns);
    }
}

static void at_first_no_node_is_in_recovery_whatever_memory_held(void **state)
{
    (void)state;
    struct round round;
    open_round(&round);
    for (uint32_t n = 0; n < HALL_NODES; n++) {
        assert_int_equal(round.node[n].since_ns, INT64_MAX);
        assert_false(round.node[n].overdue);
        assert_int_equal(round.node[n].held_by.silent + round.node[n].held_by.bad, 0);
    }
    go_round(&round, HALL_T_NS);
    assert_int_equal(round.recovery.open, 0);
}

static void any_phase_of_any_contingency_above_its_ceiling_is_one(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < HALL_NODES; n++) {
        for (uint32_t i = 0; i < 2 * PHASES; i++) {
            struct round round;
            open_round(&round);
            round.hall.model.contingency_count = 2;
            for (uint32_t p = 0; p < PHASES; p++)
                for (uint32_t k = 0; k < HALL_NODES; k++)
                    round.hall.sums[k].ceiling_mva[1][p] = 50 * HALL_KW;
            push_over(&round, n, i / PHASES, i % PHASES);
            go_round(&round, HALL_T_NS);
            for (uint32_t k = 0; k < HALL_NODES; k++)
                assert_int_equal(round.node[k].since_ns, k == n ? HALL_T_NS : INT64_MAX);
            assert_int_equal(round.recovery.open, 1);
        }
    }
}

static void at_its_ceiling_a_node_is_in_none_nor_by_a_contingency_that_is_not_declared(void **state)
{
    (void)state;
    struct round round;
    open_round(&round);
    push_over(&round, HALL_LEFT, 1, 0);
    push_over(&round, HALL_RACK, 0, 1);
    round.hall.sums[HALL_RACK].exposed_mva[0][1]--;
    go_round(&round, HALL_T_NS);
    assert_int_equal(round.node[HALL_LEFT].since_ns, INT64_MAX);
    assert_int_equal(round.node[HALL_RACK].since_ns, INT64_MAX);
    assert_int_equal(round.recovery.open, 0);
}

/* What is open keeps the round going without the ledger's count, until the last is seen to be over. */
static void the_round_goes_on_until_every_recovery_is_over(void **state)
{
    (void)state;
    struct round round;
    open_round(&round);
    push_over(&round, HALL_LEFT, 0, 0);
    push_over(&round, HALL_RACK, 0, 2);
    go_round(&round, HALL_T_NS);
    assert_int_equal(round.recovery.open, 2);
    round.hall.ledger.over_count = 0;
    round.hall.sums[HALL_LEFT].exposed_mva[0][0] = 0;
    recovery_part(&round.recovery, HALL_T_NS + 1, HALL_NODES);
    assert_int_equal(round.recovery.open, 1);
    assert_int_equal(round.node[HALL_LEFT].since_ns, INT64_MAX);
    assert_int_equal(round.node[HALL_RACK].since_ns, HALL_T_NS);
    round.hall.sums[HALL_RACK].exposed_mva[0][2] = 0;
    recovery_part(&round.recovery, HALL_T_NS + 2, HALL_NODES);
    assert_int_equal(round.recovery.open, 0);
    assert_int_equal(round.node[HALL_RACK].since_ns, INT64_MAX);
    uint32_t at = round.recovery.at;
    recovery_part(&round.recovery, HALL_T_NS + 3, HALL_NODES - 1);
    assert_int_equal(round.recovery.at, at);
}

/* Hosts are counted beyond X, A and D / 2, not at it; and what they held is forgotten with the recovery. */
static void hosts_are_named_beyond_its_time_and_forgotten_after_it(void **state)
{
    (void)state;
    struct round round;
    open_round(&round);
    int64_t within_ns = round.recovery.within_ns;
    push_over(&round, HALL_LEFT, 0, 0);
    round.hall.account[1].incarnation = 0;      /* never heard */
    round.hall.account[1].bounded = false;
    round.hall.account[0].exposed_draw_mw = round.hall.account[0].newest_draw_mw + 1;
    round.hall.account[0].report_t_ns = HALL_T_NS + within_ns - NS_PER_S;
    go_round(&round, HALL_T_NS);
    go_round(&round, HALL_T_NS + within_ns);
    assert_int_equal(round.node[HALL_LEFT].held_by.silent + round.node[HALL_LEFT].held_by.bad, 0);
    round.hall.account[0].report_t_ns += 1;     /* heard D ago: not silent */
    go_round(&round, HALL_T_NS + within_ns + 1);
    assert_int_equal(round.node[HALL_LEFT].held_by.silent, 1);
    assert_int_equal(round.node[HALL_LEFT].held_by.bad, 1);
    assert_false(round.node[HALL_LEFT].overdue);
    go_round(&round, HALL_T_NS + within_ns + 2);
    assert_int_equal(round.node[HALL_LEFT].held_by.silent, 2);
    round.hall.sums[HALL_LEFT].exposed_mva[0][0] = 0;
    go_round(&round, HALL_T_NS + within_ns + 3);
    assert_int_equal(round.node[HALL_LEFT].held_by.silent + round.node[HALL_LEFT].held_by.bad, 0);
    assert_int_equal(round.node[HALL_LEFT].since_ns, INT64_MAX);
}

/* What a host may draw is what its newest lease allows: it holds nothing. */
static void who_stands_at_its_newest_lease_holds_nothing(void **state)
{
    (void)state;
    struct round round;
    open_round(&round);
    push_over(&round, HALL_LEFT, 0, 0);
    go_round(&round, HALL_T_NS);
    go_round(&round, HALL_T_NS + round.recovery.within_ns + 1);
    assert_int_equal(round.node[HALL_LEFT].held_by.silent + round.node[HALL_LEFT].held_by.bad, 0);
    assert_true(round.node[HALL_LEFT].overdue);         /* nobody holds it */
    assert_int_equal(round.recovery.overdue, 1);
}

/* A newer event is a recovery of its own. */
static void an_event_begins_it_anew(void **state)
{
    (void)state;
    struct round round;
    open_round(&round);
    push_over(&round, HALL_MAIN, 0, 0);
    go_round(&round, HALL_T_NS);
    round.hall.sums[HALL_MAIN].recovery_events++;
    go_round(&round, HALL_T_NS + 5);
    assert_int_equal(round.node[HALL_MAIN].since_ns, HALL_T_NS + 5);
    go_round(&round, HALL_T_NS + 6);
    assert_int_equal(round.node[HALL_MAIN].since_ns, HALL_T_NS + 5);
    assert_int_equal(round.recovery.open, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_time_is_never_less_than_its_formula),
        cmocka_unit_test(the_slowest_type_sets_it),
        cmocka_unit_test(at_first_no_node_is_in_recovery_whatever_memory_held),
        cmocka_unit_test(any_phase_of_any_contingency_above_its_ceiling_is_one),
        cmocka_unit_test(at_its_ceiling_a_node_is_in_none_nor_by_a_contingency_that_is_not_declared),
        cmocka_unit_test(the_round_goes_on_until_every_recovery_is_over),
        cmocka_unit_test(hosts_are_named_beyond_its_time_and_forgotten_after_it),
        cmocka_unit_test(who_stands_at_its_newest_lease_holds_nothing),
        cmocka_unit_test(an_event_begins_it_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
