/* SPDX-License-Identifier: Apache-2.0 */
/* The header before every body, and the window that refuses what was seen before. Layout: msg/frame.h. */
#ifndef FLYBALL_WIRE_FRAME_H
#define FLYBALL_WIRE_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#include "msg/frame.h"
#include "msg/limits.h"

/* rt: checks the header; `frame` then points into `data`. Returns ACCEPTED or an enum refusal. */
int frame_decode(const uint8_t *data, uint32_t bytes, struct frame *frame);

/* rt: writes the header for a body of frame->body_bytes that already stands at data + FRAME_HEADER_BYTES; tag
 * zeroed. Returns header + body bytes, 0 when the body is too long for a datagram. */
uint32_t frame_encode(uint8_t *data, const struct frame *frame);

/* rt: into a frame that stands whole at `data`. */
void frame_set_key(uint8_t *data, uint16_t key_id);
void frame_set_tag(uint8_t *data, const uint8_t tag[FRAME_TAG_BYTES]);

/* Sequence numbers of one sender. New ones only: an older unseen one counts as reordered, a seen one as
 * duplicate; further back than 64 nobody remembers, and it is reordered. Zeroed at start. */
struct replay_window {
    uint64_t newest;
    uint64_t seen;              /* bit i: newest - i */
    int64_t accepted_ns;        /* of replay_admit: when a number was last accepted */
    uint64_t again;             /* the newest of those that claim a new beginning */
    uint32_t agains;            /* how many, each above the one before */
    bool began_again;           /* a new beginning was believed; whoever counts it clears this */
    bool proven;                /* loop/trust.h: what is above `newest` cannot be of before this start */
};

enum { REPLAY_CONFIRMATIONS = 4 };
#define REPLAY_SILENCE_NS (10 * NS_PER_S)

/* rt: ACCEPTED (and noted), REFUSED_DUPLICATE or REFUSED_REORDERED. Sequence 0 is refused as malformed by
 * frame_decode. */
int replay_check(struct replay_window *window, uint64_t sequence);

/* rt: the same at t_ns, with a way back for a sender whose numbers began anew lower, its clock set back: once
 * none of its numbers was good for REPLAY_SILENCE_NS, the fourth of rising ones that are not in the window is
 * accepted, and the window begins there. For senders without keys: who replays old frames while their sender
 * is silent for so long gets through, and a true tag would not help. */
int replay_admit(struct replay_window *window, uint64_t sequence, int64_t t_ns);

/* any: "duplicate", ... and its meaning; for status, metrics and man pages. */
const char *refusal_name(int refusal);
const char *refusal_meaning(int refusal);

#endif
