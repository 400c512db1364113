/* SPDX-License-Identifier: Apache-2.0 */
/* Meters as written. */
#ifndef FLYBALL_SITE_DRAFT_METER_H
#define FLYBALL_SITE_DRAFT_METER_H

#include "site/meter.h"
#include "site/read/fields.h"

struct draft_feed {             /* plain cords: nodes only */
    uint32_t count;
    uint32_t node_of[CORDS_MAX];
};

struct draft_channel {          /* of a meter's `correct:` */
    struct value gain, offset, late, phase;
};

struct draft_meter {
    const struct tree *at;
    struct value id, node, period, fresh, error, cords;
    struct value protocol, number, appid, svid, pmu, phasors, address, bare, rate, frequency, correct, sag,
        swell, interruption, hysteresis, peak, slope;
    struct draft_channel channel[MEASURE_CHANNELS];
    uint32_t appid_of, ipv4;
    const char *phasor[SITE_PHASORS];
    struct draft_feed feed;
    uint32_t node_of;
};

#endif
