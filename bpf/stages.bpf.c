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

/* Where and when the newest slots became slots: decide, which may be on another core, works them later, and
 * their leases leave on a third. Whoever has the same place overwrites it: then what was before is not
 * known. */
enum { HANDED = 4096, WORKED = 1024 };

static struct handed {
    uint64_t number, at_ns;
    uint32_t subject;
    uint16_t cpu;
    uint8_t kind;
} handed[HANDED];

/* The same of slots that decide has worked, by what their leases know of them: the time they were received,
 * and of reports their host, for there are many in a burst. */
static struct worked {
    uint64_t t_receive_ns, handed_ns, decided_ns;
    uint32_t host;
    uint16_t from_cpu, cpu;
} worked[WORKED];

static __always_inline struct handed *handed_place(uint32_t subject, uint64_t number)
{
    return &handed[(subject * 2654435761u + (uint32_t)number) % HANDED];
}

static __always_inline struct worked *worked_place(uint64_t t_receive_ns, uint32_t host)
{
    return &worked[(uint32_t)((t_receive_ns + host) * 11400714819323198485ull >> 32) % WORKED];
}

static __always_inline void hand(const struct latency_moment *what)
{
    *handed_place(what->subject, what->number) = (struct handed){
        .number = what->number, .at_ns = bpf_ktime_get_ns(), .subject = what->subject,
        .cpu = what->cpu, .kind = what->kind};
}

/* A slot that came by no lane was here all the time. */
static __always_inline void take_over(struct latency_moment *what, uint64_t number)
{
    const struct handed *there = handed_place(what->subject, number);
    uint32_t host = what->kind == KIND_REPORT ? what->subject : ~0u;
    if (there->number == number && there->subject == what->subject && there->kind == what->kind) {
        what->handed_ns = there->at_ns;
        what->from_cpu = there->cpu;
    }
    *worked_place(what->begin_ns, host) = (struct worked){
        .t_receive_ns = what->begin_ns, .handed_ns = what->handed_ns, .decided_ns = bpf_ktime_get_ns(),
        .host = host, .from_cpu = what->from_cpu, .cpu = what->cpu};
}

static __always_inline bool follow(struct latency_moment *what, uint32_t host)
{
    const struct worked *there = worked_place(what->begin_ns, host);
    if (there->t_receive_ns != what->begin_ns || there->host != host)
        return false;
    what->handed_ns = there->handed_ns;
    what->decided_ns = there->decided_ns;
    what->from_cpu = there->from_cpu;
    what->decide_cpu = there->cpu;
    return true;
}

static __always_inline struct latency_moment begun(uint64_t begin_ns, uint64_t number, uint64_t subject,
                                                   uint64_t kind)
{
    uint16_t cpu = (uint16_t)bpf_get_smp_processor_id();
    return (struct latency_moment){.begin_ns = begin_ns, .handed_ns = begin_ns, .decided_ns = ~0ull,
                                   .number = number, .subject = (uint32_t)subject, .from_cpu = cpu,
                                   .decide_cpu = cpu, .cpu = cpu, .kind = (uint8_t)kind};
}

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
    struct latency_moment what = begun(t_receive_ns, number, subject, kind);
    hand(&what);
    over(LATENCY_DECODED, what);
    return 0;
}

SEC("usdt")
int BPF_USDT(decided, uint64_t sequence, uint64_t kind, uint64_t subject, uint64_t number,
             uint64_t t_receive_ns, uint64_t leases)
{
    if (!open)
        return 0;
    struct latency_moment what = begun(t_receive_ns, sequence, subject, kind);
    take_over(&what, number);
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
    if (!open)
        return 0;
    struct latency_moment what = begun(t_receive_ns, sequence, host, 0);
    if (!follow(&what, (uint32_t)host))
        follow(&what, ~0u);
    over(LATENCY_SENT, what);
    uint64_t now_ns = bpf_ktime_get_ns();
    /* the daemon's clock may be ahead of the kernel's by a little */
    if (emergency)
        record(&rows[LATENCY_EMERGENCY], now_ns > t_receive_ns ? now_ns - t_receive_ns : 0);
    return 0;
}
