/* SPDX-License-Identifier: Apache-2.0 */
/* What meters, hosts and the controller tell each other, decoded. A simulated network carries it as it
 * stands; on a real one, and where a run asks for it, it goes through the bytes of the wire. */
#ifndef FLYBALL_SIM_MESSAGE_H
#define FLYBALL_SIM_MESSAGE_H

#include <stdbool.h>

#include "msg/detail.h"
#include "msg/frame.h"
#include "msg/lease.h"
#include "msg/model.h"
#include "msg/reading.h"
#include "msg/token.h"
#include "msg/upmu.h"

struct message {
    uint8_t kind;               /* enum frame_kind */
    uint32_t index;             /* of the meter or host that sends it, or of the host it is for */
    uint64_t sequence;          /* of its frame */
    union {
        const struct upmu *measured;    /* as it leaves the meter, while it is handed on */
        struct reading reading;         /* as it travels: what measure_reading fills */
        const struct detail *detail;    /* as it leaves the host; nobody in virtual time reads it */
        struct report report;
        struct lease lease;             /* a claim, too */
        struct token_request request;
        struct token_response response;
    };
};

/* any: the frame of a message as its sender has it, into DATAGRAM_MAX bytes; 0 where it cannot be said. */
uint32_t message_encode(const struct message *message, uint8_t *data);

/* any: what a frame says, or false. A measurement comes as a reading; `meter` is who sent it. */
bool message_decode(const uint8_t *data, uint32_t bytes, const struct model *model, uint32_t meter,
                    struct message *message);

/* any: turns what was measured into what travels; false where the values make no sense. */
bool message_measure(struct message *message, const struct model *model);

#endif
