/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/history_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SCAN_RECORDS = 512 };

/* Fewer than asked for where the file ends: a copy that was cut off is read as far as it goes. */
static ssize_t read_places(const struct history_file *file, uint64_t place, uint64_t count,
                           struct history_record *record)
{
    size_t wanted = count * sizeof *record, have = 0;
    off_t at = (off_t)(HISTORY_HEADER_BYTES + place * HISTORY_RECORD_BYTES);
    while (have < wanted) {
        ssize_t got = pread(file->fd, (char *)record + have, wanted - have, at + (off_t)have);
        if (got < 0)
            return -errno;
        if (!got)
            break;
        have += (size_t)got;
    }
    return (ssize_t)(have / sizeof *record);
}

static int find_newest(struct history_file *file)
{
    struct history_record block[SCAN_RECORDS];
    const uint64_t places = file->header.places;
    for (uint64_t place = 0; place < places; place += SCAN_RECORDS) {
        uint64_t left = places - place;
        ssize_t got = read_places(file, place, left < SCAN_RECORDS ? left : SCAN_RECORDS, block);
        if (got < 0)
            return (int)got;
        for (uint64_t i = 0; i < (uint64_t)got; i++)
            if (block[i].number > file->newest &&
                history_is_whole(&file->crc, &block[i], place + i, places))
                file->newest = block[i].number;
    }
    return 0;
}

static int check(struct history_file *file, const char *host, char why[HISTORY_WHY_BYTES])
{
    struct stat what;
    if (fstat(file->fd, &what))
        return -errno;
    if (!S_ISREG(what.st_mode)) {
        snprintf(why, HISTORY_WHY_BYTES, "is no file");
        return -EBADMSG;
    }
    ssize_t got = pread(file->fd, &file->header, sizeof file->header, 0);
    if (got < 0)
        return -errno;
    if (got != (ssize_t)sizeof file->header) {
        snprintf(why, HISTORY_WHY_BYTES, "is no history of a host: it is too short");
        return -EBADMSG;
    }
    int error = history_header_check(&file->crc, &file->header, why);
    if (error || !host || !strcmp(host, file->header.host))
        return error;
    snprintf(why, HISTORY_WHY_BYTES, "is the history of %s, not of %s", file->header.host, host);
    return -EXDEV;
}

int history_file_open(struct history_file *file, const char *path, const char *host,
                      char why[HISTORY_WHY_BYTES])
{
    memset(file, 0, sizeof *file);
    why[0] = 0;
    crc32c_init(&file->crc);
    file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int error = file->fd < 0 ? -errno : check(file, host, why);
    if (!error)
        error = find_newest(file);
    if (!error)
        return 0;
    if (!why[0])
        snprintf(why, HISTORY_WHY_BYTES, "%s", strerror(-error));
    history_file_close(file);
    return error;
}

void history_file_close(struct history_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

/* Places from the one of number `from` on, round the end of the file. */
static int read_round(const struct history_file *file, uint64_t from, uint64_t count,
                      struct history_record *record)
{
    const uint64_t places = file->header.places, first = from % places;
    uint64_t before_end = places - first < count ? places - first : count;
    ssize_t got = read_places(file, first, before_end, record);
    if (got >= 0 && before_end < count)
        got = read_places(file, 0, count - before_end, record + before_end);
    return got < 0 ? (int)got : 0;
}

/* Those that are whole and of the lap that was asked for, in order; how many. */
static uint64_t keep_whole(const struct history_file *file, uint64_t from, uint64_t count,
                           struct history_record *record)
{
    uint64_t kept = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t place = (from + i) % file->header.places;
        if (record[i].number == from + i &&
            history_is_whole(&file->crc, &record[i], place, file->header.places))
            record[kept++] = record[i];
    }
    return kept;
}

/* Back from the newest until one is older than asked for: clocks may have been set in between. */
static uint64_t first_within(const struct history_record *record, uint64_t count, int64_t last_ns)
{
    uint64_t first = count;
    int64_t newest_ns = count ? record[count - 1].sample.realtime_ns : 0, age_ns;
    while (first > 0 &&
           !__builtin_sub_overflow(newest_ns, record[first - 1].sample.realtime_ns, &age_ns) &&
           age_ns < last_ns)
        first--;
    return first;
}

int history_file_last(const struct history_file *file, int64_t last_ns, struct history_record **record,
                      uint64_t *count)
{
    const uint64_t places = file->header.places;
    uint64_t have = file->newest < places ? file->newest : places, from = file->newest - have + 1;
    struct history_record *all = calloc(have ? have : 1, sizeof *all);
    *record = NULL;
    *count = 0;
    if (!all)
        return -ENOMEM;
    int error = have ? read_round(file, from, have, all) : 0;
    if (error) {
        free(all);
        return error;
    }
    uint64_t kept = keep_whole(file, from, have, all), first = first_within(all, kept, last_ns);
    memmove(all, all + first, (kept - first) * sizeof *all);
    *record = all;
    *count = kept - first;
    return 0;
}
