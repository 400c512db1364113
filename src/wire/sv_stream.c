/* SPDX-License-Identifier: Apache-2.0 */
/* Sampled values of one publisher in order: whose they are, at what rate, when, and what is missing. */
#include <string.h>

#include "wire/sv.h"

enum { MOD_PERIOD = 0, MOD_SECOND = 1 };

#define COUNTS_PER_A 1e3
#define COUNTS_PER_V 1e2

/* Where each value of the data set belongs. */
static const uint8_t channel_of[SV_VALUES] = {
    SAMPLES_IA, SAMPLES_IB, SAMPLES_IC, SAMPLES_IN, SAMPLES_VA, SAMPLES_VB, SAMPLES_VC, SAMPLES_VN,
};

static bool is_named(const struct sv_stream *stream, const struct sv_asdu *asdu)
{
    uint32_t same = 0;

    if (asdu->id_bytes != stream->id_bytes)
        return false;
    while (same < stream->id_bytes && asdu->id[same] == stream->id[same])
        same++;
    return same == stream->id_bytes;
}

/* The first frame says who it is; from then on others are refused, and a configuration that changed as well:
 * nothing in a frame says what its data mean. */
static int check_name(struct sv_stream *stream, const struct sv_frame *frame)
{
    const struct sv_asdu *first = &frame->asdu[0];

    if (!stream->named) {
        stream->named = true;
        stream->appid = frame->appid;
        stream->conf_rev = first->conf_rev;
        stream->id_bytes = first->id_bytes;
        memcpy(stream->id, first->id, first->id_bytes);
    }
    for (uint32_t i = 0; i < frame->asdus; i++) {
        if (frame->appid != stream->appid || !is_named(stream, &frame->asdu[i]))
            return METER_OTHER;
        if (frame->asdu[i].conf_rev != stream->conf_rev)
            return METER_CONFIG_CHANGED;
    }
    return METER_ACCEPTED;
}

/* Samples a second as the frame says: 0 where it does not. Without smpMod a rate counts by the period, but
 * there are senders that mean the second: the number that is known, or that no period has. */
static uint32_t rate_said(const struct sv_stream *stream, const struct sv_asdu *asdu)
{
    uint32_t by_period = asdu->smp_rate * stream->nominal_hz;

    if (asdu->smp_mod == MOD_SECOND)
        return asdu->smp_rate;
    bool is_second = asdu->smp_rate == stream->rate_hz || by_period > SV_RATE_MAX_HZ;

    if (!asdu->mod_said && asdu->smp_rate && is_second)
        return asdu->smp_rate;
    return asdu->smp_mod == MOD_PERIOD ? by_period : 0;
}

/* What is not said shows when counts begin again: the one before was the last of its second, unless it was
 * lost; so it takes two seconds that say the same. */
static void learn_rate(struct sv_stream *stream, const struct sv_frame *frame)
{
    for (uint32_t i = 0; !stream->rate_hz && i < frame->asdus; i++) {
        uint32_t count = frame->asdu[i].smp_cnt;

        if (!count && stream->next >= SV_RATE_MIN_HZ && stream->next <= SV_RATE_MAX_HZ) {
            stream->learnt = stream->wrapped == stream->next;
            stream->rate_hz = stream->learnt ? stream->next : 0;
            stream->wrapped = stream->next;
        }
        stream->next = count + 1;
    }
}

/* A count that the learnt rate does not have, or a rate that is said: what was learnt was wrong. */
static void forget_rate(struct sv_stream *stream)
{
    stream->broken |= stream->begun;
    stream->learnt = stream->begun = false;
    stream->rate_hz = stream->wrapped = 0;
}

static int check_rate(struct sv_stream *stream, const struct sv_frame *frame)
{
    uint32_t said = rate_said(stream, &frame->asdu[0]);

    if (said && (said < SV_RATE_MIN_HZ || said > SV_RATE_MAX_HZ))
        return METER_SHAPE;
    if (said && stream->learnt && said != stream->rate_hz)
        forget_rate(stream);
    if (said && stream->rate_hz && said != stream->rate_hz)
        return METER_CONFIG_CHANGED;
    if (said) {
        stream->rate_hz = said;
        stream->learnt = false;
    } else
        learn_rate(stream, frame);
    return METER_ACCEPTED;
}

static int check_counts(struct sv_stream *stream, const struct sv_frame *frame)
{
    uint32_t count = frame->asdu[0].smp_cnt;

    for (uint32_t i = 0; i < frame->asdus; i++) {
        if (frame->asdu[i].smp_cnt >= stream->rate_hz) {
            if (stream->learnt)
                forget_rate(stream);
            return METER_CONFIG_CHANGED;
        }
        if (frame->asdu[i].smp_cnt != count)
            return METER_MALFORMED;
        count = count + 1 == stream->rate_hz ? 0 : count + 1;
    }
    return METER_ACCEPTED;
}

static int64_t samples_ns(const struct sv_stream *stream, uint64_t samples)
{
    return (int64_t)(samples * (uint64_t)NS_PER_S / stream->rate_hz);
}

/* The second in which a count of a clock that keeps seconds is nearest to a time. */
static int64_t in_second(const struct sv_stream *stream, uint32_t count, int64_t near_ns)
{
    int64_t within_ns = samples_ns(stream, count);
    int64_t second_ns = near_ns > 0 && near_ns < INT64_MAX - 2 * NS_PER_S
        ? near_ns - near_ns % NS_PER_S : 0;
    int64_t off_ns = near_ns - second_ns - within_ns;

    if (off_ns > NS_PER_S / 2)
        return second_ns + NS_PER_S + within_ns;
    return second_ns + within_ns - (off_ns < -NS_PER_S / 2 ? NS_PER_S : 0);
}

/* Counts from the one that belongs here to the one that came: 0 .. rate - 1. */
static uint32_t ahead_of(const struct sv_stream *stream, uint32_t count)
{
    return count >= stream->next ? count - stream->next : count + stream->rate_hz - stream->next;
}

/* Frames in a row from behind the newest are a publisher that was set to another second. */
static int refuse_old(struct sv_stream *stream, const struct sv_frame *frame, uint32_t behind)
{
    uint32_t first = frame->asdu[0].smp_cnt;

    if (stream->olds && first != stream->old)
        stream->olds = 0;
    stream->old = (first + frame->asdus) % stream->rate_hz;
    if (++stream->olds >= SV_RESTARTS)
        return METER_ACCEPTED;
    return behind <= frame->asdus ? METER_DUPLICATE : METER_REORDERED;
}

static void read_sample(const struct sv_asdu *asdu, uint32_t at, struct samples *out)
{
    for (uint32_t i = 0; i < SV_VALUES; i++) {
        uint32_t quality, channel = channel_of[i];
        bool current = channel == SAMPLES_IN || (channel >= SAMPLES_IA && channel <= SAMPLES_IC);
        double count = sv_value(asdu, i, &quality);

        out->value[channel][at] = (float)(count / (current ? COUNTS_PER_A : COUNTS_PER_V));
        if (quality & (SV_VALIDITY | SV_FAILURE | SV_OLD_DATA))
            out->invalid |= (uint8_t)(1u << channel);
        if (quality & (SV_OVERFLOW | SV_OUT_OF_RANGE))
            out->clipped |= (uint8_t)(1u << channel);
        if (quality & SV_TEST)
            out->flags |= SAMPLES_SIMULATED;
    }
    if (asdu->synch != SV_SYNCH_GLOBAL)
        out->flags &= ~(uint32_t)SAMPLES_LOCKED;
}

/* From the newest sample passed on to the first of this frame in straight lines. */
static void fill(const struct sv_stream *stream, uint32_t missing, struct samples *out)
{
    for (uint32_t k = 0; k < SV_VALUES; k++) {
        float step = (out->value[k][missing] - stream->last[k]) / (float)(missing + 1);

        for (uint32_t i = 0; i < missing; i++)
            out->value[k][i] = stream->last[k] + step * (float)(i + 1);
    }
    out->flags |= SAMPLES_FILLED;
}

static void read_frame(struct sv_stream *stream, const struct sv_frame *frame, uint32_t missing,
    struct samples *out)
{
    out->meter = frame->appid;
    out->flags = (frame->simulated ? SAMPLES_SIMULATED : 0) | SAMPLES_LOCKED |
        (stream->nominal_hz == 50 ? SAMPLES_NOMINAL_50 : 0);
    out->clipped = out->invalid = 0;
    out->channels = SV_VALUES;
    out->count = (uint16_t)(missing + frame->asdus);
    out->period_ps = (uint32_t)((1000 * NS_PER_S + stream->rate_hz / 2) / stream->rate_hz);
    for (uint32_t i = 0; i < frame->asdus; i++)
        read_sample(&frame->asdu[i], missing + i, out);
    if (missing)
        fill(stream, missing, out);
    out->flags |= (out->clipped ? SAMPLES_CLIPPED : 0) | (out->invalid ? SAMPLES_INVALID : 0);
}

/* What is passed on, and where the next frame belongs. */
static void go_on(struct sv_stream *stream, const struct sv_frame *frame, uint32_t filled, uint32_t lost,
    int64_t t0_ns, struct samples *out)
{
    read_frame(stream, frame, filled, out);
    out->t0_ns = t0_ns - samples_ns(stream, filled);
    stream->sequence += lost - filled;
    out->sequence = stream->sequence;
    stream->sequence += out->count;
    stream->next = (frame->asdu[frame->asdus - 1].smp_cnt + 1u) % stream->rate_hz;
    stream->next_ns = t0_ns + samples_ns(stream, frame->asdus);
    stream->begun = true;
    stream->olds = 0;
    for (uint32_t k = 0; k < SV_VALUES; k++)
        stream->last[k] = out->value[k][out->count - 1];
}

static bool is_global(const struct sv_frame *frame)
{
    return frame->asdu[0].synch == SV_SYNCH_GLOBAL;
}

static int64_t begin_ns(const struct sv_stream *stream, const struct sv_frame *frame, int64_t arrival_ns)
{
    if (is_global(frame))
        return in_second(stream, frame->asdu[0].smp_cnt, arrival_ns);
    return arrival_ns - samples_ns(stream, frame->asdus);
}

/* Nothing arrives before it was measured, and much arrives late: times follow early arrivals faster. Not
 * those that are further beside than a clock runs from one early arrival to the next: where the stream was
 * heard late at first, or its way became longer or shorter, following would look like a clock that drifts,
 * and readings like older ones, for minutes. Ages and drifts need no absolute time. */
static int64_t follow_ns(const struct sv_stream *stream, const struct sv_frame *frame, int64_t off_ns)
{
    int64_t took_ns = samples_ns(stream, frame->asdus);
    int64_t early_ns = took_ns * SV_FOLLOW_EARLY_PPM / 1000000;
    int64_t late_ns = took_ns * SV_FOLLOW_LATE_PPM / 1000000;

    if (off_ns < -SV_FOLLOWED_NS || off_ns > SV_FOLLOWED_NS)
        return 0;
    return off_ns < -early_ns ? -early_ns : off_ns > late_ns ? late_ns : off_ns;
}

/* By counts, whatever the arrival: what comes late must look late. */
static int64_t goes_on_ns(const struct sv_stream *stream, const struct sv_frame *frame, int64_t follows_ns,
    int64_t arrival_ns)
{
    if (is_global(frame))
        return in_second(stream, frame->asdu[0].smp_cnt, follows_ns);
    return follows_ns + follow_ns(stream, frame, begin_ns(stream, frame, arrival_ns) - follows_ns);
}

/* Samples are missing, and a silence that they do not explain may have been whole seconds more of them, or a
 * way that became longer. */
static bool lost_seconds(const struct sv_stream *stream, const struct sv_frame *frame, uint32_t ahead,
    int64_t arrival_ns)
{
    int64_t explained_ns = samples_ns(stream, ahead + frame->asdus);

    return ahead && arrival_ns - stream->heard_ns - explained_ns > NS_PER_S / 2;
}

/* More than half a second of samples is missing, and it was silent for just as long: they were lost, the
 * frame is no older one. */
static bool lost_half(const struct sv_stream *stream, const struct sv_frame *frame, uint32_t ahead,
    int64_t arrival_ns)
{
    int64_t more_ns = arrival_ns - stream->heard_ns - samples_ns(stream, ahead + frame->asdus);

    return more_ns >= -SV_FOLLOWED_NS && more_ns <= SV_LOST_WITHIN_NS;
}

/* How the first sample of a frame stands to those before. */
struct sv_place {
    uint32_t ahead;             /* samples missing before it */
    bool set;                   /* its time is that of the arrival */
    int64_t t0_ns, beside_ns;   /* and how far beside the counts */
};

static int find_place(struct sv_stream *stream, const struct sv_frame *frame, int64_t arrival_ns,
    struct sv_place *place)
{
    uint32_t ahead = stream->begun ? ahead_of(stream, frame->asdu[0].smp_cnt) : 0;

    *place = (struct sv_place){.ahead = ahead, .set = !stream->begun};
    if (ahead > stream->rate_hz / 2 && !lost_half(stream, frame, ahead, arrival_ns)) {
        int refusal = refuse_old(stream, frame, stream->rate_hz - ahead);
        if (refusal)
            return refusal;
        place->set = true;
    }
    place->set = place->set || lost_seconds(stream, frame, ahead, arrival_ns);
    if (place->set) {
        stream->ahead_ns = stream->unix_ahead_ns;
        place->t0_ns = begin_ns(stream, frame, arrival_ns + stream->ahead_ns);
        return METER_ACCEPTED;
    }
    int64_t follows_ns = stream->next_ns + samples_ns(stream, ahead);
    place->t0_ns = goes_on_ns(stream, frame, follows_ns, arrival_ns + stream->ahead_ns);
    place->beside_ns = is_global(frame) ? place->t0_ns - follows_ns : 0;
    return METER_ACCEPTED;
}

/* A clock that becomes global shows where its seconds begin. */
static int place_frame(struct sv_stream *stream, const struct sv_frame *frame, int64_t arrival_ns,
    struct samples *out)
{
    struct sv_place place;
    int refusal = find_place(stream, frame, arrival_ns, &place);

    if (refusal)
        return refusal;
    int64_t period_ns = samples_ns(stream, 1);
    uint32_t ahead = place.ahead;
    bool first = !stream->begun && !stream->broken;
    bool set = !first && (place.set || place.beside_ns > period_ns);
    bool steady = !place.set && place.beside_ns <= period_ns && place.beside_ns >= -period_ns;
    bool small = steady && samples_ns(stream, ahead) <= SV_FILL_NS && ahead + SV_ASDUS_MAX <= SAMPLES_MAX;
    bool gap = !first && (!steady || (ahead && !small));
    stream->broken = false;
    stream->heard_ns = arrival_ns;
    go_on(stream, frame, small ? ahead : 0, steady ? ahead : 0, place.t0_ns, out);
    out->flags |= (gap ? SAMPLES_GAP : 0) | (set ? SAMPLES_SET : 0);
    return METER_ACCEPTED;
}

int sv_receive(struct sv_stream *stream, const uint8_t *data, uint32_t bytes, int64_t arrival_ns,
    struct samples *out, uint32_t *blocks)
{
    struct sv_frame frame;
    int refusal = sv_decode(data, bytes, &frame);

    *blocks = 0;
    if (refusal)
        return refusal;
    for (uint32_t i = 0; i < frame.asdus; i++)
        if (frame.asdu[i].data_bytes != SV_DATA_BYTES)
            return METER_SHAPE;
    if ((refusal = check_name(stream, &frame)) || (refusal = check_rate(stream, &frame)))
        return refusal;
    if (!stream->rate_hz)
        return METER_ACCEPTED;
    if ((refusal = check_counts(stream, &frame)) || (refusal = place_frame(stream, &frame, arrival_ns, out)))
        return refusal;
    *blocks = 1;
    return METER_ACCEPTED;
}
