/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/saver.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "record/epoch.h"
#include "ring/arena.h"

enum { STACK_BYTES = 64 * 1024, AGAIN_S = 1 };

int saver_open(struct saver *saver, const char *folder, int wake_fd)
{
    *saver = (struct saver){.wake_fd = wake_fd};
    if (snprintf(saver->path, sizeof saver->path, "%s/epoch", folder) >= (int)sizeof saver->path)
        return -ENAMETOOLONG;
    int error = epoch_read(saver->path, &saver->saved);
    saver->wanted = saver->saved;
    return error;
}

static void leave_news(struct saver *saver, uint64_t epoch, int error)
{
    const uint64_t one = 1;
    pthread_mutex_lock(&saver->lock);
    if (!error)
        saver->saved = epoch;
    saver->error = error;
    saver->news = true;
    pthread_mutex_unlock(&saver->lock);
    ssize_t ignored = write(saver->wake_fd, &one, sizeof one);  /* full: the loop is awake already */
    (void)ignored;
}

/* After a try that failed it waits a while, but for the order to stop. */
static bool wait_for_wish(struct saver *saver, uint64_t *epoch)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += AGAIN_S;
    pthread_mutex_lock(&saver->lock);
    while (!saver->stop && saver->error && pthread_cond_timedwait(&saver->changed, &saver->lock, &until) == 0)
        ;
    while (!saver->stop && saver->wanted <= saver->saved)
        pthread_cond_wait(&saver->changed, &saver->lock);
    *epoch = saver->wanted;
    bool go_on = !saver->stop;
    pthread_mutex_unlock(&saver->lock);
    return go_on;
}

static void *save(void *user)
{
    struct saver *saver = user;
    uint64_t epoch;
    pthread_setname_np(pthread_self(), "fb-epoch");
    arena_seal_thread();
    while (wait_for_wish(saver, &epoch))
        leave_news(saver, epoch, epoch_write(saver->path, epoch));
    return NULL;
}

int saver_start(struct saver *saver)
{
    pthread_condattr_t clock;
    pthread_attr_t stack;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&saver->changed, &clock);
    pthread_condattr_destroy(&clock);
    pthread_mutex_init(&saver->lock, NULL);
    pthread_attr_init(&stack);
    pthread_attr_setstacksize(&stack, STACK_BYTES);
    int error = pthread_create(&saver->thread, &stack, save, saver);
    pthread_attr_destroy(&stack);
    return -error;
}

void saver_want(struct saver *saver, uint64_t epoch)
{
    pthread_mutex_lock(&saver->lock);
    if (epoch > saver->wanted)
        saver->wanted = epoch;
    pthread_cond_signal(&saver->changed);
    pthread_mutex_unlock(&saver->lock);
}

bool saver_take(struct saver *saver, uint64_t *saved, int *error)
{
    pthread_mutex_lock(&saver->lock);
    bool news = saver->news;
    saver->news = false;
    *saved = saver->saved;
    *error = saver->error;
    pthread_mutex_unlock(&saver->lock);
    return news;
}

bool saver_stop(struct saver *saver, int64_t until_ns)
{
    struct timespec until = {.tv_sec = until_ns / NS_PER_S, .tv_nsec = until_ns % NS_PER_S};
    pthread_mutex_lock(&saver->lock);
    saver->stop = true;
    pthread_cond_signal(&saver->changed);
    pthread_mutex_unlock(&saver->lock);
    return !pthread_clockjoin_np(saver->thread, NULL, CLOCK_MONOTONIC, &until);
}
