/* SPDX-License-Identifier: Apache-2.0 */
/* Words that the models share, and the rule that is broken on purpose: pan reads it from FLYBALL_BROKEN. */
c_decl {
\#include <stdlib.h>
static int broken_rule;
};
#define READ_BROKEN c_code { const char *s = getenv("FLYBALL_BROKEN"); broken_rule = s ? atoi(s) : 0; }
#define BROKEN(rule) c_expr { broken_rule == rule }

/* caps, from the lowest */
#define SAFE 1          /* fail-safe, by the site file */
#define MID 2
#define CAP_MAX 3
#define PHYS 4          /* defaults: phys_max */

/* epochs, as seen from the newest controller */
#define OLD 0
#define BEFORE 1
#define NOW 2

/* enum host_state */
#define BOOT 0
#define FAIL_SAFE 1
#define LEASED 2

#define LOST 1
#define CUT 2

#define BACKS 2         /* reports in a row with which an incarnation comes back */

/* rules that can be broken; tests/model/mutants says which words of safety.md they are */
#define NOTHING 0
#define RECEIPT 1
#define X_RETIRES 2
#define IN_FLIGHT 3
#define INCARNATION 4
#define MISMATCHED 5
#define FIRST 6
#define RENEWALS 7
#define SEQUENCE 8
#define EXPIRED 9
#define EPOCH 10
#define OLD_EPOCH 11
#define SETTLE 12
#define HELD 13
#define SAME 14
#define ORDER 15
#define FOREIGN 16
#define NEW_INCARNATION 17
#define BOUND_SETTLE 18
#define BOUND_EPOCH 19
#define CLAIMS 20
#define I1A 21
#define I1B 22
#define MERGE 23
#define LOW_ACCOUNT 24
#define STOPPED 25
#define NEVER_BACK 26
#define WORD 27
#define UNCOUNTED 28
#define RULED_OUT 29
#define LET_GO_HANDED 30
#define LET_GO_OLD 31
#define AGREED_LATE 32
#define LET_GO_ROOM 33
