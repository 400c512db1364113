/* SPDX-License-Identifier: Apache-2.0 */
/* What is in force, as the door tells it. */
#include "loop/document.h"
#include "loop/orders.h"

static void write_name(const struct orders *orders, FILE *out, const struct core_contract_view *contract)
{
    const struct site *site = orders->site;
    uint32_t place = (contract->id - ORDERS_SITE_CONTRACT) / 2;
    bool of_site = contract->id >= ORDERS_SITE_CONTRACT && place < site->contract_count;
    const char *name = of_site ? site->contract[place].name : "";
    for (uint32_t i = 0; !of_site && i < orders->kept; i++)
        if (orders->entry[i].order.contract == contract->id)
            name = orders->entry[i].contract;
    fputs("\"name\": ", out);
    document_text(out, name);
    fprintf(out, ", \"from\": \"%s\"", of_site ? "site" : "order");
}

static void write_seconds(FILE *out, const char *name, int64_t from_ns, int64_t to_ns)
{
    if (to_ns == INT64_MAX)
        fprintf(out, ", \"%s\": null", name);
    else
        fprintf(out, ", \"%s\": %.3f", name, (double)(to_ns - from_ns) / 1e9);
}

static void write_contract(const struct orders *orders, FILE *out, const struct core_contract_view *contract,
                           int64_t now_ns)
{
    fputs("{", out);
    write_name(orders, out, contract);
    fputs(", \"node\": ", out);
    document_text(out, orders->site->model.node[contract->node].name);
    fprintf(out, ", \"number\": %llu, \"kind\": \"%s\"", (unsigned long long)contract->number,
            orders_kind_name(contract->kind));
    if (contract->kind == ORDER_RAMP)
        fprintf(out, ", \"up_w_per_s\": %.3f, \"down_w_per_s\": %.3f", (double)contract->value_mw / 1e3,
                (double)contract->down_mw_per_s / 1e3);
    else
        fprintf(out, ", \"cap_w\": %.3f, \"due\": %s, \"breached\": %s, \"breaches\": %llu",
                (double)contract->value_mw / 1e3, contract->due ? "true" : "false",
                contract->breached ? "true" : "false", (unsigned long long)contract->breaches);
    write_seconds(out, "due_in_s", now_ns, contract->due_ns);
    write_seconds(out, "ends_in_s", now_ns, contract->until_ns);
    fputs("}", out);
}

static void write_name_of(FILE *out, const char *name, const char *value)
{
    fprintf(out, ", \"%s\": ", name);
    if (value)
        document_text(out, value);
    else
        fputs("null", out);
}

static void write_maintenance(const struct orders *orders, FILE *out,
                              const struct core_maintenance_view *maintenance)
{
    const struct model *model = &orders->site->model;
    fprintf(out, "{\"number\": %llu", (unsigned long long)maintenance->number);
    write_name_of(out, "node", model->node[maintenance->node].name);
    write_name_of(out, "loss", model->contingency[maintenance->contingency].name);
    fprintf(out, ", \"state\": \"%s\", \"nodes_above\": %u, \"hosts_open\": %u, \"taken_back\": %llu",
            maintenance->state == MAINTENANCE_SAFE ? "safe" : "lowering", maintenance->nodes_above,
            maintenance->hosts_open, (unsigned long long)maintenance->taken_back);
    write_name_of(out, "node_above",
                  maintenance->node_above < model->node_count ? model->node[maintenance->node_above].name
                                                              : NULL);
    write_name_of(out, "host_open",
                  maintenance->host_open < model->host_count ? model->host[maintenance->host_open].name
                                                             : NULL);
    fputs("}", out);
}

static void write_others(const struct orders *orders, FILE *out)
{
    const char *before = "";
    fputs("], \"others\": [", out);
    for (uint32_t i = 0; i < orders->kept; i++) {
        const struct order_entry *entry = &orders->entry[i];
        if (entry->order.kind != ORDER_MODE && entry->order.kind != ORDER_FORECAST)
            continue;
        fprintf(out, "%s{\"number\": %llu, \"kind\": \"%s\"", before,
                (unsigned long long)entry->order.number, orders_kind_name(entry->order.kind));
        write_name_of(out, "subject", entry->subject[0] ? entry->subject : NULL);
        fprintf(out, ", \"mode\": %u, \"value_w\": %.3f}", entry->order.mode,
                (double)entry->order.value_mw / 1e3);
        before = ", ";
    }
}

void orders_document(struct orders *orders, FILE *out)
{
    int64_t now_ns = timebase_now_ns(orders->base);
    const char *before = "";
    pthread_mutex_lock(&orders->lock);
    fprintf(out, "{\"newest\": %llu, \"log\": ", (unsigned long long)orders->newest);
    document_text(out, orders->log.path);
    fputs(", \"contracts\": [", out);
    for (uint32_t i = 0; i < CONTRACTS_MAX; i++) {
        struct core_contract_view contract;
        if (!board_read_contract(orders->board, i, &contract) || !contract.number)
            continue;
        fputs(before, out);
        write_contract(orders, out, &contract, now_ns);
        before = ", ";
    }
    fputs("], \"maintenance\": [", out);
    before = "";
    for (uint32_t i = 0; i < CONTINGENCIES_MAX; i++) {
        struct core_maintenance_view maintenance;
        if (!board_read_maintenance(orders->board, i, &maintenance) || !maintenance.number)
            continue;
        fputs(before, out);
        write_maintenance(orders, out, &maintenance);
        before = ", ";
    }
    write_others(orders, out);
    fputs("]}\n", out);
    pthread_mutex_unlock(&orders->lock);
}
