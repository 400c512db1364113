/* SPDX-License-Identifier: Apache-2.0 */
#include "time/ptp_message.h"

#include <errno.h>
#include <string.h>

/* Offsets: IEEE 1588-2008 13.3 (header), 15.4 (management message and its TLV). */
enum {
    AT_TYPE = 0, AT_VERSION = 1, AT_LENGTH = 2, AT_DOMAIN = 4, AT_SEQUENCE = 30, AT_CONTROL = 32,
    AT_INTERVAL = 33, AT_TARGET = 34, TARGET_BYTES = 10, AT_ACTION = 46, AT_TLV = 48, AT_TLV_LENGTH = 50,
    AT_ID = 52, AT_DATA = 54,
};
enum { TYPE_MANAGEMENT = 0x0D, CONTROL_MANAGEMENT = 4, NO_INTERVAL = 0x7F, ACTION_RESPONSE = 2 };
enum { TLV_MANAGEMENT = 1, TLV_ERROR = 2 };
enum { STATUS_BYTES = 50, PARENT_BYTES = 32, PROPERTIES_BYTES = 4, PORT_BYTES = 26 };
enum { ACCURACY_FIRST = 0x20, ACCURACY_LAST = 0x30 };
/* No clock is further off than this, and sums of two such times are no overflow. */
#define TIME_MOST_NS (INT64_MAX / 4)

static uint16_t read_16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static int64_t read_64(const uint8_t *at)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | at[i];
    return (int64_t)value;
}

static void write_16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

void ptp_message_ask(uint8_t out[PTP_ASK_BYTES], enum ptp_set set, uint8_t domain, uint16_t sequence)
{
    memset(out, 0, PTP_ASK_BYTES);
    out[AT_TYPE] = TYPE_MANAGEMENT;
    out[AT_VERSION] = 2;
    write_16(out + AT_LENGTH, PTP_ASK_BYTES);
    out[AT_DOMAIN] = domain;
    write_16(out + AT_SEQUENCE, sequence);
    out[AT_CONTROL] = CONTROL_MANAGEMENT;
    out[AT_INTERVAL] = NO_INTERVAL;
    memset(out + AT_TARGET, 0xFF, TARGET_BYTES);
    write_16(out + AT_TLV, TLV_MANAGEMENT);
    write_16(out + AT_TLV_LENGTH, 2);
    write_16(out + AT_ID, (uint16_t)set);
}

static bool is_time(int64_t ns)
{
    return ns <= TIME_MOST_NS && ns >= -TIME_MOST_NS;
}

static bool read_status(const uint8_t *data, struct ptp_answer *answer)
{
    if (!is_time(read_64(data)) || !is_time(read_64(data + 8)))
        return false;
    answer->status.master_offset_ns = read_64(data);
    answer->status.ingress_ns = read_64(data + 8);
    answer->status.has_master = data[38] || data[39] || data[40] || data[41];
    memcpy(answer->status.grandmaster, data + 42, PTP_IDENTITY_BYTES);
    return true;
}

static bool read_parent(const uint8_t *data, struct ptp_answer *answer)
{
    answer->parent.clock_class = data[19];
    answer->parent.clock_accuracy = data[20];
    memcpy(answer->parent.grandmaster, data + 24, PTP_IDENTITY_BYTES);
    return true;
}

static bool read_properties(const uint8_t *data, struct ptp_answer *answer)
{
    answer->properties.utc_offset_s = (int16_t)read_16(data);
    answer->properties.flags = data[2];
    return true;
}

static bool read_port(const uint8_t *data, struct ptp_answer *answer)
{
    answer->port_state = data[10] < PTP_PORT_STATES ? data[10] : 0;
    return true;
}

static const struct {
    uint16_t set, bytes;
    bool (*read)(const uint8_t *data, struct ptp_answer *answer);
} sets[] = {
    {PTP_TIME_STATUS, STATUS_BYTES, read_status},
    {PTP_PARENT, PARENT_BYTES, read_parent},
    {PTP_TIME_PROPERTIES, PROPERTIES_BYTES, read_properties},
    {PTP_PORT, PORT_BYTES, read_port},
};

static int read_set(const uint8_t *data, size_t bytes, struct ptp_answer *answer)
{
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        if (sets[i].set != read_16(data + AT_ID))
            continue;
        if (bytes < (size_t)AT_DATA + sets[i].bytes || !sets[i].read(data + AT_DATA, answer))
            return -EBADMSG;
        answer->set = sets[i].set;
        return 0;
    }
    return -EBADMSG;
}

/* Both lengths must lie within what came: a datagram that was cut short is no answer. */
static bool is_whole(const uint8_t *data, size_t bytes)
{
    if (bytes < AT_DATA || (data[AT_TYPE] & 0x0F) != TYPE_MANAGEMENT || (data[AT_VERSION] & 0x0F) != 2)
        return false;
    size_t length = read_16(data + AT_LENGTH), tlv = read_16(data + AT_TLV_LENGTH);
    return length >= AT_DATA && length <= bytes && tlv >= 2 && tlv <= length - AT_ID &&
           (data[AT_ACTION] & 0x0F) == ACTION_RESPONSE;
}

int ptp_message_read(const uint8_t *data, size_t bytes, struct ptp_answer *answer)
{
    memset(answer, 0, sizeof *answer);
    if (!is_whole(data, bytes))
        return -EBADMSG;
    answer->sequence = read_16(data + AT_SEQUENCE);
    uint16_t kind = read_16(data + AT_TLV);
    if (kind == TLV_ERROR)
        return -EREMOTEIO;
    if (kind != TLV_MANAGEMENT)
        return -EBADMSG;
    return read_set(data, (size_t)AT_ID + read_16(data + AT_TLV_LENGTH), answer);
}

int64_t ptp_message_accuracy_ns(uint8_t clock_accuracy)
{
    static const int64_t bound_ns[] = {
        25, 100, 250, 1000, 2500, 10000, 25000, 100000, 250000, 1000000, 2500000, 10000000, 25000000,
        100000000, 250000000, 1000000000, 10000000000};
    _Static_assert(sizeof bound_ns / sizeof bound_ns[0] == ACCURACY_LAST - ACCURACY_FIRST + 1, "all");
    if (clock_accuracy < ACCURACY_FIRST || clock_accuracy > ACCURACY_LAST)
        return -1;
    return bound_ns[clock_accuracy - ACCURACY_FIRST];
}

bool ptp_message_is_traceable(uint8_t clock_class)
{
    static const uint8_t good[] = {6, 7, 13, 14, 135, 140};
    for (size_t i = 0; i < sizeof good; i++)
        if (good[i] == clock_class)
            return true;
    return false;
}
