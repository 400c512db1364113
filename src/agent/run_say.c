/* SPDX-License-Identifier: Apache-2.0 */
/* What a running agent tells people. */
#include <inttypes.h>
#include <string.h>

#include "agent/run.h"

enum { WATT_MW = 1000 };

/* No disk takes so long that is well. */
#define SILENCE_NS (3 * NS_PER_S)

/* What goes on all the time is no news. */
static bool is_routine(uint32_t counter)
{
    switch (counter) {
    case AGENT_RECEIVED:
    case AGENT_ACCEPTED:
    case AGENT_REPORTS:
    case AGENT_WRITES:
    case AGENT_LOWERED:
    case AGENT_ASKED: return true;
    default: return false;
    }
}

static void say_watchdog(struct run *run)
{
    if (!run->config.agent.watchdog_required || run->watchdog_told == run->watchdog_there)
        return;
    run->watchdog_told = run->watchdog_there;
    fputs(run->watchdog_there ? "flyball-agent: the watchdog is there\n"
                              : "flyball-agent: the watchdog is missing: nothing above fail-safe\n",
          run->out);
}

static void say_silence(struct run *run)
{
    if (!run->agent.silent || run->silence_told || run->now_ns - run->began_ns < SILENCE_NS)
        return;
    run->silence_told = true;
    fprintf(run->out, "flyball-agent: %s does not answer: no report is sent before it does, "
            "fail-safe stands\n", run->config.state);
}

/* What the filler draws, when it is known first and when that changes by a fifth. */
static void say_ballast(struct run *run)
{
    int64_t full_mw = atomic_load(&run->ballast.full_mw), told_mw = run->ballast_told_mw;
    int64_t off_mw = full_mw > told_mw ? full_mw - told_mw : told_mw - full_mw;
    if (!full_mw || off_mw * 5 < told_mw)
        return;
    run->ballast_told_mw = full_mw;
    fprintf(run->out, "flyball-agent: the filler adds %" PRId64 " W at full turn by what the packages count, "
            "and %" PRId64 " W are taken for it%s\n", full_mw / WATT_MW, run->ballast.most_mw / WATT_MW,
            full_mw > run->ballast.most_mw ? ": it turns less" : "");
}

/* What `systemctl status` shows: somebody speaks here who may not, or keys do not fit. */
static void tell_refusals(struct run *run)
{
    static const enum agent_counter reason[] = {AGENT_UNREADABLE, AGENT_NOT_MINE, AGENT_BARE, AGENT_KEY,
                                                AGENT_KEY_ENDED, AGENT_TAG, AGENT_UNSEALED};
    char text[256] = "STATUS=frames refused:";
    bool news = false;
    for (uint32_t i = 0; i < sizeof reason / sizeof reason[0]; i++) {
        uint64_t count = run->agent.counter[reason[i]];
        size_t used = strlen(text);
        news |= count != run->said[reason[i]];
        if (count)
            snprintf(text + used, sizeof text - used, " %s %" PRIu64, agent_counter_name(reason[i]), count);
    }
    if (news)
        notify_say(&run->notify, text);
}

void run_say(struct run *run)
{
    if (run->now_ns - run->said_ns < NS_PER_S)
        return;
    run->said_ns = run->now_ns;
    say_watchdog(run);
    say_silence(run);
    say_ballast(run);
    tell_refusals(run);
    for (uint32_t i = 0; i < AGENT_COUNTER_COUNT; i++) {
        uint64_t count = run->agent.counter[i];
        if (!is_routine(i) && count != run->said[i])
            fprintf(run->out, "flyball-agent: %s %" PRIu64 " (%" PRIu64 " more): %s\n", agent_counter_name(i),
                    count, count - run->said[i], agent_counter_meaning(i));
        run->said[i] = count;
    }
}

static void write_histogram(const char *name, const struct histogram *histogram, FILE *out)
{
    fprintf(out,
            ", \"%s\": {\"n\": %" PRIu64 ", \"p50\": %" PRIu64 ", \"p99\": %" PRIu64 ", \"max\": %" PRIu64
            "}",
            name, histogram->count, histogram_quantile(histogram, 0.5) / NS_PER_US,
            histogram_quantile(histogram, 0.99) / NS_PER_US, histogram->max_ns / NS_PER_US);
}

static void write_ballast(const struct run *run, FILE *out)
{
    int64_t full_mw = atomic_load(&run->ballast.full_mw);
    fprintf(out, ", \"ballast\": {\"most_mw\": %" PRId64 ", \"full_mw\": ", run->ballast.most_mw);
    if (full_mw)
        fprintf(out, "%" PRId64 "}", full_mw);
    else
        fprintf(out, "null}");
}

void run_summary(const struct run *run, FILE *out)
{
    struct histogram to_call = {0}, call = {0};
    fprintf(out, "{\"host\": \"%s\", \"epoch\": %" PRIu64 ", \"ready\": %s, \"send_failures\": %" PRIu64
            ", \"counters\": {", run->config.host, run->agent.holder.epoch, run->ready ? "true" : "false",
            run->send_failures);
    for (uint32_t i = 0; i < AGENT_COUNTER_COUNT; i++)
        fprintf(out, "%s\"%s\": %" PRIu64, i ? ", " : "", agent_counter_name(i), run->agent.counter[i]);
    fputs("}", out);
    write_ballast(run, out);
    for (uint32_t i = 0; i < run->devices; i++) {
        histogram_merge(&to_call, &run->worker[i].to_call);
        histogram_merge(&call, &run->worker[i].call);
    }
    write_histogram("to_call_us", &to_call, out);
    write_histogram("call_us", &call, out);
    fputs("}\n", out);
}
