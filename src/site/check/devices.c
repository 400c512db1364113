/* SPDX-License-Identifier: Apache-2.0 */
/* What the keys of one device say about each other, once a node's own are laid over those of its row. */
#include "site/curve/curve.h"
#include "site/read/draft.h"

/* What a trip unit may have, by its kind. */
enum {
    KEY_LONG_DELAY = 1,
    KEY_SHORT = 2,
    KEY_INSTANTANEOUS = 4,
    KEY_GROUND = 8,
    KEY_RELAY = 16,
    KEY_FUSE = 32,
    KEY_POINTS = 64,
};
static const struct {
    const char *name;
    unsigned may;
} units[DEVICE_KIND_COUNT] = {
    [DEVICE_NONE] = {"", KEY_SHORT | KEY_INSTANTANEOUS},
    [DEVICE_ELECTRONIC] = {"electronic", KEY_LONG_DELAY | KEY_SHORT | KEY_INSTANTANEOUS | KEY_GROUND},
    [DEVICE_THERMAL_MAGNETIC] = {"thermal_magnetic", KEY_LONG_DELAY | KEY_INSTANTANEOUS},
    [DEVICE_RELAY] = {"relay", KEY_RELAY | KEY_SHORT | KEY_INSTANTANEOUS | KEY_GROUND},
    [DEVICE_FUSE] = {"fuse", KEY_FUSE},
    [DEVICE_POINTS] = {"points", KEY_POINTS},
};

/* Where two keys of one device clash: at the one that the node itself says, if only one of them is. */
static const struct tree *blame(const struct draft_node *node, const struct tree *first,
                                const struct tree *second)
{
    bool own = first->from >= node->at->from && first->to <= node->at->to;

    return own || second->from < node->at->from || second->to > node->at->to ? first : second;
}

static void check_contradictions(struct draft *d, const struct draft_device *v,
                                 const struct draft_node *node, uint8_t kind)
{
    const struct {
        const struct value *value;
        const char *name;
        unsigned key;
        uint8_t only;           /* the one kind that takes it, or DEVICE_NONE: several do */
    } keys[] = {
        {&v->long_time.delay, "long_time delay", KEY_LONG_DELAY, DEVICE_NONE},
        {&v->short_time_at, "short_time", KEY_SHORT, DEVICE_NONE},
        {&v->instantaneous_at, "instantaneous", KEY_INSTANTANEOUS, DEVICE_NONE},
        {&v->ground_at, "ground", KEY_GROUND, DEVICE_NONE},
        {&v->relay_at, "relay", KEY_RELAY, DEVICE_RELAY},
        {&v->fuse_at, "fuse", KEY_FUSE, DEVICE_FUSE},
        {&v->points_at, "points", KEY_POINTS, DEVICE_POINTS},
    };

    for (uint32_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (!keys[i].value->at || units[kind].may & keys[i].key)
            continue;
        if (v->trip_unit.at)
            finding_at(d->errors, blame(node, keys[i].value->at, v->trip_unit.at),
                       "trip_unit %s has no %s, drop one of the two", units[kind].name, keys[i].name);
        else if (keys[i].only)
            finding_at(d->errors, keys[i].value->at, "%s counts for nothing without trip_unit: %s, add it",
                       keys[i].name, units[keys[i].only].name);
        else
            finding_at(d->errors, keys[i].value->at,
                       "%s counts for nothing without a curve, add long_time: {pickup: ..., delay: ...}",
                       keys[i].name);
    }
}

/* Is a key of the mapping there? One whose value was refused is. */
static bool said(const struct value *value, const struct value *map, const char *key)
{
    return value->at || (map->at && tree_get(map->at, key));
}

/* A stage that is there has a pickup; with `delay`, a delay too. */
static void check_stage(struct draft *d, const struct value *at, const struct draft_stage *stage,
                        const char *name, bool delay)
{
    if (!at->at)
        return;
    if (at->at->kind == TREE_MAP && !said(&stage->pickup, at, "pickup"))
        finding_at(d->errors, at->at, "%s has no 'pickup', add pickup: ... (a current in mA, A or kA)", name);
    if (delay && (stage->pickup.at || at->at->kind == TREE_MAP) && !said(&stage->delay, at, "delay"))
        finding_at(d->errors, at->at,
                   "%s has no delay, its curve needs one: write %s: {pickup: %s, delay: ...}", name, name,
                   stage->pickup.at ? stage->pickup.text : "...");
}

static void check_relay(struct draft *d, const struct draft_device *v)
{
    const struct draft_relay *r = &v->relay;
    const struct {
        const struct value *value;
        const char *key, *what;
    } needed[] = {
        {&r->curve, "curve",
         "iec_si, iec_vi, iec_ei, iec_lti, iec_sti, ieee_mi, ieee_vi, ieee_ei or u1 to u5"},
        {&r->pickup, "pickup", "a current in mA, A or kA"},
        {&r->time_dial, "time_dial", "a factor in % or without a unit"},
    };
    const char *reset = r->reset.at ? r->reset.text : "dependent";
    bool own = r->curve.at && r->curve.number != RELAY_IEC_LTI && r->curve.number != RELAY_IEC_STI;

    if (!v->relay_at.at || v->relay_at.at->kind != TREE_MAP)
        return;
    for (uint32_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (!said(needed[i].value, &v->relay_at, needed[i].key))
            finding_at(d->errors, v->relay_at.at, "relay has no '%s', add %s: ... (%s)", needed[i].key,
                       needed[i].key, needed[i].what);
    if (r->reset.number == RELAY_RESET_AT_ONCE && r->reset_time.at)
        finding_at(d->errors, r->reset_time.at, "reset at_once takes no time, drop reset_time");
    bool timed = said(&r->reset_time, &v->relay_at, "reset_time");

    if (r->reset.number == RELAY_RESET_DEFINITE && !timed)
        finding_at(d->errors, r->reset.at, "reset definite needs a time, add reset_time: ...");
    if (r->reset.number == RELAY_RESET_DEPENDENT && !own && r->curve.at && !timed)
        finding_at(
            d->errors, r->reset.at ? r->reset.at : r->curve.at,
            "curve %s has no reset time of its own for reset %s, add reset_time: ... or reset: at_once",
            r->curve.text, reset);
}

/* Whatever a trip unit is made of must be there. */
static void check_complete(struct draft *d, const struct draft_device *v, uint8_t kind)
{
    const struct value *missing = NULL;
    const char *key = NULL, *what = "";

    if (kind == DEVICE_RELAY && !v->relay_at.at)
        missing = &v->trip_unit, key = "relay", what = "{curve: ..., pickup: ..., time_dial: ...}";
    else if (kind == DEVICE_FUSE && !said(&v->fuse.min, &v->fuse_at, "melting"))
        missing = &v->trip_unit, key = "fuse", what = "{melting: [{at: ..., time: ...}, ...]}";
    else if (kind == DEVICE_POINTS && !said(&v->points.min, &v->points_at, "min"))
        missing = &v->trip_unit, key = "points", what = "{min: [{at: ..., time: ...}, ...]}";
    if (missing && missing->at)
        finding_at(d->errors, missing->at, "trip_unit %s without its curve, add %s: %s", units[kind].name,
                   key, what);
    if ((kind == DEVICE_ELECTRONIC || kind == DEVICE_THERMAL_MAGNETIC) && v->trip_unit.at &&
        !said(&v->long_time.delay, &v->long_time_at, "delay"))
        finding_at(d->errors, v->trip_unit.at,
                   "trip_unit %s without a long_time delay, add long_time: {pickup: ..., delay: ...}",
                   units[kind].name);
    check_stage(d, &v->short_time_at, &v->short_time, "short_time", kind != DEVICE_NONE);
    check_stage(d, &v->instantaneous_at, &v->instantaneous, "instantaneous", false);
    check_stage(d, &v->ground_at, &v->ground, "ground", kind != DEVICE_NONE);
    check_relay(d, v);
}

/* `lower` above `upper`: said at the upper one, whose value is too small. */
static void check_order(struct draft *d, const struct draft_node *node, const struct value *lower,
                        const char *lower_name, const struct value *upper, const char *upper_name)
{
    if (lower->at && upper->at && upper->number < lower->number)
        finding_at(d->errors, node ? blame(node, upper->at, lower->at) : upper->at,
                   "%s %s is below %s %s, a faster stage lies above the slower one",
                   upper_name, upper->text, lower_name, lower->text);
}

static void check_pickups(struct draft *d, const struct draft_device *v, const struct draft_node *node)
{
    bool relay = v->relay.pickup.at != NULL;
    const struct value *slow = relay                   ? &v->relay.pickup
                               : v->long_time.pickup.at ? &v->long_time.pickup
                                                        : &v->rating;
    const char *name = relay ? "the relay's pickup" : v->long_time.pickup.at ? "long_time" : "rating";

    if (v->long_time.pickup.at && v->rating.at && v->long_time.pickup.number > v->rating.number)
        finding_at(d->errors,
                   node ? blame(node, v->long_time.pickup.at, v->rating.at) : v->long_time.pickup.at,
                   "long_time %s is above rating %s, a setting never passes the device's rating",
                   v->long_time.pickup.text, v->rating.text);
    check_order(d, node, slow, name, &v->short_time.pickup, "short_time");
    check_order(d, node, v->short_time.pickup.at ? &v->short_time.pickup : slow,
                v->short_time.pickup.at ? "short_time" : name, &v->instantaneous.pickup, "instantaneous");
}

/* A delay says how long, i2t how it changes: the second is nothing without the first. */
static void check_delays(struct draft *d, const struct draft_device *v, uint8_t kind)
{
    const struct draft_stage *const stage[] = {&v->short_time, &v->ground};
    const struct value *const map[] = {&v->short_time_at, &v->ground_at};

    for (uint32_t i = 0; i < 2; i++) {
        if (stage[i]->i2t.at && stage[i]->i2t.number && !said(&stage[i]->delay, map[i], "delay"))
            finding_at(d->errors, stage[i]->i2t.at, "i2t without a delay, add delay: ... beside it");
        else if (!i && stage[i]->delay.at && kind == DEVICE_NONE)   /* of ground it has been said */
            finding_at(
                d->errors, stage[i]->delay.at,
                "a delay counts for nothing without a curve, add long_time: {pickup: ..., delay: ...}");
    }
    if (v->long_time.memory.at && !v->long_time.memory.number && kind != DEVICE_ELECTRONIC &&
        kind != DEVICE_NONE)
        finding_at(d->errors, v->long_time.memory.at,
                   "memory: no counts for nothing with trip_unit %s, drop it", units[kind].name);
    if (v->long_time.at.at && !said(&v->long_time.delay, &v->long_time_at, "delay"))
        finding_at(d->errors, v->long_time.at.at, "at without a delay, add delay: ... beside it");
}

/* The slow edge lies nowhere below the fast one: looked at where either bends. */
static void check_band(struct draft *d, const struct field *fields, const struct draft_list *list)
{
    struct device_point fast[DEVICE_POINTS_MAX], slow[DEVICE_POINTS_MAX];
    uint32_t fast_count = draft_read_points(d, fields[0].key, &list->min, fast),
             slow_count = draft_read_points(d, fields[1].key, &list->max, slow);
    char at[40];

    if (!fast_count || !slow_count)
        return;
    for (uint32_t i = 0; i < fast_count + slow_count; i++) {
        const struct device_point *point = i < fast_count ? &fast[i] : &slow[i - fast_count];
        double amperes = (double)point->ma * 1e-3, low = curve_points_s(fast, fast_count, amperes),
               high = curve_points_s(slow, slow_count, amperes);

        /* the same point written in both lists may differ by rounding */
        if (high >= low * (1 - 1e-9))
            continue;
        finding_at(d->errors, list->max.at,
                   "%s is faster than %s at %s, it bounds the curve from above: correct one of the two",
                   fields[1].key, fields[0].key, quantity_write(QUANTITY_CURRENT, point->ma, at, sizeof at));
        return;
    }
}

/* A trip unit that was refused may have been any; a row's long-time delay that was makes an electronic one,
 * also where a node says another pickup over it. */
static bool unit_refused(const struct draft *d, const struct draft_device *v, const struct draft_node *node)
{
    const struct draft_device_row *row = node->device_of == INDEX_NONE ? NULL : &d->device[node->device_of];

    if (v->trip_unit.at)
        return false;
    if (tree_get(node->at, "trip_unit") || (row && tree_get(row->at, "trip_unit")))
        return true;
    return row && !v->long_time.delay.at &&
           said(&row->device.long_time.delay, &row->device.long_time_at, "delay");
}

void draft_check_device(struct draft *d, const struct draft_device *v, const struct draft_node *node)
{
    uint8_t kind = draft_device_kind(v);

    check_pickups(d, v, node);
    check_band(d, draft_fuse_fields, &v->fuse);
    check_band(d, draft_points_fields, &v->points);
    if (!node || unit_refused(d, v, node))
        return;
    check_contradictions(d, v, node, kind);
    check_complete(d, v, kind);
    check_delays(d, v, kind);
}
