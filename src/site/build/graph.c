/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes with their limits, hosts with their cords. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "site/build/build.h"
#include "site/derive.h"
#include "site/flow/outage.h"


/* Self, then the ancestors of every parent, each once; what a catcher takes over hangs on it by cords of its
 * own. */
static int collect_ancestors(struct model *m, struct model_node *n, uint32_t self, uint32_t reserve)
{
    n->ancestor[0] = self;
    n->ancestor_count = 1;
    for (uint32_t i = 0; i < n->parent_count; i++) {
        const struct model_node *parent = &m->node[n->parent[i]];

        for (uint32_t a = 0; a < parent->ancestor_count && n->parent[i] != reserve; a++) {
            uint32_t k = 0;

            while (k < n->ancestor_count && n->ancestor[k] != parent->ancestor[a])
                k++;
            if (k < n->ancestor_count)
                continue;
            if (n->ancestor_count == ANCESTORS_MAX)
                return -1;
            n->ancestor[n->ancestor_count++] = parent->ancestor[a];
        }
    }
    return 0;
}

/* Do two figures of one thing agree within 2 %? */
static int agree(int64_t a, int64_t b)
{
    int64_t apart = a > b ? a - b : b - a;

    return apart <= a / 50;
}

/* domain.md 0.5: amperes and kilowatts of one device, compared at nominal volts. */
static void check_ratings(struct draft *d, const struct draft_node *draft, const struct model_node *n)
{
    int64_t power = derive_round_down(n->rating_ma, n->volts_ln_mv * n->phases, 1000);
    int64_t line_to_line = derive_round_down(n->rating_ma, draft->volts_ll_mv, 1000),
            given = draft->rating_power.number;
    char text[32];

    if (!draft->rating_power.at || !n->limited || agree(power, given))
        return;
    if (n->phases != PHASES && agree(line_to_line, given))
        return;
    finding_at(
        d->errors, draft->rating_power.at,
        "rating_power %s disagrees with rating %s by more than 2%%, that is %s at %s, correct one or drop it",
        draft->rating_power.text, draft->device.rating.text,
        quantity_write(QUANTITY_APPARENT, power, text, sizeof text),
        draft->volts.at ? draft->volts.text : "nominal volts");
}

/* The lowest current at which something that is no electronic unit may run for long; 0 = it is one. */
static int64_t long_time_edge_ma(const struct site_device *device)
{
    const struct device_relay *relay = &device->relay;
    int64_t tolerance = device->max_count ? 0 : device->points_tolerance_ppm;

    if (device->kind == DEVICE_RELAY)
        return derive_round_down(relay->pickup_ma, PPM - relay->pickup_tolerance_ppm, PPM);
    return device->min_count ? derive_round_down(device->min[0].ma, PPM - tolerance, PPM) : 0;
}

static int64_t least_state_ma(const struct site_equipment *equipment)
{
    int64_t least = 0;

    for (uint32_t i = 0; i < equipment->state_count; i++)
        if (!least || equipment->state[i].current_ma < least)
            least = equipment->state[i].current_ma;
    return least;
}

/* A magnetic stage is less sure of its pickup than a trip unit: domain.md 1.4. */
static int64_t instantaneous_tolerance_ppm(const struct draft_device *v)
{
    enum { MAGNETIC_PPM = 200000 };
    bool magnetic = draft_device_kind(v) == DEVICE_THERMAL_MAGNETIC && !v->instantaneous.tolerance.at;

    return magnetic ? MAGNETIC_PPM : v->instantaneous.tolerance.number;
}

static void build_limit(const struct draft_node *draft, const struct site_device *set,
                        const struct site_equipment *equipment, struct model_node *n, struct site_note *note)
{
    const struct draft_device *v = &draft->device;
    const int64_t definite =
        derive_definite_ma(v->short_time.pickup.number, v->short_time.tolerance.number,
                           v->instantaneous.pickup.number, instantaneous_tolerance_ppm(v));
    const struct device device = {.definite_ma = definite,
                                  .long_time_ma = n->long_time_ma,
                                  .edge_ma = long_time_edge_ma(set),
                                  .rated_100pct = n->rated_100pct,
                                  .ambient_ppm = draft->ambient.number,
                                  .conductor_ma = equipment->conductor_ma,
                                  .transformer_mva = equipment->transformer_mva,
                                  .ups_mva = equipment->ups_mva,
                                  .ups_mw = equipment->ups_mw,
                                  .state_ma = least_state_ma(equipment),
                                  .volts_ln_mv = n->volts_ln_mv,
                                  .phases = n->phases};
    enum steady_term term = STEADY_NONE, next = STEADY_NONE;

    if (n->limited)
        n->steady_ma = derive_steady_ma(&device, &term);
    if (n->limited)
        note->next_ma = derive_relaxed_ma(&device, term, &next);
    note->steady_term = (uint8_t)term;
    note->next_term = (uint8_t)next;
    note->settings_known = draft->settings_at.at || !n->rating_ma;      /* nothing is set there */
    note->line = draft->at->line;
    note->column = draft->at->column;
    n->instant_peak_ma = derive_instant_peak_ma(definite);
}

/* One finding where a chain grows too long, not one for everything below it. */
static void check_depth(struct draft *d, struct draft_node *draft, struct model_node *n, int too_deep)
{
    uint32_t above = 0;

    for (uint32_t p = 0; p < draft->parent_count; p++)
        above += d->node[draft->parent_of[p]].too_deep;
    draft->too_deep = too_deep || above;
    if (too_deep && !above)
        finding_at(d->errors, draft->at, "node '%s' has more than %d nodes above it, flatten the graph",
                   n->name, ANCESTORS_MAX - 1);
}

static void build_node(struct draft *d, struct site *site, uint32_t i)
{
    struct draft_node *draft = &d->node[d->node_order[i]];
    struct model_node *n = &site->model.node[i];

    snprintf(n->name, sizeof n->name, "%s", draft->id.text);
    n->kind = (uint8_t)draft->kind.number;
    n->phases = (uint8_t)draft->phase_count;
    n->rated_100pct = draft->device.rated.number == RATED_100;
    /* a busbar has no device and still an ampacity */
    n->limited = !draft->unlimited.number || draft->conductor.rated.number;
    n->parent_count = draft->parent_count;
    for (uint32_t p = 0; p < n->parent_count; p++)
        n->parent[p] = d->node[draft->parent_of[p]].rank;
    n->k = (uint32_t)draft->k.number;
    n->volts_ln_mv = derive_volts_ln_mv(draft->volts_ll_mv);
    n->volts_low_mv = derive_volts_low_mv(n->volts_ln_mv, draft->volts_low_ppm);
    n->rating_ma = draft->device.rating.number;
    n->long_time_ma = build_long_time_ma(&draft->device);
    check_depth(d, draft, n, collect_ancestors(&site->model, n, i, build_reserve_of(site, i)));
    build_device(d, draft, &site->device[i]);
    build_equipment(d, draft, n, &site->equipment[i]);
    n->ramp_up_mw_per_s = draft->ramp.up.number * 1000;
    n->ramp_down_mw_per_s = draft->ramp.down.number * 1000;
    build_limit(draft, &site->device[i], &site->equipment[i], n, &site->note[i]);
    check_ratings(d, draft, n);
    build_check_volts(d, draft, site, i);
}

/* Amperes are what a device minds: a sag leaves less power for them. What is lost carries nothing and binds
 * nothing. */
static int64_t limit_mva(const struct draft *d, const struct site *site, uint32_t node, uint32_t c)
{
    const struct model *m = &site->model;
    const struct model_node *n = &m->node[node];
    int64_t volts_mv = n->volts_low_mv, sag_mv = derive_volts_low_mv(n->volts_ln_mv, d->sag.volts.number);

    if (!n->limited || !outage_alive(m, node, m->contingency[c].lost_node))
        return DERIVE_NO_LIMIT;
    if (m->contingency[c].kind == CONTINGENCY_SAG && sag_mv < volts_mv && build_sags(site, node))
        volts_mv = sag_mv;
    return derive_limit_mva(n->steady_ma, volts_mv);
}

/* What hangs on a node without a lease is load of everything above it too; of the steps the largest. */
static void add_other(const struct draft_node *draft, const struct model_node *up_from, struct model *m,
                      int64_t (*step)[PHASES])
{
    for (uint32_t a = 0; a < up_from->ancestor_count; a++)
        for (uint32_t ph = 0; ph < PHASES; ph++) {
            uint32_t above = up_from->ancestor[a];

            m->node[above].other_mva[ph] += draft->other_mva[ph];
            if (draft->step_mva[ph] <= step[above][ph])
                continue;
            m->node[above].other_mva[ph] += draft->step_mva[ph] - step[above][ph];
            step[above][ph] = m->node[above].step_mva[ph] = draft->step_mva[ph];
        }
}

static void set_limits(const struct draft *d, struct site *site, int64_t (*step)[PHASES])
{
    struct model *m = &site->model;

    for (uint32_t i = 0; i < m->node_count; i++) {
        struct model_node *n = &m->node[i];

        for (uint32_t c = 0; c < m->contingency_count; c++)
            for (uint32_t ph = 0; ph < PHASES; ph++)
                n->limit_mva[c][ph] = limit_mva(d, site, i, c);
        uint32_t transfer = build_switch_above(site, i);

        add_other(&d->node[d->node_order[i]], n, m, step);
        if (transfer != INDEX_NONE)     /* of whichever block: all of them count */
            add_other(&d->node[d->node_order[i]], &m->node[build_reserve_of(site, transfer)], m, step);
        if (!n->parent_count)
            continue;
        struct model_node *parent = &m->node[n->parent[0]];

        if (!parent->child_count++)
            parent->child_first = i;
    }
}

int build_nodes(struct draft *d, struct site *site)
{
    int64_t(*step)[PHASES] = scratch_take(&d->scratch, (d->node_count + 1) * sizeof *step);

    if (!step)
        return -ENOMEM;
    for (uint32_t i = 0; i < d->node_count; i++)
        build_node(d, site, i);
    set_limits(d, site, step);
    return 0;
}

/* The phases a cord takes must exist where it hangs. Returns the wiring, or WIRING_COUNT with a finding. */
static enum wiring cord_wiring(struct draft *d, const struct draft_cord *cord, const struct model_node *n)
{
    if (cord->phases.number < 0) {
        if (n->phases == PHASES)
            return WIRING_ABC;
        finding_at(d->errors, cord->at,
                   "node '%s' has one phase, say which with phases: A, B, C, AB, BC or CA", n->name);
        return WIRING_COUNT;
    }
    if (cord->phases.number == WIRING_ABC && n->phases != PHASES) {
        finding_at(d->errors, cord->at,
                   "a three-phase cord on node '%s' that has one phase, use phases: A, B, C, AB, BC or CA",
                   n->name);
        return WIRING_COUNT;
    }
    return (enum wiring)cord->phases.number;
}

/* The most one live cord may carry: its supplies' part, or a configured share. That is the normal one; losses
 * move load to the survivors, never away from them, and as it was given: by the supplies alone, a cord
 * that is to carry most of a host would be counted too low. */
static uint32_t live_share_ppm(uint32_t by_supplies, uint32_t given, uint32_t given_alive, bool whole)
{
    if (!given || whole)
        return given ? given : by_supplies;
    uint32_t part = (uint32_t)derive_round_up(given, PPM, given_alive), most = given > part ? given : part;

    return by_supplies > most ? by_supplies : most;
}

/* Shares of one row's cords under every contingency: a cord without a way to a source carries nothing. */
static void set_shares(const struct draft *d, const struct model *m, const struct draft_row *row,
                       struct model_cord *cord)
{
    bool hot_spare = d->type[row->type_of].psu.number == PSU_HOT_SPARE;

    for (uint32_t c = 0; c < m->contingency_count; c++) {
        uint32_t alive = 0, psus = 0, given = 0, is_alive[CORDS_MAX];

        for (uint32_t j = 0; j < row->cord_count; j++) {
            is_alive[j] = (uint32_t)outage_alive(m, cord[j].node, m->contingency[c].lost_node);
            alive += is_alive[j];
            psus += is_alive[j] * cord[j].psus;
            given += is_alive[j] * (uint32_t)row->cords_of[j].share.number;
        }
        for (uint32_t j = 0; j < row->cord_count; j++) {
            uint32_t by_supplies = !is_alive[j] ? 0
                                   : hot_spare  ? (uint32_t)PPM
                                                : derive_share_ppm(cord[j].psus, psus, alive);

            cord[j].share_ppm[c] =
                is_alive[j] ? live_share_ppm(by_supplies, (uint32_t)row->cords_of[j].share.number, given,
                                             alive == row->cord_count)
                            : 0;
        }
    }
}

static void build_row(struct draft *d, const struct site *site, const struct draft_row *row,
                      struct model_host *host)
{
    const struct model *m = &site->model;

    for (uint32_t j = 0; j < row->cord_count; j++) {
        const struct draft_cord *from = &row->cords_of[j];
        struct model_cord *cord = &host->cord[j];

        cord->node = d->node[from->node_of].rank;
        cord->psus = (uint32_t)from->psus.number;
        enum wiring wiring = cord_wiring(d, from, &m->node[cord->node]);

        if (wiring != WIRING_COUNT)
            derive_phase_ppm(wiring, cord->phase_ppm);
    }
    host->cord_count = row->cord_count;
    host->weight = (uint32_t)row->weight.number;
    host->tier = (uint8_t)row->tier.number;
    host->gang = INDEX_NONE;
    host->fail_safe_mw = row->fail_safe.number;
    host->floor_mw = row->floor.number;
    for (uint32_t t = 0; t < d->type_count; t++)
        if (d->type_order[t] == row->type_of)
            host->type = t;
    set_shares(d, m, row, host->cord);
    build_reserve_cords(d, site, row, host);
}

static void set_ranges(struct model *m)
{
    for (uint32_t h = 0; h < m->host_count; h++) {
        struct model_node *n = &m->node[m->host[h].cord[0].node];

        if (!n->host_count++)
            n->host_first = h;
    }
    for (uint32_t i = m->node_count; i-- > 0;) {
        struct model_node *n = &m->node[i];
        struct model_node *parent = n->parent_count ? &m->node[n->parent[0]] : NULL;

        /* own hosts stand before those of the children, which have been added by now */
        if (n->host_count)
            n->host_below_first = n->host_first;
        n->host_below += n->host_count;
        if (!parent || !n->host_below)
            continue;
        if (!parent->host_below || n->host_below_first < parent->host_below_first)
            parent->host_below_first = n->host_below_first;
        parent->host_below += n->host_below;
    }
}

void build_hosts(struct draft *d, struct site *site)
{
    struct model *m = &site->model;
    uint16_t port = site->server.port_count ? site->server.port[site->server.port_count - 1].own.port : 0;
    uint32_t built = INDEX_NONE;
    struct model_host same = {0};

    for (uint32_t h = 0; h < m->host_count; h++) {
        const struct draft_host *draft = &d->host[d->host_order[h]];
        const struct draft_row *row = &d->row[draft->row];
        struct site_address *address = &site->host_address[h];

        if (draft->row != built) { /* hosts of one row differ in name and address only */
            same = (struct model_host){0};
            build_row(d, site, row, &same);
            built = draft->row;
        }
        m->host[h] = same;
        snprintf(m->host[h].name, NAME_BYTES, "%s", draft->name);
        address->ipv4 = row->ipv4 + draft->ordinal;
        address->port = row->udp.at ? (uint16_t)row->udp.number : port;
        address->has_mac = row->mac.at != NULL;
        memcpy(address->mac, row->mac_of, sizeof address->mac);
    }
    set_ranges(m);
}
