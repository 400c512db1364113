/* SPDX-License-Identifier: Apache-2.0 */
#include "site/needs.h"

#include <string.h>

#include "site/derive.h"

#define NEVER_NS (1000 * NS_PER_S)      /* stands for "no value is enough" */
enum { REPORTS_TO_LOSE = 3 };           /* of six, without a spurious fail-safe: safety.md section 3 */

static int64_t ceil_of(int64_t a, int64_t b)
{
    return b > 0 ? (a + b - 1) / b : 0;
}

/* The longest hiccup that a short look has seen is not the longest there is. */
static int64_t pause_ns(const struct measured *measured)
{
    return NEEDS_MARGIN * measured->hiccups.longest_ns;
}

static struct need *add(struct need *need, uint32_t *count, enum need_kind kind, uint32_t index,
                        int64_t configured, int64_t needed)
{
    struct need *one = &need[(*count)++];
    *one = (struct need){.kind = (uint8_t)kind, .index = index, .configured = configured, .needed = needed,
                         .too_small = configured < needed};
    return one;
}

/* ---- rings ---- */

/* What may arrive while nobody polls: of each sender the frames of that time, and one more. */
static int64_t ring_frames(const struct site *site, const struct measured *measured, uint32_t port)
{
    const struct model *model = &site->model;
    bool meters = port == 0, hosts = port + 1 == site->server.port_count;
    int64_t frames = 0;
    for (uint32_t i = 0; meters && i < model->meter_count; i++)
        frames += 1 + ceil_of(pause_ns(measured), model->meter[i].period_ns);
    if (hosts)
        frames += model->host_count * (1 + ceil_of(pause_ns(measured), model->policy.report_ns));
    return frames;
}

static const struct measured_ring *find_ring(const struct measured *measured, const char *interface)
{
    for (uint32_t i = 0; i < measured->ring_count; i++)
        if (!strcmp(measured->ring[i].interface, interface))
            return &measured->ring[i];
    return NULL;
}

static void find_rings(const struct site *site, const struct measured *measured, struct need *need,
                       uint32_t *count)
{
    for (uint32_t i = 0; i < site->server.port_count; i++) {
        const struct site_port *port = &site->server.port[i];
        const struct measured_ring *ring = find_ring(measured, port->interface);
        int64_t frames = ring_frames(site, measured, i);
        struct need *one = add(need, count, NEED_RING, i, port->ring_frames, frames);
        snprintf(one->term, sizeof one->term, "ring of %.80s", port->interface);
        one->formula = "per sender 1 + 2 x longest hiccup / period";
        one->source = "frames that arrive while nobody polls";
        if (!ring)
            continue;
        one = add(need, count, NEED_ABSORBED, i, ring->absorbed, frames);
        /* it may have been offered less than it could hold */
        one->too_small = ring->absorbed < frames && ring->absorbed < ring->offered;
        snprintf(one->term, sizeof one->term, "absorbed by %.80s", port->interface);
        one->formula = "the same, against what the port kept";
        one->source = "measured";
    }
}

/* ---- times ---- */

static void find_fresh(const struct model *model, const struct measured *measured, struct need *need,
                       uint32_t *count)
{
    int64_t spare_ns = INT64_MAX, needed_ns = 0;
    uint32_t tightest = 0;
    for (uint32_t i = 0; i < model->meter_count; i++) {
        const struct model_meter *meter = &model->meter[i];
        int64_t least_ns = meter->period_ns + model->policy.age_bound_ns + pause_ns(measured) +
                           measured->reading.p999_ns;
        if (meter->fresh_ns - least_ns >= spare_ns)
            continue;
        spare_ns = meter->fresh_ns - least_ns;
        needed_ns = least_ns;
        tightest = i;
    }
    if (spare_ns == INT64_MAX)
        return;
    struct need *one = add(need, count, NEED_FRESH, tightest, model->meter[tightest].fresh_ns, needed_ns);
    snprintf(one->term, sizeof one->term, "fresh of %s", model->meter[tightest].name);
    one->formula = "period + age_bound + 2 x longest hiccup + reading p99.9";
    one->source = "safety.md 5, I3; the way from the meter is not in it";
}

/* Readings come first; hosts may have what is left of half the core. */
static int64_t least_report_ns(const struct model *model, const struct measured *measured)
{
    int64_t readings_ppm = 0;
    for (uint32_t i = 0; i < model->meter_count; i++)
        readings_ppm += ceil_of(measured->reading.p50_ns * PPM, model->meter[i].period_ns);
    int64_t left_ppm = PPM / 2 - readings_ppm;
    if (left_ppm <= 0)
        return NEVER_NS;
    return derive_round_up(model->host_count * measured->report.p50_ns, PPM, left_ppm);
}

static void find_report(const struct model *model, const struct measured *measured, struct need *need,
                        uint32_t *count)
{
    if (!model->host_count || !measured->report.n)
        return;
    struct need *one = add(need, count, NEED_REPORT, 0, model->policy.report_ns,
                           least_report_ns(model, measured));
    snprintf(one->term, sizeof one->term, "report");
    one->formula = "hosts x report p50 / (half the core - readings)";
    one->source = "every report is answered at once, safety.md 3";
}

static void find_lease(const struct model *model, const struct measured *measured, struct need *need,
                       uint32_t *count)
{
    struct response response;
    if (!model->host_count)
        return;
    int64_t least_ns = (REPORTS_TO_LOSE + 1) * model->policy.report_ns + measured->path.max_ns +
                       pause_ns(measured) + measured->report.max_ns + measured->tick_part.max_ns;
    struct need *one = add(need, count, NEED_LEASE, 0, model->policy.lease_ns, least_ns);
    snprintf(one->term, sizeof one->term, "lease");
    one->formula = measured->path.answered
                       ? "4 x report + path max + 2 x longest hiccup + report max + tick part max"
                       : "4 x report + 2 x longest hiccup + report max + tick part max";
    one->source = "three reports in a row may be lost, safety.md 3";
    needs_response(model, &response);
    one = add(need, count, NEED_LEASE_ACTUATION, 0, model->policy.lease_ns, 3 * response.actuation_ns);
    snprintf(one->term, sizeof one->term, "lease");
    one->formula = "3 x actuation of the slowest host type";
    one->source = "domain.md 4.4; actuation as configured";
}

uint32_t needs_find(const struct site *site, const struct measured *measured, struct need *need)
{
    uint32_t count = 0;
    if (!measured->hiccups.span_ns)
        return 0;
    find_rings(site, measured, need, &count);
    find_fresh(&site->model, measured, need, &count);
    find_report(&site->model, measured, need, &count);
    find_lease(&site->model, measured, need, &count);
    return count;
}

bool need_is_frames(const struct need *need)
{
    return need->kind == NEED_RING || need->kind == NEED_ABSORBED;
}

int64_t needs_retire_ns(const struct model_policy *policy, int64_t actuation_ns)
{
    int64_t slow_ns = derive_round_up(policy->lease_ns, PPM, PPM - policy->rho_ppm) + actuation_ns;

    return derive_round_up(slow_ns, PPM + policy->rho_ppm, PPM);
}

void needs_response(const struct model *model, struct response *response)
{
    const struct model_policy *policy = &model->policy;
    *response = (struct response){0};
    for (uint32_t i = 0; i < model->meter_count; i++)
        if (model->meter[i].fresh_ns > response->fresh_ns)
            response->fresh_ns = model->meter[i].fresh_ns;
    for (uint32_t i = 0; i < model->type_count; i++)
        if (model->type[i].actuation_ns > response->actuation_ns)
            response->actuation_ns = model->type[i].actuation_ns;
    response->retire_ns = needs_retire_ns(policy, response->actuation_ns);
    response->response_ns = response->fresh_ns + response->retire_ns;
}

enum stale needs_stale(const struct measured *measured, const char *row, const char *here, int64_t now_s)
{
    const char *machine = strcmp(row, "default") ? row : here;
    if (strcmp(measured->host, machine))
        return STALE_OTHER_MACHINE;
    return now_s - measured->when_s > NEEDS_LIFE_S ? STALE_OLD : STALE_NOT;
}
