/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a node and of a row of `devices:`. Both have those of the device, so they stand in one file. */
#include "site/read/draft.h"

const char *const draft_kind_words[] = {"source", "main",        "distribution", "branch", "rack",
                                        "ups",    "transformer", "generator",    "bypass", "busway", NULL};
_Static_assert(sizeof draft_kind_words / sizeof draft_kind_words[0] == NODE_KIND_COUNT + 1,
               "a word for every kind");
static const char *const rated_words[] = {"80%", "100%", NULL};
const char *const draft_trip_unit_words[] = {"electronic", "thermal_magnetic", "relay", "fuse", "points",
                                             NULL};
static const char *const profile_words[] = {"abb", "schneider", NULL};
static const char *const curve_words[] = {"iec_si",  "iec_vi",  "iec_ei", "iec_lti", "iec_sti",
                                          "ieee_mi", "ieee_vi", "ieee_ei", "u1",     "u2",
                                          "u3",      "u4",      "u5",     NULL};
static const char *const reset_words[] = {"at_once", "definite", "dependent", NULL};
_Static_assert(sizeof profile_words / sizeof profile_words[0] == PROFILE_COUNT + 1, "every profile");
_Static_assert(sizeof curve_words / sizeof curve_words[0] == RELAY_CURVE_COUNT + 1, "every curve");
_Static_assert(sizeof draft_trip_unit_words / sizeof draft_trip_unit_words[0] == DEVICE_KIND_COUNT,
               "a word for every kind of device but none");

enum { AMPS_MAX_MA = 100000000, STAGE_MAX_MA = AMPS_MAX_MA * 10, PERCENT = 10000 };
#define DAY_NS (24 * 3600 * NS_PER_S)

#define IN(type, member) .offset = offsetof(struct type, member)
#define AMPS(name, at) \
    { \
        .key = name, .kind = FIELD_QUANTITY, .quantity = QUANTITY_CURRENT, .least = 1000, \
        .most = AMPS_MAX_MA, at \
    }
#define STAGE_AMPS(name, at) \
    {.key = name, .kind = FIELD_QUANTITY, .quantity = QUANTITY_CURRENT, .least = 1000, \
     .most = STAGE_MAX_MA, at}
#define TIME(name, low, high, at) \
    {.key = name, .kind = FIELD_QUANTITY, .quantity = QUANTITY_TIME, .least = low, .most = high, at}
#define SHARE(name, low, high, at) \
    {.key = name, .kind = FIELD_QUANTITY, .quantity = QUANTITY_RATIO, .least = low, .most = high, at}
#define VOLT_AMPERES(name, at) \
    {.key = name, .kind = FIELD_QUANTITY, .quantity = QUANTITY_APPARENT, .least = 1000000, \
     .most = DRAFT_WATTS_MAX_MW, at}
#define WATTS(name, at) \
    {.key = name, .kind = FIELD_QUANTITY, .quantity = QUANTITY_POWER, .least = 1000000, \
     .most = DRAFT_WATTS_MAX_MW, at}

#define RAMP(name, at) \
    {.key = name, .kind = FIELD_QUANTITY, .quantity = QUANTITY_RAMP, .least = 1, .most = 1000000000, at}

/* `in` is the struct, `d` the path to its struct draft_device. */
#define DEVICE_KEYS(in, d) \
    AMPS("rating", IN(in, d rating)), \
    {.key = "rated", .kind = FIELD_WORD, .words = rated_words, .otherwise = RATED_80, IN(in, d rated)}, \
    {.key = "trip_unit", .kind = FIELD_WORD, .words = draft_trip_unit_words, .otherwise = -1, \
     IN(in, d trip_unit)}, \
    {.key = "profile", .kind = FIELD_WORD, .words = profile_words, IN(in, d profile)}, \
    {.key = "long_time", .kind = FIELD_ANY, IN(in, d long_time_at)}, \
    {.key = "short_time", .kind = FIELD_ANY, IN(in, d short_time_at)}, \
    {.key = "instantaneous", .kind = FIELD_ANY, IN(in, d instantaneous_at)}, \
    {.key = "ground", .kind = FIELD_ANY, IN(in, d ground_at)}, \
    {.key = "relay", .kind = FIELD_ANY, IN(in, d relay_at)}, \
    {.key = "fuse", .kind = FIELD_ANY, IN(in, d fuse_at)}, \
    {.key = "points", .kind = FIELD_ANY, IN(in, d points_at)}, \
    {.key = "opening", .kind = FIELD_QUANTITY, .quantity = QUANTITY_TIME, .least = 0, .most = NS_PER_S, \
     .otherwise = 50 * NS_PER_MS, IN(in, d opening)}

const struct field draft_device_fields[] = {
    {.key = "id", .kind = FIELD_ID, .required = 1, IN(draft_device_row, id)},
    DEVICE_KEYS(draft_device_row, device.),
    FIELD_END};

const struct field draft_node_fields[] = {
    {.key = "id", .kind = FIELD_ID, .required = 1, IN(draft_node, id)},
    {.key = "kind", .kind = FIELD_WORD, .words = draft_kind_words, .required = 1, IN(draft_node, kind)},
    {.key = "parent", .kind = FIELD_ID, IN(draft_node, parent)},
    {.key = "parents", .kind = FIELD_LIST, IN(draft_node, parents)},
    {.key = "phases", .kind = FIELD_COUNT, .least = 1, .most = 3, IN(draft_node, phases)},
    {.key = "volts", .kind = FIELD_QUANTITY, .quantity = QUANTITY_VOLTAGE, .least = 100000,
     .most = 50000000, IN(draft_node, volts)},
    {.key = "device", .kind = FIELD_ID, IN(draft_node, device_named)},
    DEVICE_KEYS(draft_node, device.),
    {.key = "rating_power", .kind = FIELD_QUANTITY, .quantity = QUANTITY_LOAD, .least = 1000,
     .most = DRAFT_WATTS_MAX_MW, IN(draft_node, rating_power)},
    {.key = "unlimited", .kind = FIELD_SWITCH, IN(draft_node, unlimited)},
    {.key = "ambient", .kind = FIELD_QUANTITY, .quantity = QUANTITY_RATIO, .least = 50 * PERCENT,
     .most = 100 * PERCENT, .otherwise = 100 * PERCENT, IN(draft_node, ambient)},
    {.key = "conductor", .kind = FIELD_ANY, IN(draft_node, conductor_at)},
    {.key = "transformer", .kind = FIELD_ANY, IN(draft_node, transformer_at)},
    {.key = "ups", .kind = FIELD_ANY, IN(draft_node, ups_at)},
    {.key = "generator", .kind = FIELD_ANY, IN(draft_node, generator_at)},
    STAGE_AMPS("fault", IN(draft_node, fault)),
    STAGE_AMPS("demand", IN(draft_node, demand)),
    {.key = "states", .kind = FIELD_LIST, IN(draft_node, states)},
    SHARE("volts_low", 80 * PERCENT, 100 * PERCENT, IN(draft_node, volts_low)),
    {.key = "settings_from", .kind = FIELD_ANY, IN(draft_node, settings_at)},
    {.key = "k", .kind = FIELD_COUNT, .least = 0, .most = HOSTS_MAX, IN(draft_node, k)},
    {.key = "other", .kind = FIELD_ANY, IN(draft_node, other_at)},
    {.key = "other_step", .kind = FIELD_ANY, IN(draft_node, step_at)},
    {.key = "oversubscribe", .kind = FIELD_SWITCH, IN(draft_node, oversubscribe)},
    {.key = "burst", .kind = FIELD_ANY, IN(draft_node, burst_at)},
    {.key = "ramp", .kind = FIELD_ANY, IN(draft_node, ramp_at)},
    {.key = "shed", .kind = FIELD_ID, IN(draft_node, shed)},
    FIELD_END};

/* Stages: their pickup stands first and is what the short form says; a row may leave it to the node, so
 * that it is there is checked when both are put together. */
#define TOLERANCE \
    {.key = "tolerance", .kind = FIELD_QUANTITY, .quantity = QUANTITY_RATIO, .least = 0, \
     .most = 50 * PERCENT, .otherwise = 10 * PERCENT, IN(draft_stage, tolerance)}
#define MEMORY \
    {.key = "memory", .kind = FIELD_SWITCH, .otherwise = 1, IN(draft_stage, memory)}
#define DELAY(high) TIME("delay", NS_PER_MS, high, IN(draft_stage, delay))

const struct field draft_long_time_fields[] = {
    AMPS("pickup", IN(draft_stage, pickup)),
    TIME("delay", 100 * NS_PER_MS, 3600 * NS_PER_S, IN(draft_stage, delay)),
    {.key = "at", .kind = FIELD_QUANTITY, .quantity = QUANTITY_FACTOR, .least = 3 * PPM / 2,
     .most = 20 * PPM, .otherwise = 6 * PPM, IN(draft_stage, at)},
    MEMORY,
    FIELD_END};
const struct field draft_short_time_fields[] = {
    STAGE_AMPS("pickup", IN(draft_stage, pickup)),
    DELAY(10 * NS_PER_S),
    {.key = "i2t", .kind = FIELD_SWITCH, IN(draft_stage, i2t)},
    TOLERANCE,
    MEMORY,
    FIELD_END};
const struct field draft_instantaneous_fields[] = {
    STAGE_AMPS("pickup", IN(draft_stage, pickup)),
    TOLERANCE,
    {.key = "clears", .kind = FIELD_QUANTITY, .quantity = QUANTITY_TIME, .least = NS_PER_MS,
     .most = NS_PER_S, .otherwise = 80 * NS_PER_MS, IN(draft_stage, clears)},
    FIELD_END};
const struct field draft_ground_fields[] = {
    STAGE_AMPS("pickup", IN(draft_stage, pickup)),
    DELAY(10 * NS_PER_S),
    {.key = "i2t", .kind = FIELD_SWITCH, IN(draft_stage, i2t)},
    TOLERANCE,
    FIELD_END};

const struct field draft_relay_fields[] = {
    {.key = "curve", .kind = FIELD_WORD, .words = curve_words, .otherwise = -1, IN(draft_relay, curve)},
    STAGE_AMPS("pickup", IN(draft_relay, pickup)),
    {.key = "time_dial",
     .kind = FIELD_QUANTITY,
     .quantity = QUANTITY_FACTOR,
     .least = PPM / 100,
     .most = 100 * PPM,
     IN(draft_relay, time_dial)},
    {.key = "reset",
     .kind = FIELD_WORD,
     .words = reset_words,
     .otherwise = RELAY_RESET_DEPENDENT,
     IN(draft_relay, reset)},
    TIME("reset_time", NS_PER_MS, 1000 * NS_PER_S, IN(draft_relay, reset_time)),
    {.key = "reset_exponent",
     .kind = FIELD_QUANTITY,
     .quantity = QUANTITY_FACTOR,
     .least = PPM / 2,
     .most = 10 * PPM,
     .otherwise = 2 * PPM,
     IN(draft_relay, reset_exponent)},
    {.key = "pickup_tolerance",
     .kind = FIELD_QUANTITY,
     .quantity = QUANTITY_RATIO,
     .least = PERCENT / 10,
     .most = 30 * PERCENT,
     .otherwise = 5 * PERCENT,
     IN(draft_relay, pickup_tolerance)},
    {.key = "time_tolerance",
     .kind = FIELD_QUANTITY,
     .quantity = QUANTITY_RATIO,
     .least = PERCENT / 10,
     .most = 50 * PERCENT,
     .otherwise = 5 * PERCENT,
     IN(draft_relay, time_tolerance)},
    FIELD_END};

#define LIST_TOLERANCE \
    {.key = "tolerance", .kind = FIELD_QUANTITY, .quantity = QUANTITY_RATIO, \
     .least = PERCENT / 10, .most = 50 * PERCENT, .otherwise = 10 * PERCENT, IN(draft_list, tolerance)}
const struct field draft_fuse_fields[] = {
    {.key = "melting", .kind = FIELD_LIST, IN(draft_list, min)},
    {.key = "clearing", .kind = FIELD_LIST, IN(draft_list, max)},
    LIST_TOLERANCE,
    FIELD_END};
const struct field draft_points_fields[] = {
    {.key = "min", .kind = FIELD_LIST, IN(draft_list, min)},
    {.key = "max", .kind = FIELD_LIST, IN(draft_list, max)},
    LIST_TOLERANCE,
    FIELD_END};
const struct field draft_point_fields[] = {
    {.key = "at", .kind = FIELD_QUANTITY, .quantity = QUANTITY_CURRENT, .required = 1, .least = 1000,
     .most = STAGE_MAX_MA, IN(draft_point, at)},
    {.key = "time", .kind = FIELD_QUANTITY, .quantity = QUANTITY_TIME, .required = 1, .least = NS_PER_US,
     .most = DAY_NS, IN(draft_point, time)},
    FIELD_END};

/* What stands beside the device. */
const struct field draft_conductor_fields[] = {
    {.key = "ampacity", .kind = FIELD_QUANTITY, .quantity = QUANTITY_CURRENT, .required = 1, .least = 1000,
     .most = AMPS_MAX_MA, IN(draft_thermal, rated)},
    TIME("time_constant", NS_PER_S, DAY_NS, IN(draft_thermal, time_constant)),
    FIELD_END};
const struct field draft_transformer_fields[] = {
    {.key = "apparent", .kind = FIELD_QUANTITY, .quantity = QUANTITY_APPARENT, .required = 1,
     .least = 1000000, .most = DRAFT_WATTS_MAX_MW, IN(draft_thermal, rated)},
    TIME("time_constant", NS_PER_S, DAY_NS, IN(draft_thermal, time_constant)),
    FIELD_END};
const struct field draft_ups_fields[] = {
    WATTS("active", IN(draft_ups, active)),
    VOLT_AMPERES("apparent", IN(draft_ups, apparent)),
    {.key = "overload", .kind = FIELD_LIST, IN(draft_ups, overload)},
    FIELD_END};
const struct field draft_overload_fields[] = {
    {.key = "load", .kind = FIELD_QUANTITY, .quantity = QUANTITY_RATIO, .required = 1,
     .least = 101 * PERCENT, .most = 1000 * PERCENT, IN(draft_overload, load)},
    {.key = "time", .kind = FIELD_QUANTITY, .quantity = QUANTITY_TIME, .required = 1, .least = NS_PER_MS,
     .most = DAY_NS, IN(draft_overload, time)},
    FIELD_END};
const struct field draft_generator_fields[] = {
    WATTS("step", IN(draft_generator, step)),
    RAMP("ramp", IN(draft_generator, ramp)),
    FIELD_END};
const struct field draft_ramp_fields[] = {
    RAMP("up", IN(draft_ramp, up)),
    RAMP("down", IN(draft_ramp, down)),
    FIELD_END};
const struct field draft_burst_fields[] = {
    {.key = "level", .kind = FIELD_QUANTITY, .quantity = QUANTITY_RATIO, .least = 100 * PERCENT,
     .most = 150 * PERCENT, .otherwise = 1062500, IN(draft_burst, level)},
    {.key = "credit", .kind = FIELD_QUANTITY, .quantity = QUANTITY_TIME, .least = 0,
     .most = 3 * 3600 * NS_PER_S, .otherwise = 600 * NS_PER_S, IN(draft_burst, credit)},
    FIELD_END};
const struct field draft_state_fields[] = {
    {.key = "id", .kind = FIELD_ID, .required = 1, IN(draft_state, id)},
    WATTS("active", IN(draft_state, active)),
    VOLT_AMPERES("apparent", IN(draft_state, apparent)),
    AMPS("current", IN(draft_state, current)),
    FIELD_END};

const struct shape_map draft_device_shapes[] = {
    {"device", draft_device_fields},           {"long_time", draft_long_time_fields},
    {"short_time", draft_short_time_fields},   {"instantaneous", draft_instantaneous_fields},
    {"ground", draft_ground_fields},           {"relay", draft_relay_fields},
    {"fuse", draft_fuse_fields},               {"points", draft_points_fields},
    {"point", draft_point_fields},             {"conductor", draft_conductor_fields},
    {"transformer", draft_transformer_fields}, {"ups", draft_ups_fields},
    {"overload", draft_overload_fields},       {"generator", draft_generator_fields},
    {"state", draft_state_fields},             {"ramp", draft_ramp_fields},
    {"burst", draft_burst_fields},             {0}};
