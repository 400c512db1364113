/* SPDX-License-Identifier: Apache-2.0 */
/* The thread of one device on a simulated GPU: what it keeps besides its cap. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "act/nvml_library.h"
#include "act/standin/gpu.h"
#include "agent/worker.h"
#include "tests/unit/act/loader.h"

#define W INT64_C(1000)
#define PATIENCE_NS (30 * NS_PER_S)

struct bench {
    char path[64];
    struct standin *standin;
    struct standin_gpu *gpu;
    struct word word;
    struct hands hands;
    struct worker worker;
    int smooth_rc;              /* the newest, 1: none yet */
};

static void rest(struct bench *bench)
{
    struct worker_news news;
    if (worker_take(&bench->worker, &news) && news.smoothed)
        bench->smooth_rc = news.smooth_rc;
    nanosleep(&(struct timespec){.tv_nsec = NS_PER_MS}, NULL);
}

static int64_t floor_milli_percent(const struct bench *bench)
{
    return atomic_load(&bench->gpu->param_milli[STANDIN_PRESETS - 1][0]);
}

/* Waits until smoothing is on or off, and the floor in thousandths of a percent of the ceiling, -1: any. */
static void wait_for(struct bench *bench, bool on, int64_t floor_milli)
{
    int64_t end_ns = word_monotonic_ns() + PATIENCE_NS;
    while (atomic_load(&bench->gpu->smooth) != on ||
           (floor_milli >= 0 && floor_milli_percent(bench) != floor_milli)) {
        assert_true(word_monotonic_ns() < end_ns);
        rest(bench);
    }
}

static void wait_for_rc(struct bench *bench, int rc)
{
    int64_t end_ns = word_monotonic_ns() + PATIENCE_NS;
    while (bench->smooth_rc != rc) {
        assert_true(word_monotonic_ns() < end_ns);
        rest(bench);
    }
}

static void begin(struct bench *bench, bool smoothing)
{
    char why[ACT_WHY_BYTES];
    *bench = (struct bench){.path = "/tmp/flyball-worker-XXXXXX", .smooth_rc = 1};
    assert_true(loader_finds_the_stand_in());
    close(mkstemp(bench->path));
    bench->standin = standin_map(bench->path, 1);
    assert_non_null(bench->standin);
    bench->gpu = &bench->standin->gpu[0];
    assert_int_equal(setenv("FLYBALL_STANDIN_STATE", bench->path, 1), 0);
    hands_init(&bench->hands);
    struct worker_place place = {.hands = &bench->hands, .driver = act_find("nvml"),
                                 .fail_safe_mw = 200 * W, .smoothing = smoothing,
                                 .look_every_ns = 5 * NS_PER_MS, .word = &bench->word,
                                 .identity = "GPU-f17ba11e-0000-4000-8000-000000000000",
                                 .wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    assert_int_equal(worker_open(&bench->worker, &place, why), 0);
    assert_true(bench->worker.hand.device != UINT32_MAX);
    atomic_store(&bench->gpu->smooth, 1);       /* left by whoever was here before */
    assert_int_equal(worker_start(&bench->worker), 0);
    worker_bound(&bench->worker, 600 * W);
}

static void end(struct bench *bench)
{
    assert_true(worker_stop(&bench->worker, word_monotonic_ns() + PATIENCE_NS));
    close(bench->worker.config.wake_fd);
    munmap(bench->standin, sizeof *bench->standin);
    unlink(bench->path);
}

static void floor_of(struct bench *bench, int64_t floor_mw)
{
    const struct act_smooth smooth = {.floor_mw = floor_mw, .ramp_down_mw_per_s = 1000 * W};
    bench->smooth_rc = 1;
    worker_smooth(&bench->worker, &smooth);
}

/* The ceiling is 700 W. */
static void a_floor_is_set_lowered_and_taken_away(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, true);
    wait_for(&bench, false, -1);
    floor_of(&bench, 350 * W);
    wait_for(&bench, true, 50000);
    assert_int_equal(atomic_load(&bench.gpu->preset), STANDIN_PRESETS - 1);
    worker_bound(&bench.worker, 280 * W);       /* less may be written by now than the floor */
    wait_for(&bench, true, 40000);
    worker_smooth(&bench.worker, &(struct act_smooth){.off = true});
    wait_for(&bench, false, -1);
    end(&bench);
}

/* Written in W/s and ms into the last preset, which is ours; what is not told stays as it was. */
static void ramps_and_the_wait_reach_the_driver(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, true);
    struct act_smooth smooth = {.floor_mw = 350 * W, .ramp_up_mw_per_s = 2000 * W,
                                .ramp_down_mw_per_s = 1000 * W, .hysteresis_ns = 250 * NS_PER_MS};
    const _Atomic int64_t *milli = bench.gpu->param_milli[STANDIN_PRESETS - 1];
    wait_for(&bench, false, -1);
    wait_for_rc(&bench, 0);
    bench.smooth_rc = 1;
    worker_smooth(&bench.worker, &smooth);
    wait_for(&bench, true, 50000);
    wait_for_rc(&bench, 0);
    assert_int_equal(atomic_load(&milli[NVML_PARAM_RAMP_UP]), 2000000);
    assert_int_equal(atomic_load(&milli[NVML_PARAM_RAMP_DOWN]), 1000000);
    assert_int_equal(atomic_load(&milli[NVML_PARAM_HYSTERESIS]), 250000);
    bench.smooth_rc = 1;
    smooth.ramp_down_mw_per_s = 500 * W;
    smooth.hysteresis_ns = 0;
    worker_smooth(&bench.worker, &smooth);
    wait_for_rc(&bench, 0);
    assert_int_equal(atomic_load(&milli[NVML_PARAM_RAMP_DOWN]), 500000);
    assert_int_equal(atomic_load(&milli[NVML_PARAM_HYSTERESIS]), 250000);
    end(&bench);
}

/* 680 W is more than 90 % of the ceiling: no floor then, not the one of before. */
static void a_floor_that_is_refused_leaves_none(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, true);
    worker_bound(&bench.worker, 700 * W);
    floor_of(&bench, 350 * W);
    wait_for(&bench, true, 50000);
    floor_of(&bench, 680 * W);
    wait_for_rc(&bench, -ERANGE);
    wait_for(&bench, false, -1);
    floor_of(&bench, 70 * W);
    wait_for(&bench, true, 10000);
    end(&bench);
}

/* Its driver is loaded anew: handles are lost, and what it kept. */
static void a_floor_is_set_again_after_its_driver_was_loaded_anew(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, true);
    floor_of(&bench, 350 * W);
    wait_for(&bench, true, 50000);
    standin_load(bench.standin);
    assert_int_equal(atomic_load(&bench.gpu->smooth), 0);
    wait_for(&bench, true, 50000);
    end(&bench);
}

static void who_does_not_smooth_leaves_all_as_it_is(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, false);
    floor_of(&bench, 350 * W);
    for (int i = 0; i < 100; i++)
        rest(&bench);
    assert_int_equal(atomic_load(&bench.gpu->smooth), 1);
    assert_int_equal(floor_milli_percent(&bench), 0);
    assert_int_equal(bench.smooth_rc, 1);
    end(&bench);
}

static void a_device_that_cannot_is_told_once(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, true);
    wait_for(&bench, false, -1);
    bench.worker.hand.act.device[0].features &= (uint32_t)~ACT_SMOOTHING;
    floor_of(&bench, 350 * W);
    wait_for_rc(&bench, -ENOTSUP);
    bench.smooth_rc = 1;
    for (int i = 0; i < 100; i++)
        rest(&bench);
    assert_int_equal(bench.smooth_rc, 1);
    end(&bench);
}

static void take_news(struct bench *bench, uint64_t writes)
{
    int64_t end_ns = word_monotonic_ns() + PATIENCE_NS;
    while (atomic_load(&bench->gpu->writes) < writes) {
        assert_true(word_monotonic_ns() < end_ns);
        rest(bench);
    }
}

/* Each call takes 10 ms, a floor with its ramps eleven of them. A cut that is ordered while the first are
 * under way waits for what is under way, then goes first; the floor is set behind it. */
static void a_cut_goes_before_the_rest_of_a_floor(void **state)
{
    (void)state;
    struct bench bench;
    uint64_t writes = 0, before;
    int interrupted = 0;
    begin(&bench, true);
    wait_for(&bench, false, -1);
    atomic_store(&bench.gpu->told.call_us, 10000);
    for (int round = 0; round < 20 && interrupted < 3; round++) {
        int64_t end_ns = word_monotonic_ns() + PATIENCE_NS, high_mw = 500 * W + round;
        worker_smooth(&bench.worker, &(struct act_smooth){.off = true});
        worker_order(&bench.worker, high_mw, word_monotonic_ns());
        take_news(&bench, ++writes);
        wait_for(&bench, false, -1);
        atomic_store(&bench.gpu->param_milli[STANDIN_PRESETS - 1][0], 0);
        floor_of(&bench, 70 * W);
        while (floor_milli_percent(&bench) != 10000) {  /* it is being set: the preset has it first */
            assert_true(word_monotonic_ns() < end_ns);
            rest(&bench);
        }
        worker_order(&bench.worker, 300 * W, word_monotonic_ns());
        before = atomic_load(&bench.gpu->calls);
        bool set_by_then = atomic_load(&bench.gpu->smooth);
        take_news(&bench, ++writes);
        /* one that was under way, one that it had looked before, and the write itself */
        if (!set_by_then) {
            interrupted++;
            assert_true(atomic_load(&bench.gpu->write_call) <= before + 3);
        }
        wait_for(&bench, true, 10000);
    }
    assert_true(interrupted > 0);
    end(&bench);
}

/* A raise is no cut: the floor is set, and then it is written. */
static void a_raise_waits_for_the_floor(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, true);
    wait_for(&bench, false, -1);
    worker_order(&bench.worker, 300 * W, word_monotonic_ns());
    take_news(&bench, 1);
    atomic_store(&bench.gpu->told.call_us, 2000);
    floor_of(&bench, 70 * W);
    for (uint64_t writes = 2; writes < 40; writes++) {   /* always one that waits: each higher than before */
        worker_order(&bench.worker, 300 * W + (int64_t)writes, word_monotonic_ns());
        take_news(&bench, writes);
    }
    wait_for(&bench, true, 10000);
    end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_floor_is_set_lowered_and_taken_away),
        cmocka_unit_test(ramps_and_the_wait_reach_the_driver),
        cmocka_unit_test(a_floor_that_is_refused_leaves_none),
        cmocka_unit_test(a_floor_is_set_again_after_its_driver_was_loaded_anew),
        cmocka_unit_test(who_does_not_smooth_leaves_all_as_it_is),
        cmocka_unit_test(a_device_that_cannot_is_told_once),
        cmocka_unit_test(a_cut_goes_before_the_rest_of_a_floor),
        cmocka_unit_test(a_raise_waits_for_the_floor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
