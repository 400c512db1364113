/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sim/show.h"

#include <inttypes.h>
#include <string.h>

#include "cli/sim/command.h"

enum { FAULTS_SHOWN = 40 };

void sim_show_list(FILE *out)
{
    for (uint32_t i = 0; i < scenario_count(); i++) {
        const struct scenario *scenario = scenario_at(i);
        fprintf(out, "%4u  %-28s %-14s %s\n", scenario->number, scenario->name,
                scenario_site_name(scenario->site), scenario->what);
    }
}

static void show_faults(const struct sim_run *run, FILE *out)
{
    const struct history *history = &run->history;
    char text[160];
    if (!history->count)
        fputs("  faults       none\n", out);
    for (uint32_t i = 0; i < history->count && i < FAULTS_SHOWN; i++) {
        fault_text(&history->fault[i], &run->site.model, text, sizeof text);
        if (run->drawn[i] == INDEX_NONE)
            fprintf(out, "  fault        %s\n", text);
        else
            fprintf(out, "  fault %-6u %s\n", run->drawn[i], text);
    }
    if (history->count > FAULTS_SHOWN)
        fprintf(out, "               and %u more; --json has them all\n", history->count - FAULTS_SHOWN);
}

static void show_trips(const struct sim_run *run, FILE *out)
{
    const struct outcome *outcome = &run->outcome;
    for (uint32_t i = 0; i < outcome->trip_count && i < TRIPS_MAX; i++) {
        const struct grid_trip *trip = &outcome->trip[i];
        fprintf(out, "  trip         %.3f s: %s%s%s, %s element, %.0f A on phase %c\n",
                (double)trip->t_ns / 1e9, run->site.model.node[trip->node].name, *trip->device ? " " : "",
                trip->device, trip_element_name(trip->element), trip->amperes, 'A' + (int)trip->phase);
    }
}

static void show_energy(const struct sim_run *run, FILE *out)
{
    static const char *const name[SIM_BASELINES] = {"derated", "static", "oracle"};
    const struct outcome *outcome = &run->outcome;
    const char *comma = ": ";
    fprintf(out, "  energy       %.1f Wh of %.1f Wh wanted", outcome->energy_j / 3600,
            outcome->demand_j / 3600);
    for (int i = 0; i < SIM_BASELINES; i++) {
        if (run->baseline_j[i] <= 0)
            continue;
        fprintf(out, "%s%.3f x %s", comma, outcome->energy_j / run->baseline_j[i], name[i]);
        comma = ", ";
    }
    fputc('\n', out);
}

/* Energy, throttling and tightness count from the end of the warm-up. */
static void show_unmeasured(const struct sim_run *run, FILE *out)
{
    if (run->until_ns <= run->workload.warmup_ns)
        fputs("  measured     nothing but trips, guard hits and exposure: it ends within its warm-up\n", out);
}

static void show_figures(const struct sim_run *run, FILE *out)
{
    const struct figures *figures = &run->outcome.figures;
    fprintf(out, "  trips        %" PRIu64 "\n  guard hits   %" PRIu64 "\n  exposure     %" PRIu64
            " times short of what a host could draw\n", figures->trips, figures->guard_hits,
            figures->exposure_short);
    fprintf(out, "  heat         %.1f %% of a trip\n  over limits  %.0f W at most, %.0f ms at most\n"
            "  recovery     %.3f s at most\n", figures->worst_heat * 100, figures->overshoot_w,
            (double)figures->over_ns / 1e6, (double)figures->recovery_ns / 1e9);
    show_energy(run, out);
    fprintf(out, "  throttled    %.1f %% of host-time; %.1f %% of the work done\n", figures->throttled * 100,
            figures->useful * 100);
    fprintf(out, "  tightness    %.3f at p99 of %" PRIu64 " samples\n  speed        %.0f x real time\n",
            figures->tightness_p99, figures->samples, figures->speed);
    if (run->outcome.missed)
        fprintf(out, "  missed       %" PRIu64 " inputs, while a controller stood still for too long\n",
                run->outcome.missed);
}

static void show_judgements(const struct sim_run *run, FILE *out)
{
    for (uint32_t i = 0; i < run->judgement_count; i++) {
        const struct judgement *judgement = &run->judgement[i];
        if (run->bounds || judgement->broken)
            fprintf(out, "  %-12s %s %.4g%s%s, %s %.4g\n", judgement->broken ? "BROKEN" : "holds",
                    judgement->what, judgement->measured, *judgement->unit ? " " : "", judgement->unit,
                    judgement->at_least ? "at least" : "at most", judgement->bound);
    }
}

void sim_show(const struct sim_run *run, FILE *out)
{
    const struct scenario *scenario = run->options->scenario;
    fprintf(out, "%s: %s, seed %" PRIu64 ", %.1f s (measured from %.1f s), %u hosts\n",
            run->site.model.name, run->workload.name, run->workload.seed, (double)run->until_ns / 1e9,
            (double)run->workload.warmup_ns / 1e9, run->site.model.host_count);
    if (run->site_mode != MODE_ENFORCE)
        fprintf(out, "  mode         enforce is played; the site file says %s\n",
                site_mode_names[run->site_mode]);
    if (scenario)
        fprintf(out, "  scenario     %u %s: %s\n  rule         %s\n", scenario->number, scenario->name,
                scenario->what, scenario->rule);
    traces_print(&run->traces, out);
    show_faults(run, out);
    show_trips(run, out);
    show_unmeasured(run, out);
    show_figures(run, out);
    show_judgements(run, out);
    fputs(run->broken ? "  FAILED       " : "  passed       ", out);
    sim_command(run, out);
    fputc('\n', out);
}

void sim_show_shrunk(const struct sim_run *run, const struct sim_shrunk *shrunk, FILE *out)
{
    char text[160];
    fprintf(out, "shortest history found that fails so, in %u runs: %u faults, %.3f s\n", shrunk->runs,
            shrunk->history.count, (double)shrunk->until_ns / 1e9);
    for (uint32_t i = 0; i < shrunk->history.count; i++) {
        fault_text(&shrunk->history.fault[i], &run->site.model, text, sizeof text);
        fprintf(out, "  fault        %s\n", text);
    }
    fputs("  again        ", out);
    sim_command_of(run, &shrunk->history, shrunk->until_ns, out);
    fputc('\n', out);
}
