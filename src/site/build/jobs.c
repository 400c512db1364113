/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs become gangs, in the order of their first hosts; contracts as written, in terms of the model. */
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

void build_contracts(const struct draft *d, struct site *site)
{
    for (uint32_t i = 0; i < d->contract_count; i++) {
        const struct draft_contract *from = &d->contract[i];
        struct site_contract *out = &site->contract[i];

        *out = (struct site_contract){.node = d->node[from->node_of].rank,
                                      .from_s = (uint32_t)from->from_s,
                                      .to_s = (uint32_t)from->to_s,
                                      .days = from->days_of,
                                      .cap_mw = from->cap.number,
                                      .ramp_up_mw_per_s = from->ramp.up.number * 1000,
                                      .ramp_down_mw_per_s = from->ramp.down.number * 1000};
        snprintf(out->name, sizeof out->name, "%s", from->id.text);
    }
    site->contract_count = d->contract_count;
}
