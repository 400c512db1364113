/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int history_add(struct history *history, const struct fault *fault)
{
    uint32_t at = history->count;
    if (history->count == HISTORY_FAULTS_MAX)
        return -E2BIG;
    struct fault *more = realloc(history->fault, (history->count + 1) * sizeof *more);
    if (!more)
        return -ENOMEM;
    history->fault = more;
    for (; at > 0 && history->fault[at - 1].at_ns > fault->at_ns; at--)
        ;
    memmove(&history->fault[at + 1], &history->fault[at], (history->count - at) * sizeof *fault);
    history->fault[at] = *fault;
    history->count++;
    return 0;
}

void history_finish(struct history *history)
{
    free(history->fault);
    *history = (struct history){0};
}
