/* SPDX-License-Identifier: Apache-2.0 */
/* The newest spectra and cycles of meters and swings of nodes, as slots brought them: for thresholds. */
#ifndef FLYBALL_CORE_SPECTRUM_H
#define FLYBALL_CORE_SPECTRUM_H

#include "msg/quality.h"
#include "msg/spectrum.h"

/* They come each 200 ms, swings each second: what is older than this tells nothing any more. */
#define SPECTRUM_LASTS_NS NS_PER_S
#define SPECTRUM_SWING_LASTS_NS (3 * NS_PER_S)
enum { SPECTRUM_HELD_MOST_PPM = 100000 };   /* of a swing's minute, without values of its own */

/* Times: slot time; 0: none yet. */
struct spectrum_known {
    struct spectrum newest;
    int64_t t_ns;
    struct quality quality;
    int64_t quality_t_ns;
};
struct spectrum_swing_known { struct spectrum_swing newest; int64_t t_ns; };

struct spectra_known {
    struct spectrum_known *meter;       /* by meter */
    struct spectrum_swing_known *node;  /* by node, and behind them the site */
    uint32_t meters, nodes;
};

/* rt: one that is of no meter or node of the model is left out. */
void spectrum_take(struct spectra_known *known, const struct spectrum *spectrum, int64_t t_ns);
void spectrum_take_swing(struct spectra_known *known, const struct spectrum_swing *swing, int64_t t_ns);
void spectrum_take_quality(struct spectra_known *known, const struct quality *quality, int64_t t_ns);

/* rt: what is known of a meter, or of a node (`nodes`: the site), at slot time t_ns. NULL: nothing, or
 * nothing that still counts. Samples that were clipped have harmonics that nobody drew. */
const struct spectrum *spectrum_seen(const struct spectra_known *known, uint32_t meter, int64_t t_ns);
const struct quality *spectrum_seen_quality(const struct spectra_known *known, uint32_t meter, int64_t t_ns);
const struct spectrum_swing *spectrum_seen_swing(const struct spectra_known *known, uint32_t node,
                                                 int64_t t_ns);

#endif
