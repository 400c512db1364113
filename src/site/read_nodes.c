/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes of the power graph as written. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "site/draft.h"

const char *const draft_kind_words[] = {"source", "main", "distribution", "branch",
                                        "rack",   "ups",  "transformer",  NULL};
_Static_assert(sizeof draft_kind_words / sizeof draft_kind_words[0] == NODE_KIND_COUNT + 1,
               "a word for every kind");
static const char *const rated_words[] = {"80%", "100%", NULL};

enum { AMPS_MAX_MA = 100000000, PERCENT = 10000, OTHER_PF_PPM = 900000 };
#define WATTS_MAX_MW INT64_C(1000000000000)

#define AT(member) .offset = offsetof(struct draft_node, member)
#define AMPS(name, member) \
    {.key = name, .kind = FIELD_QUANTITY, .quantity = QUANTITY_CURRENT, .least = 1000, .most = AMPS_MAX_MA, \
     AT(member)}
static const struct field node_fields[] = {
    {.key = "id", .kind = FIELD_ID, .required = 1, AT(id)},
    {.key = "kind", .kind = FIELD_WORD, .words = draft_kind_words, .required = 1, AT(kind)},
    {.key = "parent", .kind = FIELD_ID, AT(parent)},
    {.key = "parents", .kind = FIELD_LIST, AT(parents)},
    {.key = "phases", .kind = FIELD_COUNT, .least = 1, .most = 3, AT(phases)},
    {.key = "volts", .kind = FIELD_QUANTITY, .quantity = QUANTITY_VOLTAGE, .least = 100000,
     .most = 50000000, AT(volts)},
    AMPS("rating", rating),
    {.key = "rating_power", .kind = FIELD_QUANTITY, .quantity = QUANTITY_LOAD, .least = 1000,
     .most = WATTS_MAX_MW, AT(rating_power)},
    AMPS("long_time", long_time),
    {.key = "rated", .kind = FIELD_WORD, .words = rated_words, .otherwise = RATED_80, AT(rated)},
    {.key = "unlimited", .kind = FIELD_SWITCH, AT(unlimited)},
    {.key = "ambient", .kind = FIELD_QUANTITY, .quantity = QUANTITY_RATIO, .least = 50 * PERCENT,
     .most = 100 * PERCENT, .otherwise = 100 * PERCENT, AT(ambient)},
    AMPS("conductor", conductor),
    {.key = "transformer", .kind = FIELD_QUANTITY, .quantity = QUANTITY_APPARENT, .least = 1000000,
     .most = WATTS_MAX_MW, AT(transformer)},
    {.key = "ups", .kind = FIELD_ANY, AT(ups_at)},
    {.key = "instantaneous", .kind = FIELD_ANY, AT(instantaneous_at)},
    {.key = "short_time", .kind = FIELD_ANY, AT(short_time_at)},
    {.key = "settings_from", .kind = FIELD_ANY, AT(settings_at)},
    {.key = "k", .kind = FIELD_COUNT, .least = 0, .most = HOSTS_MAX, AT(k)},
    {.key = "other", .kind = FIELD_ANY, AT(other_at)},
    FIELD_END};

static const struct field ups_fields[] = {
    {.key = "active", .kind = FIELD_QUANTITY, .quantity = QUANTITY_POWER, .least = 1000000,
     .most = WATTS_MAX_MW, .offset = offsetof(struct draft_ups, active)},
    {.key = "apparent", .kind = FIELD_QUANTITY, .quantity = QUANTITY_APPARENT, .least = 1000000,
     .most = WATTS_MAX_MW, .offset = offsetof(struct draft_ups, apparent)},
    FIELD_END};

static const struct field element_fields[] = {
    {.key = "pickup", .kind = FIELD_QUANTITY, .quantity = QUANTITY_CURRENT, .required = 1, .least = 1000,
     .most = AMPS_MAX_MA * 10, .offset = offsetof(struct draft_element, pickup)},
    {.key = "tolerance", .kind = FIELD_QUANTITY, .quantity = QUANTITY_RATIO, .least = 0,
     .most = 50 * PERCENT, .otherwise = 10 * PERCENT, .offset = offsetof(struct draft_element, tolerance)},
    FIELD_END};

static const struct field settings_fields[] = {
    {.key = "study", .kind = FIELD_TEXT, .most = 200, .required = 1,
     .offset = offsetof(struct draft_settings, study)},
    {.key = "as_left", .kind = FIELD_TEXT, .most = 10, .required = 1,
     .offset = offsetof(struct draft_settings, as_left)},
    {.key = "by", .kind = FIELD_TEXT, .most = 100, .required = 1,
     .offset = offsetof(struct draft_settings, by)},
    FIELD_END};

#define OTHER(name, i) \
    {.key = name, .kind = FIELD_QUANTITY, .quantity = QUANTITY_LOAD, .least = 0, .most = WATTS_MAX_MW, \
     .offset = offsetof(struct draft_other, phase) + i * sizeof(struct value)}
static const struct field other_fields[] = {
    OTHER("A", 0),
    OTHER("B", 1),
    OTHER("C", 2),
    FIELD_END};

const struct shape_map draft_node_shapes[] = {{"node", node_fields},         {"ups", ups_fields},
                                              {"element", element_fields},   {"settings", settings_fields},
                                              {"other", other_fields},       {0}};

/* Watts of load without a stated power factor count at 0.9; draws round up. */
static int64_t other_mva(const struct value *load)
{
    if (!load->at || quantity_is_apparent(load->text))
        return load->number;
    return (load->number * PPM + OTHER_PF_PPM - 1) / OTHER_PF_PPM;
}

static void read_other(struct draft *d, struct draft_node *n)
{
    struct draft_other other = {0};
    struct value total = {0};
    const struct field one = {
        .key = "other", .kind = FIELD_QUANTITY, .quantity = QUANTITY_LOAD, .most = WATTS_MAX_MW};

    if (!n->other_at.at)
        return;
    if (n->other_at.at->kind != TREE_SCALAR) {
        fields_read(other_fields, n->other_at.at, "other", &other, d->errors);
        for (uint32_t ph = 0; ph < PHASES; ph++)
            n->other_mva[ph] = other_mva(&other.phase[ph]);
        return;
    }
    if (field_read(&one, n->other_at.at, &total, d->errors))
        return;
    n->other_total_mva = other_mva(&total);
}

/* Short form: a plain current with the usual tolerance; long form: {pickup, tolerance}. */
static void read_element(struct draft *d, const struct tree *at, const char *key, struct draft_element *into)
{
    struct field one = element_fields[0];

    *into = (struct draft_element){.tolerance.number = 10 * PERCENT};
    if (!at)
        return;
    one.key = key;
    if (at->kind == TREE_SCALAR)
        field_read(&one, at, &into->pickup, d->errors);
    else
        fields_read(element_fields, at, key, into, d->errors);
}

static void read_ups(struct draft *d, struct draft_node *n)
{
    if (!n->ups_at.at || fields_read(ups_fields, n->ups_at.at, "ups", &n->ups, d->errors))
        return;
    if (!n->ups.active.at && !n->ups.apparent.at)
        finding_at(d->errors, n->ups_at.at,
                   "ups says nothing, add active: 450kW or apparent: 500kVA or both");
}

static void read_settings(struct draft *d, struct draft_node *n)
{
    static const char shape[] = "dddd-dd-dd";

    if (!n->settings_at.at ||
        fields_read(settings_fields, n->settings_at.at, "settings_from", &n->settings, d->errors))
        return;
    const char *date = n->settings.as_left.text;
    int fits = strlen(date) == sizeof shape - 1;

    for (uint32_t i = 0; fits && shape[i]; i++)
        fits = shape[i] == 'd' ? date[i] >= '0' && date[i] <= '9' : date[i] == shape[i];
    if (!fits)
        finding_at(d->errors, n->settings.as_left.at, "as_left '%s' is not a date, write it as 2026-04-02",
                   date);
}

static void check_device(struct draft *d, const struct draft_node *n)
{
    if (n->unlimited.number) {
        const struct value *const contrary[] = {&n->rating, &n->long_time, &n->rating_power};

        for (uint32_t i = 0; i < 3; i++)
            if (contrary[i]->at)
                finding_at(d->errors, contrary[i]->at,
                           "node '%s' is unlimited and has a device, drop one of the two",
                           draft_text(&n->id));
        return;
    }
    if (!tree_get(n->at, "rating"))
        finding_at(d->errors, n->at,
                   "node '%s' has no 'rating', add rating: ... (a current in mA, A or kA) or unlimited: yes",
                   draft_text(&n->id));
    if (n->long_time.at && n->rating.at && n->long_time.number > n->rating.number)
        finding_at(d->errors, n->long_time.at,
                   "long_time %s is above rating %s, a setting never passes the device's rating",
                   n->long_time.text, n->rating.text);
}

static void read_parents(struct draft *d, struct draft_node *n)
{
    const struct tree *at = n->parents.at ? n->parents.at->first : n->parent.at;

    if (n->parents.at && n->parent.at)
        finding_at(d->errors, n->parent.at, "node '%s' has both parent and parents, keep one",
                   draft_text(&n->id));
    for (; at; at = n->parents.at ? at->next : NULL) {
        uint32_t parent = names_resolve(&d->node_names, at, d->errors);

        if (n->parent_count == PARENTS_MAX) {
            finding_at(d->errors, at, "more than %d parents, that is the most", PARENTS_MAX);
            return;
        }
        for (uint32_t i = 0; i < n->parent_count && parent != INDEX_NONE; i++)
            if (n->parent_of[i] == parent)
                finding_at(d->errors, at, "parent '%s' is named twice, drop one", at->text);
        if (parent != INDEX_NONE)
            n->parent_of[n->parent_count++] = parent;
    }
}

static void read_node(struct draft *d, struct draft_node *n, const struct tree *at, uint32_t index)
{
    n->at = at;
    fields_read(node_fields, at, "a node", n, d->errors);
    if (at->kind != TREE_MAP)
        return;
    if (n->id.at)
        names_add(&d->node_names, n->id.text, n->id.at, index, d->errors);
    if (n->phases.at && n->phases.number == 2)
        finding_at(d->errors, n->phases.at, "phases is 2, write 1 (single-phase, also line to line) or 3");
    check_device(d, n);
    read_other(d, n);
    read_element(d, n->instantaneous_at.at, "instantaneous", &n->instantaneous);
    read_element(d, n->short_time_at.at, "short_time", &n->short_time);
    read_ups(d, n);
    read_settings(d, n);
}

int draft_read_nodes(struct draft *d)
{
    uint32_t i = 0;
    int rc = draft_take_rows(d, &d->nodes_at, sizeof *d->node, NODES_MAX, "nodes", (void **)&d->node,
                             &d->node_count);

    if (!rc)
        rc = names_start(&d->node_names, "node", d->node_count, &d->scratch);
    if (rc)
        return rc;
    d->node_names.silent = !d->nodes_at.at;
    if (d->nodes_at.at && !d->node_count)
        finding_at(d->errors, d->nodes_at.at, "nodes is empty, a site has at least one");
    const struct tree *at = d->nodes_at.at ? d->nodes_at.at->first : NULL;

    for (; at && i < d->node_count; at = at->next, i++)
        read_node(d, &d->node[i], at, i);
    for (i = 0; i < d->node_count; i++)
        read_parents(d, &d->node[i]);
    return 0;
}
