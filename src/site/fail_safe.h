/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fail-safe caps that a site file leaves open: by weight the largest that keep I2 (safety.md sections 5, 6),
 * so that what a host loses when its leases run out is only what was lent to it. I5 with reserve `keep` asks
 * no more than I2, with `lend` less.
 */
#ifndef FLYBALL_SITE_FAIL_SAFE_H
#define FLYBALL_SITE_FAIL_SAFE_H

#include "site/flow/sums.h"

/* setup: raises model->host[h].fail_safe_mw where open[h], from what stands there: weighted max-min in whole
 * quanta, up to the type's largest cap. What stands there must keep I2, and does so afterwards. 0 or
 * -ENOMEM. */
int fail_safe_raise(struct model *model, const uint8_t *open, struct scratch *scratch);

#endif
