/* SPDX-License-Identifier: Apache-2.0 */
/* The quantities of msg/when.h, worked out of a reading and of what else is known. */
#include "core/when.h"

static int64_t sum(const int64_t value[PHASES])
{
    return value[0] + value[1] + value[2];
}

static int64_t most(const int64_t value[PHASES], const struct model_node *node)
{
    int64_t found = value[0];
    for (uint32_t i = 1; i < node->phases && i < PHASES; i++)
        found = value[i] > found ? value[i] : found;
    return found;
}

static int64_t least(const int64_t value[PHASES], const struct model_node *node)
{
    int64_t found = value[0];
    for (uint32_t i = 1; i < node->phases && i < PHASES; i++)
        found = value[i] < found ? value[i] : found;
    return found;
}

static int64_t ppm_of(int64_t value, int64_t reference)
{
    return reference > 0 ? value * PPM / reference : 0;
}

/* Volts and amperes of a reading are at most 10^9 of their thousandths. */
static int64_t phase_mva(const struct reading *reading, uint32_t phase)
{
    return reading->voltage_mv[phase] * reading->current_ma[phase] / 1000;
}

static int64_t apparent_mva(const struct reading *reading)
{
    int64_t found_mva = 0;
    for (uint32_t i = 0; i < PHASES; i++)
        found_mva += phase_mva(reading, i);
    return found_mva;
}

/* By NEMA MG 1; -1 where there is one phase, or nothing at all. */
static int64_t unbalance_ppm(const int64_t value[PHASES], const struct model_node *node)
{
    int64_t total = sum(value), furthest = 0;
    if (node->phases != PHASES || total <= 0)
        return -1;
    for (uint32_t i = 0; i < PHASES; i++) {
        int64_t beside = PHASES * value[i] - total;
        beside = beside < 0 ? -beside : beside;
        furthest = beside > furthest ? beside : furthest;
    }
    return ppm_of(furthest, total);
}

static int64_t largest_of(const uint32_t value[PHASES])
{
    uint32_t found = value[0];
    for (uint32_t i = 1; i < PHASES; i++)
        found = value[i] > found ? value[i] : found;
    return found;
}

static int64_t factor_ppm(const struct reading *reading, uint32_t phase)
{
    return ppm_of(reading->power_mw[phase], phase_mva(reading, phase));
}

/* Of a power that stands, one way or the other. */
static int64_t of_mean_ppm(const struct spectrum_swing *swing)
{
    int64_t mean_mw = swing->mean_mw < 0 ? -swing->mean_mw : swing->mean_mw;
    return ppm_of(swing->rms_mw[0], mean_mw);
}

bool when_value(const struct when_seen *seen, enum when_quantity quantity, int64_t *value)
{
    const struct reading *r = seen->reading;
    const struct model_node *n = seen->node;
    const struct model_meter *m = seen->meter;
    const struct quality *q = seen->quality;
    const struct spectrum *s = seen->spectrum;
    const struct spectrum_swing *w = seen->swing, *g = seen->site;
    switch (quantity) {
#define VALUE(symbol, name, unit, is_known, expression, meaning) \
    case symbol: \
        if (!(is_known)) \
            return false; \
        *value = (expression); \
        return true;
        WHEN_QUANTITIES(VALUE)
#undef VALUE
    case WHEN_QUANTITY_COUNT:
        break;
    }
    return false;
}
