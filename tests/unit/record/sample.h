/* SPDX-License-Identifier: Apache-2.0 */
/* A small site and slots that differ by number, for journal tests. */
#ifndef FLYBALL_TESTS_RECORD_SAMPLE_H
#define FLYBALL_TESTS_RECORD_SAMPLE_H

#include "record/journal.h"

enum { SAMPLE_NODES = 3, SAMPLE_HOSTS = 2, SAMPLE_CURVES = 2 };

struct sample {
    struct model model;
    struct model_node node[SAMPLE_NODES];
    struct model_host host[SAMPLE_HOSTS];
    struct model_host_type type;
    struct model_meter meter;
    struct breaker_curve curve[SAMPLE_CURVES];
    struct journal_start start;
};

void sample_init(struct sample *sample);

/* The slot of that sequence: every byte of it follows from seed and sequence. */
void sample_slot(struct slot *slot, uint64_t seed, uint64_t sequence);

/* A path that does not exist, in the temporary directory; removed first. */
void sample_path(char *path, size_t bytes, const char *name);

/* A new journal of the sample's site; NULL when it cannot be made. */
struct journal_writer *sample_create(struct sample *sample, const char *path);

/* Appends first..last, flushing now and then; a dropped slot is offered again until the disk has caught
 * up. */
void sample_append(struct journal_writer *writer, uint64_t seed, uint64_t first, uint64_t last,
                   uint64_t flush_every);

/* What a read from start to end found. */
struct sample_read {
    uint64_t slots;         /* read before the end or the damage */
    uint64_t wrong;         /* of these, other than sample_slot gives for 1, 2, 3 ... */
    uint64_t dropped;       /* as the journal tells it */
    int result;             /* 0 at the end, -errno */
    char error[200];
};
void sample_read_all(struct sample_read *read, const char *path, uint64_t seed);

#endif
