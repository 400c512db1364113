/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/loss/place.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SPARE 0.7               /* what takes over, of a block */
#define FROM "settings_from: {study: bench, as_left: 2026-01-02, by: bench}"

static const char *const scheme_name[] = {
#define LOSS_SCHEME_NAME(symbol, name) [symbol] = name,
    LOSS_SCHEMES(LOSS_SCHEME_NAME)
#undef LOSS_SCHEME_NAME
};

static const char *const device_name[] = {
#define LOSS_DEVICE_NAME(symbol, name) [symbol] = name,
    LOSS_DEVICES(LOSS_DEVICE_NAME)
#undef LOSS_DEVICE_NAME
};

const char *loss_scheme_name(enum loss_scheme scheme)
{
    return scheme_name[scheme];
}

const char *loss_device_name(enum loss_device device)
{
    return device_name[device];
}

__attribute__((format(printf, 2, 3))) static void put(struct place *place, const char *format, ...)
{
    size_t length = strlen(place->text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(place->text + length, sizeof place->text - length, format, arguments);
    va_end(arguments);
}

/* From low to high, as often below their geometric mean as above it. */
static double log_between(struct random *random, double low, double high)
{
    return low * pow(high / low, random_unit(random));
}

static uint32_t pick(struct random *random, uint32_t count)
{
    uint32_t index = (uint32_t)(random_unit(random) * count);
    return index < count ? index : count - 1;
}

/* Times that let a few hundred per cent through for seconds: what is lent is bound by them. */
static void put_device(struct place *place, const char *id, double amperes, double slow)
{
    put(place, "  - {id: %s, rating: %.0fA, ", id, amperes);
    switch (place->device) {
    case LOSS_SCHNEIDER:
        put(place, "rated: 100%%, profile: schneider, long_time: {pickup: %.0fA, delay: %.0fms}, "
            "short_time: {pickup: %.0fA, delay: 150ms}}\n", amperes, 300 + 900 * slow, 8 * amperes);
        break;
    case LOSS_ABB:
    case LOSS_UPS:
        put(place, "rated: 100%%, long_time: {pickup: %.0fA, delay: %.0fms}, instantaneous: %.0fA}\n",
            amperes, 300 + 900 * slow, 8 * amperes);
        break;
    case LOSS_TIMER:
        put(place, "long_time: {pickup: %.0fA, delay: %.0fms, memory: no}, instantaneous: %.0fA}\n",
            amperes, 300 + 900 * slow, 8 * amperes);
        break;
    case LOSS_DEFINITE:
        put(place, "rated: 100%%, long_time: {pickup: %.0fA, delay: 6s}, "
            "short_time: {pickup: %.0fA, delay: 200ms}}\n", amperes, (1.5 + 0.5 * slow) * amperes);
        break;
    case LOSS_THERMAL_MAGNETIC:
        put(place, "trip_unit: thermal_magnetic, long_time: {pickup: %.0fA, delay: %.0fs, at: 2}, "
            "instantaneous: {pickup: %.0fA, tolerance: 20%%}}\n", amperes, 4 + 12 * slow, 10 * amperes);
        break;
    default:
        put(place, "rated: 100%%, trip_unit: relay, long_time: %.0fA, relay: {curve: iec_vi, pickup: %.0fA, "
            "time_dial: %.2f}}\n", amperes, 1.2 * amperes, 0.05 + 0.15 * slow);
    }
}

static void put_feed(struct place *place, const char *name)
{
    bool ups = place->device == LOSS_UPS;
    bool spare = !strcmp(name, "spare");
    put(place, "  - {id: %s, kind: %s, volts: 480V, device: %s, oversubscribe: yes, " FROM, name,
        ups ? "ups" : "main", spare ? "small" : "large");
    if (ups)
        put(place, ", ups: {apparent: %.0fkVA, overload: [{load: 125%%, time: 60s}, {load: 150%%, time: 5s}, "
            "{load: 200%%, time: 2s}]}", spare ? 208 * SPARE : 208);
    put(place, "}\n");
}

static void put_nodes(struct place *place)
{
    char name[16];
    put(place, "nodes:\n");
    for (uint32_t i = 0; i < place->blocks; i++) {
        snprintf(name, sizeof name, "f%u", i);
        put_feed(place, name);
    }
    if (place->scheme != LOSS_CATCHER)
        return;
    put_feed(place, "spare");
    for (uint32_t i = 0; i < place->blocks; i++)
        put(place, "  - {id: s%u, kind: distribution, parents: [f%u, spare], unlimited: yes}\n", i, i);
}

/* A twelfth of what a feed carries for long, and more: few hosts are quickly played. */
static void put_hosts(struct place *place, struct random *random)
{
    uint32_t groups = place->blocks == 2 ? 1 : place->blocks;
    double share = place->scheme == LOSS_2N ? 1 : place->scheme == LOSS_CATCHER ? 1 : 0.7;
    double phys_kw = share * (22 + 20 * random_unit(random));
    put(place, "host_types:\n  - {id: box, cap: {min: %.0fW, max: %.0fW}, base: %.0fW, overshoot: 5%%, "
        "efficiency: 96%%, phys_max: %.0fW, inrush: 1kW, power_factor: 0.98, quantum: 100W, "
        "actuation: %.0fms, psus_needed: 1}\n", phys_kw * 80, phys_kw * 870, phys_kw * 50,
        phys_kw * 1000 + 1, 50 + 100 * random_unit(random));
    put(place, "hosts:\n");
    for (uint32_t i = 0; i < groups; i++) {
        put(place, "  - {id: g%u, count: %u, type: box, address: 203.0.113.%u, ", i, 24 / groups,
            1 + i * 24);
        if (place->scheme == LOSS_CATCHER)
            put(place, "cord: s%u}\n", i);
        else
            put(place, "cords: [f%u, f%u]}\n", i, (i + 1) % place->blocks);
    }
    if (place->scheme != LOSS_DISTRIBUTED)
        return;
    for (uint32_t i = 0; i < groups; i++)      /* every block leans on two others */
        put(place, "  - {id: h%u, count: 2, type: box, address: 203.0.113.%u, cords: [f%u, f%u]}\n", i,
            201 + 4 * i, i, (i + 2) % place->blocks);
}

static void put_meters(struct place *place, struct random *random)
{
    double error = log_between(random, 0.2, 10);
    int fresh_ms = 50 + (int)(150 * random_unit(random));
    put(place, "meters:\n");
    for (uint32_t i = 0; i < place->blocks; i++)
        put(place, "  - {id: m%u, node: f%u, period: 16ms, fresh: %dms, error: %.2f%%, cords: [f%u, f%u]}\n",
            i, i, fresh_ms, error, i, (i + 1) % place->blocks);
    if (place->scheme == LOSS_CATCHER)
        put(place, "  - {id: mr, node: spare, period: 16ms, fresh: %dms, error: %.2f%%, cords: [f0, f1]}\n",
            fresh_ms, error);
}

static void put_redundancy(struct place *place)
{
    put(place, "redundancy: {scheme: %s, reserve: lend, ", scheme_name[place->scheme]);
    if (place->scheme == LOSS_CATCHER)
        put(place, "catcher: spare, ");
    put(place, "may_lose: [");
    for (uint32_t i = 0; i < place->blocks; i++)
        put(place, "%sf%u", i ? ", " : "", i);
    put(place, "]}\n");
}

void place_draw(struct place *place, struct random *random)
{
    memset(place, 0, sizeof *place);
    place->scheme = (enum loss_scheme)pick(random, LOSS_SCHEME_COUNT);
    place->device = (enum loss_device)pick(random, LOSS_DEVICE_COUNT);
    place->blocks = place->scheme == LOSS_2N ? 2 : place->scheme == LOSS_N_PLUS_1 ? 4 : 3;
    put(place, "site: loss\nmode: enforce\nauth: none\n");
    put(place, "policy: {lease: %.0fms, tick: 20ms, clock_rate_error: 1%%}\n",
        log_between(random, 600, 3000));
    double slow = random_unit(random);
    put(place, "devices:\n");
    put_device(place, "large", 250, slow);
    if (place->scheme == LOSS_CATCHER)
        put_device(place, "small", 250 * SPARE, slow);
    put_nodes(place);
    put_hosts(place, random);
    put_meters(place, random);
    put_redundancy(place);
}

int place_load(const struct place *place, struct site *site)
{
    char path[32];
    size_t bytes = strlen(place->text);
    int file = memfd_create("site", MFD_CLOEXEC);
    if (file < 0)
        return -errno;
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    int result = write(file, place->text, bytes) == (ssize_t)bytes ? 0 : -EIO;
    if (!result)
        result = site_load(site, path, "", stderr);
    close(file);
    return result;
}
