/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger that outlives the process (record/account.h), as the daemon takes it over and keeps it. */
#ifndef FLYBALL_LOOP_LEDGER_H
#define FLYBALL_LOOP_LEDGER_H

#include <stdio.h>

#include "loop/loop.h"

/* setup: opens and locks the file. Where that cannot be had, a note says why and the daemon goes on without.
 * With options.take_over it first waits for the one that holds it. -EADDRINUSE: another flyballd holds it;
 * -EINTR: a signal came while it waited. */
int loop_ledger_open(struct loop *loop, FILE *notes);

/* setup: takes what the writer before left, lifts loop->epoch above that writer's, and makes the file ours.
 * 0 or -errno. */
int loop_ledger_read(struct loop *loop);

/* setup, the tap's reader running and nobody deciding yet: what was taken becomes the first slots. */
void loop_ledger_take_over(struct loop *loop);

/* cold, once no lease can leave any more: whoever waits may have it. */
void loop_ledger_close(struct loop *loop);

#endif
