/* SPDX-License-Identifier: Apache-2.0 */
/*
 * draw_max and its way onto phases (safety.md section 2): wall draw of a host under a cap, and the apparent
 * power it can put on each phase of a node. Draws round up, caps round down.
 */
#ifndef FLYBALL_CORE_DRAW_H
#define FLYBALL_CORE_DRAW_H

#include "msg/model.h"

static inline int64_t draw_ceil_div(int64_t numerator, int64_t denominator)
{
    return (numerator + denominator - 1) / denominator;
}

/* rt: draw_max(h, c) = c * overshoot / eta_min + base_max, at the wall, of a host without a physical
 * maximum. */
static inline int64_t draw_unbounded_mw(const struct model_host_type *type, int64_t cap_mw)
{
    return draw_ceil_div(cap_mw * type->gain_ppm, PPM) + type->base_max_mw;
}

/* rt: the same, never above phys_max of the type. */
static inline int64_t draw_of_cap_mw(const struct model_host_type *type, int64_t cap_mw)
{
    int64_t draw_mw = draw_unbounded_mw(type, cap_mw);
    return draw_mw < type->phys_max_mw ? draw_mw : type->phys_max_mw;
}

/* rt: of what a host tells of its physical maximum; what its power supplies cannot draw is not true, whoever
 * says it. */
static inline int64_t draw_believed_mw(const struct model_host_type *type, int64_t told_mw)
{
    return type->input_max_mw > 0 && told_mw > type->input_max_mw ? type->input_max_mw : told_mw;
}

/* rt: the largest cap whose draw_max is at most draw_mw; negative when even cap 0 draws more. */
static inline int64_t draw_cap_within_mw(const struct model_host_type *type, int64_t draw_mw)
{
    if (draw_mw < type->base_max_mw)
        return -1;
    int64_t cap_mw = (draw_mw - type->base_max_mw) * PPM / type->gain_ppm;
    return cap_mw < type->cap_max_mw ? cap_mw : type->cap_max_mw;
}

/* rt: mVA that `draw_mw` of this host may put on one phase through one cord under one contingency. */
static inline int64_t draw_on_phase_mva(const struct model_cord *cord, int64_t pf_min_ppm,
                                        uint32_t contingency, uint32_t phase, int64_t draw_mw)
{
    int64_t through_cord_mw = draw_ceil_div(draw_mw * cord->share_ppm[contingency], PPM);
    return draw_ceil_div(through_cord_mw * cord->phase_ppm[phase], pf_min_ppm);
}

#endif
