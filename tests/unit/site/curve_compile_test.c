/* SPDX-License-Identifier: Apache-2.0 */
/* Integer tables against the curves that they stand for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "curve_devices.h"

struct compiled {
    struct breaker breaker;
    struct breaker_curve curve[BREAKER_CURVES_MAX];
    uint32_t curves;
};

static const struct site_equipment nothing;
static const struct model_node branch = {.phases = 3, .volts_ln_mv = 277128, .limited = 1};

static const struct breaker_element *element(const struct compiled *c, enum breaker_law law, uint8_t role)
{
    for (uint32_t i = 0; i < c->breaker.element_count; i++)
        if (c->breaker.element[i].law == law && c->breaker.element[i].role == role)
            return &c->breaker.element[i];
    fail_msg("no element of law %d and role %d", (int)law, role);
    return NULL;
}

static void the_reference_branch_has_four_elements(void **state)
{
    static struct compiled c;
    const struct breaker_element *e;

    (void)state;
    memset(&c, 0, sizeof c);
    assert_int_equal(curve_compile(&br800, &nothing, &branch, EDGE_FAST, &c.breaker, c.curve, &c.curves), 0);
    assert_int_equal(c.breaker.element_count, 4);
    e = element(&c, BREAKER_IMAGE, ELEMENT_LONG_TIME);
    assert_int_equal(e->pickup_ma, 840000);
    assert_int_equal(e->fast_above_ma, 4800000);
    /* nominal tau of domain.md 1.5: shorter than 0.9 tau(1.05) / kappa = 0.9 x 257.21 / 1.00484 */
    assert_int_equal(e->heat_ns / NS_PER_MS, 223531);
    assert_int_equal(e->heat_fast_ns / NS_PER_MS, 204771);
    assert_int_equal(e->cool_ns / NS_PER_MS, 282924);
    e = element(&c, BREAKER_TRAVEL, ELEMENT_LONG_TIME);
    assert_int_equal(e->pickup_ma, 840000);
    assert_int_equal(e->unit_ma, 800000);
    e = element(&c, BREAKER_TRAVEL, ELEMENT_SHORT_TIME);
    assert_int_equal(e->pickup_ma, 4320000);
    assert_int_equal(e->shortest_ns, 90 * NS_PER_MS);
    /* 2^40 x 1.073741824 s / 0.09 s */
    assert_in_range(c.curve[e->curve].rate[0], INT64_C(13117684674637), INT64_C(13117684674700));
    e = element(&c, BREAKER_PEAK, ELEMENT_INSTANTANEOUS);
    assert_int_equal(e->pickup_ma, 7200000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_branch_has_four_elements),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
