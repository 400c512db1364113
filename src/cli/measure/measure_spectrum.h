/* SPDX-License-Identifier: Apache-2.0 */
/* Harmonics of a recording's beginning: over as many whole cycles as one reading has, or as there are. */
#ifndef FLYBALL_CLI_MEASURE_SPECTRUM_H
#define FLYBALL_CLI_MEASURE_SPECTRUM_H

#include "cli/measure/recording.h"
#include "core/measure_harmonics.h"

struct measure_spectrum {
    uint32_t cycles;                    /* 0: less than one without a gap */
    uint32_t orders;                    /* below half of the sampling rate, up to 50 */
    double from_s, frequency_hz;
    double harmonic[SAMPLES_CHANNELS_MAX][HARMONICS_HIGHEST + 1];       /* rms; [0] is the mean */
    double thd[SAMPLES_CHANNELS_MAX];   /* ratios */
};

/* any: of a run whose mains frequency is known. 0 or -ENOMEM. */
int measure_spectrum(const struct recording *recording, uint32_t run, double frequency_hz, double nominal_hz,
                     struct measure_spectrum *spectrum);

/* any: as a JSON line. */
void measure_spectrum_print(const struct measure_spectrum *spectrum, uint32_t phases);

#endif
