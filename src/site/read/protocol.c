/* SPDX-License-Identifier: Apache-2.0 */
/* Meters that send packets of their own protocols: what names them there, and what is made of their
 * samples. */
#include <stdlib.h>
#include <string.h>

#include "site/read/draft.h"

enum { PPM_OF_GAIN_MAX = 1000000, C37_ID_MAX = 65534, MICRODEGREES_MAX = 10 * 1000000 };
#define MICRODEGREES_PER_TURN 360e6

const char *const site_protocol_names[PROTOCOL_COUNT + 1] = {
#define NAME(symbol, name) name,
    SITE_PROTOCOLS(NAME)
#undef NAME
    NULL,
};

static const char *const channel_names[MEASURE_CHANNELS] = {
    [SAMPLES_VA] = "va", [SAMPLES_VB] = "vb", [SAMPLES_VC] = "vc", [SAMPLES_IA] = "ia",
    [SAMPLES_IB] = "ib", [SAMPLES_IC] = "ic", [SAMPLES_VN] = "vn", [SAMPLES_IN] = "in",
};

#define AT(member) .offset = offsetof(struct draft_channel, member)
#define GAIN {.key = "gain", .kind = FIELD_QUANTITY, .quantity = QUANTITY_FACTOR, \
              .least = -PPM_OF_GAIN_MAX * PPM, .most = PPM_OF_GAIN_MAX * PPM, .otherwise = PPM, AT(gain)}
#define LATE {.key = "late", .kind = FIELD_QUANTITY, .quantity = QUANTITY_TIME, .least = -NS_PER_MS, \
              .most = NS_PER_MS, AT(late)}
#define PHASE {.key = "phase", .kind = FIELD_QUANTITY, .quantity = QUANTITY_ANGLE, \
               .least = -MICRODEGREES_MAX, .most = MICRODEGREES_MAX, AT(phase)}
static const struct field volts_fields[] = {
    GAIN,
    {.key = "offset", .kind = FIELD_QUANTITY, .quantity = QUANTITY_VOLTAGE, .least = -1000000000,
     .most = 1000000000, AT(offset)},
    LATE, PHASE, FIELD_END};
static const struct field amperes_fields[] = {
    GAIN,
    {.key = "offset", .kind = FIELD_QUANTITY, .quantity = QUANTITY_CURRENT, .least = -1000000000,
     .most = 1000000000, AT(offset)},
    LATE, PHASE, FIELD_END};
#undef AT

#define CHANNEL(name, place) {.key = name, .kind = FIELD_ANY, .offset = (place) * sizeof(struct value)}
static const struct field correct_fields[] = {
    CHANNEL("va", SAMPLES_VA), CHANNEL("vb", SAMPLES_VB), CHANNEL("vc", SAMPLES_VC),
    CHANNEL("ia", SAMPLES_IA), CHANNEL("ib", SAMPLES_IB), CHANNEL("ic", SAMPLES_IC),
    CHANNEL("vn", SAMPLES_VN), CHANNEL("in", SAMPLES_IN),
    FIELD_END};

static bool is_volts(uint32_t channel)
{
    return channel <= SAMPLES_VC || channel == SAMPLES_VN;
}

/* ---- keys that belong to some protocols only ---- */

/* Sets of protocols. */
enum { RAW = 1 << PROTOCOL_RAW, SV = 1 << PROTOCOL_SV, C37 = 1 << PROTOCOL_C37118 };

static const struct rule {
    const char *key;
    size_t offset;
    uint32_t for_;              /* sets of protocols: may have it, must */
    uint32_t must;
    const char *words;
} rules[] = {
#define AT(member) offsetof(struct draft_meter, member)
    {"number", AT(number), RAW | C37, RAW | C37, "raw or c37118"},
    {"appid", AT(appid), SV, 0, "sv"},
    {"svid", AT(svid), SV, SV, "sv"},
    {"pmu", AT(pmu), C37, 0, "c37118"},
    {"phasors", AT(phasors), C37, 0, "c37118"},
    {"address", AT(address), RAW | C37, 0, "raw or c37118"},
    {"bare", AT(bare), RAW | SV | C37, 0, "raw, sv or c37118"},
    {"rate", AT(rate), RAW | SV, 0, "raw or sv"},
    {"frequency", AT(frequency), RAW | SV, RAW | SV, "raw or sv"},
    {"correct", AT(correct), RAW | SV, 0, "raw or sv"},
    {"sag", AT(sag), RAW | SV, 0, "raw or sv"},
    {"swell", AT(swell), RAW | SV, 0, "raw or sv"},
    {"interruption", AT(interruption), RAW | SV, 0, "raw or sv"},
    {"hysteresis", AT(hysteresis), RAW | SV, 0, "raw or sv"},
    {"peak", AT(peak), RAW | SV, 0, "raw or sv"},
    {"slope", AT(slope), RAW | SV, 0, "raw or sv"},
#undef AT
};

static const struct value *value_of(const struct draft_meter *m, const struct rule *rule)
{
    return (const struct value *)((const char *)m + rule->offset);
}

static void check_keys(struct draft *d, const struct draft_meter *m)
{
    const char *name = site_protocol_names[m->protocol.number];

    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct value *value = value_of(m, &rules[i]);

        if (value->at && !(rules[i].for_ >> m->protocol.number & 1))
            finding_at(d->errors, value->at, "%s is for meters of protocol %s, this one speaks %s",
                       rules[i].key, rules[i].words, name);
        else if (!value->at && rules[i].must >> m->protocol.number & 1 && !tree_get(m->at, rules[i].key))
            finding_at(d->errors, m->at, "a meter of protocol %s has no '%s', add %s: ...", name,
                       rules[i].key, rules[i].key);
    }
    if (m->period.at && (RAW | SV) >> m->protocol.number & 1)
        finding_at(d->errors, m->period.at, "period is not for meters of protocol %s: their samples are "
                   "measured here, and readings come once a cycle", name);
}

/* ---- what names a meter ---- */

/* 0x4001 or 16385. */
static void read_appid(struct draft *d, struct draft_meter *m)
{
    char *end = NULL;

    m->appid_of = SITE_APPID_MIN;
    if (!m->appid.at)
        return;
    unsigned long long appid = strtoull(m->appid.text, &end, 0);

    if (*end || appid < SITE_APPID_MIN || appid > SITE_APPID_MAX)
        finding_at(d->errors, m->appid.at, "appid '%s' is none of sampled values, possible is 0x%x to 0x%x",
                   m->appid.text, SITE_APPID_MIN, SITE_APPID_MAX);
    else
        m->appid_of = (uint32_t)appid;
}

static const struct field phasor_fields[] = {
    {.key = "phasors", .kind = FIELD_TEXT, .most = SITE_PHASOR_BYTES - 1}, FIELD_END};

const struct shape_map draft_channel_shapes[] = {{"correct", correct_fields}, {"volts", volts_fields},
                                                 {"amperes", amperes_fields}, {"phasor", phasor_fields}, {0}};

static void read_phasors(struct draft *d, struct draft_meter *m)
{
    static const char *const usual[SITE_PHASORS] = {"VA", "VB", "VC", "IA", "IB", "IC"};
    uint32_t i = 0;

    memcpy(m->phasor, usual, sizeof usual);
    if (!m->phasors.at)
        return;
    if (m->phasors.at->count != SITE_PHASORS) {
        finding_at(d->errors, m->phasors.at, "phasors has %u names, write six: three of volts, three of "
                   "amperes", m->phasors.at->count);
        return;
    }
    for (const struct tree *at = m->phasors.at->first; at; at = at->next, i++) {
        struct value one = {0};

        if (!field_read(phasor_fields, at, &one, d->errors))
            m->phasor[i] = one.text;
    }
}

static bool same_names(const struct draft_meter *a, const struct draft_meter *b)
{
    if (a->protocol.number != b->protocol.number)
        return false;
    switch (a->protocol.number) {
    case PROTOCOL_RAW:
        return a->number.at && b->number.at && a->number.number == b->number.number;
    case PROTOCOL_SV:
        return a->svid.at && b->svid.at && a->appid_of == b->appid_of && !strcmp(a->svid.text, b->svid.text);
    case PROTOCOL_C37118:
        return a->number.at && b->number.at && a->number.number == b->number.number &&
               a->pmu.number == b->pmu.number;
    default:
        return false;
    }
}

static void check_names(struct draft *d, const struct draft_meter *m, uint32_t index)
{
    bool c37 = m->protocol.number == PROTOCOL_C37118;

    if (c37 && m->number.at && (m->number.number < 1 || m->number.number > C37_ID_MAX))
        finding_at(d->errors, m->number.at, "number is %s, ID codes of c37118 are 1 to %d", m->number.text,
                   C37_ID_MAX);
    for (uint32_t i = 0; i < index; i++) {
        if (!same_names(&d->meter[i], m))
            continue;
        finding_at(d->errors, m->at, "the packets of this meter would be those of meter '%s' (line %u), too: "
                   "give it another number, svid or pmu", draft_text(&d->meter[i].id), d->meter[i].at->line);
        break;
    }
}

/* ---- corrections ---- */

static void check_channel(struct draft *d, const struct draft_meter *m, const struct draft_channel *channel,
                          const struct tree *at)
{
    int64_t rate_hz = m->rate.number ? m->rate.number : MEASURE_RATE_MAX_HZ;
    double turns = (double)channel->phase.number / MICRODEGREES_PER_TURN;
    double late_ns = (double)channel->late.number + turns * 1e9 / (m->frequency.number ? 60 : 50);
    double most_ns = 1e9 / (double)rate_hz;

    if (!channel->gain.number)
        finding_at(d->errors, channel->gain.at ? channel->gain.at : at, "gain is 0, the channel would be "
                   "nothing");
    if (late_ns > most_ns || late_ns < -most_ns)
        finding_at(d->errors, at, "late and phase come to %.0f ns, more than a sample lasts at %lld Hz%s",
                   late_ns, (long long)rate_hz,
                   m->rate.at ? "" : " (no rate is written: the fastest counts)");
}

static void read_correct(struct draft *d, struct draft_meter *m)
{
    struct value place[MEASURE_CHANNELS];

    for (uint32_t c = 0; c < MEASURE_CHANNELS; c++)
        m->channel[c] = (struct draft_channel){.gain.number = PPM};
    if (!m->correct.at || fields_read(correct_fields, m->correct.at, "correct", place, d->errors))
        return;
    for (uint32_t c = 0; c < MEASURE_CHANNELS; c++) {
        const struct field *fields = is_volts(c) ? volts_fields : amperes_fields;

        if (place[c].at && !fields_read(fields, place[c].at, channel_names[c], &m->channel[c], d->errors))
            check_channel(d, m, &m->channel[c], place[c].at);
    }
}

/* ---- thresholds ---- */

static void check_thresholds(struct draft *d, const struct draft_meter *m)
{
    if (m->sag.number + m->hysteresis.number > m->swell.number - m->hysteresis.number)
        finding_at(d->errors, m->hysteresis.at ? m->hysteresis.at : m->at,
                   "hysteresis leaves no voltage between sag and swell that is neither, lower it");
    if (m->interruption.number + m->hysteresis.number > m->sag.number)
        finding_at(d->errors, m->interruption.at ? m->interruption.at : m->at,
                   "interruption and hysteresis reach beyond sag, lower them");
}

/* Whoever can send on that network can say what he likes under such a name. */
static void check_bare(struct draft *d, const struct draft_meter *m)
{
    if (m->protocol.number == PROTOCOL_UPMU || !d->auth.meters.number || m->bare.number)
        return;
    finding_at(d->errors, m->protocol.at, "packets of protocol %s carry no tag, and auth asks meters for "
               "one: write bare: yes at this meter, where nobody else can send on its network",
               site_protocol_names[m->protocol.number]);
}

/* The PMUs of one stream come in the same datagrams. */
static void check_address(struct draft *d, const struct draft_meter *m, uint32_t index)
{
    for (uint32_t i = 0; m->protocol.number == PROTOCOL_C37118 && i < index; i++) {
        const struct draft_meter *other = &d->meter[i];
        bool together = other->protocol.number == PROTOCOL_C37118 && other->number.at && m->number.at &&
                        other->number.number == m->number.number;

        if (!together || other->ipv4 == m->ipv4)
            continue;
        finding_at(d->errors, m->address.at ? m->address.at : m->at, "meter '%s' (line %u) is of the same "
                   "stream and has another address: give both the same, or none",
                   draft_text(&other->id), other->at->line);
        break;
    }
}

void draft_read_protocol(struct draft *d, struct draft_meter *m, uint32_t index)
{
    check_keys(d, m);
    if ((RAW | SV) >> m->protocol.number & 1)
        m->period.number = m->frequency.number ? NS_PER_S / 60 + 1 : NS_PER_S / 50;
    read_appid(d, m);
    read_phasors(d, m);
    if (!m->pmu.at)
        m->pmu.number = m->number.number;
    check_names(d, m, index);
    if (m->address.at && address_parse_ipv4(m->address.text, &m->ipv4))
        finding_at(d->errors, m->address.at, "address '%s' is not an IPv4 address", m->address.text);
    check_address(d, m, index);
    read_correct(d, m);
    check_thresholds(d, m);
    check_bare(d, m);
}
