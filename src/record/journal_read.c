/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a journal block by block. Nothing in the file is believed before its checksum: sizes are bounded
 * first, indices of the model are checked after. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/journal_format.h"

struct journal_reader {
    int fd;
    bool ended;
    uint64_t file_bytes;
    uint64_t offset;            /* of the next block */
    uint64_t blocks;            /* read so far */
    uint64_t dropped;
    uint32_t count, next;       /* slots of the block in memory */
    struct crc32c crc;
    struct journal_head head;
    struct model model;
    uint8_t block[JOURNAL_BLOCK_BYTES];
};

struct told { char *text; size_t bytes; };

__attribute__((format(printf, 3, 4)))
static int tell(struct told told, int result, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(told.text, told.bytes, format, arguments);
    va_end(arguments);
    return result;
}

/* Returns bytes read, fewer only at the end of the file, or -errno. */
static int64_t read_at(const struct journal_reader *reader, void *data, size_t bytes, uint64_t offset)
{
    size_t done = 0;

    while (done < bytes) {
        ssize_t got = pread(reader->fd, (uint8_t *)data + done, bytes - done, (off_t)(offset + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (int64_t)done;
}

static int unreadable(uint64_t offset, int error, struct told told)
{
    return tell(told, error, "cannot read at byte %" PRIu64 ": %s", offset, strerror(-error));
}

static int read_exactly(const struct journal_reader *reader, void *data, size_t bytes, uint64_t offset,
                        struct told told)
{
    int64_t got = read_at(reader, data, bytes, offset);

    if (got < 0)
        return unreadable(offset, (int)got, told);
    if ((size_t)got < bytes)
        return tell(told, -EBADMSG, "ends at byte %" PRIu64 ", inside head or model", offset + (uint64_t)got);
    return 0;
}

static int check_sizes(const struct journal_head *head, struct told told)
{
    static const char *const name[SECTION_COUNT] = {"model", "node", "host", "host type", "meter", "curve",
                                                    "alert", "watch"};
    static const uint32_t most[SECTION_COUNT] = {1, NODES_MAX, HOSTS_MAX, HOST_TYPES_MAX, METERS_MAX,
                                                 BREAKER_CURVES_MAX, ALERTS_MAX, WATCHES_MAX};
    struct journal_head own = {0};

    journal_head_sizes(&own, &(struct model){0});
    if (head->slot_bytes != own.slot_bytes)
        return tell(told, -ENOTSUP, "written by another build: its slot has %u bytes, ours %u (byte %zu)",
                    head->slot_bytes, own.slot_bytes, offsetof(struct journal_head, slot_bytes));
    for (int i = 0; i < SECTION_COUNT; i++) {
        if (head->item_bytes[i] != own.item_bytes[i])
            return tell(told, -ENOTSUP, "written by another build: its %s has %u bytes, ours %u (byte %zu)",
                        name[i], head->item_bytes[i], own.item_bytes[i],
                        offsetof(struct journal_head, item_bytes) + 4 * (size_t)i);
        if (head->item_count[i] > most[i] || (i == SECTION_MODEL && head->item_count[i] != 1))
            return tell(told, -EBADMSG, "%u of %s, at most %u (byte %zu)", head->item_count[i], name[i],
                        most[i], offsetof(struct journal_head, item_count) + 4 * (size_t)i);
    }
    return 0;
}

static int read_head(struct journal_reader *reader, struct told told)
{
    struct journal_head *head = &reader->head;
    int error = read_exactly(reader, head, sizeof(*head), 0, told);

    if (error)
        return error;
    if (head->magic != JOURNAL_MAGIC)
        return tell(told, -EBADMSG, "not a journal: wrong magic at byte 0");
    if (head->version != JOURNAL_VERSION)
        return tell(told, -ENOTSUP, "journal version %u, this build reads %d (byte %zu)", head->version,
                    JOURNAL_VERSION, offsetof(struct journal_head, version));
    if (crc32c(&reader->crc, 0, head, offsetof(struct journal_head, head_crc)) != head->head_crc)
        return tell(told, -EBADMSG, "the head is damaged (bytes 0 to %zu)", sizeof(*head) - 1);
    return check_sizes(head, told);
}

/* One section into memory of its own; adds to the checksum. */
static int read_section(struct journal_reader *reader, enum journal_section section, void *data,
                        uint32_t *crc, struct told told)
{
    size_t bytes = (size_t)reader->head.item_bytes[section] * reader->head.item_count[section];
    int error = read_exactly(reader, data, bytes, reader->offset, told);

    if (error)
        return error;
    *crc = crc32c(&reader->crc, *crc, data, bytes);
    reader->offset += bytes;
    return 0;
}

/* One more than there are: of none there is still an array. */
static void *take_lines(uint32_t count, size_t item_bytes)
{
    void *array = aligned_alloc(CACHE_LINE, (count + 1) * item_bytes);
    if (array)
        memset(array, 0, (count + 1) * item_bytes);
    return array;
}

static int take_arrays(struct model *model, const struct journal_head *head)
{
    const uint32_t *count = head->item_count;

    model->node = take_lines(count[SECTION_NODES], sizeof(*model->node));
    model->host = take_lines(count[SECTION_HOSTS], sizeof(*model->host));
    model->type = calloc(count[SECTION_TYPES] + 1, sizeof(*model->type));
    model->meter = calloc(count[SECTION_METERS] + 1, sizeof(*model->meter));
    model->curve = calloc(count[SECTION_CURVES] + 1, sizeof(*model->curve));
    model->alert = calloc(count[SECTION_ALERTS] + 1, sizeof(*model->alert));
    model->watch = calloc(count[SECTION_WATCHES] + 1, sizeof(*model->watch));
    return model->node && model->host && model->type && model->meter && model->curve && model->alert &&
                   model->watch
               ? 0
               : -ENOMEM;
}

static int read_arrays(struct journal_reader *reader, struct model *fixed, uint32_t *crc, struct told told)
{
    struct model *model = &reader->model;
    int error = read_section(reader, SECTION_MODEL, fixed, crc, told);

    if (!error)
        error = read_section(reader, SECTION_NODES, model->node, crc, told);
    if (!error)
        error = read_section(reader, SECTION_HOSTS, model->host, crc, told);
    if (!error)
        error = read_section(reader, SECTION_TYPES, model->type, crc, told);
    if (!error)
        error = read_section(reader, SECTION_METERS, model->meter, crc, told);
    if (!error)
        error = read_section(reader, SECTION_CURVES, model->curve, crc, told);
    if (!error)
        error = read_section(reader, SECTION_ALERTS, model->alert, crc, told);
    if (!error)
        error = read_section(reader, SECTION_WATCHES, model->watch, crc, told);
    return error;
}

static bool counts_agree(const struct model *model, const uint32_t count[SECTION_COUNT])
{
    return model->node_count == count[SECTION_NODES] && model->host_count == count[SECTION_HOSTS] &&
           model->type_count == count[SECTION_TYPES] && model->meter_count == count[SECTION_METERS] &&
           model->curve_count == count[SECTION_CURVES] && model->alert_count == count[SECTION_ALERTS] &&
           model->watch_count == count[SECTION_WATCHES];
}

static int read_model(struct journal_reader *reader, struct told told)
{
    struct model fixed, *model = &reader->model;
    uint32_t crc = 0;

    if (take_arrays(model, &reader->head))
        return tell(told, -ENOMEM, "out of memory for the model");
    reader->offset = sizeof(reader->head);

    int error = read_arrays(reader, &fixed, &crc, told);

    if (error)
        return error;
    if (crc != reader->head.model_crc)
        return tell(told, -EBADMSG, "the model is damaged (bytes %zu to %" PRIu64 ")", sizeof(reader->head),
                    reader->offset - 1);
    if (!counts_agree(&fixed, reader->head.item_count) ||
        reader->offset != sizeof(reader->head) + reader->head.model_bytes)
        return tell(told, -EBADMSG, "head and model disagree about counts (byte %zu)", sizeof(reader->head));
    fixed.node = model->node;
    fixed.host = model->host;
    fixed.type = model->type;
    fixed.meter = model->meter;
    fixed.curve = model->curve;
    fixed.alert = model->alert;
    fixed.watch = model->watch;
    *model = fixed;
    return journal_model_check(model, told.text, told.bytes);
}

int journal_open(struct journal_reader **result, const char *path, char *error, size_t error_bytes)
{
    struct told told = {error, error_bytes};
    struct journal_reader *reader = calloc(1, sizeof(*reader));
    struct stat status;

    if (!reader)
        return tell(told, -ENOMEM, "out of memory");
    crc32c_init(&reader->crc);
    reader->fd = open(path, O_RDONLY | O_CLOEXEC);

    int failure = reader->fd < 0 || fstat(reader->fd, &status) ? -errno : 0;

    if (failure)
        tell(told, failure, "%s", strerror(-failure));
    else
        reader->file_bytes = (uint64_t)status.st_size;
    if (!failure)
        failure = read_head(reader, told);
    if (!failure)
        failure = read_model(reader, told);
    if (failure) {
        journal_close(reader);
        return failure;
    }
    *result = reader;
    return 0;
}

const struct model *journal_model(const struct journal_reader *reader)
{
    return &reader->model;
}

const struct journal_start *journal_started(const struct journal_reader *reader)
{
    return &reader->head.start;
}

static bool is_zero(const uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (data[i])
            return false;
    }
    return true;
}

static int torn(struct journal_reader *reader, struct told told, const char *how)
{
    reader->ended = true;
    return tell(told, 0, "no end mark: torn at byte %" PRIu64 " (%s)", reader->offset, how);
}

static int check_block_head(struct journal_reader *reader, const struct journal_block *head, struct told told)
{
    if (crc32c(&reader->crc, 0, head, offsetof(struct journal_block, head_crc)) != head->head_crc)
        return tell(told, -EBADMSG, "block %" PRIu64 " has a damaged head at byte %" PRIu64, reader->blocks,
                    reader->offset);
    if (head->magic != JOURNAL_BLOCK_MAGIC || head->count > JOURNAL_BLOCK_SLOTS ||
        head->flags & ~(uint32_t)BLOCK_END || (head->flags && head->count))
        return tell(told, -EBADMSG, "no block at byte %" PRIu64, reader->offset);
    if (head->number != reader->blocks)
        return tell(told, -EBADMSG, "block %" PRIu64 " expected at byte %" PRIu64 ", block %" PRIu64 " found",
                    reader->blocks, reader->offset, head->number);
    return 0;
}

/* The end mark must be the last thing in the file. */
static int clean_end(struct journal_reader *reader, uint64_t next, struct told told)
{
    if (next != reader->file_bytes)
        return tell(told, -EBADMSG, "bytes follow the end mark, from byte %" PRIu64, next);
    reader->ended = true;
    return tell(told, 0, "%s", "");
}

/* 1 with a block in memory, 0 at the end, -errno on damage. */
static int next_block(struct journal_reader *reader, struct told told)
{
    struct journal_block head;
    int64_t got = read_at(reader, reader->block, sizeof(reader->block), reader->offset);

    if (got < 0)
        return unreadable(reader->offset, (int)got, told);
    if ((size_t)got < sizeof(head))
        return torn(reader, told, "the file ends");
    /* A write that never landed while a later one did leaves a hole. */
    if (is_zero(reader->block, sizeof(head)))
        return torn(reader, told, "a block was never written");
    memcpy(&head, reader->block, sizeof(head));

    int error = check_block_head(reader, &head, told);

    if (error)
        return error;

    uint32_t slot_bytes = head.count * SLOT_BYTES;

    if ((size_t)got < sizeof(head) + slot_bytes)
        return torn(reader, told, "the file ends inside a block");
    if (crc32c(&reader->crc, 0, reader->block + sizeof(head), slot_bytes) != head.slots_crc)
        return tell(told, -EBADMSG, "block %" PRIu64 " at byte %" PRIu64 " has damaged slots", reader->blocks,
                    reader->offset);
    reader->offset += sizeof(head) + slot_bytes;
    reader->blocks++;
    reader->dropped = head.dropped;
    reader->count = head.count;
    reader->next = 0;
    return head.flags & BLOCK_END ? clean_end(reader, reader->offset, told) : 1;
}

int journal_next(struct journal_reader *reader, struct slot *slot, char *error, size_t error_bytes)
{
    struct told told = {error, error_bytes};

    while (reader->next == reader->count) {
        if (reader->ended)
            return 0;

        int result = next_block(reader, told);

        if (result <= 0) {
            reader->count = reader->next = 0;
            return result;
        }
    }
    memcpy(slot, reader->block + (size_t)(1 + reader->next) * SLOT_BYTES, SLOT_BYTES);
    reader->next++;
    return 1;
}

uint64_t journal_dropped(const struct journal_reader *reader)
{
    return reader->dropped;
}

void journal_close(struct journal_reader *reader)
{
    if (reader->fd >= 0)
        close(reader->fd);
    free(reader->model.node);
    free(reader->model.host);
    free(reader->model.type);
    free(reader->model.meter);
    free(reader->model.curve);
    free(reader->model.alert);
    free(reader->model.watch);
    free(reader);
}
