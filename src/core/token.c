/* SPDX-License-Identifier: Apache-2.0 */
#include "core/token.h"

#include "core/compare.h"
#include "core/draw.h"
#include "core/quantum.h"
#include "core/sums.h"

enum { RISK_MOST_PPM = 700000 };
#define RETRY_NS     (100 * NS_PER_MS)
#define REMEMBER_NS  (10 * NS_PER_S)
#define DURATION_MAX_NS (3600 * NS_PER_S)

/* A node above the host, once, and which of its cords hang below it. */
struct spot {
    uint32_t node, cords;
    bool lacks_room;            /* for what was tried last */
    const struct token_wait *wait;      /* of higher priority than the request; NULL = nobody's */
};

/* A request under examination, and what stood against it. */
struct trial {
    const struct tokens *tokens;
    const struct model_host *host;
    const struct pool_host *has;
    uint32_t asker, priority;
    int64_t t_ns, duration_ns;
    uint32_t spots;
    struct spot spot[CORDS_MAX * ANCESTORS_MAX];
    int64_t draw_mw;            /* tried: in total */
    /* what it would put on each cord beyond what the host is committed to now */
    int64_t extra_mva[CORDS_MAX][CONTINGENCIES_MAX][PHASES];
    int64_t wait_ns;            /* until ramps would hold what was tried */
    uint8_t reasons;            /* set of bits 1 << enum token_reason */
    bool heat_too;              /* devices are looked at: the dear part */
};

void token_init(struct tokens *tokens, const struct model *model, const struct ledger *ledger,
                const struct heat *heat, struct ramps *ramps, struct pools *pools)
{
    tokens->model = model;
    tokens->ledger = ledger;
    tokens->heat = heat;
    tokens->ramps = ramps;
    tokens->pools = pools;
}

/* ---- what a draw would add at a node ---- */

static int64_t committed_mw(const struct pool_host *host)
{
    return larger(host->drawn_mw, host->reserved_mw);
}

static const struct token_wait *waits_before(const struct trial *trial, uint32_t node)
{
    const struct token_wait *wait = &trial->tokens->wait[node];
    bool before =
        trial->t_ns < wait->until_ns && wait->priority < trial->priority && wait->host != trial->asker;
    return before ? wait : NULL;
}

static void find_spots(struct trial *trial)
{
    const struct model *model = trial->tokens->model;
    for (uint32_t j = 0; j < trial->host->cord_count; j++) {
        const struct model_node *below = &model->node[trial->host->cord[j].node];
        for (uint32_t a = 0; a < below->ancestor_count; a++) {
            uint32_t i = 0;
            while (i < trial->spots && trial->spot[i].node != below->ancestor[a])
                i++;
            if (i == trial->spots)
                trial->spot[trial->spots++] = (struct spot){
                    .node = below->ancestor[a], .wait = waits_before(trial, below->ancestor[a])};
            trial->spot[i].cords |= 1u << j;
        }
    }
}

static void try_draw(struct trial *trial, int64_t draw_mw)
{
    const struct model *model = trial->tokens->model;
    int64_t pf_ppm = model->type[trial->host->type].pf_min_ppm, old_mw = committed_mw(trial->has);
    int64_t new_mw = larger(trial->has->drawn_mw, draw_mw);
    trial->draw_mw = draw_mw;
    for (uint32_t j = 0; j < trial->host->cord_count; j++) {
        const struct model_cord *cord = &trial->host->cord[j];
        for (uint32_t i = 0; i < model->contingency_count * PHASES; i++)
            trial->extra_mva[j][i / PHASES][i % PHASES] =
                draw_on_phase_mva(cord, pf_ppm, i / PHASES, i % PHASES, new_mw) -
                draw_on_phase_mva(cord, pf_ppm, i / PHASES, i % PHASES, old_mw);
    }
}

static int64_t extra_mva(const struct trial *trial, const struct spot *spot, uint32_t c, uint32_t phase)
{
    int64_t sum_mva = 0;
    for (uint32_t j = 0; j < trial->host->cord_count; j++)
        sum_mva += spot->cords >> j & 1 ? trial->extra_mva[j][c][phase] : 0;
    return sum_mva;
}

/* What whoever waits there would add, were it granted. */
static int64_t waiting_mva(const struct trial *trial, const struct spot *spot, uint32_t c, uint32_t phase)
{
    const struct model *model = trial->tokens->model;
    if (!spot->wait)
        return 0;
    const struct model_host *host = &model->host[spot->wait->host];
    int64_t old_mw = committed_mw(&trial->tokens->pools->host[spot->wait->host]), sum_mva = 0;
    int64_t pf_ppm = model->type[host->type].pf_min_ppm, new_mw = larger(old_mw, spot->wait->draw_mw);
    for (uint32_t j = 0; j < host->cord_count; j++)
        if (model_lies_below(model, host->cord[j].node, spot->node))
            sum_mva += draw_on_phase_mva(&host->cord[j], pf_ppm, c, phase, new_mw) -
                       draw_on_phase_mva(&host->cord[j], pf_ppm, c, phase, old_mw);
    return sum_mva;
}

/* ---- the conditions ---- */

static void against(struct trial *trial, enum token_reason reason)
{
    trial->reasons |= (uint8_t)(1u << reason);
}

/* Demands round up to the quantum of the node, the level down. */
static void look_at_level(struct trial *trial, const struct spot *spot)
{
    uint32_t n = spot->node;
    const struct pools *pools = trial->tokens->pools;
    int64_t level_mva = pool_level_mva(pools, n), quantum_mva = pools->node[n].quantum_mva;
    for (uint32_t phase = 0; level_mva < INT64_MAX && phase < PHASES; phase++) {
        int64_t more_mva = extra_mva(trial, spot, 0, phase);
        int64_t load_mva = pool_forecast_mva(pools, n, phase, more_mva) + waiting_mva(trial, spot, 0, phase);
        if (more_mva > 0 && draw_ceil_div(larger(load_mva, 0), quantum_mva) > level_mva / quantum_mva)
            against(trial, TOKEN_POOL_EMPTY);
    }
}

static int64_t through_mw(const struct trial *trial, const struct spot *spot)
{
    int64_t share_ppm = 0, more_mw = trial->draw_mw - committed_mw(trial->has);
    for (uint32_t j = 0; j < trial->host->cord_count; j++)
        share_ppm += spot->cords >> j & 1 ? trial->host->cord[j].share_ppm[0] : 0;
    return more_mw > 0 ? draw_ceil_div(more_mw * share_ppm, PPM) : 0;
}

static void look_at_ramp(struct trial *trial, const struct spot *spot)
{
    struct ramp_bucket *bucket = &trial->tokens->ramps->node[spot->node].ahead;
    int64_t more_mw = through_mw(trial, spot);
    if (!bucket->rate_mw_per_s)
        return;
    ramp_bucket_fill(bucket, trial->t_ns);
    if (more_mw <= bucket->credit_mw)
        return;
    against(trial, TOKEN_POOL_EMPTY);
    trial->wait_ns = larger(trial->wait_ns, ramp_bucket_wait_ns(bucket, more_mw));
}

/* What hosts are committed to fits the limits in force, under every contingency. Where a permit would
 * raise the limit and is not held, it is missing. */
static void look_at_limits(struct trial *trial, const struct spot *spot)
{
    uint32_t n = spot->node;
    const struct model_node *node = &trial->tokens->model->node[n];
    const struct ledger_sums *sums = &trial->tokens->ledger->node[n];
    const struct pool *pool = &trial->tokens->pools->node[n];
    for (uint32_t i = 0; node->limited && i < trial->tokens->model->contingency_count * PHASES; i++) {
        uint32_t c = i / PHASES, phase = i % PHASES;
        int64_t more_mva = extra_mva(trial, spot, c, phase);
        int64_t load_mva = pool_committed_mva(pool, c, phase) +
                           sums_standing_mva(trial->tokens->ledger, n, c, phase) + more_mva +
                           waiting_mva(trial, spot, c, phase);
        if (more_mva <= 0 || load_mva <= sums->limit_mva[c][phase])
            continue;
        bool unlent = node->lend >> c & 1 && sums->limit_mva[c][phase] <= node->limit_mva[c][phase];
        against(trial, unlent ? TOKEN_PERMIT_MISSING : TOKEN_POOL_EMPTY);
    }
}

/* Forecast load held from now on: does a device trip within the time asked for, or so soon that only
 * T_resp / 0.7 and less is left (safety.md section 7; of domain.md 1.7 the time component alone)? */
static void look_at_device(struct trial *trial, const struct spot *spot)
{
    uint32_t n = spot->node;
    const struct model_node *node = &trial->tokens->model->node[n];
    const struct breaker *breaker = &node->breaker;
    struct breaker_load load = {0};
    struct breaker_verdict verdict;
    if (node->meter == INDEX_NONE || !trial->tokens->heat->meter[node->meter].started ||
        !breaker->element_count)
        return;
    const struct heat_node *heat = &trial->tokens->heat->meter[node->meter];
    for (uint32_t phase = 0; phase < PHASES; phase++) {
        int64_t load_mva =
            pool_forecast_mva(trial->tokens->pools, n, phase, extra_mva(trial, spot, 0, phase));
        load.current_ma[phase] = draw_ceil_div(larger(load_mva, 0) * 1000, larger(node->volts_low_mv, 1));
    }
    load.crest_milli = heat->newest.crest_milli;
    breaker_time_to_trip(&heat->state, breaker, trial->tokens->model->curve, &load, &verdict);
    if (verdict.t_ns == BREAKER_NEVER_NS)
        return;
    if (verdict.t_ns <= trial->duration_ns)
        against(trial, TOKEN_WOULD_TRIP);
    if (heat->respond_ns / RISK_MOST_PPM * PPM >= verdict.t_ns)
        against(trial, TOKEN_PREDICTED_CONFLICT);
}

static bool may_have(struct trial *trial, int64_t draw_mw)
{
    const struct model_host_type *type = &trial->tokens->model->type[trial->host->type];
    try_draw(trial, draw_mw);
    trial->reasons = 0;
    if (draw_mw > draw_of_cap_mw(type, type->cap_max_mw))
        against(trial, TOKEN_POOL_EMPTY);
    for (uint32_t i = 0; i < trial->spots; i++) {
        uint8_t before = trial->reasons;
        trial->reasons = 0;
        look_at_level(trial, &trial->spot[i]);
        look_at_ramp(trial, &trial->spot[i]);
        look_at_limits(trial, &trial->spot[i]);
        trial->spot[i].lacks_room = trial->reasons >> TOKEN_POOL_EMPTY & 1;
        trial->reasons |= before;
        if (trial->heat_too)
            look_at_device(trial, &trial->spot[i]);
    }
    return !trial->reasons;
}

/* The most of 0 .. most_mw, in whole quanta, that may be had: every condition that fails goes on failing for
 * more. */
static int64_t most_of(struct trial *trial, int64_t most_mw)
{
    int64_t fits = 0, fails = most_mw / QUANTUM_HOST_MW + 1;
    while (fails - fits > 1) {
        int64_t tried = fits + (fails - fits) / 2;
        if (may_have(trial, tried * QUANTUM_HOST_MW))
            fits = tried;
        else
            fails = tried;
    }
    return fits * QUANTUM_HOST_MW;
}

/* ---- the answer ---- */

static uint32_t first_reason(uint8_t reasons)
{
    static const uint8_t order[] = {TOKEN_WOULD_TRIP, TOKEN_PREDICTED_CONFLICT, TOKEN_PERMIT_MISSING,
                                    TOKEN_POOL_EMPTY};
    for (uint32_t i = 0; i < sizeof order; i++)
        if (reasons & 1u << order[i])
            return order[i];
    return TOKEN_GRANTED;
}

static void take_ahead(struct trial *trial)
{
    for (uint32_t i = 0; i < trial->spots; i++)
        trial->tokens->ramps->node[trial->spot[i].node].ahead.credit_mw -= through_mw(trial, &trial->spot[i]);
}

/* It waits where it lacked room, unless one that goes before it does, or came first. */
static void wait_for_room(struct trial *trial, int64_t until_ns)
{
    for (uint32_t i = 0; i < trial->spots; i++) {
        struct token_wait *wait = &trial->tokens->wait[trial->spot[i].node];
        bool taken = trial->t_ns < wait->until_ns && wait->host != trial->asker &&
                     wait->priority <= trial->priority;
        if (trial->spot[i].lacks_room && !taken)
            *wait = (struct token_wait){trial->asker, trial->priority, trial->draw_mw, until_ns};
    }
}

static void wait_no_more(struct trial *trial)
{
    for (uint32_t i = 0; i < trial->spots; i++) {
        struct token_wait *wait = &trial->tokens->wait[trial->spot[i].node];
        if (wait->host == trial->asker)
            *wait = (struct token_wait){0};
    }
}

static void deny(struct trial *trial, int64_t asked_mw, struct token_response *response)
{
    response->reason = first_reason(trial->reasons);
    response->retry_after_ns = larger(RETRY_NS, trial->wait_ns);
    wait_no_more(trial);
    wait_for_room(trial, trial->t_ns + response->retry_after_ns + TOKEN_GRACE_NS);
    /* what is cheap to know narrows the search among what is not */
    trial->heat_too = false;
    int64_t most_mw = most_of(trial, asked_mw - QUANTUM_HOST_MW);
    trial->heat_too = true;
    response->alternative_mw = may_have(trial, most_mw) ? most_mw : most_of(trial, most_mw);
}

static void decide(struct tokens *tokens, const struct token_request *request, int64_t t_ns,
                   struct token_response *response)
{
    struct trial trial = {
        .tokens = tokens, .host = &tokens->model->host[request->host],
        .has = &tokens->pools->host[request->host], .t_ns = t_ns,
        .asker = request->host, .priority = request->priority,
        .duration_ns = smaller(request->duration_ns, DURATION_MAX_NS), .heat_too = true,
    };
    int64_t asked_mw = draw_ceil_div(request->amount_mw, QUANTUM_HOST_MW) * QUANTUM_HOST_MW;
    find_spots(&trial);
    if (asked_mw > 0 && !may_have(&trial, asked_mw)) {
        deny(&trial, asked_mw, response);
        return;
    }
    trial.draw_mw = asked_mw;
    take_ahead(&trial);
    wait_no_more(&trial);
    pool_reserve(tokens->pools, request->host, asked_mw, t_ns + trial.duration_ns);
    response->granted_mw = response->alternative_mw = asked_mw;
}

/* ---- what was answered before ---- */

static bool is_same(const struct token_request *a, const struct token_request *b)
{
    return a->request == b->request && a->amount_mw == b->amount_mw && a->duration_ns == b->duration_ns &&
           a->priority == b->priority;
}

/* Of the answers that still stand: one to the same request, or the newest that denied as much. */
static const struct token_answer *answered(const struct token_host *host, const struct token_request *request,
                                           int64_t t_ns)
{
    const struct token_answer *newest = &host->answer[host->newest];
    for (uint32_t i = 0; i < TOKEN_ANSWERS; i++)
        if (t_ns < host->answer[i].until_ns && is_same(&host->answer[i].request, request))
            return &host->answer[i];
    bool denied = newest->until_ns && newest->response.reason != TOKEN_GRANTED;
    bool early = denied && t_ns < newest->until_ns - REMEMBER_NS + newest->response.retry_after_ns;
    return early && request->amount_mw > newest->response.alternative_mw &&
                   request->duration_ns >= newest->request.duration_ns
               ? newest
               : NULL;
}

bool pool_request(struct tokens *tokens, const struct token_request *request, int64_t t_ns,
                  struct token_response *response)
{
    struct token_host *host = &tokens->host[request->host];
    const struct token_answer *before = answered(host, request, t_ns);
    *response = (struct token_response){.host = request->host};
    if (before)
        *response = before->response;
    else
        decide(tokens, request, t_ns, response);
    response->request = request->request;
    if (before)
        return false;
    host->newest = (host->newest + 1) % TOKEN_ANSWERS;
    host->answer[host->newest] = (struct token_answer){*request, *response, t_ns + REMEMBER_NS};
    return true;
}
