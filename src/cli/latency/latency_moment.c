/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/latency/latency_moment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t moments_floor_ns(const struct moments *moments)
{
    return moments->count < MOMENTS_MAX ? 0 : moment_ns(&moments->moment[MOMENTS_MAX - 1].what);
}

static bool overlap(const struct latency_moment *left, const struct latency_moment *right)
{
    return left->begin_ns < right->end_ns && right->begin_ns < left->end_ns;
}

static void remove_at(struct moments *moments, uint32_t at)
{
    moments->count--;
    memmove(&moments->moment[at], &moments->moment[at + 1],
            (moments->count - at) * sizeof moments->moment[0]);
}

/* Takes out what the new one covers; a longer one covers it instead, and then true. */
static bool is_covered(struct moments *moments, const struct latency_moment *what, uint32_t *together)
{
    for (uint32_t i = 0; i < moments->count; i++) {
        struct moment *other = &moments->moment[i];
        if (!overlap(&other->what, what) || moment_ns(&other->what) < moment_ns(what))
            continue;
        other->together++;
        return true;
    }
    for (uint32_t i = moments->count; i-- > 0;) {
        if (!overlap(&moments->moment[i].what, what))
            continue;
        *together += moments->moment[i].together + 1;
        remove_at(moments, i);
    }
    return false;
}

struct moment *moments_add(struct moments *moments, const struct latency_moment *what)
{
    uint32_t together = 0, at = 0;
    if (is_covered(moments, what, &together))
        return NULL;
    while (at < moments->count && moment_ns(&moments->moment[at].what) >= moment_ns(what))
        at++;
    if (at == MOMENTS_MAX)
        return NULL;
    if (moments->count == MOMENTS_MAX)
        moments->count--;
    memmove(&moments->moment[at + 1], &moments->moment[at],
            (moments->count - at) * sizeof moments->moment[0]);
    moments->count++;
    moments->moment[at] = (struct moment){.what = *what, .together = together};
    return &moments->moment[at];
}

void thefts_add(struct thefts *thefts, const struct theft_event *event)
{
    thefts->event[thefts->next++ % THEFTS_KEPT] = *event;
}

static uint64_t between(uint64_t least, uint64_t value, uint64_t most)
{
    if (value < least)
        return least;
    return value < most ? value : most;
}

uint32_t moment_stays(const struct latency_moment *what, struct stay stay[STAYS])
{
    uint64_t handed_ns = between(what->begin_ns, what->handed_ns, what->end_ns);
    uint64_t decided_ns = between(handed_ns, what->decided_ns, what->end_ns);
    const struct stay all[STAYS] = {{what->begin_ns, handed_ns, what->from_cpu},
                                    {handed_ns, decided_ns, what->decide_cpu},
                                    {decided_ns, what->end_ns, what->cpu}};
    uint32_t count = 0;
    for (uint32_t i = 0; i < STAYS; i++) {
        if (all[i].to_ns <= all[i].from_ns)
            continue;
        if (count && stay[count - 1].cpu == all[i].cpu)
            stay[count - 1].to_ns = all[i].to_ns;
        else
            stay[count++] = all[i];
    }
    return count;
}

static struct theft_span within(const struct theft_event *event, const struct stay *stay)
{
    uint64_t end_ns = event->begin_ns + event->took_ns;
    if (event->cpu != stay->cpu)
        return (struct theft_span){0};
    return (struct theft_span){event->begin_ns > stay->from_ns ? event->begin_ns : stay->from_ns,
                               end_ns < stay->to_ns ? end_ns : stay->to_ns};
}

static bool is_same(const struct theft_key *left, const struct theft_key *right)
{
    return left->kind == right->kind && left->id == right->id &&
           !strncmp(left->name, right->name, LATENCY_NAME_BYTES);
}

static void sort_last(struct moment *moment, uint32_t at)
{
    for (; at > 0 && moment->culprit[at - 1].took_ns < moment->culprit[at].took_ns; at--) {
        struct culprit other = moment->culprit[at - 1];
        moment->culprit[at - 1] = moment->culprit[at];
        moment->culprit[at] = other;
    }
}

/* Where there are more culprits than places, the least gives way. */
static void blame(struct moment *moment, const struct theft_key *by, uint64_t took_ns)
{
    uint32_t at = 0;
    while (at < moment->culprits && !is_same(&moment->culprit[at].by, by))
        at++;
    if (at == moment->culprits && at == CULPRITS_MAX) {
        at--;
        if (moment->culprit[at].took_ns >= took_ns)
            return;
        moment->culprit[at] = (struct culprit){.by = *by};
    } else if (at == moment->culprits) {
        moment->culprit[moment->culprits++] = (struct culprit){.by = *by};
    }
    moment->culprit[at].took_ns += took_ns;
    moment->culprit[at].count++;
    sort_last(moment, at);
}

static int by_begin(const void *left, const void *right)
{
    uint64_t a = ((const struct theft_span *)left)->from_ns;
    uint64_t b = ((const struct theft_span *)right)->from_ns;
    return (a > b) - (a < b);
}

/* An interrupt lies within the softirq or the fault that it interrupts: that time was taken once. */
static uint64_t covered_ns(struct theft_span *span, uint32_t count)
{
    uint64_t sum_ns = 0, up_to_ns = 0;
    qsort(span, count, sizeof *span, by_begin);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t from_ns = span[i].from_ns > up_to_ns ? span[i].from_ns : up_to_ns;
        if (span[i].to_ns <= from_ns)
            continue;
        sum_ns += span[i].to_ns - from_ns;
        up_to_ns = span[i].to_ns;
    }
    return sum_ns;
}

/* Blames who took time while it was there, and adds when that was. */
static uint32_t look_at(struct moment *moment, struct thefts *thefts, const struct stay *stay, bool calls,
                        uint32_t spans)
{
    uint64_t first = thefts->next > THEFTS_KEPT ? thefts->next - THEFTS_KEPT : 0;
    for (uint64_t i = first; i < thefts->next; i++) {
        const struct theft_event *event = &thefts->event[i % THEFTS_KEPT];
        struct theft_span span = within(event, stay);
        if (span.to_ns <= span.from_ns || (event->by.kind == THEFT_SYSCALL) != calls)
            continue;
        blame(moment, &event->by, span.to_ns - span.from_ns);
        thefts->span[spans++] = span;
    }
    return spans;
}

/* What interrupts a call lies within it, and a call is no thief: calls count by themselves only where no
 * other culprit is found. */
static void look(struct moment *moment, struct thefts *thefts, bool calls)
{
    struct stay stay[STAYS];
    uint32_t count = moment_stays(&moment->what, stay), spans = 0;
    for (uint32_t i = 0; i < count; i++)
        spans = look_at(moment, thefts, &stay[i], calls, spans);
    moment->explained_ns = covered_ns(thefts->span, spans);
}

void moment_explain(struct moment *moment, struct thefts *thefts)
{
    moment->culprits = 0;
    moment->explained = true;
    look(moment, thefts, false);
    if (!moment->culprits)
        look(moment, thefts, true);
}

/* enum of linux/interrupt.h, whose order has not changed since it was written */
static const char *softirq_name(uint32_t vector)
{
    static const char *const names[] = {"HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET",
                                        "SCHED", "HRTIMER", "RCU"};
    return vector < sizeof names / sizeof names[0] ? names[vector] : "of unknown kind";
}

void culprit_words(const struct theft_key *by, char *text, size_t bytes)
{
    static const char *const kinds[] = {
#define THEFT_NAME(symbol, name, what) name,
        LATENCY_THEFTS(THEFT_NAME)
#undef THEFT_NAME
    };
    if (by->kind >= LATENCY_THEFT_COUNT)
        snprintf(text, bytes, "unknown");
    else if (by->kind == THEFT_SOFTIRQ)
        snprintf(text, bytes, "softirq %s", softirq_name(by->id));
    else if (by->kind == THEFT_SWITCH && !by->id)
        snprintf(text, bytes, "switch to idle: the thread slept or was throttled");
    else if (by->name[0])
        snprintf(text, bytes, "%s %.*s (%u)", kinds[by->kind], LATENCY_NAME_BYTES, by->name, by->id);
    else
        snprintf(text, bytes, "%s %u", kinds[by->kind], by->id);
    for (char *at = text; *at; at++)
        if (*at < 0x20 || *at > 0x7e)
            *at = '?';
}
