/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "site/read/draft.h"
#include "site/read/shape.h"

/* One line per reader. */
static const struct shape_map *const readers[] = {
    draft_top_shapes,   draft_node_shapes,  draft_device_shapes, draft_type_shapes,
    draft_host_shapes,  draft_meter_shapes, draft_channel_shapes, draft_gear_shapes, draft_measured_shapes,
    draft_server_shapes, draft_redundancy_shapes, draft_contract_shapes,
    draft_shed_shapes, draft_alert_shapes, draft_time_shapes,
};

static const struct shape_child children[] = {
    {"site", "policy", .of = "policy"},
    {"site", "detect", .of = "detect"},
    {"site", "redundancy", .of = "redundancy"},
    {"site", "devices", .of = "device", .most = DEVICES_MAX},
    {"site", "nodes", .of = "node", .least = 1, .most = NODES_MAX},
    {"site", "host_types", .of = "type", .most = HOST_TYPES_MAX},
    {"site", "hosts", .of = "host", .most = HOSTS_MAX},
    {"site", "meters", .of = "meter", .most = METERS_MAX},
    {"site", "infrastructure", .of = "gear", .most = SITE_GEAR_MAX},
    {"site", "servers", .of = "server", .most = UINT32_MAX},
    {"detect", "power", .of = "power", .instead = SHORT_OFF},
    {"detect", "current", .of = "current", .instead = SHORT_OFF},
    {"detect", "sag", .of = "sag", .instead = SHORT_OFF},
    {"detect", "swell", .of = "swell", .instead = SHORT_OFF},
    {"detect", "dp_dt", .of = "dp_dt", .instead = SHORT_OFF},
    {"site", "sag", .of = "sag_to", .instead = SHORT_FIRST},
    {"site", "time", .of = "time"},
    {"site", "auth", .of = "auth", .instead = SHORT_FIRST},
    {"site", "contracts", .of = "contract", .most = SITE_CONTRACTS_MAX},
    {"site", "shed", .of = "shed", .most = SITE_SHEDS_MAX},
    {"site", "alerts", .of = "alert", .most = ALERTS_MAX},
    {"shed", "command", .of = "word", .instead = SHORT_ONLY, .least = 1, .most = SITE_COMMAND_WORDS},
    {"shed", "restore", .of = "word", .instead = SHORT_ONLY, .least = 1, .most = SITE_COMMAND_WORDS},
    {"policy", "hold", .of = "hold"},
    {"policy", "damper", .of = "damper"},
    {"redundancy", "may_lose", .of = "loss", .instead = SHORT_FIRST, .most = CONTINGENCIES_MAX - 1},
    {"contract", "ramp", .of = "ramp"},
    {"contract", "nodes", .least = 1, .most = ORDER_NODES_MAX},
    {"contract", "days", .of = "days", .instead = SHORT_ONLY, .least = 1, .most = 7},
    {"node", "parents", .most = PARENTS_MAX},
    {"device", "long_time", .of = "long_time", .instead = SHORT_FIRST},
    {"device", "short_time", .of = "short_time", .instead = SHORT_FIRST},
    {"device", "instantaneous", .of = "instantaneous", .instead = SHORT_FIRST},
    {"device", "ground", .of = "ground", .instead = SHORT_FIRST},
    {"device", "relay", .of = "relay"},
    {"device", "fuse", .of = "fuse"},
    {"device", "points", .of = "points"},
    {"node", "long_time", .of = "long_time", .instead = SHORT_FIRST},
    {"node", "short_time", .of = "short_time", .instead = SHORT_FIRST},
    {"node", "instantaneous", .of = "instantaneous", .instead = SHORT_FIRST},
    {"node", "ground", .of = "ground", .instead = SHORT_FIRST},
    {"node", "relay", .of = "relay"},
    {"node", "fuse", .of = "fuse"},
    {"node", "points", .of = "points"},
    {"fuse", "melting", .of = "point", .least = 2, .most = DEVICE_POINTS_MAX},
    {"fuse", "clearing", .of = "point", .least = 2, .most = DEVICE_POINTS_MAX},
    {"points", "min", .of = "point", .least = 2, .most = DEVICE_POINTS_MAX},
    {"points", "max", .of = "point", .least = 2, .most = DEVICE_POINTS_MAX},
    {"node", "conductor", .of = "conductor", .instead = SHORT_FIRST},
    {"node", "transformer", .of = "transformer", .instead = SHORT_FIRST},
    {"node", "ups", .of = "ups"},
    {"ups", "overload", .of = "overload", .least = 1, .most = OVERLOADS_MAX},
    {"node", "generator", .of = "generator"},
    {"node", "states", .of = "state", .least = 1, .most = SOURCE_STATES_MAX},
    {"node", "settings_from", .of = "settings"},
    {"node", "other", .of = "other", .instead = SHORT_SUM},
    {"node", "other_step", .of = "other", .instead = SHORT_SUM},
    {"node", "burst", .of = "burst"},
    {"node", "ramp", .of = "ramp"},
    {"type", "cap", .of = "cap"},
    {"host", "cords", .of = "cord", .instead = SHORT_FIRST, .least = 1, .most = CORDS_MAX},
    {"meter", "cords", .least = 1, .most = CORDS_MAX},
    {"meter", "phasors", .of = "phasor", .instead = SHORT_ONLY, .least = SITE_PHASORS, .most = SITE_PHASORS},
    {"meter", "correct", .of = "correct"},
    {"correct", "va", .of = "volts"}, {"correct", "vb", .of = "volts"}, {"correct", "vc", .of = "volts"},
    {"correct", "ia", .of = "amperes"}, {"correct", "ib", .of = "amperes"},
    {"correct", "ic", .of = "amperes"}, {"correct", "in", .of = "amperes"}, {"correct", "vn", .of = "volts"},
    {"gear", "cords", .least = 1, .most = CORDS_MAX},
    {"gear", "hosts", .list = 1, .whole = WHOLE_ALL, .most = UINT32_MAX},
    {"gear", "meters", .list = 1, .whole = WHOLE_ALL, .most = UINT32_MAX},
    {"gear", "links", .most = UINT32_MAX},
    {"server", "cords", .least = 1, .most = CORDS_MAX},
    {"server", "ports", .of = "port", .least = 1, .most = 2},
    {"server", "cores", .of = "cores"},
    {"server", "deadline", .of = "deadline"},
    {"server", "measured", .of = "measured"},
    {"measured", "hiccups", .of = "hiccups"},
    {"measured", "wake_timer", .of = "spread"},
    {"measured", "wake_event", .of = "spread"},
    {"measured", "reading", .of = "spread"},
    {"measured", "report", .of = "spread"},
    {"measured", "tick_part", .of = "spread"},
    {"measured", "emergency", .of = "spread"},
    {"measured", "age", .of = "spread"},
    {"measured", "rings", .of = "ring", .most = MEASURED_PORTS_MAX},
    {"measured", "path", .of = "path"},
    {"path", "worst", .of = "named", .instead = SHORT_ONLY, .most = MEASURED_NAMED_MAX},
    {"path", "silent", .of = "named", .instead = SHORT_ONLY, .most = MEASURED_NAMED_MAX},
    {"cores", "lane", .of = "lane", .instead = SHORT_ONLY, .list = 1, .whole = WHOLE_ITEM, .least = 1,
     .most = LANES_MAX},
};

static int add(struct shape *shape, const char *name, const struct field *fields)
{
    if (shape->count == SHAPE_MAPS_MAX)
        return -E2BIG;
    shape->map[shape->count++] = (struct shape_map){name, fields};
    return 0;
}

/* The bands of detect: are a table of their own kind. */
static int gather_bands(struct shape *shape)
{
    enum { BANDS = sizeof shape->band / sizeof shape->band[0] };

    for (uint32_t i = 0; i < BANDS; i++) {
        const char *key = draft_band_fields(i, shape->band[i]);

        shape->detect[i] = (struct field){.key = key, .kind = FIELD_ANY};
        if (add(shape, key, shape->band[i]))
            return -E2BIG;
    }
    return add(shape, "detect", shape->detect);
}

int shape_gather(struct shape *shape)
{
    *shape = (struct shape){0};
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++)
        for (const struct shape_map *map = readers[i]; map->name; map++)
            if (add(shape, map->name, map->fields))
                return -E2BIG;
    return gather_bands(shape);
}

const struct field *shape_fields(const struct shape *shape, const char *name)
{
    for (uint32_t i = 0; i < shape->count; i++)
        if (!strcmp(shape->map[i].name, name))
            return shape->map[i].fields;
    return NULL;
}

const struct shape_child *shape_child(const char *map, const char *key)
{
    for (size_t i = 0; i < sizeof children / sizeof children[0]; i++)
        if (!strcmp(children[i].map, map) && !strcmp(children[i].key, key))
            return &children[i];
    return NULL;
}

int shape_is_scalar(const struct field *field)
{
    return field->kind != FIELD_LIST && field->kind != FIELD_ANY;
}
