/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slots gather in a page-aligned buffer; a full or flushed buffer becomes a block with its place in the
 * file fixed, and is written while the next one fills. When every buffer waits for the disk, slots are
 * dropped and counted. A refused write keeps its buffer and its place, and is tried again: a full disk
 * pauses the journal and loses nothing that was accepted.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "record/disk.h"
#include "record/journal_format.h"

enum { BUFFERS = DISK_DEPTH, NONE = BUFFERS, FINISH_ATTEMPTS = 3 };

struct buffer {
    uint8_t *data;
    uint64_t offset;            /* in the file */
    uint32_t bytes;
    uint32_t written;
    bool refused;
};

struct journal_writer {
    struct disk disk;
    struct crc32c crc;
    struct buffer buffer[BUFFERS];
    uint32_t spare[BUFFERS];    /* indices of buffers with nothing in them */
    uint32_t spare_count;
    uint32_t filling;           /* index, or NONE */
    uint32_t fill_count;        /* slots in it */
    uint32_t refused_count;
    bool has_written;           /* something, since the last flush */
    uint8_t *memory;
    uint64_t offset;            /* where the next block goes */
    struct journal_statistics statistics;
};

static int write_fully(int fd, const void *data, size_t bytes)
{
    const uint8_t *next = data;

    while (bytes > 0) {
        ssize_t written = write(fd, next, bytes);

        if (written < 0 && errno != EINTR)
            return -errno;
        if (written > 0) {
            next += written;
            bytes -= (size_t)written;
        }
    }
    return 0;
}

/* At the start a refused write is an error, so head and model are simply written. */
static int write_head(struct journal_writer *writer, const struct model *model,
                      const struct journal_start *start)
{
    struct journal_head head = {.magic = JOURNAL_MAGIC, .version = JOURNAL_VERSION, .start = *start};
    struct journal_sections sections;

    journal_head_sizes(&head, model);
    journal_sections(&sections, model);
    for (int i = 0; i < SECTION_COUNT; i++) {
        head.model_crc = crc32c(&writer->crc, head.model_crc, sections.data[i], sections.bytes[i]);
        head.model_bytes += sections.bytes[i];
    }
    head.head_crc = crc32c(&writer->crc, 0, &head, offsetof(struct journal_head, head_crc));

    int error = write_fully(writer->disk.fd, &head, sizeof(head));

    for (int i = 0; i < SECTION_COUNT && !error; i++)
        error = write_fully(writer->disk.fd, sections.data[i], sections.bytes[i]);
    writer->offset = sizeof(head) + head.model_bytes;
    return error;
}

static int take_buffers(struct journal_writer *writer)
{
    size_t bytes = (size_t)BUFFERS * JOURNAL_BLOCK_BYTES;

    writer->memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (writer->memory == MAP_FAILED) {
        writer->memory = NULL;
        return -errno;
    }
    for (uint32_t i = 0; i < BUFFERS; i++) {
        writer->buffer[i].data = writer->memory + (size_t)i * JOURNAL_BLOCK_BYTES;
        writer->spare[writer->spare_count++] = i;
    }
    writer->filling = NONE;
    return 0;
}

static void free_writer(struct journal_writer *writer)
{
    disk_close(&writer->disk);
    if (writer->disk.fd >= 0)
        close(writer->disk.fd);
    if (writer->memory)
        munmap(writer->memory, (size_t)BUFFERS * JOURNAL_BLOCK_BYTES);
    free(writer);
}

int journal_create(struct journal_writer **result, const char *path, const struct model *model,
                   const struct journal_start *start)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

    if (fd < 0)
        return -errno;

    struct journal_writer *writer = calloc(1, sizeof(*writer));
    int error = writer ? 0 : -ENOMEM;

    if (!error)
        error = disk_open(&writer->disk, fd);
    if (error) {
        close(fd);
        free(writer);
        unlink(path);
        return error;
    }
    crc32c_init(&writer->crc);
    error = take_buffers(writer);
    if (!error)
        error = write_head(writer, model, start);
    if (error) {
        free_writer(writer);
        unlink(path);
        return error;
    }
    writer->statistics.method = writer->disk.uring_used ? "io_uring" : "pwrite";
    *result = writer;
    return 0;
}

static void refuse(struct journal_writer *writer, struct buffer *buffer, int error)
{
    buffer->refused = true;
    writer->refused_count++;
    writer->statistics.write_errors++;
    writer->statistics.last_error = error;
}

static void start_write(struct journal_writer *writer, uint32_t index)
{
    struct buffer *buffer = &writer->buffer[index];

    /* There are as many places in flight as buffers, so this is not refused; if it were, it is tried
     * again. */
    if (!disk_write(&writer->disk, index, buffer->data + buffer->written, buffer->bytes - buffer->written,
                    buffer->offset + buffer->written))
        refuse(writer, buffer, -EAGAIN);
}

static void settle(struct journal_writer *writer, const struct disk_done *done)
{
    struct buffer *buffer = &writer->buffer[done->tag];

    if (done->result <= 0) {
        refuse(writer, buffer, done->result ? done->result : -EIO);
        return;
    }
    writer->has_written = true;
    buffer->written += (uint32_t)done->result;
    if (buffer->written < buffer->bytes)
        start_write(writer, done->tag);
    else
        writer->spare[writer->spare_count++] = done->tag;
}

static void reap(struct journal_writer *writer, bool wait)
{
    struct disk_done done;

    while (disk_reap(&writer->disk, wait, &done))
        settle(writer, &done);
}

static void retry_refused(struct journal_writer *writer, uint32_t most)
{
    for (uint32_t i = 0; i < BUFFERS && most > 0 && writer->refused_count > 0; i++) {
        if (!writer->buffer[i].refused)
            continue;
        writer->buffer[i].refused = false;
        writer->refused_count--;
        most--;
        start_write(writer, i);
    }
}

/* Turns the filling buffer into a block and starts its write. */
static void close_block(struct journal_writer *writer, uint32_t flags)
{
    struct buffer *buffer = &writer->buffer[writer->filling];
    struct journal_block head = {
        .magic = JOURNAL_BLOCK_MAGIC,
        .count = writer->fill_count,
        .number = writer->statistics.blocks++,
        .dropped = writer->statistics.dropped,
        .flags = flags,
    };
    uint32_t slot_bytes = writer->fill_count * SLOT_BYTES;

    head.slots_crc = crc32c(&writer->crc, 0, buffer->data + sizeof(head), slot_bytes);
    head.head_crc = crc32c(&writer->crc, 0, &head, offsetof(struct journal_block, head_crc));
    memcpy(buffer->data, &head, sizeof(head));
    buffer->bytes = (uint32_t)sizeof(head) + slot_bytes;
    buffer->written = 0;
    buffer->offset = writer->offset;
    writer->offset += buffer->bytes;
    writer->statistics.bytes += buffer->bytes;
    start_write(writer, writer->filling);
    writer->filling = NONE;
}

/* A buffer to fill; false when all wait for the disk. */
static bool open_block(struct journal_writer *writer)
{
    if (writer->filling != NONE)
        return true;
    if (writer->spare_count == 0)
        reap(writer, false);
    if (writer->spare_count == 0)
        return false;
    writer->filling = writer->spare[--writer->spare_count];
    writer->fill_count = 0;
    return true;
}

bool journal_append(struct journal_writer *writer, const struct slot *slot)
{
    if (!open_block(writer)) {
        writer->statistics.dropped++;
        return false;
    }

    uint8_t *data = writer->buffer[writer->filling].data;

    memcpy(data + (size_t)(1 + writer->fill_count) * SLOT_BYTES, slot, SLOT_BYTES);
    writer->statistics.slots++;
    if (++writer->fill_count == JOURNAL_BLOCK_SLOTS)
        close_block(writer, 0);
    return true;
}

void journal_flush(struct journal_writer *writer)
{
    if (writer->filling != NONE && writer->fill_count > 0)
        close_block(writer, 0);
    reap(writer, false);
    /* A disk that takes nothing is asked with one block: all of them, each time, would only be refused. */
    retry_refused(writer, writer->has_written ? BUFFERS : 1);
    writer->has_written = false;
}

/* Waits for everything started; what is refused again and again is given up. */
static int drain(struct journal_writer *writer)
{
    reap(writer, true);
    for (int attempt = 0; attempt < FINISH_ATTEMPTS && writer->refused_count > 0; attempt++) {
        retry_refused(writer, BUFFERS);
        reap(writer, true);
    }
    if (writer->disk.in_flight > 0)
        return -EIO;
    return writer->refused_count > 0 ? writer->statistics.last_error : 0;
}

int64_t journal_finish(struct journal_writer *writer)
{
    journal_flush(writer);

    int error = drain(writer);

    /* The end mark goes out only when everything before it is in the file. */
    if (!error && open_block(writer)) {
        close_block(writer, BLOCK_END);
        error = drain(writer);
    }
    if (!error && fdatasync(writer->disk.fd))
        error = -errno;

    int64_t dropped = (int64_t)writer->statistics.dropped;

    free_writer(writer);
    return error ? error : dropped;
}

void journal_statistics(const struct journal_writer *writer, struct journal_statistics *statistics)
{
    *statistics = writer->statistics;
}
