/* SPDX-License-Identifier: Apache-2.0 */
/* The host's half of a lease: safety.md section 3. Every rule there is one branch here. */
#include "core/holder.h"

enum { RECEIPT_SOON_NS = 10 * 1000 * 1000 };    /* an unasked report comes at most this often */

static int64_t max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The wanted cap is in force: nothing queued, nothing in flight, read back at or below it. */
static bool holder_holds(const struct holder *holder)
{
    return holder->writing_mw < 0 && holder->written_mw == holder->wanted_mw && holder->readback_mw >= 0 &&
           holder->readback_mw <= holder->wanted_mw;
}

void holder_init(struct holder *holder, const struct holder_config *config, uint64_t incarnation,
                 uint64_t epoch, int64_t now_ns)
{
    *holder = (struct holder){
        .config = *config,
        .incarnation = incarnation,
        .epoch = epoch,
        .next_report = 1,
        .deadline_ns = INT64_MIN,
        .wanted_mw = config->fail_safe_mw,
        .written_mw = -1,
        .writing_mw = -1,
        .readback_mw = -1,
        .held_since_ns = now_ns,
        .last_report_ns = now_ns - config->report_ns,
        .receipt_due_ns = INT64_MAX,
        .state = HOST_BOOT,
        .state_wanted = HOST_FAIL_SAFE,
    };
}

/* When the report of that number was sent; false when the table no longer (or never) held it. */
static bool echo_sent_at(const struct holder *holder, uint64_t echo, int64_t *sent_ns)
{
    if (echo == 0 || echo >= holder->next_report || holder->next_report - echo > ECHOES_MAX)
        return false;
    *sent_ns = holder->sent_ns[echo % ECHOES_MAX];
    return true;
}

static int lease_order(const struct holder *holder, const struct lease *lease)
{
    if (lease->incarnation != holder->incarnation)
        return HOLDER_FOREIGN_INCARNATION;
    if (lease->epoch < holder->epoch)
        return HOLDER_OLD_EPOCH;
    if (lease->epoch == holder->epoch && lease->sequence <= holder->applied)
        return HOLDER_OLD_SEQUENCE;
    return HOLDER_ACCEPTED;
}

static int lease_take(struct holder *holder, const struct lease *lease, int64_t now_ns)
{
    int64_t sent_ns;
    int order = lease_order(holder, lease);
    if (order != HOLDER_ACCEPTED)
        return order;
    if (!echo_sent_at(holder, lease->echo, &sent_ns))
        return HOLDER_UNKNOWN_ECHO;

    int64_t cap_mw = min64(max64(lease->cap_mw, 0), holder->config.cap_max_mw);
    bool expired = now_ns - sent_ns >= lease->duration_ns;
    if (expired && cap_mw >= holder->wanted_mw)
        return HOLDER_EXPIRED_RAISE;

    holder->epoch = lease->epoch;
    holder->applied = lease->sequence;
    holder->wanted_mw = cap_mw;
    if (!expired) {     /* an expired echo never moves the deadline */
        holder->deadline_ns = sent_ns + lease->duration_ns;
        holder->state_wanted = HOST_LEASED;
    }
    return HOLDER_ACCEPTED;
}

int holder_lease(struct holder *holder, const struct lease *lease, int64_t now_ns)
{
    holder_time(holder, now_ns);
    int result = lease_take(holder, lease, now_ns);
    holder->refused[result]++;
    if (result == HOLDER_ACCEPTED && holder_holds(holder))
        holder->state = holder->state_wanted;   /* a renewal: same cap, nothing to write */
    return result;
}

void holder_time(struct holder *holder, int64_t now_ns)
{
    if (holder->state_wanted != HOST_LEASED || now_ns < holder->deadline_ns)
        return;
    holder->state_wanted = HOST_FAIL_SAFE;
    holder->wanted_mw = holder->config.fail_safe_mw;
    if (holder_holds(holder))
        holder->state = HOST_FAIL_SAFE;
}

bool holder_next_write(struct holder *holder, int64_t *cap_mw)
{
    if (holder->writing_mw >= 0 || holder_holds(holder))
        return false;
    holder->writing_mw = holder->wanted_mw;
    *cap_mw = holder->wanted_mw;
    return true;
}

void holder_written(struct holder *holder, int64_t readback_mw, int64_t now_ns)
{
    holder->written_mw = holder->writing_mw;
    holder->writing_mw = -1;
    holder->readback_mw = readback_mw;
    holder_time(holder, now_ns);        /* expiry is looked at again after every write */
    if (!holder_holds(holder))
        return;
    holder->state = holder->state_wanted;
    holder->held_since_ns = now_ns;
    holder->receipt_due_ns = now_ns + holder->config.actuation_ns;
}

void holder_flags(struct holder *holder, uint8_t flags, int64_t now_ns)
{
    uint8_t news = (uint8_t)(flags & ~holder->flags & (REPORT_AT_CAP | REPORT_DEVICE_LOST));
    holder->flags = flags;
    if (news)
        holder->receipt_due_ns =
            min64(holder->receipt_due_ns, max64(now_ns, holder->last_report_ns + RECEIPT_SOON_NS));
}

bool holder_report_due(const struct holder *holder, int64_t now_ns)
{
    return now_ns - holder->last_report_ns >= holder->config.report_ns || now_ns >= holder->receipt_due_ns;
}

/* Largest of the read-back limit and every write queued or in flight; unknown before the first read-back. */
static int64_t cap_at_most_mw(const struct holder *holder)
{
    if (holder->readback_mw < 0)
        return holder->config.cap_max_mw;
    int64_t cap_mw = max64(holder->readback_mw, holder->writing_mw);
    return holder_holds(holder) ? cap_mw : max64(cap_mw, holder->wanted_mw);
}

void holder_report(struct holder *holder, int64_t draw_mw, uint16_t psu_inputs, struct report *report,
                   int64_t now_ns)
{
    holder_time(holder, now_ns);
    bool holds = holder_holds(holder);
    uint8_t foreign = holds && holder->readback_mw < holder->wanted_mw ? REPORT_FOREIGN_LIMIT : 0;
    *report = (struct report){
        .host = holder->config.host,
        .flags = (uint32_t)holder->flags | foreign,
        .incarnation = holder->incarnation,
        .epoch = holder->epoch,
        .number = holder->next_report,
        .applied = holder->applied,
        .held_ns = holds ? now_ns - holder->held_since_ns : 0,
        .cap_mw = cap_at_most_mw(holder),
        .readback_mw = max64(holder->readback_mw, 0),
        .fail_safe_mw = holder->config.fail_safe_mw,
        .phys_max_mw = holder->config.phys_max_mw,
        .draw_mw = draw_mw,
        .psu_inputs = psu_inputs,
        .state = holder->state,
    };
    holder->sent_ns[holder->next_report % ECHOES_MAX] = now_ns;
    holder->next_report++;
    holder->last_report_ns = now_ns;
    int64_t receipt_ns = holder->held_since_ns + holder->config.actuation_ns;
    holder->receipt_due_ns = holds && now_ns < receipt_ns ? receipt_ns : INT64_MAX;
}
