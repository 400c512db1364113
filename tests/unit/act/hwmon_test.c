/* SPDX-License-Identifier: Apache-2.0 */
/* AMD GPUs: a large cut goes down in steps, whatever the device drops, and bad files change nothing.
 * Writes of the driver pass through here (ld --wrap), where a device answers them at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "act/standin/tree.h"
#include "act/sysfs.h"

enum { WRITES_ROOM = 64 };

static struct {
    int64_t drop_over_mw;       /* a larger step falls back to the default */
    bool deaf;                  /* nothing changes */
    int64_t least_mw;           /* of all that was written */
    int64_t written_mw[WRITES_ROOM];
    int writes;
} firmware;

int __real_sysfs_write(const char *folder, const char *name, int64_t value);
int __wrap_sysfs_write(const char *folder, const char *name, int64_t value);

int __wrap_sysfs_write(const char *folder, const char *name, int64_t value)
{
    int64_t before_uw = 0;
    assert_true(firmware.writes < WRITES_ROOM);
    firmware.written_mw[firmware.writes++] = value / 1000;
    assert_int_equal(sysfs_read(folder, name, &before_uw), 0);
    if (firmware.deaf)
        return 0;
    if (firmware.drop_over_mw && before_uw - value > firmware.drop_over_mw * 1000)
        value = TREE_GPU_MAX_MW * 1000;
    return __real_sysfs_write(folder, name, value);
}

struct bench {
    struct tree tree;
    struct act act;
    char why[ACT_WHY_BYTES];
};

static int set_up(void **state)
{
    struct bench *b = (struct bench *)calloc(1, sizeof *b);
    struct act_place place = {0};
    char folder[] = "/tmp/flyball-hwmon-XXXXXX";
    memset(&firmware, 0, sizeof firmware);
    assert_non_null(mkdtemp(folder));
    memcpy(b->tree.root, folder, sizeof folder);
    memcpy(place.root, folder, sizeof folder);
    b->tree.gpus = 2;
    assert_int_equal(tree_make(&b->tree), 0);
    assert_int_equal(act_open(&b->act, act_find("hwmon"), &place, b->why), 0);
    assert_int_equal(b->act.count, 2);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = (struct bench *)*state;
    act_close(&b->act);
    assert_int_equal(tree_remove(&b->tree), 0);
    assert_int_equal(rmdir(b->tree.root), 0);
    free(b);
    return 0;
}

static struct bench *bench(void **state)
{
    return (struct bench *)*state;
}

static int64_t enforced(struct bench *b)
{
    int64_t mw = -1;
    assert_int_equal(b->act.driver->read_back(&b->act, 0, &mw), 0);
    return mw;
}

static void set_file(struct bench *b, const char *name, const char *text)
{
    char path[640], folder[512];
    tree_gpu_folder(&b->tree, 0, folder, sizeof folder);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int reopen(struct bench *b)
{
    struct act_place place = b->act.place;
    act_close(&b->act);
    return act_open(&b->act, act_find("hwmon"), &place, b->why);
}

/* 750 to 200 W, a quarter of the range at a time. */
static void a_large_cut_is_made_in_four_steps(void **state)
{
    struct bench *b = bench(state);
    const int64_t steps[] = {612500, 475000, 337500, 200000};
    assert_true(b->act.device[0].features & ACT_STAGED);
    assert_int_equal(b->act.driver->apply(&b->act, 0, TREE_GPU_MIN_MW), 0);
    assert_int_equal(firmware.writes, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(firmware.written_mw[i], steps[i]);
    assert_int_equal(enforced(b), TREE_GPU_MIN_MW);
}

static void a_small_cut_and_any_raise_are_one_write(void **state)
{
    struct bench *b = bench(state);
    assert_int_equal(b->act.driver->apply(&b->act, 0, 620000), 0);
    assert_int_equal(firmware.writes, 1);
    assert_int_equal(b->act.driver->apply(&b->act, 0, TREE_GPU_MAX_MW), 0);
    assert_int_equal(firmware.writes, 2);
}

static void steps_that_are_dropped_are_halved_until_they_hold(void **state)
{
    struct bench *b = bench(state);
    firmware.drop_over_mw = 100000;
    assert_int_equal(b->act.driver->apply(&b->act, 0, 250000), 0);
    assert_int_equal(enforced(b), 250000);
    assert_in_range(firmware.writes, 8, 12);
}

static void a_device_that_takes_no_step_ends_in_an_error(void **state)
{
    struct bench *b = bench(state);
    firmware.deaf = true;
    assert_int_equal(b->act.driver->apply(&b->act, 0, 250000), -EIO);
    assert_int_equal(firmware.writes, 12);
    assert_int_equal(enforced(b), TREE_GPU_MAX_MW);
}

/* Somebody wrote more than the range has: the first step is into the range. */
static void a_limit_above_the_range_comes_down_too(void **state)
{
    struct bench *b = bench(state);
    set_file(b, "power1_cap", "2000000000\n");
    assert_int_equal(enforced(b), 2000000);
    assert_int_equal(b->act.driver->apply(&b->act, 0, 300000), 0);
    assert_int_equal(enforced(b), 300000);
    assert_in_range(firmware.writes, 4, 6);
}

static void a_limit_of_zero_is_none(void **state)
{
    struct bench *b = bench(state);
    set_file(b, "power1_cap", "0\n");
    assert_int_equal(enforced(b), ACT_NO_CAP_MW);
    assert_int_equal(b->act.driver->apply(&b->act, 0, 300000), 0);
    assert_int_equal(enforced(b), 300000);
}

static void bad_numbers_are_errors_and_change_nothing(void **state)
{
    struct bench *b = bench(state);
    const char *bad[] = {"", "\n", "-", "many\n", "12 34\n", "1e9\n", "99999999999999999999999\n"};
    int64_t mw = 77;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        set_file(b, "power1_cap", bad[i]);
        assert_true(b->act.driver->read_back(&b->act, 0, &mw) < 0);
        assert_int_equal(mw, 77);
        assert_true(b->act.driver->apply(&b->act, 0, 300000) < 0);
    }
    assert_int_equal(firmware.writes, 0);
}

static void a_gpu_without_a_range_is_only_read(void **state)
{
    struct bench *b = bench(state);
    set_file(b, "power1_cap_max", "nonsense\n");
    assert_int_equal(reopen(b), 0);
    assert_false(b->act.device[0].features & ACT_SETTABLE);
    assert_true(b->act.device[1].features & ACT_SETTABLE);
    assert_int_equal(b->act.driver->apply(&b->act, 0, 300000), -ENOTSUP);
    assert_int_equal(enforced(b), TREE_GPU_MAX_MW);
}

static void a_least_limit_of_zero_is_a_tenth_of_the_greatest(void **state)
{
    struct bench *b = bench(state);
    set_file(b, "power1_cap_min", "0\n");
    assert_int_equal(reopen(b), 0);
    assert_int_equal(b->act.device[0].min_mw, TREE_GPU_MAX_MW / 10);
}

static void a_sample_has_draw_temperature_and_clock(void **state)
{
    struct bench *b = bench(state);
    struct act_sample s;
    assert_int_equal(b->act.driver->sample(&b->act, 0, &s), 0);
    assert_int_equal(s.valid, ACT_READ_DRAW | ACT_READ_TEMPERATURE | ACT_READ_CLOCK);
    assert_int_equal(s.draw_mw, 90000);
    assert_int_equal(s.temperature_mc, 45000);
    assert_int_equal(s.clock_mhz, 2100);
    assert_false(b->act.device[0].features & ACT_INSTANT_POWER);
    set_file(b, "temp1_input", "hot\n");
    set_file(b, "power1_input", "123000000\n");
    assert_int_equal(reopen(b), 0);
    assert_true(b->act.device[0].features & ACT_INSTANT_POWER);
    assert_int_equal(b->act.driver->sample(&b->act, 0, &s), 0);
    assert_int_equal(s.valid, ACT_READ_DRAW | ACT_READ_CLOCK);
    assert_int_equal(s.draw_mw, 123000);
}

/* A driver that is loaded anew gives other numbers: the open device follows its PCI address. */
static void a_gpu_is_found_under_its_new_number(void **state)
{
    struct bench *b = bench(state);
    assert_string_equal(b->act.device[0].identity, "0000:01:00.0");
    assert_int_equal(b->act.driver->apply(&b->act, 0, 400000), 0);
    assert_int_equal(tree_gpu_gone(&b->tree, 0), 0);
    int64_t mw;
    assert_int_equal(b->act.driver->read_back(&b->act, 0, &mw), -ENODEV);
    assert_int_equal(tree_gpu_back(&b->tree, 0, 33), 0);
    assert_int_equal(enforced(b), TREE_GPU_MAX_MW);
    assert_int_equal(b->act.driver->apply(&b->act, 0, 500000), 0);
    assert_int_equal(enforced(b), 500000);
}

/* The number of one GPU now belongs to another: nothing is written there. */
static void a_number_that_another_gpu_took_is_not_mistaken(void **state)
{
    struct bench *b = bench(state);
    int64_t other_mw;
    assert_int_equal(tree_gpu_gone(&b->tree, 0), 0);
    assert_int_equal(tree_gpu_gone(&b->tree, 1), 0);
    assert_int_equal(tree_gpu_back(&b->tree, 1, 0), 0);
    assert_int_equal(b->act.driver->apply(&b->act, 0, 300000), -ENODEV);
    assert_int_equal(firmware.writes, 0);
    assert_int_equal(b->act.driver->read_back(&b->act, 1, &other_mw), 0);
    assert_int_equal(other_mw, TREE_GPU_MAX_MW);
}

static void a_place_that_is_not_there_says_so(void **state)
{
    struct act act;
    char why[ACT_WHY_BYTES];
    struct act_place place = {.root = "/nonexistent/flyball"};
    (void)state;
    assert_int_equal(act_open(&act, act_find("hwmon"), &place, why), -ENOENT);
    assert_non_null(strstr(why, "/nonexistent/flyball/class/hwmon"));
    act_close(&act);
}

static void the_stand_in_drops_a_step_that_is_too_large(void **state)
{
    struct bench *b = bench(state);
    b->tree.drop_over_mw = 200000;
    assert_int_equal(tree_step(&b->tree, NS_PER_MS), 0);
    set_file(b, "power1_cap", "300000000\n");
    assert_int_equal(tree_step(&b->tree, NS_PER_MS), 0);
    assert_int_equal(enforced(b), TREE_GPU_MAX_MW);
    set_file(b, "power1_cap", "600000000\n");
    assert_int_equal(tree_step(&b->tree, NS_PER_MS), 0);
    assert_int_equal(enforced(b), 600000);
}

#define ON_TREE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_TREE(a_large_cut_is_made_in_four_steps),
        ON_TREE(a_small_cut_and_any_raise_are_one_write),
        ON_TREE(steps_that_are_dropped_are_halved_until_they_hold),
        ON_TREE(a_device_that_takes_no_step_ends_in_an_error),
        ON_TREE(a_limit_above_the_range_comes_down_too),
        ON_TREE(a_limit_of_zero_is_none),
        ON_TREE(bad_numbers_are_errors_and_change_nothing),
        ON_TREE(a_gpu_without_a_range_is_only_read),
        ON_TREE(a_least_limit_of_zero_is_a_tenth_of_the_greatest),
        ON_TREE(a_sample_has_draw_temperature_and_clock),
        ON_TREE(a_gpu_is_found_under_its_new_number),
        ON_TREE(a_number_that_another_gpu_took_is_not_mistaken),
        cmocka_unit_test(a_place_that_is_not_there_says_so),
        ON_TREE(the_stand_in_drops_a_step_that_is_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
