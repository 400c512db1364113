/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bad(n) where hosts report a physical maximum above their type's: the model's k largest gaps, and on top k
 * times the largest excess of one host below (safety.md section 4). Raised at once; whether a host still says
 * so is found out in a round of ticks, for the largest of many cannot be lowered from one of them.
 */
#include "core/compare.h"
#include "core/sums_inside.h"

/* What the excess may put on the worst phase in the worst contingency, through all cords as if they met. */
static int64_t excess_of_mva(const struct ledger *ledger, uint32_t host)
{
    const struct model_host *h = &ledger->model->host[host];
    const struct model_host_type *type = &ledger->model->type[h->type];
    int64_t excess_mw = ledger->host[host].phys_max_mw - type->phys_max_mw, most_mva = 0;
    for (uint32_t i = 0; excess_mw > 0 && i < ledger->model->contingency_count * PHASES; i++) {
        int64_t mva = 0;
        for (uint32_t j = 0; j < h->cord_count; j++)
            mva += draw_on_phase_mva(&h->cord[j], pf_of(ledger, host), i / PHASES, i % PHASES, excess_mw);
        most_mva = larger(most_mva, mva);
    }
    return most_mva;
}

static void set_excess(struct ledger *ledger, uint32_t node, int64_t mva)
{
    struct ledger_sums *sums = &ledger->node[node];
    int64_t more_mva = (int64_t)ledger->model->node[node].k * (mva - sums->excess_mva);
    const int64_t on_phase_mva[PHASES] = {more_mva, more_mva, more_mva};
    if (mva == sums->excess_mva)
        return;
    ledger->bad.raised += !sums->excess_mva;
    ledger->bad.raised -= !mva;
    sums->excess_mva = mva;
    if (more_mva)
        sums_add_standing(ledger, node, on_phase_mva, RECOVERY_TOLD);
}

static void see(struct ledger *ledger, uint32_t host, bool raise)
{
    const struct model_host *h = &ledger->model->host[host];
    int64_t mva = excess_of_mva(ledger, host);
    for (uint32_t j = 0; mva && j < h->cord_count; j++) {
        const struct model_node *node = &ledger->model->node[h->cord[j].node];
        for (uint32_t a = 0; a < node->ancestor_count; a++) {
            struct ledger_sums *sums = &ledger->node[node->ancestor[a]];
            sums->excess_seen_mva = larger(sums->excess_seen_mva, mva);
            if (raise)
                set_excess(ledger, node->ancestor[a], larger(sums->excess_mva, mva));
        }
    }
}

void sums_raise_bad(struct ledger *ledger, uint32_t host)
{
    see(ledger, host, true);
}

/* All hosts, then all nodes: what is seen after a node's turn is kept for the next round. */
void sums_lower_bad(struct ledger *ledger, uint32_t items)
{
    const struct model *model = ledger->model;
    for (; items && ledger->bad.raised; items--) {
        uint32_t at = ledger->bad.cursor;
        ledger->bad.cursor = at + 1 < model->host_count + model->node_count ? at + 1 : 0;
        if (at < model->host_count) {
            see(ledger, at, false);
            continue;
        }
        struct ledger_sums *sums = &ledger->node[at - model->host_count];
        set_excess(ledger, at - model->host_count, sums->excess_seen_mva);
        sums->excess_seen_mva = 0;
    }
}
