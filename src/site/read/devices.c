/* SPDX-License-Identifier: Apache-2.0 */
/* Devices as written: rows of `devices:`, and what a node says of its own. */
#include <errno.h>
#include <string.h>

#include "site/read/draft.h"

uint32_t draft_read_short(struct draft *d, const struct field *fields, const struct tree *at,
                          const char *key, void *into)
{
    struct field one = fields[0];

    if (at && at->kind != TREE_SCALAR)
        return fields_read(fields, at, key, into, d->errors);
    for (const struct field *field = fields; field->key; field++)
        *(struct value *)((char *)into + field->offset) = (struct value){.number = field->otherwise};
    if (!at)
        return 0;
    one.key = key;
    return field_read(&one, at, (struct value *)((char *)into + one.offset), d->errors);
}

/* Each point above and no slower than the one before it. */
static uint32_t check_rise(struct draft *d, const char *key, const struct draft_point *before,
                           const struct draft_point *point)
{
    if (point->at.number > before->at.number && point->time.number <= before->time.number)
        return 0;
    if (point->at.number <= before->at.number)
        finding_at(d->errors, point->at.at,
                   "%s goes from %s to %s, write its points in the order of rising current", key,
                   before->at.text, point->at.text);
    else
        finding_at(d->errors, point->time.at,
                   "%s takes %s at %s and longer, %s, at more current: a curve never rises in time", key,
                   before->time.text, before->at.text, point->time.text);
    return 1;
}

uint32_t draft_read_points(struct draft *d, const char *key, const struct value *list,
                           struct device_point point[DEVICE_POINTS_MAX])
{
    struct draft_point before = {0}, now;
    uint32_t count = 0, faults = 0;

    if (!list->at)
        return 0;
    if (list->at->count < 2 || list->at->count > DEVICE_POINTS_MAX) {
        finding_at(d->errors, list->at, "%s has %u points, a curve has 2 to %d", key, list->at->count,
                   DEVICE_POINTS_MAX);
        return 0;
    }
    for (const struct tree *at = list->at->first; at; at = at->next, before = now) {
        if (fields_read(draft_point_fields, at, "a point", &now, d->errors)) {
            now = (struct draft_point){0};
            faults++;
            continue;
        }
        if (before.at.at)
            faults += check_rise(d, key, &before, &now);
        point[count++] = (struct device_point){now.at.number, now.time.number};
    }
    return faults ? 0 : count;
}

static void read_list(struct draft *d, const struct field *fields, const struct tree *at, const char *key,
                      struct draft_list *into)
{
    static const struct tree nothing = {.kind = TREE_MAP};
    struct device_point point[DEVICE_POINTS_MAX];

    fields_read(fields, at ? at : &nothing, key, into, d->errors);
    draft_read_points(d, fields[0].key, &into->min, point);
    draft_read_points(d, fields[1].key, &into->max, point);
}

void draft_read_device(struct draft *d, struct draft_device *v)
{
    static const struct tree nothing = {.kind = TREE_MAP};

    draft_read_short(d, draft_long_time_fields, v->long_time_at.at, "long_time", &v->long_time);
    draft_read_short(d, draft_short_time_fields, v->short_time_at.at, "short_time", &v->short_time);
    draft_read_short(d, draft_instantaneous_fields, v->instantaneous_at.at, "instantaneous",
                     &v->instantaneous);
    draft_read_short(d, draft_ground_fields, v->ground_at.at, "ground", &v->ground);
    fields_read(draft_relay_fields, v->relay_at.at ? v->relay_at.at : &nothing, "relay", &v->relay,
                d->errors);
    read_list(d, draft_fuse_fields, v->fuse_at.at, "fuse", &v->fuse);
    read_list(d, draft_points_fields, v->points_at.at, "points", &v->points);
}

void draft_lay_device(struct draft_device *over, const struct draft_device *row)
{
    enum { VALUES = sizeof *over / sizeof(struct value) };
    _Static_assert(sizeof *over == VALUES * sizeof(struct value), "values and nothing else");
    struct value *own = (struct value *)over;
    const struct value *below = (const struct value *)row;

    for (uint32_t i = 0; i < VALUES; i++)
        if (!own[i].at)
            own[i] = below[i];
}

uint8_t draft_device_kind(const struct draft_device *v)
{
    if (v->trip_unit.at)
        return (uint8_t)(DEVICE_ELECTRONIC + v->trip_unit.number);
    /* a delay that was refused is one, too */
    return v->long_time.delay.at || (v->long_time_at.at && tree_get(v->long_time_at.at, "delay"))
               ? DEVICE_ELECTRONIC
               : DEVICE_NONE;
}

int draft_read_devices(struct draft *d)
{
    uint32_t i = 0;
    int rc = draft_take_rows(d, &d->devices_at, sizeof *d->device, DEVICES_MAX, "devices",
                             (void **)&d->device, &d->device_count);

    if (!rc)
        rc = names_start(&d->device_names, "device", d->device_count, &d->scratch);
    if (rc)
        return rc;
    d->device_names.silent = !d->devices_at.at && tree_get(d->root, "devices");
    const struct tree *at = d->devices_at.at ? d->devices_at.at->first : NULL;

    for (; at && i < d->device_count; at = at->next, i++) {
        struct draft_device_row *row = &d->device[i];

        row->at = at;
        fields_read(draft_device_fields, at, "a device", row, d->errors);
        if (at->kind != TREE_MAP)
            continue;
        if (row->id.at)
            names_add(&d->device_names, row->id.text, row->id.at, i, d->errors);
        draft_read_device(d, &row->device);
        draft_check_device(d, &row->device, NULL);
    }
    return 0;
}
