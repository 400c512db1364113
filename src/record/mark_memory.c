/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "record/crc32c.h"
#include "record/mark_file.h"

#define MARK_MAGIC UINT64_C(0x314B524D594C46)   /* "FLYMRK1" as bytes */

struct mark_header {
    uint64_t magic;
    uint32_t count, names_crc;  /* of all names, in order */
    _Atomic uint64_t run;       /* 0: numbers are being put in */
    uint64_t reserved;
};

static uint32_t crc_of(const struct mark_names *names)
{
    struct crc32c table;
    uint32_t crc = 0;
    crc32c_init(&table);
    for (uint32_t i = 0; i < names->count; i++) {
        const char *name = names->name(names->names, i);
        crc = crc32c(&table, crc, name, strlen(name) + 1);
    }
    return crc;
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

static void take(const struct mark_memory *memory, const struct mark_names *names, uint64_t *before,
                 uint64_t *run)
{
    const struct mark_header *header = memory->memory;
    if (header->magic != MARK_MAGIC || header->count != names->count || header->names_crc != crc_of(names))
        return;
    *run = atomic_load(&header->run);
    for (uint32_t i = 0; i < names->count && *run; i++)
        before[i] = atomic_load_explicit(&memory->number[i], memory_order_relaxed);
}

int mark_memory_open(struct mark_memory *memory, const char *path, const struct mark_names *names,
                     uint64_t *before, uint64_t *run)
{
    *memory = (struct mark_memory){
        .fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600),
        .bytes = sizeof(struct mark_header) + names->count * sizeof *memory->number};
    *run = 0;
    struct stat before_this;
    int error = memory->fd < 0 ? -errno : check(memory->fd);
    /* of another size: who crashed while it was changed left numbers that were never written */
    bool whole = !error && !fstat(memory->fd, &before_this) && before_this.st_size == (off_t)memory->bytes;
    /* real places: a full tmpfs must not kill who stores there */
    if (!error && ftruncate(memory->fd, (off_t)memory->bytes))
        error = -errno;
    if (!error)
        error = -posix_fallocate(memory->fd, 0, (off_t)memory->bytes);
    if (!error)
        error = map(memory);
    if (error)
        mark_memory_close(memory);
    else if (whole)
        take(memory, names, before, run);
    return error;
}

void mark_memory_begin(struct mark_memory *memory, const struct mark_names *names, const uint64_t *number,
                       uint64_t run)
{
    struct mark_header *header = memory->memory;
    atomic_store(&header->run, 0);
    header->magic = MARK_MAGIC;
    header->count = names->count;
    header->names_crc = crc_of(names);
    for (uint32_t i = 0; i < names->count; i++)
        atomic_store_explicit(&memory->number[i], number[i], memory_order_relaxed);
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
