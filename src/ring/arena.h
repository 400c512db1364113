/* SPDX-License-Identifier: Apache-2.0 */
/* All memory of the hot path comes from one arena at start; sealing it ends allocation. */
#ifndef FLYBALL_RING_ARENA_H
#define FLYBALL_RING_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena {
    uint8_t *base;
    size_t bytes, used;
    bool sealed;
};

/* setup: maps `bytes`, populated: reserved huge pages where there are any, else such as the kernel finds
 * (transparent huge pages), else ordinary ones. 0 or -errno. */
int arena_open(struct arena *arena, size_t bytes);
void arena_close(struct arena *arena);

/* setup: zeroed, aligned to `align` (a power of two, at least 64 is given). NULL when full or sealed. */
void *arena_take(struct arena *arena, size_t bytes, size_t align);
void arena_seal(struct arena *arena);

/* rt: says that the calling thread allocates no more. In the test build (tests/seal interposer loaded)
 * any malloc, calloc, realloc or free by this thread afterwards aborts; otherwise it does nothing. */
void arena_seal_thread(void);

#endif
