/* SPDX-License-Identifier: Apache-2.0 */
/* D and S, kept by difference: safety.md section 4. */
#include "core/compare.h"
#include "core/draw.h"
#include "core/sums_inside.h"

static int64_t part(int64_t value, int64_t ppm)
{
    return value / PPM * ppm + value % PPM * ppm / PPM;
}

static bool exposed_over(const struct ledger_sums *sums, uint32_t c, uint32_t phase)
{
    return sums->exposed_mva[c][phase] > sums->ceiling_mva[c][phase];
}

void sums_init(struct ledger *ledger)
{
    const struct model *model = ledger->model;
    ledger->over_count = 0;
    for (uint32_t n = 0; n < model->node_count; n++) {
        const struct model_node *node = &model->node[n];
        struct ledger_sums *sums = &ledger->node[n];
        *sums = (struct ledger_sums){.scale_ppm = PPM};
        for (uint32_t i = 0; i < model->contingency_count * PHASES; i++) {
            uint32_t c = i / PHASES, phase = i % PHASES;
            int64_t standing_mva = node->bad_mva[c][phase] + node->other_mva[phase];
            sums->exposed_mva[c][phase] = standing_mva;
            sums->newest_mva[c][phase] = standing_mva;
            sums->ungoverned_mva[c][phase] = standing_mva;
            sums->safe_mva[c][phase] = standing_mva;
            sums->steady_mva[c][phase] = node->limited ? node->limit_mva[c][phase] : INT64_MAX / 2;
            sums->limit_mva[c][phase] = sums->ceiling_mva[c][phase] = sums->steady_mva[c][phase];
            ledger->over_count += exposed_over(sums, c, phase);
        }
        sums_mark_highest(ledger, n);
    }
}

void sums_add_base(struct ledger *ledger, uint32_t host)
{
    const struct model *model = ledger->model;
    const struct model_host *h = &model->host[host];
    for (uint32_t i = 0; i < h->cord_count * model->contingency_count * PHASES; i++) {
        uint32_t phase = i % PHASES, c = i / PHASES % model->contingency_count;
        const struct model_cord *cord = &h->cord[i / PHASES / model->contingency_count];
        const struct model_node *node = &model->node[cord->node];
        int64_t base_mva =
            draw_on_phase_mva(cord, pf_of(ledger, host), c, phase, model->type[h->type].base_max_mw);
        for (uint32_t a = 0; a < node->ancestor_count; a++)
            ledger->node[node->ancestor[a]].ungoverned_mva[c][phase] += base_mva;
    }
}

/* How many of the first are above the second. Sums and limits are below 2^62, so differences do not wrap. */
static uint32_t count_over(const int64_t *sum_mva, const int64_t *limit_mva, uint32_t cells)
{
    uint64_t over = 0;
    for (uint32_t i = 0; i < cells; i++)
        over += (uint64_t)(limit_mva[i] - sum_mva[i]) >> 63;
    return (uint32_t)over;
}

static void note_recovery(struct ledger *ledger, struct ledger_sums *sums, uint32_t before, uint32_t after,
                          bool rises)
{
    ledger->over_count += after - before;
    if (after && (rises || !before) && ledger->cause == RECOVERY_NONE)
        ledger->unexplained = true;
    sums->recovery_events += after && (rises || !before);
    if (!after || before)
        return;
    sums->recovery_by = ledger->cause;
    ledger->recoveries[ledger->cause]++;
}

static void add(struct ledger *ledger, uint32_t node, enum sum sum, const int64_t *delta_mva, uint32_t cells)
{
    struct ledger_sums *sums = &ledger->node[node];
    int64_t *sum_mva = cells_of(sums, sum);
    uint32_t before = sum == SUM_EXPOSED ? count_over(sum_mva, run_of(sums->ceiling_mva), cells) : 0;
    bool rises = false;
    for (uint32_t i = 0; i < cells; i++) {
        rises |= delta_mva[i] > 0;
        sum_mva[i] += delta_mva[i];
    }
    if (sum == SUM_EXPOSED)
        note_recovery(ledger, sums, before, count_over(sum_mva, run_of(sums->ceiling_mva), cells), rises);
}

/* What a change of draw changes in every cell above one cord. The same change on every phase that carries the
 * same fraction, and in every contingency with the same share as the first: a three-phase cord costs one
 * conversion, not three for each of them. */
static void cord_delta_mva(const struct model *model, const struct model_cord *cord, int64_t pf_ppm,
                           int64_t old_mw, int64_t new_mw, int64_t delta_mva[CELLS_MAX])
{
    for (uint32_t i = 0; i < model->contingency_count * PHASES; i++) {
        uint32_t c = i / PHASES, phase = i % PHASES;
        if (!cord->share_ppm[c])
            delta_mva[i] = 0;
        else if (c && cord->share_ppm[c] == cord->share_ppm[0])
            delta_mva[i] = delta_mva[phase];
        else if (phase && cord->phase_ppm[phase] == cord->phase_ppm[phase - 1])
            delta_mva[i] = delta_mva[i - 1];
        else
            delta_mva[i] = draw_on_phase_mva(cord, pf_ppm, c, phase, new_mw) -
                           draw_on_phase_mva(cord, pf_ppm, c, phase, old_mw);
    }
}

void sums_replace(struct ledger *ledger, uint32_t host, enum sum sum, int64_t old_mw, int64_t new_mw)
{
    int64_t delta_mva[CELLS_MAX];
    const struct model *model = ledger->model;
    const struct model_host *h = &model->host[host];
    uint32_t cells = model->contingency_count * PHASES;
    for (uint32_t j = 0; old_mw != new_mw && j < h->cord_count; j++) {
        const struct model_node *node = &model->node[h->cord[j].node];
        cord_delta_mva(model, &h->cord[j], pf_of(ledger, host), old_mw, new_mw, delta_mva);
        for (uint32_t a = 0; a < node->ancestor_count; a++)
            add(ledger, node->ancestor[a], sum, delta_mva, cells);
    }
}

static bool is_above(const struct model *model, uint32_t node, const struct model_cord *cord)
{
    const struct model_node *below = &model->node[cord->node];
    for (uint32_t a = 0; a < below->ancestor_count; a++)
        if (below->ancestor[a] == node)
            return true;
    return false;
}

/* Where cords of the host meet a node carries the sum of what they change. */
bool sums_fit(const struct ledger *ledger, uint32_t host, enum sum sum, int64_t old_mw, int64_t new_mw)
{
    int64_t delta_mva[CORDS_MAX][CELLS_MAX];
    const struct model *model = ledger->model;
    const struct model_host *h = &model->host[host];
    uint32_t cells = model->contingency_count * PHASES;
    if (old_mw == new_mw)
        return !sums_over(ledger, host, sum);
    for (uint32_t j = 0; j < h->cord_count; j++)
        cord_delta_mva(model, &h->cord[j], pf_of(ledger, host), old_mw, new_mw, delta_mva[j]);
    for (uint32_t j = 0; j < h->cord_count; j++) {
        const struct model_node *node = &model->node[h->cord[j].node];
        for (uint32_t a = 0; a < node->ancestor_count; a++) {
            struct ledger_sums *sums = &ledger->node[node->ancestor[a]];
            const int64_t *limit_mva = run_of(sums->limit_mva), *sum_mva = cells_of(sums, sum);
            int64_t left[CELLS_MAX], least = 0;
            for (uint32_t i = 0; i < cells; i++)
                left[i] = limit_mva[i] - sum_mva[i] - delta_mva[j][i];
            for (uint32_t k = 0; k < h->cord_count; k++)
                for (uint32_t i = 0; k != j && is_above(model, node->ancestor[a], &h->cord[k]) && i < cells;
                     i++)
                    left[i] -= delta_mva[k][i];
            for (uint32_t i = 0; i < cells; i++)
                least |= left[i];
            if (least < 0)
                return false;
        }
    }
    return true;
}

static void raise_highest(struct ledger_sums *sums, uint32_t contingencies)
{
    for (uint32_t i = 0; i < contingencies * PHASES; i++)
        if (sums->exposed_mva[i / PHASES][i % PHASES] > sums->highest_mva[i % PHASES])
            sums->highest_mva[i % PHASES] = sums->exposed_mva[i / PHASES][i % PHASES];
}

void sums_note_highest(struct ledger *ledger, uint32_t host)
{
    const struct model *model = ledger->model;
    const struct model_host *h = &model->host[host];
    for (uint32_t j = 0; j < h->cord_count; j++) {
        const struct model_node *node = &model->node[h->cord[j].node];
        for (uint32_t a = 0; a < node->ancestor_count; a++)
            raise_highest(&ledger->node[node->ancestor[a]], model->contingency_count);
    }
}

void sums_mark_highest(struct ledger *ledger, uint32_t node)
{
    struct ledger_sums *sums = &ledger->node[node];
    for (uint32_t phase = 0; phase < PHASES; phase++)
        sums->highest_mva[phase] = sums->exposed_mva[0][phase];
    raise_highest(sums, ledger->model->contingency_count);
}

static bool node_over(struct ledger_sums *sums, uint32_t contingencies, enum sum sum)
{
    const int64_t *sum_mva = cells_of(sums, sum), *limit_mva = run_of(sums->limit_mva);
    int64_t left = 0;
    for (uint32_t i = 0; i < contingencies * PHASES; i++)
        left |= limit_mva[i] - sum_mva[i];
    return left < 0;
}

bool sums_over(const struct ledger *ledger, uint32_t host, enum sum sum)
{
    const struct model *model = ledger->model;
    const struct model_host *h = &model->host[host];
    for (uint32_t j = 0; j < h->cord_count; j++) {
        const struct model_node *node = &model->node[h->cord[j].node];
        for (uint32_t a = 0; a < node->ancestor_count; a++)
            if (node_over(&ledger->node[node->ancestor[a]], model->contingency_count, sum))
                return true;
    }
    return false;
}

/* ---- limits ---- */

static void mark_fallen(struct ledger *ledger, uint32_t node)
{
    struct ledger_fell *fell = &ledger->fell;
    if (!fell->node || fell->marked[node])
        return;
    fell->marked[node] = 1;
    fell->node[fell->count++] = node;
}

static bool newest_over(const struct ledger *ledger, uint32_t node)
{
    return node_over(&ledger->node[node], ledger->model->contingency_count, SUM_NEWEST);
}

/* Amperes at the lowest credible voltage, lowered as the steady limit is; a contingency at a lower voltage
 * carries as much less as the model's limit does. Rounded down. */
static int64_t lent_mva(const struct ledger *ledger, uint32_t n, int64_t ma, uint32_t c, uint32_t phase)
{
    const struct model_node *node = &ledger->model->node[n];
    int64_t none_mva = node->limit_mva[0][phase], mva = ma * node->volts_low_mv / 1000;
    mva = part(mva, ledger->node[n].scale_ppm);
    if (node->limit_mva[c][phase] >= none_mva || none_mva < PPM)
        return mva;
    return part(mva, node->limit_mva[c][phase] / (none_mva / PPM + 1));
}

static void set_limits(struct ledger *ledger, uint32_t node, enum recovery_cause cause)
{
    struct ledger_sums *sums = &ledger->node[node];
    uint32_t cells = ledger->model->contingency_count * PHASES;
    uint32_t before = count_over(run_of(sums->exposed_mva), run_of(sums->ceiling_mva), cells);
    for (uint32_t i = 0; i < cells; i++) {
        uint32_t c = i / PHASES, phase = i % PHASES;
        int64_t steady_mva = ledger->model->node[node].limit_mva[c][phase];
        if (sums->scale_ppm != PPM)
            steady_mva = steady_mva / PPM * sums->scale_ppm;
        int64_t limit_mva = steady_mva, ceiling_mva = steady_mva;
        if (sums->lend.contingencies & 1u << c) {
            limit_mva = larger(limit_mva, lent_mva(ledger, node, sums->lend.lendable_ma, c, phase));
            ceiling_mva = larger(limit_mva, lent_mva(ledger, node, sums->lend.admissible_ma, c, phase));
        }
        sums->steady_mva[c][phase] = steady_mva;
        sums->limit_mva[c][phase] = limit_mva;
        sums->ceiling_mva[c][phase] = ceiling_mva;
    }
    ledger->cause = (uint8_t)cause;
    note_recovery(ledger, sums, before,
                  count_over(run_of(sums->exposed_mva), run_of(sums->ceiling_mva), cells), false);
    ledger->cause = RECOVERY_NONE;
    if (newest_over(ledger, node))
        mark_fallen(ledger, node);
}

void sums_scale_limit(struct ledger *ledger, uint32_t node, int64_t ppm)
{
    if (!ledger->model->node[node].limited)
        return;
    ledger->node[node].scale_ppm = ppm;
    set_limits(ledger, node, RECOVERY_SAG);
}

void sums_lend(struct ledger *ledger, uint32_t node, const struct ledger_lend *lend)
{
    bool lost = ledger->node[node].lend.contingencies & (uint8_t)~lend->contingencies;
    ledger->node[node].lend = *lend;
    set_limits(ledger, node, lost ? RECOVERY_LIMIT : RECOVERY_HEAT);
}

void sums_note_over(struct ledger *ledger, uint32_t host)
{
    const struct model_host *h = &ledger->model->host[host];
    for (uint32_t j = 0; j < h->cord_count; j++) {
        const struct model_node *node = &ledger->model->node[h->cord[j].node];
        for (uint32_t a = 0; a < node->ancestor_count; a++)
            if (newest_over(ledger, node->ancestor[a]))
                mark_fallen(ledger, node->ancestor[a]);
    }
}
