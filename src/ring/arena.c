/* SPDX-License-Identifier: Apache-2.0 */
#include "ring/arena.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE_BYTES = 4096, HUGE_PAGE_BYTES = 2 << 20, ALIGN_MIN = 64 };

/* Provided by the interposer that tests load (tests/seal); absent in production. */
void flyball_seal_thread(void) __attribute__((weak));

static size_t round_up(size_t value, size_t align)
{
    return (value + align - 1) & ~(align - 1);
}

static void *map_populated(size_t bytes, int extra_flags)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | extra_flags;

    return mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
}

/* Whole huge pages of address space, which the kernel may back as such without any in reserve: what is known
 * of hosts lies far apart, and every look at one of them would miss the TLB. */
static void *map_advised(size_t bytes)
{
    size_t mapped = bytes + HUGE_PAGE_BYTES;
    uint8_t *base =
        mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED)
        return MAP_FAILED;
    uint8_t *first = (uint8_t *)round_up((uintptr_t)base, HUGE_PAGE_BYTES), *end = first + bytes;
    if (first > base)
        munmap(base, (size_t)(first - base));
    munmap(end, (size_t)(base + mapped - end));
    madvise(first, bytes, MADV_HUGEPAGE);
    for (size_t at = 0; at < bytes; at += PAGE_BYTES)
        *(volatile uint8_t *)(first + at) = 0;
    return first;
}

int arena_open(struct arena *arena, size_t bytes)
{
    memset(arena, 0, sizeof(*arena));
    if (bytes == 0 || bytes > SIZE_MAX / 2)
        return -EINVAL;

    bool large = bytes >= HUGE_PAGE_BYTES;
    size_t mapped = round_up(bytes, large ? HUGE_PAGE_BYTES : PAGE_BYTES);
    void *base = large ? map_populated(mapped, MAP_HUGETLB) : MAP_FAILED;

    /* No reserved huge pages is the common case on a small machine: quietly the same with others. */
    if (base == MAP_FAILED)
        base = large ? map_advised(mapped) : map_populated(mapped, 0);
    if (base == MAP_FAILED)
        return -errno;
    arena->base = base;
    arena->bytes = mapped;
    return 0;
}

void arena_close(struct arena *arena)
{
    if (arena->base)
        munmap(arena->base, arena->bytes);
    memset(arena, 0, sizeof(*arena));
}

void *arena_take(struct arena *arena, size_t bytes, size_t align)
{
    if (arena->sealed || (align & (align - 1)) != 0 || align > HUGE_PAGE_BYTES)
        return NULL;
    if (align < ALIGN_MIN)
        align = ALIGN_MIN;

    /* The base is aligned to a page only, so the address is rounded, not the offset. */
    uintptr_t base = (uintptr_t)arena->base;
    size_t start = round_up(base + arena->used, align) - base;

    if (start > arena->bytes || bytes > arena->bytes - start)
        return NULL;
    arena->used = start + bytes;
    return arena->base + start;
}

void arena_seal(struct arena *arena)
{
    arena->sealed = true;
}

void arena_seal_thread(void)
{
    if (flyball_seal_thread)
        flyball_seal_thread();
}
