/* SPDX-License-Identifier: Apache-2.0 */
/* A meter of its own that is fed with waves in packets, as a protocol brings them: 8 kHz. */
#ifndef FLYBALL_TESTS_CORE_PACKETS_H
#define FLYBALL_TESTS_CORE_PACKETS_H

#include "core/measure_meter.h"
#include "waves.h"

enum { PACKETS_COUNT = 32, PACKETS_PERIOD_NS = 125000 };

struct packets {
    struct waves waves;
    struct measure_meter meter;
    struct measure_out out;
    struct waves_result result;
    struct samples packet;
    int64_t moved_ns;                   /* the clock of the packets, beside the true one */
    double factor;                      /* of the voltages */
};

/* Whoever gets it frees it. */
struct packets *packets_begin(const struct measure_config *config, const struct waves *waves);

/* Packets from sample `from` to `to`; the flags and marks of `packet` are those of the first. */
void packets_feed(struct packets *packets, uint32_t from, uint32_t to);

#endif
