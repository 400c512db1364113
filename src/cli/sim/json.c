/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "cli/sim/command.h"
#include "cli/sim/show.h"

/* null where there is nothing to divide by. */
static json_t *ratio(double part, double whole)
{
    return whole > 0 && isfinite(part) ? json_real(part / whole) : json_null();
}

static json_t *real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *faults_json(const struct sim_run *run, const struct history *history)
{
    json_t *all = json_array();
    char text[160];
    for (uint32_t i = 0; i < history->count; i++) {
        fault_text(&history->fault[i], &run->site.model, text, sizeof text);
        json_array_append_new(all, json_string(text));
    }
    return all;
}

static json_t *trips_json(const struct sim_run *run)
{
    json_t *all = json_array();
    for (uint32_t i = 0; i < run->outcome.trip_count && i < TRIPS_MAX; i++) {
        const struct grid_trip *trip = &run->outcome.trip[i];
        json_array_append_new(all, json_pack("{s:f, s:s, s:s, s:s, s:f}", "t_s", (double)trip->t_ns / 1e9,
                                             "node", run->site.model.node[trip->node].name, "device",
                                             trip->device, "element", trip_element_name(trip->element),
                                             "amperes", trip->amperes));
    }
    return all;
}

static json_t *judgements_json(const struct sim_run *run)
{
    json_t *all = json_array();
    for (uint32_t i = 0; i < run->judgement_count; i++) {
        const struct judgement *judgement = &run->judgement[i];
        json_array_append_new(all, json_pack("{s:s, s:o, s:f, s:b}", "what", judgement->what, "measured",
                                             real(judgement->measured),
                                             judgement->at_least ? "at_least" : "at_most",
                                             judgement->bound, "holds", !judgement->broken));
    }
    return all;
}

/* A command as text. */
static json_t *command_json(const struct sim_run *run, const struct sim_shrunk *shrunk)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    if (!out)
        return NULL;
    if (shrunk)
        sim_command_of(run, &shrunk->history, shrunk->until_ns, out);
    else
        sim_command(run, out);
    fclose(out);
    json_t *command = json_string(text);
    free(text);
    return command;
}

static json_t *figures_json(const struct outcome *outcome)
{
    const struct figures *figures = &outcome->figures;
    return json_pack("{s:I, s:I, s:I, s:f, s:o, s:f, s:f, s:f, s:f, s:f, s:I, s:f}",
                     "trips", (json_int_t)figures->trips, "guard_hits", (json_int_t)figures->guard_hits,
                     "exposure_short", (json_int_t)figures->exposure_short,
                     "recovery_s", (double)figures->recovery_ns / 1e9, "heat", real(figures->worst_heat),
                     "overshoot_w", figures->overshoot_w, "over_ms", (double)figures->over_ns / 1e6,
                     "throttled_fraction", figures->throttled, "useful_fraction", figures->useful,
                     "tightness_p99", figures->tightness_p99, "tightness_samples",
                     (json_int_t)figures->samples, "sim_speed_x", figures->speed);
}

/* Of all controllers that lived. */
static json_t *governor_json(const struct core_counters *count)
{
    json_t *all = json_object();
#define COUNTER_JSON(field, name, meaning) \
    json_object_set_new(all, name, json_integer((json_int_t)count->field));
    CORE_COUNTERS(COUNTER_JSON)
#undef COUNTER_JSON
    return all;
}

static json_t *energy_json(const struct sim_run *run)
{
    double energy_j = run->outcome.energy_j;
    return json_pack("{s:f, s:f, s:o, s:o, s:o}", "energy_wh", energy_j / 3600, "demand_wh",
                     run->outcome.demand_j / 3600, "energy_vs_derated",
                     ratio(energy_j, run->baseline_j[SIM_DERATED]), "energy_vs_static",
                     ratio(energy_j, run->baseline_j[SIM_STATIC]), "energy_vs_oracle",
                     ratio(energy_j, run->baseline_j[SIM_ORACLE]));
}

static json_t *run_json(const struct sim_run *run)
{
    const struct scenario *scenario = run->options->scenario;
    return json_pack("{s:b, s:s, s:s, s:s, s:s?, s:s?, s:I, s:f, s:f, s:I}", "ok", run->broken == 0, "site",
                     run->site.model.name, "site_mode", site_mode_names[run->site_mode], "workload",
                     run->workload.name, "scenario", scenario ? scenario->name : NULL, "faults",
                     run->options->random ? history_level_name(run->options->level) : NULL, "seed",
                     (json_int_t)run->workload.seed, "hours", (double)run->until_ns / 3600e9, "warmup_s",
                     (double)run->workload.warmup_ns / 1e9, "hosts", (json_int_t)run->site.model.host_count);
}

static json_t *shrunk_json(const struct sim_run *run, const struct sim_shrunk *shrunk)
{
    if (!shrunk)
        return json_null();
    return json_pack("{s:o, s:f, s:I, s:o}", "fault", faults_json(run, &shrunk->history), "until_s",
                     (double)shrunk->until_ns / 1e9, "runs", (json_int_t)shrunk->runs, "command",
                     command_json(run, shrunk));
}

int sim_json(const struct sim_run *run, const struct sim_shrunk *shrunk, FILE *out)
{
    json_t *all = run_json(run), *figures = figures_json(&run->outcome), *energy = energy_json(run);
    int failed = !all || json_object_update(all, figures) || json_object_update(all, energy) ||
        json_object_set_new(all, "trip", trips_json(run)) ||
        json_object_set_new(all, "missed", json_integer((json_int_t)run->outcome.missed)) ||
        json_object_set_new(all, "governor", governor_json(&run->outcome.governor)) ||
        json_object_set_new(all, "fault", faults_json(run, &run->history)) ||
        json_object_set_new(all, "bounds", judgements_json(run)) ||
        json_object_set_new(all, "command", command_json(run, NULL)) ||
        json_object_set_new(all, "shrunk", shrunk_json(run, shrunk));
    failed = failed || json_dumpf(all, out, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(all);
    json_decref(figures);
    json_decref(energy);
    return failed ? -ENOMEM : 0;
}
