/* SPDX-License-Identifier: Apache-2.0 */
/* What `flyball meter` was asked for. */
#ifndef FLYBALL_CLI_METER_OPTIONS_H
#define FLYBALL_CLI_METER_OPTIONS_H

#include "cli/meter/meter_pack.h"
#include "cli/meter/meter_wave.h"

struct meter_options {
    const char *protocol, *to, *from, *interface, *capture;
    const char *recording, *site, *workload;
    uint32_t channel[SAMPLES_CHANNELS_MAX], channels;   /* of the recording */
    bool json, again;
    double seconds;
    uint64_t count, seed;
    int64_t start_ns;           /* 0: now */
    struct meter_ask ask;
    struct meter_wave wave;
};

/* setup: 0, or -EINVAL and a line on standard error. */
int meter_options_read(struct meter_options *options, int argc, char **argv);

#endif
