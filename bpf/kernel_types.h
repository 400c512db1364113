/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What these programs know of the kernel: the few fields they read, found by name in the running kernel's own
 * types when they are loaded (CO-RE). So one build fits every kernel, and no header of one is needed. */
#ifndef FLYBALL_BPF_KERNEL_TYPES_H
#define FLYBALL_BPF_KERNEL_TYPES_H

#include <linux/types.h>

#include <linux/bpf.h>
#include <linux/ptrace.h>

#include <stdbool.h>

typedef __u8 uint8_t;
typedef __u16 uint16_t;
typedef __u32 uint32_t;
typedef __u64 uint64_t;
typedef __s64 int64_t;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct task_struct {
    int pid;
    char comm[16];
};

struct irqaction {
    const char *name;
};

#pragma clang attribute pop

#endif
