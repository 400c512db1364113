/* SPDX-License-Identifier: Apache-2.0 */
/* Spectra and swings that come as slots: the newest is kept, and no lease hangs on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/spectrum.h"
#include "msg/model.h"

enum { METERS = 2, NODES = 3 };

struct stand {
    struct spectrum_known meter[METERS + 1];
    struct spectrum_swing_known node[NODES + 2];
    struct spectra_known known;
};

static struct stand make(void)
{
    return (struct stand){.known = {.meters = METERS, .nodes = NODES}};
}

static void the_newest_of_each_meter_is_kept(void **state)
{
    (void)state;
    struct stand s = make();

    s.known.meter = s.meter;
    s.known.node = s.node;
    spectrum_take(&s.known, &(struct spectrum){.meter = 1, .thd_a_ppm = {80000}}, 10);
    spectrum_take(&s.known, &(struct spectrum){.meter = 1, .thd_a_ppm = {90000}}, 20);
    assert_int_equal(s.meter[1].newest.thd_a_ppm[0], 90000);
    assert_int_equal(s.meter[1].t_ns, 20);
    assert_int_equal(s.meter[0].t_ns, 0);
    spectrum_take(&s.known, &(struct spectrum){.meter = METERS}, 30);
    assert_int_equal(s.meter[METERS].t_ns, 0);      /* no such meter */
}

static void swings_are_of_nodes_and_of_the_site(void **state)
{
    (void)state;
    struct stand s = make();

    s.known.meter = s.meter;
    s.known.node = s.node;
    spectrum_take_swing(&s.known, &(struct spectrum_swing){.node = 2, .peak_mw = 7}, 10);
    spectrum_take_swing(&s.known, &(struct spectrum_swing){.node = INDEX_NONE, .peak_mw = 9}, 20);
    assert_int_equal(s.node[2].newest.peak_mw, 7);
    assert_int_equal(s.node[NODES].newest.peak_mw, 9);
    spectrum_take_swing(&s.known, &(struct spectrum_swing){.node = NODES + 1}, 30);
    assert_int_equal(s.node[NODES + 1].t_ns, 0);
    assert_int_equal(s.node[NODES].t_ns, 20);
}

static void what_is_known_lasts_a_second_and_no_longer(void **state)
{
    (void)state;
    struct stand s = make();
    const int64_t came_ns = 5 * NS_PER_S;

    s.known.meter = s.meter;
    s.known.node = s.node;
    assert_null(spectrum_seen(&s.known, 1, 1));
    assert_null(spectrum_seen_quality(&s.known, 1, 1));
    assert_null(spectrum_seen_swing(&s.known, 2, 1));
    spectrum_take(&s.known, &(struct spectrum){.meter = 1, .thd_a_ppm = {80000}}, came_ns);
    spectrum_take_quality(&s.known, &(struct quality){.meter = 1, .neutral_ma = 7}, came_ns + 1);
    spectrum_take_quality(&s.known, &(struct quality){.meter = METERS, .neutral_ma = 8}, came_ns);
    spectrum_take_swing(&s.known, &(struct spectrum_swing){.node = 2, .peak_mw = 7}, came_ns);
    assert_int_equal(spectrum_seen(&s.known, 1, came_ns + NS_PER_S)->thd_a_ppm[0], 80000);
    assert_null(spectrum_seen(&s.known, 1, came_ns + NS_PER_S + 1));
    assert_int_equal(spectrum_seen_quality(&s.known, 1, came_ns + NS_PER_S + 1)->neutral_ma, 7);
    assert_null(spectrum_seen_quality(&s.known, 1, came_ns + NS_PER_S + 2));
    assert_null(spectrum_seen_quality(&s.known, 0, came_ns + 1));
    assert_int_equal(s.meter[METERS].quality_t_ns, 0);
    assert_int_equal(spectrum_seen_swing(&s.known, 2, came_ns + 3 * NS_PER_S)->peak_mw, 7);
    assert_null(spectrum_seen_swing(&s.known, 2, came_ns + 3 * NS_PER_S + 1));
}

static void what_is_spoilt_is_not_known(void **state)
{
    (void)state;
    struct stand s = make();

    s.known.meter = s.meter;
    s.known.node = s.node;
    spectrum_take(&s.known, &(struct spectrum){.meter = 0, .flags = SPECTRUM_CLIPPED}, 10);
    spectrum_take(&s.known, &(struct spectrum){.meter = 1, .flags = SPECTRUM_YOUNG}, 10);
    assert_null(spectrum_seen(&s.known, 0, 11));
    assert_non_null(spectrum_seen(&s.known, 1, 11));
    spectrum_take_swing(&s.known, &(struct spectrum_swing){.node = 0, .held_ppm = 100000}, 10);
    spectrum_take_swing(&s.known, &(struct spectrum_swing){.node = 1, .held_ppm = 100001}, 10);
    assert_non_null(spectrum_seen_swing(&s.known, 0, 11));
    assert_null(spectrum_seen_swing(&s.known, 1, 11));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_of_each_meter_is_kept),
        cmocka_unit_test(swings_are_of_nodes_and_of_the_site),
        cmocka_unit_test(what_is_known_lasts_a_second_and_no_longer),
        cmocka_unit_test(what_is_spoilt_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
