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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_of_each_meter_is_kept),
        cmocka_unit_test(swings_are_of_nodes_and_of_the_site),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
