/* SPDX-License-Identifier: Apache-2.0 */
/* A journal through the same pipeline again, its digests compared with the recorded ones second by second. */
#ifndef FLYBALL_CLI_REPLAY_RUN_H
#define FLYBALL_CLI_REPLAY_RUN_H

#include <stdbool.h>

#include "record/journal.h"

enum { REPLAY_BEFORE = 6, REPLAY_AFTER = 4 };   /* slots kept around the first difference */

struct replay_difference {
    const char *what;           /* NULL: none */
    uint64_t second;            /* of slot time */
    uint64_t sequence_first, sequence_last;     /* slots since the last second that agreed */
    struct slot_digest recorded, replayed;      /* zero where one side closes no second */
    uint32_t before, after;     /* how many of slot[] stand before and after the comparison */
    struct slot slot[REPLAY_BEFORE + REPLAY_AFTER];
};

struct replay_result {
    uint64_t slots;             /* fed; digests not counted */
    uint64_t seconds;           /* compared */
    uint64_t decisions;         /* leases and claims that came out */
    uint64_t missing;           /* slots the journal lacks: holes in the sequence, or told as dropped */
    uint64_t disorder;          /* slots that stand after a later one */
    uint64_t clock_free;        /* slots of times when the machine's clock was not synchronised */
    uint64_t clock_stepped;     /* readings of a meter whose clock had just gone ahead */
    int64_t first_t_ns, last_t_ns;
    struct slot_digest agreed;  /* the newest on which both sides agree */
    struct replay_difference difference;
};

/* any: from the reader's first slot to the journal's end. 0, with `error` "" or saying where the journal is
 * torn; -errno with `error` when it is damaged or names what its site does not have; `result` then holds what
 * came before. */
int replay_journal(struct journal_reader *reader, struct replay_result *result, char *error,
                   size_t error_bytes);

/* any: at least one second compared, all of them equal, every slot there and in order. */
bool replay_is_exact(const struct replay_result *result);

#endif
