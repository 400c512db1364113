/* SPDX-License-Identifier: Apache-2.0 */
/* What an emergency does to caps, and for how long: safety.md section 8. */
#include "core/compare.h"
#include "core/draw.h"
#include "core/emergency.h"

enum { TARGET_PPM = 950000, SHOT_PPM = 750000 };

/* S = ungoverned + governed; the scale is what makes governed fit under the target. Every host may round
 * up by a few mVA on every cord, which the target gives away beforehand. */
int64_t emergency_scale_ppm(const struct emergencies *e, const struct ledger *ledger, uint32_t node)
{
    const struct ledger_sums *sums = &ledger->node[node];
    int64_t rounding_mva = (int64_t)e->below_count[node] * CORDS_MAX * 4, scale_ppm = PPM;
    for (uint32_t i = 0; i < e->model->contingency_count * PHASES; i++) {
        uint32_t c = i / PHASES, phase = i % PHASES;
        int64_t limit_mva = sums->steady_mva[c][phase];
        int64_t target_mva = limit_mva / PPM * TARGET_PPM + limit_mva % PPM * TARGET_PPM / PPM - rounding_mva;
        if (sums->newest_mva[c][phase] <= target_mva)
            continue;
        int64_t governed_mva = sums->newest_mva[c][phase] - sums->ungoverned_mva[c][phase];
        int64_t fits_mva = target_mva - sums->ungoverned_mva[c][phase];
        int64_t ppm = fits_mva <= 0 || governed_mva <= 0 ? 0 : fits_mva * 1000 / (governed_mva / 1000 + 1);
        scale_ppm = ppm < scale_ppm ? ppm : scale_ppm;
    }
    return scale_ppm;
}

int64_t emergency_cap_mw(const struct ledger *ledger, uint32_t host, bool shot, int64_t scale_ppm)
{
    const struct ledger_host *h = &ledger->host[host];
    const struct model_host_type *type = &ledger->model->type[ledger->model->host[host].type];
    int64_t cap_mw = h->newest_mw >= 0 ? h->newest_mw : ledger_always_mw(ledger, host);
    /* the cap that the measured draw at the wall amounts to */
    int64_t governed_mw = smaller(cap_mw, larger(draw_cap_within_mw(type, h->draw_mw), 0));
    int64_t shot_mw = shot ? governed_mw / PPM * SHOT_PPM + governed_mw % PPM * SHOT_PPM / PPM : cap_mw;
    if (scale_ppm < PPM) {
        int64_t leased_mw = h->newest_draw_mw > type->base_max_mw ? h->newest_draw_mw - type->base_max_mw : 0;
        int64_t scaled_mw = leased_mw / PPM * scale_ppm + leased_mw % PPM * scale_ppm / PPM;
        int64_t fits_mw = draw_cap_within_mw(type, type->base_max_mw + scaled_mw);
        shot_mw = fits_mw < shot_mw ? fits_mw : shot_mw;
    }
    shot_mw -= shot_mw % type->quantum_mw;
    return shot_mw > type->cap_min_mw ? shot_mw : type->cap_min_mw;
}

enum emergency_stage emergency_stage(const struct emergency *emergency)
{
    if (!emergency->active)
        return EMERGENCY_STAGE_NONE;
    return emergency->shed        ? EMERGENCY_STAGE_SHED
           : emergency->fail_safe ? EMERGENCY_STAGE_FAIL_SAFE
                                  : EMERGENCY_STAGE_CUT;
}

void emergency_begin_anew(struct emergency *state, int64_t t_ns)
{
    if (!state->active)
        return;
    state->fail_safe = state->shed = false;
    state->stage_ns = t_ns;
}

void emergency_restart(struct emergencies *e, int64_t t_ns)
{
    for (uint32_t n = 0; n < e->model->node_count; n++)
        emergency_begin_anew(&e->node[n], t_ns);
}

bool emergency_lasts(const struct emergencies *e, uint32_t host, int64_t t_ns)
{
    const struct model_host *h = &e->model->host[host];
    for (uint32_t j = 0; j < h->cord_count; j++) {
        const struct model_node *node = &e->model->node[h->cord[j].node];
        for (uint32_t a = 0; a < node->ancestor_count; a++)
            if (t_ns < e->node[node->ancestor[a]].raise_after_ns)
                return true;
    }
    return false;
}

bool emergency_forbids_raise(const struct emergencies *e, uint32_t host, int64_t t_ns)
{
    if (t_ns >= e->forbids_until_ns)
        return false;
    const struct model_host *h = &e->model->host[host];
    for (uint32_t j = 0; j < h->cord_count; j++) {
        const struct model_node *node = &e->model->node[h->cord[j].node];
        for (uint32_t a = 0; a < node->ancestor_count; a++)
            if (t_ns < e->node[node->ancestor[a]].raise_after_ns || e->node[node->ancestor[a]].hot)
                return true;
    }
    return false;
}
