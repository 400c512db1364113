/* SPDX-License-Identifier: Apache-2.0 */
/* A port and its far end on one bench, numbered frames to pass between them, and the checks by theme. */
#ifndef FLYBALL_TESTS_PORT_BENCH_H
#define FLYBALL_TESTS_PORT_BENCH_H

#include "port_far_end.h"

enum { RING_FRAMES = 1024, ETHERNET = 14, THREADS_NOTED = 8, SIZES = 8 };

enum direction { TO_PORT, FROM_PORT };

struct bench {
    struct port_config config;
    struct far_end far;
    struct port port;
    bool user;                      /* not root */
    int thread[THREADS_NOTED];
    uint32_t thread_count;
};

/* cmocka's setup and teardown; *state is a struct bench whose far end was made. */
int open_both(void **state);
int close_both(void **state);

/* A frame whose every byte follows from its number, so that a mix-up cannot pass. Returns `length`. */
uint32_t make_frame(const struct bench *bench, enum direction direction, uint8_t *frame, uint32_t length,
                    uint32_t number);
void assert_frame(const struct bench *bench, enum direction direction, const uint8_t *frame, uint32_t length,
                  uint32_t expected, uint32_t number);

/* The least and the largest, and what lies between and may matter. */
void frame_sizes(const struct bench *bench, uint32_t length[SIZES]);

/* One burst with at least one test frame in it, strangers removed; 0 when `patience_ms` went by. */
uint32_t receive_some(const struct bench *bench, struct port_frame frame[BURST_MAX], int patience_ms);

/* Sends frames 0 .. count - 1 in one call and sees each of them arrive at the far end, in order. */
void send_numbered(struct bench *bench, uint32_t count, uint32_t length);

/* Frames of every size, one by one. */
void receive_all_sizes(struct bench *bench);

/* The threads there are before any port is: our own, and a sanitizer's, which comes with the first other. */
void note_threads(struct bench *bench);
bool thread_is_known(const struct bench *bench, int thread);

/* The checks: each runs a group and returns how many failed. */
int check_traffic(struct bench *bench);
int check_life(struct bench *bench);
int check_queues(struct bench *bench);
int check_captures(void);

#endif
