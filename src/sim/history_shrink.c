/* SPDX-License-Identifier: Apache-2.0 */
/* Shrinking: Zeller, Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 28(2), 2002
 * (ddmin), for the faults; halves for their times and sizes and for the end. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/history.h"

enum { HALVES_MAX = 24 };

struct shrinking {
    struct history *best;       /* fails */
    int64_t until_ns;           /* by then */
    struct fault *trial;        /* as many as best has had */
    history_fails *fails;
    void *user;
    uint32_t runs;
};

static bool fails(struct shrinking *shrinking, const struct fault *fault, uint32_t count, int64_t until_ns)
{
    struct history history = {count, (struct fault *)(uintptr_t)fault};
    if (!shrinking->runs)
        return false;
    shrinking->runs--;
    return shrinking->fails(shrinking->user, &history, until_ns);
}

/* ---- the end ---- */

/* The earliest end by which it fails, to the millisecond, were it so that what fails goes on failing; if not,
 * an end by which it does. What begins later is left out. */
static void shorten_end(struct shrinking *shrinking)
{
    struct history *best = shrinking->best;
    int64_t passes_ns = 0;
    while (shrinking->until_ns - passes_ns > NS_PER_MS && shrinking->runs) {
        int64_t middle_ns = (passes_ns + (shrinking->until_ns - passes_ns) / 2) / NS_PER_MS * NS_PER_MS;
        if (middle_ns <= passes_ns)
            break;
        if (fails(shrinking, best->fault, best->count, middle_ns))
            shrinking->until_ns = middle_ns;
        else
            passes_ns = middle_ns;
    }
    uint32_t count = best->count;
    while (count && best->fault[count - 1].at_ns >= shrinking->until_ns)
        count--;
    if (count < best->count && fails(shrinking, best->fault, count, shrinking->until_ns))
        best->count = count;
}

/* ---- parts ---- */

static bool fails_without(struct shrinking *shrinking, uint32_t first, uint32_t count)
{
    struct history *best = shrinking->best;
    memcpy(shrinking->trial, best->fault, first * sizeof *best->fault);
    memcpy(shrinking->trial + first, best->fault + first + count,
           (best->count - first - count) * sizeof *best->fault);
    if (!fails(shrinking, shrinking->trial, best->count - count, shrinking->until_ns))
        return false;
    best->count -= count;
    memcpy(best->fault, shrinking->trial, best->count * sizeof *best->fault);
    return true;
}

/* Parts are left out, from the last to the first: what comes after a failure matters least. */
static bool leave_out(struct shrinking *shrinking, uint32_t size)
{
    bool any = false;
    for (uint32_t end = shrinking->best->count; end > 0 && shrinking->runs;) {
        uint32_t first = end > size ? end - size : 0;
        any |= fails_without(shrinking, first, end - first);
        end = first;
    }
    return any;
}

static bool leave_parts_out(struct shrinking *shrinking)
{
    bool any = false;
    for (uint32_t size = shrinking->best->count; size > 0 && shrinking->runs; size /= 2) {
        bool less = leave_out(shrinking, size);
        any |= less;
        while (less && size == 1)       /* what could not go before may be free to go now */
            less = leave_out(shrinking, size);
    }
    return any;
}

/* ---- times and sizes ---- */

static bool fails_with(struct shrinking *shrinking, uint32_t at, const struct fault *fault)
{
    struct history *best = shrinking->best;
    memcpy(shrinking->trial, best->fault, best->count * sizeof *best->fault);
    shrinking->trial[at] = *fault;
    if (!fails(shrinking, shrinking->trial, best->count, shrinking->until_ns))
        return false;
    best->fault[at] = *fault;
    return true;
}

/* It lasts half as long, or is half as large, again and again. What lasts stays so: 0 would be another
 * fault. */
static bool shorten_one(struct shrinking *shrinking, uint32_t at)
{
    bool any = false;
    for (int half = 0; half < HALVES_MAX && shrinking->runs; half++) {
        struct fault fault = shrinking->best->fault[at];
        fault.for_ns = fault.for_ns / 2 / NS_PER_MS * NS_PER_MS;
        if (!fault.for_ns || !fails_with(shrinking, at, &fault))
            break;
        any = true;
    }
    for (int half = 0; half < HALVES_MAX && shrinking->runs; half++) {
        struct fault fault = shrinking->best->fault[at];
        fault.amount = round(fault.amount * 500) / 1000;
        if (fault.amount == shrinking->best->fault[at].amount || fault.amount == 0 ||
            !fails_with(shrinking, at, &fault))
            break;
        any = true;
    }
    return any;
}

/* Begins of all are drawn together: as much earlier as the first one can be. */
static bool begin_earlier(struct shrinking *shrinking)
{
    struct history *best = shrinking->best;
    bool any = false;
    for (int half = 0; best->count && half < HALVES_MAX && shrinking->runs; half++) {
        int64_t by_ns = best->fault[0].at_ns / 2 / NS_PER_MS * NS_PER_MS;
        if (!by_ns)
            break;
        memcpy(shrinking->trial, best->fault, best->count * sizeof *best->fault);
        for (uint32_t i = 0; i < best->count; i++)
            shrinking->trial[i].at_ns -= by_ns;
        if (!fails(shrinking, shrinking->trial, best->count, shrinking->until_ns - by_ns))
            break;
        memcpy(best->fault, shrinking->trial, best->count * sizeof *best->fault);
        shrinking->until_ns -= by_ns;
        any = true;
    }
    return any;
}

static bool shorten_all(struct shrinking *shrinking)
{
    bool any = begin_earlier(shrinking);
    for (uint32_t i = 0; i < shrinking->best->count; i++)
        any |= shorten_one(shrinking, i);
    return any;
}

int history_shrink(struct history *history, int64_t *until_ns, history_fails *check, void *user,
                   uint32_t runs)
{
    struct shrinking shrinking = {.best = history, .until_ns = *until_ns, .fails = check, .user = user,
                                  .runs = runs};
    if (!fails(&shrinking, history->fault, history->count, *until_ns))
        return 0;
    shrinking.trial = calloc((size_t)history->count + 1, sizeof *shrinking.trial);
    if (!shrinking.trial)
        return -ENOMEM;
    shorten_end(&shrinking);
    leave_parts_out(&shrinking);
    while (shorten_all(&shrinking) && leave_parts_out(&shrinking))
        ;
    shorten_end(&shrinking);
    free(shrinking.trial);
    *until_ns = shrinking.until_ns;
    return 0;
}
