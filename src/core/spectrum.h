/* SPDX-License-Identifier: Apache-2.0 */
/* The newest spectra of meters and swings of nodes, as slots brought them: for thresholds. */
#ifndef FLYBALL_CORE_SPECTRUM_H
#define FLYBALL_CORE_SPECTRUM_H

#include "msg/spectrum.h"

struct spectrum_known { struct spectrum newest; int64_t t_ns; };                /* slot time; 0: none yet */
struct spectrum_swing_known { struct spectrum_swing newest; int64_t t_ns; };

struct spectra_known {
    struct spectrum_known *meter;       /* by meter */
    struct spectrum_swing_known *node;  /* by node, and behind them the site */
    uint32_t meters, nodes;
};

/* rt: one that is of no meter or node of the model is left out. */
void spectrum_take(struct spectra_known *known, const struct spectrum *spectrum, int64_t t_ns);
void spectrum_take_swing(struct spectra_known *known, const struct spectrum_swing *swing, int64_t t_ns);

#endif
