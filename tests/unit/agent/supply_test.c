/* SPDX-License-Identifier: Apache-2.0 */
/* Power supplies by a tree of files as hwmon has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/supply.h"
#include "msg/limits.h"

struct tree {
    char root[64];
};

static void path_of(const struct tree *tree, char path[256], const char *folder, const char *name)
{
    snprintf(path, 256, "%.60s/%.80s/%.80s", tree->root, folder, name);
}

static void put(const struct tree *tree, const char *folder, const char *name, const char *text)
{
    char path[256];
    path_of(tree, path, folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void make_folder(const struct tree *tree, const char *folder)
{
    char path[256];
    path_of(tree, path, folder, "");
    assert_int_equal(mkdir(path, 0755), 0);
}

/* hwmonN of a device on a bus. */
static void add(const struct tree *tree, const char *hwmon, const char *device)
{
    char folder[64], target[128], path[256];
    snprintf(folder, sizeof folder, "devices/%.40s", device);
    make_folder(tree, folder);
    snprintf(folder, sizeof folder, "class/hwmon/%.40s", hwmon);
    make_folder(tree, folder);
    snprintf(target, sizeof target, "../../../devices/%.40s", device);
    path_of(tree, path, folder, "device");
    assert_int_equal(symlink(target, path), 0);
}

static int remove_one(const char *path, const struct stat *what, int type, struct FTW *where)
{
    (void)what;
    (void)type;
    (void)where;
    return remove(path);
}

static int make_tree(void **state)
{
    static const char *const folders[] = {"class", "class/hwmon", "devices"};
    struct tree *tree = calloc(1, sizeof *tree);
    snprintf(tree->root, sizeof tree->root, "/tmp/supplies.XXXXXX");
    *state = tree;
    if (!mkdtemp(tree->root))
        return -1;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        make_folder(tree, folders[i]);
    add(tree, "hwmon0", "3-0059");
    add(tree, "hwmon3", "3-0058");
    put(tree, "class/hwmon/hwmon3", "power1_input", "1480000000\n");
    put(tree, "class/hwmon/hwmon0", "power1_input", "0\n");
    return 0;
}

static int remove_tree(void **state)
{
    struct tree *tree = *state;
    nftw(tree->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(tree);
    return 0;
}

static const struct supply_set two = {.count = 2, .name = {"3-0058", "3-0059"}};

static void a_supply_has_input_by_its_power_or_its_volts(void **state)
{
    const struct tree *tree = *state;
    uint16_t inputs;
    assert_true(supply_read(&two, tree->root, &inputs));
    assert_int_equal(inputs, 1);
    put(tree, "class/hwmon/hwmon0", "power1_input", "999999\n");
    assert_true(supply_read(&two, tree->root, &inputs));
    assert_int_equal(inputs, 1);
    put(tree, "class/hwmon/hwmon0", "power1_input", "1000000\n");
    assert_true(supply_read(&two, tree->root, &inputs));
    assert_int_equal(inputs, 3);
    put(tree, "class/hwmon/hwmon0", "power1_input", "0\n");   /* a spare that carries nothing */
    put(tree, "class/hwmon/hwmon0", "in1_input", "231000\n");
    assert_true(supply_read(&two, tree->root, &inputs));
    assert_int_equal(inputs, 3);
}

/* One that cannot be read is no evidence of a lost feed, nor are the others of anything. */
static void who_cannot_read_one_says_nothing(void **state)
{
    const struct tree *tree = *state;
    char path[256];
    uint16_t inputs;
    const struct supply_set strange = {.count = 1, .name = {"3-0060"}}, none = {.count = 0};
    assert_false(supply_read(&strange, tree->root, &inputs));
    assert_false(supply_read(&none, tree->root, &inputs));
    assert_false(supply_read(&two, "/nowhere", &inputs));
    put(tree, "class/hwmon/hwmon0", "power1_input", "nonsense\n");
    assert_false(supply_read(&two, tree->root, &inputs));
    put(tree, "class/hwmon/hwmon0", "in1_input", "12100\n");  /* volts of an output, may be */
    assert_false(supply_read(&two, tree->root, &inputs));
    path_of(tree, path, "class/hwmon/hwmon0", "power1_input");
    assert_int_equal(unlink(path), 0);
    assert_false(supply_read(&two, tree->root, &inputs));
}

static void one_driver_may_tell_of_several(void **state)
{
    const struct tree *tree = *state;
    const struct supply_set shelf = {.count = 2, .name = {"3-0058/1", "3-0058/12"}};
    uint16_t inputs;
    put(tree, "class/hwmon/hwmon3", "power12_input", "0\n");
    assert_true(supply_read(&shelf, tree->root, &inputs));
    assert_int_equal(inputs, 1);
}

static void names_are_checked(void **state)
{
    static const char *const wrong[] = {"", "/1", "3-0058/", "3-0058/0", "3-0058/x", "3-0058/1/2",
                                        "3-0058/65", "a-name-that-is-longer-than-any-of-hwmon-ever-was"};
    (void)state;
    assert_true(supply_is_name("3-0058"));
    assert_true(supply_is_name("3-0058/64"));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(supply_is_name(wrong[i]));
}

static int64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void the_thread_reads_and_what_is_old_is_no_evidence(void **state)
{
    const struct tree *tree = *state;
    struct supply_watch watch = {0};
    uint16_t inputs = 99;
    assert_int_equal(supply_watch_start(&watch, &two, tree->root), 0);
    int64_t end_ns = monotonic_ns() + 30 * NS_PER_S;
    while (!supply_watch_newest(&watch, monotonic_ns(), &inputs)) {
        assert_true(monotonic_ns() < end_ns);
        nanosleep(&(struct timespec){.tv_nsec = NS_PER_MS}, NULL);
    }
    assert_int_equal(inputs, 1);
    assert_false(supply_watch_newest(&watch, monotonic_ns() + 60 * NS_PER_S, &inputs));
    assert_int_equal(inputs, 0);
    while (!supply_watch_stop(&watch))
        assert_true(monotonic_ns() < end_ns);
    const struct supply_set none = {0};
    struct supply_watch idle = {0};
    assert_int_equal(supply_watch_start(&idle, &none, ""), 0);
    assert_false(supply_watch_newest(&idle, monotonic_ns(), &inputs));
    assert_true(supply_watch_stop(&idle));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_supply_has_input_by_its_power_or_its_volts, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(who_cannot_read_one_says_nothing, make_tree, remove_tree),
        cmocka_unit_test_setup_teardown(one_driver_may_tell_of_several, make_tree, remove_tree),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test_setup_teardown(the_thread_reads_and_what_is_old_is_no_evidence, make_tree,
                                        remove_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
