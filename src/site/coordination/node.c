/* SPDX-License-Identifier: Apache-2.0 */
/* Time at one node: how long a wrong state may last, and how long its device gives. Then a dark start. */
#include <math.h>

#include "site/coordination/parts.h"
#include "site/derive.h"

static const double whole = 1e-9;       /* so near to a whole host is one */

static double seconds_of(int64_t ns)
{
    return (double)ns / 1e9;
}

/* Fast edge of the device alone. A thermal image starts from theta, everything else from rest. */
static double device_trips_s(const struct site_device *device, double theta, double amperes, uint8_t *role)
{
    double seconds, image = curve_image_s(device, EDGE_FAST, theta, amperes);

    *role = coordination_first(device, EDGE_FAST, amperes, &seconds);
    if (!(image < seconds))
        return seconds;
    *role = device->kind == DEVICE_THERMAL_MAGNETIC ? ELEMENT_THERMAL : ELEMENT_LONG_TIME;
    return image;
}

static bool of_equipment(const struct breaker_element *e)
{
    return e->role == ELEMENT_TRANSFORMER || e->role == ELEMENT_CONDUCTOR || e->role == ELEMENT_UPS;
}

static double heat_at(enum coordination_start start, const struct breaker_element *e, double settled_a)
{
    double x = settled_a * 1e3 / (double)e->pickup_ma, operate = (double)BREAKER_OPERATE_PPM / 1e6;

    if (start == START_OPERATE)
        return operate;
    return start == START_SETTLED ? fmin(x * x, operate) : 0;
}

double coordination_trips_s(const struct coordination_place *place, double amperes,
                            enum coordination_start start, uint8_t *role)
{
    const struct model *m = &place->site->model;
    const struct breaker *b = &m->node[place->node].breaker;
    const struct site_device *device = &place->site->device[place->node];
    const double theta[] = {[START_COLD] = 0, [START_SETTLED] = 0.64,
                            [START_OPERATE] = (double)BREAKER_OPERATE_PPM / 1e6 *
                                              curve_image_trip(device, EDGE_FAST)};
    double seconds = device_trips_s(device, theta[start], amperes, role);

    for (uint32_t i = 0; i < b->element_count; i++) {
        const struct breaker_element *e = &b->element[i];

        if (!of_equipment(e))
            continue;
        double heat = heat_at(start, e, coordination_settled_a(&m->node[place->node]));
        double own = coordination_element_s(m, e, heat, amperes);

        if (!(own < seconds))
            continue;
        seconds = own;
        *role = e->role;
    }
    return seconds;
}

double coordination_settled_a(const struct model_node *node)
{
    double long_time = 0.8 * (double)node->long_time_ma / 1e3, steady = (double)node->steady_ma / 1e3;

    return long_time > 0 && long_time < steady ? long_time : steady;
}

/* The worst phase and loss of sums over hosts, other load on top, in amperes at the lowest credible volts. */
static double worst_a(const struct coordination_place *place, int64_t (*hosts)[PHASES])
{
    const struct model *m = &place->site->model;
    const struct model_node *n = &m->node[place->node];
    int64_t worst = 0;

    for (uint32_t c = 0; c < m->contingency_count; c++)
        for (uint32_t ph = 0; ph < PHASES && !(place->figures->outage.node[place->node] >> c & 1); ph++)
            if (hosts[c][ph] + n->other_mva[ph] > worst)
                worst = hosts[c][ph] + n->other_mva[ph];
    return (double)worst / (double)n->volts_low_mv;
}

/* Definite stages whatever flows: a fault or an inrush may start them. The others where all that may be drawn
 * drives them. Residual ones see no load. */
static uint32_t prearmed(const struct coordination_place *place, const struct coordination_node *row)
{
    const struct model *m = &place->site->model;
    const struct breaker *b = &m->node[place->node].breaker;
    const double operate = (double)BREAKER_OPERATE_PPM / 1e6;
    uint32_t roles = 0;

    for (uint32_t i = 0; i < b->element_count; i++) {
        const struct breaker_element *e = &b->element[i];

        if (!e->residual && (seconds_of(e->shortest_ns) <= row->hold_s ||
                             coordination_element_s(m, e, operate, row->full_a) <= row->hold_s))
            roles |= 1u << e->role;
    }
    return roles;
}

void coordination_time(const struct coordination_place *place, struct coordination_node *row)
{
    const struct model *m = &place->site->model;
    const struct model_node *n = &m->node[place->node];
    uint8_t role;

    row->fresh_s = seconds_of(n->meter == INDEX_NONE ? place->fresh_ns : m->meter[n->meter].fresh_ns);
    row->respond_s =
        row->fresh_s + seconds_of(needs_retire_ns(&m->policy, place->actuation_ns[place->node]));
    row->hold_s = row->respond_s / 0.7;
    row->full_a = worst_a(place, place->figures->node[place->node].phys_max_mva);
    row->full_settled_s = coordination_trips_s(place, row->full_a, START_SETTLED, &role);
    row->full_trips_s = coordination_trips_s(place, row->full_a, START_OPERATE, &row->full_role);
    row->prearmed = prearmed(place, row);
}

/* Groups on one phase, each as large as the edge allows on top of those that run at fail-safe; 0: not all
 * of the hosts can start. */
static uint32_t count_groups(double hosts, double room, double boot, double running)
{
    uint32_t groups = 0;

    for (double started = 0; started < hosts; groups++) {
        double more = floor((room - started * running) / boot + whole);

        if (more < 1)
            return 0;
        started += more;
    }
    return groups;
}

static void boot_phase(const struct coordination_place *place, uint32_t c, uint32_t ph,
                       struct coordination_node *row)
{
    const struct model_node *n = &place->site->model.node[place->node];
    const struct figures_node *f = &place->figures->node[place->node];
    double hosts = f->hosts, boot = (double)place->boot_mva[place->node][c][ph] / hosts;
    double room = row->boot_limit_a * (double)n->volts_low_mv - (double)n->other_mva[ph];
    uint32_t groups = count_groups(hosts, room, boot, (double)f->fail_safe_mva[c][ph] / hosts);
    double first = fmax(floor(room / boot + whole), 0);

    if (first < row->boot_at_once)
        row->boot_at_once = (uint32_t)first;
    if (row->boot_groups && (!groups || groups > row->boot_groups))
        row->boot_groups = groups;
}

/* 0.85 of what lets go at once: short-time and instantaneous, as the decision compares them (peak of a
 * sine), and a UPS above its largest overload. 0: nothing does. */
static double edge_a(const struct coordination_place *place)
{
    const struct model_node *n = &place->site->model.node[place->node];
    const struct site_equipment *e = &place->site->equipment[place->node];
    double stages = (double)n->instant_peak_ma / 1e3 / sqrt(2), most = 0;
    int64_t rated = !e->ups_mva || (e->ups_mw && e->ups_mw < e->ups_mva) ? e->ups_mw : e->ups_mva;

    if (e->overload_count && rated)
        most = (double)derive_power_ma(rated, n->volts_ln_mv, n->phases) / 1e3 *
               (double)e->overload[e->overload_count - 1].load_ppm / (double)PPM;
    if (most > 0 && (stages <= 0 || 0.85 * most < stages))
        return 0.85 * most;
    return stages;
}

/* All phases together, the worst contingency: mVA, which are no fewer than mW. */
static double power_below(const struct coordination_place *place, int64_t (*sum)[PHASES],
                          int64_t (*less)[PHASES])
{
    double most = 0;

    for (uint32_t c = 0; c < place->site->model.contingency_count; c++) {
        double all = 0;

        for (uint32_t ph = 0; ph < PHASES; ph++)
            all += (double)(sum[c][ph] - (less ? less[c][ph] : 0));
        most = fmax(most, all);
    }
    return most;
}

/* What a generator sees at once: all load from base to phys_max, or a start from dark, in groups. */
static void generator_steps(const struct coordination_place *place, struct coordination_node *row)
{
    const struct site_equipment *q = &place->site->equipment[place->node];
    double accepts = (double)q->generator_step_mw;
    double boot = power_below(place, place->boot_mva[place->node], NULL);
    struct figures_node *f = &place->figures->node[place->node];

    row->step_va = power_below(place, f->phys_max_mva, f->base_mva) / 1e3;
    if (q->generator_ramp_mw_per_s)
        row->boot_ramp_s = boot / (double)q->generator_ramp_mw_per_s;
    if (!(accepts > 0) || !(boot > 0))
        return;
    double at_once = floor(accepts * f->hosts / boot + whole);

    if (at_once < row->boot_at_once)
        row->boot_at_once = (uint32_t)at_once;
    if (at_once < 1)
        row->boot_groups = 0;
    else if (row->boot_groups)
        row->boot_groups = (uint32_t)fmax(row->boot_groups, ceil(f->hosts / at_once));
}

void coordination_boot(const struct coordination_place *place, struct coordination_node *row)
{
    const struct model *m = &place->site->model;
    const struct figures_node *f = &place->figures->node[place->node];

    row->boot_a = worst_a(place, place->boot_mva[place->node]);
    row->boot_limit_a = edge_a(place);
    row->boot_at_once = f->hosts;
    row->boot_groups = f->hosts ? 1 : 0;
    row->boot_trips_s = coordination_trips_s(place, row->boot_a, START_COLD, &row->boot_role);
    for (uint32_t c = 0; row->boot_limit_a > 0 && c < m->contingency_count; c++)
        for (uint32_t ph = 0; ph < PHASES && !(place->figures->outage.node[place->node] >> c & 1); ph++)
            if (place->boot_mva[place->node][c][ph] > 0)
                boot_phase(place, c, ph, row);
    generator_steps(place, row);
}
