/* SPDX-License-Identifier: Apache-2.0 */
/* Trees of files. A file that hangs is a pipe that nobody writes to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/standin/tree.h"
#include "act/sysfs.h"
#include "stage.h"

#define CAP_OF_PACKAGE "constraint_0_power_limit_uw"

static void set_up(struct stage *stage, uint32_t gpus, uint32_t packages)
{
    struct tree *tree = (struct tree *)calloc(1, sizeof *tree);
    snprintf(tree->root, sizeof tree->root, "%s", stage->folder);
    snprintf(stage->place.root, sizeof stage->place.root, "%s", stage->folder);
    tree->gpus = gpus;
    tree->packages = packages;
    tree->first_hwmon = 3;
    stage->own = tree;
    assert_int_equal(tree_make(tree), 0);
}

static void set_up_gpus(struct stage *stage)
{
    set_up(stage, STAGE_DEVICES, 0);
}

static void set_up_packages(struct stage *stage)
{
    set_up(stage, 0, STAGE_DEVICES);
}

static void tear_down(struct stage *stage)
{
    assert_int_equal(tree_remove((struct tree *)stage->own), 0);
    free(stage->own);
}

static uint32_t gpu_of(const char *identity)
{
    unsigned bus;
    assert_int_equal(sscanf(identity, "0000:%x:00.0", &bus), 1);
    return bus - 1;
}

static uint32_t package_of(const char *identity)
{
    unsigned package;
    assert_int_equal(sscanf(identity, "package-%u", &package), 1);
    return package;
}

static void gpu_folder(struct stage *stage, const char *identity, char folder[512])
{
    tree_gpu_folder((struct tree *)stage->own, gpu_of(identity), folder, 512);
}

static void package_folder(struct stage *stage, const char *identity, char folder[512])
{
    tree_package_folder((struct tree *)stage->own, package_of(identity), folder, 512);
}

static void foreign_gpu(struct stage *stage, const char *identity, int64_t limit_mw)
{
    char folder[512];
    gpu_folder(stage, identity, folder);
    assert_int_equal(sysfs_write(folder, "power1_cap", limit_mw * 1000), 0);
}

/* On the other constraint of the package, which bounds it as well. */
static void foreign_package(struct stage *stage, const char *identity, int64_t limit_mw)
{
    char folder[512];
    package_folder(stage, identity, folder);
    assert_int_equal(sysfs_write(folder, "constraint_1_power_limit_uw", limit_mw * 1000), 0);
}

static void hold_up_package(struct stage *stage, const char *identity, int64_t cap_mw)
{
    char folder[512];
    package_folder(stage, identity, folder);
    assert_int_equal(sysfs_write(folder, CAP_OF_PACKAGE, cap_mw * 1000), 0);
}

/* It comes back under another number. */
static void gone_gpu(struct stage *stage, const char *identity, bool gone)
{
    struct tree *tree = (struct tree *)stage->own;
    assert_int_equal(gone ? tree_gpu_gone(tree, gpu_of(identity)) : tree_gpu_back(tree, gpu_of(identity), 27),
                     0);
}

static void gone_package(struct stage *stage, const char *identity, bool gone)
{
    char folder[512], away[576], other[576];
    package_folder(stage, identity, folder);
    snprintf(away, sizeof away, "%s.away", folder);
    snprintf(other, sizeof other, "%s/class/powercap/intel-rapl:7", stage->folder);
    assert_int_equal(gone ? rename(folder, away) : rename(away, other), 0);
}

static void hang(const char *folder, const char *name, bool hangs)
{
    char path[600], saved[640];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    snprintf(saved, sizeof saved, "%s.saved", path);
    if (hangs) {
        assert_int_equal(rename(path, saved), 0);
        assert_int_equal(mkfifo(path, 0600), 0);
        return;
    }
    int fd = open(path, O_WRONLY);      /* waits for the reader */
    assert_true(fd >= 0);
    assert_int_equal(rename(saved, path), 0);
    assert_int_equal(write(fd, "300000000\n", 10), 10);
    close(fd);
}

static void hang_gpu(struct stage *stage, const char *identity, bool hangs)
{
    char folder[512];
    gpu_folder(stage, identity, folder);
    hang(folder, "power1_cap", hangs);
}

static void hang_package(struct stage *stage, const char *identity, bool hangs)
{
    char folder[512];
    package_folder(stage, identity, folder);
    hang(folder, CAP_OF_PACKAGE, hangs);
}

static void pass(struct stage *stage, int64_t span_ns)
{
    assert_int_equal(tree_step((struct tree *)stage->own, span_ns), 0);
}

/* One number is all that a GPU keeps: nothing is hidden under it. */
const struct stage_row stage_hwmon = {"hwmon",  set_up_gpus, tear_down, foreign_gpu, foreign_gpu,
                                      gone_gpu, hang_gpu,    pass,      false,       1};
const struct stage_row stage_powercap = {
    "powercap",   set_up_packages, tear_down, foreign_package, hold_up_package,
    gone_package, hang_package,    pass,      true,            1};
