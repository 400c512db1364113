/* SPDX-License-Identifier: Apache-2.0 */
/* An ip_port on a port that keeps what is sent, a clock in the hand, and frames as peers send them. */
#ifndef FLYBALL_TESTS_UNIT_PORT_IP_RIG_H
#define FLYBALL_TESTS_UNIT_PORT_IP_RIG_H

#include "port/ip/arp.h"
#include "port/ip/ip.h"

enum { IP_RIG_FRAMES = 1024, IP_RIG_BYTES = 1536, IP_RIG_NEIGHBOURS = 64, IP_RIG_MTU = 1500 };

#define IP_RIG_OWN  UINT32_C(0xC6336401)    /* 198.51.100.1 */
#define IP_RIG_PEER UINT32_C(0xC6336402)
#define IP_RIG_T0   (INT64_C(1000) * NS_PER_S)

struct ip_rig {
    struct ip_port ip;
    struct port port;
    void *memory;
    _Atomic uint64_t link;
    bool takes;                     /* the port takes what it is given */
    uint32_t sent;
    uint8_t data[IP_RIG_FRAMES][IP_RIG_BYTES];
    uint32_t length[IP_RIG_FRAMES];
    int64_t t_ns;
};

extern const uint8_t ip_rig_mac[6], ip_rig_peer_mac[6], ip_rig_other_mac[6], ip_rig_everybody[6];

/* With prefix 24 and no gateway; turned once, so that the announcements of the start are sent. */
void ip_rig_open(struct ip_rig *rig, uint16_t vlan, uint32_t gateway);
void ip_rig_close(struct ip_rig *rig);

/* Forgets what was sent. */
void ip_rig_forget(struct ip_rig *rig);

/* A frame comes in; whether it was set aside. */
bool ip_rig_take(struct ip_rig *rig, const uint8_t *data, uint32_t length, uint16_t flags, uint16_t tci);

/* Turns until nothing is left to do, at a time that is set forward by ns before. */
void ip_rig_turn(struct ip_rig *rig, int64_t ns);

struct ip_rig_arp {
    uint16_t operation;
    const uint8_t *from, *to;
    uint32_t sender, target;
};

/* An untagged ARP frame comes in and is worked. */
void ip_rig_arp(struct ip_rig *rig, const struct ip_rig_arp *arp);

/* The n-th frame sent, which must be ARP without a tag. */
struct arp ip_rig_sent_arp(const struct ip_rig *rig, uint32_t n);

#endif
