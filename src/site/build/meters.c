/* SPDX-License-Identifier: Apache-2.0 */
/* Meters in the order of their nodes, and what is to be measured of those that send samples. */
#include <stdlib.h>
#include <string.h>

#include "site/build/build.h"
#include "site/fresh.h"

#define MICRODEGREES_PER_TURN 360e6

static int by_node(const void *left, const void *right)
{
    const struct model_meter *a = left, *b = right;

    return a->node < b->node ? -1 : a->node > b->node;
}

static double milli(int64_t value)
{
    return (double)value / 1000.0;
}

static double ppm(int64_t value)
{
    return (double)value / (double)PPM;
}

static void build_channel(const struct draft_channel *said, uint32_t channel, struct measure_config *config)
{
    double turns = (double)said->phase.number / MICRODEGREES_PER_TURN;

    config->gain[channel] = ppm(said->gain.number);
    config->offset[channel] = milli(said->offset.number);
    config->late_ns[channel] = (double)said->late.number + turns * (double)NS_PER_S / config->nominal_hz;
}

/* Where nobody wrote another peak, it is the one that an emergency begins at (safety.md section 8). */
static void build_measure(const struct draft_meter *said, const struct model_node *node,
                          struct measure_config *config)
{
    config->phases = node->phases;
    config->nominal_hz = said->frequency.number ? 60 : 50;
    for (uint32_t c = 0; c < MEASURE_CHANNELS; c++)
        build_channel(&said->channel[c], c, config);
    config->voltage_v = milli(node->volts_ln_mv);
    config->current_a = milli(node->steady_ma);
    config->sag = ppm(said->sag.number);
    config->swell = ppm(said->swell.number);
    config->interruption = ppm(said->interruption.number);
    config->hysteresis = ppm(said->hysteresis.number);
    config->peak_a = milli(said->peak.at ? said->peak.number : node->instant_peak_ma);
    config->slope_w_per_s = (double)said->slope.number;
}

/* The block was zeroed: whatever is not written here is nothing. */
static void build_road(const struct draft_meter *said, const struct model_node *node, struct site_meter *out)
{
    out->protocol = (uint8_t)said->protocol.number;
    if (!site_meter_is_bare(out))
        return;
    out->number = out->protocol == PROTOCOL_SV ? said->appid_of : (uint32_t)said->number.number;
    out->pmu = (uint32_t)said->pmu.number;
    out->ipv4 = said->ipv4;
    out->rate_hz = (uint32_t)said->rate.number;
    if (out->protocol == PROTOCOL_SV)
        snprintf(out->svid, sizeof out->svid, "%s", said->svid.text);
    for (uint32_t i = 0; out->protocol == PROTOCOL_C37118 && i < SITE_PHASORS; i++)
        snprintf(out->phasor[i], sizeof out->phasor[i], "%s", said->phasor[i]);
    if (site_meter_samples(out))
        build_measure(said, node, &out->measure);
}

/* Longer than any hiccup: what T_fresh is where nothing was measured, and nobody governs by it. */
static const struct measured slowest = {.hiccups = {.span_ns = 1, .longest_ns = NS_PER_S * 1000}};

/* A warning for all meters at once: it is the row that lacks something. */
static void warn_unmeasured(const struct draft *d, const struct draft_meter *meter, int64_t fresh_ns,
                            const struct site_server *server)
{
    char taken[40];

    quantity_write(QUANTITY_TIME, fresh_ns, taken, sizeof taken);
    if (server->name[0])
        finding_at(d->warnings, meter->fresh.at,
                   "fresh is measured, but the row of server '%s' holds no measurement: %s is taken here, "
                   "the longest it can be; flyballd does not start there before `flyball tune` has run",
                   server->name, taken);
    else
        finding_at(d->warnings, meter->fresh.at,
                   "fresh is measured, and no row of servers fits this machine: %s is taken here, "
                   "the longest it can be", taken);
}

static int64_t fresh_of(const struct draft *d, const struct draft_meter *meter,
                        const struct site_server *server, bool *warned)
{
    if (meter->fresh.number != FIELD_IS_WORD)
        return meter->fresh.number;
    int64_t period_ns = meter->period.number, bound_ns = d->policy.age_bound.number;
    int64_t fresh_ns = fresh_measured_ns(&server->measured, period_ns, bound_ns, d->policy.lease.number);

    if (fresh_ns >= 0)
        return fresh_ns;
    fresh_ns = fresh_measured_ns(&slowest, period_ns, bound_ns, d->policy.lease.number);
    if (!d->unmeasured)
        finding_at(d->errors, meter->fresh.at,
                   "fresh is measured, but the row of this server holds no measurement of hiccups, nor of %d "
                   "readings' ages: run `flyball tune` there, or write a time", FRESH_SAMPLES_P99);
    else if (!*warned)
        warn_unmeasured(d, meter, fresh_ns, server);
    *warned = true;
    return fresh_ns;
}

void build_meters(const struct draft *d, struct site *site)
{
    struct model *m = &site->model;
    bool warned = false;

    for (uint32_t i = 0; i < d->meter_count; i++) {
        const struct draft_meter *meter = &d->meter[i];
        struct model_meter *out = &m->meter[i];

        snprintf(out->name, sizeof out->name, "%s", meter->id.text);
        out->node = d->node[meter->node_of].rank;
        out->error_ppm = (uint32_t)meter->error.number;
        out->period_ns = meter->period.number;
        out->fresh_ns = fresh_of(d, meter, &site->server, &warned);
    }
    qsort(m->meter, m->meter_count, sizeof *m->meter, by_node);
    for (uint32_t n = 0; n < m->node_count; n++)
        m->node[n].meter = INDEX_NONE;
    for (uint32_t i = 0; i < m->meter_count; i++)
        m->node[m->meter[i].node].meter = i;
    for (uint32_t i = 0; i < d->meter_count; i++) {
        uint32_t node = d->node[d->meter[i].node_of].rank;

        site->meter[m->node[node].meter].fresh_measured = d->meter[i].fresh.number == FIELD_IS_WORD;
        build_road(&d->meter[i], &m->node[node], &site->meter[m->node[node].meter]);
        site->server.port[0].sampled_values |= d->meter[i].protocol.number == PROTOCOL_SV;
    }
}
