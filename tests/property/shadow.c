/* SPDX-License-Identifier: Apache-2.0 */
#include "shadow.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "msg/frame.h"
#include "world.h"

/* The shadow's sums are exact, the ledger's rounded up: only floating point itself needs room. */
#define SLACK_MVA 0.01

__attribute__((format(printf, 2, 3))) static bool complain(struct shadow *shadow, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (!shadow->complaint[0])
        vsnprintf(shadow->complaint, sizeof shadow->complaint, format, arguments);
    va_end(arguments);
    return false;
}

/* The worst that one phase of a node can see of a host: cords filled by their weight on that phase until the
 * draw is used up. */
static double worst_phase(const struct model *model, const struct model_host *host, uint32_t n, uint32_t c,
                          uint32_t p)
{
    double left = 1, load = 0;
    bool used[CORDS_MAX] = {false};
    for (uint32_t turn = 0; turn < host->cord_count; turn++) {
        uint32_t best = CORDS_MAX;
        for (uint32_t j = 0; j < host->cord_count; j++)
            if (!used[j] && model_above(model, n, host->cord[j].node) &&
                (best == CORDS_MAX || host->cord[j].phase_ppm[p] > host->cord[best].phase_ppm[p]))
                best = j;
        if (best == CORDS_MAX)
            break;
        used[best] = true;
        double part = fmin(left, (double)host->cord[best].share_ppm[c] / 1e6);
        left -= part;
        load += part * (double)host->cord[best].phase_ppm[p] / 1e6;
    }
    return load * 1e6 / (double)model->type[host->type].pf_min_ppm;
}

static uint32_t look_below(struct shadow *shadow, const struct model *model)
{
    uint32_t parts = 0;
    for (uint32_t n = 0; n < model->node_count; n++)
        memset(shadow->above[n], 0, model->host_count * sizeof shadow->above[n][0]);
    for (uint32_t h = 0; h < model->host_count; h++)
        for (uint32_t j = 0; j < model->host[h].cord_count; j++) {
            const struct model_node *node = &model->node[model->host[h].cord[j].node];
            for (uint32_t a = 0; a < node->ancestor_count; a++) {
                parts += !shadow->above[node->ancestor[a]][h];
                shadow->above[node->ancestor[a]][h] = true;
            }
        }
    return parts;
}

void shadow_open(struct shadow *shadow, const struct model *model)
{
    uint32_t parts = look_below(shadow, model), next = 0;
    shadow->model = model;
    shadow->part = malloc((parts + 1) * sizeof shadow->part[0]);
    if (!shadow->part)
        abort();
    for (uint32_t n = 0; n < model->node_count; n++) {
        shadow->first[n] = next;
        for (uint32_t h = 0; h < model->host_count; h++) {
            if (!shadow->above[n][h])
                continue;
            struct shadow_part *part = &shadow->part[next++];
            part->host = h;
            for (uint32_t k = 0; k < model->contingency_count * PHASES; k++)
                part->load[k / PHASES][k % PHASES] =
                    worst_phase(model, &model->host[h], n, k / PHASES, k % PHASES);
        }
    }
    shadow->first[model->node_count] = next;
}

void shadow_close(struct shadow *shadow)
{
    free(shadow->part);
    shadow->part = NULL;
}

double shadow_load(const struct shadow *shadow, uint32_t node, uint32_t contingency, uint32_t phase,
                   uint32_t host)
{
    for (uint32_t i = shadow->first[node]; i < shadow->first[node + 1]; i++)
        if (shadow->part[i].host == host)
            return shadow->part[i].load[contingency][phase];
    return 0;
}

/* Of a host only what counts at a start: what lies in its lists is looked at by their lengths. */
static void begin_host(struct shadow *shadow, uint32_t h)
{
    const struct model *model = shadow->model;
    struct shadow_host *host = &shadow->host[h];
    host->heard = host->accepted = false;
    host->at_phys_max = true;
    host->incarnation = host->newest_report = host->last_sequence = 0;
    host->echo_count = host->lease_count = 0;
    host->fail_safe_mw = model->host[h].fail_safe_mw;
    host->phys_max_mw = model->type[model->host[h].type].phys_max_mw;
    host->newest_cap_mw = -1;
}

void shadow_init(struct shadow *shadow, uint64_t epoch)
{
    const struct model *model = shadow->model;
    shadow->epoch = epoch;
    shadow->t_ns = 0;
    shadow->complaint[0] = '\0';
    for (uint32_t h = 0; h < model->host_count; h++)
        begin_host(shadow, h);
    memset(shadow->seen, 0, model->meter_count * sizeof shadow->seen[0]);
    memset(shadow->emergency, 0, sizeof shadow->emergency);
    for (uint32_t m = 0; m < model->meter_count; m++)
        shadow->fresh_until_ns[m] = INT64_MIN;
    for (uint32_t c = 0; c < CONTINGENCIES_MAX; c++)
        shadow->feed_since_ns[c] = INT64_MIN;
    for (uint32_t n = 0; n < model->node_count; n++)
        shadow->emergency_ns[n] = INT64_MIN / 2;
}

void shadow_hand_over(struct shadow *shadow, uint64_t epoch, const struct slot_account *account)
{
    shadow->epoch = epoch;
    for (uint32_t h = 0; h < shadow->model->host_count; h++) {
        struct shadow_host *host = &shadow->host[h];
        if (!account[h].bounded) {
            begin_host(shadow, h);
            continue;
        }
        /* no lease of that epoch is told from another any more, and none is newer than this */
        if (host->lease_count)
            host->lease[0].sequence = host->last_sequence;
        host->lease_count = host->lease_count ? 1 : 0;
    }
    for (uint32_t c = 0; c < CONTINGENCIES_MAX; c++)
        if (shadow->feed_since_ns[c] != INT64_MAX)
            shadow->feed_since_ns[c] = INT64_MIN;       /* nobody looked: as at a start */
    memset(shadow->emergency, 0, sizeof shadow->emergency);
}

static const struct model_host_type *type_of(const struct shadow *shadow, uint32_t host)
{
    return &shadow->model->type[shadow->model->host[host].type];
}

static int64_t exposure_cap_mw(const struct shadow_host *host)
{
    int64_t cap_mw = host->fail_safe_mw;
    for (uint32_t i = 0; i < host->lease_count; i++)
        if (host->lease[i].cap_mw > cap_mw)
            cap_mw = host->lease[i].cap_mw;
    return cap_mw;
}

double shadow_exposure_mw(const struct shadow *shadow, uint32_t host)
{
    const struct model_host_type *type = type_of(shadow, host);
    if (shadow->host[host].at_phys_max)
        return (double)shadow->host[host].phys_max_mw;
    return model_wall_mw(type, (double)exposure_cap_mw(&shadow->host[host]));
}

/* S counts the newest lease; a host of which nothing is in flight can only come to rest at fail-safe. */
static double newest_mw(const struct shadow *shadow, uint32_t h)
{
    const struct shadow_host *host = &shadow->host[h];
    int64_t cap_mw = host->newest_cap_mw < 0 ? shadow->model->host[h].fail_safe_mw : host->newest_cap_mw;
    return model_wall_mw(type_of(shadow, h), (double)cap_mw);
}

enum { K_MAX = 16 };

/* The k largest so far, the largest first. */
static void keep_worst(double *worst, uint32_t k, double gap)
{
    for (uint32_t i = 0; i < k; i++)
        if (gap > worst[i]) {
            double smaller = worst[i];
            worst[i] = gap;
            gap = smaller;
        }
}

double shadow_sum_mva(const struct shadow *shadow, enum shadow_sum kind, uint32_t node, uint32_t contingency,
                      uint32_t phase)
{
    double sum = (double)shadow->model->node[node].other_mva[phase];
    double worst[K_MAX] = {0};
    uint32_t k = shadow->model->node[node].k;
    if (k > K_MAX)
        abort();
    for (uint32_t i = shadow->first[node]; i < shadow->first[node + 1]; i++) {
        uint32_t h = shadow->part[i].host;
        double load = shadow->part[i].load[contingency][phase];
        if (load <= 0)
            continue;
        double draw_mw = kind == SHADOW_EXPOSURE ? shadow_exposure_mw(shadow, h) : newest_mw(shadow, h);
        sum += load * draw_mw;
        keep_worst(worst, k, load * fmax(0, (double)shadow->host[h].phys_max_mw - draw_mw));
    }
    for (uint32_t i = 0; i < k; i++)
        sum += worst[i];
    return sum;
}

/* The world numbers incarnations in their low bits, so that the shadow knows what a controller can only
 * infer. */
static bool superseded(const struct shadow_host *host, uint64_t incarnation)
{
    return host->heard && world_birth(incarnation) < world_birth(host->incarnation);
}

/* "On a new incarnation": everything sent to the old one can no longer be accepted, and nothing is known of
 * the new one. */
static void new_incarnation(struct shadow *shadow, const struct report *report)
{
    struct shadow_host *host = &shadow->host[report->host];
    host->fail_safe_mw = shadow->model->host[report->host].fail_safe_mw;
    host->phys_max_mw = type_of(shadow, report->host)->phys_max_mw;
    host->heard = true;
    host->incarnation = report->incarnation;
    host->newest_report = 0;
    host->echo_count = 0;
    host->lease_count = 0;
    host->newest_cap_mw = -1;
    host->at_phys_max = true;
    host->accepted = false;
}

/* "A lease retires only when a report of the current incarnation, sent at least A after the newer state took
 * hold, shows that newer state enforced with a cap below it." */
static void retire(struct shadow_host *host, const struct report *report)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < host->lease_count; i++) {
        struct shadow_lease lease = host->lease[i];
        bool older = lease.sequence < report->applied ||
                     (report->state == HOST_FAIL_SAFE && lease.sequence == report->applied);
        if (!older || report->cap_mw >= lease.cap_mw)
            host->lease[kept++] = lease;
    }
    host->lease_count = kept;
}

void shadow_report(struct shadow *shadow, const struct report *report)
{
    struct shadow_host *host = &shadow->host[report->host];
    if (superseded(host, report->incarnation))
        return;
    if (!host->heard || host->incarnation != report->incarnation)
        new_incarnation(shadow, report);
    host->echo[host->echo_count++ % SHADOW_ECHOES] = report->number;
    if (report->number <= host->newest_report)
        return;
    host->newest_report = report->number;
    if (report->fail_safe_mw > host->fail_safe_mw)
        host->fail_safe_mw = report->fail_safe_mw;
    if (report->phys_max_mw > host->phys_max_mw)
        host->phys_max_mw = report->phys_max_mw;
    if (report->epoch == shadow->epoch)
        host->accepted = true;
    bool held = report->state != HOST_BOOT && report->held_ns >= type_of(shadow, report->host)->actuation_ns;
    if (held && report->epoch == shadow->epoch)
        retire(host, report);
    if ((report->flags & REPORT_DEVICE_LOST) || report->readback_mw > exposure_cap_mw(host)) {
        host->at_phys_max = true;
        return;
    }
    int64_t safe_mw = host->newest_cap_mw > host->fail_safe_mw ? host->newest_cap_mw : host->fail_safe_mw;
    if (held && report->epoch == shadow->epoch && report->cap_mw <= safe_mw && report->readback_mw <= safe_mw)
        host->at_phys_max = false;
}

static void take_lease(struct shadow_host *host, const struct egress *record)
{
    while (host->lease_count > 0 && host->lease[host->lease_count - 1].cap_mw <= record->cap_mw)
        host->lease_count--; /* the newer and larger one outlives it */
    if (host->lease_count == SHADOW_LEASES)
        abort();
    host->lease[host->lease_count++] = (struct shadow_lease){record->sequence, record->cap_mw};
    host->newest_cap_mw = record->cap_mw;
    host->last_sequence = record->sequence;
}

static bool echo_known(const struct shadow_host *host, uint64_t echo)
{
    for (uint32_t i = 0; i < host->echo_count && i < SHADOW_ECHOES; i++)
        if (host->echo[i] == echo)
            return true;
    return false;
}

/* ---- permits (I3, I5) ---- */

static bool is_fresh(const struct shadow *shadow, uint32_t meter)
{
    return shadow->t_ns <= shadow->fresh_until_ns[meter];
}

/* Unseen since a slot ago: from now on it is not there, until it was good for long enough again. */
static void feeds_pass_time(struct shadow *shadow)
{
    for (uint32_t c = 1; c < shadow->model->contingency_count; c++) {
        uint32_t witness = shadow->model->contingency[c].witness;
        if (witness != INDEX_NONE && !is_fresh(shadow, witness) && shadow->feed_since_ns[c] != INT64_MIN)
            shadow->feed_since_ns[c] = INT64_MAX;
    }
}

void shadow_reading(struct shadow *shadow, const struct reading *reading)
{
    const struct model *model = shadow->model;
    const struct model_meter *meter = &model->meter[reading->meter];
    struct reading *seen = &shadow->seen[reading->meter];
    bool news = memcmp(seen->current_ma, reading->current_ma, sizeof seen->current_ma) ||
                memcmp(seen->voltage_mv, reading->voltage_mv, sizeof seen->voltage_mv) || !seen->sequence;
    *seen = *reading;
    feeds_pass_time(shadow);
    int64_t until_ns = shadow->t_ns - reading->age_ns - meter->period_ns + meter->fresh_ns;
    if (news && until_ns > shadow->fresh_until_ns[reading->meter])
        shadow->fresh_until_ns[reading->meter] = until_ns;
    for (uint32_t c = 1; c < model->contingency_count; c++) {
        bool alive = true;
        if (model->contingency[c].witness != reading->meter)
            continue;
        for (uint32_t p = 0; p < PHASES; p++)
            alive &= reading->voltage_mv[p] * 2 >= model->node[meter->node].volts_ln_mv;
        if (!alive)
            shadow->feed_since_ns[c] = INT64_MAX;
        else if (!is_fresh(shadow, reading->meter))
            continue;           /* what is so late says as much as silence */
        else if (shadow->feed_since_ns[c] == INT64_MIN)
            shadow->feed_since_ns[c] = FEED_FROM_START;
        else if (shadow->feed_since_ns[c] == INT64_MAX)
            shadow->feed_since_ns[c] = shadow->t_ns;
    }
}

static bool is_read(const struct shadow *shadow, uint32_t n)
{
    return shadow->model->node[n].meter != INDEX_NONE && is_fresh(shadow, shadow->model->node[n].meter);
}

/* "A corroborating parent may stand in": its meter, or those of all nodes right below. */
static bool is_covered(const struct shadow *shadow, uint32_t n)
{
    const struct model_node *node = &shadow->model->node[n];
    bool children = node->child_count > 0;
    for (uint32_t i = 0; i < node->child_count; i++)
        children &= is_read(shadow, node->child_first + i);
    return is_read(shadow, n) || children || (node->parent_count == 1 && is_read(shadow, node->parent[0]));
}

static bool may_lend(const struct shadow *shadow, uint32_t n, uint32_t c)
{
    const struct model *model = shadow->model;
    const struct model_node *node = &model->node[n];
    if (!(node->lend >> c & 1) || !is_covered(shadow, n))
        return false;
    uint32_t witness = c ? model->contingency[c].witness : INDEX_NONE;
    int64_t since_ns = shadow->feed_since_ns[c];
    if (witness == INDEX_NONE)
        return true;
    return is_fresh(shadow, witness) && since_ns != INT64_MAX &&
           (since_ns <= FEED_FROM_START || shadow->t_ns - since_ns >= model->policy.feed_stable_ns);
}

/* The site file's limit, or what an event (a sag that stays) has made of it; where the site lends, what the
 * core says is lent: trial.c holds that against true heat. */
static double admissible_mva(const struct shadow *shadow, const struct core *core, uint32_t n, uint32_t c,
                             uint32_t p)
{
    int64_t limit_mva = shadow->model->node[n].limit_mva[c][p],
            now_mva = core->ledger.node[n].limit_mva[c][p];
    return (double)(may_lend(shadow, n, c) || now_mva < limit_mva ? now_mva : limit_mva);
}

/* Sums at every node above the host of a lease; `kind` says which of I1a and I1b is asked. Sums are those
 * after the whole slot, so that a node is looked at once. */
static bool within_limits(struct shadow *shadow, enum shadow_sum kind, const struct egress *record,
                          const struct core *core, bool *looked_at)
{
    const struct model *model = shadow->model;
    for (uint32_t n = 0; n < model->node_count; n++) {
        if (!model->node[n].limited || looked_at[n] || !shadow->above[n][record->host])
            continue;
        looked_at[n] = true;
        for (uint32_t i = 0; i < model->contingency_count * PHASES; i++) {
            uint32_t c = i / PHASES, p = i % PHASES;
            double sum_mva = shadow_sum_mva(shadow, kind, n, c, p),
                   limit_mva = admissible_mva(shadow, core, n, c, p);
            if (sum_mva > limit_mva + SLACK_MVA)
                return complain(
                    shadow,
                    "I1%c: with %lld mW for host %u, %c is %.1f mVA of %.1f at node %u, contingency %u, "
                    "phase %u",
                    kind == SHADOW_EXPOSURE ? 'b' : 'a', (long long)record->cap_mw, record->host,
                    kind == SHADOW_EXPOSURE ? 'D' : 'S', sum_mva, limit_mva, n, c, p);
        }
    }
    return true;
}

/* An emergency that a slot ends lasted up to it. */
static void emergencies_pass_time(struct shadow *shadow, const struct core *core)
{
    for (uint32_t n = 0; n < shadow->model->node_count; n++) {
        bool active = core->emergencies.node[n].active;
        if (active || shadow->emergency[n])
            shadow->emergency_ns[n] = shadow->t_ns;
        shadow->emergency[n] = active;
    }
}

/* I4: in an emergency, and in the short time after it in which nothing may be raised yet; no longer. */
static bool floor_kept(struct shadow *shadow, const struct egress *record)
{
    int64_t after_ns = shadow->model->policy.raise_after_emergency_ns;
    if (record->cap_mw >= shadow->model->host[record->host].floor_mw)
        return true;
    for (uint32_t n = 0; n < shadow->model->node_count; n++)
        if (shadow->above[n][record->host] &&
            (shadow->emergency[n] || shadow->t_ns - shadow->emergency_ns[n] < after_ns))
            return true;
    return complain(shadow, "I4: host %u sent %lld mW, below its floor of %lld, with no emergency above it",
                    record->host, (long long)record->cap_mw,
                    (long long)shadow->model->host[record->host].floor_mw);
}

static bool addressed(struct shadow *shadow, const struct egress *record)
{
    const struct shadow_host *host = &shadow->host[record->host];
    if (record->kind != FRAME_LEASE && record->kind != FRAME_CLAIM)
        return complain(shadow, "frame kind %u is neither lease nor claim", record->kind);
    if (!host->heard || record->incarnation != host->incarnation)
        return complain(shadow, "lease to host %u names an incarnation that is not its newest", record->host);
    if (!echo_known(host, record->echo))
        return complain(shadow, "lease to host %u echoes report %llu, never received of this incarnation",
                        record->host, (unsigned long long)record->echo);
    if (record->sequence <= host->last_sequence)
        return complain(shadow, "lease to host %u has sequence %llu after %llu", record->host,
                        (unsigned long long)record->sequence, (unsigned long long)host->last_sequence);
    if ((int64_t)record->duration_us * NS_PER_US > shadow->model->policy.lease_ns)
        return complain(shadow, "lease to host %u lasts %u us, longer than D", record->host,
                        record->duration_us);
    if (record->cap_mw < 0 || record->cap_mw > type_of(shadow, record->host)->cap_max_mw)
        return complain(shadow, "cap %lld mW cannot be set on host %u", (long long)record->cap_mw,
                        record->host);
    return true;
}

/* What one lease may be, whatever the others are; then it is taken into account. */
static bool take(struct shadow *shadow, const struct egress *record, bool *raises)
{
    *raises = false;
    if (record->host >= shadow->model->host_count)
        return complain(shadow, "lease to host %u of %u", record->host, shadow->model->host_count);
    struct shadow_host *host = &shadow->host[record->host];
    if (superseded(host, record->incarnation))
        return true; /* nobody can obey it */
    if (!addressed(shadow, record) || !floor_kept(shadow, record))
        return false;
    bool safe = record->cap_mw <= host->fail_safe_mw;
    if (!host->accepted && !safe)
        return complain(shadow,
                        "host %u has not accepted the epoch and is sent %lld mW, above fail-safe %lld",
                        record->host, (long long)record->cap_mw, (long long)host->fail_safe_mw);
    if (record->kind == FRAME_CLAIM && !safe)
        return complain(shadow, "claim to host %u of %lld mW, above fail-safe", record->host,
                        (long long)record->cap_mw);
    *raises = !host->at_phys_max && record->cap_mw > exposure_cap_mw(host);
    take_lease(host, record);
    return true;
}

/* "The assert after every slot is: I1a and I1b for what was sent": sums as they stand when all of it is
 * sent. */
bool shadow_leases(struct shadow *shadow, const struct outbox *outbox, const struct core *core)
{
    bool raises[BUILT_HOSTS_MAX];
    bool seen[2][BUILT_NODES_MAX];
    feeds_pass_time(shadow);
    emergencies_pass_time(shadow, core);
    if (outbox->count > BUILT_HOSTS_MAX)
        return complain(shadow, "%u leases on one slot", outbox->count);
    memset(seen, 0, outbox->count ? sizeof seen : 0);
    for (uint32_t i = 0; i < outbox->count; i++)
        if (outbox->record[i].kind != FRAME_TOKEN_RESPONSE &&
            !take(shadow, &outbox->record[i], &raises[i]))
            return false;
    for (uint32_t i = 0; i < outbox->count; i++) {
        const struct egress *record = &outbox->record[i];
        const struct shadow_host *host = &shadow->host[record->host];
        if (record->kind == FRAME_TOKEN_RESPONSE)
            continue;
        if (record->cap_mw <= host->fail_safe_mw || superseded(host, record->incarnation))
            continue;
        if (!within_limits(shadow, SHADOW_NEWEST, record, core, seen[SHADOW_NEWEST]))
            return false;
        if (raises[i] && !within_limits(shadow, SHADOW_EXPOSURE, record, core, seen[SHADOW_EXPOSURE]))
            return false;
    }
    return true;
}

bool shadow_exposure(struct shadow *shadow, const struct core *core, uint32_t h)
{
    struct core_host_view view;
    core_host_view(core, h, &view);
    double least_mw = shadow_exposure_mw(shadow, h);
    if ((double)view.exposure_mw < least_mw - 0.01)
        return complain(shadow, "E of host %u is %lld mW in the ledger, at least %.1f by the text (%s)", h,
                        (long long)view.exposure_mw, least_mw,
                        shadow->host[h].at_phys_max ? "phys_max" : "leases");
    return true;
}

bool shadow_exposures(struct shadow *shadow, const struct core *core)
{
    bool covered = true;
    for (uint32_t h = 0; covered && h < shadow->model->host_count; h++)
        covered = shadow_exposure(shadow, core, h);
    return covered;
}
