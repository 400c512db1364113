/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/latency/latency_rows.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "record/histogram.h"
#include "rt/clock.h"

enum { LOOK_MS = 50 };

static_assert(sizeof(struct histogram) == sizeof(struct latency_row) &&
                  (int)HISTOGRAM_SUB_BITS == (int)LATENCY_SUB_BITS &&
                  (int)HISTOGRAM_BUCKETS == (int)LATENCY_BUCKETS,
              "the kernel's rows are histograms");

#define ROW_WORDS(symbol, name, what) [symbol] = {name, what},
const struct row_words rows_of_stages[LATENCY_STAGE_COUNT] = {LATENCY_STAGES(ROW_WORDS)};
const struct row_words rows_of_wire[WIRE_ROW_COUNT] = {LATENCY_WIRE_ROWS(ROW_WORDS)};
const struct row_words rows_of_agent[AGENT_STEP_COUNT] = {LATENCY_AGENT_STEPS(ROW_WORDS)};
#undef ROW_WORDS

uint64_t row_quantile_ns(const struct latency_row *row, double q)
{
    struct histogram histogram;
    memcpy(&histogram, row, sizeof histogram);
    return histogram_quantile(&histogram, q);
}

void rows_print(const struct latency_row *row, const struct row_words *words, uint32_t count,
                const char *title, FILE *out)
{
    fprintf(out, "%-10s %9s %9s %9s %9s %9s %9s   us\n", title, "n", "p50", "p90", "p99", "p99.9", "max");
    for (uint32_t i = 0; i < count; i++)
        fprintf(out, "%-10s %9llu %9.2f %9.2f %9.2f %9.2f %9.2f   %s\n", words[i].name,
                (unsigned long long)row[i].count, row_us(row_quantile_ns(&row[i], 0.5)),
                row_us(row_quantile_ns(&row[i], 0.9)), row_us(row_quantile_ns(&row[i], 0.99)),
                row_us(row_quantile_ns(&row[i], 0.999)), row_us(row[i].max_ns), words[i].what);
}

json_int_t rows_integer(uint64_t value)
{
    return value < INT64_MAX ? (json_int_t)value : INT64_MAX;
}

static json_t *buckets(const struct latency_row *row)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < LATENCY_BUCKETS; i++)
        if (row->bucket[i])
            json_array_append_new(list, json_pack("[II]", rows_integer(histogram_bucket_floor(i)),
                                                  rows_integer(row->bucket[i])));
    return list;
}

static json_t *row_json(const struct latency_row *row)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "n", rows_integer(row->count), "sum_ns",
                     rows_integer(row->sum_ns), "p50_ns", rows_integer(row_quantile_ns(row, 0.5)), "p90_ns",
                     rows_integer(row_quantile_ns(row, 0.9)), "p99_ns",
                     rows_integer(row_quantile_ns(row, 0.99)), "p999_ns",
                     rows_integer(row_quantile_ns(row, 0.999)), "max_ns", rows_integer(row->max_ns),
                     "buckets", buckets(row));
}

json_t *rows_json(const struct latency_row *row, const struct row_words *words, uint32_t count)
{
    json_t *all = json_object();
    for (uint32_t i = 0; i < count; i++)
        json_object_set_new(all, words[i].name, row_json(&row[i]));
    return all;
}

int rows_hold_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigset_t before;
    sigprocmask(SIG_BLOCK, &set, &before);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), error = errno;
    if (fd >= 0)
        return fd;
    sigprocmask(SIG_SETMASK, &before, NULL);
    return -error;
}

bool rows_wait(int signals, pid_t pid, int64_t end_ns)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    int64_t left_ns = end_ns ? end_ns - clock_monotonic_ns() : INT64_MAX;
    if (left_ns <= 0)
        return false;
    int64_t left_ms = left_ns / NS_PER_MS + 1;
    struct pollfd ready = {.fd = signals, .events = POLLIN};
    return poll(&ready, 1, left_ms < LOOK_MS ? (int)left_ms : LOOK_MS) <= 0 && !access(path, F_OK);
}
