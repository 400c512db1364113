/* SPDX-License-Identifier: Apache-2.0 */
/* A contract in force, as whoever asks may see it: the board has its figures, the log its name and giver. */
#include <string.h>

#include "loop/document.h"
#include "loop/orders.h"

static const struct order_entry *entry_of(const struct orders *orders, uint32_t id)
{
    for (uint32_t i = 0; i < orders->kept; i++) {
        uint32_t kind = orders->entry[i].order.kind;
        if ((kind == ORDER_CAP || kind == ORDER_RAMP) && orders->entry[i].order.contract == id)
            return &orders->entry[i];
    }
    return NULL;
}

static void take_nodes(struct orders_contract *contract, uint32_t node, const uint16_t *also, uint32_t count)
{
    contract->count = 1 + count;
    contract->node[0] = node;
    for (uint32_t i = 0; i < count; i++)
        contract->node[1 + i] = also[i];
}

bool orders_contract_at(const struct orders *orders, uint32_t place, struct orders_contract *contract)
{
    *contract = (struct orders_contract){.uid = ORDERS_NOBODY};
    if (!board_read_contract(orders->board, place, &contract->view) || !contract->view.number)
        return false;
    uint32_t id = contract->view.id, row = (id - ORDERS_SITE_CONTRACT) / 2;
    const struct order_entry *entry = entry_of(orders, id);
    take_nodes(contract, contract->view.node, NULL, 0);
    contract->of_site = id >= ORDERS_SITE_CONTRACT && row < orders->site->contract_count;
    if (contract->of_site) {
        const struct site_contract *written = &orders->site->contract[row];
        memcpy(contract->name, written->name, NAME_BYTES);
        take_nodes(contract, written->node, written->also, written->also_count);
    } else if (entry) {
        memcpy(contract->name, entry->contract, NAME_BYTES);
        take_nodes(contract, entry->order.node, entry->order.also, entry->order.also_count);
        contract->uid = entry->uid;
    }
    return true;
}

bool orders_contract(struct orders *orders, uint32_t id, struct orders_contract *contract)
{
    bool found = false;
    pthread_mutex_lock(&orders->lock);
    for (uint32_t i = 0; id && !found && i < CONTRACTS_MAX; i++)
        found = orders_contract_at(orders, i, contract) && contract->view.id == id;
    pthread_mutex_unlock(&orders->lock);
    return found;
}

static bool is_cap_over(const struct orders_contract *contract, uint32_t node)
{
    bool names = false;
    for (uint32_t i = 0; i < contract->count; i++)
        names |= contract->node[i] == node;
    return names && contract->view.kind == ORDER_CAP;
}

bool orders_cap_over(struct orders *orders, uint32_t node, struct orders_contract *contract)
{
    struct orders_contract one;
    bool found = false;
    pthread_mutex_lock(&orders->lock);
    for (uint32_t i = 0; i < CONTRACTS_MAX; i++) {
        if (!orders_contract_at(orders, i, &one) || !is_cap_over(&one, node))
            continue;
        if (!found || one.view.value_mw < contract->view.value_mw)
            *contract = one;
        found = true;
    }
    pthread_mutex_unlock(&orders->lock);
    return found;
}

uint32_t orders_breached(struct orders *orders, char name[NAME_BYTES])
{
    struct orders_contract contract;
    uint32_t breached = 0;
    name[0] = 0;
    pthread_mutex_lock(&orders->lock);
    for (uint32_t i = 0; i < CONTRACTS_MAX; i++) {
        if (!orders_contract_at(orders, i, &contract) || !contract.view.breached || contract.view.nodes < 2)
            continue;
        if (!breached++)
            memcpy(name, contract.name, NAME_BYTES);
    }
    pthread_mutex_unlock(&orders->lock);
    return breached;
}

/* ---- as JSON ---- */

static void write_nodes(const struct orders *orders, FILE *out, const struct orders_contract *contract)
{
    const struct model *model = &orders->site->model;
    fputs(", \"nodes\": [", out);
    for (uint32_t i = 0; i < contract->count; i++) {
        fputs(i ? ", " : "", out);
        document_text(out, contract->node[i] < model->node_count ? model->node[contract->node[i]].name : "?");
    }
    fputs("]", out);
}

static void write_seconds(FILE *out, const char *name, int64_t from_ns, int64_t to_ns)
{
    if (to_ns == INT64_MAX)
        fprintf(out, ", \"%s\": null", name);
    else
        fprintf(out, ", \"%s\": %.3f", name, (double)(to_ns - from_ns) / 1e9);
}

static void write_figures(FILE *out, const struct core_contract_view *view)
{
    if (view->kind == ORDER_RAMP) {
        fprintf(out, ", \"up_w_per_s\": %.3f, \"down_w_per_s\": %.3f", (double)view->value_mw / 1e3,
                (double)view->down_mw_per_s / 1e3);
        return;
    }
    fprintf(out, ", \"cap_w\": %.3f, \"due\": %s, \"breached\": %s, \"breaches\": %llu, \"metered\": %s",
            (double)view->value_mw / 1e3, view->due ? "true" : "false", view->breached ? "true" : "false",
            (unsigned long long)view->breaches, view->metered ? "true" : "false");
    if (view->load_mw < 0)
        fputs(", \"load_w\": null", out);
    else
        fprintf(out, ", \"load_w\": %.3f", (double)view->load_mw / 1e3);
}

static void write_contract(const struct orders *orders, FILE *out, const struct orders_contract *contract,
                           int64_t now_ns)
{
    const struct core_contract_view *view = &contract->view;
    fputs("{\"name\": ", out);
    document_text(out, contract->name);
    fprintf(out, ", \"from\": \"%s\", \"by\": ", contract->of_site ? "site" : "order");
    orders_write_giver(out, contract->uid);
    write_nodes(orders, out, contract);
    fprintf(out, ", \"number\": %llu, \"kind\": \"%s\"", (unsigned long long)view->number,
            orders_kind_name(view->kind));
    write_figures(out, view);
    write_seconds(out, "due_in_s", now_ns, view->due_ns);
    write_seconds(out, "ends_in_s", now_ns, view->until_ns);
    fputs("}", out);
}

void orders_write_contracts(const struct orders *orders, FILE *out)
{
    int64_t now_ns = timebase_now_ns(orders->base);
    const char *before = "";
    fputs("\"contracts\": [", out);
    for (uint32_t i = 0; i < CONTRACTS_MAX; i++) {
        struct orders_contract contract;
        if (!orders_contract_at(orders, i, &contract))
            continue;
        fputs(before, out);
        write_contract(orders, out, &contract, now_ns);
        before = ",\n  ";
    }
    fputs("]", out);
}
