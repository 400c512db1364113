/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cut.h"

#include "core/compare.h"
#include "core/core.h"
#include "core/draw.h"
#include "core/guard.h"

enum {
    EMERGENCY_PPM = 950000,     /* of the steady limit */
    LENT_PPM = 970000,          /* of what may be lent: it falls on while heat rises, and so does this */
};

static int64_t part(int64_t value, int64_t ppm)
{
    return value / PPM * ppm + value % PPM * ppm / PPM;
}

void cut_init(struct core *core)
{
    core->cuts.stage_ns = emergency_stage_ns(core->model);
    for (uint32_t h = 0; h < core->model->host_count; h++)
        core->cuts.shot_ns[h] = INT64_MIN / 2;
}

void cut_mark(struct core *core, uint32_t node, enum cut_kind kind)
{
    struct cuts *cuts = &core->cuts;
    if (!cuts->kind[node])
        cuts->node[cuts->count++] = node;
    if (cuts->kind[node] < kind)
        cuts->kind[node] = (uint8_t)kind;
}

static void take_fallen(struct core *core)
{
    struct ledger_fell *fell = &core->ledger.fell;
    for (uint32_t i = 0; i < fell->count; i++) {
        fell->marked[fell->node[i]] = 0;
        cut_mark(core, fell->node[i], CUT_LIMIT);
    }
    fell->count = 0;
}

/* ---- how much ---- */

static int64_t target_mva(const struct ledger_sums *sums, enum cut_kind kind, uint32_t c, uint32_t phase)
{
    int64_t limit_mva = sums->limit_mva[c][phase], steady_mva = sums->steady_mva[c][phase];
    if (kind == CUT_EMERGENCY)
        return part(steady_mva, EMERGENCY_PPM);
    return limit_mva > steady_mva ? larger(steady_mva, part(limit_mva, LENT_PPM)) : limit_mva;
}

/* S falls in a straight line from what it is to what fail-safe caps leave. Every host may round up by a few
 * mVA on every cord, which the target gives away beforehand. */
static int64_t share_of(const struct core *core, uint32_t node)
{
    const struct ledger_sums *sums = &core->ledger.node[node];
    enum cut_kind kind = (enum cut_kind)core->cuts.kind[node];
    int64_t rounding_mva = (int64_t)core->emergencies.below_count[node] * CORDS_MAX * 4, share_ppm = PPM;
    if (kind == CUT_FAIL_SAFE)
        return 0;
    for (uint32_t i = 0; i < core->model->contingency_count * PHASES; i++) {
        uint32_t c = i / PHASES, phase = i % PHASES;
        int64_t most_mva = target_mva(sums, kind, c, phase) - rounding_mva;
        int64_t newest_mva = sums->newest_mva[c][phase], safe_mva = sums->safe_mva[c][phase];
        bool over = newest_mva > (kind == CUT_LIMIT ? sums->limit_mva[c][phase] : most_mva);
        if (!over)
            continue;
        int64_t room_mva = larger(most_mva - safe_mva, 0), above_mva = larger(newest_mva - safe_mva, 0);
        share_ppm = smaller(share_ppm, room_mva / 1000 * PPM / (above_mva / 1000 + 1));
    }
    return larger(share_ppm, 0);
}

/* ---- who ---- */

struct due {
    enum cut_kind kind;         /* the gravest above it */
    int64_t share_ppm;          /* the least */
    int64_t scale_ppm;          /* of an emergency's shot */
};

static struct due due_of(const struct core *core, uint32_t host)
{
    const struct model_host *h = &core->model->host[host];
    struct due due = {CUT_NOT, PPM, PPM};
    for (uint32_t j = 0; j < h->cord_count; j++) {
        const struct model_node *node = &core->model->node[h->cord[j].node];
        for (uint32_t a = 0; a < node->ancestor_count; a++) {
            uint32_t n = node->ancestor[a];
            enum cut_kind kind = (enum cut_kind)core->cuts.kind[n];
            if (kind == CUT_NOT)
                continue;
            due.kind = kind > due.kind ? kind : due.kind;
            due.share_ppm = smaller(due.share_ppm, core->cuts.share_ppm[n]);
            due.scale_ppm = smaller(due.scale_ppm, core->cuts.scale_ppm[n]);
        }
    }
    return due;
}

static int64_t shared_cap_mw(const struct core *core, uint32_t host, int64_t share_ppm)
{
    const struct ledger_host *h = &core->ledger.host[host];
    const struct model_host_type *type = &core->model->type[core->model->host[host].type];
    int64_t safe_mw = h->safe_draw_mw;
    if (share_ppm == 0)
        return ledger_always_mw(&core->ledger, host);
    int64_t cap_mw = draw_cap_within_mw(type, safe_mw + part(h->newest_draw_mw - safe_mw, share_ppm));
    cap_mw -= cap_mw % type->quantum_mw;
    return larger(cap_mw, ledger_always_mw(&core->ledger, host));
}

static void cut_host(struct core *core, uint32_t host)
{
    const struct ledger_host *h = &core->ledger.host[host];
    struct due due = due_of(core, host);
    if (due.kind == CUT_LIMIT) {
        if (h->newest_mw > ledger_always_mw(&core->ledger, host))
            guard_cut(core, host, shared_cap_mw(core, host, due.share_ppm), 0, WHY_LIMIT);
    } else if (due.kind == CUT_FAIL_SAFE) {
        guard_cut(core, host, ledger_always_mw(&core->ledger, host), LEASE_EMERGENCY, WHY_FAIL_SAFE);
    } else {
        bool shot = core->t_ns - core->cuts.shot_ns[host] >= core->cuts.stage_ns;
        int64_t cap_mw = emergency_cap_mw(&core->ledger, host, shot, due.scale_ppm);
        core->cuts.shot_ns[host] = shot ? core->t_ns : core->cuts.shot_ns[host];
        if (due.share_ppm < PPM)
            cap_mw = smaller(cap_mw, shared_cap_mw(core, host, due.share_ppm));
        guard_cut(core, host, cap_mw, LEASE_EMERGENCY, WHY_EMERGENCY);
    }
}

static enum bound_term term_of(uint8_t kind)
{
    return kind == CUT_LIMIT ? BOUND_STEADY : kind == CUT_FAIL_SAFE ? BOUND_FAIL_SAFE : BOUND_EMERGENCY;
}

static void cut_below(struct core *core, uint32_t node)
{
    const struct emergencies *e = &core->emergencies;
    const uint32_t *run = &e->below[e->below_first[node]];
    for (uint32_t i = 0; i < e->below_count[node]; i++) {
        if (core->cuts.run[run[i]] == core->cuts.runs)
            continue;
        core->cuts.run[run[i]] = core->cuts.runs;
        bound_by(core, term_of(core->cuts.kind[node]), node);
        cut_host(core, run[i]);
        core->held.term = BOUND_NOTHING;    /* also where nothing was sent */
    }
}

/* I3: S within the limit, or at fail-safe where that is impossible. */
static bool is_left_above(const struct core *core, uint32_t node)
{
    const struct ledger_sums *sums = &core->ledger.node[node];
    for (uint32_t i = 0; i < core->model->contingency_count * PHASES; i++) {
        uint32_t c = i / PHASES, phase = i % PHASES;
        if (sums->newest_mva[c][phase] > larger(sums->limit_mva[c][phase], sums->safe_mva[c][phase]))
            return true;
    }
    return false;
}

void cut_run(struct core *core)
{
    struct cuts *cuts = &core->cuts;
    account_settle(core);
    take_fallen(core);
    if (!cuts->count)
        return;
    cuts->runs++;
    if (core->permits.awaiting) {
        permit_end_waiting(&core->permits, core->t_ns);
        account_settle(core);
        take_fallen(core);
    }
    for (uint32_t i = 0; i < cuts->count; i++) {
        cuts->share_ppm[cuts->node[i]] = share_of(core, cuts->node[i]);
        cuts->scale_ppm[cuts->node[i]] =
            cuts->kind[cuts->node[i]] == CUT_EMERGENCY
                ? emergency_scale_ppm(&core->emergencies, &core->ledger, cuts->node[i])
                : PPM;
        core->count.limit_cuts += cuts->kind[cuts->node[i]] == CUT_LIMIT;
    }
    for (uint32_t i = 0; i < cuts->count; i++)
        cut_below(core, cuts->node[i]);
    guard_verify(core);
    for (uint32_t i = 0; i < cuts->count; i++) {
        core->count.invariant_failures += is_left_above(core, cuts->node[i]);
        cuts->kind[cuts->node[i]] = CUT_NOT;
    }
    cuts->count = 0;
}
