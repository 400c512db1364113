/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands beside the device, as the plant's own truth. A transformer and a conductor are thermal images
 * with the time constant as given; they give in at a heat between 1 / 0.9 of what the rating settles at and
 * 1.5 times that. A UPS carries "125 % for 10 min" as a step: more than rated, up to 125 %, for so long;
 * above its last step it lets go at once. Its times are promises, so a specimen may hold out 20 % longer; how
 * fast it recovers no maker states: 1 to 10 times its longest step from full, at no load.
 */
#include <math.h>

#include "sim/tripunit_parts.h"

static const double heat_least = 1 / 0.9, heat_most = 1.5, hold_out = 0.20;
static const double recovery_least = 1, recovery_most = 10;

/* Power as amperes of one phase; what is not three-phase may hang between two of them. */
static double amperes(const struct tripunit_setup *setup, double power)
{
    return power / (setup->volts_ln * (setup->phases == PHASES ? 3 : sqrt(3)));
}

/* From the fast edge's figure (place -1) to the slow one's; nominal is the fast edge's: what was promised. */
static double between(struct trip_dice *dice, double fast, double slow)
{
    double place = trip_place(dice);
    return dice->truth == TRUTH_NOMINAL ? fast : fast + (slow - fast) * (1 + place) / 2;
}

static void set_image(struct trip_image *image, const struct tripunit_setup *setup, double rated_a,
                      int64_t tau_ns, struct trip_dice *dice)
{
    double trip = between(dice, heat_least, heat_most);
    if (!(rated_a > 0) || tau_ns <= 0)
        return;
    image->rated_a = rated_a;
    image->trip = trip;
    image->tau_s[0] = image->tau_s[1] = (double)tau_ns / 1e9;
    image->seam_a = INFINITY;
    trip_image_start(image, setup->initial_heat);
}

static void set_ups(struct trip_ups *ups, const struct tripunit_setup *setup, struct trip_dice *dice)
{
    const struct site_equipment *set = setup->equipment;
    double longer = between(dice, 1, 1 + hold_out), longest_s = 0;
    double recovery = between(dice, recovery_most, recovery_least);
    /* current shows apparent power, which is never below the active */
    int64_t least = set->ups_mva && (!set->ups_mw || set->ups_mva < set->ups_mw) ? set->ups_mva : set->ups_mw;
    if (!least || !set->overload_count || !(setup->volts_ln > 0))
        return;
    ups->rated_a = amperes(setup, (double)least / 1e3);
    ups->count = set->overload_count;
    for (uint32_t i = 0; i < ups->count; i++) {
        ups->above[i] = (double)set->overload[i].load_ppm / 1e6;
        ups->time_s[i] = (double)set->overload[i].ns / 1e9 * longer;
        longest_s = fmax(longest_s, ups->time_s[i]);
    }
    ups->recovery_s = recovery * longest_s;
}

void trip_equipment_init(struct tripunit *unit, const struct tripunit_setup *setup, struct trip_dice *dice)
{
    const struct site_equipment *set = setup->equipment;
    double transformer_a = setup->volts_ln > 0 ? amperes(setup, (double)set->transformer_mva / 1e3) : 0;
    set_image(&unit->transformer, setup, transformer_a, set->transformer_ns, dice);
    set_image(&unit->conductor, setup, (double)set->conductor_ma / 1e3, set->conductor_ns, dice);
    set_ups(&unit->ups, setup, dice);
}

void trip_equipment_keep(struct tripunit *unit, double dt_s)
{
    trip_image_keep(&unit->transformer, dt_s);
    trip_image_keep(&unit->conductor, dt_s);
}

static double overload_s(const struct trip_ups *ups, double load)
{
    for (uint32_t i = 0; i < ups->count; i++) {
        if (load <= ups->above[i] * (1 + 1e-12))
            return ups->time_s[i];
    }
    return 0;
}

static bool step_ups(struct trip_ups *ups, const double current_a[PHASES], double dt_s)
{
    bool trips = false;
    if (ups->rated_a <= 0)
        return false;
    for (int phase = 0; phase < PHASES; phase++) {
        double load = current_a[phase] / ups->rated_a;
        if (load > 1 + 1e-12)
            ups->part[phase] += dt_s / fmax(overload_s(ups, load), 1e-9);
        else
            ups->part[phase] = fmax(ups->part[phase] - dt_s * (1 - load * load) / ups->recovery_s, 0);
        trips |= ups->part[phase] >= TRIP_FULL;
    }
    return trips;
}

enum trip_element trip_equipment_step(struct tripunit *unit, const double current_a[PHASES], double dt_s)
{
    bool conductor = trip_image_step(&unit->conductor, current_a);
    bool transformer = trip_image_step(&unit->transformer, current_a);
    if (step_ups(&unit->ups, current_a, dt_s))
        return TRIP_UPS;
    if (transformer)
        return TRIP_TRANSFORMER;
    return conductor ? TRIP_CONDUCTOR : TRIP_NONE;
}
