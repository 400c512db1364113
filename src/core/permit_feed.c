/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds whose loss a reserve is lent against (I5): lost, unseen, or back for too short a time. */
#include <stddef.h>

#include "core/compare.h"
#include "core/permit_inside.h"

enum { WITNESS_DEAD = 1, WITNESS_UNSEEN = 2, CORDS_DARK = 4 };
enum { DARK_PART = 16 };        /* of the hosts on a feed: as many as this part show what it is */

/* ---- setup ---- */

static bool loses(const struct model_cord *cord, uint32_t c)
{
    return cord->share_ppm[0] && !cord->share_ppm[c];
}

static bool loses_any(const struct model_host *host, uint32_t c)
{
    for (uint32_t j = 0; j < host->cord_count; j++)
        if (loses(&host->cord[j], c))
            return true;
    return false;
}

static bool is_loss(const struct model *model, uint32_t c)
{
    return model->contingency[c].kind == CONTINGENCY_LOSS;
}

static void watch_witness(struct permits *permits, uint32_t c)
{
    uint32_t witness = permits->model->contingency[c].witness;
    if (witness >= permits->model->meter_count)
        return;
    permits->meter[witness].witness |= (uint8_t)(1u << c);
    permits->feed[c].bad = WITNESS_UNSEEN;
}

void permit_feed_init(struct permits *permits)
{
    const struct model *model = permits->model;
    permits->feeds = 1;
    permits->losses = 0;
    for (uint32_t c = 1; c < model->contingency_count; c++) {
        permits->feed[c] = (struct permit_feed){0};
        if (!is_loss(model, c)) {
            permits->feeds |= (uint8_t)(1u << c);
            continue;
        }
        permits->losses |= (uint8_t)(1u << c);
        for (uint32_t h = 0; h < model->host_count; h++)
            permits->feed[c].hosts += loses_any(&model->host[h], c);
        watch_witness(permits, c);
        if (!permits->feed[c].bad)
            permits->feeds |= (uint8_t)(1u << c);
    }
}

/* ---- evidence ---- */

static bool is_stable(const struct permits *permits, const struct permit_feed *feed, int64_t t_ns)
{
    return !feed->bad && (!feed->lost || t_ns - feed->good_ns >= permits->model->policy.feed_stable_ns);
}

/* Lost or back, by evidence: a witness that is silent shows neither, and a start finds every feed alive until
 * something says that it is not. */
static void follow_turn(struct permits *permits, uint32_t c, int64_t t_ns)
{
    struct permit_feed *feed = &permits->feed[c];
    bool gone = feed->bad & ~WITNESS_UNSEEN;
    if (feed->bad == WITNESS_UNSEEN || gone == feed->gone)
        return;
    feed->gone = gone;
    feed->turned_ns = t_ns;
    hold_feed(permits->holds, c, t_ns);
}

/* Lost at once, with everything that lends against it; back after it was good for a while. A start finds a
 * feed good with the first reading: nothing came back. */
static void weigh(struct permits *permits, uint32_t c, uint8_t bad, int64_t t_ns)
{
    struct permit_feed *feed = &permits->feed[c];
    uint8_t bit = (uint8_t)(1u << c), before = permits->feeds;
    if (!feed->bad != !bad)
        feed->good_ns = t_ns;
    permits->feed_losses += bad && !feed->bad;
    permits->feed_turns += bad != feed->bad;
    feed->lost = feed->lost || (bad && !feed->bad) || bad & ~WITNESS_UNSEEN;
    feed->bad = bad;
    follow_turn(permits, c, t_ns);
    bool lends = is_stable(permits, feed, t_ns);
    permits->feeds = (uint8_t)(lends ? permits->feeds | bit : permits->feeds & ~bit);
    permits->feed_turns += feed->lost && lends;
    feed->lost = feed->lost && !lends;
    if (permits->feeds == before)
        return;
    for (uint32_t i = 0; i < permits->lender_count; i++) {
        const struct permit_node *p = &permits->meter[permits->lender[i]];
        if (permits->model->node[p->node].lend & bit)
            permit_follow(permits, permits->lender[i], t_ns);
    }
}

static void weigh_witness(struct permits *permits, uint8_t set, uint8_t evidence, int64_t t_ns)
{
    for (uint32_t c = 1; set >> c; c++)
        if (set >> c & 1)
            weigh(permits, c,
                  (uint8_t)((permits->feed[c].bad & ~(WITNESS_DEAD | WITNESS_UNSEEN)) | evidence), t_ns);
}

void permit_feed_reading(struct permits *permits, const struct permit_node *p, const struct reading *reading,
                         int64_t t_ns)
{
    const struct model_node *node = &permits->model->node[p->node];
    bool alive = p->until_ns >= t_ns;
    uint8_t evidence = alive ? 0 : WITNESS_UNSEEN;
    for (uint32_t phase = 0; phase < node->phases; phase++)
        if (reading->voltage_mv[phase] < node->volts_ln_mv / 2)
            evidence = WITNESS_DEAD;
    if (reading->flags & READING_UNSURE && evidence != WITNESS_DEAD)
        return;
    weigh_witness(permits, p->witness, evidence, t_ns);
}

bool permit_reads_a_loss(const struct permits *permits, const struct permit_node *p,
                         const struct reading *reading)
{
    const struct model_node *node = &permits->model->node[p->node];
    const struct ledger_sums *sums = &permits->ledger->node[p->node];
    int64_t error_ppm = permits->model->meter[node->meter].error_ppm;
    for (uint32_t phase = 0; phase < node->phases; phase++) {
        int64_t none_mva = sums->exposed_mva[0][phase];
        if (node->phases == 1)
            none_mva = larger(none_mva, larger(sums->exposed_mva[0][1], sums->exposed_mva[0][2]));
        int64_t measured_mva = reading->current_ma[phase] * reading->voltage_mv[phase] / 1000;
        if (measured_mva > none_mva + none_mva / 1000 * error_ppm / 1000)
            return true;
    }
    return false;
}

/* That nobody read a witness while one controller followed another is not the feed's fault: as at a start.
 * But who lends against it again already, by a reading of its own, does so no longer. */
static void unsee(struct permits *permits, uint8_t set, int64_t t_ns)
{
    for (uint32_t c = 1; set >> c; c++)
        if (set >> c & 1)
            permits->feed[c].bad |= WITNESS_UNSEEN;
    permits->feeds &= (uint8_t)~set;
    for (uint32_t i = 0; i < permits->lender_count; i++)
        if (permits->meter[permits->lender[i]].lent.contingencies & set)
            permit_follow(permits, permits->lender[i], t_ns);
}

/* A window that ended since the take-over was read: what is missing behind it, is missing here. */
static bool is_read_since(const struct permits *permits, const struct permit_node *p)
{
    const struct model_meter *meter = &permits->model->meter[permits->model->node[p->node].meter];
    if (permits->await_until_ns == INT64_MAX)
        return false;           /* it still goes on */
    return p->until_ns - meter->fresh_ns + meter->period_ns >= permits->await_until_ns - permits->await_ns;
}

void permit_feed_unseen(struct permits *permits, const struct permit_node *p, int64_t t_ns)
{
    if (t_ns <= permits->await_until_ns && !is_read_since(permits, p))
        unsee(permits, p->witness, t_ns);
    else
        weigh_witness(permits, p->witness, WITNESS_UNSEEN, t_ns);
}

/* ---- power inputs, PSUs counted cord by cord ---- */

/* Bit c: what c loses of this host is dark, as far as it knows; of others, and of what it cannot know,
 * none. */
static uint8_t dark_of(const struct permits *permits, const struct report *report, uint8_t known)
{
    const struct model_host *host = &permits->model->host[report->host];
    uint8_t dark = known;
    uint32_t first = 0;
    for (uint32_t j = 0; dark && j < host->cord_count; j++) {
        uint32_t inputs = ((1u << host->cord[j].psus) - 1) << first;
        bool lives = !inputs || report->psu_inputs & inputs;
        for (uint32_t c = 1; c < permits->model->contingency_count; c++)
            if (lives && loses(&host->cord[j], c))
                dark &= (uint8_t)~(1u << c);
        first += host->cord[j].psus;
    }
    return dark;
}

/* Of which feeds a host can tell. */
static uint8_t known_of(const struct permits *permits, const struct report *report)
{
    const struct model_host *host = &permits->model->host[report->host];
    uint8_t known = report->flags & REPORT_PSU_KNOWN ? permits->losses : 0;
    for (uint32_t c = 1; known >> c; c++)
        if (!loses_any(host, c))
            known &= (uint8_t)~(1u << c);
    return known;
}

static bool is_part(uint32_t count, uint32_t hosts)
{
    return (count >= 2 && count * DARK_PART >= hosts) || (count && count == hosts);
}

/* Supplies fail one by one; a feed takes all of them: two of many are no evidence of it. What was shown lost
 * is back when its witness sees it, or as many hosts as it takes say so: that the dark ones have died shows
 * nothing. */
static bool shows_loss(const struct permits *permits, uint32_t c)
{
    const struct permit_feed *feed = &permits->feed[c];
    if (is_part(feed->dark, feed->hosts))
        return true;
    bool witnessed = permits->model->contingency[c].witness < permits->model->meter_count;
    return feed->bad & CORDS_DARK && !witnessed && !is_part(feed->lit, feed->hosts);
}

uint8_t permit_feeds_seen(const struct permits *permits)
{
    uint8_t seen = 0;
    for (uint32_t c = 1; permits->losses >> c; c++) {
        const struct permit_feed *feed = &permits->feed[c];
        bool witnessed = permits->model->contingency[c].witness < permits->model->meter_count;
        if (permits->losses >> c & 1 && !feed->bad && (witnessed || is_part(feed->lit, feed->hosts)))
            seen |= (uint8_t)(1u << c);
    }
    return seen;
}

static void host_says(struct permits *permits, uint32_t host, uint8_t dark, uint8_t lit, int64_t t_ns)
{
    uint8_t was_dark = permits->dark[host], was_lit = permits->lit[host];
    permits->dark[host] = dark;
    permits->lit[host] = lit;
    if (was_dark == dark && was_lit == lit)
        return;
    for (uint32_t c = 1; (was_dark | was_lit | dark | lit) >> c; c++) {
        struct permit_feed *feed = &permits->feed[c];
        feed->dark += (dark >> c & 1u) - (was_dark >> c & 1u);
        feed->lit += (lit >> c & 1u) - (was_lit >> c & 1u);
        weigh(permits, c,
              (uint8_t)(shows_loss(permits, c) ? feed->bad | CORDS_DARK : feed->bad & ~CORDS_DARK), t_ns);
    }
}

void permit_feed_report(struct permits *permits, const struct report *report, int64_t t_ns)
{
    uint8_t known = known_of(permits, report), dark = dark_of(permits, report, known);
    host_says(permits, report->host, dark, known & (uint8_t)~dark, t_ns);
}

void permit_feed_silent(struct permits *permits, uint32_t host, int64_t t_ns)
{
    host_says(permits, host, 0, 0, t_ns);
}

bool permit_feeds_unseen(const struct permits *permits, uint8_t set)
{
    bool unseen = true;
    for (uint32_t c = 1; set >> c; c++)
        if (set >> c & 1 && !(permits->feeds >> c & 1))
            unseen &= permits->feed[c].bad == WITNESS_UNSEEN && !permits->feed[c].lost;
    return unseen;
}

/* Cords are told anew by each host. A witness that is fresh still vouches; one that is not is heard first. */
void permit_hand_feeds(struct permits *permits, const struct permit_feed feed[CONTINGENCIES_MAX],
                       int64_t t_ns)
{
    const struct model *model = permits->model;
    for (uint32_t c = 1; c < model->contingency_count; c++) {
        struct permit_feed *own = &permits->feed[c];
        uint32_t witness = model->contingency[c].witness;
        if (!is_loss(model, c))
            continue;
        own->lost = feed[c].lost;
        own->good_ns = feed[c].good_ns;
        own->gone = feed[c].gone;
        own->turned_ns = feed[c].turned_ns;
        if (own->turned_ns)
            hold_feed(permits->holds, c, own->turned_ns);
        own->bad = feed[c].bad & (WITNESS_DEAD | WITNESS_UNSEEN | CORDS_DARK);
        if (witness < model->meter_count && permits->meter[witness].until_ns < t_ns)
            own->bad |= WITNESS_UNSEEN;
        uint8_t bit = (uint8_t)(1u << c);
        permits->feeds =
            (uint8_t)(is_stable(permits, own, t_ns) ? permits->feeds | bit : permits->feeds & ~bit);
    }
}

void permit_feed_pass_time(struct permits *permits, int64_t t_ns)
{
    uint8_t waiting = permits->lent_against & (uint8_t)~permits->feeds;
    for (uint32_t c = 1; waiting >> c; c++)
        if (waiting >> c & 1 && is_stable(permits, &permits->feed[c], t_ns))
            weigh(permits, c, 0, t_ns);
}
