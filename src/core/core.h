/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the decision: one struct, one owner. Only the stages of core/ include this. */
#ifndef FLYBALL_CORE_CORE_H
#define FLYBALL_CORE_CORE_H

#include "core/account.h"
#include "core/alert.h"
#include "core/bound.h"
#include "core/cluster.h"
#include "core/contract.h"
#include "core/damper.h"
#include "core/degrade.h"
#include "core/cut.h"
#include "core/demand.h"
#include "core/detect.h"
#include "core/emergency.h"
#include "core/handed.h"
#include "core/heat.h"
#include "core/hold.h"
#include "core/ledger.h"
#include "core/maintenance.h"
#include "core/permit.h"
#include "core/pipeline.h"
#include "core/pool.h"
#include "core/ramp.h"
#include "core/recovery.h"
#include "core/residual.h"
#include "core/spectrum.h"
#include "core/token.h"

/* The newest lease that left: in which step, and where it stands in that step's outbox. */
struct guard_sent {
    uint64_t step;
    uint32_t at;
};

struct core {
    const struct model *model;
    uint64_t epoch;
    uint32_t mode;              /* enum mode */
    int64_t t_ns;               /* slot time */
    const struct slot *slot;    /* being decided on */
    struct outbox *outbox;
    struct ledger ledger;
    struct ledger_moved ledger_moved;   /* memory of ledger.moved */
    struct ledger_fell fell;    /* memory of ledger.fell */
    struct accounts accounts;   /* handed over at the start */
    struct handed_record handed;    /* beside them */
    struct demand *demand;      /* by host */
    struct detect *detect;      /* by meter */
    struct alerts alerts;
    struct heat heat;
    struct permits permits;
    struct emergencies emergencies;
    struct cuts cuts;
    struct guard_sent *sent;    /* by host */
    uint64_t steps;             /* slots decided on */
    uint32_t expected;          /* host of the next report, plus 1; 0 = not told */
    struct cluster cluster;
    struct holds holds;
    struct dampers dampers;
    struct ramps ramps;
    struct pools pools;
    struct tokens tokens;
    struct bound paced;         /* what the cap in hand waits for */
    struct contracts contracts;
    struct maintenance maintenance;
    struct core_order_view order;
    bool recovering;
    struct recovery recovery;
    struct residual residual;
    struct spectra_known spectra;
    struct bound *bound;        /* by host: what held the newest lease down */
    struct bound_hold held;     /* of the lease in hand */
    struct degrade degrade;
    uint64_t digest, decisions;
    int64_t second;             /* of slot time, whose digest is open */
    struct core_counters count;
};

#endif
