/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a report will touch is known from its host alone, and at ten thousand hosts hardly any of it is in a
 * near cache. Fetched while the slot before is decided on, it is there in time. Nothing is read or changed.
 */
#include "core/core.h"

enum { LINE_BYTES = 64 };

static inline void fetch(const void *at, size_t bytes)
{
    const char *line = at;
    for (size_t i = 0; i < bytes; i += LINE_BYTES)
        __builtin_prefetch(line + i);
    __builtin_prefetch(line + bytes - 1);
}

#define FETCH(array, index) fetch(&(array)[index], sizeof *(array))

static void expect_host(const struct core *core, uint32_t host)
{
    FETCH(core->model->host, host);
    fetch(&core->ledger.host[host], offsetof(struct ledger_host, unretired[2]));
    FETCH(core->pools.host, host);
    FETCH(core->demand, host);
    FETCH(core->bound, host);
    FETCH(core->permits.draw_mw, host);
    FETCH(core->permits.least_first, host);
    FETCH(core->sent, host);
    FETCH(core->contracts.counted_mw, host);
    FETCH(core->cluster.target_mw, host);
    FETCH(core->degrade.host, host);
}

void pipeline_expect(const struct core *core, const struct slot *next)
{
    if (next->kind == SLOT_REPORT)
        expect_host(core, next->report.host);
}
