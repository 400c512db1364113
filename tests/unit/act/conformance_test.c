/* SPDX-License-Identifier: Apache-2.0 */
/* What every line of act_drivers[] must do, over its stand-in: a driver without one fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "msg/model.h"
#include "stage.h"

enum { ROUNDS = 50, LOOKS = 20, WAIT_S = 60 };

static const struct stage_row *const rows[] = {&stage_dry, &stage_nvml, &stage_hwmon, &stage_powercap};

struct opened {
    struct stage stage;
    struct act act;
    char why[ACT_WHY_BYTES];
};

static struct opened *opened(void **state)
{
    return (struct opened *)*state;
}

static const struct stage_row *row_of(const char *driver)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!strcmp(rows[i]->driver, driver))
            return rows[i];
    return NULL;
}

static void reopen(struct opened *o)
{
    act_close(&o->act);
    assert_int_equal(act_open(&o->act, act_find(o->stage.row->driver), &o->stage.place, o->why), 0);
    assert_int_equal(o->act.count, STAGE_DEVICES);
}

static int64_t rounded(const struct opened *o, int64_t cap_mw)
{
    return cap_mw / o->stage.row->quantum_mw * o->stage.row->quantum_mw;
}

static int64_t middle(const struct act_device *device)
{
    return (device->min_mw + device->max_mw) / 2;
}

static int64_t read_back(struct opened *o, uint32_t device)
{
    int64_t enforced_mw = -1;
    assert_int_equal(o->act.driver->read_back(&o->act, device, &enforced_mw), 0);
    return enforced_mw;
}

static void identities_are_unique_and_stay(void **state)
{
    struct opened *o = opened(state);
    char identity[STAGE_DEVICES][ACT_IDENTITY_BYTES];
    for (uint32_t i = 0; i < STAGE_DEVICES; i++) {
        memcpy(identity[i], o->act.device[i].identity, ACT_IDENTITY_BYTES);
        assert_true(strnlen(identity[i], ACT_IDENTITY_BYTES) > 0);
        assert_true(strnlen(identity[i], ACT_IDENTITY_BYTES) < ACT_IDENTITY_BYTES);
        assert_int_equal(act_device_find(&o->act, identity[i]), i);
    }
    assert_int_equal(act_device_find(&o->act, "no such device"), INDEX_NONE);
    reopen(o);
    for (uint32_t i = 0; i < STAGE_DEVICES; i++)
        assert_int_not_equal(act_device_find(&o->act, identity[i]), INDEX_NONE);
}

static void a_cap_in_range_reads_back(void **state)
{
    struct opened *o = opened(state);
    for (uint32_t i = 0; i < STAGE_DEVICES; i++) {
        const struct act_device *device = &o->act.device[i];
        const int64_t caps[] = {device->min_mw, device->max_mw, middle(device), device->min_mw + 1,
                                device->max_mw - 1};
        assert_true(device->features & ACT_SETTABLE);
        assert_true(device->min_mw > 0 && device->min_mw < device->max_mw);
        assert_true(device->default_mw >= 0 && device->default_mw <= device->max_mw);
        for (size_t c = 0; c < sizeof caps / sizeof caps[0]; c++) {
            assert_int_equal(o->act.driver->apply(&o->act, i, caps[c]), 0);
            assert_int_equal(read_back(o, i), rounded(o, caps[c]));
        }
    }
}

static void a_cap_out_of_range_changes_nothing(void **state)
{
    struct opened *o = opened(state);
    for (uint32_t i = 0; i < STAGE_DEVICES; i++) {
        const struct act_device *device = &o->act.device[i];
        const int64_t caps[] = {device->min_mw - 1, device->max_mw + 1, 0, -1, INT64_MAX, INT64_MIN};
        assert_int_equal(o->act.driver->apply(&o->act, i, middle(device)), 0);
        for (size_t c = 0; c < sizeof caps / sizeof caps[0]; c++) {
            assert_int_equal(o->act.driver->apply(&o->act, i, caps[c]), -ERANGE);
            assert_int_equal(read_back(o, i), rounded(o, middle(device)));
        }
    }
}

static void a_cap_outlives_who_wrote_it(void **state)
{
    struct opened *o = opened(state);
    int64_t cap_mw = middle(&o->act.device[1]);
    char identity[ACT_IDENTITY_BYTES];
    memcpy(identity, o->act.device[1].identity, sizeof identity);
    assert_int_equal(o->act.driver->apply(&o->act, 1, cap_mw), 0);
    reopen(o);
    assert_int_equal(read_back(o, act_device_find(&o->act, identity)), rounded(o, cap_mw));
}

static void somebody_elses_lower_limit_is_read_back(void **state)
{
    struct opened *o = opened(state);
    const struct act_device *device = &o->act.device[0];
    int64_t foreign_mw = rounded(o, device->min_mw + (device->max_mw - device->min_mw) / 4);
    assert_int_equal(o->act.driver->apply(&o->act, 0, middle(device)), 0);
    o->stage.row->foreign(&o->stage, device->identity, foreign_mw);
    assert_int_equal(read_back(o, 0), foreign_mw);
    assert_int_equal(read_back(o, 1), rounded(o, read_back(o, 1)));
    assert_true(read_back(o, 1) != foreign_mw);
}

static int64_t kept(struct opened *o, uint32_t device)
{
    int64_t kept_mw = -1;
    assert_int_equal(o->act.driver->kept(&o->act, device, &kept_mw), 0);
    return kept_mw;
}

/* What is written under somebody else's lower limit has no effect, and does not show in what is in force. */
static void a_cap_that_is_held_up_is_told_though_a_lower_limit_hides_it(void **state)
{
    struct opened *o = opened(state);
    const struct act_device *device = &o->act.device[0];
    int64_t quarter_mw = (device->max_mw - device->min_mw) / 4;
    int64_t low_mw = rounded(o, device->min_mw + quarter_mw), high_mw = rounded(o, device->max_mw - 1);
    assert_non_null(o->act.driver->kept);
    assert_int_equal(o->act.driver->apply(&o->act, 0, middle(device)), 0);
    assert_int_equal(kept(o, 0), rounded(o, middle(device)));
    o->stage.row->foreign(&o->stage, device->identity, low_mw);
    assert_int_equal(read_back(o, 0), low_mw);
    assert_int_equal(kept(o, 0), o->stage.row->hides ? rounded(o, middle(device)) : low_mw);
    o->stage.row->hold_up(&o->stage, device->identity, high_mw);
    assert_int_equal(read_back(o, 0), o->stage.row->hides ? low_mw : high_mw);
    assert_int_equal(kept(o, 0), high_mw);
    assert_int_equal(o->act.driver->apply(&o->act, 1, middle(&o->act.device[1])), 0);
    assert_int_equal(kept(o, 1), read_back(o, 1));
    assert_int_equal(o->act.driver->apply(&o->act, 0, device->min_mw), 0);
    assert_int_equal(kept(o, 0), device->min_mw);
}

static void what_is_not_settable_is_refused(void **state)
{
    struct opened *o = opened(state);
    int64_t before_mw = read_back(o, 0);
    o->stage.place.read_only = true;
    reopen(o);
    for (uint32_t i = 0; i < STAGE_DEVICES; i++) {
        assert_false(o->act.device[i].features & (ACT_SETTABLE | ACT_SMOOTHING));
        assert_int_equal(o->act.driver->apply(&o->act, i, middle(&o->act.device[i])), -ENOTSUP);
        if (o->act.driver->smooth)
            assert_int_equal(o->act.driver->smooth(&o->act, i, &(struct act_smooth){.floor_mw = 1}),
                             -ENOTSUP);
    }
    assert_int_equal(read_back(o, 0), before_mw);
}

static void a_sample_says_what_it_read(void **state)
{
    struct opened *o = opened(state);
    for (uint32_t i = 0; i < STAGE_DEVICES; i++) {
        struct act_sample s = {.valid = ~0U};
        assert_int_equal(o->act.driver->sample(&o->act, i, &s), 0);
        usleep(120000);         /* an average of counters needs two of them */
        if (o->stage.row->pass)
            o->stage.row->pass(&o->stage, 120 * NS_PER_MS);
        assert_int_equal(o->act.driver->sample(&o->act, i, &s), 0);
        assert_true(s.valid & ACT_READ_DRAW);
        assert_true(s.draw_mw > 0 && s.draw_mw < 10 * o->act.device[i].max_mw);
        assert_true(!(s.valid & ACT_READ_AVERAGE) || (s.average_mw > 0 && s.average_ns > 0));
        assert_true(!(s.valid & ACT_READ_ENERGY) || s.energy_mj >= 0);
        assert_true(!(s.valid & ACT_READ_TEMPERATURE) || (s.temperature_mc > 0 && s.temperature_mc < 150000));
        assert_true(!(s.valid & ACT_READ_CLOCK) || (s.clock_mhz > 0 && s.clock_mhz < 10000));
        assert_true(!!(s.valid & ACT_READ_ENERGY) == !!(o->act.device[i].features & ACT_ENERGY));
    }
}

static void a_device_that_is_gone_says_so_and_others_stay(void **state)
{
    struct opened *o = opened(state);
    char identity[ACT_IDENTITY_BYTES];
    int64_t enforced_mw;
    struct act_sample sample;
    memcpy(identity, o->act.device[1].identity, sizeof identity);
    o->stage.row->gone(&o->stage, identity, true);
    assert_int_equal(o->act.driver->read_back(&o->act, 1, &enforced_mw), -ENODEV);
    assert_int_equal(o->act.driver->kept(&o->act, 1, &enforced_mw), -ENODEV);
    assert_int_equal(o->act.driver->sample(&o->act, 1, &sample), -ENODEV);
    assert_int_equal(o->act.driver->apply(&o->act, 1, middle(&o->act.device[1])), -ENODEV);
    assert_true(read_back(o, 0) > 0);
    assert_int_equal(o->act.driver->apply(&o->act, 2, middle(&o->act.device[2])), 0);
    o->stage.row->gone(&o->stage, identity, false);
    reopen(o);
    assert_true(read_back(o, act_device_find(&o->act, identity)) > 0);
}

/* No descriptor is left. A driver that needs none goes on. */
static void a_table_of_descriptors_that_is_full_keeps_no_cap_from_being_written(void **state)
{
    struct opened *o = opened(state);
    int64_t before_mw = read_back(o, 0), enforced_mw = -1, after_mw = -1, kept_mw = -1;
    struct act_sample sample;
    struct rlimit full, usual;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    full = usual;
    full.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &full), 0);
    int read = o->act.driver->read_back(&o->act, 0, &enforced_mw);
    int sampled = o->act.driver->sample(&o->act, 0, &sample);
    int written = o->act.driver->apply(&o->act, 0, o->act.device[0].min_mw);
    int again = o->act.driver->read_back(&o->act, 0, &after_mw);
    int told = o->act.driver->kept(&o->act, 0, &kept_mw);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
    /* what a device was read by once is kept open */
    assert_int_equal(read, 0);
    assert_int_equal(enforced_mw, before_mw);
    assert_true(sampled == 0 || sampled == -EMFILE);
    assert_int_equal(written, 0);
    assert_int_equal(again, 0);
    assert_int_equal(told, 0);
    assert_int_equal(kept_mw, after_mw);
    assert_int_equal(after_mw, o->act.device[0].min_mw);
    assert_int_equal(read_back(o, 0), o->act.device[0].min_mw);
}

struct caller {
    struct opened *o;
    uint32_t device;
    pthread_t thread;
    int wrong;
    _Atomic int done;
};

static void *write_and_read(void *argument)
{
    struct caller *c = (struct caller *)argument;
    struct act *act = &c->o->act;
    const struct act_device *device = &act->device[c->device];
    for (int i = 0; i < ROUNDS; i++) {
        struct act_sample sample;
        int64_t enforced_mw = 0, cap_mw = device->min_mw + i * (device->max_mw - device->min_mw) / ROUNDS;
        if (act->driver->apply(act, c->device, cap_mw) ||
            act->driver->read_back(act, c->device, &enforced_mw) || enforced_mw != rounded(c->o, cap_mw) ||
            act->driver->sample(act, c->device, &sample))
            c->wrong++;
    }
    return NULL;
}

static void devices_are_called_from_threads_at_once(void **state)
{
    struct caller caller[STAGE_DEVICES] = {0};
    for (uint32_t i = 0; i < STAGE_DEVICES; i++) {
        caller[i] = (struct caller){.o = opened(state), .device = i};
        assert_int_equal(pthread_create(&caller[i].thread, NULL, write_and_read, &caller[i]), 0);
    }
    for (uint32_t i = 0; i < STAGE_DEVICES; i++) {
        pthread_join(caller[i].thread, NULL);
        assert_int_equal(caller[i].wrong, 0);
    }
}

static void *read_once(void *argument)
{
    struct caller *c = (struct caller *)argument;
    int64_t enforced_mw;
    c->wrong = c->o->act.driver->read_back(&c->o->act, c->device, &enforced_mw);
    atomic_store(&c->done, 1);
    return NULL;
}

/* No time is measured: the call on device 0 cannot return before the test lets it. */
static void a_device_that_hangs_holds_up_no_other(void **state)
{
    struct opened *o = opened(state);
    struct caller caller = {.o = o};
    o->stage.row->hang(&o->stage, o->act.device[0].identity, true);
    assert_int_equal(pthread_create(&caller.thread, NULL, read_once, &caller), 0);
    alarm(WAIT_S);
    for (int i = 0; i < LOOKS; i++) {
        struct act_sample sample;
        assert_true(read_back(o, 1) > 0);
        assert_int_equal(o->act.driver->sample(&o->act, 2, &sample), 0);
        usleep(2000);
    }
    assert_int_equal(atomic_load(&caller.done), 0);
    o->stage.row->hang(&o->stage, o->act.device[0].identity, false);
    pthread_join(caller.thread, NULL);
    alarm(0);
    assert_int_equal(caller.wrong, 0);
}

static int set_up_driver(void **state, const struct act_driver *driver)
{
    struct opened *o = (struct opened *)calloc(1, sizeof *o);
    o->stage.row = row_of(driver->name);
    if (!o->stage.row)
        return -1;              /* a driver without a stand-in */
    snprintf(o->stage.folder, sizeof o->stage.folder, "/tmp/flyball-act-XXXXXX");
    assert_non_null(mkdtemp(o->stage.folder));
    o->stage.row->set_up(&o->stage);
    *state = o;
    reopen(o);
    return 0;
}

static int tear_down(void **state)
{
    struct opened *o = opened(state);
    act_close(&o->act);
    act_close(&o->act);         /* twice is allowed */
    o->stage.row->tear_down(&o->stage);
    assert_int_equal(rmdir(o->stage.folder), 0);
    free(o);
    return 0;
}

static const struct act_driver *driver_now;

static int set_up(void **state)
{
    return set_up_driver(state, driver_now);
}

#define CONFORMS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONFORMS(identities_are_unique_and_stay),
        CONFORMS(a_cap_in_range_reads_back),
        CONFORMS(a_cap_out_of_range_changes_nothing),
        CONFORMS(a_cap_outlives_who_wrote_it),
        CONFORMS(somebody_elses_lower_limit_is_read_back),
        CONFORMS(a_cap_that_is_held_up_is_told_though_a_lower_limit_hides_it),
        CONFORMS(what_is_not_settable_is_refused),
        CONFORMS(a_sample_says_what_it_read),
        CONFORMS(a_device_that_is_gone_says_so_and_others_stay),
        CONFORMS(a_table_of_descriptors_that_is_full_keeps_no_cap_from_being_written),
        CONFORMS(devices_are_called_from_threads_at_once),
        CONFORMS(a_device_that_hangs_holds_up_no_other),
    };
    int failed = 0;
    for (const struct act_driver *const *d = act_drivers; *d; d++) {
        driver_now = *d;
        failed += cmocka_run_group_tests_name((*d)->name, tests, NULL, NULL);
    }
    return failed;
}
