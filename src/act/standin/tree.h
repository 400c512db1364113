/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directory trees that look like /sys to the drivers hwmon and powercap: plain files, which take what is
 * written. Plain files do not react; tree_step plays the devices behind them, one step of time at a time, and
 * is called by a test or, in a loop, by the program beside this (standin.c).
 */
#ifndef FLYBALL_ACT_STANDIN_TREE_H
#define FLYBALL_ACT_STANDIN_TREE_H

#include "act/act.h"

enum { TREE_GPUS_MAX = 8, TREE_PACKAGES_MAX = 8 };

struct tree {
    char root[ACT_PATH_BYTES];
    uint32_t gpus, packages;
    uint32_t first_hwmon;       /* number of the first GPU's hwmon folder */
    /* a larger step down of a GPU's cap falls back to its default; 0 = none does */
    int64_t drop_over_mw;
    int64_t demand_mw;          /* of each device; 0 = its greatest cap */
    int64_t cap_mw[TREE_GPUS_MAX];          /* as tree_step saw it last */
    int64_t energy_uj[TREE_PACKAGES_MAX];
};

#define TREE_GPU_MIN_MW      INT64_C(200000)
#define TREE_GPU_MAX_MW      INT64_C(750000)
#define TREE_PACKAGE_MAX_MW  INT64_C(350000)
#define TREE_ENERGY_RANGE_UJ INT64_C(262143328850)

/* setup: makes the folders and files of so many GPUs (addresses 0000:01:00.0, 0000:02:00.0, ...) and packages
 * (package-0, ...), among others that no driver may take. Folders that are there are made over. */
int tree_make(const struct tree *tree);

/* setup: takes it all away again. */
int tree_remove(const struct tree *tree);

/* any: where a device's files are; the names of the drivers' own identities. */
void tree_gpu_folder(const struct tree *tree, uint32_t gpu, char *folder, size_t room);
void tree_package_folder(const struct tree *tree, uint32_t package, char *folder, size_t room);

/* any: the files of a device, as one that is gone has none; `back` makes them over. A GPU that comes back
 * is a driver that was loaded anew: its cap is the default, its hwmon folder has the number `number`. */
int tree_gpu_gone(struct tree *tree, uint32_t gpu);
int tree_gpu_back(struct tree *tree, uint32_t gpu, uint32_t number);

/* any: so much time passed: draws follow caps and demand, counters of energy go on and wrap, and a step down
 * that was too large is dropped. */
int tree_step(struct tree *tree, int64_t span_ns);

#endif
