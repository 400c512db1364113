/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sampled values in Ethernet frames (EtherType 0x88BA, with or without a VLAN tag): IEC 61850-9-2LE and
 * IEC 61869-9 with four currents and four voltages, 1 mA and 10 mV a count. BER with definite lengths.
 */
#ifndef FLYBALL_WIRE_SV_H
#define FLYBALL_WIRE_SV_H

#include <stdbool.h>

#include "msg/samples.h"
#include "wire/meter_refusal.h"

enum {
    SV_ASDUS_MAX = 8,
    SV_ID_BYTES = 64,           /* of an svID that is remembered; 34 is the standard's own bound */
    SV_VALUES = 8,              /* Ia Ib Ic In Va Vb Vc Vn */
    SV_DATA_BYTES = 64,         /* eight times value and quality, 32 bits each */
    SV_FRAME_MAX = 1518,        /* a tagged frame at MTU 1500, without its check sequence */
    SV_RATE_MIN_HZ = 1000, SV_RATE_MAX_HZ = 16000,
    /* frames in a row, older than the newest, that are believed a new beginning */
    SV_RESTARTS = 4,
};
/* Of a clock that is not global: how fast its times follow arrivals that are early, and those that are late;
 * and how far beside an arrival may be that is followed. */
#define SV_FOLLOW_EARLY_PPM 1000
#define SV_FOLLOW_LATE_PPM 200
#define SV_FOLLOWED_NS (5 * NS_PER_MS)
/* behind a silence that is no more than so much longer than what is missing, that was lost */
#define SV_LOST_WITHIN_NS (100 * NS_PER_MS)
#define SV_FILL_NS NS_PER_MS    /* a gap of at most that is filled in by straight lines */

/* 5 .. 254: the local clock of that number */
enum sv_synch { SV_SYNCH_NONE, SV_SYNCH_LOCAL, SV_SYNCH_GLOBAL };

/* Bits of a value's quality that count here. */
enum sv_quality {
    SV_VALIDITY = 3,            /* 0 good, 1 invalid, 3 questionable */
    SV_OVERFLOW = 1 << 2, SV_OUT_OF_RANGE = 1 << 3, SV_FAILURE = 1 << 6, SV_OLD_DATA = 1 << 7,
    SV_TEST = 1 << 11, SV_DERIVED = 1 << 13,
};

/* One sample of all channels. Texts and data point into the frame. */
struct sv_asdu {
    const uint8_t *id, *set, *data;     /* svID; datSet, NULL if it is not there */
    uint32_t id_bytes, set_bytes, data_bytes;
    uint32_t conf_rev;
    uint16_t smp_cnt;
    uint16_t smp_rate;          /* 0: not said */
    uint16_t smp_mod;           /* 0 samples a nominal period, 1 a second, 2 seconds a sample */
    uint8_t synch;              /* enum sv_synch */
    bool mod_said;              /* smpMod is there; it is 0 where it is not */
};

struct sv_frame {
    uint8_t to[6], from[6];
    bool tagged;
    uint16_t tag;               /* priority and VLAN, where tagged */
    uint16_t appid;
    bool simulated;             /* bit 15 of the first reserved field */
    uint32_t asdus;
    struct sv_asdu asdu[SV_ASDUS_MAX];
};

/* rt: a frame by itself. METER_ACCEPTED or an enum meter_refusal. Bytes behind the length that the frame
 * states are taken for padding up to 64 bytes in all, and refused beyond. */
int sv_decode(const uint8_t *data, uint32_t bytes, struct sv_frame *frame);

/* any: whether the frame, or the quality of any value of its data set, says that a test or a simulator made
 * it. What is so must move nothing of the stream of the real device. */
bool sv_is_simulated(const struct sv_frame *frame);

/* rt: value 0 .. SV_VALUES - 1 of an ASDU with SV_DATA_BYTES of data, and its quality. */
int32_t sv_value(const struct sv_asdu *asdu, uint32_t index, uint32_t *quality);

/* What a receiver remembers of one publisher. Zeroed at start; whoever knows the rate sets `rate_hz`, and
 * `nominal_hz` where smpRate counts by the period. */
struct sv_stream {
    /* 0: by smpRate, or learnt when smpCnt has begun again twice behind the same count */
    uint32_t rate_hz;
    uint32_t wrapped;           /* smpCnt before it began again last, and one; 0: it has not */
    bool learnt, broken;        /* broken: a learnt rate was wrong; the next block stands behind a gap */
    uint32_t nominal_hz;
    bool begun, named;
    uint16_t appid;
    uint32_t conf_rev;
    uint8_t id[SV_ID_BYTES];
    uint32_t id_bytes;
    uint32_t next;              /* smpCnt that belongs behind the newest sample */
    uint32_t old, olds;         /* smpCnt behind the newest of frames that are old, and how many in a row */
    uint64_t sequence;          /* samples since the beginning, lost ones too */
    int64_t next_ns;
    int64_t heard_ns;           /* arrival of the newest */
    int64_t unix_ahead_ns;      /* Unix time less that of arrivals, by whoever gives these; */
    int64_t ahead_ns;           /* as it was when the time was set last */
    float last[SV_VALUES];      /* the newest sample, in the order of enum samples_channel */
};

/* rt: the samples of one frame, and before them those of a gap of at most SV_FILL_NS (SAMPLES_FILLED).
 * `meter` becomes the APPID, `sequence` the count of the first sample. The frame says when it was only
 * within its second, so of the first one `arrival_ns` (of a clock that is never set; + unix_ahead_ns is Unix
 * time) says in which. That holds for a global clock (smpSynch 2) only: with any other the time is that of
 * arrival, and counts go on from there, moved slowly towards the earliest arrivals. From then on
 * counts are the time: what arrives later keeps it, and so looks late. It is set by an arrival again
 * (SAMPLES_SET) only where counts begin anew, or samples are missing over a silence that leaves open how many
 * seconds; a clock that becomes global sets it ahead, too. METER_ACCEPTED with *blocks 0: the rate is not
 * known yet. */
int sv_receive(struct sv_stream *stream, const uint8_t *data, uint32_t bytes, int64_t arrival_ns,
    struct samples *out, uint32_t *blocks);

/* Of one publisher, for sv_encode. */
struct sv_publisher {
    uint8_t to[6], from[6];
    bool tagged;
    uint16_t tag;               /* 0x8000: priority 4, no VLAN */
    uint16_t appid;             /* 0x4000 .. 0x7FFF */
    bool simulated;
    const char *id;             /* terminated, 1 .. 34 bytes */
    uint32_t conf_rev;
    uint32_t rate_hz;           /* smpCnt begins again at it */
    uint8_t synch;
    bool with_rate;             /* smpRate and smpMod are sent, in samples a second */
};

/* rt: a frame of samples->count ASDUs, the first with `smp_cnt`. Where a block has six channels the
 * neutral is the sum of the phases, marked as derived. Returns its bytes; 0 where the publisher or the
 * block is none that sv_decode would take, or the frame fits neither SV_FRAME_MAX nor `room`. */
uint32_t sv_encode(const struct sv_publisher *publisher, const struct samples *samples, uint32_t smp_cnt,
    uint8_t *data, uint32_t room);

#endif
