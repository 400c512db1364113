/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults of hosts as hardware, of load and of power, carried out on the plant: reset, stick, lie, stall,
 * overdraw, overshoot, foreign, reboot, sleep (host-step), surge, pulse, idle, dark, sag, other, no-start,
 * late-start, battery, bypass, transfer.
 *
 * Whoever plays a history calls plant_fault and then station_fault for every fault but those of network and
 * controller, at its beginning and, where for_ns > 0, at its end; each takes what is its part and leaves the
 * rest. Between two steps: what begins shows in the next one. Faults on the same place add up (shares
 * multiply, seconds and watts add; of what its job does, the newest counts), and each may end in any order.
 */
#ifndef FLYBALL_SIM_PLANT_FAULT_H
#define FLYBALL_SIM_PLANT_FAULT_H

#include "sim/plant.h"

/* any: begins or ends. An end that has no beginning is nothing. 0 or -ENOMEM. */
int plant_fault(struct plant *plant, const struct fault *fault, bool begins);

#endif
