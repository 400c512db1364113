/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/probe.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "act/act.h"
#include "agent/word.h"

enum { CALLS = 20 };

struct times {
    int64_t least_ns, most_ns, sum_ns;
};

static void note(struct times *times, int64_t took_ns)
{
    times->least_ns = times->sum_ns && times->least_ns < took_ns ? times->least_ns : took_ns;
    times->most_ns = times->most_ns > took_ns ? times->most_ns : took_ns;
    times->sum_ns += took_ns;
}

static void print_times(const char *name, const struct times *times, FILE *out)
{
    fprintf(out, "    %-10s %8.1f us mean, %.1f to %.1f over %d calls\n", name,
            (double)times->sum_ns / CALLS / NS_PER_US, (double)times->least_ns / NS_PER_US,
            (double)times->most_ns / NS_PER_US, CALLS);
}

static void print_sample(const struct act_sample *sample, FILE *out)
{
    if (sample->valid & ACT_READ_DRAW)
        fprintf(out, "    draws      %.3f W\n", (double)sample->draw_mw / 1e3);
    if (sample->valid & ACT_READ_AVERAGE)
        fprintf(out, "    average    %.3f W over %.3f s\n", (double)sample->average_mw / 1e3,
                (double)sample->average_ns / 1e9);
    if (sample->valid & ACT_READ_ENERGY)
        fprintf(out, "    energy     %.3f J\n", (double)sample->energy_mj / 1e3);
    if (sample->valid & ACT_READ_TEMPERATURE)
        fprintf(out, "    at         %.1f C\n", (double)sample->temperature_mc / 1e3);
    if (sample->valid & ACT_READ_CLOCK)
        fprintf(out, "    clock      %u MHz\n", sample->clock_mhz);
    if (sample->valid & ACT_READ_THROTTLE)
        fprintf(out, "    held down  %s%s%s%s%s\n", sample->throttle ? "" : "by nothing",
                sample->throttle & ACT_THROTTLE_CAP ? "by a cap " : "",
                sample->throttle & ACT_THROTTLE_HARDWARE ? "by a hardware brake " : "",
                sample->throttle & ACT_THROTTLE_THERMAL ? "by heat " : "",
                sample->throttle & ACT_THROTTLE_OTHER ? "by clocks that were set" : "");
}

static void print_features(uint32_t features, FILE *out)
{
    const struct { uint32_t feature; const char *words; } known[] = {
        {ACT_SETTABLE, "settable"}, {ACT_ONLY_LOWER, "only lower"}, {ACT_INSTANT_POWER, "instant power"},
        {ACT_ENERGY, "energy"}, {ACT_SMOOTHING, "smoothing"}, {ACT_STAGED, "staged descent"}};
    fputs("    can        ", out);
    const char *between = "";
    for (uint32_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (features & known[i].feature) {
            fprintf(out, "%s%s", between, known[i].words);
            between = ", ";
        }
    }
    fputs(*between ? "\n" : "be read\n", out);
}

/* What comes to be in force when somebody else's lower limit goes; none of one that cannot tell. */
static void print_kept(struct act *act, uint32_t device, FILE *out)
{
    int64_t kept_mw = 0;
    if (!act->driver->kept || act->driver->kept(act, device, &kept_mw))
        return;
    if (kept_mw >= ACT_NO_CAP_MW)
        fprintf(out, "    kept       no cap\n");
    else
        fprintf(out, "    kept       %.3f W\n", (double)kept_mw / 1e3);
}

static void probe_device(struct act *act, uint32_t i, FILE *out)
{
    const struct act_device *device = &act->device[i];
    struct times looks = {0}, samples = {0};
    struct act_sample sample = {0};
    int64_t enforced_mw = 0;
    int looked = 0, sampled = 0;
    fprintf(out, "  %s\n", device->identity);
    print_features(device->features, out);
    fprintf(out, "    range      %.3f W to %.3f W, default %.3f W\n", (double)device->min_mw / 1e3,
            (double)device->max_mw / 1e3, (double)device->default_mw / 1e3);
    for (int call = 0; call < CALLS; call++) {
        int64_t began_ns = word_monotonic_ns();
        looked = act->driver->read_back(act, i, &enforced_mw);
        int64_t between_ns = word_monotonic_ns();
        sampled = act->driver->sample(act, i, &sample);
        note(&looks, between_ns - began_ns);
        note(&samples, word_monotonic_ns() - between_ns);
    }
    if (looked)
        fprintf(out, "    in force   cannot be read: %s\n", strerror(-looked));
    else if (enforced_mw >= ACT_NO_CAP_MW)
        fprintf(out, "    in force   no cap\n");
    else
        fprintf(out, "    in force   %.3f W\n", (double)enforced_mw / 1e3);
    print_kept(act, i, out);
    if (sampled)
        fprintf(out, "    sample     cannot be read: %s\n", strerror(-sampled));
    else
        print_sample(&sample, out);
    print_times("read back", &looks, out);
    print_times("sample", &samples, out);
}

static bool probe_driver(const struct act_driver *driver, FILE *out)
{
    const struct act_place place = {.read_only = true};
    struct act act;
    char why[ACT_WHY_BYTES] = "";
    int64_t began_ns = word_monotonic_ns();
    int error = act_open(&act, driver, &place, why);
    int64_t took_ns = word_monotonic_ns() - began_ns;
    fprintf(out, "%s: %s\n", driver->name, driver->summary);
    if (error) {
        fprintf(out, "  not here: %s\n", *why ? why : strerror(-error));
        return false;
    }
    fprintf(out, "  %u devices, opened in %.1f ms%s%s\n", act.count, (double)took_ns / NS_PER_MS,
            *why ? "; " : "", why);
    for (uint32_t i = 0; i < act.count; i++)
        probe_device(&act, i, out);
    bool found = act.count > 0;
    act_close(&act);
    return found;
}

int probe_all(const char *name, FILE *out, FILE *report)
{
    bool found = false;
    if (name && !act_find(name)) {
        fprintf(report, "flyball-agent: no actuator '%s'; there are", name);
        for (const struct act_driver *const *driver = act_drivers; *driver; driver++)
            fprintf(report, " %s", (*driver)->name);
        fputc('\n', report);
        return -ENOENT;
    }
    for (const struct act_driver *const *driver = act_drivers; *driver; driver++) {
        bool wanted = name ? !strcmp((*driver)->name, name) : strcmp((*driver)->name, "dry") != 0;
        if (wanted)
            found |= probe_driver(*driver, out);
    }
    return found ? 0 : -ENOENT;
}
