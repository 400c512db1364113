/* SPDX-License-Identifier: Apache-2.0 */
/* In assembly, for a compiler that is told to keep off these bytes would. */
#include "cli/latency/latency_leaf.h"

#include "probe/site.h"

#if defined(__x86_64__)

#define LEAF(name, place, provider) \
    __asm__(".text\n" \
            ".balign 64\n" \
            ".globl " name "\n" \
            ".type " name ", @function\n" \
            name ":\n" \
            ".set .Lbelow, 8\n" \
            ".rept 16\n" \
            "movq %rdi, -.Lbelow(%rsp)\n" \
            ".set .Lbelow, .Lbelow + 8\n" \
            ".endr\n" \
            "xorl %eax, %eax\n" \
            ".balign 8\n" \
            "2: " place "\n" \
            ".set .Lbelow, 8\n" \
            ".rept 16\n" \
            "xorl %ecx, %ecx\n" \
            "cmpq %rdi, -.Lbelow(%rsp)\n" \
            "setne %cl\n" \
            "addq %rcx, %rax\n" \
            ".set .Lbelow, .Lbelow + 8\n" \
            ".endr\n" \
            "ret\n" \
            ".size " name ", . - " name "\n" PROBE_NOTE("2b", provider, "leaf", "8@%rdi") PROBE_BASE)

LEAF("latency_leaf_one", "nop", "flyball");
LEAF("latency_leaf_five", ".byte 0x0f, 0x1f, 0x44, 0x00, 0x00", "flyball5");

#else

uint64_t latency_leaf_one(uint64_t pattern)
{
    PROBE_SITE4("leaf", pattern, 0, 0, 0);
    return 0;
}

uint64_t latency_leaf_five(uint64_t pattern)
{
    return pattern & 0;
}

#endif
