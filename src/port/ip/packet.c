/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 791 (IPv4), RFC 1071 (its checksum), IEEE 802.1Q (the tag). */
#include "port/ip/packet.h"

enum {
    HOPS = 64,
    FLAG_DONT_FRAGMENT = 0x4000,
    FRAGMENT_MASK = 0xBFFF,         /* reserved bit, more fragments, offset: all but "don't fragment" */
    PRIORITY_SHIFT = 13,
};

/* Words are summed as they lie in memory, the carry brought round; RFC 1071 section 2(B): swapping all bytes
 * swaps the sum's, so the result is put back by storing it as it lies. */
uint64_t sum_words(uint64_t sum, const uint8_t *data, uint32_t bytes)
{
    for (; bytes >= 8; data += 8, bytes -= 8) {
        uint64_t word;
        memcpy(&word, data, sizeof word);
        sum += word;
        sum += sum < word;
    }
    uint64_t tail = 0;
    memcpy(&tail, data, bytes);     /* an odd last byte stands before a zero byte: RFC 1071 section 1 */
    sum += tail;
    return sum + (sum < tail);
}

uint16_t sum_fold(uint64_t sum)
{
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)sum;
}

bool station_mac(const uint8_t mac[6])
{
    static const uint8_t none[6];
    return !(mac[0] & 1) && memcmp(mac, none, sizeof none) != 0;
}

bool station_ipv4(uint32_t ipv4)
{
    uint32_t first = ipv4 >> 24;
    return first != 0 && first != 127 && first < 224;
}

uint8_t *ethernet_build(uint8_t *frame, const uint8_t to[6], const struct endpoint *from, uint16_t type,
                        uint32_t priority)
{
    memcpy(frame, to, 6);
    memcpy(frame + 6, from->mac, 6);
    uint8_t *at = frame + 12;
    if (from->vlan) {
        store16(at, ETHERTYPE_VLAN);
        store16(at + 2, priority << PRIORITY_SHIFT | from->vlan);
        at += VLAN_TAG_BYTES;
    }
    store16(at, type);
    return at + 2;
}

int ipv4_check(const uint8_t *ip, uint32_t room, uint16_t flags, uint32_t *header_bytes,
               uint32_t *packet_bytes)
{
    if (room < IPV4_BYTES_MIN)
        return REFUSED_TRUNCATED;
    if (ip[0] >> 4 != 4)
        return REFUSED_NOT_OURS;
    *header_bytes = (ip[0] & 15u) * 4;
    *packet_bytes = load16(ip + 2);
    if (*header_bytes < IPV4_BYTES_MIN || *packet_bytes < *header_bytes || *packet_bytes > room)
        return REFUSED_TRUNCATED;
    if (flags & FRAME_SUMS_BAD)
        return REFUSED_CHECKSUM;
    if (!(flags & FRAME_SUMS_GOOD) && sum_fold(sum_words(0, ip, *header_bytes)) != 0xFFFF)
        return REFUSED_CHECKSUM;
    return load16(ip + 6) & FRAGMENT_MASK ? REFUSED_FRAGMENT : ACCEPTED;
}

void ipv4_build(uint8_t *ip, const struct ipv4 *header, bool sum)
{
    memset(ip, 0, IPV4_BYTES_MIN);
    ip[0] = 0x45;
    ip[1] = header->type_of_service;
    store16(ip + 2, header->packet_bytes);
    store16(ip + 6, FLAG_DONT_FRAGMENT);
    ip[8] = HOPS;
    ip[9] = header->protocol;
    store32(ip + 12, header->source);
    store32(ip + 16, header->destination);
    if (!sum)
        return;
    uint16_t checksum = (uint16_t)~sum_fold(sum_words(0, ip, IPV4_BYTES_MIN));
    memcpy(ip + 10, &checksum, sizeof checksum);
}
