/* SPDX-License-Identifier: Apache-2.0 */
/* Host types as written: what one kind of host may draw. */
#include <errno.h>
#include <inttypes.h>

#include "site/derive.h"
#include "site/read/draft.h"

#define AT(member) .offset = offsetof(struct draft_type, member)
/* 10 MW for one host is far above any and keeps every product in 63 bits */
#define HOST_MAX_MW INT64_C(10000000000)
#define WATTS(name, member, must, low) \
    {.key = name, .kind = FIELD_QUANTITY, .quantity = QUANTITY_POWER, .required = must, .least = low, \
     .most = HOST_MAX_MW, AT(member)}
#define RAMP(name, member) \
    {.key = name, .kind = FIELD_QUANTITY, .quantity = QUANTITY_RAMP, .least = 0, .most = 1000000000, \
     AT(member)}
static const char *const psu_words[] = {"shared", "hot_spare", NULL};

static const struct field type_fields[] = {
    {.key = "id", .kind = FIELD_ID, .required = 1, AT(id)},
    {.key = "cap", .kind = FIELD_ANY, .required = 1, AT(cap)},
    WATTS("base", base, 1, 0),
    {.key = "overshoot", .kind = FIELD_QUANTITY, .quantity = QUANTITY_RATIO, .least = 0, .most = PPM,
     .otherwise = 50000, AT(overshoot)},
    {.key = "efficiency", .kind = FIELD_QUANTITY, .quantity = QUANTITY_RATIO, .least = 500000, .most = PPM,
     .otherwise = 940000, AT(efficiency)},
    WATTS("phys_max", phys_max, 1, 1000),
    WATTS("input_max", input_max, 0, 1000),
    WATTS("inrush", inrush, 0, 0),
    {.key = "power_factor", .kind = FIELD_QUANTITY, .quantity = QUANTITY_FACTOR, .least = 500000,
     .most = PPM, .otherwise = 950000, AT(power_factor)},
    {.key = "actuation", .kind = FIELD_QUANTITY, .quantity = QUANTITY_TIME, .required = 1,
     .least = NS_PER_MS, .most = 10 * NS_PER_S, AT(actuation)},
    {.key = "quantum", .kind = FIELD_QUANTITY, .quantity = QUANTITY_POWER, .least = 1000,
     .most = HOST_MAX_MW, .otherwise = 100000, AT(quantum)},
    WATTS("fail_safe", fail_safe, 0, 1000),
    WATTS("floor", floor, 0, 0),
    RAMP("ramp_up", ramp_up),
    RAMP("ramp_down", ramp_down),
    {.key = "hysteresis", .kind = FIELD_QUANTITY, .quantity = QUANTITY_TIME, .least = 0,
     .most = 60 * NS_PER_S, AT(hysteresis)},
    {.key = "psus_needed", .kind = FIELD_COUNT, .least = 1, .most = 16 * CORDS_MAX, .otherwise = 1,
     AT(psus_needed)},
    {.key = "psu", .kind = FIELD_WORD, .words = psu_words, .otherwise = PSU_SHARED, AT(psu)},
    FIELD_END};

static const struct field cap_fields[] = {
    WATTS("min", cap_min, 1, 1000),
    WATTS("max", cap_max, 1, 1000),
    FIELD_END};

const struct shape_map draft_type_shapes[] = {{"type", type_fields}, {"cap", cap_fields}, {0}};

static void check_caps(struct draft *d, struct draft_type *t)
{
    if (!t->fail_safe.at)
        t->fail_safe.number = t->floor.number > t->cap_min.number ? t->floor.number : t->cap_min.number;
    if (!t->floor.at)
        t->floor.number = t->cap_min.number < t->fail_safe.number ? t->cap_min.number : t->fail_safe.number;
    draft_check_cap(d, "fail_safe", &t->fail_safe, t);
    draft_check_floor(d, &t->floor, &t->fail_safe, t);
}

void draft_check_cap(struct draft *d, const char *key, const struct value *cap, const struct draft_type *t)
{
    if (cap->at && (cap->number < t->cap_min.number || cap->number > t->cap_max.number))
        finding_at(d->errors, cap->at, "%s %s is outside the cap range of %s, choose %s to %s", key,
                   cap->text, draft_text(&t->id), draft_text(&t->cap_min), draft_text(&t->cap_max));
}

/* safety.md I4: no lease below a floor but in an emergency, so everybody at fail-safe must satisfy every
 * floor. */
void draft_check_floor(struct draft *d, const struct value *floor, const struct value *fail_safe,
                       const struct draft_type *t)
{
    char low[32], high[32];

    draft_check_cap(d, "floor", floor, t);
    if (floor->number <= fail_safe->number)
        return;
    const struct value *at = floor->at ? floor : fail_safe;

    finding_at(d->errors, at->at ? at->at : t->at,
               "floor %s is above fail_safe %s, lower the floor or raise fail_safe",
               quantity_write(QUANTITY_POWER, floor->number, low, sizeof low),
               quantity_write(QUANTITY_POWER, fail_safe->number, high, sizeof high));
}

static void check_powers(struct draft *d, const struct draft_type *t)
{
    int64_t gain = derive_gain_ppm(t->overshoot.number, t->efficiency.number);
    int64_t least = t->base.number + derive_round_up(t->cap_min.number, gain, PPM);
    char text[32];

    if (t->phys_max.number < least)
        finding_at(d->errors, t->phys_max.at,
                   "phys_max %s is below what the lowest cap allows at the wall (%s), check both",
                   t->phys_max.text, quantity_write(QUANTITY_POWER, least, text, sizeof text));
    if (t->input_max.at && t->input_max.number < t->phys_max.number)
        finding_at(d->errors, t->input_max.at, "input_max %s is below phys_max %s, check both",
                   t->input_max.text, t->phys_max.text);
    if (t->quantum.number > t->cap_max.number)
        finding_at(d->errors, t->quantum.at ? t->quantum.at : t->at,
                   "a quantum above cap max leaves no cap to give, lower it");
}

static void read_type(struct draft *d, struct draft_type *t, const struct tree *at, uint32_t index)
{
    t->at = at;
    uint32_t faults = fields_read(type_fields, at, "a host type", t, d->errors);

    if (t->id.at)
        names_add(&d->type_names, t->id.text, t->id.at, index, d->errors);
    if (t->cap.at)
        faults += fields_read(cap_fields, t->cap.at, "cap", t, d->errors);
    if (faults)
        return;
    if (t->cap_min.number > t->cap_max.number) {
        finding_at(d->errors, t->cap_min.at, "cap min %s is above cap max %s, swap them", t->cap_min.text,
                   t->cap_max.text);
        return;
    }
    check_caps(d, t);
    check_powers(d, t);
}

int draft_read_types(struct draft *d)
{
    uint32_t i = 0;
    int rc = draft_take_rows(d, &d->types_at, sizeof *d->type, HOST_TYPES_MAX, "host types",
                             (void **)&d->type, &d->type_count);

    if (!rc)
        rc = names_start(&d->type_names, "host type", d->type_count, &d->scratch);
    d->type_names.silent = !d->types_at.at && tree_get(d->root, "host_types");
    const struct tree *at = !rc && d->types_at.at ? d->types_at.at->first : NULL;

    for (; at && i < d->type_count; at = at->next, i++)
        read_type(d, &d->type[i], at, i);
    return rc;
}
