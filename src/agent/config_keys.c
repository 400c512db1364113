/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/config_keys.h"

#define PLACE(member) .at = offsetof(struct config, member), .bytes = sizeof(((struct config *)NULL)->member)
#define POWER(key, member, low, word) \
    {.name = key, .kind = CONFIG_QUANTITY, .quantity = QUANTITY_POWER, PLACE(member), .least = low, \
     .most = POWER_MOST_MW, .fallback = word}
#define TIME(key, member, low, high, word) \
    {.name = key, .kind = CONFIG_QUANTITY, .quantity = QUANTITY_TIME, PLACE(member), .least = low, \
     .most = high, .fallback = word}

#define RAMP(key, member) \
    {.name = key, .kind = CONFIG_QUANTITY, .quantity = QUANTITY_RAMP, PLACE(member), .least = 0, \
     .most = RAISE_MOST_W, .fallback = "0 W/s"}

#define POWER_MOST_MW INT64_C(1000000000)       /* of one host */
#define RAISE_MOST_W  INT64_C(1000000000)

const struct config_row config_rows[] = {
    {.name = "host", .kind = CONFIG_TEXT, PLACE(host)},
    {.name = "id", .kind = CONFIG_COUNT, PLACE(agent.holder.host), .least = 0, .most = HOSTS_MAX - 1},
    {.name = "controller", .kind = CONFIG_ADDRESS, PLACE(controller)},
    {.name = "listen", .kind = CONFIG_ADDRESS, PLACE(listen)},
    POWER("fail_safe", agent.holder.fail_safe_mw, 1, NULL),
    POWER("phys_max", agent.holder.phys_max_mw, 1, NULL),
    POWER("cap_min", agent.cap_min_mw, 0, NULL),
    POWER("cap_max", agent.holder.cap_max_mw, 1, NULL),
    TIME("lease", lease_ns, 60 * NS_PER_MS, 600 * NS_PER_S, "1 s"),
    TIME("report", agent.holder.report_ns, 10 * NS_PER_MS, 100 * NS_PER_S, "100 ms"),
    TIME("actuation", agent.holder.actuation_ns, NS_PER_MS, 60 * NS_PER_S, NULL),
    RAMP("raise_rate", agent.raise_mw_per_s),
    TIME("raise_every", agent.raise_every_ns, 0, 600 * NS_PER_S, "0 s"),
    {.name = "actuator", .kind = CONFIG_ACTUATOR, PLACE(actuator), .fallback = "nvml"},
    {.name = "device", .kind = CONFIG_DEVICE, PLACE(device), .fallback = ""},
    {.name = "devices", .kind = CONFIG_COUNT, PLACE(devices), .least = 1, .most = HOST_DEVICES_MAX,
     .fallback = ""},
    {.name = "sysfs", .kind = CONFIG_PATH, PLACE(place.root), .fallback = ""},
    {.name = "dry_devices", .kind = CONFIG_COUNT, PLACE(place.dry_devices), .least = 1,
     .most = HOST_DEVICES_MAX, .fallback = "1"},
    POWER("dry_min", place.dry_min_mw, 1, "100 W"),
    POWER("dry_max", place.dry_max_mw, 1, "700 W"),
    {.name = "dry_file", .kind = CONFIG_PATH, PLACE(place.dry_file), .fallback = ""},
    POWER("base", agent.base_mw, 0, "0 W"),
    {.name = "efficiency", .kind = CONFIG_QUANTITY, .quantity = QUANTITY_RATIO, PLACE(agent.efficiency_ppm),
     .least = PPM / 2, .most = PPM, .fallback = "100 %"},
    {.name = "psu", .kind = CONFIG_SUPPLY, PLACE(supplies), .fallback = ""},
    {.name = "smoothing", .kind = CONFIG_SWITCH, PLACE(agent.smoothing), .fallback = "off"},
    RAMP("ramp_up", agent.smooth.ramp_up_mw_per_s),
    RAMP("ramp_down", agent.smooth.ramp_down_mw_per_s),
    TIME("hysteresis", agent.smooth.hysteresis_ns, 0, 60 * NS_PER_S, "0 s"),
    POWER("ballast", agent.ballast_mw, 0, "0 W"),
    {.name = "ballast_threads", .kind = CONFIG_COUNT, PLACE(ballast_threads), .least = 1,
     .most = BALLAST_THREADS_MAX, .fallback = "1"},
    {.name = "let_go", .kind = CONFIG_SWITCH, PLACE(agent.let_go), .fallback = "off"},
    {.name = "watchdog", .kind = CONFIG_REQUIRED, PLACE(agent.watchdog_required), .fallback = "required"},
    {.name = "state", .kind = CONFIG_PATH, PLACE(state), .fallback = "/var/lib/flyball-agent"},
    {.name = "run", .kind = CONFIG_PATH, PLACE(run), .fallback = "/run/flyball-agent"},
    TIME("history", history_ns, 0, 168 * 3600 * NS_PER_S, "24 h"),
    {.name = "ask_group", .kind = CONFIG_TEXT, PLACE(ask_group), .fallback = ""},
    {.name = "cgroups", .kind = CONFIG_PATH, PLACE(cgroups), .fallback = "/sys/fs/cgroup"},
    {.name = "keys", .kind = CONFIG_PATH, PLACE(keys), .fallback = ""},
    {0},
};

_Static_assert(sizeof config_rows / sizeof config_rows[0] <= CONFIG_KEYS_MAX, "config.c notes each line");
