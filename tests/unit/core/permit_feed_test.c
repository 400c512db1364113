/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds whose loss a reserve is lent against (safety.md section 5, I5; section 11: "no raise until stable"):
 * the evidence, by hand in the small hall. LEFT is lost under contingency 1, whose witness is the meter of
 * LEFT; a sag is contingency 2; the loss of RACK, contingency 3, has no witness. Good again for a second is
 * stable.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "permit_hall.h"

enum { LOSS = 1, SAG = 2, UNWITNESSED = 3 };
enum { NONE_BIT = 1, LOSS_BIT = 2, SAG_BIT = 4, UNWITNESSED_BIT = 8 };

/* Hosts 0, 1 and 2 hang on LEFT with two supplies and on RIGHT with two more; what LEFT carried is on RIGHT
 * when it is lost. RIGHT lends under everything. */
static void build(struct permit_hall *b)
{
    memset(b, 0, sizeof *b);
    hall_build(&b->hall);
    b->hall.model.contingency_count = 4;
    b->hall.model.contingency[LOSS] =
        (struct model_contingency){.kind = CONTINGENCY_LOSS, .lost_node = HALL_LEFT, .witness = HALL_LEFT};
    b->hall.model.contingency[SAG] =
        (struct model_contingency){.kind = CONTINGENCY_SAG, .lost_node = INDEX_NONE, .witness = HALL_RACK};
    b->hall.model.contingency[UNWITNESSED] =
        (struct model_contingency){.kind = CONTINGENCY_LOSS, .lost_node = HALL_RACK, .witness = INDEX_NONE};
    b->hall.model.policy.feed_stable_ns = NS_PER_S;
    for (uint32_t h = 0; h < 3; h++) {
        struct model_host *host = &b->hall.host[h];
        host->cord_count = 2;
        host->cord[0].node = HALL_LEFT;
        host->cord[1].node = HALL_RIGHT;
        host->cord[0].psus = host->cord[1].psus = 2;
        host->cord[0].share_ppm[LOSS] = 0;
        host->cord[2].share_ppm[LOSS] = 0;                  /* it has no third cord */
        host->cord[2].psus = 0;
    }
    for (uint32_t h = 3; h < HALL_HOSTS; h++)
        b->hall.host[h].cord[0].share_ppm[UNWITNESSED] = 0;
    b->t_ns = HALL_T_NS;
}

static void start(struct permit_hall *b)
{
    hall_open(&b->hall);
    b->hall.node[HALL_RIGHT].lend = NONE_BIT | LOSS_BIT | SAG_BIT | UNWITNESSED_BIT;
    b->hall.heat_node[HALL_RIGHT].known = true;
    b->hall.heat_node[HALL_RIGHT].window_ns = 16 * NS_PER_MS;
    permit_hall_open(b);
}

/* The witness reads that voltage on each phase, and its reading is fresh. */
static void witness(struct permit_hall *b, int64_t one_mv, int64_t two_mv, int64_t three_mv)
{
    struct reading reading = {.meter = HALL_LEFT, .voltage_mv = {one_mv, two_mv, three_mv}};
    b->meter[HALL_LEFT].until_ns = b->t_ns;
    permit_feed_reading(&b->permits, &b->meter[HALL_LEFT], &reading, b->t_ns);
}

static bool lends(const struct permit_hall *b, uint8_t bit)
{
    return b->permits.feeds & bit;
}

static void reports(struct permit_hall *b, uint32_t host, uint32_t inputs, uint8_t flags)
{
    struct report report = {.host = host, .flags = flags, .psu_inputs = (uint8_t)inputs};
    permit_feed_report(&b->permits, &report, b->t_ns);
}

static void seen(struct permit_hall *b)
{
    build(b);
    start(b);
    witness(b, 100000, 100000, 100000);
    assert_true(lends(b, LOSS_BIT));
}

static void at_a_start_only_a_feed_with_a_witness_waits_to_be_seen(void **state)
{
    (void)state;
    struct permit_hall b;
    build(&b);
    start(&b);
    assert_int_equal(b.permits.lent_against, 15);
    assert_int_equal(b.permits.feeds, NONE_BIT | SAG_BIT | UNWITNESSED_BIT);
    assert_int_equal(b.meter[HALL_LEFT].witness, LOSS_BIT);
    assert_true(b.meter[HALL_LEFT].watched);
    assert_int_equal(b.meter[HALL_RACK].witness, 0);        /* a sag has none */
    witness(&b, 100000, 100000, 100000);
    assert_int_equal(b.permits.feeds, 15);                  /* at once: nothing came back */
    assert_int_equal(b.permits.feed_losses, 0);
}

/* The last meter of the site may be a witness; one beyond it is none. */
static void a_witness_is_any_meter_of_the_site(void **state)
{
    (void)state;
    for (uint32_t witness = HALL_RACK; witness <= HALL_NODES; witness++) {
        struct permit_hall b;
        build(&b);
        b.hall.model.contingency[UNWITNESSED].witness = witness;
        start(&b);
        assert_int_equal(lends(&b, UNWITNESSED_BIT), witness == HALL_NODES);
    }
}

/* A feed that turns holds raises wherever reserves are kept, too. */
static void a_loss_that_nothing_is_lent_against_has_a_witness_too(void **state)
{
    (void)state;
    struct permit_hall b;
    build(&b);
    b.hall.model.contingency[UNWITNESSED].witness = HALL_MAIN;
    start(&b);
    assert_int_equal(b.meter[HALL_MAIN].witness, UNWITNESSED_BIT);
    b.hall.node[HALL_RIGHT].lend = NONE_BIT | LOSS_BIT;
    memset(b.meter, 0, sizeof b.meter);
    memset(&b.permits.lender_count, 0, sizeof b.permits.lender_count);
    b.permits.lent_against = 0;
    permit_init(&b.permits, &b.hall.model, &b.hall.heat, &b.hall.ledger, &b.holds);
    assert_int_equal(b.permits.lent_against, NONE_BIT | LOSS_BIT);
    assert_int_equal(b.permits.losses, LOSS_BIT | UNWITNESSED_BIT);
    assert_int_equal(b.meter[HALL_MAIN].witness, UNWITNESSED_BIT);
}

/* Half of nominal is alive, a millivolt less on any of its phases is dead. */
static void a_feed_is_dead_where_one_phase_has_less_than_half_its_volts(void **state)
{
    (void)state;
    struct permit_hall b;
    seen(&b);
    witness(&b, 50000, 50000, 50000);
    assert_true(lends(&b, LOSS_BIT));
    for (uint32_t phase = 0; phase < PHASES; phase++) {
        seen(&b);
        witness(&b, 50000 - (phase == 0), 50000 - (phase == 1), 50000 - (phase == 2));
        assert_int_equal(b.permits.feeds, NONE_BIT | SAG_BIT | UNWITNESSED_BIT);
        assert_int_equal(b.permits.feed_losses, 1);
    }
    seen(&b);
    b.hall.node[HALL_LEFT].phases = 1;
    witness(&b, 50000, 0, 0);                               /* has no other phase */
    assert_true(lends(&b, LOSS_BIT));
}

/* Lost in that slot; back when it has been good for a second, not before, counted from the last doubt. */
static void a_feed_that_was_lost_is_lent_against_once_it_is_stable(void **state)
{
    (void)state;
    struct permit_hall b;
    seen(&b);
    witness(&b, 0, 0, 0);
    assert_false(lends(&b, LOSS_BIT));
    b.t_ns += 3 * NS_PER_S;
    permit_feed_pass_time(&b.permits, b.t_ns);
    assert_false(lends(&b, LOSS_BIT));                      /* dead all that time */
    witness(&b, 100000, 100000, 100000);
    b.t_ns += NS_PER_S / 2;
    witness(&b, 0, 100000, 100000);                         /* and once more */
    assert_int_equal(b.permits.feed_losses, 2);
    witness(&b, 100000, 100000, 100000);
    b.t_ns += NS_PER_S - 1;
    witness(&b, 100000, 100000, 100000);
    permit_feed_pass_time(&b.permits, b.t_ns);
    assert_false(lends(&b, LOSS_BIT));
    b.t_ns += 1;
    permit_pass_time(&b.permits, b.t_ns);
    assert_true(lends(&b, LOSS_BIT));
    assert_int_equal(b.permits.feed_losses, 2);
}

/* A witness that falls silent, or repeats itself beyond its time, shows nothing. */
static void a_feed_that_is_not_seen_any_more_is_as_good_as_lost(void **state)
{
    (void)state;
    struct permit_hall b;
    seen(&b);
    permit_feed_unseen(&b.permits, &b.meter[HALL_LEFT], b.t_ns);
    assert_false(lends(&b, LOSS_BIT));
    witness(&b, 100000, 100000, 100000);
    assert_false(lends(&b, LOSS_BIT));                      /* seen again, not yet stable */
    b.t_ns += NS_PER_S;
    witness(&b, 100000, 100000, 100000);
    assert_true(lends(&b, LOSS_BIT));
    struct reading late = {.meter = HALL_LEFT, .voltage_mv = {100000, 100000, 100000}};
    b.meter[HALL_LEFT].until_ns = b.t_ns - 1;
    permit_feed_reading(&b.permits, &b.meter[HALL_LEFT], &late, b.t_ns);
    assert_false(lends(&b, LOSS_BIT));
}

/* Supplies are counted cord by cord: bits 0 and 1 are LEFT's, 2 and 3 RIGHT's. Dark on LEFT are two hosts of
 * three. */
/* While one controller follows another nobody reads the witness: that is nobody's loss, and with its next
 * reading the feed is lent against at once. A moment later it would have been lost. */
static void a_witness_that_nobody_could_read_at_a_take_over_lost_nothing(void **state)
{
    (void)state;
    for (int64_t late = 0; late < 2; late++) {
        struct permit_hall b;
        seen(&b);
        b.permits.await_until_ns = b.t_ns;
        permit_feed_unseen(&b.permits, &b.meter[HALL_LEFT], b.t_ns + late);
        assert_false(lends(&b, LOSS_BIT));
        assert_true(lends(&b, SAG_BIT) && lends(&b, UNWITNESSED_BIT));
        assert_int_equal(b.permits.feed_losses, late);
        assert_int_equal(b.permits.feed[LOSS].lost, late);
        assert_int_equal(permit_feeds_unseen(&b.permits, LOSS_BIT), !late);
        assert_int_equal(permit_feeds_unseen(&b.permits, LOSS_BIT | SAG_BIT | UNWITNESSED_BIT), !late);
        /* nothing is the matter with it */
        assert_true(permit_feeds_unseen(&b.permits, UNWITNESSED_BIT));
        b.t_ns += 2;
        witness(&b, 100000, 100000, 100000);
        assert_int_equal(lends(&b, LOSS_BIT), !late);
    }
}

/* A lender that was read in time lends again at once; when its witness's time is over unread, no longer. */
static void what_is_lent_again_ends_in_the_slot_in_which_its_witness_is_not_seen(void **state)
{
    (void)state;
    struct permit_hall b;
    seen(&b);
    b.permits.await_until_ns = b.t_ns;
    b.meter[HALL_RIGHT].lent.contingencies = NONE_BIT | LOSS_BIT;
    permit_feed_unseen(&b.permits, &b.meter[HALL_LEFT], b.t_ns);
    assert_int_equal(b.meter[HALL_RIGHT].lent.contingencies & LOSS_BIT, 0);
}

/* But read once since, and silent again for longer than its readings count: that is a silence like any other,
 * whatever time is left for the meters to be heard. A feed may have gone and come back in it. */
static void a_witness_that_was_read_since_the_take_over_is_lost_like_any_other(void **state)
{
    (void)state;
    for (int64_t since = 0; since < 2; since++) {
        struct permit_hall b;
        seen(&b);
        int64_t take_over_ns = b.t_ns, fresh_ns = b.hall.meter[HALL_LEFT].fresh_ns;
        b.hall.meter[HALL_LEFT].period_ns = 16 * NS_PER_MS;
        b.permits.await_ns = 250 * NS_PER_MS;
        b.permits.await_until_ns = take_over_ns + b.permits.await_ns;
        /* its window ended when the controller began, or just before */
        b.meter[HALL_LEFT].until_ns = take_over_ns + fresh_ns - 16 * NS_PER_MS - !since;
        b.t_ns += 100 * NS_PER_MS;
        permit_feed_unseen(&b.permits, &b.meter[HALL_LEFT], b.t_ns);
        assert_int_equal(b.permits.feed_losses, since);
        assert_int_equal(b.permits.feed[LOSS].lost, since);
        witness(&b, 100000, 100000, 100000);
        assert_int_equal(lends(&b, LOSS_BIT), !since);
        b.t_ns += NS_PER_S;
        witness(&b, 100000, 100000, 100000);
        assert_true(lends(&b, LOSS_BIT));
    }
}

/* What a host says stands for the feeds that it knows of, dark or lit, and for no other; who knows
 * nothing, or is silent, counts for neither. */
static void what_hosts_say_is_counted_dark_or_lit(void **state)
{
    (void)state;
    struct permit_hall b;
    seen(&b);
    const struct permit_feed *feed = &b.permits.feed[LOSS];
    reports(&b, 0, 0xC, REPORT_PSU_KNOWN);
    assert_int_equal(b.dark[0], LOSS_BIT);
    assert_int_equal(b.lit[0], 0);
    assert_true(feed->dark == 1 && feed->lit == 0);
    reports(&b, 0, 0xF, REPORT_PSU_KNOWN);
    reports(&b, 1, 0xF, REPORT_PSU_KNOWN);
    assert_int_equal(b.dark[0], 0);
    assert_int_equal(b.lit[0], LOSS_BIT);
    assert_true(feed->dark == 0 && feed->lit == 2);
    reports(&b, 1, 0xC, REPORT_PSU_KNOWN);
    assert_true(feed->dark == 1 && feed->lit == 1);
    reports(&b, 0, 0xF, 0);
    permit_feed_silent(&b.permits, 1, b.t_ns);
    assert_true(feed->dark == 0 && feed->lit == 0);
    assert_true(b.permits.feed[UNWITNESSED].dark == 0 && b.permits.feed[UNWITNESSED].lit == 0);
}

/* What the controller before knew: each kind of evidence that there is and no other, and of a witness that
 * is not fresh now that it is not seen. What is no declared loss has no feed. */
static void what_was_known_of_feeds_before_goes_on(void **state)
{
    (void)state;
    for (int64_t stale = 0; stale < 2; stale++) {
        struct permit_hall b;
        seen(&b);
        struct permit_feed feed[CONTINGENCIES_MAX] = {{0}};
        b.hall.model.contingency[4].kind = CONTINGENCY_LOSS;    /* behind the last */
        b.meter[HALL_LEFT].until_ns = b.t_ns - stale;
        for (uint32_t c = 0; c < CONTINGENCIES_MAX; c++)
            feed[c] = (struct permit_feed){.lost = true, .good_ns = b.t_ns - NS_PER_S, .turned_ns = 41};
        permit_hand_feeds(&b.permits, feed, b.t_ns);
        const struct permit_feed *own = b.permits.feed;
        assert_int_equal(own[LOSS].bad, stale ? 2 : 0);         /* its witness is not seen */
        assert_int_equal(own[UNWITNESSED].bad, 0);
        assert_true(own[LOSS].lost && own[UNWITNESSED].lost && !own[SAG].lost && !own[4].lost);
        assert_true(own[LOSS].turned_ns == 41 && own[LOSS].good_ns == b.t_ns - NS_PER_S);
        assert_int_equal(b.permits.feeds, NONE_BIT | SAG_BIT | UNWITNESSED_BIT | (stale ? 0 : LOSS_BIT));
        assert_int_equal(b.holds.turned, LOSS_BIT | UNWITNESSED_BIT);
        for (uint32_t bad = 1; bad < 16; bad <<= 1) {
            feed[UNWITNESSED].bad = (uint8_t)bad;
            permit_hand_feeds(&b.permits, feed, b.t_ns);
            assert_int_equal(own[UNWITNESSED].bad, bad & 7);
            assert_int_equal(lends(&b, UNWITNESSED_BIT), bad > 7);
        }
    }
}

static void a_feed_that_never_turned_holds_nobody_after_a_take_over(void **state)
{
    (void)state;
    struct permit_hall b;
    seen(&b);
    struct permit_feed feed[CONTINGENCIES_MAX] = {{0}};
    permit_hand_feeds(&b.permits, feed, b.t_ns);
    assert_int_equal(b.holds.turned, 0);
    assert_int_equal(b.permits.feeds, 15);
}

/* Three have cords that the first loss takes, two those of the other; who stands behind the last counts for
 * none. */
static void hosts_of_a_feed_are_those_whose_cords_it_takes(void **state)
{
    (void)state;
    struct permit_hall b;
    build(&b);
    b.hall.host[HALL_HOSTS] = b.hall.host[0];
    start(&b);
    assert_int_equal(b.permits.feed[LOSS].hosts, 3);
    assert_int_equal(b.permits.feed[UNWITNESSED].hosts, 2);
}

static void a_feed_is_lost_where_every_supply_on_it_is_dark(void **state)
{
    (void)state;
    struct permit_hall b;
    seen(&b);
    assert_int_equal(b.permits.feed[LOSS].hosts, 3);
    assert_int_equal(b.permits.feed[UNWITNESSED].hosts, 2);
    reports(&b, 0, 0xC, REPORT_PSU_KNOWN);
    assert_int_equal(b.permits.feed[LOSS].dark, 1);
    reports(&b, 0, 0xC, REPORT_PSU_KNOWN);                  /* said again, counted once */
    assert_int_equal(b.permits.feed[LOSS].dark, 1);
    reports(&b, 1, 0xD, REPORT_PSU_KNOWN);
    reports(&b, 2, 0xE, REPORT_PSU_KNOWN);
    reports(&b, 3, 0x1, REPORT_PSU_KNOWN);                  /* is not on it */
    reports(&b, 4, 0x0, 0);                                 /* and this one does not know */
    assert_int_equal(b.permits.feed[LOSS].dark, 1);
    assert_true(lends(&b, LOSS_BIT));
    reports(&b, 1, 0x4, REPORT_PSU_KNOWN);
    assert_int_equal(b.permits.feed[LOSS].dark, 2);
    assert_false(lends(&b, LOSS_BIT));
    assert_true(lends(&b, UNWITNESSED_BIT));
    reports(&b, 1, 0x6, REPORT_PSU_KNOWN);
    b.t_ns += NS_PER_S;
    permit_feed_pass_time(&b.permits, b.t_ns);
    assert_true(lends(&b, LOSS_BIT));
    reports(&b, 0, 0xF, REPORT_PSU_KNOWN);
    assert_int_equal(b.permits.feed[LOSS].dark, 0);
}

/* The other way round: all that RIGHT feeds is dark, LEFT lives. */
static void supplies_of_the_second_cord_are_not_those_of_the_first(void **state)
{
    (void)state;
    struct permit_hall b;
    seen(&b);
    reports(&b, 0, 0x3, REPORT_PSU_KNOWN);
    reports(&b, 1, 0x3, REPORT_PSU_KNOWN);
    assert_int_equal(b.permits.feed[LOSS].dark, 0);
    assert_true(lends(&b, LOSS_BIT));
    build(&b);
    for (uint32_t h = 0; h < 3; h++) {                      /* the loss takes the second cord */
        b.hall.host[h].cord[0].share_ppm[LOSS] = 1000000;
        b.hall.host[h].cord[1].share_ppm[LOSS] = 0;
    }
    start(&b);
    witness(&b, 100000, 100000, 100000);
    reports(&b, 0, 0x3, REPORT_PSU_KNOWN);
    reports(&b, 1, 0x3, REPORT_PSU_KNOWN);
    assert_int_equal(b.permits.feed[LOSS].dark, 2);
    assert_false(lends(&b, LOSS_BIT));
}

/* The only host on a feed is all there is to tell of it. */
static void the_only_host_of_a_feed_is_evidence(void **state)
{
    (void)state;
    struct permit_hall b;
    build(&b);
    b.hall.host[1].cord_count = b.hall.host[2].cord_count = 0;
    start(&b);
    witness(&b, 100000, 100000, 100000);
    assert_int_equal(b.permits.feed[LOSS].hosts, 1);
    reports(&b, 0, 0xC, REPORT_PSU_KNOWN);
    assert_false(lends(&b, LOSS_BIT));
}

/* A witness that sees volts does not speak for supplies that are dark, nor they for it. */
static void either_kind_of_evidence_is_enough(void **state)
{
    (void)state;
    struct permit_hall b;
    seen(&b);
    reports(&b, 0, 0xC, REPORT_PSU_KNOWN);
    reports(&b, 1, 0xC, REPORT_PSU_KNOWN);
    b.t_ns += 2 * NS_PER_S;
    witness(&b, 100000, 100000, 100000);
    permit_feed_pass_time(&b.permits, b.t_ns);
    assert_false(lends(&b, LOSS_BIT));
    witness(&b, 0, 0, 0);
    reports(&b, 0, 0xF, REPORT_PSU_KNOWN);
    reports(&b, 1, 0xF, REPORT_PSU_KNOWN);
    b.t_ns += 2 * NS_PER_S;
    permit_feed_pass_time(&b.permits, b.t_ns);
    assert_false(lends(&b, LOSS_BIT));
    assert_int_equal(b.permits.feed_losses, 1);             /* one loss, however it was seen */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_a_start_only_a_feed_with_a_witness_waits_to_be_seen),
        cmocka_unit_test(a_witness_is_any_meter_of_the_site),
        cmocka_unit_test(a_loss_that_nothing_is_lent_against_has_a_witness_too),
        cmocka_unit_test(a_feed_is_dead_where_one_phase_has_less_than_half_its_volts),
        cmocka_unit_test(a_feed_that_was_lost_is_lent_against_once_it_is_stable),
        cmocka_unit_test(a_feed_that_is_not_seen_any_more_is_as_good_as_lost),
        cmocka_unit_test(a_witness_that_nobody_could_read_at_a_take_over_lost_nothing),
        cmocka_unit_test(what_is_lent_again_ends_in_the_slot_in_which_its_witness_is_not_seen),
        cmocka_unit_test(a_witness_that_was_read_since_the_take_over_is_lost_like_any_other),
        cmocka_unit_test(hosts_of_a_feed_are_those_whose_cords_it_takes),
        cmocka_unit_test(what_hosts_say_is_counted_dark_or_lit),
        cmocka_unit_test(what_was_known_of_feeds_before_goes_on),
        cmocka_unit_test(a_feed_that_never_turned_holds_nobody_after_a_take_over),
        cmocka_unit_test(a_feed_is_lost_where_every_supply_on_it_is_dark),
        cmocka_unit_test(supplies_of_the_second_cord_are_not_those_of_the_first),
        cmocka_unit_test(the_only_host_of_a_feed_is_evidence),
        cmocka_unit_test(either_kind_of_evidence_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
