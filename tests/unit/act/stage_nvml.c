/* SPDX-License-Identifier: Apache-2.0 */
/* Simulated GPUs behind the stand-in for NVIDIA's library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "act/standin/gpu.h"
#include "loader.h"
#include "stage.h"

static void state_file(const struct stage *stage, char path[96])
{
    snprintf(path, 96, "%s/gpus", stage->folder);
}

static void set_up(struct stage *stage)
{
    char path[96];
    assert_true(loader_finds_the_stand_in());
    state_file(stage, path);
    stage->own = standin_map(path, STAGE_DEVICES);
    assert_non_null(stage->own);
    assert_int_equal(setenv("FLYBALL_STANDIN_STATE", path, 1), 0);
}

static void tear_down(struct stage *stage)
{
    char path[96];
    state_file(stage, path);
    munmap(stage->own, sizeof(struct standin));
    unlink(path);
}

static struct standin_gpu *gpu_of(struct stage *stage, const char *identity)
{
    unsigned gpu;
    assert_int_equal(sscanf(identity, "GPU-f17ba11e-0000-4000-8000-%x", &gpu), 1);
    return &((struct standin *)stage->own)->gpu[gpu];
}

static struct standin_told *told(struct stage *stage, const char *identity)
{
    return &gpu_of(stage, identity)->told;
}

static void hold_up(struct stage *stage, const char *identity, int64_t cap_mw)
{
    atomic_store(&gpu_of(stage, identity)->limit_mw, cap_mw);
}

static void foreign(struct stage *stage, const char *identity, int64_t limit_mw)
{
    atomic_store(&told(stage, identity)->foreign_mw, limit_mw);
}

/* Off the bus; the driver is loaded anew when it is back, which costs others their handles, too. */
static void gone(struct stage *stage, const char *identity, bool gone)
{
    atomic_store(&told(stage, identity)->lost, gone);
    if (!gone)
        standin_load((struct standin *)stage->own);
}

static void hang(struct stage *stage, const char *identity, bool hangs)
{
    atomic_store(&told(stage, identity)->hang, hangs);
}

const struct stage_row stage_nvml = {"nvml", set_up, tear_down, foreign, hold_up, gone, hang, NULL, true, 1};
