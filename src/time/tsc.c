/* SPDX-License-Identifier: Apache-2.0 */
#include "time/tsc.h"

#include <cpuid.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

#include "msg/limits.h"

enum { PAIR_TRIES = 9 };

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

bool tsc_is_invariant(void)
{
    unsigned int eax, ebx, ecx, edx;

    if (!__get_cpuid(0x80000007, &eax, &ebx, &ecx, &edx))
        return false;
    return (edx >> 8) & 1;
}

bool tsc_is_given_up(const char *path)
{
    /* A guest's kvm-clock, hyperv_clocksource_tsc_page or xen is made of the counter. */
    static const char *const slow[] = {"hpet", "acpi_pm", "jiffies", "refined-jiffies"};
    char name[32] = "";
    FILE *file = fopen(path, "re");

    if (!file)
        return false;
    size_t bytes = fread(name, 1, sizeof name - 1, file);
    fclose(file);
    name[bytes] = '\0';
    name[strcspn(name, "\n")] = '\0';
    for (size_t i = 0; i < sizeof slow / sizeof slow[0]; i++)
        if (!strcmp(name, slow[i]))
            return true;
    return false;
}

/* Returns how many ticks passed around the two clock reads: the narrower, the better the pair. */
static uint64_t pair_once(struct tsc_pair *pair)
{
    uint64_t before = __rdtsc();
    int64_t mono_ns = clock_ns(CLOCK_MONOTONIC);
    uint64_t middle = __rdtsc();
    int64_t real_ns = clock_ns(CLOCK_REALTIME);
    int64_t mono_again_ns = clock_ns(CLOCK_MONOTONIC);
    uint64_t after = __rdtsc();
    int64_t raw_ns = clock_ns(CLOCK_MONOTONIC_RAW);

    pair->tsc = before + (middle - before) / 2;
    pair->mono_ns = mono_ns;
    /* realtime was read halfway between the two monotonic reads */
    pair->real_ns = real_ns - (mono_again_ns - mono_ns) / 2;
    pair->raw_ns = raw_ns;
    return after - before;
}

void tsc_pair(struct tsc_pair *pair, bool invariant)
{
    uint64_t narrowest = UINT64_MAX;

    for (int i = 0; i < PAIR_TRIES; i++) {
        struct tsc_pair next;
        uint64_t width = pair_once(&next);

        if (width < narrowest) {
            narrowest = width;
            *pair = next;
        }
    }
    if (!invariant)
        pair->tsc = 0;
}
