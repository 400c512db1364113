/* SPDX-License-Identifier: Apache-2.0 */
/* The same for programs. */
#include "cli/check/check.h"

static json_t *name_or_null(const char *name)
{
    return name ? json_string(name) : json_null();
}

void check_lending_node_json(const struct check *check, uint32_t node, json_t *into)
{
    static const char *const asked[] = {"no", "by policy", "here"};
    const struct model *m = &check->site.model;
    const struct model_node *n = &m->node[node];
    json_t *lends = json_array();

    for (uint32_t c = 0; c < m->contingency_count; c++)
        if (n->lend >> c & 1)
            json_array_append_new(lends, json_string(m->contingency[c].name));
    json_object_set_new(into, "oversubscribe", json_string(asked[check->site.asked[node]]));
    json_object_set_new(into, "lends", lends);
    if (n->lend)
        json_object_set_new(into, "pool",
                            json_pack("{s:I, s:I, s:I}", "level_mva", (json_int_t)n->level_mva, "burst_mva",
                                      (json_int_t)n->level_burst_mva, "credit_va_ns",
                                      (json_int_t)n->burst_credit_va_ns_max));
    if (n->ramp_up_mw_per_s || n->ramp_down_mw_per_s)
        json_object_set_new(into, "ramp",
                            json_pack("{s:I, s:I}", "up_mw_per_s", (json_int_t)n->ramp_up_mw_per_s,
                                      "down_mw_per_s", (json_int_t)n->ramp_down_mw_per_s));
}

static json_t *contingencies_json(const struct check *check)
{
    static const char *const kind[] = {"none", "loss", "sag"};
    const struct model *m = &check->site.model;
    json_t *all = json_array();

    for (uint32_t c = 0; c < m->contingency_count; c++) {
        const struct model_contingency *one = &m->contingency[c];
        bool sees = one->witness != INDEX_NONE, loses = one->lost_node != INDEX_NONE;

        json_array_append_new(
            all, json_pack("{s:s, s:s, s:b, s:o, s:o, s:s}", "name", one->name, "kind", kind[one->kind],
                           "lasting", (int)one->lasting, "lost",
                           name_or_null(loses ? m->node[one->lost_node].name : NULL), "witness",
                           name_or_null(sees ? m->meter[one->witness].name : NULL), "reserve",
                           check->site.redundancy.lend[c] ? "lend" : "keep"));
    }
    return all;
}

static json_t *jobs_json(const struct check *check)
{
    const struct model *m = &check->site.model;
    json_t *all = json_array();

    for (uint32_t gang = 0; gang < m->gang_count; gang++) {
        int count = 0;

        for (uint32_t h = 0; h < m->host_count; h++)
            count += m->host[h].gang == gang;
        json_array_append_new(all,
                              json_pack("{s:s, s:i}", "job", check->site.job[gang].name, "hosts", count));
    }
    return all;
}

static json_t *tiers_json(const struct model *m)
{
    int count[TIERS_MAX] = {0};
    json_t *all = json_array();

    for (uint32_t h = 0; h < m->host_count; h++)
        count[m->host[h].tier]++;
    for (uint32_t t = 0; t < TIERS_MAX; t++)
        json_array_append_new(all, json_integer(count[t]));
    return all;
}

static json_t *contracts_json(const struct check *check)
{
    json_t *all = json_array();

    for (uint32_t i = 0; i < check->site.contract_count; i++) {
        const struct site_contract *c = &check->site.contract[i];

        json_t *also = json_array();

        for (uint32_t n = 0; n < c->also_count; n++)
            json_array_append_new(also, json_string(check->site.model.node[c->also[n]].name));
        json_array_append_new(all, json_pack("{s:s, s:s, s:o, s:I, s:I, s:I, s:i, s:i, s:i}", "id", c->name,
                                             "node", check->site.model.node[c->node].name, "also", also,
                                             "cap_mw", (json_int_t)c->cap_mw, "ramp_up_mw_per_s",
                                             (json_int_t)c->ramp_up_mw_per_s, "ramp_down_mw_per_s",
                                             (json_int_t)c->ramp_down_mw_per_s, "from_s", (int)c->from_s,
                                             "to_s", (int)c->to_s, "days", (int)c->days));
    }
    return all;
}

/* Of hosts whose caps nobody wrote. */
static json_t *computed_json(const struct check *check)
{
    const struct model *m = &check->site.model;
    json_t *all = json_object();

    for (uint32_t h = 0; h < m->host_count; h++)
        if (check->site.computed[h])
            json_object_set_new(all, m->host[h].name, json_integer(m->host[h].fail_safe_mw));
    return all;
}

void check_lending_json(const struct check *check, json_t *into)
{
    json_object_set_new(into, "contingencies", contingencies_json(check));
    json_object_set_new(into, "tiers", tiers_json(&check->site.model));
    json_object_set_new(into, "jobs", jobs_json(check));
    json_object_set_new(into, "contracts", contracts_json(check));
    json_object_set_new(into, "computed_fail_safe_mw", computed_json(check));
}
