/* SPDX-License-Identifier: Apache-2.0 */
/* One screen for a reader, and the same as JSON. */
#include <inttypes.h>
#include <jansson.h>

#include "cli/tune/tune.h"
#include "site/needs.h"
#include "site/read/quantity.h"

enum { NAMES_SHOWN = 5 };       /* the site file has MEASURED_NAMED_MAX */

static const char *time_words(int64_t ns, char *text, size_t bytes)
{
    if (!ns)
        return "0";
    return quantity_write(QUANTITY_TIME, measured_rounded_ns(ns), text, bytes);
}

static void print_spread(FILE *out, const char *name, const struct measured_spread *s)
{
    char p50[32], p99[32], p999[32], max[32];
    if (!s->n)
        return;
    fprintf(out, "  %-22s %9" PRId64 " %10s %10s %10s %10s\n", name, s->n,
            time_words(s->p50_ns, p50, sizeof p50), time_words(s->p99_ns, p99, sizeof p99),
            time_words(s->p999_ns, p999, sizeof p999), time_words(s->max_ns, max, sizeof max));
}

static void print_hiccups(const struct measured *m, FILE *out)
{
    const struct measured_hiccups *h = &m->hiccups;
    double seconds = (double)h->span_ns / 1e9;
    char longest[32], wait[32];
    if (!h->span_ns)
        return;
    fprintf(out, "hiccups, %.1f s ", seconds);
    if (m->core >= 0)
        fprintf(out, "on core %d", m->core);
    else
        fputs("not pinned", out);
    if (m->priority)
        fprintf(out, ", FIFO %d", m->priority);
    fprintf(out, ", RT throttling %s\n", m->throttling_lifted ? "lifted" : "as it is");
    fprintf(out, "  longest %s, lost %.2f %% of the core, an event waits %s at p99.9\n",
            time_words(h->longest_ns, longest, sizeof longest), (double)h->lost_ppm / 1e4,
            time_words(h->p999_ns, wait, sizeof wait));
    fprintf(out, "  a second: %.1f over 10 us, %.1f over 100 us, %.2f over 1 ms\n",
            (double)h->over_10us / seconds, (double)h->over_100us / seconds, (double)h->over_1ms / seconds);
}

static void print_unlifted(const struct measured_hiccups *h, FILE *out)
{
    char longest[32];
    if (h->span_ns)
        fprintf(out, "  before RT throttling was lifted, %.1f s: longest %s, lost %.2f %%\n",
                (double)h->span_ns / 1e9, time_words(h->longest_ns, longest, sizeof longest),
                (double)h->lost_ppm / 1e4);
}

static void print_spreads(const struct measured *m, FILE *out)
{
    fprintf(out, "%-24s %9s %10s %10s %10s %10s\n", "times", "n", "p50", "p99", "p99.9", "max");
    print_spread(out, "wake-up by timer", &m->wake_timer);
    print_spread(out, "wake-up by eventfd", &m->wake_event);
    print_spread(out, "a reading, whole", &m->reading);
    print_spread(out, "a report, answered", &m->report);
    print_spread(out, "a part of a tick", &m->tick_part);
    print_spread(out, "an emergency, all cuts", &m->emergency);
}

static void print_names(FILE *out, const char *what, const char (*name)[MEASURED_TEXT_BYTES], uint32_t count)
{
    for (uint32_t i = 0; i < count && i < NAMES_SHOWN; i++)
        fprintf(out, "%s%s", i ? ", " : what, name[i]);
    if (count)
        putc('\n', out);
}

static void print_ports(const struct measured *m, FILE *out)
{
    const struct measured_path *p = &m->path;
    char min[32], p50[32], p99[32], max[32];
    for (uint32_t i = 0; i < m->ring_count; i++)
        fprintf(out, "port %s absorbed %" PRId64 " of %" PRId64 " frames while nobody polled\n",
                m->ring[i].interface, m->ring[i].absorbed, m->ring[i].offered);
    if (!p->hosts)
        return;
    fprintf(out, "path: %" PRId64 " of %" PRId64 " hosts answer; %" PRId64 " of %" PRId64
            " echoes lost; min %s, p50 %s, p99 %s, max %s\n",
            p->answered, p->hosts, p->lost, p->sent, time_words(p->min_ns, min, sizeof min),
            time_words(p->p50_ns, p50, sizeof p50), time_words(p->p99_ns, p99, sizeof p99),
            time_words(p->max_ns, max, sizeof max));
    print_names(out, "  slowest: ", p->worst, p->worst_count);
    print_names(out, "  silent: ", p->silent, p->silent_count);
}

static const char *need_words(const struct need *need, int64_t value, char *text, size_t bytes)
{
    if (!need_is_frames(need))
        return time_words(value, text, bytes);
    snprintf(text, bytes, "%" PRId64, value);
    return text;
}

static void print_needs(const struct tune *tune, FILE *out)
{
    struct need need[NEEDS_MAX];
    struct response r;
    uint32_t count = needs_find(&tune->site, &tune->found, need);
    char has[40], wants[40], fresh[32], retire[32], whole[32];
    fprintf(out, "%-30s %10s %10s  %-9s how\n", "terms", "configured", "at least", "");
    for (uint32_t i = 0; i < count; i++)
        fprintf(out, "  %-28s %10s %10s  %-9s %s\n", need[i].term,
                need_words(&need[i], need[i].configured, has, sizeof has),
                need_words(&need[i], need[i].needed, wants, sizeof wants),
                need[i].too_small ? "too small" : "ok", need[i].formula);
    needs_response(&tune->site.model, &r);
    fprintf(out, "  T_resp = fresh %s + X %s = %s, from the site file\n",
            time_words(r.fresh_ns, fresh, sizeof fresh), time_words(r.retire_ns, retire, sizeof retire),
            time_words(r.response_ns, whole, sizeof whole));
}

void tune_print(const struct tune *tune, FILE *out)
{
    const struct measured *m = &tune->found;
    fprintf(out, "site %s, server %s on %s, kernel %.60s\n%s; flyball %s\n\n", tune->site.model.name,
            tune->site.server.name, m->host, m->kernel, m->cpu, m->version);
    print_hiccups(m, out);
    print_unlifted(&tune->unlifted, out);
    print_spreads(m, out);
    print_ports(m, out);
    putc('\n', out);
    print_needs(tune, out);
    for (uint32_t i = 0; i < tune->notes; i++)
        fprintf(out, "%s  %s\n", i ? "" : "\nnot measured, or not as it will run:\n", tune->note[i]);
}

/* ---- JSON ---- */

static json_t *json_spread(const struct measured_spread *s)
{
    return s->n ? json_pack("{s:I, s:I, s:I, s:I, s:I}", "n", (json_int_t)s->n, "p50_ns",
                            (json_int_t)s->p50_ns, "p99_ns", (json_int_t)s->p99_ns, "p999_ns",
                            (json_int_t)s->p999_ns, "max_ns", (json_int_t)s->max_ns)
                : json_null();
}

static json_t *json_hiccups(const struct measured_hiccups *h)
{
    return h->span_ns
               ? json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "span_ns", (json_int_t)h->span_ns,
                           "longest_ns", (json_int_t)h->longest_ns, "p999_ns", (json_int_t)h->p999_ns,
                           "over_10us", (json_int_t)h->over_10us, "over_100us", (json_int_t)h->over_100us,
                           "over_1ms", (json_int_t)h->over_1ms, "lost_ppm", (json_int_t)h->lost_ppm)
               : json_null();
}

static json_t *json_names(const char (*name)[MEASURED_TEXT_BYTES], uint32_t count)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(list, json_string(name[i]));
    return list;
}

static json_t *json_path(const struct measured_path *p)
{
    return p->hosts ? json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "hosts",
                               (json_int_t)p->hosts, "answered", (json_int_t)p->answered, "sent",
                               (json_int_t)p->sent, "lost", (json_int_t)p->lost, "min_ns",
                               (json_int_t)p->min_ns, "p50_ns", (json_int_t)p->p50_ns, "p99_ns",
                               (json_int_t)p->p99_ns, "max_ns", (json_int_t)p->max_ns, "worst",
                               json_names(p->worst, p->worst_count), "silent",
                               json_names(p->silent, p->silent_count))
                   : json_null();
}

static json_t *json_needs(const struct tune *tune)
{
    json_t *list = json_array();
    struct need need[NEEDS_MAX];
    uint32_t count = needs_find(&tune->site, &tune->found, need);
    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:I, s:b, s:s, s:s}", "term", need[i].term,
                                              "unit", need_is_frames(&need[i]) ? "frames" : "ns",
                                              "configured", (json_int_t)need[i].configured, "needed",
                                              (json_int_t)need[i].needed, "ok", !need[i].too_small, "formula",
                                              need[i].formula, "source", need[i].source));
    return list;
}

static json_t *json_rings(const struct measured *m)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < m->ring_count; i++)
        json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "interface", m->ring[i].interface, "offered",
                                              (json_int_t)m->ring[i].offered, "absorbed",
                                              (json_int_t)m->ring[i].absorbed));
    return list;
}

void tune_print_json(const struct tune *tune, FILE *out)
{
    const struct measured *m = &tune->found;
    json_t *notes = json_array();
    char when[32];
    measured_when_write(m->when_s, when, sizeof when);
    for (uint32_t i = 0; i < tune->notes; i++)
        json_array_append_new(notes, json_string(tune->note[i]));
    json_t *all = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:b}", "site", tune->site.model.name, "server",
        tune->site.server.name, "when", when, "host", m->host, "kernel", m->kernel, "cpu", m->cpu, "version",
        m->version, "core", m->core, "priority", m->priority, "throttling_lifted", m->throttling_lifted);
    json_object_set_new(all, "hiccups", json_hiccups(&m->hiccups));
    json_object_set_new(all, "hiccups_unlifted", json_hiccups(&tune->unlifted));
    json_object_set_new(all, "wake_timer", json_spread(&m->wake_timer));
    json_object_set_new(all, "wake_event", json_spread(&m->wake_event));
    json_object_set_new(all, "reading", json_spread(&m->reading));
    json_object_set_new(all, "report", json_spread(&m->report));
    json_object_set_new(all, "tick_part", json_spread(&m->tick_part));
    json_object_set_new(all, "emergency", json_spread(&m->emergency));
    json_object_set_new(all, "rings", json_rings(m));
    json_object_set_new(all, "path", json_path(&m->path));
    json_object_set_new(all, "terms", json_needs(tune));
    json_object_set_new(all, "not_measured", notes);
    json_dumpf(all, out, JSON_INDENT(1));
    putc('\n', out);
    json_decref(all);
}
