/* SPDX-License-Identifier: Apache-2.0 */
/* Where samples come from: waveforms that are made, a recording, or the plant of a site. */
#ifndef FLYBALL_CLI_METER_SOURCE_H
#define FLYBALL_CLI_METER_SOURCE_H

#include <stdint.h>

#include "msg/samples.h"

struct meter_source {
    void *of;
    /* volts and amperes of meter 0, 1, ... at `t_s` since the start, its sample `n`; 0, or -errno. Times go
     * back no further than a block behind the latest. */
    int (*row)(void *of, uint32_t meter, uint64_t n, double t_s, double row[SAMPLES_CHANNELS_MAX]);
    double ends_s;              /* no samples from there on; 0: it goes on for ever */
};

#endif
