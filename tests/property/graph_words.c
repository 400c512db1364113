/* SPDX-License-Identifier: Apache-2.0 */
/* A case in one line that repeats it, and in words. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph.h"

static const char *const plain_names[PLAIN_ALL_BITS] = {
    "lending", "losses", "cords", "phases", "other", "k", "transfers", "curves", "meters",
    "traces", "network", "requests", "pools", "devices", "clocks",
};

const char *graph_plant_name(enum graph_plant plant)
{
#define GRAPH_PLANT_NAME(symbol, words) [symbol] = words,
    static const char *const names[] = {GRAPH_PLANTS(GRAPH_PLANT_NAME)};
#undef GRAPH_PLANT_NAME
    return names[plant];
}

struct graph_size graph_size(const struct graph_plan *plan, const struct graph_case *some)
{
    struct graph_size size = {0, 0, 0};
    for (uint32_t h = 0; h < plan->hosts; h++)
        size.hosts += some->keep.host[h];
    for (uint32_t n = 0; n < plan->nodes; n++)
        size.nodes += some->keep.node[n];
    for (uint32_t i = 0; i < plan->fault_count; i++)
        size.faults += some->fault[i];
    return size;
}

struct text {
    char *at;
    size_t bytes, used;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text->at + text->used, text->bytes - text->used, format, arguments);
    va_end(arguments);
    text->used += (size_t)length < text->bytes - text->used ? (size_t)length : text->bytes - text->used - 1;
}

/* "1,4-7"; "none". */
static void add_list(struct text *text, const char *option, const bool *member, uint32_t count, uint32_t all)
{
    const char *between = "";
    if (count == all)
        return;
    add(text, " %s %s", option, count ? "" : "none");
    for (uint32_t i = 0; count && i < all; i++) {
        uint32_t last = i;
        if (!member[i])
            continue;
        while (last + 1 < all && member[last + 1])
            last++;
        add(text, last > i ? "%s%u-%u" : "%s%u", between, i, last);
        between = ",";
        i = last;
    }
}

void graph_command(const struct graph_plan *plan, const struct graph_case *some, char *out, size_t bytes)
{
    struct text text = {out, bytes, 0};
    struct graph_size size = graph_size(plan, some);
    add(&text, "graph_property --case %llu", (unsigned long long)some->seed);
    if (some->until_ns != plan->duration_ns)
        add(&text, " --until-ms %lld", (long long)(some->until_ns / NS_PER_MS));
    if (!some->end)
        add(&text, " --no-end");
    add_list(&text, "--hosts", some->keep.host, size.hosts, plan->hosts);
    add_list(&text, "--nodes", some->keep.node, size.nodes, plan->nodes);
    add_list(&text, "--faults", some->fault, size.faults, plan->fault_count);
    for (uint32_t bit = 0, first = 1; bit < PLAIN_ALL_BITS; bit++)
        if (some->plain >> bit & 1) {
            add(&text, "%s%s", first ? " --plain " : ",", plain_names[bit]);
            first = 0;
        }
    if (some->plant)
        add(&text, " --planted %u", some->plant);
}

int graph_parse_list(const char *text, bool *member, uint32_t count)
{
    memset(member, 0, count * sizeof *member);
    if (!strcmp(text, "none"))
        return 0;
    for (;;) {
        char *end;
        unsigned long first = strtoul(text, &end, 10), last = first;
        if (end == text || first >= count)
            return -EINVAL;
        if (*end == '-') {
            text = end + 1;
            last = strtoul(text, &end, 10);
            if (end == text || last < first || last >= count)
                return -EINVAL;
        }
        memset(member + first, true, (last - first + 1) * sizeof *member);
        if (!*end)
            return 0;
        if (*end != ',')
            return -EINVAL;
        text = end + 1;
    }
}

int graph_parse_plain(const char *text, unsigned *plain)
{
    while (*text) {
        size_t length = strcspn(text, ",");
        uint32_t bit = 0;
        while (bit < PLAIN_ALL_BITS &&
               (strlen(plain_names[bit]) != length || strncmp(plain_names[bit], text, length) != 0))
            bit++;
        if (bit == PLAIN_ALL_BITS)
            return -EINVAL;
        *plain |= 1u << bit;
        text += length + (text[length] == ',');
    }
    return 0;
}

static void print_fault(const struct fault *fault)
{
    printf("  %s", graph_fault_name(fault->kind));
    if (fault->kind != FAULT_PAUSE && fault->kind != FAULT_CRASH && fault->kind != FAULT_TAKEOVER &&
        fault->kind != FAULT_ZOMBIE)
        printf(" %s-%u", fault->at_host ? "host" : "node", fault->place);
    if (fault->amount > 0)
        printf(" %.3g", fault->amount);
    printf(" at %lld ms", (long long)(fault->at_ns / NS_PER_MS));
    if (!graph_fault_is_once(fault->kind))
        printf(" for %lld ms", (long long)(fault->for_ns / NS_PER_MS));
    printf("\n");
}

static void print_node(const struct model *model, uint32_t n)
{
    const struct model_node *node = &model->node[n];
    printf("  %s", node->name);
    for (uint32_t i = 0; i < node->parent_count; i++)
        printf("%s%s", i ? " and " : " below ", model->node[node->parent[i]].name);
    if (node->limited)
        printf(", %.1f A", (double)node->steady_ma / 1000);
    printf("%s%s%s", node->limited ? "" : ", no limit", node->meter == INDEX_NONE ? ", no meter" : "",
           node->breaker.element_count ? "" : ", no device");
    if (node->k)
        printf(", k %u", node->k);
    if (node->lend)
        printf(", lends in 0x%x", node->lend);
    printf("\n");
}

static void print_host(const struct model *model, uint32_t h)
{
    const struct model_host *host = &model->host[h];
    const struct model_host_type *type = &model->type[host->type];
    printf("  %s, %.0f W at most, fail-safe %.0f W, caps %.0f to %.0f W, A %lld ms:", host->name,
           (double)type->phys_max_mw / 1000, (double)host->fail_safe_mw / 1000,
           (double)type->cap_min_mw / 1000, (double)type->cap_max_mw / 1000,
           (long long)(type->actuation_ns / NS_PER_MS));
    for (uint32_t j = 0; j < host->cord_count; j++)
        printf(" %s %.2f", model->node[host->cord[j].node].name, (double)host->cord[j].share_ppm[0] / 1e6);
    printf("\n");
}

void graph_print(const struct graph_plan *plan, const struct graph_case *some, const struct graph_told *told)
{
    char command[4096];
    struct model_form form = plan->form;
    form.keep = some->cut ? &some->keep : NULL;
    form.plain = some->plain & ((1u << PLAIN_BITS) - 1);
    struct model *model = model_build_form(plan->seed, &form);
    graph_command(plan, some, command, sizeof command);
    printf("FAILED: %s\n", command);
    printf("  after %lld ms and %llu slots: %s\n", (long long)(told->t_ns / NS_PER_MS),
           (unsigned long long)told->slots, told->complaint);
    if (!model)
        return;
    graph_fit(plan, model, some->plain);
    printf("  D %lld ms, reports every %lld ms; contingencies:",
           (long long)(plan->policy.lease_ns / NS_PER_MS), (long long)(plan->policy.report_ns / NS_PER_MS));
    for (uint32_t c = 0; c < model->contingency_count; c++)
        printf(" %s", model->contingency[c].name);
    printf("\n");
    for (uint32_t n = 0; n < model->node_count && n < 16; n++)
        print_node(model, n);
    for (uint32_t h = 0; h < model->host_count && h < 16; h++)
        print_host(model, h);
    for (uint32_t i = 0; i < plan->fault_count; i++)
        if (some->fault[i])
            print_fault(&plan->fault[i]);
    model_unbuild(model);
}
