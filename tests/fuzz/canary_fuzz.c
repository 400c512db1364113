/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A planted fault, so that a quiet fuzzer proves something: a frame decoder that believes the length in the
 * header. The seeds are good frames and pass; if mutator and sanitizers work, a read past the end is found
 * within seconds.
 */
#include <string.h>

#include "msg/frame.h"
#include "target.h"

enum { AT_BODY_BYTES = 8 };

static uint32_t sum_body(const uint8_t *data, size_t bytes)
{
    const uint32_t magic = FRAME_MAGIC;
    uint16_t body_bytes;
    uint32_t sum = 0;

    if (bytes < FRAME_HEADER_BYTES || memcmp(data, &magic, sizeof magic) != 0)
        return 0;
    memcpy(&body_bytes, data + AT_BODY_BYTES, sizeof body_bytes);
    for (uint32_t i = 0; i < body_bytes; i++)
        sum += data[FRAME_HEADER_BYTES + i];    /* the fault: the datagram may be shorter */
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    enum { LENGTH_BYTES = 2 };      /* the seeds are streams: each datagram behind its length */

    return bytes > LENGTH_BYTES && sum_body(data + LENGTH_BYTES, bytes - LENGTH_BYTES) == UINT32_MAX;
}
