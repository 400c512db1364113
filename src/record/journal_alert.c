/* SPDX-License-Identifier: Apache-2.0 */
/* The condition of an alert out of a journal: whoever carries it out trusts it. */
#include <string.h>

#include "record/journal_format.h"

static bool is_yes(uint8_t quantity)
{
    static const uint8_t unit[WHEN_QUANTITY_COUNT] = {
#define UNIT(symbol, name, unit, known, value, meaning) [symbol] = unit,
        WHEN_QUANTITIES(UNIT)
#undef UNIT
    };
    return unit[quantity] == WHEN_YES;
}

static const char *step_fault(const struct when_step *step, uint32_t top)
{
    bool two = step->op == WHEN_AND || step->op == WHEN_OR;
    bool one = step->op == WHEN_NOT || step->op == WHEN_FOR;

    if (step->op >= WHEN_OP_COUNT)
        return "operation of a condition";
    if (top < (two ? 2u : one ? 1u : 0u))
        return "operand of a condition";
    if (step->op == WHEN_FOR)
        return step->place >= WHEN_TIMES_MAX || step->bound <= 0 || step->bound > WHEN_TIME_MOST_NS
                   ? "time of a condition"
                   : NULL;
    if (two || one)
        return NULL;
    if (step->quantity >= WHEN_QUANTITY_COUNT || is_yes(step->quantity) != (step->op == WHEN_IS))
        return "quantity of a condition";
    return step->place >= WHEN_COMPARISONS_MAX ? "place of a comparison" : NULL;
}

const char *journal_alert_fault(const struct model_alert *alert)
{
    uint32_t top = 0;

    if (!memchr(alert->name, '\0', NAME_BYTES) || alert->severity >= ALERT_SEVERITY_COUNT)
        return "name or severity";
    if (!alert->when.count || alert->when.count > WHEN_STEPS_MAX)
        return "length of a condition";
    for (uint32_t i = 0; i < alert->when.count; i++) {
        const struct when_step *step = &alert->when.step[i];
        const char *fault = step_fault(step, top);

        if (fault)
            return fault;
        top += step->op <= WHEN_IS;
        top -= step->op == WHEN_AND || step->op == WHEN_OR;
    }
    return top == 1 ? NULL : "results of a condition";
}
