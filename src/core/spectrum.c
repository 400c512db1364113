/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spectrum.h"

#include "msg/model.h"

void spectrum_take(struct spectra_known *known, const struct spectrum *spectrum, int64_t t_ns)
{
    if (spectrum->meter < known->meters)
        known->meter[spectrum->meter] = (struct spectrum_known){*spectrum, t_ns};
}

void spectrum_take_swing(struct spectra_known *known, const struct spectrum_swing *swing, int64_t t_ns)
{
    uint32_t at = swing->node == INDEX_NONE ? known->nodes : swing->node;

    if (at <= known->nodes)
        known->node[at] = (struct spectrum_swing_known){*swing, t_ns};
}
