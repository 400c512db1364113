/* SPDX-License-Identifier: Apache-2.0 */
/* The plant's side of the network: what meters and hosts say, and what hosts do with
 * the leases they hear. The same for virtual time and for real sockets: frames go out
 * through a callback and come in through a call. */
#ifndef FLYBALL_SIM_STATION_H
#define FLYBALL_SIM_STATION_H

#include "core/holder.h"
#include "sim/asking.h"
#include "sim/plant.h"

enum station_sender { STATION_METER, STATION_HOST };

/* `index`: of the meter or the host that sends. */
typedef void station_emit(void *user, enum station_sender sender, uint32_t index, const uint8_t *data,
                          uint32_t bytes);

struct station {
    struct plant *plant;
    struct holder *holder;      /* by host */
    bool *at_cap;               /* by host: the cap holds its draw down */
    struct asking *asking;      /* by host */
    bool *dark;                 /* by host: without power */
    uint64_t *host_sequence, *meter_sequence;
    int64_t realtime_ns;        /* UTC at plant time 0 */
};

/* setup: hosts boot at plant time 0. Frame sequences start at the present
 * UTC, so that they ascend over restarts. 0 or -ENOMEM. */
int station_init(struct station *station, struct plant *plant, int64_t realtime_ns);
void station_finish(struct station *station);

/* any: after every plant_step: write receipts, deadlines, new
 * writes, reports and meter frames that are due. */
void station_step(struct station *station, station_emit *emit, void *user);

/* any: a datagram that reached this host's address at plant time t_ns. */
void station_receive(struct station *station, uint32_t host, const uint8_t *data, uint32_t bytes,
                     int64_t t_ns);

#endif
