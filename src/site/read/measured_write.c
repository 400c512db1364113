/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "msg/limits.h"
#include "site/measured.h"
#include "site/read/quantity.h"

struct writer {
    const struct measured_style *style;
    FILE *out;
    bool begun;                 /* a key of the block stands already */
};

int64_t measured_rounded_ns(int64_t ns)
{
    int64_t grain = ns >= 60 * NS_PER_S ? 60 * NS_PER_MS     /* written in minutes */
                    : ns >= NS_PER_S    ? NS_PER_MS
                    : ns >= NS_PER_MS   ? NS_PER_US
                                        : 1;
    return (ns + grain - 1) / grain * grain;
}

void measured_when_write(int64_t when_s, char *text, size_t bytes)
{
    time_t when = (time_t)when_s;
    struct tm parts;
    gmtime_r(&when, &parts);
    strftime(text, bytes, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

int measured_when_parse(const char *text, int64_t *when_s)
{
    struct tm parts = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    char again[32];
    if (!end || *end)
        return -EINVAL;
    *when_s = timegm(&parts);
    /* strptime takes the 31st of every month */
    measured_when_write(*when_s, again, sizeof again);
    return strcmp(again, text) ? -EINVAL : 0;
}

static void begin(struct writer *w, const char *key)
{
    const struct measured_style *style = w->style;
    const char *comma = style->flow && w->begun ? "," : "";
    fprintf(w->out, "%s%s%*s%s: ", comma, style->eol, (int)style->column + 2, "", key);
    w->begun = true;
}

/* Quoted: a kernel's version holds " #", which would start a comment. */
static void put_text(FILE *out, const char *text)
{
    putc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\')
            putc('\\', out);
        putc(*c < ' ' || *c > '~' ? '?' : *c, out);
    }
    putc('"', out);
}

static void text(struct writer *w, const char *key, const char *value)
{
    begin(w, key);
    put_text(w->out, value);
}

static void number(struct writer *w, const char *key, int64_t value)
{
    begin(w, key);
    fprintf(w->out, "%" PRId64, value);
}

static void put_time(FILE *out, const char *before, const char *key, int64_t ns)
{
    char words[40];
    fprintf(out, "%s%s: %s", before, key,
            ns ? quantity_write(QUANTITY_TIME, measured_rounded_ns(ns), words, sizeof words) : "0us");
}

static void spread(struct writer *w, const char *key, const struct measured_spread *s)
{
    if (!s->n)
        return;
    begin(w, key);
    fprintf(w->out, "{n: %" PRId64, s->n);
    put_time(w->out, ", ", "p50", s->p50_ns);
    put_time(w->out, ", ", "p99", s->p99_ns);
    put_time(w->out, ", ", "p999", s->p999_ns);
    put_time(w->out, ", ", "max", s->max_ns);
    putc('}', w->out);
}

static void hiccups(struct writer *w, const struct measured_hiccups *h)
{
    if (!h->span_ns)
        return;
    begin(w, "hiccups");
    put_time(w->out, "{", "span", h->span_ns);
    put_time(w->out, ", ", "longest", h->longest_ns);
    put_time(w->out, ", ", "p999", h->p999_ns);
    fprintf(w->out, ", over_10us: %" PRId64 ", over_100us: %" PRId64 ", over_1ms: %" PRId64, h->over_10us,
            h->over_100us, h->over_1ms);
    fprintf(w->out, ", lost: %" PRId64 ".%04" PRId64 "%%}", h->lost_ppm / 10000, h->lost_ppm % 10000);
}

static void rings(struct writer *w, const struct measured *m)
{
    if (!m->ring_count)
        return;
    begin(w, "rings");
    for (uint32_t i = 0; i < m->ring_count; i++) {
        fputs(i ? ", {interface: " : "[{interface: ", w->out);
        put_text(w->out, m->ring[i].interface);
        fprintf(w->out, ", offered: %" PRId64 ", absorbed: %" PRId64 "}", m->ring[i].offered,
                m->ring[i].absorbed);
    }
    putc(']', w->out);
}

static void names(struct writer *w, const char *key, const char (*name)[MEASURED_TEXT_BYTES], uint32_t count)
{
    if (!count)
        return;
    fprintf(w->out, ",%s%*s%s: [", w->style->eol, (int)w->style->column + 4, "", key);
    for (uint32_t i = 0; i < count; i++) {
        fputs(i ? ", " : "", w->out);
        put_text(w->out, name[i]);
    }
    putc(']', w->out);
}

static void path(struct writer *w, const struct measured_path *p)
{
    if (!p->hosts)
        return;
    begin(w, "path");
    fprintf(w->out, "{hosts: %" PRId64 ", answered: %" PRId64 ", sent: %" PRId64 ", unanswered: %" PRId64,
            p->hosts, p->answered, p->sent, p->lost);
    put_time(w->out, ", ", "min", p->min_ns);
    put_time(w->out, ", ", "p50", p->p50_ns);
    put_time(w->out, ", ", "p99", p->p99_ns);
    put_time(w->out, ", ", "max", p->max_ns);
    names(w, "worst", p->worst, p->worst_count);
    names(w, "silent", p->silent, p->silent_count);
    putc('}', w->out);
}

void measured_write(const struct measured *m, const struct measured_style *style, FILE *out)
{
    struct writer w = {.style = style, .out = out};
    char when[32];
    measured_when_write(m->when_s, when, sizeof when);
    fputs(style->flow ? "measured: {" : "measured:  # by `flyball tune`, which replaces all of it", out);
    text(&w, "when", when);
    text(&w, "host", m->host);
    text(&w, "kernel", m->kernel);
    text(&w, "cpu", m->cpu);
    text(&w, "version", m->version);
    if (m->core >= 0)
        number(&w, "core", m->core);
    if (m->housekeeping >= 0)
        number(&w, "housekeeping", m->housekeeping);
    number(&w, "priority", m->priority);
    begin(&w, "throttling_lifted");
    fputs(m->throttling_lifted ? "yes" : "no", out);
    hiccups(&w, &m->hiccups);
    spread(&w, "wake_timer", &m->wake_timer);
    spread(&w, "wake_event", &m->wake_event);
    spread(&w, "reading", &m->reading);
    spread(&w, "report", &m->report);
    spread(&w, "tick_part", &m->tick_part);
    spread(&w, "emergency", &m->emergency);
    spread(&w, "age", &m->age);
    rings(&w, m);
    path(&w, &m->path);
    if (style->flow)
        putc('}', out);
}
