/* SPDX-License-Identifier: Apache-2.0 */
/* A port and its far end on one bench, and numbered frames to pass between them. */
#ifndef FLYBALL_TESTS_PORT_BENCH_H
#define FLYBALL_TESTS_PORT_BENCH_H

#include "port_far_end.h"

enum { RING_FRAMES = 1024, ETHERNET = 14, THREADS_NOTED = 8 };

struct bench {
    struct port_config config;
    struct far_end far;
    struct port port;
    int thread[THREADS_NOTED];
    uint32_t thread_count;
};

/* cmocka's setup and teardown; *state is a struct bench whose far end was made. */
int open_both(void **state);
int close_both(void **state);

/* A frame whose every byte follows from its number, so that a mix-up cannot pass. Returns `length`. */
uint32_t make_frame(uint8_t *frame, uint32_t length, const uint8_t *to, const uint8_t *from, uint32_t number);
void assert_frame(const uint8_t *frame, uint32_t length, uint32_t expected, const uint8_t *to,
                  const uint8_t *from, uint32_t number);

/* One burst with at least one test frame in it, strangers removed; 0 when `patience_ms` went by. */
uint32_t receive_some(struct port *port, struct port_frame frame[BURST_MAX], int patience_ms);

/* Sends frames 0 .. count - 1 in one call and sees each of them arrive at the far end, in order. */
void send_numbered(struct bench *bench, uint32_t count, uint32_t length);

/* The threads there are before any port is: our own, and a sanitizer's, which comes with the first other. */
void note_threads(struct bench *bench);
bool thread_is_known(const struct bench *bench, int thread);

#endif
