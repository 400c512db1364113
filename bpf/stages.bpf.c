/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * How long does each stage of the loop take? At the probes of flyballd, by the kernel's clock: the loop's own
 * stamps say when a frame was found, and the clock here when a stage is over.
 */
#include "histogram.h"

#include <bpf/usdt.bpf.h>

char terms[] SEC("license") = "GPL";

struct latency_row rows[LATENCY_STAGE_COUNT];
uint64_t slots;             /* worked by decide, of every kind */
uint64_t bursts, frames;    /* polls that found something, and what they found */
uint64_t lost;              /* moments for which there was no room */
bool open;                  /* all probes are armed: what passes counts */
uint64_t floor_ns = ~0ull;  /* moments shorter than this are of no interest; the shell moves it */
/* the least time between the loop's clock and this one, on the way into a probe */
uint64_t entry_ns = ~0ull;

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 18);
} moments SEC(".maps");

static __always_inline void over(uint32_t stage, struct latency_moment what)
{
    what.end_ns = bpf_ktime_get_ns();
    uint64_t took_ns = what.end_ns > what.begin_ns ? what.end_ns - what.begin_ns : 0;
    record(&rows[stage], took_ns);
    if (took_ns < floor_ns)
        return;
    struct latency_moment *told = bpf_ringbuf_reserve(&moments, sizeof *told, 0);
    if (!told) {
        __sync_fetch_and_add(&lost, 1);
        return;
    }
    what.stage = (uint8_t)stage;
    what.cpu = (uint16_t)bpf_get_smp_processor_id();
    *told = what;
    bpf_ringbuf_submit(told, 0);
}

SEC("usdt")
int BPF_USDT(burst, uint64_t lane, uint64_t count, uint64_t before_ns, uint64_t t_ns)
{
    uint64_t now_ns = bpf_ktime_get_ns();
    if (!open)
        return 0;
    __sync_fetch_and_add(&bursts, 1);
    __sync_fetch_and_add(&frames, count);
    if (now_ns > t_ns && now_ns - t_ns < entry_ns)
        entry_ns = now_ns - t_ns;
    return 0;
}

SEC("usdt")
int BPF_USDT(decoded, uint64_t kind, uint64_t subject, uint64_t number, uint64_t frame_sequence,
             uint64_t t_receive_ns)
{
    if (!open)
        return 0;
    over(LATENCY_DECODED, (struct latency_moment){.begin_ns = t_receive_ns, .number = number,
                                                  .subject = (uint32_t)subject, .kind = (uint8_t)kind});
    return 0;
}

SEC("usdt")
int BPF_USDT(decided, uint64_t sequence, uint64_t kind, uint64_t subject, uint64_t number,
             uint64_t t_receive_ns, uint64_t leases)
{
    struct latency_moment what = {.begin_ns = t_receive_ns, .number = sequence, .subject = (uint32_t)subject,
                                  .kind = (uint8_t)kind};
    if (!open)
        return 0;
    __sync_fetch_and_add(&slots, 1);
    if (kind == KIND_READING || kind == KIND_REPORT)
        over(LATENCY_DECIDED, what);
    else if (kind == KIND_TICK || kind == KIND_TICK_PART)
        over(LATENCY_TICK, what);
    return 0;
}

SEC("usdt")
int BPF_USDT(sent, uint64_t host, uint64_t sequence, uint64_t emergency, uint64_t t_receive_ns)
{
    struct latency_moment what = {.begin_ns = t_receive_ns, .number = sequence, .subject = (uint32_t)host};
    if (!open)
        return 0;
    over(LATENCY_SENT, what);
    if (emergency)
        record(&rows[LATENCY_EMERGENCY], bpf_ktime_get_ns() - t_receive_ns);
    return 0;
}
