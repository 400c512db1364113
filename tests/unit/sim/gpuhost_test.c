/* SPDX-License-Identifier: Apache-2.0 */
/* A host's answer to caps: dead time, lag both ways, overshoot, and the bound that the ledger counts on. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "sim/gpuhost.h"
#include "tiny_site.h"

struct bench {
    struct model model;
    struct workload workload;
    struct gpuhost host;
};

static struct bench new_bench(uint32_t host)
{
    struct bench bench;
    tiny_site_init(&bench.model, &tiny_demo);
    workload_defaults(&bench.workload);
    gpuhost_init(&bench.host, &bench.model.type[0], &bench.workload, host);
    return bench;
}

static void an_uncapped_host_draws_what_it_wants(void **state)
{
    struct bench bench = new_bench(0);
    (void)state;
    bench.host.plant = &bench.workload.plant;
    for (int64_t t_ms = 0; t_ms < 100; t_ms++) {
        double demand_w = (double)(t_ms % 7) * 1400.0;
        gpuhost_step(&bench.host, demand_w, t_ms * NS_PER_MS, NS_PER_MS);
        assert_true(fabs(bench.host.power_w - demand_w) < 1e-9);
    }
    tiny_site_finish(&bench.model);
}

/* Dead times of 500 hosts: N(5, 2) ms cut to 1 .. 12 ms (domain.md 4.2), seen in steps of 1 ms. */
static void a_write_returns_after_its_dead_time(void **state)
{
    double sum_ms = 0;
    (void)state;
    for (uint32_t h = 0; h < 500; h++) {
        struct bench bench = new_bench(h);
        int64_t t_ms = 0;
        bench.host.plant = &bench.workload.plant;
        gpuhost_write(&bench.host, 4000000, 0);
        while (!gpuhost_step(&bench.host, 9000, t_ms * NS_PER_MS, NS_PER_MS)) {
            assert_true(bench.host.power_w == 9000);    /* nothing moves before the write returns */
            t_ms++;
            assert_true(t_ms <= 12);
        }
        assert_true(t_ms >= 1);
        assert_int_equal(bench.host.cap_mw, 4000000);
        sum_ms += (double)t_ms;
        tiny_site_finish(&bench.model);
    }
    assert_true(fabs(sum_ms / 500 - 5.5) < 0.4);        /* half a step late on average */
}

/* Time for the bound to go 1 - 1/e of the way after the write returned, in ms. */
static int64_t time_constant_ms(int64_t from_mw, int64_t to_mw)
{
    struct bench bench = new_bench(3);
    int64_t t_ms = 0, returned_ms = -1;
    bench.host.plant = &bench.workload.plant;
    gpuhost_preset(&bench.host, from_mw);
    double from_w = gpuhost_bound_w(&bench.host, from_mw), to_w = gpuhost_bound_w(&bench.host, to_mw);
    gpuhost_write(&bench.host, to_mw, 0);
    for (; t_ms < 2000; t_ms++) {
        if (gpuhost_step(&bench.host, 10300, t_ms * NS_PER_MS, NS_PER_MS))
            returned_ms = t_ms;
        double way = (bench.host.base_w + bench.host.bound_w - from_w) / (to_w - from_w);
        if (way >= 1 - exp(-1) - 1e-9)
            break;
    }
    tiny_site_finish(&bench.model);
    return t_ms + 1 - returned_ms;
}

static void power_follows_down_in_20_ms_and_up_in_150_ms(void **state)
{
    (void)state;
    assert_in_range(time_constant_ms(8000000, 2000000), 20, 20);
    assert_in_range(time_constant_ms(2000000, 8000000), 150, 150);
}

static void power_overshoots_for_20_ms_and_never_passes_draw_max(void **state)
{
    struct bench bench = new_bench(1);
    const double draw_max_w = 4000 * 1.09375 + 1500, steady_w = 4000 * 1.09375 / 1.05 + 1500;
    int64_t above_ms = 0;
    (void)state;
    bench.host.plant = &bench.workload.plant;
    gpuhost_preset(&bench.host, 4000000);
    for (int64_t t_ms = 0; t_ms < 1000; t_ms++) {
        gpuhost_step(&bench.host, t_ms < 500 ? 1200 : 9000, t_ms * NS_PER_MS, NS_PER_MS);
        assert_true(bench.host.power_w <= draw_max_w + 1e-6);
        above_ms += bench.host.power_w > steady_w + 1;
    }
    assert_int_equal(above_ms, 20);
    assert_true(fabs(bench.host.power_w - steady_w) < 1e-6);
    tiny_site_finish(&bench.model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_uncapped_host_draws_what_it_wants),
        cmocka_unit_test(a_write_returns_after_its_dead_time),
        cmocka_unit_test(power_follows_down_in_20_ms_and_up_in_150_ms),
        cmocka_unit_test(power_overshoots_for_20_ms_and_never_passes_draw_max),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
