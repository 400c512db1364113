/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/host/host_sum.h"

#include <stdlib.h>
#include <string.h>

#include "act/act.h"
#include "msg/lease.h"

/* A sample may come late by half a period and the next one by as much. */
#define GAP_NS   (2 * HISTORY_PERIOD_NS + HISTORY_PERIOD_NS / 2)
/* Clocks that differ by less over one step were slewed, not set. */
#define SET_NS   (500 * NS_PER_MS)

static const struct {
    uint8_t bit;
    const char *word;
} throttles[HOST_BITS] = {{ACT_THROTTLE_CAP, "cap"},
                          {ACT_THROTTLE_HARDWARE, "brake"},
                          {ACT_THROTTLE_THERMAL, "heat"},
                          {ACT_THROTTLE_OTHER, "other"}},
  flags[HOST_BITS] = {{REPORT_DEVICE_LOST, "device lost"},
                      {REPORT_FOREIGN_LIMIT, "foreign limit"},
                      {REPORT_PSU_KNOWN, "PSUs known"},
                      {REPORT_AT_CAP, "at cap"}};

const char *host_state_word(uint32_t state)
{
    static const char *const words[HOST_STATES] = {
        [HOST_BOOT] = "boot", [HOST_FAIL_SAFE] = "fail-safe", [HOST_LEASED] = "leased"};
    return state < HOST_STATES ? words[state] : NULL;
}

const char *host_throttle_word(uint32_t bit)
{
    return bit < HOST_BITS ? throttles[bit].word : NULL;
}

const char *host_flag_word(uint32_t bit)
{
    return bit < HOST_BITS ? flags[bit].word : NULL;
}

double host_mean(const struct host_figure *figure)
{
    return figure->count ? figure->sum / (double)figure->count : 0;
}

/* ---- one sample ---- */

static void count_figure(struct host_figure *figure, bool known, int64_t value)
{
    if (!known)
        return;
    if (!figure->count || value < figure->least)
        figure->least = value;
    if (!figure->count || value > figure->most)
        figure->most = value;
    figure->sum += (double)value;
    figure->count++;
}

static void count_row(struct host_row *row, const struct history_sample *sample)
{
    row->samples++;
    count_figure(&row->draw_mw, sample->known & HISTORY_DRAW, sample->draw_mw);
    count_figure(&row->asked_mw, sample->known & HISTORY_ASKED, sample->asked_mw);
    count_figure(&row->enforced_mw, sample->known & HISTORY_ENFORCED, sample->enforced_mw);
    count_figure(&row->temperature_mc, sample->known & HISTORY_TEMPERATURE, sample->temperature_mc);
    row->states |= (uint8_t)(1u << (sample->state < HOST_STATES ? sample->state : HOST_STATES));
    row->flags |= sample->flags;
    row->throttle |= sample->throttle;
}

static void count_kinds(struct host_sum *sum, const struct history_sample *sample)
{
    sum->in_state[sample->state < HOST_STATES ? sample->state : HOST_STATES]++;
    for (uint32_t bit = 0; bit < HOST_BITS; bit++) {
        sum->with_throttle[bit] += (sample->throttle & throttles[bit].bit) != 0;
        sum->with_flag[bit] += (sample->flags & flags[bit].bit) != 0;
    }
}

static struct host_row *part_of(struct host_row *row, uint32_t rows, const struct host_sum *sum, int64_t t_ns)
{
    int64_t length_ns = (sum->to_ns - sum->from_ns) / rows, at = (t_ns - sum->from_ns - 1) / length_ns;
    return &row[at < 0 ? 0 : at >= rows ? rows - 1 : (uint32_t)at];
}

/* ---- two samples ---- */

static void note_breach(struct host_sum *sum, enum host_break what, const struct history_sample *before,
                        const struct history_sample *after, int64_t amount_ns)
{
    if (sum->breaches >= HOST_BREAKS_MAX)
        memmove(&sum->breach[0], &sum->breach[1], (HOST_BREAKS_MAX - 1) * sizeof sum->breach[0]);
    uint32_t at = sum->breaches < HOST_BREAKS_MAX ? sum->breaches : HOST_BREAKS_MAX - 1;
    sum->breach[at] = (struct host_breach){what, before->realtime_ns, after->realtime_ns, amount_ns};
    sum->breaches++;
}

/* Time that went by is BOOTTIME's, which nobody sets; where it began anew the machine did. */
static void look_between(struct host_sum *sum, const struct history_sample *before,
                         const struct history_sample *after)
{
    int64_t wall_ns = after->realtime_ns - before->realtime_ns;
    int64_t ran_ns = (int32_t)(after->boottime_ms - before->boottime_ms) * NS_PER_MS;
    if (ran_ns < 0)
        note_breach(sum, HOST_RESTART, before, after, wall_ns);
    else if (llabs(wall_ns - ran_ns) > SET_NS)
        note_breach(sum, HOST_CLOCK_SET, before, after, wall_ns - ran_ns);
    if (ran_ns > GAP_NS)
        note_breach(sum, HOST_GAP, before, after, ran_ns);
    bool both = before->known & after->known & HISTORY_ENERGY;
    sum->used_known = sum->used_known || both;
    if (both && after->energy_mj > before->energy_mj)
        sum->used_mj += after->energy_mj - before->energy_mj;
}

/* ---- all ---- */

static void begin(struct host_sum *sum, const struct history_sample *newest, int64_t last_ns, uint32_t rows,
                  uint32_t bars)
{
    memset(sum, 0, sizeof *sum);
    sum->newest = *newest;
    sum->to_ns = newest->realtime_ns;
    sum->from_ns = sum->to_ns - last_ns;
    sum->expected = (uint64_t)(last_ns / HISTORY_PERIOD_NS);
    sum->rows = rows;
    sum->bars = bars;
    for (uint32_t i = 0; i < rows; i++)
        sum->row[i].from_ns = sum->from_ns + last_ns / rows * i;
    for (uint32_t i = 0; i < bars; i++)
        sum->bar[i].from_ns = sum->from_ns + last_ns / bars * i;
}

void host_sum(struct host_sum *sum, const struct history_record *record, uint64_t count, int64_t last_ns,
              uint32_t rows, uint32_t bars)
{
    begin(sum, &record[count - 1].sample, last_ns, rows, bars);
    for (uint64_t i = 0; i < count; i++) {
        const struct history_sample *sample = &record[i].sample;
        count_row(&sum->all, sample);
        count_row(part_of(sum->row, rows, sum, sample->realtime_ns), sample);
        count_row(part_of(sum->bar, bars, sum, sample->realtime_ns), sample);
        count_kinds(sum, sample);
        if (i > 0)
            look_between(sum, &record[i - 1].sample, sample);
        sum->lost += i > 0 ? record[i].lost : 0;
    }
}
