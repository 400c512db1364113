/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's stamps of the client's own socket: a frame handed to the interface, a frame taken from it.
 * What lies between is the same exchange without the client's system calls. */
#ifndef FLYBALL_BENCH_RTT_STAMP_H
#define FLYBALL_BENCH_RTT_STAMP_H

#include "bench/rtt_stand.h"

/* From now on, or no longer. False: this kernel has none. */
bool rtt_stamps(int socket, bool on);

/* Of what was sent, where the socket says so: takes all that wait; 0 = none did, or they have no stamp. */
int64_t rtt_newest_sent_ns(int socket);

/* As rtt_emergency and rtt_bare, with both ends of `side` by these stamps. False also where one is
 * missing. */
bool rtt_stamped_emergency(struct rtt_stand *stand, struct rtt_side *side, bool *raised);
bool rtt_stamped_bare(struct rtt_stand *stand, struct rtt_side *side);

#endif
