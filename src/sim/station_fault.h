/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults of agents, watchdogs, hosts' clocks and of meters as they report: agent, leave, watchdog, freeze,
 * host-rate, host-step, and all of meters; and when an agent looks at its device again after stick, lie and
 * foreign. plant_fault.h says who calls it and when.
 */
#ifndef FLYBALL_SIM_STATION_FAULT_H
#define FLYBALL_SIM_STATION_FAULT_H

#include "sim/station.h"

/* any: begins or ends, at the plant's time. An end that has no beginning is nothing. 0 or -ENOMEM. */
int station_fault(struct station *station, const struct fault *fault, bool begins);

#endif
