/* SPDX-License-Identifier: Apache-2.0 */
/* Round trips to every host of a site, by whatever way echo requests leave. */
#ifndef FLYBALL_CLI_TUNE_PATH_H
#define FLYBALL_CLI_TUNE_PATH_H

#include "cli/tune/tune.h"

enum { PATH_ROUNDS_MAX = 20 };

/* How requests leave and answers come. `send`: 0, or -errno when this one could not leave. `receive`: true
 * and an answer with the time at which it was found, false when nothing waits; never blocks. `turn`: what
 * the way has to do between (ARP); NULL = nothing. */
struct path_way {
    void *way;
    int (*send)(void *way, uint32_t host, uint16_t round);
    bool (*receive)(void *way, uint32_t *ipv4, uint16_t *round, int64_t *t_ns);
    void (*turn)(void *way);
};

/* setup: asks every host in turn, as often as span_ns allows, at most PATH_ROUNDS_MAX times; the last answers
 * are waited for. 0 or -errno. */
int path_measure(const struct site *site, const struct path_way *way, int64_t span_ns,
                 struct measured_path *out);

/* setup: the way through the kernel: a ping socket, or a raw one where that is not permitted. 0 or -errno. */
int path_by_kernel(const struct site *site, int64_t span_ns, struct measured_path *out);

#endif
