/* SPDX-License-Identifier: Apache-2.0 */
#include "port/ip/arp.h"

enum { HARDWARE_ETHERNET = 1, MAC_BYTES = 6, IPV4_ADDRESS_BYTES = 4 };

bool arp_parse(const uint8_t *body, uint32_t bytes, struct arp *arp)
{
    if (bytes < ARP_BYTES || load16(body) != HARDWARE_ETHERNET || load16(body + 2) != ETHERTYPE_IPV4 ||
        body[4] != MAC_BYTES || body[5] != IPV4_ADDRESS_BYTES)
        return false;
    arp->operation = load16(body + 6);
    memcpy(arp->sender_mac, body + 8, 6);
    arp->sender_ipv4 = load32(body + 14);
    arp->target_ipv4 = load32(body + 24);
    bool probe = arp->operation == ARP_REQUEST && !arp->sender_ipv4;
    return (arp->operation == ARP_REQUEST || arp->operation == ARP_REPLY) && station_mac(arp->sender_mac) &&
           (probe || station_ipv4(arp->sender_ipv4));
}

/* A request does not know the target's MAC: zeros. */
uint32_t arp_build(uint8_t *frame, const struct endpoint *from, const uint8_t to[6], const struct arp *arp)
{
    uint8_t *body = ethernet_build(frame, to, from, ETHERTYPE_ARP, PRIORITY_LEASE);
    store16(body, HARDWARE_ETHERNET);
    store16(body + 2, ETHERTYPE_IPV4);
    body[4] = MAC_BYTES;
    body[5] = IPV4_ADDRESS_BYTES;
    store16(body + 6, arp->operation);
    memcpy(body + 8, arp->sender_mac, 6);
    store32(body + 14, arp->sender_ipv4);
    memset(body + 18, 0, 6);
    if (arp->operation == ARP_REPLY)
        memcpy(body + 18, to, 6);
    store32(body + 24, arp->target_ipv4);
    return ethernet_fill(frame, (uint32_t)(body - frame) + ARP_BYTES);
}
