/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One probe site: places where a tracer may put a breakpoint, and for each a note (.note.stapsdt, type 3)
 * that says where it is, what it is called, and in which registers the arguments stand. Nobody looking, it
 * costs its nops: nothing is tested, called or stored.
 *
 * On x86-64 there are two places in a row. A 1-byte nop (provider "flyball") takes a breakpoint: it traps
 * into the kernel and harms nothing. A 5-byte nop (provider "flyball5"), aligned so that it lies in one word,
 * takes a call on kernels that optimise such a place, which is faster; but a call pushes its return address,
 * and so writes into the 128 bytes below the stack pointer that leaf functions may use without asking. Hence
 * everything here is built with -mno-red-zone (meson.build), and a loader takes the second place only where
 * it has seen it spare those bytes (cli/latency/latency_place.h).
 *
 * Arguments are widened to 64 bits and stand in registers or are constants: loaders of these notes do not
 * read memory with an index register.
 */
#ifndef FLYBALL_PROBE_SITE_H
#define FLYBALL_PROBE_SITE_H

#include <stdint.h>

#if defined(__x86_64__) || defined(__aarch64__)

/* A note about the label `place`. The base symbol lets a reader find out by how much a prelinked file was
 * moved. */
#define PROBE_NOTE(place, provider, name, arguments) \
    ".pushsection .note.stapsdt,\"\",@note\n" \
    ".balign 4\n" \
    ".4byte 5f-4f, 7f-6f, 3\n" \
    "4: .asciz \"stapsdt\"\n" \
    "5: .balign 4\n" \
    "6: .8byte " place ", _.stapsdt.base, 0\n" \
    ".asciz \"" provider "\"\n" \
    ".asciz \"" name "\"\n" \
    ".asciz \"" arguments "\"\n" \
    "7: .balign 4\n" \
    ".popsection\n"

#define PROBE_BASE \
    ".ifndef _.stapsdt.base\n" \
    ".pushsection .stapsdt.base,\"aG\",@progbits,.stapsdt.base,comdat\n" \
    ".weak _.stapsdt.base\n" \
    ".hidden _.stapsdt.base\n" \
    "_.stapsdt.base: .space 1\n" \
    ".size _.stapsdt.base, 1\n" \
    ".popsection\n" \
    ".endif\n"

#if defined(__x86_64__)
#define PROBE_PLACES(name, arguments) \
    "2: nop\n" \
    ".balign 8\n" \
    "3: .byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n" \
    PROBE_NOTE("2b", "flyball", name, arguments) PROBE_NOTE("3b", "flyball5", name, arguments) PROBE_BASE
#else
#define PROBE_PLACES(name, arguments) "2: nop\n" PROBE_NOTE("2b", "flyball", name, arguments) PROBE_BASE
#endif

/* Four or six arguments, all unsigned to the reader. */
#define PROBE_SITE4(name, a, b, c, d) \
    __asm__ volatile(PROBE_PLACES(name, "8@%[p0] 8@%[p1] 8@%[p2] 8@%[p3]") \
                     : : [p0] "nr"((uint64_t)(a)), [p1] "nr"((uint64_t)(b)), [p2] "nr"((uint64_t)(c)), \
                       [p3] "nr"((uint64_t)(d)))
#define PROBE_SITE6(name, a, b, c, d, e, f) \
    __asm__ volatile(PROBE_PLACES(name, "8@%[p0] 8@%[p1] 8@%[p2] 8@%[p3] 8@%[p4] 8@%[p5]") \
                     : : [p0] "nr"((uint64_t)(a)), [p1] "nr"((uint64_t)(b)), [p2] "nr"((uint64_t)(c)), \
                       [p3] "nr"((uint64_t)(d)), [p4] "nr"((uint64_t)(e)), [p5] "nr"((uint64_t)(f)))

#else

#define PROBE_SITE4(name, a, b, c, d) ((void)(a), (void)(b), (void)(c), (void)(d))
#define PROBE_SITE6(name, a, b, c, d, e, f) ((void)(a), (void)(b), (void)(c), (void)(d), (void)(e), (void)(f))

#endif

#endif
