/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/judge.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "core/core.h"
#include "core/draw.h"

#define NEVER_NS INT64_MIN

static const double settled_band = 1.01;

static int64_t thread_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* ---- what leases can come to ---- */

static void add_cord(struct judge *judge, const struct model_host_type *type, const struct model_cord *cord)
{
    const struct model_node *node = &judge->model->node[cord->node];
    int64_t draw_mw = draw_of_cap_mw(type, type->cap_max_mw);
    for (uint32_t i = 0; i < judge->model->contingency_count * PHASES; i++) {
        uint32_t c = i / PHASES, phase = i % PHASES;
        int64_t mva = draw_on_phase_mva(cord, type->pf_min_ppm, c, phase, draw_mw);
        for (uint32_t a = 0; a < node->ancestor_count; a++)
            judge->node[node->ancestor[a]].most_mva[c][phase] += mva;
    }
}

static void add_most(struct judge *judge)
{
    const struct model *model = judge->model;
    for (uint32_t n = 0; n < model->node_count; n++) {
        judge->node[n].most_mva = &judge->most_mva[n * CONTINGENCIES_MAX];
        for (uint32_t i = 0; i < CONTINGENCIES_MAX * PHASES; i++)
            judge->node[n].most_mva[i / PHASES][i % PHASES] =
                model->node[n].bad_mva[i / PHASES][i % PHASES] + model->node[n].other_mva[i % PHASES];
    }
    for (uint32_t h = 0; h < model->host_count; h++) {
        for (uint32_t c = 0; c < model->host[h].cord_count; c++)
            add_cord(judge, &model->type[model->host[h].type], &model->host[h].cord[c]);
    }
}

int judge_init(struct judge *judge, const struct plant *plant, const struct station *station)
{
    const struct model *model = plant->model;
    *judge = (struct judge){.model = model, .plant = plant, .station = station, .cpu_ns = thread_ns()};
    judge->host = calloc(model->host_count + 1, sizeof *judge->host);
    judge->node = calloc(model->node_count + 1, sizeof *judge->node);
    judge->most_mva = calloc((size_t)model->node_count * CONTINGENCIES_MAX + 1, sizeof *judge->most_mva);
    if (!judge->host || !judge->node || !judge->most_mva)
        return -ENOMEM;
    for (uint32_t h = 0; h < model->host_count; h++)
        judge->host[h].excused_until_ns = judge->host[h].draw_until_ns =
            judge->host[h].settles_until_ns = NEVER_NS;
    for (uint32_t n = 0; n < model->node_count; n++) {
        judge->node[n].over_since_ns = judge->node[n].trouble_since_ns = NEVER_NS;
        for (int phase = 0; phase < PHASES; phase++)
            judge->node[n].limit_a[phase] = INFINITY;
    }
    add_most(judge);
    return 0;
}

void judge_finish(struct judge *judge)
{
    free(judge->host);
    free(judge->node);
    free(judge->most_mva);
    *judge = (struct judge){0};
}

/* ---- exposure ---- */

/* The lease theorem bounds what a host may draw that lets its agent see its devices: not one whose read-back
 * lies, or whose caps went without a write. Where a feed is dark, hosts that have another go on as before:
 * they are not excused. A host that stalls, sticks, freezes, or has lost its watchdog keeps what it was last
 * leased, and so does its exposure: it goes by evidence, by no clock. */
static bool breaks_premise(enum fault_kind kind)
{
    return kind == FAULT_RESET || kind == FAULT_LIE || kind == FAULT_REBOOT || kind == FAULT_RAISE;
}

/* Devices that draw more than their cap allows, always or after a step, touch neither cap nor read-back:
 * their draw alone is excused, the account of their caps must hold throughout. */
static bool breaks_draw(enum fault_kind kind)
{
    return kind == FAULT_OVERDRAW || kind == FAULT_OVERSHOOT;
}

static int64_t excuse_ns(const struct judge *judge, uint32_t h)
{
    const struct model_host_type *type = &judge->model->type[judge->model->host[h].type];
    return judge->plant->workload->plant.notice_ns + 2 * judge->model->policy.lease_ns + type->actuation_ns;
}

static void note_fault(struct judge *judge, uint32_t h, const struct fault *fault, bool begins)
{
    struct judge_host *host = &judge->host[h];
    bool raise = fault->kind == FAULT_RAISE, draw = breaks_draw(fault->kind);
    uint32_t *standing = raise ? &host->raises : draw ? &host->draw_excuses : &host->excuses;
    if (begins && !fault_happens_once(fault->kind))
        ++*standing;
    else if (!begins)
        *standing -= *standing > 0;
    if (!draw)
        host->shown_by = 0;
    if (!begins || !raise)
        *(draw ? &host->draw_until_ns : &host->excused_until_ns) = judge->plant->t_ns + excuse_ns(judge, h);
}

void judge_fault(struct judge *judge, const struct fault *fault, bool begins)
{
    bool excuses = breaks_premise(fault->kind) || breaks_draw(fault->kind);
    for (uint32_t h = 0; excuses && h < judge->model->host_count; h++) {
        if (fault_strikes_host(fault, judge->model, h))
            note_fault(judge, h, fault, begins);
    }
}

/* What a broken premise left behind stays while agent and watchdog are both gone, or the machine sleeps:
 * nobody there can look, write or tell. The excuse ends as long after one of them is back as it would have
 * ended after the fault. */
static void stretch_excuse(struct judge *judge, uint32_t h)
{
    const struct station_agent *agent = &judge->station->agent[h];
    struct judge_host *host = &judge->host[h];
    bool asleep = judge->plant->t_ns < judge->plant->asleep_until_ns[h];
    bool nobody = agent->watchdog_dead && (agent->dead || agent->stopped || agent->ended);
    if (!asleep && !nobody)
        return;
    if (judge->plant->t_ns < host->excused_until_ns)
        host->excused_until_ns = judge->plant->t_ns + excuse_ns(judge, h);
    if (judge->plant->t_ns < host->draw_until_ns)
        host->draw_until_ns = judge->plant->t_ns + excuse_ns(judge, h);
}

/* A cap that somebody else holds up is read back: from the report on that shows it, it is counted. */
static bool is_raised_unheard(struct judge *judge, const struct core *core, uint32_t h)
{
    struct judge_host *host = &judge->host[h];
    const struct holder *holder = &judge->station->holder[h];
    const struct ledger_host *known = &core->ledger.host[h];
    if (!host->raises)
        return false;
    if (!host->shown_by && holder->device[0].kept_mw >= gpuhost_kept_mw(&judge->plant->host[h]))
        host->shown_by = holder->next_report;
    return !host->shown_by || known->incarnation != holder->incarnation || known->report < host->shown_by;
}

/* At driver defaults, and its agent knows of no cap read back. An agent that starts anew finds the cap that
 * was there. */
static bool is_booting(const struct judge *judge, uint32_t h)
{
    return judge->station->holder[h].state == HOST_BOOT && judge->plant->host[h].cap_mw == GPUHOST_UNCAPPED;
}

/* What it drew without a cap is gone A after the first one took hold, as after every write. */
static void note_settling(struct judge *judge, uint32_t h)
{
    const struct model_host_type *type = &judge->model->type[judge->model->host[h].type];
    if (is_booting(judge, h))
        judge->host[h].settles_until_ns = judge->plant->t_ns + type->actuation_ns;
}

/* A host at driver defaults whose agent knows of no cap read back, or has not noticed yet that they are gone,
 * keeps no premise either, whatever made it so. */
static bool is_excused(struct judge *judge, const struct core *core, uint32_t h)
{
    const struct judge_host *host = &judge->host[h];
    const struct plant *plant = judge->plant;
    return is_raised_unheard(judge, core, h) || host->excuses || plant->t_ns < host->excused_until_ns ||
           !plant->on[h] || plant->reset_ns[h] != INT64_MAX || is_booting(judge, h) ||
           !grid_host_live(&plant->grid, h);
}

/* A cut has settled where the draw is in the band, not where the last watt of its lag is gone. What fills
 * supplies again after a break is no draw of the devices: the peak factor has it, for the 20 ms that it
 * takes (safety.md section 2). It stands on top of what they draw, and excuses no more than itself. */
static bool draws_above(const struct judge *judge, uint32_t h, int64_t counted_mw)
{
    const struct gpuhost *host = &judge->plant->host[h];
    const struct model_host_type *type = &judge->model->type[judge->model->host[h].type];
    const struct judge_host *known = &judge->host[h];
    int64_t t_ns = judge->plant->t_ns;
    if (counted_mw > host->cap_max_mw || t_ns < known->settles_until_ns)
        return false;
    if (known->draw_excuses || t_ns < known->draw_until_ns)
        return false;
    bool fills = t_ns < host->refill_until_ns + judge->plant->step_ns;
    double filling_w = fills ? host->boot_w - host->phys_max_w : 0;
    return (host->power_w - filling_w) * 1e3 > settled_band * (double)draw_of_cap_mw(type, counted_mw);
}

static void weigh_exposure(struct judge *judge, const struct core *core, uint32_t h)
{
    const struct gpuhost *host = &judge->plant->host[h];
    int64_t counted_mw = core_exposed_mw(core, h);
    /* also where somebody else's lower limit hides it: that may go at any moment */
    int64_t cap_mw = gpuhost_kept_mw(host);
    if (host->writing && host->writing_mw > cap_mw)
        cap_mw = host->writing_mw;
    if ((cap_mw > counted_mw || draws_above(judge, h, counted_mw)) && !is_excused(judge, core, h))
        judge->figures.exposure_short++;
}

/* ---- hosts and nodes, in turns ---- */

static void weigh_throttle(struct judge *judge, uint32_t h)
{
    const struct plant *plant = judge->plant;
    double wanted_w = plant->profile.watts[h];
    if (!plant->supplied[h])
        return;
    judge->host_samples++;
    judge->throttled_samples += plant->power_w[h] < 0.995 * fmin(wanted_w, plant->host[h].phys_max_w);
}

static void look_at_node(struct judge *judge, const struct core *core, uint32_t n)
{
    struct judge_node *node = &judge->node[n];
    int64_t t_ns = judge->plant->t_ns;
    struct core_node_sums sums;
    if (!core)          /* nobody is there to end it, or to say that it has */
        return;
    core_node_sums(core, n, &sums);
    if (!sums.emergency && !sums.recovery) {
        node->trouble_since_ns = NEVER_NS;
    } else if (t_ns > judge->plant->outcome.warmup_ns) {
        if (node->trouble_since_ns == NEVER_NS)
            node->trouble_since_ns = t_ns;
        int64_t stay_ns = t_ns - node->trouble_since_ns + JUDGE_TURNS * judge->plant->step_ns;
        if (stay_ns > judge->figures.recovery_ns)
            judge->figures.recovery_ns = stay_ns;
    }
    for (int phase = 0; phase < PHASES; phase++) {
        if (node->limit_mva[phase] == sums.limit_mva[0][phase])
            continue;
        node->limit_mva[phase] = sums.limit_mva[0][phase];
        node->limit_a[phase] = (double)node->limit_mva[phase] / (double)judge->model->node[n].volts_low_mv;
        judge->moved = true;
    }
}

static void take_turn(struct judge *judge, const struct core *core)
{
    const struct model *model = judge->model;
    uint32_t turn = (uint32_t)(judge->steps % JUDGE_TURNS);
    bool counts = judge->plant->t_ns > judge->plant->outcome.warmup_ns;
    for (uint32_t h = turn; h < model->host_count; h += JUDGE_TURNS) {
        stretch_excuse(judge, h);
        note_settling(judge, h);
        if (core)
            weigh_exposure(judge, core, h);
        if (counts)
            weigh_throttle(judge, h);
    }
    for (uint32_t n = turn; n < model->node_count; n += JUDGE_TURNS) {
        if (model->node[n].limited)
            look_at_node(judge, core, n);
    }
}

/* ---- load above its limit ---- */

static void weigh_load(struct judge *judge, uint32_t n)
{
    const struct grid_node *grid = &judge->plant->grid.node[n];
    struct judge_node *node = &judge->node[n];
    int64_t t_ns = judge->plant->t_ns;
    double over_w = 0;
    if (grid->amperes[0] <= node->limit_a[0] && grid->amperes[1] <= node->limit_a[1] &&
        grid->amperes[2] <= node->limit_a[2]) {
        node->over_since_ns = NEVER_NS;
        return;
    }
    judge->over = true;
    for (int phase = 0; phase < PHASES; phase++)
        over_w += fmax(grid->amperes[phase] - node->limit_a[phase], 0) * grid->volts[phase];
    if (node->over_since_ns == NEVER_NS)
        node->over_since_ns = t_ns - judge->plant->step_ns;
    judge->figures.overshoot_w = fmax(judge->figures.overshoot_w, over_w);
    if (t_ns - node->over_since_ns > judge->figures.over_ns)
        judge->figures.over_ns = t_ns - node->over_since_ns;
}

/* What flows stands until something changes, and so does whether it is above a limit that stands. */
static void weigh_loads(struct judge *judge)
{
    if (!judge->plant->grid.changed && !judge->moved && !judge->over)
        return;
    judge->moved = judge->over = false;
    for (uint32_t n = 0; n < judge->model->node_count; n++) {
        if (judge->model->node[n].limited)
            weigh_load(judge, n);
    }
}

/* ---- tightness ---- */

/* Recovery is no use of a limit: D stands above one that fell. Where all hosts at their largest caps stay
 * within the limit, I1 binds nobody, and what kept more hosts from being put there is fail-safe draw: the
 * term of I2 stands in (safety.md, section 6). */
static double tightness_of(const struct judge *judge, const struct core *core, uint32_t n)
{
    const struct model *model = judge->model;
    struct core_node_sums sums;
    double exposed = 0, safe = 0;
    bool slack = true;
    core_node_sums(core, n, &sums);
    for (uint32_t i = 0; !sums.recovery && i < model->contingency_count * PHASES; i++) {
        uint32_t c = i / PHASES, phase = i % PHASES;
        int64_t limit_mva = sums.limit_mva[c][phase], steady_mva = sums.steady_mva[c][phase];
        if (limit_mva <= 0)
            continue;
        exposed = fmax(exposed, (double)sums.exposed_mva[c][phase] / (double)limit_mva);
        slack &= judge->node[n].most_mva[c][phase] <= limit_mva;
        if (steady_mva > 0 && (c == 0 || model->contingency[c].lasting))
            safe = fmax(safe, (double)sums.safe_mva[c][phase] / (double)steady_mva);
    }
    return slack ? fmax(exposed, safe) : exposed;
}

static void sample_tightness(struct judge *judge, const struct core *core)
{
    double tightest = 0;
    for (uint32_t n = 0; n < judge->model->node_count; n++) {
        if (judge->model->node[n].limited)
            tightest = fmax(tightest, tightness_of(judge, core, n));
    }
    judge->bin[tightest >= 1 ? JUDGE_BINS - 1 : (uint32_t)(tightest * (JUDGE_BINS - 1))]++;
    judge->figures.samples++;
}

/* The lower edge of the bin: what is claimed was reached. */
static double p99(const struct judge *judge)
{
    uint64_t below = 0;
    uint32_t bin = 0;
    if (!judge->figures.samples)
        return 0;
    while (bin < JUDGE_BINS && (below + judge->bin[bin]) * 100 < judge->figures.samples * 99)
        below += judge->bin[bin++];
    return (double)bin / (JUDGE_BINS - 1);
}

/* ---- the run ---- */

void judge_step(struct judge *judge, const struct core *core)
{
    const struct plant *plant = judge->plant;
    bool counts = plant->t_ns > plant->outcome.warmup_ns;
    take_turn(judge, core);
    if (counts)
        weigh_loads(judge);
    if (counts && core && plant->t_ns >= judge->next_sample_ns) {
        sample_tightness(judge, core);
        judge->next_sample_ns = (plant->t_ns / JUDGE_SAMPLE_NS + 1) * JUDGE_SAMPLE_NS;
    }
    judge->steps++;
}

/* The decision's own asserts, and recoveries that outlast what the theorem allows. What the last check makes
 * less of a raise that was asked for (withheld_s, withheld_d) is its work: a stage asks, it does not decide
 * that a raise is safe. A lease that a stage had weighed and the check had to replace is an
 * invariant_failure: core/guard.c, instead(). */
static uint64_t defects_of(const struct core_counters *count)
{
    return count->invariant_failures + count->recovery_overdue;
}

void judge_close(struct judge *judge, const struct outcome *outcome, struct figures *figures)
{
    double work_j = 0, wanted_j = 0, seconds = (double)(thread_ns() - judge->cpu_ns) / 1e9;
    *figures = judge->figures;
    figures->trips = outcome->trip_count;
    figures->guard_hits = defects_of(&outcome->governor);
    for (uint32_t n = 0; n < judge->model->node_count; n++)
        figures->worst_heat = fmax(figures->worst_heat, outcome->node[n].worst_heat);
    for (uint32_t c = 0; c < outcome->class_count; c++) {
        work_j += outcome->class_work_j[c];
        wanted_j += outcome->class_work_wanted_j[c];
    }
    figures->throttled =
        judge->host_samples ? (double)judge->throttled_samples / (double)judge->host_samples : 0;
    figures->useful = wanted_j > 0 ? work_j / wanted_j : 0;
    figures->tightness_p99 = p99(judge);
    figures->speed = seconds > 0 ? (double)outcome->duration_ns / 1e9 / seconds : 0;
}
