/* SPDX-License-Identifier: Apache-2.0 */
/* Interfaces at which frames are seen on the other side of the cable, and the programs there. */
#ifndef FLYBALL_CLI_LATENCY_WIRE_H
#define FLYBALL_CLI_LATENCY_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/latency.h"
#include "cli/latency/latency_target.h"

enum { WIRES_MAX = 8, WIRE_PLACE_BYTES = 128, WIRE_WHY_BYTES = 240 };

struct wire_bpf;

struct wire {
    uint32_t places;
    struct wire_place {
        char text[WIRE_PLACE_BYTES];        /* [NAMESPACE:]INTERFACE */
        int in, out;                        /* descriptors of links; out -1 = what leaves here is not seen */
        int out_error;
    } place[WIRES_MAX];
    struct wire_bpf *object;
};

struct wire_seen {
    struct latency_row row[WIRE_ROW_COUNT];
    struct wire_counts counts;
};

/* 0; -EINVAL for too many, or a text that is too long. */
int wire_add(struct wire *wire, const char *text);

/* 0, or -errno and what it was about. What leaves by an interface is seen from Linux 6.6 on: where not, that
 * place has out_error, and the rest goes on. */
int wire_open(struct wire *wire, const struct target *target, const char *provider, char why[WIRE_WHY_BYTES]);
void wire_count(struct wire *wire, bool on);
void wire_read(const struct wire *wire, struct wire_seen *seen);
void wire_close(struct wire *wire);

#endif
