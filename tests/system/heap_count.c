/* SPDX-License-Identifier: Apache-2.0 */
/* Loaded before a program: how many bytes it holds of the allocator, in glibc's blocks, stands in the file
 * FLYBALL_HEAP.PID, as 8 bytes. */
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* glibc's allocator under the names by which it can be reached from in front. */
extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *old, size_t bytes);
extern void *__libc_memalign(size_t align, size_t bytes);
extern void __libc_free(void *old);

static _Atomic int64_t early;
static _Atomic(_Atomic int64_t *) shown;

__attribute__((constructor)) static void show(void)
{
    char path[256];
    const char *prefix = getenv("FLYBALL_HEAP");
    if (!prefix)
        return;
    snprintf(path, sizeof path, "%s.%d", prefix, (int)getpid());
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof early))
        abort();
    void *at = mmap(NULL, sizeof early, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (at == MAP_FAILED)
        abort();
    atomic_fetch_add((_Atomic int64_t *)at, atomic_load(&early));
    atomic_store(&shown, (_Atomic int64_t *)at);
}

static void count(int64_t bytes)
{
    _Atomic int64_t *at = atomic_load(&shown);
    atomic_fetch_add(at ? at : &early, bytes);
}

static void *given(void *block)
{
    count(block ? (int64_t)malloc_usable_size(block) : 0);
    return block;
}

void *malloc(size_t bytes)
{
    return given(__libc_malloc(bytes));
}

void *calloc(size_t each, size_t bytes)
{
    return given(__libc_calloc(each, bytes));
}

void *realloc(void *old, size_t bytes)
{
    int64_t before = old ? (int64_t)malloc_usable_size(old) : 0;
    void *block = __libc_realloc(old, bytes);
    if (block || !bytes)
        count(-before);
    return given(block);
}

void *memalign(size_t align, size_t bytes)
{
    return given(__libc_memalign(align, bytes));
}

void *aligned_alloc(size_t align, size_t bytes)
{
    return given(__libc_memalign(align, bytes));
}

int posix_memalign(void **block, size_t align, size_t bytes)
{
    *block = given(__libc_memalign(align, bytes));
    return *block ? 0 : 12;     /* ENOMEM */
}

void free(void *old)
{
    count(old ? -(int64_t)malloc_usable_size(old) : 0);
    __libc_free(old);
}
