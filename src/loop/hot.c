/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/hot.h"

#include "ring/arena.h"
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

static uint32_t receive(struct path *path)
{
    uint32_t got = 0;
    for (uint32_t i = 0; i < path->lanes; i++)
        got += lane_burst(&path->lane[i]);
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
    if (roles & HOT_PACKETS && urgent && send_some(path->egress))
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
static uint32_t serve_network(struct path *path)
{
    uint32_t done = 0;
    for (uint32_t i = 0; i < path->ips; i++)
        done += ip_turn(path->ip[i].port, path->lane[path->ip[i].lane].t_poll_ns);
    return done;
}

static void serve_cold(struct path *path, uint32_t roles, bool busy)
{
    if (roles & HOT_PACKETS) {
        for (uint32_t i = 0; i < path->lanes; i++)
            latency_serve(&path->lane[i].decoded);
        latency_serve(&path->egress->sent);
        latency_serve(&path->egress->sent_emergency);
    }
    if (roles & HOT_DECIDE) {
        latency_serve(&path->decide->decided);
        view_refresh(path->decide->view, path->decide->core, busy ? VIEW_RECORDS_BUSY : VIEW_RECORDS_IDLE);
    }
}

bool hot_turn(struct path *path, uint32_t roles)
{
    uint32_t done = 0;
    int stop = stop_of(path);
    if (roles & HOT_PACKETS && stop == STOP_NO)
        done += receive(path);
    if (roles & HOT_DECIDE && stop < STOP_DECIDED)
        done += decide_turn(path, roles);
    if (roles & HOT_PACKETS)
        done += send_some(path->egress);
    if (roles & HOT_PACKETS && stop == STOP_NO)
        done += serve_network(path);
    serve_cold(path, roles, done != 0);
    return done != 0;
}

/* Runs the stop down the path once a turn found nothing more to do. True when this thread's part is over. */
static bool stop_step(struct path *path, uint32_t roles, bool done)
{
    int stop = stop_of(path);
    if (stop == STOP_ASKED && roles & HOT_PACKETS)
        advance_stop(path, STOP_RECEIVED);
    if (stop == STOP_RECEIVED && roles & HOT_DECIDE && !done) {
        view_refresh_all(path->decide->view, path->decide->core);
        advance_stop(path, STOP_DECIDED);
    }
    return stop == STOP_DECIDED && !done;
}

static int attach(struct path *path)
{
    for (uint32_t i = 0; i < path->lanes; i++) {
        int error = port_attach(path->lane[i].port, path->lane[i].queue);
        if (error)
            return error;
    }
    return 0;
}

void *hot_run(void *argument)
{
    struct hot *hot = argument;
    hot->pin_error = rt_pin(hot->core);
    hot->attach_error = hot->roles & HOT_PACKETS ? attach(hot->path) : 0;
    hot->fifo_error = rt_fifo(hot->priority);
    rt_touch_stack();
    /* release: the errors above are read by whoever sees the state */
    atomic_store_explicit(&hot->state, hot->attach_error ? HOT_FAILED : HOT_READY, memory_order_release);
    if (hot->attach_error)
        return NULL;
    arena_seal_thread();
    bool done = true;
    while (!stop_step(hot->path, hot->roles, done)) {
        done = hot_turn(hot->path, hot->roles);
        count_add(&hot->beat, 1);
    }
    atomic_store_explicit(&hot->state, HOT_ENDED, memory_order_release);
    return NULL;
}
