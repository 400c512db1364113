/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/plant_fault.h"

#include <math.h>

static const double deepest_sag = 0.9;      /* below, nothing is left to divide by */

/* ---- hosts: whatever changes, what stands is summed up anew, so that faults may end in any order ---- */

static void sum_up_device(struct plant *plant, uint32_t h)
{
    struct gpuhost_trouble trouble = {0};
    double drawn = 1, shot = 1;
    for (uint32_t i = 0; i < plant->faults.count; i++) {
        const struct fault *fault = &plant->faults.standing[i].fault;
        if (!fault_strikes_host(fault, plant->model, h))
            continue;
        int64_t foreign_mw = (int64_t)(fault->amount * (double)plant->host[h].cap_max_mw);
        trouble.sticks |= fault->kind == FAULT_STICK || fault->kind == FAULT_LIE;
        trouble.lies |= fault->kind == FAULT_LIE;
        if (fault->kind == FAULT_STALL)
            trouble.stall_ns += (int64_t)(fault->amount * 1e9);
        if (fault->kind == FAULT_OVERDRAW)
            drawn *= 1 + fault->amount;
        if (fault->kind == FAULT_OVERSHOOT)
            shot *= 1 + fault->amount;
        if (fault->kind == FAULT_FOREIGN && (!trouble.foreign_mw || foreign_mw < trouble.foreign_mw))
            trouble.foreign_mw = foreign_mw > 1 ? foreign_mw : 1;
        if (fault->kind == FAULT_RAISE && foreign_mw > trouble.raised_mw)
            trouble.raised_mw = foreign_mw;
    }
    trouble.overdraw = drawn - 1;
    trouble.overshoot = shot - 1;
    gpuhost_trouble(&plant->host[h], &trouble);
}

/* The newest of what its job does counts; when it ends, the one before goes on. */
static void sum_up_demand(struct plant *plant, uint32_t h)
{
    enum profile_bend bend = BEND_NONE;
    int64_t pulse_ns = 0;
    for (uint32_t i = 0; i < plant->faults.count; i++) {
        const struct fault *fault = &plant->faults.standing[i].fault;
        if (!fault_strikes_host(fault, plant->model, h))
            continue;
        if (fault->kind == FAULT_SURGE)
            bend = BEND_ALL;
        if (fault->kind == FAULT_IDLE)
            bend = BEND_TENTH;
        if (fault->kind == FAULT_PULSE) {
            bend = BEND_PULSE;
            pulse_ns = (int64_t)fmax(fault->amount * 1e9, 2);
        }
    }
    profile_bend(&plant->profile, h, bend, pulse_ns);
}

/* Two sleeps at one time are one after the other. */
static void sleep_on(struct plant *plant, uint32_t h, double seconds)
{
    int64_t from_ns = plant->asleep_until_ns[h] > plant->t_ns ? plant->asleep_until_ns[h] : plant->t_ns;
    if (seconds > 0)
        plant->asleep_until_ns[h] = from_ns + (int64_t)(seconds * 1e9);
    plant->supply_stale = true;
}

/* Caps are gone; the agent sees it after the notice of the plant. */
static void reset(struct plant *plant, uint32_t h)
{
    gpuhost_reset(&plant->host[h]);
    plant->written[h] = false;
    plant->reset_ns[h] = plant->t_ns;
}

static void strike_host(struct plant *plant, const struct fault *fault, bool begins, uint32_t h)
{
    switch (fault->kind) {
    case FAULT_RESET:
        if (begins)
            reset(plant, h);
        break;
    case FAULT_HOST_STEP:
        if (begins)
            sleep_on(plant, h, fault->amount);
        break;
    case FAULT_REBOOT:
        plant->supply_stale = true;
        plant->dark[h] = fault_set_host(&plant->faults, plant->model, FAULT_REBOOT, h) > 0;
        break;
    case FAULT_SURGE:
    case FAULT_PULSE:
    case FAULT_IDLE:
        sum_up_demand(plant, h);
        break;
    default:
        sum_up_device(plant, h);
        break;
    }
}

/* ---- power ---- */

/* Batteries that lose twice keep a share of a share; starts late twice are so one after
 * the other. */
static void add_trouble(struct grid_source_trouble *trouble, const struct fault *fault)
{
    trouble->no_start |= fault->kind == FAULT_NO_START;
    trouble->bypassed |= fault->kind == FAULT_BYPASS;
    trouble->transferred |= fault->kind == FAULT_TRANSFER;
    if (fault->kind == FAULT_LATE_START)
        trouble->late_s += fault->amount;
    if (fault->kind == FAULT_BATTERY)
        trouble->lost = 1 - (1 - trouble->lost) * (1 - fault->amount);
}

static void strike_node(struct plant *plant, uint32_t node)
{
    double volts = 1, watts = 0;
    bool dark = false;
    struct grid_source_trouble trouble = {0};
    for (uint32_t i = 0; i < plant->faults.count; i++) {
        const struct fault *fault = &plant->faults.standing[i].fault;
        if (fault_scope(fault->kind) != FAULT_POWER || fault->place != node)
            continue;
        dark |= fault->kind == FAULT_DARK;
        add_trouble(&trouble, fault);
        if (fault->kind == FAULT_SAG)
            volts *= 1 - fault->amount;
        if (fault->kind == FAULT_OTHER)
            watts += fault->amount * 1e3;
    }
    grid_darken(&plant->grid, node, dark);
    grid_sag(&plant->grid, node, fmin(1 - volts, deepest_sag));
    grid_load_more(&plant->grid, node, watts);
    grid_source_trouble(&plant->grid, node, &trouble);
}

int plant_fault(struct plant *plant, const struct fault *fault, bool begins)
{
    enum fault_scope scope = fault_scope(fault->kind);
    bool once = fault->kind == FAULT_RESET || fault->kind == FAULT_HOST_STEP;
    if (scope != FAULT_HOSTS && scope != FAULT_POWER)
        return 0;
    int result = once ? 0 : fault_set_change(&plant->faults, fault, begins, plant->t_ns);
    if (result)
        return result;
    if (scope == FAULT_POWER)
        strike_node(plant, fault->place);
    for (uint32_t h = 0; scope == FAULT_HOSTS && h < plant->model->host_count; h++) {
        if (fault_strikes_host(fault, plant->model, h))
            strike_host(plant, fault, begins, h);
    }
    return 0;
}
