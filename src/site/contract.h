/* SPDX-License-Identifier: Apache-2.0 */
/* Contract limits of the site file: they steer, and a breach is reported. Whoever runs schedules gives an
 * order at each edge of their hours. */
#ifndef FLYBALL_SITE_CONTRACT_H
#define FLYBALL_SITE_CONTRACT_H

#include <stdint.h>

#include "msg/limits.h"

enum { CONTRACT_DAY_S = 24 * 3600, CONTRACT_EVERY_DAY = 0x7f };

struct site_contract {
    char name[NAME_BYTES];
    uint32_t node;              /* index into model.node */
    uint32_t from_s, to_s;      /* of the day by the local clock, in force from the first until the second;
                                 * to below from: over midnight; both 0: the whole day */
    uint8_t days;               /* on which it begins; bit 0: Monday */
    uint8_t reserved[3];
    int64_t cap_mw;             /* wall power, three phases together; 0: no cap */
    int64_t ramp_up_mw_per_s, ramp_down_mw_per_s;       /* of the sum of caps below; 0: as it likes */
};

#endif
