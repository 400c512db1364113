/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One device above another: domain.md 1.8. The child must have cleared before the fast edge of the parent can
 * trip, at every current from 1.05 Ir of the child to the fault current at its bus. Besides the 200 currents
 * of the grid, those where an element of either starts are looked at, a hair below and above: there curves
 * jump. The limit is then narrowed down between the last current that is fine and the first that is not.
 */
#include <math.h>

#include "site/coordination/parts.h"

enum { GRID = 200, ELEMENT_EDGES = 3, CORNERS = 2 * 2 * ELEMENT_ROLE_COUNT * ELEMENT_EDGES, HALVINGS = 60 };

static const double margin_s = 0;       /* CTI: tolerances and opening are in the edges */
static const double hair = 1e-9;

bool coordination_has_curve(const struct site_device *device)
{
    static const uint8_t slow[] = {ELEMENT_LONG_TIME, ELEMENT_THERMAL, ELEMENT_INVERSE, ELEMENT_FUSE,
                                   ELEMENT_POINTS};

    for (uint32_t i = 0; device->kind != DEVICE_NONE && i < sizeof slow; i++)
        if (curve_pickup_a(device, (enum breaker_element_role)slow[i], EDGE_FAST) > 0)
            return true;
    return false;
}

double coordination_lowest_a(const struct site_device *device)
{
    double lowest = 0;

    for (int role = 0; role < ELEMENT_ROLE_COUNT; role++) {
        double one = curve_pickup_a(device, (enum breaker_element_role)role, EDGE_FAST);

        if (role != ELEMENT_GROUND && one > 0 && (lowest == 0 || one < lowest))
            lowest = one;
    }
    return lowest;
}

uint8_t coordination_first(const struct site_device *device, enum curve_edge edge, double amperes,
                           double *seconds)
{
    uint8_t first = ELEMENT_ROLE_COUNT;

    *seconds = INFINITY;
    for (int role = 0; role < ELEMENT_ROLE_COUNT; role++) {
        double one = curve_element_s(device, (enum breaker_element_role)role, edge, amperes);

        if (role == ELEMENT_GROUND || !(one < *seconds))
            continue;
        *seconds = one;
        first = (uint8_t)role;
    }
    return first;
}

/* Where nobody says how much a fault may draw: of the instantaneous stage, of a device without one as many
 * times its lowest pickup as a relay's curve goes (domain.md 1.1). */
static double reach_a(const struct site_device *device)
{
    const double multiples = 20;
    double fast = fmax(curve_pickup_a(device, ELEMENT_INSTANTANEOUS, EDGE_NOMINAL),
                       curve_pickup_a(device, ELEMENT_MAGNETIC, EDGE_NOMINAL));

    return fast > 0 ? fast : multiples * coordination_lowest_a(device);
}

struct look {
    double clears_s, trips_s;
    bool fine;
};

static struct look look_at(const struct coordination_two *two, double amperes)
{
    struct look l = {.clears_s = curve_clearing_s(two->child, amperes),
                     .trips_s = curve_time_s(two->parent, EDGE_FAST, amperes * two->ratio)};

    /* where the parent never trips nothing is lost, whatever the child does */
    l.fine = isinf(l.trips_s) || l.trips_s - l.clears_s >= margin_s;
    return l;
}

static void note(struct coordination_pair *pair, const struct coordination_two *two, double amperes,
                 const struct look *l)
{
    double seconds;

    pair->child_clears_s = l->clears_s;
    pair->parent_trips_s = l->trips_s;
    pair->parent_role = coordination_first(two->parent, EDGE_FAST, amperes * two->ratio, &seconds);
}

static void add_corners(const struct site_device *device, double scale, double *current, uint32_t *count)
{
    for (int role = 0; role < ELEMENT_ROLE_COUNT; role++)
        for (int edge = EDGE_FAST; edge <= EDGE_SLOW && role != ELEMENT_GROUND; edge++) {
            double a = scale * curve_pickup_a(device, (enum breaker_element_role)role, (enum curve_edge)edge);

            current[(*count)++] = a * (1 - hair);
            current[(*count)++] = a * (1 + hair);
        }
}

static uint32_t currents(const struct coordination_two *two, double from, double to,
                         double current[GRID + 2 * CORNERS])
{
    uint32_t count = 0, kept = GRID;
    double corner[2 * CORNERS];

    for (uint32_t i = 0; i < GRID; i++)
        current[i] = from * pow(to / from, (double)i / (GRID - 1));
    current[GRID - 1] = to;
    add_corners(two->child, 1, corner, &count);
    add_corners(two->parent, 1 / two->ratio, corner, &count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = kept;

        if (!(corner[i] > from && corner[i] < to))
            continue;
        for (; current[at - 1] > corner[i]; at--)
            current[at] = current[at - 1];
        current[at] = corner[i];
        kept++;
    }
    return kept;
}

static void narrow(const struct coordination_two *two, struct coordination_pair *pair, double fine,
                   double wrong)
{
    for (uint32_t i = 0; i < HALVINGS && wrong > fine * (1 + hair / 10); i++) {
        double middle = sqrt(fine * wrong);

        if (look_at(two, middle).fine)
            fine = middle;
        else
            wrong = middle;
    }
    struct look l = look_at(two, wrong);

    pair->limit_a = wrong;
    note(pair, two, wrong, &l);
}

static void race(const struct coordination_two *two, struct coordination_pair *pair, double from)
{
    double current[GRID + 2 * CORNERS], nearest = INFINITY;
    uint32_t count = currents(two, from, pair->fault_a, current);

    pair->total = true;
    pair->limit_a = pair->child_clears_s = pair->parent_trips_s = INFINITY;
    pair->parent_role = ELEMENT_ROLE_COUNT;
    for (uint32_t i = 0; i < count; i++) {
        struct look l = look_at(two, current[i]);

        if (!l.fine) {
            pair->total = false;
            narrow(two, pair, i ? current[i - 1] : current[0], current[i]);
            return;
        }
        if (l.trips_s - l.clears_s < nearest) {
            nearest = l.trips_s - l.clears_s;
            note(pair, two, current[i], &l);
        }
    }
}

static double pickup_of(const struct device_stage *stage)
{
    return (double)stage->pickup_ma / 1e3;
}

static uint32_t clashes(const struct coordination_two *two, bool fault_stated)
{
    const struct site_device *u = two->parent, *d = two->child;
    enum breaker_element_role fast =
        u->kind == DEVICE_THERMAL_MAGNETIC ? ELEMENT_MAGNETIC : ELEMENT_INSTANTANEOUS;
    double up = 1 / two->ratio, edge = up * curve_pickup_a(u, fast, EDGE_FAST);
    uint32_t set = 0;

    if (u->long_time_ma && d->long_time_ma && up * (double)u->long_time_ma < (double)d->long_time_ma)
        set |= CLASH_LONG_TIME;
    if (u->short_time.pickup_ma && d->short_time.pickup_ma) {
        if (up * pickup_of(&u->short_time) < 1.3 * pickup_of(&d->short_time) * (1 - hair))
            set |= CLASH_SHORT_TIME;
        if (u->short_time.delay_ns <= d->short_time.delay_ns)
            set |= CLASH_SHORT_DELAY;
    }
    if (fault_stated && edge > 0 && edge <= two->fault_a)
        set |= CLASH_INSTANTANEOUS;
    if (!two->apart && u->ground.pickup_ma && d->ground.pickup_ma &&
        (u->ground.pickup_ma <= d->ground.pickup_ma || u->ground.delay_ns <= d->ground.delay_ns))
        set |= CLASH_GROUND;
    return set;
}

void coordination_judge(const struct coordination_two *two, struct coordination_pair *pair)
{
    const double beyond = 1.25;
    double from = coordination_lowest_a(two->child);

    pair->fault_stated = two->fault_a > 0;
    pair->fault_a = two->fault_a;
    if (!pair->fault_stated)
        pair->fault_a = beyond * fmax(reach_a(two->child), reach_a(two->parent) / two->ratio);
    /* a source too weak to reach the pickup: that one current is looked at */
    pair->fault_a = fmax(pair->fault_a, from);
    race(two, pair, from);
    pair->clashes = clashes(two, pair->fault_stated);
}
