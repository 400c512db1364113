/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that alone touches the state folder: a disk that is slow, full or hangs holds up nothing but
 * what needs it. First it reads the epoch, and puts on the disk how far the numbers of this run's frames may
 * come (agent/numbers.h): the agent sends nothing before that, and has written fail-safe by then. Then it
 * makes the highest epoch durable; leases of that epoch wait until it is written.
 */
#ifndef FLYBALL_AGENT_SAVER_H
#define FLYBALL_AGENT_SAVER_H

#include <pthread.h>
#include <stdbool.h>

#include "agent/config.h"

/* What it found and did. */
struct saver_news {
    bool read;                  /* it has read the folder: what follows counts */
    int read_error;             /* there is no good epoch: -EBADMSG or another -errno; nothing more comes */
    uint64_t first;             /* numbers of frames begin above it; reserved on the disk */
    int numbers_error;          /* ... or not: then the clock alone serves; 0 = reserved */
    uint64_t saved;             /* the newest epoch that is durable */
    int error;                  /* of the newest try to save one, 0 = good */
};

struct saver {
    char folder[CONFIG_PATH_BYTES];
    char path[CONFIG_PATH_BYTES + 8];
    pthread_t thread;
    pthread_mutex_t lock;       /* held for copying alone */
    pthread_cond_t changed;
    uint64_t wanted;
    struct saver_news found;
    bool stop, news;
    int wake_fd;                /* eventfd: the loop is to look */
};

/* setup: touches no disk. 0, or -ENAMETOOLONG. */
int saver_open(struct saver *saver, const char *folder, int wake_fd);

/* setup: 0 or -errno. */
int saver_start(struct saver *saver);

/* any, the loop: this one, too; tried again every second until it stands. */
void saver_want(struct saver *saver, uint64_t epoch);

/* any, the loop: all that is known. False: nothing new. */
bool saver_take(struct saver *saver, struct saver_news *news);

/* setup: asks the thread to end and waits for it until then (MONOTONIC). False: the disk holds it. */
bool saver_stop(struct saver *saver, int64_t until_ns);

#endif
