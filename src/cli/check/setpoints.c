/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/check/setpoints.h"

#include <stdarg.h>
#include <string.h>

#include "cli/check/study.h"
#include "site/curve/curve.h"

struct list {
    const struct site_device *device;
    struct setpoint *setpoint;
    uint32_t count;
};

static void __attribute__((format(printf, 5, 6))) add(struct list *l, bool assumed, const char *symbol,
                                                      const char *meaning, const char *format, ...)
{
    va_list arguments;

    if (l->count == SETPOINTS_MAX)
        return;
    struct setpoint *s = &l->setpoint[l->count++];

    s->symbol = symbol;
    s->meaning = meaning;
    s->assumed = assumed;
    va_start(arguments, format);
    vsnprintf(s->value, sizeof s->value, format, arguments);
    va_end(arguments);
}

static struct study_text ma(int64_t milli)
{
    return study_amperes((double)milli / 1e3);
}

static struct study_text ns(int64_t nano)
{
    return study_seconds((double)nano / 1e9);
}

static bool assumes(const struct list *l, uint32_t what)
{
    return l->device->assumed & what;
}

static void add_rating(struct list *l)
{
    const struct site_device *d = l->device;

    add(l, false, "In", "rating of the device", "%s", ma(d->rating_ma).text);
    if (d->kind == DEVICE_ELECTRONIC || d->kind == DEVICE_THERMAL_MAGNETIC || d->kind == DEVICE_NONE)
        add(l, assumes(l, ASSUMED_LONG_TIME), "Ir", "long-time pickup", "%s",
            ma(d->long_time_ma ? d->long_time_ma : d->rating_ma).text);
    else if (!assumes(l, ASSUMED_LONG_TIME))
        add(l, false, "long_time", "carried for long, as the file says", "%s", ma(d->long_time_ma).text);
    if (d->ambient_ppm != PPM || !assumes(l, ASSUMED_AMBIENT))
        add(l, false, "ambient", "of the long-time pickup left at the hottest ambient", "%.4g %%",
            (double)d->ambient_ppm / 1e4);
    else
        add(l, true, "ambient", "of the long-time pickup left at the hottest ambient", "100 %%");
}

static void add_long_time(struct list *l)
{
    const struct site_device *d = l->device;

    if (!d->long_time_ns)
        return;
    add(l, false, "tr", "long-time delay, from cold", "%s", ns(d->long_time_ns).text);
    add(l, assumes(l, ASSUMED_AT), "at", "the delay holds at so many times Ir", "%.4g Ir",
        (double)d->long_time_at_ppm / 1e6);
    if (d->kind == DEVICE_ELECTRONIC)
        add(l, assumes(l, ASSUMED_MEMORY), "memory", "thermal memory of long-time", "%s",
            d->thermal_memory ? "kept" : "none");
}

static void add_tolerance(struct list *l, const struct device_stage *stage, const char *of_profile)
{
    if (stage->tolerance_ppm < 0)
        add(l, true, "tolerance", "of that pickup", "%s", of_profile);
    else
        add(l, false, "tolerance", "of that pickup", "%.4g %%", (double)stage->tolerance_ppm / 1e4);
}

static void add_stage(struct list *l, const struct device_stage *stage, const char *const name[4],
                      const char *of_profile)
{
    if (!stage->pickup_ma)
        return;
    add(l, false, name[0], name[1], "%s", ma(stage->pickup_ma).text);
    add(l, false, name[2], name[3], "%s%s", ns(stage->delay_ns).text, stage->i2t ? ", I\xC2\xB2t" : "");
    add_tolerance(l, stage, of_profile);
    if (stage->memory)
        add(l, true, "T_dec", "intermittent current is forgotten with this time constant", "0.5 s");
}

static void add_instantaneous(struct list *l)
{
    const struct site_device *d = l->device;

    if (!d->instantaneous.pickup_ma)
        return;
    add(l, false, "Ii", "instantaneous pickup", "%s", ma(d->instantaneous.pickup_ma).text);
    add_tolerance(l, &d->instantaneous, d->kind == DEVICE_THERMAL_MAGNETIC ? "20 %" : "10 % (profile)");
    add(l, assumes(l, ASSUMED_CLEARS), "clears", "longest total time of instantaneous", "%s",
        ns(d->clears_ns).text);
}

static void add_relay(struct list *l)
{
    static const char *const resets[] = {"at once", "definite", "dependent"};
    const struct device_relay *r = &l->device->relay;

    add(l, false, "curve", "inverse curve", "%s", curve_constants((enum relay_curve)r->curve)->name);
    add(l, false, "Is", "pickup, primary amperes", "%s", ma(r->pickup_ma).text);
    add(l, false, "TD", "time dial or time multiplier", "%.4g", (double)r->time_dial_ppm / 1e6);
    add(l, assumes(l, ASSUMED_RESET), "reset", "reset", "%s", resets[r->reset]);
    if (r->reset_ns)
        add(l, false, "t_r", "reset time", "%s", ns(r->reset_ns).text);
    add(l, assumes(l, ASSUMED_TOLERANCE), "tolerance", "of pickup and time", "%.4g %%, %.4g %%",
        (double)r->pickup_tolerance_ppm / 1e4, (double)r->time_tolerance_ppm / 1e4);
}

static void add_ends(struct list *l, const char *symbol, const char *meaning,
                     const struct device_point *point, uint32_t count)
{
    if (count)
        add(l, false, symbol, meaning, "%u points, %s %s to %s %s", count, ma(point[0].ma).text,
            ns(point[0].ns).text, ma(point[count - 1].ma).text, ns(point[count - 1].ns).text);
}

static void add_points(struct list *l)
{
    const struct site_device *d = l->device;
    bool fuse = d->kind == DEVICE_FUSE;

    add_ends(l, fuse ? "melting" : "min", "shortest times, as printed", d->min, d->min_count);
    add_ends(l, fuse ? "clearing" : "max", "longest times, as printed", d->max, d->max_count);
    if (!d->max_count)
        add(l, assumes(l, ASSUMED_TOLERANCE), "tolerance", "of the currents of that list", "%.4g %%",
            (double)d->points_tolerance_ppm / 1e4);
}

uint32_t setpoints_of(const struct site_device *device, struct setpoint *setpoint)
{
    static const char *const short_time[] = {"Isd", "short-time pickup", "tsd", "short-time delay"};
    static const char *const ground[] = {"Ig", "ground pickup, residual", "tg", "ground delay"};
    struct list l = {device, setpoint, 0};

    add_rating(&l);
    add_long_time(&l);
    if (device->kind == DEVICE_RELAY)
        add_relay(&l);
    if (device->min_count)
        add_points(&l);
    add_stage(&l, &device->short_time, short_time, "7 % up to 6 In, 10 % above (profile)");
    add_instantaneous(&l);
    add_stage(&l, &device->ground, ground, "7 % (profile)");
    if (device->kind != DEVICE_NONE)
        add(&l, assumes(&l, ASSUMED_OPENING), "opening", "of the contacts, added to what must clear", "%s",
            ns(device->opening_ns).text);
    return l.count;
}

const char *setpoints_kind(const struct site_device *device)
{
    static const char *const kind[DEVICE_KIND_COUNT] = {
        [DEVICE_NONE] = "no time-current curve is known", [DEVICE_ELECTRONIC] = "electronic trip unit",
        [DEVICE_THERMAL_MAGNETIC] = "thermal-magnetic",   [DEVICE_RELAY] = "relay",
        [DEVICE_FUSE] = "fuse",                           [DEVICE_POINTS] = "point list",
    };

    if (device->kind != DEVICE_ELECTRONIC)
        return kind[device->kind < DEVICE_KIND_COUNT ? device->kind : DEVICE_NONE];
    return device->profile == PROFILE_SCHNEIDER ? "electronic trip unit, tolerances of profile schneider"
                                                : "electronic trip unit, tolerances of profile abb";
}

void setpoints_line(FILE *out, const struct site_device *device)
{
    struct setpoint setpoint[SETPOINTS_MAX];
    uint32_t count = setpoints_of(device, setpoint);

    fputs(setpoints_kind(device), out);
    for (uint32_t i = 0; i < count; i++) {
        const struct setpoint *s = &setpoint[i];

        /* what is assumed stands in the report; the scale of tr belongs to it all the same */
        if (!strcmp(s->symbol, "at"))
            fprintf(out, " at %s", s->value);
        else if (!s->assumed && strcmp(s->symbol, "tolerance"))
            fprintf(out, "%s %s %s", i ? "," : ":", s->symbol, s->value);
    }
}
