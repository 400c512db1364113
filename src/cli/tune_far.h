/* SPDX-License-Identifier: Apache-2.0 */
/* The far side of ports in memory: makes the frames of a site's meters and hosts, and obeys the leases. */
#ifndef FLYBALL_CLI_TUNE_FAR_H
#define FLYBALL_CLI_TUNE_FAR_H

#include "loop/loop.h"

struct tune_far {
    const struct site *site;
    const struct loop *loop;
    struct port port[PORTS_MAX];    /* [0] meters, [ports - 1] hosts */
    uint32_t ports;
    struct report *report;          /* by host: the newest one sent */
    uint64_t sequence;              /* of the newest frame, for all senders */
    uint64_t leases;                /* obeyed */
};

/* setup: opens the far ends of the loop's ports. 0 or -errno. */
int tune_far_open(struct tune_far *far, const struct site *site, const struct loop *loop);
void tune_far_close(struct tune_far *far);

/* setup: one frame into the port; false when it did not fit. A reading is `load_ppm` of what its node carries
 * for long, balanced over its phases. */
bool tune_far_reading(struct tune_far *far, uint32_t meter, int64_t load_ppm);
bool tune_far_report(struct tune_far *far, uint32_t host);

/* setup: takes every lease that has arrived; hosts apply them at once. */
void tune_far_obey(struct tune_far *far);

#endif
