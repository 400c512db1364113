/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/crew.h"

#include <errno.h>
#include <stdio.h>

static int number_lanes(struct crew *crew, const struct site_server *server)
{
    for (uint32_t port = 0; port < server->port_count; port++) {
        for (uint32_t queue = 0; queue < server->port[port].queues; queue++) {
            if (crew->lanes == LANES_MAX)
                return -EINVAL;
            crew->lane[crew->lanes++] = (struct crew_lane){.port = (uint8_t)port, .queue = (uint8_t)queue};
        }
    }
    return crew->lanes ? 0 : -EINVAL;
}

/* The thread on that core, hired if there is none yet. */
static struct crew_thread *thread_on(struct crew *crew, int core, uint8_t lane)
{
    for (uint32_t i = 0; i < crew->threads; i++)
        if (crew->thread[i].core == core)
            return &crew->thread[i];
    struct crew_thread *thread = &crew->thread[crew->threads++];
    *thread = (struct crew_thread){.core = core};
    snprintf(thread->name, sizeof thread->name, "fb-lane-%u", lane);
    return thread;
}

static void share_lanes(struct crew *crew, const struct site_server *server)
{
    struct crew_thread *decide = &crew->thread[crew->threads++];
    *decide = (struct crew_thread){.roles = HOT_DECIDE, .core = server->decide_core};
    for (uint32_t i = 0; i < crew->lanes; i++) {
        uint32_t cores = server->lane_cores;
        int core = cores ? server->lane_core[i % cores] : -1;
        struct crew_thread *thread = thread_on(crew, core, (uint8_t)i);
        thread->roles |= HOT_RECEIVE;
        thread->lanes |= 1U << i;
    }
    snprintf(decide->name, sizeof decide->name, "%s", decide->lanes ? "fb-hot" : "fb-decide");
}

static struct crew_thread *thread_of(struct crew *crew, uint32_t lane)
{
    uint32_t i = 0;
    while (!(crew->thread[i].lanes >> lane & 1))
        i++;
    return &crew->thread[i];
}

static void choose_sender(struct crew *crew)
{
    uint32_t hosts_port = crew->lane[crew->lanes - 1].port;
    bool found = false;
    for (uint32_t i = crew->lanes; i-- > 0 && crew->lane[i].port == hosts_port;) {
        bool decides = thread_of(crew, i) == &crew->thread[0];
        if (found && !decides)
            continue;
        crew->sending_lane = i;
        found = decides;
    }
    thread_of(crew, crew->sending_lane)->roles |= HOT_SEND;
}

static void find_roaming(struct crew *crew)
{
    for (uint32_t i = 1; i < crew->lanes; i++) {
        if (crew->lane[i].port != crew->lane[i - 1].port)
            continue;
        crew->roaming |= thread_of(crew, i) != thread_of(crew, i - 1);
        crew->look_again |= crew->threads > 1;
    }
}

int crew_make(struct crew *crew, const struct site_server *server)
{
    *crew = (struct crew){0};
    int error = number_lanes(crew, server);
    if (error)
        return error;
    share_lanes(crew, server);
    choose_sender(crew);
    find_roaming(crew);
    return 0;
}
