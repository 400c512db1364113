/* SPDX-License-Identifier: Apache-2.0 */
#include "time/reference.h"

#include <string.h>

#include "time/wide.h"

#define PPT INT64_C(1000000000000)
enum { PAIRS_MAX = REFERENCE_SAMPLES * (REFERENCE_SAMPLES - 1) / 2, FAR = 8,
       FEW = 4, ENOUGH = 20 };
/* Two samples that lie closer say more of their noise than of a rate. */
#define APART_NS INT64_C(1000000000)
/* And no system clock is slewed faster. */
#define RATE_UNKNOWN_PPT (INT64_C(500) * 1000000)
#define RATED_NS (8 * APART_NS)
/* No crystal, steered or not, is further off: beyond it a rate is noise. */
#define RATE_MAX_PPT (INT64_C(1000000) * 1000)

_Static_assert(sizeof(struct reference_line) <= SEQLOCK_WORDS * sizeof(uint64_t), "a line is one record");

int64_t reference_offset_ns(const struct reference_line *line, int64_t mono_ns)
{
    return wide_clamp((wide)line->offset_ns + ((wide)mono_ns - line->at_ns) * line->rate_ppt / PPT);
}

int64_t reference_half_ns(const struct reference_line *line, int64_t mono_ns)
{
    wide apart_ns = (wide)mono_ns - line->at_ns;
    if (apart_ns < 0)
        apart_ns = -apart_ns;
    return wide_clamp(line->half_ns + (apart_ns * line->growth_ppt + PPT - 1) / PPT);
}

bool reference_read(const struct reference *reference, struct reference_line *line)
{
    uint64_t word[SEQLOCK_WORDS];
    uint32_t current;
    /* A second turn is needed only if the writer came by twice during one read. */
    do {
        /* Acquire, partner: the release of current in publish: the copy it names is written. */
        current = atomic_load_explicit(&reference->current, memory_order_acquire);
    } while (!seqlock_read(&reference->published[current], word));
    memcpy(line, word, sizeof *line);
    return line->at_ns != 0;
}

static void publish(struct reference *reference)
{
    uint64_t word[SEQLOCK_WORDS] = {0};
    /* Relaxed: one writer. */
    uint32_t spare = !atomic_load_explicit(&reference->current, memory_order_relaxed);
    memcpy(word, &reference->line, sizeof reference->line);
    seqlock_write(&reference->published[spare], word);
    /* Release, partner: the acquire of current in reference_read. */
    atomic_store_explicit(&reference->current, spare, memory_order_release);
}

void reference_init(struct reference *reference, int64_t wander_ppt, int64_t within_ns)
{
    int64_t step_ns = within_ns / 2;
    *reference = (struct reference){
        .wander_ppt = wander_ppt, .floor_ns = step_ns < REFERENCE_STEP_NS ? step_ns : REFERENCE_STEP_NS};
}

static uint32_t slopes(const struct reference_sample *sample, uint32_t count, int64_t slope_ppt[PAIRS_MAX])
{
    uint32_t pairs = 0;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = i + 1; j < count; j++) {
            int64_t apart_ns = sample[j].mono_ns - sample[i].mono_ns;
            wide moved_ns = (wide)sample[j].offset_ns - sample[i].offset_ns;
            if (apart_ns >= APART_NS)
                slope_ppt[pairs++] = wide_clamp(moved_ns * PPT / apart_ns);
        }
    }
    return pairs;
}

/* Median of the slopes of all pairs: up to 29 % of the samples may be anything. */
static int64_t rate_of(const struct reference_sample *sample, uint32_t count)
{
    int64_t slope_ppt[PAIRS_MAX];
    uint32_t pairs = slopes(sample, count, slope_ppt);
    int64_t rate_ppt = pairs ? wide_median(slope_ppt, pairs) : 0;
    if (rate_ppt > RATE_MAX_PPT)
        return RATE_MAX_PPT;
    return rate_ppt < -RATE_MAX_PPT ? -RATE_MAX_PPT : rate_ppt;
}

/* What no sample can see is what each of them may be off by. To that comes four times the median distance,
 * which bounds 99 % of single samples and so far more of their median. Few samples may lie well by
 * chance: there the farthest counts, and one alone, or two, bound nothing. */
static int64_t roughness_ns(uint32_t count, int64_t median_ns, int64_t farthest_ns)
{
    static const int64_t alone_ns[FEW] = {300000, 300000, 200000, 100000};
    wide rough = 4 * (wide)median_ns;
    if (count < ENOUGH)
        rough += 2 * (wide)farthest_ns;
    return wide_clamp(rough + (count < FEW ? alone_ns[count] : 0));
}

static void judge(struct reference *reference, int64_t span_ns)
{
    struct reference_line *line = &reference->line;
    int64_t most_ns = 0, farthest_ns = 0, distance[REFERENCE_SAMPLES];
    uint32_t count = reference->count;
    for (uint32_t i = 0; i < count; i++) {
        const struct reference_sample *sample = &reference->sample[i];
        wide off_ns = (wide)sample->offset_ns - reference_offset_ns(line, sample->mono_ns);
        distance[i] = wide_magnitude(wide_clamp(off_ns));
        most_ns = sample->half_ns > most_ns ? sample->half_ns : most_ns;
        farthest_ns = distance[i] > farthest_ns ? distance[i] : farthest_ns;
    }
    reference->spread_ns = wide_median(distance, count);
    int64_t rough_ns = roughness_ns(count, reference->spread_ns, farthest_ns);
    line->half_ns = wide_clamp((wide)most_ns + rough_ns);
    line->growth_ppt = span_ns < APART_NS ? RATE_UNKNOWN_PPT
                                          : wide_clamp(reference->wander_ppt +
                                                       (wide)rough_ns * PPT / span_ns);
}

static void fit(struct reference *reference)
{
    const struct reference_sample *sample = reference->sample;
    uint32_t count = reference->count;
    struct reference_line *line = &reference->line;
    int64_t offset_ns[REFERENCE_SAMPLES], base_ns = sample[count - 1].offset_ns;
    int64_t span_ns = sample[count - 1].mono_ns - sample[0].mono_ns;
    line->at_ns = sample[count - 1].mono_ns;
    /* A line that begins anew keeps the rate of the one before until it is long enough for its own. */
    if (span_ns >= reference->rated_ns || span_ns >= RATED_NS) {
        line->rate_ppt = rate_of(sample, count);
        reference->rated_ns = span_ns;
    }
    for (uint32_t i = 0; i < count; i++)
        offset_ns[i] = wide_clamp((wide)sample[i].offset_ns - base_ns +
                             ((wide)line->at_ns - sample[i].mono_ns) * line->rate_ppt / PPT);
    line->offset_ns = wide_clamp((wide)base_ns + wide_median(offset_ns, count));
    judge(reference, reference->rated_ns);
}

static void forget_old(struct reference *reference, int64_t now_ns)
{
    uint32_t old = 0;
    while (old < reference->count && (reference->count - old == REFERENCE_SAMPLES ||
                                      now_ns - reference->sample[old].mono_ns > REFERENCE_KEEPS_NS))
        old++;
    reference->count -= old;
    memmove(reference->sample, reference->sample + old, reference->count * sizeof *reference->sample);
}

/* How far a sample lies off the line. */
static int64_t off_ns(const struct reference *reference, const struct reference_sample *sample)
{
    return wide_clamp((wide)sample->offset_ns - reference_offset_ns(&reference->line, sample->mono_ns));
}

/* The line is a median, which follows a small step only once half of the samples are of after it: until then
 * it is as wrong, for all that is known, as the newest sample lies off it, whose own noise comes to that. */
static void publish_newest(struct reference *reference, const struct reference_sample *sample)
{
    struct reference_line kept = reference->line;
    wide newest_ns = wide_magnitude(off_ns(reference, sample));
    reference->line.half_ns = wide_clamp(reference->line.half_ns + newest_ns);
    publish(reference);
    reference->line = kept;
}

static void keep(struct reference *reference, const struct reference_sample *sample)
{
    forget_old(reference, sample->mono_ns);
    reference->sample[reference->count++] = *sample;
    reference->outliers += reference->doubts;
    reference->doubts = 0;
    fit(reference);
    publish_newest(reference, sample);
}

static int64_t tolerance_ns(const struct reference *reference, const struct reference_sample *sample)
{
    wide most = (wide)FAR * reference->spread_ns + sample->half_ns +
                (reference_half_ns(&reference->line, sample->mono_ns) - reference->line.half_ns);
    return most > reference->floor_ns ? wide_clamp(most) : reference->floor_ns;
}

/* The doubted samples are all as far off, to within what a good one may be. */
static bool agree(const struct reference *reference, int64_t most_ns)
{
    int64_t least = INT64_MAX, greatest = INT64_MIN;
    for (uint32_t i = 0; i < reference->doubts; i++) {
        int64_t off = off_ns(reference, &reference->doubted[i]);
        least = off < least ? off : least;
        greatest = off > greatest ? off : greatest;
    }
    return (wide)greatest - least <= most_ns;
}

/* Returns true where it completes a row that agrees: then the line begins anew with these. */
static bool doubt(struct reference *reference, const struct reference_sample *sample, int64_t off,
                  int64_t most_ns)
{
    if (reference->doubts == REFERENCE_CONFIRMATIONS) {
        reference->doubts--;
        reference->outliers++;
        memmove(reference->doubted, reference->doubted + 1, reference->doubts * sizeof *reference->doubted);
    }
    reference->doubted[reference->doubts++] = *sample;
    if (reference->doubts < REFERENCE_CONFIRMATIONS || !agree(reference, most_ns)) {
        publish_newest(reference, sample);
        return false;
    }
    memcpy(reference->sample, reference->doubted, sizeof reference->doubted);
    reference->count = reference->doubts;
    reference->doubts = 0;
    reference->step_ns = off;
    reference->steps++;
    fit(reference);
    publish(reference);
    return true;
}

static bool is_later(const struct reference *reference, const struct reference_sample *sample)
{
    if (reference->doubts && sample->mono_ns <= reference->doubted[reference->doubts - 1].mono_ns)
        return false;
    return !reference->count || sample->mono_ns > reference->sample[reference->count - 1].mono_ns;
}

bool reference_take(struct reference *reference, const struct reference_sample *sample)
{
    if (!is_later(reference, sample))
        return false;
    reference->taken++;
    if (!reference->line.at_ns) {
        keep(reference, sample);
        return false;
    }
    int64_t off = off_ns(reference, sample), most_ns = tolerance_ns(reference, sample);
    if (reference->count && wide_magnitude(off) > most_ns)
        return doubt(reference, sample, off, most_ns);
    if (!reference->count && wide_magnitude(off) > most_ns) {
        reference->step_ns = off;
        reference->steps++;
        keep(reference, sample);
        return true;
    }
    keep(reference, sample);
    return false;
}

void reference_doubt(struct reference *reference)
{
    reference->outliers += reference->doubts;
    reference->count = reference->doubts = 0;
}

bool reference_interval(const struct reference *reference, int64_t first_ns, int64_t last_ns,
                        struct reference_interval *interval)
{
    struct reference_line line;
    *interval = (struct reference_interval){0};
    if (!reference_read(reference, &line))
        return false;
    int64_t early = wide_clamp((wide)first_ns + reference_offset_ns(&line, first_ns));
    int64_t late = wide_clamp((wide)last_ns + reference_offset_ns(&line, last_ns));
    interval->earliest_ns = early - reference_half_ns(&line, first_ns);
    interval->latest_ns = late + reference_half_ns(&line, last_ns);
    return true;
}
