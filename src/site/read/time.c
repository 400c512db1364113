/* SPDX-License-Identifier: Apache-2.0 */
/* time: whose time it is, and when it counts as known. */
#include <string.h>

#include "site/read/draft.h"

static const char *const source_words[] = {"system", "ptp", "phc", NULL};
static const char *const grandmaster_words[] = {"traceable", "any", NULL};
static const char usual_socket[] = "/var/run/ptp4l";

#define AT(member) .offset = offsetof(struct draft_time, member)
#define TIME(name, member, low, high, usual) \
    {.key = name, .kind = FIELD_QUANTITY, .quantity = QUANTITY_TIME, .least = low, .most = high, \
     .otherwise = usual, AT(member)}
#define PATH_MOST (SITE_CLOCK_PATH_BYTES - 1)
static const struct field time_fields[] = {
    {.key = "source", .kind = FIELD_WORD, .words = source_words, AT(source)},
    {.key = "ptp", .kind = FIELD_TEXT, .most = PATH_MOST, AT(ptp)},
    {.key = "domain", .kind = FIELD_COUNT, .least = 0, .most = 255, AT(domain)},
    {.key = "phc", .kind = FIELD_TEXT, .most = PATH_MOST, AT(phc)},
    {.key = "grandmaster", .kind = FIELD_WORD, .words = grandmaster_words, AT(grandmaster)},
    TIME("lock_within", lock_within, NS_PER_US, NS_PER_S, 10 * NS_PER_US),
    TIME("lock_after", lock_after, 0, 600 * NS_PER_S, 5 * NS_PER_S),
    TIME("lost_after", lost_after, NS_PER_S, 600 * NS_PER_S, 5 * NS_PER_S),
    TIME("holdover_budget", budget, NS_PER_US, 10 * NS_PER_S, NS_PER_MS),
    {.key = "drift", .kind = FIELD_QUANTITY, .quantity = QUANTITY_RATIO, .least = 1, .most = 1000,
     .otherwise = 5, AT(drift)},
    TIME("meter_within", meter_within, NS_PER_US, 3600 * NS_PER_S, 100 * NS_PER_MS),
    {.key = "meter_drift", .kind = FIELD_QUANTITY, .quantity = QUANTITY_RATIO, .least = 1, .most = 100000,
     .otherwise = 200, AT(meter_drift)},
    FIELD_END};
#undef TIME
#undef AT

const struct shape_map draft_time_shapes[] = {{"time", time_fields}, {0}};

static void check(struct draft *d, const struct draft_time *t)
{
    if (t->source.number == SITE_CLOCK_PHC && !t->phc.at)
        finding_at(d->errors, t->source.at, "source phc needs phc: the device, like /dev/ptp0");
    if (t->source.number != SITE_CLOCK_PHC && t->phc.at)
        finding_at(d->errors, t->phc.at, "phc is of source phc alone, write that or drop the key");
    if (t->source.number == SITE_CLOCK_SYSTEM && t->ptp.at)
        finding_at(d->errors, t->ptp.at, "ptp is of sources ptp and phc, write source: ptp or drop the key");
    if (t->lock_within.number > t->budget.number)
        finding_at(d->errors, t->lock_within.at ? t->lock_within.at : t->budget.at,
                   "lock_within is longer than holdover_budget, holdover would end before it begins");
}

static void set_path(char *path, const struct value *from, const char *usual)
{
    const char *text = from->at ? from->text : usual;

    memcpy(path, text, strlen(text) + 1);
}

/* Absent, its keys still have their defaults: the kernel's word is what there is then. */
int draft_read_time(struct draft *d)
{
    static const struct tree nothing = {.kind = TREE_MAP};
    struct draft_time *t = &d->time;
    struct site_clock *clock = &d->clock;

    *clock = (struct site_clock){.said = d->time_at.at != NULL};
    if (fields_read(time_fields, d->time_at.at ? d->time_at.at : &nothing, "time", t, d->errors))
        return 0;
    check(d, t);
    clock->source = (uint8_t)t->source.number;
    clock->domain = (uint8_t)t->domain.number;
    clock->any_grandmaster = t->grandmaster.number;
    set_path(clock->ptp, &t->ptp, clock->source == SITE_CLOCK_PTP ? usual_socket : "");
    set_path(clock->phc, &t->phc, "");
    clock->lock_within_ns = t->lock_within.number;
    clock->lock_after_ns = t->lock_after.number;
    clock->lost_after_ns = t->lost_after.number;
    clock->holdover_budget_ns = t->budget.number;
    clock->drift_ppm = t->drift.number;
    clock->meter_within_ns = t->meter_within.number;
    clock->meter_drift_ppm = t->meter_drift.number;
    return 0;
}
