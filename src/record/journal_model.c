/* SPDX-License-Identifier: Apache-2.0 */
/* The model on its way into a journal and out of it. Out of it every index is foreign until it has been
 * checked: replay hands the model to code that trusts it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "record/journal_format.h"

static const uint32_t item_bytes[SECTION_COUNT] = {
    [SECTION_MODEL] = sizeof(struct model),
    [SECTION_NODES] = sizeof(struct model_node),
    [SECTION_HOSTS] = sizeof(struct model_host),
    [SECTION_TYPES] = sizeof(struct model_host_type),
    [SECTION_METERS] = sizeof(struct model_meter),
    [SECTION_CURVES] = sizeof(struct breaker_curve),
    [SECTION_ALERTS] = sizeof(struct model_alert),
    [SECTION_WATCHES] = sizeof(struct model_watch),
};

void journal_head_sizes(struct journal_head *head, const struct model *model)
{
    memcpy(head->item_bytes, item_bytes, sizeof(item_bytes));
    head->slot_bytes = sizeof(struct slot);
    head->item_count[SECTION_MODEL] = 1;
    head->item_count[SECTION_NODES] = model->node_count;
    head->item_count[SECTION_HOSTS] = model->host_count;
    head->item_count[SECTION_TYPES] = model->type_count;
    head->item_count[SECTION_METERS] = model->meter_count;
    head->item_count[SECTION_CURVES] = model->curve_count;
    head->item_count[SECTION_ALERTS] = model->alert_count;
    head->item_count[SECTION_WATCHES] = model->watch_count;
}

void journal_sections(struct journal_sections *sections, const struct model *model)
{
    struct journal_head sizes;

    sections->fixed = *model;
    sections->fixed.node = NULL;
    sections->fixed.host = NULL;
    sections->fixed.type = NULL;
    sections->fixed.meter = NULL;
    sections->fixed.curve = NULL;
    sections->fixed.alert = NULL;
    sections->fixed.watch = NULL;
    sections->data[SECTION_MODEL] = &sections->fixed;
    sections->data[SECTION_NODES] = model->node;
    sections->data[SECTION_HOSTS] = model->host;
    sections->data[SECTION_TYPES] = model->type;
    sections->data[SECTION_METERS] = model->meter;
    sections->data[SECTION_CURVES] = model->curve;
    sections->data[SECTION_ALERTS] = model->alert;
    sections->data[SECTION_WATCHES] = model->watch;
    journal_head_sizes(&sizes, model);
    for (int i = 0; i < SECTION_COUNT; i++)
        sections->bytes[i] = (size_t)sizes.item_bytes[i] * sizes.item_count[i];
}

/* Far above what a site file may say, far below overflow. */
#define TIME_MOST_NS (3600 * NS_PER_S)
#define PICKUP_MOST_MA INT64_C(1000000000000)

static bool is_time(int64_t time_ns)
{
    return time_ns >= 0 && time_ns <= TIME_MOST_NS;
}

static bool is_text(const char name[NAME_BYTES])
{
    return memchr(name, '\0', NAME_BYTES) != NULL;
}

/* first and count describe a run inside an array of `total`. */
static bool is_run(uint32_t first, uint32_t count, uint32_t total)
{
    return count == 0 || (first < total && count <= total - first);
}

/* What core/breaker divides by is above 0, what it looks up exists. */
static const char *element_fault(const struct model *model, const struct breaker_element *element)
{
    if (element->law > BREAKER_PEAK || element->role >= ELEMENT_ROLE_COUNT ||
        element->reset > RESET_NEVER || element->residual > 1)
        return "law, role or reset of an element";
    if (element->pickup_ma <= 0 || element->pickup_ma > PICKUP_MOST_MA || element->reset_ns < 0 ||
        element->shortest_ns < 0)
        return "pickup or time of an element";
    if (element->law == BREAKER_IMAGE &&
        (element->heat_fast_ns <= 0 || element->heat_ns < element->heat_fast_ns ||
         element->cool_ns < element->heat_ns || element->fast_above_ma < 0))
        return "time constant of an element";
    if (element->law == BREAKER_TRAVEL &&
        (element->unit_ma <= 0 || element->unit_ma > element->pickup_ma ||
         element->curve >= model->curve_count))
        return "unit or curve of an element";
    return NULL;
}

static const char *breaker_fault(const struct model *model, const struct breaker *breaker)
{
    const char *part = breaker->element_count > BREAKER_ELEMENTS_MAX ? "number of elements" : NULL;

    for (uint32_t i = 0; !part && i < breaker->element_count; i++)
        part = element_fault(model, &breaker->element[i]);
    return part;
}

static const char *curve_fault(const struct breaker_curve *curve)
{
    for (int i = 0; i < CURVE_POINTS; i++) {
        if (curve->rate[i] < (i ? curve->rate[i - 1] : 0))
            return "rate";
    }
    return NULL;
}

static const char *node_fault(const struct model *model, uint32_t index)
{
    const struct model_node *node = &model->node[index];

    if (!is_text(node->name) || node->kind >= NODE_KIND_COUNT)
        return "name or kind";
    if (node->phases != 1 && node->phases != 3)
        return "phases";
    if (node->parent_count > PARENTS_MAX || node->ancestor_count < 1 || node->ancestor_count > ANCESTORS_MAX)
        return "number of parents or ancestors";
    for (uint32_t i = 0; i < node->parent_count; i++) {
        if (node->parent[i] >= index)
            return "parent";
    }
    for (uint32_t i = 0; i < node->ancestor_count; i++) {
        if (node->ancestor[i] > index)
            return "ancestor";
    }
    if (!is_run(node->child_first, node->child_count, model->node_count))
        return "children";
    if (!is_run(node->host_first, node->host_count, model->host_count) ||
        !is_run(node->host_below_first, node->host_below, model->host_count))
        return "hosts";
    if (node->meter != INDEX_NONE && node->meter >= model->meter_count)
        return "meter";
    if (node->volts_low_mv < 0 || node->volts_ln_mv < 0 || node->steady_ma < 0)
        return "volts or amperes";
    return breaker_fault(model, &node->breaker);
}

static const char *host_fault(const struct model *model, uint32_t index)
{
    const struct model_host *host = &model->host[index];

    if (!is_text(host->name) || host->type >= model->type_count)
        return "name or type";
    if (host->cord_count > CORDS_MAX)
        return "number of cords";
    for (uint32_t i = 0; i < host->cord_count; i++) {
        if (host->cord[i].node >= model->node_count)
            return "cord";
    }
    return NULL;
}

static int fault(char *error, size_t error_bytes, const char *what, uint32_t index, const char *part)
{
    snprintf(error, error_bytes, "model: %s %u: %s out of range", what, index, part);
    return -EBADMSG;
}

static const char *model_fault(const struct model *model)
{
    if (!is_text(model->name) || model->mode > MODE_ENFORCE)
        return "name or mode";
    if (model->contingency_count < 1 || model->contingency_count > CONTINGENCIES_MAX)
        return "number of contingencies";
    if (model->policy.rho_ppm < 0 || model->policy.rho_ppm >= PPM || !is_time(model->policy.lease_ns))
        return "clock rate or lease time";
    return NULL;
}

/* Watches stand by meter, then by alert: each pair once. */
static const char *watch_fault(const struct model *model, uint32_t index)
{
    const struct model_watch *watch = &model->watch[index];

    if (watch->alert >= model->alert_count || watch->meter >= model->meter_count)
        return "alert or meter";
    if (index && (watch->meter < watch[-1].meter ||
                  (watch->meter == watch[-1].meter && watch->alert <= watch[-1].alert)))
        return "place";
    return NULL;
}

static int check_alerts(const struct model *model, char *error, size_t error_bytes)
{
    for (uint32_t i = 0; i < model->alert_count; i++) {
        const char *part = journal_alert_fault(&model->alert[i]);

        if (part)
            return fault(error, error_bytes, "alert", i, part);
    }
    for (uint32_t i = 0; i < model->watch_count; i++) {
        const char *part = watch_fault(model, i);

        if (part)
            return fault(error, error_bytes, "watch", i, part);
    }
    return 0;
}

int journal_model_check(const struct model *model, char *error, size_t error_bytes)
{
    const char *part = model_fault(model);

    if (part)
        return fault(error, error_bytes, "site", 0, part);
    for (uint32_t i = 0; i < model->node_count; i++) {
        part = node_fault(model, i);
        if (part)
            return fault(error, error_bytes, "node", i, part);
    }
    for (uint32_t i = 0; i < model->host_count; i++) {
        part = host_fault(model, i);
        if (part)
            return fault(error, error_bytes, "host", i, part);
    }
    for (uint32_t i = 0; i < model->type_count; i++) {
        if (!is_text(model->type[i].name) || model->type[i].quantum_mw <= 0)
            return fault(error, error_bytes, "host type", i, "name or quantum");
    }
    for (uint32_t i = 0; i < model->meter_count; i++) {
        if (!is_text(model->meter[i].name) || model->meter[i].node >= model->node_count)
            return fault(error, error_bytes, "meter", i, "name or node");
        if (!is_time(model->meter[i].period_ns) || !is_time(model->meter[i].fresh_ns) ||
            model->meter[i].error_ppm > PPM)
            return fault(error, error_bytes, "meter", i, "error or time");
    }
    for (uint32_t i = 0; i < model->curve_count; i++) {
        part = curve_fault(&model->curve[i]);
        if (part)
            return fault(error, error_bytes, "curve", i, part);
    }
    return check_alerts(model, error, error_bytes);
}
