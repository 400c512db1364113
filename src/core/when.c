/* SPDX-License-Identifier: Apache-2.0 */
/* A machine with a stack of results. Every step is taken for every reading, since comparisons and times
 * remember. */
#include "core/when.h"

static bool holds(enum when_op op, int64_t value, int64_t bound)
{
    switch (op) {
    case WHEN_ABOVE:
        return value > bound;
    case WHEN_AT_LEAST:
        return value >= bound;
    case WHEN_BELOW:
        return value < bound;
    case WHEN_AT_MOST:
        return value <= bound;
    default:
        return value != 0;
    }
}

/* Hysteresis: what was true is held against `clear` instead. What was not known begins anew. */
static enum when_truth compare(const struct when_step *step, struct when_state *state,
                               const struct when_seen *seen)
{
    uint32_t bit = UINT32_C(1) << step->place;
    bool was = (state->held & bit) != 0;
    int64_t value;
    state->held &= ~bit;
    if (!when_value(seen, step->quantity, &value))
        return WHEN_UNKNOWN;
    if (!holds(step->op, value, was ? step->clear : step->bound))
        return WHEN_FALSE;
    state->held |= bit;
    return WHEN_TRUE;
}

/* True once the operand has been true in every reading for that long; what ends it, or may have, starts the
 * time anew. */
static enum when_truth last(const struct when_step *step, struct when_state *state, enum when_truth operand,
                            int64_t t_ns)
{
    uint32_t bit = UINT32_C(1) << step->place;
    if (operand != WHEN_TRUE) {
        state->running &= ~bit;
        return operand;
    }
    if (!(state->running & bit))
        state->since_ns[step->place] = t_ns;
    state->running |= bit;
    return t_ns - state->since_ns[step->place] >= step->bound ? WHEN_TRUE : WHEN_FALSE;
}

static enum when_truth both(enum when_truth a, enum when_truth b)
{
    if (a == WHEN_FALSE || b == WHEN_FALSE)
        return WHEN_FALSE;
    return a == WHEN_TRUE && b == WHEN_TRUE ? WHEN_TRUE : WHEN_UNKNOWN;
}

static enum when_truth negated(enum when_truth operand)
{
    if (operand == WHEN_UNKNOWN)
        return WHEN_UNKNOWN;
    return operand == WHEN_TRUE ? WHEN_FALSE : WHEN_TRUE;
}

enum when_truth when_reading(const struct when_program *program, struct when_state *state,
                             const struct when_seen *seen, int64_t t_ns, bool gap)
{
    enum when_truth stack[WHEN_STEPS_MAX] = {WHEN_UNKNOWN};
    uint32_t top = 0;           /* results on the stack */
    if (gap)
        state->running = 0;
    for (uint32_t i = 0; i < program->count; i++) {
        const struct when_step *step = &program->step[i];
        switch (step->op) {
        case WHEN_AND:
            top--;
            stack[top - 1] = both(stack[top - 1], stack[top]);
            break;
        case WHEN_OR:
            top--;
            stack[top - 1] = negated(both(negated(stack[top - 1]), negated(stack[top])));
            break;
        case WHEN_NOT:
            stack[top - 1] = negated(stack[top - 1]);
            break;
        case WHEN_FOR:
            stack[top - 1] = last(step, state, stack[top - 1], t_ns);
            break;
        default:
            stack[top++] = compare(step, state, seen);
            break;
        }
    }
    return stack[0];
}
