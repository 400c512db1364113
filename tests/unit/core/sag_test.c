/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose volts a node without a meter has: those of the nearest meter above it, of two parents the lower
 * (safety.md section 4: a sag at constant power). By hand in the hall, whose lowest credible voltage is
 * 100 V: what stays a second lowers limits to its share of that, in steps of half a per cent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hall.h"

static void unmetered(struct hall *hall, uint32_t node)
{
    hall->node[node].meter = INDEX_NONE;
}

/* That voltage on each phase of a node, for a second and a bit. */
static void volts(struct hall *hall, uint32_t node, int64_t voltage_mv, int64_t t_ns)
{
    struct reading reading = {.meter = node, .crest_milli = 1414};
    for (uint32_t p = 0; p < PHASES; p++) {
        reading.voltage_mv[p] = voltage_mv;
        reading.current_ma[p] = 20000;                      /* alive */
    }
    for (int64_t at_ns = t_ns; at_ns <= t_ns + NS_PER_S; at_ns += NS_PER_S / 2)
        emergency_reading(&hall->emergencies, &hall->ledger, &reading, node, at_ns);
}

static int64_t scale(const struct hall *hall, uint32_t node)
{
    assert_int_equal(hall->sums[node].scale_ppm, hall->emergency[node].scale_ppm);
    return hall->sums[node].scale_ppm;
}

/* MAIN(m) > RIGHT(m) > RACK: whoever is read last, RIGHT's volts are RACK's. */
static void the_nearest_meter_above_rules(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    unmetered(&hall, HALL_RACK);
    hall_open(&hall);
    volts(&hall, HALL_RIGHT, 88000, 0);
    volts(&hall, HALL_MAIN, 92000, 0);
    assert_int_equal(scale(&hall, HALL_MAIN), 920000);
    assert_int_equal(scale(&hall, HALL_LEFT), PPM);         /* sees for itself */
    assert_int_equal(scale(&hall, HALL_RIGHT), 880000);
    assert_int_equal(scale(&hall, HALL_RACK), 880000);
    assert_int_equal(hall.sums[HALL_RACK].limit_mva[0][0], 880 * HALL_KW);
    volts(&hall, HALL_MAIN, 100000, 2 * NS_PER_S);          /* is well, but not for a minute */
    volts(&hall, HALL_MAIN, 100000, 70 * NS_PER_S);
    assert_int_equal(scale(&hall, HALL_MAIN), PPM);
    assert_int_equal(scale(&hall, HALL_RACK), 880000);
}

/* Without RIGHT's meter MAIN's volts reach down to RACK, through a busbar without a limit too. */
static void what_no_meter_sees_has_the_volts_from_above(void **state)
{
    (void)state;
    for (int busbar = 0; busbar < 2; busbar++) {
        struct hall hall;
        hall_build(&hall);
        unmetered(&hall, HALL_RACK);
        if (busbar)
            hall.node[HALL_RIGHT].limited = 0;
        else
            unmetered(&hall, HALL_RIGHT);
        hall_open(&hall);
        volts(&hall, HALL_MAIN, 95000, 0);
        assert_int_equal(scale(&hall, HALL_RACK), 950000);
        assert_int_equal(scale(&hall, HALL_LEFT), PPM);
        volts(&hall, HALL_MAIN, 91000, 10 * NS_PER_S);
        assert_int_equal(scale(&hall, HALL_RACK), 910000);
    }
}

/* RACK on both: the lower of the two, in whatever order they are read and come back. */
static void of_two_parents_the_lower_rules(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    unmetered(&hall, HALL_RACK);
    struct model_node *rack = &hall.node[HALL_RACK];
    rack->parent_count = 2;
    rack->parent[0] = HALL_RIGHT;
    rack->parent[1] = HALL_LEFT;
    rack->ancestor[rack->ancestor_count++] = HALL_LEFT;
    hall_open(&hall);
    volts(&hall, HALL_LEFT, 90000, 0);
    assert_int_equal(scale(&hall, HALL_RACK), 900000);
    volts(&hall, HALL_RIGHT, 94000, 0);
    assert_int_equal(scale(&hall, HALL_RACK), 900000);
    volts(&hall, HALL_RIGHT, 85000, 10 * NS_PER_S);
    assert_int_equal(scale(&hall, HALL_RACK), 850000);
    volts(&hall, HALL_RIGHT, 100000, 20 * NS_PER_S);
    volts(&hall, HALL_RIGHT, 100000, 90 * NS_PER_S);
    assert_int_equal(scale(&hall, HALL_RIGHT), PPM);
    assert_int_equal(scale(&hall, HALL_RACK), 900000);
}

/* A take-over hands the sag of a meter on; what hangs below without one follows in that slot. */
static void a_sag_handed_over_reaches_what_no_meter_sees(void **state)
{
    (void)state;
    struct hall hall;
    hall_build(&hall);
    unmetered(&hall, HALL_RACK);
    hall_open(&hall);
    struct emergency handed = hall.emergency[HALL_RIGHT];
    handed.limit_lowered = true;
    handed.scale_ppm = handed.volts_ppm = 870000;
    emergency_hand(&hall.emergencies, &hall.ledger, HALL_RIGHT, &handed);
    assert_int_equal(scale(&hall, HALL_RIGHT), 870000);
    assert_int_equal(scale(&hall, HALL_RACK), 870000);
    assert_int_equal(scale(&hall, HALL_MAIN), PPM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_meter_above_rules),
        cmocka_unit_test(what_no_meter_sees_has_the_volts_from_above),
        cmocka_unit_test(of_two_parents_the_lower_rules),
        cmocka_unit_test(a_sag_handed_over_reaches_what_no_meter_sees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
