/* SPDX-License-Identifier: Apache-2.0 */
/* The host's half of a lease: safety.md section 3. Every rule there is one branch here. */
#include "core/compare.h"
#include "core/holder.h"

enum { RECEIPT_SOON_NS = 10 * 1000 * 1000 };    /* an unasked report comes at most this often */
enum { LONG_PAST_NS = 1 };                      /* a deadline, where 0 is none */

static uint32_t devices_of(const struct holder *holder)
{
    return holder->config.devices ? holder->config.devices : 1;
}

/* A device's part of the cap, rounded down: together they are never more than it. */
static int64_t part_mw(const struct holder *holder, int64_t cap_mw)
{
    return cap_mw / devices_of(holder);
}

int64_t holder_part_mw(const struct holder *holder, uint32_t device)
{
    int64_t own_mw = holder->let_go ? holder->config.own_mw[device] : 0;
    return own_mw > 0 ? own_mw : part_mw(holder, holder->wanted_mw);
}

/* The most a device of which nothing is known may be set to. */
static int64_t part_max_mw(const struct holder *holder)
{
    return (holder->config.cap_max_mw + devices_of(holder) - 1) / devices_of(holder);
}

/* What it may stand at without another write: in force, or hidden under somebody else's lower limit. */
static int64_t standing_mw(const struct holder_device *device)
{
    return larger(device->readback_mw, device->kept_mw);
}

/* Its part is in force: nothing queued, nothing in flight, read back at or below it. */
static bool device_holds(const struct holder_device *device, int64_t part_mw)
{
    return device->writing_mw < 0 && device->written_mw == part_mw && device->readback_mw >= 0 &&
           standing_mw(device) <= part_mw;
}

/* It may stand above its part, or come to stand there when the write in flight returns. */
static bool device_is_above(const struct holder_device *device, int64_t part_mw)
{
    return device->readback_mw < 0 || standing_mw(device) > part_mw || device->writing_mw > part_mw;
}

bool holder_holds(const struct holder *holder)
{
    for (uint32_t i = 0; i < devices_of(holder); i++)
        if (!holder->device[i].lost && !device_holds(&holder->device[i], holder_part_mw(holder, i)))
            return false;
    return true;
}

static void want_fail_safe(struct holder *holder)
{
    holder->state_wanted = HOST_FAIL_SAFE;
    holder->wanted_mw = holder->config.fail_safe_mw;
}

void holder_init(struct holder *holder, const struct holder_config *config, uint64_t incarnation,
                 uint64_t epoch, int64_t now_ns)
{
    *holder = (struct holder){
        .config = *config,
        .epoch = epoch,
        .epoch_saved = epoch,
        .epoch_asked = epoch,
        .boottime_least_ns = INT64_MIN,
        .boottime_most_ns = INT64_MAX,
    };
    for (uint32_t i = 0; i < HOST_DEVICES_MAX; i++)
        holder->device[i].writing_mw = -1;
    holder_restart(holder, incarnation, now_ns);
}

void holder_restart(struct holder *holder, uint64_t incarnation, int64_t now_ns)
{
    holder->incarnation = incarnation;
    holder->applied = 0;
    holder->next_report = 1;
    holder->deadline_ns = INT64_MIN;
    for (uint32_t i = 0; i < HOST_DEVICES_MAX; i++)
        holder->device[i].written_mw = holder->device[i].readback_mw = holder->device[i].kept_mw = -1;
    holder->held_since_ns = now_ns;
    holder->last_report_ns = now_ns - holder->config.report_ns;
    holder->receipt_due_ns = INT64_MAX;
    holder->let_go = false;
    holder->leaving = 0;
    holder->state = HOST_BOOT;
    want_fail_safe(holder);
}

static void report_soon(struct holder *holder, int64_t now_ns)
{
    holder->receipt_due_ns =
        smaller(holder->receipt_due_ns, larger(now_ns, holder->last_report_ns + RECEIPT_SOON_NS));
}

void holder_device(struct holder *holder, uint32_t device, bool lost, int64_t now_ns)
{
    holder->device[device].lost = lost;
    holder->device[device].readback_mw = holder->device[device].kept_mw = -1;
    if (lost)           /* a write to it never returns */
        holder->device[device].writing_mw = -1;
    report_soon(holder, now_ns);
}

bool holder_clock(struct holder *holder, int64_t before_ns, int64_t boottime_ns, int64_t after_ns)
{
    int64_t least_ns = boottime_ns - after_ns, most_ns = boottime_ns - before_ns;
    bool slept = least_ns > holder->boottime_most_ns || most_ns < holder->boottime_least_ns;
    if (!slept) {       /* it stands still: every look narrows it down */
        holder->boottime_least_ns = larger(holder->boottime_least_ns, least_ns);
        holder->boottime_most_ns = smaller(holder->boottime_most_ns, most_ns);
        return false;
    }
    holder->boottime_least_ns = least_ns;
    holder->boottime_most_ns = most_ns;
    holder->let_go = false;
    holder->incarnation = 0;
    holder->deadline_ns = INT64_MIN;
    want_fail_safe(holder);
    return true;
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
    if (!holder->incarnation || lease->incarnation != holder->incarnation)
        return HOLDER_FOREIGN_INCARNATION;
    if (lease->epoch < holder->epoch)
        return HOLDER_OLD_EPOCH;
    if (lease->epoch == holder->epoch && lease->sequence <= holder->applied)
        return HOLDER_OLD_SEQUENCE;
    return HOLDER_ACCEPTED;
}

/* Its own limits are wanted from now on. The incarnation is over: whatever else comes for it, a cut too, is
 * too late, for the controller counts the host at phys_max, and no report may take that back. */
static void go(struct holder *holder)
{
    holder->let_go = true;
    holder->incarnation = 0;
    holder->deadline_ns = INT64_MIN;
    want_fail_safe(holder);
}

static int lease_take(struct holder *holder, const struct lease *lease, int64_t now_ns)
{
    int64_t sent_ns;
    int order = lease_order(holder, lease);
    if (order != HOLDER_ACCEPTED)
        return order;
    if (!echo_sent_at(holder, lease->echo, &sent_ns))
        return HOLDER_UNKNOWN_ECHO;
    bool lets_go = lease->flags & LEASE_LET_GO;
    if (lets_go && (!holder->leaving || lease->echo < holder->leaving))
        return HOLDER_UNASKED;
    if (lease->epoch > holder->epoch_saved) {
        holder->epoch_asked = lease->epoch > holder->epoch_asked ? lease->epoch : holder->epoch_asked;
        return HOLDER_UNSAVED_EPOCH;
    }

    int64_t cap_mw = smaller(larger(lease->cap_mw, 0), holder->config.cap_max_mw);
    bool expired = now_ns - sent_ns >= lease->duration_ns;
    if (expired && lets_go)
        return HOLDER_EXPIRED_RAISE;
    if (expired && cap_mw >= holder->wanted_mw)
        return HOLDER_EXPIRED_RAISE;

    holder->epoch = lease->epoch;
    holder->applied = lease->sequence;
    holder->session = lease->session;
    holder->wanted_mw = cap_mw;
    if (!expired) {     /* an expired echo never moves the deadline */
        holder->deadline_ns = sent_ns + lease->duration_ns;
        holder->state_wanted = HOST_LEASED;
    }
    if (lets_go)
        go(holder);
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

void holder_leave(struct holder *holder, int64_t now_ns)
{
    if (!holder->incarnation || holder->leaving)
        return;
    holder->leaving = holder->next_report;
    report_soon(holder, now_ns);
}

void holder_epoch_saved(struct holder *holder, uint64_t epoch, int64_t now_ns)
{
    if (epoch <= holder->epoch_saved)
        return;
    holder->epoch_saved = epoch;
    report_soon(holder, now_ns);
}

void holder_time(struct holder *holder, int64_t now_ns)
{
    if (holder->state_wanted != HOST_LEASED || now_ns < holder->deadline_ns)
        return;
    want_fail_safe(holder);
    if (holder_holds(holder))
        holder->state = HOST_FAIL_SAFE;
}

bool holder_next_write(struct holder *holder, uint32_t *device, int64_t *cap_mw)
{
    bool cutting = false;
    for (uint32_t i = 0; i < devices_of(holder); i++)
        cutting |= !holder->device[i].lost && device_is_above(&holder->device[i], holder_part_mw(holder, i));
    for (uint32_t i = 0; i < devices_of(holder); i++) {
        struct holder_device *d = &holder->device[i];
        int64_t part = holder_part_mw(holder, i);
        if (d->lost || d->writing_mw >= 0 || device_holds(d, part) || (cutting && !device_is_above(d, part)))
            continue;
        d->writing_mw = part;
        *device = i;
        *cap_mw = part;
        return true;
    }
    return false;
}

/* Expiry is looked at again after every write. What the devices show has settled since now at the earliest,
 * also where another cap is wanted by now: a lease may want this one again, and nothing is written for it. */
static void look_again(struct holder *holder, bool held, int64_t now_ns)
{
    holder_time(holder, now_ns);
    bool holds = holder_holds(holder);
    if (holds && held)
        return;
    holder->held_since_ns = now_ns;
    if (!holds)
        return;
    holder->state = holder->state_wanted;
    holder->receipt_due_ns = now_ns + holder->config.actuation_ns;
}

void holder_kept(struct holder *holder, uint32_t device, int64_t kept_mw)
{
    holder->device[device].kept_mw = kept_mw;
}

void holder_written(struct holder *holder, uint32_t device, int64_t readback_mw, int64_t now_ns)
{
    struct holder_device *d = &holder->device[device];
    d->written_mw = d->writing_mw;
    d->writing_mw = -1;
    d->readback_mw = readback_mw;
    look_again(holder, false, now_ns);
}

void holder_seen(struct holder *holder, uint32_t device, int64_t readback_mw, int64_t now_ns)
{
    bool held = holder_holds(holder);
    holder->device[device].readback_mw = readback_mw;
    look_again(holder, held, now_ns);
}

void holder_flags(struct holder *holder, uint8_t flags, int64_t now_ns)
{
    uint8_t news = (uint8_t)(flags & ~holder->flags & (REPORT_AT_CAP | REPORT_DEVICE_LOST));
    holder->flags = flags;
    if (news)
        report_soon(holder, now_ns);
}

int64_t holder_deadline_ns(const struct holder *holder)
{
    if (holder->let_go)
        return INT64_MAX;
    if (holder->state_wanted == HOST_LEASED)
        return holder->deadline_ns;
    return holder_holds(holder) ? 0 : LONG_PAST_NS;
}

bool holder_report_due(const struct holder *holder, int64_t now_ns)
{
    if (!holder->incarnation)
        return false;
    return now_ns - holder->last_report_ns >= holder->config.report_ns || now_ns >= holder->receipt_due_ns;
}

/* Largest of the read-back limit and every write queued or in flight; unknown before the first read-back. */
static int64_t cap_at_most_mw(const struct holder *holder)
{
    int64_t part = part_mw(holder, holder->wanted_mw), sum_mw = 0;
    bool known = false;
    for (uint32_t i = 0; i < devices_of(holder); i++) {
        const struct holder_device *d = &holder->device[i];
        int64_t cap_mw = larger(standing_mw(d), d->writing_mw);
        known |= !d->lost && d->readback_mw >= 0;
        if (d->lost || d->readback_mw < 0)
            cap_mw = larger(cap_mw, part_max_mw(holder));
        sum_mw += device_holds(d, part) ? cap_mw : larger(cap_mw, part);
    }
    return known ? sum_mw : holder->config.cap_max_mw;
}

static int64_t readback_mw(const struct holder *holder)
{
    int64_t sum_mw = 0;
    for (uint32_t i = 0; i < devices_of(holder); i++)
        sum_mw += larger(holder->device[i].readback_mw, 0);
    return sum_mw;
}

/* What the devices show: one of them is gone, or stands below its part by somebody else's limit. */
static uint32_t device_flags(const struct holder *holder, bool holds)
{
    int64_t part = part_mw(holder, holder->wanted_mw);
    uint32_t flags = 0;
    for (uint32_t i = 0; i < devices_of(holder); i++) {
        const struct holder_device *d = &holder->device[i];
        if (d->lost)
            flags |= REPORT_DEVICE_LOST;
        else if (holds && d->readback_mw < part)
            flags |= REPORT_FOREIGN_LIMIT;
    }
    return flags;
}

void holder_report(struct holder *holder, int64_t draw_mw, uint16_t psu_inputs, struct report *report,
                   int64_t now_ns)
{
    holder_time(holder, now_ns);
    bool holds = holder_holds(holder);
    *report = (struct report){
        .host = holder->config.host,
        .flags = holder->flags | device_flags(holder, holds) | (holder->leaving ? REPORT_LEAVING : 0),
        .incarnation = holder->incarnation,
        .epoch = holder->epoch,
        .number = holder->next_report,
        .applied = holder->applied,
        .held_ns = holds ? now_ns - holder->held_since_ns : 0,
        .cap_mw = cap_at_most_mw(holder),
        .readback_mw = readback_mw(holder),
        .fail_safe_mw = holder->config.fail_safe_mw,
        .phys_max_mw = holder->config.phys_max_mw,
        .draw_mw = draw_mw,
        .psu_inputs = psu_inputs,
        .state = holder->state,
        .session = holder->session,
    };
    holder->sent_ns[holder->next_report % ECHOES_MAX] = now_ns;
    holder->next_report++;
    holder->last_report_ns = now_ns;
    int64_t receipt_ns = holder->held_since_ns + holder->config.actuation_ns;
    holder->receipt_due_ns = holds && now_ns < receipt_ns ? receipt_ns : INT64_MAX;
}
