/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ramps, pools and requests for power ahead of time on random sites and histories. In every slot the second
 * ledger must agree with what was sent (I1: a storm of requests allows nothing); and looked at from outside:
 *
 *   P12  the sum of caps below a node with a ramp never rises by more than rate x time + one bucket
 *   P9   what is drawn, granted and free adds up to the level, as recomputed from what was said and answered
 *        a grant leaves every level and limit above it kept, by the same recomputation
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "core/draw.h"
#include "msg/frame.h"
#include "run.h"
#include "trial.h"

enum { QUANTUM_MW = 100000 };

struct ask {
    int64_t drawn_mw, granted_mw, until_ns;
};

struct storm {
    struct trial trial;
    uint64_t requests, grants, denials, waits;
    struct ask ask[BUILT_HOSTS_MAX];
    double lowest_mw[BUILT_NODES_MAX];          /* least of sum - rate x t so far */
};

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void prepare(struct model *model, uint64_t seed)
{
    struct chance chance = {seed * 7 + 5};
    for (uint32_t n = 0; n < model->node_count; n++) {
        struct model_node *node = &model->node[n];
        if (node->limited && chance_hit(&chance, 0.6)) {
            node->level_mva = node->limit_mva[0][0] / 100 * chance_range(&chance, 50, 90);
            node->level_burst_mva = node->level_mva + node->level_mva / 16;
            node->burst_credit_va_ns_max = node->level_mva / 1000 * chance_range(&chance, 0, 2) * NS_PER_S;
        }
        if (chance_hit(&chance, 0.3))
            node->ramp_up_mw_per_s = 1000000 * chance_range(&chance, 1, 200);
        if (chance_hit(&chance, 0.2))
            node->ramp_down_mw_per_s = 1000000 * chance_range(&chance, 1, 200);
    }
    model->policy.hold_least_ns = chance_hit(&chance, 0.5) ? NS_PER_S : 0;
    model->policy.hold_most_ns = 60 * NS_PER_S;
    model->policy.damper_window_ns = chance_hit(&chance, 0.5) ? NS_PER_S : 0;
    model->policy.damper_changes = 3;
}

static double share_at(const struct model *model, uint32_t n, const struct model_host *host)
{
    double share = 0;
    for (uint32_t j = 0; j < host->cord_count; j++)
        share += model_above(model, n, host->cord[j].node) ? (double)host->cord[j].share_ppm[0] / 1e6 : 0;
    return share;
}

/* ---- P12 ---- */

static double sum_of_caps_mw(const struct storm *storm, uint32_t n)
{
    const struct model *model = storm->trial.model;
    double sum_mw = 0;
    for (uint32_t h = 0; h < model->host_count; h++) {
        const struct model_host *host = &model->host[h];
        int64_t cap_mw = larger(storm->trial.core->ledger.host[h].newest_mw, host->fail_safe_mw);
        sum_mw += share_at(model, n, host) * (double)draw_of_cap_mw(&model->type[host->type], cap_mw);
    }
    return sum_mw;
}

/* Largest step one quantum makes: a bucket holds at least that. */
static double bucket_mw(const struct model *model, uint32_t n)
{
    double most_mw = (double)model->node[n].ramp_up_mw_per_s *
                     (double)larger(16 * NS_PER_MS, model->policy.tick_ns) / 1e9;
    for (uint32_t t = 0; t < model->type_count; t++) {
        double step_mw = (double)model->type[t].quantum_mw * (double)model->type[t].gain_ppm / 1e6 + 2;
        most_mw = step_mw > most_mw ? step_mw : most_mw;
    }
    return most_mw;
}

static bool ramps_are_kept(struct storm *storm)
{
    const struct model *model = storm->trial.model;
    for (uint32_t n = 0; n < model->node_count; n++) {
        double rate_mw = (double)model->node[n].ramp_up_mw_per_s;
        if (rate_mw <= 0)
            continue;
        double due_mw = sum_of_caps_mw(storm, n) - rate_mw * (double)storm->trial.t_ns / 1e9;
        storm->lowest_mw[n] = due_mw < storm->lowest_mw[n] ? due_mw : storm->lowest_mw[n];
        if (due_mw > storm->lowest_mw[n] + bucket_mw(model, n) + 1000)
            return trial_fail(&storm->trial, "caps below node %u rise by %.0f mW more than its ramp", n,
                              due_mw - storm->lowest_mw[n] - bucket_mw(model, n));
    }
    return true;
}

/* ---- P9 and grants ---- */

/* mVA on a phase of a node per mW of a host, every cord at the most it may carry. */
static double load_of(const struct model *model, uint32_t n, uint32_t c, uint32_t phase, uint32_t h)
{
    const struct model_host *host = &model->host[h];
    double load = 0;
    for (uint32_t j = 0; j < host->cord_count; j++)
        if (model_above(model, n, host->cord[j].node))
            load += (double)host->cord[j].share_ppm[c] / 1e6 * (double)host->cord[j].phase_ppm[phase] /
                    (double)model->type[host->type].pf_min_ppm;
    return load;
}

static double load_mva(const struct storm *storm, uint32_t n, uint32_t c, uint32_t phase, bool granted)
{
    const struct model *model = storm->trial.model;
    double sum_mva = 0;
    for (uint32_t h = 0; h < model->host_count; h++) {
        const struct ask *ask = &storm->ask[h];
        int64_t mw = granted ? larger(ask->drawn_mw, ask->granted_mw) : ask->drawn_mw;
        sum_mva += load_of(model, n, c, phase, h) * (double)mw;
    }
    return sum_mva;
}

static bool adds_up(struct storm *storm)
{
    const struct model *model = storm->trial.model;
    const struct pools *pools = &storm->trial.core->pools;
    for (uint32_t n = 0; n < model->node_count; n++) {
        struct pool_view view;
        double rounding_mva = 8.0 * model->host_count;
        pool_view(pools, n, &view);
        for (uint32_t i = 0; i < model->contingency_count * PHASES; i++) {
            double expected = load_mva(storm, n, i / PHASES, i % PHASES, true);
            double kept = (double)pool_committed_mva(&pools->node[n], i / PHASES, i % PHASES);
            if (kept < expected - 1 || kept > expected + rounding_mva)
                return trial_fail(&storm->trial, "node %u is committed to %.0f mVA, counted %.0f", n,
                                  expected, kept);
        }
        for (uint32_t p = 0; p < PHASES; p++) {
            double expected = load_mva(storm, n, 0, p, false), kept = (double)pools->node[n].drawn_mva[0][p];
            if (kept < expected - 1 || kept > expected + rounding_mva)
                return trial_fail(&storm->trial, "node %u draws %.0f mVA, counted %.0f", n, expected, kept);
        }
        if (view.level_mva && view.forecast_mva + view.free_mva != view.level_mva)
            return trial_fail(&storm->trial, "node %u: forecast and free are not the level", n);
    }
    return true;
}

/* On the phases that the host loads: of others it can say nothing. */
static bool keeps_level(struct storm *storm, uint32_t n, uint32_t h)
{
    const struct pools *pools = &storm->trial.core->pools;
    for (uint32_t p = 0; p < PHASES; p++) {
        int64_t above_mva = pool_forecast_mva(pools, n, p, 0) - pool_level_mva(pools, n);
        if (load_of(storm->trial.model, n, 0, p, h) > 0 && above_mva > 0)
            return trial_fail(&storm->trial, "a grant puts node %u %lld mVA above its level", n,
                              (long long)above_mva);
    }
    return true;
}

/* Forecast at most the level, commitment at most the limits of every node above, recomputed. */
static bool grant_is_sound(struct storm *storm, uint32_t h)
{
    const struct model *model = storm->trial.model;
    for (uint32_t n = 0; n < model->node_count; n++) {
        const struct model_node *node = &model->node[n];
        if (!storm->trial.shadow->above[n][h])
            continue;
        for (uint32_t i = 0; i < model->contingency_count * PHASES && node->limited; i++) {
            uint32_t c = i / PHASES, p = i % PHASES;
            if (load_of(model, n, c, p, h) <= 0)
                continue;
            double load = load_mva(storm, n, c, p, true) + (double)(node->other_mva[p] + node->bad_mva[c][p]);
            if (load > (double)storm->trial.core->ledger.node[n].limit_mva[c][p] + 1)
                return trial_fail(&storm->trial, "a grant commits node %u to %.0f mVA", n, load);
        }
        if (!keeps_level(storm, n, h))
            return false;
    }
    return true;
}

/* ---- the storm ---- */

static bool request(struct storm *storm)
{
    struct trial *trial = &storm->trial;
    struct slot slot;
    uint32_t h = (uint32_t)chance_range(&trial->chance, 0, trial->model->host_count - 1);
    struct ask *ask = &storm->ask[h];
    memset(&slot, 0, sizeof slot);
    slot.kind = SLOT_TOKEN;
    slot.token = (struct token_request){
        .host = h,
        .request = (uint64_t)chance_range(&trial->chance, 1, 8),
        .amount_mw = chance_range(&trial->chance, 0, 20) * 700000,
        .duration_ns = chance_range(&trial->chance, 0, 5) * 400 * NS_PER_MS,
    };
    uint64_t repeated = core_counters(trial->core)->tokens_repeated;
    int64_t before_mw = larger(ask->drawn_mw, ask->granted_mw), t_ns = trial->t_ns;
    if (!trial_feed(trial, &slot))
        return false;
    /* the last word: what time itself has made due is cut first */
    const struct egress *answer = &trial->outbox.record[trial->outbox.count - 1];
    if (!trial->outbox.count || answer->kind != FRAME_TOKEN_RESPONSE || answer->echo != slot.token.request)
        return trial_fail(trial, "a request is not answered in its slot");
    storm->requests++;
    if (core_counters(trial->core)->tokens_repeated != repeated)
        return true;
    storm->grants += answer->why == TOKEN_GRANTED;
    storm->denials += answer->why != TOKEN_GRANTED;
    if (answer->why != TOKEN_GRANTED)
        return answer->floor_w % 100 == 0 && (int64_t)answer->floor_w * 1000 < slot.token.amount_mw
                   ? true
                   : trial_fail(trial, "an alternative of %u W", answer->floor_w);
    ask->granted_mw = (slot.token.amount_mw + QUANTUM_MW - 1) / QUANTUM_MW * QUANTUM_MW;
    ask->until_ns = t_ns + slot.token.duration_ns;
    return larger(ask->drawn_mw, ask->granted_mw) <= before_mw || grant_is_sound(storm, h);
}

/* What the core was told of draws, and which grants it may have let go by now. */
static void follow(struct storm *storm)
{
    const struct core *core = storm->trial.core;
    for (uint32_t h = 0; h < storm->trial.model->host_count; h++) {
        struct ask *ask = &storm->ask[h];
        int64_t draw_mw = core->ledger.host[h].incarnation ? core->ledger.host[h].draw_mw : 0;
        ask->drawn_mw = (draw_mw + QUANTUM_MW - 1) / QUANTUM_MW * QUANTUM_MW;
        bool heard =
            storm->trial.t_ns - core->ledger.host[h].report_t_ns <= storm->trial.model->policy.lease_ns;
        bool over = storm->trial.t_ns >= ask->until_ns || !heard;
        if (ask->granted_mw && over && !core->pools.host[h].reserved_mw)
            ask->granted_mw = 0;
    }
}

static bool storm_on(struct trial *trial)
{
    struct storm *storm = (struct storm *)trial;
    follow(storm);
    for (int i = 0; i < 2; i++)
        if (chance_hit(&trial->chance, 0.3) && !request(storm))
            return false;
    for (uint32_t h = 0; h < trial->model->host_count; h++)
        storm->waits += trial->core->bound[h].term == BOUND_RAMP;
    return adds_up(storm) && ramps_are_kept(storm);
}

static int one(uint64_t seed, bool is_long, struct storm *storm)
{
    struct chance chance = {seed};
    struct weather weather = {
        .quick_ns = NS_PER_MS, .sag_from_ns = INT64_MAX, .loss = chance_hit(&chance, 0.5) ? 0.05 : 0,
        .restart = chance_hit(&chance, 0.3) ? 0.1 : 0, .reset = chance_hit(&chance, 0.3) ? 0.1 : 0,
        .false_alarm = chance_hit(&chance, 0.3) ? 0.003 : 0, .slow_ns = 100 * NS_PER_MS,
    };
    memset(storm, 0, sizeof *storm);
    trial_open_with(&storm->trial, seed, is_long ? 48 : 20, &weather, prepare);
    storm->trial.also = storm_on;
    for (uint32_t n = 0; n < BUILT_NODES_MAX; n++)
        storm->lowest_mw[n] = 1e18;
    bool good = trial_run(&storm->trial, (is_long ? 20 : 4) * NS_PER_S, 0, 0);
    if (!good)
        printf("FAILED: --seed %llu --cases 1%s at %.3f s: %s\n", (unsigned long long)seed,
               is_long ? " --long" : "", (double)storm->trial.t_ns / 1e9, storm->trial.complaint);
    trial_close(&storm->trial);
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct run run = run_begin("pace_property", 16, 500);
    uint64_t grants = 0, denials = 0, waits = 0;
    int failures = 0;
    for (int i = 1; i < argc; i++)
        if (!run_option(&run, argc, argv, &i))
            return run_usage(&run, "");
    struct storm *storm = malloc(sizeof *storm);
    if (!storm)
        abort();
    for (uint64_t i = 0; i < run.cases; i++) {
        failures += one(run.seed + i, run.is_long, storm);
        grants += storm->grants;
        denials += storm->denials;
        waits += storm->waits;
    }
    free(storm);
    /* a storm that meets nothing proves nothing */
    failures += run.cases >= 16 && (grants < 100 || denials < 100 || waits < 100);
    printf("%llu grants, %llu denials, %llu waits for a ramp\n", (unsigned long long)grants,
           (unsigned long long)denials, (unsigned long long)waits);
    run_end(&run, (uint64_t)failures);
    return failures ? 1 : 0;
}
