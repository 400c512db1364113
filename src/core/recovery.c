/* SPDX-License-Identifier: Apache-2.0 */
#include "core/recovery.h"

#include "core/compare.h"
#include "core/emergency.h"
#include "core/sums_inside.h"

#define NEVER_NS INT64_MAX

/* X = (D / (1 - rho) + A)(1 + rho), of the slowest host type, and until a report must have told of it. */
static int64_t within_ns(const struct model *model)
{
    int64_t actuation_ns = 0, rho_ppm = model->policy.rho_ppm;
    for (uint32_t i = 0; i < model->type_count; i++)
        actuation_ns = larger(actuation_ns, model->type[i].actuation_ns);
    int64_t lease_ns = model->policy.lease_ns, slow_ns = lease_ns / (PPM - rho_ppm) * PPM + PPM;
    int64_t fail_safe_ns = (slow_ns + actuation_ns) / PPM * (PPM + rho_ppm) + PPM + rho_ppm;
    return fail_safe_ns + actuation_ns + lease_ns / 2;
}

void recovery_init(struct recovery *recovery, const struct model *model, const struct ledger *ledger,
                   const struct emergencies *below)
{
    recovery->model = model;
    recovery->ledger = ledger;
    recovery->below = below;
    recovery->within_ns = within_ns(model);
    for (uint32_t n = 0; n < model->node_count; n++)
        recovery->node[n] = (struct recovery_node){.since_ns = NEVER_NS};
}

/* Above the ceiling, and above what is left with everybody at fail-safe, on some phase. */
static bool is_over(const struct recovery *recovery, uint32_t node, enum sum sum, bool safe)
{
    struct ledger_sums *sums = &recovery->ledger->node[node];
    const int64_t *sum_mva = cells_of(sums, sum), *ceiling_mva = cells_run(sums->ceiling_mva);
    const int64_t *safe_mva = cells_of(sums, SUM_SAFE);
    for (uint32_t i = 0; i < recovery->model->contingency_count * PHASES; i++)
        if (sum_mva[i] > (safe ? larger(ceiling_mva[i], safe_mva[i]) : ceiling_mva[i]))
            return true;
    return false;
}

/* ---- one host below a node whose time is over ---- */

static void count_host(struct recovery *recovery, uint32_t host, int64_t t_ns)
{
    const struct ledger_host *h = &recovery->ledger->host[host];
    if (h->bounded && h->exposed_draw_mw <= h->newest_draw_mw)
        return;
    bool silent = !h->incarnation || t_ns - h->report_t_ns > recovery->model->policy.lease_ns;
    recovery->counted.silent += silent;
    recovery->counted.bad += !silent;
}

/* What is held by nobody, or was never cut. */
static void judge(struct recovery *recovery)
{
    struct recovery_node *state = &recovery->node[recovery->at];
    bool held = recovery->counted.silent || recovery->counted.bad;
    bool overdue = is_over(recovery, recovery->at, SUM_NEWEST, true) ||
                   (!held && is_over(recovery, recovery->at, SUM_EXPOSED, true));
    recovery->overdue += overdue && !state->overdue;
    state->overdue = overdue;
    state->held_by = recovery->counted;
}

/* ---- the round ---- */

static void look_at_node(struct recovery *recovery, int64_t t_ns)
{
    struct recovery_node *state = &recovery->node[recovery->at];
    const struct ledger_sums *sums = &recovery->ledger->node[recovery->at];
    bool was_in = state->since_ns != NEVER_NS, is_in = is_over(recovery, recovery->at, SUM_EXPOSED, false);
    recovery->open += (uint32_t)is_in - (uint32_t)was_in;
    if (!is_in) {
        *state = (struct recovery_node){.since_ns = NEVER_NS};
    } else if (!was_in || state->events != sums->recovery_events) {
        *state = (struct recovery_node){.since_ns = t_ns, .events = sums->recovery_events};
    } else if (t_ns - state->since_ns > recovery->within_ns) {
        recovery->counting = true;
        recovery->cursor = 0;
        recovery->counted = (struct recovery_hosts){0, 0};
    }
}

void recovery_part(struct recovery *recovery, int64_t t_ns, uint32_t items)
{
    const struct emergencies *below = recovery->below;
    if (!recovery->ledger->over_count && !recovery->open && !recovery->counting)
        return;
    for (; items; items--) {
        if (recovery->counting && recovery->cursor < below->below_count[recovery->at]) {
            count_host(recovery, below->below[below->below_first[recovery->at] + recovery->cursor++], t_ns);
            continue;
        }
        if (recovery->counting)
            judge(recovery);
        recovery->counting = false;
        recovery->at = recovery->at + 1 < recovery->model->node_count ? recovery->at + 1 : 0;
        look_at_node(recovery, t_ns);
    }
}
