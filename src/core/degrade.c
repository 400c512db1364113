/* SPDX-License-Identifier: Apache-2.0 */
/* Rows are entered and left by readings and reports, O(1) each; silence is found by a round over all. */
#include "core/degrade.h"

#include "core/compare.h"
#include "core/detect.h"
#include "core/ledger.h"
#include "core/recovery.h"
#include "msg/reading.h"

/* Of degrade.host: one bit per row, and two that are none: it was bounded once; it is heard and above its
 * newest lease. */
enum { WAS_BOUNDED = 1 << DEGRADED_CLOCK, IS_ABOVE = 1 << DEGRADED_METER };
#define NEVER_NS INT64_MAX

static_assert(DEGRADED_CONTROLLER < 8, "the rows that hosts are in fit into a byte");

void degrade_turn(struct degrade_row *row, uint32_t index, bool was_in, bool is_in, int64_t t_ns)
{
    if (is_in && !was_in) {
        row->since_ns = row->now ? row->since_ns : t_ns;
        row->newest = index;
        row->entered++;
        row->now++;
    } else if (was_in && !is_in) {
        row->left++;
        row->now--;
    }
    if (!is_in && row->newest == index)
        row->newest = INDEX_NONE;   /* the next look finds one of the others */
}

void degrade_init(struct degrade *degrade, const struct model *model, int64_t t_ns)
{
    degrade->model = model;
    degrade->start_ns = t_ns;
    degrade->within_ns = recovery_within_ns(model);
    for (uint32_t i = 0; i < DEGRADATION_COUNT; i++)
        degrade->row[i].newest = INDEX_NONE;
    for (uint32_t c = 0; c < CONTINGENCIES_MAX; c++)
        degrade->feed_good_ns[c] = t_ns;    /* until a reading says otherwise: a start is no loss */
    for (uint32_t c = 0; c < model->contingency_count; c++) {
        uint32_t witness = model->contingency[c].witness;
        if (model->contingency[c].kind == CONTINGENCY_LOSS && witness < model->meter_count)
            degrade->witness[witness] |= (uint8_t)(1u << c);
    }
}

/* ---- meters and the feeds they show ---- */

static void set_meter(struct degrade *degrade, uint32_t meter, uint8_t is, int64_t t_ns)
{
    degrade_turn(&degrade->row[DEGRADED_METER], meter, degrade->meter[meter] != 0, is != 0, t_ns);
    degrade->meter[meter] = is;
}

static void set_feed(struct degrade *degrade, uint32_t c, bool is_in, int64_t t_ns)
{
    degrade_turn(&degrade->row[DEGRADED_FEED], c, degrade->feed[c], is_in, t_ns);
    degrade->feed[c] = is_in;
}

/* A feed that is seen alive on every phase comes back after it was so for a while; one that is not, or that
 * nobody sees, is lost at once. */
static void see_feeds(struct degrade *degrade, uint8_t set, bool alive, int64_t t_ns)
{
    for (uint32_t c = 0; set >> c; c++) {
        if (!(set >> c & 1) || degrade->lent_against >> c & 1)
            continue;
        if (!alive)
            degrade->feed_good_ns[c] = NEVER_NS;
        else if (degrade->feed_good_ns[c] == NEVER_NS)
            degrade->feed_good_ns[c] = t_ns;
        bool good = alive && t_ns - degrade->feed_good_ns[c] >= degrade->model->policy.feed_stable_ns;
        if (!alive || (good && degrade->feed[c]))
            set_feed(degrade, c, !alive, t_ns);
    }
}

void degrade_feeds(struct degrade *degrade, uint8_t lent_against, uint8_t alive, int64_t t_ns)
{
    bool begun = t_ns - degrade->start_ns > degrade->model->policy.lease_ns;
    degrade->lent_against = lent_against & (uint8_t)~1u;
    degrade->alive |= alive & degrade->lent_against;
    for (uint32_t c = 1; degrade->lent_against >> c; c++)
        if (degrade->lent_against >> c & 1 && (begun || degrade->alive >> c & 1))
            set_feed(degrade, c, !(alive >> c & 1), t_ns);
}

static bool is_alive(const struct model_node *node, const struct reading *reading)
{
    for (uint32_t phase = 0; phase < node->phases; phase++)
        if (reading->voltage_mv[phase] < node->volts_ln_mv / 2)
            return false;
    return true;
}

void degrade_reading(struct degrade *degrade, const struct reading *reading, uint8_t meter, int64_t t_ns)
{
    uint8_t set = degrade->witness[reading->meter];
    if (degrade->meter[reading->meter] != meter)
        set_meter(degrade, reading->meter, meter, t_ns);
    bool alive = is_alive(&degrade->model->node[degrade->model->meter[reading->meter].node], reading);
    if (set && !(alive && reading->flags & READING_UNSURE))
        see_feeds(degrade, set, alive, t_ns);
}

/* ---- hosts ---- */

static void set_host(struct degrade *degrade, uint32_t host, enum degradation row, bool is_in, int64_t t_ns)
{
    uint8_t bit = (uint8_t)(1u << row);
    bool was_in = degrade->host[host] & bit;
    if (was_in == is_in)
        return;
    degrade_turn(&degrade->row[row], host, was_in, is_in, t_ns);
    degrade->host[host] ^= bit;
}

/* Its reports show more than its newest lease allows, and show no progress: the cut is not applied. */
static bool is_not_applied(struct degrade *degrade, const struct ledger_host *h, uint32_t host,
                           bool was_silent, int64_t t_ns)
{
    struct degrade_owed *owed = &degrade->owed[host];
    if (!h->bounded || h->exposed_draw_mw <= h->newest_draw_mw) {
        degrade->host[host] &= (uint8_t)~IS_ABOVE;
        return false;
    }
    int64_t cap_mw = ledger_exposed_cap_mw(h);
    if (was_silent || !(degrade->host[host] & IS_ABOVE) || owed->cap_mw != cap_mw)
        *owed = (struct degrade_owed){cap_mw, t_ns};
    degrade->host[host] |= IS_ABOVE;
    return t_ns - owed->since_ns > degrade->within_ns;
}

/* Nobody can say of a host that was never bounded that its cap is lost; of a device that is gone one can. */
static bool cap_is_lost(const struct degrade *degrade, const struct ledger *ledger, uint32_t host)
{
    const struct ledger_host *h = &ledger->host[host];
    if (!ledger->enforcing)
        return false;
    if (h->flags & (REPORT_DEVICE_LOST | REPORT_FOREIGN_LIMIT))
        return true;
    return !h->bounded && degrade->host[host] & WAS_BOUNDED && !ledger_is_let_go(h);
}

void degrade_report(struct degrade *degrade, const struct ledger *ledger, const struct report *report,
                    int64_t t_ns)
{
    uint32_t host = report->host;
    if (ledger->host[host].bounded)
        degrade->host[host] |= WAS_BOUNDED;
    bool was_silent = degrade->host[host] >> DEGRADED_AGENT & 1;
    set_host(degrade, host, DEGRADED_AGENT, false, t_ns);
    bool not_applied = is_not_applied(degrade, &ledger->host[host], host, was_silent, t_ns);
    set_host(degrade, host, DEGRADED_CAP, not_applied || cap_is_lost(degrade, ledger, host), t_ns);
    set_host(degrade, host, DEGRADED_CONTROLLER, report->epoch > ledger->epoch, t_ns);
}

/* ---- the round ---- */

/* One that is in stands for those whose newest has left. */
static void name(struct degrade_row *row, uint32_t index, bool is_in)
{
    if (is_in && row->newest == INDEX_NONE)
        row->newest = index;
}

static void look_at_meter(struct degrade *degrade, const struct detect *detect, uint32_t meter, int64_t t_ns)
{
    int64_t since_ns = larger(detect->reading_t_ns, degrade->start_ns);
    if (t_ns - since_ns > degrade->model->meter[meter].fresh_ns &&
        !(degrade->meter[meter] & METER_IS_SILENT)) {
        set_meter(degrade, meter, degrade->meter[meter] | METER_IS_SILENT, t_ns);
        see_feeds(degrade, degrade->witness[meter], false, t_ns);
    }
    name(&degrade->row[DEGRADED_METER], meter, degrade->meter[meter] != 0);
}

static void look_at_host(struct degrade *degrade, const struct ledger *ledger, uint32_t host, int64_t t_ns)
{
    static const uint8_t rows[] = {DEGRADED_AGENT, DEGRADED_CAP, DEGRADED_CONTROLLER};
    int64_t since_ns = larger(ledger->host[host].report_t_ns, degrade->start_ns);
    if (t_ns - since_ns > degrade->model->policy.lease_ns)
        set_host(degrade, host, DEGRADED_AGENT, true, t_ns);
    if (!ledger->enforcing) {   /* caps are not lost where none are set */
        set_host(degrade, host, DEGRADED_CAP, false, t_ns);
        degrade->host[host] &= (uint8_t)~WAS_BOUNDED;
    }
    for (uint32_t i = 0; i < sizeof rows; i++)
        name(&degrade->row[rows[i]], host, degrade->host[host] >> rows[i] & 1);
}

void degrade_scan(struct degrade *degrade, const struct ledger *ledger, const struct detect *detect,
                  int64_t t_ns, uint32_t items)
{
    const struct model *model = degrade->model;
    uint32_t count = model->meter_count + model->host_count;
    for (uint32_t c = 0; c < model->contingency_count; c++)
        name(&degrade->row[DEGRADED_FEED], c, degrade->feed[c]);
    for (items = items < count ? items : count; items; items--) {
        uint32_t at = degrade->cursor;
        degrade->cursor = at + 1 < count ? at + 1 : 0;
        if (at < model->meter_count)
            look_at_meter(degrade, &detect[at], at, t_ns);
        else
            look_at_host(degrade, ledger, at - model->meter_count, t_ns);
    }
}
