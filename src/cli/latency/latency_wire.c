/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/latency/latency_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "cli/latency/latency_probes.h"
#include "wire.skel.h"

/* Of linux/bpf.h from 6.6 on: links at an interface that go with the process that made them. */
#define ATTACH_INGRESS ((enum bpf_attach_type)46)
#define ATTACH_EGRESS ((enum bpf_attach_type)47)

int wire_add(struct wire *wire, const char *text)
{
    if (wire->places == WIRES_MAX || strlen(text) >= WIRE_PLACE_BYTES || !*text)
        return -EINVAL;
    struct wire_place *place = &wire->place[wire->places++];
    *place = (struct wire_place){.in = -1, .out = -1};
    snprintf(place->text, sizeof place->text, "%s", text);
    return 0;
}

static int enter(const char *name, size_t bytes)
{
    char path[WIRE_PLACE_BYTES + 16];
    snprintf(path, sizeof path, "/run/netns/%.*s", (int)bytes, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int error = setns(fd, CLONE_NEWNET) ? -errno : 0;
    close(fd);
    return error;
}

/* By a link at the interface's ingress where there is one (Linux 6.6): XDP's generic form copies what has too
 * little room before it, and its native form changes how a veth hands frames on: by NAPI, which nobody may
 * ever run behind a sender that spins in real time. */
static int attach_in(const struct wire *wire, int index)
{
    const struct bpf_link_create_opts generic = {.sz = sizeof generic, .flags = XDP_FLAGS_SKB_MODE};
    int in = bpf_link_create(bpf_program__fd(wire->object->progs.wire_pass), index, ATTACH_INGRESS, NULL);
    if (in >= 0)
        return in;
    return bpf_link_create(bpf_program__fd(wire->object->progs.wire_in), index, BPF_XDP, &generic);
}

static int attach_here(struct wire *wire, struct wire_place *place, const char *interface)
{
    int index = (int)if_nametoindex(interface);
    if (!index)
        return -errno;
    int in = attach_in(wire, index);
    if (in < 0)
        return in;
    place->in = in;
    place->out = bpf_link_create(bpf_program__fd(wire->object->progs.wire_pass), index, ATTACH_EGRESS, NULL);
    place->out_error = place->out < 0 ? place->out : 0;
    return 0;
}

static int attach(struct wire *wire, struct wire_place *place)
{
    const char *colon = strrchr(place->text, ':');
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (home < 0)
        return -errno;
    int error = colon ? enter(place->text, (size_t)(colon - place->text)) : 0;
    if (!error)
        error = attach_here(wire, place, colon ? colon + 1 : place->text);
    if (colon && setns(home, CLONE_NEWNET) && !error)
        error = -errno;
    close(home);
    return error;
}

static_assert((int)WIRE_WHY_BYTES >= (int)PROBES_WHY_BYTES, "one buffer takes either");

static int arm(struct wire *wire, const struct target *target, const char *provider, char why[WIRE_WHY_BYTES])
{
    struct wire_bpf *object = wire->object;
    const struct probe_arming probe[] = {
        {object->progs.decoded, &object->links.decoded, "decoded"},
        {object->progs.decided, &object->links.decided, "decided"},
        {object->progs.framed, &object->links.framed, "framed"},
    };
    return probes_arm(probe, sizeof probe / sizeof probe[0], target->pid, target->program, provider, why);
}

int wire_open(struct wire *wire, const struct target *target, const char *provider, char why[WIRE_WHY_BYTES])
{
    wire->object = wire_bpf__open_and_load();
    if (!wire->object) {
        int error = -errno;
        snprintf(why, WIRE_WHY_BYTES, "the kernel does not take the program for the wire: %s",
                 strerror(-error));
        return error;
    }
    int error = arm(wire, target, provider, why);
    for (uint32_t i = 0; i < wire->places && !error; i++) {
        error = attach(wire, &wire->place[i]);
        if (error)
            snprintf(why, WIRE_WHY_BYTES, "--wire %s: %s", wire->place[i].text, strerror(-error));
    }
    if (error)
        wire_close(wire);
    return error;
}

void wire_count(struct wire *wire, bool on)
{
    if (wire->object)
        wire->object->bss->open = on;
}

void wire_read(const struct wire *wire, struct wire_seen *seen)
{
    memset(seen, 0, sizeof *seen);
    if (!wire->object)
        return;
    memcpy(seen->row, wire->object->bss->rows, sizeof seen->row);
    seen->counts = wire->object->bss->counts;
}

void wire_close(struct wire *wire)
{
    for (uint32_t i = 0; i < wire->places; i++) {
        struct wire_place *place = &wire->place[i];
        if (place->in > 0)
            close(place->in);
        if (place->out > 0)
            close(place->out);
        place->in = place->out = -1;
    }
    wire_bpf__destroy(wire->object);
    wire->object = NULL;
}
