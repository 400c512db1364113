/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/shed/shed_entry.h"

#include <stdio.h>
#include <string.h>

#define UNSEEN "nobody saw its end"

static void turn(struct shed_entry *entry, enum shed_state state, const struct shed_now *now)
{
    entry->state = (uint8_t)state;
    entry->at_ns = now->ns;
    entry->wall_s = now->wall_s;
    entry->keeper = 0;
    entry->keeper_start = 0;
}

static enum shed_act begin(struct shed_entry *entry, int64_t since_ns, const struct shed_now *now)
{
    bool again = entry->since_ns == since_ns;
    entry->tries = again ? entry->tries + 1 : 1;
    entry->sheds += !again;
    entry->since_ns = since_ns;
    turn(entry, SHED_RUNNING, now);
    return SHED_ACT_RUN;
}

void shed_ended(const struct site_shed *action, struct shed_entry *entry, bool well, const char *end,
                const struct shed_now *now)
{
    snprintf(entry->end, sizeof entry->end, "%s", end);
    if (entry->state == SHED_RUNNING)
        turn(entry, well ? SHED_DONE : entry->tries < action->tries ? SHED_AGAIN : SHED_FAILED, now);
    else if (entry->state == SHED_RESTORING)
        turn(entry, well ? SHED_RESTORED : SHED_NOT_RESTORED, now);
}

enum shed_act shed_restore(const struct site_shed *action, struct shed_entry *entry,
                           const struct shed_now *now)
{
    bool runs = action && action->restore.count;
    entry->sheds = 0;
    turn(entry, runs ? SHED_RESTORING : SHED_RESTORED, now);
    return runs ? SHED_ACT_RESTORE : SHED_ACT_NOTE;
}

static bool is_run(const struct shed_entry *entry)
{
    return entry->state == SHED_RUNNING || entry->state == SHED_RESTORING;
}

/* Nobody is there any more who could tell how it ended. */
static bool is_lost(const struct shed_entry *entry, const struct shed_seen *seen, const struct shed_now *now)
{
    return is_run(entry) && !seen->keeper_lives &&
           (entry->keeper || now->ns - entry->at_ns >= SHED_KEEPER_NS);
}

static enum shed_act retry(const struct site_shed *action, struct shed_entry *entry,
                           const struct shed_seen *seen, const struct shed_now *now)
{
    uint32_t doublings = entry->tries ? entry->tries - 1 : 0;
    doublings = doublings < SHED_PAUSE_DOUBLINGS_MAX ? doublings : SHED_PAUSE_DOUBLINGS_MAX;
    if (!seen->due) {
        turn(entry, SHED_OVER, now);
        return SHED_ACT_NOTE;
    }
    if (now->ns - entry->at_ns < action->again_ns << doublings)
        return SHED_ACT_NOTHING;
    return begin(entry, entry->since_ns, now);
}

/* Of a daemon that has just begun nothing is to be seen, until it has taken over what the one before knew. */
static bool goes_on(const struct site_shed *action, const struct shed_entry *entry,
                    const struct shed_seen *seen)
{
    return entry->state == SHED_OVER && seen->due && entry->tries < action->tries;
}

static enum shed_act put_back(const struct site_shed *action, struct shed_entry *entry, int64_t calm_since_ns,
                              const struct shed_now *now)
{
    uint32_t doublings = entry->sheds ? entry->sheds - 1 : 0;
    doublings = doublings < SHED_DOUBLINGS_MAX ? doublings : SHED_DOUBLINGS_MAX;
    if (!action->restore_after_ns || calm_since_ns == INT64_MAX ||
        now->ns - calm_since_ns < action->restore_after_ns << doublings)
        return SHED_ACT_NOTHING;
    turn(entry, SHED_RESTORING, now);
    return SHED_ACT_RESTORE;
}

enum shed_act shed_decide(const struct site_shed *action, struct shed_entry *entry, int64_t *calm_since_ns,
                          const struct shed_seen *seen, const struct shed_now *now)
{
    enum shed_act act = SHED_ACT_NOTHING;
    *calm_since_ns = !seen->over ? INT64_MAX : *calm_since_ns == INT64_MAX ? now->ns : *calm_since_ns;
    if (is_lost(entry, seen, now)) {
        shed_ended(action, entry, false, UNSEEN, now);
        act = SHED_ACT_NOTE;
    }
    bool anew = seen->due && entry->since_ns != seen->since_ns;
    if (entry->state == SHED_RESTORING && anew && seen->keeper_lives && seen->due_for_ns < SHED_ENDED_NS)
        return SHED_ACT_END;
    if (is_run(entry) && !(entry->state == SHED_RESTORING && anew))     /* one command at a time */
        return act;
    if (anew)
        return begin(entry, seen->since_ns, now);
    if (act == SHED_ACT_NOTE)
        return act;
    if (entry->state == SHED_AGAIN || goes_on(action, entry, seen))
        return retry(action, entry, seen, now);
    return entry->state == SHED_DONE ? put_back(action, entry, *calm_since_ns, now) : SHED_ACT_NOTHING;
}

void shed_forget_boot(struct shed_entry *entry)
{
    if (is_run(entry))
        snprintf(entry->end, sizeof entry->end, "%s", UNSEEN);
    if (entry->state == SHED_RUNNING || entry->state == SHED_AGAIN)
        entry->state = SHED_FAILED;
    if (entry->state == SHED_RESTORING)
        entry->state = SHED_NOT_RESTORED;
    entry->since_ns = entry->at_ns = 0;
    entry->keeper = 0;
    entry->keeper_start = 0;
}

bool shed_same(const struct shed_entry *a, const struct shed_entry *b)
{
    return a->state == b->state && a->since_ns == b->since_ns && a->tries == b->tries &&
           a->at_ns == b->at_ns && a->wall_s == b->wall_s && a->keeper == b->keeper &&
           a->sheds == b->sheds && !strcmp(a->end, b->end);
}
