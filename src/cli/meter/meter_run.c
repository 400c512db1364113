/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/meter/meter_run.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum { METERS_APART = 8 };              /* up to so many wait for each packet by itself */
#define TOGETHER_NS (NS_PER_MS / 4)

static int64_t now_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Samples lie at whole shares of the second, as smpCnt and time tags want it. */
struct beat {
    int64_t second_ns;          /* the whole second that sample 0 lies at */
    int64_t shift_ns;           /* of our monotonic clock, to Unix time */
    double rate_hz;
    uint64_t first;             /* sample with which it begins */
    sigset_t stop;              /* blocked meanwhile, and waited for between packets */
    uint64_t *made;             /* packets of data, by meter */
};

static int64_t time_of(const struct beat *beat, uint64_t n)
{
    double whole = floor((double)n / beat->rate_hz);

    return beat->second_ns + (int64_t)whole * NS_PER_S +
           llround(((double)n - whole * beat->rate_hz) / beat->rate_hz * 1e9);
}

static void begin(struct beat *beat, const struct meter_run *run)
{
    int64_t real_ns = now_ns(CLOCK_REALTIME);
    int64_t start_ns = run->start_ns ? run->start_ns : real_ns;

    beat->shift_ns = real_ns - now_ns(CLOCK_MONOTONIC);
    beat->second_ns = start_ns / NS_PER_S * NS_PER_S;
    beat->rate_hz = run->pack->rate_hz;
    /* whole ns decide which sample is the first from the start on: a product is a little off */
    beat->first = (uint64_t)fmax(floor((double)(start_ns % NS_PER_S) * 1e-9 * beat->rate_hz) - 1, 0);
    while (time_of(beat, beat->first) < start_ns)
        beat->first++;
    /* readings begin where one is due */
    if (!run->pack->by->block)
        beat->first = (beat->first + run->pack->block - 1) / run->pack->block * run->pack->block;
}

/* Whoever has to wait waits a little longer, so that packets of many meters go out together. True where a
 * signal came instead. */
static bool stopped_before(const struct beat *beat, int64_t mono_ns, uint32_t meters)
{
    int64_t rest_ns = mono_ns - now_ns(CLOCK_MONOTONIC);

    if (rest_ns > 0 && meters > METERS_APART)
        mono_ns += TOGETHER_NS;
    do {
        rest_ns = mono_ns - now_ns(CLOCK_MONOTONIC);
        rest_ns = rest_ns > 0 ? rest_ns : 0;
        struct timespec rest = {.tv_sec = rest_ns / NS_PER_S, .tv_nsec = rest_ns % NS_PER_S};

        if (sigtimedwait(&beat->stop, NULL, &rest) > 0)
            return true;
    } while (rest_ns > 0);
    return false;
}

static int fill(const struct meter_run *run, const struct beat *beat, uint32_t meter, uint64_t first,
                double (*row)[SAMPLES_CHANNELS_MAX])
{
    int rc = 0;

    for (uint32_t k = 0; !rc && k < run->pack->block; k++)
        rc = run->source.row(run->source.of, meter, first + k,
                             (double)(first + k - beat->first) / beat->rate_hz, row[k]);
    return rc;
}

static void send_all(struct meter_run *run, const struct beat *beat, int64_t due_ns,
                     const struct meter_packet *packet, uint32_t packets)
{
    for (uint32_t k = 0; k < packets; k++)
        run->sent += meter_link_send(run->link, due_ns, packet[k].data, packet[k].bytes);
    int64_t late_ns = run->paced ? now_ns(CLOCK_MONOTONIC) + beat->shift_ns - due_ns : 0;

    run->late += late_ns > METER_LATE_NS ? packets : 0;
    if (packets && late_ns > run->latest_ns)
        run->latest_ns = late_ns;
}

/* Meter k begins k shares of a block later than the first, so that they do not all speak at once; those that
 * send readings begin together, for their times are the same. */
static uint64_t begins(const struct meter_run *run, uint32_t meter)
{
    const struct meter_pack *pack = run->pack;

    return pack->by->block ? (uint64_t)meter * pack->block / pack->ask.meters : 0;
}

/* Seconds are each meter's own; a recording ends for all at once. */
static bool is_over(const struct meter_run *run, const struct beat *beat, uint32_t meter, uint64_t last)
{
    double until_s = (double)(last - beat->first) / beat->rate_hz;
    double own_s = (double)(last - beat->first - begins(run, meter)) / beat->rate_hz;

    return (run->count && beat->made[meter] >= run->count) ||
           (run->seconds > 0 && own_s > run->seconds + 1e-9) ||
           (run->source.ends_s > 0 && until_s > run->source.ends_s + 1e-9);
}

/* The block of one meter. 0; 1 where a signal ended it; or -errno. */
static int play_block(struct meter_run *run, const struct beat *beat, uint32_t m, uint64_t first,
                      double (*row)[SAMPLES_CHANNELS_MAX])
{
    struct meter_pack *pack = run->pack;
    struct meter_packet packet[METER_PACKETS_MAX];
    int64_t due_ns = time_of(beat, first + pack->block);
    uint64_t unmade = pack->unmade;
    int rc = fill(run, beat, m, first, row);

    if (rc)
        return rc;
    struct meter_block block = {.row = (const double(*)[SAMPLES_CHANNELS_MAX])row, .first = first,
                                .count = pack->block, .t_ns = time_of(beat, first)};
    uint32_t packets = pack->by->take(pack, m, &block, packet);

    if (stopped_before(beat, run->paced ? due_ns - beat->shift_ns : 0, pack->ask.meters))
        return 1;
    run->blocks++;
    beat->made[m] += packets > 0 || pack->unmade > unmade;
    send_all(run, beat, due_ns, packet, packets);
    return run->link->file ? run->link->error : 0;
}

static int play(struct meter_run *run, const struct beat *beat, double (*row)[SAMPLES_CHANNELS_MAX])
{
    const struct meter_pack *pack = run->pack;
    uint32_t going = pack->ask.meters;

    for (uint64_t turn = 0; going; turn++) {
        going = 0;
        for (uint32_t m = 0; m < pack->ask.meters; m++) {
            uint64_t first = beat->first + begins(run, m) + turn * pack->block;

            if (is_over(run, beat, m, first + pack->block))
                continue;
            going++;
            int rc = play_block(run, beat, m, first, row);

            if (rc)
                return rc < 0 ? rc : 0;
        }
    }
    return 0;
}

int meter_run(struct meter_run *run)
{
    double (*row)[SAMPLES_CHANNELS_MAX] = calloc(run->pack->block, sizeof *row);
    struct beat beat = {.made = calloc(run->pack->ask.meters, sizeof *beat.made)};
    sigset_t before;

    if (!row || !beat.made) {
        free(row);
        free(beat.made);
        return -ENOMEM;
    }
    sigemptyset(&beat.stop);
    sigaddset(&beat.stop, SIGINT);
    sigaddset(&beat.stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &beat.stop, &before);
    begin(&beat, run);
    int64_t from_ns = now_ns(CLOCK_MONOTONIC);
    int rc = play(run, &beat, row);

    run->took_ns = now_ns(CLOCK_MONOTONIC) - from_ns;
    sigprocmask(SIG_SETMASK, &before, NULL);
    free(row);
    free(beat.made);
    return rc;
}
