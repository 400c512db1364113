/* SPDX-License-Identifier: Apache-2.0 */
/* What every host would draw if nothing held it: a function of time
 * and seed only, so every mode meets the same. */
#ifndef FLYBALL_SIM_PROFILE_H
#define FLYBALL_SIM_PROFILE_H

#include <stdbool.h>

#include "sim/random.h"
#include "sim/workload.h"

/* What a fault makes of a host's demand. */
enum profile_bend { BEND_NONE, BEND_ALL, BEND_PULSE, BEND_TENTH };

struct profile_host {
    struct random random;       /* when its jobs come and go */
    struct random dither;       /* its noise */
    double phys_max_w;
    double level;               /* fraction of phys_max without noise */
    double noise;               /* factor */
    int64_t until_ns;           /* `level` stands until then */
    /* inference, finetune: the next change between quiet or low and burst or high; queries: between one
     * number of them and another */
    int64_t turns_ns;
    bool bursting;
    uint32_t queries;           /* there now */
    double base_w;              /* what no cap governs */
    uint32_t rank;              /* among the hosts of its class */
    uint8_t bend;               /* enum profile_bend */
    int64_t pulse_ns;           /* of BEND_PULSE */
    uint32_t cursor;            /* trace: where it reads */
};

struct profile {
    const struct workload *workload;
    uint32_t host_count;
    struct profile_host *host;
    double *watts;              /* by host, after profile_step */
    int64_t noise_ns, next_ns;  /* noise is redrawn then; nothing changes before */
};

/* setup: 0 or -ENOMEM. */
int profile_init(struct profile *profile, const struct workload *workload, const struct model *model);
void profile_finish(struct profile *profile);

/* any: fills watts for time t_ns since the start; t_ns must not fall. False: they are what they were. */
bool profile_step(struct profile *profile, int64_t t_ns);

/* any: from the next step on, in place of what the class wants. A pulse: all for half of pulse_ns, a tenth
 * for the other half, counted from time 0, so all hosts are in step. */
void profile_bend(struct profile *profile, uint32_t host, enum profile_bend bend, int64_t pulse_ns);

/* A job's next rise of demand that it knows of. */
struct profile_rise {
    int64_t at_ns, for_ns;      /* when it begins, and until it is over */
    double watts;               /* at its height */
};

/* any: the first after t_ns; false where the host's class knows none. */
bool profile_next_rise(const struct profile *profile, uint32_t host, int64_t t_ns, struct profile_rise *rise);

#endif
