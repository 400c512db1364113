/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Permits, rule by rule, by hand in the small hall (safety.md section 5, I3 and I5): what may be lent and for
 * how long it stands, when a reading is fresh and when it is news, what lapses when. T_fresh is 50 ms, a
 * window 16 ms: a reading lends for 34 ms from its arrival. T_resp is set to 0.7 s.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/breaker_inside.h"
#include "core/degrade.h"
#include "permit_hall.h"

#define PERIOD_NS (16 * NS_PER_MS)
#define LENDS_NS (34 * NS_PER_MS)
#define STEADY_MA 140000

static struct breaker image(void)
{
    struct breaker breaker = {.element_count = 1};
    breaker.element[0] = (struct breaker_element){
        .law = BREAKER_IMAGE, .role = ELEMENT_LONG_TIME, .pickup_ma = 183750, .heat_ns = 20 * NS_PER_S,
        .heat_fast_ns = 20 * NS_PER_S, .fast_above_ma = INT64_MAX, .cool_ns = 25 * NS_PER_S};
    return breaker;
}

/* `lend` of each node; every device has an image, at 0.2, and 140 A steady. */
static void start(struct permit_hall *b, const uint8_t lend[HALL_NODES])
{
    memset(b, 0, sizeof *b);
    hall_build(&b->hall);
    b->hall.model.contingency_count = 2;
    b->hall.model.contingency[1] =
        (struct model_contingency){.kind = CONTINGENCY_SAG, .lost_node = INDEX_NONE, .witness = INDEX_NONE};
    b->hall.model.policy.feed_stable_ns = NS_PER_S;
    for (uint32_t n = 0; n < HALL_NODES; n++) {
        b->hall.node[n].breaker = image();
        b->hall.node[n].lend = lend[n];
        b->hall.meter[n].period_ns = PERIOD_NS;
        hall_limit(&b->hall, n, 14);
    }
    hall_open(&b->hall);
    for (uint32_t n = 0; n < HALL_NODES; n++) {
        struct heat_node *h = &b->hall.heat_node[n];
        assert_true(h->known && h->window_ns == PERIOD_NS && h->hold_ns == 50 * NS_PER_MS);
        h->respond_ns = 700 * NS_PER_MS;
        h->started = true;
        h->newest.crest_milli = 1414;
        for (uint32_t p = 0; p < PHASES; p++)
            h->state.part[0][p] = HEAT_ONE / 5;
    }
    permit_hall_open(b);
    b->t_ns = HALL_T_NS;
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        permit_weigh_draw(&b->permits, h, 0);               /* everybody vouches, and draws nothing */
}

static void start_left(struct permit_hall *b)
{
    static const uint8_t left[HALL_NODES] = {[HALL_LEFT] = 1};
    start(b, left);
}

static struct slot reading(const struct permit_hall *b, uint32_t node, int64_t ma)
{
    struct slot slot;
    memset(&slot, 0, sizeof slot);
    slot.t_ns = slot.t_receive_ns = b->t_ns;
    slot.reading = (struct reading){.meter = node, .crest_milli = 1414};
    for (uint32_t p = 0; p < PHASES; p++) {
        slot.reading.voltage_mv[p] = 100000;
        slot.reading.current_ma[p] = ma;
    }
    return slot;
}

static void take(struct permit_hall *b, const struct slot *slot)
{
    permit_pass_time(&b->permits, b->t_ns);
    permit_reading(&b->permits, slot, b->t_ns);
}

static void reads(struct permit_hall *b, uint32_t node)
{
    struct slot slot = reading(b, node, 1000 + ++b->news);
    take(b, &slot);
}

static enum permit permit(const struct permit_hall *b)
{
    return permit_of(&b->permits, HALL_LEFT);
}

static const struct permit_node *left(const struct permit_hall *b)
{
    return &b->meter[HALL_LEFT];
}

/* ---- how much ---- */

static int64_t held_ma(const struct permit_hall *b, int64_t hold_ns, int64_t pad, int32_t crest_milli)
{
    struct breaker_state padded = b->hall.heat_node[HALL_LEFT].state;
    uint32_t element;
    for (uint32_t p = 0; p < PHASES; p++)
        padded.part[0][p] += pad;
    return breaker_admissible_ma(&padded, &b->hall.node[HALL_LEFT].breaker, NULL, hold_ns, crest_milli,
                                 &element);
}

/* What may flow is held for T_resp / 0.7 = 1 s, what is lent for T_resp longer and seen as 1 % more of 1 %
 * more; either for the 50 ms of a lost reading too, and from a 512th, or a 256th, more heat than there is. */
static void the_horizons_are_those_of_the_argument(void **state)
{
    (void)state;
    struct permit_hall b;
    start_left(&b);
    reads(&b, HALL_LEFT);
    assert_int_equal(permit(&b), PERMIT_HELD);
    int64_t admissible_ma = held_ma(&b, 1050 * NS_PER_MS + 1, HEAT_ONE / 512, 2000);
    int64_t lendable_ma = held_ma(&b, 1750 * NS_PER_MS + 1, HEAT_ONE / 256, 2000);
    assert_true(admissible_ma > STEADY_MA && admissible_ma < 20 * STEADY_MA);
    assert_int_equal(left(&b)->admissible_ma, admissible_ma);
    assert_int_equal(left(&b)->lendable_ma, lendable_ma * PPM / 1010000 * PPM / 1010000);
    assert_int_equal(left(&b)->lent.contingencies, 1);
    assert_int_equal(left(&b)->lent.lendable_ma, left(&b)->lendable_ma);
    assert_int_equal(left(&b)->lent.admissible_ma, admissible_ma);
}

/* Where the device hardly heats at all, twenty times the steady limit is the end of it. */
static void nothing_is_lent_beyond_twenty_times_the_steady_limit(void **state)
{
    (void)state;
    struct permit_hall b;
    start_left(&b);
    b.hall.node[HALL_LEFT].breaker.element[0].heat_ns = 100000 * NS_PER_S;
    b.hall.node[HALL_LEFT].breaker.element[0].heat_fast_ns = 100000 * NS_PER_S;
    b.hall.node[HALL_LEFT].breaker.element[0].pickup_ma = 30 * STEADY_MA;
    reads(&b, HALL_LEFT);
    assert_int_equal(left(&b)->admissible_ma, 20 * STEADY_MA);
    assert_int_equal(left(&b)->lendable_ma, INT64_C(20) * STEADY_MA * PPM / 1010000 * PPM / 1010000);
}

/* Ten periods at most; and as long as no part is hotter than was assumed, and no crest higher than 2. */
static void a_horizon_stands_until_heat_or_time_or_a_crest_passes_it(void **state)
{
    (void)state;
    struct permit_hall b;
    start_left(&b);
    reads(&b, HALL_LEFT);
    int64_t first_ns = b.t_ns;
    struct heat_node *h = &b.hall.heat_node[HALL_LEFT];
    h->state.part[0][1] = HEAT_ONE / 5 + HEAT_ONE / 512;    /* what was assumed */
    h->newest.crest_milli = 2000;
    for (int i = 0; i < 10; i++) {
        b.t_ns += PERIOD_NS;
        reads(&b, HALL_LEFT);
        assert_int_equal(left(&b)->worked_out_ns, first_ns);
    }
    b.t_ns += 1;
    reads(&b, HALL_LEFT);
    assert_int_equal(left(&b)->worked_out_ns, b.t_ns);
}

static void more_heat_than_was_assumed_works_it_out_anew(void **state)
{
    (void)state;
    for (int phase = 0; phase < PHASES; phase++) {
        struct permit_hall b;
        start_left(&b);
        reads(&b, HALL_LEFT);
        int64_t lendable_ma = left(&b)->lendable_ma;
        int64_t assumed = left(&b)->part[0];
        assert_true(assumed == HEAT_ONE / 5 + HEAT_ONE / 512);
        b.t_ns += PERIOD_NS;
        b.hall.heat_node[HALL_LEFT].state.part[0][phase] = assumed;
        reads(&b, HALL_LEFT);
        assert_int_equal(left(&b)->lendable_ma, lendable_ma);
        b.hall.heat_node[HALL_LEFT].state.part[0][phase] = assumed + 1;
        reads(&b, HALL_LEFT);
        assert_true(left(&b)->lendable_ma < lendable_ma);
        assert_int_equal(left(&b)->lent.lendable_ma, left(&b)->lendable_ma);
    }
}

/* A crest of 3 is seen as 3.06: what is lent may peak so high. */
static void a_higher_crest_works_it_out_anew(void **state)
{
    (void)state;
    struct permit_hall b;
    start_left(&b);
    reads(&b, HALL_LEFT);
    assert_int_equal(left(&b)->crest_milli, 2000);
    b.hall.heat_node[HALL_LEFT].newest.crest_milli = 2001;
    b.t_ns += PERIOD_NS;
    reads(&b, HALL_LEFT);
    assert_int_equal(left(&b)->worked_out_ns, b.t_ns);
    assert_int_equal(left(&b)->crest_milli, breaker_crest(2001) * 102 / 100);
}

static void reads_crest(struct permit_hall *b, int64_t ma, int32_t crest_milli)
{
    struct slot slot = reading(b, HALL_LEFT, ma + ++b->news % 7);
    slot.reading.crest_milli = b->hall.heat_node[HALL_LEFT].newest.crest_milli = crest_milli;
    take(b, &slot);
}

/* A crest that comes once in a while is there all the time: what it was at half of 140 A and above counts for
 * a minute at least and two at most; at a lighter load only while it lasts. */
static void a_measured_crest_counts_for_a_minute_or_two(void **state)
{
    (void)state;
    for (int64_t ma = 69990; ma <= 70000; ma += 10) {
        struct permit_hall b;
        start_left(&b);
        reads_crest(&b, ma, 3000);
        assert_int_equal(left(&b)->crest_milli, 3060);
        int64_t read_ns = b.t_ns;
        for (; b.t_ns < read_ns + 121 * NS_PER_S; b.t_ns += PERIOD_NS) {
            reads_crest(&b, 70000, 1414);
            if (b.t_ns < read_ns + 60 * NS_PER_S && b.t_ns > read_ns + 11 * PERIOD_NS)
                assert_int_equal(left(&b)->crest_milli, ma == 70000 ? 3060 : 2000);
        }
        reads_crest(&b, 70000, 1414);
        assert_int_equal(left(&b)->crest_milli, 2000);
    }
}

/* A stretch ends after exactly its length; what hangs on phases that a node does not have is no load. */
static void crests_are_kept_by_stretches(void **state)
{
    (void)state;
    struct hall hall;
    struct permit_node p;
    hall_build(&hall);
    hall_limit(&hall, HALL_LEFT, 14);
    struct reading reading = {.crest_milli = 3000, .current_ma = {70000}};
    memset(&p, 0, sizeof p);
    hall.node[HALL_LEFT].phases = 1;
    permit_note_crest(&hall.node[HALL_LEFT], &p, &reading, 0);
    reading.crest_milli = 2500;
    permit_note_crest(&hall.node[HALL_LEFT], &p, &reading, PERMIT_CREST_NS - 1);
    assert_int_equal(p.crest_high_milli[0], breaker_crest(3000));
    assert_int_equal(p.crest_high_milli[1], 0);
    permit_note_crest(&hall.node[HALL_LEFT], &p, &reading, PERMIT_CREST_NS);
    assert_int_equal(p.crest_high_milli[0], breaker_crest(2500));
    assert_int_equal(p.crest_high_milli[1], breaker_crest(3000));
    reading.crest_milli = 4000;
    reading.current_ma[0] = 69999;
    reading.current_ma[1] = reading.current_ma[2] = 140000;
    permit_note_crest(&hall.node[HALL_LEFT], &p, &reading, PERMIT_CREST_NS + 1);
    assert_int_equal(p.crest_high_milli[0], breaker_crest(2500));
}

/* ---- for how long ---- */

/* Fresh until T_fresh after its window began, that nanosecond included; age counts, and an arrival before the
 * slot. */
static void a_reading_lends_until_its_window_is_t_fresh_old(void **state)
{
    (void)state;
    struct permit_hall b;
    start_left(&b);
    struct slot slot = reading(&b, HALL_LEFT, 900);
    slot.reading.age_ns = 10 * NS_PER_MS;
    slot.t_receive_ns -= 4 * NS_PER_MS;
    take(&b, &slot);
    assert_int_equal(left(&b)->until_ns, b.t_ns + LENDS_NS - 14 * NS_PER_MS);
    b.t_ns += LENDS_NS - 14 * NS_PER_MS;
    permit_pass_time(&b.permits, b.t_ns);
    assert_int_equal(permit(&b), PERMIT_HELD);
    permit_pass_time(&b.permits, b.t_ns + 1);
    assert_int_equal(permit(&b), PERMIT_STALE);
    assert_int_equal(permit_since_ns(&b.permits, HALL_LEFT), b.t_ns + 1);
    assert_int_equal(left(&b)->lent.contingencies, 0);
    assert_int_equal(b.permits.lost[PERMIT_STALE], 1);
    assert_int_equal(b.permits.granted, 1);
    assert_int_equal(b.permits.held, 0);
}

/* An older reading that arrives late takes nothing away; a slot's time never counts later than it is. */
static void a_late_reading_takes_nothing_away(void **state)
{
    (void)state;
    struct permit_hall b;
    start_left(&b);
    reads(&b, HALL_LEFT);
    int64_t until_ns = left(&b)->until_ns;
    struct slot slot = reading(&b, HALL_LEFT, 800);
    slot.reading.age_ns = 20 * NS_PER_MS;
    take(&b, &slot);
    assert_int_equal(left(&b)->until_ns, until_ns);
    slot = reading(&b, HALL_LEFT, 801);
    slot.t_receive_ns += NS_PER_S;
    take(&b, &slot);
    assert_int_equal(left(&b)->until_ns, until_ns);
}

/* One digit of any phase's volts or amperes is news; the same again is none, and says frozen. */
static void any_digit_of_any_phase_is_news(void **state)
{
    (void)state;
    for (uint32_t digit = 0; digit <= 2 * PHASES; digit++) {
        struct permit_hall b;
        start_left(&b);
        struct slot slot = reading(&b, HALL_LEFT, 900);
        take(&b, &slot);
        b.t_ns += PERIOD_NS;
        slot.t_ns = slot.t_receive_ns = b.t_ns;
        if (digit < PHASES)
            slot.reading.voltage_mv[digit]++;
        else if (digit < 2 * PHASES)
            slot.reading.current_ma[digit - PHASES]++;
        take(&b, &slot);
        bool news = digit < 2 * PHASES;
        assert_int_equal(left(&b)->until_ns, (news ? b.t_ns : b.t_ns - PERIOD_NS) + LENDS_NS);
        b.t_ns += LENDS_NS + 1;
        permit_pass_time(&b.permits, b.t_ns);
        assert_int_equal(permit(&b), news ? PERMIT_STALE : PERMIT_FROZEN);
        assert_int_equal(permit_meter(&b.permits, HALL_LEFT, b.t_ns), news ? 0 : METER_IS_FROZEN);
    }
}

/* A first reading of nothing at all is news. */
static void the_first_reading_is_news_whatever_it_says(void **state)
{
    (void)state;
    struct permit_hall b;
    start_left(&b);
    struct slot slot;
    memset(&slot, 0, sizeof slot);
    slot.t_ns = slot.t_receive_ns = b.t_ns;
    slot.reading.meter = HALL_LEFT;
    take(&b, &slot);
    assert_int_equal(permit(&b), PERMIT_HELD);
    /* nothing again is a node that nothing feeds, and no fault of its meter */
    b.t_ns += LENDS_NS + 1;
    slot.t_ns = slot.t_receive_ns = b.t_ns;
    take(&b, &slot);
    assert_int_equal(permit(&b), PERMIT_DEAD);
    assert_int_equal(permit_meter(&b.permits, HALL_LEFT, b.t_ns), 0);
    assert_int_equal(left(&b)->lent.contingencies, 0);
}

/* Four meters whose readings came in every order, some read again: each lapses at its own time. */
static void permits_lapse_in_the_order_of_their_readings(void **state)
{
    static const uint8_t all[HALL_NODES] = {1, 1, 1, 1};
    (void)state;
    for (uint32_t order = 0; order < 256; order++) {
        struct permit_hall b;
        int64_t until_ns[HALL_NODES] = {0};
        start(&b, all);
        for (uint32_t i = 0; i < 2 * HALL_NODES; i++) {
            uint32_t node = i < HALL_NODES ? (i + order) % HALL_NODES : order >> 2 * (i - HALL_NODES) & 3;
            b.t_ns += NS_PER_MS;
            reads(&b, node);
            until_ns[node] = b.t_ns + LENDS_NS;
        }
        for (int64_t end_ns = b.t_ns + LENDS_NS + 2; b.t_ns < end_ns;) {
            for (uint32_t n = 0; n < HALL_NODES; n++)
                assert_int_equal(permit_of(&b.permits, n) == PERMIT_HELD, until_ns[n] >= b.t_ns);
            b.t_ns += (b.t_ns - HALL_T_NS) % NS_PER_MS ? NS_PER_MS - 1 : 1;
            permit_pass_time(&b.permits, b.t_ns);
        }
        assert_int_equal(b.permits.expiry_count, 0);
    }
}

/* What was lent has run out T_resp after the last slot that lent it: until then what is admissible is the
 * trigger. */
static void the_trigger_is_admissible_until_what_was_lent_has_run_out(void **state)
{
    (void)state;
    struct permit_hall b;
    start_left(&b);
    assert_int_equal(permit_trigger_ma(&b.permits, HALL_LEFT, b.t_ns), STEADY_MA);
    reads(&b, HALL_LEFT);
    b.t_ns += PERIOD_NS;
    reads(&b, HALL_LEFT);
    int64_t admissible_ma = left(&b)->admissible_ma;
    assert_int_equal(permit_trigger_ma(&b.permits, HALL_LEFT, b.t_ns), admissible_ma);
    b.t_ns += LENDS_NS + 1;
    permit_pass_time(&b.permits, b.t_ns);
    int64_t out_ns = b.t_ns + 700 * NS_PER_MS;
    assert_int_equal(permit_trigger_ma(&b.permits, HALL_LEFT, out_ns), admissible_ma);
    assert_int_equal(permit_trigger_ma(&b.permits, HALL_LEFT, out_ns + 1), STEADY_MA);
    b.meter[HALL_LEFT].admissible_ma = STEADY_MA - 1;
    assert_int_equal(permit_trigger_ma(&b.permits, HALL_LEFT, out_ns), STEADY_MA);
}

static void a_node_without_a_meter_of_its_own_lends_nothing(void **state)
{
    (void)state;
    struct permit_hall b;
    start_left(&b);
    b.hall.node[HALL_RACK].meter = INDEX_NONE;
    b.hall.node[HALL_RIGHT].meter = HALL_LEFT;              /* another node's */
    reads(&b, HALL_LEFT);
    for (uint32_t n = HALL_RIGHT; n <= HALL_RACK; n++) {
        assert_int_equal(permit_of(&b.permits, n), PERMIT_NONE);
        assert_int_equal(permit_since_ns(&b.permits, n), 0);
        assert_int_equal(permit_trigger_ma(&b.permits, n, b.t_ns), STEADY_MA);
    }
    assert_int_equal(permit_of(&b.permits, HALL_MAIN), PERMIT_NONE);
}

/* ---- what ends it ---- */

/* theta_op is 0.9 of a trip: at it may be lent, above not; what travels is no heat. */
static void heat_at_theta_op_is_not_yet_too_much(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct permit_hall b;
        start_left(&b);
        reads(&b, HALL_LEFT);
        b.meter[HALL_LEFT].part[0] = HEAT_ONE;
        b.hall.heat_node[HALL_LEFT].state.part[0][2] = OPERATE_HEAT + (i > 0);
        if (i == 2)
            b.hall.node[HALL_LEFT].breaker.element[0].law = BREAKER_TRAVEL;
        permit_follow(&b.permits, HALL_LEFT, b.t_ns);
        assert_int_equal(permit(&b), i == 1 ? PERMIT_HOT : PERMIT_HELD);
    }
}

/* Doubted for half a second it is not believed, and then not before all doubt is gone. */
static void doubt_ends_a_permit_and_has_to_go_before_it_comes_back(void **state)
{
    (void)state;
    struct permit_hall b;
    start_left(&b);
    reads(&b, HALL_LEFT);
    b.meter[HALL_LEFT].low_ns = PERMIT_DOUBT_NS - 1;
    permit_follow(&b.permits, HALL_LEFT, b.t_ns);
    assert_int_equal(permit(&b), PERMIT_HELD);
    b.meter[HALL_LEFT].low_ns = PERMIT_DOUBT_NS;
    permit_follow(&b.permits, HALL_LEFT, b.t_ns);
    assert_int_equal(permit(&b), PERMIT_IMPLAUSIBLE);
    assert_int_equal(permit_meter(&b.permits, HALL_LEFT, b.t_ns), METER_IS_IMPLAUSIBLE);
    b.meter[HALL_LEFT].low_ns = 1;
    permit_follow(&b.permits, HALL_LEFT, b.t_ns);
    assert_int_equal(permit(&b), PERMIT_IMPLAUSIBLE);
    b.meter[HALL_LEFT].low_ns = 0;
    permit_follow(&b.permits, HALL_LEFT, b.t_ns);
    assert_int_equal(permit(&b), PERMIT_HELD);
    b.meter[HALL_LEFT].alone_ns = PERMIT_DOUBT_NS - 1;
    permit_follow(&b.permits, HALL_LEFT, b.t_ns);
    assert_int_equal(permit(&b), PERMIT_HELD);
    b.meter[HALL_LEFT].alone_ns = PERMIT_DOUBT_NS;
    permit_follow(&b.permits, HALL_LEFT, b.t_ns);
    assert_int_equal(permit(&b), PERMIT_ALONE);
}

/* Under contingencies that are withdrawn nothing is lent, the first meter's node included; under others it
 * goes on. */
static void what_is_withdrawn_is_not_lent_anywhere(void **state)
{
    static const uint8_t all[HALL_NODES] = {3, 3, 1, 3};
    (void)state;
    struct permit_hall b;
    start(&b, all);
    for (uint32_t n = 0; n < HALL_NODES; n++)
        reads(&b, n);
    permit_withdraw(&b.permits, 2, b.t_ns);
    for (uint32_t n = 0; n < HALL_NODES; n++)
        assert_int_equal(b.meter[n].lent.contingencies, 1);
    assert_int_equal(permit_of(&b.permits, HALL_MAIN), PERMIT_FEED);
    assert_int_equal(permit_of(&b.permits, HALL_RIGHT), PERMIT_HELD);
    permit_withdraw(&b.permits, 3, b.t_ns);
    for (uint32_t n = 0; n < HALL_NODES; n++)
        assert_int_equal(b.meter[n].lent.contingencies, 0);
    permit_withdraw(&b.permits, 0, b.t_ns);
    b.t_ns += NS_PER_MS;
    reads(&b, HALL_MAIN);
    assert_int_equal(b.meter[HALL_MAIN].lent.contingencies, 3);
}

/* Both hosts of LEFT may draw 2 kVA on a phase: 40 A at 100 V, 1 % of error more is no loss. 40.401 A is one,
 * and a reserve is not lent for a second after the last such reading; what is lent without a loss is. */
static void a_reading_that_no_loss_explains_ends_the_lending_of_reserves_alone(void **state)
{
    (void)state;
    for (uint8_t lend = 2; lend <= 3; lend++) {
        for (uint32_t phase = 0; phase < PHASES; phase++) {
            uint8_t lends[HALL_NODES] = {[HALL_LEFT] = lend};
            struct permit_hall b;
            start(&b, lends);
            struct slot slot = reading(&b, HALL_LEFT, 40400);
            take(&b, &slot);
            assert_int_equal(left(&b)->lent.contingencies, lend);
            b.t_ns += PERIOD_NS;
            slot.t_receive_ns = b.t_ns;
            slot.reading.current_ma[phase] = 40401;
            take(&b, &slot);
            assert_int_equal(left(&b)->lent.contingencies, lend & 1);
            int64_t loss_ns = b.t_ns;
            b.t_ns = loss_ns + NS_PER_S - 1;
            b.meter[HALL_LEFT].weighed_ns = b.t_ns;
            reads(&b, HALL_LEFT);
            assert_int_equal(left(&b)->lent.contingencies, lend & 1);
            b.t_ns++;
            reads(&b, HALL_LEFT);
            assert_int_equal(left(&b)->lent.contingencies, lend);
        }
    }
}

/* On one phase the hosts of all three may draw. */
static void on_a_single_phase_the_largest_phase_of_hosts_explains_a_reading(void **state)
{
    static const uint8_t lends[HALL_NODES] = {[HALL_LEFT] = 2};
    (void)state;
    for (uint32_t phase = 0; phase < PHASES; phase++) {
        struct permit_hall b;
        start(&b, lends);
        b.hall.node[HALL_LEFT].phases = 1;
        b.hall.ledger.node[HALL_LEFT].exposed_mva[0][phase] = 5 * HALL_KW;
        struct slot slot = reading(&b, HALL_LEFT, 50500);
        take(&b, &slot);
        assert_int_equal(left(&b)->lent.contingencies, 2);
        slot.reading.current_ma[0] = 50501;
        take(&b, &slot);
        assert_int_equal(left(&b)->lent.contingencies, 0);
    }
}

/* ---- hosts ---- */

/* Looked at in turn, so many at a time: silent for more than D, a host vouches for nothing. */
static void a_host_silent_for_longer_than_a_lease_vouches_for_nothing(void **state)
{
    (void)state;
    struct permit_hall b;
    start_left(&b);
    for (uint32_t h = 0; h < HALL_HOSTS; h++) {
        struct report report = {.host = h, .draw_mw = h ? 1 : -1000};
        permit_report(&b.permits, &report, b.t_ns);
    }
    assert_int_equal(b.draw_mw[0], 0);                      /* no draw is negative */
    permit_look(&b.permits, HALL_T_NS + NS_PER_S, HALL_HOSTS);
    assert_int_equal(b.sum[HALL_LEFT].fresh_hosts, 2);
    permit_look(&b.permits, HALL_T_NS + NS_PER_S + 1, 2);   /* the round goes on with hosts 1 and 2 */
    assert_int_equal(b.draw_mw[0], 0);
    assert_int_equal(b.draw_mw[1], -1);
    assert_int_equal(b.draw_mw[2], -1);
    assert_int_equal(b.draw_mw[3], 1);
    permit_look(&b.permits, HALL_T_NS + NS_PER_S + 1, 100);
    assert_int_equal(b.sum[HALL_LEFT].fresh_hosts, 0);
}

/* Sixteen meters read in any order, by readings of any age, again and again: each stands in the order of
 * expiry until its own time is over, and no longer. */
static void every_meter_lapses_at_its_own_time(void **state)
{
    enum { METERS = 16 };
    static struct model_node node[METERS];
    static struct model_meter known[METERS];
    struct permit_node meter[METERS] = {0};
    struct permit_expiry expiry[METERS];
    struct model model = {.meter_count = METERS, .meter = known, .node = node};
    struct permits permits = {.model = &model, .meter = meter, .expiry = expiry, .feeds = 1};
    uint64_t chance = 1;
    (void)state;
    for (uint32_t m = 0; m < METERS; m++) {
        known[m] = (struct model_meter){.node = m, .period_ns = 1, .fresh_ns = 101};
        meter[m] = (struct permit_node){.node = m, .watched = true, .until_ns = INT64_MIN};
    }
    for (int64_t t_ns = 1000; t_ns < 9000; t_ns++) {
        chance = chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint32_t read = chance >> 33 & 63;
        struct slot slot;
        memset(&slot, 0, sizeof slot);
        slot.t_receive_ns = t_ns;
        slot.reading = (struct reading){.meter = read % METERS, .age_ns = (int64_t)(chance >> 40 & 127)};
        slot.reading.current_ma[0] = t_ns;
        permit_pass_time(&permits, t_ns);
        if (read < METERS)
            permit_reading(&permits, &slot, t_ns);
        uint32_t armed = 0;
        for (uint32_t m = 0; m < METERS; m++) {
            assert_int_equal(meter[m].armed, meter[m].until_ns >= t_ns);
            armed += meter[m].armed;
        }
        assert_int_equal(permits.expiry_count, armed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_horizons_are_those_of_the_argument),
        cmocka_unit_test(nothing_is_lent_beyond_twenty_times_the_steady_limit),
        cmocka_unit_test(a_horizon_stands_until_heat_or_time_or_a_crest_passes_it),
        cmocka_unit_test(more_heat_than_was_assumed_works_it_out_anew),
        cmocka_unit_test(a_higher_crest_works_it_out_anew),
        cmocka_unit_test(a_measured_crest_counts_for_a_minute_or_two),
        cmocka_unit_test(crests_are_kept_by_stretches),
        cmocka_unit_test(a_reading_lends_until_its_window_is_t_fresh_old),
        cmocka_unit_test(a_late_reading_takes_nothing_away),
        cmocka_unit_test(any_digit_of_any_phase_is_news),
        cmocka_unit_test(the_first_reading_is_news_whatever_it_says),
        cmocka_unit_test(permits_lapse_in_the_order_of_their_readings),
        cmocka_unit_test(the_trigger_is_admissible_until_what_was_lent_has_run_out),
        cmocka_unit_test(a_node_without_a_meter_of_its_own_lends_nothing),
        cmocka_unit_test(heat_at_theta_op_is_not_yet_too_much),
        cmocka_unit_test(doubt_ends_a_permit_and_has_to_go_before_it_comes_back),
        cmocka_unit_test(what_is_withdrawn_is_not_lent_anywhere),
        cmocka_unit_test(a_reading_that_no_loss_explains_ends_the_lending_of_reserves_alone),
        cmocka_unit_test(on_a_single_phase_the_largest_phase_of_hosts_explains_a_reading),
        cmocka_unit_test(a_host_silent_for_longer_than_a_lease_vouches_for_nothing),
        cmocka_unit_test(every_meter_lapses_at_its_own_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
