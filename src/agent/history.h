/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host did, ten times a second, in one file of fixed size that is written round and round: the format.
 * history_keeper.h writes it, history_file.h reads it, live, copied, or left by a crash.
 *
 * Little endian. A page with the header, then places of 64 bytes. Record number n, from 1 up and over all
 * lives of the agent, stands at place n % places. It has its number and a checksum over all of it: whatever a
 * crash left half written is no record, and what stood at the place before is gone with it.
 */
#ifndef FLYBALL_AGENT_HISTORY_H
#define FLYBALL_AGENT_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "msg/limits.h"
#include "record/crc32c.h"

enum { HISTORY_VERSION = 1, HISTORY_RECORD_BYTES = 64, HISTORY_HEADER_BYTES = 4096,
       HISTORY_HOST_BYTES = 64, HISTORY_WHY_BYTES = 320 };
#define HISTORY_MAGIC       UINT64_C(0x31545349484C4246)    /* "FBLHIST1" as bytes */
#define HISTORY_PERIOD_NS   (100 * NS_PER_MS)
#define HISTORY_SPAN_MIN_NS (10 * NS_PER_S)
#define HISTORY_SPAN_MAX_NS (7 * 24 * 3600 * NS_PER_S)

/* Which members of a sample were known. */
enum history_known {
    HISTORY_ASKED = 1, HISTORY_ENFORCED = 2, HISTORY_DRAW = 4, HISTORY_ENERGY = 8, HISTORY_TEMPERATURE = 16,
};

/* Caps and draws of the host in mW, up to 4.29 MW. As it stands in the file. */
struct history_sample {
    int64_t realtime_ns;
    uint64_t energy_mj;         /* used since some start; it may begin anew */
    uint64_t lease;             /* sequence of the newest lease applied; 0 = none */
    uint32_t asked_mw;          /* cap that should be in force */
    uint32_t enforced_mw;       /* cap read back */
    uint32_t draw_mw;           /* at the wall, now */
    int32_t temperature_mc;     /* of the hottest device */
    uint32_t boottime_ms;       /* CLOCK_BOOTTIME, its low bits: tells a clock that was set from time lost */
    uint8_t known;              /* enum history_known */
    uint8_t state;              /* enum host_state */
    uint8_t flags;              /* enum report_flag */
    uint8_t throttle;           /* enum act_throttle, of all devices together */
};

struct history_record {
    uint64_t number;            /* 0 = nothing was ever written here */
    struct history_sample sample;
    uint32_t lost;              /* samples before this one that the disk took too long to take */
    uint32_t crc;
};

/* All of the header that is not 0. */
struct history_header {
    uint64_t magic;
    uint32_t version;
    uint32_t record_bytes;
    uint64_t places;
    int64_t period_ns;
    char host[HISTORY_HOST_BYTES];
    uint32_t crc;
    uint32_t reserved;
};

static_assert(sizeof(struct history_sample) == 48 && sizeof(struct history_record) == HISTORY_RECORD_BYTES,
              "a record is one cache line, and never lies across two sectors of a disk");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the file is little endian");

/* any: places for a span of time, rounded up; 0 outside HISTORY_SPAN_MIN_NS .. HISTORY_SPAN_MAX_NS. */
uint64_t history_places(int64_t span_ns);

/* any: bytes of a file with so many places. */
int64_t history_bytes(uint64_t places);

/* any: fills number and checksum. */
void history_seal(const struct crc32c *crc, struct history_record *record, uint64_t number);

/* any: whole, and where a record of its number belongs? */
bool history_is_whole(const struct crc32c *crc, const struct history_record *record, uint64_t place,
                      uint64_t places);

/* any: a header for a host; its name is cut to HISTORY_HOST_BYTES - 1. */
void history_header(const struct crc32c *crc, struct history_header *header, const char *host,
                    uint64_t places);

/* any: 0; else -EBADMSG (no such file, or damaged) or -EPROTO (of another version), and why in words. */
int history_header_check(const struct crc32c *crc, const struct history_header *header,
                         char why[HISTORY_WHY_BYTES]);

#endif
