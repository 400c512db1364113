/* SPDX-License-Identifier: Apache-2.0 */
#include "measured.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ALL_FLAGS = 255, DUE_TICKS = 2 };

static void require(int condition)
{
    if (!condition)
        abort();
}

static void require_numbers(const double *value, size_t count)
{
    for (size_t k = 0; k < count; k++)
        require(isfinite(value[k]));
}

/* Phases, a delay and the nominal frequency by what the block carries, so that all of them are seen. */
static struct measure_config config_for(const struct samples *block)
{
    struct measure_config config = {.period_ps = block->period_ps,
                                    .phases = 1 + (uint32_t)(block->sequence % 3),
                                    .channels = block->channels,
                                    .nominal_hz = block->flags & SAMPLES_NOMINAL_50 ? 50 : 60,
                                    .voltage_v = 230,
                                    .current_a = 100,
                                    .sag = 0.9,
                                    .swell = 1.1,
                                    .interruption = 0.05,
                                    .hysteresis = 0.02,
                                    .peak_a = 500,
                                    .slope_w_per_s = 1e6};

    for (uint32_t c = 0; c < MEASURE_CHANNELS; c++)
        config.gain[c] = 1;
    config.late_ns[SAMPLES_IB] = block->sequence & 4 ? (double)block->period_ps * 1e-3 / 3 : 0;
    return config;
}

static bool begin(struct measured *measured, const struct samples *block)
{
    struct measure_config config = config_for(block);
    bool rate_is_none = config.period_ps < INT64_C(1000000000000) / MEASURE_RATE_MAX_HZ ||
                        config.period_ps > INT64_C(1000000000000) / MEASURE_RATE_MIN_HZ;

    memset(measured, 0, sizeof *measured);
    require(measure_meter_init(&measured->meter, &config) == (rate_is_none ? -EINVAL : 0));
    measured->has_meter = !rate_is_none;
    return measured->has_meter;
}

static void check_ticks(struct measured *measured)
{
    const struct measure_out *out = &measured->out;

    require(out->ticks <= MEASURE_TICKS_MAX);
    for (uint32_t k = 0; k < out->ticks; k++) {
        const struct measure_tick *tick = &out->tick[k];

        require_numbers(&tick->power_w, 3);
        require_numbers(tick->peak_a, MEASURE_PHASES);
        require(!(tick->flags & ~(uint32_t)ALL_FLAGS) && (!k || tick->t_ns > tick[-1].t_ns));
        measured->due_flags &= ~tick->flags;
        require(!measured->due_flags || measured->due_ticks > 0);
        measured->due_ticks -= measured->due_ticks > 0;
    }
}

static void check_features(const struct measure_out *out)
{
    require(out->features <= MEASURE_FEATURES_MAX && out->heats <= MEASURE_HEATS_MAX);
    for (uint32_t k = 0; k < out->features; k++) {
        require_numbers(&out->feature[k].power_w, 5);
        require_numbers(out->feature[k].peak_a, MEASURE_PHASES);
    }
    for (uint32_t k = 0; k < out->heats; k++)
        for (uint32_t p = 0; p < MEASURE_PHASES; p++) {
            require(isfinite(out->heat[k].current_a[p]) && out->heat[k].current_a[p] >= 0);
            require(out->heat[k].worst_a >= out->heat[k].current_a[p]);
        }
}

static void check_events(const struct measure_out *out)
{
    require(out->events <= MEASURE_EVENTS_MAX && out->halves <= MEASURE_HALVES_MAX);
    for (uint32_t k = 0; k < out->halves; k++) {
        require_numbers(&out->half[k].voltage_v, 3);
        require(out->half[k].voltage_v >= 0 && out->half[k].current_a >= 0);
        require(out->half[k].phase < MEASURE_PHASES);
    }
    for (uint32_t k = 0; k < out->events; k++) {
        const struct measure_event *event = &out->event[k];

        require(isfinite(event->value) && event->kind < MEASURE_EVENT_KINDS);
        require(event->phase < MEASURE_PHASES && (event->over || event->end_ns == 0));
    }
}

static void check_readings(const struct measure_out *out)
{
    require(out->cycles_count <= MEASURE_CYCLES_MAX);
    for (uint32_t k = 0; k < out->cycles_count; k++) {
        const struct measure_cycles *reading = &out->cycles[k];

        for (uint32_t p = 0; p < MEASURE_PHASES; p++)
            require_numbers(&reading->phase[p].voltage_v, sizeof reading->phase[p] / sizeof(double));
        require_numbers(&reading->frequency_hz, 2);
        require_numbers(&reading->active_w, 18);
        /* what a gap made void has neither cycles nor values */
        require(reading->flags == MEASURE_GAP ? !reading->cycles : reading->cycles >= 10);
    }
}

/* Whether what is missing before the block is more than is filled; `filled`: whether anything is. */
static bool is_gap(const struct measured *measured, const struct samples *block, bool *filled)
{
    double period_ns = (double)block->period_ps * 1e-3;
    int64_t late_ns, missing = 0;

    *filled = false;
    if (!(block->flags & SAMPLES_GAP) && !measured->omitted)
        return false;
    if (!__builtin_sub_overflow(block->t0_ns, measured->next_t_ns, &late_ns) && late_ns > 0)
        missing = (int64_t)((double)late_ns / period_ns + 0.5);
    *filled = missing > 0 && (double)missing <= 1e9 / (double)block->period_ps;
    return !*filled;
}

/* What an invalid neutral says is nothing, and so nothing clips there. */
static bool is_clipped(const struct samples *block)
{
    uint32_t neutral = 1u << SAMPLES_VN | 1u << SAMPLES_IN;
    uint32_t absent = block->flags & SAMPLES_INVALID ? block->invalid & neutral : 0;

    return block->flags & SAMPLES_CLIPPED && (!block->clipped || block->clipped & ~absent);
}

static void take(struct measured *measured, const struct samples *block, bool begun)
{
    bool filled, gap = is_gap(measured, block, &filled);
    uint32_t marks = (is_clipped(block) ? MEASURE_CLIPPED : 0) |
                     (block->flags & SAMPLES_FILLED || (begun && filled) ? MEASURE_FILLED : 0);

    if (begun && gap) {
        require(measured->out.cycles_count && measured->out.cycles[0].flags == MEASURE_GAP);
        measured->due_flags = MEASURE_GAP;
    }
    measured->due_flags |= marks;
    measured->due_ticks = marks || (begun && gap) ? DUE_TICKS : measured->due_ticks;
    measured->next_t_ns = block->t0_ns + (int64_t)(block->count * ((double)block->period_ps * 1e-3) + 0.5);
    measured->omitted = false;
}

void measured_block(struct measured *measured, const struct samples *block)
{
    const struct measure_config *config = &measured->meter.config;
    bool other = block->channels != config->channels || block->period_ps != config->period_ps;

    if (measured->has_meter && other)
        require(measure_meter_samples(&measured->meter, block, &measured->out) == -EINVAL);
    if ((!measured->has_meter || other) && !begin(measured, block))
        return;
    uint32_t started = measured->meter.started;
    int64_t next_ns = measured->meter.next_t_ns;
    int rc = measure_meter_samples(&measured->meter, block, &measured->out);

    require(rc == 0 || rc == -EINVAL);
    if (!rc && measured->meter.omitted)
        measured->omitted = true;
    else if (!rc)
        take(measured, block, started);
    if (rc || measured->meter.omitted) {
        require(!measured->out.ticks && !measured->out.halves && !measured->out.cycles_count);
        require(measured->meter.started == started && measured->meter.next_t_ns == next_ns);
    }
    check_ticks(measured);
    check_features(&measured->out);
    check_events(&measured->out);
    check_readings(&measured->out);
}
