/* SPDX-License-Identifier: Apache-2.0 */
#include "core/account.h"

#include "core/core.h"
#include "core/sums.h"

static void forget_all(struct core *core)
{
    for (uint32_t host = 0; host < core->accounts.next; host++) {
        ledger_forget(&core->ledger, host);
        demand_init(&core->demand[host], core->t_ns);
    }
    core->accounts = (struct accounts){.closed = true, .over = core->accounts.over};
    core->count.handed = 0;
}

void account_end_set(struct core *core, bool over)
{
    if (!core->accounts.closed)
        forget_all(core);
    if (!over || core->accounts.over)
        return;
    core->accounts.over = true;
    permit_begin_waiting(&core->permits, core->t_ns);
}

void account_settle(struct core *core)
{
    struct accounts *accounts = &core->accounts;
    if (!accounts->whole || !accounts->over || accounts->settled || core->permits.awaiting)
        return;
    accounts->settled = true;
    for (uint32_t node = 0; node < core->model->node_count; node++)
        sums_note_node(&core->ledger, node);
}

bool account_may_hand(const struct accounts *accounts)
{
    return accounts->whole && !accounts->over;
}

/* In order, complete, of one older epoch, within D, and with figures that a ledger can have. */
static bool is_sound(const struct core *core, const struct slot_account *account)
{
    const struct accounts *accounts = &core->accounts;
    uint64_t handed_epoch = core->ledger.handed_epoch;
    bool ends = account->host + 1 == core->model->host_count;
    if (account->host != accounts->next || account->host >= core->model->host_count ||
        (account->last != 0) != ends)
        return false;
    if (account->epoch >= core->epoch || account->age_ns < 0 ||
        account->age_ns > core->model->policy.lease_ns || (handed_epoch && account->epoch != handed_epoch))
        return false;
    if (!account->bounded)
        return true;
    return account->incarnation && account->newest_mw >= 0 && account->exposed_mw >= account->newest_mw &&
           account->fail_safe_mw >= 0 && account->phys_max_mw >= 0;
}

void account_slot(struct core *core, const struct slot_account *account)
{
    struct accounts *accounts = &core->accounts;
    if (accounts->closed)
        return;
    if (!core->ledger.enforcing || !is_sound(core, account)) {
        forget_all(core);
        return;
    }
    core->ledger.handed_epoch = account->epoch;
    accounts->next++;
    if (account->bounded && account->accepted) {
        const struct model_host *host = &core->model->host[account->host];
        ledger_take_over(&core->ledger, account, core->t_ns);
        demand_handed(&core->demand[account->host], &core->model->policy, &core->model->type[host->type],
                      account->newest_mw);
        core->count.handed++;
    }
    if (!account->last)
        return;
    accounts->closed = accounts->whole = true;
    accounts->rest_until_ns = core->t_ns + 2 * core->model->policy.report_ns;
    /* a start is an event; a start that takes everything over is none */
    core->recovering = core->ledger.over_count > 0;
    core->count.recoveries = core->recovering;
}

bool account_rests(const struct core *core)
{
    return core->t_ns < core->accounts.rest_until_ns;
}

bool account_is_fresh(const struct ledger_host *host)
{
    return host->handed && host->sequence + 1 == host->first;
}

void core_account(const struct core *core, uint32_t host, struct slot_account *account)
{
    const struct ledger_host *h = &core->ledger.host[host];
    *account = (struct slot_account){
        .host = host,
        .last = host + 1 == core->model->host_count,
        .incarnation = h->incarnation,
        .epoch = core->epoch,
        .report = h->report,
        .sequence = h->sequence,
        .newest_mw = h->newest_mw,
        .exposed_mw = ledger_exposed_cap_mw(h),
        .fail_safe_mw = h->fail_safe_mw,
        .phys_max_mw = h->phys_max_mw,
        .bounded = h->bounded && h->accepted,
        .accepted = h->accepted,
    };
}
