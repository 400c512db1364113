/* SPDX-License-Identifier: Apache-2.0 */
/* Who runs against whom: a new contender is a row. */
#include "bench/loops/harness.h"
#include "bench/loops/polling.h"

#define SIXTEEN "one datagram in, 16 of a lease's length out, "
#define ONE "one datagram in, one of a lease's length out, "
#define CUTS "a meter's reading in, the 16 leases of an emergency out: the whole loop, "
#define ANSWER "a host's report in, the lease that answers it out: the whole loop without an emergency, "

#define EMERGENCY(NAME, DRIVER, AUTH, STAND, WHAT) \
    {.name = NAME, .what = CUTS WHAT, .path = "emergency", .driver = DRIVER, .load = "idle", .auth = AUTH, \
     .stand = STAND, .block = block_emergency}
#define REPORT(NAME, DRIVER, AUTH, STAND, WHAT) \
    {.name = NAME, .what = ANSWER WHAT, .path = "tick", .driver = DRIVER, .load = "idle", .auth = AUTH, \
     .stand = STAND, .block = block_report}
#define USER(NAME, WHAT, BLOCK) \
    {.name = NAME, .what = WHAT, .path = "user", .driver = "blocking", .load = "idle", .auth = true, \
     .stand = STAND_USER, .block = BLOCK}
#define ECHO(NAME, DRIVER, STAND) \
    {.name = NAME, .what = SIXTEEN "the port driver alone", .path = "echo", .driver = DRIVER, \
     .load = "idle", .stand = STAND, .block = block_echo}
#define ECHO_ONE(NAME, DRIVER, STAND) \
    {.name = NAME, .what = ONE "the port driver alone", .path = "echo", .driver = DRIVER, .load = "idle", \
     .stand = STAND, .block = block_echo_one}
#define SOCKETS(NAME, DRIVER, JOB, WHAT) \
    {.name = NAME, .what = SIXTEEN WHAT, .path = "echo", .driver = DRIVER, .load = "idle", \
     .stand = STAND_NONE, .sockets = true, .job = JOB, .block = block_sockets}
#define SOCKETS_ONE(NAME, DRIVER, JOB, WHAT) \
    {.name = NAME, .what = ONE WHAT, .path = "echo", .driver = DRIVER, .load = "idle", \
     .stand = STAND_NONE, .sockets = true, .job = JOB, .block = block_sockets_one}

#define HOG(NAME, WHAT, PATH, DRIVER, AUTH, STAND, BLOCK) \
    {.name = NAME, .what = WHAT "; beside a process that computes on each of the two cores", .path = PATH, \
     .driver = DRIVER, .load = "idle", .auth = AUTH, .neighbour = true, .stand = STAND, .block = BLOCK}
#define LOAD(NAME, WHAT, PATH, TEXT, COUNT, AUTH, BLOCK) \
    {.name = NAME, .what = WHAT, .path = PATH, .driver = "af_packet", .load = TEXT, .auth = AUTH, \
     .count = COUNT, .stand = STAND_AF_PACKET_AUTH, .block = BLOCK}
#define PACED(NAME, WHAT, PATH, DRIVER, STAND, BLOCK) \
    {.name = NAME, .what = WHAT "; one every 4 ms", .path = PATH, .driver = DRIVER, .load = "rate 250", \
     .auth = true, .pause_us = 4000, .stand = STAND, .block = BLOCK}
#define STAMPED(NAME, WHAT, PATH, DRIVER, LOAD, PAUSE_US, ...) \
    {.name = NAME, .what = WHAT "; from frame to frame by the kernel's stamps of the client's socket", \
     .path = PATH, .driver = DRIVER, .load = LOAD, .pause_us = PAUSE_US, .stamped = true, \
     .block = block_stamped, __VA_ARGS__}
#define SEARCH(NAME, WHAT, PATH, DRIVER, AUTH, STAND) \
    {.name = NAME, .what = WHAT "an open loop at rising rates, the highest one held", .path = PATH, \
     .driver = DRIVER, .load = "saturated", .auth = AUTH, .search = true, .stand = STAND, \
     .block = block_saturation}
#define OPEN "each due at its moment: first and last from when it was sent, scheduled from when it was due"
#define AT_ONCE "48 back to back: first and last answer from the first send"

#define TAGS "tags both ways"
#define BARE "no tags"

const struct kind kind_table[] = {
    EMERGENCY("flyball-af_packet-auth", "af_packet", true, STAND_AF_PACKET_AUTH, TAGS),
    {.name = "alternate-af_packet-auth",
     .what = SIXTEEN "from the loop's own port, exchange by exchange in "
                     "turn with flyball-af_packet-auth",
     .path = "echo",
     .driver = "af_packet",
     .load = "idle",
     .stand = STAND_AF_PACKET_AUTH,
     .beside = "flyball-af_packet-auth"},
    ECHO("echo-af_packet", "af_packet", STAND_AF_PACKET_AUTH),
    USER("user-sockets", CUTS "the same core and the same tags behind a blocking recvfrom and one "
                              "sendto a lease", block_emergency),
    REPORT("flyball-af_packet-auth-report", "af_packet", true, STAND_AF_PACKET_AUTH, TAGS),
    ECHO_ONE("echo-af_packet-one", "af_packet", STAND_AF_PACKET_AUTH),
    USER("user-sockets-report", ANSWER "the same core and the same tags behind a blocking "
                                       "recvfrom and sendto", block_report),
    SOCKETS("echo-blocking", "blocking", sockets_blocking, "recv that waits and sendmmsg"),
    SOCKETS_ONE("echo-blocking-one", "blocking", sockets_blocking, "recv that waits and sendmmsg"),
    SOCKETS("echo-epoll", "epoll", sockets_epoll, "epoll_wait, recv and sendmmsg"),
    SOCKETS("echo-spin", "spin", sockets_spin, "recvmmsg that never waits and sendmmsg"),
    SOCKETS_ONE("echo-spin-one", "spin", sockets_spin, "recvmmsg that never waits and sendmmsg"),
    SOCKETS("echo-ring-spin", "io_uring", sockets_ring_spin, "io_uring (DEFER_TASKRUN) that spins"),
    SOCKETS("echo-ring-wait", "io_uring", sockets_ring_wait, "io_uring (DEFER_TASKRUN) that waits"),
    EMERGENCY("flyball-af_packet", "af_packet", false, STAND_AF_PACKET, BARE),
    EMERGENCY("flyball-af_xdp-auth", "af_xdp", true, STAND_AF_XDP_AUTH, TAGS),
    ECHO("echo-af_xdp", "af_xdp", STAND_AF_XDP_AUTH),
    EMERGENCY("flyball-uring-auth", "uring", true, STAND_URING_AUTH, TAGS),
    ECHO("echo-uring", "uring", STAND_URING_AUTH),
    {.name = "flyball-af_packet-auth-armed",
     .what = CUTS TAGS "; flyball latency watches: every probe armed",
     .path = "emergency",
     .driver = "af_packet",
     .load = "idle",
     .auth = true,
     .probes = true,
     .stand = STAND_AF_PACKET_AUTH,
     .block = block_armed},
    {.name = "alternate-af_packet-auth-armed",
     .what = SIXTEEN "in turn with flyball-af_packet-auth-armed",
     .path = "echo",
     .driver = "af_packet",
     .load = "idle",
     .stand = STAND_AF_PACKET_AUTH,
     .beside = "flyball-af_packet-auth-armed"},
    {.name = "flyball-af_packet-auth-detached",
     .what = CUTS TAGS "; right after the probes were disarmed",
     .path = "emergency",
     .driver = "af_packet",
     .load = "idle",
     .auth = true,
     .stand = STAND_AF_PACKET_AUTH,
     .after = "flyball-af_packet-auth-armed"},
    {.name = "alternate-af_packet-auth-detached",
     .what = SIXTEEN "in turn with flyball-af_packet-auth-detached",
     .path = "echo",
     .driver = "af_packet",
     .load = "idle",
     .stand = STAND_AF_PACKET_AUTH,
     .beside = "flyball-af_packet-auth-detached"},
    {.name = "user-polling",
     .what = "a meter's reading in, 16 caps written: a loop that looks once a second and "
             "starts a process for each cap, ordinary scheduling; a sample a block",
     .path = "user",
     .driver = "polling",
     .load = "idle",
     .stand = STAND_NONE,
     .sockets = true,
     .seldom = true,
     .block = block_polling},
    PACED("flyball-af_packet-auth-paced", CUTS TAGS, "emergency", "af_packet", STAND_AF_PACKET_AUTH,
          block_emergency),
    PACED("user-sockets-paced", CUTS "the same core and the same tags behind a blocking recvfrom", "user",
          "blocking", STAND_USER, block_emergency),
    PACED("flyball-af_packet-auth-report-paced", ANSWER TAGS, "tick", "af_packet", STAND_AF_PACKET_AUTH,
          block_report),
    PACED("user-sockets-report-paced", ANSWER "the same core and the same tags behind a blocking recvfrom",
          "user", "blocking", STAND_USER, block_report),
    STAMPED("flyball-af_packet-auth-wire", CUTS TAGS, "emergency", "af_packet", "idle", 0,
            .auth = true, .stand = STAND_AF_PACKET_AUTH),
    STAMPED("user-sockets-wire", CUTS "the same core and the same tags behind a blocking recvfrom", "user",
            "blocking", "idle", 0,
            .auth = true, .stand = STAND_USER),
    STAMPED("echo-af_packet-wire", SIXTEEN "the port driver alone", "echo", "af_packet", "idle", 0,
            .stand = STAND_AF_PACKET_AUTH),
    STAMPED("echo-blocking-wire", SIXTEEN "recv that waits and sendmmsg", "echo", "blocking", "idle", 0,
            .stand = STAND_NONE, .sockets = true, .job = sockets_blocking),
    STAMPED("flyball-af_packet-auth-wire-paced", CUTS TAGS "; one every 4 ms", "emergency", "af_packet",
            "rate 250", 4000,
            .auth = true, .stand = STAND_AF_PACKET_AUTH),
    STAMPED("user-sockets-wire-paced", CUTS "the same core and the same tags behind a blocking recvfrom; one "
            "every 4 ms", "user", "blocking", "rate 250", 4000,
            .auth = true, .stand = STAND_USER),
    HOG("flyball-af_packet-auth-hog", CUTS TAGS, "emergency", "af_packet", true, STAND_AF_PACKET_AUTH,
        block_emergency),
    HOG("echo-af_packet-hog", SIXTEEN "the port driver alone", "echo", "af_packet", false,
        STAND_AF_PACKET_AUTH, block_echo),
    HOG("user-sockets-hog", CUTS "the same core and the same tags behind a blocking recvfrom", "user",
        "blocking", true, STAND_USER, block_emergency),
    LOAD("flyball-rate-2000", ANSWER OPEN, "tick", "rate 2000", 2000, true, block_open_loop),
    LOAD("echo-rate-2000", ONE OPEN, "echo", "rate 2000", 2000, false, block_open_loop),
    LOAD("flyball-rate-20000", ANSWER OPEN, "tick", "rate 20000", 20000, true, block_open_loop),
    LOAD("echo-rate-20000", ONE OPEN, "echo", "rate 20000", 20000, false, block_open_loop),
    LOAD("flyball-rate-60000", ANSWER OPEN, "tick", "rate 60000", 60000, true, block_open_loop),
    LOAD("echo-rate-60000", ONE OPEN, "echo", "rate 60000", 60000, false, block_open_loop),
    LOAD("flyball-burst-48", ANSWER AT_ONCE, "tick", "burst 48", 48, true, block_burst),
    LOAD("echo-burst-48", ONE AT_ONCE, "echo", "burst 48", 48, false, block_burst),
    SEARCH("saturation-echo-af_packet", ONE, "echo", "af_packet", false, STAND_AF_PACKET_AUTH),
    SEARCH("saturation-flyball-af_packet-auth-report", ANSWER TAGS "; ", "tick", "af_packet", true,
           STAND_AF_PACKET_AUTH),
    SEARCH("saturation-user-sockets-report", ANSWER "the same core and the same tags behind a blocking "
           "recvfrom; ", "user", "blocking", true, STAND_USER),
    {.name = NULL},
};
