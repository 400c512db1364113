/* SPDX-License-Identifier: Apache-2.0 */
/* Random devices with sensible settings: every kind, curve and reset law that a site file can give. */
#ifndef FLYBALL_BENCH_HEAT_DEVICE_H
#define FLYBALL_BENCH_HEAT_DEVICE_H

#include "msg/model.h"
#include "sim/random.h"
#include "site/device.h"

/* X(symbol, name) */
#define HEAT_KINDS(X) \
    X(HEAT_ABB_MEMORY, "electronic, ABB, memory") \
    X(HEAT_ABB, "electronic, ABB") \
    X(HEAT_SCHNEIDER_MEMORY, "electronic, Schneider, memory") \
    X(HEAT_SCHNEIDER, "electronic, Schneider") \
    X(HEAT_THERMAL_MAGNETIC, "thermal-magnetic") \
    X(HEAT_RELAY_AT_ONCE, "relay, reset at once") \
    X(HEAT_RELAY_DEFINITE, "relay, definite reset") \
    X(HEAT_RELAY_DEPENDENT, "relay, dependent reset") \
    X(HEAT_FUSE, "fuse") \
    X(HEAT_POINTS, "point list") \
    X(HEAT_TRANSFORMER, "electronic and transformer") \
    X(HEAT_CONDUCTOR, "electronic and conductor") \
    X(HEAT_UPS, "electronic and UPS")

enum heat_kind {
#define HEAT_KIND_SYMBOL(symbol, name) symbol,
    HEAT_KINDS(HEAT_KIND_SYMBOL)
#undef HEAT_KIND_SYMBOL
    HEAT_KIND_COUNT
};

struct heat_device {
    enum heat_kind kind;
    struct site_device set;
    struct site_equipment equipment;
    struct model_node node;         /* volts, phases, rating, and what the product compiled */
    struct breaker_curve curve[BREAKER_ELEMENTS_MAX];
    int64_t steady_ma;              /* steady_limit of safety.md section 2, worked out here */
    double scale_a;                 /* what pulses are counted in: Ir, pickup, first point */
};

const char *heat_kind_name(enum heat_kind kind);

/* setup: settings only; what the product makes of them is the caller's to ask for. */
void heat_device_draw(struct heat_device *device, struct random *random);

/* setup: 0, or what curve_compile says. */
int heat_device_compile(struct heat_device *device);

#endif
