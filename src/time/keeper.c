/* SPDX-License-Identifier: Apache-2.0 */
#include "time/keeper.h"

#include <errno.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

#include "msg/limits.h"

enum { MOMENT_TRIES = 9, TOLD_WORDS = (sizeof(struct keeper_told) + 7) / 8 };
/* No Sync is older where another is asked for once a second or so. */
#define SYNC_LASTS_NS (20 * NS_PER_S)
/* One may be of before the system clock was set. */
#define STRAYS_SURE 2
/* A card is read just before the moment, unless the system clock was set in between. */
#define READ_LASTS_NS NS_PER_S
_Static_assert(TOLD_WORDS <= KEEPER_RECORDS * SEQLOCK_WORDS, "all of it is published");

int keeper_init(struct keeper *keeper, const struct keeper_options *options)
{
    *keeper = (struct keeper){.options = *options, .phc.fd = -1, .client.fd = -1};
    keeper->told.source = (uint8_t)options->source;
    keeper->told.is_tai = options->source == KEEPER_PHC;
    reference_init(&keeper->reference, options->wander_ppt, options->rules.within_ns);
    return ptp_client_init(&keeper->client, options->ptp, options->own, options->domain);
}

void keeper_close(struct keeper *keeper)
{
    ptp_client_close(&keeper->client);
    phc_close(&keeper->phc);
    keeper->phc_open = false;
}

/* The best of a few tries: whoever lost its core between two reads shows it by the width. */
static void moment_now(const struct timebase *base, struct keeper_moment *moment)
{
    int64_t narrowest_ns = INT64_MAX;
    for (int i = 0; i < MOMENT_TRIES; i++) {
        struct timespec real;
        int64_t before_ns = timebase_now_ns(base);
        clock_gettime(CLOCK_REALTIME, &real);
        int64_t width_ns = timebase_now_ns(base) - before_ns;
        if (width_ns >= narrowest_ns)
            continue;
        narrowest_ns = width_ns;
        *moment = (struct keeper_moment){.mono_ns = before_ns + width_ns / 2,
                                         .real_ns = real.tv_sec * NS_PER_S + real.tv_nsec,
                                         .half_ns = (width_ns + 1) / 2};
    }
}

static void ask_kernel(struct keeper_look *look)
{
    struct timex told = {.modes = 0};
    int state = adjtimex(&told);
    look->kept = state >= 0 && state != TIME_ERROR;
    look->bound_ns = told.esterror * INT64_C(1000);
    look->utc_offset_s = (int16_t)told.tai;
    look->flags = state == TIME_INS ? PTP_LEAP_61 : state == TIME_DEL ? PTP_LEAP_59 : 0;
}

static int ask_phc(struct keeper *keeper, struct phc_pair *pair)
{
    int error = 0;
    if (!keeper->phc_open)
        error = phc_open(&keeper->phc, keeper->options.phc);
    keeper->phc_open = !error;
    if (!error)
        error = phc_read(&keeper->phc, pair);
    if (error && error != -EAGAIN) {
        phc_close(&keeper->phc);
        keeper->phc_open = false;
    }
    return error;
}

void keeper_look(struct keeper *keeper, const struct timebase *base)
{
    struct keeper_look look = {0};
    if (keeper->options.source == KEEPER_SYSTEM)
        ask_kernel(&look);
    if (keeper->options.source == KEEPER_PHC)
        look.error = ask_phc(keeper, &look.pair);
    if (keeper->options.ptp[0] && !look.error)
        look.error = ptp_client_ask(&keeper->client, &look.report);
    moment_now(base, &look.moment);
    keeper_take(keeper, &look);
}

/* A slave-only ptp4l that lost its master still names it: its port listens then. SLAVE is not asked for. */
static bool follows(const struct ptp_report *report)
{
    bool idle = report->has_port && report->port_state != PTP_SLAVE && report->port_state != PTP_UNCALIBRATED;
    return report->status.has_master && !idle;
}

/* Is there a Sync that was not seen yet, and what the clock is off by? Until ptp4l has measured the path to a
 * new master it says 0, which means nothing; later on it means that. */
static bool is_new(struct keeper *keeper, const struct keeper_look *look)
{
    const struct ptp_time_status *status = &look->report.status;
    if (look->error || !look->report.has_status || !follows(&look->report)) {
        keeper->measured = false;
        keeper->strays = 0;
        return false;
    }
    if (!status->ingress_ns || status->ingress_ns == keeper->ingress_ns)
        return false;
    keeper->ingress_ns = status->ingress_ns;
    keeper->measured |= status->master_offset_ns != 0;
    return keeper->measured;
}

/* With a card's stamps ptp4l tells what the card's clock is off by: of the system clock it says nothing. */
static bool is_by_system(struct keeper *keeper, const struct keeper_look *look,
                         struct reference_sample *sample)
{
    int64_t ago_ns = look->moment.real_ns - look->report.status.ingress_ns;
    if (ago_ns < 0 || ago_ns >= SYNC_LASTS_NS) {
        keeper->strays++;
        return false;
    }
    keeper->strays = 0;
    sample->mono_ns -= ago_ns;
    return true;
}

/* The pair is by the system clock: where that was set after it, its moment cannot be told. */
static bool add_card(const struct keeper_look *look, struct reference_sample *sample)
{
    int64_t ago_ns = look->moment.real_ns - look->pair.real_ns;
    if (ago_ns > READ_LASTS_NS || ago_ns < -READ_LASTS_NS)
        return false;
    sample->mono_ns -= ago_ns;
    sample->offset_ns += look->pair.phc_ns - look->pair.real_ns;
    sample->half_ns += look->pair.half_ns;
    return true;
}

/* systemd-timesyncd sets 0, phc2sys nothing: neither says that the clock is right to so much. */
static bool has_estimate(const struct keeper_look *look)
{
    return look->bound_ns > 0 && look->bound_ns < KEEPER_NO_ESTIMATE_NS;
}

/* The reference at a moment of the local clock, where there is something new. Where ptp4l steers the local
 * clock, what it is off by is noise mostly, which the line takes out; where it does not, it is all. */
static bool sample_of(struct keeper *keeper, const struct keeper_look *look, struct reference_sample *sample)
{
    const struct ptp_time_status *status = &look->report.status;
    const struct keeper_moment *moment = &look->moment;
    int64_t apart_ns = moment->real_ns - moment->mono_ns;
    *sample = (struct reference_sample){moment->mono_ns, apart_ns, moment->half_ns};
    if (keeper->options.source == KEEPER_SYSTEM) {
        sample->half_ns += look->bound_ns;
        return look->kept && has_estimate(look);
    }
    if (keeper->options.ptp[0]) {
        if (!is_new(keeper, look))
            return false;
        sample->offset_ns -= status->master_offset_ns;
    }
    return keeper->options.source == KEEPER_PHC ? add_card(look, sample) : is_by_system(keeper, look, sample);
}

/* Where a clock moved by a second, and one was to come, it is a leap second of a scale that has them. */
static bool is_leap(const struct keeper *keeper, int64_t moved_ns, int64_t now_ns)
{
    int64_t size_ns = moved_ns < 0 ? -moved_ns : moved_ns;
    return now_ns < keeper->leap_until_ns && size_ns > NS_PER_S - KEEPER_LEAP_NEAR_NS &&
           size_ns < NS_PER_S + KEEPER_LEAP_NEAR_NS;
}

static void note_step(struct keeper *keeper, int64_t now_ns)
{
    int64_t step_ns = keeper->reference.step_ns;
    if (is_leap(keeper, step_ns, now_ns)) {
        keeper->leap_steps++;
        return;
    }
    keeper->told.step_ns = step_ns;
}

static void note_leap(struct keeper *keeper, int16_t utc_offset_s, uint8_t flags, bool known, int64_t now_ns)
{
    struct keeper_told *told = &keeper->told;
    bool changed = known && told->utc_known && utc_offset_s != told->utc_offset_s;
    if (changed || flags & (PTP_LEAP_61 | PTP_LEAP_59))
        keeper->leap_until_ns = now_ns + KEEPER_LEAP_LASTS_NS;
    told->leaps += changed;
    told->flags = flags;
    if (known) {
        told->utc_offset_s = utc_offset_s;
        told->utc_known = true;
    }
}

/* Another grandmaster: its line is another one until it shows otherwise. */
static bool note_master(struct keeper *keeper, const struct ptp_time_status *status)
{
    struct keeper_told *told = &keeper->told;
    bool had = told->grandmaster[0] | told->grandmaster[1] | told->grandmaster[2] | told->grandmaster[3] |
               told->grandmaster[4] | told->grandmaster[5] | told->grandmaster[6] | told->grandmaster[7];
    if (!status->has_master || !memcmp(told->grandmaster, status->grandmaster, PTP_IDENTITY_BYTES))
        return false;
    memcpy(told->grandmaster, status->grandmaster, PTP_IDENTITY_BYTES);
    told->masters += had;
    if (!had)
        return false;
    /* ptp4l says 0 until it has measured the path to this one, too */
    keeper->measured = false;
    told->sample_ns = 0;
    reference_doubt(&keeper->reference);
    return true;
}

static bool take_report(struct keeper *keeper, const struct ptp_report *report, int64_t now_ns)
{
    struct keeper_told *told = &keeper->told;
    bool another = report->has_status && note_master(keeper, &report->status);
    told->port_state = report->has_port ? report->port_state : 0;
    if (report->has_status) {
        told->has_master = follows(report);
        told->master_offset_ns = report->status.master_offset_ns;
    }
    if (report->has_parent) {
        told->clock_class = report->parent.clock_class;
        told->clock_accuracy = report->parent.clock_accuracy;
    }
    if (report->has_properties)
        note_leap(keeper, report->properties.utc_offset_s, report->properties.flags,
                  report->properties.flags & PTP_UTC_VALID, now_ns);
    return another;
}

/* Monotonic time and the system clock go apart by no more than a slew between two looks. */
static void note_set(struct keeper *keeper, const struct keeper_moment *moment)
{
    int64_t apart_ns = moment->real_ns - moment->mono_ns, moved_ns = apart_ns - keeper->real_minus_mono_ns;
    if (keeper->real_minus_mono_ns && (moved_ns > KEEPER_SET_NS || moved_ns < -KEEPER_SET_NS) &&
        !is_leap(keeper, moved_ns, moment->mono_ns))
        keeper->told.sets++;
    keeper->real_minus_mono_ns = apart_ns;
}

static void judge(struct keeper *keeper, const struct keeper_look *look, bool another)
{
    struct keeper_told *told = &keeper->told;
    struct reference_line line = {0};
    bool asks_ptp = keeper->options.ptp[0];
    bool has_line = reference_read(&keeper->reference, &line);
    struct sync_seen seen = {
        .now_ns = look->moment.mono_ns,
        .answered = !look->error && (!asks_ptp || look->report.has_status),
        .has_master = asks_ptp ? told->has_master : keeper->options.source == KEEPER_PHC || look->kept,
        .no_estimate = keeper->options.source == KEEPER_SYSTEM && !has_estimate(look),
        .is_foreign = keeper->strays >= STRAYS_SURE,
        .is_traceable = !asks_ptp || ptp_message_is_traceable(told->clock_class),
        .sample_ns = told->sample_ns,
        .half_ns = has_line ? reference_half_ns(&line, look->moment.mono_ns) : INT64_MAX,
        .another = another};
    sync_look(&keeper->sync, &keeper->options.rules, &seen);
    told->state = (uint8_t)keeper->sync.state;
    told->fault = (uint8_t)keeper->sync.fault;
    told->since_ns = keeper->sync.since_ns;
    told->losses = keeper->sync.losses;
    told->unanswered += !seen.answered;
    if (has_line)
        told->system_offset_ns = look->moment.real_ns - look->moment.mono_ns -
                                 reference_offset_ns(&line, look->moment.mono_ns);
}

/* Records are written one by one: at a change one may be a look older than the others. */
static void publish(struct keeper *keeper)
{
    uint64_t word[KEEPER_RECORDS * SEQLOCK_WORDS] = {0};
    memcpy(word, &keeper->told, sizeof keeper->told);
    for (uint32_t i = 0; i < KEEPER_RECORDS; i++)
        seqlock_write(&keeper->published[i], word + i * SEQLOCK_WORDS);
}

bool keeper_read(const struct keeper *keeper, struct keeper_told *told)
{
    uint64_t word[KEEPER_RECORDS * SEQLOCK_WORDS];
    for (uint32_t i = 0; i < KEEPER_RECORDS; i++)
        if (!seqlock_read(&keeper->published[i], word + i * SEQLOCK_WORDS))
            return false;
    memcpy(told, word, sizeof *told);
    return true;
}

/* Of two scales: they are seconds apart, or they are one. */
static bool is_near(int64_t phc_ns, int64_t real_ns)
{
    int64_t apart_ns = phc_ns - real_ns;
    return apart_ns < KEEPER_UTC_NEAR_NS && apart_ns > -KEEPER_UTC_NEAR_NS;
}

static void take_sample(struct keeper *keeper, const struct reference_sample *sample, int64_t now_ns)
{
    uint64_t before = keeper->reference.taken;
    if (reference_take(&keeper->reference, sample))
        note_step(keeper, now_ns);
    if (keeper->reference.taken == before)
        return;
    keeper->told.sample_ns = now_ns;
    keeper->told.samples++;
}

void keeper_take(struct keeper *keeper, const struct keeper_look *look)
{
    struct keeper_told *told = &keeper->told;
    struct reference_sample sample;
    int64_t now_ns = look->moment.mono_ns;
    bool another = false;
    if (keeper->options.ptp[0])
        another = take_report(keeper, &look->report, now_ns);
    else if (keeper->options.source == KEEPER_SYSTEM)
        note_leap(keeper, look->utc_offset_s, look->flags, look->utc_offset_s != 0, now_ns);
    note_set(keeper, &look->moment);
    if (keeper->options.source == KEEPER_PHC && !look->error)
        told->is_tai = !is_near(look->pair.phc_ns, look->pair.real_ns);
    if (sample_of(keeper, look, &sample) && !look->error)
        take_sample(keeper, &sample, now_ns);
    told->look_ns = now_ns;
    told->error = -look->error;
    told->malformed = keeper->client.malformed;
    told->spread_ns = keeper->reference.spread_ns;
    told->outliers = keeper->reference.outliers;
    told->steps = keeper->reference.steps - keeper->leap_steps;
    judge(keeper, look, another);
    publish(keeper);
}
