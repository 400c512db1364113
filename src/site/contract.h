/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A contract of the site file: a cap of one or several nodes together, or ramps of one, always or in a window
 * of the local day. It holds whatever is ordered: an order may add a contract, never lift or loosen one of
 * these.
 */
#ifndef FLYBALL_SITE_CONTRACT_H
#define FLYBALL_SITE_CONTRACT_H

#include "msg/limits.h"

enum {
    SITE_CONTRACTS_MAX = CONTRACTS_MAX / 2,     /* the other half is for orders */
    SITE_DAY_S = 24 * 3600,
    SITE_EVERY_DAY = 0x7F,
};

struct site_contract {
    char name[NAME_BYTES];          /* each different */
    uint32_t node;                  /* index into model.node */
    uint32_t also_count;            /* further nodes, whose loads the cap bounds together with its load */
    uint16_t also[ORDER_NODES_MAX - 1];
    uint32_t days;                  /* bit 0 Monday to bit 6 Sunday: days on which the window begins */
    /* of the local day; to before from: past midnight; equal: the whole day */
    uint32_t from_s, to_s;
    int64_t cap_mw;                 /* load of the node, three phases together; 0: no cap */
    int64_t ramp_up_mw_per_s, ramp_down_mw_per_s;   /* of the sum of caps below; both 0: no ramp */
};

#endif
