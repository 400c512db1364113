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

uint32_t make_frame(uint8_t *frame, uint32_t length, const uint8_t *to, const uint8_t *from, uint32_t number)
{
    for (uint32_t i = ETHERNET; i < length; i++)
        frame[i] = (uint8_t)(number * 131 + i * 7 + (i >> 8));
    memcpy(frame, to, 6);
    memcpy(frame + 6, from, 6);
    frame[12] = TEST_ETHERTYPE >> 8;
    frame[13] = TEST_ETHERTYPE & 0xFF;
    return length;
}

void assert_frame(const uint8_t *frame, uint32_t length, uint32_t expected, const uint8_t *to,
                  const uint8_t *from, uint32_t number)
{
    uint8_t wanted[FRAME_ROOM];
    make_frame(wanted, expected, to, from, number);
    assert_int_equal(length, expected);
    assert_memory_equal(frame, wanted, expected);
}

static bool is_test_frame(const struct port_frame *frame)
{
    return frame->length >= ETHERNET && frame->data[12] == TEST_ETHERTYPE >> 8 &&
           frame->data[13] == (TEST_ETHERTYPE & 0xFF);
}

uint32_t receive_some(struct port *port, struct port_frame frame[BURST_MAX], int patience_ms)
{
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (;;) {
        uint32_t got = port_receive(port, 0, frame, BURST_MAX), kept = 0;
        for (uint32_t i = 0; i < got; i++)
            if (is_test_frame(&frame[i]))
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
    if (port_open(&bench->port, &bench->config)) {
        print_error("%s\n", bench->port.error);
        return -1;
    }
    int rc = port_attach(&bench->port, 0);
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
        frame[i].length = make_frame(frame[i].data, length, bench->far.mac, bench->port.mac, i);
    }
    assert_int_equal(port_send(&bench->port, 0, frame, count), count);
    memset(memory, 0xEE, (size_t)count * length);       /* it was copied: the caller's memory is his again */
    free(frame);
    free(memory);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t came[FRAME_ROOM];
        uint32_t got = far_end_receive(&bench->far, came, sizeof came);
        assert_frame(came, got, length, bench->far.mac, bench->port.mac, i);
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
