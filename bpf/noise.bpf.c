/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What takes time from the loop's cores? Each kind has a program of its own, so that a kernel which lacks one
 * lacks that only. A core of the loop has one thread of the loop; what happens there while it should run is
 * summed by culprit, and told with its time where it took long. What a hypervisor or firmware takes is seen
 * by nobody inside.
 */
#include "histogram.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

char terms[] SEC("license") = "GPL";

const volatile uint32_t thread_on[LATENCY_CPUS];    /* by core: the loop's thread there, 0 = none */
const volatile uint32_t threads[LATENCY_THREADS];   /* the same, one after the other; 0 = no more */
const volatile uint32_t told_from_ns = 1000;        /* what takes less is summed, and not told one by one */

bool open;                  /* what happens counts */
uint64_t lost;              /* told ones for which there was no room */
uint64_t lost_culprits;     /* culprits that are in no sum, for there are too many */

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 20);
} thefts SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, LATENCY_CULPRITS);
    __type(key, struct theft_key);
    __type(value, struct theft_sum);
} sums SEC(".maps");

/* What is under way on a core. */
struct begun {
    uint64_t at_ns[LATENCY_THEFT_COUNT];
    uint64_t out_ns;        /* since when another task runs there; 0 = the loop's does */
    uint32_t call;          /* the system call under way */
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, uint32_t);
    __type(value, struct begun);
} begins SEC(".maps");

static __always_inline uint32_t loop_thread(void)
{
    uint32_t cpu = bpf_get_smp_processor_id();
    return cpu < LATENCY_CPUS ? thread_on[cpu] : 0;
}

static __always_inline bool loop_runs(void)
{
    uint32_t thread = loop_thread();
    return thread && (uint32_t)bpf_get_current_pid_tgid() == thread;
}

static __always_inline struct begun *begun_here(void)
{
    uint32_t zero = 0;
    return bpf_map_lookup_elem(&begins, &zero);
}

static __always_inline void add(const struct theft_key *by, uint64_t took_ns)
{
    static const struct theft_sum nothing;
    if (!open)
        return;
    struct theft_sum *sum = bpf_map_lookup_elem(&sums, by);
    if (!sum) {
        bpf_map_update_elem(&sums, by, &nothing, BPF_NOEXIST);
        sum = bpf_map_lookup_elem(&sums, by);
    }
    if (!sum) {
        __sync_fetch_and_add(&lost_culprits, 1);
        return;
    }
    uint32_t octave = bit_length(took_ns);
    __sync_fetch_and_add(&sum->count, 1);
    __sync_fetch_and_add(&sum->total_ns, took_ns);
    if (took_ns > sum->max_ns)
        sum->max_ns = took_ns;
    if (octave < LATENCY_OCTAVES)
        __sync_fetch_and_add(&sum->octave[octave], 1);
}

static __always_inline void took(const struct theft_key *by, uint64_t begin_ns, uint64_t took_ns)
{
    add(by, took_ns);
    if (!open || took_ns < told_from_ns)
        return;
    struct theft_event *event = bpf_ringbuf_reserve(&thefts, sizeof *event, 0);
    if (!event) {
        __sync_fetch_and_add(&lost, 1);
        return;
    }
    *event = (struct theft_event){.begin_ns = begin_ns, .took_ns = took_ns < ~0u ? (uint32_t)took_ns : ~0u,
                                  .cpu = (uint16_t)bpf_get_smp_processor_id(), .by = *by};
    bpf_ringbuf_submit(event, 0);
}

static __always_inline void begin(uint32_t kind)
{
    struct begun *begun = loop_runs() ? begun_here() : NULL;
    if (begun)
        begun->at_ns[kind] = bpf_ktime_get_ns();
}

static __always_inline void end(struct theft_key *by)
{
    struct begun *begun = loop_runs() ? begun_here() : NULL;
    uint32_t kind = by->kind;
    if (!begun || kind >= LATENCY_THEFT_COUNT || !begun->at_ns[kind])
        return;
    uint64_t begin_ns = begun->at_ns[kind];
    begun->at_ns[kind] = 0;
    took(by, begin_ns, bpf_ktime_get_ns() - begin_ns);
}

/* From one switch to the next the core was the outgoing task's. */
SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
    uint32_t thread = loop_thread();
    struct begun *begun = thread ? begun_here() : NULL;
    if (!begun)
        return 0;
    uint64_t now_ns = bpf_ktime_get_ns();
    if ((uint32_t)prev->pid != thread && begun->out_ns) {
        struct theft_key by = {.kind = THEFT_SWITCH, .id = (uint32_t)prev->pid};
        bpf_probe_read_kernel(by.name, sizeof by.name, prev->comm);
        took(&by, begun->out_ns, now_ns - begun->out_ns);
    }
    begun->out_ns = (uint32_t)next->pid == thread ? 0 : now_ns;
    return 0;
}

SEC("tp_btf/sched_migrate_task")
int BPF_PROG(sched_migrate_task, struct task_struct *task, int to)
{
    struct theft_key by = {.kind = THEFT_MIGRATION, .id = (uint32_t)to};
    uint32_t thread = (uint32_t)task->pid;
    for (uint32_t i = 0; i < LATENCY_THREADS && threads[i]; i++) {
        if (threads[i] == thread) {
            add(&by, 0);
            break;
        }
    }
    return 0;
}

SEC("tp_btf/irq_handler_entry")
int BPF_PROG(irq_handler_entry)
{
    begin(THEFT_INTERRUPT);
    return 0;
}

SEC("tp_btf/irq_handler_exit")
int BPF_PROG(irq_handler_exit, int irq, struct irqaction *action)
{
    struct theft_key by = {.kind = THEFT_INTERRUPT, .id = (uint32_t)irq};
    if (!loop_runs())
        return 0;
    bpf_probe_read_kernel_str(by.name, sizeof by.name, action->name);
    end(&by);
    return 0;
}

SEC("tp_btf/softirq_entry")
int BPF_PROG(softirq_entry)
{
    begin(THEFT_SOFTIRQ);
    return 0;
}

SEC("tp_btf/softirq_exit")
int BPF_PROG(softirq_exit, unsigned int vector)
{
    struct theft_key by = {.kind = THEFT_SOFTIRQ, .id = vector};
    end(&by);
    return 0;
}

#define PAIR(point, theft) \
    SEC("tp_btf/" #point "_entry") \
    int BPF_PROG(point##_entry) \
    { \
        begin(theft); \
        return 0; \
    } \
    SEC("tp_btf/" #point "_exit") \
    int BPF_PROG(point##_exit, int vector) \
    { \
        struct theft_key by = {.kind = theft, .id = (uint32_t)vector}; \
        end(&by); \
        return 0; \
    }

PAIR(local_timer, THEFT_TIMER)
PAIR(reschedule, THEFT_CALL)
PAIR(call_function, THEFT_CALL)
PAIR(call_function_single, THEFT_CALL)
PAIR(irq_work, THEFT_CALL)

/* How long a fault takes is told by the pair of handle_mm_fault, where the kernel lets anybody look there;
 * that there was one, by this. */
SEC("tp_btf/page_fault_user")
int BPF_PROG(page_fault_user)
{
    struct theft_key by = {.kind = THEFT_FAULT};
    if (loop_runs())
        add(&by, 0);
    return 0;
}

SEC("fentry/handle_mm_fault")
int BPF_PROG(fault_entry)
{
    begin(THEFT_FAULT);
    return 0;
}

SEC("fexit/handle_mm_fault")
int BPF_PROG(fault_exit)
{
    struct theft_key by = {.kind = THEFT_FAULT, .id = 1};
    end(&by);
    return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter, struct pt_regs *regs, long id)
{
    struct begun *begun = loop_runs() ? begun_here() : NULL;
    if (!begun)
        return 0;
    begun->call = (uint32_t)id;
    begun->at_ns[THEFT_SYSCALL] = bpf_ktime_get_ns();
    return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit)
{
    struct theft_key by = {.kind = THEFT_SYSCALL};
    struct begun *begun = loop_runs() ? begun_here() : NULL;
    if (!begun)
        return 0;
    by.id = begun->call;
    end(&by);
    return 0;
}
