/* SPDX-License-Identifier: Apache-2.0 */
/* What happens within one block: exchanges, one after the other, each after a short sleep of the client. The
 * first few warm the caches again and count for nobody. */
#include <stdio.h>

#include "bench/loops/harness.h"
#include "rt/clock.h"

enum { WARM_EXCHANGES = 4 };

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

static void park(struct rtt_stand *stand, struct contender *contender)
{
    if (!rtt_echo_mode(&stand->echo, &stand->client, RTT_PARK))
        snprintf(contender->why, sizeof contender->why, "its thread did not stand still when told to");
}

/* Emergencies, and where somebody stands beside, an echo behind each. */
void block_emergency(struct harness *harness, struct contender *contender, int64_t end_ns)
{
    static struct rtt_side full, bare;
    struct rtt_stand *stand = &harness->stand[contender->kind->stand];
    bool raised;
    rtt_echo_mode(&stand->echo, &stand->client, RTT_RUN);
    for (uint32_t i = 0; goes_on(stand, end_ns); i++) {
        rtt_gap();
        bool answered = rtt_emergency(stand, &full, &raised);
        note(contender, &full, answered, i);
        rtt_calm_down(&stand->client);
        rtt_gap();
        if (contender->beside)
            note(contender->beside, &bare, rtt_bare(stand, &bare), i);
    }
    park(stand, contender);
}

/* A report, and the lease that answers it, host by host in turn. */
void block_report(struct harness *harness, struct contender *contender, int64_t end_ns)
{
    static struct rtt_side side;
    struct rtt_stand *stand = &harness->stand[contender->kind->stand];
    rtt_echo_mode(&stand->echo, &stand->client, RTT_RUN);
    rtt_all_report(&stand->client);
    for (uint32_t i = 0; goes_on(stand, end_ns); i++) {
        rtt_gap();
        bool answered = rtt_one_report(stand, &side, i % RTT_HOSTS);
        note(contender, &side, answered, i);
    }
    rtt_drain(&stand->client, RTT_GAP_US * 1000);
    park(stand, contender);
}

static void echoes(struct rtt_stand *stand, struct contender *contender, int64_t end_ns,
                   bool (*exchange)(struct rtt_stand *stand, struct rtt_side *side))
{
    static struct rtt_side side;
    for (uint32_t i = 0; goes_on(stand, end_ns); i++) {
        rtt_gap();
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

void block_run(struct harness *harness, struct contender *contender, uint32_t round)
{
    if (contender->why[0] || !contender->chosen || !contender->kind->block)
        return;
    contender->kind->block(harness, contender, clock_monotonic_ns() + harness->block_ns);
    tally_close_block(&contender->tally, &contender->samples, round);
    if (contender->beside)
        tally_close_block(&contender->beside->tally, &contender->beside->samples, round);
}
