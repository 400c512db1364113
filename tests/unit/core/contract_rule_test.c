/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arithmetic of contracts, by hand in the small hall: what of a draw flows through a node, what a cap
 * leaves to hosts, what the meter corrects and when it is a breach, the fair cut. A watt of cap is a watt of
 * draw; every host holds its fail-safe cap of 2 kW.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/contract.h"
#include "hall.h"

#define SETTLE_NS (170 * NS_PER_MS)     /* 100 of the type, 50 of the meters, 20 of a tick */

enum { PLACES = HALL_NODES + CONTRACT_GROUPS_MAX };

struct desk {
    struct hall hall;
    struct contracts contracts;
    int64_t budget_mw[PLACES], drawn_mw[PLACES], fail_safe_mw[PLACES], counted_mw[HALL_HOSTS];
    uint32_t within[HALL_NODES];
    uint64_t number;
};

static void note_all(struct desk *desk)
{
    for (uint32_t h = 0; h < HALL_HOSTS; h++)
        contract_note(&desk->contracts, &desk->hall.ledger, h);
}

static void build(struct desk *desk)
{
    memset(desk, 0, sizeof *desk);
    hall_build(&desk->hall);
}

static void start(struct desk *desk)
{
    hall_open(&desk->hall);
    desk->contracts = (struct contracts){
        .budget_mw = desk->budget_mw, .drawn_mw = desk->drawn_mw, .fail_safe_mw = desk->fail_safe_mw,
        .within = desk->within, .counted_mw = desk->counted_mw};
    contract_init(&desk->contracts, &desk->hall.model);
    note_all(desk);
}

/* Host 0 has a second cord on RACK; each may carry 55 %. */
static void build_two_cords(struct desk *desk)
{
    build(desk);
    desk->hall.host[0].cord_count = 2;
    desk->hall.host[0].cord[1].node = HALL_RACK;
    desk->hall.host[0].cord[0].share_ppm[0] = desk->hall.host[0].cord[1].share_ppm[0] = 550000;
}

static enum order_refusal give(struct desk *desk, struct slot_order order)
{
    order.number = ++desk->number;
    return contract_give(&desk->contracts, &order, HALL_T_NS);
}

static void cap(struct desk *desk, uint32_t node, int64_t value_mw)
{
    struct slot_order order = {
        .kind = ORDER_CAP, .node = node, .contract = 10 + node, .value_mw = value_mw};
    assert_int_equal(give(desk, order), ORDER_TAKEN);
}

/* ---- what flows ---- */

static void a_part_is_a_cords_share_with_tolerance_taken_out(void **state)
{
    (void)state;
    struct desk d;
    build_two_cords(&d);
    start(&d);
    assert_int_equal(contract_part_ppm(&d.contracts, 0, HALL_LEFT), 500000);
    assert_int_equal(contract_part_ppm(&d.contracts, 0, HALL_RACK), 500000);
    assert_int_equal(contract_part_ppm(&d.contracts, 0, HALL_RIGHT), 500000);
    assert_int_equal(contract_part_ppm(&d.contracts, 0, HALL_MAIN), 1000000);
    assert_int_equal(contract_part_ppm(&d.contracts, 1, HALL_MAIN), 1000000);
    assert_int_equal(contract_part_ppm(&d.contracts, 1, HALL_RACK), 0);
    d.hall.host[0].cord[1].share_ppm[0] = 1100000;
    assert_int_equal(contract_part_ppm(&d.contracts, 0, HALL_LEFT), 333334);
}

static void sums_count_each_cord_by_its_part(void **state)
{
    (void)state;
    struct desk d;
    build_two_cords(&d);
    start(&d);
    static const int64_t kw[HALL_NODES] = {10, 3, 7, 5};
    for (uint32_t n = 0; n < HALL_NODES; n++) {
        assert_int_equal(d.fail_safe_mw[n], kw[n] * HALL_KW);
        assert_int_equal(d.drawn_mw[n], kw[n] * HALL_KW);
    }
}

/* By the highest lease that may still be obeyed; below fail-safe as it is; all it can draw where nobody
 * knows. */
static void a_host_counts_by_its_highest_lease(void **state)
{
    (void)state;
    struct desk d;
    build_two_cords(&d);
    start(&d);
    hall_holds(&d.hall, 0, 6 * HALL_KW);
    note_all(&d);
    assert_int_equal(d.drawn_mw[HALL_LEFT], 5 * HALL_KW);
    ledger_sent(&d.hall.ledger, 0, 1 * HALL_KW);
    note_all(&d);
    assert_int_equal(d.drawn_mw[HALL_LEFT], 5 * HALL_KW);
    hall_holds(&d.hall, 0, 1 * HALL_KW);
    note_all(&d);
    assert_int_equal(d.drawn_mw[HALL_LEFT], 2500 * HALL_W);
    ledger_forget(&d.hall.ledger, 0);
    note_all(&d);
    assert_int_equal(d.drawn_mw[HALL_LEFT], 8 * HALL_KW);
    assert_int_equal(d.drawn_mw[HALL_MAIN], 20 * HALL_KW);
}

/* ---- what a cap leaves ---- */

static void a_budget_is_the_cap_less_what_no_lease_governs(void **state)
{
    (void)state;
    struct desk d;
    build_two_cords(&d);
    for (int64_t phase = 0; phase < PHASES; phase++)
        d.hall.node[HALL_RACK].other_mva[phase] = (1 + phase) * 100 * HALL_W;
    start(&d);
    cap(&d, HALL_RACK, 9 * HALL_KW);
    assert_int_equal(d.budget_mw[HALL_RACK], 8400 * HALL_W);
    struct slot_order least = {.kind = ORDER_CAP, .node = HALL_RACK, .contract = 99};
    least.value_mw = 1500 * HALL_W;
    assert_int_equal(give(&d, least), ORDER_TAKEN);
    assert_int_equal(d.budget_mw[HALL_RACK], 900 * HALL_W);
    least.value_mw = 599 * HALL_W;
    assert_int_equal(give(&d, least), ORDER_TAKEN);             /* takes the place of the other */
    assert_int_equal(d.budget_mw[HALL_RACK], 0);
    assert_int_equal(d.contracts.count, 2);
    assert_int_equal(contract_lift(&d.contracts, 99), ORDER_TAKEN);
    assert_int_equal(d.budget_mw[HALL_RACK], 8400 * HALL_W);
    assert_int_equal(contract_lift(&d.contracts, 99), ORDER_REFUSED_VALUE);
    assert_int_equal(contract_lift(&d.contracts, 10 + HALL_RACK), ORDER_TAKEN);
    assert_int_equal(d.budget_mw[HALL_RACK], CONTRACT_FREE);
    assert_int_equal(d.contracts.count, 0);
}

static void a_contract_given_again_leaves_its_old_node(void **state)
{
    (void)state;
    struct desk d;
    build(&d);
    start(&d);
    cap(&d, HALL_LEFT, 9 * HALL_KW);
    struct slot_order order = {.kind = ORDER_CAP, .node = HALL_RIGHT, .contract = 10 + HALL_LEFT};
    order.value_mw = 8 * HALL_KW;
    assert_int_equal(give(&d, order), ORDER_TAKEN);
    assert_int_equal(d.budget_mw[HALL_LEFT], CONTRACT_FREE);
    assert_int_equal(d.budget_mw[HALL_RIGHT], 8 * HALL_KW);
}

static void a_contract_ends_with_its_last_nanosecond(void **state)
{
    (void)state;
    struct desk d;
    build(&d);
    start(&d);
    struct slot_order order = {.kind = ORDER_CAP, .node = HALL_LEFT, .contract = 4};
    order.value_mw = 8 * HALL_KW;
    order.within_ns = 2 * NS_PER_S;
    order.for_ns = 3 * NS_PER_S;
    give(&d, order);
    cap(&d, HALL_RIGHT, 8 * HALL_KW);                           /* until it is lifted */
    assert_int_equal(contract_expire(&d.contracts, HALL_T_NS + 5 * NS_PER_S - 1), 0);
    assert_int_equal(contract_expire(&d.contracts, HALL_T_NS + 5 * NS_PER_S), 1);
    assert_int_equal(d.budget_mw[HALL_LEFT], CONTRACT_FREE);
    assert_int_equal(d.contracts.count, 1);
    assert_int_equal(contract_expire(&d.contracts, INT64_MAX - 1), 0);
}

/* Both hosts of LEFT draw 4 kW at fail-safe. */
static void a_cap_below_what_fail_safe_draws_is_told(void **state)
{
    (void)state;
    struct desk d;
    build(&d);
    start(&d);
    assert_false(contract_below_fail_safe(&d.contracts, 0));
    cap(&d, HALL_LEFT, 4 * HALL_KW);
    assert_false(contract_below_fail_safe(&d.contracts, 0));
    cap(&d, HALL_LEFT, 4 * HALL_KW - 1);
    assert_true(contract_below_fail_safe(&d.contracts, 0));
    assert_true(contract_below_fail_safe(&d.contracts, 1));
    assert_false(contract_below_fail_safe(&d.contracts, 2));
}

/* 9 kW for LEFT, of which host 1 may draw 2: 7 are left, less one mW for every cord that a host may have. */
static void the_room_of_a_host_is_what_others_leave(void **state)
{
    (void)state;
    struct desk d;
    uint32_t node;
    build(&d);
    start(&d);
    assert_int_equal(contract_room_mw(&d.contracts, 0, 9 * HALL_KW, 0, &node), 9 * HALL_KW);
    assert_int_equal(node, INDEX_NONE);
    cap(&d, HALL_LEFT, 9 * HALL_KW);
    assert_int_equal(contract_room_mw(&d.contracts, 0, 10 * HALL_KW, 0, &node), 7 * HALL_KW - 4);
    assert_int_equal(node, HALL_LEFT);
    assert_int_equal(contract_room_mw(&d.contracts, 0, 7 * HALL_KW - 4, 0, &node), 7 * HALL_KW - 4);
    assert_int_equal(node, INDEX_NONE);                         /* it has what it asks for */
    assert_int_equal(contract_room_mw(&d.contracts, 0, 10 * HALL_KW, 8 * HALL_KW, &node), 8 * HALL_KW);
    assert_int_equal(node, HALL_LEFT);                          /* and keeps what it has */
    assert_int_equal(contract_room_mw(&d.contracts, 2, 9 * HALL_KW, 0, &node), 9 * HALL_KW);
    cap(&d, HALL_MAIN, 12 * HALL_KW);                           /* four others draw 8 */
    assert_int_equal(contract_room_mw(&d.contracts, 0, 10 * HALL_KW, 0, &node), 4 * HALL_KW - 4);
    assert_int_equal(node, HALL_MAIN);
    cap(&d, HALL_MAIN, 5 * HALL_KW);
    assert_int_equal(contract_room_mw(&d.contracts, 0, 10 * HALL_KW, HALL_KW, &node), HALL_KW);
}

/* Through one cord of two goes half: twice as much is left of the host. */
static void the_room_of_a_host_with_two_cords_is_twice_what_one_may_carry(void **state)
{
    (void)state;
    struct desk d;
    uint32_t node;
    build_two_cords(&d);
    start(&d);
    cap(&d, HALL_LEFT, 5 * HALL_KW);                            /* host 1 draws 2 of it */
    assert_int_equal(contract_room_mw(&d.contracts, 0, 10 * HALL_KW, 0, &node), 6 * HALL_KW - 8);
}

/* ---- ramps ---- */

static enum order_refusal ramp(struct desk *desk, uint32_t id, int64_t up, int64_t down)
{
    struct slot_order order = {.kind = ORDER_RAMP, .node = HALL_LEFT, .contract = id};
    order.value_mw = up;
    order.down_mw_per_s = down;
    return give(desk, order);
}

static void an_order_may_tighten_a_ramp_and_never_loosen_it(void **state)
{
    (void)state;
    struct desk d;
    int64_t up, down;
    build(&d);
    d.hall.node[HALL_LEFT].ramp_up_mw_per_s = 5 * HALL_KW;
    d.hall.node[HALL_LEFT].ramp_down_mw_per_s = 4 * HALL_KW;
    start(&d);
    contract_ramp(&d.contracts, HALL_LEFT, &up, &down);
    assert_true(up == 5 * HALL_KW && down == 4 * HALL_KW);
    assert_int_equal(ramp(&d, 1, 0, 4 * HALL_KW), ORDER_REFUSED_LOOSENS);
    assert_int_equal(ramp(&d, 1, 5 * HALL_KW + 1, 4 * HALL_KW), ORDER_REFUSED_LOOSENS);
    assert_int_equal(ramp(&d, 1, 5 * HALL_KW, 0), ORDER_REFUSED_LOOSENS);
    assert_int_equal(ramp(&d, 1, 5 * HALL_KW, 4 * HALL_KW + 1), ORDER_REFUSED_LOOSENS);
    assert_int_equal(d.contracts.count, 0);
    assert_int_equal(ramp(&d, 1, 5 * HALL_KW, 4 * HALL_KW), ORDER_TAKEN);
    assert_int_equal(ramp(&d, 2, 3 * HALL_KW, 1 * HALL_KW), ORDER_TAKEN);
    assert_int_equal(ramp(&d, 3, 2 * HALL_KW, 2 * HALL_KW), ORDER_TAKEN);
    contract_ramp(&d.contracts, HALL_LEFT, &up, &down);
    assert_true(up == 2 * HALL_KW && down == 1 * HALL_KW);
    contract_ramp(&d.contracts, HALL_RIGHT, &up, &down);
    assert_true(up == 0 && down == 0);
    assert_int_equal(d.budget_mw[HALL_LEFT], CONTRACT_FREE);    /* a ramp is no cap */
    assert_int_equal(contract_lift(&d.contracts, 3), ORDER_TAKEN);
    contract_ramp(&d.contracts, HALL_LEFT, &up, &down);
    assert_true(up == 3 * HALL_KW && down == 1 * HALL_KW);
}

static void one_direction_may_be_ordered_alone(void **state)
{
    (void)state;
    struct desk d;
    int64_t up, down;
    build(&d);
    start(&d);
    assert_int_equal(ramp(&d, 1, 7 * HALL_KW, 0), ORDER_TAKEN);
    contract_ramp(&d.contracts, HALL_LEFT, &up, &down);
    assert_true(up == 7 * HALL_KW && down == 0);
    assert_int_equal(ramp(&d, 2, 0, 3 * HALL_KW), ORDER_TAKEN);
    contract_ramp(&d.contracts, HALL_LEFT, &up, &down);
    assert_true(up == 7 * HALL_KW && down == 3 * HALL_KW);
}

/* ---- what the meter says ---- */

static struct contract_finding reads(struct desk *desk, int64_t w, int64_t after_ns)
{
    return contract_reading(&desk->contracts, HALL_LEFT, w * HALL_W, HALL_T_NS + after_ns);
}

static const struct contract *only(const struct desk *desk)
{
    return &desk->contracts.item[0];
}

/* The slowest of types and meters, and a tick. */
static void a_correction_is_seen_after_the_slowest_has_had_its_effect(void **state)
{
    (void)state;
    struct desk d;
    struct model_host_type types[3];
    build(&d);
    for (int i = 0; i < 3; i++) {
        types[i] = d.hall.type;
        types[i].actuation_ns = (i == 1 ? 300 : 100) * NS_PER_MS;
    }
    d.hall.model.type = types;
    d.hall.model.type_count = 3;
    d.hall.meter[HALL_RIGHT].fresh_ns = 80 * NS_PER_MS;
    start(&d);
    assert_int_equal(d.contracts.settle_ns, (300 + 80 + 20) * NS_PER_MS);
}

/* 12, 14 and 13 kW within the first window of a cap of 10: 3 kW too much, a breach, and 7 kW left. */
static void the_mean_of_a_window_above_the_cap_is_a_breach_and_comes_off(void **state)
{
    (void)state;
    struct desk d;
    build(&d);
    start(&d);
    assert_int_equal(d.contracts.settle_ns, SETTLE_NS);
    assert_false(reads(&d, 50000, 0).trim);                     /* no cap, no word */
    cap(&d, HALL_LEFT, 10 * HALL_KW);
    reads(&d, 50000, SETTLE_NS - 1);                            /* before what was sent has its effect */
    reads(&d, 12000, SETTLE_NS);
    reads(&d, 14000, SETTLE_NS + 100 * NS_PER_MS);
    assert_int_equal(d.budget_mw[HALL_LEFT], 10 * HALL_KW);
    struct contract_finding found = reads(&d, 13000, SETTLE_NS + CONTRACT_WINDOW_NS);
    assert_int_equal(found.breaches, 1);
    assert_true(found.trim);
    assert_true(only(&d)->breached);
    assert_int_equal(d.budget_mw[HALL_LEFT], 7 * HALL_KW);
    /* the next window opens once that has had its effect */
    int64_t at_ns = 2 * SETTLE_NS + CONTRACT_WINDOW_NS;
    reads(&d, 50000, at_ns - 1);
    reads(&d, 11000, at_ns);
    assert_int_equal(reads(&d, 11000, at_ns + CONTRACT_WINDOW_NS - 1).trim, false);
    found = reads(&d, 11000, at_ns + CONTRACT_WINDOW_NS);
    assert_true(found.trim);
    assert_int_equal(found.breaches, 0);                        /* the same one goes on */
    assert_int_equal(only(&d)->breaches, 1);
    assert_int_equal(d.budget_mw[HALL_LEFT], 6 * HALL_KW);
}

/* One window of that load; returns when it is over. */
static int64_t window(struct desk *desk, int64_t w, int64_t from_ns, struct contract_finding *found)
{
    reads(desk, w, from_ns);
    *found = reads(desk, w, from_ns + CONTRACT_WINDOW_NS);
    return from_ns + CONTRACT_WINDOW_NS;
}

/* 3200 W in force are calm below 3100 W; a quarter of what was taken off is given back, rounded up. */
static void what_was_taken_off_comes_back_by_quarters_well_below_the_cap(void **state)
{
    (void)state;
    struct desk d;
    struct contract_finding found;
    build(&d);
    start(&d);
    cap(&d, HALL_LEFT, 3200 * HALL_W);
    int64_t t_ns = window(&d, 4200, SETTLE_NS, &found);
    assert_int_equal(only(&d)->excess_mw, 1000 * HALL_W);
    t_ns = window(&d, 3200, t_ns + SETTLE_NS, &found);          /* at the cap: no breach, nothing back */
    assert_false(only(&d)->breached || found.trim);
    assert_int_equal(only(&d)->excess_mw, 1000 * HALL_W);
    t_ns = window(&d, 3100, t_ns + 1, &found);                  /* nothing changed: nothing to wait for */
    assert_int_equal(only(&d)->excess_mw, 1000 * HALL_W);
    t_ns = window(&d, 3099, t_ns + 1, &found);
    assert_int_equal(only(&d)->excess_mw, 750 * HALL_W);
    assert_false(found.trim);
    assert_int_equal(d.budget_mw[HALL_LEFT], 2450 * HALL_W);
    window(&d, 3099, t_ns + SETTLE_NS - CONTRACT_WINDOW_NS - 1, &found);
    assert_int_equal(only(&d)->excess_mw, 750 * HALL_W);        /* given back a moment ago */
    t_ns = window(&d, 3099, t_ns + SETTLE_NS, &found);
    assert_int_equal(only(&d)->excess_mw, 562500);
    t_ns = window(&d, 3300, t_ns + SETTLE_NS, &found);          /* a second breach */
    assert_int_equal(found.breaches, 1);
    assert_int_equal(only(&d)->breaches, 2);
    window(&d, 90000, t_ns + SETTLE_NS, &found);                /* no more than all of it comes off */
    assert_int_equal(only(&d)->excess_mw, 3200 * HALL_W);
    assert_int_equal(d.budget_mw[HALL_LEFT], 0);
}

/* Due in two seconds: what lies above it before is corrected and no breach; a window that opens then is. */
static void before_its_time_a_load_above_is_no_breach(void **state)
{
    (void)state;
    for (int64_t early_ns = 0; early_ns < 2; early_ns++) {
        struct desk d;
        struct contract_finding found;
        build(&d);
        start(&d);
        struct slot_order order = {.kind = ORDER_CAP, .node = HALL_LEFT, .contract = 4};
        order.value_mw = 10 * HALL_KW;
        order.within_ns = 2 * NS_PER_S;
        give(&d, order);
        window(&d, 12000, 2 * NS_PER_S - early_ns, &found);
        assert_int_equal(found.breaches, early_ns ? 0 : 1);
        assert_true(found.trim);
    }
}

static void a_meter_corrects_the_contracts_of_its_own_node_alone(void **state)
{
    (void)state;
    struct desk d;
    struct contract_finding found;
    build(&d);
    start(&d);
    cap(&d, HALL_RIGHT, 5 * HALL_KW);
    cap(&d, HALL_LEFT, 5 * HALL_KW);
    ramp(&d, 3, HALL_KW, HALL_KW);
    window(&d, 9000, SETTLE_NS, &found);
    assert_int_equal(found.breaches, 1);
    assert_int_equal(d.budget_mw[HALL_RIGHT], 5 * HALL_KW);
    assert_int_equal(d.budget_mw[HALL_LEFT], 1 * HALL_KW);
}

/* ---- the trim ---- */

static struct contract_trim weigh(struct desk *desk, uint32_t node, uint32_t hosts, int64_t t_ns)
{
    struct contract_trim trim = {0};
    for (uint32_t h = 0; h < hosts; h++)
        contract_weigh(&desk->contracts, &desk->hall.ledger, node, h, t_ns, &trim);
    contract_trim_scale(&desk->contracts, node, &trim);
    return trim;
}

static int64_t trimmed(struct desk *desk, uint32_t host, int64_t t_ns, const struct contract_trim *trim)
{
    return contract_trim_cap_mw(&desk->contracts, &desk->hall.ledger, host, t_ns, trim);
}

/* 6 and 4 kW above floors of 1: a cap of 6 leaves 4 of the way of 8, half of each, in whole watts. */
static void every_host_goes_the_same_part_of_its_way_to_its_floor(void **state)
{
    (void)state;
    struct desk d;
    build(&d);
    start(&d);
    hall_holds(&d.hall, 0, 6 * HALL_KW);
    hall_holds(&d.hall, 1, 4 * HALL_KW);
    note_all(&d);
    cap(&d, HALL_LEFT, 6 * HALL_KW);
    struct contract_trim trim = weigh(&d, HALL_LEFT, 2, HALL_T_NS);
    assert_int_equal(trim.newest_mw, 10 * HALL_KW);
    assert_int_equal(trim.floor_mw, 2 * HALL_KW);
    assert_int_equal(trim.fixed_mw, 0);
    assert_int_equal(trim.scale_ppm, 499937);                   /* 4e9 / 8001: a little less than half */
    assert_int_equal(trimmed(&d, 0, HALL_T_NS, &trim), 3499 * HALL_W);
    assert_int_equal(trimmed(&d, 1, HALL_T_NS, &trim), 2499 * HALL_W);
    cap(&d, HALL_LEFT, 10 * HALL_KW);                           /* fits as it is */
    trim = weigh(&d, HALL_LEFT, 2, HALL_T_NS);
    assert_int_equal(trim.scale_ppm, PPM);
    assert_int_equal(trimmed(&d, 0, HALL_T_NS, &trim), -1);
    cap(&d, HALL_LEFT, 10 * HALL_KW - 1);
    trim = weigh(&d, HALL_LEFT, 2, HALL_T_NS);
    assert_true(trim.scale_ppm < PPM);
    cap(&d, HALL_LEFT, 2 * HALL_KW);                            /* nothing but floors */
    trim = weigh(&d, HALL_LEFT, 2, HALL_T_NS);
    assert_int_equal(trim.scale_ppm, 0);
    assert_int_equal(trimmed(&d, 0, HALL_T_NS, &trim), HALL_KW);
    cap(&d, HALL_LEFT, HALL_KW);                                /* and never below them */
    trim = weigh(&d, HALL_LEFT, 2, HALL_T_NS);
    assert_int_equal(trim.scale_ppm, 0);
    assert_int_equal(trimmed(&d, 1, HALL_T_NS, &trim), HALL_KW);
}

/* The floor is what the site says or the least its type can be set to; who stands there is left alone. */
static void nobody_is_cut_below_his_floor_nor_raised_to_it(void **state)
{
    (void)state;
    struct desk d;
    build(&d);
    d.hall.type.cap_min_mw = 1500 * HALL_W;
    d.hall.host[1].floor_mw = 1800 * HALL_W;
    start(&d);
    hall_holds(&d.hall, 1, 1700 * HALL_W);
    note_all(&d);
    cap(&d, HALL_LEFT, 1 * HALL_KW);
    struct contract_trim trim = weigh(&d, HALL_LEFT, 2, HALL_T_NS);
    assert_int_equal(trim.floor_mw, 3200 * HALL_W);             /* 1500 and the 1700 that host 1 has */
    assert_int_equal(trimmed(&d, 0, HALL_T_NS, &trim), 1500 * HALL_W);
    assert_int_equal(trimmed(&d, 1, HALL_T_NS, &trim), -1);
    hall_holds(&d.hall, 1, 1800 * HALL_W);
    assert_int_equal(trimmed(&d, 1, HALL_T_NS, &trim), -1);
    d.hall.type.quantum_mw = 400 * HALL_W;                      /* a floor need not be a whole one */
    assert_int_equal(trimmed(&d, 0, HALL_T_NS, &trim), 1500 * HALL_W);
}

/* Silent for more than D, unbounded, or not yet of this epoch: what it may draw stays, others make room. */
static void who_cannot_be_told_counts_as_it_is(void **state)
{
    (void)state;
    for (int why = 0; why < 5; why++) {
        struct desk d;
        build(&d);
        start(&d);
        hall_holds(&d.hall, 0, 4 * HALL_KW);
        hall_holds(&d.hall, 1, 4 * HALL_KW);
        note_all(&d);
        cap(&d, HALL_LEFT, 6 * HALL_KW);
        d.hall.account[0].report_t_ns = HALL_T_NS + 1;
        int64_t t_ns = HALL_T_NS + NS_PER_S + (why == 1);
        if (why == 2)
            d.hall.account[1].bounded = false;
        if (why == 3)
            d.hall.account[1].accepted = false;
        if (why == 4)
            d.hall.account[1].newest_mw = -1;
        struct contract_trim trim = weigh(&d, HALL_LEFT, 2, t_ns);
        assert_int_equal(trim.fixed_mw, why ? 4 * HALL_KW : 0);
        assert_int_equal(trim.scale_ppm, why ? 333222 : 666555);    /* 1e9 / 3001, 4e9 / 6001 */
        assert_int_equal(trimmed(&d, 1, t_ns, &trim), why ? -1 : 2999 * HALL_W);
        assert_int_equal(trimmed(&d, 0, t_ns, &trim), why ? 1999 * HALL_W : 2999 * HALL_W);
    }
}

/* A draw of 1.2 W for a watt of cap and 500 W besides; half of it goes through LEFT. */
static void a_trim_counts_draw_at_the_wall_by_the_part_that_flows(void **state)
{
    (void)state;
    struct desk d;
    build_two_cords(&d);
    d.hall.type.gain_ppm = 1200000;
    d.hall.type.base_max_mw = 500 * HALL_W;
    start(&d);
    hall_holds(&d.hall, 0, 5 * HALL_KW);
    note_all(&d);
    cap(&d, HALL_LEFT, HALL_KW + 1450 * HALL_W);
    struct contract_trim trim = weigh(&d, HALL_LEFT, 1, HALL_T_NS);
    assert_int_equal(trim.newest_mw, 3250 * HALL_W);            /* (6000 + 500) / 2 */
    assert_int_equal(trim.floor_mw, 850 * HALL_W);              /* (1200 + 500) / 2 */
    assert_int_equal(trim.scale_ppm, 666389);                   /* 1.6e9 / 2401 */
    /* 1700 W and 66.6389 % of 4800 are 4898.67 W at the wall: 3665.5 W of cap */
    assert_int_equal(trimmed(&d, 0, HALL_T_NS, &trim), 3665 * HALL_W);
    trim = weigh(&d, HALL_LEFT, 2, HALL_T_NS + 2 * NS_PER_S);
    assert_int_equal(trim.fixed_mw, 3250 * HALL_W + 2900 * HALL_W);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_is_a_cords_share_with_tolerance_taken_out),
        cmocka_unit_test(sums_count_each_cord_by_its_part),
        cmocka_unit_test(a_host_counts_by_its_highest_lease),
        cmocka_unit_test(a_budget_is_the_cap_less_what_no_lease_governs),
        cmocka_unit_test(a_contract_given_again_leaves_its_old_node),
        cmocka_unit_test(a_contract_ends_with_its_last_nanosecond),
        cmocka_unit_test(a_cap_below_what_fail_safe_draws_is_told),
        cmocka_unit_test(the_room_of_a_host_is_what_others_leave),
        cmocka_unit_test(the_room_of_a_host_with_two_cords_is_twice_what_one_may_carry),
        cmocka_unit_test(an_order_may_tighten_a_ramp_and_never_loosen_it),
        cmocka_unit_test(one_direction_may_be_ordered_alone),
        cmocka_unit_test(a_correction_is_seen_after_the_slowest_has_had_its_effect),
        cmocka_unit_test(the_mean_of_a_window_above_the_cap_is_a_breach_and_comes_off),
        cmocka_unit_test(what_was_taken_off_comes_back_by_quarters_well_below_the_cap),
        cmocka_unit_test(before_its_time_a_load_above_is_no_breach),
        cmocka_unit_test(a_meter_corrects_the_contracts_of_its_own_node_alone),
        cmocka_unit_test(every_host_goes_the_same_part_of_its_way_to_its_floor),
        cmocka_unit_test(nobody_is_cut_below_his_floor_nor_raised_to_it),
        cmocka_unit_test(who_cannot_be_told_counts_as_it_is),
        cmocka_unit_test(a_trim_counts_draw_at_the_wall_by_the_part_that_flows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
