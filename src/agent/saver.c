/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/saver.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "agent/numbers.h"
#include "record/epoch.h"
#include "ring/arena.h"

enum { STACK_BYTES = 64 * 1024, AGAIN_S = 1 };

int saver_open(struct saver *saver, const char *folder, int wake_fd)
{
    *saver = (struct saver){.wake_fd = wake_fd};
    if (snprintf(saver->folder, sizeof saver->folder, "%s", folder) >= (int)sizeof saver->folder ||
        snprintf(saver->path, sizeof saver->path, "%s/epoch", folder) >= (int)sizeof saver->path)
        return -ENAMETOOLONG;
    return 0;
}

static void leave_news(struct saver *saver, const struct saver_news *found)
{
    const uint64_t one = 1;
    pthread_mutex_lock(&saver->lock);
    saver->found = *found;
    saver->news = true;
    pthread_mutex_unlock(&saver->lock);
    ssize_t ignored = write(saver->wake_fd, &one, sizeof one);  /* full: the loop is awake already */
    (void)ignored;
}

/* The mark is on the disk before anybody hears of the numbers below it. */
static void read_folder(struct saver *saver, struct saver_news *found)
{
    struct timespec utc;
    *found = (struct saver_news){.read = true};
    found->read_error = epoch_read(saver->path, &found->saved);
    clock_gettime(CLOCK_REALTIME, &utc);
    if (!found->read_error)
        found->numbers_error = numbers_begin(saver->folder, (uint64_t)(utc.tv_sec * NS_PER_S + utc.tv_nsec),
                                             &found->first);
    leave_news(saver, found);
}

/* After a try that failed it waits a while, but for the order to stop. */
static bool wait_for_wish(struct saver *saver, const struct saver_news *found, uint64_t *epoch)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += AGAIN_S;
    pthread_mutex_lock(&saver->lock);
    while (!saver->stop && found->error && pthread_cond_timedwait(&saver->changed, &saver->lock, &until) == 0)
        ;
    while (!saver->stop && saver->wanted <= found->saved)
        pthread_cond_wait(&saver->changed, &saver->lock);
    *epoch = saver->wanted;
    bool go_on = !saver->stop;
    pthread_mutex_unlock(&saver->lock);
    return go_on;
}

static void *save(void *user)
{
    struct saver *saver = user;
    struct saver_news found;
    uint64_t epoch;
    pthread_setname_np(pthread_self(), "fb-epoch");
    arena_seal_thread();
    read_folder(saver, &found);
    while (!found.read_error && wait_for_wish(saver, &found, &epoch)) {
        found.error = epoch_write(saver->path, epoch);
        if (!found.error)
            found.saved = epoch;
        leave_news(saver, &found);
    }
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

bool saver_take(struct saver *saver, struct saver_news *news)
{
    pthread_mutex_lock(&saver->lock);
    bool is_new = saver->news;
    saver->news = false;
    *news = saver->found;
    pthread_mutex_unlock(&saver->lock);
    return is_new;
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
