/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes of the power graph as written. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "site/read/draft.h"

enum { OTHER_PF_PPM = 900000 };

static const struct field settings_fields[] = {
    {.key = "study", .kind = FIELD_TEXT, .most = 200, .required = 1,
     .offset = offsetof(struct draft_settings, study)},
    {.key = "as_left", .kind = FIELD_TEXT, .most = 10, .required = 1,
     .offset = offsetof(struct draft_settings, as_left)},
    {.key = "by", .kind = FIELD_TEXT, .most = 100, .required = 1,
     .offset = offsetof(struct draft_settings, by)},
    FIELD_END};

#define OTHER(name, i) \
    {.key = name, .kind = FIELD_QUANTITY, .quantity = QUANTITY_LOAD, .least = 0, .most = DRAFT_WATTS_MAX_MW, \
     .offset = offsetof(struct draft_other, phase) + i * sizeof(struct value)}
static const struct field other_fields[] = {
    OTHER("A", 0),
    OTHER("B", 1),
    OTHER("C", 2),
    FIELD_END};

const struct shape_map draft_node_shapes[] = {
    {"node", draft_node_fields}, {"settings", settings_fields}, {"other", other_fields}, {0}};

/* Watts of load without a stated power factor count at 0.9; draws round up. */
static int64_t other_mva(const struct value *load)
{
    if (!load->at || quantity_is_apparent(load->text))
        return load->number;
    return (load->number * PPM + OTHER_PF_PPM - 1) / OTHER_PF_PPM;
}

/* Load by phase, or as one figure; `key` is other or other_step. */
static void read_load(struct draft *d, const char *key, const struct value *load, int64_t mva[PHASES],
                      int64_t *total_mva)
{
    struct draft_other by_phase = {0};
    struct value total = {0};
    const struct field one = {
        .key = key, .kind = FIELD_QUANTITY, .quantity = QUANTITY_LOAD, .most = DRAFT_WATTS_MAX_MW};

    if (!load->at)
        return;
    if (load->at->kind != TREE_SCALAR) {
        fields_read(other_fields, load->at, key, &by_phase, d->errors);
        for (uint32_t ph = 0; ph < PHASES; ph++)
            mva[ph] = other_mva(&by_phase.phase[ph]);
        return;
    }
    if (field_read(&one, load->at, &total, d->errors))
        return;
    *total_mva = other_mva(&total);
}

void draft_read_ramp(struct draft *d, const struct value *ramp, struct draft_ramp *into)
{
    if (!ramp->at || fields_read(draft_ramp_fields, ramp->at, "ramp", into, d->errors))
        return;
    if (!into->up.at && !into->down.at)
        finding_at(d->errors, ramp->at, "ramp says neither up nor down, write one of them");
}

/* Of a text in the shape of one: is that day in the calendar? */
static bool day_exists(const char *date)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = 0, month = (date[5] - '0') * 10 + date[6] - '0', day = (date[8] - '0') * 10 + date[9] - '0';

    for (int i = 0; i < 4; i++)
        year = year * 10 + date[i] - '0';
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (leap && month == 2);
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
    if (fits && !day_exists(date))
        finding_at(d->errors, n->settings.as_left.at, "as_left '%s' is no day of the calendar, correct it",
                   date);
    else if (!fits)
        finding_at(d->errors, n->settings.as_left.at, "as_left '%s' is not a date, write it as 2026-04-02",
                   date);
}

/* Its own keys stand in n->device still. */
static void check_unlimited(struct draft *d, const struct draft_node *n)
{
    const struct draft_device *v = &n->device;
    const struct value *const contrary[] = {
        &v->rating,        &v->long_time_at, &n->rating_power,     &n->device_named, &v->trip_unit,
        &v->short_time_at, &v->ground_at,    &v->instantaneous_at, &v->relay_at,     &v->fuse_at,
        &v->points_at,
    };

    for (uint32_t i = 0; i < sizeof contrary / sizeof contrary[0]; i++)
        if (contrary[i]->at)
            finding_at(d->errors, contrary[i]->at,
                       "node '%s' is unlimited and has a device, drop one of the two", draft_text(&n->id));
}

static void check_rating(struct draft *d, const struct draft_node *n)
{
    const struct draft_device_row *row = n->device_of == INDEX_NONE ? NULL : &d->device[n->device_of];

    /* one that was refused is there, too */
    if (n->device.rating.at || tree_get(n->at, "rating") || (row && tree_get(row->at, "rating")))
        return;
    if (row)
        finding_at(d->errors, n->device_named.at,
                   "neither device '%s' nor node '%s' says a rating, add rating: ... (a current in mA, A or "
                   "kA)",
                   n->device_named.text, draft_text(&n->id));
    else
        finding_at(d->errors, n->at,
                   "node '%s' has no 'rating', add rating: ... (a current in mA, A or kA) or unlimited: yes",
                   draft_text(&n->id));
}

/* The row it names lies under its own keys. */
static void read_device(struct draft *d, struct draft_node *n)
{
    n->device_of = INDEX_NONE;
    draft_read_device(d, &n->device);
    if (n->unlimited.number) {
        check_unlimited(d, n);
        return;
    }
    if (n->device_named.at)
        n->device_of = names_resolve(&d->device_names, n->device_named.at, d->errors);
    if (n->device_of != INDEX_NONE)
        draft_lay_device(&n->device, &d->device[n->device_of].device);
    if (n->device_named.at && n->device_of == INDEX_NONE)
        return;                 /* what it would have said is not known */
    check_rating(d, n);
    draft_check_device(d, &n->device, n);
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
    static const struct tree nothing = {.kind = TREE_MAP};

    n->at = at;
    fields_read(draft_node_fields, at, "a node", n, d->errors);
    if (at->kind != TREE_MAP)
        return;
    if (n->id.at)
        names_add(&d->node_names, n->id.text, n->id.at, index, d->errors);
    if (n->phases.at && n->phases.number == 2)
        finding_at(d->errors, n->phases.at, "phases is 2, write 1 (single-phase, also line to line) or 3");
    read_device(d, n);
    read_load(d, "other", &n->other_at, n->other_mva, &n->other_total_mva);
    read_load(d, "other_step", &n->step_at, n->step_mva, &n->step_total_mva);
    draft_read_ramp(d, &n->ramp_at, &n->ramp);
    fields_read(draft_burst_fields, n->burst_at.at ? n->burst_at.at : &nothing, "burst", &n->burst,
                d->errors);
    draft_read_equipment(d, n);
    n->shed_of = draft_shed_of(d, n->shed.at ? &n->shed : &d->policy.shed);
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
