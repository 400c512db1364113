/* SPDX-License-Identifier: Apache-2.0 */
/* How much of its limits the sums leave to one host, and where it is least. */
#include "core/compare.h"
#include "core/draw.h"
#include "core/sums_inside.h"

static int64_t sum_of(const struct ledger_sums *sums, enum sum sum, uint32_t c, uint32_t phase)
{
    return sum == SUM_EXPOSED ? sums->exposed_mva[c][phase] : sums->newest_mva[c][phase];
}

/* The least mVA left in every cell over all nodes above one cord. */
static void left_above_mva(const struct ledger *ledger, const struct model_cord *cord, enum sum sum,
                           int64_t least_mva[CELLS_MAX])
{
    const struct model_node *node = &ledger->model->node[cord->node];
    uint32_t cells = ledger->model->contingency_count * PHASES;
    for (uint32_t i = 0; i < cells; i++)
        least_mva[i] = SUMS_NO_LIMIT_MVA;
    for (uint32_t a = 0; a < node->ancestor_count; a++) {
        struct ledger_sums *sums = &ledger->node[node->ancestor[a]];
        const int64_t *limit_mva = cells_run(sums->limit_mva), *sum_mva = cells_of(sums, sum);
        for (uint32_t i = 0; i < cells; i++)
            least_mva[i] = smaller(least_mva[i], limit_mva[i] - sum_mva[i]);
    }
}

/* Cells that a draw loads alike come down to the one of them with least left; INT64_MAX stands for the
 * rest. */
static void fold_alike(const struct model *model, const struct model_cord *cord, int64_t least_mva[CELLS_MAX])
{
    for (uint32_t i = model->contingency_count * PHASES; i-- > 0;) {
        uint32_t c = i / PHASES, phase = i % PHASES;
        uint32_t alike = i;
        if (c && cord->share_ppm[c] == cord->share_ppm[0])
            alike = phase;
        else if (phase && cord->phase_ppm[phase] == cord->phase_ppm[phase - 1])
            alike = i - 1;
        if (alike != i)
            least_mva[alike] = smaller(least_mva[alike], least_mva[i]);
        if (alike != i || !cord->share_ppm[c] || !cord->phase_ppm[phase])
            least_mva[i] = INT64_MAX;
    }
}

static int64_t cord_room_mw(const struct ledger *ledger, uint32_t host, const struct model_cord *cord,
                            enum sum sum, int64_t old_mw)
{
    int64_t least_mva[CELLS_MAX], pf_ppm = pf_of(ledger, host);
    int64_t phys_mw = ledger->host[host].phys_max_mw, room_mw = phys_mw;
    left_above_mva(ledger, cord, sum, least_mva);
    fold_alike(ledger->model, cord, least_mva);
    for (uint32_t i = 0; i < ledger->model->contingency_count * PHASES; i++) {
        uint32_t c = i / PHASES, phase = i % PHASES;
        if (least_mva[i] == INT64_MAX)
            continue;
        int64_t on_phase_mva = least_mva[i] + draw_on_phase_mva(cord, pf_ppm, c, phase, old_mw);
        if (on_phase_mva <= 0)
            return 0;
        if (on_phase_mva >= draw_on_phase_mva(cord, pf_ppm, c, phase, phys_mw))
            continue;
        int64_t through_cord_mw = on_phase_mva * pf_ppm / cord->phase_ppm[phase];
        room_mw = smaller(room_mw, through_cord_mw * PPM / cord->share_ppm[c]);
    }
    return room_mw;
}

int64_t sums_room_mw(const struct ledger *ledger, uint32_t host, enum sum sum, int64_t old_mw)
{
    const struct model_host *h = &ledger->model->host[host];
    int64_t room_mw = ledger->host[host].phys_max_mw;
    for (uint32_t j = 0; j < h->cord_count; j++)
        room_mw = smaller(room_mw, cord_room_mw(ledger, host, &h->cord[j], sum, old_mw));
    return room_mw;
}

/* The ancestor that leaves least on one phase. */
static uint32_t tightest_above(const struct ledger *ledger, const struct model_cord *cord, enum sum sum,
                               uint32_t c, uint32_t phase)
{
    const struct model_node *node = &ledger->model->node[cord->node];
    uint32_t least = cord->node;
    int64_t least_mva = INT64_MAX;
    for (uint32_t a = 0; a < node->ancestor_count; a++) {
        const struct ledger_sums *sums = &ledger->node[node->ancestor[a]];
        int64_t left_mva = sums->limit_mva[c][phase] - sum_of(sums, sum, c, phase);
        if (left_mva < least_mva) {
            least_mva = left_mva;
            least = node->ancestor[a];
        }
    }
    return least;
}

struct sums_cell sums_tightest(const struct ledger *ledger, uint32_t host, enum sum sum, int64_t old_mw)
{
    const struct model_host *h = &ledger->model->host[host];
    int64_t pf_ppm = pf_of(ledger, host), least_mw = INT64_MAX;
    int64_t left_mva[CELLS_MAX];
    struct sums_cell cell = {INDEX_NONE, 0, 0};
    uint32_t cells = ledger->model->contingency_count * PHASES;
    for (uint32_t i = 0; i < h->cord_count * cells; i++) {
        uint32_t c = i % cells / PHASES, phase = i % PHASES;
        const struct model_cord *cord = &h->cord[i / cells];
        if (i % cells == 0)
            left_above_mva(ledger, cord, sum, left_mva);
        if (!cord->share_ppm[c] || !cord->phase_ppm[phase])
            continue;
        int64_t on_phase_mva = left_mva[i % cells] + draw_on_phase_mva(cord, pf_ppm, c, phase, old_mw);
        if (on_phase_mva >=
            draw_on_phase_mva(cord, pf_ppm, c, phase, ledger->host[host].phys_max_mw))
            continue;
        int64_t draw_mw = on_phase_mva * pf_ppm / cord->phase_ppm[phase] * PPM / cord->share_ppm[c];
        if (draw_mw >= least_mw)
            continue;
        least_mw = draw_mw;
        cell = (struct sums_cell){tightest_above(ledger, cord, sum, c, phase), (uint8_t)c, (uint8_t)phase};
    }
    return cell;
}
