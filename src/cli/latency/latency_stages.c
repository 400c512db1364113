/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "cli/latency/latency_probes.h"
#include "stages.skel.h"

static int take_moment(void *user, void *data, size_t bytes)
{
    struct stages *stages = user;
    struct latency_moment what;
    if (bytes < sizeof what)
        return 0;
    memcpy(&what, data, sizeof what);
    moments_add(&stages->worst, &what);
    return 0;
}

static int arm(struct stages *stages, const struct target *target, const char *provider,
               char why[PROBES_WHY_BYTES])
{
    struct stages_bpf *object = stages->object;
    const struct probe_arming probe[] = {
        {object->progs.burst, &object->links.burst, "burst"},
        {object->progs.decoded, &object->links.decoded, "decoded"},
        {object->progs.decided, &object->links.decided, "decided"},
        {object->progs.sent, &object->links.sent, "sent"},
    };
    return probes_arm(probe, sizeof probe / sizeof probe[0], target->pid, target->program, provider, why);
}

int stages_open(struct stages *stages, const struct target *target, const char *provider,
                char why[PROBES_WHY_BYTES])
{
    *stages = (struct stages){.object = stages_bpf__open_and_load()};
    if (!stages->object) {
        int error = -errno;
        snprintf(why, PROBES_WHY_BYTES, "the kernel does not take the program for stages: %s",
                 strerror(-error));
        return error;
    }
    stages->object->data->floor_ns = 0;
    stages->object->bss->open = false;
    stages->moments = ring_buffer__new(bpf_map__fd(stages->object->maps.moments), take_moment, stages, NULL);
    int error = stages->moments ? arm(stages, target, provider, why) : -errno;
    if (error)
        stages_close(stages);
    return error;
}

void stages_read(const struct stages *stages, struct stages_seen *seen)
{
    const struct stages_bpf *object = stages->object;
    memcpy(seen->row, object->bss->rows, sizeof seen->row);
    seen->slots = object->bss->slots;
    seen->bursts = object->bss->bursts;
    seen->frames = object->bss->frames;
    seen->lost = object->bss->lost;
    seen->entry_ns = object->data->entry_ns;
}

void stages_poll(struct stages *stages)
{
    ring_buffer__consume(stages->moments);
    stages->object->data->floor_ns = moments_floor_ns(&stages->worst);
}

void stages_count(struct stages *stages, bool on)
{
    stages->object->bss->open = on;
}

void stages_close(struct stages *stages)
{
    ring_buffer__free(stages->moments);
    stages_bpf__destroy(stages->object);
    stages->object = NULL;
    stages->moments = NULL;
}
