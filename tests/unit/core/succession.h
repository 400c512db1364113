/* SPDX-License-Identifier: Apache-2.0 */
/* One controller after the other on the hosts of a stand: what the one before leaves, and how the next takes
 * it. */
#ifndef FLYBALL_TESTS_SUCCESSION_H
#define FLYBALL_TESTS_SUCCESSION_H

#include "stand.h"

struct succession {
    struct slot_account account[STAND_HOSTS];
    uint32_t words[STAND_METERS + 1];       /* of a record; 0 = none */
    int64_t word[STAND_METERS + 1][HANDED_WORDS_MAX];
};

/* What the stand's controller would leave now, 40 ms old when it is taken. */
void succession_of(const struct stand *stand, struct succession *succession);

/* A new controller, of the next epoch. */
void succession_restart(struct stand *stand);

/* It takes accounts, and records; nothing is sent for that. */
void succession_account(struct stand *stand, const struct slot_account *account);
void succession_accounts(struct stand *stand, const struct slot_account account[STAND_HOSTS]);
void succession_records(struct stand *stand, const struct succession *succession);

/* The host still obeys the controller before: what it reports then. */
struct report succession_report(struct stand *stand, uint32_t host);

#endif
