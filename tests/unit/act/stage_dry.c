/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "act/dry.h"
#include "stage.h"

static void set_up(struct stage *stage)
{
    snprintf(stage->place.dry_file, sizeof stage->place.dry_file, "%s/dry", stage->folder);
    stage->place.dry_devices = STAGE_DEVICES;
    stage->own = dry_map(stage->place.dry_file, 700000);
    assert_non_null(stage->own);
}

static void tear_down(struct stage *stage)
{
    munmap(stage->own, sizeof(struct dry_state));
    unlink(stage->place.dry_file);
}

static struct dry_device *device(struct stage *stage, const char *identity)
{
    unsigned index;
    assert_int_equal(sscanf(identity, "dry-%u", &index), 1);
    return &((struct dry_state *)stage->own)->device[index];
}

static void foreign(struct stage *stage, const char *identity, int64_t limit_mw)
{
    atomic_store(&device(stage, identity)->foreign_mw, limit_mw);
}

static void hold_up(struct stage *stage, const char *identity, int64_t cap_mw)
{
    atomic_store(&device(stage, identity)->cap_mw, cap_mw);
}

static void gone(struct stage *stage, const char *identity, bool is_gone)
{
    atomic_store(&device(stage, identity)->lost, is_gone);
}

static void hang(struct stage *stage, const char *identity, bool hangs)
{
    atomic_store(&device(stage, identity)->hang, hangs);
}

const struct stage_row stage_dry = {"dry", set_up, tear_down, foreign, hold_up, gone, hang, NULL, true, 1};
