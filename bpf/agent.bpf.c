/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* How long does an agent wait for its leases, and how long do its devices' drivers take? */
#include "histogram.h"

#include <bpf/usdt.bpf.h>

char terms[] SEC("license") = "GPL";

bool open;                  /* all probes are armed: what passes counts */
struct latency_row rows[AGENT_STEP_COUNT];
struct agent_counts counts;

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, uint64_t);
    __type(value, uint64_t);
} reports SEC(".maps");     /* by number: when it was sent */

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, uint32_t);
    __type(value, uint64_t);
} calls SEC(".maps");       /* by thread: when its driver was called */

SEC("usdt")
int BPF_USDT(reported, uint64_t host, uint64_t number)
{
    uint64_t now_ns = bpf_ktime_get_ns();
    if (!open)
        return 0;
    __sync_fetch_and_add(&counts.reports, 1);
    bpf_map_update_elem(&reports, &number, &now_ns, BPF_ANY);
    return 0;
}

SEC("usdt")
int BPF_USDT(leased, uint64_t sequence, uint64_t echo, uint64_t cap_mw, uint64_t verdict)
{
    uint64_t now_ns = bpf_ktime_get_ns();
    if (!open)
        return 0;
    __sync_fetch_and_add(&counts.leases, 1);
    uint64_t *sent_ns = bpf_map_lookup_elem(&reports, &echo);
    if (!sent_ns)
        return 0;
    record(&rows[AGENT_STEP_ANSWER], now_ns - *sent_ns);
    bpf_map_delete_elem(&reports, &echo);
    return 0;
}

SEC("usdt")
int BPF_USDT(write, uint64_t device, uint64_t cap_mw, uint64_t came_ns)
{
    uint64_t now_ns = bpf_ktime_get_ns();
    uint32_t thread = (uint32_t)bpf_get_current_pid_tgid();
    if (!open)
        return 0;
    __sync_fetch_and_add(&counts.writes, 1);
    if (now_ns > came_ns)
        record(&rows[AGENT_STEP_ORDER], now_ns - came_ns);
    bpf_map_update_elem(&calls, &thread, &now_ns, BPF_ANY);
    return 0;
}

SEC("usdt")
int BPF_USDT(written, uint64_t device, uint64_t cap_mw, uint64_t rc)
{
    uint64_t now_ns = bpf_ktime_get_ns();
    uint32_t thread = (uint32_t)bpf_get_current_pid_tgid();
    uint64_t *began_ns = bpf_map_lookup_elem(&calls, &thread);
    if (!open || !began_ns)
        return 0;
    __sync_fetch_and_add(&counts.failed, (int)rc != 0);
    record(&rows[AGENT_STEP_CALL], now_ns - *began_ns);
    bpf_map_delete_elem(&calls, &thread);
    return 0;
}
