/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The raw sample datagram: 40 bytes of header, little endian, and 16-bit samples.
 *
 *   0 magic u32 "UPM1" | 4 version u8 = 1 | 5 flags u8 | 6 channels u8: 6 or 8 | 7 samples u8: 8 .. 128
 *   8 meter u32 | 12 sequence u32 | 16 t0_ns i64 | 24 period_ps u32 | 28 v_lsb f32 | 32 i_lsb f32
 *   36 CRC-32C u32 over header (this field as 0) and payload
 *   40 i16 [samples][channels]: VA VB VC IA IB IC, with eight channels VN IN
 */
#ifndef FLYBALL_WIRE_RAW_H
#define FLYBALL_WIRE_RAW_H

#include <stdbool.h>

#include "msg/samples.h"
#include "wire/meter_refusal.h"

enum {
    RAW_HEADER_BYTES = 40,
    RAW_BLOCKS_MAX = 2,         /* that one packet may set free */
    RAW_CLIPPED = 32760,        /* counts from which on a sample is clipped */
    RAW_RESTARTS = 4,           /* rising numbers below the newest that are believed a new beginning */
    RAW_CONTINUITY_NS = 20000,  /* t0 further from its place than this: a gap */
    RAW_PERIOD_PS_MIN = 62500000,       /* 16 kHz */
    RAW_PERIOD_PS_MAX = 1000000000,     /* 1 kHz */
};

/* rt: bytes of a packet. More than DATAGRAM_MAX is the configuration error METER_MTU: 128 samples of 6
 * channels need 1576. */
uint32_t raw_bytes(uint32_t channels, uint32_t samples);

/* rt: one packet by itself. METER_ACCEPTED or an enum meter_refusal; flags, clipped, sequence as sent. */
int raw_decode(const uint8_t *data, uint32_t bytes, struct samples *samples);

/* rt: the packet of a block: values are rounded to counts of v_lsb and i_lsb, beyond 16 bits clipped. Returns
 * its bytes; 0 where the block has a shape that no packet has, or the packet fits neither DATAGRAM_MAX nor
 * `room`. */
uint32_t raw_encode(const struct samples *samples, float v_lsb, float i_lsb, uint8_t *data, uint32_t room);

/* What a receiver remembers of one meter. Zeroed at start. */
struct raw_stream {
    bool begun, holding;
    uint64_t newest;            /* sequence passed on last, unrolled */
    uint64_t passed;            /* bit i: newest - i was passed on */
    uint32_t again, agains;     /* the newest of rising numbers that claim a new beginning, and how many */
    int64_t next_ns;            /* where the next sample belongs */
    uint32_t period_ps;
    uint8_t channels;
    struct samples held;        /* the packet behind a missing one, for as long as that may still come */
};

/* rt: the next packet of a meter. METER_ACCEPTED and 0 .. RAW_BLOCKS_MAX blocks in the order in which they
 * were sent, with SAMPLES_GAP where one is missing before, where time has stepped, or where rate or
 * channels have changed. A packet that comes one place early is held back until the next one.
 * METER_DUPLICATE and METER_REORDERED pass nothing on. */
int raw_receive(struct raw_stream *stream, const uint8_t *data, uint32_t bytes,
    struct samples out[RAW_BLOCKS_MAX], uint32_t *blocks);

/* rt: what is held back still, when its forerunner is waited for no longer: 0 or 1 block. */
uint32_t raw_flush(struct raw_stream *stream, struct samples *out);

#endif
