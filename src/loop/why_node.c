/* SPDX-License-Identifier: Apache-2.0 */
/* One node: its limits and what makes them, what is leased and may flow, who holds it, what would relax
 * it. */
#include "core/breaker.h"
#include "core/permit.h"
#include "loop/document.h"
#include "loop/view_words.h"
#include "loop/why_parts.h"
#include "site/derive.h"

enum { WHY_HOSTS = 5 };

/* What makes a steady limit, and what would let it be higher. */
static const struct { const char *is, *relaxed; } steady_words[STEADY_NONE + 1] = {
    [STEADY_LONG_TIME] = {"0.8 of its long-time setting", "a device that is rated 100 %"},
    [STEADY_FAST_EDGE] = {"the fast edge of its long-time pickup", "a cooler ambient or another setting"},
    [STEADY_DEFINITE] = {"the fast edge of a definite stage", "another setting"},
    [STEADY_CONDUCTOR] = {"its conductor", "a larger conductor"},
    [STEADY_TRANSFORMER] = {"its transformer", "a larger transformer"},
    [STEADY_UPS_KVA] = {"the apparent power of its UPS", "a larger UPS"},
    [STEADY_UPS_KW] = {"the active power of its UPS", "a larger UPS"},
    [STEADY_STATE] = {"the weakest state of its source", "a stronger weakest state"},
    [STEADY_NONE] = {"nothing: it has no limit", NULL},
};

struct holder_row {
    uint32_t host;
    int64_t mva;
};

/* What the fullest phase is made of, at its tightest contingency. */
struct made_of {
    int64_t base_mva, fail_safe_mva;    /* of hosts: ungoverned; and above that at their fail-safe caps */
    uint32_t hosts;                     /* with a cord at or below */
    struct holder_row most[WHY_HOSTS];
};

static void keep_most(struct made_of *made, uint32_t host, int64_t mva)
{
    uint32_t at = WHY_HOSTS;
    while (at > 0 && mva > made->most[at - 1].mva)
        at--;
    for (uint32_t i = WHY_HOSTS; i > at + 1; i--)
        made->most[i - 1] = made->most[i - 2];
    if (at < WHY_HOSTS)
        made->most[at] = (struct holder_row){host, mva};
}

static void look_below(const struct why *why, uint32_t node, const struct core_sum *sum, struct made_of *made)
{
    const struct model *model = &why->site->model;
    *made = (struct made_of){0};
    for (uint32_t host = 0; host < model->host_count; host++) {
        struct core_host_view view;
        int64_t base_mva = why_on_node_mva(why, host, node, sum->contingency, sum->phase,
                                           model->type[model->host[host].type].base_max_mw);
        int64_t safe_mva = why_on_node_mva(why, host, node, sum->contingency, sum->phase,
                                           why_draw_mw(why, host, model->host[host].fail_safe_mw));
        if (!safe_mva || !view_read_host(why->view, host, &view))
            continue;
        made->hosts++;
        made->base_mva += base_mva;
        made->fail_safe_mva += safe_mva - base_mva;
        keep_most(made, host, why_on_node_mva(why, host, node, sum->contingency, sum->phase,
                                              view.exposure_mw));
    }
}

static void write_head(const struct why *why, uint32_t node, const struct core_node_view *view)
{
    const struct model *model = &why->site->model;
    const struct model_node *known = &model->node[node];
    fputs("{\"kind\": \"node\"", why->out);
    why_text(why, "id", known->name);
    why_text(why, "node_kind", view_words_kind(known->kind));
    why_text(why, "meter", known->meter < model->meter_count ? model->meter[known->meter].name : NULL);
    why_whether(why, "limited", known->limited);
    why_whether(why, "emergency", view->emergency);
    why_text(why, "emergency_stage", view_words_stage(view->stage));
    why_text(why, "emergency_stage_meaning", view_words_stage_meaning(view->stage));
    if (view->stage_since_ns)
        why_number(why, "emergency_stage_for_s", (double)(why->now_ns - view->stage_since_ns) / 1e9);
    else
        why_null(why, "emergency_stage_for_s");
    why_whether(why, "recovery", view->recovery);
    why_text(why, "recovery_by", view->recovery ? view_words_recovery(view->recovery_by) : NULL);
    if (view->measured_mw >= 0) {
        why_number(why, "measured_w", (double)view->measured_mw / 1e3);
        why_number(why, "reading_ms_old", (double)(why->now_ns - view->reading_t_ns) / 1e6);
    } else {
        why_null(why, "measured_w");
        why_null(why, "reading_ms_old");
    }
    why_text(why, "permit", view_words_permit(view->permit));
    why_text(why, "permit_meaning", view_words_permit_meaning(view->permit));
    why_whether(why, "lends", known->lend != 0);
    if (known->lend && view->permit != PERMIT_NONE)
        why_number(why, "permit_since_s", (double)(why->now_ns - view->permit_since_ns) / 1e9);
    else
        why_null(why, "permit_since_s");
}

/* NULL where nothing is known of shed actions. */
static void write_shed(const struct why *why, uint32_t node)
{
    const struct site *site = why->site;
    uint32_t action = site->shed_of ? site->shed_of[node] : INDEX_NONE;
    struct shed_row row = {0};
    if (why->shed)
        row = shed_desk_read(why->shed, node);
    why_text(why, "shed_action", action != INDEX_NONE ? site->shed[action].name : NULL);
    why_text(why, "shed_state", view_words_shed(row.state));
    why_text(why, "shed_meaning", view_words_shed_meaning(row.state));
    why_text(why, "shed_end", row.end);
    why_number(why, "shed_tries", row.tries);
}

static void write_phases(const struct why *why, uint32_t node, const struct core_node_view *view)
{
    const struct model_node *known = &why->site->model.node[node];
    struct view_meter meter = {0};
    bool read = known->meter < why->site->model.meter_count &&
                view_read_meter(why->view, known->meter, &meter) && meter.t_receive_ns;
    uint32_t only = known->phases == 1 ? view_worst_phase(view, NULL) : PHASES;
    const char *comma = "";
    fputs(",\n\"phases\": [", why->out);
    for (uint32_t phase = 0; phase < PHASES; phase++) {
        if (only != PHASES && phase != only)
            continue;
        fprintf(why->out, "%s\n  {\"phase\": \"%c\"", comma, "ABC"[phase]);
        comma = ",";
        if (read)
            why_number(why, "load_a", meter.current_ma[only == PHASES ? phase : 0] / 1e3);
        else
            why_null(why, "load_a");
        why_number(why, "leased_a", why_amperes(why, node, view->newest_mva[phase]));
        why_number(why, "exposure_a", why_amperes(why, node, view->exposure_mva[phase]));
        if (known->limited) {
            why_number(why, "limit_a", why_amperes(why, node, view->limit_mva[phase]));
            why_number(why, "steady_a", why_amperes(why, node, view->steady_mva[phase]));
        } else {
            why_null(why, "limit_a");
            why_null(why, "steady_a");
        }
        fputs("}", why->out);
    }
    fputs("]", why->out);
}

static void write_steady(const struct why *why, uint32_t node)
{
    const struct site_note *note = why->site->note ? &why->site->note[node] : NULL;
    if (!note || note->steady_term > STEADY_NONE) {
        fputs(",\n\"steady\": null", why->out);
        return;
    }
    fprintf(why->out, ",\n\"steady\": {\"steady_a\": %.3f",
            (double)why->site->model.node[node].steady_ma / 1e3);
    why_text(why, "set_by", steady_words[note->steady_term].is);
    why_text(why, "relaxed_by", steady_words[note->steady_term].relaxed);
    if (note->next_ma)
        why_number(why, "then_a", (double)note->next_ma / 1e3);
    else
        why_null(why, "then_a");
    fputs("}", why->out);
}

static void write_heat(const struct why *why, const struct heat_view *heat)
{
    if (heat->heat_ppm < 0) {
        fputs(",\n\"heat\": null", why->out);
        return;
    }
    fprintf(why->out, ",\n\"heat\": {\"heat_pct\": %.3f", (double)heat->heat_ppm / 1e4);
    why_number(why, "travel_pct", (double)heat->travel_ppm / 1e4);
    if (heat->trip_in_ns == BREAKER_NEVER_NS)
        why_null(why, "trip_in_s");
    else
        why_number(why, "trip_in_s", (double)heat->trip_in_ns / 1e9);
    why_text(why, "trips_first", heat->trips < ELEMENT_ROLE_COUNT ? view_words_element(heat->trips) : NULL);
    why_number(why, "admissible_a", (double)heat->admissible_ma / 1e3);
    why_text(why, "admissible_by", heat->binds < ELEMENT_ROLE_COUNT ? view_words_element(heat->binds) : NULL);
    fputs("}", why->out);
}

static void write_sums(const struct why *why, uint32_t node, const struct core_node_view *view)
{
    const struct core_sum *sum[] = {&view->newest, &view->exposed};
    static const char *const names[] = {"leased", "exposed"};
    for (uint32_t i = 0; i < 2; i++) {
        fprintf(why->out, ",\n\"%s\": {", names[i]);
        why_sum(why, node, sum[i]->contingency, sum[i]->phase, sum[i]->sum_mva, sum[i]->limit_mva);
        fputs("}", why->out);
    }
}

/* Terms of what may flow at the tightest place, amperes; the last is what is left. */
static void write_made_of(const struct why *why, uint32_t node, const struct core_node_view *view,
                          const struct made_of *made)
{
    const struct model_node *known = &why->site->model.node[node];
    const struct core_sum *sum = &view->exposed;
    int64_t bad_mva = known->bad_mva[sum->contingency][sum->phase] + view->raised_mva;
    int64_t learnt_mva = view->learnt_mva[sum->phase];
    int64_t other_mva = known->other_mva[sum->phase] + learnt_mva;
    int64_t lent_mva = sum->sum_mva - bad_mva - other_mva - made->base_mva - made->fail_safe_mva;
    fprintf(why->out, ",\n\"made_of\": {\"hosts\": %u, \"k\": %u", made->hosts, known->k);
    why_number(why, "base_a", why_amperes(why, node, made->base_mva));
    why_number(why, "fail_safe_a", why_amperes(why, node, made->fail_safe_mva));
    why_number(why, "lent_a", why_amperes(why, node, lent_mva));
    why_number(why, "bad_a", why_amperes(why, node, bad_mva));
    why_number(why, "other_a", why_amperes(why, node, other_mva));
    why_number(why, "other_learnt_a", why_amperes(why, node, learnt_mva));
    if (known->limited)
        why_number(why, "left_a", why_amperes(why, node, sum->limit_mva - sum->sum_mva));
    else
        why_null(why, "left_a");
    fputs("}", why->out);
}

static void write_steering(const struct why *why, uint32_t node, const struct core_node_view *view)
{
    fprintf(why->out, ",\n\"steering\": {\"held\": %s",
            view->hold_until_ns > why->now_ns ? "true" : "false");
    if (view->hold_until_ns == INT64_MAX)
        why_null(why, "hold_s");
    else
        why_number(why, "hold_s",
                   view->hold_until_ns > why->now_ns ? (double)(view->hold_until_ns - why->now_ns) / 1e9 : 0);
    why_whether(why, "damped", view->damped);
    if (view->contract_mw) {
        why_number(why, "contract_w", (double)view->contract_mw / 1e3);
        why_whether(why, "breach", view->breach);
    } else {
        why_null(why, "contract_w");
        why_whether(why, "breach", false);
    }
    if (view->pool_level_mva) {
        why_number(why, "level_a", why_amperes(why, node, view->pool_level_mva));
        why_number(why, "level_load_a", why_amperes(why, node, view->pool_load_mva));
        why_number(why, "credit_pct", (double)view->pool_credit_ppm / 1e4);
    } else {
        why_null(why, "level_a");
        why_null(why, "level_load_a");
        why_null(why, "credit_pct");
    }
    why_number(why, "ramp_up_w_per_s", (double)view->ramp_up_mw_per_s / 1e3);
    why_number(why, "ramp_down_w_per_s", (double)view->ramp_down_mw_per_s / 1e3);
    why_text(why, "maintenance", view_words_maintenance(view->maintenance));
    fputs("}", why->out);
}

static void write_hosts(const struct why *why, uint32_t node, const struct made_of *made)
{
    fputs(",\n\"hosts\": [", why->out);
    for (uint32_t i = 0; i < WHY_HOSTS && i < made->hosts; i++) {
        struct core_host_view view = {.lease_mw = -1};
        view_read_host(why->view, made->most[i].host, &view);
        fputs(i ? ",\n  {\"id\": " : "\n  {\"id\": ", why->out);
        document_text(why->out, why->site->model.host[made->most[i].host].name);
        if (view.lease_mw >= 0)
            why_number(why, "lease_w", (double)view.lease_mw / 1e3);
        else
            why_null(why, "lease_w");
        if (view.incarnation)
            why_number(why, "draw_w", (double)view.draw_mw / 1e3);
        else
            why_null(why, "draw_w");
        why_number(why, "exposure_w", (double)view.exposure_mw / 1e3);
        why_number(why, "holds_a", why_amperes(why, node, made->most[i].mva));
        why_text(why, "exposed_by", view_words_basis(view.basis));
        fputs("}", why->out);
    }
    fputs("]", why->out);
}

/* ---- what would relax it ---- */

static void say_steady(struct why_sentences *list, uint32_t node)
{
    const struct why *why = list->why;
    const struct site_note *note = why->site->note ? &why->site->note[node] : NULL;
    if (!note || note->steady_term >= STEADY_NONE)
        return;
    double steady_a = (double)why->site->model.node[node].steady_ma / 1e3;
    if (note->next_ma)
        why_say(list, "%s: the steady limit is %.1f A by %s, and could be %.1f A at most",
                steady_words[note->steady_term].relaxed, steady_a, steady_words[note->steady_term].is,
                (double)note->next_ma / 1e3);
    else
        why_say(list, "%s: the steady limit is %.1f A by %s, and nothing else bounds it",
                steady_words[note->steady_term].relaxed, steady_a, steady_words[note->steady_term].is);
}

static void say_terms(struct why_sentences *list, uint32_t node, const struct core_node_view *view,
                      const struct made_of *made)
{
    const struct why *why = list->why;
    const struct model_node *known = &why->site->model.node[node];
    const struct core_sum *sum = &view->exposed;
    int64_t bad_mva = known->bad_mva[sum->contingency][sum->phase], other_mva = known->other_mva[sum->phase];
    if (view->raised_mva > 0)
        why_say(
            list,
            "true figures: hosts below report more than their type's physical maximum, which takes %.1f A",
            why_amperes(why, node, view->raised_mva));
    if (made->fail_safe_mva > 0)
        why_say(list, "lower fail-safe caps: those of %u hosts take %.1f A for good", made->hosts,
                why_amperes(why, node, made->fail_safe_mva));
    if (bad_mva > 0)
        why_say(list, "a smaller k: %u host%s that may disobey take%s %.1f A", known->k,
                known->k == 1 ? "" : "s", known->k == 1 ? "s" : "", why_amperes(why, node, bad_mva));
    if (other_mva > 0)
        why_say(list, "less other load: %.1f A are kept for it", why_amperes(why, node, other_mva));
    if (view->learnt_mva[sum->phase] > 0)
        why_say(list,
                "less other load than is measured: %.1f A beyond the site file, here or below, for as long "
                "as that was seen within the last minute",
                why_amperes(why, node, view->learnt_mva[sum->phase]));
}

void why_node(const struct why *why, uint32_t node)
{
    struct core_node_view view = {.measured_mw = -1, .permit = PERMIT_NONE, .heat.heat_ppm = -1};
    struct made_of made;
    struct why_sentences relax;
    struct orders_contract contract;
    view_read_node(why->view, node, &view);
    const struct core_sum *sum = &view.exposed;
    look_below(why, node, sum, &made);
    write_head(why, node, &view);
    write_shed(why, node);
    write_phases(why, node, &view);
    write_steady(why, node);
    write_heat(why, &view.heat);
    write_sums(why, node, &view);
    write_made_of(why, node, &view, &made);
    write_steering(why, node, &view);
    write_hosts(why, node, &made);
    why_open(&relax, why, "more");
    if (why->orders && orders_cap_over(why->orders, node, &contract))
        why_say_contract(&relax, &contract);
    why_say_waits(&relax, node, &view);
    why_say_permit(&relax, node, &view);
    why_say_excess(&relax, INDEX_NONE, node, sum->contingency, sum->phase);
    if (why->site->model.node[node].limited) {
        say_steady(&relax, node);
        say_terms(&relax, node, &view, &made);
    }
    why_close(&relax);
    fputs("}\n", why->out);
}
