/* SPDX-License-Identifier: Apache-2.0 */
/* Leases, exposure and retirement on evidence: safety.md sections 3 to 5. */
#include "core/ledger.h"

#include <stddef.h>

#include "core/compare.h"
#include "core/draw.h"
#include "core/sums.h"

static const struct model_host_type *type_of(const struct ledger *ledger, uint32_t host)
{
    return &ledger->model->type[ledger->model->host[host].type];
}

enum { ROOM_TRIES = 4, BACK_REPORTS = 3 };

int64_t ledger_exposed_cap_mw(const struct ledger_host *host)
{
    int64_t cap_mw = host->fail_safe_mw;
    if (host->unretired_count)
        cap_mw = larger(cap_mw, host->unretired[0].cap_mw);
    return cap_mw;
}

bool ledger_governs(const struct ledger_host *host)
{
    return host->bounded && (host->accepted || host->handed);
}

int64_t ledger_always_mw(const struct ledger *ledger, uint32_t host)
{
    return ledger->model->host[host].fail_safe_mw;
}

int64_t ledger_draw_mw(const struct ledger *ledger, uint32_t host, int64_t cap_mw)
{
    int64_t draw_mw = draw_unbounded_mw(type_of(ledger, host), cap_mw);
    int64_t phys_mw = ledger->host[host].phys_max_mw;
    return smaller(draw_mw, phys_mw);
}

/* Brings D and S in line with the host's account. A host that does not count as bounded stands at phys_max in
 * both: no lease tells what it may draw until a report shows that one binds it, and what others hold must
 * leave room for that. */
static void account(struct ledger *ledger, uint32_t host, enum recovery_cause cause)
{
    ledger->cause = (uint8_t)cause;
    struct ledger_host *h = &ledger->host[host];
    int64_t exposed_mw = h->bounded ? ledger_draw_mw(ledger, host, ledger_exposed_cap_mw(h)) : h->phys_max_mw;
    int64_t newest_mw =
        h->bounded ? ledger_draw_mw(ledger, host, larger(h->newest_mw, h->fail_safe_mw)) : exposed_mw;
    int64_t safe_mw = h->bounded ? ledger_draw_mw(ledger, host, h->fail_safe_mw) : exposed_mw;
    const int64_t before_mw[SUM_COUNT] = {h->exposed_draw_mw, h->newest_draw_mw, h->safe_draw_mw};
    const int64_t after_mw[SUM_COUNT] = {exposed_mw, newest_mw, safe_mw};
    sums_replace_all(ledger, host, before_mw, after_mw);
    h->exposed_draw_mw = exposed_mw;
    h->newest_draw_mw = newest_mw;
    h->safe_draw_mw = safe_mw;
    ledger->cause = RECOVERY_NONE;
    if (ledger->moved.host)
        ledger->moved.host[host] = 1;
}

/* Keeps caps strictly falling from old to new: a lease is covered by a newer one that allows as much. When
 * the list is full the newest two merge into one that is retired as late as the later and allows as much
 * as the larger. */
static void unretired_push(struct ledger_host *h, uint64_t sequence, int64_t cap_mw)
{
    while (h->unretired_count && h->unretired[h->unretired_count - 1].cap_mw <= cap_mw)
        h->unretired_count--;
    if (h->unretired_count == UNRETIRED_MAX) {
        h->unretired[UNRETIRED_MAX - 1].sequence = sequence;
        return;
    }
    h->unretired[h->unretired_count++] = (struct ledger_lease){sequence, cap_mw};
}

/* The cap a report shows. It is never below the read-back, unless the report contradicts itself. */
static int64_t told_mw(const struct report *report)
{
    return larger(report->cap_mw, report->readback_mw);
}

/* A lease retires only when a newer state is shown to have held for A with a cap below it. The fail-safe
 * state after lease `applied` is newer than that lease. */
static uint32_t unretired_retire(struct ledger_host *h, const struct report *report)
{
    uint32_t kept = 0, count = h->unretired_count;
    for (uint32_t i = 0; i < count; i++) {
        struct ledger_lease lease = h->unretired[i];
        bool superseded = lease.sequence < report->applied ||
                          (lease.sequence == report->applied && report->state == HOST_FAIL_SAFE);
        if (!(superseded && told_mw(report) < lease.cap_mw))
            h->unretired[kept++] = lease;
    }
    h->unretired_count = (uint8_t)kept;
    return count - kept;
}

/* ---- reports ---- */

static struct ledger_former *find_former(struct ledger_host *h, uint64_t incarnation)
{
    for (uint32_t i = 0; i < FORMER_INCARNATIONS; i++)
        if (h->former[i].incarnation == incarnation)
            return &h->former[i];
    return NULL;
}

/* Of another incarnation than the present one: a former one, which does not come back? */
static bool is_late(const struct ledger *ledger, struct ledger_host *h, const struct report *report,
                    int64_t t_ns)
{
    struct ledger_former *former = find_former(h, report->incarnation);
    if (!former || !report->incarnation || report->number <= former->report)
        return former != NULL;
    former->report = report->number;
    h->backs = h->back == report->incarnation ? (uint8_t)smaller(h->backs + 1, BACK_REPORTS) : 1;
    h->back = report->incarnation;
    return h->backs < BACK_REPORTS || t_ns - h->report_t_ns <= ledger->model->policy.lease_ns;
}

/* What the incarnation before said of itself is forgotten with it: one wrong figure must not count until
 * the controller is started again. The report at hand says what counts now. */
static void start_incarnation(const struct ledger *ledger, struct ledger_host *h, const struct report *report)
{
    const struct ledger_former *back = find_former(h, report->incarnation);
    for (uint32_t i = back ? (uint32_t)(back - h->former) : FORMER_INCARNATIONS - 1; i > 0; i--)
        h->former[i] = h->former[i - 1];
    h->former[0] = (struct ledger_former){h->incarnation, h->report};
    h->incarnation = report->incarnation;
    h->report = 0;
    h->first = h->sequence + 1;
    h->fail_safe_mw = ledger->model->host[report->host].fail_safe_mw;
    h->phys_max_mw = type_of(ledger, report->host)->phys_max_mw;
    h->newest_mw = -1;
    h->bounded = false;
    h->accepted = false;
    h->handed = false;
    h->unretired_count = 0;
}

static const struct ledger_lease *unretired_find(const struct ledger_host *h, uint64_t sequence)
{
    for (uint32_t i = 0; i < h->unretired_count; i++)
        if (h->unretired[i].sequence == sequence)
            return &h->unretired[i];
    return NULL;
}

/* The cap in force may be anything, or is more than the lease the host says it enforces. */
static bool cap_is_foreign(const struct ledger_host *h, const struct report *report, bool settled)
{
    const struct ledger_lease *applied = unretired_find(h, report->applied);
    if (report->flags & REPORT_DEVICE_LOST)
        return true;
    return settled && report->state == HOST_LEASED && applied && report->readback_mw > applied->cap_mw;
}

static bool may_be_bounded(const struct ledger *ledger, const struct ledger_host *h,
                           const struct report *report, bool settled)
{
    if (!ledger->enforcing || !settled || report->state == HOST_BOOT || report->flags & REPORT_DEVICE_LOST)
        return false;
    if (report->epoch != ledger->epoch || h->newest_mw < 0 || report->applied < h->first)
        return false;
    return told_mw(report) <= ledger_exposed_cap_mw(h) &&
           told_mw(report) <= larger(h->fail_safe_mw, h->newest_mw);
}

/* It has accepted another controller, which may have sent it anything: a newer one, or one that was there
 * between the one that handed it over and us. */
static bool obeys_another(const struct ledger *ledger, const struct ledger_host *h,
                          const struct report *report)
{
    return report->epoch > ledger->epoch ||
           (h->handed && report->epoch != ledger->epoch && report->epoch != ledger->handed_epoch);
}

uint32_t ledger_report(struct ledger *ledger, const struct report *report, int64_t t_ns, uint32_t *retired)
{
    struct ledger_host *h = &ledger->host[report->host];
    const struct model_host *model_host = &ledger->model->host[report->host];
    uint32_t events = 0;

    int64_t phys_mw = h->phys_max_mw;
    *retired = 0;
    bool other = report->incarnation != h->incarnation || !report->incarnation;
    if (other ? is_late(ledger, h, report, t_ns) : report->number <= h->report)
        return LEDGER_STALE;
    if (other) {
        events |= h->incarnation ? LEDGER_RESET : 0;
        start_incarnation(ledger, h, report);
    }
    h->backs = 0;
    h->report = report->number;
    h->report_t_ns = t_ns;
    h->draw_mw = report->draw_mw;
    h->state = report->state;
    h->flags = (uint8_t)report->flags;
    h->accepted = report->epoch == ledger->epoch;
    bool elsewhere = obeys_another(ledger, h, report);
    h->handed = h->handed && report->epoch == ledger->handed_epoch;
    events |= report->fail_safe_mw != model_host->fail_safe_mw ? LEDGER_MISMATCH : 0;
    h->fail_safe_mw = larger(h->fail_safe_mw, report->fail_safe_mw);
    h->phys_max_mw =
        larger(h->phys_max_mw, draw_believed_mw(type_of(ledger, report->host), report->phys_max_mw));
    if (h->phys_max_mw > phys_mw)
        sums_raise_bad(ledger, report->host);
    events |= report->phys_max_mw > type_of(ledger, report->host)->phys_max_mw ? LEDGER_PHYS_MAX : 0;

    bool settled = report->held_ns >= type_of(ledger, report->host)->actuation_ns &&
                   report->applied <= h->sequence;  /* what was never sent is evidence of nothing */
    bool foreign = cap_is_foreign(h, report, settled);
    if (settled && report->epoch == ledger->epoch) {
        *retired = unretired_retire(h, report);
        events |= *retired ? LEDGER_RETIRED : 0;
    }
    /* looked at again: what this report retired may have been all that allowed the cap it shows */
    h->bounded = h->bounded && !elsewhere;
    if (h->bounded && (foreign || told_mw(report) > ledger_exposed_cap_mw(h))) {
        h->bounded = false;
        events |= LEDGER_FOREIGN_CAP;
    }
    if (!h->bounded && may_be_bounded(ledger, h, report, settled)) {
        h->bounded = true;
        events |= LEDGER_BOUNDED;
    }
    int64_t newest_mw = h->newest_draw_mw;
    account(ledger, report->host,
            events & LEDGER_RESET         ? RECOVERY_RESET
            : events & LEDGER_FOREIGN_CAP ? RECOVERY_FOREIGN
                                          : RECOVERY_TOLD);
    if (h->newest_draw_mw > newest_mw)  /* a lost cap, or higher figures: others make room at once */
        sums_note_over(ledger, report->host);
    return events;
}

/* ---- start and sending ---- */

/* A host nobody knows: what it is in the site file, and nothing else. */
static struct ledger_host unknown_host(const struct ledger *ledger, uint32_t host)
{
    return (struct ledger_host){.newest_mw = -1,
                                .fail_safe_mw = ledger->model->host[host].fail_safe_mw,
                                .phys_max_mw = type_of(ledger, host)->phys_max_mw};
}

void ledger_forget(struct ledger *ledger, uint32_t host)
{
    struct ledger_host *h = &ledger->host[host], unknown = unknown_host(ledger, host);
    unknown.exposed_draw_mw = h->exposed_draw_mw;
    unknown.newest_draw_mw = h->newest_draw_mw;
    unknown.safe_draw_mw = h->safe_draw_mw;
    *h = unknown;
    account(ledger, host, RECOVERY_START);
}

/* All that the old epoch may have left with the host stands as one lease of it, which nothing but a newer
 * state shown under this epoch retires: sequences go on from there. Its report counts as heard long ago: what
 * it wants now is not known. */
void ledger_take_over(struct ledger *ledger, const struct slot_account *from, int64_t t_ns)
{
    struct ledger_host *h = &ledger->host[from->host];
    ledger_forget(ledger, from->host);
    ledger->handed_epoch = from->epoch;
    h->incarnation = from->incarnation;
    h->report = from->report;
    h->report_t_ns = t_ns - from->age_ns - ledger->model->policy.lease_ns;
    h->sequence = from->sequence;
    h->first = from->sequence + 1;
    h->newest_mw = from->newest_mw;
    h->fail_safe_mw = larger(h->fail_safe_mw, from->fail_safe_mw);
    h->phys_max_mw = larger(h->phys_max_mw, draw_believed_mw(type_of(ledger, from->host), from->phys_max_mw));
    sums_raise_bad(ledger, from->host);
    h->bounded = h->handed = true;
    h->state = HOST_LEASED;
    h->unretired[0] = (struct ledger_lease){from->sequence, larger(from->exposed_mw, from->newest_mw)};
    h->unretired_count = 1;
    account(ledger, from->host, RECOVERY_START);
}

void ledger_init(struct ledger *ledger, const struct model *model, uint64_t epoch, struct ledger_host *host,
                 struct ledger_sums *node)
{
    *ledger = (struct ledger){
        .model = model, .epoch = epoch, .host = host, .node = node, .enforcing = model->mode == MODE_ENFORCE,
    };
    sums_init(ledger);
    for (uint32_t i = 0; i < model->host_count; i++) {
        host[i] = unknown_host(ledger, i);
        sums_add_base(ledger, i);
        account(ledger, i, RECOVERY_START);
    }
}

void ledger_enforce(struct ledger *ledger, bool enforcing)
{
    ledger->enforcing = enforcing;
    for (uint32_t i = 0; !enforcing && i < ledger->model->host_count; i++) {
        ledger->host[i].bounded = false;
        account(ledger, i, RECOVERY_MODE);
    }
}

enum ledger_verdict ledger_may_send(struct ledger *ledger, uint32_t host, int64_t cap_mw)
{
    const struct ledger_host *h = &ledger->host[host];
    if (cap_mw <= ledger_always_mw(ledger, host))
        return LEDGER_MAY_SEND;
    if (!ledger_governs(h))
        return LEDGER_UNBOUNDED;
    /* what account() will enter: when the lease runs out, the host goes to the fail-safe cap it reported */
    int64_t draw_mw = ledger_draw_mw(ledger, host, larger(cap_mw, h->fail_safe_mw));
    if (!sums_fit(ledger, host, SUM_NEWEST, h->newest_draw_mw, draw_mw))
        return LEDGER_OVER_S;
    if (cap_mw > ledger_exposed_cap_mw(h) &&
        !sums_fit(ledger, host, SUM_EXPOSED, h->exposed_draw_mw, draw_mw))
        return LEDGER_OVER_D;
    return LEDGER_MAY_SEND;
}

bool ledger_over_s(const struct ledger *ledger, uint32_t host)
{
    return sums_over(ledger, host, SUM_NEWEST);
}

int64_t ledger_room_mw(struct ledger *ledger, uint32_t host, int64_t cap_mw, enum ledger_verdict *bound)
{
    const struct ledger_host *h = &ledger->host[host];
    const struct model_host_type *type = type_of(ledger, host);
    int64_t exposed_mw = ledger_exposed_cap_mw(h), always_mw = ledger_always_mw(ledger, host);

    *bound = ledger_may_send(ledger, host, cap_mw);
    if (*bound == LEDGER_MAY_SEND)
        return cap_mw;
    if (*bound == LEDGER_UNBOUNDED)
        return always_mw;
    cap_mw =
        smaller(cap_mw, draw_cap_within_mw(type, sums_room_mw(ledger, host, SUM_NEWEST, h->newest_draw_mw)));
    if (cap_mw > exposed_mw) {
        int64_t room_mw = sums_room_mw(ledger, host, SUM_EXPOSED, h->exposed_draw_mw);
        cap_mw = larger(exposed_mw, smaller(cap_mw, draw_cap_within_mw(type, room_mw)));
    }
    /* Rooms are taken cord by cord; where two cords meet under one node they share it, so ask for half of
     * it, and so on, down to what the host has and may keep. */
    int64_t base_mw = always_mw;
    if (h->newest_mw > always_mw && cap_mw > h->newest_mw &&
        ledger_may_send(ledger, host, h->newest_mw) == LEDGER_MAY_SEND)
        base_mw = h->newest_mw;
    for (int tries = 0; tries < ROOM_TRIES; tries++) {
        cap_mw -= cap_mw % type->quantum_mw;
        if (cap_mw <= base_mw)
            break;
        if (ledger_may_send(ledger, host, cap_mw) == LEDGER_MAY_SEND)
            return cap_mw;
        cap_mw = base_mw + (cap_mw - base_mw) / 2;
    }
    return base_mw;
}

void ledger_enter(struct ledger *ledger, uint32_t host, int64_t cap_mw)
{
    struct ledger_host *h = &ledger->host[host];
    h->sequence++;
    h->newest_mw = cap_mw;
    unretired_push(h, h->sequence, cap_mw);
    account(ledger, host, RECOVERY_NONE);
}

bool ledger_sent(struct ledger *ledger, uint32_t host, int64_t cap_mw)
{
    struct ledger_host *h = &ledger->host[host];
    bool raises = h->bounded && cap_mw > ledger_exposed_cap_mw(h);
    ledger_enter(ledger, host, cap_mw);
    if (cap_mw <= ledger_always_mw(ledger, host))
        return true;
    return !sums_over(ledger, host, SUM_NEWEST) && !(raises && sums_over(ledger, host, SUM_EXPOSED));
}

void ledger_mark_exposed(struct ledger *ledger, uint32_t node)
{
    sums_mark_highest(ledger, node);
}

void ledger_scale_limit(struct ledger *ledger, uint32_t node, int64_t ppm)
{
    sums_scale_limit(ledger, node, ppm);
}

void ledger_lend(struct ledger *ledger, uint32_t node, const struct ledger_lend *lend)
{
    sums_lend(ledger, node, lend);
}
