/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/ask_inside.h"

#include <string.h>

#define BUSY_RETRY_NS (100 * NS_PER_MS)

void ask_init(struct ask_desk *desk, uint32_t host, int64_t most_mw, uint64_t number)
{
    memset(desk, 0, sizeof *desk);
    desk->host = host;
    desk->most_mw = most_mw;
    desk->number = number;
    desk->retry_ns = INT64_MAX;
}

/* ---- what is granted ---- */

uint32_t ask_find(const struct ask_desk *desk, const char *job)
{
    for (uint32_t i = 0; i < desk->grants; i++)
        if (!strcmp(desk->grant[i].job, job))
            return i;
    return ASK_GRANTS_MAX;
}

void ask_drop(struct ask_desk *desk, uint32_t index)
{
    desk->excess = true;        /* ask_next looks whether it is so */
    desk->grant[index] = desk->grant[--desk->grants];
}

int64_t ask_sum_mw(const struct ask_desk *desk, const char *without, int64_t *latest_ns)
{
    int64_t sum_mw = 0;
    for (uint32_t i = 0; i < desk->grants; i++) {
        const struct ask_grant *grant = &desk->grant[i];
        if (!grant->standing || !strcmp(grant->job, without))
            continue;
        sum_mw += grant->amount_mw;
        *latest_ns = grant->end_ns > *latest_ns ? grant->end_ns : *latest_ns;
    }
    return sum_mw;
}

int64_t ask_total_mw(const struct ask_desk *desk)
{
    int64_t latest_ns = INT64_MIN;
    return ask_sum_mw(desk, "", &latest_ns);
}

void ask_enter(struct ask_desk *desk, const struct ask_order *order, int64_t now_ns)
{
    uint32_t at = ask_find(desk, order->job);
    if (at == ASK_GRANTS_MAX)
        at = desk->grants++;
    struct ask_grant *grant = &desk->grant[at];
    *grant = (struct ask_grant){.priority = order->priority, .standing = true, .order = ++desk->orders,
                                .amount_mw = order->amount_mw,
                                .end_ns = now_ns + order->ahead_ns + order->for_ns};
    memcpy(grant->job, order->job, sizeof grant->job);
    desk->granted++;
}

struct ask_answer ask_answer_granted(const struct ask_desk *desk, const char *job, int64_t now_ns)
{
    const struct ask_grant *grant = &desk->grant[ask_find(desk, job)];
    return (struct ask_answer){.outcome = ASK_GRANTED, .amount_mw = grant->amount_mw,
                               .for_ns = grant->end_ns - now_ns};
}

/* ---- orders ---- */

/* What the controller is known to hold is enough: nobody needs to be asked. */
static bool is_covered(const struct ask_desk *desk, const struct ask_order *order, int64_t now_ns)
{
    int64_t end_ns = now_ns + order->ahead_ns + order->for_ns, latest_ns = end_ns;
    int64_t sum_mw = ask_sum_mw(desk, order->job, &latest_ns) + order->amount_mw;
    return desk->epoch && sum_mw <= desk->reserved_mw && latest_ns <= desk->covered_ns;
}

static void release(struct ask_desk *desk, const struct ask_order *order, struct ask_answer *answer)
{
    uint32_t at = ask_find(desk, order->job);
    answer->outcome = at < ASK_GRANTS_MAX ? ASK_RELEASED : ASK_UNKNOWN;
    if (at < ASK_GRANTS_MAX)
        ask_drop(desk, at);
}

/* Denied here: the controller would say the same, and need not be troubled. */
static bool exceeds_host(const struct ask_desk *desk, const struct ask_order *order,
                         struct ask_answer *answer)
{
    int64_t latest_ns = INT64_MIN, others_mw = ask_sum_mw(desk, order->job, &latest_ns);
    int64_t left_mw = desk->most_mw - others_mw;
    if (!desk->most_mw || order->amount_mw <= left_mw)
        return false;
    *answer = (struct ask_answer){.outcome = ASK_DENIED, .reason = ASK_HOST_LIMIT,
                                  .alternative_mw = left_mw > 0 ? left_mw : 0, .retry_after_ns = NS_PER_S};
    return true;
}

/* By priority; who came first of those alike. The first may be on its way to the controller already. */
static void line_up(struct ask_desk *desk, uint64_t client, const struct ask_order *order, int64_t now_ns)
{
    uint32_t at = desk->waits, first = desk->open.any && desk->open.of_client;
    for (; at > first && desk->wait[at - 1].order.priority > order->priority; at--)
        desk->wait[at] = desk->wait[at - 1];
    desk->wait[at] = (struct ask_wait){.client = client, .order = *order, .since_ns = now_ns};
    desk->waits++;
}

/* Those that wait may all be granted. */
static bool has_place(const struct ask_desk *desk, const char *job)
{
    return desk->waits + desk->replies < ASK_WAITING_MAX &&
           (desk->grants + desk->waits < ASK_GRANTS_MAX || ask_find(desk, job) < ASK_GRANTS_MAX);
}

static void ask_for(struct ask_desk *desk, uint64_t client, const struct ask_order *order, int64_t now_ns,
                    struct ask_answer *answer)
{
    if (exceeds_host(desk, order, answer)) {
        desk->denied++;
    } else if (is_covered(desk, order, now_ns)) {
        ask_enter(desk, order, now_ns);
        desk->excess = true;
        *answer = ask_answer_granted(desk, order->job, now_ns);
    } else if (!has_place(desk, order->job)) {
        *answer = (struct ask_answer){.outcome = ASK_BUSY, .retry_after_ns = BUSY_RETRY_NS};
    } else {
        line_up(desk, client, order, now_ns);
        answer->outcome = ASK_WAITS;
    }
}

/* To extend a grant is to ask for the same again, until later. */
static void extend(struct ask_desk *desk, uint64_t client, const struct ask_order *order, int64_t now_ns,
                   struct ask_answer *answer)
{
    uint32_t at = ask_find(desk, order->job);
    struct ask_order same = *order;
    if (at == ASK_GRANTS_MAX) {
        answer->outcome = ASK_UNKNOWN;
        return;
    }
    same.verb = ASK_ASK;
    same.amount_mw = desk->grant[at].amount_mw;
    same.priority = desk->grant[at].priority;
    ask_for(desk, client, &same, now_ns, answer);
}

void ask_order(struct ask_desk *desk, uint64_t client, const struct ask_order *order, int64_t now_ns,
               struct ask_answer *answer)
{
    *answer = (struct ask_answer){.outcome = ASK_TOLD};
    if (order->verb == ASK_RELEASE)
        release(desk, order, answer);
    else if (order->verb == ASK_EXTEND)
        extend(desk, client, order, now_ns, answer);
    else if (order->verb == ASK_ASK)
        ask_for(desk, client, order, now_ns, answer);
    memcpy(answer->job, order->job, sizeof answer->job);
}

/* ---- those who wait ---- */

static void leave(struct ask_desk *desk, uint32_t at)
{
    desk->waits--;
    memmove(&desk->wait[at], &desk->wait[at + 1], (desk->waits - at) * sizeof desk->wait[0]);
}

void ask_finish(struct ask_desk *desk, uint32_t at, const struct ask_answer *answer)
{
    struct ask_reply *reply = &desk->reply[desk->replies++];
    *reply = (struct ask_reply){.client = desk->wait[at].client, .answer = *answer};
    memcpy(reply->answer.job, desk->wait[at].order.job, sizeof reply->answer.job);
    leave(desk, at);
}

void ask_gone(struct ask_desk *desk, uint64_t client)
{
    for (uint32_t i = desk->waits; i-- > 0;) {
        if (desk->wait[i].client != client)
            continue;
        if (i == 0 && desk->open.any && desk->open.of_client)
            ask_forget_open(desk);
        leave(desk, i);
    }
    for (uint32_t i = desk->replies; i-- > 0;)
        if (desk->reply[i].client == client)
            desk->reply[i] = desk->reply[--desk->replies];
}

bool ask_reply(struct ask_desk *desk, struct ask_reply *reply)
{
    if (!desk->replies)
        return false;
    *reply = desk->reply[0];
    desk->replies--;
    memmove(&desk->reply[0], &desk->reply[1], desk->replies * sizeof desk->reply[0]);
    return true;
}
