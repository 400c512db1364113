/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/gpuhost.h"

#include <math.h>
#include <string.h>

/* A demand step this large makes the power controller of the device overshoot. */
static const double step_share = 0.05;

static double governed_bound_w(const struct gpuhost *host, int64_t cap_mw)
{
    double most_w = host->phys_max_w - host->base_w;
    double capped_w = (double)cap_mw / 1e3 * host->gain;
    return cap_mw == GPUHOST_UNCAPPED || capped_w > most_w ? most_w : capped_w;
}

static void wake(struct gpuhost *host)
{
    host->wake_ns = INT64_MIN;
    if (host->any_wake_ns)
        *host->any_wake_ns = INT64_MIN;
}

void gpuhost_init(struct gpuhost *host, const struct model_host_type *type, const struct workload *workload,
                  uint32_t index)
{
    memset(host, 0, sizeof(*host));
    host->plant = &workload->plant;
    random_init(&host->random, workload->seed, RANDOM_HOST, index);
    host->base_w = (double)type->base_max_mw / 1e3;
    host->gain = (double)type->gain_ppm / 1e6 / workload->plant.overshoot;
    host->phys_max_w = (double)type->phys_max_mw / 1e3;
    host->boot_w = fmax((double)type->boot_mw, (double)type->phys_max_mw) / 1e3;
    host->cap_max_mw = type->cap_max_mw;
    gpuhost_preset(host, GPUHOST_UNCAPPED);
}

void gpuhost_preset(struct gpuhost *host, int64_t cap_mw)
{
    host->cap_mw = cap_mw;
    wake(host);
    host->bound_w = governed_bound_w(host, cap_mw);
}

void gpuhost_reset(struct gpuhost *host)
{
    host->cap_mw = GPUHOST_UNCAPPED;
    wake(host);
    host->shown_mw = host->cap_max_mw;
    host->writing = false;
}

void gpuhost_boot(struct gpuhost *host, int64_t t_ns)
{
    gpuhost_reset(host);
    wake(host);
    host->bound_w = governed_bound_w(host, GPUHOST_UNCAPPED);
    if (host->boot_w > host->phys_max_w)
        host->inrush_until_ns = t_ns + GPUHOST_INRUSH_NS;
}

void gpuhost_refill(struct gpuhost *host, int64_t t_ns)
{
    wake(host);
    host->refill_until_ns = t_ns + GPUHOST_INRUSH_NS;
}

void gpuhost_trouble(struct gpuhost *host, const struct gpuhost_trouble *trouble)
{
    if (trouble->lies && !host->trouble.lies)
        host->shown_mw = gpuhost_readback_mw(host);
    host->trouble = *trouble;
    wake(host);
}

/* Its cap, which somebody else may hold up. */
static int64_t own_limit_mw(const struct gpuhost *host)
{
    bool raised = host->cap_mw != GPUHOST_UNCAPPED && host->cap_mw < host->trouble.raised_mw;
    return raised ? host->trouble.raised_mw : host->cap_mw;
}

int64_t gpuhost_limit_mw(const struct gpuhost *host)
{
    int64_t foreign_mw = host->trouble.foreign_mw, cap_mw = own_limit_mw(host);
    return !foreign_mw || (cap_mw != GPUHOST_UNCAPPED && cap_mw <= foreign_mw) ? cap_mw : foreign_mw;
}

static int64_t shown_mw(const struct gpuhost *host, int64_t limit_mw)
{
    if (host->trouble.lies)
        return host->shown_mw;
    return limit_mw == GPUHOST_UNCAPPED ? host->cap_max_mw : limit_mw;
}

int64_t gpuhost_readback_mw(const struct gpuhost *host)
{
    return shown_mw(host, gpuhost_limit_mw(host));
}

int64_t gpuhost_kept_mw(const struct gpuhost *host)
{
    return shown_mw(host, own_limit_mw(host));
}

void gpuhost_write(struct gpuhost *host, int64_t cap_mw, int64_t t_ns)
{
    const struct workload_plant *plant = host->plant;
    double spread_ns = (double)plant->write_sigma_ns * random_normal(&host->random);
    double dead_ns = (double)plant->write_mean_ns + spread_ns;
    dead_ns = fmin(fmax(dead_ns, (double)plant->write_min_ns), (double)plant->write_max_ns);
    host->writing = true;
    wake(host);
    host->writing_mw = cap_mw;
    host->write_done_ns = t_ns + (int64_t)dead_ns + host->trouble.stall_ns;
}

/* A step of cap or demand. */
static void begin_overshoot(struct gpuhost *host, int64_t t_ns)
{
    bool detuned = host->trouble.overshoot > 0;
    host->overshoot_until_ns = t_ns + (detuned ? GPUHOST_DETUNED_NS : host->plant->overshoot_ns);
}

static bool finish_write(struct gpuhost *host, int64_t t_ns)
{
    if (!host->writing || t_ns < host->write_done_ns)
        return false;
    host->writing = false;
    host->shown_mw = host->writing_mw;
    if (host->trouble.sticks)
        return true;
    if (host->writing_mw != host->cap_mw)
        begin_overshoot(host, t_ns);
    host->cap_mw = host->writing_mw;
    return true;
}

/* Below this nobody sees a gap to the target any more. */
static const double settled_w = 0.1;

static void follow(struct gpuhost *host, double target_w, int64_t dt_ns)
{
    double gap_w = host->bound_w - target_w;
    if (gap_w < settled_w && gap_w > -settled_w) {
        host->bound_w = target_w;
        return;
    }
    if (host->dt_ns != dt_ns) {
        host->dt_ns = dt_ns;
        host->decay[0] = exp(-(double)dt_ns / (double)host->plant->down_ns);
        host->decay[1] = exp(-(double)dt_ns / (double)host->plant->up_ns);
    }
    host->bound_w = target_w + gap_w * host->decay[gap_w < 0];
}

static int64_t sooner(int64_t left, int64_t right)
{
    return left < right ? left : right;
}

static int64_t next_change_ns(const struct gpuhost *host, double target_w, int64_t t_ns)
{
    int64_t next_ns = host->writing ? host->write_done_ns : INT64_MAX;
    if (t_ns < host->overshoot_until_ns)
        next_ns = sooner(next_ns, host->overshoot_until_ns);
    if (t_ns < host->inrush_until_ns)
        next_ns = sooner(next_ns, host->inrush_until_ns);
    if (t_ns < host->refill_until_ns)
        next_ns = sooner(next_ns, host->refill_until_ns);
    bool settled = host->bound_w >= target_w && host->bound_w <= target_w;
    return settled ? next_ns : t_ns;
}

static double least(double left, double right)
{
    return left < right ? left : right;
}

bool gpuhost_step(struct gpuhost *host, double demand_w, int64_t t_ns, int64_t dt_ns)
{
    bool written = finish_write(host, t_ns);
    double target_w = governed_bound_w(host, gpuhost_limit_mw(host));
    host->target_w = target_w;
    follow(host, target_w, dt_ns);
    if (demand_w > host->demand_w + step_share * host->phys_max_w)
        begin_overshoot(host, t_ns);
    host->demand_w = demand_w;
    bool overshoots = t_ns < host->overshoot_until_ns;
    double most_w = host->bound_w * (overshoots ? host->plant->overshoot : 1.0);
    double beyond = (1 + host->trouble.overdraw) * (overshoots ? 1 + host->trouble.overshoot : 1.0);
    double allowed_w = (host->base_w + most_w) * beyond;
    host->power_w = least(demand_w, least(allowed_w, host->phys_max_w));
    if (t_ns < host->refill_until_ns)
        host->power_w += host->boot_w - host->phys_max_w;
    if (t_ns < host->inrush_until_ns)
        host->power_w = host->boot_w;
    host->wake_ns = next_change_ns(host, target_w, t_ns);
    return written;
}

double gpuhost_bound_w(const struct gpuhost *host, int64_t cap_mw)
{
    return host->base_w + governed_bound_w(host, cap_mw);
}
