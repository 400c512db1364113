/* SPDX-License-Identifier: Apache-2.0 */
/* Readings and events as JSON lines, or as lines for people. */
#ifndef FLYBALL_CLI_MEASURE_PRINT_H
#define FLYBALL_CLI_MEASURE_PRINT_H

#include <stdbool.h>

#include "core/measure_meter.h"

/* Which kinds of lines are wanted. Events and readings of 10 or 12 cycles always are. */
enum measure_print_what { PRINT_HALVES = 1, PRINT_FEATURES = 2, PRINT_TICKS = 4, PRINT_HEAT = 8,
                          PRINT_HARMONICS = 16, PRINT_SPECTRA = 32, PRINT_PAPER = 64 };

struct measure_print {
    bool json;
    uint32_t what;
    uint32_t phases;
    double voltage_v;                   /* declared: residuals are shares of it */
    uint64_t events[MEASURE_EVENT_KINDS], readings, lost;
};

void measure_print_settings(const struct measure_print *print, const struct measure_config *config,
                            uint64_t samples, bool voltage_measured);
/* a measure_chain_told of a struct measure_print */
void measure_print_out(void *told_by, const struct measure_out *out);
/* events that are not over where a run ends, at t_ns */
void measure_print_open(const struct measure_print *print, const struct measure_event *open, uint32_t opens,
                        int64_t t_ns);
void measure_print_end(const struct measure_print *print);

#endif
