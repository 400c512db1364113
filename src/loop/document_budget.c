/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's document: budgets, what missed them, and times in which a hot thread did not run. */
#include "loop/document.h"

#define ROW_NAME(symbol, name, meaning) [symbol] = name,
static const char *const stage_name[BUDGET_STAGES] = {BUDGET_STAGE_WORDS(ROW_NAME)};
static const char *const cause_name[BUDGET_CAUSES] = {BUDGET_CAUSE_WORDS(ROW_NAME)};
#undef ROW_NAME
static const char *const class_name[BUDGET_CLASSES + 1] = {"reading", "report", "order", "other"};

/* Lanes, decide and egress write one each. */
enum { BUDGETS_MAX = LANES_MAX + 2 };

static uint32_t list_budgets(const struct loop *loop, const struct budget *budget[BUDGETS_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < loop->path.lanes; i++)
        budget[count++] = &loop->path.lane[i].budget;
    budget[count++] = &loop->path.decide->budget;
    budget[count++] = &loop->path.egress->budget;
    return count;
}

static uint64_t missed(const struct loop *loop, int stage, int cause)
{
    const struct budget *budget[BUDGETS_MAX];
    uint32_t count = list_budgets(loop, budget);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += count_read(&budget[i]->miss[stage][cause]);
    return sum;
}

void document_sum_budgets(const struct loop *loop, struct document_budget *sum)
{
    const struct budget *budget[BUDGETS_MAX];
    uint32_t count = list_budgets(loop, budget);
    *sum = (struct document_budget){0};
    for (uint32_t i = 0; i < count; i++) {
        sum->misses += count_read(&budget[i]->misses);
        sum->emergencies += count_read(&budget[i]->emergencies);
        for (int stage = 0; stage < BUDGET_STAGES; stage++)
            sum->by_gap += count_read(&budget[i]->miss[stage][BUDGET_GAP]);
        sum->by_network += count_read(&budget[i]->miss[BUDGET_WAY][BUDGET_NETWORK]);
    }
    for (uint32_t i = 0; i < loop->hots; i++) {
        const struct gap *gap = &loop->hot[i].gap;
        for (int size = 0; size < GAP_SIZES; size++)
            sum->gaps[size] += count_read(&gap->over[size]);
        uint64_t longest_ns = count_read(&gap->longest_ns);
        sum->longest_gap_ns = longest_ns > sum->longest_gap_ns ? longest_ns : sum->longest_gap_ns;
    }
}

static void write_stages(const struct loop *loop, FILE *out)
{
    for (int stage = 0; stage < BUDGET_STAGES; stage++) {
        fprintf(out, "%s\n  {\"stage\": \"%s\", \"share_ms\": %.3f", stage ? "," : "", stage_name[stage],
                (double)loop->path.decide->budget.budget_ns * budget_share_pct(stage) / 100 / 1e6);
        for (int cause = 0; cause < BUDGET_CAUSES; cause++)
            fprintf(out, ", \"%s\": %llu", cause_name[cause],
                    (unsigned long long)missed(loop, stage, cause));
        fputs("}", out);
    }
}

/* Gaps of more than 1 ms one by one would be as many as a poor machine has: the newest are there to be held
 * against what somebody else measured. */
static void write_gaps(const struct gap *gap, FILE *out)
{
    const char *comma = "";
    for (uint32_t i = 0; i < GAPS_KEPT; i++) {
        struct gap_kept kept;
        if (!gap_read(gap, i, &kept))
            continue;
        fprintf(out, "%s{\"t_ns\": %lld, \"ms\": %.3f, \"working\": %s}", comma, (long long)kept.end_ns,
                (double)kept.length_ns / 1e6, kept.working ? "true" : "false");
        comma = ", ";
    }
}

static void write_thread(const struct hot *hot, FILE *out, int64_t now_ns)
{
    const struct gap *gap = &hot->gap;
    fprintf(out,
            "{\"thread\": \"%s\", \"over_1ms\": %llu, \"over_10ms\": %llu, \"over_20ms\": %llu, "
            "\"working_1ms\": %llu, \"working_20ms\": %llu, \"lost_ms\": %.3f, \"longest_ms\": %.3f, "
            "\"longest_ago_s\": ",
            hot->name, (unsigned long long)count_read(&gap->over[0]),
            (unsigned long long)count_read(&gap->over[1]), (unsigned long long)count_read(&gap->over[2]),
            (unsigned long long)count_read(&gap->working[0]),
            (unsigned long long)count_read(&gap->working[2]), (double)count_read(&gap->lost_ns) / 1e6,
            (double)count_read(&gap->longest_ns) / 1e6);
    uint64_t longest_t_ns = count_read(&gap->longest_t_ns);
    if (longest_t_ns)
        fprintf(out, "%.1f", (double)(now_ns - (int64_t)longest_t_ns) / 1e9);
    else
        fputs("null", out);
    fputs(",\n   \"newest\": [", out);
    write_gaps(gap, out);
    fputs("]}", out);
}

/* Whose it was, where that is known: a slot that has left the ring does not tell. */
static void write_subject(const struct loop *loop, const struct budget_miss *miss, bool lease, FILE *out)
{
    const struct model *model = &loop->site->model;
    fputs(", \"of\": ", out);
    if (!lease && miss->class == BUDGET_READING && miss->subject < model->meter_count)
        document_text(out, model->meter[miss->subject].name);
    else if ((lease || miss->class == BUDGET_REPORT) && miss->subject < model->host_count)
        document_text(out, model->host[miss->subject].name);
    else
        fputs("null", out);
}

static void write_misses(const struct loop *loop, FILE *out, int64_t now_ns)
{
    const struct budget *budget[BUDGETS_MAX];
    uint32_t count = list_budgets(loop, budget);
    const char *comma = "";
    for (uint32_t i = 0; i < count; i++) {
        struct budget_miss miss[BUDGET_KEPT];
        uint32_t kept = budget_read(budget[i], miss);
        bool lease = budget[i] == &loop->path.egress->budget;
        for (uint32_t at = 0; at < kept; at++) {
            const struct budget_miss *one = &miss[at];
            fprintf(out, "%s\n  {\"ago_s\": %.3f, \"t_ns\": %lld, \"ms\": %.3f, \"stage\": \"%s\", "
                    "\"stage_ms\": %.3f, \"cause\": \"%s\", \"class\": \"%s\", \"lease\": %s, "
                    "\"emergency\": %s, \"at_least\": %s, \"gap_ms\": %.3f, \"longest_gap_ms\": %.3f",
                    comma, (double)(now_ns - one->t_ns) / 1e9, (long long)one->t_ns,
                    (double)one->total_ns / 1e6, stage_name[one->stage % BUDGET_STAGES],
                    (double)one->stage_ns / 1e6, cause_name[one->cause % BUDGET_CAUSES],
                    class_name[one->class <= BUDGET_CLASSES ? one->class : BUDGET_CLASSES],
                    lease ? "true" : "false", one->emergency ? "true" : "false",
                    one->at_least ? "true" : "false", (double)one->gap_ns / 1e6,
                    (double)one->longest_gap_ns / 1e6);
            write_subject(loop, one, lease, out);
            fputs("}", out);
            comma = ",";
        }
    }
}

void document_budget(const struct loop *loop, FILE *out)
{
    int64_t now_ns = timebase_now_ns(&loop->base);
    fprintf(out, "\"budget\": {\"budget_ms\": %.3f, \"stages\": [",
            (double)loop->path.decide->budget.budget_ns / 1e6);
    write_stages(loop, out);
    fputs("],\n \"threads\": [", out);
    for (uint32_t i = 0; i < loop->hots; i++) {
        fputs(i ? ",\n  " : "\n  ", out);
        write_thread(&loop->hot[i], out, now_ns);
    }
    fputs("],\n \"newest\": [", out);
    write_misses(loop, out, now_ns);
    fputs("]},\n", out);
}
