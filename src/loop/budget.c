/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/budget.h"

/* The work itself needs less than a hundredth of it: most is for what the threads do for others, and for
 * gaps. */
static const uint8_t share_pct[BUDGET_STAGES] = {
    [BUDGET_WAIT] = 40, [BUDGET_ADMIT] = 10, [BUDGET_QUEUE] = 30, [BUDGET_DECIDE] = 10, [BUDGET_SEND] = 10};

/* Where a slot or a lease has spent its time, ns from t_receive_ns, but for the wait before it. sent_ns =
 * 0: not sent. */
struct budget_times {
    int64_t t_receive_ns, wait_ns, decoded_ns, sequenced_ns, decided_ns, sent_ns;
};

void budget_set(struct budget *budget, int64_t budget_ns)
{
    budget->budget_ns = budget_ns;
    budget->unit_ns = budget_ns / BUDGET_UNITS;
}

uint32_t budget_share_pct(enum budget_stage stage)
{
    return share_pct[stage];
}

enum budget_class budget_class_of(const struct slot *slot)
{
    if (slot->kind == SLOT_READING)
        return BUDGET_READING;
    if (slot->kind == SLOT_REPORT)
        return BUDGET_REPORT;
    return slot->kind == SLOT_ORDER || slot->kind == SLOT_TOKEN ? BUDGET_ORDER : BUDGET_CLASSES;
}

static uint32_t subject_of(const struct slot *slot)
{
    if (slot->kind == SLOT_READING)
        return slot->reading.meter;
    return slot->kind == SLOT_REPORT ? slot->report.host : 0;
}

/* A gap in one thread is none in the others: each stretch counts those of its own. */
static struct gap_sum gaps_in(const struct budget *budget, uint8_t lane, const struct budget_times *times)
{
    const struct gap *received = lane < LANES_MAX ? budget->lane_gap[lane] : budget->send_gap;
    int64_t t_ns = times->t_receive_ns, end_ns = t_ns + times->decided_ns;
    struct gap_sum sum = {0};
    gap_add(received, t_ns - times->wait_ns, t_ns + times->decoded_ns, &sum);
    gap_add(budget->decide_gap, t_ns + times->decoded_ns, end_ns, &sum);
    if (times->sent_ns)
        gap_add(budget->send_gap, end_ns, t_ns + times->sent_ns, &sum);
    return sum;
}

static enum budget_cause own_cause(enum budget_stage stage, bool held, bool behind)
{
    if (stage == BUDGET_WAIT)
        return BUDGET_BACKLOG;
    if (stage == BUDGET_QUEUE)
        return held ? BUDGET_PEER : BUDGET_BACKLOG;
    return stage == BUDGET_SEND && behind ? BUDGET_BACKLOG : BUDGET_WORK;
}

static enum budget_cause cause_of(const struct budget *budget, const struct budget_miss *miss,
                                  const struct gap_sum *gaps, enum budget_cause own)
{
    if (miss->total_ns - (gaps->all_ns - gaps->working_ns) <= budget->budget_ns)
        return BUDGET_GAP;
    return miss->total_ns - gaps->all_ns <= budget->budget_ns ? BUDGET_LONG : own;
}

static void blame(const struct budget *budget, uint8_t lane, const struct budget_times *times, bool held,
                  bool behind, struct budget_miss *miss)
{
    const int64_t took_ns[BUDGET_STAGES] = {
        [BUDGET_WAIT] = times->wait_ns,
        [BUDGET_ADMIT] = times->decoded_ns,
        [BUDGET_QUEUE] = times->sequenced_ns - times->decoded_ns,
        [BUDGET_DECIDE] = times->decided_ns - times->sequenced_ns,
        [BUDGET_SEND] = times->sent_ns ? times->sent_ns - times->decided_ns : 0};
    int64_t most_ns = INT64_MIN;
    for (int stage = BUDGET_WAIT; stage < BUDGET_STAGES; stage++) {
        int64_t over_ns = took_ns[stage] - budget->budget_ns * share_pct[stage] / 100;
        if (over_ns <= most_ns)
            continue;
        most_ns = over_ns;
        miss->stage = (uint8_t)stage;
    }
    int64_t after_ns = times->sent_ns ? times->sent_ns : times->decided_ns;
    miss->stage_ns = took_ns[miss->stage];
    miss->total_ns = times->wait_ns + after_ns;
    miss->at_least = times->wait_ns >= budget_spent_ns(budget, WAITED_MOST, 0);
    miss->t_ns = times->t_receive_ns + after_ns;
    struct gap_sum gaps = gaps_in(budget, lane, times);
    miss->gap_ns = gaps.all_ns;
    miss->longest_gap_ns = gaps.longest_ns;
    miss->cause = (uint8_t)cause_of(budget, miss, &gaps, own_cause(miss->stage, held, behind));
}

static void count(struct budget *budget, uint8_t stage, uint8_t cause, bool emergency)
{
    count_add(&budget->miss[stage][cause], 1);
    count_add(&budget->emergencies, emergency);
    count_add(&budget->misses, stage != BUDGET_WAY);
}

static void keep(struct budget *budget, const struct budget_miss *miss)
{
    uint64_t number = count_read(&budget->listed);
    const uint64_t word[SEQLOCK_WORDS] = {
        (uint64_t)miss->t_ns, (uint64_t)miss->total_ns, (uint64_t)miss->stage_ns, (uint64_t)miss->gap_ns,
        (uint64_t)miss->longest_gap_ns, miss->slot_sequence,
        (uint64_t)miss->stage | (uint64_t)miss->cause << 8 | (uint64_t)miss->class << 16 |
            (uint64_t)miss->emergency << 24 | (uint64_t)miss->at_least << 25 | (uint64_t)miss->subject << 32};
    seqlock_write(&budget->kept[number % BUDGET_KEPT], word);
    count_add(&budget->listed, 1);
    count(budget, miss->stage, miss->cause, miss->emergency);
}

static struct budget_times times_of(const struct budget *budget, const struct slot *slot)
{
    return (struct budget_times){.t_receive_ns = slot->t_receive_ns,
                                 .wait_ns = budget_spent_ns(budget, slot->waited, 0),
                                 .decoded_ns = slot->stage_ns[STAGE_DECODED],
                                 .sequenced_ns = slot->stage_ns[STAGE_SEQUENCED],
                                 .decided_ns = slot->stage_ns[STAGE_DECIDED]};
}

void budget_slot_missed(struct budget *budget, const struct slot *slot, bool held, bool emergency)
{
    const struct budget_times times = times_of(budget, slot);
    struct budget_miss miss = {.slot_sequence = slot->sequence,
                               .class = (uint8_t)budget_class_of(slot),
                               .emergency = emergency,
                               .subject = subject_of(slot)};
    blame(budget, slot->lane, &times, held, false, &miss);
    keep(budget, &miss);
}

static void blame_lease(struct budget *budget, const struct ring *ring, const struct budget_lease *lease)
{
    struct slot slot = {.t_receive_ns = lease->t_receive_ns, .waited = lease->waited, .lane = LANES_MAX};
    struct slot found;
    if (lease->hand && lease->hand->sequence == lease->slot_sequence)
        slot = *lease->hand;
    else if (ring && !ring_copy(ring, lease->slot_sequence, &found))
        slot = found;
    struct budget_times times = times_of(budget, &slot);
    times.sent_ns = lease->sent_ns - lease->t_receive_ns;
    struct budget_miss miss = {.slot_sequence = lease->slot_sequence,
                               .class = (uint8_t)budget_class_of(&slot),
                               .emergency = lease->emergency,
                               .subject = lease->host};
    blame(budget, slot.lane, &times, false, lease->behind, &miss);
    keep(budget, &miss);
    budget->blamed_slot = lease->slot_sequence;
    budget->blamed_stage = miss.stage;
    budget->blamed_cause = miss.cause;
}

void budget_lease_missed(struct budget *budget, const struct ring *ring, const struct budget_lease *lease)
{
    if (lease->slot_sequence && lease->slot_sequence == budget->blamed_slot)
        count(budget, budget->blamed_stage, budget->blamed_cause, lease->emergency);
    else
        blame_lease(budget, ring, lease);
}

void budget_way_missed(struct budget *budget, uint32_t meter, int64_t t_ns, int64_t way_ns)
{
    const struct budget_miss miss = {.t_ns = t_ns, .total_ns = way_ns, .stage_ns = way_ns,
                                     .stage = BUDGET_WAY, .cause = BUDGET_NETWORK,
                                     .class = BUDGET_READING, .subject = meter};
    keep(budget, &miss);
}

uint32_t budget_read(const struct budget *budget, struct budget_miss miss[BUDGET_KEPT])
{
    uint64_t listed = count_read(&budget->listed), word[SEQLOCK_WORDS];
    uint32_t count = 0;
    for (uint64_t back = 1; back <= BUDGET_KEPT && back <= listed; back++) {
        if (!seqlock_read(&budget->kept[(listed - back) % BUDGET_KEPT], word))
            continue;
        miss[count++] = (struct budget_miss){
            .t_ns = (int64_t)word[0], .total_ns = (int64_t)word[1], .stage_ns = (int64_t)word[2],
            .gap_ns = (int64_t)word[3], .longest_gap_ns = (int64_t)word[4], .slot_sequence = word[5],
            .stage = (uint8_t)word[6], .cause = (uint8_t)(word[6] >> 8), .class = (uint8_t)(word[6] >> 16),
            .emergency = word[6] >> 24 & 1, .at_least = word[6] >> 25 & 1,
            .subject = (uint32_t)(word[6] >> 32)};
    }
    return count;
}
