/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The white paper's windows, 16 ms for rms and 125 ms for harmonics, for comparison with systems built to its
 * letter and for nothing else: they hold no whole number of cycles at 50 or 60 Hz. Rms is off by up to 10 %
 * at 50 Hz and 2.1 % at 60 Hz, whatever the meter. Harmonics are read through a flat-top window, which is off
 * by 0.11 % at most where the orders fall between two bins. Every line carries "compatibility".
 */
#ifndef FLYBALL_CLI_MEASURE_PAPER_H
#define FLYBALL_CLI_MEASURE_PAPER_H

#include "cli/measure/recording.h"

/* setup: a line for each window of samples without a gap, on standard output. 0 or -ENOMEM. */
int measure_paper_print(const struct recording *recording, uint32_t run, double nominal_hz);

#endif
