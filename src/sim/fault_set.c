/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/fault_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void fault_set_finish(struct fault_set *set)
{
    free(set->standing);
    memset(set, 0, sizeof(*set));
}

static int take_in(struct fault_set *set, const struct fault *fault, int64_t t_ns)
{
    if (set->count == set->capacity) {
        uint32_t capacity = set->capacity ? 2 * set->capacity : 16;
        struct fault_standing *more = realloc(set->standing, capacity * sizeof(*more));
        if (!more)
            return -ENOMEM;
        set->standing = more;
        set->capacity = capacity;
    }
    set->standing[set->count++] = (struct fault_standing){.fault = *fault, .since_ns = t_ns};
    return 0;
}

int fault_set_change(struct fault_set *set, const struct fault *fault, bool begins, int64_t t_ns)
{
    if (begins)
        return take_in(set, fault, t_ns);
    for (uint32_t i = 0; i < set->count; i++) {
        if (!fault_same(&set->standing[i].fault, fault))
            continue;
        set->count--;
        memmove(&set->standing[i], &set->standing[i + 1], (set->count - i) * sizeof(*set->standing));
        break;
    }
    return 0;
}

uint32_t fault_set_host(const struct fault_set *set, const struct model *model, enum fault_kind kind,
                        uint32_t host)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        const struct fault *fault = &set->standing[i].fault;
        found += fault->kind == kind && fault_strikes_host(fault, model, host);
    }
    return found;
}
