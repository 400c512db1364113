/* SPDX-License-Identifier: Apache-2.0 */
#include "record/orders.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "record/crc32c.h"

#define ORDERS_MAGIC UINT32_C(0x44524F46)   /* "FORD" as bytes */

struct order_record {
    uint32_t magic;
    uint32_t crc;               /* of the entry */
    struct order_entry entry;
};

static_assert(sizeof(struct order_record) == 144, "records of a log stay where they are");

static uint32_t checksum(const struct order_entry *entry)
{
    struct crc32c crc;
    crc32c_init(&crc);
    return crc32c(&crc, 0, entry, sizeof *entry);
}

static bool is_whole(const struct order_record *record)
{
    const struct order_entry *entry = &record->entry;
    return record->magic == ORDERS_MAGIC && record->crc == checksum(entry) &&
           !entry->subject[NAME_BYTES - 1] && !entry->contract[NAME_BYTES - 1];
}

static int read_all(struct orders_log *log, void (*each)(void *context, const struct order_entry *entry),
                    void *context)
{
    struct order_record record;
    off_t at = 0;
    for (;; at += (off_t)sizeof record) {
        ssize_t got = pread(log->fd, &record, sizeof record, at);
        if (got < 0)
            return -errno;
        if (got < (ssize_t)sizeof record)
            return got == 0 || ftruncate(log->fd, at) == 0 ? 0 : -errno;
        if (!is_whole(&record)) {
            log->damaged++;
            continue;
        }
        if (record.entry.order.number > log->newest)
            log->newest = record.entry.order.number;
        if (each)
            each(context, &record.entry);
    }
}

/* A file that was just made is safe only with its name in the folder. */
static int sync_folder(const char *path)
{
    char folder[512];
    const char *slash = strrchr(path, '/');
    size_t bytes = slash ? (size_t)(slash - path) : 0;
    if (bytes >= sizeof folder)
        return -ENAMETOOLONG;
    memcpy(folder, path, bytes);
    folder[bytes] = 0;
    int fd = open(slash ? (bytes ? folder : "/") : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int error = fsync(fd) ? -errno : 0;
    close(fd);
    return error == -EINVAL ? 0 : error;    /* a file system that has nothing to sync there */
}

static int take(struct orders_log *log, int flags)
{
    log->fd = open(log->path, O_RDWR | O_CLOEXEC | flags, 0640);
    if (log->fd < 0)
        return -errno;
    if (!flock(log->fd, LOCK_EX | LOCK_NB))
        return 0;
    int error = errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
    orders_close(log);
    return error;
}

int orders_open(struct orders_log *log, const char *path,
                void (*each)(void *context, const struct order_entry *entry), void *context)
{
    *log = (struct orders_log){.fd = -1};
    if (strlen(path) >= sizeof log->path)
        return -ENAMETOOLONG;
    strcpy(log->path, path);
    int error = take(log, 0);
    if (error == -ENOENT)
        return 0;
    if (!error)
        error = read_all(log, each, context);
    if (error)
        orders_close(log);
    return error;
}

static int make(struct orders_log *log)
{
    int error = log->path[0] ? take(log, O_CREAT) : -ENOENT;
    if (!error)
        error = sync_folder(log->path);
    if (error)
        orders_close(log);
    return error;
}

static int write_whole(int fd, const struct order_record *record, off_t at)
{
    const uint8_t *from = (const uint8_t *)record;
    for (size_t done = 0; done < sizeof *record;) {
        ssize_t wrote = pwrite(fd, from + done, sizeof *record - done, at + (off_t)done);
        if (wrote < 0 && errno != EINTR)
            return -errno;
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    return fdatasync(fd) ? -errno : 0;
}

int orders_append(struct orders_log *log, const struct order_entry *entry)
{
    struct order_record record = {.magic = ORDERS_MAGIC};
    int error = log->fd < 0 ? make(log) : 0;
    if (error)
        return error;
    memcpy(&record.entry, entry, sizeof record.entry);
    record.crc = checksum(&record.entry);
    off_t at = lseek(log->fd, 0, SEEK_END);
    if (at < 0)
        return -errno;
    error = write_whole(log->fd, &record, at);
    if (error && ftruncate(log->fd, at))
        log->damaged++;
    if (!error && entry->order.number > log->newest)
        log->newest = entry->order.number;
    return error;
}

void orders_close(struct orders_log *log)
{
    if (log->fd >= 0)
        close(log->fd);
    log->fd = -1;
}
