/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For information, not a gate: what a received frame costs and how long a bare echo takes on a kernel driver
 * over a veth pair. `port_echo DRIVER [SECONDS]`. A raw kernel socket in the namespace asks, spinning; the
 * port answers, spinning.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "port_far_end.h"

enum { SKIP = 77, FRAME_BYTES = 200, ROUNDS_MAX = 200000, BACKLOG = 2000, BATCHES = 10 };

struct echo {
    struct port port;
    struct far_end far;
    int core;
    _Atomic bool stop;
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void pin(int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((unsigned)core, &set);
    (void)sched_setaffinity(0, sizeof set, &set);
}

/* Sender and receiver change places; sums over both stay what they are. */
static void turn_round(const struct echo *echo, uint8_t *frame)
{
    uint8_t ipv4[4], port[2];
    memcpy(frame, echo->far.mac, 6);
    memcpy(frame + 6, echo->port.mac, 6);
    if (!far_end_carries_datagrams(&echo->far))
        return;
    memcpy(ipv4, frame + 26, sizeof ipv4);
    memcpy(frame + 26, frame + 30, sizeof ipv4);
    memcpy(frame + 30, ipv4, sizeof ipv4);
    memcpy(port, frame + 34, sizeof port);
    memcpy(frame + 34, frame + 36, sizeof port);
    memcpy(frame + 36, port, sizeof port);
}

static void *answer(void *argument)
{
    struct echo *echo = argument;
    pin(echo->core);
    if (port_attach(&echo->port, 0))
        return NULL;
    while (!atomic_load_explicit(&echo->stop, memory_order_relaxed)) {
        struct port_frame frame[BURST_MAX];
        uint32_t got = port_receive(&echo->port, 0, frame, BURST_MAX);
        for (uint32_t i = 0; i < got; i++)
            turn_round(echo, frame[i].data);
        if (got)
            port_send(&echo->port, 0, frame, got);
    }
    return NULL;
}

static void make_question(const struct echo *echo, uint8_t *frame)
{
    memset(frame, 0, FRAME_BYTES);
    memcpy(frame, echo->port.mac, 6);
    memcpy(frame + 6, echo->far.mac, 6);
    frame[12] = TEST_ETHERTYPE >> 8;
    frame[13] = TEST_ETHERTYPE & 0xFF;
}

/* -1 when no answer came within 100 ms. */
static int64_t ask(struct echo *echo)
{
    uint8_t frame[FRAME_ROOM];
    while (recv(echo->far.fd, frame, sizeof frame, MSG_DONTWAIT) >= 0)
        ;       /* late answers to earlier questions */
    make_question(echo, frame);
    int64_t start = now_ns();
    far_end_send(&echo->far, frame, FRAME_BYTES);
    while (recv(echo->far.fd, frame, sizeof frame, MSG_DONTWAIT) < 0)
        if (now_ns() - start > 100 * NS_PER_MS)
            return -1;
    return now_ns() - start;
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int measure_round_trips(struct echo *echo, int64_t duration_ns, const char *driver)
{
    static int64_t rtt_ns[ROUNDS_MAX];
    pthread_t thread;
    uint32_t count = 0, silent = 0;
    if (pthread_create(&thread, NULL, answer, echo))
        return -1;
    usleep(20000);
    pin(0);
    for (int64_t end = now_ns() + duration_ns; count < ROUNDS_MAX && now_ns() < end;) {
        rtt_ns[count] = ask(echo);
        silent += rtt_ns[count] < 0;
        count += rtt_ns[count] >= 0;
    }
    atomic_store(&echo->stop, true);
    pthread_join(thread, NULL);
    qsort(rtt_ns, count, sizeof rtt_ns[0], ascending);
    if (!count)
        return -1;
    if (silent)
        printf("%s: %u questions had no answer within 100 ms\n", driver, silent);
    const uint64_t n = count;
    printf("%s: bare echo of %d bytes, n=%u: p50 %.2f us, p99 %.2f us, p99.9 %.2f us\n", driver, FRAME_BYTES,
           count, (double)rtt_ns[n / 2] / 1e3, (double)rtt_ns[n * 99 / 100] / 1e3,
           (double)rtt_ns[n * 999 / 1000] / 1e3);
    return 0;
}

/* Fills the ring, then takes it empty: the time of that over the frames, the least of a few goes. */
static int measure_receive(struct echo *echo, const char *driver)
{
    uint8_t frame[FRAME_BYTES];
    double best_ns = 1e9;
    if (port_attach(&echo->port, 0))
        return -1;
    make_question(echo, frame);
    for (int batch = 0; batch < BATCHES; batch++) {
        for (int i = 0; i < BACKLOG; i++)
            far_end_send(&echo->far, frame, FRAME_BYTES);
        struct port_frame burst[BURST_MAX];
        uint32_t got = 0, more;
        int64_t start = now_ns();
        while ((more = port_receive(&echo->port, 0, burst, BURST_MAX)) != 0)
            got += more;
        double each_ns = got ? (double)(now_ns() - start) / got : best_ns;
        best_ns = each_ns < best_ns ? each_ns : best_ns;
    }
    printf("%s: receive costs %.0f ns a frame of %d bytes (best of %d times %d frames)\n", driver, best_ns,
           FRAME_BYTES, BATCHES, BACKLOG);
    return best_ns < 1e9 ? 0 : -1;
}

static int measure(struct echo *echo, const char *driver, int64_t duration_ns)
{
    struct port_config config = {.driver = driver,
                                 .mtu = 1500,
                                 .ring_frames = 32768,
                                 .queues = 1,
                                 .memory_mib = 128,
                                 .housekeeping_core = -1};
    far_end_configure(&echo->far, 0, &config);
    int rc = port_open(&echo->port, &config);
    if (rc) {
        fprintf(stderr, "%s\n", echo->port.error);
        return rc;
    }
    rc = far_end_open(&echo->far, &config);
    if (!rc)
        rc = measure_receive(echo, driver);
    if (!rc)
        rc = measure_round_trips(echo, duration_ns, driver);
    far_end_close(&echo->far);
    port_close(&echo->port);
    return rc;
}

int main(int argc, char **argv)
{
    struct echo echo = {.core = sysconf(_SC_NPROCESSORS_ONLN) > 1};
    const char *driver = argc > 1 ? argv[1] : "af_packet";
    int64_t duration_ns = (argc > 2 ? atoi(argv[2]) : 1) * NS_PER_S;
    if (geteuid() || !far_end_needs_root(driver)) {
        puts("skipped: needs root and a kernel driver");
        return SKIP;
    }
    int rc = far_end_make(&echo.far, driver, 1500, false);
    if (!rc)
        rc = measure(&echo, driver, duration_ns);
    far_end_unmake(&echo.far);
    return rc ? 1 : 0;
}
