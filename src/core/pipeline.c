/* SPDX-License-Identifier: Apache-2.0 */
/* The order of the stages, in one place: sequence (the caller), detect, rack and cluster, guard, push. */
#include <stdbool.h>

#include "core/account.h"
#include "core/compare.h"
#include "core/core.h"
#include "core/digest.h"
#include "core/draw.h"
#include "core/expect.h"
#include "core/guard.h"
#include "core/handed.h"
#include "core/order.h"
#include "core/pace.h"
#include "core/sums.h"

/* ---- reading: detect, heat, and in an emergency cut in the same slot ---- */

static void on_reading(struct core *core, const struct reading *reading)
{
    uint32_t node = core->model->meter[reading->meter].node;
    /* an unsure one only tightens: it raises heat, what is learnt, an emergency; it clears and renews nothing
     */
    bool sure = !(reading->flags & READING_UNSURE);
    core->count.readings++;
    core->count.alarms +=
        detect_reading(&core->detect[reading->meter], core->model, reading, core->t_ns) != 0;
    if (alert_reading(&core->alerts, reading, core->t_ns))
        core->digest = digest_mix(core->digest, core->alerts.digest);
    if (!sure)
        heat_unsure(&core->heat, reading);
    else if (!permit_repeats(&core->permits, reading))
        core->count.fast_edges += heat_reading(&core->heat, &core->ledger, reading, core->t_ns) >= 0;
    permit_reading(&core->permits, core->slot, core->t_ns);
    degrade_reading(&core->degrade, reading, permit_meter(&core->permits, reading->meter, core->t_ns),
                    core->t_ns);
    residual_reading(&core->residual, core->slot, core->t_ns);
    switch (emergency_reading(&core->emergencies, &core->ledger, reading, node, core->t_ns)) {
    case EMERGENCY_CUT:
        core->count.emergencies++;
        cut_mark(core, node, CUT_EMERGENCY);
        break;
    case EMERGENCY_FAIL_SAFE:
        core->count.emergency_stage2++;
        cut_mark(core, node, CUT_FAIL_SAFE);
        break;
    case EMERGENCY_SHED:
        core->count.emergency_stage3++;
        break;
    case EMERGENCY_NOTHING:
        order_reading(core, node, core->detect[reading->meter].measured_mw);
        break;
    }
    core->pools.node[node].damped = damper_is_damped(&core->dampers.node[node], core->t_ns);
    if (sure)
        pool_reading(&core->pools, node, reading, core->t_ns);
    core->count.level_trims = core->pools.trims;
    hold_observe(&core->holds, &core->heat, node, HOLD_EMERGENCY, core->emergencies.node[node].active,
                 core->t_ns);
    if (sure)
        hold_reading(&core->holds, &core->heat, node, core->t_ns);
    cut_run(core);
}

/* ---- report: account, and answer at once ---- */

/* A cut frees watts for others only once a report shows that it has held for A; every further change
 * starts that time anew. So a cut is left alone until it is confirmed. */
static bool cut_is_settling(const struct ledger_host *h)
{
    return h->newest_mw >= 0 && ledger_exposed_cap_mw(h) > h->newest_mw &&
           ledger_exposed_cap_mw(h) > h->fail_safe_mw;
}

/* What this host should have now: its share where arbitration has given one, else what it has. */
static int64_t wanted_cap(const struct core *core, uint32_t host, enum egress_why *why)
{
    const struct ledger_host *h = &core->ledger.host[host];
    int64_t target_mw = core->cluster.target_mw[host];
    int64_t newest_mw = h->newest_mw >= 0 ? h->newest_mw : ledger_always_mw(&core->ledger, host);
    if (target_mw < 0 || cut_is_settling(h) || account_rests(core))
        target_mw = newest_mw;
    if (account_is_fresh(h)) {
        *why = WHY_HANDED;
        return newest_mw;
    }
    *why = target_mw > newest_mw ? WHY_SHARE : target_mw < newest_mw ? WHY_CUT : WHY_RENEWAL;
    return target_mw;
}

/* After a take-over, until the meters above have been heard: what it has would be cut for want of their
 * readings alone, and is not renewed either. */
static bool waits_for_a_reading(struct core *core, uint32_t host)
{
    return permit_is_awaited(&core->permits, host) &&
           ledger_may_send(&core->ledger, host, core->ledger.host[host].newest_mw) == LEDGER_OVER_S;
}

static void on_report(struct core *core, const struct report *report)
{
    enum egress_why why;
    uint32_t retired;
    uint32_t events = ledger_report(&core->ledger, report, core->t_ns, &retired);
    core->count.reports++;
    core->count.retired += retired;
    core->count.newer_epochs += report->epoch > core->epoch;
    core->count.resets += (events & LEDGER_RESET) != 0;
    core->count.foreign_caps += (events & LEDGER_FOREIGN_CAP) != 0;
    core->count.fail_safe_mismatch += (events & LEDGER_MISMATCH) != 0;
    core->count.phys_max_above += (events & LEDGER_PHYS_MAX) != 0;
    if (events & LEDGER_STALE) {
        core->count.reports_stale++;
        cut_run(core);              /* what time has ended ends in this slot, too */
        return;
    }
    permit_report(&core->permits, report, core->t_ns);
    degrade_report(&core->degrade, &core->ledger, report, core->t_ns);
    residual_report(&core->residual, report->host, report->draw_mw, core->t_ns);
    contract_note(&core->contracts, &core->ledger, report->host);
    pool_report(&core->pools, report->host, report->draw_mw, core->t_ns);
    pool_note(&core->pools, report->host, core->t_ns);
    cut_run(core);
    expect_way(core);
    demand_report(&core->demand[report->host], &core->model->policy, report, core->t_ns);
    if (guard_has_sent(core, report->host))
        return;                     /* answered by its cut */
    if (waits_for_a_reading(core, report->host))
        return;
    if (report->flags & REPORT_LEAVING) {
        if (guard_let_go(core, report->host))
            return;
        core->count.kept++;
    }
    int64_t cap_mw = wanted_cap(core, report->host, &why);
    guard_send(core, report->host, cap_mw, 0, why);
}

/* a part: each in a tick or two, where there are many */
enum { HOSTS_SCANNED = 2, HOSTS_LOOKED_AT = 2, NODES_LOOKED_AT = 2, RECOVERIES_LOOKED_AT = 16 };
enum { RESIDUALS_LOOKED_AT = 4 };

/* ---- tick: arbitration in parts; the committed part of it is acted on at once ---- */

/* Its next report is due before the next arbitration, and answered at once: that raises it. */
static bool may_be_raised(const struct core *core, int64_t age_ns)
{
    const struct model_policy *policy = &core->model->policy;
    bool due = age_ns >= policy->report_ns - policy->tick_ns && age_ns < policy->report_ns;
    return age_ns <= policy->lease_ns / 2 && !due;
}

/* A target is acted on without waiting for the host's next report when it differs by more than a quantum.
 * A raise wants a report fresh enough that the host will not have run out of it when the lease arrives. */
static void push_target(struct core *core, uint32_t host)
{
    const struct ledger_host *h = &core->ledger.host[host];
    int64_t target_mw = core->cluster.target_mw[host];
    int64_t grain_mw = core->model->type[core->cluster.type[host]].quantum_mw;
    if (target_mw < 0 || h->newest_mw < 0 || !h->bounded || cut_is_settling(h) || account_rests(core))
        return;
    if (target_mw >= h->newest_mw - grain_mw && target_mw <= h->newest_mw + grain_mw)
        return;
    bool raises = target_mw > h->newest_mw;
    if (raises && !may_be_raised(core, core->t_ns - h->report_t_ns))
        return;
    /* the least that is worth a lease, half of it: the guard works out the rest. Where that does not fit the
     * host is asked again when it reports */
    int64_t half_mw = larger(2 * grain_mw, (target_mw - h->newest_mw) / 2);
    if (raises && (core->cluster.refused[host] ||
                   ledger_may_send(&core->ledger, host, smaller(h->newest_mw + half_mw, target_mw)) !=
                       LEDGER_MAY_SEND)) {
        core->cluster.refused[host] = 1;
        return;
    }
    int64_t paced_mw = pace_cap_mw(core, host, target_mw, raises ? WHY_SHARE : WHY_CUT);
    if (paced_mw < h->newest_mw - grain_mw)
        guard_send(core, host, target_mw, 0, WHY_CUT);
    else if (paced_mw > h->newest_mw + grain_mw &&
             !emergency_forbids_raise(&core->emergencies, host, core->t_ns))
        guard_send(core, host, target_mw, 0, WHY_SHARE);
}

/* What a silent meter would hold back for ever ends. */
static void look_for_the_blind(struct core *core)
{
    uint32_t node = emergency_look(&core->emergencies, &core->ledger, core->t_ns, NODES_LOOKED_AT);
    if (node != INDEX_NONE)
        hold_blind(&core->holds, &core->heat, node, core->t_ns);
}

static void on_tick_part(struct core *core)
{
    uint32_t first;
    maintenance_part(&core->maintenance, &core->ledger, core->t_ns, TICK_ITEMS_MAX);
    degrade_scan(&core->degrade, &core->ledger, core->detect, core->t_ns, HOSTS_SCANNED);
    permit_look(&core->permits, core->t_ns, HOSTS_LOOKED_AT);
    look_for_the_blind(core);
    recovery_part(&core->recovery, core->t_ns, RECOVERIES_LOOKED_AT);
    sums_lower_bad(&core->ledger, HOSTS_LOOKED_AT);
    if (residual_part(&core->residual, core->t_ns, RESIDUALS_LOOKED_AT))
        cut_run(core);
    if (!pipeline_tick_open(core))
        return;
    if (!cluster_part(&core->cluster, &core->ledger, core->demand, core->t_ns, CLUSTER_ITEMS, &first))
        return;
    for (uint32_t host = first; core->dampers.was_held && host < core->cluster.cursor; host++)
        pace_target(core, host);
    for (uint32_t i = 0; i < core->cluster.apart_count; i++)
        expect_lease(core, core->cluster.apart[i]);
    for (uint32_t i = 0; i < core->cluster.apart_count; i++)
        push_target(core, core->cluster.apart[i]);
    core->count.ticks_committed += core->cluster.phase == CLUSTER_IDLE;
    core->count.floor_infeasible = core->cluster.floor_infeasible;
}

static void on_tick(struct core *core, const struct slot_tick *tick)
{
    core->count.ticks++;
    core->count.ticks_missed += tick->missed;
    degrade_feeds(&core->degrade, core->permits.lent_against, core->permits.feeds, core->t_ns);
    degrade_scan(&core->degrade, &core->ledger, core->detect, core->t_ns, TICK_ITEMS_MAX);
    order_tick(core);
    pool_tick(&core->pools, core->t_ns);
    if (pipeline_tick_open(core))   /* the last one is not through: let it finish */
        core->count.ticks_missed++;
    else {
        pace_begin(core);
        cluster_begin(&core->cluster);
    }
    on_tick_part(core);
}

/* ---- a request for power ahead of time ---- */

/* What is granted is demand for its time, also where the host does not draw it yet. */
static void forecast(struct core *core, uint32_t host)
{
    const struct pool_host *h = &core->pools.host[host];
    const struct model_host_type *type = &core->model->type[core->model->host[host].type];
    int64_t cap_mw = draw_cap_within_mw(type, h->reserved_mw);
    demand_granted(&core->demand[host], cap_mw > 0 ? cap_mw : 0, core->t_ns, h->until_ns);
    core->ledger.moved.host[host] = 1;
}

static void on_token(struct core *core, const struct token_request *request)
{
    struct token_response response;
    bool anew = pool_request(&core->tokens, request, core->t_ns, &response);
    core->count.tokens_repeated += !anew;
    core->count.tokens_granted += anew && response.reason == TOKEN_GRANTED;
    core->count.tokens_denied += anew && response.reason != TOKEN_GRANTED;
    if (anew && response.reason == TOKEN_GRANTED)
        forecast(core, request->host);
    guard_answer(core, &response);
}

/* ---- the step ---- */

static void close_second(struct core *core)
{
    int64_t second = core->t_ns / NS_PER_S;
    core->outbox->digest_due = second != core->second;
    if (!core->outbox->digest_due)
        return;
    core->outbox->digest = (struct slot_digest){(uint64_t)core->second, core->digest, core->decisions};
    core->second = second;
}

static void note_recovery(struct core *core)
{
    bool over = core->ledger.over_count > 0;
    core->count.recoveries += over && !core->recovering;
    core->recovering = over;
    core->count.invariant_failures += core->ledger.unexplained;
    core->ledger.unexplained = false;
#define TAKE(symbol, counter, meaning) core->count.counter = core->ledger.recoveries[symbol];
    RECOVERIES(TAKE)
#undef TAKE
    core->count.recovery_overdue = core->recovery.overdue;
    core->count.other_windows = core->residual.windows;
    core->count.other_thrown = core->residual.thrown;
    core->count.other_raised = core->residual.raised;
    core->count.other_lowered = core->residual.lowered;
    core->count.other_outgrown = core->degrade.row[DEGRADED_ROOM].entered;
    core->count.alerts_raised = core->alerts.raised;
    core->count.alerts_cleared = core->alerts.cleared;
    core->count.alerts_unknown = core->alerts.unknown;
    core->count.stand_ins = core->permits.stood_in;
    core->count.stand_ins_lost = core->permits.stood_in_lost;
}

void pipeline_step(struct core *core, const struct slot *slot, struct outbox *outbox)
{
    core->slot = slot;
    core->outbox = outbox;
    core->t_ns = slot->t_ns > core->t_ns ? slot->t_ns : core->t_ns;
    core->steps++;
    outbox->count = 0;
    close_second(core);
    if (slot->kind != SLOT_ACCOUNT)
        account_end_set(core, slot->kind != SLOT_HANDED);
    permit_pass_time(&core->permits, core->t_ns);
    if (slot->kind != SLOT_READING && slot->kind != SLOT_REPORT)
        cut_run(core);
    switch (slot->kind) {
    case SLOT_READING:
        on_reading(core, &slot->reading);
        break;
    case SLOT_REPORT:
        on_report(core, &slot->report);
        break;
    case SLOT_TICK:
        on_tick(core, &slot->tick);
        break;
    case SLOT_TICK_PART:
        on_tick_part(core);
        break;
    case SLOT_REFUSED:
        core->count.refused_sends++;    /* stays exposed and unretired: the next report is answered anew */
        break;
    case SLOT_ORDER:
        order_take(core, &slot->order);
        break;
    case SLOT_TOKEN:
        on_token(core, &slot->token);
        break;
    case SLOT_ACCOUNT:
        account_slot(core, &slot->account);
        break;
    case SLOT_HANDED:
        handed_slot(core, &slot->handed);
        break;
    case SLOT_SPECTRUM:
        spectrum_take(&core->spectra, &slot->spectrum, core->t_ns);
        break;
    case SLOT_SWING:
        spectrum_take_swing(&core->spectra, &slot->swing, core->t_ns);
        break;
    case SLOT_QUALITY:
        spectrum_take_quality(&core->spectra, &slot->quality, core->t_ns);
        break;
    default:
        break;
    }
    note_recovery(core);
    expect_above(core);
}

bool pipeline_tick_open(const struct core *core)
{
    return core->cluster.phase != CLUSTER_IDLE;
}
