/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "cli/latency/latency_probes.h"
#include "noise.skel.h"

/* Loads one program of an object alone, to see whether the kernel takes it. */
static int try_alone(const char *name)
{
    struct noise_bpf *object = noise_bpf__open();
    struct bpf_program *program;
    if (!object)
        return -errno;
    bpf_object__for_each_program(program, object->obj)
        bpf_program__set_autoload(program, !strcmp(bpf_program__name(program), name));
    int error = noise_bpf__load(object);
    if (!error)
        error = noise_bpf__attach(object);
    noise_bpf__destroy(object);
    return error;
}

/* Of one half of a pair, what both begin with. */
static size_t stem_of(const char *name)
{
    const char *tail = strstr(name, "_entry") ? strstr(name, "_entry") : strstr(name, "_exit");
    return tail ? (size_t)(tail - name) : strlen(name);
}

/* A pair counts as a pair: an entry without its exit measures nothing. */
static bool is_lacking(const struct noise *noise, const char *name)
{
    for (uint32_t i = 0; i < noise->lacking_count; i++) {
        const char *other = noise->lacking[i].name;
        if (stem_of(other) == stem_of(name) && !strncmp(other, name, stem_of(name)))
            return true;
    }
    return false;
}

static void sift(struct noise *noise)
{
    struct bpf_program *program;
    bpf_object__for_each_program(program, noise->object->obj) {
        const char *name = bpf_program__name(program);
        int error = try_alone(name);
        if (!error || noise->lacking_count == PROBES_LACKING_MAX)
            continue;
        struct lacking *lacking = &noise->lacking[noise->lacking_count++];
        snprintf(lacking->name, sizeof lacking->name, "%s", name);
        lacking->error = error;
    }
}

static int take_theft(void *user, void *data, size_t bytes)
{
    struct noise *noise = user;
    struct theft_event event;
    if (bytes < sizeof event)
        return 0;
    memcpy(&event, data, sizeof event);
    thefts_add(&noise->thefts, &event);
    return 0;
}

static_assert((int)TARGET_THREADS_MAX == (int)LATENCY_THREADS, "the programs know of every thread");

static void tell_threads(struct noise *noise, const struct target *target)
{
    for (uint32_t i = 0; i < target->threads; i++) {
        uint32_t tid = (uint32_t)target->thread[i].tid;
        noise->object->rodata->threads[i] = tid;
        if (target->thread[i].core < LATENCY_CPUS)
            noise->object->rodata->thread_on[target->thread[i].core] = tid;
    }
}

static int load(struct noise *noise, const struct target *target, bool all)
{
    struct bpf_program *program;
    noise->object = noise_bpf__open();
    if (!noise->object)
        return -errno;
    tell_threads(noise, target);
    if (!all)
        sift(noise);
    uint32_t left = 0;
    bpf_object__for_each_program(program, noise->object->obj) {
        bool wanted = !is_lacking(noise, bpf_program__name(program));
        bpf_program__set_autoload(program, wanted);
        left += wanted;
    }
    int error = left ? noise_bpf__load(noise->object) : -ENOTSUP;
    if (!error)
        error = noise_bpf__attach(noise->object);
    if (error) {
        noise_bpf__destroy(noise->object);
        noise->object = NULL;
    }
    return error;
}

/* The number that the kernel gives its first namespace of processes (include/linux/proc_ns.h). */
#define FIRST_PID_NAMESPACE "pid:[4026531836]"

/* The programs see threads by their numbers there; /proc tells those of this process's own. */
static bool is_first_namespace(void)
{
    char here[64];
    ssize_t got = readlink("/proc/self/ns/pid", here, sizeof here);
    return got == sizeof FIRST_PID_NAMESPACE - 1 && !memcmp(here, FIRST_PID_NAMESPACE, (size_t)got);
}

int noise_open(struct noise *noise, const struct target *target, char why[PROBES_WHY_BYTES])
{
    memset(noise, 0, sizeof *noise);
    if (!is_first_namespace()) {
        snprintf(why, PROBES_WHY_BYTES, "in a container the kernel's programs know threads by other numbers: "
                 "run it on the host itself");
        return -ENOTSUP;
    }
    int error = load(noise, target, true);
    if (error)
        error = load(noise, target, false);
    if (!error) {
        int fd = bpf_map__fd(noise->object->maps.thefts);
        noise->events = ring_buffer__new(fd, take_theft, noise, NULL);
        error = noise->events ? 0 : -errno;
    }
    if (error) {
        snprintf(why, PROBES_WHY_BYTES, "the kernel takes no program for noise: %s", strerror(-error));
        noise_close(noise);
    }
    return error;
}

void noise_count(struct noise *noise, bool on)
{
    if (noise->object)
        noise->object->bss->open = on;
}

void noise_poll(struct noise *noise)
{
    if (noise->events)
        ring_buffer__consume(noise->events);
}

static int by_time(const void *left, const void *right)
{
    uint64_t a = ((const struct noise_row *)left)->sum.total_ns;
    uint64_t b = ((const struct noise_row *)right)->sum.total_ns;
    return (a < b) - (a > b);
}

void noise_read(const struct noise *noise, struct noise_seen *seen)
{
    memset(seen, 0, sizeof *seen);
    if (!noise->object)
        return;
    int fd = bpf_map__fd(noise->object->maps.sums);
    struct theft_key key, *last = NULL;
    while (seen->rows < LATENCY_CULPRITS && !bpf_map_get_next_key(fd, last, &key)) {
        struct noise_row *row = &seen->row[seen->rows];
        row->by = key;
        last = &row->by;
        if (!bpf_map_lookup_elem(fd, &key, &row->sum))
            seen->rows++;
        else
            break;
    }
    seen->lost = noise->object->bss->lost;
    seen->lost_culprits = noise->object->bss->lost_culprits;
    qsort(seen->row, seen->rows, sizeof seen->row[0], by_time);
}

void noise_close(struct noise *noise)
{
    ring_buffer__free(noise->events);
    noise_bpf__destroy(noise->object);
    noise->events = NULL;
    noise->object = NULL;
}
