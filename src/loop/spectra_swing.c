/* SPDX-License-Identifier: Apache-2.0 */
/* How powers swing: of each metered node, and of the site, once a second. */
#include <string.h>

#include "loop/spectra_inside.h"

static_assert(SPECTRUM_BANDS == (int)SWING_BANDS, "a slot has all bands");

/* ---- what is heard ---- */

static void hear(struct spectra_desk *desk, const struct reading *reading)
{
    int64_t power_mw = 0;
    for (uint32_t phase = 0; phase < PHASES; phase++)
        power_mw += reading->power_mw[phase];
    if (reading->meter < desk->model->meter_count)
        swing_add(&desk->swing[reading->meter], reading->t_meter_ns, (double)power_mw * 1e-3);
}

static void show_quality(struct spectra_desk *desk, const struct slot *slot)
{
    if (slot->quality.meter >= desk->model->meter_count)
        return;
    struct spectra_shown *shown = &desk->shown[slot->quality.meter];
    pthread_mutex_lock(&desk->lock);
    shown->quality = slot->quality;
    shown->quality_t_ns = slot->t_receive_ns;
    pthread_mutex_unlock(&desk->lock);
}

/* Decide does not wait for whoever reads along. */
void spectra_follow_ring(struct spectra_desk *desk)
{
    uint64_t newest = desk->ring ? ring_newest(desk->ring) : 0;
    struct slot slot;
    while (desk->sequence < newest) {
        if (ring_copy(desk->ring, desk->sequence + 1, &slot)) {
            count_add(&desk->counters.overrun, newest - desk->sequence);
            desk->sequence = newest;
            return;
        }
        desk->sequence++;
        if (slot.kind == SLOT_READING)
            hear(desk, &slot.reading);
        else if (slot.kind == SLOT_QUALITY)
            show_quality(desk, &slot);
    }
}

/* ---- the site ---- */

static bool is_root(const struct model_node *node)
{
    return node->parent_count == 0;
}

/* Nodes stand parents before children: a node is open where it is a root, or a parent of it was open and has
 * no meter. A node that hangs on two such parents counts once. */
void spectra_find_roots(struct spectra_desk *desk)
{
    const struct model *model = desk->model;
    uint8_t open[NODES_MAX] = {0};
    desk->roots = 0;
    for (uint32_t n = 0; n < model->node_count; n++) {
        const struct model_node *node = &model->node[n];
        bool reached = is_root(node);
        for (uint32_t k = 0; k < node->parent_count; k++)
            reached |= open[node->parent[k]] && model->node[node->parent[k]].meter == INDEX_NONE;
        open[n] = reached;
        if (reached && node->meter != INDEX_NONE)
            desk->root[desk->roots++] = node->meter;
    }
}

static float value_at(const struct swing *swing, int64_t step)
{
    int64_t oldest = swing->step - SWING_VALUES;
    return swing->value_w[(uint64_t)(step < oldest ? oldest : step) % SWING_VALUES];
}

/* Steps that all of them have; their clocks may be a second apart at the most. */
static bool add_up(struct spectra_desk *desk)
{
    struct swing *site = desk->site;
    int64_t first = INT64_MAX, last = INT64_MIN;
    for (uint32_t i = 0; i < desk->roots; i++) {
        const struct swing *swing = &desk->swing[desk->root[i]];
        if (swing->steps < SWING_VALUES)
            return false;
        first = swing->step < first ? swing->step : first;
        last = swing->step > last ? swing->step : last;
    }
    if (!desk->roots || (last - first) * SWING_STEP_NS > NS_PER_S)
        return false;
    memset(site, 0, sizeof *site);
    site->step = first;
    site->steps = SWING_VALUES;
    for (uint32_t i = 0; i < desk->roots; i++) {
        const struct swing *swing = &desk->swing[desk->root[i]];
        site->held = swing->held > site->held ? swing->held : site->held;
        for (int64_t step = first - SWING_VALUES; step < first; step++)
            site->value_w[(uint64_t)step % SWING_VALUES] += value_at(swing, step);
    }
    return true;
}

/* ---- results ---- */

static int64_t milli(double value)
{
    return (int64_t)(value * 1000 + (value < 0 ? -0.5 : 0.5));
}

static void fill(struct spectrum_swing *swing, const struct swing_result *result)
{
    swing->held_ppm = (uint32_t)(result->held * PPM + 0.5);
    swing->mean_mw = milli(result->mean_w);
    swing->least_mw = milli(result->least_w);
    swing->most_mw = milli(result->most_w);
    for (uint32_t b = 0; b < SPECTRUM_BANDS; b++) {
        swing->rms_mw[b] = milli(result->rms_w[b]);
        swing->share_ppm[b] = (uint32_t)(result->share[b] * PPM + 0.5);
    }
    swing->peak_mhz = (uint32_t)(result->peak_hz * 1000 + 0.5);
    swing->peak_mw = milli(result->peak_w);
    swing->ramp_up_mw_per_s = milli(result->ramp_up_w_per_s);
    swing->ramp_down_mw_per_s = milli(result->ramp_down_w_per_s);
}

static void tell(struct spectra_desk *desk, uint32_t at, const struct swing_result *result, int64_t now_ns)
{
    bool site = at == desk->model->meter_count;
    struct spectrum_swing swing = {.node = site ? INDEX_NONE : desk->model->meter[at].node};
    fill(&swing, result);
    count_add(&desk->counters.swings, 1);
    struct slot *slot = spectra_slot(desk, SLOT_SWING, now_ns);
    if (slot) {
        slot->swing = swing;
        spsc_publish(&desk->out);
    }
    pthread_mutex_lock(&desk->lock);
    desk->shown[at].swing = swing;
    desk->shown[at].swing_t_ns = now_ns;
    pthread_mutex_unlock(&desk->lock);
}

/* A round a second over all meters and the site, in even parts. */
void spectra_look_at_swings(struct spectra_desk *desk, int64_t now_ns)
{
    uint32_t all = desk->model->meter_count + 1;
    if (now_ns - desk->swings_ns >= NS_PER_S) {
        desk->swings_ns = now_ns;
        desk->swing_next = 0;
    }
    uint32_t due = (uint32_t)((now_ns - desk->swings_ns) * 2 * all / NS_PER_S) + 1;
    for (; desk->swing_next < all && desk->swing_next < due; desk->swing_next++) {
        uint32_t at = desk->swing_next;
        const struct swing *swing = at < desk->model->meter_count ? &desk->swing[at] : desk->site;
        struct swing_result result;
        if (swing == desk->site && !add_up(desk))
            continue;
        if (swing_take(swing, &desk->swing_work, &result))
            tell(desk, at, &result, now_ns);
    }
}
