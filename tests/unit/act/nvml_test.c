/* SPDX-License-Identifier: Apache-2.0 */
/* NVIDIA's library: what each error means, what an old one lacks, fields that fail one by one, a driver
 * that is loaded anew, smoothing and its units; and that the stand-in moves as GPUs do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "act/nvml_library.h"
#include "act/standin/gpu.h"
#include "loader.h"

struct bench {
    char folder[64], path[96];
    struct standin *standin;
    struct act act;
    char why[ACT_WHY_BYTES];
};

static struct bench *bench(void **state)
{
    return (struct bench *)*state;
}

static struct standin_gpu *gpu_of(struct bench *b, uint32_t device)
{
    unsigned gpu;
    assert_int_equal(sscanf(b->act.device[device].identity, "GPU-f17ba11e-0000-4000-8000-%x", &gpu), 1);
    return &b->standin->gpu[gpu];
}

static void open_driver(struct bench *b)
{
    act_close(&b->act);
    assert_int_equal(act_open(&b->act, act_find("nvml"), NULL, b->why), 0);
}

static int set_up(void **state)
{
    struct bench *b = (struct bench *)calloc(1, sizeof *b);
    assert_true(loader_finds_the_stand_in());
    snprintf(b->folder, sizeof b->folder, "/tmp/flyball-nvml-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
    snprintf(b->path, sizeof b->path, "%s/gpus", b->folder);
    b->standin = standin_map(b->path, 2);
    assert_non_null(b->standin);
    setenv("FLYBALL_STANDIN_STATE", b->path, 1);
    *state = b;
    open_driver(b);
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = bench(state);
    act_close(&b->act);
    munmap(b->standin, sizeof *b->standin);
    unlink(b->path);
    assert_int_equal(rmdir(b->folder), 0);
    free(b);
    return 0;
}

static int64_t enforced(struct bench *b, uint32_t device)
{
    int64_t mw = -1;
    assert_int_equal(b->act.driver->read_back(&b->act, device, &mw), 0);
    return mw;
}

static struct act_sample sample(struct bench *b, uint32_t device)
{
    struct act_sample s;
    assert_int_equal(b->act.driver->sample(&b->act, device, &s), 0);
    return s;
}

static bool plays_an_old_library(void)
{
    const char *folder = getenv("FLYBALL_STANDIN_FOLDER");
    return folder && strstr(folder, "nvml-old");
}

static void an_old_library_caps_and_lacks_the_rest(void **state)
{
    struct bench *b = bench(state);
    assert_int_equal(b->act.count, 2);
    assert_int_equal(b->act.device[0].features, ACT_SETTABLE);
    assert_int_equal(b->act.device[0].min_mw, STANDIN_MIN_MW);
    assert_int_equal(b->act.driver->apply(&b->act, 0, 300000), 0);
    assert_int_equal(enforced(b, 0), 300000);
    struct act_sample s = sample(b, 0);
    assert_int_equal(s.valid, ACT_READ_DRAW);
    assert_int_equal(b->act.driver->smooth(&b->act, 0, &(struct act_smooth){.floor_mw = 100000}), -ENOTSUP);
}

static void a_new_library_has_it_all(void **state)
{
    struct bench *b = bench(state);
    assert_int_equal(b->act.device[0].features,
                     ACT_SETTABLE | ACT_INSTANT_POWER | ACT_ENERGY | ACT_SMOOTHING);
    assert_int_equal(b->act.device[0].default_mw, STANDIN_MAX_MW);
    struct act_sample s = sample(b, 0);
    assert_int_equal(s.valid, ACT_READ_DRAW | ACT_READ_AVERAGE | ACT_READ_ENERGY | ACT_READ_TEMPERATURE |
                                  ACT_READ_CLOCK | ACT_READ_THROTTLE);
    assert_int_equal(s.average_ns, NS_PER_S);
    assert_int_equal(s.temperature_mc, 61000);
    assert_int_equal(s.clock_mhz, 1755);
    assert_int_equal(s.throttle, 0);
    atomic_store(&gpu_of(b, 0)->told.profiles, 0x24);
    s = sample(b, 0);
    assert_true(s.valid & ACT_READ_PROFILES);
    assert_int_equal(s.profiles, 0x24);
}

/* Each value has an error of its own, and what stands in a value with one means nothing. */
static void a_field_that_fails_is_not_believed(void **state)
{
    struct bench *b = bench(state);
    atomic_store(&gpu_of(b, 0)->told.fail_field, NVML_NO_DATA);
    struct act_sample s = sample(b, 0);
    assert_false(s.valid & ACT_READ_AVERAGE);
    assert_true(s.valid & ACT_READ_DRAW);       /* the older call */
    assert_true(s.valid & ACT_READ_ENERGY);
    assert_in_range(s.draw_mw, 0, 2 * STANDIN_MAX_MW);
    atomic_store(&gpu_of(b, 0)->told.fail_field, 0);
    atomic_store(&gpu_of(b, 0)->told.instant, 0);
    open_driver(b);
    uint32_t features = b->act.device[0].features & b->act.device[1].features;
    assert_false(features & ACT_INSTANT_POWER);
    assert_true(features & ACT_ENERGY);
}

static void every_reason_to_draw_less_has_its_class(void **state)
{
    struct bench *b = bench(state);
    const struct {
        int64_t reasons;
        uint32_t throttle;
    } row[] = {
        {NVML_REASON_IDLE, 0},
        {NVML_REASON_BRAKE, ACT_THROTTLE_HARDWARE},
        {NVML_REASON_HARDWARE, ACT_THROTTLE_HARDWARE},
        {NVML_REASON_THERMAL, ACT_THROTTLE_THERMAL},
        {NVML_REASON_HARDWARE_THERMAL, ACT_THROTTLE_THERMAL},
        {NVML_REASON_SYNC, ACT_THROTTLE_OTHER},
        {NVML_REASON_SET_CLOCKS, ACT_THROTTLE_OTHER},
        {NVML_REASON_BRAKE | NVML_REASON_THERMAL, ACT_THROTTLE_HARDWARE | ACT_THROTTLE_THERMAL},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        atomic_store(&gpu_of(b, 0)->told.reasons, row[i].reasons);
        assert_int_equal(sample(b, 0).throttle, row[i].throttle);
    }
    atomic_store(&gpu_of(b, 0)->told.reasons, 0);
    assert_int_equal(b->act.driver->apply(&b->act, 0, 300000), 0);
    assert_int_equal(sample(b, 0).throttle, ACT_THROTTLE_CAP);
}

static void errors_of_the_library_have_a_meaning(void **state)
{
    struct bench *b = bench(state);
    const struct {
        int code, error;
    } row[] = {
        {NVML_NO_PERMISSION, -EPERM},  {NVML_NOT_SUPPORTED, -ENOTSUP}, {NVML_GPU_IS_LOST, -ENODEV},
        {NVML_RESET_REQUIRED, -ENODEV}, {NVML_UNINITIALIZED, -ENODEV}, {NVML_TIMEOUT, -ETIMEDOUT},
        {NVML_IN_USE, -EBUSY},         {NVML_UNKNOWN, -EIO},           {12345, -EIO},
    };
    int64_t before_mw = enforced(b, 0);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        atomic_store(&gpu_of(b, 0)->told.fail_set, row[i].code);
        assert_int_equal(b->act.driver->apply(&b->act, 0, 300000), row[i].error);
        assert_int_equal(enforced(b, 0), before_mw);
    }
    atomic_store(&gpu_of(b, 0)->told.fail_get, NVML_UNKNOWN);
    int64_t mw;
    assert_int_equal(b->act.driver->read_back(&b->act, 0, &mw), -EIO);
}

static void a_limit_that_sticks_reads_back_as_it_was(void **state)
{
    struct bench *b = bench(state);
    atomic_store(&gpu_of(b, 0)->told.sticky, 1);
    assert_int_equal(b->act.driver->apply(&b->act, 0, 300000), 0);
    assert_int_equal(enforced(b, 0), STANDIN_MAX_MW);
}

/* An old library does not tell what was asked for. */
static void a_limit_that_sticks_under_a_lower_one_is_told_where_the_library_can(void **state)
{
    struct bench *b = bench(state);
    int64_t kept_mw = -1;
    atomic_store(&gpu_of(b, 0)->told.foreign_mw, 250000);
    atomic_store(&gpu_of(b, 0)->told.sticky, 1);
    assert_int_equal(b->act.driver->apply(&b->act, 0, 300000), 0);
    assert_int_equal(enforced(b, 0), 250000);
    assert_int_equal(b->act.driver->kept(&b->act, 0, &kept_mw), plays_an_old_library() ? -ENOTSUP : 0);
    assert_int_equal(kept_mw, plays_an_old_library() ? -1 : STANDIN_MAX_MW);
}

/* Handles are lost, limits are the default's, indices are others: by its UUID each is found again. */
static void a_driver_loaded_anew_is_opened_anew(void **state)
{
    struct bench *b = bench(state);
    char first[ACT_IDENTITY_BYTES];
    int64_t mw;
    assert_int_equal(b->act.driver->apply(&b->act, 0, 300000), 0);
    memcpy(first, b->act.device[0].identity, sizeof first);
    atomic_store(&b->standin->unloaded, 1);
    assert_int_equal(b->act.driver->read_back(&b->act, 0, &mw), -ENODEV);
    act_close(&b->act);
    assert_int_equal(act_open(&b->act, act_find("nvml"), NULL, b->why), -ENOENT);
    assert_non_null(strstr(b->why, "the driver is not loaded"));
    standin_load(b->standin);
    open_driver(b);
    uint32_t again = act_device_find(&b->act, first);
    assert_int_equal(again, 1);
    assert_int_equal(enforced(b, again), STANDIN_MAX_MW);
}

static void a_gpu_that_is_lost_is_left_out(void **state)
{
    struct bench *b = bench(state);
    char second[ACT_IDENTITY_BYTES];
    memcpy(second, b->act.device[1].identity, sizeof second);
    atomic_store(&gpu_of(b, 0)->told.lost, 1);
    open_driver(b);
    assert_int_equal(b->act.count, 1);
    assert_string_equal(b->act.device[0].identity, second);
}

static void more_gpus_than_a_host_may_have_are_refused(void **state)
{
    struct bench *b = bench(state);
    act_close(&b->act);
    atomic_store(&b->standin->gpus, HOST_DEVICES_MAX + 1);
    assert_int_equal(act_open(&b->act, act_find("nvml"), NULL, b->why), -E2BIG);
    assert_non_null(strstr(b->why, "17 GPUs"));
    atomic_store(&b->standin->gpus, HOST_DEVICES_MAX);
    open_driver(b);
    assert_int_equal(b->act.count, HOST_DEVICES_MAX);
    atomic_store(&b->standin->gpus, 0);
    open_driver(b);
    assert_int_equal(b->act.count, 0);
}

/* The ramps are asked for in W/s: 2 kW/s is written as 2000, and reads back as 2,000,000. */
static void smoothing_is_written_in_its_units(void **state)
{
    struct bench *b = bench(state);
    const struct act_smooth wanted = {.floor_mw = 350000, .ramp_up_mw_per_s = 2000000,
                                      .ramp_down_mw_per_s = 1500000, .hysteresis_ns = 250 * NS_PER_MS};
    struct standin_gpu *gpu = gpu_of(b, 0);
    assert_int_equal(b->act.driver->smooth(&b->act, 0, &wanted), 0);
    assert_int_equal(atomic_load(&gpu->smooth), 1);
    assert_int_equal(atomic_load(&gpu->preset), STANDIN_PRESETS - 1);
    const int64_t milli[] = {50000, 2000000, 1500000, 250000};
    for (int i = 0; i < STANDIN_PARAMS; i++) {
        assert_int_equal(atomic_load(&gpu->param_milli[STANDIN_PRESETS - 1][i]), milli[i]);
        assert_int_equal(atomic_load(&gpu->param_milli[0][i]), 0);      /* the site's own */
    }
    assert_int_equal(b->act.driver->smooth(&b->act, 0, &(struct act_smooth){.off = true}), 0);
    assert_int_equal(atomic_load(&gpu->smooth), 0);
}

static void smoothing_that_stays_on_is_not_taken_for_off(void **state)
{
    struct bench *b = bench(state);
    struct standin_gpu *gpu = gpu_of(b, 0);
    assert_int_equal(b->act.driver->smooth(&b->act, 0, &(struct act_smooth){.floor_mw = 350000}), 0);
    atomic_store(&gpu->told.sticky, 1);
    assert_int_equal(b->act.driver->smooth(&b->act, 0, &(struct act_smooth){.off = true}), -EIO);
    atomic_store(&gpu->told.sticky, 0);
    assert_int_equal(b->act.driver->smooth(&b->act, 0, &(struct act_smooth){.off = true}), 0);
    assert_int_equal(atomic_load(&gpu->smooth), 0);
}

static void smoothing_that_does_not_read_back_is_not_put_into_force(void **state)
{
    struct bench *b = bench(state);
    const struct act_smooth wanted = {.ramp_up_mw_per_s = 2000000};
    struct standin_gpu *gpu = gpu_of(b, 0);
    atomic_store(&gpu->told.ramps_in_mw, 1);
    assert_int_equal(b->act.driver->smooth(&b->act, 0, &wanted), -EIO);
    assert_int_equal(atomic_load(&gpu->smooth), 0);
    atomic_store(&gpu->told.ramps_in_mw, 0);
    assert_int_equal(b->act.driver->smooth(&b->act, 0, &(struct act_smooth){.floor_mw = 690000}), -ERANGE);
    assert_int_equal(b->act.driver->smooth(&b->act, 0, &(struct act_smooth){.floor_mw = -1}), -ERANGE);
    assert_int_equal(atomic_load(&gpu->smooth), 0);
    atomic_store(&gpu->told.smoothing, 0);
    open_driver(b);
    uint32_t device = gpu_of(b, 0) == gpu ? 0 : 1;
    assert_false(b->act.device[device].features & ACT_SMOOTHING);
    assert_int_equal(b->act.driver->smooth(&b->act, device, &wanted), -ENOTSUP);
}

/* A process that is gone leaves its caps, and this one sees them. */
static void processes_share_the_gpus(void **state)
{
    struct bench *b = bench(state);
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(b->act.driver->apply(&b->act, 1, 240000) ? 1 : 0);
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(enforced(b, 1), 240000);
}

/* Sampled for two seconds at most: what the draw comes to, however late it is looked at. */
static void the_draw_follows_the_cap(void **state)
{
    struct bench *b = bench(state);
    struct act_sample s = {0};
    assert_int_equal(sample(b, 0).draw_mw, 650000);
    assert_int_equal(b->act.driver->apply(&b->act, 0, 300000), 0);
    int64_t energy_mj = sample(b, 0).energy_mj;
    for (int i = 0; i < 200 && (s.draw_mw != 300000 || s.average_mw != 300000); i++) {
        usleep(20000);
        s = sample(b, 0);
    }
    assert_int_equal(s.draw_mw, 300000);
    assert_int_equal(s.average_mw, 300000);
    assert_true(s.energy_mj - energy_mj > 300000);      /* more than a second of it */
    atomic_store(&gpu_of(b, 0)->told.demand_mw, 0);
    for (int i = 0; i < 200 && s.draw_mw != STANDIN_IDLE_MW; i++) {
        usleep(20000);
        s = sample(b, 0);
    }
    assert_int_equal(s.draw_mw, STANDIN_IDLE_MW);
}

/* Somebody was killed while he held a GPU's lock. */
static void a_lock_left_behind_is_taken_over(void **state)
{
    struct bench *b = bench(state);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    atomic_store(&gpu_of(b, 0)->lock_ns, now.tv_sec * NS_PER_S + now.tv_nsec);
    alarm(60);
    assert_true(sample(b, 0).valid & ACT_READ_DRAW);
    alarm(0);
    assert_int_equal(atomic_load(&gpu_of(b, 0)->lock_ns), 0);
}

static void a_record_of_something_else_is_refused(void **state)
{
    struct bench *b = bench(state);
    act_close(&b->act);
    assert_int_equal(truncate(b->path, 100), 0);
    assert_int_equal(act_open(&b->act, act_find("nvml"), NULL, b->why), -EIO);
    assert_int_equal(truncate(b->path, sizeof *b->standin), 0);
}

static void numbers_of_fields_are_taken_by_type(void **state)
{
    struct nvml_field_value v = {.type = NVML_DOUBLE, .value.d = 12.9};
    int64_t number = 0;
    (void)state;
    assert_int_equal(nvml_library_number(&v, &number), 0);
    assert_int_equal(number, 12);
    v = (struct nvml_field_value){.type = NVML_DOUBLE, .value.d = 1e300};
    assert_int_equal(nvml_library_number(&v, &number), -EBADMSG);
    v.value.d = -(double)__builtin_nan("");
    assert_int_equal(nvml_library_number(&v, &number), -EBADMSG);
    v = (struct nvml_field_value){.type = NVML_ULONGLONG, .value.ull = UINT64_MAX};
    assert_int_equal(nvml_library_number(&v, &number), -EBADMSG);
    v = (struct nvml_field_value){.type = NVML_INT, .value.i = -3};
    assert_int_equal(nvml_library_number(&v, &number), 0);
    assert_int_equal(number, -3);
    v = (struct nvml_field_value){.type = NVML_USHORT, .value.us = 65535};
    assert_int_equal(nvml_library_number(&v, &number), 0);
    assert_int_equal(number, 65535);
    v = (struct nvml_field_value){.type = NVML_LONGLONG, .value.ll = -5};
    assert_int_equal(nvml_library_number(&v, &number), 0);
    assert_int_equal(number, -5);
    v.type = 77;
    assert_int_equal(nvml_library_number(&v, &number), -EBADMSG);
}

#define ON_GPUS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest old[] = {
        ON_GPUS(an_old_library_caps_and_lacks_the_rest),
        ON_GPUS(a_driver_loaded_anew_is_opened_anew),
        ON_GPUS(errors_of_the_library_have_a_meaning),
    };
    const struct CMUnitTest tests[] = {
        ON_GPUS(a_new_library_has_it_all),
        ON_GPUS(a_field_that_fails_is_not_believed),
        ON_GPUS(every_reason_to_draw_less_has_its_class),
        ON_GPUS(errors_of_the_library_have_a_meaning),
        ON_GPUS(a_limit_that_sticks_reads_back_as_it_was),
        ON_GPUS(a_limit_that_sticks_under_a_lower_one_is_told_where_the_library_can),
        ON_GPUS(a_driver_loaded_anew_is_opened_anew),
        ON_GPUS(a_gpu_that_is_lost_is_left_out),
        ON_GPUS(more_gpus_than_a_host_may_have_are_refused),
        ON_GPUS(smoothing_is_written_in_its_units),
        ON_GPUS(smoothing_that_stays_on_is_not_taken_for_off),
        ON_GPUS(smoothing_that_does_not_read_back_is_not_put_into_force),
        ON_GPUS(processes_share_the_gpus),
        ON_GPUS(the_draw_follows_the_cap),
        ON_GPUS(a_lock_left_behind_is_taken_over),
        ON_GPUS(a_record_of_something_else_is_refused),
        cmocka_unit_test(numbers_of_fields_are_taken_by_type),
    };
    return plays_an_old_library() ? cmocka_run_group_tests(old, NULL, NULL)
                                  : cmocka_run_group_tests(tests, NULL, NULL);
}
