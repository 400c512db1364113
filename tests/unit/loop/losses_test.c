/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the degradation table that the loop sees: in with the first loss, out when it was calm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "loop/document.h"
#include "loop/loop.h"
#include "loop/verdict.h"

enum { METERS = 3 };
#define STEP_NS (100 * NS_PER_MS)

static struct port_statistics told;

static void tell(struct port *port, struct port_statistics *statistics)
{
    (void)port;
    *statistics = told;
}

static int up(struct port *port)
{
    (void)port;
    return 1;
}

static int down(struct port *port)
{
    (void)port;
    return 0;
}

static const struct port_driver driver = {.name = "told", .statistics = tell, .link = up};
static const struct port_driver dark = {.name = "told", .statistics = tell, .link = down};

struct bed {
    struct loop loop;
    struct lane lane[2];
    struct decide decide;
    int64_t now_ns;
};

static int open_bed(void **state)
{
    static struct bed bed;
    memset(&bed, 0, sizeof bed);
    memset(&told, 0, sizeof told);
    bed.now_ns = 100 * NS_PER_S;
    bed.loop.path = (struct path){.lane = bed.lane, .lanes = 2, .decide = &bed.decide};
    bed.loop.port[0].driver = &driver;
    bed.loop.ports = 1;
    assert_int_equal(view_share_open(&bed.loop.share, &bed.loop.view, 1, 1, METERS), 0);
    link_watch_start(&bed.loop.links, bed.loop.port, 1);
    losses_start(&bed.loop.losses, &bed.loop);
    *state = &bed;
    return 0;
}

static int close_bed(void **state)
{
    struct bed *bed = *state;
    view_share_close(&bed->loop.share);
    return 0;
}

static void look(struct bed *bed, int64_t after_ns)
{
    bed->now_ns += after_ns;
    losses_look(&bed->loop.losses, bed->now_ns);
}

static void check(struct bed *bed, enum degradation at, uint32_t now, uint64_t entered, uint32_t newest)
{
    struct degrade_row row;
    assert_true(view_read_degraded(&bed->loop.view, at, &row));
    assert_int_equal(row.now, now);
    assert_int_equal(row.entered, entered);
    assert_int_equal(row.left, entered - now);
    assert_int_equal(row.newest, newest);
}

static void what_is_shed_is_a_loss_until_nothing_was_for_a_second(void **state)
{
    struct bed *bed = *state;
    look(bed, STEP_NS);
    check(bed, DEGRADED_RING, 0, 0, INDEX_NONE);
    count_add(&bed->lane[1].counters.shed[CLASS_READING], 5);
    look(bed, STEP_NS);
    check(bed, DEGRADED_RING, 1, 1, 1);
    look(bed, NS_PER_S - STEP_NS);
    count_add(&bed->lane[1].counters.shed[CLASS_RESERVED], 1);      /* it goes on */
    look(bed, STEP_NS - 1);                                         /* too soon to look again */
    look(bed, 1);
    check(bed, DEGRADED_RING, 1, 1, 1);
    look(bed, NS_PER_S - 1);
    check(bed, DEGRADED_RING, 1, 1, 1);
    look(bed, STEP_NS);
    check(bed, DEGRADED_RING, 0, 1, INDEX_NONE);
    check(bed, DEGRADED_JOURNAL, 0, 0, INDEX_NONE);
}

/* Who takes shed actions, were one due. */
static void nobody_who_listens_is_a_loss_until_somebody_does(void **state)
{
    struct bed *bed = *state;
    bed->loop.shed.expected = true;
    atomic_init(&bed->loop.shed.heard_ns, bed->now_ns);
    look(bed, SHED_DEAF_NS);
    check(bed, DEGRADED_SHED, 0, 0, INDEX_NONE);
    look(bed, STEP_NS);
    check(bed, DEGRADED_SHED, 1, 1, 0);
    look(bed, NS_PER_S);
    check(bed, DEGRADED_SHED, 1, 1, 0);
    atomic_store(&bed->loop.shed.heard_ns, bed->now_ns);
    look(bed, STEP_NS);
    check(bed, DEGRADED_SHED, 0, 1, INDEX_NONE);
}

static void a_port_that_loses_frames_or_its_link_is_in_by_itself(void **state)
{
    struct bed *bed = *state;
    char name[VERDICT_MEMBER_BYTES];
    const struct model model = {0};
    told.lost = 3;
    look(bed, STEP_NS);
    check(bed, DEGRADED_RING, 1, 1, LOSSES_PORT);
    verdict_member(name, &model, DEGRADED_RING, LOSSES_PORT);
    assert_string_equal(name, "port 0");
    verdict_member(name, &model, DEGRADED_RING, 1);
    assert_string_equal(name, "lane 1");
    look(bed, NS_PER_S);
    check(bed, DEGRADED_RING, 0, 1, INDEX_NONE);
    told.refused = 1;
    look(bed, STEP_NS);
    check(bed, DEGRADED_RING, 1, 2, LOSSES_PORT);
    look(bed, NS_PER_S);
    bed->loop.port[0].driver = &dark;
    link_watch_look(&bed->loop.links, INT64_MAX);
    look(bed, STEP_NS);
    check(bed, DEGRADED_RING, 1, 3, LOSSES_PORT);
    look(bed, 5 * NS_PER_S);
    check(bed, DEGRADED_RING, 1, 3, LOSSES_PORT);
    bed->loop.port[0].driver = &driver;
    link_watch_look(&bed->loop.links, INT64_MAX);
    look(bed, NS_PER_S);
    check(bed, DEGRADED_RING, 0, 3, INDEX_NONE);
}

static void the_journal_is_in_while_writes_fail_or_slots_are_dropped(void **state)
{
    struct bed *bed = *state;
    count_t *sources[] = {&bed->loop.drain.journal_errors, &bed->loop.drain.journal_dropped,
                          &bed->decide.counters.tap_dropped[CLASS_READING],
                          &bed->decide.counters.tap_dropped[CLASS_RESERVED]};
    for (uint32_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        count_add(sources[i], 1);
        look(bed, STEP_NS);
        check(bed, DEGRADED_JOURNAL, 1, i + 1, 0);
        look(bed, NS_PER_S);
        check(bed, DEGRADED_JOURNAL, 0, i + 1, INDEX_NONE);
    }
    check(bed, DEGRADED_RING, 0, 0, INDEX_NONE);
}

static void a_clock_that_stepped_is_in_until_the_age_rule_has_forgotten(void **state)
{
    struct bed *bed = *state;
    view_add_stale(&bed->loop.view, 0, bed->now_ns);
    view_add_step(&bed->loop.view, 2, bed->now_ns);
    view_add_step(&bed->loop.view, 1, bed->now_ns + NS_PER_S);
    look(bed, 2 * NS_PER_S);
    check(bed, DEGRADED_CLOCK, 2, 2, 2);
    look(bed, 58 * NS_PER_S);
    check(bed, DEGRADED_CLOCK, 1, 2, INDEX_NONE);
    look(bed, STEP_NS);
    check(bed, DEGRADED_CLOCK, 1, 2, 1);
    look(bed, NS_PER_S);
    check(bed, DEGRADED_CLOCK, 0, 2, INDEX_NONE);
}

static void a_site_that_has_ptp_loses_it_with_this_machines_clock(void **state)
{
    struct bed *bed = *state;
    char name[VERDICT_MEMBER_BYTES];
    const struct model model = {0};
    struct site_gear gear[2] = {{.kind = GEAR_SWITCH}, {.kind = GEAR_SWITCH}};
    const struct site site = {.redundancy = {.gear_count = 2, .gear = gear}};

    look(bed, STEP_NS);                     /* no site, no clock to lose */
    bed->loop.site = &site;
    losses_start(&bed->loop.losses, &bed->loop);
    look(bed, STEP_NS);
    check(bed, DEGRADED_CLOCK, 0, 0, INDEX_NONE);
    gear[1].kind = GEAR_PTP;
    losses_start(&bed->loop.losses, &bed->loop);
    look(bed, STEP_NS);
    check(bed, DEGRADED_CLOCK, 1, 1, LOSSES_OWN_CLOCK);
    verdict_member(name, &model, DEGRADED_CLOCK, LOSSES_OWN_CLOCK);
    assert_string_equal(name, "this machine");
    atomic_store(&bed->loop.base.synchronised, true);
    look(bed, STEP_NS);
    check(bed, DEGRADED_CLOCK, 0, 1, INDEX_NONE);
    atomic_store(&bed->loop.base.synchronised, false);
    look(bed, STEP_NS);
    check(bed, DEGRADED_CLOCK, 1, 2, LOSSES_OWN_CLOCK);
}

static void show_clock(struct clocks *clocks, uint32_t meter, bool is_off, bool is_doubted)
{
    const struct clocks_meter found = {.is_off = is_off, .is_doubted = is_doubted};
    uint64_t word[SEQLOCK_WORDS] = {0};
    memcpy(word, &found, sizeof found);
    seqlock_write(&clocks->found[meter], word);
}

/* One that drifts is off as well, and counts once. */
static void meters_whose_clocks_are_wrong_reach_the_verdict(void **state)
{
    struct bed *bed = *state;
    static struct site site;
    struct verdict_surroundings around = {0};
    site = (struct site){.model.meter_count = METERS};
    bed->loop.site = &site;
    document_look_at_clocks(&bed->loop, &around);
    assert_int_equal(around.clocks_doubted + around.clocks_off, 0);
    assert_int_equal(clocks_open(&bed->loop.clocks, &site, &bed->loop.base, &bed->loop.view, ""), 0);
    show_clock(&bed->loop.clocks, 0, true, false);
    show_clock(&bed->loop.clocks, 1, true, true);
    show_clock(&bed->loop.clocks, 2, true, true);
    document_look_at_clocks(&bed->loop, &around);
    assert_int_equal(around.clocks_doubted, 2);
    assert_int_equal(around.meter_doubted, 1);
    assert_int_equal(around.clocks_off, 1);
    assert_int_equal(around.meter_off, 0);
    clocks_close(&bed->loop.clocks);
}

/* What it said last would stand for ever. */
static void who_keeps_the_time_and_looks_no_more_is_a_loss(void **state)
{
    struct bed *bed = *state;
    static struct site site;
    site = (struct site){.model.meter_count = METERS,
                         .clock = {.source = SITE_CLOCK_PTP, .ptp = "/no-such-folder/ptp4l"}};
    bed->loop.site = &site;
    assert_int_equal(clocks_open(&bed->loop.clocks, &site, &bed->loop.base, &bed->loop.view, ""), 0);
    losses_start(&bed->loop.losses, &bed->loop);
    struct keeper_look seen = {.error = -ENOENT};
    timebase_tell_synchronised(&bed->loop.base, true);
    look(bed, STEP_NS);
    look(bed, LOSSES_HANGS_NS);
    check(bed, DEGRADED_CLOCK, 0, 0, INDEX_NONE);       /* the first look at the time is not late yet */
    look(bed, STEP_NS);
    check(bed, DEGRADED_CLOCK, 1, 1, LOSSES_OWN_CLOCK);
    for (uint32_t i = 0; i < 2; i++) {
        seen.moment = (struct keeper_moment){bed->now_ns, NS_PER_S + bed->now_ns, 50};
        keeper_take(&bed->loop.clocks.keeper, &seen);
        timebase_tell_synchronised(&bed->loop.base, true);
        look(bed, LOSSES_HANGS_NS);
        check(bed, DEGRADED_CLOCK, 0, i + 1, INDEX_NONE);
        look(bed, STEP_NS);
        check(bed, DEGRADED_CLOCK, 1, i + 2, LOSSES_OWN_CLOCK);
        assert_false(timebase_is_synchronised(&bed->loop.base));
    }
    clocks_close(&bed->loop.clocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_shed_is_a_loss_until_nothing_was_for_a_second, open_bed,
                                        close_bed),
        cmocka_unit_test_setup_teardown(nobody_who_listens_is_a_loss_until_somebody_does, open_bed,
                                        close_bed),
        cmocka_unit_test_setup_teardown(a_port_that_loses_frames_or_its_link_is_in_by_itself, open_bed,
                                        close_bed),
        cmocka_unit_test_setup_teardown(the_journal_is_in_while_writes_fail_or_slots_are_dropped, open_bed,
                                        close_bed),
        cmocka_unit_test_setup_teardown(a_clock_that_stepped_is_in_until_the_age_rule_has_forgotten, open_bed,
                                        close_bed),
        cmocka_unit_test_setup_teardown(meters_whose_clocks_are_wrong_reach_the_verdict, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(who_keeps_the_time_and_looks_no_more_is_a_loss, open_bed, close_bed),
        cmocka_unit_test_setup_teardown(a_site_that_has_ptp_loses_it_with_this_machines_clock, open_bed,
                                        close_bed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
