/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/history_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "rt/thread.h"

enum { SCAN_RECORDS = 512, STOP_S = 1 };
#define REST_NS (100 * NS_PER_MS)

static int64_t offset_of(uint64_t place)
{
    return HISTORY_HEADER_BYTES + (int64_t)place * HISTORY_RECORD_BYTES;
}

/* ---- setup ---- */

static int say(char why[HISTORY_WHY_BYTES], const char *path, const char *what, int error)
{
    snprintf(why, HISTORY_WHY_BYTES, "%s: %s: %s", path, what, strerror(-error));
    return error;
}

/* Is what lies there a history of this host and size, of ours alone to write? */
static bool goes_on(const struct history_keeper *keeper, int fd, const char *host)
{
    struct history_header header, ours;
    struct stat what;
    char why[HISTORY_WHY_BYTES];
    if (fstat(fd, &what) || !S_ISREG(what.st_mode) || what.st_uid != geteuid() ||
        what.st_mode & (S_IWGRP | S_IWOTH) || what.st_size != history_bytes(keeper->places))
        return false;
    if (pread(fd, &header, sizeof header, 0) != (ssize_t)sizeof header ||
        history_header_check(&keeper->crc, &header, why))
        return false;
    history_header(&keeper->crc, &ours, host, keeper->places);
    return !memcmp(&header, &ours, sizeof header);
}

/* The number that the newest whole record has. Runs once, before the first sample. */
static int find_newest(struct history_keeper *keeper)
{
    struct history_record block[SCAN_RECORDS];
    for (uint64_t place = 0; place < keeper->places; place += SCAN_RECORDS) {
        uint64_t left = keeper->places - place, count = left < SCAN_RECORDS ? left : SCAN_RECORDS;
        ssize_t got = pread(keeper->fd, block, count * sizeof block[0], offset_of(place));
        if (got < 0)
            return -errno;
        for (uint64_t i = 0; i < (uint64_t)got / sizeof block[0]; i++)
            if (block[i].number > keeper->number &&
                history_is_whole(&keeper->crc, &block[i], place + i, keeper->places))
                keeper->number = block[i].number;
    }
    return 0;
}

/* Under another name until it is whole: a reader never meets half a header. */
static int make_file(struct history_keeper *keeper, const char *path, const char *host,
                     char why[HISTORY_WHY_BYTES])
{
    char fresh[HISTORY_PATH_BYTES + 8];
    struct history_header header;
    snprintf(fresh, sizeof fresh, "%s.new", path);
    int fd = open(fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return say(why, fresh, "cannot be made", -errno);
    history_header(&keeper->crc, &header, host, keeper->places);
    int error = -posix_fallocate(fd, 0, history_bytes(keeper->places));
    if (error)
        say(why, path, "the disk has no room for it", error);
    else if (pwrite(fd, &header, sizeof header, 0) != (ssize_t)sizeof header || rename(fresh, path))
        error = say(why, path, "cannot be written", errno ? -errno : -EIO);
    if (!error) {
        keeper->fd = fd;
        return 0;
    }
    close(fd);
    unlink(fresh);
    return error;
}

static int set_aside(const char *path, char why[HISTORY_WHY_BYTES])
{
    char old[HISTORY_PATH_BYTES + 8];
    snprintf(old, sizeof old, "%s.old", path);
    return rename(path, old) ? say(why, path, "of another host, size or version, cannot be kept as .old",
                                   -errno) : 0;
}

static int open_file(struct history_keeper *keeper, const char *path, const char *host,
                     char why[HISTORY_WHY_BYTES])
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return make_file(keeper, path, host, why);
    if (fd < 0)
        return say(why, path, "cannot be opened", -errno);
    if (goes_on(keeper, fd, host)) {
        keeper->fd = fd;
        return 0;
    }
    close(fd);
    int error = set_aside(path, why);
    return error ? error : make_file(keeper, path, host, why);
}

int history_keeper_open(struct history_keeper *keeper, const char *path, const char *host, int64_t span_ns,
                        char why[HISTORY_WHY_BYTES])
{
    memset(keeper, 0, sizeof *keeper);
    keeper->fd = -1;
    keeper->due_ns = INT64_MIN;
    keeper->places = history_places(span_ns);
    crc32c_init(&keeper->crc);
    if (!keeper->places || strlen(path) >= HISTORY_PATH_BYTES)
        return say(why, path, keeper->places ? "is too long" : "a history holds 10s to 168h", -EINVAL);
    spsc_init(&keeper->queue, keeper->place, sizeof keeper->place[0], HISTORY_QUEUE);
    int error = open_file(keeper, path, host, why);
    if (error)
        return error;
    error = find_newest(keeper);
    if (!error)
        return 0;
    close(keeper->fd);
    keeper->fd = -1;
    return say(why, path, "cannot be read", error);
}

/* ---- the loop's half ---- */

bool history_keeper_due(struct history_keeper *keeper, int64_t now_ns)
{
    if (keeper->fd < 0 || now_ns < keeper->due_ns)
        return false;
    bool late = keeper->due_ns == INT64_MIN || now_ns - keeper->due_ns >= HISTORY_PERIOD_NS;
    keeper->due_ns = (late ? now_ns : keeper->due_ns) + HISTORY_PERIOD_NS;
    return true;
}

bool history_keeper_note(struct history_keeper *keeper, const struct history_sample *sample)
{
    struct history_sample *place = keeper->fd < 0 ? NULL : spsc_claim(&keeper->queue);
    if (!place) {
        atomic_fetch_add_explicit(&keeper->lost, 1, memory_order_relaxed);
        return false;
    }
    *place = *sample;
    spsc_publish(&keeper->queue);
    return true;
}

/* ---- the thread's half ---- */

static void write_record(struct history_keeper *keeper, const struct history_sample *sample)
{
    uint64_t number = keeper->number + 1;
    uint32_t lost = (uint32_t)atomic_load_explicit(&keeper->lost, memory_order_relaxed);
    struct history_record record = {.sample = *sample, .lost = lost - keeper->lost_told};
    history_seal(&keeper->crc, &record, number);
    if (pwrite(keeper->fd, &record, sizeof record, offset_of(number % keeper->places)) !=
        (ssize_t)sizeof record) {
        atomic_fetch_add_explicit(&keeper->errors, 1, memory_order_relaxed);
        return;
    }
    keeper->number = number;
    keeper->lost_told = lost;
    atomic_fetch_add_explicit(&keeper->written, 1, memory_order_relaxed);
}

uint32_t history_keeper_drain(struct history_keeper *keeper)
{
    uint32_t taken = 0;
    const struct history_sample *sample;
    while ((sample = spsc_peek(&keeper->queue)) != NULL) {
        write_record(keeper, sample);
        spsc_release(&keeper->queue);
        taken++;
    }
    return taken;
}

static void *keep(void *argument)
{
    struct history_keeper *keeper = argument;
    const struct timespec rest = {.tv_nsec = REST_NS};
    /* Acquire, partner: the release in history_keeper_close. */
    while (!atomic_load_explicit(&keeper->stop, memory_order_acquire)) {
        history_keeper_drain(keeper);
        nanosleep(&rest, NULL);
    }
    return NULL;
}

int history_keeper_start(struct history_keeper *keeper)
{
    int error = keeper->fd < 0 ? 0 : rt_spawn(&keeper->thread, "history", keep, keeper);
    keeper->running = keeper->fd >= 0 && !error;
    return error;
}

bool history_keeper_close(struct history_keeper *keeper)
{
    struct timespec until;
    if (keeper->fd < 0)
        return true;
    /* Release, partner: the acquire in keep. */
    atomic_store_explicit(&keeper->stop, true, memory_order_release);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += STOP_S;
    if (keeper->running && pthread_timedjoin_np(keeper->thread, NULL, &until))
        return false;
    history_keeper_drain(keeper);
    close(keeper->fd);
    keeper->fd = -1;
    return true;
}
