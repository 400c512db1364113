/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/loops/print.h"

#include <stdio.h>
#include <string.h>

#include "bench/loops/budget.h"

static const char *const part_name[PARTS] = {"first", "last", "scheduled"};

/* Two of them in one row are compared. */
static const char *const versus[][2] = {
    {"flyball-af_packet-auth", "alternate-af_packet-auth"},
    {"flyball-af_packet-auth", "echo-af_packet"},
    {"echo-blocking", "echo-af_packet"},
    {"user-sockets", "flyball-af_packet-auth"},
    {"user-polling", "flyball-af_packet-auth"},
    {"user-sockets-report", "flyball-af_packet-auth-report"},
    {"user-sockets-paced", "flyball-af_packet-auth-paced"},
    {"user-sockets-report-paced", "flyball-af_packet-auth-report-paced"},
    {"flyball-af_packet-auth-report", "echo-af_packet-one"},
    {"echo-blocking", "flyball-af_packet-auth"},
    {"echo-blocking-one", "echo-af_packet-one"},
    {"echo-blocking-one", "flyball-af_packet-auth-report"},
    {"echo-spin-one", "echo-af_packet-one"},
    {"flyball-af_packet-auth", "flyball-af_packet"},
    {"flyball-af_xdp-auth", "echo-af_xdp"},
    {"flyball-uring-auth", "echo-uring"},
    {"flyball-af_packet-auth-armed", "alternate-af_packet-auth-armed"},
    {"flyball-af_packet-auth-armed", "flyball-af_packet-auth"},
    {"flyball-af_packet-auth-detached", "alternate-af_packet-auth-detached"},
    {"flyball-af_packet-auth-detached", "flyball-af_packet-auth"},
    {"user-sockets-wire", "flyball-af_packet-auth-wire"},
    {"user-sockets-wire-paced", "flyball-af_packet-auth-wire-paced"},
    {"flyball-af_packet-auth-wire", "echo-af_packet-wire"},
    {"echo-blocking-wire", "echo-af_packet-wire"},
    {"flyball-af_packet-auth-hog", "echo-af_packet-hog"},
    {"user-sockets-hog", "flyball-af_packet-auth-hog"},
    {"flyball-rate-2000", "echo-rate-2000"},
    {"flyball-rate-20000", "echo-rate-20000"},
    {"flyball-rate-60000", "echo-rate-60000"},
    {"flyball-burst-48", "echo-burst-48"},
    {"echo-af_xdp", "echo-af_packet"},
    {"echo-uring", "echo-af_packet"},
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

static void print_cuts(struct bench_report *report, const struct tally *tally)
{
    if (!tally->emergencies)
        return;
    bench_count(report, "cut", tally->cut);
    bench_number(report, "cut_share", (double)tally->cut / (double)tally->emergencies);
    bench_count(report, "not_raised", tally->not_raised);
}

static void print_contender(struct bench_report *report, const struct contender *contender)
{
    const struct kind *kind = contender->kind;
    bench_open(report, kind->name);
    bench_text(report, "what", kind->what);
    bench_text(report, "path", kind->path);
    bench_text(report, "driver", kind->driver);
    bench_text(report, "load", kind->load);
    bench_flag(report, "neighbour", kind->neighbour);
    bench_flag(report, "auth", kind->auth);
    bench_flag(report, "probes", kind->probes);
    if (contender->why[0])
        bench_text(report, "why", contender->why);
    bench_count(report, "blocks", contender->tally.blocks);
    bench_count(report, "sent", contender->tally.sent);
    bench_count(report, "n", contender->tally.part[PART_LAST].count);
    bench_count(report, "warm", contender->tally.warm);
    bench_count(report, "lost", contender->tally.lost);
    print_cuts(report, &contender->tally);
    for (int part = 0; part < PARTS; part++)
        if (contender->tally.part[part].count)
            print_part(report, part_name[part], &contender->tally.part[part]);
    if (contender->stages.took[0].count)
        stage_print(report, &contender->stages);
    bench_close(report);
}

static void print_ratio_part(struct bench_report *report, const char *key, const struct ratio *ratio)
{
    bench_open(report, key);
    bench_number(report, "p50", ratio->p50);
    if (ratio->has_interval) {
        bench_number(report, "p50_low", ratio->p50_low);
        bench_number(report, "p50_high", ratio->p50_high);
    }
    if (ratio->p99 > 0) {
        bench_number(report, "p99", ratio->p99);
        bench_number(report, "p999", ratio->p999);
    }
    if (ratio->has_tail) {
        bench_number(report, "p99_low", ratio->p99_low);
        bench_number(report, "p99_high", ratio->p99_high);
    }
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

/* Detached against never armed, each over the echo in turn with it. */
static void print_detached(struct bench_report *report, const struct harness *harness)
{
    const char *const name[4] = {"flyball-af_packet-auth-detached", "alternate-af_packet-auth-detached",
                                 "flyball-af_packet-auth", "alternate-af_packet-auth"};
    const struct contender *of[4];
    for (int i = 0; i < 4; i++) {
        of[i] = find(harness, name[i]);
        if (!of[i] || !of[i]->tally.blocks)
            return;
    }
    bench_open(report, "detached/never-armed");
    bench_text(report, "what", "ratio over the echo in turn with it, probes detached, "
                                "over that of probes never armed");
    for (int part = 0; part <= PART_LAST; part++) {
        struct ratio ratio = tally_ratio_of_ratios(&of[0]->tally, &of[1]->tally, &of[2]->tally, &of[3]->tally,
                                                   (enum tally_part)part);
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
    print_detached(report, harness);
    bench_close(report);
}

/* What a loop noticed since it first stood still. It stands now, so its core may be read. */
static void print_loop(struct bench_report *report, struct harness *harness, uint32_t stand)
{
    struct loop *loop = &harness->stand[stand].loop;
    const struct rtt_echo *echo = &harness->stand[stand].echo;
    const struct core_counters *now = core_counters(loop->core), *before = &harness->before[stand];
    bench_open(report, harness_stand_name(stand));
    bench_count(report, "parked", echo->parked);
    bench_number(report, "parked_s", (double)echo->parked_ns / 1e9);
    bench_count(report, "ticks", now->ticks - before->ticks);
    bench_count(report, "ticks_missed", now->ticks_missed - before->ticks_missed);
    bench_count(report, "fail_safes", now->fail_safes - before->fail_safes);
    bench_count(report, "resets", now->resets - before->resets);
    bench_count(report, "recoveries", now->recoveries - before->recoveries);
    bench_count(report, "invariant_failures", now->invariant_failures);
    bench_count(report, "stalls", count_read(&loop->watchdog.stalls));
    bench_close(report);
}

static void print_loops(struct bench_report *report, struct harness *harness)
{
    bench_open(report, "loop");
    for (uint32_t i = 0; i < STANDS; i++)
        if (harness->stand_up[i] && harness->stand[i].running)
            print_loop(report, harness, i);
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
    saturation_print(&report, harness);
    print_loops(&report, harness);
    budget_print(&report, harness);
    bench_number(&report, "duration_s", (double)(bench_now_ns() - start_ns) / 1e9);
    bench_end(&report);
}

void print_list(void)
{
    for (const struct kind *kind = kind_table; kind->name; kind++)
        printf("%-28s %s\n", kind->name, kind->what);
}
