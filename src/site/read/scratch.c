/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "site/read/scratch.h"

enum { CHUNK_BYTES = 1 << 18 };

struct scratch_chunk {
    struct scratch_chunk *next;
    size_t used, size;
    _Alignas(16) char bytes[];
};

void *scratch_take(struct scratch *scratch, size_t bytes)
{
    size_t need = (bytes + 15) & ~(size_t)15;
    struct scratch_chunk *chunk = scratch->chunk;

    if (!chunk || chunk->size - chunk->used < need) {
        size_t size = need > CHUNK_BYTES ? need : CHUNK_BYTES;

        chunk = malloc(sizeof *chunk + size);
        if (!chunk)
            return NULL;
        chunk->next = scratch->chunk;
        chunk->used = 0;
        chunk->size = size;
        scratch->chunk = chunk;
    }
    void *taken = chunk->bytes + chunk->used;

    chunk->used += need;
    return memset(taken, 0, need);
}

void scratch_free(struct scratch *scratch)
{
    for (struct scratch_chunk *chunk = scratch->chunk, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    scratch->chunk = NULL;
}
