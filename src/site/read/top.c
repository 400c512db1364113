/* SPDX-License-Identifier: Apache-2.0 */
/* The top level of the file, policy, detection thresholds. */
#include <errno.h>
#include <string.h>

#include "site/read/draft.h"

const char *const site_mode_names[] = {"off", "shadow", "advise", "enforce", NULL};
static const char *const fail_safe_words[] = {"auto", "lowest", "largest", NULL};

#define TOP(member) .offset = offsetof(struct draft, member)
static const struct field top_fields[] = {
    {.key = "site", .kind = FIELD_ID, .required = 1, TOP(name)},
    {.key = "mode", .kind = FIELD_WORD, .words = site_mode_names, .otherwise = MODE_SHADOW, TOP(mode)},
    {.key = "policy", .kind = FIELD_ANY, TOP(policy_at)},
    {.key = "detect", .kind = FIELD_ANY, TOP(detect_at)},
    {.key = "devices", .kind = FIELD_LIST, TOP(devices_at)},
    {.key = "nodes", .kind = FIELD_LIST, .required = 1, TOP(nodes_at)},
    {.key = "host_types", .kind = FIELD_LIST, TOP(types_at)},
    {.key = "hosts", .kind = FIELD_LIST, TOP(hosts_at)},
    {.key = "meters", .kind = FIELD_LIST, TOP(meters_at)},
    {.key = "redundancy", .kind = FIELD_ANY, TOP(redundancy_at)},
    {.key = "sag", .kind = FIELD_ANY, TOP(sag_at)},
    {.key = "contracts", .kind = FIELD_LIST, TOP(contracts_at)},
    {.key = "shed", .kind = FIELD_LIST, TOP(sheds_at)},
    {.key = "alerts", .kind = FIELD_LIST, TOP(alerts_at)},
    {.key = "infrastructure", .kind = FIELD_LIST, TOP(gear_at)},
    {.key = "servers", .kind = FIELD_LIST, TOP(servers_at)},
    {.key = "auth", .kind = FIELD_ANY, TOP(auth_at)},
    {.key = "time", .kind = FIELD_ANY, TOP(time_at)},
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
    {.key = "oversubscribe", .kind = FIELD_SWITCH, .offset = offsetof(struct draft_policy, oversubscribe)},
    {.key = "headroom", .kind = FIELD_QUANTITY, .quantity = QUANTITY_RATIO, .least = 0, .most = PPM / 2,
     .offset = offsetof(struct draft_policy, headroom)},
    {.key = "hold", .kind = FIELD_ANY, .offset = offsetof(struct draft_policy, hold_at)},
    {.key = "damper", .kind = FIELD_ANY, .offset = offsetof(struct draft_policy, damper_at)},
    {.key = "fail_safe", .kind = FIELD_WORD, .words = fail_safe_words,
     .offset = offsetof(struct draft_policy, fail_safe)},
    TIME("feed_stable", feed_stable, 0, 3600 * NS_PER_S, 60 * NS_PER_S),
    {.key = "shed", .kind = FIELD_ID, .offset = offsetof(struct draft_policy, shed)},
    {.key = "let_go", .kind = FIELD_SWITCH, .offset = offsetof(struct draft_policy, let_go)},
    FIELD_END};
#undef TIME

#define TIME(name, in, member, low, high, usual) \
    {.key = name, .kind = FIELD_QUANTITY, .quantity = QUANTITY_TIME, .least = low, .most = high, \
     .otherwise = usual, .offset = offsetof(struct in, member)}
static const char *const auth_words[] = {"none", "required", NULL};
static const struct field auth_fields[] = {
    {.key = "hosts", .kind = FIELD_WORD, .words = auth_words, .required = 1,
     .offset = offsetof(struct draft_auth, hosts)},
    {.key = "meters", .kind = FIELD_WORD, .words = auth_words,
     .offset = offsetof(struct draft_auth, meters)},
    FIELD_END};
static const struct field hold_fields[] = {
    TIME("least", draft_hold, least, 0, 600 * NS_PER_S, NS_PER_S),
    TIME("most", draft_hold, most, 0, 3600 * NS_PER_S, 60 * NS_PER_S),
    FIELD_END};
static const struct field damper_fields[] = {
    TIME("window", draft_damper, window, 100 * NS_PER_MS, 60 * NS_PER_S, NS_PER_S),
    {.key = "changes", .kind = FIELD_COUNT, .least = 1, .most = DAMPER_CHANGES_MAX, .otherwise = 3,
     .offset = offsetof(struct draft_damper, changes)},
    FIELD_END};
#undef TIME

const struct shape_map draft_top_shapes[] = {
    {"site", top_fields}, {"policy", policy_fields}, {"hold", hold_fields}, {"damper", damper_fields},
    {"auth", auth_fields}, {0}};

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

/* What says nothing of meters says it of both. Where caps are in force, somebody has to have thought of
 * it. */
static void read_auth(struct draft *d)
{
    struct draft_auth *auth = &d->auth;

    if (d->auth_at.at) {
        draft_read_short(d, auth_fields, d->auth_at.at, "auth", auth);
        auth->meters.number = auth->meters.at ? auth->meters.number : auth->hosts.number;
    } else if (d->mode.number == MODE_ENFORCE) {
        finding_at(d->errors, d->mode.at,
                   "mode enforce wants auth: required, with a key file (flyball keys), or auth: none, which "
                   "lets whoever reaches the network set caps");
    }
}

int draft_read_top(struct draft *d)
{
    if (!fields_read(top_fields, d->root, "the site", d, d->errors))
        read_auth(d);
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

static const struct tree *or_nothing(const struct tree *at)
{
    static const struct tree nothing = {.kind = TREE_MAP};

    return at ? at : &nothing;
}

static void read_calm(struct draft *d, struct draft_policy *p)
{
    if (!fields_read(hold_fields, or_nothing(p->hold_at.at), "hold", &p->hold, d->errors) &&
        p->hold.least.number > p->hold.most.number) {
        const struct value *at = p->hold.least.at ? &p->hold.least : &p->hold.most;

        finding_at(d->errors, at->at, "hold begins with more than its most, lower least or raise most");
    }
    fields_read(damper_fields, or_nothing(p->damper_at.at), "damper", &p->damper, d->errors);
}

int draft_read_policy(struct draft *d)
{
    struct draft_policy *p = &d->policy;

    read_detect(d);
    if (fields_read(policy_fields, or_nothing(d->policy_at.at), "policy", p, d->errors))
        return 0;
    read_calm(d, p);
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
