/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that makes the highest epoch durable: a disk that is slow or full holds up nothing but the
 * leases of that epoch, which wait until it is written. */
#ifndef FLYBALL_AGENT_SAVER_H
#define FLYBALL_AGENT_SAVER_H

#include <pthread.h>
#include <stdbool.h>

#include "agent/config.h"

struct saver {
    char path[CONFIG_PATH_BYTES + 8];
    pthread_t thread;
    pthread_mutex_t lock;       /* held for copying alone */
    pthread_cond_t changed;
    uint64_t wanted, saved;
    int error;                  /* of the newest try, 0 = good */
    bool stop, news;
    int wake_fd;                /* eventfd: the loop is to look */
};

/* setup: reads what FOLDER/epoch has. 0, -EBADMSG where that is no epoch, or another -errno. */
int saver_open(struct saver *saver, const char *folder, int wake_fd);

/* setup: 0 or -errno. */
int saver_start(struct saver *saver);

/* any, the loop: this one, too; tried again every second until it stands. */
void saver_want(struct saver *saver, uint64_t epoch);

/* any, the loop: the newest that is durable, and -errno of a try that failed. False: nothing new. */
bool saver_take(struct saver *saver, uint64_t *saved, int *error);

/* setup: asks the thread to end and waits for it until then (MONOTONIC). False: the disk holds it. */
bool saver_stop(struct saver *saver, int64_t until_ns);

#endif
