/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contract limits: caps on the load of a node, or of several together, and ramps of one, given by order
 * (safety.md section 2). They steer and protect nothing: no limit of the ledger knows them, a breach is
 * counted and shown and is no emergency.
 *
 * What a budget bounds is a place: a node, or behind all nodes a group of them. A group's load is what flows
 * through its members, each cord once; the roots of a site together are the site.
 *
 * A cap bounds what hosts below may draw by their leases, through every cord that hangs there, in watts. What
 * no cap governs is subtracted by the model's figures, base_max and other(n): a meter's residual would be
 * their difference with draws that hosts report up to D/6 later, and would move with every step of load. The
 * meter corrects the sum instead: what it shows above the contract after its time is subtracted in addition,
 * once for every time a correction takes to be seen, and is given back slowly.
 */
#ifndef FLYBALL_CORE_CONTRACT_H
#define FLYBALL_CORE_CONTRACT_H

#include <stdbool.h>

#include "core/ledger.h"
#include "msg/order.h"

/* What a meter shows is judged by means over this long: a host that steps up passes its own cap for some
 * 20 ms, and no contract is about that. */
#define CONTRACT_WINDOW_NS (250 * NS_PER_MS)

#define CONTRACT_FREE (INT64_MAX / 4)   /* a budget or capacity that no contract bounds */

struct contract {
    uint64_t number;            /* of the order that gave it; 0 = this entry is free */
    uint32_t id;                /* slot_order.contract */
    uint32_t place;             /* what it bounds */
    uint8_t kind;               /* ORDER_CAP or ORDER_RAMP */
    bool breached;              /* the newest mean lies above it, and its time has come */
    uint8_t reserved[6];
    int64_t value_mw;           /* of a cap; of a ramp: up, mW per second */
    int64_t down_mw_per_s;
    int64_t due_ns, until_ns;   /* slot time; until_ns INT64_MAX = until it is lifted */
    int64_t excess_mw;          /* what the meter showed above it: taken off its budget */
    int64_t judged_ns;          /* slot time of the newest correction */
    int64_t window_ns, sum_mw;  /* readings since then */
    int64_t readings;
    int64_t mean_mw;            /* of the newest window, -1 = none yet */
    uint64_t breaches;
};

/* Nodes that one contract or more bound together; none lies above another. */
struct contract_group {
    uint32_t contracts;         /* in force over these nodes; 0 = this group is free */
    uint32_t count;
    uint16_t node[ORDER_NODES_MAX];     /* ascending */
};

struct contracts {
    const struct model *model;
    struct contract item[CONTRACTS_MAX];
    struct contract_group group[CONTRACT_GROUPS_MAX];
    uint32_t generation;        /* of the groups: changes whenever one of them does */
    uint32_t count;             /* in force */
    int64_t settle_ns;          /* until a lease sent now is seen by a meter: the slowest type and meter */
    /* by place */
    int64_t *budget_mw;         /* what hosts below may draw together; CONTRACT_FREE = as they like */
    int64_t *drawn_mw;          /* what they may draw by the highest lease that no report has retired */
    int64_t *fail_safe_mw;      /* what they draw at fail-safe */
    uint32_t *within;           /* by node: bit g: it is of group g, or below one that is */
    int64_t *counted_mw;        /* by host: its part of drawn_mw */
};

/* setup: all arrays stand. */
void contract_init(struct contracts *contracts, const struct model *model);

/* rt: a host's account has changed, maybe. */
void contract_note(struct contracts *contracts, const struct ledger *ledger, uint32_t host);

/* rt: a cap or ramp is given; one of the same id is replaced. ORDER_TAKEN or why not. */
enum order_refusal contract_give(struct contracts *contracts, const struct slot_order *order, int64_t t_ns);

/* rt: it is taken away. ORDER_REFUSED_VALUE where there is none of that id. */
enum order_refusal contract_lift(struct contracts *contracts, uint32_t id);

/* rt: ends those whose time is over. Returns how many. */
uint32_t contract_expire(struct contracts *contracts, int64_t t_ns);

/* any: how many places a model has; one without hosts needs no groups. */
uint32_t contract_places(const struct model *model);

/* rt: the place of the nodes that an order names, a group where there are several. INDEX_NONE with why not
 * in *refusal. A group that is new costs a look at every host. */
uint32_t contract_place(struct contracts *contracts, const struct slot_order *order,
                        enum order_refusal *refusal);
void contract_place_leave(struct contracts *contracts, uint32_t place);

/* any: the place of the contract of this id, which is in force. */
uint32_t contract_place_of(const struct contracts *contracts, uint32_t id);

/* any: the nodes of a place, of which there are contract_nodes. */
uint32_t contract_nodes(const struct contracts *contracts, uint32_t place);
uint32_t contract_node(const struct contracts *contracts, uint32_t place, uint32_t i);

/* any: of the caps in force at this place, the id of the one that binds; 0 = none. */
uint32_t contract_binding(const struct contracts *contracts, uint32_t place);

/* rt: above this host less may be drawn than all hosts do at fail-safe: it may be sent down to its floor. */
bool contract_below_fail_safe(const struct contracts *contracts, uint32_t host);

/* rt: the largest cap not above cap_mw with which every budget above the host holds; never less than
 * least_mw. `place` is the one that bounds it, else INDEX_NONE. */
int64_t contract_room_mw(const struct contracts *contracts, uint32_t host, int64_t cap_mw, int64_t least_mw,
                         uint32_t *place);

/* any: the part of a host's draw that flows through a place: by the shares of its cords, their tolerance
 * taken out. */
int64_t contract_part_ppm(const struct contracts *contracts, uint32_t host, uint32_t place);
int64_t contract_cord_ppm(const struct model_host *host, uint32_t cord);

/* rt: the ramps of a node in force: the model's, or less by contract. 0 = as it likes. */
void contract_ramp(const struct contracts *contracts, uint32_t node, int64_t *up_mw_per_s,
                   int64_t *down_mw_per_s);

/* rt: the load of a place by its meter, of a group by the meters of all its nodes. */
struct contract_finding {
    uint32_t breaches;          /* contracts that are breached from now on */
    bool trim;                  /* its budget has become less: trim again */
};
struct contract_finding contract_reading(struct contracts *contracts, uint32_t place, int64_t measured_mw,
                                         int64_t t_ns);

/* ---- the trim: every host below goes the same part of its way down to its floor ---- */

struct contract_trim {
    int64_t fixed_mw;           /* hosts that cannot be told now */
    int64_t floor_mw, newest_mw;    /* the others, at their floors and by their newest leases */
    int64_t scale_ppm;          /* of the way from floor to newest that may be kept */
};

/* rt: one host below the place, first all of them to weigh, then contract_trim_scale, then each one's cap. */
void contract_weigh(const struct contracts *contracts, const struct ledger *ledger, uint32_t place,
                    uint32_t host, int64_t t_ns, struct contract_trim *trim);
void contract_trim_scale(const struct contracts *contracts, uint32_t place, struct contract_trim *trim);
/* -1: nothing to send. */
int64_t contract_trim_cap_mw(const struct contracts *contracts, const struct ledger *ledger, uint32_t host,
                             int64_t t_ns, const struct contract_trim *trim);

#endif
