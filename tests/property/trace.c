/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#define PULSE_NS INT64_C(20000000)
#define MS_NS INT64_C(1000000)

static double uniform(struct chance *chance, double low, double high)
{
    return low + (high - low) * ((double)(chance_next(chance) >> 11) * 0x1p-53);
}

struct trace trace_draw(uint64_t seed, int64_t phase_ns)
{
    struct chance chance = {seed};
    struct trace trace = {.kind = (uint32_t)chance_range(&chance, TRACE_ALL, TRACE_KIND_COUNT - 1),
                          .seed = chance_next(&chance)};
    trace.period_ns = chance_range(&chance, 40, 900) * MS_NS;
    trace.phase_ns = phase_ns >= 0 ? phase_ns : chance_range(&chance, 0, trace.period_ns);
    trace.low = uniform(&chance, 0, 0.5);
    trace.high = uniform(&chance, 0.7, 1.1);
    trace.duty = uniform(&chance, 0.1, 0.9);
    return trace;
}

/* A level of its own for every period. */
static double level_of(const struct trace *trace, int64_t period)
{
    struct chance chance = {trace->seed ^ (uint64_t)period * UINT64_C(0x9E3779B97F4A7C15)};
    return uniform(&chance, 0, 1);
}

double trace_share(const struct trace *trace, int64_t t_ns)
{
    if (trace->kind == TRACE_NONE || trace->kind == TRACE_ALL)
        return 1;
    int64_t period = (t_ns + trace->phase_ns) / trace->period_ns;
    int64_t into_ns = (t_ns + trace->phase_ns) % trace->period_ns;
    double part = (double)into_ns / (double)trace->period_ns, span = trace->high - trace->low;
    switch (trace->kind) {
    case TRACE_SQUARE: return part < trace->duty ? trace->high : trace->low;
    case TRACE_RAMP: return trace->low + span * part;
    case TRACE_BURSTS: return level_of(trace, period) < trace->duty ? trace->high : trace->low;
    case TRACE_PULSES: return into_ns < PULSE_NS ? trace->high : trace->low;
    default:
        return trace->low +
               span * (level_of(trace, period) * (1 - part) + level_of(trace, period + 1) * part);
    }
}
