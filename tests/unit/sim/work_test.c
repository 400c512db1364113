/* SPDX-License-Identifier: Apache-2.0 */
/* Work: half the watts do more than half of it, and hosts in step do what the slowest does. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sim/plant.h"
#include "tiny_site.h"

static void pace_follows_the_law_above_idle(void **state)
{
    (void)state;
    assert_true(work_pace(9500, 9500, 1500, 0.5) == 1.0);
    assert_true(fabs(work_pace(9500, 3500, 1500, 0.5) - 0.5) < 1e-12);      /* a quarter of the watts */
    assert_true(fabs(work_pace(9500, 3500, 1500, 1.0) - 0.25) < 1e-12);
    assert_true(work_pace(9500, 1500, 1500, 0.5) == 0.0);
    assert_true(work_pace(1200, 1200, 1500, 0.5) == 1.0);                   /* idle is not held up */
    assert_true(work_pace(1200, 0, 1500, 0.5) == 0.0);                      /* dark is */
}

/* Ten hosts want the same for a second; one of them is held to a quarter. */
static double slowdown_of(enum workload_kind kind)
{
    struct model model;
    struct workload workload;
    struct plant plant;
    tiny_site_init(&model, &tiny_demo);
    workload_defaults(&workload);
    workload.class_count = 1;
    workload_class_defaults(&workload.class[0], kind);
    workload.class_of = calloc(model.host_count, 1);
    model.host_count = 10;
    assert_int_equal(plant_init(&plant, &model, &workload, PLANT_ORACLE), 0);
    for (uint32_t h = 0; h < model.host_count; h++) {
        plant.profile.watts[h] = 9500;
        plant.power_w[h] = h == 3 ? 3500 : 9500;
        work_note(&plant, h);
    }
    work_sum(&plant);
    for (int step = 0; step < 1000; step++)
        work_measure(&plant, 1e-3);
    assert_true(fabs(plant.outcome.class_work_wanted_j[0] - 80000) < 1e-6);
    double times = plant.outcome.class_work_wanted_j[0] / plant.outcome.class_work_j[0];
    plant_finish(&plant);
    workload_unload(&workload);
    tiny_site_finish(&model);
    return times;
}

static void hosts_in_step_wait_for_the_slowest_and_others_do_not(void **state)
{
    (void)state;
    assert_true(fabs(slowdown_of(WORKLOAD_TRAIN) - 2.0) < 1e-9);
    assert_true(fabs(slowdown_of(WORKLOAD_INFERENCE) - 10.0 / 9.5) < 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pace_follows_the_law_above_idle),
        cmocka_unit_test(hosts_in_step_wait_for_the_slowest_and_others_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
