/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Take-overs of whole decisions (safety.md section 10) on random sites: one controller after the other on
 * the same hosts, each fed the accounts of the one before, with a gap between them in which nobody answers.
 * In rough weather no host may ever draw more than the newest controller counts for it. In calm weather no
 * host may notice: its first lease is the cap it had, and none falls to fail-safe.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pipeline.h"
#include "msg/frame.h"
#include "run.h"
#include "world.h"

struct relay {
    struct model *model;
    struct world *world;
    struct chance chance;
    struct core *core;
    void *memory[2];            /* of the core that runs, and of the one before */
    struct outbox outbox;
    uint64_t epoch, slots, tick;
    int64_t t_ns;
    bool calm, running;
    int64_t had_mw[BUILT_HOSTS_MAX];    /* cap at the take-over; -1 = it has had its first lease since */
    uint64_t handed, takeovers, leases;
    char complaint[200];
};

static bool complain(struct relay *relay, uint32_t host, const char *what, double a, double b)
{
    snprintf(relay->complaint, sizeof relay->complaint, "host %u at %lld ms: %s: %.1f, %.1f", host,
             (long long)(relay->t_ns / NS_PER_MS), what, a, b);
    return false;
}

static bool judge_lease(struct relay *relay, const struct egress *record)
{
    int64_t had_mw = relay->had_mw[record->host];
    relay->had_mw[record->host] = -1;
    relay->leases++;
    if (had_mw < 0 || !relay->calm)
        return true;
    if (record->kind != FRAME_LEASE || record->why != WHY_HANDED || record->cap_mw != had_mw)
        return complain(relay, record->host, "first lease is not the cap it had", (double)record->cap_mw,
                        (double)had_mw);
    return true;
}

static bool feed(struct relay *relay, struct slot *slot)
{
    slot->sequence = ++relay->slots;
    slot->t_ns = slot->t_receive_ns = relay->t_ns++;
    pipeline_step(relay->core, slot, &relay->outbox);
    for (uint32_t i = 0; i < relay->outbox.count; i++) {
        const struct egress *record = &relay->outbox.record[i];
        const struct lease lease = {.host = record->host,
                                    .incarnation = record->incarnation,
                                    .epoch = relay->epoch,
                                    .sequence = record->sequence,
                                    .echo = record->echo,
                                    .cap_mw = record->cap_mw,
                                    .duration_ns = (int64_t)record->duration_us * NS_PER_US};
        if (!judge_lease(relay, record))
            return false;
        world_send(relay->world, &lease);
    }
    if (core_counters(relay->core)->invariant_failures)
        return complain(relay, 0, "an invariant of its own", 1, 0);
    return true;
}

static bool feed_all(struct relay *relay)
{
    struct slot slot = {.kind = SLOT_REPORT};
    int64_t sent_ns;
    while (world_receive(relay->world, &slot.report, &sent_ns))
        if (relay->running && !feed(relay, &slot))
            return false;
    uint64_t tick = (uint64_t)(relay->t_ns / relay->model->policy.tick_ns);
    if (!relay->running)
        return true;
    if (tick > relay->tick && !pipeline_tick_open(relay->core)) {
        slot = (struct slot){.kind = SLOT_TICK, .tick = {.number = relay->tick = tick}};
        if (!feed(relay, &slot))
            return false;
    }
    for (int part = 0; part < 8 && pipeline_tick_open(relay->core); part++) {
        slot = (struct slot){.kind = SLOT_TICK_PART};
        if (!feed(relay, &slot))
            return false;
    }
    return true;
}

static void open_core(struct relay *relay)
{
    size_t bytes = core_bytes(relay->model);
    free(relay->memory[1]);
    relay->memory[1] = relay->memory[0];
    relay->memory[0] = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!relay->memory[0])
        abort();
    memset(relay->memory[0], 0xA5, bytes);
    relay->core = core_init(relay->memory[0], relay->model, ++relay->epoch, relay->t_ns);
    relay->running = true;
}

/* The accounts as decide leaves them in the file; now and then one too few, which counts for nothing. */
static bool take_over(struct relay *relay, const struct core *before, int64_t age_ns)
{
    bool whole = relay->calm || chance_hit(&relay->chance, 0.9);
    uint32_t count = relay->model->host_count - !whole;
    bool exact = true;
    open_core(relay);
    for (uint32_t h = 0; h < count && exact; h++) {
        struct slot slot = {.kind = SLOT_ACCOUNT};
        core_account(before, h, &slot.account);
        slot.account.age_ns = age_ns;
        relay->had_mw[h] = slot.account.bounded ? slot.account.newest_mw : -1;
        relay->handed += whole && slot.account.bounded;
        exact = feed(relay, &slot);
    }
    relay->takeovers++;
    return exact;
}

static bool is_covered(struct relay *relay)
{
    for (uint32_t h = 0; h < relay->model->host_count; h++) {
        struct core_host_view view;
        const struct world_host *host = &relay->world->host[h];
        core_host_view(relay->core, h, &view);
        if (world_worst_mw(relay->world, h) > (double)view.exposure_mw + 0.01)
            return complain(relay, h, "could draw more than it is exposed", world_worst_mw(relay->world, h),
                            (double)view.exposure_mw);
        if (relay->calm && relay->takeovers && host->holder.state_wanted != HOST_LEASED)
            return complain(relay, h, "fell to fail-safe", 0, 0);
    }
    return true;
}

static bool run(struct relay *relay, int64_t ns)
{
    for (int64_t end_ns = relay->world->t_ns + ns; relay->world->t_ns < end_ns;) {
        world_step(relay->world);
        relay->t_ns = relay->t_ns > relay->world->t_ns ? relay->t_ns : relay->world->t_ns;
        if (!feed_all(relay) || !is_covered(relay))
            return false;
    }
    return true;
}

/* In calm weather a gap that D and the time between two reports leave room for, and so long under each
 * controller that every host has accepted it: who has not is not handed on. Else any gap up to D, and any
 * time. */
static bool one(struct relay *relay, uint64_t seed, bool calm)
{
    struct weather weather = {.quick_ns = NS_PER_MS, .sag_from_ns = INT64_MAX};
    relay->chance.state = seed * 5 + calm;
    if (!calm)
        weather = (struct weather){.loss = 0.1, .twice = 0.05, .slow = 0.1, .quick_ns = 20 * NS_PER_MS,
                                   .slow_ns = chance_range(&relay->chance, 50, 2000) * NS_PER_MS,
                                   .partition = 0.1, .restart = 0.1, .mute = 0.1, .foreign = 0.1,
                                   .clock_ppm = 10000, .sag_from_ns = INT64_MAX};
    relay->calm = calm;
    relay->model = model_build(seed, 20);
    relay->t_ns = 0;
    relay->epoch = relay->slots = relay->tick = relay->takeovers = 0;
    world_init(relay->world, relay->model, seed, &weather);
    for (uint32_t h = 0; h < BUILT_HOSTS_MAX; h++)
        relay->had_mw[h] = -1;
    open_core(relay);
    bool good = run(relay, 3 * NS_PER_S);
    for (int round = 0; good && round < 3; round++) {
        struct core *before = relay->core;
        int64_t gap_ns = chance_range(&relay->chance, 0, calm ? 600 : 1000) * NS_PER_MS;
        int64_t stop_ns = relay->t_ns;
        relay->running = false;
        good = run(relay, gap_ns) && take_over(relay, before, relay->t_ns - stop_ns) &&
               run(relay, chance_range(&relay->chance, calm ? 500 : 200, 1500) * NS_PER_MS);
    }
    if (!good)
        printf("takeover_property: --seed %llu, %s: %s\n", (unsigned long long)seed, calm ? "calm" : "rough",
               relay->complaint);
    model_unbuild(relay->model);
    return good;
}

int main(int argc, char **argv)
{
    struct run run = run_begin("takeover_property", 60, 2000);
    for (int i = 1; i < argc; i++)
        if (!run_option(&run, argc, argv, &i))
            return run_usage(&run, "");
    struct relay *relay = calloc(1, sizeof *relay);
    struct egress *record = calloc(BUILT_HOSTS_MAX, sizeof *record);
    struct world *world = malloc(sizeof *world);
    if (!relay || !record || !world)
        abort();
    relay->world = world;
    relay->outbox = (struct outbox){.record = record, .capacity = BUILT_HOSTS_MAX};
    int failures = 0;
    for (uint64_t i = 0; i < run.cases; i++)
        failures += !one(relay, run.seed + i, false) + !one(relay, run.seed + i, true);
    failures += run.cases > 10 && relay->handed < run.cases;
    printf("every site twice, %llu accounts handed over, %llu leases\n", (unsigned long long)relay->handed,
           (unsigned long long)relay->leases);
    run_end(&run, (uint64_t)failures);
    free(relay->memory[0]);
    free(relay->memory[1]);
    free(world);
    free(record);
    free(relay);
    return failures ? 1 : 0;
}
