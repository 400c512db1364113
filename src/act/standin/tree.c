/* SPDX-License-Identifier: Apache-2.0 */
#include "act/standin/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/sysfs.h"

enum { PATH_BYTES = 2 * ACT_PATH_BYTES, OPEN_FOLDERS = 16 };

#define UW_PER_MW INT64_C(1000)

static int make_folder(const char *path)
{
    return mkdir(path, 0755) && errno != EEXIST ? -errno : 0;
}

/* Every folder of the path, from the root on. */
static int make_path(const char *root, const char *below, char *path, size_t room)
{
    int length = snprintf(path, room, "%s/%s", root, below);
    if (length >= (int)room)
        return -ENAMETOOLONG;
    int error = make_folder(root);
    for (char *at = path + strlen(root) + 1; !error && (at = strchr(at, '/')); at++) {
        *at = '\0';
        error = make_folder(path);
        *at = '/';
    }
    return error ? error : make_folder(path);
}

static int write_text(const char *folder, const char *name, const char *text)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    ssize_t written = write(fd, text, strlen(text));
    int error = written < 0 ? -errno : written != (ssize_t)strlen(text) ? -EIO : 0;
    close(fd);
    return error;
}

static int write_value(const char *folder, const char *name, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%lld\n", (long long)value);
    return write_text(folder, name, text);
}

struct file {
    const char *name;
    int64_t value;
};

static int write_files(const char *folder, const struct file *file, size_t count)
{
    int error = 0;
    for (size_t i = 0; !error && i < count; i++)
        error = write_value(folder, file[i].name, file[i].value);
    return error;
}

static void gpu_address(uint32_t gpu, char address[16])
{
    snprintf(address, 16, "0000:%02x:00.0", (gpu + 1) & 0xff);
}

void tree_gpu_folder(const struct tree *tree, uint32_t gpu, char *folder, size_t room)
{
    snprintf(folder, room, "%s/class/hwmon/hwmon%u", tree->root, tree->first_hwmon + gpu);
}

void tree_package_folder(const struct tree *tree, uint32_t package, char *folder, size_t room)
{
    snprintf(folder, room, "%s/class/powercap/intel-rapl:%u", tree->root, package);
}

/* class/hwmon/hwmonN points to devices/pci/ADDRESS/hwmon/hwmonN, whose `device` points to ADDRESS. */
static int link_hwmon(const struct tree *tree, const char *address, uint32_t number, const char *folder)
{
    char target[128], from[PATH_BYTES];
    snprintf(from, sizeof from, "%s/device", folder);
    unlink(from);
    if (symlink("../..", from))
        return -errno;
    snprintf(target, sizeof target, "../../devices/pci/%s/hwmon/hwmon%u", address, number);
    snprintf(from, sizeof from, "%s/class/hwmon/hwmon%u", tree->root, number);
    unlink(from);
    return symlink(target, from) ? -errno : 0;
}

static int make_hwmon(const struct tree *tree, const char *address, uint32_t number, const char *name,
                      char *folder, size_t room)
{
    char below[96];
    snprintf(below, sizeof below, "devices/pci/%s/hwmon/hwmon%u", address, number);
    int error = make_path(tree->root, below, folder, room);
    if (!error)
        error = write_text(folder, "name", name);
    return error ? error : link_hwmon(tree, address, number, folder);
}

static int make_gpu(const struct tree *tree, uint32_t gpu, uint32_t number)
{
    const struct file file[] = {
        {"power1_cap", TREE_GPU_MAX_MW * UW_PER_MW},        {"power1_cap_max", TREE_GPU_MAX_MW * UW_PER_MW},
        {"power1_cap_min", TREE_GPU_MIN_MW * UW_PER_MW},    {"power1_average", 90000 * UW_PER_MW},
        {"power1_cap_default", TREE_GPU_MAX_MW * UW_PER_MW}, {"temp1_input", 45000},
        {"freq1_input", 2100000000},
    };
    char address[16], folder[PATH_BYTES];
    gpu_address(gpu, address);
    int error = make_hwmon(tree, address, number, "amdgpu\n", folder, sizeof folder);
    return error ? error : write_files(folder, file, sizeof file / sizeof file[0]);
}

static int make_package(const struct tree *tree, uint32_t package)
{
    const struct file file[] = {
        {"enabled", 1},
        {"energy_uj", 1000000},
        {"max_energy_range_uj", TREE_ENERGY_RANGE_UJ},
        {"constraint_0_power_limit_uw", TREE_PACKAGE_MAX_MW * UW_PER_MW},
        {"constraint_0_max_power_uw", TREE_PACKAGE_MAX_MW * UW_PER_MW},
        {"constraint_0_time_window_us", 999424},
        {"constraint_1_power_limit_uw", TREE_PACKAGE_MAX_MW * UW_PER_MW / 10 * 12},
        {"constraint_1_max_power_uw", TREE_PACKAGE_MAX_MW * UW_PER_MW * 2},
        {"constraint_1_time_window_us", 7808},
    };
    char below[64], folder[PATH_BYTES], name[24];
    snprintf(below, sizeof below, "class/powercap/intel-rapl:%u", package);
    snprintf(name, sizeof name, "package-%u\n", package);
    int error = make_path(tree->root, below, folder, sizeof folder);
    if (!error)
        error = write_text(folder, "name", name);
    if (!error)
        error = write_text(folder, "constraint_0_name", "long_term\n");
    if (!error)
        error = write_text(folder, "constraint_1_name", "short_term\n");
    return error ? error : write_files(folder, file, sizeof file / sizeof file[0]);
}

/* What is there on real machines, too, and is no device: another chip, a zone inside a package, a
 * platform. */
static int make_others(const struct tree *tree)
{
    char folder[PATH_BYTES];
    int error = make_hwmon(tree, "0000:00:18.3", tree->first_hwmon + 40, "k10temp\n", folder, sizeof folder);
    if (!error)
        error = write_value(folder, "power1_cap", 1);
    if (!error)
        error = make_path(tree->root, "class/powercap/intel-rapl", folder, sizeof folder);
    if (!error)
        error = make_path(tree->root, "class/powercap/intel-rapl:0:0", folder, sizeof folder);
    if (!error)
        error = write_text(folder, "name", "core\n");
    if (!error)
        error = make_path(tree->root, "class/powercap/intel-rapl:90", folder, sizeof folder);
    return error ? error : write_text(folder, "name", "psys\n");
}

int tree_make(const struct tree *tree)
{
    char folder[PATH_BYTES];
    if (tree->gpus > TREE_GPUS_MAX || tree->packages > TREE_PACKAGES_MAX)
        return -E2BIG;
    int error = make_path(tree->root, "class/hwmon", folder, sizeof folder);
    if (!error)
        error = make_path(tree->root, "class/powercap", folder, sizeof folder);
    for (uint32_t i = 0; !error && i < tree->gpus; i++)
        error = make_gpu(tree, i, tree->first_hwmon + i);
    for (uint32_t i = 0; !error && i < tree->packages; i++)
        error = make_package(tree, i);
    return error ? error : make_others(tree);
}

static int remove_one(const char *path, const struct stat *seen, int kind, struct FTW *at)
{
    (void)seen;
    (void)kind;
    (void)at;
    return remove(path) ? -errno : 0;
}

static int remove_tree(const char *path)
{
    int error = nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
    return error == -1 ? -errno : error;
}

int tree_remove(const struct tree *tree)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/class", tree->root);
    int error = remove_tree(path);
    snprintf(path, sizeof path, "%s/devices", tree->root);
    return error ? error : remove_tree(path);
}

int tree_gpu_gone(struct tree *tree, uint32_t gpu)
{
    char path[PATH_BYTES], address[16];
    int64_t ignored;
    gpu_address(gpu, address);
    for (uint32_t i = 0; i < 64; i++) {
        snprintf(path, sizeof path, "%s/devices/pci/%s/hwmon/hwmon%u", tree->root, address, i);
        if (sysfs_read(path, "power1_cap", &ignored) == -ENOENT)
            continue;
        snprintf(path, sizeof path, "%s/class/hwmon/hwmon%u", tree->root, i);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/devices/pci/%s", tree->root, address);
    return remove_tree(path);
}

int tree_gpu_back(struct tree *tree, uint32_t gpu, uint32_t number)
{
    tree->cap_mw[gpu] = 0;
    return make_gpu(tree, gpu, number);
}

static int64_t drawn(const struct tree *tree, int64_t cap_mw, int64_t most_mw)
{
    int64_t demand_mw = tree->demand_mw ? tree->demand_mw : most_mw;
    return demand_mw < cap_mw ? demand_mw : cap_mw;
}

static int step_gpu(struct tree *tree, uint32_t gpu)
{
    char folder[PATH_BYTES];
    int64_t cap_uw;
    tree_gpu_folder(tree, gpu, folder, sizeof folder);
    if (sysfs_read(folder, "power1_cap", &cap_uw))
        return 0;               /* gone, or its file is being written at this moment */
    int64_t cap_mw = cap_uw / UW_PER_MW, before_mw = tree->cap_mw[gpu];
    if (tree->drop_over_mw && before_mw - cap_mw > tree->drop_over_mw) {
        cap_mw = TREE_GPU_MAX_MW;
        int error = write_value(folder, "power1_cap", cap_mw * UW_PER_MW);
        if (error)
            return error;
    }
    tree->cap_mw[gpu] = cap_mw;
    return write_value(folder, "power1_average", drawn(tree, cap_mw, TREE_GPU_MAX_MW) * UW_PER_MW);
}

static int step_package(struct tree *tree, uint32_t package, int64_t span_ns)
{
    char folder[PATH_BYTES];
    int64_t cap_uw;
    tree_package_folder(tree, package, folder, sizeof folder);
    if (sysfs_read(folder, "constraint_0_power_limit_uw", &cap_uw))
        return 0;
    int64_t draw_mw = drawn(tree, cap_uw / UW_PER_MW, TREE_PACKAGE_MAX_MW);
    int64_t *energy_uj = &tree->energy_uj[package];
    *energy_uj = (*energy_uj + draw_mw * (span_ns / NS_PER_US) / 1000) % TREE_ENERGY_RANGE_UJ;
    return write_value(folder, "energy_uj", *energy_uj);
}

int tree_step(struct tree *tree, int64_t span_ns)
{
    int error = 0;
    for (uint32_t i = 0; !error && i < tree->gpus; i++)
        error = step_gpu(tree, i);
    for (uint32_t i = 0; !error && i < tree->packages; i++)
        error = step_package(tree, i, span_ns);
    return error;
}
