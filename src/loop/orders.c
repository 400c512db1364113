/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/orders.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ANSWER_MS = 1000 };

/* ---- words ---- */

const char *orders_refusal_name(enum order_refusal refusal)
{
#define ROW(symbol, name, meaning) [symbol] = name,
    static const char *const names[] = {[ORDER_TAKEN] = "taken", ORDER_REFUSALS(ROW)};
#undef ROW
    return refusal < ORDER_REFUSAL_COUNT ? names[refusal] : "?";
}

const char *orders_refusal_text(enum order_refusal refusal)
{
#define ROW(symbol, name, meaning) [symbol] = meaning,
    static const char *const texts[] = {[ORDER_TAKEN] = "", ORDER_REFUSALS(ROW)};
#undef ROW
    return refusal < ORDER_REFUSAL_COUNT ? texts[refusal] : "?";
}

const char *orders_kind_name(uint32_t kind)
{
#define ROW(symbol, name, meaning) [symbol] = name,
    static const char *const names[] = {[ORDER_NOTHING] = "nothing", ORDERS(ROW)};
#undef ROW
    return kind < ORDER_KIND_COUNT ? names[kind] : "?";
}

static int64_t realtime_ns(const struct orders *orders)
{
    return timebase_realtime_ns(orders->base, timebase_now_ns(orders->base));
}

/* ---- what is in force ---- */

static bool is_contract(const struct slot_order *order)
{
    return order->kind == ORDER_CAP || order->kind == ORDER_RAMP;
}

/* When it is over by itself; INT64_MAX = never. */
static int64_t end_ns(const struct order_entry *entry)
{
    const struct slot_order *order = &entry->order;
    bool lasting = is_contract(order) && !order->for_ns;
    if (lasting || (!is_contract(order) && order->kind != ORDER_FORECAST))
        return INT64_MAX;
    return entry->given_ns + order->within_ns + order->for_ns;
}

/* Does the new order stand in the place of the old one? */
static bool replaces(const struct order_entry *entry, const struct order_entry *old)
{
    uint32_t kind = entry->order.kind;
    if (is_contract(&entry->order) || kind == ORDER_LIFT)
        return is_contract(&old->order) && old->order.contract == entry->order.contract;
    if (kind == ORDER_TAKE_OUT || kind == ORDER_PUT_BACK)
        return old->order.kind == ORDER_TAKE_OUT && !strcmp(old->subject, entry->subject);
    return old->order.kind == kind && (kind == ORDER_MODE || !strcmp(old->subject, entry->subject));
}

static bool is_kept(uint32_t kind)
{
    return kind != ORDER_LIFT && kind != ORDER_PUT_BACK;
}

static void drop(struct orders *orders, uint32_t i)
{
    orders->kept--;
    memmove(&orders->entry[i], &orders->entry[i + 1], (orders->kept - i) * sizeof orders->entry[0]);
}

static void drop_ended(struct orders *orders, int64_t now_ns)
{
    for (uint32_t i = orders->kept; i-- > 0;)
        if (end_ns(&orders->entry[i]) <= now_ns)
            drop(orders, i);
}

static void keep(struct orders *orders, const struct order_entry *entry)
{
    for (uint32_t i = orders->kept; i-- > 0;)
        if (replaces(entry, &orders->entry[i]))
            drop(orders, i);
    if (is_kept(entry->order.kind) && orders->kept < ORDERS_KEPT_MAX)
        orders->entry[orders->kept++] = *entry;
}

/* ---- against the site ---- */

static bool needs_subject(uint32_t kind)
{
    return kind != ORDER_MODE && kind != ORDER_LIFT;
}

static bool is_of_site(const struct orders *orders, const char *name)
{
    for (uint32_t i = 0; i < orders->site->contract_count; i++)
        if (!strcmp(orders->site->contract[i].name, name))
            return true;
    return false;
}

/* The contract that goes by this name. Its id is the number of the order that named it first. */
static bool find_contract(const struct orders *orders, const char *name, uint32_t *id)
{
    for (uint32_t i = 0; i < orders->kept; i++) {
        const struct order_entry *entry = &orders->entry[i];
        if (!is_contract(&entry->order) || strcmp(entry->contract, name))
            continue;
        *id = entry->order.contract;
        return true;
    }
    return false;
}

__attribute__((format(printf, 3, 4)))
static void refuse(struct orders_answer *answer, int error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    answer->error = error;
    vsnprintf(answer->text, sizeof answer->text, format, arguments);
    va_end(arguments);
}

static bool name_contract(struct orders *orders, struct order_entry *entry, struct orders_answer *answer)
{
    struct slot_order *order = &entry->order;
    bool of_site = order->contract >= ORDERS_SITE_CONTRACT;
    if (of_site || (!is_contract(order) && order->kind != ORDER_LIFT))
        return true;
    if (is_of_site(orders, entry->contract))
        refuse(answer, -EPERM, "contract %s stands in the site file: no order changes it", entry->contract);
    else if (!find_contract(orders, entry->contract, &order->contract) && order->kind == ORDER_LIFT)
        refuse(answer, -ENOENT, "no contract named %s is in force", entry->contract);
    return !answer->error;
}

static bool is_acceptable(struct orders *orders, struct order_entry *entry, struct orders_answer *answer)
{
    if (entry->order.kind == ORDER_NOTHING || entry->order.kind >= ORDER_KIND_COUNT)
        refuse(answer, -EINVAL, "no such order");
    else if (needs_subject(entry->order.kind) && !entry->subject[0])
        refuse(answer, -EINVAL, "%s: which %s?", orders_kind_name(entry->order.kind),
               entry->order.kind == ORDER_FORECAST ? "host" : "node");
    else if (!orders_resolve(&orders->site->model, entry))
        refuse(answer, -ENOENT, "the site has no %s %s",
               entry->order.kind == ORDER_FORECAST ? "host" : "node", entry->subject);
    else if (atomic_load_explicit(orders->stopped, memory_order_acquire))
        refuse(answer, -ESHUTDOWN, "the daemon is stopping");
    else
        return name_contract(orders, entry, answer);
    return false;
}

/* ---- into the lane ---- */

static bool feed(struct orders *orders, const struct slot_order *order, int64_t t_ns)
{
    struct slot *slot = spsc_claim(orders->out);
    if (!slot)
        return false;
    *slot = (struct slot){.t_receive_ns = t_ns, .kind = SLOT_ORDER, .lane = orders->lane, .order = *order};
    spsc_publish(orders->out);
    return true;
}

static void wait_for(struct orders *orders, struct orders_answer *answer)
{
    const struct timespec rest = {.tv_nsec = NS_PER_MS};
    struct core_order_view order = {0};
    for (int waited_ms = 0; waited_ms < ANSWER_MS; waited_ms++) {
        /* numbers ascend and whoever gives one holds the lock: the newest is this one or an older one */
        if (board_read_order(orders->board, &order) && order.number == answer->number) {
            answer->decided = true;
            answer->verdict = order.verdict;
            snprintf(answer->text, sizeof answer->text, "%s", orders_refusal_text(order.verdict));
            return;
        }
        nanosleep(&rest, NULL);
    }
    refuse(answer, -ETIMEDOUT, "order %llu stands in the log, but nothing has decided on it within a second",
           (unsigned long long)answer->number);
}

/* A contract of the site file is given anew at every start and must not fail for want of a disk. Where
 * compaction fails the log grows on: the order counts for more than its bound. */
static int write_log(struct orders *orders, const struct order_entry *entry)
{
    if (orders->log.records >= ORDERS_RECORDS_MAX)
        orders_compact(&orders->log, orders->entry, orders->kept);
    int error = orders_append(&orders->log, entry);
    if (error)
        count_add(&orders->lost, 1);
    return entry->order.contract >= ORDERS_SITE_CONTRACT ? 0 : error;
}

static void give(struct orders *orders, struct order_entry *entry, struct orders_answer *answer)
{
    entry->given_ns = realtime_ns(orders);
    drop_ended(orders, entry->given_ns);
    if (!is_acceptable(orders, entry, answer))
        return;
    if (is_kept(entry->order.kind) && orders->kept == ORDERS_KEPT_MAX) {
        refuse(answer, -ENOSPC, "%d orders are in force: no more can be kept", ORDERS_KEPT_MAX);
        return;
    }
    entry->order.number = orders->newest + 1;
    if (is_contract(&entry->order) && !entry->order.contract)
        entry->order.contract = (uint32_t)entry->order.number & (ORDERS_SITE_CONTRACT - 1);
    int error = write_log(orders, entry);
    if (error) {
        refuse(answer, error, "the log of orders %s: %s",
               orders->log.path[0] ? orders->log.path : "(none: neither a journal nor --orders)",
               strerror(-error));
        return;
    }
    answer->number = orders->newest = entry->order.number;
    struct order_entry before[ORDERS_KEPT_MAX];
    uint32_t kept = orders->kept;
    memcpy(before, orders->entry, kept * sizeof before[0]);
    keep(orders, entry);
    if (!feed(orders, &entry->order, timebase_now_ns(orders->base))) {
        refuse(answer, -EAGAIN, "order %llu stands in the log, but the lane is full",
               (unsigned long long)answer->number);
        return;
    }
    wait_for(orders, answer);
    if (!answer->decided || answer->verdict == ORDER_TAKEN)
        return;
    /* refused: it must not come back at the next start */
    memcpy(orders->entry, before, kept * sizeof before[0]);
    orders->kept = kept;
    entry->refused = (uint32_t)answer->verdict;
    write_log(orders, entry);
}

struct orders_answer orders_give(struct orders *orders, struct order_entry *entry)
{
    struct orders_answer answer = {0};
    pthread_mutex_lock(&orders->lock);
    give(orders, entry, &answer);
    bool taken = answer.decided && answer.verdict == ORDER_TAKEN;
    count_add(taken ? &orders->given : &orders->refused, 1);
    pthread_mutex_unlock(&orders->lock);
    return answer;
}

/* ---- the start ---- */

struct reading_log {
    struct orders *orders;
    struct order_entry before[ORDERS_KEPT_MAX];     /* as it was before the newest entry */
    uint32_t kept;
    uint64_t number;            /* of that entry */
};

static void read_entry(void *context, const struct order_entry *entry)
{
    struct reading_log *reading = context;
    struct orders *orders = reading->orders;
    if (entry->refused) {
        /* the entry itself may have gone with a compaction */
        if (entry->order.number != reading->number)
            return;
        memcpy(orders->entry, reading->before, reading->kept * sizeof reading->before[0]);
        orders->kept = reading->kept;
        return;
    }
    memcpy(reading->before, orders->entry, orders->kept * sizeof reading->before[0]);
    reading->kept = orders->kept;
    reading->number = entry->order.number;
    if (entry->order.contract < ORDERS_SITE_CONTRACT)
        keep(orders, entry);
}

/* What is left of its times. */
static struct slot_order as_of(const struct order_entry *entry, int64_t now_ns)
{
    struct slot_order order = entry->order;
    int64_t gone_ns = now_ns > entry->given_ns ? now_ns - entry->given_ns : 0;
    int64_t after_ns = gone_ns > order.within_ns ? gone_ns - order.within_ns : 0;
    order.within_ns -= gone_ns - after_ns;
    order.for_ns -= order.for_ns ? after_ns : 0;
    return order;
}

static void feed_again(struct orders *orders, FILE *notes)
{
    int64_t now_ns = realtime_ns(orders);
    drop_ended(orders, now_ns);
    for (uint32_t i = 0; i < orders->kept;) {
        struct order_entry *entry = &orders->entry[i];
        if (!orders_resolve(&orders->site->model, entry)) {
            fprintf(notes,
                    "flyballd: order %llu (%s %s) stands in the log, but the site has no %s any more\n",
                    (unsigned long long)entry->order.number, orders_kind_name(entry->order.kind),
                    entry->subject, entry->subject);
            drop(orders, i);
            continue;
        }
        struct slot_order order = as_of(entry, now_ns);
        feed(orders, &order, timebase_now_ns(orders->base));
        count_add(&orders->fed_again, 1);
        i++;
    }
    if (orders->kept)
        fprintf(notes, "flyballd: %u orders of %s are in force again; `flyball order SITE list` shows them\n",
                orders->kept, orders->log.path);
}

int orders_start(struct orders *orders, const char *path, FILE *notes, char *error, size_t error_bytes)
{
    pthread_mutex_init(&orders->lock, NULL);
    orders->log = (struct orders_log){.fd = -1};
    if (!path[0])
        return 0;
    struct reading_log *reading = calloc(1, sizeof *reading);
    if (!reading)
        return -ENOMEM;
    reading->orders = orders;
    int outcome = orders_open(&orders->log, path, read_entry, reading);
    free(reading);
    if (outcome) {
        snprintf(error, error_bytes, "log of orders %s: %s", path,
                 outcome == -EADDRINUSE ? "another flyballd holds it"
                 : outcome == -EPROTONOSUPPORT
                     ? "an older flyball wrote it: move it away and give what is still wanted again"
                     : strerror(-outcome));
        return outcome;
    }
    orders->newest = orders->log.newest;
    if (orders->log.damaged)
        fprintf(notes, "flyballd: log of orders %s: %llu damaged records were skipped\n", path,
                (unsigned long long)orders->log.damaged);
    feed_again(orders, notes);
    outcome = orders_compact(&orders->log, orders->entry, orders->kept);
    if (outcome)
        fprintf(notes, "flyballd: log of orders %s: it could not be compacted: %s\n", path,
                strerror(-outcome));
    return 0;
}

void orders_stop(struct orders *orders)
{
    orders_close(&orders->log);
}
