/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/hiccup.h"

#include <stdlib.h>
#include <time.h>

#include "rt/clock.h"

void hiccup_note(struct hiccups *hiccups, int64_t gap_ns)
{
    if (gap_ns < HICCUP_LEAST_NS)
        return;
    if (hiccups->count < hiccups->room)
        hiccups->gap_ns[hiccups->count++] = gap_ns < UINT32_MAX ? (uint32_t)gap_ns : UINT32_MAX;
    hiccups->seen++;
    hiccups->lost_ns += gap_ns;
    hiccups->over_10us += gap_ns > 10 * NS_PER_US;
    hiccups->over_100us += gap_ns > 100 * NS_PER_US;
    hiccups->over_1ms += gap_ns > NS_PER_MS;
    if (gap_ns > hiccups->longest_ns)
        hiccups->longest_ns = gap_ns;
}

void hiccup_run(struct hiccups *hiccups, int64_t span_ns)
{
    int64_t start_ns = clock_monotonic_ns(), last_ns = start_ns, t_ns = start_ns;
    while (t_ns - start_ns < span_ns) {
        t_ns = clock_monotonic_ns();
        hiccup_note(hiccups, t_ns - last_ns);
        last_ns = t_ns;
        hiccups->reads++;
    }
    hiccups->span_ns += t_ns - start_ns;
}

static int longer_first(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? 1 : a > b ? -1 : 0;
}

/* The time of gaps that found no room; of one that is longer than an entry can say, what that leaves out. */
static double unkept_ns(const struct hiccups *hiccups)
{
    double rest_ns = (double)hiccups->lost_ns;
    for (uint32_t i = 0; i < hiccups->count; i++)
        rest_ns -= hiccups->gap_ns[i];
    return rest_ns;
}

/* A moment of a gap of length g waits more than w while it lies in the gap's first g - w. So the share of
 * moments that wait longer than w is the sum of (g - w) over all longer gaps, over the whole span: gaps are
 * taken longest first until that sum, with w at the next gap's length, passes what q leaves. */
int64_t hiccup_wait_ns(struct hiccups *hiccups, double q)
{
    double left_ns = (1.0 - q) * (double)hiccups->span_ns, sum_ns = unkept_ns(hiccups);
    double taken = sum_ns > 0 ? sum_ns / (double)hiccups->longest_ns : 0;
    qsort(hiccups->gap_ns, hiccups->count, sizeof *hiccups->gap_ns, longer_first);
    for (uint32_t i = 0; i <= hiccups->count; i++) {
        double next_ns = i < hiccups->count ? hiccups->gap_ns[i] : 0;
        if (sum_ns - taken * next_ns > left_ns)
            return (int64_t)((sum_ns - left_ns) / taken + 0.5);
        sum_ns += next_ns;
        taken++;
    }
    return 0;
}
