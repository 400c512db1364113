/* SPDX-License-Identifier: Apache-2.0 */
/* The dice are what they say: the normal ones to the fourth moment and out to four sigma. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "sim/random.h"

enum { DRAWS = 4000000 };

/* Bounds are four standard errors of the mean of x, x^2, x^3, x^4: sqrt of (1, 2, 15, 96) / DRAWS. */
static void normal_numbers_have_the_moments_of_a_normal(void **state)
{
    static const double wanted[4] = {0, 1, 0, 3}, bound[4] = {0.002, 0.0029, 0.0078, 0.0196};
    struct random random;
    double moment[4] = {0};
    (void)state;
    random_init(&random, 5, RANDOM_DEMAND, 3);
    for (int i = 0; i < DRAWS; i++) {
        double x = random_normal(&random), power = 1;
        for (int m = 0; m < 4; m++)
            moment[m] += power *= x;
    }
    for (int m = 0; m < 4; m++)
        assert_true(fabs(moment[m] / DRAWS - wanted[m]) < bound[m]);
}

/* Shares beyond each limit, four standard errors of a count; 3.44 is where the table ends and the tail
 * begins. */
static void normal_numbers_reach_as_far_as_they_should(void **state)
{
    static const double limit[] = {0.1, 0.5, 1, 2, 3, 3.4427, 4};
    enum { LIMITS = sizeof(limit) / sizeof(limit[0]) };
    double beyond[LIMITS][2] = {{0}};
    struct random random;
    (void)state;
    random_init(&random, 6, RANDOM_METER, 1);
    for (int i = 0; i < DRAWS; i++) {
        double x = random_normal(&random);
        for (int l = 0; l < LIMITS; l++)
            beyond[l][x > 0] += fabs(x) > limit[l];
    }
    for (int l = 0; l < LIMITS; l++) {
        double share = erfc(limit[l] / sqrt(2)) / 2;
        for (int side = 0; side < 2; side++)
            assert_true(fabs(beyond[l][side] - share * DRAWS) < 4 * sqrt(share * DRAWS));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normal_numbers_have_the_moments_of_a_normal),
        cmocka_unit_test(normal_numbers_reach_as_far_as_they_should),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
