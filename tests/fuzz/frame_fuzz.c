/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of datagrams, each before two bytes of length: header, replay window against a model that
 * remembers every number, and the body by its kind. What comes out of frame_decode must go back to the same
 * bytes. For the window that believes a new beginning, a datagram comes so many seconds after the one before
 * as the last five bits of its sender say.
 */
#include <stdlib.h>
#include <string.h>

#include "differ.h"
#include "target.h"
#include "wire/frame.h"

enum { DATAGRAMS_MAX = 64 };

/* Every accepted number of the one sender of a stream since its beginning, and those that claim a new one. */
struct memory {
    uint64_t number[DATAGRAMS_MAX];
    uint32_t count;
    uint64_t claim[REPLAY_CONFIRMATIONS];
    uint32_t claims;
    int64_t t_s, accepted_s;
};

struct stream {
    struct memory strict, patient;
    struct replay_window strict_window, patient_window;
};

static void require(int condition)
{
    if (!condition)
        abort();
}

static int expected(const struct memory *memory, uint64_t sequence)
{
    uint64_t newest = memory->count ? memory->number[memory->count - 1] : 0;

    if (sequence > newest)
        return ACCEPTED;
    for (uint32_t i = 0; i < memory->count; i++)
        if (memory->number[i] == sequence && newest - sequence < 64)
            return REFUSED_DUPLICATE;
    return REFUSED_REORDERED;
}

static void check_window(struct memory *memory, struct replay_window *window, uint64_t sequence)
{
    int answer = replay_check(window, sequence);

    require(answer == expected(memory, sequence));
    if (answer == ACCEPTED)
        memory->number[memory->count++] = sequence;
    require(replay_check(window, sequence) != ACCEPTED);
}

/* The fourth of rising numbers after ten seconds in which none was good begins the count anew. */
static int expected_in_time(struct memory *memory, uint64_t sequence)
{
    int answer = expected(memory, sequence);

    if (answer == REFUSED_REORDERED) {
        if (memory->t_s - memory->accepted_s < 10)
            memory->claims = 0;
        else if (!memory->claims || sequence > memory->claim[memory->claims - 1])
            memory->claim[memory->claims++] = sequence;
        if (memory->claims < REPLAY_CONFIRMATIONS)
            return answer;
        memory->count = 0;
        answer = ACCEPTED;
    }
    if (answer == ACCEPTED) {
        memory->number[memory->count++] = sequence;
        memory->accepted_s = memory->t_s;
        memory->claims = 0;
    }
    return answer;
}

static void check_patience(struct memory *memory, struct replay_window *window, const struct frame *frame)
{
    memory->t_s += frame->sender & 31;
    bool begun = memory->count > 0 && frame->sequence < memory->number[memory->count - 1];
    int wanted = expected_in_time(memory, frame->sequence);

    window->began_again = false;
    require(replay_admit(window, frame->sequence, memory->t_s * NS_PER_S) == wanted);
    require(window->began_again == (begun && wanted == ACCEPTED));
}

static bool any(const uint8_t *data, int from, int to)
{
    for (int i = from; i < to; i++)
        if (data[i])
            return true;
    return false;
}

/* The header of msg/frame.h, byte by byte. */
static bool good_header(const uint8_t *data, uint32_t bytes)
{
    if (bytes < 40 || bytes > 1472 || memcmp(data, "FLY1", 4) != 0)
        return false;
    if (data[4] != 1 || data[5] < 1 || data[5] > 7 || any(data, 10, 12) || !any(data, 16, 24))
        return false;
    return bytes == 40u + data[8] + data[9] * 256u && (any(data, 6, 8) || !any(data, 24, 40));
}

static void check_header(const uint8_t *data, uint32_t bytes, const struct frame *frame)
{
    uint8_t again[DATAGRAM_MAX];

    require(bytes <= DATAGRAM_MAX && frame->sequence && frame->body + frame->body_bytes == data + bytes);
    memcpy(again + FRAME_HEADER_BYTES, frame->body, frame->body_bytes);
    require(frame_encode(again, frame) == bytes);
    memcpy(again + FRAME_HEADER_BYTES - FRAME_TAG_BYTES, frame->tag, FRAME_TAG_BYTES);
    require(memcmp(again, data, bytes) == 0);
}

static void check_body(const struct frame *frame)
{
    static const enum cap_message message[FRAME_KIND_COUNT] = {
        [FRAME_REPORT] = CAP_REPORT, [FRAME_LEASE] = CAP_LEASE, [FRAME_CLAIM] = CAP_CLAIM,
        [FRAME_TOKEN_REQUEST] = CAP_TOKEN_REQUEST, [FRAME_TOKEN_RESPONSE] = CAP_TOKEN_RESPONSE,
        [FRAME_DETAIL] = CAP_DETAIL,
    };

    if (frame->kind == FRAME_MEASUREMENT)
        differ_upmu(frame->body, frame->body_bytes);
    else
        differ_cap(message[frame->kind], frame->body, frame->body_bytes);
}

/* A block of its own for each datagram, so that one byte too far is one byte outside. */
static void check_datagram(const uint8_t *data, uint32_t bytes, struct stream *stream)
{
    uint8_t *own = malloc(bytes ? bytes : 1);
    struct frame frame;

    require(own != NULL);
    memcpy(own, data, bytes);

    int refusal = frame_decode(own, bytes, &frame);

    require(refusal >= ACCEPTED && refusal < REFUSAL_COUNT);
    require((refusal == ACCEPTED) == good_header(own, bytes));
    require(refusal_name(refusal) && refusal_meaning(refusal));
    if (refusal == ACCEPTED) {
        check_header(own, bytes, &frame);
        check_window(&stream->strict, &stream->strict_window, frame.sequence);
        check_patience(&stream->patient, &stream->patient_window, &frame);
        check_body(&frame);
    }
    free(own);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct stream stream = { .strict = { .count = 0 } };

    for (int i = 0; bytes >= 2 && i < DATAGRAMS_MAX; i++) {
        size_t datagram = data[0] | (size_t)data[1] << 8;

        data += 2;
        bytes -= 2;
        if (datagram > bytes)
            datagram = bytes;
        check_datagram(data, (uint32_t)datagram, &stream);
        data += datagram;
        bytes -= datagram;
    }
    return 0;
}
