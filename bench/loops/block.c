/* SPDX-License-Identifier: Apache-2.0 */
/* What happens within one block: exchanges, one after the other, each after a short pause of the client. The
 * first few warm the caches again and count for nobody. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bench/loops/harness.h"
#include "bench/loops/probes.h"
#include "bench/rtt_stamp.h"
#include "rt/clock.h"

/* The fair server acts once a second, and to arm probes takes that long: such blocks are longer and come less
 * often. */
enum { WARM_EXCHANGES = 4, SEARCH_BLOCKS = 16, ARMED_MARGIN_S = 1 };
enum { PAUSE_US = 60 };
#define REST_NS (10 * NS_PER_MS)
/* Where exchanges are far apart, blocks are longer: a median of three samples means little. */
#define PACED_BLOCKS(kind) ((kind)->pause_us ? 3 : 1)

/* The client does not sleep: its own waking up is none of what it measures. */
static void pause_between(const struct contender *contender)
{
    int64_t pause_us = contender->kind->pause_us ? contender->kind->pause_us : PAUSE_US;
    int64_t until_ns = clock_monotonic_ns() + pause_us * NS_PER_US;
    while (clock_monotonic_ns() < until_ns)
        continue;
}

static bool goes_on(const struct rtt_stand *stand, int64_t end_ns)
{
    return clock_monotonic_ns() < end_ns && !rtt_stand_cut_off(stand);
}

/* `number` counts the exchanges of the block: a loss is one whenever it happens. */
static void note(struct contender *contender, const struct rtt_side *side, bool answered, uint32_t number)
{
    contender->tally.sent++;
    contender->tally.lost += !answered;
    contender->tally.warm += answered && number < WARM_EXCHANGES;
    if (!answered || number < WARM_EXCHANGES)
        return;
    tally_add(&contender->tally, &contender->samples, PART_FIRST, side->first_ns);
    tally_add(&contender->tally, &contender->samples, PART_LAST, side->last_ns);
}

static void note_cut(struct contender *contender, const struct rtt_side *side, bool raised, uint32_t number)
{
    if (number < WARM_EXCHANGES)
        return;
    contender->tally.emergencies++;
    contender->tally.cut += side->cut_newest;
    contender->tally.not_raised += !raised;
}

static void park(struct rtt_stand *stand, struct contender *contender)
{
    if (!rtt_echo_mode(&stand->echo, &stand->client, RTT_PARK))
        snprintf(contender->why, sizeof contender->why, "its thread did not stand still when told to");
}

/* Emergencies, and where somebody stands beside, an echo behind each. */
void block_emergency(struct harness *harness, struct contender *contender, int64_t end_ns)
{
    static struct rtt_side full, bare;
    static struct stages before;
    struct rtt_stand *stand = &harness->stand[contender->kind->stand];
    bool raised;
    stage_copy(&before, stand);
    rtt_echo_mode(&stand->echo, &stand->client, RTT_RUN);
    for (uint32_t i = 0; goes_on(stand, end_ns); i++) {
        pause_between(contender);
        bool answered = rtt_emergency(stand, &full, &raised);
        note(contender, &full, answered, i);
        if (answered)
            note_cut(contender, &full, raised, i);
        rtt_calm_down(&stand->client);
        pause_between(contender);
        if (contender->beside)
            note(contender->beside, &bare, rtt_bare(stand, &bare), i);
    }
    park(stand, contender);
    stage_add(&contender->stages, &before, stand);
}

/* One exchange by the kernel's stamps: an emergency, or an echo. */
static void stamped(struct rtt_stand *stand, struct contender *contender, struct rtt_side *side,
                    uint32_t number)
{
    bool raised;
    if (!strcmp(contender->kind->path, "echo")) {
        bool echoed = rtt_stamped_bare(stand, side);
        note(contender, side, echoed, number);
        return;
    }
    bool answered = rtt_stamped_emergency(stand, side, &raised);
    note(contender, side, answered, number);
    if (answered)
        note_cut(contender, side, raised, number);
    rtt_calm_down(&stand->client);
}

/* Of a loop, of its port, or of a kernel socket. */
void block_stamped(struct harness *harness, struct contender *contender, int64_t end_ns)
{
    static struct rtt_side side;
    const struct kind *kind = contender->kind;
    struct rtt_stand *stand = kind->sockets ? &harness->sockets.stand : &harness->stand[kind->stand];
    if (kind->sockets)
        worker_begin(&harness->worker, kind->job, &harness->sockets);
    else
        rtt_echo_mode(&stand->echo, &stand->client, strcmp(kind->path, "echo") ? RTT_RUN : RTT_BARE);
    bool there = rtt_stamps(stand->client.socket, true);
    /* the kernel begins to stamp from a thread of its own, which runs where nobody spins */
    nanosleep(&(struct timespec){.tv_nsec = REST_NS}, NULL);
    for (uint32_t i = 0; there && goes_on(stand, end_ns); i++) {
        pause_between(contender);
        stamped(stand, contender, &side, i);
    }
    rtt_stamps(stand->client.socket, false);
    if (!there)
        snprintf(contender->why, sizeof contender->why, "this kernel has no stamps for the client's socket");
    if (kind->sockets)
        sockets_end(&harness->sockets, &harness->worker);
    else
        park(stand, contender);
}

static void close_block(struct contender *contender, uint32_t round)
{
    tally_close_block(&contender->tally, &contender->samples, round);
    if (contender->beside)
        tally_close_block(&contender->beside->tally, &contender->beside->samples, round);
}

/* A block that comes in one round of LONG_ROUNDS counts for all of them, a part for each: the last one is
 * closed by whoever called. */
static void in_parts(struct harness *harness, struct contender *contender, int64_t span_ns)
{
    for (uint32_t i = LONG_ROUNDS; i-- > 0;) {
        block_emergency(harness, contender, clock_monotonic_ns() + span_ns / LONG_ROUNDS);
        if (i)
            close_block(contender, harness->round + i);
    }
}

/* Emergencies while all probes are armed, and the same once more when they are not. */
void block_armed(struct harness *harness, struct contender *contender, int64_t end_ns)
{
    struct probes probes;
    int64_t span_ns = end_ns - clock_monotonic_ns();
    int seconds = (int)(span_ns / NS_PER_S) + 1 + ARMED_MARGIN_S;
    if (probes_arm(&probes, seconds, contender->why, sizeof contender->why))
        return;
    contender->why[0] = 0;
    in_parts(harness, contender, span_ns);
    probes_end(&probes);
    if (contender->after)
        in_parts(harness, contender->after, harness->block_ns * LONG_ROUNDS);
}

/* A report, and the lease that answers it, host by host in turn. */
void block_report(struct harness *harness, struct contender *contender, int64_t end_ns)
{
    static struct rtt_side side;
    static struct stages before;
    struct rtt_stand *stand = &harness->stand[contender->kind->stand];
    stage_copy(&before, stand);
    rtt_echo_mode(&stand->echo, &stand->client, RTT_RUN);
    rtt_all_report(&stand->client);
    for (uint32_t i = 0; goes_on(stand, end_ns); i++) {
        pause_between(contender);
        bool answered = rtt_one_report(stand, &side, i % RTT_HOSTS);
        note(contender, &side, answered, i);
    }
    rtt_drain(&stand->client, RTT_GAP_US * 1000);
    park(stand, contender);
    stage_add(&contender->stages, &before, stand);
}

static void echoes(struct rtt_stand *stand, struct contender *contender, int64_t end_ns,
                   bool (*exchange)(struct rtt_stand *stand, struct rtt_side *side))
{
    static struct rtt_side side;
    for (uint32_t i = 0; goes_on(stand, end_ns); i++) {
        pause_between(contender);
        bool answered = exchange(stand, &side);
        note(contender, &side, answered, i);
    }
}

static void port_echoes(struct harness *harness, struct contender *contender, int64_t end_ns,
                        bool (*exchange)(struct rtt_stand *stand, struct rtt_side *side))
{
    struct rtt_stand *stand = &harness->stand[contender->kind->stand];
    rtt_echo_mode(&stand->echo, &stand->client, RTT_BARE);
    echoes(stand, contender, end_ns, exchange);
    park(stand, contender);
}

void block_echo(struct harness *harness, struct contender *contender, int64_t end_ns)
{
    port_echoes(harness, contender, end_ns, rtt_bare);
}

void block_echo_one(struct harness *harness, struct contender *contender, int64_t end_ns)
{
    port_echoes(harness, contender, end_ns, rtt_bare_one);
}

static void socket_echoes(struct harness *harness, struct contender *contender, int64_t end_ns,
                          bool (*exchange)(struct rtt_stand *stand, struct rtt_side *side))
{
    struct sockets *sockets = &harness->sockets;
    worker_begin(&harness->worker, contender->kind->job, sockets);
    echoes(&sockets->stand, contender, end_ns, exchange);
    sockets_end(sockets, &harness->worker);
    if (sockets->ring_error)
        snprintf(contender->why, sizeof contender->why, "io_uring as this loop wants it is not to be had");
}

void block_sockets(struct harness *harness, struct contender *contender, int64_t end_ns)
{
    socket_echoes(harness, contender, end_ns, rtt_bare);
}

void block_sockets_one(struct harness *harness, struct contender *contender, int64_t end_ns)
{
    socket_echoes(harness, contender, end_ns, rtt_bare_one);
}

/* To arm probes and to disarm them takes as long again. */
int64_t block_cost_ns(const struct harness *harness, const struct kind *kind)
{
    const int64_t seldom_ns = harness->long_ns * RARE_ROUNDS / LONG_ROUNDS;
    bool longer = kind->neighbour || kind->seldom;
    return kind->search   ? SEARCH_BLOCKS * harness->block_ns
           : kind->probes ? 3 * seldom_ns
           : longer       ? seldom_ns
                          : RARE_ROUNDS * (PACED_BLOCKS(kind) * harness->block_ns + REST_NS);
}

int64_t block_floor_cost_ns(const struct harness *harness)
{
    return 2 * RARE_ROUNDS * harness->block_ns + harness->long_ns * RARE_ROUNDS / LONG_ROUNDS;
}

static bool is_due(const struct kind *kind, uint32_t round)
{
    bool seldom = kind->neighbour || kind->probes || kind->seldom;
    return !(round % (kind->search ? RARE_ROUNDS : seldom ? LONG_ROUNDS : 1));
}

void block_run(struct harness *harness, struct contender *contender, uint32_t round)
{
    const struct kind *kind = contender->kind;
    bool longer = kind->neighbour || kind->probes;
    if (contender->why[0] || !contender->chosen || !kind->block || !is_due(kind, round))
        return;
    int64_t block_ns = longer ? harness->long_ns : PACED_BLOCKS(kind) * harness->block_ns;
    harness->round = round;
    /* what is to be done on the client's core, and waits while it spins, is done before */
    nanosleep(&(struct timespec){.tv_nsec = REST_NS}, NULL);
    hogs_let(&harness->hogs, kind->neighbour);
    kind->block(harness, contender, clock_monotonic_ns() + block_ns);
    hogs_let(&harness->hogs, false);
    close_block(contender, round);
    if (contender->after)
        close_block(contender->after, round);
}

void block_floor(struct harness *harness, uint32_t which, uint32_t round)
{
    struct floor *floor = &harness->floor;
    if (which == 0)
        floor_hiccups(&floor->alone, &harness->worker, harness->block_ns);
    else if (which == 1)
        floor_cyclictest(floor, harness->block_ns);
    if (which < 2 || round % LONG_ROUNDS)
        return;
    hogs_let(&harness->hogs, true);
    floor_hiccups(&floor->beside, &harness->worker, harness->long_ns);
    hogs_let(&harness->hogs, false);
}
