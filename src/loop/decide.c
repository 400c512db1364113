/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/decide.h"

#include <string.h>

#include "probe/points.h"

/* What waited for longer is decided as of now, not as of when it came: a permit that ran out meanwhile is
 * none, and what leaves now is held to T_fresh now (safety.md section 5). */
#define LATE_NS NS_PER_MS

void decide_start(struct decide *decide, int64_t t_ns, int64_t tick_ns)
{
    decide->t_ns = t_ns;
    decide->tick_ns = tick_ns;
    decide->tick = (uint64_t)(t_ns / tick_ns);
}

static uint32_t delta(int64_t from_ns, int64_t to_ns)
{
    int64_t delta_ns = to_ns - from_ns;
    if (delta_ns < 0)
        return 0;
    return delta_ns < UINT32_MAX ? (uint32_t)delta_ns : UINT32_MAX;
}

/* A step may send one lease to every host: nothing is taken in while that would not fit, so nothing is
 * ever lost between decide and egress. What waits, waits in the lanes, where admission sheds by class. */
static bool room(struct decide *decide)
{
    uint32_t need = decide->outbox.capacity;
    if (decide->normal->count - spsc_depth(decide->normal) >= need &&
        decide->emergency->count - spsc_depth(decide->emergency) >= need)
        return true;
    count_add(&decide->counters.waits, 1);
    return false;
}

/* The oldest of what waits, if it is older than `oldest`. */
static struct spsc *older_input(struct decide *decide, struct spsc *oldest, int64_t *t_ns)
{
    for (uint32_t i = 0; i < decide->inputs; i++) {
        const struct slot *slot = spsc_peek(decide->input[i]);
        if (slot && (!oldest || slot->t_receive_ns < *t_ns)) {
            oldest = decide->input[i];
            *t_ns = slot->t_receive_ns;
        }
    }
    return oldest;
}

/* A lane may be filled just after it was found empty. What came before the slot found here, from the same
 * sender by another lane, was published before it and is older: it is there on a second look. */
static struct spsc *oldest_input(struct decide *decide, int64_t *t_ns)
{
    struct spsc *oldest = older_input(decide, NULL, t_ns), *before = NULL;
    while (decide->look_again && oldest && oldest != before) {
        before = oldest;
        oldest = older_input(decide, oldest, t_ns);
    }
    return oldest;
}

/* What was too late once it was decided is one miss, whatever leaves of it. */
static bool is_late(const struct decide *decide, const struct slot *slot)
{
    const struct budget *budget = &decide->budget;
    return budget->budget_ns && budget_spent_ns(budget, slot->waited, slot->stage_ns[STAGE_DECIDED]) >
                                    budget->budget_ns;
}

static void hand_over(struct decide *decide, const struct slot *slot)
{
    uint8_t late = is_late(decide, slot) ? WAITED_LATE : 0;
    for (uint32_t i = 0; i < decide->outbox.count; i++) {
        const struct egress *record = &decide->outbox.record[i];
        struct spsc *queue = record->flags & LEASE_EMERGENCY ? decide->emergency : decide->normal;
        struct egress *place = spsc_claim(queue);
        /* room() saw space for a record of every host in both queues */
        if (!place)
            break;
        *place = *record;
        place->waited |= late;
        spsc_publish(queue);
    }
    if (!decide->outbox.count)
        return;
    count_most(&decide->counters.normal_most, spsc_depth(decide->normal));
    count_most(&decide->counters.emergency_most, spsc_depth(decide->emergency));
}

static void write_account(struct decide *decide, uint32_t host)
{
    struct slot_account account;
    core_account(decide->core, host, &account);
    account_write(decide->account, &account);
}

static void write_accounts(struct decide *decide)
{
    for (uint32_t host = 0; host < decide->outbox.capacity; host++)
        write_account(decide, host);
}

static void write_record(struct decide *decide, uint32_t meter, int64_t floor_ns)
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
    write_record(decide, reading->meter, known ? offset_ns : INT64_MAX);
}

static void write_feeds(struct decide *decide)
{
    int64_t word[HANDED_WORDS_MAX];
    uint32_t words = core_handed(decide->core, decide->meters, word);
    account_write_record(decide->account, decide->meters, word, words);
    decide->feed_turns = core_feed_turns(decide->core);
}

static void write_sent(struct decide *decide, bool emergency)
{
    const struct outbox *outbox = &decide->outbox;
    for (uint32_t i = 0; i < outbox->count; i++)
        if (!(outbox->record[i].flags & LEASE_EMERGENCY) == !emergency)
            write_account(decide, outbox->record[i].host);
}

/* Whose account this slot has changed, before any lease of it leaves: the host that reported, those that are
 * sent something, and after an order, which may change the mode, all. Cuts of an emergency raise no exposure
 * and do not wait for this: theirs is written once they have left. */
static void persist(struct decide *decide, const struct slot *slot, int64_t now_ns)
{
    account_beat(decide->account, now_ns, core_counters(decide->core)->newer_epochs != 0);
    if (slot->kind == SLOT_READING)
        write_reading(decide, slot);
    if (core_feed_turns(decide->core) != decide->feed_turns)
        write_feeds(decide);
    if (slot->kind == SLOT_ORDER)
        write_accounts(decide);
    else if (slot->kind == SLOT_REPORT)
        write_account(decide, slot->report.host);
    write_sent(decide, false);
}

static void step(struct decide *decide, struct slot *slot)
{
    slot->t_ns = decide->t_ns;
    slot->marks |= timebase_is_synchronised(decide->base) ? 0 : SLOT_CLOCK_FREE;
    pipeline_step(decide->core, slot, &decide->outbox);
    int64_t now_ns = timebase_now_ns(decide->base);
    gap_mark(decide->gap, now_ns, true);
    slot->stage_ns[STAGE_DECIDED] = delta(slot->t_receive_ns, now_ns);
    probe_decided(slot, decide->outbox.count);
    if (decide->account)
        persist(decide, slot, now_ns);
    hand_over(decide, slot);
    if (decide->board && slot->kind == SLOT_ORDER)
        board_write(decide->board, decide->core);
    else if (decide->board && slot->kind == SLOT_TICK)
        board_refresh(decide->board, decide->core);
    decide->slot = slot;
    decide->digest_due = decide->outbox.digest_due;
    decide->digest = decide->outbox.digest;
    count_add(&decide->counters.slots, 1);
}

static void enter_own(struct decide *decide, int kind, int64_t t_ns, int64_t now_ns, struct slot_tick tick)
{
    struct slot *slot = ring_claim(&decide->ring);
    uint64_t sequence = slot->sequence;
    if (t_ns > decide->t_ns)
        decide->t_ns = t_ns;
    *slot = (struct slot){.sequence = sequence, .t_receive_ns = now_ns, .kind = (uint8_t)kind, .tick = tick};
    step(decide, slot);
}

static bool sends_emergency(const struct outbox *outbox)
{
    for (uint32_t i = 0; i < outbox->count; i++)
        if (outbox->record[i].flags & LEASE_EMERGENCY)
            return true;
    return false;
}

static void spend(struct decide *decide, const struct slot *slot)
{
    enum budget_class class = budget_class_of(slot);
    if (class == BUDGET_CLASSES)
        return;
    int64_t spent_ns = budget_spent_ns(&decide->budget, slot->waited, slot->stage_ns[STAGE_DECIDED]);
    histogram_record(&decide->spent[class].live, (uint64_t)spent_ns);
    if (__builtin_expect(is_late(decide, slot), 0))
        budget_slot_missed(&decide->budget, slot, slot->t_receive_ns < decide->held_until_ns,
                           sends_emergency(&decide->outbox));
}

static void enter_input(struct decide *decide, struct spsc *queue, int64_t t_ns, int64_t now_ns)
{
    struct slot *slot = ring_claim(&decide->ring);
    uint64_t sequence = slot->sequence;
    memcpy(slot, spsc_peek(queue), sizeof *slot);
    spsc_release(queue);
    slot->sequence = sequence;
    slot->stage_ns[STAGE_SEQUENCED] = delta(slot->t_receive_ns, now_ns);
    if (t_ns > decide->t_ns)
        decide->t_ns = t_ns;
    const struct slot *next = spsc_peek(queue);
    if (next)
        pipeline_expect(decide->core, next);
    step(decide, slot);
    histogram_record(&decide->decided.live, slot->stage_ns[STAGE_DECIDED]);
    spend(decide, slot);
}

static bool tick_due(const struct decide *decide, int64_t t_ns)
{
    return t_ns >= 0 && (uint64_t)(t_ns / decide->tick_ns) > decide->tick;
}

static void enter_tick(struct decide *decide, int64_t t_ns, int64_t now_ns)
{
    uint64_t number = (uint64_t)(t_ns / decide->tick_ns);
    uint64_t missed = number - decide->tick - 1;
    struct slot_tick tick = {.number = number, .missed = missed < UINT32_MAX ? (uint32_t)missed : UINT32_MAX};
    decide->tick = number;
    enter_own(decide, SLOT_TICK, (int64_t)number * decide->tick_ns, now_ns, tick);
}

bool decide_waiting(const struct decide *decide)
{
    for (uint32_t i = 0; i < decide->inputs; i++)
        if (spsc_depth(decide->input[i]))
            return true;
    return false;
}

/* A refused lease asks for no other, so it needs no room. It must not wait for any either: egress stands
 * still while its returns are full, and then neither would ever move again. */
static bool take_returned(struct decide *decide)
{
    struct spsc *returns = decide->input[decide->inputs - 1];
    const struct slot *slot = spsc_peek(returns);
    if (!slot)
        return false;
    enter_input(decide, returns, slot->t_receive_ns, timebase_now_ns(decide->base));
    return true;
}

bool decide_next(struct decide *decide)
{
    decide_tap(decide, 0);
    bool held = decide->held;
    decide->held = !room(decide);
    if (decide->held)
        return take_returned(decide);
    int64_t now_ns = timebase_now_ns(decide->base), t_ns = now_ns;
    gap_mark(decide->gap, now_ns, false);
    if (held)
        decide->held_until_ns = now_ns;
    struct spsc *queue = oldest_input(decide, &t_ns);
    if (now_ns - t_ns > LATE_NS)
        t_ns = now_ns;
    /* A stamp older than the slot time needs no tick: what was due by then has entered. */
    if (tick_due(decide, t_ns))
        enter_tick(decide, t_ns, now_ns);
    else if (queue)
        enter_input(decide, queue, t_ns, now_ns);
    else
        return false;
    return true;
}

bool decide_part(struct decide *decide)
{
    decide_tap(decide, 0);
    if (!pipeline_tick_open(decide->core) || !room(decide))
        return false;
    int64_t now_ns = timebase_now_ns(decide->base);
    if (tick_due(decide, now_ns))
        return false;
    enter_own(decide, SLOT_TICK_PART, now_ns, now_ns, (struct slot_tick){.number = decide->tick});
    return true;
}

static enum slot_class class_of(const struct slot *slot)
{
    if (slot->kind == SLOT_SPECTRUM || slot->kind == SLOT_SWING || slot->kind == SLOT_QUALITY)
        return CLASS_DETAIL;
    return slot->kind == SLOT_READING ? CLASS_READING : CLASS_RESERVED;
}

static bool tap(struct decide *decide, const struct slot *slot)
{
    static const uint64_t limit_pct_of[] = {[CLASS_DETAIL] = TAP_DETAIL_DROP_PCT,
                                            [CLASS_READING] = TAP_READING_DROP_PCT, [CLASS_RESERVED] = 100};
    enum slot_class class = class_of(slot);
    uint64_t limit_pct = limit_pct_of[class];
    uint64_t depth = spsc_depth(decide->tap);
    struct slot *place = NULL;
    if (depth * 100 < decide->tap->count * limit_pct)
        place = spsc_claim(decide->tap);
    if (!place) {
        count_add(&decide->counters.tap_dropped[class], 1);
        return false;
    }
    memcpy(place, slot, sizeof *place);
    spsc_publish(decide->tap);
    count_most(&decide->counters.tap_most, depth + 1);
    return true;
}

void decide_tap(struct decide *decide, int64_t sent_ns)
{
    struct slot *slot = decide->slot;
    if (!slot)
        return;
    if (sent_ns)
        slot->stage_ns[STAGE_SENT] = delta(slot->t_receive_ns, sent_ns);
    if (decide->account)
        write_sent(decide, true);
    ring_commit(&decide->ring);
    tap(decide, slot);
    decide->slot = NULL;
    if (!decide->digest_due)
        return;
    struct slot digest = {.sequence = slot->sequence, .t_ns = slot->t_ns, .t_receive_ns = slot->t_receive_ns,
                          .kind = SLOT_DIGEST, .marks = slot->marks & SLOT_CLOCK_FREE,
                          .digest = decide->digest};
    tap(decide, &digest);
}

void decide_read_record(const struct account_file *file, uint32_t number, uint32_t meters,
                        struct decide_record *record)
{
    record->floor_ns = INT64_MAX;
    record->words = account_read_record(file, number, record->word);
    if (record->words && number < meters)
        record->floor_ns = record->word[--record->words];
}

/* Nothing leaves on these slots, and the file does not count yet. */
static void hand(struct decide *decide, struct slot *what)
{
    struct slot *slot = ring_claim(&decide->ring);
    what->sequence = slot->sequence;
    what->t_receive_ns = decide->t_ns;
    *slot = *what;
    step(decide, slot);
    decide_tap(decide, 0);
}

static void hand_record(struct decide *decide, uint32_t number, const struct decide_record *record)
{
    for (uint32_t first = 0; first < record->words; first += HANDED_PIECE_WORDS) {
        uint32_t left = record->words - first;
        struct slot slot = {
            .kind = SLOT_HANDED,
            .handed = {.record = number,
                       .first = (uint8_t)first,
                       .count = (uint8_t)(left < HANDED_PIECE_WORDS ? left : HANDED_PIECE_WORDS),
                       .words = (uint8_t)record->words}};
        memcpy(slot.handed.word, &record->word[first], slot.handed.count * sizeof record->word[0]);
        hand(decide, &slot);
    }
}

void decide_take_over(struct decide *decide, const struct slot_account *account, uint32_t count,
                      const struct decide_record *record, int64_t t_ns)
{
    struct account_file *file = decide->account;
    decide->account = NULL;
    decide->t_ns = t_ns > decide->t_ns ? t_ns : decide->t_ns;
    for (uint32_t i = 0; i < count; i++) {
        struct slot slot = {.kind = SLOT_ACCOUNT, .account = account[i]};
        hand(decide, &slot);
    }
    for (uint32_t i = 0; record && count && i <= decide->meters; i++)
        hand_record(decide, i, &record[i]);
    decide->account = file;
    if (!file)
        return;
    write_accounts(decide);
    for (uint32_t meter = 0; meter < decide->meters; meter++)
        write_record(decide, meter, record ? record[meter].floor_ns : INT64_MAX);
    write_feeds(decide);
    account_whole(file, timebase_now_ns(decide->base));
}
