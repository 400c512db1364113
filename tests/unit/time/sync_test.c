/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "msg/limits.h"
#include "time/sync.h"

static const struct sync_rules rules = {.within_ns = 10000, .settle_ns = 5 * NS_PER_S,
                                        .lost_ns = 4 * NS_PER_S, .budget_ns = NS_PER_MS};

static struct sync_seen all_well(int64_t now_ns)
{
    return (struct sync_seen){.now_ns = now_ns, .answered = true, .has_master = true, .is_traceable = true,
                              .sample_ns = now_ns - NS_PER_MS, .half_ns = 2000};
}

/* One look a second, `seconds` long, as `seen` has it. */
static void pass(struct sync *sync, struct sync_seen seen, int64_t *now_ns, int seconds)
{
    int64_t behind_ns = seen.now_ns - seen.sample_ns;
    for (int i = 0; i < seconds; i++) {
        *now_ns += NS_PER_S;
        seen.now_ns = *now_ns;
        seen.sample_ns = *now_ns - behind_ns;
        sync_look(sync, &rules, &seen);
        seen.another = false;
    }
}

static void it_locks_after_five_good_seconds_and_not_before(void **state)
{
    (void)state;
    struct sync sync = {0};
    int64_t now_ns = 100 * NS_PER_S;
    for (int i = 0; i < 5; i++) {
        pass(&sync, all_well(now_ns), &now_ns, 1);
        assert_int_equal(sync.state, SYNC_UNSYNC);
        assert_int_equal(sync.fault, SYNC_SETTLING);
    }
    pass(&sync, all_well(now_ns), &now_ns, 1);
    assert_int_equal(sync.state, SYNC_LOCKED);
    assert_int_equal(sync.fault, SYNC_GOOD);
    assert_int_equal(sync.locks, 1);
    assert_int_equal(sync.since_ns, now_ns);
}

static void each_fault_leads_to_holdover_and_is_named(void **state)
{
    (void)state;
    for (int fault = SYNC_DEAF; fault <= SYNC_ROUGH; fault++) {
        struct sync sync = {0};
        int64_t now_ns = 100 * NS_PER_S;
        pass(&sync, all_well(now_ns), &now_ns, 8);
        struct sync_seen seen = all_well(now_ns);
        seen.answered = fault != SYNC_DEAF;
        seen.has_master = fault != SYNC_ORPHAN;
        seen.is_traceable = fault != SYNC_CLASS;
        seen.no_estimate = fault == SYNC_NO_ESTIMATE;
        seen.is_foreign = fault == SYNC_STAMPS;
        seen.sample_ns = now_ns - (fault == SYNC_SILENT ? 4 * NS_PER_S + 1 : 0);
        seen.half_ns = fault == SYNC_ROUGH ? 10001 : 2000;
        pass(&sync, seen, &now_ns, fault == SYNC_ROUGH ? SYNC_ROUGH_LOOKS : 1);
        assert_int_equal(sync.state, SYNC_HOLDOVER);
        assert_int_equal(sync.fault, fault);
        assert_int_equal(sync.losses, 1);
        /* nothing worse than holdover while the budget lasts */
        pass(&sync, seen, &now_ns, 100);
        assert_int_equal(sync.state, SYNC_HOLDOVER);
        /* and it has to be good for as long as at first */
        pass(&sync, all_well(now_ns), &now_ns, 5);
        assert_int_equal(sync.state, SYNC_HOLDOVER);
        pass(&sync, all_well(now_ns), &now_ns, 1);
        assert_int_equal(sync.state, SYNC_LOCKED);
        assert_int_equal(sync.losses, 1);
        assert_int_equal(sync.locks, 2);
    }
}

/* Samples that stray are told; only as many in a row as make a step end it, or one that is far off. */
static void a_rough_look_or_two_are_no_loss(void **state)
{
    (void)state;
    struct sync sync = {0};
    int64_t now_ns = 100 * NS_PER_S;
    pass(&sync, all_well(now_ns), &now_ns, 8);
    for (int i = 0; i < 5; i++) {
        struct sync_seen rough = all_well(now_ns);
        rough.half_ns = NS_PER_MS;
        pass(&sync, rough, &now_ns, SYNC_ROUGH_LOOKS - 1);
        assert_int_equal(sync.state, SYNC_LOCKED);
        assert_int_equal(sync.fault, SYNC_ROUGH);
        pass(&sync, all_well(now_ns), &now_ns, 1);
        assert_int_equal(sync.state, SYNC_LOCKED);
        assert_int_equal(sync.fault, SYNC_GOOD);
    }
    struct sync_seen far = all_well(now_ns);
    far.half_ns = NS_PER_MS + 1;
    pass(&sync, far, &now_ns, 1);
    assert_int_equal(sync.state, SYNC_UNSYNC);
    assert_int_equal(sync.losses, 1);
}

static void holdover_ends_where_its_budget_does(void **state)
{
    (void)state;
    struct sync sync = {0};
    int64_t now_ns = 100 * NS_PER_S;
    pass(&sync, all_well(now_ns), &now_ns, 8);
    struct sync_seen seen = all_well(now_ns);
    seen.answered = false;
    seen.half_ns = NS_PER_MS;
    pass(&sync, seen, &now_ns, 10);
    assert_int_equal(sync.state, SYNC_HOLDOVER);
    seen.half_ns = NS_PER_MS + 1;
    pass(&sync, seen, &now_ns, 1);
    assert_int_equal(sync.state, SYNC_UNSYNC);
    assert_int_equal(sync.losses, 1);
    /* there is no way back to holdover but through locked */
    seen.half_ns = 2000;
    pass(&sync, seen, &now_ns, 10);
    assert_int_equal(sync.state, SYNC_UNSYNC);
}

static void another_grandmaster_has_to_settle_anew(void **state)
{
    (void)state;
    struct sync sync = {0};
    int64_t now_ns = 100 * NS_PER_S;
    pass(&sync, all_well(now_ns), &now_ns, 8);
    struct sync_seen seen = all_well(now_ns);
    seen.another = true;
    pass(&sync, seen, &now_ns, 1);
    assert_int_equal(sync.state, SYNC_HOLDOVER);
    assert_int_equal(sync.fault, SYNC_SETTLING);
    pass(&sync, all_well(now_ns), &now_ns, 5);
    assert_int_equal(sync.state, SYNC_LOCKED);
}

static void a_site_may_believe_every_grandmaster(void **state)
{
    (void)state;
    struct sync_rules lenient = rules;
    struct sync sync = {0};
    lenient.any_class = true;
    for (int64_t now_ns = NS_PER_S; now_ns <= 8 * NS_PER_S; now_ns += NS_PER_S) {
        struct sync_seen seen = all_well(now_ns);
        seen.is_traceable = false;
        sync_look(&sync, &lenient, &seen);
    }
    assert_int_equal(sync.state, SYNC_LOCKED);
}

static void states_and_faults_have_names(void **state)
{
    (void)state;
    assert_string_equal(sync_state_name(SYNC_LOCKED), "locked");
    assert_string_equal(sync_state_name(SYNC_STATE_COUNT), "-");
    assert_string_equal(sync_fault_name(SYNC_ORPHAN), "no_master");
    assert_string_equal(sync_fault_name(SYNC_FAULT_COUNT), "-");
    assert_true(strlen(sync_fault_meaning(SYNC_SILENT)) > 10);
    assert_string_equal(sync_fault_meaning(SYNC_FAULT_COUNT), "-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_locks_after_five_good_seconds_and_not_before),
        cmocka_unit_test(each_fault_leads_to_holdover_and_is_named),
        cmocka_unit_test(a_rough_look_or_two_are_no_loss),
        cmocka_unit_test(holdover_ends_where_its_budget_does),
        cmocka_unit_test(another_grandmaster_has_to_settle_anew),
        cmocka_unit_test(a_site_may_believe_every_grandmaster),
        cmocka_unit_test(states_and_faults_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
