/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random histories of an agent and its watchdog over devices whose writes take their time: killed, stopped,
 * started anew, asleep, devices that hang, reset, vanish and cannot be read, leases lost, late and forged. At
 * every millisecond each device is held against what its host is allowed: never longer than A above it.
 *
 * usage: watchdog_property [HISTORIES [SEED]]
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/watch.h"
#include "agent/worker.h"
#include "wire/cap.h"
#include "wire/frame.h"

#include "run.h"

enum { DEVICES = 4, HOST = 7, LETTERS = 16, HISTORY_MS = 12000, WRITE_MOST_MS = 40, HANG_MS = 900 };
#define MS NS_PER_MS
#define W INT64_C(1000)
#define A_NS (120 * MS)
#define LOOK_NS (100 * MS)
#define FAIL_SAFE_MW (2000 * W)
#define DEFAULT_MW (2500 * W)

/* An order on its way: waits for its thread, then lies in the driver. */
struct call {
    bool busy, begun, ended;
    int64_t begins_ns, ends_ns, cap_mw;
    int rc;
};

struct device {
    int64_t cap_mw;             /* in force */
    bool lost;
    int64_t blind_ns;           /* it takes caps and cannot be read until then */
    struct call agent, watchdog;
    int64_t excused_ns;         /* a fault of its own: not judged before */
    int64_t over_since_ns;      /* above what is allowed since; 0 = not */
    int64_t watch_look_ns;
    bool found;                 /* the watchdog's handle is good */
};

struct letter {
    int64_t arrives_ns;
    struct lease lease;
};

struct world {
    uint64_t random, seed;
    struct agent agent;
    bool dead, stopped, watchdog_dead;
    int64_t now_ns, slept_ns;
    int64_t passed_since_ns;    /* fail-safe is due since; 0 = it is not */
    int64_t watchdog_died_ns;
    int64_t back_ns, watchdog_back_ns;      /* when who is away comes back */
    int64_t word_ns, agent_beat_ns, watchdog_beat_ns;
    int64_t ceiling_mw;
    int64_t look_ns;
    uint64_t incarnations, epoch, sequence, saved;
    int64_t save_ends_ns;
    uint64_t saving;
    struct device device[DEVICES];
    struct letter letter[LETTERS];
    uint64_t leases, kills, stops, falls, blinded, watchdog_writes, watchdog_returned;
};

static uint32_t dice(struct world *world, uint32_t below)
{
    world->random ^= world->random << 13;
    world->random ^= world->random >> 7;
    world->random ^= world->random << 17;
    return (uint32_t)(world->random >> 33) % below;
}

static int64_t boottime_ns(const struct world *world)
{
    return world->now_ns + world->slept_ns;
}

static void excuse(struct device *device, int64_t until_ns)
{
    if (until_ns > device->excused_ns)
        device->excused_ns = until_ns;
}

static struct letter *free_letter(struct world *world)
{
    for (uint32_t i = 0; i < LETTERS; i++)
        if (!world->letter[i].arrives_ns)
            return &world->letter[i];
    return NULL;
}

/* The controller answers most reports, soon or late, and now and then with nonsense. */
static void take_frame(void *user, const uint8_t *data, uint32_t bytes)
{
    struct world *world = user;
    struct frame frame;
    struct report report;
    struct letter *letter = free_letter(world);
    if (!letter || dice(world, 5) == 0 || frame_decode(data, bytes, &frame) != ACCEPTED ||
        report_decode(frame.body, frame.body_bytes, &report) != ACCEPTED)
        return;
    letter->arrives_ns = world->now_ns + (1 + dice(world, dice(world, 8) ? 20 : 1500)) * MS;
    letter->lease = (struct lease){.incarnation = report.incarnation, .epoch = world->epoch,
                                   .sequence = ++world->sequence, .echo = report.number,
                                   .cap_mw = (800 + dice(world, 7400)) * W, .duration_ns = NS_PER_S};
    if (dice(world, 20) == 0)
        letter->lease.incarnation ^= 1;
    if (dice(world, 20) == 0)
        letter->lease.echo += 5;
    if (dice(world, 20) == 0)
        letter->lease.epoch -= dice(world, 2);
}

static int64_t call_ends_ns(struct world *world, uint32_t d)
{
    struct device *device = &world->device[d];
    if (dice(world, 400))
        return world->now_ns + dice(world, WRITE_MOST_MS) * MS;
    int64_t ends_ns = world->now_ns + dice(world, HANG_MS) * MS;
    excuse(device, ends_ns + A_NS);        /* a call that hangs is the device's own fault */
    return ends_ns;
}

static void take_write(void *user, uint32_t d, int64_t cap_mw)
{
    struct world *world = user;
    struct call *call = &world->device[d].agent;
    if (call->busy) {
        fprintf(stderr, "seed %" PRIu64 ": two writes on a device\n", world->seed);
        exit(1);
    }
    *call = (struct call){.busy = true, .rc = dice(world, 50) ? 0 : -EIO, .cap_mw = cap_mw,
                          .begins_ns = world->now_ns + dice(world, 3) * MS};
}

/* What its thread does when it comes to it: a process that stands still does nothing, and one that is dead
 * has no threads. */
static void begin_write(struct world *world, uint32_t d)
{
    struct call *call = &world->device[d].agent;
    if (!call->busy || call->begun || world->stopped || world->now_ns < call->begins_ns)
        return;
    if (world->dead) {
        call->busy = false;
        return;
    }
    bool passed = world->word_ns && boottime_ns(world) >= world->word_ns;
    int64_t part_mw = agent_part_mw(&world->agent, world->agent.holder.wanted_mw);
    call->begun = true;
    call->ends_ns = call_ends_ns(world, d);
    call->cap_mw = worker_allowed_mw(call->cap_mw, part_mw, FAIL_SAFE_MW / DEVICES, passed);
    if (call->rc)               /* A covers two writes, not a third */
        excuse(&world->device[d], call->ends_ns + A_NS);
}

static void take_epoch(void *user, uint64_t epoch)
{
    struct world *world = user;
    world->saving = epoch;
    world->save_ends_ns = world->now_ns + dice(world, 500) * MS;
}

static void take_word(void *user, int64_t word_ns)
{
    ((struct world *)user)->word_ns = word_ns;
}

static uint64_t new_incarnation(void *user)
{
    return 1000 + 2 * ++((struct world *)user)->incarnations;
}

static void start_agent(struct world *world)
{
    const struct agent_config config = {
        .holder = {.host = HOST, .devices = DEVICES, .fail_safe_mw = FAIL_SAFE_MW, .phys_max_mw = 12000 * W,
                   .cap_max_mw = 8000 * W, .report_ns = 100 * MS, .actuation_ns = A_NS},
        .cap_min_mw = 800 * W, .watchdog_required = true};
    const struct agent_hooks hooks = {.user = world, .send = take_frame, .write = take_write,
                                      .save_epoch = take_epoch, .word = take_word,
                                      .incarnation = new_incarnation};
    const struct agent_birth birth = {.incarnation = new_incarnation(world), .epoch = world->saved,
                                      .frame_sequence = (uint64_t)world->now_ns};
    agent_init(&world->agent, &config, &hooks);
    agent_clock(&world->agent, world->now_ns, boottime_ns(world), world->now_ns);
    world->dead = world->stopped = false;
    world->saving = 0;
    agent_start(&world->agent, &birth, world->now_ns);
}

/* Writes that are in the kernel come to their end, whoever began them. */
static void pass_calls(struct world *world)
{
    for (uint32_t d = 0; d < DEVICES; d++) {
        struct device *device = &world->device[d];
        struct call *both[] = {&device->agent, &device->watchdog};
        begin_write(world, d);
        for (int i = 0; i < 2; i++) {
            struct call *call = both[i];
            if (!call->busy || !call->begun || world->now_ns < call->ends_ns)
                continue;
            if (!call->ended && device->lost)
                call->rc = -ENODEV;
            if (!call->ended && !call->rc)
                device->cap_mw = call->cap_mw;
            world->watchdog_returned += i == 1 && !call->ended;
            call->ended = true;
            if (i == 1 || world->dead)
                call->busy = false;
        }
    }
}

static bool is_blind(const struct world *world, const struct device *device)
{
    return world->now_ns < device->blind_ns;
}

static void give_receipts(struct world *world)
{
    for (uint32_t d = 0; d < DEVICES; d++) {
        struct call call = world->device[d].agent;
        if (!call.busy || !call.begun || world->now_ns < call.ends_ns)
            continue;
        world->device[d].agent.busy = false;
        if (!call.rc && is_blind(world, &world->device[d]))
            call.rc = -EIO;             /* it was taken, and the read-back behind it failed */
        agent_written(&world->agent, d, call.rc, call.cap_mw, world->device[d].cap_mw, world->now_ns);
    }
}

static void look_at_devices(struct world *world)
{
    if (world->now_ns < world->look_ns)
        return;
    world->look_ns = world->now_ns + LOOK_NS;
    for (uint32_t d = 0; d < DEVICES; d++) {
        struct device *device = &world->device[d];
        int rc = device->lost ? -ENODEV : is_blind(world, device) ? -EIO : 0;
        if (!device->agent.busy)        /* its thread is free */
            agent_seen(&world->agent, d, rc, rc ? -1 : device->cap_mw, world->now_ns);
    }
}

static void open_letters(struct world *world)
{
    for (uint32_t i = 0; i < LETTERS; i++) {
        struct letter *letter = &world->letter[i];
        uint8_t data[DATAGRAM_MAX];
        if (!letter->arrives_ns || world->now_ns < letter->arrives_ns)
            continue;
        letter->arrives_ns = 0;
        struct frame frame = {.kind = FRAME_LEASE, .sender = HOST, .sequence = 1};
        frame.body_bytes = lease_encode(&letter->lease, data + FRAME_HEADER_BYTES, 1024);
        int got = agent_receive(&world->agent, data, frame_encode(data, &frame), world->now_ns);
        world->leases += got == ACCEPTED;
    }
}

static void step_agent(struct world *world)
{
    struct agent *agent = &world->agent;
    if (world->dead || world->stopped)
        return;
    agent_clock(agent, world->now_ns, boottime_ns(world), world->now_ns);
    world->agent_beat_ns = boottime_ns(world);
    agent_watchdog(agent, boottime_ns(world) - world->watchdog_beat_ns < NS_PER_S,
                   world->watchdog_returned, world->now_ns);
    open_letters(world);
    give_receipts(world);
    look_at_devices(world);
    if (world->saving && world->now_ns >= world->save_ends_ns) {
        world->saved = world->saving;
        agent_epoch_saved(agent, world->saving, world->now_ns);
        world->saving = 0;
    }
    agent_turn(agent, world->now_ns);
}

static void step_watchdog(struct world *world)
{
    if (world->watchdog_dead)
        return;
    world->watchdog_beat_ns = boottime_ns(world);
    for (uint32_t d = 0; d < DEVICES; d++) {
        struct device *device = &world->device[d];
        bool armed = watch_is_armed(world->word_ns, world->agent_beat_ns, boottime_ns(world));
        if (device->watchdog.busy || device->lost || world->now_ns < device->watch_look_ns)
            continue;
        int64_t readback_mw = is_blind(world, device) ? -1 : device->cap_mw;
        int64_t cap_mw = watch_cap_mw(armed, readback_mw, FAIL_SAFE_MW / DEVICES);
        if (!armed)
            continue;
        device->watch_look_ns = world->now_ns + WATCH_POLL_NS;
        if (cap_mw < 0)
            continue;
        device->watchdog = (struct call){.busy = true, .begun = true, .ends_ns = call_ends_ns(world, d),
                                         .cap_mw = cap_mw};
        device->watch_look_ns = device->watchdog.ends_ns + WATCH_POLL_NS;
        world->watchdog_writes++;
    }
}

/* One of the two may be away at a time, but for an agent that has seen for long that its watchdog is. */
static void kill_somebody(struct world *world)
{
    bool alone = world->watchdog_dead && world->now_ns - world->watchdog_died_ns > 3 * NS_PER_S;
    if (world->dead || world->stopped || (world->watchdog_dead && !alone))
        return;
    int64_t back_ns = world->now_ns + dice(world, 5000) * MS;
    if (alone || dice(world, 3) == 0) {
        world->dead = true;
        world->kills++;
        world->back_ns = back_ns;
    } else if (dice(world, 2)) {
        world->stopped = true;
        world->stops++;
        world->back_ns = back_ns;
    } else {
        world->watchdog_dead = true;
        world->watchdog_died_ns = world->now_ns;
        world->watchdog_back_ns = back_ns + 3 * NS_PER_S;
    }
}

static void come_back(struct world *world)
{
    if (world->watchdog_dead && world->now_ns >= world->watchdog_back_ns)
        world->watchdog_dead = false;
    if (world->now_ns < world->back_ns)
        return;
    if (world->dead) {
        /* its device calls are still in the kernel: a process is gone when they are */
        bool busy = false;
        for (uint32_t d = 0; d < DEVICES; d++)
            busy |= world->device[d].agent.busy;
        if (!busy)
            start_agent(world);
    }
    world->stopped = false;
}

static void harm_a_device(struct world *world)
{
    if (world->watchdog_dead)   /* the agent may be killed next: two faults at a time are enough */
        return;
    struct device *device = &world->device[dice(world, DEVICES)];
    if (dice(world, 3) == 0) {
        device->blind_ns = world->now_ns + dice(world, 6000) * MS;
        world->blinded += device->blind_ns - world->now_ns > NS_PER_S;
        if (world->now_ns < device->excused_ns)         /* what it did before is not seen until it is blind */
            excuse(device, world->now_ns + NS_PER_S + 2 * LOOK_NS + A_NS);
        return;
    }
    bool reset = dice(world, 2);
    device->lost = !device->lost && !reset;
    if (!device->lost)
        device->cap_mw = DEFAULT_MW;
    /* seen at the next look, a hundred milliseconds later, or by the watchdog; and written */
    int64_t seen_ns = device->blind_ns > world->now_ns ? device->blind_ns : world->now_ns;
    excuse(device, seen_ns + LOOK_NS + 10 * MS + A_NS);
}

static void stir(struct world *world)
{
    if (dice(world, 700) == 0)
        kill_somebody(world);
    if (dice(world, 3000) == 0)
        harm_a_device(world);
    if (dice(world, 6000) == 0)
        world->slept_ns += (1 + dice(world, 5000)) * MS;
    if (dice(world, 4000) == 0)
        world->epoch++, world->sequence = 0;
    come_back(world);
}

/* Whether fail-safe is due by what the agent left: its word has passed, or it is long gone. Told here in
 * other words than the watchdog's own. */
static void look_at_word(struct world *world)
{
    bool away = world->dead || world->stopped;
    bool gone = away && boottime_ns(world) > world->agent_beat_ns + 2 * NS_PER_S;
    bool due = world->word_ns == 0 ? gone : world->word_ns <= boottime_ns(world);
    if (!due)
        world->passed_since_ns = 0;
    else if (!world->passed_since_ns)
        world->passed_since_ns = world->now_ns;
}

static void accuse(const struct world *world, uint32_t d, int64_t most_mw)
{
    fprintf(stderr,
            "seed %" PRIu64 ": at %" PRId64 " ms device %u stands at %" PRId64 " W and may at %" PRId64
            " W%s%s%s%s\n",
            world->seed, world->now_ns / MS, d, world->device[d].cap_mw / W, most_mw / W,
            world->passed_since_ns ? ", the word has passed" : "", world->dead ? ", agent dead" : "",
            world->stopped ? ", agent stopped" : "", world->watchdog_dead ? ", watchdog dead" : "");
    exit(1);
}

/* Fail-safe is due at the deadline and A, from then on at every instant; what the agent wants within A. */
static bool is_wrong(const struct world *world, struct device *device, int64_t *most_mw)
{
    int64_t fail_safe_mw = FAIL_SAFE_MW / DEVICES;
    int64_t wanted_mw = agent_part_mw(&world->agent, world->agent.holder.wanted_mw);
    bool away = world->dead || world->stopped, passed = world->passed_since_ns;
    if (!away && passed && device->cap_mw <= fail_safe_mw)
        passed = false;         /* what it wants may be less */
    *most_mw = passed ? fail_safe_mw : wanted_mw;
    bool over = device->cap_mw > *most_mw && (passed || !away);
    if (!over || device->lost || world->now_ns < device->excused_ns) {
        device->over_since_ns = 0;
        return false;
    }
    if (!device->over_since_ns)
        device->over_since_ns = world->now_ns;
    int64_t since_ns = passed ? world->passed_since_ns : device->over_since_ns;
    /* fail-safe that the watchdog wrote late, over a lease that is lower, is seen at the next look or once
     * the device counts as blind: fail-safe always counts, so nobody was promised less */
    int64_t look_ns = device->cap_mw > fail_safe_mw ? 0 : LOOK_NS;
    if (look_ns && is_blind(world, device))
        look_ns += NS_PER_S + LOOK_NS;
    return world->now_ns - since_ns > look_ns + A_NS;
}

static void judge(struct world *world)
{
    int64_t most_mw;
    look_at_word(world);
    for (uint32_t d = 0; d < DEVICES; d++)
        if (is_wrong(world, &world->device[d], &most_mw))
            accuse(world, d, most_mw);
}

static void play(struct world *world, uint64_t seed)
{
    *world = (struct world){.seed = seed, .random = seed * 0x9E3779B97F4A7C15u + 1, .now_ns = NS_PER_S,
                            .slept_ns = 3 * NS_PER_S, .word_ns = WORD_PASSED_NS, .epoch = 5};
    for (uint32_t d = 0; d < DEVICES; d++) {
        world->device[d].cap_mw = DEFAULT_MW;
        world->device[d].excused_ns = world->now_ns + A_NS;
    }
    start_agent(world);
    for (int64_t end_ns = world->now_ns + HISTORY_MS * MS; world->now_ns < end_ns; world->now_ns += MS) {
        stir(world);
        pass_calls(world);
        step_agent(world);
        step_watchdog(world);
        judge(world);
    }
    world->falls += world->agent.counter[AGENT_FALLS];
}

int main(int argc, char **argv)
{
    static struct world world;
    struct run run = run_begin("watchdog_property", 200, 20000);
    uint64_t leases = 0, kills = 0, stops = 0, falls = 0, blinded = 0, writes = 0;
    for (int i = 1; i < argc; i++)
        if (!run_option(&run, argc, argv, &i))
            return run_usage(&run, "");
    for (uint64_t i = 0; i < run.cases; i++) {
        play(&world, run.seed + i);
        leases += world.leases;
        kills += world.kills;
        stops += world.stops;
        falls += world.falls;
        blinded += world.blinded;
        writes += world.watchdog_writes;
    }
    printf("%" PRIu64 " leases obeyed, %" PRIu64 " kills, %" PRIu64 " stops, %" PRIu64 " falls, %" PRIu64
           " devices blind for over a second, %" PRIu64
           " writes of the watchdog; no device above what it may for longer than A\n",
           leases, kills, stops, falls, blinded, writes);
    /* few histories need not meet everything */
    bool met = run.cases < 100 || (leases > run.cases && kills && stops && falls && blinded && writes);
    if (!met)
        printf("one of these was never met: nothing is shown of it\n");
    run_end(&run, !met);
    return met ? 0 : 1;
}
