/* SPDX-License-Identifier: Apache-2.0 */
/* Packets of many meters in their order, each when its last sample has been taken. */
#ifndef FLYBALL_CLI_METER_RUN_H
#define FLYBALL_CLI_METER_RUN_H

#include "cli/meter/meter_link.h"
#include "cli/meter/meter_pack.h"
#include "cli/meter/meter_source.h"

struct meter_run {
    struct meter_pack *pack;
    struct meter_source source;
    struct meter_link *link;
    double seconds;             /* 0: until it is ended */
    uint64_t count;             /* packets of data of each meter; 0: as long as it takes */
    bool paced;                 /* else as fast as it goes */
    int64_t start_ns;           /* Unix; 0: now */
    /* what became of it */
    uint64_t blocks, sent, late;
    int64_t latest_ns;          /* how late the latest was */
    int64_t took_ns;
};

/* Sent so much later than its last sample: a packet is late. */
#define METER_LATE_NS NS_PER_MS

/* any: until the end, SIGINT or SIGTERM. 0, or -errno: of the source, or of a capture that cannot be written
 * any more (link->error). */
int meter_run(struct meter_run *run);

#endif
