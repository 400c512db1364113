/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 791 (IPv4), RFC 768 (UDP), RFC 1071 (the checksum: the ones' complement sum of 16-bit words, in any
 * byte order). */
#include "port/udp.h"

#include <string.h>

enum {
    ETHERNET_BYTES = 14,
    IPV4_BYTES_MIN = 20,
    UDP_BYTES = 8,
    ETHERTYPE_IPV4 = 0x0800,
    PROTOCOL_UDP = 17,
    HOPS = 64,
    FLAG_DONT_FRAGMENT = 0x4000,
    FRAGMENT_MASK = 0xBFFF,     /* reserved bit, more fragments, offset: all but "don't fragment" */
    TYPE_OF_SERVICE = 0xB8,     /* expedited forwarding (RFC 3246) */
};

static_assert(ETHERNET_BYTES + IPV4_BYTES_MIN + UDP_BYTES == (int)UDP_HEADROOM,
              "the headroom is the three headers");

static uint16_t load16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t load32(const uint8_t *at)
{
    return (uint32_t)load16(at) << 16 | load16(at + 2);
}

static void store16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void store32(uint8_t *at, uint32_t value)
{
    store16(at, value >> 16);
    store16(at + 2, value & 0xFFFF);
}

/* Words are summed as they lie in memory, eight bytes at a time, the carry brought round; RFC 1071 section
 * 2(B): swapping all bytes swaps the sum's, so the result is put back by storing it as it lies. */
static uint64_t sum_words(uint64_t sum, const uint8_t *data, uint32_t bytes)
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

/* The folded 16-bit sum, in memory order. */
static uint16_t fold(uint64_t sum)
{
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)sum;
}

/* Addresses, protocol and length, then the datagram: in memory order like everything that is summed here. */
static uint16_t udp_sum(const uint8_t *addresses, const uint8_t *udp, uint32_t udp_bytes)
{
    uint8_t pseudo[4] = {0, PROTOCOL_UDP};
    store16(pseudo + 2, udp_bytes);
    uint64_t sum = sum_words(0, addresses, 8);
    sum = sum_words(sum, pseudo, sizeof pseudo);
    return fold(sum_words(sum, udp, udp_bytes));
}

/* ACCEPTED with the header's and the packet's length when an unfragmented IPv4 packet stands at `ip`. */
static int check_ipv4(const uint8_t *ip, uint32_t room, uint32_t *header_bytes, uint32_t *packet_bytes)
{
    if (room < IPV4_BYTES_MIN)
        return REFUSED_TRUNCATED;
    if (ip[0] >> 4 != 4)
        return REFUSED_NOT_OURS;
    *header_bytes = (ip[0] & 15u) * 4;
    *packet_bytes = load16(ip + 2);
    if (*header_bytes < IPV4_BYTES_MIN || *packet_bytes < *header_bytes || *packet_bytes > room)
        return REFUSED_TRUNCATED;
    if (fold(sum_words(0, ip, *header_bytes)) != 0xFFFF)
        return REFUSED_CHECKSUM;
    return load16(ip + 6) & FRAGMENT_MASK ? REFUSED_FRAGMENT : ACCEPTED;
}

/* ACCEPTED when a whole datagram to this port stands at `udp` and fills the packet. */
static int check_udp(const uint8_t *ip, const uint8_t *udp, uint32_t room, uint16_t local_port)
{
    if (room < UDP_BYTES)
        return REFUSED_TRUNCATED;
    if (load16(udp + 2) != local_port)
        return REFUSED_NOT_OURS;
    uint32_t bytes = load16(udp + 4);
    if (bytes < UDP_BYTES || bytes > room)
        return REFUSED_TRUNCATED;
    if (bytes < room)
        return REFUSED_OVERSIZED;   /* bytes that no checksum covers */
    if (!load16(udp + 6) || udp_sum(ip + 12, udp, bytes) != 0xFFFF)
        return REFUSED_CHECKSUM;
    return ACCEPTED;
}

int udp_parse(const uint8_t *frame, uint32_t length, const struct endpoint *local,
              struct udp_datagram *datagram)
{
    if (length < ETHERNET_BYTES)
        return REFUSED_TRUNCATED;
    if (memcmp(frame, local->mac, 6) || load16(frame + 12) != ETHERTYPE_IPV4)
        return REFUSED_NOT_OURS;
    const uint8_t *ip = frame + ETHERNET_BYTES;
    uint32_t header_bytes, packet_bytes;
    int verdict = check_ipv4(ip, length - ETHERNET_BYTES, &header_bytes, &packet_bytes);
    if (verdict)
        return verdict;
    if (ip[9] != PROTOCOL_UDP || load32(ip + 16) != local->ipv4)
        return REFUSED_NOT_OURS;
    const uint8_t *udp = ip + header_bytes;
    verdict = check_udp(ip, udp, packet_bytes - header_bytes, local->port);
    if (verdict)
        return verdict;
    *datagram = (struct udp_datagram){
        .source = {.ipv4 = load32(ip + 12), .port = load16(udp)},
        .destination_port = local->port,
        .payload = udp + UDP_BYTES,
        .payload_bytes = packet_bytes - header_bytes - UDP_BYTES,
    };
    memcpy(datagram->source.mac, frame + 6, 6);
    return ACCEPTED;
}

static void build_ipv4(uint8_t *ip, const struct endpoint *from, const struct endpoint *to,
                       uint32_t packet_bytes)
{
    memset(ip, 0, IPV4_BYTES_MIN);
    ip[0] = 0x45;
    ip[1] = TYPE_OF_SERVICE;
    store16(ip + 2, packet_bytes);
    store16(ip + 6, FLAG_DONT_FRAGMENT);
    ip[8] = HOPS;
    ip[9] = PROTOCOL_UDP;
    store32(ip + 12, from->ipv4);
    store32(ip + 16, to->ipv4);
    uint16_t checksum = (uint16_t)~fold(sum_words(0, ip, IPV4_BYTES_MIN));
    memcpy(ip + 10, &checksum, sizeof checksum);
}

uint32_t udp_build(uint8_t *frame, const struct endpoint *from, const struct endpoint *to,
                   uint32_t payload_bytes)
{
    uint8_t *ip = frame + ETHERNET_BYTES, *udp = ip + IPV4_BYTES_MIN;
    uint32_t udp_bytes = UDP_BYTES + payload_bytes;
    memcpy(frame, to->mac, 6);
    memcpy(frame + 6, from->mac, 6);
    store16(frame + 12, ETHERTYPE_IPV4);
    build_ipv4(ip, from, to, IPV4_BYTES_MIN + udp_bytes);
    store16(udp, from->port);
    store16(udp + 2, to->port);
    store16(udp + 4, udp_bytes);
    store16(udp + 6, 0);
    uint16_t checksum = (uint16_t)~udp_sum(ip + 12, udp, udp_bytes);
    if (!checksum)
        checksum = 0xFFFF;          /* zero would say "none": RFC 768 */
    memcpy(udp + 6, &checksum, sizeof checksum);
    return UDP_HEADROOM + payload_bytes;
}
