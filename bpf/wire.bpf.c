/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * How long from a meter's frame on the wire to the cap frames that it causes, and from a host's report to the
 * lease that answers it? Frames are seen where they cross an interface of the other side: what a host of the
 * kernel sends at its egress, what it receives by XDP. Between the two the daemon's probes hand the thread
 * on: frame to slot, slot to lease, lease to frame, each by its number.
 */
#include "histogram.h"

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/usdt.bpf.h>

char terms[] SEC("license") = "GPL";

enum { MAGIC = 0x31594C46 };

struct frame_head {
    uint32_t magic;
    uint8_t version, kind;
    uint16_t key_id, body_bytes, zero;
    uint32_t sender;
    uint64_t sequence;
} __attribute__((packed));

bool open;                  /* all probes are armed: what passes counts */
struct latency_row rows[WIRE_ROW_COUNT];
struct wire_counts counts;

struct arrival {
    uint64_t t_ns;
    uint32_t address;       /* its sender's */
    uint16_t port;
    uint16_t ambiguous;     /* another sender had the same number: whose slot it is cannot be told */
};

struct slot_name {
    uint32_t kind, subject;
    uint64_t number;
};

struct cause {
    uint64_t t_ns;
    uint32_t kind, answers;
};

#define LRU(name, key_type, value_type) \
    struct { \
        __uint(type, BPF_MAP_TYPE_LRU_HASH); \
        __uint(max_entries, 1 << 15); \
        __type(key, key_type); \
        __type(value, value_type); \
    } name SEC(".maps")

LRU(arrivals, uint64_t, struct arrival);        /* by the number of the frame */
LRU(waiting, struct slot_name, uint64_t);       /* slots that decide has not worked: when their frame came */
LRU(causes, uint64_t, struct cause);            /* by slot: those that leases came of */
LRU(flights, uint64_t, uint64_t);               /* by the number of a cap frame: its slot */

static __always_inline void arrived(const struct frame_head *head, uint32_t address, uint16_t port)
{
    uint64_t number = head->sequence;
    struct arrival fresh = {.t_ns = bpf_ktime_get_ns(), .address = address, .port = port};
    struct arrival *there = bpf_map_lookup_elem(&arrivals, &number);
    if (there && there->address == address && there->port == port)
        return;             /* the same frame, seen at a second place */
    if (there) {
        there->ambiguous = 1;
        __sync_fetch_and_add(&counts.ambiguous, 1);
        return;
    }
    bpf_map_update_elem(&arrivals, &number, &fresh, BPF_ANY);
    if (head->kind == WIRE_MEASUREMENT)
        __sync_fetch_and_add(&counts.meter_frames, 1);
}

static __always_inline void left(const struct frame_head *head)
{
    uint64_t number = head->sequence, now_ns = bpf_ktime_get_ns();
    __sync_fetch_and_add(&counts.cap_frames, 1);
    uint64_t *slot = bpf_map_lookup_elem(&flights, &number);
    struct cause *cause = slot ? bpf_map_lookup_elem(&causes, slot) : NULL;
    if (!cause) {
        __sync_fetch_and_add(&counts.unmatched, 1);
        return;
    }
    bpf_map_delete_elem(&flights, &number);
    if (cause->kind != KIND_READING) {
        record(&rows[WIRE_ANSWER], now_ns - cause->t_ns);
        return;
    }
    record(&rows[WIRE_ALL], now_ns - cause->t_ns);
    if (__sync_fetch_and_add(&cause->answers, 1) == 0)
        record(&rows[WIRE_FIRST], now_ns - cause->t_ns);
}

/* Plain and once-tagged Ethernet, IPv4 without options, UDP. */
static __always_inline void look(void *data, void *end)
{
    struct ethhdr *ethernet = data;
    uint32_t at = sizeof *ethernet;
    if ((void *)(ethernet + 1) > end)
        return;
    uint16_t type = ethernet->h_proto;
    if (type == bpf_htons(ETH_P_8021Q)) {
        if (data + at + 4 > end)
            return;
        type = *(uint16_t *)(data + at + 2);
        at += 4;
    }
    struct iphdr *ip = data + at;
    struct udphdr *udp = (void *)(ip + 1);
    struct frame_head *head = (void *)(udp + 1);
    if (type != bpf_htons(ETH_P_IP) || (void *)(head + 1) > end || ip->ihl != 5 ||
        ip->protocol != IPPROTO_UDP || head->magic != MAGIC)
        return;
    if (head->kind == WIRE_MEASUREMENT || head->kind == WIRE_REPORT)
        arrived(head, ip->saddr, udp->source);
    else if (head->kind == WIRE_LEASE || head->kind == WIRE_CLAIM)
        left(head);
}

SEC("xdp")
int wire_in(struct xdp_md *frame)
{
    if (open)
        look((void *)(long)frame->data, (void *)(long)frame->data_end);
    return XDP_PASS;
}

/* Headers need not lie in the linear part: of what a packet socket sent they do not. */
SEC("tc")
int wire_pass(struct __sk_buff *frame)
{
    uint8_t head[sizeof(struct ethhdr) + 4 + sizeof(struct iphdr) + sizeof(struct udphdr) +
                 sizeof(struct frame_head)];
    if (open && !bpf_skb_load_bytes(frame, 0, head, sizeof head))
        look(head, head + sizeof head);
    return -1;              /* as if it were not here */
}

SEC("usdt")
int BPF_USDT(decoded, uint64_t kind, uint64_t subject, uint64_t number, uint64_t frame_sequence)
{
    struct slot_name name = {.kind = (uint32_t)kind, .subject = (uint32_t)subject, .number = number};
    struct arrival *there = bpf_map_lookup_elem(&arrivals, &frame_sequence);
    if (!there)
        return 0;
    uint64_t t_ns = there->t_ns;
    uint16_t ambiguous = there->ambiguous;
    bpf_map_delete_elem(&arrivals, &frame_sequence);
    if (!ambiguous)
        bpf_map_update_elem(&waiting, &name, &t_ns, BPF_ANY);
    return 0;
}

SEC("usdt")
int BPF_USDT(decided, uint64_t sequence, uint64_t kind, uint64_t subject, uint64_t number,
             uint64_t t_receive_ns, uint64_t leases)
{
    struct slot_name name = {.kind = (uint32_t)kind, .subject = (uint32_t)subject, .number = number};
    uint64_t *came_ns = bpf_map_lookup_elem(&waiting, &name);
    if (!came_ns)
        return 0;
    struct cause cause = {.t_ns = *came_ns, .kind = (uint32_t)kind};
    bpf_map_delete_elem(&waiting, &name);
    if (leases)
        bpf_map_update_elem(&causes, &sequence, &cause, BPF_ANY);
    return 0;
}

SEC("usdt")
int BPF_USDT(framed, uint64_t slot, uint64_t kind, uint64_t host, uint64_t lease, uint64_t frame_sequence)
{
    if (bpf_map_lookup_elem(&causes, &slot))
        bpf_map_update_elem(&flights, &frame_sequence, &slot, BPF_ANY);
    return 0;
}
