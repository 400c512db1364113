/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/why.h"

#include <stdarg.h>
#include <string.h>

#include "core/draw.h"
#include "core/permit.h"
#include "loop/document.h"
#include "loop/view_words.h"
#include "loop/why_parts.h"

/* ---- members ---- */

void why_text(const struct why *why, const char *key, const char *value)
{
    fprintf(why->out, ", \"%s\": ", key);
    if (value)
        document_text(why->out, value);
    else
        fputs("null", why->out);
}

void why_number(const struct why *why, const char *key, double value)
{
    fprintf(why->out, ", \"%s\": %.3f", key, value);
}

void why_null(const struct why *why, const char *key)
{
    fprintf(why->out, ", \"%s\": null", key);
}

void why_whether(const struct why *why, const char *key, bool value)
{
    fprintf(why->out, ", \"%s\": %s", key, value ? "true" : "false");
}

void why_open(struct why_sentences *list, const struct why *why, const char *key)
{
    *list = (struct why_sentences){.why = why};
    fprintf(why->out, ",\n\"%s\": [", key);
}

void why_say(struct why_sentences *list, const char *format, ...)
{
    char text[WHY_SENTENCE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fputs(list->count++ ? ",\n  " : "\n  ", list->why->out);
    document_text(list->why->out, text);
}

void why_close(const struct why_sentences *list)
{
    fputs("]", list->why->out);
}

/* ---- places and sums ---- */

double why_amperes(const struct why *why, uint32_t node, int64_t load_mva)
{
    int64_t low_mv = why->site->model.node[node].volts_low_mv;
    return low_mv > 0 ? (double)load_mva / (double)low_mv : 0;
}

void why_place(char text[WHY_PLACE_BYTES], const struct why *why, uint32_t node, uint8_t contingency,
               uint8_t phase)
{
    const struct model *model = &why->site->model;
    bool lost = contingency && contingency < model->contingency_count;
    snprintf(text, WHY_PLACE_BYTES, "%s phase %c%s%s", model->node[node].name, "ABC"[phase % PHASES],
             lost ? ", on loss of " : "", lost ? model->contingency[contingency].name : "");
}

void why_sum(const struct why *why, uint32_t node, uint8_t contingency, uint8_t phase, int64_t sum_mva,
             int64_t limit_mva)
{
    const struct model *model = &why->site->model;
    char letter[2] = {"ABC"[phase % PHASES], 0};
    fputs("\"contingency\": ", why->out);
    document_text(why->out, contingency < model->contingency_count && contingency
                                     ? model->contingency[contingency].name : "none");
    why_text(why, "phase", letter);
    why_number(why, "sum_a", why_amperes(why, node, sum_mva));
    why_number(why, "sum_kva", (double)sum_mva / 1e6);
    if (model->node[node].limited) {
        why_number(why, "limit_a", why_amperes(why, node, limit_mva));
        why_number(why, "limit_kva", (double)limit_mva / 1e6);
    } else {
        why_null(why, "limit_a");
        why_null(why, "limit_kva");
    }
}

int64_t why_on_node_mva(const struct why *why, uint32_t host, uint32_t node, uint8_t contingency,
                        uint8_t phase, int64_t draw_mw)
{
    const struct model *model = &why->site->model;
    const struct model_host *known = &model->host[host];
    int64_t sum_mva = 0;
    for (uint32_t j = 0; j < known->cord_count; j++) {
        const struct model_node *above = &model->node[known->cord[j].node];
        for (uint32_t a = 0; a < above->ancestor_count; a++)
            if (above->ancestor[a] == node)
                sum_mva += draw_on_phase_mva(&known->cord[j], model->type[known->type].pf_min_ppm,
                                             contingency, phase, draw_mw);
    }
    return sum_mva;
}

const char *why_job(const struct why *why, uint32_t gang)
{
    const struct site *site = why->site;
    return site->job && gang < site->model.gang_count ? site->job[gang].name : NULL;
}

int64_t why_draw_mw(const struct why *why, uint32_t host, int64_t cap_mw)
{
    const struct model *model = &why->site->model;
    return draw_of_cap_mw(&model->type[model->host[host].type], cap_mw);
}

/* ---- what may go without anything being taken from anybody ---- */

static void add_excess(const struct why *why, uint32_t host, uint32_t node, uint8_t c, uint8_t phase,
                       struct why_excess *excess, int64_t most_mva[2])
{
    struct core_host_view view;
    if (!view_read_host(why->view, host, &view))
        return;
    bool shown = view.basis >= BASIS_FAIL_SAFE;
    int64_t cap_mw = shown && view.lease_mw > view.fail_safe_mw ? view.lease_mw : view.fail_safe_mw;
    int64_t more_mw = view.exposure_mw - why_draw_mw(why, host, cap_mw);
    int64_t more_mva = more_mw > 0 ? why_on_node_mva(why, host, node, c, phase, more_mw) : 0;
    if (more_mva <= 0)
        return;
    *(shown ? &excess->unconfirmed_mva : &excess->unshown_mva) += more_mva;
    *(shown ? &excess->unconfirmed : &excess->unshown) += 1;
    if (more_mva > most_mva[shown]) {
        most_mva[shown] = more_mva;
        *(shown ? &excess->first_unconfirmed : &excess->first_unshown) = host;
    }
}

void why_excess(const struct why *why, uint32_t node, uint8_t contingency, uint8_t phase,
                struct why_excess *excess)
{
    int64_t most_mva[2] = {0, 0};
    *excess = (struct why_excess){.first_unconfirmed = INDEX_NONE, .first_unshown = INDEX_NONE};
    for (uint32_t host = 0; host < why->site->model.host_count; host++)
        if (why_on_node_mva(why, host, node, contingency, phase, 1000000))
            add_excess(why, host, node, contingency, phase, excess, most_mva);
}

/* Wall draw of this host that so much on one phase is good for; "10.0 A, 1.0 kVA" where nobody was asked
 * for. */
static void amount(char text[WHY_PLACE_BYTES], const struct why *why, uint32_t host, uint32_t node,
                   uint8_t contingency, uint8_t phase, int64_t load_mva)
{
    double a = why_amperes(why, node, load_mva);
    int64_t per_kw_mva =
        host == INDEX_NONE ? 0 : why_on_node_mva(why, host, node, contingency, phase, INT64_C(1000000));
    if (per_kw_mva > 0)
        snprintf(text, WHY_PLACE_BYTES, "%.1f kW more (%.1f A)", (double)load_mva / (double)per_kw_mva, a);
    else
        snprintf(text, WHY_PLACE_BYTES, "%.1f A (%.1f kVA)", a, (double)load_mva / 1e6);
}

void why_say_excess(struct why_sentences *list, uint32_t host, uint32_t node, uint8_t contingency,
                    uint8_t phase)
{
    const struct why *why = list->why;
    const struct model *model = &why->site->model;
    struct why_excess excess;
    char place[WHY_PLACE_BYTES], free[WHY_PLACE_BYTES];
    why_excess(why, node, contingency, phase, &excess);
    why_place(place, why, node, contingency, phase);
    amount(free, why, host, node, contingency, phase, excess.unconfirmed_mva);
    if (excess.unconfirmed == 1)
        why_say(list, "%s at %s once %s has shown that its cut holds", free, place,
                model->host[excess.first_unconfirmed].name);
    else if (excess.unconfirmed)
        why_say(list, "%s at %s once %u hosts have shown that their cuts hold, %s most of it", free, place,
                excess.unconfirmed, model->host[excess.first_unconfirmed].name);
    amount(free, why, host, node, contingency, phase, excess.unshown_mva);
    if (excess.unshown == 1)
        why_say(list, "%s at %s once %s, which counts at phys_max, has shown a cap", free, place,
                model->host[excess.first_unshown].name);
    else if (excess.unshown)
        why_say(list, "%s at %s once %u hosts that count at phys_max have shown a cap, %s most of it", free,
                place, excess.unshown, model->host[excess.first_unshown].name);
}

/* ---- permits and waits ---- */

/* A reserve that an order to take a node out withdraws looks like one whose feed is lost. */
static bool say_withdrawn(struct why_sentences *list, const struct model_node *known)
{
    const struct why *why = list->why;
    bool said = false;
    for (uint32_t i = 0; why->orders && i < CONTINGENCIES_MAX; i++) {
        struct core_maintenance_view m;
        if (!board_read_maintenance(why->orders->board, i, &m) || !m.number ||
            !(known->lend >> m.contingency & 1))
            continue;
        why_say(list, "flyball maintenance put-back %s: what %s may lend on the loss of %s is withdrawn",
                why->site->model.node[m.node].name, known->name,
                why->site->model.contingency[m.contingency].name);
        said = true;
    }
    return said;
}

/* What is lent is less sure of, and so may be less: its own meter would raise it. */
static bool say_who_stands_in(struct why_sentences *list, const struct model_node *known,
                              const struct core_node_view *view, const char *since, const char *meter)
{
    const struct model *model = &list->why->site->model;
    if (view->permit == PERMIT_BY_CHILDREN)
        why_say(list, "the meter of %s (%s) back: lost, for %s all meters right below it stand in",
                known->name, meter, since);
    if (view->permit == PERMIT_BY_PARENT)
        why_say(
            list,
            "the meter of %s (%s) back: lost, for %s that of %s stands in, less what those beside it read",
            known->name, meter, since, model->node[known->parent[0]].name);
    return view->permit == PERMIT_BY_CHILDREN || view->permit == PERMIT_BY_PARENT;
}

void why_say_permit(struct why_sentences *list, uint32_t node, const struct core_node_view *view)
{
    const struct why *why = list->why;
    const struct model_node *known = &why->site->model.node[node];
    char since[VIEW_WORDS_TIME_BYTES];
    if (view->permit == PERMIT_HELD || view->permit == PERMIT_NONE)
        return;
    if (view->permit == PERMIT_FEED && say_withdrawn(list, known))
        return;
    view_words_since(since, why->now_ns - view->permit_since_ns);
    const char *meter = known->meter == INDEX_NONE ? "no meter" : why->site->model.meter[known->meter].name;
    if (say_who_stands_in(list, known, view, since, meter))
        return;
    why_say(list, "a permit at %s (%s): %s for %s, %s", known->name, meter,
            view_words_permit(view->permit), since, view_words_permit_meaning(view->permit));
}

void why_say_waits(struct why_sentences *list, uint32_t node, const struct core_node_view *view)
{
    const struct why *why = list->why;
    const char *name = why->site->model.node[node].name;
    if (view->emergency)
        why_say(list, "the end of the emergency at %s: measured below 0.9 of its steady limit for %.1f s",
                name, (double)why->site->model.policy.emergency_clear_ns / 1e9);
    if (view->hold_until_ns == INT64_MAX)
        why_say(list, "raises below %s wait: what they wait for still lasts", name);
    else if (view->hold_until_ns > why->now_ns)
        why_say(list, "raises below %s wait for %.1f s more", name,
                (double)(view->hold_until_ns - why->now_ns) / 1e9);
    if (view->recovery)
        why_say(list, "the end of the recovery at %s: no exposure is raised while it lasts%s%s", name,
                view_words_recovery(view->recovery_by) ? "; it came by this: " : "",
                view_words_recovery(view->recovery_by) ? view_words_recovery(view->recovery_by) : "");
    if (view->recovery_silent || view->recovery_bad)
        why_say(list, "the hosts below %s that hold the recovery: %u silent, %u disobeying", name,
                view->recovery_silent, view->recovery_bad);
}

void why_say_contract(struct why_sentences *list, const struct orders_contract *contract)
{
    const char *node = list->why->site->model.node[contract->node[0]].name;
    why_say(list, "the end of contract %s: %s at most %.1f kW, %s %llu", contract->name,
            contract->count == 1 ? node : "its nodes together", (double)contract->view.value_mw / 1e6,
            contract->of_site ? "site file, order" : "order", (unsigned long long)contract->view.number);
}

/* ---- the whole ---- */

static uint32_t host_named(const struct model *model, const char *name)
{
    for (uint32_t i = 0; i < model->host_count; i++)
        if (!strcmp(model->host[i].name, name))
            return i;
    return INDEX_NONE;
}

static uint32_t node_named(const struct model *model, const char *name)
{
    for (uint32_t i = 0; i < model->node_count; i++)
        if (!strcmp(model->node[i].name, name))
            return i;
    return INDEX_NONE;
}

bool why_write(const struct why *why, const char *name)
{
    const struct model *model = &why->site->model;
    uint32_t host = host_named(model, name), node = node_named(model, name);
    if (host != INDEX_NONE)
        why_host(why, host);
    else if (node != INDEX_NONE)
        why_node(why, node);
    else
        fputs("{\"error\": \"neither a host nor a node of this site has that name\"}\n", why->out);
    return host != INDEX_NONE || node != INDEX_NONE;
}
