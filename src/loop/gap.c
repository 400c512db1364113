/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/gap.h"

void gap_note(struct gap *gap, int64_t now_ns, int64_t length_ns, bool working)
{
    static const int64_t least_ns[GAP_SIZES] = {GAP_NS, 10 * NS_PER_MS, 20 * NS_PER_MS};
    uint64_t at = count_read(&gap->over[0]) % GAPS_KEPT;
    atomic_store_explicit(&gap->kept[at].end_ns, (uint64_t)now_ns, memory_order_relaxed);
    atomic_store_explicit(&gap->kept[at].length_ns, (uint64_t)length_ns, memory_order_relaxed);
    for (int i = 0; i < GAP_SIZES; i++) {
        count_add(&gap->over[i], length_ns >= least_ns[i]);
        count_add(&gap->working[i], working && length_ns >= least_ns[i]);
    }
    count_add(&gap->lost_ns, (uint64_t)length_ns);
    if ((uint64_t)length_ns <= count_read(&gap->longest_ns))
        return;
    atomic_store_explicit(&gap->longest_ns, (uint64_t)length_ns, memory_order_relaxed);
    atomic_store_explicit(&gap->longest_t_ns, (uint64_t)now_ns, memory_order_relaxed);
}

int64_t gap_within(const struct gap *gap, int64_t from_ns, int64_t to_ns, int64_t *longest_ns)
{
    int64_t sum_ns = 0;
    for (uint32_t i = 0; gap && i < GAPS_KEPT; i++) {
        int64_t end_ns = (int64_t)count_read(&gap->kept[i].end_ns);
        int64_t length_ns = (int64_t)count_read(&gap->kept[i].length_ns);
        int64_t begin_ns = end_ns - length_ns;
        int64_t first_ns = begin_ns > from_ns ? begin_ns : from_ns, last_ns = end_ns < to_ns ? end_ns : to_ns;
        if (last_ns <= first_ns)
            continue;
        sum_ns += last_ns - first_ns;
        if (length_ns > *longest_ns)
            *longest_ns = length_ns;
    }
    return sum_ns;
}
