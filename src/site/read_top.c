/* SPDX-License-Identifier: Apache-2.0 */
/* The top level of the file, policy, detection thresholds, redundancy. */
#include <errno.h>
#include <string.h>

#include "site/draft.h"

static const char *const mode_words[] = {"off", "shadow", "advise", "enforce", NULL};
static const char *const scheme_words[] = {"N", "N+1", "2N", NULL};

#define TOP(member) .offset = offsetof(struct draft, member)
static const struct field top_fields[] = {
    {.key = "site", .kind = FIELD_ID, .required = 1, TOP(name)},
    {.key = "mode", .kind = FIELD_WORD, .words = mode_words, .otherwise = MODE_SHADOW, TOP(mode)},
    {.key = "policy", .kind = FIELD_ANY, TOP(policy_at)},
    {.key = "detect", .kind = FIELD_ANY, TOP(detect_at)},
    {.key = "devices", .kind = FIELD_LIST, TOP(devices_at)},
    {.key = "nodes", .kind = FIELD_LIST, .required = 1, TOP(nodes_at)},
    {.key = "host_types", .kind = FIELD_LIST, TOP(types_at)},
    {.key = "hosts", .kind = FIELD_LIST, TOP(hosts_at)},
    {.key = "meters", .kind = FIELD_LIST, TOP(meters_at)},
    {.key = "redundancy", .kind = FIELD_ANY, TOP(redundancy_at)},
    {.key = "infrastructure", .kind = FIELD_LIST, TOP(gear_at)},
    {.key = "servers", .kind = FIELD_LIST, TOP(servers_at)},
    FIELD_END};
#undef TOP

#define TIME(name, member, low, high, usual) \
    {.key = name, .kind = FIELD_QUANTITY, .quantity = QUANTITY_TIME, .least = low, .most = high, \
     .otherwise = usual, .offset = offsetof(struct draft_policy, member)}
static const struct field policy_fields[] = {
    TIME("lease", lease, 100 * NS_PER_MS, 60 * NS_PER_S, NS_PER_S),
    TIME("report", report, NS_PER_MS, 10 * NS_PER_S, 0),
    TIME("tick", tick, NS_PER_MS, NS_PER_S, 20 * NS_PER_MS),
    TIME("raise_after_emergency", raise, 0, 60 * NS_PER_S, 100 * NS_PER_MS),
    TIME("emergency_clear", clear, 100 * NS_PER_MS, 60 * NS_PER_S, NS_PER_S),
    TIME("age_bound", age_bound, 0, NS_PER_S, 10 * NS_PER_MS),
    {.key = "clock_rate_error", .kind = FIELD_QUANTITY, .quantity = QUANTITY_RATIO, .least = 0,
     .most = 100000, .otherwise = 10000, .offset = offsetof(struct draft_policy, rho)},
    TIME("demand_hold", demand_hold, 0, 60 * NS_PER_S, 450 * NS_PER_MS),
    {.key = "demand_headroom", .kind = FIELD_QUANTITY, .quantity = QUANTITY_RATIO, .least = 0,
     .most = PPM, .otherwise = 50000, .offset = offsetof(struct draft_policy, demand_headroom)},
    FIELD_END};
#undef TIME

static const struct field redundancy_fields[] = {
    {.key = "scheme", .kind = FIELD_WORD, .words = scheme_words, .required = 1,
     .offset = offsetof(struct draft_redundancy, scheme)},
    {.key = "may_lose", .kind = FIELD_LIST, .offset = offsetof(struct draft_redundancy, may_lose)},
    FIELD_END};

const struct shape_map draft_top_shapes[] = {
    {"site", top_fields}, {"policy", policy_fields}, {"redundancy", redundancy_fields}, {0}};

/* Thresholds: a band to enter and a band to leave. Sag is entered downwards. */
enum { BAND_COUNT = 5, BAND_SAG = 2 };
static const struct {
    const char *key;
    const char *enter, *leave;
    uint8_t quantity;
    int64_t most, high, low;    /* defaults; 0 = not watched */
} bands[BAND_COUNT] = {
    {"power", "above", "clear", QUANTITY_RATIO, 5 * PPM, 1000000, 950000},
    {"current", "above", "clear", QUANTITY_RATIO, 5 * PPM, 1000000, 950000},
    {"sag", "below", "clear", QUANTITY_RATIO, PPM, 900000, 920000},
    {"swell", "above", "clear", QUANTITY_RATIO, 2 * PPM, 1100000, 1080000},
    {"dp_dt", "above", "clear", QUANTITY_RAMP, INT64_C(100000000000), 0, 0},
};

int draft_read_top(struct draft *d)
{
    fields_read(top_fields, d->root, "the site", d, d->errors);
    return 0;
}

const char *draft_band_fields(uint32_t i, struct field fields[3])
{
    fields[0] = (struct field){.key = bands[i].enter, .kind = FIELD_QUANTITY,
                               .quantity = bands[i].quantity, .required = 1, .most = bands[i].most,
                               .otherwise = bands[i].high, .offset = offsetof(struct draft_band, high)};
    fields[1] = fields[0];
    fields[1].key = bands[i].leave;
    fields[1].otherwise = bands[i].low;
    fields[1].offset = offsetof(struct draft_band, low);
    fields[2] = (struct field)FIELD_END;
    return bands[i].key;
}

static void read_band(struct draft *d, uint32_t i)
{
    struct draft_band *band = &d->detect.band[i];
    struct field fields[3];

    draft_band_fields(i, fields);
    *band = (struct draft_band){.high.number = bands[i].high, .low.number = bands[i].low};
    const struct tree *at = d->detect.at[i].at;

    if (!at)
        return;
    if (at->kind == TREE_SCALAR && !strcmp(at->text, "off")) {
        *band = (struct draft_band){0};
        return;
    }
    if (fields_read(fields, at, bands[i].key, band, d->errors))
        return;
    int64_t rise = band->high.number - band->low.number;

    if (i == BAND_SAG ? rise >= 0 : rise <= 0)
        finding_at(d->errors, band->low.at,
                   "%s ends at %s and starts at %s, clear must lie %s, or it would chatter", bands[i].key,
                   band->low.text, band->high.text, i == BAND_SAG ? "above" : "below");
}

static void read_detect(struct draft *d)
{
    struct field fields[BAND_COUNT + 1] = {0};

    for (uint32_t i = 0; i < BAND_COUNT; i++)
        fields[i] = (struct field){.key = bands[i].key, .kind = FIELD_ANY,
                                   .offset = offsetof(struct draft_detect, at) + i * sizeof(struct value)};
    if (d->detect_at.at)
        fields_read(fields, d->detect_at.at, "detect", &d->detect, d->errors);
    for (uint32_t i = 0; i < BAND_COUNT; i++)
        read_band(d, i);
}

int draft_read_policy(struct draft *d)
{
    static const struct tree nothing = {.kind = TREE_MAP};
    struct draft_policy *p = &d->policy;

    read_detect(d);
    if (fields_read(policy_fields, d->policy_at.at ? d->policy_at.at : &nothing, "policy", p, d->errors))
        return 0;
    if (!p->report.at)
        p->report.number = p->lease.number / 10;
    /* safety.md section 3: three reports of six may be lost without a needless fail-safe */
    if (p->report.number > p->lease.number / 6)
        finding_at(d->errors, p->report.at,
                   "report %s is longer than a sixth of lease %s, shorten it or lengthen the lease",
                   p->report.text, p->lease.at ? p->lease.text : "1s");
    if (p->tick.number > p->lease.number / 6) {
        const struct tree *at = p->tick.at ? p->tick.at : p->lease.at;

        finding_at(d->errors, at,
                   "a tick longer than a sixth of the lease renews too late, shorten tick or lengthen lease");
    }
    return 0;
}

int draft_read_redundancy(struct draft *d)
{
    struct draft_redundancy *r = &d->redundancy;

    if (!d->redundancy_at.at ||
        fields_read(redundancy_fields, d->redundancy_at.at, "redundancy", r, d->errors))
        return 0;
    if (r->scheme.number == SCHEME_N && r->may_lose.at && r->may_lose.at->count)
        finding_at(d->errors, r->may_lose.at,
                   "scheme N loses nothing without harm, write N+1 or 2N or drop may_lose");
    if (r->scheme.number != SCHEME_N && (!r->may_lose.at || !r->may_lose.at->count))
        finding_at(d->errors, r->scheme.at,
                   "scheme %s needs may_lose, list the nodes that may be lost one at a time", r->scheme.text);
    for (const struct tree *at = r->may_lose.at ? r->may_lose.at->first : NULL; at; at = at->next) {
        uint32_t node = names_resolve(&d->node_names, at, d->errors);

        if (r->lost_count == CONTINGENCIES_MAX - 1) {
            finding_at(d->errors, at, "may_lose names more than %d nodes, that is the most",
                       CONTINGENCIES_MAX - 1);
            break;
        }
        uint32_t i = 0;

        while (i < r->lost_count && r->lost[i] != node)
            i++;
        if (i < r->lost_count)
            finding_at(d->errors, at, "'%s' is named twice in may_lose, drop one", at->text);
        else if (node != INDEX_NONE)
            r->lost[r->lost_count++] = node;
    }
    return 0;
}

int draft_take_rows(struct draft *d, const struct value *section, size_t bytes, uint32_t most,
                    const char *noun, void **rows, uint32_t *count)
{
    *count = section->at ? section->at->count : 0;
    if (*count > most) {
        finding_at(d->errors, section->at, "%u %s, one flyballd governs at most %u", *count, noun, most);
        *count = most;
    }
    *rows = scratch_take(&d->scratch, (*count + 1) * bytes);
    return *rows ? 0 : -ENOMEM;
}
