/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/live.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "loop/keys.h"
#include "sim/sockets.h"
#include "sim/station.h"

enum { LIVE_PRIORITY = 20 };    /* below flyballd, above everything ordinary: a late plant is a wrong plant */

struct live {
    struct plant plant;
    struct station station;
    struct sockets sockets;
    struct random random;
    bool sealing[2];                /* hosts, meters: their frames carry tags */
    struct auth auth;
    struct auth_watch watch;
    int64_t looked_ns;              /* for changes of the key file */
    double loss;
    FILE *events;
    int64_t start_ns;
    sigset_t stop, before;
};

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void sleep_until(int64_t t_ns)
{
    struct timespec at = {.tv_sec = t_ns / NS_PER_S, .tv_nsec = t_ns % NS_PER_S};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
        ;
}

/* What may be refused is refused: the run then has more late steps, and says so. */
static void settle_down(int core)
{
    struct sched_param param = {.sched_priority = LIVE_PRIORITY};
    cpu_set_t cores;
    if (core >= 0) {
        CPU_ZERO(&cores);
        CPU_SET(core, &cores);
        sched_setaffinity(0, sizeof(cores), &cores);
    }
    sched_setscheduler(0, SCHED_FIFO, &param);
}

static bool vanishes(struct live *live)
{
    return live->loss > 0 && random_unit(&live->random) < live->loss;
}

/* False: no key of that peer is in force. */
static bool seal(struct live *live, bool meter, uint32_t index, uint8_t *data, uint32_t bytes)
{
    if (!live->sealing[meter])
        return true;
    uint32_t peer = meter ? auth_meter(&live->auth, index) : auth_host(index);
    return !auth_seal(&live->auth.user[0], peer, data, bytes);
}

static void send_up(void *user, const struct message *message)
{
    struct live *live = user;
    uint8_t data[DATAGRAM_MAX];
    uint32_t bytes = message_encode(message, data);
    if (!bytes || !seal(live, message->kind == FRAME_MEASUREMENT, message->index, data, bytes))
        return;
    if (vanishes(live))
        live->plant.outcome.lost++;
    else
        sockets_send(&live->sockets, message->kind == FRAME_MEASUREMENT, message->index, data, bytes);
}

static bool is_true(struct live *live, uint32_t host, const uint8_t *data, uint32_t bytes)
{
    struct frame frame;
    if (!live->sealing[0])
        return true;
    if (frame_decode(data, bytes, &frame) ||
        auth_check(&live->auth.user[0], auth_host(host), data, &frame))
        return false;
    auth_heard(&live->auth.user[0], auth_host(host), frame.key_id);
    return true;
}

static void take_down(void *user, uint32_t host, const uint8_t *data, uint32_t bytes)
{
    struct live *live = user;
    struct message message;
    bool readable = is_true(live, host, data, bytes) &&
                    message_decode(data, bytes, live->plant.model, INDEX_NONE, &message);
    if (vanishes(live))
        live->plant.outcome.lost++;
    else
        station_receive(&live->station, host, readable ? &message : NULL, live->plant.t_ns);
}

static void note_lateness(struct live *live)
{
    struct outcome *outcome = &live->plant.outcome;
    int64_t late_ns = clock_ns(CLOCK_MONOTONIC) - live->start_ns - live->plant.t_ns;
    outcome->late_steps += late_ns > PLANT_STEP_NS;
    if (late_ns > outcome->worst_late_ns)
        outcome->worst_late_ns = late_ns;
}

/* Whoever acts on an event at once, as tools/demo does, reads a line as soon as it is written. */
static void tell_events(const struct live *live)
{
    const struct plant *plant = &live->plant;
    char text[80];
    for (uint32_t i = 0; live->events && i < plant->workload->event_count; i++) {
        if (!plant_event_due(plant, i))
            continue;
        workload_event_text(plant->workload, plant->model, i, text, sizeof(text));
        fprintf(live->events, "  event        %.3f s: %s\n", (double)plant->t_ns / 1e9, text);
        fflush(live->events);
    }
}

static bool asked_to_stop(const struct live *live)
{
    const struct timespec at_once = {0};
    return sigtimedwait(&live->stop, NULL, &at_once) > 0;
}

static void look_at_keys(struct live *live)
{
    if (!live->sealing[0] && !live->sealing[1])
        return;
    auth_look(&live->auth.user[0]);
    if (live->plant.t_ns - live->looked_ns < AUTH_LOOK_MS * NS_PER_MS)
        return;
    live->looked_ns = live->plant.t_ns;
    auth_watch_look(&live->watch, clock_ns(CLOCK_REALTIME) / NS_PER_S, stderr);
}

static int open_keys(struct live *live, const struct site *site, const struct live_config *config, char *why,
                     size_t why_bytes)
{
    const struct auth_names names = keys_names(&site->model);
    if (!site->auth.hosts && !site->auth.meters)
        return 0;
    if (!config->keys) {
        snprintf(why, why_bytes, "the site asks for tags: --keys FILE is needed");
        return -EINVAL;
    }
    live->sealing[0] = site->auth.hosts;
    live->sealing[1] = site->auth.meters;
    snprintf(why, why_bytes, "keys %s", config->keys);
    int error = auth_open(&live->auth, AUTH_PEER, &names, 1);
    if (!error)
        error = auth_watch_open(&live->watch, &live->auth, config->keys,
                                clock_ns(CLOCK_REALTIME) / NS_PER_S, stderr);
    if (!error)
        auth_look(&live->auth.user[0]);
    return error;
}

static void loop(struct live *live, int64_t duration_ns)
{
    live->start_ns = clock_ns(CLOCK_MONOTONIC);
    while (live->plant.t_ns < duration_ns && !asked_to_stop(live)) {
        sleep_until(live->start_ns + live->plant.t_ns);
        note_lateness(live);
        sockets_receive(&live->sockets, take_down, live);
        tell_events(live);
        look_at_keys(live);
        plant_step(&live->plant, NULL, NULL);
        station_step(&live->station, send_up, live);
        sockets_flush(&live->sockets);
    }
}

static int open_live(struct live *live, const struct site *site, const struct workload *workload,
                     const struct live_config *config, char *why, size_t why_bytes)
{
    snprintf(why, why_bytes, "plant");
    live->loss = config->loss;
    live->events = config->events;
    live->sockets.meters.fd = live->sockets.hosts.fd = -1;
    random_init(&live->random, workload->seed, RANDOM_NETWORK, 0);
    int result = plant_init(&live->plant, &site->model, workload, PLANT_GOVERNED);
    if (!result)
        result = station_init(&live->station, &live->plant, clock_ns(CLOCK_REALTIME));
    if (!result)
        result = station_tell_details(&live->station);
    if (!result)
        result = sockets_open(&live->sockets, site, config->meters_netns, config->hosts_netns, why,
                              why_bytes);
    if (!result)
        result = open_keys(live, site, config, why, why_bytes);
    return result;
}

int live_run(const struct site *site, const struct workload *workload, const struct live_config *config,
             struct outcome *outcome, char *why, size_t why_bytes)
{
    struct live *live = calloc(1, sizeof(*live));
    if (!live)
        return -ENOMEM;
    sigemptyset(&live->stop);
    sigaddset(&live->stop, SIGTERM);
    sigaddset(&live->stop, SIGINT);
    sigprocmask(SIG_BLOCK, &live->stop, &live->before);
    int result = open_live(live, site, workload, config, why, why_bytes);
    if (!result) {
        settle_down(site->server.housekeeping_core);
        loop(live, config->duration_ns);
        live->plant.outcome.send_failures = live->sockets.failures;
        plant_hand_over(&live->plant, outcome);
    }
    sockets_close(&live->sockets);
    auth_watch_close(&live->watch);
    auth_close(&live->auth);
    station_finish(&live->station);
    plant_finish(&live->plant);
    sigprocmask(SIG_SETMASK, &live->before, NULL);
    free(live);
    return result;
}
