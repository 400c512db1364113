/* SPDX-License-Identifier: Apache-2.0 */
/* The small hall with permits and holds at its nodes. */
#ifndef FLYBALL_TESTS_CORE_PERMIT_HALL_H
#define FLYBALL_TESTS_CORE_PERMIT_HALL_H

#include "core/permit_inside.h"
#include "hall.h"

struct permit_hall {
    struct hall hall;
    struct permits permits;
    struct permit_node meter[HALL_NODES];
    struct permit_expiry expiry[HALL_NODES];
    struct permit_stand_in stand_in[HALL_NODES];
    struct permit_sum sum[HALL_NODES];
    uint32_t lender[HALL_NODES], least_first[HALL_HOSTS], least_ppm[64];
    int64_t draw_mw[HALL_HOSTS];
    uint8_t dark[HALL_HOSTS], lit[HALL_HOSTS];
    struct holds holds;
    struct hold hold[HALL_NODES];
    int64_t t_ns, news;               /* of the test that keeps them */
};

/* Holds and permits as they start, of a hall that is open. */
void permit_hall_open(struct permit_hall *b);

#endif
