/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs become gangs, in the order of their first hosts. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "site/build/build.h"

static uint32_t find_or_add(struct draft *d, struct names *jobs, const struct value *job, struct site *site)
{
    uint32_t gang = names_find(jobs, job->text);

    if (gang != INDEX_NONE)
        return gang;
    if (site->model.gang_count == GANGS_MAX) {
        finding_at(d->errors, job->at, "job '%s' is one more than the %d that fit", job->text, GANGS_MAX);
        return INDEX_NONE;
    }
    gang = site->model.gang_count++;
    names_add(jobs, job->text, job->at, gang, d->errors);
    snprintf(site->job[gang].name, sizeof site->job[gang].name, "%s", job->text);
    return gang;
}

int build_jobs(struct draft *d, struct site *site)
{
    struct model *m = &site->model;
    struct names jobs;
    uint32_t most = d->row_count < GANGS_MAX ? d->row_count : GANGS_MAX, faults = d->errors->count;

    site->job = calloc(most + 1, sizeof *site->job);
    if (!site->job || names_start(&jobs, "job", most, &d->scratch))
        return -ENOMEM;
    for (uint32_t h = 0; h < m->host_count && d->errors->count == faults; h++) {
        const struct draft_row *row = &d->row[d->host[d->host_order[h]].row];

        if (row->job.at)
            m->host[h].gang = find_or_add(d, &jobs, &row->job, site);
    }
    return 0;
}
