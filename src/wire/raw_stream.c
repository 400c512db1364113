/* SPDX-License-Identifier: Apache-2.0 */
/* The order of raw sample datagrams: duplicates, one packet that comes early, gaps, a sender that starts
 * anew. */
#include "wire/raw.h"

enum { PASSED_BITS = 64 };

static int64_t block_ns(const struct samples *block)
{
    return ((int64_t)block->count * block->period_ps + 500) / 1000;
}

/* Whether its first sample stands where the last block ended. */
static bool continues(const struct raw_stream *stream, const struct samples *block)
{
    int64_t off_ns;

    if (block->period_ps != stream->period_ps || block->channels != stream->channels ||
        __builtin_sub_overflow(block->t0_ns, stream->next_ns, &off_ns))
        return false;
    return off_ns <= RAW_CONTINUITY_NS && off_ns >= -RAW_CONTINUITY_NS;
}

/* Passes `block` on: it comes behind the newest. */
static void pass(struct raw_stream *stream, struct samples *block)
{
    uint64_t ahead = block->sequence - stream->newest;

    if (stream->begun && (ahead != 1 || !continues(stream, block)))
        block->flags |= SAMPLES_GAP;
    stream->passed = stream->begun && ahead < PASSED_BITS ? stream->passed << ahead | 1 : 1;
    stream->begun = true;
    stream->newest = block->sequence;
    stream->period_ps = block->period_ps;
    stream->channels = block->channels;
    if (__builtin_add_overflow(block->t0_ns, block_ns(block), &stream->next_ns))
        stream->next_ns = INT64_MAX;
}

/* Numbers of 32 bits, unrolled to the one next to the newest. */
static int64_t ahead_of(const struct raw_stream *stream, uint32_t sequence)
{
    return (int32_t)(sequence - (uint32_t)stream->newest);
}

/* A sender that was started again counts from anywhere: rising numbers, none of them seen, are believed. */
static bool begins_again(struct raw_stream *stream, uint32_t sequence)
{
    if (stream->agains && sequence != stream->again + 1)
        stream->agains = 0;
    stream->again = sequence;
    return ++stream->agains >= RAW_RESTARTS;
}

static int refuse_old(struct raw_stream *stream, const struct samples *block, int64_t ahead, bool *again)
{
    uint64_t behind = (uint64_t)-ahead;
    bool seen = behind < PASSED_BITS && (stream->passed >> behind & 1);

    *again = !seen && begins_again(stream, (uint32_t)block->sequence);
    return seen ? METER_DUPLICATE : METER_REORDERED;
}

uint32_t raw_flush(struct raw_stream *stream, struct samples *out)
{
    if (!stream->holding)
        return 0;
    stream->holding = false;
    *out = stream->held;
    pass(stream, out);
    return 1;
}

/* The block stands in out[0]; what is held goes before it or behind it. */
static uint32_t pass_in_order(struct raw_stream *stream, struct samples out[RAW_BLOCKS_MAX])
{
    if (stream->holding && stream->held.sequence < out[0].sequence) {
        out[1] = out[0];
        raw_flush(stream, &out[0]);
        pass(stream, &out[1]);
        return 2;
    }
    pass(stream, &out[0]);
    return 1 + raw_flush(stream, &out[1]);
}

int raw_receive(struct raw_stream *stream, const uint8_t *data, uint32_t bytes,
    struct samples out[RAW_BLOCKS_MAX], uint32_t *blocks)
{
    bool again = false;
    int refusal = raw_decode(data, bytes, &out[0]);

    *blocks = 0;
    if (refusal)
        return refusal;
    int64_t ahead = stream->begun ? ahead_of(stream, (uint32_t)out[0].sequence) : 1;
    if (ahead <= 0) {
        refusal = refuse_old(stream, &out[0], ahead, &again);
        if (!again)
            return refusal;
        *stream = (struct raw_stream){.newest = out[0].sequence - 1};
        out[0].flags |= SAMPLES_GAP;
    }
    stream->agains = 0;
    if (stream->begun)
        out[0].sequence = stream->newest + (uint64_t)ahead;
    if (stream->holding && stream->held.sequence == out[0].sequence)
        return METER_DUPLICATE;
    if (stream->begun && ahead == 2 && !stream->holding) {
        stream->held = out[0];
        stream->holding = true;
        return METER_ACCEPTED;
    }
    *blocks = pass_in_order(stream, out);
    return METER_ACCEPTED;
}
