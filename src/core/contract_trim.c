/* SPDX-License-Identifier: Apache-2.0 */
/* The immediate cut under a contract: fair, down to floors and no further. */
#include "core/compare.h"
#include "core/contract.h"
#include "core/draw.h"

static bool can_be_told(const struct contracts *contracts, const struct ledger *ledger, uint32_t host,
                        int64_t t_ns)
{
    const struct ledger_host *h = &ledger->host[host];
    return h->bounded && h->accepted && h->newest_mw >= 0 &&
           t_ns - h->report_t_ns <= contracts->model->policy.lease_ns;
}

static int64_t floor_of(const struct model *model, uint32_t host)
{
    return larger(model->host[host].floor_mw, model->type[model->host[host].type].cap_min_mw);
}

void contract_weigh(const struct contracts *contracts, const struct ledger *ledger, uint32_t place,
                    uint32_t host, int64_t t_ns, struct contract_trim *trim)
{
    const struct model *model = contracts->model;
    const struct model_host_type *type = &model->type[model->host[host].type];
    int64_t part = contract_part_ppm(contracts, host, place);
    if (!can_be_told(contracts, ledger, host, t_ns)) {
        trim->fixed_mw += draw_ceil_div(contracts->counted_mw[host] * part, PPM);
        return;
    }
    int64_t newest_mw = ledger->host[host].newest_mw;
    int64_t floor_mw = floor_of(model, host) < newest_mw ? floor_of(model, host) : newest_mw;
    trim->newest_mw += draw_ceil_div(draw_of_cap_mw(type, newest_mw) * part, PPM);
    trim->floor_mw += draw_ceil_div(draw_of_cap_mw(type, floor_mw) * part, PPM);
}

void contract_trim_scale(const struct contracts *contracts, uint32_t place, struct contract_trim *trim)
{
    int64_t way_mw = trim->newest_mw - trim->floor_mw;
    int64_t left_mw = contracts->budget_mw[place] - trim->fixed_mw - trim->floor_mw;
    trim->scale_ppm = PPM;
    if (left_mw < way_mw)
        trim->scale_ppm = left_mw <= 0 ? 0 : left_mw * 1000 / (way_mw / 1000 + 1);
}

int64_t contract_trim_cap_mw(const struct contracts *contracts, const struct ledger *ledger, uint32_t host,
                             int64_t t_ns, const struct contract_trim *trim)
{
    const struct model *model = contracts->model;
    int64_t newest_mw = ledger->host[host].newest_mw, floor_mw = floor_of(model, host);
    if (trim->scale_ppm >= PPM || !can_be_told(contracts, ledger, host, t_ns) || newest_mw <= floor_mw)
        return -1;
    const struct model_host_type *type = &model->type[model->host[host].type];
    int64_t least_mw = draw_of_cap_mw(type, floor_mw), way_mw = draw_of_cap_mw(type, newest_mw) - least_mw;
    int64_t draw_mw = least_mw + way_mw / PPM * trim->scale_ppm + way_mw % PPM * trim->scale_ppm / PPM;
    int64_t cap_mw = draw_cap_within_mw(type, draw_mw);
    cap_mw = larger(cap_mw - cap_mw % type->quantum_mw, floor_mw);
    return cap_mw < newest_mw ? cap_mw : -1;
}
