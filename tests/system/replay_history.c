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

enum { HOSTS = 40, EPOCH = 7 };

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
        if (tick(history))
            flush(history);
    }
}

static void start(struct history *history, const char *path, uint64_t seed)
{
    struct journal_start start = {.epoch = EPOCH, .t_ns = 0, .realtime_ns = NS_PER_S};
    history->model = model_build(seed, HOSTS);
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
    printf("%u hosts, %llu slots, %llu leases, %llu cuts, %llu raises, %llu emergencies, %llu resets\n",
           history.model->host_count, (unsigned long long)history.slots, (unsigned long long)count->leases,
           (unsigned long long)count->cuts, (unsigned long long)count->raises,
           (unsigned long long)count->emergencies, (unsigned long long)count->resets);
    free(history.core);
    free(history.outbox.record);
    free(history.world);
    model_unbuild(history.model);
    return 0;
}
