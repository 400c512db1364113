/* SPDX-License-Identifier: Apache-2.0 */
/* D and S, kept by difference: safety.md section 4. */
#include "core/compare.h"
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
            sums->steady_mva[c][phase] = node->limited ? node->limit_mva[c][phase] : SUMS_NO_LIMIT_MVA;
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

static void raise_highest(struct ledger_sums *sums, uint32_t cells)
{
    const int64_t *exposed_mva = cells_run(sums->exposed_mva);
    for (uint32_t i = 0; i < cells; i += PHASES)
        for (uint32_t phase = 0; phase < PHASES; phase++)
            sums->highest_mva[phase] = larger(sums->highest_mva[phase], exposed_mva[i + phase]);
}

/* Where nothing is known to be left, nothing is known afterwards. */
static void take_left(struct ledger_sums *sums, enum sum sum, int64_t most_mva)
{
    sums->left_mva[sum] = larger(sums->left_mva[sum] - most_mva, 0);
}

static void add_exposed(struct ledger *ledger, struct ledger_sums *sums, const int64_t *delta_mva,
                        int64_t most_mva, uint32_t cells)
{
    int64_t *sum_mva = cells_run(sums->exposed_mva);
    bool may_be_over = sums->left_mva[SUM_EXPOSED] <= 0;    /* a ceiling is never below its limit */
    uint32_t before = may_be_over ? count_over(sum_mva, cells_run(sums->ceiling_mva), cells) : 0;
    cells_add(sum_mva, delta_mva, cells);
    take_left(sums, SUM_EXPOSED, most_mva);
    if (before || node_over(sums, SUM_EXPOSED, cells))
        note_recovery(ledger, sums, before, count_over(sum_mva, cells_run(sums->ceiling_mva), cells),
                      most_mva > 0);
    if (most_mva > 0)
        raise_highest(sums, cells);
}

/* What one cord changes in each of the sums. */
struct change {
    int64_t delta_mva[SUM_COUNT][CELLS_MAX];
    int64_t most_mva[SUM_COUNT];
    bool is_one[SUM_COUNT];
    uint32_t from[SUM_COUNT];           /* sums that change alike share what was worked out first */
};

static void work_out(struct change *change, const struct ledger *ledger, uint32_t host, uint32_t j,
                     const int64_t old_mw[SUM_COUNT], const int64_t new_mw[SUM_COUNT])
{
    uint32_t contingencies = ledger->model->contingency_count;
    for (uint32_t sum = 0; sum < SUM_COUNT; sum++) {
        change->is_one[sum] = old_mw[sum] != new_mw[sum];
        change->from[sum] = sum && old_mw[sum] == old_mw[sum - 1] && new_mw[sum] == new_mw[sum - 1]
                                ? change->from[sum - 1]
                                : sum;
        if (!change->is_one[sum] || change->from[sum] != sum)
            continue;
        cells_change_mva(&ledger->model->host[host].cord[j], contingencies, pf_of(ledger, host), old_mw[sum],
                         new_mw[sum], change->delta_mva[sum]);
        change->most_mva[sum] = cells_most_mva(change->delta_mva[sum], contingencies * PHASES);
    }
}

static void enter(struct ledger *ledger, uint32_t node, const struct change *change, uint32_t cells)
{
    struct ledger_sums *sums = &ledger->node[node];
    if (change->is_one[SUM_EXPOSED])
        add_exposed(ledger, sums, change->delta_mva[SUM_EXPOSED], change->most_mva[SUM_EXPOSED], cells);
    if (change->is_one[SUM_NEWEST]) {
        uint32_t from = change->from[SUM_NEWEST];
        cells_add(cells_run(sums->newest_mva), change->delta_mva[from], cells);
        take_left(sums, SUM_NEWEST, change->most_mva[from]);
    }
    if (change->is_one[SUM_SAFE])
        cells_add(cells_run(sums->safe_mva), change->delta_mva[change->from[SUM_SAFE]], cells);
}

void sums_replace_all(struct ledger *ledger, uint32_t host, const int64_t old_mw[SUM_COUNT],
                      const int64_t new_mw[SUM_COUNT])
{
    struct change change;
    const struct model *model = ledger->model;
    const struct model_host *h = &model->host[host];
    if (!memcmp(old_mw, new_mw, SUM_COUNT * sizeof *old_mw))
        return;
    for (uint32_t j = 0; j < h->cord_count; j++) {
        const struct model_node *node = &model->node[h->cord[j].node];
        work_out(&change, ledger, host, j, old_mw, new_mw);
        for (uint32_t a = 0; a < node->ancestor_count; a++)
            enter(ledger, node->ancestor[a], &change, model->contingency_count * PHASES);
    }
}

void sums_replace(struct ledger *ledger, uint32_t host, enum sum sum, int64_t old_mw, int64_t new_mw)
{
    int64_t from_mw[SUM_COUNT] = {0}, to_mw[SUM_COUNT] = {0};
    from_mw[sum] = old_mw;
    to_mw[sum] = new_mw;
    sums_replace_all(ledger, host, from_mw, to_mw);
}

void sums_mark_highest(struct ledger *ledger, uint32_t node)
{
    struct ledger_sums *sums = &ledger->node[node];
    for (uint32_t phase = 0; phase < PHASES; phase++)
        sums->highest_mva[phase] = sums->exposed_mva[0][phase];
    raise_highest(sums, ledger->model->contingency_count * PHASES);
}

void sums_hand_highest(struct ledger *ledger, uint32_t node, const int64_t highest_mva[PHASES])
{
    int64_t *mark_mva = ledger->node[node].highest_mva;
    sums_mark_highest(ledger, node);
    for (uint32_t phase = 0; phase < PHASES; phase++)
        mark_mva[phase] = larger(mark_mva[phase], highest_mva[phase]);
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

void sums_forget_fallen(struct ledger *ledger)
{
    while (ledger->fell.count)
        ledger->fell.marked[ledger->fell.node[--ledger->fell.count]] = 0;
}

static bool newest_over(const struct ledger *ledger, uint32_t node)
{
    return node_over(&ledger->node[node], SUM_NEWEST, ledger->model->contingency_count * PHASES);
}

void sums_add_standing(struct ledger *ledger, uint32_t node, const int64_t more_mva[PHASES],
                       enum recovery_cause cause)
{
    struct ledger_sums *sums = &ledger->node[node];
    uint32_t cells = ledger->model->contingency_count * PHASES;
    int64_t delta_mva[CELLS_MAX];
    for (uint32_t i = 0; i < cells; i++)
        delta_mva[i] = more_mva[i % PHASES];
    for (uint32_t phase = 0; phase < PHASES; phase++)
        sums->raised_mva[phase] += more_mva[phase];
    ledger->cause = (uint8_t)cause;
    add_exposed(ledger, sums, delta_mva, cells_most_mva(delta_mva, cells), cells);
    ledger->cause = RECOVERY_NONE;
    cells_add(cells_run(sums->newest_mva), delta_mva, cells);
    cells_add(cells_run(sums->safe_mva), delta_mva, cells);
    cells_add(cells_run(sums->ungoverned_mva), delta_mva, cells);
    take_left(sums, SUM_NEWEST, cells_most_mva(delta_mva, cells));
    if (ledger->moved.node)
        ledger->moved.node[node] = 1;
    if (newest_over(ledger, node))
        mark_fallen(ledger, node);
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
    uint32_t before = count_over(cells_run(sums->exposed_mva), cells_run(sums->ceiling_mva), cells);
    bool moved = false;
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
        moved |= sums->limit_mva[c][phase] != limit_mva || sums->steady_mva[c][phase] != steady_mva;
        sums->steady_mva[c][phase] = steady_mva;
        sums->limit_mva[c][phase] = limit_mva;
        sums->ceiling_mva[c][phase] = ceiling_mva;
    }
    sums->left_mva[SUM_EXPOSED] = sums->left_mva[SUM_NEWEST] = 0;
    if (moved && ledger->moved.node)
        ledger->moved.node[node] = 1;
    ledger->cause = (uint8_t)cause;
    note_recovery(ledger, sums, before,
                  count_over(cells_run(sums->exposed_mva), cells_run(sums->ceiling_mva), cells), false);
    ledger->cause = RECOVERY_NONE;
    sums_note_node(ledger, node);
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

void sums_note_node(struct ledger *ledger, uint32_t node)
{
    if (newest_over(ledger, node))
        mark_fallen(ledger, node);
}

void sums_note_over(struct ledger *ledger, uint32_t host)
{
    const struct model_host *h = &ledger->model->host[host];
    for (uint32_t j = 0; j < h->cord_count; j++) {
        const struct model_node *node = &ledger->model->node[h->cord[j].node];
        for (uint32_t a = 0; a < node->ancestor_count; a++)
            sums_note_node(ledger, node->ancestor[a]);
    }
}
