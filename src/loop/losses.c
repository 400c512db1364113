/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/losses.h"

#include "loop/loop.h"

static bool has_ptp(const struct site *site)
{
    if (site && site->clock.source != SITE_CLOCK_SYSTEM)
        return true;
    for (uint32_t i = 0; site && i < site->redundancy.gear_count; i++)
        if (site->redundancy.gear[i].kind == GEAR_PTP)
            return true;
    return false;
}

void losses_start(struct losses *losses, struct loop *loop)
{
    *losses = (struct losses){.loop = loop, .has_ptp = has_ptp(loop->site)};
    losses->journal.t_ns = losses->marks.t_ns = INT64_MIN;
    for (uint32_t i = 0; i < LOSSES_RING; i++)
        losses->ring[i].t_ns = INT64_MIN;
    for (uint32_t i = 0; i < DEGRADATION_COUNT; i++)
        losses->row[i].newest = INDEX_NONE;
}

static void look_at(struct degrade_row *row, struct loss *loss, uint32_t index, uint64_t count, bool down,
                    int64_t now_ns)
{
    if (count != loss->count || down)
        loss->t_ns = now_ns;
    loss->count = count;
    bool is_in = loss->t_ns != INT64_MIN && now_ns - loss->t_ns < LOSSES_CALM_NS;
    degrade_turn(row, index, loss->is_in, is_in, now_ns);
    loss->is_in = is_in;
    if (is_in && row->newest == INDEX_NONE)
        row->newest = index;
}

static void look_at_ring(struct losses *losses, int64_t now_ns)
{
    struct loop *loop = losses->loop;
    struct degrade_row *row = &losses->row[DEGRADED_RING];
    for (uint32_t i = 0; i < loop->path.lanes; i++) {
        uint64_t shed = 0;
        for (uint32_t class = 0; class < CLASS_COUNT; class++)
            shed += count_read(&loop->path.lane[i].counters.shed[class]);
        look_at(row, &losses->ring[i], i, shed, false, now_ns);
    }
    for (uint32_t i = 0; i < loop->ports; i++) {
        struct port_statistics seen;
        port_statistics(&loop->port[i], &seen);
        look_at(row, &losses->ring[LOSSES_PORT + i], LOSSES_PORT + i, seen.lost + seen.refused,
                !link_up(&loop->links, i), now_ns);
    }
}

static void look_at_journal(struct losses *losses, int64_t now_ns)
{
    const struct loop *loop = losses->loop;
    uint64_t lost = count_read(&loop->drain.journal_errors) + count_read(&loop->drain.journal_dropped);
    for (uint32_t class = 0; class < CLASS_COUNT; class++)
        lost += count_read(&loop->path.decide->counters.tap_dropped[class]);
    look_at(&losses->row[DEGRADED_JOURNAL], &losses->journal, 0, lost, false, now_ns);
}

static void look_at_marks(struct losses *losses, int64_t now_ns)
{
    const struct marks *marks = &losses->loop->marks;
    look_at(&losses->row[DEGRADED_MARKS], &losses->marks, 0, count_read(&marks->failures),
            marks->open && marks_are_lapsed(marks, now_ns), now_ns);
}

static void look_at_clock(struct losses *losses, uint32_t index, bool is_in, int64_t now_ns)
{
    struct degrade_row *row = &losses->row[DEGRADED_CLOCK];
    degrade_turn(row, index, losses->clock[index], is_in, now_ns);
    losses->clock[index] = is_in;
    if (is_in && row->newest == INDEX_NONE)
        row->newest = index;
}

/* Who keeps the time looks no more: what it said last holds no longer, and no drift is seen. */
static bool time_hangs(const struct losses *losses, int64_t now_ns)
{
    const struct loop *loop = losses->loop;
    struct keeper_told told;
    if (!loop->clocks.open || !keeper_read(&loop->clocks.keeper, &told))
        return false;
    int64_t since_ns = told.look_ns ? told.look_ns : losses->t_first_ns;
    return now_ns - since_ns > LOSSES_HANGS_NS;
}

static void look_at_own_clock(struct losses *losses, int64_t now_ns)
{
    struct loop *loop = losses->loop;
    bool hangs = time_hangs(losses, now_ns);
    /* of source system others tell it */
    if (hangs && loop->site->clock.source != SITE_CLOCK_SYSTEM)
        timebase_tell_synchronised(&loop->base, false);
    look_at_clock(losses, LOSSES_OWN_CLOCK,
                  hangs || (losses->has_ptp && !timebase_is_synchronised(&loop->base)), now_ns);
}

static void look_at_clocks(struct losses *losses, int64_t now_ns)
{
    for (uint32_t i = 0; i < losses->loop->view.meters; i++) {
        struct view_stale stale;
        if (!view_read_stale(&losses->loop->view, i, &stale))
            continue;
        struct clocks_meter clock = {0};
        bool is_in = stale.step_t_ns && now_ns - stale.step_t_ns < LOSSES_CLOCK_NS;
        clocks_read_meter(&losses->loop->clocks, i, &clock);
        look_at_clock(losses, i, is_in || clock.is_off || clock.is_doubted, now_ns);
    }
    look_at_own_clock(losses, now_ns);
}

static void look_at_shed(struct losses *losses, int64_t now_ns)
{
    bool deaf = shed_desk_is_deaf(&losses->loop->shed, now_ns);
    degrade_turn(&losses->row[DEGRADED_SHED], 0, losses->deaf, deaf, now_ns);
    losses->deaf = deaf;
}

void losses_look(struct losses *losses, int64_t now_ns)
{
    if (now_ns < losses->t_next_ns)
        return;
    losses->t_next_ns = now_ns + LINK_LOOK_NS;
    losses->t_first_ns = losses->t_first_ns ? losses->t_first_ns : now_ns;
    look_at_ring(losses, now_ns);
    look_at_journal(losses, now_ns);
    look_at_marks(losses, now_ns);
    look_at_clocks(losses, now_ns);
    look_at_shed(losses, now_ns);
    for (uint32_t row = 0; row < DEGRADATION_COUNT; row++)
        if (view_is_of_loop(row))
            view_write_degraded(&losses->loop->view, row, &losses->row[row]);
}
