/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/status/status.h"
#include "core/pipeline.h"
#include "loop/words.h"
#include "msg/frame.h"
#include "port/ip/ip.h"

enum { PATH_BYTES = 160, PAGE_COUNTERS = 6, PATH_COLUMNS = 40, PATH_NARROW = 34, NARROW = 100 };

struct words {
    const char *path, *meaning;
};

/* The path of a row of LOOP_COUNTERS has _ for its dots up to the name. */
static const struct words table[] = {
#define ROW(group, name, meaning) {#group "." name, meaning},
    LOOP_COUNTERS(ROW)
#undef ROW
#define ROW(field, name, meaning) {"core." name, meaning},
    CORE_COUNTERS(ROW)
#undef ROW
#define ROW(symbol, name, meaning) {"lanes_refused." name, meaning},
    REFUSALS(ROW)
#undef ROW
#define ROW(symbol, name, meaning) {"lanes_ip." name, meaning},
    IP_COUNTERS(ROW)
#undef ROW
};

/* What moves while all is well. */
static const char *const ordinary[] = {
    "lanes.frames",        "lanes.accepted",      "lanes.polls",         "lanes.empty_polls",
    "lanes.aside",         "lanes.ip.arp_answered", "lanes.ip.arp_asked", "lanes.ip.arp_learned",
    "lanes.ip.announced",  "lanes.ip.arp_ignored", "lanes.ip.echo_answered",
    "lanes.token_requests", "lanes.port.received", "lanes.port.received_bytes", "lanes.port.sent",
    "lanes.port.sent_bytes", "decide.slots",       "egress.sent",         "egress.withheld",
    "tap.slots",           "journal.bytes",       "door.answered",       "core.readings",
    "core.reports",        "core.ticks",          "core.ticks_committed", "core.leases",
    "core.claims",         "core.cuts",           "core.raises",         "core.withheld_s",
    "core.withheld_d",     "core.retired",        "core.alarms",       "core.fail_safes",
    "core.orders",         "core.trims",          "core.level_trims",  "core.tokens_granted",
    "core.tokens_denied",  "core.tokens_repeated", "core.handed",      "core.handed_meters",
    "core.recoveries_start", "budget.gaps_1ms",     "budget.gaps_10ms",    "budget.longest_gap_us",
};

/* Paths are compared with _ standing for the dots of the group, and without what stands in brackets. */
static void flatten(char flat[PATH_BYTES], const char *path)
{
    const char *name = strrchr(path, '.');
    size_t used = 0;
    for (const char *c = path; *c && used + 1 < PATH_BYTES; c++) {
        if (*c == '[') {
            const char *end = strchr(c, ']');
            if (!end)
                break;
            c = end;
            name = strrchr(c, '.');
            continue;
        }
        flat[used++] = *c == '.' && c != name ? '_' : *c;
    }
    flat[used] = 0;
}

const char *status_meaning(const char *path)
{
    char flat[PATH_BYTES];
    flatten(flat, path);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (!strcmp(flat, table[i].path))
            return table[i].meaning;
    return "";
}

static bool is_ordinary(const char *path)
{
    char flat[PATH_BYTES], other[PATH_BYTES];
    flatten(flat, path);
    for (size_t i = 0; i < sizeof ordinary / sizeof ordinary[0]; i++) {
        flatten(other, ordinary[i]);
        if (!strcmp(flat, other))
            return true;
    }
    return false;
}

struct listing {
    FILE *out;
    const struct status_choice *choice;
    size_t shown, found;
};

static void print_counter(struct listing *listing, const char *path, long long value)
{
    const struct status_choice *choice = listing->choice;
    if (!value && !choice->zeros)
        return;
    if (!choice->whole && is_ordinary(path))
        return;
    listing->found++;
    if (!choice->whole && listing->shown >= PAGE_COUNTERS)
        return;
    listing->shown++;
    bool narrow = choice->columns < NARROW;
    fprintf(listing->out, "%-*s %*lld  %s\n", narrow ? PATH_NARROW : PATH_COLUMNS, path, narrow ? 8 : 14,
            value, status_meaning(path));
}

static void walk(struct listing *listing, json_t *value, const char *path);

/* lanes[INTERFACE], and :QUEUE behind it but for the first. What says which one it is, is no counter. */
static void print_lane(struct listing *listing, json_t *lane, const char *path)
{
    char inner[PATH_BYTES];
    long long queue = (long long)json_integer_value(json_object_get(lane, "queue"));
    if (queue)
        snprintf(inner, sizeof inner, "%s[%s:%lld]", path, status_word(lane, "interface"), queue);
    else
        snprintf(inner, sizeof inner, "%s[%s]", path, status_word(lane, "interface"));
    json_object_del(lane, "queue");
    walk(listing, lane, inner);
}

static void walk(struct listing *listing, json_t *value, const char *path)
{
    char inner[PATH_BYTES];
    const char *key;
    json_t *member;
    size_t i;
    if (json_is_integer(value))
        print_counter(listing, path, (long long)json_integer_value(value));
    json_object_foreach(value, key, member) {
        snprintf(inner, sizeof inner, "%s%s%s", path, *path ? "." : "", key);
        walk(listing, member, inner);
    }
    json_array_foreach(value, i, member) {
        print_lane(listing, member, path);
    }
}

void status_print_counters(FILE *out, json_t *counters, const struct status_choice *choice)
{
    struct listing listing = {.out = out, .choice = choice};
    fputs(choice->whole ? "\ncounters\n" : "\ncounters that do not move while all is well\n", out);
    walk(&listing, counters, "");
    if (!listing.found)
        fputs("none has moved\n", out);
    if (listing.shown < listing.found)
        fprintf(out, "... %zu of %zu; --counters lists all\n", listing.shown, listing.found);
}

/* Nothing waits in the ring: it keeps what was decided, and is full before long. */
static int queue_words(char *text, size_t bytes, const char *name, json_t *row)
{
    if (!strcmp(name, "ring"))
        return snprintf(text, bytes, " the ring keeps the newest %.0f of %.0f slots;",
                        status_number(row, "depth"), status_number(row, "places"));
    return snprintf(text, bytes, " %s %.0f (%.0f) of %.0f;", name, status_number(row, "depth"),
                    status_number(row, "most"), status_number(row, "places"));
}

static void print_queues(FILE *out, json_t *queues, uint32_t columns)
{
    const char *name;
    json_t *row;
    int used = fprintf(out, "queues, waiting now (most ever) of places:");
    json_object_foreach(queues, name, row) {
        char text[80];
        int length = queue_words(text, sizeof text, name, row);
        if (used + length > (int)columns) {
            fputs("\n ", out);
            used = 1;
        }
        used += fprintf(out, "%s", text);
    }
    fputc('\n', out);
}

void status_print_stages(FILE *out, json_t *latencies, json_t *queues, uint32_t columns)
{
    const char *name;
    json_t *row;
    fprintf(out, "\n%-20s %10s %10s %10s %10s %10s\n", "us from receive", "n", "p50", "p99", "p99.9", "max");
    json_object_foreach(latencies, name, row) {
        if (!status_has_number(row, "n")) {
            fprintf(out, "%-20.20s the loop was too busy to tell\n", name);
            continue;
        }
        if (status_number(row, "n") <= 0) {
            fprintf(out, "%-20.20s %10d %10s %10s %10s %10s\n", name, 0, "-", "-", "-", "-");
            continue;
        }
        fprintf(out, "%-20.20s %10.0f %10.1f %10.1f %10.1f %10.1f\n", name, status_number(row, "n"),
                status_number(row, "p50"), status_number(row, "p99"), status_number(row, "p999"),
                status_number(row, "max"));
    }
    print_queues(out, queues, columns);
}
