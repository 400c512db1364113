/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/loops/print.h"

#include <stdio.h>
#include <string.h>

static const char *const part_name[PARTS] = {"first", "last", "scheduled"};

/* Two of them in one row are compared. */
static const char *const versus[][2] = {
    {"flyball-af_packet-auth", "alternate-af_packet-auth"},
    {"flyball-af_packet-auth", "echo-af_packet"},
    {"echo-blocking", "echo-af_packet"},
    {"echo-blocking", "flyball-af_packet-auth"},
    {"echo-epoll", "echo-af_packet"},
    {"echo-spin", "echo-af_packet"},
    {"echo-ring-spin", "echo-af_packet"},
    {"echo-ring-wait", "echo-af_packet"},
};

static const struct contender *find(const struct harness *harness, const char *name)
{
    for (uint32_t i = 0; i < harness->contenders; i++)
        if (!strcmp(harness->contender[i].kind->name, name) && harness->contender[i].chosen)
            return &harness->contender[i];
    return NULL;
}

static void print_part(struct bench_report *report, const char *key, const struct histogram *part)
{
    bench_open(report, key);
    bench_number(report, "p50_us", (double)histogram_quantile(part, 0.5) / 1e3);
    bench_number(report, "p99_us", (double)histogram_quantile(part, 0.99) / 1e3);
    bench_number(report, "p999_us", (double)histogram_quantile(part, 0.999) / 1e3);
    bench_number(report, "max_us", (double)part->max_ns / 1e3);
    bench_histogram(report, "ns", part);
    bench_close(report);
}

static void print_contender(struct bench_report *report, const struct contender *contender)
{
    const struct kind *kind = contender->kind;
    bench_open(report, kind->name);
    bench_text(report, "what", kind->what);
    bench_text(report, "path", kind->path);
    bench_text(report, "driver", kind->driver);
    bench_text(report, "load", kind->load);
    bench_flag(report, "neighbour", false);
    bench_flag(report, "auth", kind->auth);
    bench_flag(report, "probes", false);
    if (contender->why[0])
        bench_text(report, "why", contender->why);
    bench_count(report, "blocks", contender->tally.blocks);
    bench_count(report, "sent", contender->tally.sent);
    bench_count(report, "n", contender->tally.part[PART_LAST].count);
    bench_count(report, "warm", contender->tally.warm);
    bench_count(report, "lost", contender->tally.lost);
    for (int part = 0; part < PARTS; part++)
        if (contender->tally.part[part].count)
            print_part(report, part_name[part], &contender->tally.part[part]);
    bench_close(report);
}

static void print_ratio_part(struct bench_report *report, const char *key, const struct ratio *ratio)
{
    bench_open(report, key);
    bench_number(report, "p50", ratio->p50);
    bench_number(report, "p50_low", ratio->p50_low);
    bench_number(report, "p50_high", ratio->p50_high);
    bench_number(report, "p99", ratio->p99);
    bench_number(report, "p999", ratio->p999);
    bench_count(report, "pairs", ratio->pairs);
    bench_close(report);
}

static void print_ratio(struct bench_report *report, const struct contender *a, const struct contender *b)
{
    char key[128];
    snprintf(key, sizeof key, "%s/%s", a->kind->name, b->kind->name);
    bench_open(report, key);
    for (int part = 0; part < PARTS; part++) {
        struct ratio ratio = tally_ratio(&a->tally, &b->tally, (enum tally_part)part);
        if (ratio.pairs)
            print_ratio_part(report, part_name[part], &ratio);
    }
    bench_close(report);
}

static void print_ratios(struct bench_report *report, const struct harness *harness)
{
    bench_open(report, "ratio");
    for (size_t i = 0; i < sizeof versus / sizeof versus[0]; i++) {
        const struct contender *a = find(harness, versus[i][0]), *b = find(harness, versus[i][1]);
        if (a && b && a->tally.blocks && b->tally.blocks)
            print_ratio(report, a, b);
    }
    bench_close(report);
}

void print_all(struct harness *harness, bool json, int64_t start_ns)
{
    struct bench_report report;
    uint64_t n = 0;
    for (uint32_t i = 0; i < harness->contenders; i++)
        n += harness->contender[i].tally.part[PART_LAST].count;
    bench_begin(&report, json, "loops");
    bench_text(&report, "driver", "each contender's own");
    bench_count(&report, "seed", 0);   /* nothing here is random */
    bench_count(&report, "n", n);
    bench_number(&report, "block_ms", (double)harness->block_ns / 1e6);
    bench_count(&report, "rounds", harness->rounds);
    floor_print(&harness->floor, &report);
    bench_open(&report, "contender");
    for (uint32_t i = 0; i < harness->contenders; i++)
        if (harness->contender[i].chosen)
            print_contender(&report, &harness->contender[i]);
    bench_close(&report);
    print_ratios(&report, harness);
    bench_number(&report, "duration_s", (double)(bench_now_ns() - start_ns) / 1e9);
    bench_end(&report);
}

void print_list(void)
{
    for (const struct kind *kind = kind_table; kind->name; kind++)
        printf("%-28s %s\n", kind->name, kind->what);
}
