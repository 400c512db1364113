/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Power granted ahead of time (safety.md section 7). A host asks for so much draw at the wall, in total, for
 * so long. It is granted when load as measured, with all that is granted already and this on top, stays at
 * the level and within the ramp of every node above, trips nothing there, nor comes near it, and the ledger's
 * limits leave room for it in every contingency. Else the answer is a reason and the most that would have
 * been granted, in whole quanta of 100 W. What is granted is a reservation: forecast load, until it is drawn
 * or its time is over. It allows nothing: every lease is still held against the ledger.
 *
 * Grants go by priority. Who was denied for want of room, and may have it later, waits at the nodes that
 * lacked it until it may ask again and TOKEN_GRACE more: for as long what it asked for counts there as if it
 * were granted, for all requests of lower priority. So room that becomes free goes to the highest priority
 * that still asks; nobody is waited for longer than it asks. What is granted is taken from nobody.
 *
 * Of a host that is not heard for D the reservation ends. None outlives the controller: whoever holds a grant
 * asks again, under a new number, when it sees a newer epoch in a lease.
 *
 * A further request of the same host replaces its reservation (extends it, or with 0 W releases it). The same
 * request again is answered the same, so a lost answer costs nothing. Who was denied and asks for as much
 * again before retry_after gets the same answer without a new look.
 */
#ifndef FLYBALL_CORE_TOKEN_H
#define FLYBALL_CORE_TOKEN_H

#include "core/heat.h"
#include "core/pool.h"
#include "core/ramp.h"
#include "msg/token.h"

enum { TOKEN_ANSWERS = 4 };     /* remembered of each host */

struct token_answer {
    struct token_request request;
    struct token_response response;
    int64_t until_ns;           /* an equal request before this gets it again; 0 = no answer */
};

struct token_host {
    uint32_t newest;            /* of answer */
    struct token_answer answer[TOKEN_ANSWERS];
};

#define TOKEN_GRACE_NS (100 * NS_PER_MS)

/* Who waits for room at a node. */
struct token_wait {
    uint32_t host, priority;
    int64_t draw_mw;            /* asked for, in total */
    int64_t until_ns;           /* over by then; 0 = nobody waits */
};

struct tokens {
    const struct model *model;
    const struct ledger *ledger;
    const struct heat *heat;
    struct ramps *ramps;
    struct pools *pools;
    struct token_host *host;
    struct token_wait *wait;    /* by node */
};

/* setup: `host` and `wait` stand, zeroed. */
void token_init(struct tokens *tokens, const struct model *model, const struct ledger *ledger,
                const struct heat *heat, struct ramps *ramps, struct pools *pools);

/* rt: answers a request; a grant is reserved. False where the answer was one given before. */
bool pool_request(struct tokens *tokens, const struct token_request *request, int64_t t_ns,
                  struct token_response *response);

#endif
