/* SPDX-License-Identifier: Apache-2.0 */
/* What a host wants, as a function of time alone: whatever else is left out of a case, a host's trace
 * stays. */
#ifndef FLYBALL_TESTS_TRACE_H
#define FLYBALL_TESTS_TRACE_H

#include "chance.h"

enum trace_kind {
    TRACE_NONE,         /* somebody else says what the host wants */
    TRACE_ALL,          /* all that it can draw */
    TRACE_SQUARE,
    TRACE_RAMP,         /* up over the period, then down at once */
    TRACE_BURSTS,       /* high in some periods, drawn one by one */
    TRACE_PULSES,       /* 20 ms high at the begin of each */
    TRACE_DRIFT,        /* from one level to another over each */
    TRACE_KIND_COUNT
};

struct trace {
    uint32_t kind;              /* enum trace_kind */
    uint64_t seed;
    int64_t period_ns, phase_ns;
    double low, high, duty;     /* of all that the host can draw; of the period, or of periods */
};

/* setup */
struct trace trace_draw(uint64_t seed, int64_t phase_ns);

/* any: share of all that the host can draw. */
double trace_share(const struct trace *trace, int64_t t_ns);

#endif
