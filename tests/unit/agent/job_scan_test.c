/* SPDX-License-Identifier: Apache-2.0 */
/* The jobs of a host, by trees of folders as cgroups have them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/job_watch.h"

#define POD "1b4e28ba-2fa1-11d2-883f-0016d3cca427"
#define STEPD "system.slice/slurmstepd.scope"
#define FAR_NS INT64_MAX

struct tree {
    char root[64];
};

static int make_tree(void **state)
{
    struct tree *tree = calloc(1, sizeof *tree);
    snprintf(tree->root, sizeof tree->root, "/tmp/cgroup.XXXXXX");
    *state = tree;
    return mkdtemp(tree->root) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *what, int type, struct FTW *where)
{
    (void)what;
    (void)type;
    (void)where;
    return remove(path);
}

static int remove_tree(void **state)
{
    struct tree *tree = *state;
    nftw(tree->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(tree);
    return 0;
}

static void make_folder(const struct tree *tree, const char *path)
{
    char whole[512];
    snprintf(whole, sizeof whole, "%s/%s", tree->root, path);
    for (char *slash = whole + strlen(tree->root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = 0;
        mkdir(whole, 0755);
        *slash = '/';
    }
    assert_true(!mkdir(whole, 0755) || errno == EEXIST);
}

static void make_file(const struct tree *tree, const char *path, const char *text)
{
    char whole[512];
    snprintf(whole, sizeof whole, "%s/%s", tree->root, path);
    FILE *file = fopen(whole, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static bool has(const struct job_set *set, const char *wanted)
{
    char text[JOB_TEXT_BYTES];
    for (uint32_t i = 0; i < set->count; i++)
        if (!strcmp(job_text(&set->job[i], text), wanted))
            return true;
    return false;
}

static void jobs_and_pods_of_v2_are_found_each_once_with_its_newest_step(void **state)
{
    struct tree *tree = *state;
    struct job_set set;
    make_file(tree, "cgroup.controllers", "cpu memory\n");
    make_folder(tree, STEPD "/system");
    make_folder(tree, STEPD "/job_123/step_extern/user/task_special");
    make_folder(tree, STEPD "/job_123/step_batch/user/task_0");
    make_folder(tree, STEPD "/job_123/step_4/user/task_0");
    make_folder(tree, STEPD "/job_123/step_11/user/task_0");
    make_folder(tree, STEPD "/job_124/step_extern");
    make_folder(tree, STEPD "/job_125");
    make_folder(tree, "system.slice/sshd.service/" STEPD "/job_666/step_0");
    make_folder(tree, "user.slice/user-1000.slice/" STEPD "/job_667/step_0");
    make_folder(tree, "kubepods.slice/kubepods-burstable.slice/"
                "kubepods-burstable-pod1b4e28ba_2fa1_11d2_883f_0016d3cca427.slice/cri-containerd-1.scope");
    assert_int_equal(job_scan(&set, tree->root, 1000, FAR_NS), 0);
    assert_int_equal(set.count, 4);
    assert_int_equal(set.more, 0);
    assert_false(set.cut);
    assert_true(has(&set, "123.11"));
    assert_true(has(&set, "124.extern"));
    assert_true(has(&set, "125"));
    assert_true(has(&set, POD));
}

static void a_job_whose_processes_are_gone_is_none(void **state)
{
    struct tree *tree = *state;
    struct job_set set;
    make_file(tree, "cgroup.controllers", "\n");
    make_folder(tree, STEPD "/job_1/step_0");
    make_folder(tree, STEPD "/job_2/step_0");
    make_file(tree, STEPD "/job_1/cgroup.events", "populated 0\nfrozen 0\n");
    make_file(tree, STEPD "/job_2/cgroup.events", "populated 1\nfrozen 0\n");
    assert_int_equal(job_scan(&set, tree->root, 1000, FAR_NS), 0);
    assert_int_equal(set.count, 1);
    assert_true(has(&set, "2.0"));
}

static void jobs_of_v1_are_found_over_all_hierarchies_once(void **state)
{
    struct tree *tree = *state;
    struct job_set set;
    make_folder(tree, "freezer/slurm/uid_1000/job_123/step_4");
    make_folder(tree, "memory/slurm/uid_1000/job_123/step_4/task_0");
    make_folder(tree, "memory/kubepods/burstable/pod" POD "/c0ffee");
    make_folder(tree, "cpuset/kubepods/burstable/pod" POD "/c0ffee");
    make_folder(tree, "blkio/slurm/uid_1000/job_5/step_4");
    assert_int_equal(job_scan(&set, tree->root, 1000, FAR_NS), 0);
    assert_int_equal(set.count, 2);
    assert_true(has(&set, "123.4"));
    assert_true(has(&set, POD));
}

static void what_finds_no_place_is_counted(void **state)
{
    struct tree *tree = *state;
    struct job_set set;
    char path[64];
    for (uint32_t i = 1; i <= JOBS_MAX + 5; i++) {
        snprintf(path, sizeof path, "freezer/slurm/uid_0/job_%u/step_0", i);
        make_folder(tree, path);
        snprintf(path, sizeof path, "memory/slurm/uid_0/job_%u/step_0", i);
        make_folder(tree, path);
    }
    assert_int_equal(job_scan(&set, tree->root, 10000, FAR_NS), 0);
    assert_int_equal(set.count, JOBS_MAX);
    assert_int_equal(set.more, 5);
}

static void a_look_ends_at_its_bounds(void **state)
{
    struct tree *tree = *state;
    struct job_set set;
    char path[64];
    make_file(tree, "cgroup.controllers", "\n");
    for (uint32_t i = 0; i < 300; i++) {
        snprintf(path, sizeof path, "other-%u.slice", i);
        make_folder(tree, path);
    }
    assert_int_equal(job_scan(&set, tree->root, 200, FAR_NS), 0);
    assert_true(set.cut);
    assert_int_equal(job_scan(&set, tree->root, 1000, INT64_MIN), 0);
    assert_true(set.cut);
    assert_int_equal(job_scan(&set, tree->root, 1000, FAR_NS), 0);
    assert_false(set.cut);
}

static void a_root_that_is_not_there_is_an_error_and_links_are_not_followed(void **state)
{
    struct tree *tree = *state;
    struct job_set set;
    char link[128];
    assert_int_equal(job_scan(&set, "/tmp/there/is/no/such/folder", 10, FAR_NS), -ENOENT);
    assert_int_equal(set.count, 0);
    make_file(tree, "cgroup.controllers", "\n");
    make_folder(tree, "elsewhere/job_7/step_0");
    make_folder(tree, "system.slice");
    snprintf(link, sizeof link, "%s/" STEPD, tree->root);
    assert_int_equal(symlink("../elsewhere", link), 0);
    assert_int_equal(job_scan(&set, tree->root, 1000, FAR_NS), 0);
    assert_int_equal(set.count, 0);
}

static void the_watch_finds_what_is_there_and_ends_at_once(void **state)
{
    struct tree *tree = *state;
    struct job_watch watch;
    struct job_set set = {.count = 0};
    const struct timespec rest = {.tv_nsec = 1000000};
    make_file(tree, "cgroup.controllers", "\n");
    make_folder(tree, STEPD "/job_1/step_0");
    assert_int_equal(job_watch_start(&watch, tree->root), 0);
    for (uint32_t i = 0; i < 30000 && !set.count; i++) {
        job_watch_newest(&watch, &set);
        nanosleep(&rest, NULL);
    }
    assert_true(has(&set, "1.0"));
    job_watch_stop(&watch);
    assert_false(job_watch_newest(&watch, &set));
    assert_true(watch.looks >= 1);
    assert_int_equal(watch.errors, 0);
}

#define IN_A_TREE(test) cmocka_unit_test_setup_teardown(test, make_tree, remove_tree)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_TREE(jobs_and_pods_of_v2_are_found_each_once_with_its_newest_step),
        IN_A_TREE(a_job_whose_processes_are_gone_is_none),
        IN_A_TREE(jobs_of_v1_are_found_over_all_hierarchies_once),
        IN_A_TREE(what_finds_no_place_is_counted),
        IN_A_TREE(a_look_ends_at_its_bounds),
        IN_A_TREE(a_root_that_is_not_there_is_an_error_and_links_are_not_followed),
        IN_A_TREE(the_watch_finds_what_is_there_and_ends_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
