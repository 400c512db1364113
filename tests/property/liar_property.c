/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts that report anything at all: any sequence applied, any epoch, caps around the edges, times held just
 * below and above A, resets at will. Whatever they say, the ledger may not count less than the text allows on
 * that evidence, and no lease may break I1a or I1b. Ticks and meters go on meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "shadow.h"
#include "world.h"

struct liars {
    struct model *model;
    struct chance chance;
    struct shadow shadow;
    struct core *core;
    struct outbox outbox;
    struct egress record[BUILT_HOSTS_MAX];
    uint64_t incarnation[BUILT_HOSTS_MAX], number[BUILT_HOSTS_MAX];
    uint64_t slots;
    int64_t t_ns;
};

static int64_t near(struct chance *chance, int64_t value, int64_t least)
{
    int64_t moved = value + chance_range(chance, -1, 1);
    return moved < least ? least : moved;
}

/* A cap that could matter: one that was leased, a fail-safe cap, or a random one; on, above or below it. */
static int64_t some_cap(struct liars *liars, uint32_t h)
{
    const struct shadow_host *host = &liars->shadow.host[h];
    const struct model_host_type *type = &liars->model->type[liars->model->host[h].type];
    switch (chance_range(&liars->chance, 0, 3)) {
    case 0:
        return near(&liars->chance, host->fail_safe_mw, 0);
    case 1:
        return near(&liars->chance, host->newest_cap_mw, 0);
    case 2:
        if (host->lease_count)
            return near(&liars->chance, host->lease[host->lease_count / 2].cap_mw, 0);
        return 0;
    default:
        return chance_range(&liars->chance, 0, type->cap_max_mw);
    }
}

static struct report lie(struct liars *liars, uint32_t h)
{
    struct chance *chance = &liars->chance;
    const struct shadow_host *host = &liars->shadow.host[h];
    const struct model_host_type *type = &liars->model->type[liars->model->host[h].type];
    struct report report = {.host = h, .epoch = 1, .phys_max_mw = type->phys_max_mw};
    if (!liars->number[h] || chance_hit(chance, 0.02)) {
        liars->incarnation[h] = chance_next(chance) << 16 | (world_birth(liars->incarnation[h]) + 1);
        liars->number[h] = 0;
    }
    report.incarnation = liars->incarnation[h];
    report.number = chance_hit(chance, 0.9) ? ++liars->number[h] : liars->number[h] + (liars->number[h] == 0);
    report.epoch = chance_hit(chance, 0.9) ? 1 : (uint64_t)chance_range(chance, 0, 2);
    report.state = chance_hit(chance, 0.8) ? HOST_LEASED : HOST_FAIL_SAFE;
    report.applied = host->last_sequence - (uint64_t)chance_range(chance, 0, 3) % (host->last_sequence + 1);
    report.held_ns = near(chance, type->actuation_ns, 0);
    report.cap_mw = some_cap(liars, h);
    report.readback_mw = chance_hit(chance, 0.8) ? report.cap_mw : chance_range(chance, 0, report.cap_mw);
    report.fail_safe_mw = liars->model->host[h].fail_safe_mw;
    if (chance_hit(chance, 0.01))
        report.fail_safe_mw = near(chance, report.fail_safe_mw, 0);
    if (chance_hit(chance, 0.01))
        report.phys_max_mw = chance_range(chance, type->phys_max_mw / 2, 2 * type->phys_max_mw);
    report.draw_mw = chance_range(chance, 0, type->phys_max_mw);
    report.flags = chance_hit(chance, 0.5) ? REPORT_AT_CAP : 0;
    report.flags |= chance_hit(chance, 0.02) ? REPORT_DEVICE_LOST : 0;
    return report;
}

static bool step(struct liars *liars, struct slot *slot)
{
    slot->sequence = ++liars->slots;
    slot->t_ns = slot->t_receive_ns = liars->t_ns;
    liars->shadow.t_ns = slot->t_ns;
    if (slot->kind == SLOT_REPORT)
        shadow_report(&liars->shadow, &slot->report);
    if (slot->kind == SLOT_READING)
        shadow_reading(&liars->shadow, &slot->reading);
    pipeline_step(liars->core, slot, &liars->outbox);
    if (core_counters(liars->core)->invariant_failures)
        snprintf(liars->shadow.complaint, sizeof liars->shadow.complaint, "a failed invariant of its own");
    return shadow_leases(&liars->shadow, &liars->outbox, liars->core) &&
           shadow_exposures(&liars->shadow, liars->core) && !liars->shadow.complaint[0];
}

static struct slot some_slot(struct liars *liars)
{
    struct chance *chance = &liars->chance;
    struct slot slot;
    memset(&slot, 0, sizeof slot);
    if (pipeline_tick_open(liars->core) && chance_hit(chance, 0.3)) {
        slot.kind = SLOT_TICK_PART;
    } else if (chance_hit(chance, 0.1)) {
        slot.kind = SLOT_TICK;
        slot.tick.number = liars->slots;
    } else if (liars->model->meter_count && chance_hit(chance, 0.1)) {
        slot.kind = SLOT_READING;
        slot.reading.meter = (uint32_t)chance_range(chance, 0, liars->model->meter_count - 1);
        slot.reading.sequence = liars->slots + 1;
        const struct model_node *node = &liars->model->node[liars->model->meter[slot.reading.meter].node];
        for (uint32_t p = 0; p < PHASES; p++) {
            slot.reading.voltage_mv[p] = node->volts_ln_mv;
            slot.reading.current_ma[p] =
                node->steady_ma / 100 * chance_range(chance, 0, chance_hit(chance, 0.1) ? 130 : 40);
        }
    } else {
        slot.kind = SLOT_REPORT;
        slot.report = lie(liars, (uint32_t)chance_range(chance, 0, liars->model->host_count - 1));
    }
    return slot;
}

static int one(uint64_t seed, int steps)
{
    struct liars *liars = calloc(1, sizeof *liars);
    if (!liars)
        abort();
    liars->chance.state = seed * 11 + 5;
    liars->model = model_build(seed, (uint32_t)chance_range(&liars->chance, 1, 12));
    liars->t_ns = NS_PER_S;
    liars->outbox = (struct outbox){.record = liars->record, .capacity = BUILT_HOSTS_MAX};
    shadow_open(&liars->shadow, liars->model);
    shadow_init(&liars->shadow, 1);
    void *memory = aligned_alloc(64, (core_bytes(liars->model) + 63) / 64 * 64);
    if (!memory)
        abort();
    liars->core = core_init(memory, liars->model, 1, liars->t_ns);
    bool good = true;
    for (int i = 0; good && i < steps; i++) {
        struct slot slot = some_slot(liars);
        liars->t_ns += chance_range(&liars->chance, 0, 20) * NS_PER_MS;
        good = step(liars, &slot);
        if (!good)
            printf("FAILED: --seed %llu --cases 1, slot %d of kind %u: %s\n", (unsigned long long)seed, i,
                   slot.kind, liars->shadow.complaint);
    }
    free(memory);
    shadow_close(&liars->shadow);
    model_unbuild(liars->model);
    free(liars);
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct run run = run_begin("liar_property", 100, 2000);
    for (int i = 1; i < argc; i++)
        if (!run_option(&run, argc, argv, &i))
            return run_usage(&run, "");
    int failures = 0;
    for (uint64_t i = 0; i < run.cases; i++)
        failures += one(run.seed + i, run.is_long ? 30000 : 1500);
    run_end(&run, (uint64_t)failures);
    return failures ? 1 : 0;
}
