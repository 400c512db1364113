/* SPDX-License-Identifier: Apache-2.0 */
/* measured: in a row of servers: what `flyball tune` found there, and when, and on what machine. */
#include <string.h>

#include "site/read/draft.h"

#define COUNT_MOST (INT64_C(1) << 40)
#define TIME_MOST (1000 * NS_PER_S)

struct measured_row {
    struct value when, host, kernel, cpu, version, core, housekeeping, priority, lifted, hiccups, wake_timer,
        wake_event, reading, report, tick_part, emergency, age, rings, path;
};

struct spread_row {
    struct value n, p50, p99, p999, max;
};

struct hiccup_row {
    struct value span, longest, p999, over_10us, over_100us, over_1ms, lost;
};

struct ring_row {
    struct value interface, offered, absorbed;
};

struct path_row {
    struct value hosts, answered, sent, unanswered, min, p50, p99, max, worst, silent;
};

#define AT(member) .offset = offsetof(struct measured_row, member)
static const struct field measured_fields[] = {
    {.key = "when", .kind = FIELD_TEXT, .most = 31, .required = 1, AT(when)},
    {.key = "host", .kind = FIELD_TEXT, .most = MEASURED_TEXT_BYTES - 1, .required = 1, AT(host)},
    {.key = "kernel", .kind = FIELD_TEXT, .most = MEASURED_TEXT_BYTES - 1, .required = 1, AT(kernel)},
    {.key = "cpu", .kind = FIELD_TEXT, .most = MEASURED_TEXT_BYTES - 1, .required = 1, AT(cpu)},
    {.key = "version", .kind = FIELD_TEXT, .most = MEASURED_TEXT_BYTES - 1, .required = 1, AT(version)},
    {.key = "core", .kind = FIELD_COUNT, .least = 0, .most = 1023, .otherwise = -1, AT(core)},
    {.key = "housekeeping", .kind = FIELD_COUNT, .least = 0, .most = 1023, .otherwise = -1,
     AT(housekeeping)},
    {.key = "priority", .kind = FIELD_COUNT, .least = 0, .most = 98, AT(priority)},
    {.key = "throttling_lifted", .kind = FIELD_SWITCH, AT(lifted)},
    {.key = "hiccups", .kind = FIELD_ANY, AT(hiccups)},
    {.key = "wake_timer", .kind = FIELD_ANY, AT(wake_timer)},
    {.key = "wake_event", .kind = FIELD_ANY, AT(wake_event)},
    {.key = "reading", .kind = FIELD_ANY, AT(reading)},
    {.key = "report", .kind = FIELD_ANY, AT(report)},
    {.key = "tick_part", .kind = FIELD_ANY, AT(tick_part)},
    {.key = "emergency", .kind = FIELD_ANY, AT(emergency)},
    {.key = "age", .kind = FIELD_ANY, AT(age)},
    {.key = "rings", .kind = FIELD_LIST, AT(rings)},
    {.key = "path", .kind = FIELD_ANY, AT(path)},
    FIELD_END};
#undef AT

#define COUNT(name, type, member) \
    {.key = name, .kind = FIELD_COUNT, .least = 0, .most = COUNT_MOST, .required = 1, \
     .offset = offsetof(struct type, member)}
#define TIME(name, type, member) \
    {.key = name, .kind = FIELD_QUANTITY, .quantity = QUANTITY_TIME, .least = 0, .most = TIME_MOST, \
     .required = 1, .offset = offsetof(struct type, member)}
static const struct field spread_fields[] = {
    COUNT("n", spread_row, n),
    TIME("p50", spread_row, p50),
    TIME("p99", spread_row, p99),
    TIME("p999", spread_row, p999),
    TIME("max", spread_row, max),
    FIELD_END};

static const struct field hiccup_fields[] = {
    TIME("span", hiccup_row, span),
    TIME("longest", hiccup_row, longest),
    TIME("p999", hiccup_row, p999),
    COUNT("over_10us", hiccup_row, over_10us),
    COUNT("over_100us", hiccup_row, over_100us),
    COUNT("over_1ms", hiccup_row, over_1ms),
    {.key = "lost", .kind = FIELD_QUANTITY, .quantity = QUANTITY_RATIO, .least = 0, .most = PPM,
     .required = 1, .offset = offsetof(struct hiccup_row, lost)},
    FIELD_END};

static const struct field ring_fields[] = {
    {.key = "interface", .kind = FIELD_TEXT, .most = MEASURED_TEXT_BYTES - 1, .required = 1,
     .offset = offsetof(struct ring_row, interface)},
    COUNT("offered", ring_row, offered),
    COUNT("absorbed", ring_row, absorbed),
    FIELD_END};

static const struct field path_fields[] = {
    COUNT("hosts", path_row, hosts),
    COUNT("answered", path_row, answered),
    COUNT("sent", path_row, sent),
    COUNT("unanswered", path_row, unanswered),
    TIME("min", path_row, min),
    TIME("p50", path_row, p50),
    TIME("p99", path_row, p99),
    TIME("max", path_row, max),
    {.key = "worst", .kind = FIELD_LIST, .offset = offsetof(struct path_row, worst)},
    {.key = "silent", .kind = FIELD_LIST, .offset = offsetof(struct path_row, silent)},
    FIELD_END};
#undef COUNT
#undef TIME

static const struct field name_fields[] = {
    {.key = "a host", .kind = FIELD_TEXT, .most = MEASURED_TEXT_BYTES - 1},
    FIELD_END};

const struct shape_map draft_measured_shapes[] = {
    {"measured", measured_fields}, {"spread", spread_fields}, {"hiccups", hiccup_fields},
    {"ring", ring_fields},         {"path", path_fields},     {"named", name_fields},     {0}};

static void copy_text(char *into, const struct value *value)
{
    snprintf(into, MEASURED_TEXT_BYTES, "%s", value->text ? value->text : "");
}

static void read_spread(struct draft *d, const struct value *at, struct measured_spread *out)
{
    struct spread_row row;

    if (!at->at || fields_read(spread_fields, at->at, at->at->key->text, &row, d->errors))
        return;
    *out = (struct measured_spread){row.n.number, row.p50.number, row.p99.number, row.p999.number,
                                    row.max.number};
    if (out->p50_ns > out->p99_ns || out->p99_ns > out->p999_ns || out->p999_ns > out->max_ns)
        finding_at(d->errors, at->at, "%s does not rise from p50 to max, measure again", at->at->key->text);
}

static void read_hiccups(struct draft *d, const struct value *at, struct measured_hiccups *out)
{
    struct hiccup_row row;

    if (!at->at || fields_read(hiccup_fields, at->at, "hiccups", &row, d->errors))
        return;
    *out = (struct measured_hiccups){row.span.number,      row.longest.number,    row.p999.number,
                                     row.over_10us.number, row.over_100us.number, row.over_1ms.number,
                                     row.lost.number};
}

static void read_rings(struct draft *d, const struct value *rings, struct measured *out)
{
    if (rings->at && rings->at->count > MEASURED_PORTS_MAX) {
        finding_at(d->errors, rings->at, "%u rings, a server has %d ports at most", rings->at->count,
                   MEASURED_PORTS_MAX);
        return;
    }
    for (const struct tree *at = rings->at ? rings->at->first : NULL; at; at = at->next) {
        struct measured_ring *ring = &out->ring[out->ring_count];
        struct ring_row row;

        if (fields_read(ring_fields, at, "a ring", &row, d->errors))
            continue;
        copy_text(ring->interface, &row.interface);
        ring->offered = row.offered.number;
        ring->absorbed = row.absorbed.number;
        out->ring_count++;
    }
}

static uint32_t read_names(struct draft *d, const struct value *list,
                           char (*name)[MEASURED_TEXT_BYTES])
{
    uint32_t count = 0;

    if (list->at && list->at->count > MEASURED_NAMED_MAX) {
        finding_at(d->errors, list->at, "%u names, the first %d are kept", list->at->count,
                   MEASURED_NAMED_MAX);
        return 0;
    }
    for (const struct tree *at = list->at ? list->at->first : NULL; at; at = at->next) {
        struct value value;

        if (!field_read(name_fields, at, &value, d->errors))
            copy_text(name[count++], &value);
    }
    return count;
}

static void read_path(struct draft *d, const struct value *at, struct measured_path *out)
{
    struct path_row row;

    if (!at->at || fields_read(path_fields, at->at, "path", &row, d->errors))
        return;
    out->hosts = row.hosts.number;
    out->answered = row.answered.number;
    out->sent = row.sent.number;
    out->lost = row.unanswered.number;
    out->min_ns = row.min.number;
    out->p50_ns = row.p50.number;
    out->p99_ns = row.p99.number;
    out->max_ns = row.max.number;
    out->worst_count = read_names(d, &row.worst, out->worst);
    out->silent_count = read_names(d, &row.silent, out->silent);
}

void draft_read_measured(struct draft *d, const struct tree *at, struct measured *out)
{
    struct measured_row row;

    *out = (struct measured){.present = true, .line = at->key->line, .column = at->key->column};
    if (fields_read(measured_fields, at, "measured", &row, d->errors))
        return;
    if (measured_when_parse(row.when.text, &out->when_s))
        finding_at(d->errors, row.when.at, "when '%s' is not a time in UTC, write one like %s", row.when.text,
                   "\"2026-11-21T02:14:03Z\"");
    copy_text(out->host, &row.host);
    copy_text(out->kernel, &row.kernel);
    copy_text(out->cpu, &row.cpu);
    copy_text(out->version, &row.version);
    out->core = (int)row.core.number;
    out->housekeeping = (int)row.housekeeping.number;
    out->priority = (int)row.priority.number;
    out->throttling_lifted = row.lifted.number;
    read_hiccups(d, &row.hiccups, &out->hiccups);
    read_spread(d, &row.wake_timer, &out->wake_timer);
    read_spread(d, &row.wake_event, &out->wake_event);
    read_spread(d, &row.reading, &out->reading);
    read_spread(d, &row.report, &out->report);
    read_spread(d, &row.tick_part, &out->tick_part);
    read_spread(d, &row.emergency, &out->emergency);
    read_spread(d, &row.age, &out->age);
    read_rings(d, &row.rings, out);
    read_path(d, &row.path, &out->path);
}
