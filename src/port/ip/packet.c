/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 791 (IPv4), RFC 1071 (its checksum), IEEE 802.1Q (the tag). */
#include "port/ip/packet.h"

enum {
    FRAGMENT_MASK = 0xBFFF,         /* reserved bit, more fragments, offset: all but "don't fragment" */
};

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
