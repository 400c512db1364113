/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readings through ways that become longer and shorter, from meters whose clocks are set now and then, by the
 * stamps of each protocol: full ones (raw samples, synchrophasors, flyball's own), and sampled values of a
 * global clock and of one of their own, which say no second. A reading may look no younger than what its
 * way grew by over the shortest of the last 55 s, but for what passes unseen (loop/age.h) and what times
 * may follow arrivals by: or it is doubted. A meter whose clock nobody set is not doubted for what its way
 * does.
 */
#include <stdio.h>
#include <string.h>

#include "chance.h"
#include "loop/age.h"
#include "run.h"
#include "wire/sv.h"

enum { RATE_HZ = 4000, FRAME_SAMPLES = 8, FRAMES = 10, KEPT = 4096 };

#define PERIOD_NS (FRAMES * FRAME_SAMPLES * NS_PER_S / RATE_HZ)
#define BEGIN_NS (INT64_C(1751538645) * NS_PER_S)
#define KEPT_NS (55 * NS_PER_S)
#define FOLLOWED_NS (60 * NS_PER_S * SV_FOLLOW_LATE_PPM / 1000000)
#define UNSEEN_NS (AGE_STEP_NS + PERIOD_NS)
#define JITTER_NS (2 * NS_PER_MS)

enum stamps { FULL, GLOBAL, OWN, STAMPS };

struct history {
    struct chance chance;
    enum stamps stamps;
    struct sv_stream stream;
    struct sv_publisher publisher;
    struct age age;
    int64_t clock_ns;           /* the meter's, ahead of true time */
    int64_t way_ns, came_ns;    /* of now; the newest arrival */
    int64_t hidden_ns;          /* by steps too small to be seen, in all */
    bool stepped;
    uint64_t lost;              /* frames in all */
    struct kept {
        int64_t came_ns, way_ns;
    } kept[KEPT];               /* shortest ways, of readings in a row */
    uint32_t keeps;
    uint64_t judged, late, doubted;
};

static int64_t shortest_ns(const struct history *h, int64_t now_ns)
{
    int64_t least_ns = INT64_MAX;
    for (uint32_t i = h->keeps; i > 0 && h->keeps - i < KEPT; i--) {
        const struct kept *kept = &h->kept[(i - 1) % KEPT];
        if (now_ns - kept->came_ns > KEPT_NS)
            break;
        least_ns = kept->way_ns < least_ns ? kept->way_ns : least_ns;
    }
    return least_ns;
}

/* The newest reading. */
static bool judge(struct history *h, int64_t stamp_ns, int64_t way_ns)
{
    int64_t age_ns = age_observe(&h->age, h->came_ns, 0, stamp_ns);
    bool doubted = h->came_ns < h->age.doubted_until_ns;
    h->kept[h->keeps++ % KEPT] = (struct kept){h->came_ns, way_ns};
    int64_t true_ns = way_ns - shortest_ns(h, h->came_ns);
    h->judged++;
    h->doubted += doubted;
    h->late += true_ns > 100 * NS_PER_MS;
    if (doubted && !h->stepped && !h->lost) {
        printf("a clock that nobody set is doubted\n");
        return false;
    }
    if (!doubted && age_ns < true_ns - h->hidden_ns - (h->stamps == OWN ? FOLLOWED_NS : 0) - JITTER_NS) {
        printf("at %lld ms a reading is %lld us old and passes for one of %lld us, %s\n",
               (long long)(h->came_ns - BEGIN_NS) / 1000000, (long long)true_ns / 1000,
               (long long)age_ns / 1000, (const char *[]){"full stamps", "global", "own"}[h->stamps]);
        return false;
    }
    return true;
}

/* Counts are those of the meter's clock. */
static bool through_sv(struct history *h, int64_t measured_ns, int64_t *stamp_ns, bool *came)
{
    uint8_t data[SV_FRAME_MAX];
    struct samples block = {.channels = 6, .count = FRAME_SAMPLES}, out;
    int64_t sample = (measured_ns + h->clock_ns) / (NS_PER_S / RATE_HZ);
    uint32_t blocks = 0;
    uint32_t bytes = sv_encode(&h->publisher, &block, (uint32_t)(sample % RATE_HZ), data, sizeof data);
    int refusal = sv_receive(&h->stream, data, bytes, h->came_ns, &out, &blocks);
    *came = blocks;
    if (blocks && out.flags & SAMPLES_SET)
        age_set_anew(&h->age, h->came_ns);
    *stamp_ns = blocks ? out.t0_ns : 0;
    return bytes && (refusal == METER_ACCEPTED || refusal == METER_DUPLICATE || refusal == METER_REORDERED);
}

/* One frame, measured now. In order: what comes behind a late one is as late at least. */
static bool send(struct history *h, int64_t measured_ns, bool reads)
{
    int64_t came_ns = measured_ns + h->way_ns + chance_range(&h->chance, 0, JITTER_NS / 2), stamp_ns = 0;
    bool came = true;
    h->came_ns = came_ns > h->came_ns ? came_ns : h->came_ns;
    if (h->stamps == FULL)
        stamp_ns = measured_ns + h->clock_ns;
    else if (!through_sv(h, measured_ns, &stamp_ns, &came))
        return false;
    return !reads || !came || judge(h, stamp_ns, h->came_ns - measured_ns);
}

static int64_t some_way_ns(struct chance *chance)
{
    static const int64_t near_ns[] = {0, 501 * NS_PER_MS, NS_PER_S, 1001 * NS_PER_MS, 2 * NS_PER_S,
                                      2001 * NS_PER_MS};
    if (chance_hit(chance, 0.5))
        return near_ns[chance_range(chance, 0, 5)];
    return chance_range(chance, 0, 3 * NS_PER_S);
}

/* Ahead by what a way may have grown by, or by anything; back likewise. */
static void set_clock(struct history *h)
{
    int64_t step_ns = chance_hit(&h->chance, 0.5) ? h->way_ns + chance_range(&h->chance, -60, 60) * NS_PER_MS
                                                  : chance_range(&h->chance, -NS_PER_S, 3 * NS_PER_S);
    step_ns -= step_ns % (NS_PER_S / RATE_HZ);
    h->clock_ns += step_ns;
    h->stepped |= step_ns != 0;
    /* counts begin anew each second: by whole seconds they step not at all */
    int64_t ahead_ns = h->stamps == FULL ? step_ns : (step_ns % NS_PER_S + NS_PER_S) % NS_PER_S;
    h->hidden_ns += ahead_ns > 0 ? (ahead_ns < UNSEEN_NS ? ahead_ns : UNSEEN_NS) : 0;
}

static void open_history(struct history *h, uint64_t seed)
{
    *h = (struct history){.chance = {seed}, .age.period_ns = PERIOD_NS};
    h->stamps = (enum stamps)chance_range(&h->chance, 0, STAMPS - 1);
    h->stream.rate_hz = RATE_HZ;
    h->publisher = (struct sv_publisher){.appid = 0x4000, .id = "MU", .conf_rev = 1, .rate_hz = RATE_HZ,
        .synch = h->stamps == GLOBAL ? SV_SYNCH_GLOBAL : SV_SYNCH_LOCAL};
    h->way_ns = chance_hit(&h->chance, 0.8) ? 0 : some_way_ns(&h->chance);
}

/* Three minutes: a way holds for some seconds, and in the midst of some of these the clock is set. */
static bool live(struct history *h)
{
    int64_t turn_ns = 5 * NS_PER_S, set_ns = INT64_MAX;
    bool sets = chance_hit(&h->chance, 0.5), loses = chance_hit(&h->chance, 0.3);
    for (int64_t f = 0; f < 180 * NS_PER_S / PERIOD_NS * FRAMES; f++) {
        int64_t since_ns = f * PERIOD_NS / FRAMES;
        if (since_ns >= turn_ns) {
            int64_t lasts_ns = chance_range(&h->chance, NS_PER_S, 30 * NS_PER_S);
            h->way_ns = some_way_ns(&h->chance);
            turn_ns = since_ns + lasts_ns;
            set_ns = sets && chance_hit(&h->chance, 0.3) ? since_ns + h->way_ns + lasts_ns / 2 : INT64_MAX;
        }
        if (since_ns >= set_ns) {
            set_clock(h);
            set_ns = INT64_MAX;
        }
        if (loses && chance_hit(&h->chance, 3e-4)) {
            int64_t lost = chance_hit(&h->chance, 0.7) ? chance_range(&h->chance, 1, 20)
                                                       : chance_range(&h->chance, 1, 1500);
            h->lost += (uint64_t)lost;
            f += lost;
            continue;
        }
        if (!send(h, BEGIN_NS + since_ns, f % FRAMES == 0))
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct run run = run_begin("age_property", 100, 5000);
    uint64_t judged = 0, late = 0, doubted = 0;
    static struct history h;
    for (int i = 1; i < argc; i++)
        if (!run_option(&run, argc, argv, &i))
            return run_usage(&run, "");
    for (uint64_t i = 0; i < run.cases; i++) {
        open_history(&h, run.seed + i);
        if (!live(&h)) {
            printf("seed %llu\n", (unsigned long long)(run.seed + i));
            run_end(&run, 1);
            return 1;
        }
        judged += h.judged;
        late += h.late;
        doubted += h.doubted;
    }
    printf("%llu readings, %llu of them late by more than 100 ms, %llu doubted\n", (unsigned long long)judged,
           (unsigned long long)late, (unsigned long long)doubted);
    /* what is doubted always is never wrong */
    bool told = late > judged / 10 && doubted < judged / 2;
    run_end(&run, !told);
    return !told;
}
