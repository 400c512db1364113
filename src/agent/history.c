/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/history.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

uint64_t history_places(int64_t span_ns)
{
    if (span_ns < HISTORY_SPAN_MIN_NS || span_ns > HISTORY_SPAN_MAX_NS)
        return 0;
    return (uint64_t)((span_ns + HISTORY_PERIOD_NS - 1) / HISTORY_PERIOD_NS);
}

int64_t history_bytes(uint64_t places)
{
    return HISTORY_HEADER_BYTES + (int64_t)places * HISTORY_RECORD_BYTES;
}

static uint32_t sum_of_record(const struct crc32c *crc, const struct history_record *record)
{
    return crc32c(crc, 0, record, offsetof(struct history_record, crc));
}

void history_seal(const struct crc32c *crc, struct history_record *record, uint64_t number)
{
    record->number = number;
    record->crc = sum_of_record(crc, record);
}

bool history_is_whole(const struct crc32c *crc, const struct history_record *record, uint64_t place,
                      uint64_t places)
{
    return record->number && record->number % places == place && record->crc == sum_of_record(crc, record);
}

static uint32_t sum_of_header(const struct crc32c *crc, const struct history_header *header)
{
    return crc32c(crc, 0, header, offsetof(struct history_header, crc));
}

void history_header(const struct crc32c *crc, struct history_header *header, const char *host,
                    uint64_t places)
{
    *header = (struct history_header){.magic = HISTORY_MAGIC, .version = HISTORY_VERSION,
                                      .record_bytes = HISTORY_RECORD_BYTES, .places = places,
                                      .period_ns = HISTORY_PERIOD_NS};
    snprintf(header->host, sizeof header->host, "%s", host);
    header->crc = sum_of_header(crc, header);
}

int history_header_check(const struct crc32c *crc, const struct history_header *header,
                         char why[HISTORY_WHY_BYTES])
{
    if (header->magic != HISTORY_MAGIC) {
        snprintf(why, HISTORY_WHY_BYTES, "is no history of a host: it does not begin as one");
        return -EBADMSG;
    }
    if (header->version != HISTORY_VERSION) {
        snprintf(why, HISTORY_WHY_BYTES, "is a history of version %" PRIu32 ", this program reads version %d",
                 header->version, HISTORY_VERSION);
        return -EPROTO;
    }
    const uint64_t most = (uint64_t)(HISTORY_SPAN_MAX_NS / HISTORY_PERIOD_NS);
    bool good = header->crc == sum_of_header(crc, header) && header->places && header->places <= most &&
                header->record_bytes == HISTORY_RECORD_BYTES && header->period_ns == HISTORY_PERIOD_NS &&
                memchr(header->host, 0, sizeof header->host);
    if (good)
        return 0;
    snprintf(why, HISTORY_WHY_BYTES, "has a damaged header");
    return -EBADMSG;
}
