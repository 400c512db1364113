/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay_history FILE SEED SECONDS: a journal without a network. A random site of the property tests, its
 * hosts and their bad weather, a controller that decides; every slot and every second's digest go through
 * record/journal to FILE, as the daemon writes them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/pipeline.h"
#include "record/journal.h"
#include "world.h"

enum { HOSTS = 40, EPOCH = 7, ALERTS = 3 };

/* Of what comes as slots of its own, each beside what readings tell. */
static const struct model_alert watched[ALERTS] = {
    {.name = "distorted",
     .when = {.count = 4,
              .step = {{.op = WHEN_ABOVE, .quantity = WHEN_THD_CURRENT, .bound = 80000, .clear = 60000},
                       {.op = WHEN_ABOVE, .quantity = WHEN_POWER, .place = 1},
                       {.op = WHEN_FOR, .bound = 200 * NS_PER_MS},
                       {.op = WHEN_AND}}}},
    {.name = "swings",
     .when = {.count = 1, .step = {{.op = WHEN_ABOVE, .quantity = WHEN_SWING, .bound = 50000}}}},
    {.name = "neutral",
     .when = {.count = 3,
              .step = {{.op = WHEN_ABOVE, .quantity = WHEN_CURRENT_NEUTRAL, .bound = 50000, .clear = 40000},
                       {.op = WHEN_BELOW, .quantity = WHEN_DISPLACEMENT, .place = 1, .bound = 900000,
                        .clear = 900000},
                       {.op = WHEN_OR}}}},
};

struct history {
    struct model *model;
    struct world *world;
    struct core *core;
    struct outbox outbox;
    struct journal_writer *journal;
    struct chance chance;
    uint64_t slots, ticks, readings;
    int64_t t_ns;
};

static const struct weather weather = {
    .loss = 0.02, .twice = 0.05, .slow = 0.1, .quick_ns = 5 * NS_PER_MS, .slow_ns = 400 * NS_PER_MS,
    .partition = 0.05, .restart = 0.05, .reset = 0.03, .foreign = 0.05, .mute = 0.05, .refuse = 0.01,
    .clock_ppm = 10000, .false_alarm = 0.002, .sag_from_ns = 3 * NS_PER_S, .sag_until_ns = 5 * NS_PER_S,
};

static void die(const char *why)
{
    fprintf(stderr, "replay_history: %s\n", why);
    exit(1);
}

static void append(struct history *history, const struct slot *slot)
{
    if (!journal_append(history->journal, slot))
        die("the disk is behind");
}

/* Virtual time waits for the disk. */
static void flush(struct history *history)
{
    const struct timespec rest = {.tv_nsec = 200000};
    journal_flush(history->journal);
    nanosleep(&rest, NULL);
}

static void step(struct history *history, struct slot *slot);

static void send(struct history *history)
{
    struct slot refused = {0};
    for (uint32_t i = 0; i < history->outbox.count; i++) {
        const struct egress *record = &history->outbox.record[i];
        struct lease lease = {
            .host = record->host, .flags = record->flags, .incarnation = record->incarnation, .epoch = EPOCH,
            .sequence = record->sequence, .echo = record->echo, .cap_mw = record->cap_mw,
            .floor_mw = (int64_t)record->floor_w * 1000, .duration_ns = record->duration_us * NS_PER_US,
        };
        if (refused.kind || !chance_hit(&history->chance, weather.refuse)) {
            world_send(history->world, &lease);
            continue;
        }
        refused.kind = SLOT_REFUSED;
        refused.refused = (struct slot_refused){.host = record->host, .sequence = record->sequence};
    }
    if (refused.kind)
        step(history, &refused);
}

static void step(struct history *history, struct slot *slot)
{
    slot->sequence = ++history->slots;
    slot->t_ns = slot->t_receive_ns = history->t_ns++;
    pipeline_step(history->core, slot, &history->outbox);
    append(history, slot);
    if (history->outbox.digest_due)
        append(history, &(struct slot){.sequence = slot->sequence, .t_ns = slot->t_ns, .kind = SLOT_DIGEST,
                                       .digest = history->outbox.digest});
    send(history);
}

static void report(struct history *history)
{
    struct slot slot = {.kind = SLOT_REPORT};
    int64_t sent_ns;
    while (world_receive(history->world, &slot.report, &sent_ns))
        step(history, &slot);
}

/* What a meter shows is near the worst its hosts may draw: the thresholds and the emergency have work. */
static void read_meter(struct history *history, uint32_t meter)
{
    const struct model *model = history->model;
    const struct model_node *node = &model->node[model->meter[meter].node];
    bool sags = history->t_ns >= weather.sag_from_ns && history->t_ns < weather.sag_until_ns;
    int64_t load_pct = chance_hit(&history->chance, weather.false_alarm)
                           ? 120
                           : chance_range(&history->chance, 30, 99);
    struct slot slot = {.kind = SLOT_READING};
    slot.reading = (struct reading){.meter = meter, .sequence = ++history->readings, .crest_milli = 1414,
                                    .t_meter_ns = history->t_ns, .t_arrival_ns = history->t_ns,
                                    .frequency_mhz = 60000};
    for (uint32_t phase = 0; phase < PHASES; phase++) {
        slot.reading.voltage_mv[phase] = node->volts_ln_mv * (sags && meter % 2 ? 70 : 100) / 100;
        slot.reading.current_ma[phase] = node->steady_ma * load_pct / 100;
        slot.reading.power_mw[phase] =
            slot.reading.current_ma[phase] * slot.reading.voltage_mv[phase] / 1000;
    }
    step(history, &slot);
}

/* What is measured beside the readings, good and bad. */
static void measure(struct history *history, uint32_t meter)
{
    struct chance *chance = &history->chance;
    struct slot slot = {.kind = (uint8_t)chance_range(chance, SLOT_SPECTRUM, SLOT_QUALITY)};
    if (slot.kind == SLOT_SPECTRUM)
        slot.spectrum = (struct spectrum){.meter = meter, .phases = 3,
            .flags = chance_hit(chance, 0.1) ? SPECTRUM_CLIPPED : SPECTRUM_WINDOW,
            .thd_a_ppm = {(uint32_t)chance_range(chance, 40000, 120000)}};
    else if (slot.kind == SLOT_SWING)
        slot.swing = (struct spectrum_swing){.node = history->model->meter[meter].node, .mean_mw = 1000000,
            .held_ppm = (uint32_t)chance_range(chance, 0, 110000),
            .rms_mw = {chance_range(chance, 0, 100000)}};
    else
        slot.quality = (struct quality){.meter = meter, .phases = 3, .apparent_mva = {1000, 1000, 1000},
            .neutral_ma = chance_range(chance, 0, 60000),
            .displacement_all_ppm = (int32_t)chance_range(chance, 850000, 1000000)};
    step(history, &slot);
}

static bool tick(struct history *history)
{
    uint64_t number = (uint64_t)(history->t_ns / history->model->policy.tick_ns);
    struct slot slot = {.kind = SLOT_TICK, .tick = {.number = number}};
    if (number <= history->ticks)
        return false;
    history->ticks = number;
    step(history, &slot);
    while (pipeline_tick_open(history->core)) {
        struct slot part = {.kind = SLOT_TICK_PART};
        step(history, &part);
    }
    return true;
}

static void run(struct history *history, int64_t until_ns)
{
    while (history->world->t_ns < until_ns) {
        world_step(history->world);
        if (history->t_ns < history->world->t_ns)
            history->t_ns = history->world->t_ns;
        report(history);
        for (uint32_t meter = 0; meter < history->model->meter_count; meter++)
            if (chance_hit(&history->chance, 0.1))
                read_meter(history, meter);
        for (uint32_t meter = 0; meter < history->model->meter_count; meter++)
            if (chance_hit(&history->chance, 0.02))
                measure(history, meter);
        if (tick(history))
            flush(history);
    }
}

static void watch(struct model *model)
{
    model->alert_count = ALERTS;
    model->watch_count = ALERTS * model->meter_count;
    model->alert = malloc(sizeof watched);
    model->watch = malloc(model->watch_count * sizeof *model->watch);
    if (!model->alert || !model->watch)
        die("out of memory");
    memcpy(model->alert, watched, sizeof watched);
    for (uint32_t i = 0; i < model->watch_count; i++)
        model->watch[i] = (struct model_watch){.alert = i % ALERTS, .meter = i / ALERTS};
}

static void start(struct history *history, const char *path, uint64_t seed)
{
    struct journal_start start = {.epoch = EPOCH, .t_ns = 0, .realtime_ns = NS_PER_S};
    history->model = model_build(seed, HOSTS);
    watch(history->model);
    history->world = malloc(sizeof *history->world);
    history->chance.state = seed;
    void *memory = aligned_alloc(64, (core_bytes(history->model) + 63) / 64 * 64);
    history->outbox.capacity = history->model->host_count;
    history->outbox.record = calloc(history->outbox.capacity, sizeof *history->outbox.record);
    if (!history->world || !memory || !history->outbox.record)
        die("out of memory");
    world_init(history->world, history->model, seed, &weather);
    history->core = core_init(memory, history->model, EPOCH, 0);
    if (journal_create(&history->journal, path, history->model, &start))
        die("the journal cannot be created");
}

int main(int argc, char **argv)
{
    struct history history = {0};
    if (argc != 4)
        return fputs("usage: replay_history FILE SEED SECONDS\n", stderr), 2;
    start(&history, argv[1], strtoull(argv[2], NULL, 10));
    run(&history, strtoll(argv[3], NULL, 10) * NS_PER_S);
    if (journal_finish(history.journal))
        die("the journal is not whole");
    const struct core_counters *count = core_counters(history.core);
    if (!count->alerts_raised || !count->alerts_cleared)
        die("no alert came and went");
    printf("%u hosts, %llu slots, %llu leases, %llu cuts, %llu raises, %llu emergencies, %llu resets, %llu "
           "alerts\n",
           history.model->host_count, (unsigned long long)history.slots, (unsigned long long)count->leases,
           (unsigned long long)count->cuts, (unsigned long long)count->raises,
           (unsigned long long)count->emergencies, (unsigned long long)count->resets,
           (unsigned long long)count->alerts_raised);
    free(history.core);
    free(history.outbox.record);
    free(history.world);
    free(history.model->alert);
    free(history.model->watch);
    model_unbuild(history.model);
    return 0;
}
