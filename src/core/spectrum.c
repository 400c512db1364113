/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spectrum.h"

#include <stddef.h>

#include "msg/model.h"

void spectrum_take(struct spectra_known *known, const struct spectrum *spectrum, int64_t t_ns)
{
    if (spectrum->meter < known->meters) {
        known->meter[spectrum->meter].newest = *spectrum;
        known->meter[spectrum->meter].t_ns = t_ns;
    }
}

void spectrum_take_swing(struct spectra_known *known, const struct spectrum_swing *swing, int64_t t_ns)
{
    uint32_t at = swing->node == INDEX_NONE ? known->nodes : swing->node;

    if (at <= known->nodes)
        known->node[at] = (struct spectrum_swing_known){*swing, t_ns};
}

void spectrum_take_quality(struct spectra_known *known, const struct quality *quality, int64_t t_ns)
{
    if (quality->meter < known->meters) {
        known->meter[quality->meter].quality = *quality;
        known->meter[quality->meter].quality_t_ns = t_ns;
    }
}

static bool lasts(int64_t came_ns, int64_t t_ns, int64_t lasts_ns)
{
    return came_ns && t_ns - came_ns <= lasts_ns;
}

const struct spectrum *spectrum_seen(const struct spectra_known *known, uint32_t meter, int64_t t_ns)
{
    const struct spectrum_known *m = &known->meter[meter];

    if (!lasts(m->t_ns, t_ns, SPECTRUM_LASTS_NS) || m->newest.flags & SPECTRUM_CLIPPED)
        return NULL;
    return &m->newest;
}

const struct quality *spectrum_seen_quality(const struct spectra_known *known, uint32_t meter, int64_t t_ns)
{
    const struct spectrum_known *m = &known->meter[meter];

    return lasts(m->quality_t_ns, t_ns, SPECTRUM_LASTS_NS) ? &m->quality : NULL;
}

const struct spectrum_swing *spectrum_seen_swing(const struct spectra_known *known, uint32_t node,
                                                 int64_t t_ns)
{
    const struct spectrum_swing_known *n = &known->node[node];

    if (!lasts(n->t_ns, t_ns, SPECTRUM_SWING_LASTS_NS) || n->newest.held_ppm > SPECTRUM_HELD_MOST_PPM)
        return NULL;
    return &n->newest;
}
