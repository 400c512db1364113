/* SPDX-License-Identifier: Apache-2.0 */
/* A plant with its hosts and meters and nobody else: faults are put on it by name, leases by hand. */
#ifndef FLYBALL_TESTS_FAULT_BENCH_H
#define FLYBALL_TESTS_FAULT_BENCH_H

#include "msg/upmu.h"
#include "sim/plant_fault.h"
#include "sim/station_fault.h"
#include "tiny_site.h"

/* The tiny demo: hosts 0 to 9 on the first rack, under branch 1, under the main, 0. */
enum { BENCH_MAIN, BENCH_BRANCH, BENCH_BRANCH_B, BENCH_RACK, BENCH_FRAMES_MAX = 4096 };

struct bench_frame {
    int64_t t_ns;               /* when it left */
    struct upmu upmu;
};

struct bench {
    struct model model;
    struct workload workload;
    struct plant plant;
    struct station station;
    uint32_t watched;           /* meter whose frames are kept */
    struct bench_frame frame[BENCH_FRAMES_MAX];
    uint32_t frames;
    struct report last[60];     /* by host */
    int64_t last_ns[60];
    uint32_t reports[60];
    uint64_t lease_sequence;
};

/* All hosts want `draw` of what they can, for ever, without noise. The meter of the branch is watched. */
struct bench *bench_start(double draw);
void bench_finish(struct bench *bench);

void bench_run(struct bench *bench, int64_t until_ms);

/* "stick h-000 for 2s" without its time: it begins or ends now. */
void bench_fault(struct bench *bench, const char *text, bool begins);

/* A lease that answers the host's newest report. */
void bench_lease(struct bench *bench, uint32_t host, int64_t cap_w, int64_t duration_ms);

/* The same that lets it go. */
void bench_let_go(struct bench *bench, uint32_t host, int64_t cap_w);

double bench_volts(const struct bench *bench, uint32_t node);
double bench_amperes(const struct bench *bench, uint32_t node);

#endif
