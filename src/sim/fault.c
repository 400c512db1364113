/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/fault.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum unit { UNIT_NONE, UNIT_SHARE, UNIT_SECONDS, UNIT_KILOWATTS };

struct kind {
    const char *name;
    enum fault_scope scope;
    enum unit unit;
    double least, most;         /* of `amount` */
    bool may_lack;              /* an amount that is not given is 0 */
};

static const struct kind kinds[FAULT_KIND_COUNT] = {
    [FAULT_RESET] = {"reset", FAULT_HOSTS, UNIT_NONE, 0, 0, true},
    [FAULT_STICK] = {"stick", FAULT_HOSTS, UNIT_NONE, 0, 0, true},
    [FAULT_LIE] = {"lie", FAULT_HOSTS, UNIT_NONE, 0, 0, true},
    [FAULT_STALL] = {"stall", FAULT_HOSTS, UNIT_SECONDS, 0, 3600, false},
    [FAULT_OVERDRAW] = {"overdraw", FAULT_HOSTS, UNIT_SHARE, 0, 10, false},
    [FAULT_OVERSHOOT] = {"overshoot", FAULT_HOSTS, UNIT_SHARE, 0, 10, false},
    [FAULT_FOREIGN] = {"foreign", FAULT_HOSTS, UNIT_SHARE, 0, 1, false},
    [FAULT_RAISE] = {"raise", FAULT_HOSTS, UNIT_SHARE, 0, 1, false},
    [FAULT_REBOOT] = {"reboot", FAULT_HOSTS, UNIT_NONE, 0, 0, true},
    [FAULT_AGENT] = {"agent", FAULT_HOSTS, UNIT_NONE, 0, 0, true},
    [FAULT_LEAVE] = {"leave", FAULT_HOSTS, UNIT_NONE, 0, 0, true},
    [FAULT_WATCHDOG] = {"watchdog", FAULT_HOSTS, UNIT_NONE, 0, 0, true},
    [FAULT_FREEZE] = {"freeze", FAULT_HOSTS, UNIT_NONE, 0, 0, true},
    [FAULT_HOST_RATE] = {"host-rate", FAULT_HOSTS, UNIT_SHARE, -0.9, 10, false},
    [FAULT_HOST_STEP] = {"host-step", FAULT_HOSTS, UNIT_SECONDS, 0, 86400, false},
    [FAULT_SURGE] = {"surge", FAULT_HOSTS, UNIT_NONE, 0, 0, true},
    [FAULT_PULSE] = {"pulse", FAULT_HOSTS, UNIT_SECONDS, 0.002, 3600, false},
    [FAULT_IDLE] = {"idle", FAULT_HOSTS, UNIT_NONE, 0, 0, true},
    [FAULT_METER_ERROR] = {"meter-error", FAULT_METER, UNIT_SHARE, -1, 10, false},
    [FAULT_METER_DRIFT] = {"meter-drift", FAULT_METER, UNIT_SHARE, -1, 10, false},
    [FAULT_METER_FREEZE] = {"meter-freeze", FAULT_METER, UNIT_NONE, 0, 0, true},
    [FAULT_METER_DELAY] = {"meter-delay", FAULT_METER, UNIT_SECONDS, 0, 3600, false},
    [FAULT_METER_SILENT] = {"meter-silent", FAULT_METER, UNIT_NONE, 0, 0, true},
    [FAULT_METER_STEP] = {"meter-step", FAULT_METER, UNIT_SECONDS, -86400, 86400, false},
    [FAULT_METER_RATE] = {"meter-rate", FAULT_METER, UNIT_SHARE, -0.9, 10, false},
    [FAULT_LOSS] = {"loss", FAULT_NETWORK, UNIT_SHARE, 0, 1, false},
    [FAULT_DELAY] = {"delay", FAULT_NETWORK, UNIT_SECONDS, 0, 3600, false},
    [FAULT_DUPLICATE] = {"duplicate", FAULT_NETWORK, UNIT_SHARE, 0, 1, false},
    [FAULT_CUT_UP] = {"cut-up", FAULT_NETWORK, UNIT_NONE, 0, 0, true},
    [FAULT_CUT_DOWN] = {"cut-down", FAULT_NETWORK, UNIT_NONE, 0, 0, true},
    [FAULT_DARK] = {"dark", FAULT_POWER, UNIT_NONE, 0, 0, true},
    [FAULT_SAG] = {"sag", FAULT_POWER, UNIT_SHARE, 0, 0.9, false},
    [FAULT_OTHER] = {"other", FAULT_POWER, UNIT_KILOWATTS, 0, 1e6, false},
    [FAULT_NO_START] = {"no-start", FAULT_POWER, UNIT_NONE, 0, 0, true},
    [FAULT_LATE_START] = {"late-start", FAULT_POWER, UNIT_SECONDS, 0, 3600, false},
    [FAULT_BATTERY] = {"battery", FAULT_POWER, UNIT_SHARE, 0, 1, false},
    [FAULT_BYPASS] = {"bypass", FAULT_POWER, UNIT_NONE, 0, 0, true},
    [FAULT_TRANSFER] = {"transfer", FAULT_POWER, UNIT_NONE, 0, 0, true},
    [FAULT_PAUSE] = {"pause", FAULT_CONTROLLER, UNIT_NONE, 0, 0, true},
    [FAULT_CRASH] = {"crash", FAULT_CONTROLLER, UNIT_NONE, 0, 0, true},
    [FAULT_TAKEOVER] = {"takeover", FAULT_CONTROLLER, UNIT_NONE, 0, 0, true},
    [FAULT_ZOMBIE] = {"zombie", FAULT_CONTROLLER, UNIT_SHARE, 0, 1, true},
    [FAULT_LIMIT] = {"limit", FAULT_CONTROLLER, UNIT_SHARE, 0, 1, false},
};

static const char *const unit_word[] = {"", "%", "s", "kW"};

const char *fault_name(enum fault_kind kind)
{
    return kinds[kind].name;
}

enum fault_scope fault_scope(enum fault_kind kind)
{
    return kinds[kind].scope;
}

bool fault_happens_once(enum fault_kind kind)
{
    return kind == FAULT_RESET || kind == FAULT_HOST_STEP;
}

/* Of what concerns the controller only an order has a place. */
static bool has_place(enum fault_kind kind)
{
    return kinds[kind].scope != FAULT_CONTROLLER || kind == FAULT_LIMIT;
}

bool fault_same(const struct fault *a, const struct fault *b)
{
    return a->kind == b->kind && a->at_host == b->at_host && a->place == b->place && a->at_ns == b->at_ns &&
           a->for_ns == b->for_ns && a->amount >= b->amount && a->amount <= b->amount;
}

bool fault_strikes_host(const struct fault *fault, const struct model *model, uint32_t host)
{
    const struct model_host *h = &model->host[host];
    if (fault->at_host)
        return fault->place == host;
    for (uint32_t c = 0; c < h->cord_count; c++) {
        if (model_lies_below(model, h->cord[c].node, fault->place))
            return true;
    }
    return false;
}

/* ---- text ---- */

/* Whole nanoseconds, as seconds: no digit is lost. */
static void time_text(int64_t ns, char *text, size_t bytes)
{
    int length = snprintf(text, bytes, "%" PRId64 ".%09" PRId64, ns / NS_PER_S, ns % NS_PER_S);
    while (length > 0 && text[length - 1] == '0')
        text[--length] = 0;
    if (length > 0 && text[length - 1] == '.')
        text[--length] = 0;
    snprintf(text + length, bytes - (size_t)length, "s");
}

/* The shortest that reads back as the same number; a share that none in percent gives stands as it is. */
static void amount_text(enum unit unit, double amount, char *text, size_t bytes)
{
    const int digits[] = {3, 6, 9, 12, 15, 17};
    double times = unit == UNIT_SHARE ? 100 : 1;
    for (size_t i = 0; i < sizeof digits / sizeof digits[0]; i++) {
        snprintf(text, bytes, "%.*g%s", digits[i], amount * times, unit_word[unit]);
        if (strtod(text, NULL) / times == amount)
            return;
    }
    for (size_t i = 0; i < sizeof digits / sizeof digits[0]; i++) {
        snprintf(text, bytes, "%.*g", digits[i], amount);
        if (strtod(text, NULL) == amount)
            return;
    }
}

int fault_text(const struct fault *fault, const struct model *model, char *text, size_t bytes)
{
    const struct kind *kind = &kinds[fault->kind];
    char at[40], lasts[40] = "", amount[40] = "";
    const char *place = "";
    if (has_place(fault->kind))
        place = fault->at_host ? model->host[fault->place].name : model->node[fault->place].name;
    if (kind->unit != UNIT_NONE && !(kind->may_lack && fault->amount == 0))
        amount_text(kind->unit, fault->amount, amount, sizeof amount);
    time_text(fault->at_ns, at, sizeof at);
    if (fault->for_ns)
        time_text(fault->for_ns, lasts, sizeof lasts);
    return snprintf(text, bytes, "%s%s%s%s%s at %s%s%s", kind->name, *place ? " " : "", place,
                    *amount ? " " : "", amount, at, *lasts ? " for " : "", lasts);
}

/* ---- reading it ---- */

struct reader {
    char text[160];
    char *next;                 /* word */
    const struct model *model;
    struct fault *fault;
    char *why;
    size_t why_bytes;
};

static int refuse(const struct reader *reader, const char *what, const char *word)
{
    snprintf(reader->why, reader->why_bytes, "%s%s%s%s", what, word ? " '" : "", word ? word : "",
             word ? "'" : "");
    return -EINVAL;
}

static char *next_word(struct reader *reader)
{
    char *word = reader->next + strspn(reader->next, " \t");
    size_t length = strcspn(word, " \t");
    reader->next = word + length + (word[length] != 0);
    word[length] = 0;
    return *word ? word : NULL;
}

/* "1.5s", "20ms", "3min", "2h": in seconds and no bare number, or false. */
static bool seconds(const char *word, double *value)
{
    static const struct { const char *name; double seconds; } units[] = {
        {"ns", 1e-9}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"min", 60}, {"h", 3600}};
    char *end;
    double number = strtod(word, &end);
    for (size_t i = 0; end != word && i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(end, units[i].name))
            continue;
        *value = number * units[i].seconds;
        return isfinite(*value);
    }
    return false;
}

/* As seconds() does, to the nanosecond: whole seconds of a long run have more digits than a double. */
static bool nanoseconds(const char *word, int64_t *ns)
{
    double value;
    char *end;
    long long whole = strtoll(word, &end, 10);
    int64_t part = 0, place = NS_PER_S / 10;
    if (!seconds(word, &value) || value < 0 || value > 1e9)
        return false;
    *ns = llround(value * 1e9);
    if (*end == '.') {
        for (end++; *end >= '0' && *end <= '9'; end++, place /= 10)
            part += (*end - '0') * place;
    }
    if (!strcmp(end, "s"))
        *ns = whole * NS_PER_S + part;
    return true;
}

static bool read_amount(enum unit unit, const char *word, double *amount)
{
    char *end;
    double number = strtod(word, &end);
    if (end == word || !isfinite(number))
        return false;
    if (unit == UNIT_SECONDS)
        return seconds(word, amount);
    *amount = unit == UNIT_SHARE && !strcmp(end, "%") ? number / 100 : number;
    return unit == UNIT_SHARE ? !*end || !strcmp(end, "%") : !strcmp(end, "kW");
}

static bool fits_source(enum fault_kind kind, const struct model_node *node)
{
    if (kind == FAULT_NO_START || kind == FAULT_LATE_START)
        return node->kind == NODE_GENERATOR && !node->parent_count;
    if (kind == FAULT_BATTERY || kind == FAULT_BYPASS)
        return node->kind == NODE_UPS;
    return kind != FAULT_TRANSFER || node->parent_count > 1;
}

static int find_place(struct reader *reader)
{
    struct fault *fault = reader->fault;
    const struct model *model = reader->model;
    char *word = next_word(reader);
    bool found = false;
    if (!word)
        return refuse(reader, "a place is missing", NULL);
    for (uint32_t n = 0; !found && n < model->node_count; n++) {
        found = !strcmp(model->node[n].name, word);
        fault->place = n;
    }
    bool hosts = kinds[fault->kind].scope == FAULT_HOSTS || kinds[fault->kind].scope == FAULT_NETWORK;
    for (uint32_t h = 0; hosts && !found && h < model->host_count; h++) {
        found = fault->at_host = !strcmp(model->host[h].name, word);
        fault->place = h;
    }
    if (!found)
        return refuse(reader, hosts ? "no such node or host:" : "no such node:", word);
    if (!fits_source(fault->kind, &model->node[fault->place]))
        return refuse(reader, "it strikes a generator at the top, a UPS or a node with several parents, not",
                      word);
    if (kinds[fault->kind].scope == FAULT_METER && model->node[fault->place].meter == INDEX_NONE)
        return refuse(reader, "there is no meter at", word);
    return 0;
}

static int read_kind(struct reader *reader)
{
    char *word = next_word(reader);
    for (int kind = 0; word && kind < FAULT_KIND_COUNT; kind++) {
        if (strcmp(kinds[kind].name, word))
            continue;
        reader->fault->kind = (enum fault_kind)kind;
        return 0;
    }
    return refuse(reader, word ? "no such fault:" : "a fault is missing", word);
}

static int read_size(struct reader *reader, char **word)
{
    const struct kind *kind = &kinds[reader->fault->kind];
    bool given = *word && strcmp(*word, "at");
    if (kind->unit == UNIT_NONE || (!given && kind->may_lack))
        return 0;
    if (!given || !read_amount(kind->unit, *word, &reader->fault->amount))
        return refuse(reader, kind->unit == UNIT_SHARE     ? "a share is wanted, as 30%, not"
                              : kind->unit == UNIT_SECONDS ? "a time is wanted, as 2s, not"
                                                           : "a power is wanted, as 40kW, not", *word);
    if (!(reader->fault->amount >= kind->least && reader->fault->amount <= kind->most))
        return refuse(reader, "out of range:", *word);
    *word = next_word(reader);
    return 0;
}

/* What strikes a controller ends in something: another one starts, or it goes on. */
static bool must_end(enum fault_kind kind)
{
    return kinds[kind].scope == FAULT_CONTROLLER && kind != FAULT_LIMIT;
}

static int read_length(struct reader *reader)
{
    char *word = next_word(reader);
    if (!word)
        return must_end(reader->fault->kind) ? refuse(reader, "'for' and a time are wanted", NULL) : 0;
    if (strcmp(word, "for"))
        return refuse(reader, "'for' is wanted, not", word);
    if (fault_happens_once(reader->fault->kind))
        return refuse(reader, "it happens once and lasts no time: no", word);
    word = next_word(reader);
    if (!word || !nanoseconds(word, &reader->fault->for_ns))
        return refuse(reader, "a time is wanted, as 12s, not", word);
    word = next_word(reader);
    return word ? refuse(reader, "too much:", word) : 0;
}

static int read_times(struct reader *reader, char *word)
{
    if (!word || strcmp(word, "at"))
        return refuse(reader, "'at' and a time are wanted, not", word);
    word = next_word(reader);
    if (!word || !nanoseconds(word, &reader->fault->at_ns))
        return refuse(reader, "a time is wanted, as 12s, not", word);
    return read_length(reader);
}

int fault_parse(const char *text, const struct model *model, struct fault *fault, char *why,
                size_t why_bytes)
{
    struct reader reader = {.model = model, .fault = fault, .why = why, .why_bytes = why_bytes};
    memset(fault, 0, sizeof *fault);
    if (strlen(text) >= sizeof reader.text)
        return refuse(&reader, "too long", NULL);
    strcpy(reader.text, text);
    reader.next = reader.text;
    int result = read_kind(&reader);
    if (!result && has_place(fault->kind))
        result = find_place(&reader);
    if (result)
        return result;
    char *word = next_word(&reader);
    result = read_size(&reader, &word);
    return result ? result : read_times(&reader, word);
}
