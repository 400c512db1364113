/* SPDX-License-Identifier: Apache-2.0 */
/* Coordination for programs: SI units as real numbers; null where a figure does not exist (never, no
 * limit). */
#include <math.h>

#include "cli/check/check.h"

static json_t *real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *role_name(uint8_t role)
{
    return role < ELEMENT_ROLE_COUNT ? json_string(check_role_names[role]) : json_null();
}

static json_t *words_of(uint32_t set, const char *const *words, uint32_t count)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < count; i++)
        if (set >> i & 1)
            json_array_append_new(list, json_string(words[i]));
    return list;
}

static const char *const clash_words[] = {
#define COORDINATION_SYMBOL(symbol, bit, words) words,
    COORDINATION_CLASHES(COORDINATION_SYMBOL)
#undef COORDINATION_SYMBOL
};

static const char *const obstacle_words[] = {
#define COORDINATION_SYMBOL(symbol, bit, words) words,
    LEND_OBSTACLES(COORDINATION_SYMBOL)
#undef COORDINATION_SYMBOL
};

static json_t *pair_json(const struct check *check, const struct coordination_pair *p)
{
    const struct model_node *node = check->site.model.node;

    return json_pack("{s:s, s:s, s:b, s:o, s:f, s:b, s:o, s:o, s:o, s:o}", "parent", node[p->parent].name,
                     "child", node[p->child].name, "total", (int)p->total, "limit_a", real(p->limit_a),
                     "fault_a", p->fault_a, "fault_stated", (int)p->fault_stated, "child_clears_s",
                     real(p->child_clears_s), "parent_trips_s", real(p->parent_trips_s), "parent_element",
                     role_name(p->parent_role), "clashes",
                     words_of(p->clashes, clash_words, sizeof clash_words / sizeof *clash_words));
}

json_t *check_selectivity_json(const struct check *check)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < check->coordination.pair_count; i++)
        json_array_append_new(list, pair_json(check, &check->coordination.pair[i]));
    return list;
}

static json_t *time_json(const struct coordination_node *n)
{
    return json_pack("{s:f, s:f, s:f, s:f, s:o, s:o, s:o, s:o}", "fresh_s", n->fresh_s, "respond_s",
                     n->respond_s, "hold_s", n->hold_s, "full_a", n->full_a, "full_settled_s",
                     real(n->full_settled_s), "full_trips_s", real(n->full_trips_s), "full_element",
                     role_name(n->full_role), "prearmed",
                     words_of(n->prearmed, check_role_names, ELEMENT_ROLE_COUNT));
}

static json_t *lease_json(const struct coordination_node *n)
{
    json_t *relaxed = json_pack("{s:o, s:o, s:o, s:o}", "fail_safe", real(n->relaxed[RELAX_FAIL_SAFE]),
                                "base", real(n->relaxed[RELAX_BASE]), "k", real(n->relaxed[RELAX_K]),
                                "respond", real(n->relaxed[RELAX_TIME]));

    return json_pack("{s:f, s:o, s:o, s:s, s:f, s:f, s:f, s:f, s:f, s:o, s:o, s:o, s:o, s:s, s:o, s:o}",
                     "steady_a", n->steady_a, "admissible_a", real(n->admissible_a), "admissible_element",
                     role_name(n->admissible_role), "admissible_term",
                     coordination_term_words[n->admissible_term], "lent_a", n->lent_a, "base_a", n->base_a,
                     "caps_a", n->caps_a, "bad_a", n->bad_a, "other_a", n->other_a, "hosts_static",
                     real(n->hosts_static), "hosts_in_full", real(n->hosts_in_full), "hosts_fail_safe",
                     real(n->hosts_fail_safe), "hosts_leased", real(n->hosts_leased), "bound_by",
                     coordination_term_words[n->term], "hosts_relaxed", relaxed, "obstacles",
                     words_of(n->obstacles, obstacle_words, sizeof obstacle_words / sizeof *obstacle_words));
}

static json_t *boot_json(const struct coordination_node *n)
{
    return json_pack("{s:f, s:o, s:i, s:i, s:o, s:o, s:f, s:o}", "boot_a", n->boot_a, "limit_a",
                     n->boot_limit_a > 0 ? json_real(n->boot_limit_a) : json_null(), "hosts_at_once",
                     (int)n->boot_at_once, "groups", (int)n->boot_groups, "trips_s", real(n->boot_trips_s),
                     "element", role_name(n->boot_role), "step_va", n->step_va, "ramp_s",
                     n->boot_ramp_s > 0 ? json_real(n->boot_ramp_s) : json_null());
}

static json_t *sources_json(const struct site_equipment *e)
{
    json_t *list = json_array();

    for (uint32_t s = 0; s < e->state_count; s++)
        json_array_append_new(list, json_pack("{s:s, s:f, s:I, s:I}", "state", e->state[s].name, "limit_a",
                                              (double)e->state[s].current_ma / 1e3, "active_mw",
                                              (json_int_t)e->state[s].active_mw, "apparent_mva",
                                              (json_int_t)e->state[s].apparent_mva));
    return list;
}

json_t *check_coordination_json(const struct check *check, uint32_t node)
{
    const struct coordination_node *n = &check->coordination.node[node];
    json_t *all = json_pack("{s:o, s:o}", "time", time_json(n), "dark_start", boot_json(n));

    if (n->limited)
        json_object_set_new(all, "leases", lease_json(n));
    if (check->site.equipment[node].state_count)
        json_object_set_new(all, "source_states", sources_json(&check->site.equipment[node]));
    return all;
}
