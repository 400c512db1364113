/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a reading, a report, a part of a tick and an emergency cost on this core: the daemon's own lane,
 * decide and egress with the site's own model, frame by frame, on ports in memory. What the network card and
 * the kernel take is not in it; about four reads of the clock are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/tune/tune.h"
#include "cli/tune/tune_far.h"

enum { WARM_ROUNDS = 8, RING_LEAST = 256, MTU = 1500 };
enum { CALM_PPM_OF_LIMIT = 20000, HIGH_PPM_OF_LIMIT = 1300000 };
/* 198.18.0.1, of the network for benchmarks (RFC 2544): the kernel may own the port's real address. */
#define OWN_IPV4 UINT32_C(0xC6120001)
#define READINGS_SHARE 0.6              /* of the time; the rest is for emergencies */

struct rig {
    struct site site;           /* the real one on ports in memory, enforcing */
    struct loop loop;
    struct tune_far far;
    struct histogram reading, report, tick_part, emergency;
    struct tune *tune;
};

static int64_t now_ns(const struct rig *rig)
{
    return timebase_now_ns(&rig->loop.base);
}

/* Lanes poll all the time: nothing that is found behind this waited as long. */
static void skip(struct rig *rig, int64_t ns)
{
    rig->loop.base.shift_ns += ns;
    for (uint32_t i = 0; i < 2 * rig->loop.path.lanes; i++)
        lane_burst(&rig->loop.path.lane[i / 2]);
}

static uint32_t ring_for(const struct model *model)
{
    uint32_t most = 2 * model->host_count > RING_LEAST ? 2 * model->host_count : RING_LEAST;
    return most < 1U << 20 ? most : 1U << 20;
}

static void copy_site(struct rig *rig, const struct site *site)
{
    static const char *const link[PORTS_MAX] = {"tune-meters", "tune-hosts"};
    rig->site = *site;
    rig->site.model.mode = MODE_ENFORCE;        /* in shadow nothing would be sent, and nothing measured */
    rig->site.server.lane_cores = 1;            /* one thread runs all of it */
    rig->site.server.lane_core[0] = site->server.decide_core;
    for (uint32_t i = 0; i < site->server.port_count; i++) {
        struct site_port *port = &rig->site.server.port[i];
        const struct site_address own = {.ipv4 = OWN_IPV4 + i, .port = port->own.port};
        *port = (struct site_port){
            .own = own, .queues = 1, .mtu = MTU, .ring_frames = ring_for(&site->model)};
        snprintf(port->driver, sizeof port->driver, "synthetic");
        snprintf(port->interface, sizeof port->interface, "%s", link[i]);
    }
}

static int open_rig(struct rig *rig)
{
    const struct loop_options options = {.journal = "", .door = ""};
    int error = loop_build(&rig->loop, &rig->site, &options);
    if (!error)
        error = loop_begin(&rig->loop);
    for (uint32_t i = 0; !error && i < rig->loop.path.lanes; i++)
        error = port_attach(rig->loop.path.lane[i].port, rig->loop.path.lane[i].queue);
    return error ? error : tune_far_open(&rig->far, &rig->site, &rig->loop);
}

/* ---- one frame all the way ---- */

struct cost {
    int64_t input_ns;           /* the lane's share, and its slot decided, sent and recorded */
    int64_t urgent_ns;          /* from before the lane to when the last emergency lease had left */
};

static void send_all(struct egress_stage *egress)
{
    while (egress_burst(egress))
        ;
}

/* The slot in hand: leases out, then the tap, whose reader this is too. */
static void finish(struct rig *rig)
{
    struct path *path = &rig->loop.path;
    send_all(path->egress);
    decide_tap(path->decide, path->egress->sent_ns);
}

static void empty_tap(struct rig *rig)
{
    while (spsc_peek(&rig->loop.tap))
        spsc_release(&rig->loop.tap);
}

static void note_tick(struct rig *rig, int64_t took_ns)
{
    histogram_record(&rig->tick_part, (uint64_t)took_ns);
}

static struct cost turn(struct rig *rig, struct lane *lane)
{
    struct path *path = &rig->loop.path;
    struct cost cost = {0};
    int64_t start_ns = now_ns(rig);
    lane_burst(lane);
    int64_t lane_ns = now_ns(rig) - start_ns;
    for (;;) {
        int64_t from_ns = now_ns(rig);
        if (!decide_next(path->decide))
            break;
        uint8_t kind = path->decide->slot->kind;
        uint64_t urgent = count_read(&path->egress->counters.emergencies);
        send_all(path->egress);
        int64_t sent_ns = now_ns(rig);
        decide_tap(path->decide, path->egress->sent_ns);
        int64_t took_ns = now_ns(rig) - from_ns;
        if (kind == SLOT_TICK)
            note_tick(rig, took_ns);
        else if (kind == SLOT_READING || kind == SLOT_REPORT)
            cost.input_ns = lane_ns + took_ns;
        if (count_read(&path->egress->counters.emergencies) != urgent)
            cost.urgent_ns = lane_ns + sent_ns - from_ns;
    }
    for (int64_t from_ns = now_ns(rig); decide_part(path->decide);) {
        finish(rig);
        int64_t to_ns = now_ns(rig);
        note_tick(rig, to_ns - from_ns);
        from_ns = to_ns;
    }
    empty_tap(rig);
    return cost;
}

static struct lane *lane_of(struct rig *rig, uint32_t port)
{
    uint32_t lane = 0;
    while (lane + 1 < rig->loop.path.lanes && rig->loop.crew.lane[lane].port != port)
        lane++;
    return &rig->loop.path.lane[lane];
}

static struct cost read_once(struct rig *rig, uint32_t meter, int64_t load_ppm)
{
    if (!tune_far_reading(&rig->far, meter, load_ppm))
        return (struct cost){0};
    return turn(rig, lane_of(rig, 0));
}

static struct cost report_once(struct rig *rig, uint32_t host)
{
    if (!tune_far_report(&rig->far, host))
        return (struct cost){0};
    struct cost cost = turn(rig, lane_of(rig, rig->far.ports - 1));
    tune_far_obey(&rig->far);
    return cost;
}

/* ---- rounds ---- */

static void record(struct histogram *histogram, int64_t ns)
{
    if (ns > 0)
        histogram_record(histogram, (uint64_t)ns);
}

static bool out_of_time(const struct rig *rig, int64_t end_ns)
{
    return now_ns(rig) - rig->loop.base.shift_ns > end_ns;
}

/* Every host reports, every meter reads, once. */
static void round_of_all(struct rig *rig, int64_t end_ns)
{
    const struct model *model = &rig->site.model;
    uint32_t most = model->host_count > model->meter_count ? model->host_count : model->meter_count;
    for (uint32_t i = 0; i < most && !out_of_time(rig, end_ns); i++) {
        if (i < model->host_count)
            record(&rig->report, report_once(rig, i).input_ns);
        if (i < model->meter_count)
            record(&rig->reading, read_once(rig, i, CALM_PPM_OF_LIMIT).input_ns);
    }
    skip(rig, model->policy.tick_ns);
}

static void forget(struct rig *rig)
{
    rig->reading = rig->report = rig->tick_part = rig->emergency = (struct histogram){0};
}

static bool can_trip(const struct model *model, uint32_t meter)
{
    const struct model_node *node = &model->node[model->meter[meter].node];
    return node->limited && node->host_below > 0;
}

/* Measured far above its limit, then low for longer than an emergency lasts; hosts report, so that there is
 * something to cut the next time. */
static void emergency_once(struct rig *rig, uint32_t meter, int64_t end_ns)
{
    const struct model *model = &rig->site.model;
    const struct model_node *node = &model->node[model->meter[meter].node];
    record(&rig->emergency, read_once(rig, meter, HIGH_PPM_OF_LIMIT).urgent_ns);
    tune_far_obey(&rig->far);
    for (int i = 0; i < 3; i++) {
        read_once(rig, meter, CALM_PPM_OF_LIMIT);
        skip(rig, model->policy.emergency_clear_ns / 2 + model->policy.tick_ns);
    }
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < node->host_below && !out_of_time(rig, end_ns); i++)
            report_once(rig, node->host_below_first + i);
        skip(rig, model->policy.raise_after_emergency_ns + model->policy.tick_ns);
    }
}

static void emergencies(struct rig *rig, int64_t end_ns)
{
    const struct model *model = &rig->site.model;
    bool any = true;
    while (any && !out_of_time(rig, end_ns)) {
        any = false;
        for (uint32_t m = 0; m < model->meter_count && !out_of_time(rig, end_ns); m++) {
            if (!can_trip(model, m))
                continue;
            any = true;
            emergency_once(rig, m, end_ns);
        }
    }
}

static int measure(void *argument)
{
    struct rig *rig = argument;
    double span_ns = rig->tune->options.seconds * 1e9;
    int64_t start_ns = now_ns(rig);
    int64_t warm_end_ns = start_ns + (int64_t)(2 * span_ns) + NS_PER_S;
    for (int i = 0; i < WARM_ROUNDS; i++)
        round_of_all(rig, warm_end_ns);
    forget(rig);
    start_ns = now_ns(rig) - rig->loop.base.shift_ns;
    int64_t rounds_end_ns = start_ns + (int64_t)(READINGS_SHARE * span_ns);
    while (!out_of_time(rig, rounds_end_ns))
        round_of_all(rig, rounds_end_ns);
    emergencies(rig, start_ns + (int64_t)span_ns);
    return 0;
}

static struct measured_spread spread_of(const struct histogram *h)
{
    return (struct measured_spread){
        .n = (int64_t)h->count,
        .p50_ns = (int64_t)histogram_quantile(h, 0.5),
        .p99_ns = (int64_t)histogram_quantile(h, 0.99),
        .p999_ns = (int64_t)histogram_quantile(h, 0.999),
        .max_ns = (int64_t)h->max_ns,
    };
}

static void keep(struct rig *rig)
{
    struct tune *tune = rig->tune;
    tune->found.reading = spread_of(&rig->reading);
    tune->found.report = spread_of(&rig->report);
    tune->found.tick_part = spread_of(&rig->tick_part);
    tune->found.emergency = spread_of(&rig->emergency);
    if (!rig->reading.count)
        tune_note(tune, "cost of a reading: not measured, %s",
                  rig->site.model.meter_count ? "none was taken" : "the site has no meter");
    if (!rig->report.count)
        tune_note(tune, "cost of a report: not measured, the site has no host");
    if (!rig->emergency.count)
        tune_note(tune, "cost of an emergency: not measured, no metered node with a limit and hosts below "
                  "was cut");
    uint64_t failures = core_counters(rig->loop.core)->invariant_failures;
    if (failures)
        tune_note(tune, "%llu invariant failures while stage costs were measured: a defect, report it",
                  (unsigned long long)failures);
}

int tune_stages(struct tune *tune)
{
    const struct site_server *server = &tune->site.server;
    struct rig *rig = aligned_alloc(64, (sizeof *rig + 63) / 64 * 64);
    if (!rig)
        return -ENOMEM;
    memset(rig, 0, sizeof *rig);
    rig->tune = tune;
    copy_site(rig, &tune->site);
    int error = open_rig(rig);
    if (!error)
        error = tune_on_core(tune, server->decide_core, true, measure, rig);
    if (!error)
        keep(rig);
    if (error && rig->loop.error[0])
        fprintf(stderr, "flyball tune: %s\n", rig->loop.error);
    tune_far_close(&rig->far);
    loop_close(&rig->loop);
    free(rig);
    return error;
}
