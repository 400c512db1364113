/* SPDX-License-Identifier: Apache-2.0 */
#include "time/sync.h"

/* What is missing first: each hides those behind it. */
static enum sync_fault fault_of(const struct sync_rules *rules, const struct sync_seen *seen)
{
    if (!seen->answered)
        return SYNC_DEAF;
    if (!seen->has_master)
        return SYNC_ORPHAN;
    if (seen->no_estimate)
        return SYNC_NO_ESTIMATE;
    if (seen->is_foreign)
        return SYNC_STAMPS;
    if (!seen->is_traceable && !rules->any_class)
        return SYNC_CLASS;
    if (!seen->sample_ns || seen->now_ns - seen->sample_ns > rules->lost_ns)
        return SYNC_SILENT;
    return seen->half_ns > rules->within_ns ? SYNC_ROUGH : SYNC_GOOD;
}

static void enter(struct sync *sync, enum sync_state state, int64_t now_ns)
{
    if (sync->state == state)
        return;
    sync->losses += sync->state == SYNC_LOCKED;
    sync->locks += state == SYNC_LOCKED;
    sync->state = state;
    sync->since_ns = now_ns;
}

static void settle(struct sync *sync, const struct sync_rules *rules, int64_t now_ns)
{
    if (!sync->good_ns)
        sync->good_ns = now_ns;
    if (sync->state == SYNC_LOCKED)
        return;
    if (now_ns - sync->good_ns >= rules->settle_ns)
        enter(sync, SYNC_LOCKED, now_ns);
    else
        sync->fault = SYNC_SETTLING;
}

/* One sample that strays widens what is said of the time, and is no loss of it: three in a row are. */
static bool is_passing(struct sync *sync, int64_t half_ns, int64_t budget_ns)
{
    sync->rough = sync->fault == SYNC_ROUGH ? sync->rough + 1 : 0;
    return sync->state == SYNC_LOCKED && sync->rough && sync->rough < SYNC_ROUGH_LOOKS &&
           half_ns <= budget_ns;
}

void sync_look(struct sync *sync, const struct sync_rules *rules, const struct sync_seen *seen)
{
    if (!sync->since_ns)
        sync->since_ns = seen->now_ns;
    sync->fault = fault_of(rules, seen);
    /* Another grandmaster has to show itself like the first one. */
    bool passing = is_passing(sync, seen->half_ns, rules->budget_ns);
    if ((sync->fault && !passing) || seen->another)
        sync->good_ns = 0;
    if (sync->state == SYNC_LOCKED && !sync->good_ns)
        enter(sync, SYNC_HOLDOVER, seen->now_ns);
    if (!sync->fault)
        settle(sync, rules, seen->now_ns);
    if (sync->state == SYNC_HOLDOVER && seen->half_ns > rules->budget_ns)
        enter(sync, SYNC_UNSYNC, seen->now_ns);
}

const char *sync_state_name(uint32_t state)
{
    static const char *const name[] = {
#define ROW(symbol, name, meaning) name,
        SYNC_STATES(ROW)
#undef ROW
    };
    return state < SYNC_STATE_COUNT ? name[state] : "-";
}

const char *sync_fault_name(uint32_t fault)
{
    static const char *const name[] = {
#define ROW(symbol, name, meaning) name,
        SYNC_FAULTS(ROW)
#undef ROW
    };
    return fault < SYNC_FAULT_COUNT ? name[fault] : "-";
}

const char *sync_fault_meaning(uint32_t fault)
{
    static const char *const meaning[] = {
#define ROW(symbol, name, meaning) meaning,
        SYNC_FAULTS(ROW)
#undef ROW
    };
    return fault < SYNC_FAULT_COUNT ? meaning[fault] : "-";
}
