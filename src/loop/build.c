/* SPDX-License-Identifier: Apache-2.0 */
/* Memory and parts. Places are taken twice: once to learn how large the arena must be, once for real. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loop/ledger.h"
#include "loop/loop.h"
#include "loop/port_row.h"
#include "loop/spectra_source.h"

enum { RING_SLOTS = 1 << 14, TAP_SLOTS = 1 << 15 };

struct plan {
    struct arena *arena;        /* NULL: only measure */
    size_t bytes;
    bool full;
    struct loop_memory memory;
};

struct layout {
    void *names, *core, *ring, *lane_queue[LANES_MAX], *ordered, *returns, *normal, *emergency, *tap;
};

static void *take(struct plan *plan, size_t bytes)
{
    plan->bytes += (bytes + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1);
    if (!plan->arena)
        return NULL;
    void *memory = arena_take(plan->arena, bytes, CACHE_LINE);
    plan->full |= !memory;
    return memory;
}

/* Where a stretch of places ends: what was taken since the last one goes to its part. */
static void close_part(struct plan *plan, size_t *part)
{
    const struct loop_memory *m = &plan->memory;
    *part += plan->bytes - m->paths - m->view - m->core - m->ring - m->queues - m->tap;
}

static uint32_t power_of_two(uint32_t least)
{
    uint32_t count = 1;
    while (count < least)
        count *= 2;
    return count;
}

/* Room for what one step may send, and for as much again while egress is at work. */
static uint32_t egress_places(const struct model *model)
{
    return power_of_two(2 * (model->host_count + BURST_MAX));
}

/* Leases leave by the last port: only there are hosts looked for. */
static uint32_t neighbours_of(const struct loop *loop, uint32_t port)
{
    return port + 1 == loop->site->server.port_count ? loop->site->model.host_count : 0;
}

static void place_ips(struct loop *loop, struct plan *plan)
{
    for (uint32_t i = 0; i < loop->site->server.port_count; i++) {
        loop->ip[i] = take(plan, sizeof *loop->ip[i]);
        const struct site_port *row = &loop->site->server.port[i];
        loop->ip_memory[i] = take(plan, ip_bytes(row->mtu, neighbours_of(loop, i), row->queues));
    }
}

/* Where some meter has a protocol of its own: their table, and what each lane works in. */
static void place_meters(struct loop *loop, struct plan *plan)
{
    size_t bytes = lane_meters_bytes(loop->site);
    struct lane_work *work = bytes ? take(plan, loop->crew.lanes * sizeof *work) : NULL;
    void *memory = bytes ? take(plan, bytes) : NULL;
    if (!work || !memory || plan->full)
        return;
    lane_meters_init(&loop->meters, memory, loop->site);
    for (uint32_t i = 0; i < loop->crew.lanes; i++) {
        loop->path.lane[i].meters = &loop->meters;
        loop->path.lane[i].work = &work[i];
    }
}

static void place_hot(struct loop *loop, struct plan *plan)
{
    const struct model *model = &loop->site->model;
    struct path *path = &loop->path;
    path->lanes = loop->crew.lanes;
    path->lane = take(plan, path->lanes * sizeof *path->lane);
    path->decide = take(plan, sizeof *path->decide);
    path->egress = take(plan, sizeof *path->egress);
    bool shared = loop->crew.roaming;
    struct sender *meter_sender = shared ? take(plan, model->meter_count * sizeof *meter_sender) : NULL;
    struct sender *host_sender = shared ? take(plan, model->host_count * sizeof *host_sender) : NULL;
    struct replay_window *meter_window = take(plan, model->meter_count * sizeof *meter_window);
    struct replay_window *host_window = take(plan, model->host_count * sizeof *host_window);
    struct age *age = take(plan, model->meter_count * sizeof *age);
    _Atomic uint64_t *host_mac = take(plan, model->host_count * sizeof *host_mac);
    struct untrue *host_untrue = take(plan, model->host_count * sizeof *host_untrue);
    struct egress *record = take(plan, model->host_count * sizeof *record);
    place_ips(loop, plan);
    uint8_t (*data)[EGRESS_FRAME_BYTES] = take(plan, BURST_MAX * sizeof *data);
    place_meters(loop, plan);
    close_part(plan, &plan->memory.paths);
    if (!plan->arena || plan->full)
        return;
    for (uint32_t i = 0; i < path->lanes; i++) {
        path->lane[i].meter_sender = meter_sender;
        path->lane[i].host_sender = host_sender;
        path->lane[i].meter_window = meter_window;
        path->lane[i].host_window = host_window;
        path->lane[i].age = age;
        path->lane[i].host_mac = host_mac;
        path->lane[i].host_untrue = host_untrue;
    }
    path->egress->host_mac = host_mac;
    path->egress->data = data;
    path->decide->outbox = (struct outbox){.record = record, .capacity = model->host_count};
}

static void place_cold(struct loop *loop, struct plan *plan, struct layout *layout)
{
    const struct model *model = &loop->site->model;
    layout->names = take(plan, meter_names_bytes(model));
    close_part(plan, &plan->memory.view);
    layout->core = take(plan, core_bytes(model));
    close_part(plan, &plan->memory.core);
    layout->ring = take(plan, ring_bytes(RING_SLOTS));
    close_part(plan, &plan->memory.ring);
    for (uint32_t i = 0; i < loop->path.lanes; i++)
        layout->lane_queue[i] = take(plan, spsc_bytes(SLOT_BYTES, lane_places(model)));
    layout->ordered = take(plan, spsc_bytes(SLOT_BYTES, ORDERS_PLACES));
    layout->returns = take(plan, spsc_bytes(SLOT_BYTES, egress_places(model)));
    layout->normal = take(plan, spsc_bytes(EGRESS_BYTES, egress_places(model)));
    layout->emergency = take(plan, spsc_bytes(EGRESS_BYTES, egress_places(model)));
    close_part(plan, &plan->memory.queues);
    layout->tap = take(plan, spsc_bytes(SLOT_BYTES, TAP_SLOTS));
    close_part(plan, &plan->memory.tap);
}

static void measure(struct loop *loop, struct plan *plan)
{
    struct layout layout = {0};
    place_hot(loop, plan);
    place_cold(loop, plan, &layout);
    const struct model *model = &loop->site->model;
    size_t shared = view_share_bytes(model->node_count, model->host_count, model->meter_count);
    plan->memory.view += shared;
    plan->memory.total = plan->bytes + shared;
}

static int place(struct loop *loop, struct layout *layout)
{
    struct plan plan = {0};
    measure(loop, &plan);
    int error = arena_open(&loop->arena, plan.bytes);
    if (error)
        return error;
    plan = (struct plan){.arena = &loop->arena};
    place_hot(loop, &plan);
    place_cold(loop, &plan, layout);
    return plan.full ? -ENOMEM : 0;
}

static int init_queues(struct loop *loop, const struct layout *layout)
{
    const struct model *model = &loop->site->model;
    int error = 0;
    for (uint32_t i = 0; i < loop->path.lanes; i++)
        error |= spsc_init(&loop->lane_queue[i], layout->lane_queue[i], SLOT_BYTES, lane_places(model));
    error |= spsc_init(&loop->ordered, layout->ordered, SLOT_BYTES, ORDERS_PLACES);
    error |= spsc_init(&loop->returns, layout->returns, SLOT_BYTES, egress_places(model));
    error |= spsc_init(&loop->normal, layout->normal, EGRESS_BYTES, egress_places(model));
    error |= spsc_init(&loop->emergency, layout->emergency, EGRESS_BYTES, egress_places(model));
    error |= spsc_init(&loop->tap, layout->tap, SLOT_BYTES, TAP_SLOTS);
    error |= ring_init(&loop->path.decide->ring, layout->ring, RING_SLOTS);
    meter_names_init(&loop->names, layout->names, model);
    return error ? -EINVAL : 0;
}

static struct endpoint local_end(const struct loop *loop, uint32_t port)
{
    return port_row_end(&loop->port[port], &loop->site->server.port[port]);
}

/* With two ports, meters speak on the first and hosts on the second: a network of meters cannot report for
 * hosts. */
static uint32_t kinds_of(uint32_t port, uint32_t ports)
{
    uint32_t meters = 1U << FRAME_MEASUREMENT;
    uint32_t hosts = 1U << FRAME_REPORT | 1U << FRAME_TOKEN_REQUEST | 1U << FRAME_DETAIL;
    return ports == 1 ? meters | hosts : port == 0 ? meters : hosts;
}

/* The lane whose thread owns what a port says for itself: the one that sends leases there, or queue 0's. */
static uint32_t owning_lane(const struct crew *crew, uint32_t port)
{
    uint32_t lane = 0;
    if (crew->lane[crew->sending_lane].port == port)
        return crew->sending_lane;
    while (crew->lane[lane].port != port)
        lane++;
    return lane;
}

static void init_ips(struct loop *loop)
{
    loop->path.ips = 0;
    for (uint32_t i = 0; i < loop->ports; i++) {
        const struct site_port *row = &loop->site->server.port[i];
        uint32_t lane = owning_lane(&loop->crew, i);
        const struct ip_config config = {.own = local_end(loop, i),
                                         .prefix = row->prefix,
                                         .gateway = row->gateway,
                                         .port = &loop->port[i],
                                         .queue = loop->crew.lane[lane].queue,
                                         .asides = row->queues, .mtu = row->mtu,
                                         .neighbours = neighbours_of(loop, i),
                                         .link = &loop->links.state[i]};
        if (loop->port[i].driver->kind != PORT_FRAMES) {
            loop->ip[i] = NULL;
            continue;
        }
        ip_init(loop->ip[i], &config, loop->ip_memory[i]);
        loop->path.ip[loop->path.ips].port = loop->ip[i];
        loop->path.ip[loop->path.ips++].lane = lane;
    }
}

static void init_lanes(struct loop *loop)
{
    for (uint32_t i = 0; i < loop->path.lanes; i++) {
        struct lane *lane = &loop->path.lane[i];
        uint32_t port = loop->crew.lane[i].port;
        lane->model = &loop->site->model;
        lane->base = &loop->base;
        lane->port = &loop->port[port];
        lane->queue = loop->crew.lane[i].queue;
        lane->kinds = kinds_of(port, loop->ports);
        lane->local = local_end(loop, port);
        lane->aside = loop->ip[port] ? &loop->ip[port]->aside[lane->queue] : NULL;
        lane->host_address = loop->site->host_address;
        lane->names = &loop->names;
        lane->index = (uint8_t)i;
        lane->out = &loop->lane_queue[i];
        lane->view = &loop->view;
    }
}

static void init_egress(struct loop *loop)
{
    const struct lane *lane = &loop->path.lane[loop->crew.sending_lane];
    struct egress_stage *egress = loop->path.egress;
    egress->base = &loop->base;
    egress->host_address = loop->site->host_address;
    egress->port = lane->port;
    egress->queue = lane->queue;
    egress->local = lane->local;
    egress->ip = loop->ip[loop->crew.lane[loop->crew.sending_lane].port];
    egress->normal = &loop->normal;
    egress->emergency = &loop->emergency;
    egress->returns = &loop->returns;
    egress->epoch = loop->epoch;
    egress->lane = (uint8_t)loop->path.lanes;
    egress->model = &loop->site->model;
    egress->enforce = egress->model->mode == MODE_ENFORCE;
    egress->frame_sequence = loop->epoch;
}

static void init_decide(struct loop *loop)
{
    struct decide *decide = loop->path.decide;
    decide->base = &loop->base;
    decide->core = loop->core;
    for (decide->inputs = 0; decide->inputs < loop->path.lanes; decide->inputs++)
        decide->input[decide->inputs] = &loop->lane_queue[decide->inputs];
    decide->input[decide->inputs++] = &loop->ordered;
    decide->input[decide->inputs++] = &loop->spectra.out;
    decide->input[decide->inputs++] = &loop->returns;
    decide->board = &loop->board;
    decide->look_again = loop->crew.look_again;
    decide->normal = &loop->normal;
    decide->emergency = &loop->emergency;
    decide->tap = &loop->tap;
    decide->view = &loop->view;
    decide->meters = loop->site->model.meter_count;
    decide->age_bound_ns = loop->site->model.policy.age_bound_ns;
    decide->account = loop->account.fd >= 0 ? &loop->account : NULL;
    decide_start(decide, loop->t_start_ns, loop->site->model.policy.tick_ns);
    view_refresh_all(&loop->view, loop->core);
}

static void journal_name(char path[JOURNAL_PATH_BYTES], const char *asked, int number)
{
    if (number)
        snprintf(path, JOURNAL_PATH_BYTES, "%s.%d", asked, number);
    else
        snprintf(path, JOURNAL_PATH_BYTES, "%s", asked);
}

static int open_journal(struct loop *loop)
{
    if (!loop->options.journal[0])
        return 0;
    struct journal_start start = {
        .epoch = loop->epoch,
        .t_ns = loop->t_start_ns,
        .realtime_ns = timebase_realtime_ns(&loop->base, loop->t_start_ns)};
    /* a journal is never written over, and a daemon that is started again must start: PATH, PATH.1, ... */
    int error = -EEXIST;
    for (int number = 0; error == -EEXIST && number < JOURNAL_NUMBERS; number++) {
        journal_name(loop->journal_path, loop->options.journal, number);
        error = journal_create(&loop->journal, loop->journal_path, &loop->site->model, &start);
    }
    if (error)
        snprintf(loop->error, sizeof loop->error, "journal %s: %s", loop->options.journal, strerror(-error));
    return error;
}

int loop_measure(const struct site *site, struct loop_memory *memory)
{
    struct loop *loop = calloc(1, sizeof *loop);
    struct plan plan = {0};
    if (!loop)
        return -ENOMEM;
    loop->site = site;
    int error = crew_make(&loop->crew, &site->server);
    if (!error)
        measure(loop, &plan);
    *memory = plan.memory;
    if (!error)
        error = spectra_source_measure(site, memory);
    free(loop);
    return error;
}

int loop_build(struct loop *loop, const struct site *site, const struct loop_options *options)
{
    *loop = (struct loop){.site = site, .options = *options, .door.listener = -1, .share.fd = -1,
                          .orders.log.fd = -1, .account.fd = -1, .marks.memory.fd = -1,
                          .clocks.keeper = {.client.fd = -1, .phc.fd = -1}};
    int error = timebase_init(&loop->base);
    if (error && error != -ENOTSUP)
        return error;
    error = crew_make(&loop->crew, &site->server);
    if (error) {
        snprintf(loop->error, sizeof loop->error, "ports: 1 to %d queues over all are possible", LANES_MAX);
        return error;
    }
    struct layout layout = {0};
    error = view_share_open(&loop->share, &loop->view, site->model.node_count, site->model.host_count,
                            site->model.meter_count);
    loop->view.alerts = site->model.alert_count;
    error = error ? error : place(loop, &layout);
    if (!error)
        error = init_queues(loop, &layout);
    if (error) {
        snprintf(loop->error, sizeof loop->error, "memory for the loop: %s", strerror(-error));
        return error;
    }
    loop->core_memory = layout.core;
    return loop_open_ports(loop, false);
}

int loop_begin(struct loop *loop)
{
    loop->t_start_ns = timebase_now_ns(&loop->base);
    uint64_t clock = (uint64_t)timebase_realtime_ns(&loop->base, loop->t_start_ns);
    loop->epoch = clock > loop->epoch_before ? clock : loop->epoch_before + 1;
    int error = loop_ledger_read(loop);
    if (error)
        return error;
    loop->core = core_init(loop->core_memory, &loop->site->model, loop->epoch, loop->t_start_ns);
    link_watch_start(&loop->links, loop->port, loop->ports);
    link_watch_look(&loop->links, INT64_MAX);
    losses_start(&loop->losses, loop);
    loop->links.losses = &loop->losses;
    loop->path.stale = loop->options.take_over;
    init_ips(loop);
    init_lanes(loop);
    init_egress(loop);
    keys_arm(&loop->keys, loop->site, &loop->path);
    init_decide(loop);
    arena_seal(&loop->arena);
    return open_journal(loop);
}

void loop_close(struct loop *loop)
{
    while (loop->ports > 0)
        port_close(&loop->port[--loop->ports]);
    loop_ledger_close(loop);
    clocks_close(&loop->clocks);
    shed_desk_close(&loop->shed);
    spectra_desk_close(&loop->spectra);
    arena_close(&loop->arena);
    view_share_close(&loop->share);
}
