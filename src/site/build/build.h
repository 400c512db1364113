/* SPDX-License-Identifier: Apache-2.0 */
/* Ordered draft -> model, and the checks that need the model. */
#ifndef FLYBALL_SITE_BUILD_H
#define FLYBALL_SITE_BUILD_H

#include "site/read/draft.h"

/* setup: fills site->model, note and addresses from a draft without errors; takes site->memory.
 * 0 or -ENOMEM. */
int build_model(struct draft *d, struct site *site);

/* setup: the parts of it. */
int build_nodes(struct draft *d, struct site *site);
void build_device(struct draft *d, const struct draft_node *draft, struct site_device *out);
void build_equipment(struct draft *d, const struct draft_node *draft, const struct model_node *n,
                     struct site_equipment *out);
/* setup: what trips at each node, compiled; what does not fit becomes a finding. */
void build_breakers(struct draft *d, struct site *site);
/* any: Ir: as written, else the relay's pickup where that is lower than the rating. */
int64_t build_long_time_ma(const struct draft_device *device);
void build_types(const struct draft *d, struct model *model);
void build_hosts(struct draft *d, struct site *site);
void build_meters(const struct draft *d, struct site *site);    /* nodes and breakers stand */
void build_policy(const struct draft *d, struct model *model);
/* setup: fail-safe caps that nobody wrote; 0 or -ENOMEM. Needs to know who lends. */
int build_fail_safe(struct draft *d, struct site *site);
int build_bad(struct draft *d, struct model *model);
/* setup: gangs from jobs; 0 or -ENOMEM. */
int build_jobs(struct draft *d, struct site *site);
/* setup: shed actions, and by node which; 0 or -ENOMEM. */
int build_sheds(const struct draft *d, struct site *site);
/* setup: alerts, and which meters each looks at; takes model.alert. Too many of them, and one that looks at
 * no meter, become findings. 0 or -ENOMEM. */
int build_alerts(struct draft *d, struct site *site);
/* setup: what cannot be bound together becomes a finding. */
void build_contracts(struct draft *d, struct site *site);
/* any: of a node that is a transfer switch to the catcher (INDEX_NONE: it is none): the parent that leads
 * there. The switch at or above a node. */
uint32_t build_reserve_of(const struct site *site, uint32_t node);
uint32_t build_switch_above(const struct site *site, uint32_t node);
/* setup: the cords by which a host of a row counts on the catcher, behind its own. */
void build_reserve_cords(struct draft *d, const struct site *site, const struct draft_row *row,
                         struct model_host *host);
void build_check_catcher(struct draft *d, const struct site *site);
/* setup: witnesses, which nodes may lend, their pools; what was asked for and cannot be becomes a finding.
 * 0 or -ENOMEM. */
int build_lending(struct draft *d, struct site *site);

/* any: what of a device the draft does not say (enum device_assumed). */
uint32_t build_assumed(const struct draft_node *draft);
/* setup: site->settings and what is assumed, and the notes that point there; 0 or -ENOMEM. */
int build_settings(const struct draft *d, struct site *site);

/* setup: site->redundancy, from a draft whose model is built; takes site->gear_memory. 0 or -ENOMEM. */
int build_redundancy(struct draft *d, struct site *site);

/* setup: I2 (safety.md section 5), and the warnings. 0 or -ENOMEM. */
int check_fail_safe(struct draft *d, const struct site *site);
/* setup: cords that redundancy says nothing good about; what goes dark with each loss. 0 or -ENOMEM. */
int check_cords(struct draft *d, const struct site *site);
/* setup: a sag at the top reaches the node; parents are built. */
bool build_sags(const struct site *site, uint32_t node);
/* setup: a UPS that may be on its bypass promises no volts of its own, nor does what it feeds without a
 * transformer between; equipment of all above is built. */
void build_check_volts(struct draft *d, const struct draft_node *draft, const struct site *site,
                       uint32_t node);

int check_outages(struct draft *d, const struct site *site);
int check_warnings(struct draft *d, const struct site *site);
/* setup: warnings about reserves, contracts, jobs, fault currents and the sag. */
void check_steering(struct draft *d, const struct site *site);

/* setup: warnings about shed actions that are never taken, and nodes that lack one. 0 or -ENOMEM. */
int check_sheds(struct draft *d, const struct site *site);

/* setup: warnings where terms are below what was measured on the server, or the figures are not its own. */
void check_measured(struct draft *d, const struct site *site);

#endif
