/* SPDX-License-Identifier: Apache-2.0 */
#include "record/orders.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/crc32c.h"
#include "record/folder.h"

#define ORDERS_MAGIC UINT32_C(0x32524F46)   /* "FOR2" as bytes */
#define ORDERS_MAGIC_BEFORE UINT32_C(0x44524F46)    /* "FORD": records of 144 bytes, one node each */

struct order_record {
    uint32_t magic;
    uint32_t crc;               /* of the entry */
    struct order_entry entry;
};

static_assert(sizeof(struct order_record) == 432, "records of a log stay where they are");

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
           !entry->subject[ORDER_SUBJECT_BYTES - 1] && !entry->contract[NAME_BYTES - 1];
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
        if (at == 0 && got >= (ssize_t)sizeof record.magic && record.magic == ORDERS_MAGIC_BEFORE)
            return -EPROTONOSUPPORT;
        if (got < (ssize_t)sizeof record)
            return got == 0 || ftruncate(log->fd, at) == 0 ? 0 : -errno;
        log->records++;
        if (!is_whole(&record)) {
            log->damaged++;
            continue;
        }
        if (record.entry.order.number > log->newest)
            log->newest = record.entry.order.number;
        if (each && record.entry.order.kind != ORDER_NOTHING)
            each(context, &record.entry);
    }
}

/* Is it still the file of that name? Another process may have compacted the log while this one waited. */
static bool is_named(int fd, const char *path)
{
    struct stat open, named;
    return !fstat(fd, &open) && !stat(path, &named) && open.st_ino == named.st_ino &&
           open.st_dev == named.st_dev;
}

static int take_once(struct orders_log *log, int flags)
{
    log->fd = open(log->path, O_RDWR | O_CLOEXEC | flags, 0640);
    if (log->fd < 0)
        return -errno;
    int error = 0;
    if (flock(log->fd, LOCK_EX | LOCK_NB))
        error = errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
    else if (!is_named(log->fd, log->path))
        error = -EAGAIN;
    if (error)
        orders_close(log);
    return error;
}

static int take(struct orders_log *log, int flags)
{
    int error = -EAGAIN;
    for (int tries = 0; error == -EAGAIN && tries < 10; tries++)
        error = take_once(log, flags);
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
        error = folder_sync(log->path);
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
    return 0;
}

static struct order_record record_of(const struct order_entry *entry)
{
    struct order_record record = {.magic = ORDERS_MAGIC};
    memcpy(&record.entry, entry, sizeof record.entry);
    record.crc = checksum(&record.entry);
    return record;
}

int orders_append(struct orders_log *log, const struct order_entry *entry)
{
    struct order_record record = record_of(entry);
    int error = log->fd < 0 ? make(log) : 0;
    if (error)
        return error;
    off_t at = lseek(log->fd, 0, SEEK_END);
    if (at < 0)
        return -errno;
    error = write_whole(log->fd, &record, at);
    if (!error && fdatasync(log->fd))
        error = -errno;
    if (error && ftruncate(log->fd, at))
        log->damaged++;
    log->records += !error;
    if (!error && entry->order.number > log->newest)
        log->newest = entry->order.number;
    return error;
}

/* ---- compaction ---- */

/* The newest number, for it may be that of an order that is over; then the entries. */
static int write_kept(int fd, uint64_t newest, const struct order_entry *entry, uint32_t count)
{
    const struct order_entry number = {.order = {.kind = ORDER_NOTHING, .number = newest}};
    for (uint32_t i = 0; i <= count; i++) {
        struct order_record record = record_of(i ? &entry[i - 1] : &number);
        int error = write_whole(fd, &record, (off_t)(i * sizeof record));
        if (error)
            return error;
    }
    return fsync(fd) ? -errno : 0;
}

/* The new file is locked before it gets the name, so nobody else has it in between. */
static int replace(struct orders_log *log, int fd, const char *made)
{
    char before[ORDERS_PATH_BYTES + 8];
    snprintf(before, sizeof before, "%s.old", log->path);
    if (flock(fd, LOCK_EX | LOCK_NB))
        return -errno;
    unlink(before);
    if (link(log->path, before) && errno == EIO)
        return -EIO;        /* where links are not known, it goes without */
    if (rename(made, log->path))
        return -errno;
    return folder_sync(log->path);
}

int orders_compact(struct orders_log *log, const struct order_entry *entry, uint32_t count)
{
    char made[ORDERS_PATH_BYTES + 8];
    if (log->fd < 0 || log->records <= count + 1)
        return 0;
    snprintf(made, sizeof made, "%s.new", log->path);
    int fd = open(made, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0)
        return -errno;
    int error = write_kept(fd, log->newest, entry, count);
    if (!error)
        error = replace(log, fd, made);
    if (is_named(fd, log->path)) {      /* also where only the folder could not be synced */
        close(log->fd);
        log->fd = fd;
        log->records = count + 1;
        return error;
    }
    close(fd);
    unlink(made);
    return error;
}

void orders_close(struct orders_log *log)
{
    if (log->fd >= 0)
        close(log->fd);
    log->fd = -1;
}
