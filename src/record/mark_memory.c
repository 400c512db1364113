/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "msg/limits.h"
#include "record/crc32c.h"
#include "record/mark_file.h"

#define MARK_MAGIC UINT64_C(0x324B524D594C46)   /* "FLYMRK2" as bytes */
enum { ROWS_MAX = 65536 };

/* Behind it `count` numbers, and then as many names: whose they are. */
struct mark_header {
    uint64_t magic;
    uint32_t count, names_crc;
    _Atomic uint64_t run;       /* 0: numbers are being put in */
    uint64_t reserved;
};

typedef char mark_name[NAME_BYTES];

static uint32_t crc_of(const mark_name *name, uint32_t count)
{
    struct crc32c table;
    crc32c_init(&table);
    return crc32c(&table, 0, name, count * sizeof *name);
}

static size_t bytes_of(uint32_t count)
{
    return sizeof(struct mark_header) + count * (sizeof(uint64_t) + sizeof(mark_name));
}

static mark_name *names_at(struct mark_header *header, uint32_t count)
{
    return (mark_name *)(void *)((char *)header + sizeof *header + count * sizeof(uint64_t));
}

static int check(int fd)
{
    struct stat facts;
    struct statfs system;
    if (fstat(fd, &facts) || fstatfs(fd, &system))
        return -errno;
    if (system.f_type != TMPFS_MAGIC && system.f_type != RAMFS_MAGIC)
        return -ENOTSUP;
    bool ours = S_ISREG(facts.st_mode) && facts.st_uid == geteuid() && !(facts.st_mode & (S_IWGRP | S_IWOTH));
    return ours ? 0 : -EPERM;
}

static int map(struct mark_memory *memory)
{
    memory->memory = mmap(NULL, memory->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory->fd, 0);
    if (memory->memory == MAP_FAILED) {
        memory->memory = NULL;
        return -errno;
    }
    memory->number = (_Atomic uint64_t *)(void *)((char *)memory->memory + sizeof(struct mark_header));
    return 0;
}

/* Mostly where it stood when that was written. */
static uint32_t find(const struct mark_names *names, const char *name, uint32_t at)
{
    for (uint32_t i = 0; i < names->count; i++) {
        uint32_t index = (at + i) % names->count;
        if (!strncmp(names->name(names->names, index), name, NAME_BYTES))
            return index;
    }
    return UINT32_MAX;
}

static void take(struct mark_header *header, size_t bytes, const struct mark_names *names, uint64_t *before,
                 uint64_t *run)
{
    if (bytes < sizeof *header || header->magic != MARK_MAGIC || header->count > ROWS_MAX ||
        bytes != bytes_of(header->count))
        return;
    const mark_name *name = (const mark_name *)names_at(header, header->count);
    const uint64_t *number = (const uint64_t *)(const void *)(header + 1);
    uint64_t its_run = atomic_load(&header->run);
    if (header->names_crc != crc_of(name, header->count) || !its_run)
        return;
    *run = its_run;
    for (uint32_t i = 0; i < header->count; i++) {
        uint32_t index = find(names, name[i], i);
        if (index != UINT32_MAX)
            before[index] = number[i];
    }
}

/* Before its size is another one: which meters there are may have changed. */
static int read_before(int fd, const struct mark_names *names, uint64_t *before, uint64_t *run)
{
    struct stat facts;
    if (fstat(fd, &facts))
        return -errno;
    if (!facts.st_size || facts.st_size > (off_t)bytes_of(ROWS_MAX))
        return 0;
    size_t bytes = (size_t)facts.st_size;
    struct mark_header *copy = calloc(1, bytes + sizeof *copy);
    if (!copy)
        return -ENOMEM;
    if (pread(fd, copy, bytes, 0) == (ssize_t)bytes)
        take(copy, bytes, names, before, run);
    free(copy);
    return 0;
}

int mark_memory_open(struct mark_memory *memory, const char *path, const struct mark_names *names,
                     uint64_t *before, uint64_t *run)
{
    *memory = (struct mark_memory){
        .fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600), .bytes = bytes_of(names->count)};
    *run = 0;
    int error = memory->fd < 0 ? -errno : check(memory->fd);
    if (!error)
        error = read_before(memory->fd, names, before, run);
    /* real places: a full tmpfs must not kill who stores there */
    if (!error && ftruncate(memory->fd, (off_t)memory->bytes))
        error = -errno;
    if (!error)
        error = -posix_fallocate(memory->fd, 0, (off_t)memory->bytes);
    if (!error)
        error = map(memory);
    if (error)
        mark_memory_close(memory);
    return error;
}

void mark_memory_begin(struct mark_memory *memory, const struct mark_names *names, const uint64_t *number,
                       uint64_t run)
{
    struct mark_header *header = memory->memory;
    mark_name *name = names_at(header, names->count);
    atomic_store(&header->run, 0);
    header->magic = MARK_MAGIC;
    header->count = names->count;
    memset(name, 0, names->count * sizeof *name);
    for (uint32_t i = 0; i < names->count; i++) {
        const char *own = names->name(names->names, i);
        memcpy(name[i], own, strnlen(own, NAME_BYTES - 1));
        atomic_store_explicit(&memory->number[i], number[i], memory_order_relaxed);
    }
    header->names_crc = crc_of((const mark_name *)name, names->count);
    atomic_store(&header->run, run);
}

void mark_memory_close(struct mark_memory *memory)
{
    if (memory->memory)
        munmap(memory->memory, memory->bytes);
    if (memory->fd >= 0)
        close(memory->fd);
    *memory = (struct mark_memory){.fd = -1};
}
