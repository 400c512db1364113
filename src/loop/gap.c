/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/gap.h"

void gap_note(struct gap *gap, int64_t now_ns, int64_t length_ns, bool working)
{
    static const int64_t least_ns[GAP_SIZES] = {GAP_NS, 10 * NS_PER_MS, 20 * NS_PER_MS};
    uint64_t gaps = count_read(&gap->over[0]);
    const uint64_t word[SEQLOCK_WORDS] = {(uint64_t)now_ns, (uint64_t)length_ns, working};
    seqlock_write(&gap->kept[gaps % GAPS_KEPT], word);
    /* release, partner: the acquire in gap_add: it is there before it is counted */
    atomic_store_explicit(&gap->over[0], gaps + 1, memory_order_release);
    for (int i = 0; i < GAP_SIZES; i++) {
        if (i)
            count_add(&gap->over[i], length_ns >= least_ns[i]);
        count_add(&gap->working[i], working && length_ns >= least_ns[i]);
    }
    count_add(&gap->lost_ns, (uint64_t)length_ns);
    if ((uint64_t)length_ns <= count_read(&gap->longest_ns))
        return;
    atomic_store_explicit(&gap->longest_ns, (uint64_t)length_ns, memory_order_relaxed);
    atomic_store_explicit(&gap->longest_t_ns, (uint64_t)now_ns, memory_order_relaxed);
}

bool gap_read(const struct gap *gap, uint64_t at, struct gap_kept *kept)
{
    uint64_t word[SEQLOCK_WORDS];
    if (!seqlock_read(&gap->kept[at % GAPS_KEPT], word))
        return false;
    *kept = (struct gap_kept){
        .end_ns = (int64_t)word[0], .length_ns = (int64_t)word[1], .working = word[2] != 0};
    return kept->end_ns != 0;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* From the newest on: one that ended before is behind all that can lie in it. */
void gap_add(const struct gap *gap, int64_t from_ns, int64_t to_ns, struct gap_sum *sum)
{
    /* acquire, partner: the release in gap_note */
    uint64_t gaps = gap ? atomic_load_explicit(&gap->over[0], memory_order_acquire) : 0;
    for (uint64_t back = 1; back <= GAPS_KEPT && back <= gaps; back++) {
        struct gap_kept kept;
        if (!gap_read(gap, gaps - back, &kept))
            continue;
        if (kept.end_ns <= from_ns)
            break;
        int64_t first_ns = larger(kept.end_ns - kept.length_ns, from_ns);
        int64_t in_ns = smaller(kept.end_ns, to_ns) - first_ns;
        if (in_ns <= 0)
            continue;
        sum->all_ns += in_ns;
        sum->working_ns += kept.working ? in_ns : 0;
        sum->longest_ns = larger(sum->longest_ns, kept.length_ns);
    }
}
