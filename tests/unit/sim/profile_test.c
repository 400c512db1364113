/* SPDX-License-Identifier: Apache-2.0 */
/* What hosts want follows the equations that workload.h names. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sim/profile.h"
#include "tiny_site.h"

enum { HOSTS = 60 };
static const double phys_max_w = 10300, base_w = 1500;

struct stand {
    struct model model;
    struct workload workload;
    struct workload_class *class;
    struct profile profile;
};

static void start(struct stand *stand, enum workload_kind kind)
{
    memset(stand, 0, sizeof(*stand));
    tiny_site_init(&stand->model, &tiny_demo);
    workload_defaults(&stand->workload);
    stand->workload.class_count = 1;
    stand->workload.class_of = calloc(stand->model.host_count, 1);
    stand->class = &stand->workload.class[0];
    workload_class_defaults(stand->class, kind);
    stand->class->noise = 0;
}

static void init(struct stand *stand)
{
    assert_int_equal(profile_init(&stand->profile, &stand->workload, &stand->model), 0);
}

static void finish(struct stand *stand)
{
    profile_finish(&stand->profile);
    workload_unload(&stand->workload);
    tiny_site_finish(&stand->model);
}

static double share_at(struct stand *stand, uint32_t host, int64_t t_ms)
{
    profile_step(&stand->profile, t_ms * NS_PER_MS);
    return stand->profile.watts[host] / phys_max_w;
}

static bool is(double value, double wanted)
{
    return fabs(value - wanted) < 1e-9;
}

/* (11), (12) */
static void a_job_draws_between_its_start_and_its_stop(void **state)
{
    struct stand stand;
    (void)state;
    start(&stand, WORKLOAD_TRAIN);
    stand.class->start_ns = 2 * NS_PER_S;
    stand.class->stop_ns = 5 * NS_PER_S;
    init(&stand);
    assert_true(is(share_at(&stand, 7, 0), 0.12));
    assert_true(is(share_at(&stand, 7, 1999), 0.12));
    assert_true(is(share_at(&stand, 7, 2000), 0.95));
    assert_true(is(share_at(&stand, 7, 2950), 0.35));
    assert_true(is(share_at(&stand, 7, 3200), 0.95));
    assert_true(is(share_at(&stand, 59, 4999), 0.95));
    assert_true(is(share_at(&stand, 59, 5000), 0.12));
    finish(&stand);
}

/* Of 60 hosts in step all compute or none; staggered over a period of 1.2 s, 45 compute and 15 do not. */
static void staggered_jobs_do_not_step_together(void **state)
{
    struct stand stand;
    (void)state;
    for (int staggered = 0; staggered < 2; staggered++) {
        double least = INFINITY, most = 0;
        start(&stand, WORKLOAD_TRAIN);
        stand.class->checkpoint_every_ns = 0;
        stand.class->stagger_ns = staggered * 20 * NS_PER_MS;
        init(&stand);
        for (int64_t t_ms = 3000; t_ms < 6000; t_ms += 5) {
            double sum = 0;
            for (uint32_t h = 0; h < HOSTS; h++)
                sum += share_at(&stand, h, t_ms);
            least = fmin(least, sum);
            most = fmax(most, sum);
        }
        assert_true(staggered ? is(most, 45 * 0.95 + 15 * 0.35) && is(least, most)
                              : is(most, 57) && is(least, 21));
        finish(&stand);
    }
}

struct moments {
    double mean, variance, high;        /* high: share of samples at the highest draw there is */
};

static struct moments sample(struct stand *stand, double high, int64_t until_s)
{
    struct moments seen = {0};
    double count = 0;
    for (int64_t t_ms = 0; t_ms < until_s * 1000; t_ms += 100) {
        for (uint32_t h = 0; h < HOSTS; h++, count++) {
            double share = share_at(stand, h, t_ms);
            seen.mean += share;
            seen.variance += share * share;
            seen.high += share > high - 1e-9;
        }
    }
    seen.mean /= count;
    seen.variance = seen.variance / count - seen.mean * seen.mean;
    seen.high /= count;
    return seen;
}

/* (13), (14): three quarters of the time at alpha = 1, else at beta above the base. */
static void fine_tuning_alternates_between_full_and_beta_above_its_base(void **state)
{
    struct stand stand;
    double base = base_w / phys_max_w, low = base + 0.4 * (0.95 - base);
    (void)state;
    start(&stand, WORKLOAD_FINETUNE);
    init(&stand);
    struct moments seen = sample(&stand, 0.95, 2000);
    assert_true(fabs(seen.high - 0.75) < 0.01);
    assert_true(fabs(seen.mean - (0.75 * 0.95 + 0.25 * low)) < 0.005);
    assert_true(fabs(seen.variance - 0.75 * 0.25 * (0.95 - low) * (0.95 - low)) < 0.002);
    finish(&stand);
}

/* (15), (16): at 3 a second of 1 s each, 3 are there on average and their variance is 3. */
static void queries_arrive_as_poisson_and_stay_for_their_time(void **state)
{
    struct stand stand;
    (void)state;
    start(&stand, WORKLOAD_QUERIES);
    stand.class->rate_per_s = 3;
    stand.class->query_ns = NS_PER_S;
    stand.class->base_draw = 0.1;
    stand.class->query_draw = 0.04;
    init(&stand);
    struct moments seen = sample(&stand, 1, 1000);
    assert_true(fabs((seen.mean - 0.1) / 0.04 - 3) < 0.05);
    assert_true(fabs(seen.variance / (0.04 * 0.04) - 3) < 0.1);
    finish(&stand);
}

/* lambda(t): twice as many at the height of the day as on average, none at its depth. */
static void queries_follow_the_day(void **state)
{
    struct stand stand;
    double sum[2] = {0};
    (void)state;
    start(&stand, WORKLOAD_QUERIES);
    stand.class->rate_per_s = 5;
    stand.class->query_ns = 100 * NS_PER_MS;
    stand.class->day_ns = 100 * NS_PER_S;
    stand.class->swing = 1;
    stand.class->base_draw = 0;
    init(&stand);
    for (int64_t t_ms = 0; t_ms < 1000000; t_ms += 50) {
        int64_t in_ms = t_ms % 100000;
        int when = in_ms >= 20000 && in_ms < 30000 ? 0 : in_ms >= 70000 && in_ms < 80000 ? 1 : -1;
        for (uint32_t h = 0; h < HOSTS && when >= 0; h++)
            sum[when] += share_at(&stand, h, t_ms);
    }
    double samples = 10 * 10 * 20 * HOSTS;
    /* mean of 1 + sin over a tenth of the day around its height: 1.984; around its depth: 0.016 */
    assert_true(fabs(sum[0] / samples - 0.1 * 0.5 * 1.984) < 0.004);
    assert_true(sum[1] / samples < 0.1 * 0.5 * 0.03);
    finish(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_draws_between_its_start_and_its_stop),
        cmocka_unit_test(staggered_jobs_do_not_step_together),
        cmocka_unit_test(fine_tuning_alternates_between_full_and_beta_above_its_base),
        cmocka_unit_test(queries_arrive_as_poisson_and_stay_for_their_time),
        cmocka_unit_test(queries_follow_the_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
