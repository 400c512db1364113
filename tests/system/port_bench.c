/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "port_bench.h"

#include <cmocka.h>

static void make_datagram(const struct bench *bench, enum direction direction, uint8_t *frame,
                          uint32_t length)
{
    struct endpoint near = bench->far.near[0];
    memcpy(near.mac, bench->port.mac, 6);
    if (direction == TO_PORT)       /* the kernel has checked the sums and they are not made again */
        wrap_datagram(frame, &bench->far.own, &near, length - UDP_HEADERS, PORT_FILLS_SUMS);
    else
        wrap_datagram(frame, &near, &bench->far.own, length - UDP_HEADERS, 0);
}

uint32_t make_frame(const struct bench *bench, enum direction direction, uint8_t *frame, uint32_t length,
                    uint32_t number)
{
    const uint8_t *near = bench->port.mac, *far = bench->far.mac;
    for (uint32_t i = ETHERNET; i < length; i++)
        frame[i] = (uint8_t)(number * 131 + i * 7 + (i >> 8));
    memcpy(frame, direction == TO_PORT ? near : far, 6);
    memcpy(frame + 6, direction == TO_PORT ? far : near, 6);
    frame[12] = TEST_ETHERTYPE >> 8;
    frame[13] = TEST_ETHERTYPE & 0xFF;
    if (far_end_carries_datagrams(&bench->far))
        make_datagram(bench, direction, frame, length);
    return length;
}

void assert_frame(const struct bench *bench, enum direction direction, const uint8_t *frame, uint32_t length,
                  uint32_t expected, uint32_t number)
{
    uint8_t wanted[FRAME_ROOM];
    make_frame(bench, direction, wanted, expected, number);
    assert_int_equal(length, expected);
    assert_memory_equal(frame, wanted, expected);
}

void frame_sizes(const struct bench *bench, uint32_t length[SIZES])
{
    uint32_t least = far_end_carries_datagrams(&bench->far) ? UDP_HEADERS : ETHERNET;
    const uint32_t longest = bench->config.mtu + ETHERNET,
                   sizes[SIZES] = {least, least + 1, 60, 61, 127, 1000, longest - 1, longest};
    memcpy(length, sizes, sizeof sizes);
}

static bool is_test_frame(const struct bench *bench, const struct port_frame *frame)
{
    return far_end_carries_datagrams(&bench->far) ||
           (frame->length >= ETHERNET && frame->data[12] == TEST_ETHERTYPE >> 8 &&
            frame->data[13] == (TEST_ETHERTYPE & 0xFF));
}

uint32_t receive_some(const struct bench *bench, struct port_frame frame[BURST_MAX], int patience_ms)
{
    struct port port = bench->port;
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (;;) {
        uint32_t got = port_receive(&port, 0, frame, BURST_MAX), kept = 0;
        for (uint32_t i = 0; i < got; i++)
            if (is_test_frame(bench, &frame[i]))
                frame[kept++] = frame[i];
        if (kept)
            return kept;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 > patience_ms)
            return 0;
    }
}

int open_both(void **state)
{
    struct bench *bench = *state;
    int rc = port_open(&bench->port, &bench->config);
    if (rc) {
        print_error("%s\n", bench->port.error);
        return rc;
    }
    for (uint32_t q = 0; q < bench->config.queues && !rc; q++)
        rc = port_attach(&bench->port, q);
    return rc ? rc : far_end_open(&bench->far, &bench->config);
}

int close_both(void **state)
{
    struct bench *bench = *state;
    far_end_close(&bench->far);
    port_close(&bench->port);
    return 0;
}

void send_numbered(struct bench *bench, uint32_t count, uint32_t length)
{
    uint8_t *memory = malloc((size_t)count * length);
    struct port_frame *frame = calloc(count, sizeof *frame);
    for (uint32_t i = 0; i < count; i++) {
        frame[i].data = memory + (size_t)i * length;
        frame[i].length = make_frame(bench, FROM_PORT, frame[i].data, length, i);
    }
    assert_int_equal(port_send(&bench->port, 0, frame, count), count);
    memset(memory, 0xEE, (size_t)count * length);       /* it was copied: the caller's memory is his again */
    free(frame);
    free(memory);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t came[FRAME_ROOM];
        uint32_t got = far_end_receive(&bench->far, came, sizeof came);
        assert_frame(bench, FROM_PORT, came, got, length, i);
    }
}

void receive_all_sizes(struct bench *bench)
{
    uint32_t length[SIZES];
    frame_sizes(bench, length);
    for (uint32_t i = 0; i < SIZES; i++) {
        uint8_t sent[FRAME_ROOM];
        struct port_frame frame[BURST_MAX];
        make_frame(bench, TO_PORT, sent, length[i], i);
        assert_true(far_end_send(&bench->far, sent, length[i]));
        assert_int_equal(receive_some(bench, frame, 2000), 1);
        assert_frame(bench, TO_PORT, frame[0].data, frame[0].length, length[i], i);
        assert_int_equal(frame[0].flags & FRAME_SUMS_BAD, 0);
    }
}

static void *nothing(void *unused)
{
    return unused;
}

void note_threads(struct bench *bench)
{
    pthread_t thread;
    if (!pthread_create(&thread, NULL, nothing, NULL))
        pthread_join(thread, NULL);
    DIR *folder = opendir("/proc/self/task");
    for (struct dirent *entry; bench->thread_count < THREADS_NOTED && (entry = readdir(folder)) != NULL;)
        if (atoi(entry->d_name) > 0)
            bench->thread[bench->thread_count++] = atoi(entry->d_name);
    closedir(folder);
}

bool thread_is_known(const struct bench *bench, int thread)
{
    for (uint32_t i = 0; i < bench->thread_count; i++)
        if (bench->thread[i] == thread)
            return true;
    return false;
}
