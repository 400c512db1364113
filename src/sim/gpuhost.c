/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/gpuhost.h"

#include <math.h>
#include <string.h>

/* A demand step this large makes the power controller of the device overshoot. */
static const double step_share = 0.05;

static double governed_bound_w(const struct gpuhost *host, int64_t cap_mw)
{
    double most_w = host->phys_max_w - host->base_w;
    return cap_mw == GPUHOST_UNCAPPED ? most_w : fmin((double)cap_mw / 1e3 * host->gain, most_w);
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
    gpuhost_preset(host, GPUHOST_UNCAPPED);
}

void gpuhost_preset(struct gpuhost *host, int64_t cap_mw)
{
    host->cap_mw = cap_mw;
    host->bound_w = governed_bound_w(host, cap_mw);
}

void gpuhost_reset(struct gpuhost *host)
{
    host->cap_mw = GPUHOST_UNCAPPED;
    host->writing = false;
}

void gpuhost_write(struct gpuhost *host, int64_t cap_mw, int64_t t_ns)
{
    const struct workload_plant *plant = host->plant;
    double spread_ns = (double)plant->write_sigma_ns * random_normal(&host->random);
    double dead_ns = (double)plant->write_mean_ns + spread_ns;
    dead_ns = fmin(fmax(dead_ns, (double)plant->write_min_ns), (double)plant->write_max_ns);
    host->writing = true;
    host->writing_mw = cap_mw;
    host->write_done_ns = t_ns + (int64_t)dead_ns;
}

static bool finish_write(struct gpuhost *host, int64_t t_ns)
{
    if (!host->writing || t_ns < host->write_done_ns)
        return false;
    host->writing = false;
    if (host->writing_mw != host->cap_mw)
        host->overshoot_until_ns = t_ns + host->plant->overshoot_ns;
    host->cap_mw = host->writing_mw;
    return true;
}

bool gpuhost_step(struct gpuhost *host, double demand_w, int64_t t_ns, int64_t dt_ns)
{
    bool written = finish_write(host, t_ns);
    double target_w = governed_bound_w(host, host->cap_mw);
    int64_t tau_ns = target_w < host->bound_w ? host->plant->down_ns : host->plant->up_ns;
    host->bound_w = target_w + (host->bound_w - target_w) * exp(-(double)dt_ns / (double)tau_ns);
    if (demand_w > host->demand_w + step_share * host->phys_max_w)
        host->overshoot_until_ns = t_ns + host->plant->overshoot_ns;
    host->demand_w = demand_w;
    double most_w = host->bound_w * (t_ns < host->overshoot_until_ns ? host->plant->overshoot : 1.0);
    host->power_w = fmin(demand_w, fmin(host->base_w + most_w, host->phys_max_w));
    return written;
}

double gpuhost_bound_w(const struct gpuhost *host, int64_t cap_mw)
{
    return host->base_w + governed_bound_w(host, cap_mw);
}
