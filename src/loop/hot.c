/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/hot.h"

#include <errno.h>

#include "ring/arena.h"
#include "rt/deadline.h"
#include "rt/thread.h"

enum { VIEW_RECORDS_IDLE = 4, VIEW_RECORDS_BUSY = 1, SEND_BURSTS = 8 };

static int stop_of(const struct path *path)
{
    /* acquire: pairs with the release in advance_stop; the queues' last records are then visible */
    return atomic_load_explicit(&path->stop, memory_order_acquire);
}

static void advance_stop(struct path *path, int to)
{
    atomic_store_explicit(&path->stop, to, memory_order_release);
}

static bool has_lane(const struct hot *hot, uint32_t lane)
{
    return hot->lanes >> lane & 1;
}

static uint32_t receive(struct hot *hot)
{
    uint32_t got = 0;
    for (uint32_t i = 0; i < hot->path->lanes; i++)
        if (has_lane(hot, i))
            got += lane_burst(&hot->path->lane[i]);
    return got;
}

/* At most SEND_BURSTS, so that even ten thousand leases do not keep the lanes from being polled. */
static uint32_t send_some(struct egress_stage *egress)
{
    uint32_t sent = 0;
    for (int i = 0; i < SEND_BURSTS; i++) {
        uint32_t burst = egress_burst(egress);
        sent += burst;
        if (burst == 0)
            break;
    }
    return sent;
}

/* Ends the slot in hand. A thread that also sends does so first, so that leases leave before anything is
 * recorded; but while more inputs wait and nothing is urgent, the leases of several slots leave in one
 * burst. */
static void finish_slot(struct path *path, uint32_t roles)
{
    int64_t sent_ns = 0;
    bool urgent = spsc_depth(path->egress->emergency) > 0 || !decide_waiting(path->decide);
    if (roles & HOT_SEND && urgent && send_some(path->egress))
        sent_ns = path->egress->sent_ns;
    decide_tap(path->decide, sent_ns);
}

static uint32_t decide_turn(struct path *path, uint32_t roles)
{
    uint32_t slots = 0;
    while (slots < TURN_SLOTS && decide_next(path->decide)) {
        finish_slot(path, roles);
        slots++;
    }
    if (decide_part(path->decide)) {
        finish_slot(path, roles);
        slots++;
    }
    return slots;
}

/* ARP and echo, behind everything that a decision waits for. */
static uint32_t serve_network(const struct hot *hot)
{
    const struct path *path = hot->path;
    uint32_t done = 0;
    for (uint32_t i = 0; i < path->ips; i++)
        if (has_lane(hot, path->ip[i].lane))
            done += ip_turn(path->ip[i].port, path->lane[path->ip[i].lane].t_poll_ns);
    return done;
}

static void serve_lane(struct lane *lane)
{
    latency_serve(&lane->decoded);
    latency_serve(&lane->age_seen);
}

static void serve_cold(struct hot *hot, bool busy)
{
    struct path *path = hot->path;
    for (uint32_t i = 0; i < path->lanes; i++)
        if (has_lane(hot, i))
            serve_lane(&path->lane[i]);
    if (hot->roles & HOT_SEND) {
        latency_serve(&path->egress->sent);
        latency_serve(&path->egress->sent_emergency);
    }
    if (hot->roles & HOT_DECIDE) {
        latency_serve(&path->decide->decided);
        for (int i = 0; i < BUDGET_CLASSES; i++)
            latency_serve(&path->decide->spent[i]);
        view_refresh(path->decide->view, path->decide->core, busy ? VIEW_RECORDS_BUSY : VIEW_RECORDS_IDLE);
    }
}

bool hot_turn(struct hot *hot, int stop)
{
    uint32_t done = 0;
    if (hot->roles & HOT_RECEIVE && stop == STOP_NO)
        done += receive(hot);
    if (hot->roles & HOT_DECIDE && stop < STOP_DECIDED)
        done += decide_turn(hot->path, hot->roles);
    if (hot->roles & HOT_SEND)
        done += send_some(hot->path->egress);
    if (hot->roles & HOT_RECEIVE && stop == STOP_NO)
        done += serve_network(hot);
    serve_cold(hot, done != 0);
    return done != 0;
}

/* Runs the stop down the path. `stop` is what the turn began with, so a turn that did nothing after the
 * step above it was over has found everything that was to come. True when this thread's part is over. */
static bool stop_step(struct hot *hot, int stop, bool done)
{
    struct path *path = hot->path;
    if (stop == STOP_ASKED && hot->roles & HOT_RECEIVE && !hot->received) {
        hot->received = true;
        /* release: what this thread's lanes hold is visible to whoever sees it gone */
        atomic_fetch_sub_explicit(&path->receiving, 1, memory_order_release);
    }
    /* acquire: pairs with the release of each thread above */
    if (stop == STOP_ASKED && hot->roles & HOT_DECIDE &&
        !atomic_load_explicit(&path->receiving, memory_order_acquire))
        advance_stop(path, STOP_RECEIVED);
    /* a turn may also have done nothing because egress, on another thread, had no room yet */
    if (stop == STOP_RECEIVED && hot->roles & HOT_DECIDE && !done && !decide_waiting(path->decide)) {
        view_refresh_all(path->decide->view, path->decide->core);
        advance_stop(path, STOP_DECIDED);
    }
    return stop == STOP_DECIDED && !done;
}

static int attach(struct hot *hot)
{
    const struct path *path = hot->path;
    for (uint32_t i = 0; i < path->lanes; i++) {
        int error = has_lane(hot, i) ? port_attach(path->lane[i].port, path->lane[i].queue) : 0;
        if (!error)
            continue;
        hot->attach_lane = i;
        return error;
    }
    return 0;
}

static void empty(struct lane *lane)
{
    struct port_frame frame[BURST_MAX];
    do
        lane->t_poll_ns = lane->t_empty_ns = timebase_now_ns(lane->base);
    while (port_receive(lane->port, lane->queue, frame, BURST_MAX) == BURST_MAX);
}

static void throw_away(struct hot *hot)
{
    for (uint32_t i = 0; i < hot->path->lanes; i++)
        if (has_lane(hot, i))
            empty(&hot->path->lane[i]);
}

/* A thread that could not start will not receive: a stop does not wait for it. */
static void *fail(struct hot *hot)
{
    if (hot->roles & HOT_RECEIVE)
        atomic_fetch_sub_explicit(&hot->path->receiving, 1, memory_order_release);
    /* release: the errors are read by whoever sees the state */
    atomic_store_explicit(&hot->state, HOT_FAILED, memory_order_release);
    return NULL;
}

/* From here on: what a start takes is no gap. */
static void watch_gaps(struct hot *hot)
{
    const struct path *path = hot->path;
    hot->gap.last_ns = timebase_now_ns(path->decide->base);
    for (uint32_t i = 0; i < path->lanes; i++)
        if (has_lane(hot, i))
            path->lane[i].gap = &hot->gap;
    if (hot->roles & HOT_DECIDE)
        path->decide->gap = &hot->gap;
    if (hot->roles & HOT_SEND)
        path->egress->gap = &hot->gap;
}

/* A thread that decides and sends does so in this order, before it ends the slot. */
static void show_hand(const struct hot *hot)
{
    if (hot->roles & HOT_DECIDE && hot->roles & HOT_SEND)
        hot->path->egress->hand = &hot->path->decide->slot;
}

/* Behind what attaching starts: a thread with a deadline hands it to nobody. */
static void schedule(struct hot *hot)
{
    const struct rt_deadline deadline = {hot->runtime_ns, hot->period_ns};
    if (!deadline.period_ns) {
        hot->scheduler_error = rt_fifo(hot->priority);
        return;
    }
    int result = rt_deadline_on(hot->core, &deadline);
    hot->scheduler_error = result < 0 ? result : 0;
    if (result > 0 && !hot->pin_error)
        hot->pin_error = -EBUSY;
}

void *hot_run(void *argument)
{
    struct hot *hot = argument;
    hot->pin_error = rt_pin(hot->core);
    hot->attach_error = attach(hot);
    schedule(hot);
    rt_touch_stack();
    if (hot->attach_error)
        return fail(hot);
    if (hot->path->stale)
        throw_away(hot);
    watch_gaps(hot);
    show_hand(hot);
    /* release: as above */
    atomic_store_explicit(&hot->state, HOT_READY, memory_order_release);
    arena_seal_thread();
    bool done;
    int stop;
    do {
        stop = stop_of(hot->path);
        done = hot_turn(hot, stop);
        count_add(&hot->beat, 1);
    } while (!stop_step(hot, stop, done));
    atomic_store_explicit(&hot->state, HOT_ENDED, memory_order_release);
    return NULL;
}
