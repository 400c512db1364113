/* SPDX-License-Identifier: Apache-2.0 */
/* The decision's own heat, permit and limits over one device: what bench/heat's rule `permit` grants by. */
#ifndef FLYBALL_BENCH_HEAT_PERMIT_H
#define FLYBALL_BENCH_HEAT_PERMIT_H

#include "bench/heat/device.h"
#include "core/permit.h"

struct heat_permit {
    struct model model;
    struct model_node node;
    struct model_meter meter;
    struct model_host host;
    struct model_host_type type;
    struct ledger ledger;
    struct ledger_sums sums;
    struct ledger_host account;
    struct heat heat;
    struct heat_node heat_node;
    struct holds holds;
    struct hold hold;
    struct permits permits;
    struct permit_node permit_node;
    struct permit_expiry expiry;
    struct permit_stand_in stand_in;
    struct permit_sum sum;
    uint32_t lender, least_first, least_ppm;
    int64_t draw_mw;
    uint8_t dark, lit;
    uint64_t reports;
};

/* setup: a device that may be oversubscribed; T_resp is T_fresh and one lease. */
void heat_permit_open(struct heat_permit *permit, struct heat_device *device, int64_t respond_ns,
                      uint32_t error_ppm);

/* any: nothing is known, or that the device is cold. */
void heat_permit_start(struct heat_permit *permit, bool cold, int64_t t_ns);

/* any: a slot without a reading, or with one; `exposed_ma` is the most that leases in flight permit. */
void heat_permit_step(struct heat_permit *permit, const int64_t *current_ma, int32_t crest_milli,
                      int64_t exposed_ma, int64_t t_ns);

/* any: what a lease may be now, and above which measured load is an emergency. */
int64_t heat_permit_limit_ma(const struct heat_permit *permit);
int64_t heat_permit_trigger_ma(const struct heat_permit *permit, int64_t t_ns);

#endif
