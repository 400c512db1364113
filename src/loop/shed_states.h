/* SPDX-License-Identifier: Apache-2.0 */
/* What became of the shed action of a node, as `flyball shed` tells it and status shows it. */
#ifndef FLYBALL_LOOP_SHED_STATES_H
#define FLYBALL_LOOP_SHED_STATES_H

/* X(symbol, name, meaning) */
#define SHED_STATES(X) \
    X(SHED_RUNNING, "running", "its command is being run") \
    X(SHED_AGAIN, "again", "a try failed, the next one waits") \
    X(SHED_DONE, "done", "taken: what it turned off is off until it is restored") \
    X(SHED_FAILED, "failed", "no try succeeded: nobody has shed anything, as far as is known") \
    X(SHED_OVER, "over", "the emergency ended before a try succeeded, and no further one was made") \
    X(SHED_RESTORING, "restoring", "its restore command is being run") \
    X(SHED_RESTORED, "restored", "put back, by its restore command or as an operator says") \
    X(SHED_NOT_RESTORED, "not_restored", "the restore command failed: an operator must look")

enum shed_state {
    SHED_NONE,
#define SHED_STATE_SYMBOL(symbol, name, meaning) symbol,
    SHED_STATES(SHED_STATE_SYMBOL)
#undef SHED_STATE_SYMBOL
    SHED_STATE_COUNT
};

/* Bytes of how a command ended, in words: "exit code 3", "ran past its 10 s". */
enum { SHED_END_BYTES = 64 };

#endif
