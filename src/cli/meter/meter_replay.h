/* SPDX-License-Identifier: Apache-2.0 */
/* A recording as what meters measure, at any rate. */
#ifndef FLYBALL_CLI_METER_REPLAY_H
#define FLYBALL_CLI_METER_REPLAY_H

#include <stdbool.h>

#include "cli/measure/recording.h"
#include "cli/meter/meter_source.h"
#include "core/resample.h"

struct meter_replay {
    struct recording recording;
    bool again;                 /* begins anew at its end */
    double from_hz, seconds;    /* what it was sampled at, and how long it is */
    double volts_most, amperes_most;
    uint64_t rows;              /* of its first part up to the first gap */
    double (*row)[SAMPLES_CHANNELS_MAX];    /* and before and behind them what the filter needs */
    struct resample resample;
};

/* setup: reads it, for samples at `to_hz` later on. 0; -EINVAL and why in replay->recording; or -errno. */
int meter_replay_open(struct meter_replay *replay, const char *path, const uint32_t *wanted,
                      uint32_t wanted_count);

/* setup: 0, -ENOMEM, -EINVAL where the rate is below a 16th of the recording's. */
int meter_replay_begin(struct meter_replay *replay, double to_hz, struct meter_source *source);
void meter_replay_finish(struct meter_replay *replay);

#endif
