/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What the programs in the kernel and the shell say to each other: plain structs, the same on both sides. */
#ifndef FLYBALL_BPF_LATENCY_H
#define FLYBALL_BPF_LATENCY_H

#ifdef __bpf__
#include "kernel_types.h"
#else
#include <stdint.h>
#endif

/* Kinds of slots, and of frames on the wire: as in msg/slot.h and msg/frame.h. */
enum { KIND_READING = 1, KIND_REPORT, KIND_TICK, KIND_TICK_PART };
enum { WIRE_MEASUREMENT = 1, WIRE_REPORT, WIRE_LEASE, WIRE_CLAIM };

/* A log-linear histogram as in record/histogram.h: same bits, same buckets. */
enum { LATENCY_SUB_BITS = 5, LATENCY_BUCKETS = (40 - LATENCY_SUB_BITS + 1) << LATENCY_SUB_BITS };

struct latency_row {
    uint64_t count, sum_ns, max_ns;
    uint64_t bucket[LATENCY_BUCKETS];
};

/* From the poll that found a frame to... X(symbol, name, what) */
#define LATENCY_STAGES(X) \
    X(LATENCY_DECODED, "decoded", "poll to slot: parsed, authenticated, decoded, checked") \
    X(LATENCY_DECIDED, "decided", "poll to decision of a reading or report") \
    X(LATENCY_SENT, "sent", "poll to a lease that the port has taken") \
    X(LATENCY_EMERGENCY, "emergency", "the same, of leases of an emergency") \
    X(LATENCY_TICK, "tick", "begin of a tick, or of a part of one, to its end")

#define LATENCY_STAGE_SYMBOL(symbol, name, what) symbol,
enum latency_stage { LATENCY_STAGES(LATENCY_STAGE_SYMBOL) LATENCY_STAGE_COUNT };
#undef LATENCY_STAGE_SYMBOL

/* What took so long that it may be one of the worst. */
struct latency_moment {
    uint64_t begin_ns, end_ns;  /* CLOCK_MONOTONIC */
    uint64_t handed_ns;         /* until then it was on from_cpu, */
    uint64_t decided_ns;        /* until then on decide_cpu, and until its end on cpu */
    uint64_t number;            /* of the slot, the frame or the lease */
    uint32_t subject;           /* meter or host */
    uint16_t from_cpu, decide_cpu, cpu;
    uint8_t stage;              /* enum latency_stage */
    uint8_t kind;               /* of the slot, 0 = a lease */
    uint16_t reserved[2];
};

/* What takes time from a core of the loop. X(symbol, name, what) */
#define LATENCY_THEFTS(X) \
    X(THEFT_SWITCH, "switch", "another task ran on the loop's core") \
    X(THEFT_INTERRUPT, "interrupt", "a device's interrupt") \
    X(THEFT_SOFTIRQ, "softirq", "work that the kernel puts behind interrupts") \
    X(THEFT_TIMER, "timer", "the local timer's interrupt: the tick, timers that end") \
    X(THEFT_CALL, "ipi", "another core's interrupt: reschedule, function calls, irq work") \
    X(THEFT_FAULT, "page_fault", "a page that was not there") \
    X(THEFT_MIGRATION, "migration", "the loop's thread was moved to another core") \
    X(THEFT_SYSCALL, "system_call", "the loop's own calls: the port's")

#define LATENCY_THEFT_SYMBOL(symbol, name, what) symbol,
enum latency_theft { LATENCY_THEFTS(LATENCY_THEFT_SYMBOL) LATENCY_THEFT_COUNT };
#undef LATENCY_THEFT_SYMBOL

enum { LATENCY_NAME_BYTES = 16, LATENCY_CPUS = 512, LATENCY_OCTAVES = 40,
       LATENCY_CULPRITS = 4096, LATENCY_THREADS = 5 };

struct theft_key {
    uint32_t kind;              /* enum latency_theft */
    uint32_t id;                /* task, interrupt, vector, call */
    char name[LATENCY_NAME_BYTES];      /* of the task or the interrupt's device; "" = the id says it all */
};

struct theft_sum {
    uint64_t count, total_ns, max_ns;
    uint64_t octave[LATENCY_OCTAVES];   /* bit length of the duration */
};

struct theft_event {
    uint64_t begin_ns;
    uint32_t took_ns;
    uint16_t cpu;
    uint16_t reserved;
    struct theft_key by;
};

/* Of an agent. X(symbol, name, what) */
#define LATENCY_AGENT_STEPS(X) \
    X(AGENT_STEP_ANSWER, "answered", "report sent to the lease that answers it") \
    X(AGENT_STEP_ORDER, "ordered", "lease received to the driver's call that sets its cap") \
    X(AGENT_STEP_CALL, "call", "the driver's call, and its read-back")

#define LATENCY_AGENT_SYMBOL(symbol, name, what) symbol,
enum latency_agent_step { LATENCY_AGENT_STEPS(LATENCY_AGENT_SYMBOL) AGENT_STEP_COUNT };
#undef LATENCY_AGENT_SYMBOL

/* On the wire. X(symbol, name, what) */
#define LATENCY_WIRE_ROWS(X) \
    X(WIRE_FIRST, "first", "meter frame to the first cap frame that it caused") \
    X(WIRE_ALL, "all", "meter frame to each cap frame that it caused") \
    X(WIRE_ANSWER, "answer", "report to the lease that answers it")

#define LATENCY_WIRE_SYMBOL(symbol, name, what) symbol,
enum latency_wire_row { LATENCY_WIRE_ROWS(LATENCY_WIRE_SYMBOL) WIRE_ROW_COUNT };
#undef LATENCY_WIRE_SYMBOL

struct agent_counts {
    uint64_t reports, leases, writes, failed;
};

struct wire_counts {
    uint64_t meter_frames, cap_frames;  /* seen on the wire */
    uint64_t unmatched;                 /* cap frames that no frame caused: of ticks, or not seen coming */
    uint64_t ambiguous;                 /* frames whose number another one had at that moment */
};

#endif
