/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/frame.h"

#include <string.h>

/* Little-endian places in the header (msg/frame.h). */
enum {
    AT_MAGIC = 0, AT_VERSION = 4, AT_KIND = 5, AT_KEY = 6, AT_BODY_BYTES = 8, AT_ZERO = 10, AT_SENDER = 12,
    AT_SEQUENCE = 16, AT_TAG = 24,
};

enum { BODY_MAX = DATAGRAM_MAX - FRAME_HEADER_BYTES, WINDOW_BITS = 64 };

static_assert(AT_TAG + FRAME_TAG_BYTES == FRAME_HEADER_BYTES, "the tag ends the header");
static_assert(BODY_MAX <= UINT16_MAX, "the length field holds every body");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "fields are copied, not swapped");

static uint16_t get16(const uint8_t *at)
{
    uint16_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

static uint32_t get32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

static uint64_t get64(const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

static int check_preamble(const uint8_t *data)
{
    if (get32(data + AT_MAGIC) != FRAME_MAGIC)
        return REFUSED_MAGIC;
    if (data[AT_VERSION] != FRAME_VERSION)
        return REFUSED_VERSION;
    if (data[AT_KIND] == 0 || data[AT_KIND] >= FRAME_KIND_COUNT)
        return REFUSED_KIND;
    return ACCEPTED;
}

/* Bytes behind the body would be outside the tag's protection, so they are refused as well. */
static int check_length(uint32_t body_bytes, uint32_t bytes)
{
    if (body_bytes > BODY_MAX)
        return REFUSED_OVERSIZED;
    if (bytes < FRAME_HEADER_BYTES + body_bytes)
        return REFUSED_TRUNCATED;
    return bytes > FRAME_HEADER_BYTES + body_bytes ? REFUSED_OVERSIZED : ACCEPTED;
}

static int check_fields(const uint8_t *data)
{
    if (get16(data + AT_ZERO) || get64(data + AT_SEQUENCE) == 0)
        return REFUSED_MALFORMED;
    if (get16(data + AT_KEY) == 0 && (get64(data + AT_TAG) | get64(data + AT_TAG + 8)))
        return REFUSED_MALFORMED;
    return ACCEPTED;
}

int frame_decode(const uint8_t *data, uint32_t bytes, struct frame *frame)
{
    if (bytes > DATAGRAM_MAX)
        return REFUSED_OVERSIZED;
    if (bytes < FRAME_HEADER_BYTES)
        return REFUSED_TRUNCATED;

    int refusal = check_preamble(data);
    uint32_t body_bytes = get16(data + AT_BODY_BYTES);

    if (refusal == ACCEPTED)
        refusal = check_length(body_bytes, bytes);
    if (refusal == ACCEPTED)
        refusal = check_fields(data);
    if (refusal != ACCEPTED)
        return refusal;
    *frame = (struct frame){
        .kind = data[AT_KIND],
        .key_id = get16(data + AT_KEY),
        .sender = get32(data + AT_SENDER),
        .sequence = get64(data + AT_SEQUENCE),
        .body = data + FRAME_HEADER_BYTES,
        .body_bytes = body_bytes,
        .tag = data + AT_TAG,
    };
    return ACCEPTED;
}

uint32_t frame_encode(uint8_t *data, const struct frame *frame)
{
    const uint32_t magic = FRAME_MAGIC;
    const uint16_t body_bytes = (uint16_t)frame->body_bytes;

    if (frame->body_bytes > BODY_MAX)
        return 0;
    memset(data, 0, FRAME_HEADER_BYTES);
    memcpy(data + AT_MAGIC, &magic, sizeof magic);
    data[AT_VERSION] = FRAME_VERSION;
    data[AT_KIND] = frame->kind;
    memcpy(data + AT_KEY, &frame->key_id, sizeof frame->key_id);
    memcpy(data + AT_BODY_BYTES, &body_bytes, sizeof body_bytes);
    memcpy(data + AT_SENDER, &frame->sender, sizeof frame->sender);
    memcpy(data + AT_SEQUENCE, &frame->sequence, sizeof frame->sequence);
    return FRAME_HEADER_BYTES + frame->body_bytes;
}

void frame_set_key(uint8_t *data, uint16_t key_id)
{
    memcpy(data + AT_KEY, &key_id, sizeof key_id);
}

void frame_set_tag(uint8_t *data, const uint8_t tag[FRAME_TAG_BYTES])
{
    memcpy(data + AT_TAG, tag, FRAME_TAG_BYTES);
}

static void window_slide(struct replay_window *window, uint64_t sequence)
{
    uint64_t ahead = sequence - window->newest;

    window->seen = ahead < WINDOW_BITS ? window->seen << ahead : 0;
    window->seen |= 1;
    window->newest = sequence;
}

int replay_check(struct replay_window *window, uint64_t sequence)
{
    if (sequence > window->newest) {
        window_slide(window, sequence);
        return ACCEPTED;
    }

    uint64_t behind = window->newest - sequence;

    if (behind < WINDOW_BITS && (window->seen >> behind & 1))
        return REFUSED_DUPLICATE;
    return REFUSED_REORDERED;
}

/* Frames that wait somewhere for 10 s and rise are refused by what is in them. */
static bool begins_again(struct replay_window *window, uint64_t sequence, int64_t t_ns)
{
    if (t_ns - window->accepted_ns < REPLAY_SILENCE_NS) {
        window->agains = 0;
        return false;
    }
    if (window->agains && sequence <= window->again)
        return false;
    window->again = sequence;
    return ++window->agains >= REPLAY_CONFIRMATIONS;
}

int replay_admit(struct replay_window *window, uint64_t sequence, int64_t t_ns)
{
    int refused = replay_check(window, sequence);
    if (refused == REFUSED_REORDERED && begins_again(window, sequence, t_ns)) {
        *window = (struct replay_window){.newest = sequence, .seen = 1, .began_again = true};
        refused = ACCEPTED;
    }
    if (refused == ACCEPTED) {
        window->accepted_ns = t_ns;
        window->agains = 0;
    }
    return refused;
}
