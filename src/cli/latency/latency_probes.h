/* SPDX-License-Identifier: Apache-2.0 */
/* The programs in the kernel: loaded, attached, read, taken away. They leave with this process, however it
 * ends. */
#ifndef FLYBALL_CLI_LATENCY_PROBES_H
#define FLYBALL_CLI_LATENCY_PROBES_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/latency/latency_moment.h"
#include "cli/latency/latency_target.h"

enum { PROBES_LACKING_MAX = 24, PROBES_NAME_BYTES = 32, PROBES_WHY_BYTES = 160 };

/* A program that this kernel does not take, and why. */
struct lacking {
    char name[PROBES_NAME_BYTES];
    int error;
};

struct bpf_program;
struct bpf_link;

struct probe_arming {
    struct bpf_program *program;
    struct bpf_link **link;
    const char *name;
};

/* Arms probes of process `pid` and its `program`, one after the other. 0, or -errno and which one could not
 * be. */
int probes_arm(const struct probe_arming *arming, size_t count, pid_t pid, const char *program,
               const char *provider, char why[PROBES_WHY_BYTES]);

/* ---- stages ---- */

struct stages_bpf;
struct ring_buffer;

struct stages {
    struct stages_bpf *object;
    struct ring_buffer *moments;
    struct moments worst;
};

/* What was seen so far. */
struct stages_seen {
    struct latency_row row[LATENCY_STAGE_COUNT];
    uint64_t slots, bursts, frames, lost, entry_ns;
};

/* 0, or -errno and which probe it was about. */
int stages_open(struct stages *stages, const struct target *target, const char *provider,
                char why[PROBES_WHY_BYTES]);
void stages_read(const struct stages *stages, struct stages_seen *seen);

/* Takes in what was told since, and asks for nothing shorter than the least of the worst from then on. */
void stages_poll(struct stages *stages);

/* What passes counts from then on, or no longer: arming takes time for each probe, this none. */
void stages_count(struct stages *stages, bool on);
void stages_close(struct stages *stages);

/* ---- noise ---- */

struct noise_bpf;

struct noise {
    struct noise_bpf *object;
    struct ring_buffer *events;
    struct thefts thefts;
    uint32_t lacking_count;
    struct lacking lacking[PROBES_LACKING_MAX];
};

struct noise_row {
    struct theft_key by;
    struct theft_sum sum;
};

struct noise_seen {
    uint64_t lost, lost_culprits;
    uint32_t rows;
    struct noise_row row[LATENCY_CULPRITS];   /* most time first */
};

int noise_open(struct noise *noise, const struct target *target, char why[PROBES_WHY_BYTES]);
void noise_count(struct noise *noise, bool on);
void noise_poll(struct noise *noise);
void noise_read(const struct noise *noise, struct noise_seen *seen);
void noise_close(struct noise *noise);

#endif
