/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/document.h"
#include "site/read/quantity.h"
#include "site/read/when.h"

static const char *const severities[] = {
#define WORD(symbol, name, meaning) name,
    ALERT_SEVERITIES(WORD)
#undef WORD
};

static void write_seconds(FILE *out, const char *name, bool known, int64_t since_ns)
{
    if (known)
        fprintf(out, ", \"%s\": %.3f", name, (double)since_ns / 1e9);
    else
        fprintf(out, ", \"%s\": null", name);
}

/* What its condition asks for, where it came last. */
static void write_values(FILE *out, const struct model_alert *known, const struct core_alert_view *alert)
{
    enum when_quantity quantity[ALERT_VALUES_MAX];
    uint32_t count = alert_quantities(&known->when, quantity);
    char text[QUANTITY_EXACT_BYTES];
    fputs(", \"values\": [", out);
    for (uint32_t i = 0; i < count; i++) {
        enum quantity unit = (enum quantity)when_quantity_unit(quantity[i]);
        fprintf(out, "%s{\"quantity\": \"%s\", \"value\": ", i ? ", " : "",
                when_quantity_name(quantity[i]));
        if (alert->value[i] == ALERT_VALUE_UNKNOWN)
            fputs("null}", out);
        else if (unit == QUANTITY_COUNT)
            fprintf(out, "\"%s\"}", alert->value[i] ? "yes" : "no");
        else
            fprintf(out, "\"%s\"}", quantity_write_exact(unit, alert->value[i], text));
    }
    fputs("]", out);
}

static void write_alert(const struct loop *loop, FILE *out, uint32_t i, int64_t now_ns)
{
    const struct model *model = &loop->site->model;
    const struct model_alert *known = &model->alert[i];
    struct core_alert_view alert = {.row.newest = INDEX_NONE};
    char when[WHEN_TEXT_BYTES];
    view_read_alert(&loop->view, i, &alert);
    bool stands = alert.row.now > 0, named = alert.row.newest < model->meter_count;
    fputs("{\"id\": ", out);
    document_text(out, known->name);
    fprintf(out, ", \"severity\": \"%s\", \"when\": ", severities[known->severity]);
    document_text(out, when_write(&known->when, when));
    fprintf(out, ", \"meters\": %u, \"now\": %u, \"unknown\": %u", known->watches, alert.row.now,
            alert.unknown);
    write_seconds(out, "since_s", stands, now_ns - alert.row.since_ns);
    fputs(", \"newest\": ", out);
    if (stands && named)
        document_text(out, model->meter[alert.row.newest].name);
    else
        fputs("null", out);
    write_seconds(out, "newest_since_s", stands && named, now_ns - alert.newest_since_ns);
    write_values(out, known, &alert);
    fprintf(out, ", \"raised\": %llu, \"cleared\": %llu}", (unsigned long long)alert.row.entered,
            (unsigned long long)alert.row.left);
}

void document_alerts(const struct loop *loop, FILE *out, int64_t now_ns)
{
    fputs("\"alerts\": [", out);
    for (uint32_t i = 0; i < loop->site->model.alert_count; i++) {
        fputs(i ? ",\n  " : "\n  ", out);
        write_alert(loop, out, i, now_ns);
    }
    fputs("],\n", out);
}
