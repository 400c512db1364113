/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/schedule.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "rt/thread.h"

enum { LOOK_MS = 100, CAP = 0, RAMP = 1 };

/* ---- windows ---- */

/* Monday is bit 0. */
static bool is_day(const struct site_contract *contract, int weekday)
{
    return contract->days >> ((weekday + 6) % 7) & 1;
}

bool schedule_is_open(const struct site_contract *contract, int64_t wall_s)
{
    time_t wall = (time_t)wall_s;
    struct tm local;
    if (!localtime_r(&wall, &local))
        return false;
    uint32_t second = (uint32_t)((local.tm_hour * 60 + local.tm_min) * 60 + local.tm_sec);
    bool today = is_day(contract, local.tm_wday), yesterday = is_day(contract, (local.tm_wday + 6) % 7);
    if (contract->from_s < contract->to_s)
        return today && second >= contract->from_s && second < contract->to_s;
    /* past midnight, or the whole day: what began today, or goes on from yesterday */
    return (today && second >= contract->from_s) || (yesterday && second < contract->to_s);
}

/* ---- orders ---- */

/* By number; the names are for who reads the log, as many as it has room for. */
static void name_entry(struct order_entry *entry, const struct model *model,
                       const struct site_contract *contract)
{
    size_t used = 0;
    entry->order.node = contract->node;
    entry->order.also_count = contract->also_count;
    memcpy(entry->order.also, contract->also, sizeof entry->order.also);
    for (uint32_t i = 0; i <= contract->also_count && used < sizeof entry->subject; i++)
        used += (size_t)snprintf(entry->subject + used, sizeof entry->subject - used, "%s%s", i ? "," : "",
                                 model->node[i ? contract->also[i - 1] : contract->node].name);
    memcpy(entry->contract, contract->name, NAME_BYTES);
}

static bool give(struct schedule *schedule, uint32_t i, int part, bool open)
{
    const struct site_contract *contract = &schedule->site->contract[i];
    struct order_entry entry = {0};
    name_entry(&entry, &schedule->site->model, contract);
    entry.order.contract = ORDERS_SITE_CONTRACT + 2 * i + (uint32_t)part;
    entry.order.kind = !open ? ORDER_LIFT : part == CAP ? ORDER_CAP : ORDER_RAMP;
    if (open && part == CAP) {
        entry.order.value_mw = contract->cap_mw;
        entry.order.within_ns = SCHEDULE_LEAD_S * NS_PER_S;
    } else if (open) {
        entry.order.value_mw = contract->ramp_up_mw_per_s;
        entry.order.down_mw_per_s = contract->ramp_down_mw_per_s;
    }
    struct orders_answer answer = orders_give(schedule->orders, &entry);
    return answer.decided && answer.verdict == ORDER_TAKEN;
}

static void bring(struct schedule *schedule, uint32_t i, int part, bool open, int64_t now_ns)
{
    struct schedule_item *item = &schedule->item[i][part];
    if (item->given == open || (item->tried_ns != INT64_MIN && now_ns - item->tried_ns < SCHEDULE_AGAIN_NS))
        return;
    if (give(schedule, i, part, open)) {
        item->given = open;
        item->tried_ns = INT64_MIN;
        return;
    }
    item->tried_ns = now_ns;
    count_add(&schedule->failed, 1);
}

void schedule_begin(struct schedule *schedule)
{
    for (uint32_t i = 0; i < SITE_CONTRACTS_MAX; i++)
        for (int part = CAP; part <= RAMP; part++)
            schedule->item[i][part] = (struct schedule_item){.tried_ns = INT64_MIN};
}

void schedule_look(struct schedule *schedule, int64_t wall_s, int64_t now_ns)
{
    for (uint32_t i = 0; i < schedule->site->contract_count; i++) {
        const struct site_contract *contract = &schedule->site->contract[i];
        bool open = schedule_is_open(contract, wall_s);
        bool soon = open || schedule_is_open(contract, wall_s + SCHEDULE_LEAD_S);
        if (contract->cap_mw)
            bring(schedule, i, CAP, soon, now_ns);
        if (contract->ramp_up_mw_per_s || contract->ramp_down_mw_per_s)
            bring(schedule, i, RAMP, open, now_ns);
    }
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

void *schedule_run(void *argument)
{
    struct schedule *schedule = argument;
    const struct timespec rest = {.tv_nsec = LOOK_MS * NS_PER_MS};
    rt_pin(schedule->core);
    while (!atomic_load_explicit(&schedule->stop, memory_order_acquire)) {
        schedule_look(schedule, clock_ns(CLOCK_REALTIME) / NS_PER_S, clock_ns(CLOCK_MONOTONIC));
        nanosleep(&rest, NULL);
    }
    return NULL;
}
