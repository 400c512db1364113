/* SPDX-License-Identifier: Apache-2.0 */
#include "ip_rig.h"

#include <assert.h>
#include <stdlib.h>

const uint8_t ip_rig_mac[6] = {0x02, 0xf1, 0xba, 0x11, 0x01, 0x01},
              ip_rig_peer_mac[6] = {0x02, 0xf1, 0xba, 0x11, 0x01, 0x02},
              ip_rig_other_mac[6] = {0x02, 0xf1, 0xba, 0x11, 0x01, 0xee},
              ip_rig_everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static uint32_t keep(struct port *port, uint32_t queue, const struct port_frame *frame, uint32_t count)
{
    struct ip_rig *rig = port->state;
    (void)queue;
    for (uint32_t i = 0; rig->takes && i < count; i++) {
        assert(rig->sent < IP_RIG_FRAMES && frame[i].length <= IP_RIG_BYTES && !frame[i].flags);
        memcpy(rig->data[rig->sent], frame[i].data, frame[i].length);
        rig->length[rig->sent++] = frame[i].length;
    }
    return rig->takes ? count : 0;
}

static const struct port_driver driver = {.name = "rig", .kind = PORT_FRAMES, .send = keep};

void ip_rig_open(struct ip_rig *rig, uint16_t vlan, uint32_t gateway)
{
    memset(rig, 0, sizeof *rig);
    rig->port = (struct port){.driver = &driver, .state = rig, .mtu = IP_RIG_MTU};
    rig->takes = true;
    rig->link = 1;
    struct ip_config config = {.own = {.ipv4 = IP_RIG_OWN, .port = 7001, .vlan = vlan}, .prefix = 24,
                               .gateway = gateway, .port = &rig->port, .asides = 1, .mtu = IP_RIG_MTU,
                               .neighbours = IP_RIG_NEIGHBOURS, .link = &rig->link};
    memcpy(config.own.mac, ip_rig_mac, 6);
    size_t bytes = ip_bytes(IP_RIG_MTU, IP_RIG_NEIGHBOURS, 1);
    rig->memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    assert(rig->memory);
    ip_init(&rig->ip, &config, rig->memory);
    rig->t_ns = IP_RIG_T0;
    ip_rig_turn(rig, 0);
}

void ip_rig_close(struct ip_rig *rig)
{
    free(rig->memory);
}

void ip_rig_forget(struct ip_rig *rig)
{
    rig->sent = 0;
}

/* A block of its own, so that a read past the end is one outside. */
bool ip_rig_take(struct ip_rig *rig, const uint8_t *data, uint32_t length, uint16_t flags, uint16_t tci)
{
    uint8_t *own = malloc(length ? length : 1);
    assert(own);
    memcpy(own, data, length);
    const struct port_frame frame = {.data = own, .length = length, .flags = flags, .vlan_tci = tci};
    bool aside = ip_set_aside(&rig->ip.aside[0], &frame);
    free(own);
    return aside;
}

void ip_rig_turn(struct ip_rig *rig, int64_t ns)
{
    rig->t_ns += ns;
    /* a turn looks at IP_TURN_LOOKS neighbours: so many in a row without work have looked at all */
    for (uint32_t idle = 0; idle <= IP_RIG_NEIGHBOURS / IP_TURN_LOOKS + 1; idle++)
        if (ip_turn(&rig->ip, rig->t_ns))
            idle = 0;
}

void ip_rig_arp(struct ip_rig *rig, const struct ip_rig_arp *wanted)
{
    uint8_t frame[ETHERNET_BYTES_MIN];
    struct endpoint from = {0};
    struct arp arp = {.operation = wanted->operation, .sender_ipv4 = wanted->sender,
                      .target_ipv4 = wanted->target};
    memcpy(from.mac, wanted->from, 6);
    memcpy(arp.sender_mac, wanted->from, 6);
    uint32_t length = arp_build(frame, &from, wanted->to, &arp);
    ip_rig_take(rig, frame, length, 0, 0);
    ip_rig_turn(rig, 0);
}

struct arp ip_rig_sent_arp(const struct ip_rig *rig, uint32_t n)
{
    struct arp arp = {0};
    assert(n < rig->sent && load16(rig->data[n] + 12) == ETHERTYPE_ARP);
    bool whole = arp_parse(rig->data[n] + ETHERNET_BYTES, rig->length[n] - ETHERNET_BYTES, &arp);
    assert(whole);
    (void)whole;
    return arp;
}
