/* SPDX-License-Identifier: Apache-2.0 */
/* The desk's talk with the controller: one request at a time, for all jobs together. */
#include <string.h>

#include "agent/ask_inside.h"

/* ---- a request ---- */

static void begin(struct ask_desk *desk, int64_t amount_mw, int64_t until_ns, uint32_t priority,
                  bool of_client, int64_t now_ns)
{
    struct ask_open *open = &desk->open;
    *open = (struct ask_open){.any = true, .of_client = of_client, .first_ns = now_ns, .again_ns = now_ns,
                              .wait_ns = ASK_AGAIN_NS};
    open->request = (struct token_request){
        .host = desk->host, .priority = priority, .request = ++desk->number, .amount_mw = amount_mw,
        .duration_ns = amount_mw > 0 && until_ns > now_ns ? until_ns - now_ns : 0};
    desk->excess = false;
    desk->quiet_ns = now_ns + ASK_SPACING_NS;
}

static bool send_again(struct ask_open *open, int64_t now_ns, struct token_request *request)
{
    if (now_ns < open->again_ns)
        return false;
    *request = open->request;
    open->again_ns = now_ns + open->wait_ns;
    open->wait_ns = 2 * open->wait_ns < NS_PER_S ? 2 * open->wait_ns : NS_PER_S;
    return true;
}

/* ---- what is lost ---- */

static bool is_lost(const struct ask_desk *desk)
{
    for (uint32_t i = 0; i < desk->grants; i++)
        if (!desk->grant[i].standing)
            return true;
    return false;
}

/* Of all that stand, and of those lost that are marked: sum, latest end, least priority of the lost. */
static int64_t sum_marked_mw(const struct ask_desk *desk, int64_t *latest_ns, uint32_t *priority)
{
    int64_t sum_mw = 0;
    for (uint32_t i = 0; i < desk->grants; i++) {
        const struct ask_grant *grant = &desk->grant[i];
        if (!grant->asked)
            continue;
        sum_mw += grant->amount_mw;
        *latest_ns = grant->end_ns > *latest_ns ? grant->end_ns : *latest_ns;
        if (!grant->standing && grant->priority > *priority)
            *priority = grant->priority;
    }
    return sum_mw;
}

static void mark_all(struct ask_desk *desk)
{
    for (uint32_t i = 0; i < desk->grants; i++)
        desk->grant[i].asked = true;
}

static bool is_less_important(const struct ask_grant *a, const struct ask_grant *b)
{
    return a->priority != b->priority ? a->priority > b->priority : a->order > b->order;
}

/* The one of those lost that goes without first; NULL: none is left. */
static struct ask_grant *least_marked(struct ask_desk *desk)
{
    struct ask_grant *least = NULL;
    for (uint32_t i = 0; i < desk->grants; i++) {
        struct ask_grant *grant = &desk->grant[i];
        if (grant->asked && !grant->standing && (!least || is_less_important(grant, least)))
            least = grant;
    }
    return least;
}

static void begin_marked(struct ask_desk *desk, int64_t now_ns)
{
    int64_t latest_ns = now_ns;
    uint32_t priority = 0;
    int64_t sum_mw = sum_marked_mw(desk, &latest_ns, &priority);
    begin(desk, sum_mw, latest_ns, priority, false, now_ns);
}

/* Not all is to be had: one goes without at least, and as many more as the controller says. */
static void give_way(struct ask_desk *desk, const struct token_response *response, int64_t now_ns)
{
    int64_t latest_ns = 0;
    uint32_t priority = 0;
    struct ask_grant *least;
    do {
        least = least_marked(desk);
        if (least)
            least->asked = false;
    } while (least && sum_marked_mw(desk, &latest_ns, &priority) > response->alternative_mw);
    desk->retry_ns = now_ns + response->retry_after_ns;
    if (least_marked(desk))
        begin_marked(desk, now_ns);
}

void ask_forget_open(struct ask_desk *desk)
{
    desk->open.any = false;
    desk->reserved_mw = -1;
    desk->excess = true;
}

/* ---- what is next ---- */

static void end_grants(struct ask_desk *desk, int64_t now_ns)
{
    for (uint32_t i = desk->grants; i-- > 0;)
        if (now_ns >= desk->grant[i].end_ns)
            ask_drop(desk, i);
}

static void end_waits(struct ask_desk *desk, int64_t now_ns)
{
    const struct ask_answer away = {.outcome = ASK_AWAY, .retry_after_ns = NS_PER_S};
    for (uint32_t i = desk->waits; i-- > 0;) {
        if (now_ns - desk->wait[i].since_ns < ASK_ANSWER_NS)
            continue;
        if (i == 0 && desk->open.any && desk->open.of_client)
            ask_forget_open(desk);
        desk->unanswered++;
        ask_finish(desk, i, &away);
    }
}

static void lose_standing(struct ask_desk *desk)
{
    for (uint32_t i = 0; i < desk->grants; i++) {
        desk->lost += desk->grant[i].standing;
        desk->grant[i].standing = false;
    }
}

static void lose_all(struct ask_desk *desk, int64_t now_ns)
{
    lose_standing(desk);
    desk->open.any = false;
    desk->excess = false;
    desk->reserved_mw = 0;
    desk->covered_ns = 0;
    desk->retry_ns = now_ns;
}

/* What the controller was last asked to hold, and nobody could prolong, has ended there. */
static void lose_uncovered(struct ask_desk *desk, int64_t now_ns)
{
    int64_t latest_ns = INT64_MIN;
    if (now_ns >= desk->covered_ns && ask_sum_mw(desk, "", &latest_ns) > 0)
        lose_all(desk, now_ns);
}

static bool begin_client(struct ask_desk *desk, int64_t now_ns)
{
    if (!desk->waits)
        return false;
    const struct ask_order *order = &desk->wait[0].order;
    int64_t latest_ns = now_ns + order->ahead_ns + order->for_ns;
    int64_t sum_mw = ask_sum_mw(desk, order->job, &latest_ns) + order->amount_mw;
    begin(desk, sum_mw, latest_ns, order->priority, true, now_ns);
    return true;
}

/* It is to hold what is granted and no more, and that until the last of it ends. */
static bool begin_hold(struct ask_desk *desk, int64_t now_ns)
{
    int64_t latest_ns = now_ns, sum_mw = ask_sum_mw(desk, "", &latest_ns);
    bool less = desk->excess && (sum_mw != desk->reserved_mw || latest_ns < desk->covered_ns - NS_PER_S);
    bool longer = latest_ns > desk->covered_ns && now_ns >= desk->covered_ns - ASK_REFRESH_NS && sum_mw > 0;
    desk->excess = desk->excess && less;
    if (!less && !longer)
        return false;
    for (uint32_t i = 0; i < desk->grants; i++)
        desk->grant[i].asked = desk->grant[i].standing;
    begin_marked(desk, now_ns);
    return true;
}

static bool begin_next(struct ask_desk *desk, int64_t now_ns)
{
    if (!desk->epoch || now_ns < desk->quiet_ns)
        return false;
    if (now_ns >= desk->retry_ns && is_lost(desk)) {
        mark_all(desk);
        begin_marked(desk, now_ns);
        return true;
    }
    return begin_client(desk, now_ns) || begin_hold(desk, now_ns);
}

bool ask_next(struct ask_desk *desk, int64_t now_ns, struct token_request *request)
{
    end_grants(desk, now_ns);
    end_waits(desk, now_ns);
    lose_uncovered(desk, now_ns);
    if (!desk->open.any && !begin_next(desk, now_ns))
        return false;
    return send_again(&desk->open, now_ns, request);
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t due_of_hold_ns(const struct ask_desk *desk)
{
    int64_t latest_ns = INT64_MIN, sum_mw = ask_sum_mw(desk, "", &latest_ns);
    if (desk->excess)
        return desk->quiet_ns;
    return sum_mw > 0 && latest_ns > desk->covered_ns ? desk->covered_ns - ASK_REFRESH_NS : INT64_MAX;
}

int64_t ask_due_ns(const struct ask_desk *desk)
{
    int64_t due_ns = INT64_MAX, new_ns = INT64_MAX;
    for (uint32_t i = 0; i < desk->grants; i++)
        due_ns = sooner(due_ns, desk->grant[i].end_ns);
    for (uint32_t i = 0; i < desk->waits; i++)
        due_ns = sooner(due_ns, desk->wait[i].since_ns + ASK_ANSWER_NS);
    if (desk->open.any)
        return sooner(due_ns, desk->open.again_ns);
    if (!desk->epoch)
        return due_ns;
    new_ns = sooner(due_of_hold_ns(desk), is_lost(desk) ? desk->retry_ns : INT64_MAX);
    new_ns = desk->waits ? desk->quiet_ns : new_ns;
    return sooner(due_ns, new_ns > desk->quiet_ns ? new_ns : desk->quiet_ns);
}

/* ---- answers ---- */

/* It stands from when the request first may have come. */
static void take_grant(struct ask_desk *desk, int64_t now_ns)
{
    const struct ask_open *open = &desk->open;
    int64_t for_ns = open->request.duration_ns;
    desk->reserved_mw = open->request.amount_mw;
    desk->covered_ns = open->first_ns + (for_ns < ASK_COVER_NS ? for_ns : ASK_COVER_NS);
    if (open->of_client) {
        const struct ask_order order = desk->wait[0].order;
        ask_enter(desk, &order, open->first_ns);
        const struct ask_answer answer = ask_answer_granted(desk, order.job, now_ns);
        ask_finish(desk, 0, &answer);
        return;
    }
    for (uint32_t i = 0; i < desk->grants; i++)
        desk->grant[i].standing = desk->grant[i].standing || desk->grant[i].asked;
}

static void take_denial(struct ask_desk *desk, const struct token_response *response, int64_t now_ns)
{
    desk->excess = true;
    if (!desk->open.of_client) {
        desk->quiet_ns = now_ns + response->retry_after_ns;
        if (desk->reserved_mw < 0)
            lose_standing(desk);        /* it may hold less, and will not hold all */
        give_way(desk, response, now_ns);
        return;
    }
    const struct ask_order *order = &desk->wait[0].order;
    int64_t others_mw = desk->open.request.amount_mw - order->amount_mw;
    int64_t left_mw = response->alternative_mw - others_mw;
    const struct ask_answer answer = {.outcome = ASK_DENIED, .reason = response->reason,
                                      .alternative_mw = left_mw > 0 ? left_mw : 0,
                                      .retry_after_ns = response->retry_after_ns};
    desk->denied++;
    ask_finish(desk, 0, &answer);
}

void ask_answered(struct ask_desk *desk, const struct token_response *response, int64_t now_ns)
{
    if (!desk->open.any || response->request != desk->open.request.request)
        return;
    desk->open.any = false;
    if (response->reason == TOKEN_GRANTED)
        take_grant(desk, now_ns);
    else
        take_denial(desk, response, now_ns);
}

void ask_epoch(struct ask_desk *desk, uint64_t epoch, int64_t now_ns)
{
    if (epoch == desk->epoch)
        return;
    desk->epoch = epoch;
    lose_all(desk, now_ns);
}

void ask_unheard(struct ask_desk *desk, int64_t now_ns)
{
    lose_all(desk, now_ns);
}
