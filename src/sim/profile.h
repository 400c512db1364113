/* SPDX-License-Identifier: Apache-2.0 */
/* What every host would draw if nothing held it: a function of time
 * and seed only, so every mode meets the same. */
#ifndef FLYBALL_SIM_PROFILE_H
#define FLYBALL_SIM_PROFILE_H

#include <stdbool.h>

#include "sim/random.h"
#include "sim/workload.h"

struct profile_host {
    struct random random;
    double phys_max_w;
    double level;               /* fraction of phys_max without noise */
    double noise;               /* factor */
    int64_t next_noise_ns;
    int64_t turns_ns;           /* inference: the next change between quiet and burst */
    bool bursting;
    uint32_t rank;              /* among the hosts of its class */
};

struct profile {
    const struct workload *workload;
    uint32_t host_count;
    struct profile_host *host;
    double *watts;              /* by host, after profile_step */
};

/* setup: 0 or -ENOMEM. */
int profile_init(struct profile *profile, const struct workload *workload, const struct model *model);
void profile_finish(struct profile *profile);

/* any: fills watts for time t_ns since the start; t_ns must not fall. */
void profile_step(struct profile *profile, int64_t t_ns);

/* A job's next rise of demand that it knows of. */
struct profile_rise {
    int64_t at_ns, for_ns;      /* when it begins, and until it is over */
    double watts;               /* at its height */
};

/* any: the first after t_ns; false where the host's class knows none. */
bool profile_next_rise(const struct profile *profile, uint32_t host, int64_t t_ns, struct profile_rise *rise);

#endif
