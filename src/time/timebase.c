/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A map is two lines: `a` rules up to the tick where `b` begins, `b` from there on. Discipline makes the
 * next map from the present line and a new one that begins LEAD_NS ahead, on the present line. A reader
 * takes its TSC before it picks a map, so one that still uses the old map took its TSC before the new line
 * began; both maps give it the same value.
 */
#include "time/timebase.h"

#include <errno.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <x86intrin.h>

#include "msg/limits.h"
#include "time/tsc.h"

#define CALIBRATE_NS (20 * NS_PER_MS)
#define LEAD_NS (100 * NS_PER_MS)
/* A counter further behind the kernel's raw clock, by more than their rates explain, was set back, or stood
 * still. Behind CLOCK_MONOTONIC it also is where somebody slews that: chrony does so by 8 %. */
#define BEHIND_MOST_NS (100 * NS_PER_MS)
enum { SLEW_MAX_PPB = 500000, RAW_APART_PPM = 2000, TURNS_MOST = 4 };

__extension__ typedef __int128 wide;

/* mult: ns << 32 per tick */
struct line { uint64_t tsc; int64_t mono_ns; uint64_t mult; };
struct map { struct line a, b; int64_t real_minus_mono_ns; };

static_assert(sizeof(struct map) == SEQLOCK_WORDS * sizeof(uint64_t), "a map is one record");

static int64_t line_ns(const struct line *line, uint64_t tsc)
{
    wide product = (wide)(int64_t)(tsc - line->tsc) * (wide)line->mult;

    /* Arithmetic shift: rounds down before the anchor too, so that the line never falls. */
    return line->mono_ns + (int64_t)(product >> 32);
}

static const struct line *line_at(const struct map *map, uint64_t tsc)
{
    return tsc < map->b.tsc ? &map->a : &map->b;
}

static void map_load(const struct timebase *base, struct map *map)
{
    uint64_t word[SEQLOCK_WORDS];
    uint32_t current;

    /* A second turn is needed only if the writer came by twice during one read. */
    do {
        /* Acquire, partner: the release of current in map_store: the copy it names is written. */
        current = atomic_load_explicit(&base->current, memory_order_acquire);
    } while (!seqlock_read(&base->map[current], word));
    memcpy(map, word, sizeof(word));
}

static void map_store(struct timebase *base, const struct map *map)
{
    uint64_t word[SEQLOCK_WORDS];
    /* Relaxed: one writer. */
    uint32_t spare = !atomic_load_explicit(&base->current, memory_order_relaxed);

    memcpy(word, map, sizeof(word));
    seqlock_write(&base->map[spare], word);
    /* Release, partner: the acquire of current in map_load. */
    atomic_store_explicit(&base->current, spare, memory_order_release);
}

static uint64_t rate(const struct tsc_pair *from, const struct tsc_pair *to)
{
    wide ns = (wide)(to->mono_ns - from->mono_ns) << 32;

    return to->tsc > from->tsc ? (uint64_t)(ns / (wide)(to->tsc - from->tsc)) : 0;
}

/* ptp4l and phc2sys, chrony and ntpd all tell the kernel. Relaxed: a mark, which orders nothing. */
static void note_synchronised(struct timebase *base)
{
    struct timex told = {.modes = 0};
    if (atomic_load_explicit(&base->told, memory_order_relaxed))
        return;
    int state = adjtimex(&told);

    atomic_store_explicit(&base->synchronised, state >= 0 && state != TIME_ERROR, memory_order_relaxed);
}

/* `told` first: a kernel's word that is on its way may still be the last one, until the next call here. */
void timebase_tell_synchronised(struct timebase *base, bool synchronised)
{
    atomic_store_explicit(&base->told, true, memory_order_relaxed);
    atomic_store_explicit(&base->synchronised, synchronised, memory_order_relaxed);
}

bool timebase_is_synchronised(const struct timebase *base)
{
    return atomic_load_explicit(&base->synchronised, memory_order_relaxed);
}

/* mult == 0 marks a base without TSC: then b.mono_ns is how far it is ahead of CLOCK_MONOTONIC. */
int timebase_init(struct timebase *base)
{
    bool invariant = tsc_is_invariant() && !tsc_is_given_up(TSC_CLOCKSOURCE);
    struct tsc_pair first, second;

    memset(base, 0, sizeof(*base));
    tsc_pair(&first, invariant);
    if (invariant)
        clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = CALIBRATE_NS}, NULL);
    tsc_pair(&second, invariant);

    uint64_t mult = rate(&first, &second);
    struct line line = {second.tsc, mult ? second.mono_ns : 0, mult};
    struct map map = {line, line, second.real_ns - second.mono_ns};

    map_store(base, &map);
    note_synchronised(base);
    base->seen_tsc = second.tsc;
    base->seen_mono_ns = second.mono_ns;
    base->seen_raw_ns = second.raw_ns;
    return mult ? 0 : -ENOTSUP;
}

/* The rate that removes error_ns (positive: the base is behind) in the time until the next call, within
 * bounds. */
static uint64_t steered(uint64_t mult, int64_t error_ns, int64_t interval_ns)
{
    int64_t over_ns = interval_ns > NS_PER_S ? interval_ns : NS_PER_S;
    int64_t ppb = (int64_t)((wide)error_ns * NS_PER_S / over_ns);

    if (ppb > SLEW_MAX_PPB)
        ppb = SLEW_MAX_PPB;
    if (ppb < -SLEW_MAX_PPB)
        ppb = -SLEW_MAX_PPB;
    return (uint64_t)((wide)mult * (NS_PER_S + ppb) / NS_PER_S);
}

/* A rate beyond what slewing explains is a counter that jumped (a migrated guest): the present rate is
 * kept. */
static uint64_t believed(uint64_t measured, uint64_t present)
{
    wide off_ppb = ((wide)measured - (wide)present) * NS_PER_S / (wide)present;

    return off_ppb > 2 * SLEW_MAX_PPB || off_ppb < -2 * SLEW_MAX_PPB ? present : measured;
}

/* What the counter has lost since the start against the raw clock, beyond what their rates explain. */
static int64_t behind_ns(const struct timebase *base, const struct tsc_pair *now, uint64_t mult)
{
    wide passed_ns = now->raw_ns - base->seen_raw_ns;
    wide counted_ns = (wide)(now->tsc - base->seen_tsc) * (wide)mult >> 32;
    wide lost_ns = base->behind_ns + passed_ns - passed_ns * RAW_APART_PPM / 1000000 - counted_ns;

    return lost_ns > 0 ? (int64_t)lost_ns : 0;
}

static void begin_line(struct timebase *base, struct map *map, const struct tsc_pair *now, int64_t own_ns)
{
    struct tsc_pair seen = {.tsc = base->seen_tsc, .mono_ns = base->seen_mono_ns};
    uint64_t mult = believed(rate(&seen, now), map->b.mult);

    map->a = map->b;
    map->b.tsc = now->tsc + (uint64_t)(((wide)LEAD_NS << 32) / (wide)mult);
    map->b.mono_ns = line_ns(&map->a, map->b.tsc);
    map->b.mult = steered(mult, now->mono_ns - own_ns, now->mono_ns - seen.mono_ns);
    base->behind_ns = behind_ns(base, now, map->a.mult);
    base->seen_tsc = now->tsc;
    base->seen_mono_ns = now->mono_ns;
    base->seen_raw_ns = now->raw_ns;
}

static bool is_lost(const struct timebase *base, const struct tsc_pair *now, uint64_t mult)
{
    return now->tsc < base->seen_tsc || behind_ns(base, now, mult) > BEHIND_MOST_NS ||
           tsc_is_given_up(base->clocksource ? base->clocksource : TSC_CLOCKSOURCE);
}

/* Whoever has read the base has seen own_ns, which time must not fall below. */
static int64_t give_up(struct map *map, int64_t mono_ns, int64_t own_ns)
{
    int64_t ahead_ns = own_ns > mono_ns ? own_ns - mono_ns : 0;
    struct line line = {0, ahead_ns, 0};

    map->a = map->b = line;
    return mono_ns + ahead_ns;
}

void timebase_discipline(struct timebase *base)
{
    struct map map;
    struct tsc_pair now;

    note_synchronised(base);
    map_load(base, &map);
    bool has_tsc = map.b.mult != 0;
    tsc_pair(&now, has_tsc);

    int64_t own_ns = has_tsc ? line_ns(line_at(&map, now.tsc), now.tsc) : now.mono_ns + map.b.mono_ns;

    if (has_tsc && is_lost(base, &now, map.b.mult)) {
        own_ns = give_up(&map, now.mono_ns, own_ns);
        has_tsc = false;
    }
    map.real_minus_mono_ns = now.real_ns - own_ns;
    if (has_tsc && now.tsc >= map.b.tsc && now.mono_ns - base->seen_mono_ns >= LEAD_NS)
        begin_line(base, &map, &now, own_ns);
    map_store(base, &map);
}

static int64_t system_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t timebase_now_ns(const struct timebase *base)
{
    struct map map;

    /* Again only if this thread slept so long between the two that its time lies before both lines, or the
     * counter was set back: then no turn helps. */
    for (int turn = 0; turn < TURNS_MOST; turn++) {
        uint64_t tsc = __rdtsc();
        map_load(base, &map);
        if (map.b.mult == 0)
            return system_ns() + map.b.mono_ns + base->shift_ns;
        if (tsc >= map.a.tsc)
            return line_ns(line_at(&map, tsc), tsc) + base->shift_ns;
    }
    return system_ns() + base->shift_ns;
}

bool timebase_has_counter(const struct timebase *base)
{
    struct map map;

    map_load(base, &map);
    return map.b.mult != 0;
}

int64_t timebase_realtime_ns(const struct timebase *base, int64_t mono_ns)
{
    struct map map;

    /* The shift moves both clocks, so it cancels here. */
    map_load(base, &map);
    return mono_ns + map.real_minus_mono_ns;
}
