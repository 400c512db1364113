/* SPDX-License-Identifier: Apache-2.0 */
/* Who runs against whom: a new contender is a row. */
#include "bench/loops/harness.h"

#define SIXTEEN "one datagram in, 16 of a lease's length out, "
#define ONE "one datagram in, one of a lease's length out, "
#define CUTS "a meter's reading in, the 16 leases of an emergency out: the whole loop, "

const struct kind kind_table[] = {
    {.name = "flyball-af_packet-auth", .what = CUTS "tags both ways", .path = "emergency",
     .driver = "af_packet", .load = "idle", .auth = true, .stand = STAND_AF_PACKET_AUTH,
     .block = block_emergency},
    {.name = "alternate-af_packet-auth", .what = SIXTEEN "from the loop's own port, exchange by exchange in "
     "turn with flyball-af_packet-auth", .path = "echo", .driver = "af_packet", .load = "idle",
     .stand = STAND_AF_PACKET_AUTH, .beside = "flyball-af_packet-auth"},
    {.name = "echo-af_packet", .what = SIXTEEN "the port driver alone", .path = "echo", .driver = "af_packet",
     .load = "idle", .stand = STAND_AF_PACKET_AUTH, .block = block_echo},
    {.name = "echo-blocking", .what = SIXTEEN "recv and sendmmsg", .path = "echo", .driver = "blocking",
     .load = "idle", .stand = STAND_NONE, .sockets = true, .job = sockets_blocking, .block = block_sockets},
    {.name = "echo-epoll", .what = SIXTEEN "epoll_wait, recv and sendmmsg", .path = "echo", .driver = "epoll",
     .load = "idle", .stand = STAND_NONE, .sockets = true, .job = sockets_epoll, .block = block_sockets},
    {.name = "echo-spin", .what = SIXTEEN "recvmmsg that never waits and sendmmsg", .path = "echo",
     .driver = "spin", .load = "idle", .stand = STAND_NONE, .sockets = true, .job = sockets_spin,
     .block = block_sockets},
    {.name = "echo-ring-spin", .what = SIXTEEN "io_uring (DEFER_TASKRUN) that spins", .path = "echo",
     .driver = "io_uring", .load = "idle", .stand = STAND_NONE, .sockets = true, .job = sockets_ring_spin,
     .block = block_sockets},
    {.name = "echo-ring-wait", .what = SIXTEEN "io_uring (DEFER_TASKRUN) that waits", .path = "echo",
     .driver = "io_uring", .load = "idle", .stand = STAND_NONE, .sockets = true, .job = sockets_ring_wait,
     .block = block_sockets},
    {.name = NULL},
};
