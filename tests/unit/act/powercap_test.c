/* SPDX-License-Identifier: Apache-2.0 */
/* CPU packages: which limit is the cap, counters that wrap, zones without limits, bad files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/standin/tree.h"
#include "act/sysfs.h"

#define LONG_TERM "constraint_0_power_limit_uw"
#define SHORT_TERM "constraint_1_power_limit_uw"

struct bench {
    struct tree tree;
    struct act act;
    char folder[512];           /* of package-0 */
    char why[ACT_WHY_BYTES];
};

static struct bench *bench(void **state)
{
    return (struct bench *)*state;
}

static void reopen(struct bench *b)
{
    struct act_place place = {0};
    memcpy(place.root, b->tree.root, sizeof place.root);
    act_close(&b->act);
    assert_int_equal(act_open(&b->act, act_find("powercap"), &place, b->why), 0);
}

static int set_up(void **state)
{
    struct bench *b = (struct bench *)calloc(1, sizeof *b);
    char folder[] = "/tmp/flyball-powercap-XXXXXX";
    assert_non_null(mkdtemp(folder));
    memcpy(b->tree.root, folder, sizeof folder);
    b->tree.packages = 2;
    assert_int_equal(tree_make(&b->tree), 0);
    tree_package_folder(&b->tree, 0, b->folder, sizeof b->folder);
    *state = b;
    reopen(b);
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = bench(state);
    act_close(&b->act);
    assert_int_equal(tree_remove(&b->tree), 0);
    assert_int_equal(rmdir(b->tree.root), 0);
    free(b);
    return 0;
}

static int64_t enforced(struct bench *b)
{
    int64_t mw = -1;
    assert_int_equal(b->act.driver->read_back(&b->act, 0, &mw), 0);
    return mw;
}

static int64_t file(struct bench *b, const char *name)
{
    int64_t value = -1;
    assert_int_equal(sysfs_read(b->folder, name, &value), 0);
    return value;
}

static void set_file(const char *folder, const char *name, const char *text)
{
    char path[640];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *at = fopen(path, "w");
    assert_non_null(at);
    fputs(text, at);
    fclose(at);
}

static void remove_file(struct bench *b, const char *name)
{
    char path[640];
    snprintf(path, sizeof path, "%s/%s", b->folder, name);
    assert_int_equal(unlink(path), 0);
}

static void only_packages_are_devices(void **state)
{
    struct bench *b = bench(state);
    assert_int_equal(b->act.count, 2);
    assert_string_equal(b->act.device[0].identity, "package-0");
    assert_string_equal(b->act.device[1].identity, "package-1");
    assert_int_equal(b->act.device[0].features, ACT_SETTABLE | ACT_ENERGY);
    assert_int_equal(b->act.device[0].max_mw, TREE_PACKAGE_MAX_MW);
    assert_int_equal(b->act.device[0].min_mw, TREE_PACKAGE_MAX_MW / 10);
}

/* Else the draw may stand above the cap for the whole window of the long one. */
static void both_limits_come_to_the_cap(void **state)
{
    struct bench *b = bench(state);
    assert_int_equal(b->act.driver->apply(&b->act, 0, 200000), 0);
    assert_int_equal(file(b, LONG_TERM), 200000000);
    assert_int_equal(file(b, SHORT_TERM), 200000000);
    assert_int_equal(b->act.driver->apply(&b->act, 0, 300000), 0);
    assert_int_equal(file(b, LONG_TERM), 300000000);
    assert_int_equal(file(b, SHORT_TERM), 300000000);
    assert_int_equal(enforced(b), 300000);
}

static void constraints_are_known_by_name(void **state)
{
    struct bench *b = bench(state);
    set_file(b->folder, "constraint_0_name", "short_term\n");
    set_file(b->folder, "constraint_1_name", "long_term\n");
    reopen(b);
    assert_int_equal(b->act.device[0].max_mw, 2 * TREE_PACKAGE_MAX_MW);
    set_file(b->folder, "constraint_0_name", "peak_power\n");
    reopen(b);
    assert_int_equal(b->act.driver->apply(&b->act, 0, 400000), 0);
    assert_int_equal(file(b, SHORT_TERM), 400000000);
    assert_int_equal(file(b, LONG_TERM), TREE_PACKAGE_MAX_MW * 1000);     /* a peak is not ours */
}

static void a_zone_that_is_off_caps_nothing_until_it_is_written(void **state)
{
    struct bench *b = bench(state);
    set_file(b->folder, "enabled", "0\n");
    assert_int_equal(enforced(b), ACT_NO_CAP_MW);
    assert_int_equal(b->act.driver->apply(&b->act, 0, 200000), 0);
    assert_int_equal(file(b, "enabled"), 1);
    assert_int_equal(enforced(b), 200000);
}

static void a_lower_limit_of_the_other_interface_counts(void **state)
{
    struct bench *b = bench(state);
    char folder[512];
    snprintf(folder, sizeof folder, "%s/class/powercap/intel-rapl-mmio:0", b->tree.root);
    assert_int_equal(mkdir(folder, 0755), 0);
    set_file(folder, "name", "package-0\n");
    set_file(folder, "enabled", "1\n");
    set_file(folder, "constraint_0_name", "long_term\n");
    set_file(folder, LONG_TERM, "120000000\n");
    assert_int_equal(b->act.driver->apply(&b->act, 0, 200000), 0);
    assert_int_equal(enforced(b), 120000);
    set_file(folder, "enabled", "0\n");
    assert_int_equal(enforced(b), 200000);
    reopen(b);
    assert_int_equal(b->act.count, 2);  /* it is no device of its own */
}

static void a_package_without_limits_is_only_read(void **state)
{
    struct bench *b = bench(state);
    const char *const gone[] = {"constraint_0_name", "constraint_1_name", LONG_TERM, SHORT_TERM};
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
        remove_file(b, gone[i]);
    reopen(b);
    assert_int_equal(b->act.device[0].features, ACT_ENERGY);
    assert_int_equal(b->act.driver->apply(&b->act, 0, 200000), -ENOTSUP);
    assert_int_equal(enforced(b), ACT_NO_CAP_MW);
    assert_true(b->act.device[1].features & ACT_SETTABLE);
}

static void a_greatest_limit_that_nobody_tells_is_the_one_in_force(void **state)
{
    struct bench *b = bench(state);
    set_file(b->folder, "constraint_0_max_power_uw", "0\n");
    set_file(b->folder, LONG_TERM, "270000000\n");
    set_file(b->folder, "constraint_0_min_power_uw", "90000000\n");
    reopen(b);
    assert_int_equal(b->act.device[0].max_mw, 270000);
    assert_int_equal(b->act.device[0].min_mw, 90000);
    assert_int_equal(b->act.device[0].default_mw, 0);
}

static struct act_sample sample(struct bench *b)
{
    struct act_sample s;
    assert_int_equal(b->act.driver->sample(&b->act, 0, &s), 0);
    return s;
}

/* The time between two samples is the machine's, so the energy is held to, and the draw to it. */
static void energy_goes_on_where_the_counter_wraps(void **state)
{
    struct bench *b = bench(state);
    char text[32];
    snprintf(text, sizeof text, "%lld\n", (long long)(TREE_ENERGY_RANGE_UJ - 3000000));
    set_file(b->folder, "energy_uj", text);
    struct act_sample s = sample(b);
    assert_int_equal(s.valid, ACT_READ_ENERGY);
    assert_int_equal(s.energy_mj, 0);
    usleep(60000);
    set_file(b->folder, "energy_uj", "7000000\n");
    s = sample(b);
    assert_int_equal(s.energy_mj, 10000);
    assert_int_equal(s.valid, ACT_READ_ENERGY | ACT_READ_DRAW | ACT_READ_AVERAGE);
    assert_true(s.average_ns >= 50 * NS_PER_MS);
    assert_int_equal(s.draw_mw, 10000000 * NS_PER_MS / s.average_ns);
    assert_int_equal(s.average_mw, s.draw_mw);
    usleep(60000);
    s = sample(b);
    assert_int_equal(s.draw_mw, 0);
    assert_int_equal(s.energy_mj, 10000);
}

static void a_counter_that_began_anew_counts_from_nothing(void **state)
{
    struct bench *b = bench(state);
    set_file(b->folder, "max_energy_range_uj", "0\n");
    set_file(b->folder, "energy_uj", "5000000000\n");
    reopen(b);
    sample(b);
    set_file(b->folder, "energy_uj", "2000000\n");
    assert_int_equal(sample(b).energy_mj, 2000);
}

static void bad_numbers_are_errors_and_change_nothing(void **state)
{
    struct bench *b = bench(state);
    struct act_sample s;
    int64_t mw = 77;
    set_file(b->folder, LONG_TERM, "soon\n");
    assert_int_equal(b->act.driver->read_back(&b->act, 0, &mw), -EBADMSG);
    assert_int_equal(mw, 77);
    assert_int_equal(b->act.driver->apply(&b->act, 0, 200000), -EBADMSG);
    assert_int_equal(file(b, SHORT_TERM), TREE_PACKAGE_MAX_MW / 10 * 12 * 1000);
    set_file(b->folder, "energy_uj", "\n");
    assert_int_equal(b->act.driver->sample(&b->act, 0, &s), -EBADMSG);
}

#define ON_TREE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static void a_zone_that_is_off_is_seen_and_switched_on_without_a_descriptor(void **state)
{
    struct bench *b = bench(state);
    struct rlimit full, usual;
    int64_t before_mw = -1, after_mw = -1, kept_mw = -1;
    assert_true(enforced(b) < ACT_NO_CAP_MW);
    assert_int_equal(sysfs_write(b->folder, "enabled", 0), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    full = usual;
    full.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &full), 0);
    int read = b->act.driver->read_back(&b->act, 0, &before_mw);
    int kept = b->act.driver->kept(&b->act, 0, &kept_mw);
    int written = b->act.driver->apply(&b->act, 0, 100000);
    int again = b->act.driver->read_back(&b->act, 0, &after_mw);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
    assert_int_equal(read, 0);
    assert_int_equal(before_mw, ACT_NO_CAP_MW);
    assert_int_equal(kept, 0);
    assert_int_equal(kept_mw, ACT_NO_CAP_MW);
    assert_int_equal(written, 0);
    assert_int_equal(again, 0);
    assert_int_equal(after_mw, 100000);
    assert_int_equal(file(b, "enabled"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_TREE(only_packages_are_devices),
        ON_TREE(both_limits_come_to_the_cap),
        ON_TREE(constraints_are_known_by_name),
        ON_TREE(a_zone_that_is_off_caps_nothing_until_it_is_written),
        ON_TREE(a_lower_limit_of_the_other_interface_counts),
        ON_TREE(a_package_without_limits_is_only_read),
        ON_TREE(a_greatest_limit_that_nobody_tells_is_the_one_in_force),
        ON_TREE(energy_goes_on_where_the_counter_wraps),
        ON_TREE(a_counter_that_began_anew_counts_from_nothing),
        ON_TREE(bad_numbers_are_errors_and_change_nothing),
        ON_TREE(a_zone_that_is_off_is_seen_and_switched_on_without_a_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
