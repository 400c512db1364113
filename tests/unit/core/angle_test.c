/* SPDX-License-Identifier: Apache-2.0 */
/* What core has in place of sin, cos and atan2, against libm in long double. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/angle.h"

#define TWO_PI 6.283185307179586476925286766559005768L

static void a_turn_is_cosine_and_sine(void **state)
{
    (void)state;
    double worst = 0;

    for (int k = -40000; k <= 40000; k++) {
        double cycles = k / 16384.0, c, s;

        angle_turn(cycles, &c, &s);
        worst = fmax(worst, fabs((double)(cosl(TWO_PI * cycles) - c)));
        worst = fmax(worst, fabs((double)(sinl(TWO_PI * cycles) - s)));
    }
    assert_true(worst < 4e-16);
    double c, s;

    angle_turn(1e9 + 0.25, &c, &s);
    assert_true(fabs(c) < 1e-15 && fabs(s - 1) < 1e-15);
}

static void a_direction_is_found_again(void **state)
{
    (void)state;
    double worst = 0;

    for (int k = -20000; k <= 20000; k++) {
        long double radians = TWO_PI * k / 40000 * 0.99999L;
        double x = (double)cosl(radians) * 3e5, y = (double)sinl(radians) * 3e5;

        worst = fmax(worst, fabs((double)(atan2l(y, x) / TWO_PI - angle_of(x, y))));
    }
    assert_true(worst < 2e-16);
    assert_true(angle_of(0, 0) == 0 && angle_of(5, 0) == 0 && angle_of(0, 5) == 0.25);
    assert_true(angle_of(-5, 0) == 0.5 && angle_of(0, -5) == -0.25);
}

static void the_nearest_whole_turn_is_taken_off(void **state)
{
    (void)state;
    assert_true(angle_near(0.25) == 0.25 && angle_near(-0.25) == -0.25);
    assert_true(angle_near(1.75) == -0.25 && angle_near(-1.75) == 0.25 && angle_near(7) == 0);
    assert_true(angle_near(INFINITY) == 0 && angle_near(-INFINITY) == 0 && angle_near(NAN) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turn_is_cosine_and_sine),
        cmocka_unit_test(a_direction_is_found_again),
        cmocka_unit_test(the_nearest_whole_turn_is_taken_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
