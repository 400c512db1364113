/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cli/status/status.h"
#include "cli/top/top_screen.h"
#include "core/emergency.h"
#include "core/permit.h"
#include "loop/view_words.h"
#include "msg/lease.h"

/* From this many columns on there is room for more. */
enum { WIDE_COLUMNS = 110, PHASE_COLUMNS = 128 };

#define WORST_EVENT 1e9

static bool wide(const struct top_screen *screen)
{
    return screen->columns >= WIDE_COLUMNS;
}

/* A site that declares losses shows the worst of them instead of what is leased. */
static bool may_lose(const struct top_source *source)
{
    return source->model.contingency_count > 1;
}

static bool by_phase(const struct top_screen *screen)
{
    return screen->columns >= PHASE_COLUMNS;
}

uint32_t top_rows_count(const struct top_source *source, enum top_pane pane)
{
    if (!source->attached)
        return 0;
    if (pane == TOP_NODES)
        return source->model.node_count;
    if (pane == TOP_HOSTS)
        return source->model.host_count;
    return pane == TOP_METERS ? source->model.meter_count : 0;
}

/* ---- nodes ---- */

struct node_figures {
    struct core_node_view sums;
    struct view_meter meter;
    bool metered;
    uint32_t worst;             /* phase */
    double load_pct, exposed_pct, leased_pct;   /* of the worst phase of each; 0 without a limit */
    double tightest_pct;        /* exposed where that leaves least room, whatever may be lost */
};

/* Amperes that a load of S mVA carries at the lowest credible voltage (msg/model.h). */
static double amperes(const struct model_node *known, int64_t load_mva)
{
    return known->volts_low_mv > 0 ? (double)load_mva / (double)known->volts_low_mv : 0;
}

static double phase_load_a(const struct model_node *known, const struct view_meter *meter, uint32_t phase)
{
    return meter->current_ma[known->phases == 1 ? 0 : phase] / 1e3;
}

static double share_pct(double part, double limit)
{
    return limit > 0 ? 100 * part / limit : 0;
}

static void look_at_node(struct node_figures *figures, const struct top_source *source, uint32_t index)
{
    const struct model_node *known = &source->model.node[index];
    *figures = (struct node_figures){
        .sums = {.measured_mw = -1, .heat.heat_ppm = -1, .permit = PERMIT_NONE}};
    view_read_node(&source->view, index, &figures->sums);
    if (known->meter != INDEX_NONE && view_read_meter(&source->view, known->meter, &figures->meter))
        figures->metered = figures->meter.t_receive_ns != 0;
    figures->worst = view_worst_phase(&figures->sums,
                                      figures->metered && known->phases > 1 ? &figures->meter : NULL);
    if (!known->limited)
        return;
    uint32_t phase = figures->worst;
    double limit_a = amperes(known, figures->sums.limit_mva[phase]);
    if (figures->metered)
        figures->load_pct = share_pct(phase_load_a(known, &figures->meter, phase), limit_a);
    figures->exposed_pct = share_pct(amperes(known, figures->sums.exposure_mva[phase]), limit_a);
    figures->leased_pct = share_pct(amperes(known, figures->sums.newest_mva[phase]), limit_a);
    figures->tightest_pct =
        share_pct((double)figures->sums.exposed.sum_mva, (double)figures->sums.exposed.limit_mva);
}

static double node_weight(const struct top_source *source, uint32_t index, enum top_order order)
{
    struct node_figures figures;
    look_at_node(&figures, source, index);
    if (order == TOP_LOAD)
        return (double)figures.sums.measured_mw;
    double most = figures.load_pct > figures.exposed_pct ? figures.load_pct : figures.exposed_pct;
    most = figures.tightest_pct > most ? figures.tightest_pct : most;
    return most + WORST_EVENT * figures.sums.emergency + WORST_EVENT / 2 * figures.sums.recovery;
}

/* Heat or travel, whichever is nearer; with time to trip where there is room. */
static void format_heat(char text[32], const struct heat_view *heat, bool wide)
{
    char share[16] = "-", in[VIEW_WORDS_TIME_BYTES] = "-";
    if (heat->heat_ppm >= 0) {
        int64_t most_ppm = heat->heat_ppm > heat->travel_ppm ? heat->heat_ppm : heat->travel_ppm;
        snprintf(share, sizeof share, "%.*f%%", wide ? 1 : 0, (double)most_ppm / 1e4);
        view_words_trip_in(in, heat->trip_in_ns);
    }
    if (wide)
        snprintf(text, 32, "%6s %8s ", share, in);
    else
        snprintf(text, 32, "%4s ", share);
}

/* The one word at the end of a line: what is worst; of an ordinary node that may lend, its permit. */
static const char *event_of(const struct core_node_view *sums, bool above)
{
    static const char *const stage[EMERGENCY_STAGE_COUNT] = {"EMERGENCY", "EMERGENCY 1", "EMERGENCY 2",
                                                             "EMERGENCY 3"};
    if (sums->emergency)
        return stage[sums->stage < EMERGENCY_STAGE_COUNT ? sums->stage : EMERGENCY_STAGE_NONE];
    if (sums->recovery)
        return "recovery";
    if (above)
        return "above";
    if (sums->breach)
        return "CONTRACT";
    return sums->permit == PERMIT_NONE ? "" : view_words_permit(sums->permit);
}

struct widths { int name, kind; };

/* What "on loss of" takes, these two give. */
static struct widths widths_of(const struct top_source *source, const struct top_screen *screen)
{
    if (!wide(screen))
        return (struct widths){14, 6};
    return may_lose(source) ? (struct widths){18, 7} : (struct widths){24, 12};
}

static void format_loss(char text[16], const struct top_source *source, uint32_t lost)
{
    lost %= CONTINGENCIES_MAX;
    snprintf(text, 16, "%-10.10s ", lost ? source->model.contingency[lost].name : "-");
}

static enum top_tone format_node(char text[TOP_ROW_BYTES], const struct top_source *source,
                                 const struct top_screen *screen, uint32_t index)
{
    const struct model_node *known = &source->model.node[index];
    struct node_figures figures;
    char load[16] = "-", limit[16] = "none", phases[64] = "", heat[32], loss[16] = "";
    look_at_node(&figures, source, index);
    const struct core_node_view *sums = &figures.sums;
    bool above = known->limited && sums->exposure_mva[figures.worst] > sums->limit_mva[figures.worst];
    if (figures.metered)
        snprintf(load, sizeof load, "%.1f", phase_load_a(known, &figures.meter, figures.worst));
    if (known->limited)
        snprintf(limit, sizeof limit, "%.1f", amperes(known, sums->limit_mva[figures.worst]));
    if (by_phase(screen) && figures.metered && known->phases > 1)
        snprintf(phases, sizeof phases, "%8.1f %8.1f %8.1f ", figures.meter.current_ma[0] / 1e3,
                 figures.meter.current_ma[1] / 1e3, figures.meter.current_ma[2] / 1e3);
    else if (by_phase(screen))
        snprintf(phases, sizeof phases, "%27s", "");
    format_heat(heat, &sums->heat, wide(screen));
    char load_share[16] = "-", share[2][16] = {"-", "-"};
    if (known->limited && figures.metered)
        snprintf(load_share, sizeof load_share, "%.1f%%", figures.load_pct);
    if (known->limited) {
        snprintf(share[0], sizeof share[0], "%.1f%%", figures.exposed_pct);
        snprintf(share[1], sizeof share[1], "%.1f%%",
                 may_lose(source) ? figures.tightest_pct : figures.leased_pct);
    }
    if (may_lose(source) && wide(screen))
        format_loss(loss, source, known->limited ? sums->exposed.contingency : 0);
    const char *event = event_of(sums, above);
    struct widths width = widths_of(source, screen);
    snprintf(text, TOP_ROW_BYTES, "%-*.*s %-*.*s %c %7s %7s %7s %8s %8s %s%s%s%s", width.name, width.name,
             known->name, width.kind, width.kind, view_words_kind(known->kind), "ABC"[figures.worst], load,
             limit, load_share, share[0], share[1], loss, heat, phases, event);
    if (sums->emergency || sums->breach || sums->permit == PERMIT_FROZEN ||
        sums->permit == PERMIT_IMPLAUSIBLE || sums->permit == PERMIT_DEAD)
        return TOP_ALARM;
    /* where nothing is sent every host counts at its physical maximum, and this is the ordinary state */
    if (strcmp(status_word(source->counters, "mode"), "enforce"))
        return TOP_PLAIN;
    return above ? TOP_ALARM : sums->recovery ? TOP_NOTICE : TOP_PLAIN;
}

/* ---- hosts ---- */

static bool quiet(const struct top_source *source, const struct core_host_view *host, int64_t now_ns)
{
    return !host->incarnation || now_ns - host->report_t_ns > source->model.policy.lease_ns;
}

static double host_weight(const struct top_source *source, uint32_t index, enum top_order order,
                          int64_t now_ns)
{
    struct core_host_view host = {.lease_mw = -1};
    view_read_host(&source->view, index, &host);
    if (order == TOP_LOAD)
        return (double)host.draw_mw;
    if (!host.incarnation)
        return 6;
    if (quiet(source, &host, now_ns))
        return 5;
    if (host.basis < BASIS_FAIL_SAFE)
        return 4;
    if (host.state != HOST_LEASED || !host.accepted)
        return 3;
    return host.basis == BASIS_OLDER_LEASE;
}

static void format_kw(char text[16], int64_t value_mw, bool known)
{
    if (known)
        snprintf(text, 16, "%.1f", (double)value_mw / 1e6);
    else
        strcpy(text, "-");
}

static enum top_tone format_host(char text[TOP_ROW_BYTES], const struct top_source *source,
                                 const struct top_screen *screen, uint32_t index, int64_t now_ns)
{
    struct core_host_view host = {.lease_mw = -1};
    char lease[16], draw[16], exposed[16], age[16] = "-", more[32] = "";
    char ahead[24] = "";
    view_read_host(&source->view, index, &host);
    bool heard = host.incarnation != 0, is_quiet = quiet(source, &host, now_ns);
    format_kw(lease, host.lease_mw, host.lease_mw >= 0);
    format_kw(draw, host.draw_mw, heard);
    format_kw(exposed, host.exposure_mw, true);
    /* of a daemon that is gone, now is its last answer, and a report may have come after that */
    int64_t age_ns = now_ns - host.report_t_ns;
    if (heard)
        snprintf(age, sizeof age, "%.0f", age_ns > 0 ? (double)age_ns / 1e6 : 0.0);
    if (wide(screen) && heard)
        snprintf(more, sizeof more, "%016llx  ", (unsigned long long)host.incarnation);
    else if (wide(screen))
        snprintf(more, sizeof more, "%-18s", "-");
    if (host.reserved_mw > 0)
        snprintf(ahead, sizeof ahead, "+%.1f  ", (double)host.reserved_mw / 1e6);
    int name = wide(screen) ? 24 : 14;
    snprintf(text, TOP_ROW_BYTES, "%-*.*s %-9s %7s %7s %8s  %-12s %8s  %s%s%s%s", name, name,
             source->model.host[index].name, view_words_host(&host), lease, draw, exposed,
             view_words_basis(host.basis), age, more, ahead, heard && is_quiet ? "QUIET" : "",
             wide(screen) && !is_quiet ? view_words_why(host.why) : "");
    /* where nothing is sent no host can hold a lease */
    if (host.basis == BASIS_NOT_ENFORCED)
        return is_quiet ? TOP_NOTICE : TOP_PLAIN;
    if (is_quiet)
        return TOP_ALARM;
    return host.state != HOST_LEASED || host.basis < BASIS_FAIL_SAFE ? TOP_NOTICE : TOP_PLAIN;
}

/* ---- meters ---- */

static enum meter_state look_at_meter(struct view_meter *meter, struct view_stale *stale,
                                      const struct top_source *source, uint32_t index, int64_t now_ns)
{
    *meter = (struct view_meter){0};
    *stale = (struct view_stale){0};
    view_read_meter(&source->view, index, meter);
    view_read_stale(&source->view, index, stale);
    return verdict_meter_state(&source->model.meter[index], meter, stale, now_ns);
}

static double meter_weight(const struct top_source *source, uint32_t index, enum top_order order,
                           int64_t now_ns)
{
    struct view_meter meter;
    struct view_stale stale;
    enum meter_state state = look_at_meter(&meter, &stale, source, index, now_ns);
    if (order == TOP_LOAD)
        return (double)meter.power_mw;
    /* within a state by age; while all is well in the site's order, which stands still */
    double age_ms = (double)(verdict_meter_age_ns(&meter, now_ns) / NS_PER_MS);
    return state == METER_OK ? 0 : 1e15 * (double)state + (age_ms < 1e14 ? age_ms : 1e14);
}

static enum top_tone format_meter(char text[TOP_ROW_BYTES], const struct top_source *source,
                                  const struct top_screen *screen, uint32_t index, int64_t now_ns)
{
    const struct model_meter *known = &source->model.meter[index];
    const struct model_node *node = &source->model.node[known->node];
    struct view_meter meter;
    struct view_stale stale;
    char age[16] = "never", more[64] = "";
    enum meter_state state = look_at_meter(&meter, &stale, source, index, now_ns);
    uint32_t most_ma = 0, least_mv = meter.voltage_mv[0];
    for (uint32_t i = 0; i < node->phases && i < PHASES; i++) {
        most_ma = meter.current_ma[i] > most_ma ? meter.current_ma[i] : most_ma;
        least_mv = meter.voltage_mv[i] < least_mv ? meter.voltage_mv[i] : least_mv;
    }
    if (meter.t_receive_ns)
        snprintf(age, sizeof age, "%.1f", (double)verdict_meter_age_ns(&meter, now_ns) / 1e6);
    if (wide(screen))
        snprintf(more, sizeof more, " %12llu", (unsigned long long)stale.count);
    snprintf(text, TOP_ROW_BYTES, "%-16.16s %-14.14s %-6s %9s %7.1f %8.1f %7.1f %6.1f%s", known->name,
             node->name, view_words_meter(state), age, (double)known->fresh_ns / 1e6,
             (double)meter.power_mw / 1e6, most_ma / 1e3, least_mv / 1e3, more);
    if (state > METER_LATE)
        return TOP_ALARM;
    return state == METER_LATE ? TOP_NOTICE : TOP_PLAIN;
}

/* ---- all ---- */

void top_rows_heading(char text[TOP_ROW_BYTES], const struct top_source *source,
                      const struct top_screen *screen)
{
    struct widths width = widths_of(source, screen);
    if (screen->pane == TOP_NODES)
        snprintf(text, TOP_ROW_BYTES, "%-*s %-*s   %7s %7s %7s %8s %8s %s%s%s", width.name, "node",
                 width.kind, "kind", "load A", "limit A", "load", "exposed",
                 may_lose(source) ? "worst" : "leased",
                 may_lose(source) && wide(screen) ? "on loss of " : "",
                 wide(screen) ? "  heat trips in" : "heat",
                 by_phase(screen) ? "   load A        B        C" : "");
    else if (screen->pane == TOP_HOSTS)
        snprintf(text, TOP_ROW_BYTES, "%-*s %-9s %7s %7s %8s  %-12s %8s  %s", wide(screen) ? 24 : 14, "host",
                 "state", "lease", "draw", "exposed", "exposed by", "report ms",
                 wide(screen) ? "incarnation       why" : "");
    else
        snprintf(text, TOP_ROW_BYTES, "%-16s %-14s %-6s %9s %7s %8s %7s %6s%s", "meter", "node", "state",
                 "age ms", "fresh", "kW", "A", "V", wide(screen) ? "  stale frames" : "");
}

enum top_tone top_rows_format(char text[TOP_ROW_BYTES], const struct top_source *source,
                              const struct top_screen *screen, uint32_t index, int64_t now_ns)
{
    if (screen->pane == TOP_NODES)
        return format_node(text, source, screen, index);
    if (screen->pane == TOP_HOSTS)
        return format_host(text, source, screen, index, now_ns);
    return format_meter(text, source, screen, index, now_ns);
}

static double weight_of(const struct top_source *source, const struct top_screen *screen, uint32_t index,
                        int64_t now_ns)
{
    if (screen->pane == TOP_NODES)
        return node_weight(source, index, screen->order);
    if (screen->pane == TOP_HOSTS)
        return host_weight(source, index, screen->order, now_ns);
    return meter_weight(source, index, screen->order, now_ns);
}

static int heavier(const void *a, const void *b)
{
    const struct top_row *left = a, *right = b;
    if (left->weight > right->weight)
        return -1;
    if (left->weight < right->weight)
        return 1;
    return left->index < right->index ? -1 : left->index > right->index;
}

static const char *name_of(const struct model *model, enum top_pane pane, uint32_t index)
{
    if (pane == TOP_NODES)
        return model->node[index].name;
    return pane == TOP_HOSTS ? model->host[index].name : model->meter[index].name;
}

struct naming {
    const struct model *model;
    enum top_pane pane;
};

static int by_name(const void *a, const void *b, void *argument)
{
    const struct top_row *left = a, *right = b;
    const struct naming *naming = argument;
    return strcmp(name_of(naming->model, naming->pane, left->index),
                  name_of(naming->model, naming->pane, right->index));
}

void top_rows_sort(struct top_row *row, const struct top_source *source, const struct top_screen *screen,
                   int64_t now_ns)
{
    uint32_t count = top_rows_count(source, screen->pane);
    for (uint32_t i = 0; i < count; i++) {
        double weight = screen->order == TOP_NAME ? 0 : weight_of(source, screen, i, now_ns);
        row[i] = (struct top_row){.index = i, .weight = weight};
    }
    struct naming naming = {&source->model, screen->pane};
    if (screen->order == TOP_NAME)
        qsort_r(row, count, sizeof *row, by_name, &naming);
    else
        qsort(row, count, sizeof *row, heavier);
}
