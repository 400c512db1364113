/* SPDX-License-Identifier: Apache-2.0 */
/* When a shed action is taken: once for an emergency, whatever ends in between; and when it is put back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/shed/shed_entry.h"

#define FIRST_NS (100 * NS_PER_S)       /* third stages of two emergencies */
#define SECOND_NS (900 * NS_PER_S)

struct bed {
    struct site_shed action;
    struct shed_entry entry;
    struct shed_seen seen;
    struct shed_now now;
    int64_t calm_since_ns;
};

static struct bed bed_of(void)
{
    return (struct bed){
        .action = {.command.count = 1, .tries = 3, .again_ns = NS_PER_S},
        .entry = {.node = "rack"},
        .now = {.ns = FIRST_NS, .wall_s = 1000},
        .calm_since_ns = INT64_MAX,
    };
}

static enum shed_act decide(struct bed *bed, int64_t after_ns)
{
    bed->now.ns += after_ns;
    bed->now.wall_s += after_ns / NS_PER_S;
    return shed_decide(&bed->action, &bed->entry, &bed->calm_since_ns, &bed->seen, &bed->now);
}

static void due(struct bed *bed, int64_t since_ns)
{
    bed->seen = (struct shed_seen){.due = true, .since_ns = since_ns};
}

static void over(struct bed *bed)
{
    bed->seen = (struct shed_seen){.over = true};
}

/* A keeper that is there. */
static void kept(struct bed *bed)
{
    bed->entry.keeper = 77;
    bed->seen.keeper_lives = true;
}

static void ends(struct bed *bed, bool well)
{
    shed_ended(&bed->action, &bed->entry, well, well ? "exit code 0" : "exit code 7", &bed->now);
    bed->seen.keeper_lives = false;
}

static void shed(struct bed *bed, int64_t since_ns)
{
    due(bed, since_ns);
    assert_int_equal(decide(bed, 0), SHED_ACT_RUN);
    kept(bed);
    ends(bed, true);
    assert_int_equal(bed->entry.state, SHED_DONE);
}

static void nothing_is_done_before_the_third_stage(void **state)
{
    (void)state;
    struct bed bed = bed_of();
    assert_int_equal(decide(&bed, 0), SHED_ACT_NOTHING);
    bed.seen.since_ns = FIRST_NS;       /* of another stage, or nothing is sent */
    assert_int_equal(decide(&bed, NS_PER_S), SHED_ACT_NOTHING);
    over(&bed);
    assert_int_equal(decide(&bed, NS_PER_S), SHED_ACT_NOTHING);
    assert_int_equal(bed.entry.state, SHED_NONE);
}

static void an_emergency_is_shed_once_and_the_next_one_again(void **state)
{
    (void)state;
    struct bed bed = bed_of();
    due(&bed, FIRST_NS);
    assert_int_equal(decide(&bed, 0), SHED_ACT_RUN);
    assert_true(bed.entry.state == SHED_RUNNING && bed.entry.tries == 1 && bed.entry.since_ns == FIRST_NS);
    kept(&bed);
    for (int i = 0; i < 50; i++)
        assert_int_equal(decide(&bed, NS_PER_S), SHED_ACT_NOTHING);
    ends(&bed, true);
    assert_true(bed.entry.state == SHED_DONE && bed.entry.keeper == 0);
    assert_string_equal(bed.entry.end, "exit code 0");
    for (int i = 0; i < 50; i++)
        assert_int_equal(decide(&bed, NS_PER_S), SHED_ACT_NOTHING);
    over(&bed);
    assert_int_equal(decide(&bed, 1000 * NS_PER_S), SHED_ACT_NOTHING);
    due(&bed, SECOND_NS);
    assert_int_equal(decide(&bed, 0), SHED_ACT_RUN);
    assert_true(bed.entry.tries == 1 && bed.entry.sheds == 2 && bed.entry.since_ns == SECOND_NS);
}

/* One that comes while the command of the one before still runs waits for its end, and no longer. */
static void one_command_at_a_time(void **state)
{
    (void)state;
    struct bed bed = bed_of();
    due(&bed, FIRST_NS);
    decide(&bed, 0);
    due(&bed, SECOND_NS);
    kept(&bed);
    assert_int_equal(decide(&bed, NS_PER_S), SHED_ACT_NOTHING);
    ends(&bed, true);
    assert_int_equal(decide(&bed, 0), SHED_ACT_RUN);
    assert_true(bed.entry.since_ns == SECOND_NS && bed.entry.tries == 1);
}

static void a_try_that_fails_is_made_again_after_a_pause_that_doubles(void **state)
{
    (void)state;
    struct bed bed = bed_of();
    due(&bed, FIRST_NS);
    assert_int_equal(decide(&bed, 0), SHED_ACT_RUN);
    ends(&bed, false);
    assert_int_equal(bed.entry.state, SHED_AGAIN);
    assert_int_equal(decide(&bed, NS_PER_S - 1), SHED_ACT_NOTHING);
    assert_int_equal(decide(&bed, 1), SHED_ACT_RUN);
    assert_int_equal(bed.entry.tries, 2);
    ends(&bed, false);
    assert_int_equal(decide(&bed, 2 * NS_PER_S - 1), SHED_ACT_NOTHING);
    assert_int_equal(decide(&bed, 1), SHED_ACT_RUN);
    assert_true(bed.entry.tries == 3 && bed.entry.sheds == 1);
    ends(&bed, false);
    assert_int_equal(bed.entry.state, SHED_FAILED);
    assert_string_equal(bed.entry.end, "exit code 7");
    assert_int_equal(decide(&bed, 1000 * NS_PER_S), SHED_ACT_NOTHING);
    due(&bed, SECOND_NS);               /* the next emergency has all its tries */
    assert_int_equal(decide(&bed, 0), SHED_ACT_RUN);
    assert_int_equal(bed.entry.tries, 1);
}

/* The file says how many there were, and may say anything. */
static void a_pause_has_an_end_whatever_the_file_says(void **state)
{
    (void)state;
    struct bed bed = bed_of();
    bed.action.tries = UINT32_MAX;
    for (uint32_t tries = 21; tries < 300; tries += 7) {
        due(&bed, FIRST_NS);
        bed.entry = (struct shed_entry){.node = "rack", .state = SHED_AGAIN, .since_ns = FIRST_NS,
                                        .tries = tries, .at_ns = bed.now.ns};
        assert_int_equal(decide(&bed, (NS_PER_S << SHED_PAUSE_DOUBLINGS_MAX) - 1), SHED_ACT_NOTHING);
        assert_int_equal(decide(&bed, 1), SHED_ACT_RUN);
    }
}

static void what_ends_by_itself_is_not_tried_again(void **state)
{
    (void)state;
    struct bed bed = bed_of();
    due(&bed, FIRST_NS);
    decide(&bed, 0);
    ends(&bed, false);
    over(&bed);
    assert_int_equal(decide(&bed, 0), SHED_ACT_NOTE);
    assert_int_equal(bed.entry.state, SHED_OVER);
    assert_int_equal(decide(&bed, 1000 * NS_PER_S), SHED_ACT_NOTHING);
}

/* Right after its start a daemon shows nothing of what it is about to take over. */
static void an_emergency_that_was_only_out_of_sight_goes_on(void **state)
{
    (void)state;
    struct bed bed = bed_of();
    due(&bed, FIRST_NS);
    decide(&bed, 0);
    ends(&bed, false);
    bed.seen.due = false;
    assert_int_equal(decide(&bed, 0), SHED_ACT_NOTE);
    due(&bed, FIRST_NS);
    assert_int_equal(decide(&bed, NS_PER_S), SHED_ACT_RUN);
    assert_int_equal(bed.entry.tries, 2);
}

/* A process that watches and is started anew: the entry is all that it knows. */
static void a_start_in_the_middle_takes_what_was_not_taken(void **state)
{
    (void)state;
    struct bed bed = bed_of(), before = bed_of();
    due(&bed, FIRST_NS);
    assert_int_equal(decide(&bed, 40 * NS_PER_S), SHED_ACT_RUN);
    /* its command runs on below its keeper */
    before = bed;
    kept(&bed);
    assert_int_equal(decide(&bed, 100 * NS_PER_S), SHED_ACT_NOTHING);
    /* the keeper has died, too: nobody knows, so it is done again */
    bed.seen.keeper_lives = false;
    assert_int_equal(decide(&bed, 0), SHED_ACT_NOTE);
    assert_int_equal(bed.entry.state, SHED_AGAIN);
    assert_string_equal(bed.entry.end, "nobody saw its end");
    assert_int_equal(decide(&bed, NS_PER_S), SHED_ACT_RUN);
    assert_int_equal(bed.entry.tries, 2);
    /* one that was begun a moment ago is given time to say who it is */
    assert_int_equal(decide(&before, SHED_KEEPER_NS - 1), SHED_ACT_NOTHING);
    assert_int_equal(decide(&before, 1), SHED_ACT_NOTE);
    assert_int_equal(before.entry.state, SHED_AGAIN);
}

static void it_is_restored_by_itself_only_where_the_site_says_so(void **state)
{
    (void)state;
    struct bed bed = bed_of();
    shed(&bed, FIRST_NS);
    over(&bed);
    decide(&bed, 0);
    assert_int_equal(decide(&bed, 100000 * NS_PER_S), SHED_ACT_NOTHING);
    bed.action.restore.count = 1;
    assert_int_equal(decide(&bed, 100000 * NS_PER_S), SHED_ACT_NOTHING);
    assert_int_equal(bed.entry.state, SHED_DONE);
}

static struct bed restoring(void)
{
    struct bed bed = bed_of();
    bed.action.restore.count = 1;
    bed.action.restore_after_ns = 60 * NS_PER_S;
    return bed;
}

static void it_is_restored_once_it_has_been_over_for_long_enough_without_a_break(void **state)
{
    (void)state;
    struct bed bed = restoring();
    shed(&bed, FIRST_NS);
    assert_int_equal(decide(&bed, 1000 * NS_PER_S), SHED_ACT_NOTHING);
    over(&bed);
    assert_int_equal(decide(&bed, 0), SHED_ACT_NOTHING);
    assert_int_equal(decide(&bed, 59 * NS_PER_S), SHED_ACT_NOTHING);
    bed.seen.over = false;              /* a reading is late, or the daemon does not answer */
    assert_int_equal(decide(&bed, 0), SHED_ACT_NOTHING);
    over(&bed);
    assert_int_equal(decide(&bed, 0), SHED_ACT_NOTHING);
    assert_int_equal(decide(&bed, 60 * NS_PER_S - 1), SHED_ACT_NOTHING);
    assert_int_equal(decide(&bed, 1), SHED_ACT_RESTORE);
    assert_int_equal(bed.entry.state, SHED_RESTORING);
    kept(&bed);
    assert_int_equal(decide(&bed, NS_PER_S), SHED_ACT_NOTHING);
    ends(&bed, true);
    assert_int_equal(bed.entry.state, SHED_RESTORED);
    assert_int_equal(decide(&bed, 1000 * NS_PER_S), SHED_ACT_NOTHING);
}

/* Its command may take as long as its timeout, and what it turns on is what must go off. */
static void a_restore_gives_way_to_a_new_emergency(void **state)
{
    (void)state;
    struct bed bed = restoring();
    shed(&bed, FIRST_NS);
    over(&bed);
    decide(&bed, 0);
    assert_int_equal(decide(&bed, 60 * NS_PER_S), SHED_ACT_RESTORE);
    kept(&bed);
    struct bed deaf = bed, first = bed;
    due(&first, FIRST_NS);              /* the same one, still or again in sight */
    kept(&first);
    assert_int_equal(decide(&first, 0), SHED_ACT_NOTHING);
    due(&bed, SECOND_NS);
    kept(&bed);
    assert_int_equal(decide(&bed, 0), SHED_ACT_END);
    assert_int_equal(bed.entry.state, SHED_RESTORING);
    bed.seen.keeper_lives = false;
    assert_int_equal(decide(&bed, 0), SHED_ACT_RUN);
    assert_true(bed.entry.state == SHED_RUNNING && bed.entry.since_ns == SECOND_NS && bed.entry.sheds == 2);
    due(&deaf, SECOND_NS);              /* one that does not end is not waited for */
    kept(&deaf);
    deaf.seen.due_for_ns = SHED_ENDED_NS - 1;
    assert_int_equal(decide(&deaf, 0), SHED_ACT_END);
    deaf.seen.due_for_ns = SHED_ENDED_NS;
    assert_int_equal(decide(&deaf, 0), SHED_ACT_RUN);
    assert_true(deaf.entry.state == SHED_RUNNING && deaf.entry.keeper == 0);
}

static void a_restore_that_fails_is_left_to_an_operator(void **state)
{
    (void)state;
    struct bed bed = restoring();
    shed(&bed, FIRST_NS);
    over(&bed);
    decide(&bed, 0);
    assert_int_equal(decide(&bed, 60 * NS_PER_S), SHED_ACT_RESTORE);
    ends(&bed, false);
    assert_int_equal(bed.entry.state, SHED_NOT_RESTORED);
    assert_int_equal(decide(&bed, 1000 * NS_PER_S), SHED_ACT_NOTHING);
    due(&bed, SECOND_NS);               /* what is on is shed again */
    assert_int_equal(decide(&bed, 0), SHED_ACT_RUN);
}

/* What goes out again as soon as it is put back is put back less and less often. */
static void the_time_before_it_is_restored_doubles_until_an_operator_restores(void **state)
{
    (void)state;
    struct bed bed = restoring();
    int64_t since_ns = FIRST_NS;
    for (uint32_t i = 0; i < 9; i++) {
        uint32_t doublings = i < SHED_DOUBLINGS_MAX ? i : SHED_DOUBLINGS_MAX;
        shed(&bed, since_ns++);
        over(&bed);
        decide(&bed, 0);
        assert_int_equal(decide(&bed, (60 * NS_PER_S << doublings) - 1), SHED_ACT_NOTHING);
        assert_int_equal(decide(&bed, 1), SHED_ACT_RESTORE);
        ends(&bed, true);
        bed.calm_since_ns = INT64_MAX;
    }
    assert_int_equal(shed_restore(&bed.action, &bed.entry, &bed.now), SHED_ACT_RESTORE);
    ends(&bed, true);
    assert_true(bed.entry.state == SHED_RESTORED && bed.entry.sheds == 0);
    shed(&bed, since_ns);
    over(&bed);
    decide(&bed, 0);
    assert_int_equal(decide(&bed, 60 * NS_PER_S), SHED_ACT_RESTORE);
}

static void an_operator_restores_without_a_command_by_saying_so(void **state)
{
    (void)state;
    struct bed bed = bed_of();
    shed(&bed, FIRST_NS);
    assert_int_equal(shed_restore(&bed.action, &bed.entry, &bed.now), SHED_ACT_NOTE);
    assert_int_equal(bed.entry.state, SHED_RESTORED);
    due(&bed, FIRST_NS);                /* the same emergency: he knows what he does */
    assert_int_equal(decide(&bed, NS_PER_S), SHED_ACT_NOTHING);
}

/* After a boot times and processes are others; what was turned off still is. */
static void a_boot_leaves_what_is_off_and_doubts_what_was_being_done(void **state)
{
    (void)state;
    static const uint8_t row[SHED_STATE_COUNT] = {
        [SHED_NONE] = SHED_NONE,           [SHED_RUNNING] = SHED_FAILED,
        [SHED_AGAIN] = SHED_FAILED,        [SHED_DONE] = SHED_DONE,
        [SHED_FAILED] = SHED_FAILED,       [SHED_OVER] = SHED_OVER,
        [SHED_RESTORING] = SHED_NOT_RESTORED, [SHED_RESTORED] = SHED_RESTORED,
        [SHED_NOT_RESTORED] = SHED_NOT_RESTORED};
    for (uint8_t at = SHED_NONE; at < SHED_STATE_COUNT; at++) {
        struct shed_entry entry = {.state = at, .since_ns = FIRST_NS, .at_ns = 5, .keeper = 7,
                                   .keeper_start = 8, .sheds = 3, .end = "exit code 0"};
        shed_forget_boot(&entry);
        assert_int_equal(entry.state, row[at]);
        assert_true(!entry.since_ns && !entry.at_ns && !entry.keeper && !entry.keeper_start);
        assert_int_equal(entry.sheds, 3);
        assert_string_equal(entry.end, at == SHED_RUNNING || at == SHED_RESTORING ? "nobody saw its end"
                                                                                 : "exit code 0");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_done_before_the_third_stage),
        cmocka_unit_test(an_emergency_is_shed_once_and_the_next_one_again),
        cmocka_unit_test(one_command_at_a_time),
        cmocka_unit_test(a_try_that_fails_is_made_again_after_a_pause_that_doubles),
        cmocka_unit_test(a_pause_has_an_end_whatever_the_file_says),
        cmocka_unit_test(what_ends_by_itself_is_not_tried_again),
        cmocka_unit_test(an_emergency_that_was_only_out_of_sight_goes_on),
        cmocka_unit_test(a_start_in_the_middle_takes_what_was_not_taken),
        cmocka_unit_test(it_is_restored_by_itself_only_where_the_site_says_so),
        cmocka_unit_test(it_is_restored_once_it_has_been_over_for_long_enough_without_a_break),
        cmocka_unit_test(a_restore_gives_way_to_a_new_emergency),
        cmocka_unit_test(a_restore_that_fails_is_left_to_an_operator),
        cmocka_unit_test(the_time_before_it_is_restored_doubles_until_an_operator_restores),
        cmocka_unit_test(an_operator_restores_without_a_command_by_saying_so),
        cmocka_unit_test(a_boot_leaves_what_is_off_and_doubts_what_was_being_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
