/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checked site as the decision sees it: flat arrays of integers, built once by site/, read-only
 * afterwards. Apparent power in mVA on one phase stands for current: a limit of I amperes per phase on a node
 * is I * V_low(line to neutral), and a load of S mVA on that phase carries S / V_low amperes there. Power is
 * the same on both sides of a transformer, so sums need no turns ratio. (safety.md section 2: amperes per
 * phase, lowest credible voltage.)
 */
#ifndef FLYBALL_MSG_MODEL_H
#define FLYBALL_MSG_MODEL_H

#include <stdbool.h>

#include "msg/breaker.h"
#include "msg/limits.h"
#include "msg/when.h"

enum node_kind {
    NODE_SOURCE,
    NODE_MAIN,
    NODE_DISTRIBUTION,
    NODE_BRANCH,
    NODE_RACK,
    NODE_UPS,
    NODE_TRANSFORMER,
    NODE_GENERATOR,
    NODE_BYPASS,
    NODE_BUSWAY,
    NODE_KIND_COUNT
};
enum mode { MODE_OFF, MODE_SHADOW, MODE_ADVISE, MODE_ENFORCE };

#define INDEX_NONE UINT32_MAX

/* Nodes stand parents before children; the children of one node (by parent[0]) and the hosts whose cord 0
 * hangs on it are each contiguous, so a walk down the tree is a walk along arrays. What a walk up from a host
 * looks at is the first line of the cache. */
struct model_node {
    uint32_t ancestor_count;        /* self first, then everything above, each once */
    uint32_t ancestor[ANCESTORS_MAX];
    uint32_t meter;                 /* that covers it, or INDEX_NONE */
    uint8_t kind;                   /* enum node_kind */
    uint8_t phases;                 /* 1 or 3 */
    uint8_t rated_100pct;           /* device may carry 100 % of its long-time setting for long */
    uint8_t limited;                /* 0: neither a device nor an ampacity (a busbar): no limit here */
    /* bit c: under a permit, what the curve admits stands for limit_mva[c]; bit 0: the node may be
     * oversubscribed, others: reserve `lend` (safety.md section 5, I3 and I5). 0: the steady limit, always.
     * Set only with a curve, settings_from, and a meter of its own whose values cover 20 ms or less. */
    uint8_t lend;
    uint8_t reserved[3];
    uint32_t parent_count;
    uint32_t parent[PARENTS_MAX];
    uint32_t child_first, child_count;
    uint32_t host_first, host_count;
    /* hosts anywhere under it by cord 0; they are contiguous from host_below_first */
    uint32_t host_below;
    uint32_t host_below_first;
    uint32_t k;                     /* hosts that may disobey at once, for bad(n) */
    char name[NAME_BYTES];
    int64_t volts_ln_mv;            /* nominal, line to neutral */
    int64_t volts_low_mv;           /* lowest credible, line to neutral */
    int64_t rating_ma;              /* In of the device; 0: none, the conductor alone bounds it */
    int64_t long_time_ma;           /* Ir */
    int64_t steady_ma;              /* steady_limit per phase (safety.md section 2) */
    /* 0.85 x lowest fast edge of short-time and instantaneous, peak amperes; 0 = none */
    int64_t instant_peak_ma;
    int64_t limit_mva[CONTINGENCIES_MAX][PHASES];   /* admissible = steady_limit while oversubscribe is off */
    int64_t other_mva[PHASES];      /* other(n): load no lease governs, the largest declared step included */
    int64_t step_mva[PHASES];       /* of it, that step: it stands on top of what is learnt, too */
    /* Pool of section 7, governed by oversubscription only: measured or forecast load at most this much, mVA
     * on one phase; the second while burst credit lasts. 0: no pool. */
    int64_t level_mva, level_burst_mva;
    /* E_max of domain.md 4.3, per phase, refilled at a tenth of use; VA x ns = mVA x us, since 40 kVA for
     * 600 s are 2.4e19 mVA x ns and no longer fit */
    int64_t burst_credit_va_ns_max;
    /* ramp bucket: how fast the sum of caps below may rise and fall, mW of wall draw per second; 0: as it
     * likes. A cut that protects is never delayed. */
    int64_t ramp_up_mw_per_s, ramp_down_mw_per_s;
    /* bad(n), upper bound: k largest of draw_max(phys_max) - draw_max(fail-safe), by host types */
    int64_t bad_mva[CONTINGENCIES_MAX][PHASES];
    struct breaker breaker;         /* device and equipment, compiled; element_count 0: no curve is known */
    uint64_t whole_lines[4];        /* so that none begins in the middle of a line */
};

struct model_cord {
    uint32_t node;
    uint32_t psus;
    /* mVA on each phase per mVA of the cord, ppm, rounded up (3-phase: 333334 each) */
    uint32_t phase_ppm[PHASES];
    uint32_t share_ppm[CONTINGENCIES_MAX]; /* share(h, j): most of the host's draw this cord may carry */
};

struct model_host_type {
    char name[NAME_BYTES];
    int64_t cap_min_mw, cap_max_mw; /* settable range, sum over devices */
    int64_t base_max_mw;            /* wall draw that no cap governs */
    int64_t gain_ppm;               /* overshoot / eta_min: wall watts per cap watt, rounded up */
    int64_t phys_max_mw;            /* wall, everything at driver defaults */
    int64_t input_max_mw;           /* wall, what its supplies can draw: no more is believed; 0 = anything */
    int64_t boot_mw;                /* phys_max + inrush */
    int64_t pf_min_ppm;             /* lowest power factor: mVA = mW / pf */
    int64_t actuation_ns;           /* A = 2 x worst write + settle */
    int64_t quantum_mw;             /* grain of a cap */
    /* told with each lease, beside the floor: of the host; 0 = as its devices have it */
    int64_t ramp_up_mw_per_s, ramp_down_mw_per_s, hysteresis_ns;
};

/* What every report looks at comes first: of a host with two cords the first two lines of the cache. */
struct model_host {
    uint32_t type;
    uint32_t cord_count;
    int64_t fail_safe_mw;           /* cap */
    int64_t floor_mw;               /* cap, <= fail_safe */
    struct model_cord cord[CORDS_MAX];
    uint32_t weight;                /* >= 1 */
    uint32_t gang;                  /* hosts of one synchronous job; gang_count and above: none */
    uint8_t tier;                   /* strict priority, 0 first, below TIERS_MAX */
    uint8_t reserved[7];
    char name[NAME_BYTES];
    uint64_t whole_lines[5];        /* so that none begins in the middle of a line */
};

static_assert(sizeof(struct model_node) % CACHE_LINE == 0 && sizeof(struct model_host) % CACHE_LINE == 0,
              "arrays of them are aligned to a line (site/build, record/journal_read)");

struct model_meter {
    char name[NAME_BYTES];          /* device_id on the wire */
    uint32_t node;
    uint32_t error_ppm;             /* meter, CT and imbalance together */
    int64_t period_ns;
    int64_t fresh_ns;               /* T_fresh: older readings are refused as stale */
};

/* Words of the site file, in this order: X(symbol, name, meaning) */
#define ALERT_SEVERITIES(X) \
    X(ALERT_INFO, "info", "told, and no more") \
    X(ALERT_WARNING, "warning", "told, and no more: somebody should look at it") \
    X(ALERT_ALARM, "alarm", "the verdict is alarm while it lasts")

enum alert_severity {
#define ALERT_SEVERITY_SYMBOL(symbol, name, meaning) symbol,
    ALERT_SEVERITIES(ALERT_SEVERITY_SYMBOL)
#undef ALERT_SEVERITY_SYMBOL
    ALERT_SEVERITY_COUNT
};

/* A condition that the site wants to be told of. It moves no cap. */
struct model_alert {
    char name[NAME_BYTES];
    uint32_t severity;              /* enum alert_severity */
    uint32_t watches;               /* meters that it looks at */
    struct when_program when;
};

/* An alert at one meter; by meter, then by alert. */
struct model_watch { uint32_t alert, meter; };

/* Programmable thresholds of one quantity: raise above `high`, clear below `low`. 0 = not watched. */
struct model_threshold { int64_t high, low; };

struct model_policy {
    int64_t lease_ns;               /* D */
    int64_t report_ns;              /* hosts report at least this often; <= D/6 */
    int64_t tick_ns;
    int64_t raise_after_emergency_ns;
    int64_t emergency_clear_ns;     /* measured < 0.9 steady for this long ends an emergency */
    int64_t age_bound_ns;           /* added to every age */
    int64_t rho_ppm;                /* clock rate error bound */
    /* a host's highest draw of this long stands for its demand; default 450 ms */
    int64_t demand_hold_ns;
    int64_t demand_headroom_ppm;    /* added to it, default 50000 */
    struct model_threshold power_pct;    /* of node steady limit, ppm */
    struct model_threshold current_pct;  /* of node steady_ma, ppm */
    struct model_threshold sag_pct;      /* of nominal volts, ppm; high = start below, low = end above */
    struct model_threshold swell_pct;    /* of nominal volts, ppm */
    struct model_threshold dp_dt_w_per_s;
    /* hold(n) before a raise after an emergency, and before a lost permit comes back: from the first,
     * doubling up to the second while it keeps happening (section 9) */
    int64_t hold_least_ns, hold_most_ns;
    int64_t damper_window_ns;       /* more than damper_changes turns of direction in it: raises are held */
    uint32_t damper_changes;
    uint32_t headroom_ppm;          /* protection headroom: kept free of shares at every limit */
    int64_t feed_stable_ns;         /* a feed that came back lends again after this long; default 60 s */
    uint32_t let_go;                /* not 0: an agent that stops may put its host's own limits back */
    uint32_t reserved;
};

/* What a contingency is (safety.md section 4). */
enum contingency_kind { CONTINGENCY_NONE, CONTINGENCY_LOSS, CONTINGENCY_SAG };

struct model_contingency {
    char name[NAME_BYTES];
    uint8_t kind;                   /* enum contingency_kind; [0] is CONTINGENCY_NONE */
    uint8_t lasting;                /* I2 is held in it; a sag is not */
    uint8_t reserved[2];
    uint32_t lost_node;             /* of a loss, else INDEX_NONE */
    uint32_t witness;               /* meter whose volts show that lost_node is alive, or INDEX_NONE */
    uint32_t reserved2;
};

struct model {
    char name[NAME_BYTES];
    uint32_t mode;                  /* enum mode */
    uint32_t node_count, host_count, type_count, meter_count;
    uint32_t contingency_count;     /* >= 1; [0] is "none" */
    uint32_t curve_count;           /* TRAVEL curves that elements refer to */
    uint32_t gang_count;
    uint32_t alert_count, watch_count;
    struct model_contingency contingency[CONTINGENCIES_MAX];
    struct model_policy policy;
    struct model_node *node;
    struct model_host *host;
    struct model_host_type *type;
    struct model_meter *meter;
    struct breaker_curve *curve;
    struct model_alert *alert;
    struct model_watch *watch;
};

/* any: does power that `node` draws flow through `above`? Both are places in model.node; a node lies below
 * itself. O(ANCESTORS_MAX). */
static inline bool model_lies_below(const struct model *model, uint32_t node, uint32_t above)
{
    const struct model_node *n = &model->node[node];
    for (uint32_t a = 0; a < n->ancestor_count; a++)
        if (n->ancestor[a] == above)
            return true;
    return false;
}

#endif
