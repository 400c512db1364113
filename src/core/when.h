/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The condition of an alert, held against one reading after the other. Integers only, so that every build
 * agrees. What nothing tells is unknown, and so is what depends on it: unknown and false is false,
 * unknown or true is true (Kleene), and a condition that is unknown raises nothing.
 */
#ifndef FLYBALL_CORE_WHEN_H
#define FLYBALL_CORE_WHEN_H

#include <stdbool.h>

#include "msg/model.h"
#include "msg/quality.h"
#include "msg/reading.h"
#include "msg/spectrum.h"
#include "msg/when.h"

/* What one condition remembers of one meter; all zero = nothing yet. */
struct when_state {
    uint32_t held;              /* bit: that comparison was true, and is held against `clear` */
    uint32_t running;           /* bit: what that `for` waits for has been true, since: */
    int64_t since_ns[WHEN_TIMES_MAX];
};

static_assert(WHEN_COMPARISONS_MAX <= 32 && WHEN_TIMES_MAX <= 32, "a bit each");

/* What there is to be held against a condition: a reading, the node that its meter covers, what else is known
 * of them by then, and the meter. NULL: nothing is. */
struct when_seen {
    const struct reading *reading;
    const struct model_node *node;
    const struct quality *quality;
    const struct spectrum *spectrum;
    const struct spectrum_swing *swing, *site;
    const struct model_meter *meter;
};

/* rt: a quantity, in its unit; false where nothing tells it. `quantity` is less than WHEN_QUANTITY_COUNT. */
bool when_value(const struct when_seen *seen, enum when_quantity quantity, int64_t *value);

/* rt: takes the next reading of that meter, at slot time t_ns, which does not fall. `gap`: readings before it
 * are missing, so that times begin anew. The program is one of site/read/when.c, or one that
 * journal_alert_fault finds nothing in. */
enum when_truth when_reading(const struct when_program *program, struct when_state *state,
                             const struct when_seen *seen, int64_t t_ns, bool gap);

#endif
