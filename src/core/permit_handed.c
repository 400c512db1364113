/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Permits over a take-over (core/handed.h). What the controller before lent is lent again with the first
 * reading that permits it; until then no host below is sent anything for want of that reading. All begin
 * again in one slot: a node that lent before the one above it does would let hosts be cut for that one.
 */
#include <stddef.h>

#include "core/permit_inside.h"

#include "core/compare.h"

void permit_hand(struct permits *permits, uint32_t meter, const struct permit_node *handed, int64_t t_ns)
{
    struct permit_node *p = &permits->meter[meter];
    if (!p->watched)
        return;
    uint8_t lent = p->lends ? handed->lent.contingencies & permits->model->node[p->node].lend : 0;
    *p = *handed;
    p->lent = (struct ledger_lend){0};
    p->permit = p->lends && permit_is_held(handed->permit) ? PERMIT_STALE : handed->permit;
    p->since_ns = t_ns;
    p->awaited = lent;
    permits->awaiting += lent != 0;
    permits->await_until_ns = INT64_MAX;
    permits->await_ns = larger(permits->await_ns, permits->model->meter[meter].fresh_ns);
    if (p->until_ns >= t_ns)
        permit_arm(permits, meter);
}

void permit_begin_waiting(struct permits *permits, int64_t t_ns)
{
    permits->await_until_ns = t_ns + permits->await_ns;
}

static bool stands_above(const struct permits *permits, const struct model_node *node)
{
    for (uint32_t a = 0; a < node->ancestor_count; a++) {
        uint32_t meter = permits->model->node[node->ancestor[a]].meter;
        if (meter != INDEX_NONE && permits->meter[meter].awaited &&
            permits->meter[meter].node == node->ancestor[a])
            return true;
    }
    return false;
}

bool permit_is_awaited(const struct permits *permits, uint32_t host)
{
    const struct model_host *h = &permits->model->host[host];
    for (uint32_t j = 0; permits->awaiting && j < h->cord_count; j++)
        if (stands_above(permits, &permits->model->node[h->cord[j].node]))
            return true;
    return false;
}

/* Nothing but its reading, or the first one of a feed's witness, stands against what was lent. */
static bool is_unheard(const struct permits *permits, const struct permit_node *p, uint8_t under)
{
    uint8_t missing = p->awaited & (uint8_t)~under;
    if (!missing)
        return false;
    if (p->permit == PERMIT_STALE || p->permit == PERMIT_FROZEN)
        return true;
    return permit_is_held(p->permit) && permit_feeds_unseen(permits, missing);
}

void permit_await(struct permits *permits, struct permit_node *p, uint8_t under, int64_t t_ns)
{
    bool unheard = is_unheard(permits, p, under);
    permits->awaiting += (uint32_t)unheard - (uint32_t)!p->heard;
    p->heard = !unheard;
    if (!permits->awaiting)
        permit_end_waiting(permits, t_ns);
}

/* As if it had been held here: it comes back by hold(n) and when cool, and every host below comes down in
 * this slot. */
static void lose(struct permits *permits, struct permit_node *p, int64_t t_ns)
{
    p->lost = true;
    permits->lost[p->permit]++;
    hold_observe(permits->holds, permits->heat, p->node, HOLD_PERMIT, true, t_ns);
    hold_observe(permits->holds, permits->heat, p->node, HOLD_PERMIT, false, t_ns);
    ledger_lend(permits->ledger, p->node, &p->lent);
}

void permit_end_waiting(struct permits *permits, int64_t t_ns)
{
    permits->awaiting = 0;
    for (uint32_t i = 0; i < permits->lender_count; i++) {
        struct permit_node *p = &permits->meter[permits->lender[i]];
        if (!p->awaited)
            continue;
        p->awaited = 0;
        if (!p->armed)          /* lost: not before, or bounds would heat what its own reading tells soon */
            permit_stand_in_begin(permits, permits->lender[i], t_ns);
        permit_follow(permits, permits->lender[i], t_ns);
        if (!p->lent.contingencies)
            lose(permits, p, t_ns);
    }
}
