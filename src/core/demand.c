/* SPDX-License-Identifier: Apache-2.0 */
#include "core/demand.h"

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void turn_stretch(struct demand *demand, int64_t half_ns, int64_t t_ns)
{
    int64_t passed_ns = t_ns - demand->stretch_start_ns;
    if (passed_ns < half_ns)
        return;
    bool skipped = passed_ns >= 2 * half_ns;    /* nothing was heard for a whole stretch */
    demand->earlier_draw_mw = skipped ? 0 : demand->draw_mw;
    demand->earlier_held_cap_mw = skipped ? -1 : demand->held_cap_mw;
    demand->draw_mw = 0;
    demand->held_cap_mw = -1;
    demand->stretch_start_ns = t_ns;
}

void demand_report(struct demand *demand, const struct model_policy *policy, const struct report *report, int64_t t_ns)
{
    turn_stretch(demand, policy->demand_hold_ns / 2, t_ns);
    demand->draw_mw = larger(demand->draw_mw, report->draw_mw);
    if (report->flags & REPORT_AT_CAP)
        demand->held_cap_mw = larger(demand->held_cap_mw, report->readback_mw);
}

/* A host held down at cap c wants more than c, nobody knows how much: it claims all it may have until it has been seen
 * free under a higher cap. */
int64_t demand_cap_mw(const struct demand *demand, const struct model_policy *policy, const struct model_host_type *type,
                      int64_t newest_cap_mw)
{
    int64_t held_mw = larger(demand->held_cap_mw, demand->earlier_held_cap_mw);
    if (held_mw >= 0 && newest_cap_mw <= held_mw + type->quantum_mw)
        return type->cap_max_mw;
    int64_t draw_mw = larger(demand->draw_mw, demand->earlier_draw_mw);
    int64_t governed_mw = larger(draw_mw - type->base_max_mw, 0);
    int64_t cap_mw = governed_mw + governed_mw / PPM * policy->demand_headroom_ppm +
                     governed_mw % PPM * policy->demand_headroom_ppm / PPM + type->quantum_mw;
    cap_mw = larger(cap_mw, type->cap_min_mw);
    return cap_mw < type->cap_max_mw ? cap_mw : type->cap_max_mw;
}
