/* SPDX-License-Identifier: Apache-2.0 */
/* What stands before every body on the wire, and why a frame may be refused. */
#ifndef FLYBALL_MSG_FRAME_H
#define FLYBALL_MSG_FRAME_H

#include "msg/limits.h"

/* Little endian, 40 bytes: magic u32 | version u8 | kind u8 | key id u16 | body bytes u16 | zero u16 |
 * sender u32 | sequence u64 | tag 16 bytes (zero while key id is 0). */
enum { FRAME_HEADER_BYTES = 40, FRAME_TAG_BYTES = 16, FRAME_VERSION = 1 };
#define FRAME_MAGIC UINT32_C(0x31594C46) /* "FLY1" as bytes */

enum frame_kind {
    FRAME_MEASUREMENT = 1,  /* upmu.proto PowerMeasurement; sender = 0, the device_id names the meter */
    FRAME_REPORT = 2,       /* cap.proto Report; sender = host id */
    FRAME_LEASE = 3,        /* cap.proto Lease; sender = host id it is for */
    FRAME_CLAIM = 4,
    FRAME_TOKEN_REQUEST = 5,
    FRAME_TOKEN_RESPONSE = 6,
    FRAME_DETAIL = 7,       /* cap.proto HostDetail; sender = host id */
    FRAME_KIND_COUNT
};

struct frame {
    uint8_t kind;
    uint16_t key_id;
    uint32_t sender;
    uint64_t sequence;
    const uint8_t *body;
    uint32_t body_bytes;
    const uint8_t *tag;     /* FRAME_TAG_BYTES */
};

/* Every reason for which a frame changes nothing. X(symbol, name in status and metrics, meaning) */
#define REFUSALS(X) \
    X(REFUSED_NOT_OURS, "not_ours", "not UDP over IPv4 to this port's address and port number") \
    X(REFUSED_FRAGMENT, "fragment", "an IP fragment: flyball's frames never need one") \
    X(REFUSED_CHECKSUM, "checksum", "IPv4 or UDP checksum is wrong") \
    X(REFUSED_TRUNCATED, "truncated", "shorter than its header says") \
    X(REFUSED_OVERSIZED, "oversized", "longer than a datagram or a body may be") \
    X(REFUSED_MAGIC, "magic", "does not start with the frame magic") \
    X(REFUSED_VERSION, "version", "a frame version this build does not speak") \
    X(REFUSED_KIND, "kind", "a frame kind that is unknown, or that nobody sends to a controller") \
    X(REFUSED_KEY, "key", "a key id that is not this sender's, or tags are not asked for here") \
    X(REFUSED_KEY_ENDED, "key_ended", "the key is revoked, has expired, or is not in force yet") \
    X(REFUSED_BARE, "bare", "without a tag where the site asks for one") \
    X(REFUSED_TAG, "tag", "the tag is not that of the frame under this key") \
    X(REFUSED_SESSION, "session", "a host's frame that may be older than this start, where that counts") \
    X(REFUSED_MALFORMED, "malformed", "the body does not decode, or a value in it is impossible") \
    X(REFUSED_UNKNOWN_METER, "unknown_meter", "what names the meter is not in the site file") \
    X(REFUSED_PROTOCOL, "protocol", "the meter speaks another protocol by the site file") \
    X(REFUSED_SHAPE, "shape", "another number or rate of samples, channels or PMUs than can be measured") \
    X(REFUSED_MTU, "mtu", "a meter set up for packets that do not fit one datagram") \
    X(REFUSED_CONFIG_UNKNOWN, "config_unknown", "a meter's data before their configuration") \
    X(REFUSED_CONFIG_CHANGED, "config_changed", "a meter's data that are not as its configuration has them") \
    X(REFUSED_CONFIG_PARTS, "config_parts", "a meter's configuration in several frames") \
    X(REFUSED_SIMULATED, "simulated", "a meter's values that it says are a test's or a simulator's") \
    X(REFUSED_UNKNOWN_HOST, "unknown_host", "host id is not in the site file") \
    X(REFUSED_SOURCE, "source", "from another IPv4 address than the site file gives this host or meter") \
    X(REFUSED_DUPLICATE, "duplicate", "this sequence number was seen before") \
    X(REFUSED_REORDERED, "reordered", "older than the newest frame of this sender") \
    X(REFUSED_UNMARKED, "unmarked", "a meter's number that is not on the disk yet; the next ones are") \
    X(REFUSED_STALE, "stale", "the reading is older than T_fresh") \
    X(REFUSED_HELD, "held", "another lane was at work on a frame of this sender at that instant")

#define REFUSAL_SYMBOL(symbol, name, meaning) symbol,
enum refusal { ACCEPTED = 0, REFUSALS(REFUSAL_SYMBOL) REFUSAL_COUNT };
#undef REFUSAL_SYMBOL

#endif
