/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/decide_account.h"

static void write_account(struct decide *decide, uint32_t host)
{
    struct slot_account account;
    core_account(decide->core, host, &account);
    account_write(decide->account, &account);
}

void decide_write_accounts(struct decide *decide)
{
    for (uint32_t host = 0; host < decide->outbox.capacity; host++)
        write_account(decide, host);
}

void decide_write_record(struct decide *decide, uint32_t meter, int64_t floor_ns)
{
    int64_t word[HANDED_WORDS_MAX + 1];
    uint32_t words = core_handed(decide->core, meter, word);
    word[words++] = floor_ns;
    account_write_record(decide->account, meter, word, words);
}

/* As it is after this reading, before a lease that it allowed leaves. */
static void write_reading(struct decide *decide, const struct slot *slot)
{
    const struct reading *reading = &slot->reading;
    int64_t offset_ns;
    bool known = !__builtin_sub_overflow(slot->t_receive_ns, reading->t_meter_ns, &offset_ns) &&
                 !__builtin_sub_overflow(offset_ns, reading->age_ns - decide->age_bound_ns, &offset_ns);
    if (slot->marks & SLOT_CLOCK_STEPPED)
        decide_write_record(decide, reading->meter, INT64_MIN);
    else
        decide_write_record(decide, reading->meter, known ? offset_ns : INT64_MAX);
}

void decide_write_feeds(struct decide *decide)
{
    int64_t word[HANDED_WORDS_MAX];
    uint32_t words = core_handed(decide->core, decide->meters, word);
    account_write_record(decide->account, decide->meters, word, words);
    decide->feed_turns = core_feed_turns(decide->core);
}

void decide_write_sent(struct decide *decide, bool emergency)
{
    const struct outbox *outbox = &decide->outbox;
    for (uint32_t i = 0; i < outbox->count; i++)
        if (!(outbox->record[i].flags & LEASE_EMERGENCY) == !emergency)
            write_account(decide, outbox->record[i].host);
}

void decide_persist(struct decide *decide, const struct slot *slot, int64_t now_ns)
{
    account_beat(decide->account, now_ns, core_counters(decide->core)->newer_epochs != 0);
    if (slot->kind == SLOT_READING)
        write_reading(decide, slot);
    if (core_feed_turns(decide->core) != decide->feed_turns)
        decide_write_feeds(decide);
    if (slot->kind == SLOT_ORDER)
        decide_write_accounts(decide);
    else if (slot->kind == SLOT_REPORT)
        write_account(decide, slot->report.host);
    decide_write_sent(decide, false);
}
