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
}

void journal_sections(struct journal_sections *sections, const struct model *model)
{
    struct journal_head sizes;

    sections->fixed = *model;
    sections->fixed.node = NULL;
    sections->fixed.host = NULL;
    sections->fixed.type = NULL;
    sections->fixed.meter = NULL;
    sections->data[SECTION_MODEL] = &sections->fixed;
    sections->data[SECTION_NODES] = model->node;
    sections->data[SECTION_HOSTS] = model->host;
    sections->data[SECTION_TYPES] = model->type;
    sections->data[SECTION_METERS] = model->meter;
    journal_head_sizes(&sizes, model);
    for (int i = 0; i < SECTION_COUNT; i++)
        sections->bytes[i] = (size_t)sizes.item_bytes[i] * sizes.item_count[i];
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
    return NULL;
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
    return NULL;
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
    }
    return 0;
}
