/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/loops/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/loops/user.h"
#include "rt/thread.h"

enum { RING_FRAMES = 8192, LEASE_BYTES = 89 /* with a tag */, MEMORY_MIB = 512, WARM_EMERGENCIES = 40 };

static const struct {
    const char *name, *driver;
    bool auth;
    int (*replace)(struct port *port, const struct site_port *row);
} stand_row[STANDS] = {
    [STAND_AF_PACKET_AUTH] = {"af_packet-auth", "af_packet", true, NULL},
    [STAND_AF_PACKET] = {"af_packet", "af_packet", false, NULL},
    [STAND_AF_XDP_AUTH] = {"af_xdp-auth", "af_xdp", true, NULL},
    [STAND_URING_AUTH] = {"uring-auth", "uring", true, NULL},
    [STAND_USER] = {"user-sockets", "uring", true, user_port},  /* the kernel owns the address */
};

const char *harness_stand_name(uint32_t stand)
{
    return stand_row[stand].name;
}

static bool needs(const struct contender *contender, uint32_t stand)
{
    return contender->chosen && !contender->why[0] &&
           (stand == STAND_NONE
                ? contender->kind->sockets
                : !contender->kind->sockets && contender->kind->stand == (enum stand_name)stand);
}

static bool wanted(const struct harness *harness, uint32_t stand)
{
    for (uint32_t i = 0; i < harness->contenders; i++)
        if (needs(&harness->contender[i], stand))
            return true;
    return false;
}

static void give_reason(struct harness *harness, uint32_t stand, const char *why)
{
    for (uint32_t i = 0; i < harness->contenders; i++)
        if (needs(&harness->contender[i], stand))
            snprintf(harness->contender[i].why, sizeof harness->contender[i].why, "%.190s", why);
}

/* Three digits of the process and one of the stand: beside other runs on this machine. */
static void prepare(struct harness *harness, struct rtt_stand *stand, uint32_t index)
{
    stand->site_path = BENCH_SOURCE "/bench/rtt.yaml";
    stand->told_to_stop = harness->told_to_stop;
    stand->ring_frames = RING_FRAMES;
    snprintf(stand->suffix, sizeof stand->suffix, "%03x%x", (unsigned)getpid() & 0xfff, index & 0xf);
}

static void open_stand(struct harness *harness, uint32_t index)
{
    struct rtt_stand *stand = &harness->stand[index];
    prepare(harness, stand, index);
    stand->driver = stand_row[index].driver;
    stand->auth = stand_row[index].auth;
    stand->replace = stand_row[index].replace;
    stand->memory_mib = MEMORY_MIB;
    harness->stand_up[index] = true;
    if (rtt_stand_open(stand))
        give_reason(harness, index, stand->error);
}

static void open_sockets(struct harness *harness)
{
    prepare(harness, &harness->sockets.stand, STANDS);
    harness->sockets_up = true;
    harness->answer_bytes = LEASE_BYTES;
    if (sockets_open(&harness->sockets, harness->answer_bytes))
        give_reason(harness, STAND_NONE, harness->sockets.stand.error);
}

static int open_searches(struct harness *harness)
{
    for (uint32_t i = 0; i < harness->contenders; i++) {
        struct contender *contender = &harness->contender[i];
        if (!contender->kind->search || !contender->chosen)
            continue;
        contender->saturation = calloc(1, sizeof *contender->saturation);
        if (!contender->saturation)
            return -ENOMEM;
    }
    return 0;
}

int harness_open(struct harness *harness)
{
    if (open_searches(harness))
        return 3;
    if (floor_open(&harness->floor))
        return 3;
    if (hogs_open(&harness->hogs))
        return 3;
    for (uint32_t i = 0; i < STANDS; i++)
        if (wanted(harness, i))
            open_stand(harness, i);
    if (wanted(harness, STAND_NONE))
        open_sockets(harness);
    return worker_open(&harness->worker) ? 3 : 0;
}

/* From now on it stands still whenever nobody measures it. */
static void start_stand(struct harness *harness, uint32_t index)
{
    struct rtt_stand *stand = &harness->stand[index];
    static struct rtt_side unused;
    bool raised;
    if (rtt_stand_start(stand)) {
        give_reason(harness, index, stand->error);
        return;
    }
    if (rtt_warm_up(stand))
        give_reason(harness, index, "the hosts were not leased after the warm-up");
    for (int i = 0; i < WARM_EMERGENCIES && !rtt_stand_cut_off(stand); i++) {
        rtt_emergency(stand, &unused, &raised);
        rtt_calm_down(&stand->client);
    }
    if (!rtt_echo_mode(&stand->echo, &stand->client, RTT_PARK))
        give_reason(harness, index, "its thread did not stand still when told to");
    harness->before[index] = *core_counters(stand->loop.core);
}

int harness_start(struct harness *harness)
{
    for (uint32_t i = 0; i < STANDS; i++)
        if (wanted(harness, i))
            start_stand(harness, i);
    rt_pin(CLIENT_CORE);
    return rt_fifo(CLIENT_PRIORITY) ? 3 : 0;
}

/* A thread that stands still would never see the stop. */
static void close_stand(struct rtt_stand *stand)
{
    if (stand->running)
        rtt_echo_mode(&stand->echo, &stand->client, RTT_RUN);
    rtt_stand_stop(stand);
    rtt_stand_close(stand);
}

void harness_close(struct harness *harness)
{
    worker_close(&harness->worker);
    for (uint32_t i = 0; i < harness->contenders; i++) {
        tally_close(&harness->contender[i].tally);
        free(harness->contender[i].saturation);
    }
    for (uint32_t i = 0; i < STANDS; i++)
        if (harness->stand_up[i])
            close_stand(&harness->stand[i]);
    if (harness->sockets_up)
        sockets_close(&harness->sockets);
    floor_close(&harness->floor);
    hogs_close(&harness->hogs);
}
