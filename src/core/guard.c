/* SPDX-License-Identifier: Apache-2.0 */
#include "core/guard.h"

#include "core/compare.h"
#include "core/digest.h"
#include "core/pace.h"
#include "msg/frame.h"

static void note_decision(struct core *core, const struct egress *egress)
{
    uint64_t head = (uint64_t)egress->kind | (uint64_t)egress->flags << 8 | (uint64_t)egress->why << 16 |
                    (uint64_t)egress->host << 32;
    core->digest = digest_mix(core->digest, head);
    core->digest = digest_mix(core->digest, egress->sequence);
    core->digest = digest_mix(core->digest, egress->echo);
    core->digest = digest_mix(core->digest, egress->incarnation);
    core->digest = digest_mix(core->digest, (uint64_t)egress->cap_mw);
    core->digest = digest_mix(core->digest, egress->slot_sequence);
    core->decisions++;
}

/* Fail-safe is always allowed, and what binds nobody yet saves nothing by being less; but what an emergency
 * has taken stays taken as long as it lasts. */
static int64_t claim_mw(const struct core *core, uint32_t host, int64_t cap_mw)
{
    int64_t always_mw = ledger_always_mw(&core->ledger, host);
    bool lasts = emergency_lasts(&core->emergencies, host, core->t_ns);
    return lasts ? smaller(cap_mw, always_mw) : always_mw;
}

/* The cap that may leave, and the rule that made it so. */
static int64_t permitted(struct core *core, uint32_t host, int64_t cap_mw, enum egress_why *why)
{
    enum ledger_verdict bound;
    const struct ledger_host *h = &core->ledger.host[host];
    const struct model_host_type *type = &core->model->type[core->model->host[host].type];
    if (!ledger_governs(h)) {
        *why = WHY_CLAIM;
        return claim_mw(core, host, cap_mw);
    }
    int64_t floor_mw = core->model->host[host].floor_mw;
    cap_mw = larger(smaller(cap_mw, type->cap_max_mw), floor_mw);
    if (cap_mw > h->newest_mw && emergency_forbids_raise(&core->emergencies, host, core->t_ns)) {
        bool lasts = emergency_lasts(&core->emergencies, host, core->t_ns);
        cap_mw = lasts ? h->newest_mw : larger(h->newest_mw, floor_mw);
        *why = WHY_EMERGENCY;
    }
    if (cap_mw > h->newest_mw) {
        uint32_t place;
        cap_mw = contract_room_mw(&core->contracts, host, cap_mw, larger(h->newest_mw, floor_mw), &place);
        *why = place == INDEX_NONE ? *why : WHY_ORDER;
        if (place != INDEX_NONE)
            bound_by(core, BOUND_CONTRACT, place);
    }
    cap_mw = pace_cap_mw(core, host, cap_mw, *why);
    *why = cap_mw == h->newest_mw && core->paced.term != BOUND_NOTHING ? WHY_RENEWAL : *why;
    int64_t room_mw = ledger_room_mw(&core->ledger, host, cap_mw, &bound);
    if (bound == LEDGER_OVER_S) {
        core->count.withheld_s++;
        *why = WHY_GUARD_S;
    } else if (bound == LEDGER_OVER_D) {
        core->count.withheld_d++;
        *why = WHY_GUARD_D;
    }
    return room_mw;
}

bool guard_has_sent(const struct core *core, uint32_t host)
{
    return core->sent[host].step == core->steps;
}

static bool may_leave(const struct core *core, uint32_t host)
{
    return core->ledger.host[host].incarnation && core->mode != MODE_OFF &&
           (guard_has_sent(core, host) || core->outbox->count < core->outbox->capacity);
}

static void count_sent(struct core *core, uint32_t host, int64_t cap_mw, enum egress_why why)
{
    const struct ledger_host *h = &core->ledger.host[host];
    bool again = guard_has_sent(core, host);
    core->count.leases += !again;
    core->count.claims += why == WHY_CLAIM && !again;
    core->count.cuts += cap_mw < h->newest_mw;
    core->count.raises += h->newest_mw >= 0 && cap_mw > h->newest_mw;
    core->count.fail_safes += why != WHY_CLAIM && cap_mw <= h->fail_safe_mw && h->newest_mw > h->fail_safe_mw;
}

static void fill(struct core *core, struct egress *egress, uint32_t host, int64_t cap_mw, uint8_t flags,
                 enum egress_why why)
{
    const struct ledger_host *h = &core->ledger.host[host];
    flags |= core->mode == MODE_ENFORCE ? 0 : LEASE_SHADOW;
    *egress = (struct egress){
        .kind = why == WHY_CLAIM ? FRAME_CLAIM : FRAME_LEASE,
        .flags = (uint8_t)(flags | (why == WHY_CLAIM ? LEASE_CLAIM : 0)),
        .why = (uint8_t)why,
        .waited = core->slot->waited,
        .host = host,
        .incarnation = h->incarnation,
        .sequence = h->sequence,
        .echo = h->report,
        .cap_mw = cap_mw,
        .t_receive_ns = core->slot->t_receive_ns,
        .slot_sequence = core->slot->sequence,
        .duration_us = (uint32_t)(core->model->policy.lease_ns / NS_PER_US),
        .floor_w = (uint32_t)(core->model->host[host].floor_mw / 1000),
    };
}

static struct egress *place(struct core *core, uint32_t host)
{
    struct guard_sent *sent = &core->sent[host];
    if (!guard_has_sent(core, host))
        *sent = (struct guard_sent){core->steps, core->outbox->count++};
    return &core->outbox->record[sent->at];
}

static void put(struct core *core, uint32_t host, int64_t wanted_mw, int64_t old_mw, int64_t cap_mw,
                uint8_t flags, enum egress_why why)
{
    bool again = guard_has_sent(core, host);
    struct egress *egress = place(core, host);
    flags |= again ? egress->flags & LEASE_EMERGENCY : 0;
    contract_note(&core->contracts, &core->ledger, host);
    pace_sent(core, host, old_mw, cap_mw);
    bound_note(core, host, wanted_mw, why);
    fill(core, egress, host, cap_mw, flags, why);
    note_decision(core, egress);
}

/* A defect: what may always be sent takes the lease's place, and somebody is told. */
static int64_t instead(struct core *core, uint32_t host, int64_t cap_mw)
{
    core->count.invariant_failures++;
    cap_mw = smaller(cap_mw, ledger_always_mw(&core->ledger, host));
    ledger_sent(&core->ledger, host, cap_mw);
    return cap_mw;
}

void guard_send(struct core *core, uint32_t host, int64_t cap_mw, uint8_t flags, enum egress_why why)
{
    if (!may_leave(core, host))
        return;
    int64_t wanted_mw = cap_mw, old_mw = core->ledger.host[host].newest_mw;
    core->paced = (struct bound){.term = BOUND_NOTHING, .node = INDEX_NONE};
    cap_mw = permitted(core, host, cap_mw, &why);
    if (guard_has_sent(core, host) && cap_mw >= old_mw)
        return;
    count_sent(core, host, cap_mw, why);
    if (!ledger_sent(&core->ledger, host, cap_mw)) {
        cap_mw = instead(core, host, cap_mw);
        why = WHY_FAIL_SAFE;
    }
    put(core, host, wanted_mw, old_mw, cap_mw, flags, why);
}

void guard_cut(struct core *core, uint32_t host, int64_t cap_mw, uint8_t flags, enum egress_why why)
{
    const struct ledger_host *h = &core->ledger.host[host];
    const struct model_host_type *type = &core->model->type[core->model->host[host].type];
    if (!may_leave(core, host))
        return;
    int64_t old_mw = h->newest_mw;
    core->paced = (struct bound){.term = BOUND_NOTHING, .node = INDEX_NONE};
    if (!ledger_governs(h)) {
        why = WHY_CLAIM;
        cap_mw = smaller(cap_mw, ledger_always_mw(&core->ledger, host));
    } else {
        /* its newest lease may have run out at the host: less than that may be more than it counts for */
        cap_mw = smaller(cap_mw, smaller(larger(h->newest_mw, type->cap_min_mw), ledger_exposed_cap_mw(h)));
    }
    if (guard_has_sent(core, host) && cap_mw >= old_mw)
        return;
    count_sent(core, host, cap_mw, why);
    ledger_enter(&core->ledger, host, cap_mw);
    put(core, host, old_mw, old_mw, cap_mw, flags, why);
}

/* It is a raise to the most that can be set, so what holds raises holds it; but one that was let go stands
 * there already, and is only told again. */
static bool may_rise(struct core *core, uint32_t host)
{
    const struct model_host_type *type = &core->model->type[core->model->host[host].type];
    uint32_t at;
    if (emergency_forbids_raise(&core->emergencies, host, core->t_ns))
        return false;
    if (!core->ledger.host[host].bounded)
        return true;
    return contract_room_mw(&core->contracts, host, type->cap_max_mw, 0, &at) >= type->cap_max_mw &&
           pace_cap_mw(core, host, type->cap_max_mw, WHY_SHARE) >= type->cap_max_mw;
}

bool guard_let_go(struct core *core, uint32_t host)
{
    const struct ledger_host *h = &core->ledger.host[host];
    const struct model_host_type *type = &core->model->type[core->model->host[host].type];
    if (core->mode != MODE_ENFORCE || !core->model->policy.let_go || !may_leave(core, host) ||
        guard_has_sent(core, host) || !ledger_may_let_go(&core->ledger, host) || !may_rise(core, host))
        return false;
    int64_t old_mw = h->bounded ? h->newest_mw : type->cap_max_mw;
    core->count.let_go += h->bounded;
    core->count.leases++;
    core->count.invariant_failures += !ledger_let_go(&core->ledger, host);
    struct egress *egress = place(core, host);
    contract_note(&core->contracts, &core->ledger, host);
    pace_sent(core, host, old_mw, type->cap_max_mw);
    bound_note(core, host, h->newest_mw, WHY_LET_GO);
    fill(core, egress, host, h->newest_mw, LEASE_LET_GO, WHY_LET_GO);
    note_decision(core, egress);
    return true;
}

void guard_verify(struct core *core)
{
    for (uint32_t i = 0; i < core->outbox->count; i++) {
        struct egress *egress = &core->outbox->record[i];
        uint32_t host = egress->host;
        if (egress->kind == FRAME_TOKEN_RESPONSE)
            continue;
        if (egress->cap_mw <= ledger_always_mw(&core->ledger, host) || !ledger_over_s(&core->ledger, host))
            continue;
        int64_t cap_mw = instead(core, host, egress->cap_mw);
        fill(core, egress, host, cap_mw, egress->flags & LEASE_EMERGENCY, WHY_FAIL_SAFE);
        note_decision(core, egress);
    }
}

void guard_answer(struct core *core, const struct token_response *response)
{
    struct outbox *outbox = core->outbox;
    int64_t retry_us = response->retry_after_ns / NS_PER_US;
    if (core->mode == MODE_OFF || outbox->count >= outbox->capacity)
        return;
    struct egress *egress = &outbox->record[outbox->count++];
    *egress = (struct egress){
        .kind = FRAME_TOKEN_RESPONSE,
        .flags = core->mode == MODE_ENFORCE ? 0 : LEASE_SHADOW,
        .why = (uint8_t)response->reason,
        .waited = core->slot->waited,
        .host = response->host,
        .echo = response->request,
        .cap_mw = response->granted_mw,
        .t_receive_ns = core->slot->t_receive_ns,
        .slot_sequence = core->slot->sequence,
        .duration_us = (uint32_t)smaller(retry_us, UINT32_MAX),
        .floor_w = (uint32_t)(response->alternative_mw / 1000),
    };
    note_decision(core, egress);
}
