/* SPDX-License-Identifier: Apache-2.0 */
/* What is in force, as the door tells it. */
#include <pwd.h>

#include "loop/document.h"
#include "loop/orders.h"

void orders_write_giver(FILE *out, uint32_t uid)
{
    struct passwd user, *found = NULL;
    char room[1024], number[16];
    if (uid == ORDERS_NOBODY) {
        fputs("null", out);
        return;
    }
    snprintf(number, sizeof number, "%u", uid);
    getpwuid_r(uid, &user, room, sizeof room, &found);
    document_text(out, found ? user.pw_name : number);
}

static uint32_t giver_of(const struct orders *orders, uint64_t number)
{
    for (uint32_t i = 0; i < orders->kept; i++)
        if (orders->entry[i].order.number == number)
            return orders->entry[i].uid;
    return ORDERS_NOBODY;
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
    fprintf(out, "{\"number\": %llu, \"by\": ", (unsigned long long)maintenance->number);
    orders_write_giver(out, giver_of(orders, maintenance->number));
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
        fprintf(out, "%s{\"number\": %llu, \"kind\": \"%s\", \"by\": ", before,
                (unsigned long long)entry->order.number, orders_kind_name(entry->order.kind));
        orders_write_giver(out, entry->uid);
        write_name_of(out, "subject", entry->subject[0] ? entry->subject : NULL);
        fprintf(out, ", \"mode\": %u, \"value_w\": %.3f}", entry->order.mode,
                (double)entry->order.value_mw / 1e3);
        before = ", ";
    }
}

void orders_document(struct orders *orders, FILE *out)
{
    const char *before = "";
    pthread_mutex_lock(&orders->lock);
    fprintf(out, "{\"newest\": %llu, \"log\": ", (unsigned long long)orders->newest);
    document_text(out, orders->log.path);
    fputs(",\n", out);
    orders_write_contracts(orders, out);
    fputs(", \"maintenance\": [", out);
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
