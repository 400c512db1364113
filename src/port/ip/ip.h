/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A port that owns its address: answers ARP (RFC 826, 5227) and ICMP echo (RFC 792), finds neighbours, keeps
 * watch over its own address. One per port of kind PORT_FRAMES, owned by the thread that sends leases there
 * (of the other port: by that of its first queue). What comes in is copied into a short queue, one per
 * receive queue and so per lane, while frames are polled, and worked at the end of the owner's turn, behind
 * decide and
 * egress: no valid frame waits for any of this.
 *
 * Whom we believe. ARP carries no proof, so as little as possible is taken from it. An address is in the
 * table only when we wanted to send there: a host of the site file, or the gateway.
 * - A reply counts only while a request of ours for that address is unanswered, and only when it came to our
 *   own MAC.
 * - A request for our address, and an announcement (sender and target are the same), count for addresses in
 *   the table: whoever asks for us can be answered, and a host that changed its MAC is followed.
 * - Everything else teaches nothing, and is counted.
 * Where the site file gives a host's MAC, or a valid report came from it, the table is not looked at.
 *
 * Here are IPv4 and one VLAN a port. IPv6 is not: nothing of it is answered or asked.
 */
#ifndef FLYBALL_PORT_IP_IP_H
#define FLYBALL_PORT_IP_IP_H

#include <stdatomic.h>

#include "port/ip/bucket.h"
#include "port/ip/endpoint.h"
#include "port/ip/neighbour.h"
#include "port/port.h"

/* X(symbol, name in status and metrics, meaning) */
#define IP_COUNTERS(X) \
    X(IP_ARP_ANSWERED, "arp_answered", "ARP requests for the port's address that were answered") \
    X(IP_ARP_ASKED, "arp_asked", "ARP requests sent, for the gateway and for hosts") \
    X(IP_ARP_LEARNED, "arp_learned", "ARP packets that told or confirmed the MAC of a neighbour we want") \
    X(IP_ARP_MOVED, "arp_moved", "of these, such as changed a MAC we held") \
    X(IP_ARP_IGNORED, "arp_ignored", "ARP packets that taught nothing: nobody asked, or not a neighbour") \
    X(IP_ARP_MALFORMED, "arp_malformed", "ARP packets cut short, or that no station can have sent") \
    X(IP_ANNOUNCED, "announced", "probes and announcements of the port's address that were sent") \
    X(IP_ADDRESS_CONFLICTS, "address_conflicts", "ARP packets in which another MAC claims our address") \
    X(IP_ECHO_ANSWERED, "echo_answered", "ICMP echo requests that were answered") \
    X(IP_ICMP_IGNORED, "icmp_ignored", "ICMP messages other than echo requests") \
    X(IP_ICMP_MALFORMED, "icmp_malformed", "ICMP messages with a wrong length, checksum or sender") \
    X(IP_RATE_LIMITED, "rate_limited", "requests left unanswered: more than a port answers in a second") \
    X(IP_OVERFLOWED, "overflowed", "ARP and ICMP frames that came while the queue for them was full") \
    X(IP_NOT_SENT, "not_sent", "answers, requests and announcements that the port did not take")

#define IP_COUNTER_SYMBOL(symbol, name, meaning) symbol,
enum ip_counter { IP_COUNTERS(IP_COUNTER_SYMBOL) IP_COUNTER_COUNT };
#undef IP_COUNTER_SYMBOL

struct ip_config {
    struct endpoint own;        /* with the VLAN */
    uint32_t prefix, gateway;   /* as in struct site_port */
    struct port *port;
    uint32_t queue;             /* that the owner sends by */
    uint32_t asides;            /* receive queues, LANES_MAX at most */
    uint32_t mtu;
    uint32_t neighbours;        /* addresses that may be wanted, the gateway not counted */
    const _Atomic uint64_t *link;       /* bit 0: up; the rest counts changes. NULL = up for ever */
};

/* Frames of one receive queue that wait for the end of the turn: one thread puts, the owner takes. */
struct ip_aside {
    struct endpoint own;
    uint8_t *data;              /* IP_ASIDE_FRAMES times `stride` bytes */
    uint32_t stride;
    struct port_frame frame[IP_ASIDE_FRAMES];
    _Atomic uint64_t overflowed;        /* written by whoever puts */
    _Alignas(64) _Atomic uint32_t tail; /* pairs with the owner's acquire */
    _Alignas(64) _Atomic uint32_t head; /* pairs with the acquire of whoever puts */
};

struct ip_port {
    struct ip_config config;
    struct neighbours neighbours;
    struct ip_aside aside[LANES_MAX];
    uint32_t next_aside;
    struct bucket arp_answers, echo_answers, requests;
    int64_t t_ns;               /* of the newest turn */
    bool started;
    uint64_t link_seen;
    uint32_t announcements;     /* still to be sent */
    int64_t t_announce_ns, t_defended_ns;
    uint8_t *out;               /* one frame under way */
    _Atomic uint64_t counter[IP_COUNTER_COUNT];         /* written by the owner, read by anybody */
    _Atomic uint64_t conflict_mac;      /* of the newest claim to our address: byte i at bit 8 i */
    _Atomic int64_t t_conflict_ns;      /* when it was made; 0 = never */
};

/* setup: `config` is copied; `memory` as large as ip_bytes says, aligned to 64 like the struct itself. */
size_t ip_bytes(uint32_t mtu, uint32_t neighbours, uint32_t asides);
void ip_init(struct ip_port *ip, const struct ip_config *config, void *memory);

/* rt, the one thread that receives from that queue: a frame that is no UDP for us. True when it is ARP or
 * ICMP for this port's address: it is copied for the end of the owner's turn, or counted where there is no
 * place; false: not ours, nothing is kept. */
bool ip_set_aside(struct ip_aside *aside, const struct port_frame *frame);

/* rt, owner, at the end of every turn: at most IP_TURN_FRAMES frames set aside, then announcements and
 * requests that are due. `now_ns` may be as old as the turn. Returns how many frames were worked or sent. */
uint32_t ip_turn(struct ip_port *ip, int64_t now_ns);

/* rt, owner: where frames to that address go: its own MAC where it is on the link, else the gateway's. False
 * when that is not known (yet): it is then asked for. */
bool ip_find_mac(struct ip_port *ip, uint32_t ipv4, uint8_t mac[6]);

/* any */
uint64_t ip_counted(const struct ip_port *ip, enum ip_counter counter);

/* any: false unless another MAC claimed our address within IP_CONFLICT_SHOWN_NS. */
bool ip_conflict(const struct ip_port *ip, int64_t now_ns, uint8_t mac[6]);

/* any */
const char *ip_counter_name(enum ip_counter counter);
const char *ip_counter_meaning(enum ip_counter counter);

#endif
