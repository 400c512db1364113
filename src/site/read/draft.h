/* SPDX-License-Identifier: Apache-2.0 */
/* The site as written: values with their places, references resolved to draft indices, nothing
 * derived yet. */
#ifndef FLYBALL_SITE_DRAFT_H
#define FLYBALL_SITE_DRAFT_H

#include "site/read/draft_meter.h"
#include "site/read/names.h"
#include "site/read/shape.h"
#include "site/site.h"

/* A device as written. Values only, all of struct value: a node's own are laid over those of its row of
 * `devices:` one by one. */
struct draft_stage {            /* of each, the keys that its stage has */
    struct value pickup, delay, at, i2t, tolerance, memory, clears;
};

struct draft_relay {
    struct value curve, pickup, time_dial, reset, reset_time, reset_exponent, pickup_tolerance,
        time_tolerance;
};

struct draft_list {             /* of a fuse: melting and clearing */
    struct value min, max, tolerance;
};

struct draft_point {
    struct value at, time;
};

struct draft_device {
    struct value rating, rated, trip_unit, profile, long_time_at, short_time_at, instantaneous_at,
        ground_at, relay_at, fuse_at, points_at, opening;
    struct draft_stage long_time, short_time, instantaneous, ground;
    struct draft_relay relay;
    struct draft_list fuse, points;
};

struct draft_device_row {       /* of `devices:` */
    const struct tree *at;
    struct value id;
    struct draft_device device;
};

struct draft_thermal {          /* transformer or conductor */
    struct value rated, time_constant;
};

struct draft_ups {
    struct value active, apparent, overload;
};

struct draft_overload {
    struct value load, time;
};

struct draft_generator {
    struct value step, ramp;
};

struct draft_state {
    struct value id, active, apparent, current;
};

struct draft_settings {
    struct value study, as_left, by;
};

struct draft_other {
    struct value phase[PHASES]; /* mVA */
};

struct draft_ramp {             /* of the sum of caps below a node, or of a contract */
    struct value up, down;
};

struct draft_burst {
    struct value level, credit;
};

struct draft_node {
    const struct tree *at;
    struct value id, kind, parent, parents, phases, volts;
    struct value device_named, rating_power, unlimited, volts_low;
    struct value ambient, conductor_at, transformer_at, ups_at, generator_at, fault, demand, states;
    struct value settings_at, k, other_at, step_at, oversubscribe, ramp_at, burst_at, shed;
    struct draft_device device; /* its own keys over those of the row it names */
    uint32_t device_of;         /* that row, or INDEX_NONE */
    uint32_t shed_of;           /* shed action, its own or policy's, or INDEX_NONE */
    struct draft_thermal conductor, transformer;
    struct draft_ups ups;
    struct draft_generator generator;
    struct draft_settings settings;
    struct draft_ramp ramp;
    struct draft_burst burst;
    int64_t other_mva[PHASES], step_mva[PHASES];
    /* written as one figure: spread when the phases are known */
    int64_t other_total_mva, step_total_mva;
    uint32_t parent_count;
    uint32_t parent_of[PARENTS_MAX];
    uint32_t rank;              /* place in the model */
    uint8_t too_deep;           /* it or a node above it has too many ancestors */
    uint32_t visit;             /* place in a walk down the tree */
    int64_t volts_ll_mv;        /* own or inherited */
    uint32_t phase_count;       /* ditto */
    int64_t volts_low_ppm;      /* ditto */
};

/* Power supplies of a host: all carry, or one cord carries all and the others wait. */
enum draft_psu { PSU_SHARED, PSU_HOT_SPARE };

struct draft_type {
    const struct tree *at;
    struct value id, cap, cap_min, cap_max, base, overshoot, efficiency, phys_max, input_max, inrush,
        power_factor, actuation, quantum, psus_needed, psu;
    struct value fail_safe, floor, ramp_up, ramp_down, hysteresis;
};

struct draft_cord {
    const struct tree *at;
    struct value node, phases, psus, share;
    uint32_t node_of;
};

struct draft_row {              /* of hosts: one line, `count` hosts */
    const struct tree *at;
    struct value id, count, type, cord, cords, phases, address, udp, mac, weight, fail_safe, floor,
        single_corded, tier, job;
    uint32_t type_of;
    uint32_t cord_count;
    struct draft_cord cords_of[CORDS_MAX];
    uint32_t ipv4;
    uint8_t mac_of[6];
};

struct draft_host {
    char name[NAME_BYTES];
    uint32_t row;
    uint32_t ordinal;           /* from 0 in its row */
};

struct draft_link {             /* a name behind hosts, meters or links */
    uint32_t gear, end;         /* enum site_end */
    uint32_t index;             /* draft host, row (`of_row`), draft meter or gear */
    bool of_row;
};

struct draft_gear {             /* a row of infrastructure, or a server that names its cords */
    const struct tree *at;
    struct value id, kind, cords, hosts, meters, links;
    struct draft_feed feed;
};

struct draft_hold {
    struct value least, most;
};

struct draft_damper {
    struct value window, changes;
};

struct draft_policy {
    struct value lease, report, tick, raise, clear, age_bound, rho, demand_hold, demand_headroom;
    struct value oversubscribe, headroom, hold_at, damper_at, feed_stable, fail_safe, shed, let_go;
    struct draft_hold hold;
    struct draft_damper damper;
};

struct draft_band {
    struct value high, low;
};

struct draft_detect {
    struct value at[5];         /* power, current, sag, swell, dp_dt: subtrees */
    struct draft_band band[5];
};

struct draft_loss {             /* of may_lose: a node by its id, or a mapping */
    struct value node, reserve, witness;
    uint32_t node_of, witness_of;           /* draft node and meter, or INDEX_NONE */
};

struct draft_redundancy {
    struct value scheme, may_lose, reserve, catcher;
    uint32_t catcher_of;        /* draft node, or INDEX_NONE */
    uint32_t lost_count;
    struct draft_loss lost[CONTINGENCIES_MAX - 1];
};

/* What becomes of caps that are not written: as low as may be, computed, or computed where all lends. */
enum draft_fail_safe { FAIL_SAFE_AUTO, FAIL_SAFE_LOWEST, FAIL_SAFE_LARGEST };

enum draft_reserve { RESERVE_KEEP, RESERVE_LEND };

struct draft_auth {
    struct value hosts, meters; /* places in {none, required} */
};

struct draft_time {
    struct value source, ptp, domain, phc, grandmaster, lock_within, lock_after, lost_after, budget, drift,
        meter_within, meter_drift;
};

struct draft_sag {
    struct value volts;
};

struct draft_alert {
    const struct tree *at;
    struct value id, when, node, meter, kind, hysteresis, severity;
    uint32_t node_of, meter_of; /* draft node and meter, or INDEX_NONE */
    struct when_program program;
};

struct draft_contract {
    const struct tree *at;
    struct value id, node, nodes, cap, ramp_at, from, to, days;
    struct draft_ramp ramp;
    bool whole;                 /* all nodes that nothing feeds */
    uint32_t node_count;
    uint32_t node_of[ORDER_NODES_MAX];
    int64_t from_s, to_s;       /* of the day */
    uint8_t days_of;            /* bit 0: Monday */
};

struct draft_shed {
    const struct tree *at;
    struct value id, command, timeout, tries, again, restore, restore_after;
    struct site_command words, restore_words;
};

/* What a node says that has no shed action on purpose. */
#define DRAFT_SHED_NONE "none"

struct draft {
    struct findings *errors, *warnings;
    bool unmeasured;            /* T_fresh that has yet to be measured is no error */
    struct scratch scratch;
    const struct tree *root;
    struct value name, mode, policy_at, detect_at, nodes_at, types_at, hosts_at, meters_at, redundancy_at,
        servers_at, gear_at, devices_at, sag_at, contracts_at, sheds_at, alerts_at,
        auth_at, time_at;
    struct draft_policy policy;
    struct draft_detect detect;
    struct draft_redundancy redundancy;
    struct draft_sag sag;
    struct draft_auth auth;
    struct draft_time time;
    struct site_clock clock;        /* what it comes to */
    uint32_t contract_count;
    struct draft_contract *contract;
    uint32_t shed_count;
    struct draft_shed *shed;
    uint32_t alert_count;
    struct draft_alert *alert;
    struct names node_names, type_names, host_names, row_names, meter_names, gear_names, device_names,
        contract_names, shed_names, alert_names;
    uint32_t device_count;
    struct draft_device_row *device;
    uint32_t node_count, type_count, row_count, host_count, meter_count;
    struct draft_node *node;
    struct draft_type *type;
    struct draft_row *row;
    struct draft_host *host;
    struct draft_meter *meter;
    uint32_t gear_count, link_count;
    struct draft_gear *gear;
    struct draft_link *link;
    uint32_t driver_count;
    struct site_driver driver[SITE_DRIVERS_MAX];
    uint32_t *node_order;       /* place in the model -> draft index */
    uint32_t *host_order;
    uint32_t *type_order;
};

/* Words of the schema, in the order of their enums. */
extern const char *const draft_kind_words[];
extern const char *const draft_trip_unit_words[];   /* from DEVICE_ELECTRONIC on */
extern const char *const draft_phase_words[];
enum { RATED_80, RATED_100 };
#define DRAFT_WATTS_MAX_MW INT64_C(1000000000000)

/* The tables of each reader, for site/read/shape.h; each ends with {0}. */
extern const struct shape_map draft_top_shapes[], draft_node_shapes[], draft_device_shapes[],
    draft_type_shapes[], draft_host_shapes[], draft_meter_shapes[], draft_channel_shapes[],
    draft_gear_shapes[],
    draft_measured_shapes[], draft_server_shapes[], draft_redundancy_shapes[], draft_contract_shapes[],
    draft_shed_shapes[], draft_alert_shapes[], draft_time_shapes[];

/* Of nodes and devices (read_keys.c). */
extern const struct field draft_ramp_fields[], draft_burst_fields[], draft_node_fields[],
    draft_device_fields[], draft_long_time_fields[], draft_short_time_fields[], draft_instantaneous_fields[],
    draft_ground_fields[], draft_relay_fields[], draft_fuse_fields[], draft_points_fields[],
    draft_point_fields[], draft_conductor_fields[], draft_transformer_fields[], draft_ups_fields[],
    draft_overload_fields[], draft_generator_fields[], draft_state_fields[];

/* any: the two fields of band `i` of detect: and their end; returns its key. */
const char *draft_band_fields(uint32_t i, struct field fields[3]);

/* any: a value's text for a message, "?" where it is missing or was refused. */
static inline const char *draft_text(const struct value *value)
{
    return value->at && value->text ? value->text : "?";
}

/* setup: each reads one section; faults become findings. All return 0 or -ENOMEM. */
int draft_read_top(struct draft *d);
int draft_read_policy(struct draft *d);
int draft_read_devices(struct draft *d);
int draft_read_nodes(struct draft *d);
int draft_read_types(struct draft *d);
int draft_read_hosts(struct draft *d);
int draft_read_meters(struct draft *d);
int draft_read_alerts(struct draft *d);

/* setup: what a meter's protocol asks for: names, thresholds, corrections. */
void draft_read_protocol(struct draft *d, struct draft_meter *m, uint32_t index);
int draft_read_redundancy(struct draft *d);
int draft_read_contracts(struct draft *d);
int draft_read_gear(struct draft *d);
int draft_read_sheds(struct draft *d);
int draft_read_time(struct draft *d);

/* setup: the shed action that is named, INDEX_NONE for none; an unknown one becomes a finding. */
uint32_t draft_shed_of(struct draft *d, const struct value *named);

/* setup: what stands in the mappings of a device's keys, then the row of `devices:` it names is laid under
 * it (INDEX_NONE: none). */
void draft_read_device(struct draft *d, struct draft_device *device);
void draft_lay_device(struct draft_device *over, const struct draft_device *row);

/* setup: relations between the keys of one device, laid over its row. `node` NULL: a row for itself, which
 * may leave things to its nodes. */
void draft_check_device(struct draft *d, const struct draft_device *device, const struct draft_node *node);

/* any: what kind of device these keys say (enum device_kind). */
uint8_t draft_device_kind(const struct draft_device *device);

/* setup: the points of one list, ascending; faults become findings. Returns their number. */
uint32_t draft_read_points(struct draft *d, const char *key, const struct value *list,
                           struct device_point point[DEVICE_POINTS_MAX]);

/* setup: equipment at a node: what its mappings say; then its lists into what is empty, once more when
 * they are known good. */
void draft_read_equipment(struct draft *d, struct draft_node *n);
void draft_read_overloads(struct draft *d, const struct value *list, struct site_equipment *into);
void draft_read_states(struct draft *d, const struct value *list, struct site_equipment *into);

/* setup: a mapping or, where it stands instead, the value of its first field; values absent get their
 * defaults. Returns the number of faults. */
uint32_t draft_read_short(struct draft *d, const struct field *fields, const struct tree *at,
                          const char *key, void *into);

/* setup: up and down of one `ramp:`, one of them at least; absent ones are 0. */
void draft_read_ramp(struct draft *d, const struct value *ramp, struct draft_ramp *into);

/* setup: a list of nodes as cords; faults become findings. Returns their number. */
uint32_t draft_read_feed(struct draft *d, const struct value *cords, struct draft_feed *feed);

int draft_read_server(struct draft *d, const char *name, struct site_server *server);
void draft_read_measured(struct draft *d, const struct tree *at, struct measured *measured);

/* setup: one cap against the range of its type, one floor against its fail-safe cap. */
void draft_check_cap(struct draft *d, const char *key, const struct value *cap, const struct draft_type *t);
void draft_check_floor(struct draft *d, const struct value *floor, const struct value *fail_safe,
                       const struct draft_type *t);

/* setup: after the sections. Ranks and orders; cycles become findings. */
int draft_order_nodes(struct draft *d);
int draft_order_hosts(struct draft *d);

/* setup: parses "203.0.113.11"; 0 or -EINVAL. */
int address_parse_ipv4(const char *text, uint32_t *ipv4);
/* setup: the same with or without "/24" behind it (8 to 30); a prefix of 0 when there is none. */
int address_parse_ipv4_prefix(const char *text, uint32_t *ipv4, uint32_t *prefix);
int address_parse_mac(const char *text, uint8_t mac[6]);

/* setup: an array for the items of a list section; -ENOMEM, or 0. A section that is absent has no items. */
int draft_take_rows(struct draft *d, const struct value *section, size_t bytes, uint32_t most,
                    const char *noun, void **rows, uint32_t *count);

#endif
