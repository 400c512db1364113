/* SPDX-License-Identifier: Apache-2.0 */
/* Warnings where the site file and what was measured on its server do not go together. */
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#include "site/build/build.h"
#include "site/needs.h"

/* Where the term stands; where it is left to its default, the measured block. */
static const struct tree *place_of(const struct draft *d, const struct model *model, const struct need *need)
{
    switch (need->kind) {
    case NEED_FRESH:
        return d->meter[names_find(&d->meter_names, model->meter[need->index].name)].fresh.at;
    case NEED_REPORT:
        return d->policy.report.at;
    case NEED_LEASE:
    case NEED_LEASE_ACTUATION:
        return d->policy.lease.at;
    default:
        return NULL;
    }
}

static void warn(struct draft *d, const struct site *site, const struct need *need)
{
    const struct measured *m = &site->server.measured;
    const struct tree *at = place_of(d, &site->model, need);
    uint32_t line = at ? at->line : m->line, column = at ? at->column : m->column;
    char has[40], wants[40];

    if (need_is_frames(need)) {
        snprintf(has, sizeof has, "%" PRId64 " frames", need->configured);
        snprintf(wants, sizeof wants, "%" PRId64 " frames", need->needed);
    } else {
        quantity_write(QUANTITY_TIME, need->configured, has, sizeof has);
        quantity_write(QUANTITY_TIME, measured_rounded_ns(need->needed), wants, sizeof wants);
    }
    findings_add(d->warnings, line, column, "%s is %s, what was measured here asks for %s or more (%s)",
                 need->term, has, wants, need->formula);
}

void check_measured(struct draft *d, const struct site *site)
{
    const struct measured *m = &site->server.measured;
    struct need need[NEEDS_MAX];
    char here[MEASURED_TEXT_BYTES] = "";
    const char *row = site->server.name;

    if (!m->present)
        return;
    uint32_t count = needs_find(site, m, need);

    for (uint32_t i = 0; i < count; i++)
        if (need[i].too_small)
            warn(d, site, &need[i]);
    gethostname(here, sizeof here - 1);
    enum stale stale = needs_stale(m, row, here, time(NULL));

    if (stale == STALE_OTHER_MACHINE)
        findings_add(d->warnings, m->line, m->column,
                     "measured on '%s', which is not the machine of row '%s': run `flyball tune` there",
                     m->host, row);
    else if (stale == STALE_OLD)
        findings_add(d->warnings, m->line, m->column,
                     "measured more than a year ago: run `flyball tune` again");
}
